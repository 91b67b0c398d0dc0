"""Bootstrap intervals for any statistic: of rows, of whole clusters, of models x examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import BadInput, stream

from .intervals import Interval, as_values, in_unit, named_unit

# The delete-a-group jackknife: what another draw of models would change in a number of arms.

LARGEST = 16


def jackknife_error(
    arms: Sequence[NDArray[Any]],
    statistic: Callable[..., float],
    *,
    groups: int = LARGEST,
    block: int = 1,
) -> tuple[float, int]:
    """Return the standard error over models of a number of several arms, and its degrees.

    Each group leaves all arms at once. A bootstrap would repeat models, and a divergence or an
    attack between samples with repeats is larger than between fresh ones; leaving models out
    repeats none.

    Parameters
    ----------
    arms : one (models, ...) array an arm · statistic : called with the arms, returns one number
    groups : at least 2; of neighbours, as many as there are blocks at most
    block : how many neighbours stay together; 2 for a number that fits on models 1, 3, 5 ... and
        counts models 0, 2, 4 ..., whose halves would change places if one model went

    Source      Tukey 1958; groups: Kott 2001

    Examples
    --------
    >>> error, degrees = jackknife_error([np.arange(16.0)], np.mean)
    >>> round(error ** 2, 4), degrees                # of a mean: the variance, 68 / 3, over 16
    (1.4167, 15)
    """
    least = min((len(a) for a in arms), default=0) // block if block >= 1 else 0
    if least < 2 or groups < 2:
        raise BadInput(
            f"the jackknife needs two groups of {block} models in each arm, got arms of "
            f"{[len(a) for a in arms]} and groups={groups}"
        )
    count = min(groups, least)
    kept = [[np.arange(len(a)) // block % count != g for a in arms] for g in range(count)]
    left = np.array([statistic(*(a[k] for a, k in zip(arms, ks, strict=True))) for ks in kept])
    error = math.sqrt((count - 1) / count * float(np.sum((left - left.mean()) ** 2)))
    return error, count - 1


Statistic = Callable[[NDArray[Any]], float]


def bootstrap_interval(
    values: Any,
    statistic: Statistic,
    *,
    unit_of_replication: str,
    seed: int,
    level: float = 0.95,
    resamples: int = 2000,
    method: Literal["percentile", "bca"] = "percentile",
) -> Interval:
    """Return a statistic of independent replicates with its bootstrap interval.

    Rows are resampled with replacement. The percentile interval is the plain one; "bca"
    corrects for bias and skew (Efron 1987, with the jackknife's acceleration; draws equal to
    the estimate count half). Where the ends would leave the estimate outside, the interval is
    widened to hold it, and its method says so.

    Parameters
    ----------
    values : (n, ...) the replicates along the first axis, n >= 2
    statistic : called with resampled rows of `values`, returns one finite number
    seed : the same seed gives the same interval
    resamples : at least 100

    Examples
    --------
    >>> i = bootstrap_interval(np.arange(20.0), np.median, unit_of_replication="examples", seed=0)
    >>> i.low < i.value == 9.5 < i.high, i.n, i.method
    (True, 20, 'percentile bootstrap, 2000 resamples')
    """
    rows = _rows(values, unit_of_replication)
    if method not in ("percentile", "bca"):
        raise BadInput(f"no bootstrap method {method!r}; choose 'percentile' or 'bca'")
    n, rng = len(rows), stream(seed, "bootstrap", "rows")
    value = _number(statistic, rows)
    draws = _draws(statistic, (rows[rng.integers(n, size=n)] for _ in _count(resamples)))
    shares = _tails(level)
    if method == "bca" and np.any(draws != value):
        left = np.array([_number(statistic, np.delete(rows, i, axis=0)) for i in range(n)])
        shares = _corrected(draws, value, left, shares)
    name = "BCa bootstrap" if method == "bca" else "percentile bootstrap"
    return _interval(value, draws, shares, n, unit_of_replication, level, name)


def cluster_bootstrap(
    values: Any,
    clusters: Any,
    statistic: Statistic,
    *,
    unit_of_replication: str,
    seed: int,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return a statistic with the percentile interval of resampling whole clusters.

    Rows of one cluster (a person, a data draw) are not independent; clusters are. Each resample
    draws as many clusters as there are, with replacement, and takes all of their rows
    (Field & Welsh 2007). n is the number of clusters.

    Parameters
    ----------
    values : (n, ...) rows along the first axis
    clusters : (n,) the cluster of each row, at least 2 different ones
    statistic : called with the rows of the drawn clusters

    Examples
    --------
    >>> people = np.repeat(np.arange(8), 5)
    >>> scores = np.repeat(np.arange(8.0), 5)
    >>> i = cluster_bootstrap(scores, people, np.mean, unit_of_replication="people", seed=0)
    >>> rows = bootstrap_interval(scores, np.mean, unit_of_replication="examples", seed=0)
    >>> i.n, i.width > 1.5 * rows.width
    (8, True)
    """
    rows = _rows(values, unit_of_replication)
    names = np.asarray(clusters)
    if names.shape != (len(rows),):
        raise BadInput(f"{len(rows)} rows need one cluster each, got shape {names.shape}")
    _, codes = np.unique(names, return_inverse=True)
    members = [np.flatnonzero(codes == c) for c in range(codes.max() + 1)]
    if len(members) < 2:
        raise BadInput(f"one cluster ({unit_of_replication}) gives no interval; at least 2 are")
    rng = stream(seed, "bootstrap", "clusters")

    def resampled() -> Iterator[NDArray[Any]]:
        for _ in _count(resamples):
            drawn = rng.integers(len(members), size=len(members))
            yield rows[np.concatenate([members[c] for c in drawn])]

    draws = _draws(statistic, resampled())
    value = _number(statistic, rows)
    name = "percentile cluster bootstrap"
    return _interval(value, draws, _tails(level), len(members), unit_of_replication, level, name)


