"""Estimators of memorization as values: what to run on which learner is said beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from unteach.core import Records, Table, densified, derive

from ._training.learner_adapter import outputs, resolve
from ._training.stored_run import class_codes
from .memories import Memories
from .scores.subsampled import THRESHOLD
from .table_files import by_record


@dataclass(frozen=True)
class Subsampled:
    """Memorization from models on random subsets (`Memories`), as an estimator.

    Parameters
    ----------
    models, fraction : how many, on subsets of which fraction
    threshold, fdr, unconverged : as in `Memories.memorization`
    jobs : processes

    >>> from unteach.data import memorable
    >>> world = memorable(0)
    >>> table = Subsampled(models=64).score("knn", world.records, seed=0)
    >>> wrong = np.isin(table["id"], world.planted_ids)
    >>> hard = np.array(table["hard"])
    >>> bool(hard[wrong].min() > hard[~wrong].mean())
    True
    """

    models: int = 400
    fraction: float = 0.5
    threshold: float = THRESHOLD
    fdr: float = 0.05
    unconverged: Literal["refuse", "flag"] = "refuse"
    jobs: int | None = 1
    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return the table of `Memorization`, by id."""
        study = Memories(records.x, records.y, learner=learner, seed=seed, ids=records.ids)
        study.run(self.models, self.fraction, jobs=self.jobs)
        return study.memorization(
            threshold=self.threshold, fdr=self.fdr, unconverged=self.unconverged
        ).table()


@dataclass(frozen=True)
class LeaveOneOut:
    """Memorization by its definition: models with all records, and models without each.

    n times as dear as one model, times `seeds`: the plain truth that the others are compared
    with. Each record's models without it are trained from the same seeds as those with it.

    Parameters
    ----------
    seeds : models a record, at least 1; one serves a learner without randomness

    >>> from unteach.core import Rows
    >>> x = np.array([[0.0], [0.05], [0.2], [3.0]])
    >>> records = Rows(np.arange(4), {"x": x, "y": np.array([0, 0, 1, 1])})
    >>> LeaveOneOut().score("knn", records, seed=0)["hard"]
    [0.0, 0.0, 1.0, 0.0]
    """

    seeds: int = 1
    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return hard memorization of each record, by id."""
        learner = resolve(learner)
        x, n = np.asarray(densified(records.x)), len(records)
        y = class_codes(records.y)
        seeds = np.array([derive(seed, "leave one out", k) for k in range(self.seeds)], np.uint64)
        whole = np.ones((self.seeds, n), bool)
        right = outputs(learner, x, y, whole, seeds, x)[0].argmax(axis=2) == y  # (seeds, n)
        left = np.empty(n)
        for i in range(n):
            mask = whole.copy()
            mask[:, i] = False
            found = outputs(learner, x, y, mask, seeds, x[i : i + 1])[0]
            left[i] = (found[:, 0].argmax(axis=1) == y[i]).mean()
        columns = {"id": records.ids, "hard": right.mean(axis=0) - left, "fit": right.mean(axis=0)}
        units = {"hard": "probability", "fit": "probability"}
        return by_record("memorization", columns, units, "leave-one-out by retraining")
