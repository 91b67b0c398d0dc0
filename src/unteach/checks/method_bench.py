"""The bench on which a method is tried: a world, a learner, and a fresh model for each try."""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from unteach.audit import state_of
from unteach.core import BudgetSpent, Exact, Forgotten, Records, Request, Rows, UnteachError, stream
from unteach.models import as_learner, classifies, learn, learned, save, scores, twin

from .law import LawBroken, Skipped
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
        told = getattr(learner, "task", None)  # a recipe that is no estimator says it itself
        task: Task = "classification" if classifies(learner) else "regression"
        task = told if told in ("classification", "regression", "sequences") else task
        prepared = as_learner(method.prepare(learner) if hasattr(method, "prepare") else learner)
        bench = cls(method, prepared, small_world(task, seed=seed), seed)
        try:
            method.forget(bench.model(), bench.records, bench.request, seed=seed)
        except BudgetSpent:
            return cls(method, prepared, small_world(task, seed=seed, n=3000), seed)
        # foreign code, here only sized up: the laws will say what is wrong with it
        except Exception:  # noqa: BLE001
            return bench
        return bench

    @property
    def records(self) -> Rows:
        """The records of the world."""
        return self.world.records

    @property
    def request(self) -> Request:
        """Forget the records that contradict the rest."""
        return Request(ids=self.world.planted)

    @property
    def many(self) -> NDArray[Any]:
        """The ids of a quarter of the records, drawn at random."""
        ids = self.records.ids
        return stream(self.seed, "many").choice(ids, size=len(ids) // 4, replace=False)

    @cached_property
    def _original(self) -> Any:
        return learned(self.learner, self.records, seed=self.seed)

    def model(self) -> Any:
        """Return a model of the world's records, the caller's own to spoil."""
        return twin(self._original)

    def learned(self, records: Records) -> Any:
        """Return a model of other records, with the same seed."""
        return self.learner.learn(records, seed=self.seed)

    def reference(self, records: Records, gone: Forgotten) -> Any:
        """Return the retrained model that the claim of what was returned compares it with.

        Where the claim is exact given constants (a kernel width from all rows), these are held;
        where they cannot be handed to a fit (a frozen scaler's), nothing is compared: `Skipped`.
        """
        given = gone.claim.given if isinstance(gone.claim, Exact) else ()
        if not given:
            return self.learned(records)
        held = constants_of(gone.model) if hasattr(gone.model, "get_params") else None
        if held is None:
            raise Skipped(f"not compared: exact given {', '.join(given)}")
        return learn(clone(gone.model).set_params(**held), records, seed=self.seed)

    def forget(
        self, request: Request | None = None, *, model: Any = None, records: Any = None
    ) -> Forgotten:
        """Run the method; a refusal of a request that is in order is a broken law."""
        model = self.model() if model is None else model
        records = self.records if records is None else records
        request = self.request if request is None else request
        try:
            gone = self.method.forget(model, records, request, seed=self.seed)
        except UnteachError as error:
            raise LawBroken(f"a request in order was refused: {error}") from error
        if not isinstance(gone, Forgotten):
            raise LawBroken(f"forget returned {type(gone).__name__}; it must return a Forgotten")
        return gone

    def outputs(self, model: Any) -> NDArray[np.float64]:
        """Return the scores on every record and every held-out record: (n, k)."""
        return np.vstack([_said(model, rows) for rows in (self.records, self.world.holdout)])

    def distance(self, one: Any, other: Any) -> float:
        """Return the largest difference of any output; infinite when their shapes differ."""
        a, b = self.outputs(one), self.outputs(other)
        return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")

    def claims(self, kind: str) -> bool:
        """Say whether what the method returns here is claimed to be of this kind."""
        try:
            claim = self.forget().claim
        # foreign code: the laws of every method will say what is wrong with it
        except Exception:  # noqa: BLE001
            return False
        return getattr(claim, "kind", None) == kind


def _said(model: Any, records: Rows) -> NDArray[np.float64]:
    """Return the scores on records; of sequences the logits at every place: (n, k)."""
    if not hasattr(model, "recalled"):
        return scores(model, records.x)
    said = model.outputs(model.batch(records)).detach().double().cpu().numpy()
    return np.asarray(said).reshape(len(records), -1)


def constants_of(model: Any) -> dict[str, Any] | None:
    """Return the parameters that hold a model's constants fixed; None where there are none.

    A kernel machine says them by `gamma_` and `class_weight_`; whatever has neither, nor the
    parameters gamma and class_weight, is to be checked with fixed constants.
    """
    held: dict[str, Any] = {}
    params = model.get_params(deep=False)
    if isinstance(params.get("gamma"), str) and hasattr(model, "gamma_"):
        held["gamma"] = float(model.gamma_)
    if isinstance(params.get("class_weight"), str) and hasattr(model, "class_weight_"):
        weights = np.asarray(model.class_weight_).tolist()
        held["class_weight"] = dict(zip(model.classes_.tolist(), weights, strict=True))
    return held or None


def held_bytes(model: Any) -> bytes:
    """Return all that a model holds: what is written of it, and what it has in memory."""
    return b"\n".join([saved_bytes(model), *(raw for _, raw in state_of(model))])


def image(model: Any) -> bytes:
    """Return bytes that change when the model does: its pickle, or all that it holds."""
    try:
        return pickle.dumps(model)
    except (pickle.PicklingError, AttributeError, TypeError):  # it holds a lambda, for one
        return held_bytes(model)


def saved_bytes(model: Any) -> bytes:
    """Return all that would be written of a model, whatever way it is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        try:
            save(model, path)
        except UnteachError:
            return pickle.dumps(model)
        return path.read_bytes()
