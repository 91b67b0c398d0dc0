"""Sums over seeds: means with intervals, and matrices of entanglement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unteach.core import BadInput, Reading
from unteach.skills import Entanglement, SkillGraph, fallen
from unteach.stats import mean_interval

from .rows import Results, Row, of_kind

ALONE = "one seed: no interval over seeds"


class Mean(NamedTuple):
    """A mean over seeds; low and high are the mean itself where there is one seed."""

    value: float
    low: float
    high: float
    n: int


def mean_of(values: Sequence[float], top: float = 1.0) -> Mean:
    """Return the mean over seeds with Student's 95 % interval, cut to shares.

    >>> mean_of([0.5])
    Mean(value=0.5, low=0.5, high=0.5, n=1)
    """
    if not len(values):
        raise BadInput("a mean needs one value at least")
    if len(values) < 2:
        return Mean(float(values[0]), float(values[0]), float(values[0]), 1)
    found = mean_interval(list(values), unit_of_replication="seeds")
    return Mean(
        found.value,
        min(found.value, max(0.0, found.low)),
        max(found.value, min(top, found.high)),
        found.n,
    )


def grouped(rows: Iterable[Row], keys: Sequence[str], values: Sequence[str]) -> list[Row]:
    """Return one row a group: the means of the values over seeds, with low, high and n."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[k] for k in keys), []).append(row)
    made = []
    for key, members in groups.items():
        row = dict(zip(keys, key, strict=True))
        for value in values:
            seen = [m[value] for m in members if m[value] is not None]
            found = mean_of(seen) if seen else None
            row[value] = None if found is None else found.value
            row[f"{value} low"] = None if found is None else found.low
            row[f"{value} high"] = None if found is None else found.high
        row["n"] = len(members)
        made.append(row)
    return made


def reading(
    name: str,
    values: Sequence[float],
    seeds: Sequence[int],
    table: str,
    *,
    better: Any = "none",
    unit: str = "accuracy",
    untouched: float | None = None,
    null: tuple[float, float] | None = None,
    note: str = "",
) -> Reading:
    """Return a mean over seeds as a reading."""
    found = mean_of(values)
    notes = [note] if note else []
    notes += [ALONE] if found.n == 1 else []
    return Reading(
        name,
        found.value,
        found.low,
        found.high,
        found.n,
        "seeds",
        tuple(seeds),
        unit,
        better,
        untouched=untouched,
        null=null,
        table=table,
        note="; ".join(notes),
    )


def matrices(plan: dict[str, Any], results: Results, graph: SkillGraph) -> dict[str, Entanglement]:
    """Return the entanglement matrix of each format, one layer a seed."""
    asked = {f: tuple(n for n in graph.names if n in m) for f, m in plan["matrix"].items()}
    found: dict[str, dict[int, Any]] = {}
    for (format, k, _), result in of_kind(results, "entangle"):
        names = asked[format]
        layer = found.setdefault(format, {}).setdefault(
            int(k), np.full((len(names), len(names)), np.nan)
        )
        for watched, cell in result["cells"].items():
            level = graph.chance[watched]
            layer[names.index(result["skill"]), names.index(watched)] = (
                fallen(cell["before"], cell["after"], level) if cell["before"] > level else 0.0
            )
    return {
        f: Entanglement(asked[f], np.stack([layers[k] for k in sorted(layers)]))
        for f, layers in found.items()
    }


def entangled_rows(format: str, found: Entanglement, graph: SkillGraph) -> list[Row]:
    """Return the mean matrix: what the second skill lost when the first was forgotten."""
    mean, skew = found.mean(), found.asymmetry()
    return [
        {
            "format": format,
            "forgotten": s,
            "watched": t,
            "fall": float(mean[i, j]),
            "asymmetry": float(skew[i, j]),
            "stands on it": s in graph.under(t),
        }
        for i, s in enumerate(found.names)
        for j, t in enumerate(found.names)
        if i != j
    ]
