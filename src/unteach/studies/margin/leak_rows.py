"""From the leak tasks to a table and readings: what computed statistics remember."""

from __future__ import annotations

from typing import Any

from unteach.core import Reading, Table

from .dose_rows import test
from .leak import LEAKS
from .setting import Source, columns


def leaks(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[Table, list[Reading]]:
    """Return by how much one forgotten point moves scores, condition by condition."""
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
    return Table("leak", columns(rows), units if rows else {}, (), caption), readings
