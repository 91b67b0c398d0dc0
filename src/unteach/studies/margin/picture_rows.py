"""From the picture tasks to tables that a figure reads."""

from __future__ import annotations

from typing import Any

from unteach.core import Table

from .setting import KERNELS, columns

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
    first: str, second: str, keys: tuple[str, ...], surface: list[dict[str, Any]],
    points: list[dict[str, Any]],
) -> list[Table]:  # fmt: skip
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
