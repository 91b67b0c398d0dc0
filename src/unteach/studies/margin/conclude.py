"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Reading, Table

from .dose_rows import CONTROLS, PRIMARY, dose_rows, test
from .joining import joining
from .leak import leaks
from .picture import gallery, pictures
from .setting import UNIQUE, Source, columns

# From the tasks' results to readings: the numbers that the answer is made of.


def untouched(
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


def contrasts(
    rows: list[dict[str, Any]], plan: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    """Return the differences that the thesis is judged by."""
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


def moves(
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


__all__ = ["CONTROLS", "PRIMARY", "tables_and_readings"]


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    sources = [Source(**s) for s in plan["sources"]]
    dose, contrast, machines = dose_rows(plan, sources, results)
    leak, leak_readings = leaks(plan, sources, results)
    joins, join_readings = joining(plan, sources, results)
    tables = [
        Table(
            "dose",
            columns(dose),
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
                "newcomers_low": "support vectors",
                "newcomers_high": "support vectors",
            },
            keys=("set", "kernel", "arm", "dose"),
            caption="what held-out points see of each dose; a missing value is a dose that could "
            "not be matched in number and class in every draw",
        ),
        Table(
            "contrast",
            columns(contrast),
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
            columns(machines),
            {
                "support": "share",
                "memorized": "share",
                "accuracy": "accuracy",
                "joined": "points",
                "left": "points",
                "memory_margin": "margin",
                "memory_inside": "margin",
                "memory_tenth": "share",
            },
            keys=("set", "kernel"),
            caption="the machines before anything is forgotten; memorized: classified correctly "
            "only because the point itself was there; memory: the margin that support vectors at "
            "and inside the margin owe to their own presence, and the share of all of it that the "
            "most memorized tenth of the training points holds",
        ),
        leak,
        joins,
        *pictures(plan, results),
        *gallery(plan, results),
    ]
    seed = (int(plan["seed"]),)
    readings = [
        *untouched(results, sources, seed),
        *contrasts(contrast, plan, seed),
        *moves(plan, sources, results, seed),
        *leak_readings,
        *join_readings,
    ]
    return tables, readings