def two_way_bootstrap(
    matrix: Any,
    statistic: Statistic,
    *,
    seed: int,
    unit_of_replication: str = "models x examples",
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return a statistic of a matrix, with rows and columns both resampled.

    For models (rows) scored on the same examples (columns): neither all the cells nor either
    axis alone is the replicate. Rows and columns are drawn independently with replacement,
    Owen's pigeonhole bootstrap (2007), which errs towards width. n is the shorter axis.

    Parameters
    ----------
    matrix : (models, examples) finite, at least 2 x 2
    statistic : called with the resampled matrix, same shape

    Examples
    --------
    >>> matrix = np.add.outer(np.arange(6.0), np.arange(30.0))
    >>> i = two_way_bootstrap(matrix, np.mean, seed=0)
    >>> i.n, i.value, i.unit_of_replication
    (6, 17.0, 'models x examples')
    """
    cells = _rows(matrix, unit_of_replication)
    if cells.ndim != 2 or min(cells.shape) < 2:
        raise BadInput(f"a two-way bootstrap needs at least 2 x 2 cells, got {cells.shape}")
    m, n = cells.shape
    rng = stream(seed, "bootstrap", "two-way")
    draws = _draws(
        statistic,
        (
            cells[np.ix_(rng.integers(m, size=m), rng.integers(n, size=n))]
            for _ in _count(resamples)
        ),
    )
    value = _number(statistic, cells)
    name = f"two-way percentile bootstrap of {m} x {n}"
    return _interval(value, draws, _tails(level), min(m, n), unit_of_replication, level, name)


def _rows(values: Any, unit_of_replication: str) -> NDArray[Any]:
    named_unit(unit_of_replication)
    rows = np.asarray(values if isinstance(values, np.ndarray) else list(values))
    if rows.dtype.kind not in "biuf":
        raise BadInput(f"values must be numbers, got {rows.dtype}")
    as_values(rows.reshape(-1))
    if len(rows) == 1:
        raise BadInput(f"one replicate ({unit_of_replication}) gives no interval; at least 2 do")
    return rows


def _count(resamples: int) -> range:
    if isinstance(resamples, bool) or int(resamples) != resamples or resamples < 100:
        raise BadInput(f"resamples is a whole number of at least 100, got {resamples!r}")
    return range(int(resamples))


def _number(statistic: Statistic, rows: NDArray[Any]) -> float:
    value = np.asarray(statistic(rows), dtype=np.float64)
    if value.size != 1 or not np.isfinite(value).all():
        raise BadInput(f"the statistic must return one finite number, got {value}")
    return float(value.reshape(()))


def _draws(statistic: Statistic, resampled: Iterator[NDArray[Any]]) -> NDArray[np.float64]:
    return np.array([_number(statistic, rows) for rows in resampled])  # (resamples,)


def _tails(level: float) -> NDArray[np.float64]:
    tail = (1 - in_unit(level, "level")) / 2
    return np.array([tail, 1 - tail])


def _corrected(
    draws: NDArray[np.float64],
    value: float,
    left: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the BCa shares: bias from the draws, acceleration from leave-one-out values."""
    below = np.mean(draws < value) + 0.5 * np.mean(draws == value)
    edge = 0.5 / len(draws)
    bias = distributions.norm.ppf(np.clip(below, edge, 1 - edge))
    gap = left.mean() - left
    scale = np.sum(gap**2) ** 1.5
    acceleration = np.sum(gap**3) / (6 * scale) if scale > 0 else 0.0
    z = bias + distributions.norm.ppf(shares)
    corrected: NDArray[np.float64] = distributions.norm.cdf(bias + z / (1 - acceleration * z))
    return corrected


def _interval(
    value: float,
    draws: NDArray[np.float64],
    shares: NDArray[np.float64],
    n: int,
    unit: str,
    level: float,
    name: str,
) -> Interval:
    low, high = (float(q) for q in np.quantile(draws, shares))
    name = f"{name}, {len(draws)} resamples"
    if not low <= value <= high:
        low, high, name = min(low, value), max(high, value), f"{name}, widened to hold the estimate"
    return Interval(value, low, high, n, unit, level, name)
