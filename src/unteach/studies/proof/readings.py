"""Readings of the proof study: what the findings and the forest cite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unteach.core import Reading
from unteach.stats import Interval, mean_interval, proportion_interval

from .symbolic import VERDICTS
from .world import FORM_LABELS

# Means over families or seeds, with their intervals; one alone has none, and says so by n.


def mean_of(values: Sequence[float], unit: str) -> Interval | None:
    """Return the mean with its interval; of one value no interval, of none nothing."""
    if not values:
        return None
    if len(values) == 1:
        return Interval(values[0], values[0], values[0], n=1, unit_of_replication=unit)
    return mean_interval(values, unit_of_replication=unit)


def map_readings(maps: Sequence[dict[str, Any]], seeds: tuple[int, ...]) -> list[Reading]:
    """Return the shares of the verdicts, and what keeping a conclusion costs, over families."""
    shares: dict[str, list[float]] = {v: [] for v in VERDICTS}
    extra, alone, fallen = [], [], []
    for found in maps:
        rows = found["rows"]
        for verdict in VERDICTS:
            shares[verdict].append(sum(r["verdict"] == verdict for r in rows) / len(rows))
        kept = [r for r in rows if r["removed"] is not None]
        extra.append(float(np.mean([r["removed"] - r["alone"] for r in kept])))
        alone.append(float(np.mean([r["removed"] for r in kept])))
        fallen.append(float(np.mean([r["lost"] for r in kept])))
    can = [1.0 - s for s in shares["impossible"]]
    notes = {
        "can outlive its premises": (can, "share", "higher", "with promotion allowed"),
        "still follows without them": (
            shares["base-only"],
            "share",
            "higher",
            "from stated facts that stay",
        ),
        "needs promotion": (shares["promotion"], "share", "none", ""),
        "cannot be kept": (shares["impossible"], "share", "lower", "it entails a premise"),
        "stated facts that go": (alone, "facts", "lower", "for one conclusion's premises"),
        "conclusions that fall": (fallen, "conclusions", "lower", ""),
        "facts lost for keeping a conclusion": (
            extra,
            "facts",
            "lower",
            "beyond what forgetting the premises costs",
        ),
    }
    readings = []
    for name, (values, unit, better, note) in notes.items():
        ends = mean_of(values, "data draws")
        if ends is not None:
            readings.append(reading(name, ends, seeds, unit, better, note, "map"))
    return readings


def model_readings(
    models: dict[str, list[dict[str, Any]]], seeds: tuple[int, ...]
) -> list[Reading]:
    """Return in what share of seeds the plan holds and the naive ways leak, or recite."""
    readings = []
    for form, found in models.items():
        named = FORM_LABELS[form]

        def hits(name: str, kept: list[bool], better: str, named: str = named) -> Reading:
            ends = proportion_interval(sum(kept), len(kept), unit_of_replication="seeds")
            return reading(f"{name} ({named})", ends, seeds, "share", better, "", "runs")

        readings.append(hits("plan holds", [held(one) for one in found], "higher"))
        for arm, name in (("premises", "naive leaks"), ("protected", "protected leaks")):
            leaks = [one["arms"][arm]["deducible"] == 1.0 for one in found]
            readings.append(hits(name, leaks, "lower"))
        if form == "traces":
            recites = [one["arms"]["protected"]["recites"] == 1.0 for one in found]
            readings.append(hits("protected recites", recites, "lower"))
        for arm in ("premises", "protected", "planned"):
            for measure in ("deducible", "preserved", "outside the plan", "over chance"):
                ends = mean_of([one["arms"][arm][measure] for one in found], "seeds")
                if ends is not None:
                    unit = "times chance" if measure == "over chance" else "share"
                    name = f"{arm}: {measure} ({named})"
                    better = (
                        "lower"
                        if measure == "deducible"
                        else ("none" if measure == "over chance" else "higher")
                    )
                    readings.append(reading(name, ends, seeds, unit, better, "", "arms"))
        for what in ("taught", "held"):
            ends = mean_of([a for one in found if (a := ahead(one, what)) is not None], "seeds")
            if ends is not None:
                readings.append(
                    reading(
                        f"ahead of never taught: {what} ({named})",
                        ends,
                        seeds,
                        "probability",
                        "zero",
                        "mean over the lessons of the probability of the premises, planned "
                        "less never taught",
                        "relearn",
                    )
                )
    return readings


def held(one: dict[str, Any]) -> bool:
    """Say whether the plan did all that it should: nothing deducible, all kept, nothing else."""
    said = one["arms"]["planned"]
    return bool(
        one["done"]["planned"]
        and said["deducible"] == 0.0
        and said["printed"] == 0.0
        and said["preserved directly"] == 1.0
        and said["outside the plan"] == 1.0
    )


def ahead(one: dict[str, Any], what: str) -> float | None:
    """Return by how much the planned model is ahead of one that never knew, over all lessons.

    The mean over the readings of a curve is the area under it; None where nothing is held back.
    """
    planned, never = one["relearn"]["planned"], one["relearn"]["never"]
    if planned is None or never is None:
        return None
    name = f"{what}_probability"
    return float(np.mean(planned[name]) - np.mean(never[name]))


def reading(
    name: str, ends: Interval, seeds: tuple[int, ...], unit: str, better: Any, note: str, table: str
) -> Reading:
    """Return an interval as a reading; a share stays within 0 and 1."""
    low, high = ends.low, ends.high
    if unit in ("share", "times chance"):
        low = max(0.0, low)
    if unit == "share":
        high = min(1.0, high)
    return Reading(
        name,
        ends.value,
        min(low, ends.value),
        max(high, ends.value),
        ends.n,
        ends.unit_of_replication,
        seeds,
        unit,
        better,
        table=table,
        note=note,
    )
