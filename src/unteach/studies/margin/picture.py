"""One task: the boundary in two dimensions, frame by frame, as support vectors are forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import OneClassLeft
from unteach.kernel import SVC

from .dose import forgotten
from .setting import Source, draw, machine

GRID = (56, 44)
FRAMES = tuple(k / 10 for k in range(11))


def picture_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the decision values on a grid and the state of every point, for each frame.

    `shares` of the payload, if it has them, are those of the support vectors that are gone.
    """
    source, kernel = Source(**payload["source"]), payload["kernel"]
    data = draw(source, payload["seed"], 0)
    model = SVC(**machine(kernel, 2, source.C)).fit(data.x, data.y, sample_ids=data.ids)
    first = model.decision_function(data.x_test)
    support = np.sort(np.asarray(model.support_ids_))
    memory = data.y * model.decision_function(data.x) - model.leave_one_out()
    order = support[np.lexsort((support, -memory[support]))]
    low, high = data.x.min(axis=0) - 0.35, data.x.max(axis=0) + 0.35
    xs, ys = np.linspace(low[0], high[0], GRID[0]), np.linspace(low[1], high[1], GRID[1])
    grid = np.column_stack([a.ravel() for a in np.meshgrid(xs, ys)])  # x fastest
    frames, gone = [], np.zeros(0, dtype=np.int64)
    now: SVC | None = model
    for share in payload.get("shares", FRAMES):
        chosen = order[: round(share * len(order))]
        try:
            now = None if now is None else forgotten(now, np.setdiff1d(chosen, gone))
        except OneClassLeft:
            now = None
        gone = chosen
        frame: dict[str, Any] = {"share": share, "forgotten": gone.tolist(), "grid": None}
        if now is not None:
            f = now.decision_function(data.x_test)
            frame |= {
                "grid": np.round(now.decision_function(grid), 4).tolist(),
                "states": _states(now),
                "accuracy": float(np.mean(np.sign(f) == data.y_test)),
                "moved": float(np.mean(np.sign(f) != np.sign(first))),
            }
        frames.append(frame)
    return {
        "x": np.round(data.x, 4).tolist(),
        "y": data.y.tolist(),
        "frames": frames,
        "view": [float(low[0]), float(high[0]), float(low[1]), float(high[1])],
        "support": len(support),
    }


def _states(model: SVC) -> dict[str, str]:
    """Return "free" or "bounded" for each support vector by id."""
    weight = np.abs(np.asarray(model.dual_coef_)).ravel()
    at_bound = weight >= model.C * (1 - 1e-9)
    return {
        str(i): "bounded" if b else "free"
        for i, b in zip(np.asarray(model.support_ids_).tolist(), at_bound, strict=True)
    }
