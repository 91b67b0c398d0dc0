"""The bridge to models that can forget by themselves."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import (
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Ids,
    Model,
    NoRoute,
    Records,
    Request,
    Stopwatch,
)
from unteach.models import classifies

from .._shared.forget_retain_split import check_standing


@dataclass(frozen=True)
class Native:
    """Copy the model and call its own `forget`; the one bridge between the two meanings.

    Claim       what the model claims of its own operation (`claim_`).
    Errors      NoRoute for a model without `forget`; whatever the model refuses

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Ridge, learn
    >>> rows = load("diabetes")
    >>> model = learn(Ridge(), rows)
    >>> gone = Native().forget(model, rows, Request(ids=[3]), seed=0)
    >>> len(model.sample_ids_), len(gone.model.sample_ids_), gone.claim.kind
    (442, 441, 'exact')
    """

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return what the model claims for itself, or say why it cannot forget."""
        targets = request.targets(records)
        _check(model, records, request, targets)
        claim = getattr(model, "promise_", None) or getattr(model, "claim_", None)
        return claim if claim is not None else Heuristic("the model states no claim")

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a copy that has forgotten; the model that was given stays as it is."""
        targets = request.targets(records)
        _check(model, records, request, targets)
        if len(targets) == 0:
            claim = getattr(model, "claim_", None) or Heuristic("the model states no claim")
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        with Stopwatch() as watch:
            after: Any = copy.deepcopy(model)
            after.forget(targets)
            if request.replace is not None:
                new = request.replace
                after.partial_fit(new.x, np.asarray(new.y), sample_ids=new.ids)
        claim = getattr(after, "claim_", None) or Heuristic("the model states no claim")
        return Forgotten(after, claim, watch.cost(rows_read=len(targets), route="own forget"))


def _check(model: Any, records: Records, request: Request, targets: Ids) -> None:
    name = type(model).__name__
    if not callable(getattr(model, "forget", None)):
        raise NoRoute(f"{name} cannot forget by itself; retrain it instead")
    if getattr(model, "sample_ids_", None) is None:
        raise NoRoute(f"this {name} holds no training rows (exported to serve); retrain it instead")
    check_standing(model, records, targets)
    if request.replace is not None:
        if not callable(getattr(model, "partial_fit", None)):
            raise NoRoute(f"{name} cannot insert replacement records; retrain it instead")
        if len(targets) == len(records):
            raise NoRoute("a change of every record is a new training; retrain instead")
        if classifies(model) and len(np.unique(np.asarray(records.without(targets).y))) < 2:
            raise NoRoute("the records that stay have one class only; retrain instead")
