"""From the tasks' results to readings: the numbers that the answer is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Reading

from .dose_rows import PRIMARY, test
from .setting import UNIQUE, Source


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
