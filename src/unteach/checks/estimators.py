"""The laws of estimators that own an exact forget."""

from __future__ import annotations

import copy
import pickle
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from unteach.core import (
    Claim,
    Exact,
    Heuristic,
    Keeps,
    NothingLeft,
    OneClassLeft,
    RepeatedRecord,
    UnknownRecord,
    UnteachError,
    stream,
)
from unteach.models import classifies, load, scores

from .law import LawBroken, Skipped, demand, law
from .method_bench import constants_of, held_bytes
from .worlds import Task, World, small_world


@dataclass(frozen=True)
class EstimatorBench:
    """An estimator, unfitted, and a small world that suits its task."""

    estimator: Any
    world: World

    @classmethod
    def of(cls, estimator: Any, *, seed: int = 0, classes: int = 3) -> EstimatorBench:
        """Return the bench; classifiers are tried on three classes."""
        task: Task = "classification" if classifies(estimator) else "regression"
        return cls(estimator, small_world(task, seed=seed, classes=classes))

    def fitted(self, ids: Any = None) -> Any:
        """Return a fresh fit on all records, or on these."""
        records = self.world.records if ids is None else self.world.records.select(ids)
        return clone(self.estimator).fit(records.x, np.asarray(records.y), sample_ids=records.ids)

    def refitted(self, model: Any, ids: Any = None) -> Any:
        """Return the fresh fit that a model's claim compares it with, on all records or on these.

        Where the claim is exact given constants, the constants are held: a kernel width and class
        weights are taken from the model. Other constants (a frozen scaler's) cannot be handed to a
        fit; there, and where the claim is heuristic, nothing can be compared: `Skipped`.
        """
        claim = getattr(model, "claim_", None)
        if isinstance(claim, Heuristic):
            raise Skipped(f"not compared: {claim}")
        if not isinstance(claim, Exact) or not claim.given:
            return self.fitted(ids)
        held = constants_of(model)
        if held is None:
            raise Skipped(f"not compared: exact given {', '.join(claim.given)}")
        return replace(self, estimator=clone(self.estimator).set_params(**held)).fitted(ids)

    def rest(self, gone: Any) -> Any:
        """Return the ids that are left when these go."""
        return self.world.records.without(gone).ids

    def distance(self, one: Any, other: Any) -> float:
        """Return the largest difference of any output on held-out and training records."""
        x = np.vstack([self.world.records.x, self.world.holdout.x])
        a, b = scores(one, x), scores(other, x)
        return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")

    def allowed(self, model: Any) -> float:
        """Return the tolerance that the model claims; a claim that is not exact allows nothing."""
        claim = getattr(model, "claim_", None)
        return claim.atol if isinstance(claim, Exact) else 0.0


