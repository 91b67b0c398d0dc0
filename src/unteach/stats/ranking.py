"""How well a score ranks one sample above another: the area under the ROC curve."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from ..core import BadInput, stream
from .intervals import Interval, as_values, in_unit, named_unit, proportion_interval


def area_under_curve(positive: Any, negative: Any) -> float:
    """Return the chance that a positive scores above a negative, ties counting half.

    The Mann-Whitney statistic over m n pairs: 1 ranks all positives above all negatives, 0.5 is
    chance, 0 is the reverse.

    Parameters
    ----------
    positive : (m,) scores, finite, m >= 1
    negative : (n,) scores, finite, n >= 1

    Examples
    --------
    >>> area_under_curve([3, 2], [1, 2])
    0.875
    """
    return float(np.mean(_placements(*_samples(positive, negative))[0]))


def area_interval(
    positive: Any,
    negative: Any,
    *,
    unit_of_replication: str = "examples",
    level: float = 0.95,
    method: Literal["delong", "bootstrap"] = "delong",
    seed: int | None = None,
    resamples: int = 2000,
) -> Interval:
    """Return the area under the curve with DeLong's interval, or the bootstrap's.

    DeLong, DeLong & Clarke-Pearson 1988: variance var(V10) / m + var(V01) / n of the placement
    values, normal quantiles, cut to [0, 1]. "bootstrap" resamples positives and negatives
    apart and takes percentiles; it needs a seed.

    Where the ranking is perfect (0 or 1) both would claim certainty. The interval is then that
    of Clopper-Pearson on min(m, n) disjoint pairs, which are independent; its method says so.
    n is the smaller sample.

    Parameters
    ----------
    positive, negative : (m,), (n,) scores, finite, at least 2 each

    Examples
    --------
    >>> print(area_interval([1.0, 2.0, 3.0, 4.0], [0.0, 1.5, 0.5, 2.5]))
    0.8125 [0.4808, 1], n=4 examples, 95 % DeLong
    >>> print(area_interval(np.arange(30.0), -np.arange(1.0, 41.0)))
    1 [0.8843, 1], n=30 examples, 95 % Clopper-Pearson of 30 disjoint pairs (perfect ranking)
    """
    above, below = _samples(positive, negative)
    m, n = len(above), len(below)
    if min(m, n) < 2:
        raise BadInput(f"an interval needs at least 2 positives and 2 negatives, got {m} and {n}")
    level = in_unit(level, "level")
    v10, v01 = _placements(above, below)
    area = float(np.mean(v10))
    unit = named_unit(unit_of_replication)
    if method not in ("delong", "bootstrap"):
        raise BadInput(f"no method {method!r}; choose 'delong' or 'bootstrap'")
    if (method == "bootstrap") != (seed is not None):
        raise BadInput("give seed= with method='bootstrap', and only there")
    if area in (0.0, 1.0):
        k = min(m, n)
        pairs = proportion_interval(
            k if area else 0, k, unit_of_replication=unit, level=level, method="clopper-pearson"
        )
        name = f"Clopper-Pearson of {k} disjoint pairs (perfect ranking)"
        return Interval(area, pairs.low, pairs.high, k, unit, level, name)
    if method == "bootstrap":
        rng = stream(seed or 0, "bootstrap", "area")
        draws = [
            area_under_curve(above[rng.integers(m, size=m)], below[rng.integers(n, size=n)])
            for _ in range(resamples)
        ]
        low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
        name = f"percentile bootstrap, {resamples} resamples"
    else:
        error = math.sqrt(np.var(v10, ddof=1) / m + np.var(v01, ddof=1) / n)
        half = float(distributions.norm.ppf((1 + level) / 2)) * error
        low, high, name = max(area - half, 0.0), min(area + half, 1.0), "DeLong"
    return Interval(area, min(low, area), max(high, area), min(m, n), unit, level, name)


def _samples(positive: Any, negative: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return as_values(positive, "positive scores"), as_values(negative, "negative scores")


def _placements(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each positive's share of negatives beaten (m,), each negative's of positives (n,)."""
    m, n = len(above), len(below)
    ranks = distributions.rankdata(np.concatenate([above, below]))  # ties share the mean rank
    v10 = (ranks[:m] - distributions.rankdata(above)) / n
    v01 = 1 - (ranks[m:] - distributions.rankdata(below)) / m
    return v10, v01
