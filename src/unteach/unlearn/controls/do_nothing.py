"""Doing nothing: the fraud that every audit must catch."""

from __future__ import annotations

from dataclasses import dataclass

from unteach.core import Claim, Cost, Forgotten, Heuristic, Model, Records, Request


@dataclass(frozen=True)
class DoNothing:
    """Return the model as it was.

    Claim       Heuristic: nothing was done, and it says so.
    Errors      UnknownRecord, RepeatedRecord

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Ridge, learn
    >>> rows = load("diabetes")
    >>> model = learn(Ridge(), rows)
    >>> DoNothing().forget(model, rows, Request(ids=[0]), seed=0).model is model
    True
    """

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make."""
        request.targets(records)
        return Heuristic("nothing was done")

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model that was given."""
        request.targets(records)
        return Forgotten(model, Heuristic("nothing was done"), Cost(route="do nothing"))
