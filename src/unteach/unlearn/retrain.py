"""Retraining: the truth that every other method is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unteach.core import Claim, Cost, Exact, Forgotten, Model, Records, Request, Stopwatch
from unteach.models import as_learner, learner_of

from .standing import check_standing


@dataclass(frozen=True)
class Retrain:
    """Learn again from the records that are left.

    Claim       Exact(0): by definition, for the seed that is given.
    Parameters  learner : the recipe to learn with; None takes the recipe that the model carries
    Errors      BadInput, UnknownRecord when these are not the records that the model stands on;
                NothingLeft, OneClassLeft, UnknownRecord, RepeatedRecord

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Ridge, learn
    >>> rows = load("diabetes")
    >>> gone = Retrain().forget(learn(Ridge(), rows), rows, Request(ids=[0, 1]), seed=0)
    >>> len(gone.model.sample_ids_), gone.cost.rows_read
    (440, 440)
    """

    learner: Any = None

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make."""
        request.targets(records)
        return Exact(0.0)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a model of what is left; the model that was given is only asked for its recipe."""
        targets = request.targets(records)
        check_standing(model, records, targets)
        if len(targets) == 0:
            return Forgotten(model, Exact(0.0), Cost(route="nothing to forget"))
        learner = learner_of(model) if self.learner is None else as_learner(self.learner)
        rest = request.applied_to(records)
        with Stopwatch() as watch:
            after = learner.learn(rest, seed=seed)
        return Forgotten(after, Exact(0.0), watch.cost(rows_read=len(rest), route="retrain"))
