"""One task: the boundary in two dimensions, frame by frame, as support vectors are forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import OneClassLeft, Table
from unteach.kernel import SVC

from .dose import forgotten
from .setting import KERNELS, Source, columns, draw, machine

# From the picture tasks to tables that a figure reads.

BEFORE, AFTER = "before", "after"


def pictures(plan: dict[str, Any], results: dict[str, Any]) -> list[Table]:
    """Return the tables of the boundary, frame by frame."""
    surface: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for kernel in KERNELS:
        found = results[f"picture/{kernel}"]
        for at in range(len(found["frames"])):
            named = {"kernel": kernel, "frame": at}
            surface.append(named | _surface(plan, found, at))
            points += [named | p for p in _points(found, at)]
    return _tables("surface", "points", ("kernel", "frame"), surface, points)


def gallery(plan: dict[str, Any], results: dict[str, Any]) -> list[Table]:
    """Return the tables of the gallery: each set before and after, kernel by kernel."""
    surface: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for source in plan["gallery"]:
        for at, when in enumerate((BEFORE, AFTER)):
            for kernel in KERNELS:
                found = results[f"gallery/{source['name']}/{kernel}"]
                named = {"set": source["name"], "when": when, "kernel": kernel, "frame": 0}
                row = named | _surface(plan, found, at)
                surface.append(row if at else row | {"moved": None})
                points += [named | p for p in _points(found, at)]
    return _tables("gallery", "gallery points", ("set", "when", "kernel"), surface, points)


def _surface(plan: dict[str, Any], found: dict[str, Any], at: int) -> dict[str, Any]:
    frame = found["frames"][at]
    (nx, ny), (x_low, x_high, y_low, y_high) = plan["grid"], found["view"]
    return {
        "nx": nx,
        "ny": ny,
        "x_low": x_low,
        "x_high": x_high,
        "y_low": y_low,
        "y_high": y_high,
        "grid": frame["grid"],
        "label": f"{frame['share']:.0%} of the support vectors forgotten",
        "forgotten": len(frame["forgotten"]),
        "of": found["support"],
        "accuracy": frame.get("accuracy"),
        "moved": frame.get("moved"),
        "note": None if frame["grid"] else "one class has no point left",
    }


def _points(found: dict[str, Any], at: int) -> list[dict[str, Any]]:
    frame = found["frames"][at]
    gone, states = set(frame["forgotten"]), frame.get("states", {})
    return [
        {
            "id": i,
            "x1": x[0],
            "x2": x[1],
            "label": y,
            "state": "forgotten" if i in gone else states.get(str(i), "zero"),
        }
        for i, (x, y) in enumerate(zip(found["x"], found["y"], strict=True))
    ]


def _tables(
    first: str,
    second: str,
    keys: tuple[str, ...],
    surface: list[dict[str, Any]],
    points: list[dict[str, Any]],
) -> list[Table]:
    return [
        Table(
            first,
            columns(surface),
            {"accuracy": "accuracy", "moved": "share"},
            keys=keys,
            caption="decision values on a grid",
        ),
        Table(
            second,
            columns(points),
            {},
            keys=(*keys, "id"),
            caption="training points and their state",
        ),
    ]


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
