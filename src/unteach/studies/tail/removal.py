"""One task: one set, one learner, one data draw; the most memorized go, against controls."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import derive
from unteach.kernel import SVC
from unteach.memorize import Design, nearest
from unteach.models import Neighbours

from .measure import alone, chosen, generator, held, seen
from .setting import ARMS, Drawn, Source, draw, network

Bits = NDArray[np.bool_]
_REPEATS = 3  # of the random arms, where a learner's forgetting is exact and has no seed


def removal_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return held-out accuracies before, and after each arm at each share was forgotten.

    payload : {"source", "learner", "fractions", "models", "retrained", "seed", "draw"}
    """
    source = Source.from_json(payload["source"])
    data = draw(source, payload["seed"], payload["draw"])
    return _LEARNERS[payload["learner"]](payload, data)


def _network(payload: dict[str, Any], data: Drawn) -> dict[str, Any]:
    """Memorization from half-splits, forgetting by retraining with the seeds of the original."""
    n, seeds = len(data.y), payload["retrained"]
    root = derive(payload["seed"], "tail", payload["source"]["name"], payload["draw"])
    design = Design(n, Fraction(1, 2), root)
    members = design.members(0, payload["models"])
    learner = network()
    found = learner.subset_outputs(
        data.x, data.y, members, design.seeds(0, payload["models"]), data.x
    )
    right = found.argmax(axis=2) == data.y
    memory = held(members, right)
    rng, unique = generator(payload, "arms", payload["source"]["name"]), alone(data)
    kept = [np.ones((seeds, n), dtype=np.bool_)]
    sets: list[tuple[str, float, NDArray[np.int64]]] = []
    for share in payload["fractions"]:
        fixed = chosen(memory, data.y, round(share * n), rng)
        for arm in ARMS:
            rows = np.ones((seeds, n), dtype=np.bool_)
            for row in rows:  # controls are drawn anew for each seed
                gone = fixed if arm == "memorized" else chosen(memory, data.y, len(fixed[arm]), rng)
                row[gone[arm]] = False
            kept.append(rows)
            sets.append((arm, share, fixed[arm]))
    again = np.tile(np.arange(seeds, dtype=np.uint64) + np.uint64(root), len(kept))
    after = learner.subset_outputs(data.x, data.y, np.concatenate(kept), again, data.x_test)
    good = (after.argmax(axis=2) == data.y_test).reshape(len(kept), seeds, -1)
    result = _started(data, memory, seen(good[0], unique, 0), unique)
    result["fit"] = float(right[members].mean())
    for (arm, share, went), answers in zip(sets, good[1:], strict=True):
        _entered(result, arm, seen(answers, unique, len(went)), data, went, share)
    return result


def _nearest(payload: dict[str, Any], data: Drawn) -> dict[str, Any]:
    """Memorization in closed form, forgetting by the model's own exact operation."""
    model = Neighbours(n_neighbors=1).fit(data.x, data.y, sample_ids=np.arange(len(data.y)))
    memory = nearest.memorization(data.x, data.y)

    def without(gone: NDArray[np.int64]) -> Bits:
        left = copy.deepcopy(model).forget(gone)
        answers: Bits = np.asarray(left.predict(data.x_test) == data.y_test)
        return answers

    fresh = _fresh(data, lambda x, y: Neighbours(n_neighbors=1).fit(x, y))
    return _exact(payload, data, data.y, data.y_test, memory, without, fresh)


def _machine(payload: dict[str, Any], data: Drawn) -> dict[str, Any]:
    """Odd against even: exact leave-one-out margins, forgetting by the exact operation."""
    y, y_test = np.where(data.y % 2, 1, -1), np.where(data.y_test % 2, 1, -1)
    settings: dict[str, Any] = {"kernel": "rbf", "C": 10.0, "gamma": 1.0}
    model = SVC(**settings).fit(data.x, y, sample_ids=np.arange(len(y)))
    memory = y * model.decision_function(data.x) - np.asarray(model.leave_one_out())

    def without(gone: NDArray[np.int64]) -> Bits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            left = copy.deepcopy(model).forget(gone)
        answers: Bits = np.asarray(left.predict(data.x_test) == y_test)
        return answers

    fresh = _fresh(data._replace(y=y, y_test=y_test), lambda x, y: SVC(**settings).fit(x, y))
    return _exact(payload, data, y, y_test, memory, without, fresh)


def _fresh(data: Drawn, fit: Callable[[Any, Any], Any]) -> Callable[[NDArray[np.int64]], Bits]:
    """Return what answers as a model that never saw some rows."""

    def answers(gone: NDArray[np.int64]) -> Bits:
        left = np.setdiff1d(np.arange(len(data.y)), gone)
        found = fit(data.x[left], data.y[left]).predict(data.x_test)
        return np.asarray(found == data.y_test)

    return answers


def _exact(
    payload: dict[str, Any],
    data: Drawn,
    y: Any,
    y_test: Any,
    memory: NDArray[np.float64],
    without: Callable[[NDArray[np.int64]], Bits],
    fresh: Callable[[NDArray[np.int64]], Bits],
) -> dict[str, Any]:
    rng = generator(payload, "exact arms", payload["source"]["name"], payload["learner"])
    unique = alone(data)
    none = np.zeros(0, dtype=np.int64)
    result = _started(data, memory, seen(fresh(none)[None], unique, 0), unique)
    agreed = []
    for share in payload["fractions"]:
        rounds = [chosen(memory, y, round(share * len(y)), rng) for _ in range(_REPEATS)]
        for arm in ARMS:
            sets = [r[arm] for r in (rounds[:1] if arm == "memorized" else rounds)]
            answers = np.array([without(gone) for gone in sets])
            agreed.append(float((answers[0] == fresh(sets[0])).mean()))
            _entered(result, arm, seen(answers, unique, len(sets[0])), data, sets[0], share)
    result["agreed"] = min(agreed)
    return result


def _started(
    data: Drawn, memory: NDArray[np.float64], before: dict[str, Any], unique: Bits
) -> dict[str, Any]:
    ranks = np.argsort(np.argsort(-memory, kind="stable"), kind="stable")
    return {
        "before": before,
        "arms": {arm: [] for arm in ARMS},
        "unique": int(unique.sum()),
        "wrong": int(data.wrong.sum()),
        "high": float((memory > 0.25).mean()),
        "wrong_rank": float(ranks[data.wrong].mean() / len(ranks)) if data.wrong.any() else None,
        "fit": 1.0,
    }


def _entered(
    result: dict[str, Any],
    arm: str,
    after: dict[str, Any],
    data: Drawn,
    gone: NDArray[np.int64],
    share: float,
) -> None:
    result["arms"][arm].append({**after, "share": share, "wrong": int(data.wrong[gone].sum())})


_LEARNERS: dict[str, Callable[[dict[str, Any], Drawn], dict[str, Any]]] = {
    "mlp": _network,
    "knn": _nearest,
    "svc": _machine,
}
