"""Intervals and tests for many differences of proportions at once."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from unteach.core import BadInput

Floats = NDArray[np.float64]


def z_of(level: float) -> float:
    """Return the two-sided normal quantile of a confidence level.

    >>> round(z_of(0.95), 3)
    1.96
    """
    if isinstance(level, bool) or not 0 < level < 1:
        raise BadInput(f"level lies strictly between 0 and 1, got {level!r}; 95 % is 0.95")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: Any, n: Any, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of the Wilson (1927) interval of each proportion, n at least 1.

    >>> [end.round(4) for end in wilson(np.array([0]), np.array([20]))]
    [array([0.]), array([0.1611])]
    """
    x, n = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = z_of(level)
    share = x / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return np.minimum(np.maximum(middle - half, 0.0), share), np.maximum(
        np.minimum(middle + half, 1.0), share
    )


def newcombe(x1: Any, n1: Any, x0: Any, n0: Any, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of the interval of each difference x1 / n1 - x0 / n0.

    Newcombe 1998, method 10: it joins two Wilson intervals, and so does not collapse where a
    proportion is 0 or 1. `stats.difference_of_proportions` is the same, one at a time.

    >>> [end.round(4) for end in newcombe(np.array([56]), 70, np.array([48]), 80)]
    [array([0.0524]), array([0.3339])]
    """
    p1, p0 = np.asarray(x1) / np.asarray(n1), np.asarray(x0) / np.asarray(n0)
    (low1, high1), (low0, high0) = wilson(x1, n1, level), wilson(x0, n0, level)
    return p1 - p0 - np.hypot(p1 - low1, high0 - p0), p1 - p0 + np.hypot(high1 - p1, p0 - low0)


def agresti_caffo(x1: Any, n1: Any, x0: Any, n0: Any) -> tuple[Floats, Floats]:
    """Return each difference and its variance after one success and one failure is added to each.

    Agresti & Caffo 2000. Unlike the plain ones, they serve for a test where a proportion is 0
    or 1.
    """
    n1, n0 = np.asarray(n1, dtype=np.float64) + 2, np.asarray(n0, dtype=np.float64) + 2
    p1, p0 = (np.asarray(x1) + 1) / n1, (np.asarray(x0) + 1) / n0
    return p1 - p0, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0


def above(difference: Any, variance: Any, threshold: float) -> Floats:
    """Return the one-sided p-value of each difference against being at most the threshold."""
    tail: Floats = ndtr(-(np.asarray(difference) - threshold) / np.sqrt(variance))
    return tail
