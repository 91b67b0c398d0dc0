"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from unteach.core import Reading, Table
from unteach.stats import PairedTest, corrected_paired, holm, paired

from .leak import LEAKS
from .setting import ARMS, KERNELS, UNIQUE, Source

PRIMARY = 0.5
"""The dose at which the thesis is judged, chosen beforehand: half of the support vectors."""


CONTROLS = ("random", "other")
"""What the most memorized support vectors are compared with: any points, or no support vectors."""


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    sources = [Source(**s) for s in plan["sources"]]
    dose, contrast, machines = _dose_rows(plan, sources, results)
    leak, leak_readings = _leaks(plan, sources, results)
    tables = [
        Table(
            "dose",
            _columns(dose),
            {
                "dose": "share",
                "change": "accuracy",
                "low": "accuracy",
                "high": "accuracy",
                "accuracy": "accuracy",
                "moved": "share",
                "moved_low": "share",
                "moved_high": "share",
                "newcomers": "support vectors",
            },
            keys=("set", "kernel", "arm", "dose"),
            caption="what held-out points see of each dose; a missing value is a dose that could "
            "not be matched in number and class in every draw",
        ),
        Table(
            "contrast",
            _columns(contrast),
            {
                "dose": "share",
                "difference": "accuracy",
                "low": "accuracy",
                "high": "accuracy",
                "p": "p",
                "p_holm": "p",
            },
            keys=("set", "kernel", "control", "dose"),
            caption="accuracy after forgetting the most memorized support vectors, less accuracy "
            "after forgetting as many control points, paired by draw; p_holm is adjusted within "
            "a dose and a control, apart for machines that are not unique (sigmoid)",
        ),
        Table(
            "machines",
            _columns(machines),
            {
                "support": "share",
                "memorized": "share",
                "accuracy": "accuracy",
                "joined": "points",
                "left": "points",
            },
            keys=("set", "kernel"),
            caption="the machines before anything is forgotten; memorized: classified correctly "
            "only because the point itself was there",
        ),
        leak,
        *_pictures(plan, results),
    ]
    seed = (int(plan["seed"]),)
    readings = [
        *_untouched(results, sources, seed),
        *_contrasts(contrast, plan, seed),
        *_moves(plan, sources, results, seed),
        *leak_readings,
    ]
    return tables, readings


def test(values: Iterable[float], source: Source) -> PairedTest:
    """Return the paired test over draws; corrected where draws share records of a real set."""
    if source.generated:
        return paired(list(values), unit_of_replication="data draws")
    return corrected_paired(list(values), n_train=source.n_train, n_test=source.n_test)


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {k: [r[k] for r in rows] for k in rows[0]} if rows else {}


def _of(results: dict[str, Any], source: Source, kernel: str, draws: int) -> list[dict[str, Any]]:
    return [results[f"dose/{source.name}/{kernel}/{k}"] for k in range(draws)]


