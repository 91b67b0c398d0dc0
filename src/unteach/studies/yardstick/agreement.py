"""Do definitions order methods alike, and do they accept and reject the same ones?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, stream

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """A value for each pair of definitions: (d, d), with the ends of its interval, and draws.

    value, low, high : NaN where no forget set has both definitions
    draws : (b, d, d), the resampled matrices, for intervals of what is made of the matrix
    """

    value: Array
    low: Array
    high: Array
    draws: Array

    def of(self, what: Callable[[Array], float]) -> tuple[float, float, float]:
        """Return a number made of the matrix with its percentile interval."""
        value = what(self.value)
        found = [what(one) for one in self.draws]
        known = [v for v in found if np.isfinite(v)]
        low, high = np.quantile(known, [0.025, 0.975]) if known else (value, value)
        return value, min(float(low), value), max(float(high), value)


def rank_correlation(scores: Any) -> Array:
    """Return Kendall's tau-b between definitions, over methods, averaged over forget sets: (d, d).

    Ties count for neither side: pairs of methods that both definitions rate alike drop out.

    Parameters
    ----------
    scores : (sets, methods, d); NaN where a definition cannot be read

    Examples
    --------
    >>> rank_correlation([[[1.0, 1.0, 3.0], [2.0, 5.0, 2.0], [3.0, 9.0, 1.0]]])[0]
    array([ 1.,  1., -1.])
    """
    s = _cubes(scores)
    one, other = np.triu_indices(s.shape[1], 1)
    with np.errstate(invalid="ignore"):
        step = s[:, one] - s[:, other]  # (sets, pairs, d)
    known = np.isfinite(step)
    sign = np.where(known, np.where(np.abs(step) > 1e-9, np.sign(step), 0.0), 0.0)
    seen = known.astype(float)
    together = np.einsum("wpi,wpj->wij", sign, sign)
    mine = np.einsum("wpi,wpj->wij", sign**2, seen)  # untied in i, where j is known
    size = np.sqrt(mine * np.swapaxes(mine, 1, 2))
    tau = np.where(size > 0, together / np.where(size > 0, size, 1.0), np.nan)
    return _mean(tau)


def same_verdict(rejected: Any) -> Array:
    """Return the share of (set, method) cells in which two definitions say the same: (d, d).

    rejected : (sets, methods, d) of 0 and 1; NaN where a definition cannot be read

    >>> same_verdict([[[1.0, 1.0], [0.0, 1.0]]])[0]
    array([1. , 0.5])
    """
    flat = _cubes(rejected).reshape(-1, np.asarray(rejected).shape[-1])
    both = np.isfinite(flat[:, :, None]) & np.isfinite(flat[:, None, :])
    same = both & (flat[:, :, None] == flat[:, None, :])
    count = both.sum(axis=0)
    share: Array = np.where(count > 0, same.sum(axis=0) / np.maximum(count, 1), np.nan)
    return share


def missed(rejected: Any, told: Any) -> Array:
    """Return the share of told-apart cells that each definition accepts: (d,).

    told : (sets, methods) of 0 and 1: whether the per-record attack tells the method from
        retraining

    >>> missed([[[1.0, 0.0], [0.0, 0.0]]], [[1.0, 0.0]])
    array([0., 1.])
    """
    flat = _cubes(rejected).reshape(-1, np.asarray(rejected).shape[-1])
    asked = (np.asarray(told, float).reshape(-1) == 1)[:, None] & np.isfinite(flat)
    count = asked.sum(axis=0)
    gone = (asked & (flat == 0)).sum(axis=0)
    share: Array = np.where(count > 0, gone / np.maximum(count, 1), np.nan)
    return share


def resampled(
    statistic: Callable[..., Array],
    *arrays: Any,
    replicates: Any = None,
    seed: int,
    resamples: int = 1000,
) -> Agreement:
    """Return a statistic of cells with intervals over forget sets, methods and models.

    Forget sets and methods are drawn with replacement, each on its own (Owen 2007: for means it
    does not understate the variance), and, where replicates are given, one of them takes the
    place of the scores: those of resampled models.

    Parameters
    ----------
    statistic : of arrays (sets, methods, ...), such as `rank_correlation`
    replicates : (k, sets, methods, d), which stand in for the first array, or None
    """
    whole = [np.asarray(a, float) for a in arrays]
    value, rng = statistic(*whole), stream(seed, "yardstick", "agreement")
    models = None if replicates is None else np.asarray(replicates, float)
    draws = np.empty((resamples, *value.shape))
    sets, methods = whole[0].shape[:2]
    for b in range(resamples):
        w, m = rng.integers(sets, size=sets), rng.integers(methods, size=methods)
        used = list(whole)
        if models is not None:
            used[0] = models[int(rng.integers(len(models)))]
        draws[b] = statistic(*(a[w][:, m] for a in used))
    low, high = _ends(draws, value)
    return Agreement(value, low, high, draws)


def off_diagonal(matrix: Array) -> float:
    """Return the mean of what is known of a square matrix without its diagonal.

    >>> off_diagonal(np.array([[1.0, 0.5], [0.1, 1.0]]))
    0.3
    """
    return known_mean(np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix))


def known_mean(values: Array) -> float:
    """Return the mean of the numbers that are there; NaN if none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _ends(draws: Array, value: Array) -> tuple[Array, Array]:
    known = np.isfinite(draws).any(axis=0) & np.isfinite(value)
    filled = np.where(known, draws, 0.0)
    found = np.where(np.isfinite(filled), filled, value)
    low, high = np.quantile(np.where(known, found, 0.0), [0.025, 0.975], axis=0)
    return (
        np.where(known, np.minimum(low, value), np.nan),
        np.where(known, np.maximum(high, value), np.nan),
    )


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _cubes(values: Any) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 3 or not found.size:
        raise BadInput(f"values are (sets, methods, definitions), got {found.shape}")
    return found
