"""One task: one set, one kernel, one data draw; every dose in every arm.

The memory of a point is exact: the margin y f(x) that it has, less the margin that it would
have under the machine that never saw it.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from unteach.core import OneClassLeft, stream
from unteach.kernel import SVC

from .joining import one_leaves
from .setting import Source, draw, machine


def dose_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return, per arm and dose, held-out accuracy, predictions that changed, and what it took.

    A dose whose controls cannot be matched in number and class, or that leaves a class without
    a point, is None: it is not drawn.
    """
    source = Source(**payload["source"])
    kernel, seed, k = payload["kernel"], payload["seed"], payload["draw"]
    data = draw(source, seed, k)
    model = SVC(**machine(kernel, data.x.shape[1], source.C))
    model.fit(data.x, data.y, sample_ids=data.ids)
    scores = model.decision_function(data.x_test)
    before = np.sign(scores)
    support = np.sort(np.asarray(model.support_ids_))
    left_out = np.asarray(model.leave_one_out())  # (n,) margins without the point itself
    margins = data.y * model.decision_function(data.x)
    memory = margins - left_out
    rng = stream(seed, "arms", source.name, kernel, k)
    orders = {
        "memory": support[np.lexsort((support, -memory[support]))],
        "support": rng.permutation(support),
        "random": rng.permutation(data.ids),
        "other": rng.permutation(np.setdiff1d(data.ids, support)),
    }
    arms: dict[str, list[Any]] = {}
    residual = float(model.certificate_.kkt_residual)
    for arm, order in orders.items():
        arms[arm] = []
        now: SVC | None = copy.deepcopy(model)
        gone: Any = np.zeros(0, dtype=np.int64)
        for dose in payload["doses"]:
            wanted = orders["memory" if arm != "support" else "support"]
            wanted = wanted[: round(dose * len(support))]
            chosen = wanted if arm in ("memory", "support") else _matched(order, wanted, data.y)
            if chosen is None or now is None:
                now = None
                arms[arm].append(None)
                continue
            try:
                now = forgotten(now, np.setdiff1d(chosen, gone))
            except OneClassLeft:
                now = None
                arms[arm].append(None)
                continue
            gone = chosen
            residual = max(residual, float(now.certificate_.kkt_residual))
            arms[arm].append(_seen(now, model, data, scores, gone))
    return {
        "support": len(support),
        "memorized": int(((left_out < 0) & (left_out + memory > 0)).sum()),
        "accuracy": float(np.mean(before == data.y_test)),
        "arms": arms,
        "held": _held(model, support, memory),
        "one": one_leaves(
            model, margins, support, stream(seed, "one leaves", source.name, kernel, k)
        ),
        "residual": residual,
        "stationary": bool(model.certificate_.stationary_only),
    }


def _held(model: SVC, support: Any, memory: Any) -> dict[str, float | None]:
    """Return the mean memory of support vectors at and inside the margin; None where none is.

    And the share of all memory that the most memorized tenth of the training points holds.
    """
    inside = np.abs(np.asarray(model.dual_coef_)).ravel() >= model.C * (1 - 1e-9)
    inside = inside[np.argsort(np.asarray(model.support_ids_))]
    tenth = np.sort(memory)[::-1][: max(1, len(memory) // 10)]
    whole = float(memory.sum())
    return {
        "margin": float(memory[support[~inside]].mean()) if (~inside).any() else None,
        "inside": float(memory[support[inside]].mean()) if inside.any() else None,
        "tenth": float(tenth.sum()) / whole if whole > 0 else None,
    }


def forgotten(model: SVC, ids: Any) -> SVC:
    """Forget in silence: the warning about statistics is the page's own subject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return model.forget(ids)


def _matched(order: Any, wanted: Any, y: Any) -> Any | None:
    """Return as many of `order` as `wanted` has, class by class; None if there are too few."""
    chosen = []
    for label in (-1, 1):
        pool = order[y[order] == label]
        need = int((y[wanted] == label).sum())
        if need > len(pool):
            return None
        chosen.append(pool[:need])
    return np.concatenate(chosen)


def _seen(now: SVC, model: SVC, data: Any, old: Any, gone: Any) -> dict[str, Any]:
    """Return what held-out points see of the change."""
    f = now.decision_function(data.x_test)
    left = np.setdiff1d(data.ids, gone)
    fresh = np.setdiff1d(now.support_ids_, model.support_ids_)
    return {
        "n": len(gone),
        "accuracy": float(np.mean(np.sign(f) == data.y_test)),
        "changed": float(np.mean(np.sign(f) != np.sign(old))),
        "shift": float(np.abs(f - old).max()),
        "support": len(now.support_ids_),
        "newcomers": len(fresh),
        "left": len(left),
    }