def _quietly(model: Any, ids: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return model.forget(ids)


@law
def forget_equals_a_fresh_fit(bench: EstimatorBench) -> None:
    """Forgetting one, many, or many one by one in any order equals a fit without them."""
    planted = bench.world.planted.tolist()
    for ids in ([planted[0]], planted):
        model = _quietly(bench.fitted(), ids)
        off = bench.distance(model, bench.refitted(model, bench.rest(ids)))
        demand(off <= bench.allowed(model), f"{len(ids)} forgotten: outputs are {off:.3g} away.")
    model = bench.fitted()
    for identifier in stream(0, "order").permutation(planted).tolist():
        model = _quietly(model, [identifier])
    off = bench.distance(model, bench.refitted(model, bench.rest(planted)))
    demand(off <= 2 * bench.allowed(model), f"One by one: outputs are {off:.3g} away.")


@law
def inserting_equals_a_fresh_fit(bench: EstimatorBench) -> None:
    """Forgetting records and inserting them again returns to the first fit."""
    ids = bench.world.planted
    back = bench.world.records.select(ids)
    model = _quietly(bench.fitted(), ids)
    model.partial_fit(back.x, np.asarray(back.y), sample_ids=back.ids)
    off = bench.distance(model, bench.refitted(model))
    demand(off <= 2 * bench.allowed(model), f"Outputs are {off:.3g} from the first fit.")


@law
def forget_returns_self_and_without_a_copy(bench: EstimatorBench) -> None:
    """`forget` changes the estimator and returns it; `without` leaves it as it was."""
    model = bench.fitted()
    other = copy.deepcopy(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        twin = model.without(bench.world.planted)
    demand(bench.distance(model, other) == 0, "`without` changed the estimator it was called on.")
    demand(twin is not model, "`without` returned the estimator itself.")
    demand(_quietly(model, bench.world.planted) is model, "`forget` did not return self.")
    demand(bench.distance(model, twin) == 0, "`forget` and `without` end apart.")


@law
def an_error_changes_nothing(bench: EstimatorBench) -> None:
    """A refused request leaves the estimator as it was, byte for byte."""
    model = bench.fitted()
    before = pickle.dumps(model)
    known = bench.world.planted[0].item()
    everything = bench.world.records.ids
    cases: list[tuple[Any, Any]] = [
        ([999_999], UnknownRecord),
        ([known, 999_999], UnknownRecord),
        ([known, known], RepeatedRecord),
        (everything, NothingLeft),
    ]
    if classifies(bench.estimator):
        y = np.asarray(bench.world.records.y)
        cases.append((everything[y != y[0]], OneClassLeft))
    for ids, error in cases:
        try:
            _quietly(model, ids)
        except error:
            demand(pickle.dumps(model) == before, f"After {error.__name__} it is not as it was.")
        else:
            raise LawBroken(f"A request that deserves {error.__name__} was accepted.")


@law
def forgetting_nothing_changes_no_byte(bench: EstimatorBench) -> None:
    """An empty list of ids leaves every output as it was."""
    model = bench.fitted()
    other = copy.deepcopy(model)
    _quietly(model, [])
    demand(bench.distance(model, other) == 0, "An empty request moved an output.")


@law
def ids_follow_the_records(bench: EstimatorBench) -> None:
    """`sample_ids_` holds the ids that were given, and loses those that are forgotten."""
    model = bench.fitted()
    ids = np.sort(bench.world.records.ids)
    demand(np.array_equal(np.sort(model.sample_ids_), ids), "sample_ids_ are not those given.")
    _quietly(model, bench.world.planted)
    rest = np.sort(bench.rest(bench.world.planted))
    demand(
        np.array_equal(np.sort(model.sample_ids_), rest), "sample_ids_ still hold the forgotten."
    )


@law
def claim_and_holdings_are_stated(bench: EstimatorBench) -> None:
    """A fitted estimator says what it claims and what it keeps."""
    model = bench.fitted()
    demand(isinstance(getattr(model, "claim_", None), Claim), "There is no claim_ after fit.")
    keeps = model.keeps()
    n = len(bench.world.records)
    demand(isinstance(keeps, Keeps) and keeps.rows == n, f"It says that it keeps {keeps} of {n}.")
    _quietly(model, bench.world.planted)
    left = n - len(bench.world.planted)
    demand(
        model.keeps().rows == left, f"After forgetting it keeps {model.keeps().rows}, not {left}."
    )


@law
def saved_model_can_still_forget(bench: EstimatorBench) -> None:
    """Saving and loading changes no output, and the loaded model forgets alike."""
    model = bench.fitted()
    with tempfile.TemporaryDirectory() as folder:
        again = load(model.save(Path(folder) / "model"))
    demand(bench.distance(model, again) == 0, "Loading moved an output.")
    same = model.to_saved().to_bytes() == again.to_saved().to_bytes()
    demand(same, "Saving what was loaded gives other bytes.")
    one, two = _quietly(model, bench.world.planted), _quietly(again, bench.world.planted)
    demand(bench.distance(one, two) <= bench.allowed(one), "The loaded model forgets otherwise.")


@law
def no_byte_is_left(bench: EstimatorBench) -> None:
    """After forgetting, neither the saved file nor the object itself holds a forgotten value."""
    model = _quietly(bench.fitted(), bench.world.planted)
    raw = held_bytes(model)
    for row in bench.world.records.select(bench.world.planted).x:
        for value in row:
            for dtype in ("<f8", ">f8"):
                needle = np.asarray([value]).astype(dtype).tobytes()
                demand(
                    needle not in raw, f"The value {value:.6g} of a forgotten row is still there."
                )


@law
def export_holds_only_what_serving_needs(bench: EstimatorBench) -> None:
    """An exported model predicts alike, holds only rows that predictions need, cannot forget."""
    model = bench.fitted()
    with tempfile.TemporaryDirectory() as folder:
        path = model.export(Path(folder) / "model")
        raw, served = path.read_bytes(), load(path)
    demand(bench.distance(model, served) == 0, "Exporting moved an output.")
    held = sum(np.asarray(row).tobytes() in raw for row in bench.world.records.x)
    needed = model.keeps().needed
    demand(held <= needed, f"It holds {held} rows; predictions need {needed}.")
    try:
        _quietly(served, [bench.world.planted[0]])
    except UnteachError as error:
        said = "serve" in str(error) or "export" in str(error)
        demand(said, f"It does not say that it was exported to serve: {error}")
    else:
        raise LawBroken("An exported model pretends to forget.")


ESTIMATOR_LAWS = (
    forget_equals_a_fresh_fit,
    inserting_equals_a_fresh_fit,
    forget_returns_self_and_without_a_copy,
    an_error_changes_nothing,
    forgetting_nothing_changes_no_byte,
    ids_follow_the_records,
    claim_and_holdings_are_stated,
    saved_model_can_still_forget,
    no_byte_is_left,
    export_holds_only_what_serving_needs,
)
