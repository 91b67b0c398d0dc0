"""Summaries of differences that never let too little and too much forgetting cancel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unteach.core import Reading, derive
from unteach.stats import Interval, bootstrap_interval, mean_interval

from .against import Against, Array

LEVEL = 0.95


def sides(differences: Array) -> tuple[float, float]:
    """Return the mean of the positive parts and of the negative parts, both at least 0.

    >>> sides(np.array([1.0, -1.0, 0.0, 0.0]))
    (0.25, 0.25)
    """
    return float(np.mean(np.maximum(differences, 0))), float(np.mean(np.maximum(-differences, 0)))


def larger_side(under: float, over: float) -> float:
    """Return the larger of two sides, as a positive number if it is the first.

    The mean of differences is `under - over` and vanishes where both are large; this does not.

    >>> larger_side(0.25, 0.25), larger_side(0.1, 0.5)
    (0.25, -0.5)
    """
    return under if under >= over else -over


def signed_reading(
    name: str, seen: Against, *, unit: str, limit: float, table: str, note: str = ""
) -> Reading:
    """Return a reading whose sign says which way, and whose size cannot cancel.

    Its value is the larger side: plus the mean of what is left of the records' influence, or
    minus the mean of what was taken too much. The interval is that side's. The null is what
    one retraining shows against another on either side, with a margin for its being one more
    draw: the t-interval for the mean of as many new replicates.
    """
    pairs = [sides(d) for d in seen.after]
    under, over = (math.fsum(s) / len(pairs) for s in zip(*pairs, strict=True))
    sign = 1 if under >= over else -1
    interval = _interval(name, [np.maximum(sign * d, 0) for d in seen.after], seen)
    low, high = max(interval.low, 0.0), interval.high
    bound = max(_ends(name, [np.maximum(s * d, 0) for d in seen.null], seen)[1] for s in (1, -1))
    untouched = larger_side(
        *(math.fsum(s) / len(s) for s in zip(*map(sides, seen.before), strict=True))
    )
    said = f"under {under:.4g}, over {over:.4g}, net {under - over:.4g}"
    return Reading(
        name,
        sign * interval.value,
        low if sign > 0 else 0.0 - high,  # 0.0 - x, as -x would make a 0 negative
        high if sign > 0 else 0.0 - low,
        n=interval.n,
        unit_of_replication=interval.unit_of_replication,
        seeds=seen.seeds,
        unit=unit,
        better="zero",
        untouched=untouched,
        null=(0.0 - bound, bound),
        limit=limit,
        table=table,
        level=LEVEL,
        note="; ".join(p for p in (said, note, about_null(seen)) if p),
    )


def distance_reading(
    name: str, seen: Against, *, unit: str, limit: float, table: str, note: str = ""
) -> Reading:
    """Return a reading of distances, each at least 0: their mean, its interval, and the null."""
    interval = _interval(name, seen.after, seen)
    low, high = _ends(name, seen.null, seen)
    return Reading(
        name,
        interval.value,
        max(interval.low, 0.0),
        interval.high,
        n=interval.n,
        unit_of_replication=interval.unit_of_replication,
        seeds=seen.seeds,
        unit=unit,
        better="lower",
        untouched=float(np.mean([np.mean(d) for d in seen.before])),
        null=(max(low, 0.0), high),
        limit=limit,
        table=table,
        level=LEVEL,
        note="; ".join(p for p in (note, about_null(seen)) if p),
    )


def about_null(seen: Against) -> str:
    """Return the sentence that belongs beside the null, if one does."""
    if seen.point_null:
        return "retrainings agree to the last bit: the null is a point"
    if seen.single and seen.retrained == 2:
        return "the null rests on one pair of retrainings"
    return ""


def _interval(name: str, per_record: Sequence[Array], seen: Against) -> Interval:
    if not seen.single:
        means = [float(np.mean(d)) for d in per_record]
        return mean_interval(means, unit_of_replication=seen.unit, level=LEVEL)
    return over_records(name, per_record[0], seen.seeds[0])


def over_records(name: str, values: Array, seed: int) -> Interval:
    """Return the mean over records; where they are one or all alike, resampling moves nothing."""
    if not np.ptp(values):
        one = float(values[0])
        return Interval(one, one, one, len(values), "examples", LEVEL, "all records alike")
    return bootstrap_interval(
        values, _mean, unit_of_replication="examples", seed=derive(seed, name), level=LEVEL
    )


def _ends(name: str, per_record: Sequence[Array], seen: Against) -> tuple[float, float]:
    """Return the prediction interval of a retrained model's mean, from those that were seen."""
    means = np.array([np.mean(d) for d in per_record])
    if len(means) < 2:
        interval = over_records(name, per_record[0], seen.seeds[0])
        return interval.low, interval.high
    return prediction_ends(means, seen.unit)


def prediction_ends(null: Array, unit: str) -> tuple[float, float]:
    """Return where retraining is to be expected, given what retrainings showed.

    The t-prediction interval for the mean of as many new replicates or, when one model is
    audited (unit "examples"), for one new model. A single pair gives its own distance.

    >>> prediction_ends(np.array([1.0, 2.0, 3.0]), "seeds")
    (-1.5131, 5.5131)
    """
    if len(null) < 2:
        return float(null[0]), float(null[0])
    interval = mean_interval(null, unit_of_replication=unit, level=LEVEL)
    wider = math.sqrt(len(null) + 1) if unit == "examples" else math.sqrt(2)
    half = wider * (interval.high - interval.value)
    return interval.value - half, interval.value + half


def _mean(values: Array) -> float:
    return float(np.mean(values))