def _dose_rows(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    doses, draws = plan["doses"], plan["draws"]
    dose_rows, contrast_rows, machine_rows = [], [], []
    for source in sources:
        for kernel in KERNELS:
            found = _of(results, source, kernel, draws)
            base = np.array([f["accuracy"] for f in found])
            for arm in ARMS:
                for at, dose in enumerate([0.0, *doses]):
                    cells = [None] * draws if at else [_nothing(f) for f in found]
                    if at:
                        cells = [f["arms"][arm][at - 1] for f in found]
                    dose_rows.append(_dose_row(source, kernel, arm, dose, cells, base))
            unique = not any(f["stationary"] for f in found)
            for control in CONTROLS:
                for at, dose in enumerate(doses):
                    pairs = [(f["arms"]["memory"][at], f["arms"][control][at]) for f in found]
                    row = {"set": source.name, "kernel": kernel, "control": control, "dose": dose}
                    contrast_rows.append(row | {"unique": unique} | _contrast(pairs, source))
            machine_rows.append(
                {
                    "set": source.name,
                    "kernel": kernel,
                    "support": float(np.mean([f["support"] for f in found])) / source.n_train,
                    "memorized": float(np.mean([f["memorized"] for f in found])) / source.n_train,
                    "accuracy": float(base.mean()),
                    "joined": float(np.mean([f["one"]["joined"] for f in found])),
                    "left": float(np.mean([f["one"]["left"] for f in found])),
                    "residual": max(f["residual"] for f in found),
                    "unique": not any(f["stationary"] for f in found),
                }
            )
    for row in contrast_rows:
        row["p_holm"] = None
    families = itertools.product((PRIMARY, 1.0), CONTROLS, (True, False))
    for dose, control, unique in families:
        judged = [
            r
            for r in contrast_rows
            if (r["dose"], r["control"], r["unique"]) == (dose, control, unique)
            and r["p"] is not None
        ]
        for row, p in zip(judged, holm([r["p"] for r in judged]) if judged else [], strict=True):
            row["p_holm"] = float(p)
    return dose_rows, contrast_rows, machine_rows


def _contrast(pairs: list[Any], source: Source) -> dict[str, Any]:
    """Return the paired difference in accuracy; None where a draw lacks a matched control."""
    if any(c is None for pair in pairs for c in pair):
        return dict.fromkeys(("difference", "low", "high", "p"))
    t = test([a["accuracy"] - b["accuracy"] for a, b in pairs], source)
    i = t.interval
    return {"difference": i.value, "low": i.low, "high": i.high, "p": t.p_value}


def _nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {"accuracy": found["accuracy"], "changed": 0.0, "newcomers": 0}


def _dose_row(
    source: Source, kernel: str, arm: str, dose: float, cells: list[Any], base: Any
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "set": source.name,
        "kernel": kernel,
        "arm": arm,
        "dose": dose,
        "draws": len(cells),
    }
    names = ("change", "low", "high", "accuracy", "moved", "moved_low", "moved_high", "newcomers")
    if any(c is None for c in cells):
        return row | dict.fromkeys(names)
    change = test([c["accuracy"] for c in cells] - base, source).interval
    moved = test([c["changed"] for c in cells], source).interval
    return row | {
        "change": change.value,
        "low": change.low,
        "high": change.high,
        "accuracy": float(np.mean([c["accuracy"] for c in cells])),
        "moved": moved.value,
        "moved_low": max(moved.low, 0.0),
        "moved_high": moved.high,
        "newcomers": float(np.mean([c["newcomers"] for c in cells])),
    }


def _untouched(
    results: dict[str, Any], sources: list[Source], seed: tuple[int, ...]
) -> list[Reading]:
    """Return the largest shift that forgotten non-support vectors made, and the KKT residual."""
    shifts, residuals, forgets = [], [], 0
    for key, found in results.items():
        if not key.startswith("dose/") or found["stationary"]:
            continue
        cells = [c for c in found["arms"]["other"] if c is not None]
        shifts += [c["shift"] for c in cells]
        residuals.append(found["residual"])
        forgets += sum(c is not None for arm in found["arms"].values() for c in arm)
    if not shifts:
        return []
    note = "a maximum over all of them, so that there is no interval"
    return [
        Reading(
            "shift by non-support vectors",
            max(shifts),
            max(shifts),
            max(shifts),
            len(shifts),
            "batches forgotten",
            seed,
            "decision value",
            "zero",
            table="dose",
            note=note,
        ),
        Reading(
            "largest KKT residual",
            max(residuals),
            max(residuals),
            max(residuals),
            forgets,
            "batches forgotten",
            seed,
            "decision value",
            "lower",
            table="machines",
            note=note,
        ),
    ]


def _contrasts(
    rows: list[dict[str, Any]], plan: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    return [
        Reading(
            f"{r['set']} {r['kernel']}: support vectors less {r['control']}",
            r["difference"],
            r["low"],
            r["high"],
            plan["draws"],
            "data draws",
            seed,
            "accuracy",
            "none",
            table="contrast",
            note=f"half of the support vectors forgotten; Holm-adjusted p = {r['p_holm']:.2g}",
        )
        for r in rows
        if r["dose"] == PRIMARY and r["p_holm"] is not None
    ]


def _moves(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    """Return how much of the boundary moved at the primary dose, per set, over unique kernels."""
    at, readings = plan["doses"].index(PRIMARY), []
    note = "half of the support vectors, or as many at random; mean over linear, poly and rbf"
    for source in sources:
        moved: dict[str, list[float]] = {}
        for arm in ("memory", "random"):
            for k in range(plan["draws"]):
                tasks = (results[f"dose/{source.name}/{kernel}/{k}"] for kernel in UNIQUE)
                cells = [task["arms"][arm][at] for task in tasks]
                if all(c is not None for c in cells):
                    changed = float(np.mean([c["changed"] for c in cells]))
                    moved.setdefault(arm, []).append(changed)
        if any(len(moved.get(arm, ())) != plan["draws"] for arm in ("memory", "random")):
            continue
        moved["memory less random"] = np.subtract(moved["memory"], moved["random"]).tolist()
        for arm, values in moved.items():
            i = test(values, source).interval
            readings.append(
                Reading(
                    f"{source.name}: predictions changed, {arm}",
                    i.value,
                    i.low,
                    i.high,
                    i.n,
                    "data draws",
                    seed,
                    "share",
                    "none",
                    table="dose",
                    note=note,
                )
            )
    return readings


def _leaks(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[Table, list[Reading]]:
    rows, readings = [], []
    for source in sources:
        found = [results[f"leak/{source.name}/{k}"] for k in range(plan["draws"])]
        for leak, label in LEAKS.items():
            shifts = [f[leak] for f in found if leak in f]
            if len(shifts) < 2:
                continue
            i = test(shifts, source).interval
            low = max(i.low, 0.0)
            rows.append(
                {
                    "set": source.name,
                    "what": label,
                    "shift": i.value,
                    "low": low,
                    "high": i.high,
                    "smallest": min(shifts),
                    "largest": max(shifts),
                    "draws": i.n,
                }
            )
            readings.append(
                Reading(
                    f"{source.name}: {leak}",
                    i.value,
                    min(low, i.value),
                    i.high,
                    i.n,
                    "data draws",
                    (int(plan["seed"]),),
                    "relative shift",
                    "zero",
                    table="leak",
                    note=f"one forgotten non-support vector, rbf kernel; {label}",
                )
            )
    units = {
        "shift": "relative shift",
        "low": "relative shift",
        "high": "relative shift",
        "smallest": "relative shift",
        "largest": "relative shift",
    }
    caption = (
        "largest shift of a held-out decision value when one point that is no support "
        "vector is forgotten, in units of the mean absolute decision value"
    )
    return Table("leak", _columns(rows), units if rows else {}, (), caption), readings


def _pictures(plan: dict[str, Any], results: dict[str, Any]) -> list[Table]:
    surface: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    nx, ny = plan["grid"]
    for kernel in KERNELS:
        found = results[f"picture/{kernel}"]
        for at, frame in enumerate(found["frames"]):
            x_low, x_high, y_low, y_high = found["view"]
            n = len(frame["forgotten"])
            surface.append(
                {
                    "kernel": kernel,
                    "frame": at,
                    "nx": nx,
                    "ny": ny,
                    "x_low": x_low,
                    "x_high": x_high,
                    "y_low": y_low,
                    "y_high": y_high,
                    "grid": frame["grid"],
                    "label": f"{frame['share']:.0%} of the support vectors forgotten",
                    "forgotten": n,
                    "of": found["support"],
                    "accuracy": frame.get("accuracy"),
                    "moved": frame.get("moved"),
                    "note": None if frame["grid"] else "one class has no point left",
                }
            )
            gone, states = set(frame["forgotten"]), frame.get("states", {})
            for i, (x, y) in enumerate(zip(found["x"], found["y"], strict=True)):
                state = "forgotten" if i in gone else states.get(str(i), "zero")
                points.append(
                    {
                        "kernel": kernel,
                        "frame": at,
                        "id": i,
                        "x1": x[0],
                        "x2": x[1],
                        "label": y,
                        "state": state,
                    }
                )
    return [
        Table(
            "surface",
            _columns(surface),
            {"accuracy": "accuracy", "moved": "share"},
            keys=("kernel", "frame"),
            caption="decision values on a grid",
        ),
        Table(
            "points",
            _columns(points),
            {},
            keys=("kernel", "frame", "id"),
            caption="training points and their state",
        ),
    ]
