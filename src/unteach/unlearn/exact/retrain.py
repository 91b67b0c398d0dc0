"""Retraining: the truth that every other method is measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import Claim, Cost, Exact, Forgotten, Model, Records, Request, Stopwatch
from unteach.models import Recipe, note, recipe_for

from .._shared.forget_retain_split import check_standing


@dataclass(frozen=True)
class Retrain:
    """Learn again from the records that are left.

    Claim       Exact(0) for a model that unteach learned from these records: by definition, for
                the seed that is given. Of any other model exactness is shown: its recipe is
                learned once from all records; where that gives the model, within x, the claim is
                Exact(x), verified by reproduction; else Heuristic, with the reason.
    Parameters  learner : the recipe to learn with; None takes the recipe that the model carries
                fit_params : what `fit` was given besides x and y, such as
                {"sample_weight": w}; arrays with one entry a record are cut with the records
                verify : False takes the user's word for the recipe, and the claim says so
    Errors      BadInput, UnknownRecord when these are not the records that the model stands on;
                NothingLeft, OneClassLeft, UnknownRecord, RepeatedRecord

    `seed=None` keeps the seeds that the model was learned with: those that unteach gave it, or
    its own integer `random_state`.

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
    fit_params: Mapping[str, Any] | None = field(default=None, repr=False)
    verify: bool = field(default=True, repr=False)

    def promise(
        self, model: Model, records: Records, request: Request, *, seed: int | None = None
    ) -> Claim:
        """Return the claim that `forget` would make."""
        targets = request.targets(records)
        check_standing(model, records, targets)
        return self._recipe(model, records, seed).claim if len(targets) else Exact(0.0)

    def forget(
        self, model: Model, records: Records, request: Request, *, seed: int | None
    ) -> Forgotten:
        """Return a model of what is left; the model that was given stays as it is."""
        targets = request.targets(records)
        check_standing(model, records, targets)
        if len(targets) == 0:
            return Forgotten(model, Exact(0.0), Cost(route="nothing to forget"))
        rest = request.applied_to(records)
        recipe = self._recipe(model, records, seed)
        with Stopwatch() as watch:
            after = recipe.learner.learn(rest, seed=recipe.seed)
        learner = getattr(after, "learner_", None) or recipe.learner
        note(after, learner, recipe.seed, rest, contents=True, claim=recipe.claim)
        return Forgotten(after, recipe.claim, watch.cost(rows_read=len(rest), route="retrain"))

    def _recipe(self, model: Any, records: Records, seed: int | None) -> Recipe:
        return recipe_for(
            model,
            records,
            learner=self.learner,
            fit_params=self.fit_params,
            seed=seed,
            verify=self.verify,
        )
