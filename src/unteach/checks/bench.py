"""The bench on which a method is tried: a world, a learner, and a fresh model for each try."""

from __future__ import annotations

import copy
import pickle
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BudgetSpent, Forgotten, Records, Request, Rows, UnteachError
from unteach.models import as_learner, classifies, save, scores

from .law import LawBroken
from .worlds import Task, World, small_world


@dataclass(frozen=True)
class MethodBench:
    """A method, the learner whose models it is given, and a small world.

    A method that offers `prepare(learner)` is given the models of the learner it returns.
    """

    method: Any
    learner: Any
    world: World
    seed: int = 0

    @classmethod
    def of(cls, method: Any, learner: Any, *, seed: int = 0) -> MethodBench:
        """Return the bench for a method; the world suits the learner's task.

        A method whose certificate does not cover the request on 60 records is tried on 3000,
        where each record weighs less.
        """
        task: Task = "classification" if classifies(learner) else "regression"
        prepared = as_learner(method.prepare(learner) if hasattr(method, "prepare") else learner)
        bench = cls(method, prepared, small_world(task, seed=seed), seed)
        try:
            method.forget(bench.model(), bench.records, bench.request, seed=seed)
        except BudgetSpent:
            return cls(method, prepared, small_world(task, seed=seed, n=3000), seed)
        except UnteachError:
            return bench  # the laws will say what is wrong with that
        return bench

    @property
    def records(self) -> Rows:
        """The records of the world."""
        return self.world.records

    @property
    def request(self) -> Request:
        """Forget the records that contradict the rest."""
        return Request(ids=self.world.planted)

    @cached_property
    def _original(self) -> Any:
        return self.learner.learn(self.records, seed=self.seed)

    def model(self) -> Any:
        """Return a model of the world's records, the caller's own to spoil."""
        return copy.deepcopy(self._original)

    def learned(self, records: Records) -> Any:
        """Return a model of other records, with the same seed."""
        return self.learner.learn(records, seed=self.seed)

    def forget(
        self, request: Request | None = None, *, model: Any = None, records: Any = None
    ) -> Forgotten:
        """Run the method; a refusal of a request that is in order is a broken law."""
        model = self.model() if model is None else model
        records = self.records if records is None else records
        request = self.request if request is None else request
        try:
            gone: Forgotten = self.method.forget(model, records, request, seed=self.seed)
        except UnteachError as error:
            raise LawBroken(f"a request in order was refused: {error}") from error
        return gone

    def outputs(self, model: Any) -> NDArray[np.float64]:
        """Return the scores on every record and every held-out record: (n, k)."""
        return np.vstack([scores(model, self.records.x), scores(model, self.world.holdout.x)])

    def distance(self, one: Any, other: Any) -> float:
        """Return the largest difference of any output; infinite when their shapes differ."""
        a, b = self.outputs(one), self.outputs(other)
        return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")

    def claims(self, kind: str) -> bool:
        """Say whether what the method returns here is claimed to be of this kind."""
        claim = self.forget().claim
        return getattr(claim, "kind", None) == kind


def saved_bytes(model: Any) -> bytes:
    """Return all that would be written of a model, whatever way it is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        try:
            save(model, path)
        except UnteachError:
            return pickle.dumps(model)
        return path.read_bytes()
