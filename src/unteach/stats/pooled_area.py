"""The area under the curve over pooled (model, example) scores, models and examples both drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput, stream
from .intervals import Interval, in_unit

Matrix = NDArray[np.float64]


def pooled_area(positive: Any, negative: Any) -> float:
    """Return the chance that a positive cell scores above a negative one, ties counting half.

    Parameters
    ----------
    positive, negative : (models, examples) scores, the same examples; numbers of models may differ

    Examples
    --------
    >>> pooled_area([[3.0, 2.0]], [[1.0, 2.0]])
    0.875
    """
    above, below = _matrices(positive, negative)
    ones = np.ones((1, above.shape[1]))
    return float(_areas(above, below, np.ones((1, len(above))), np.ones((1, len(below))), ones)[0])


def pooled_area_interval(
    positive: Any,
    negative: Any,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = 1000,
) -> Interval:
    """Return the pooled area with the two-way (models x examples) percentile bootstrap.

    The models of each arm and the examples, which the arms share, are drawn with replacement and
    apart (Owen's pigeonhole bootstrap, 2007). The cells are not independent: taking them so
    gives "95 %" intervals that cover 37 to 70 %. The scores must not come from the models that
    they score (fit on one half, score the other), or repeats would be seen twice.
    n is the smallest of the two numbers of models and of the number of examples.

    Parameters
    ----------
    positive, negative : (models, examples), at least 2 x 2 · resamples : at least 100

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> i = pooled_area_interval(rng.normal(size=(16, 20)), rng.normal(size=(16, 20)), seed=0)
    >>> i.low < 0.5 < i.high, i.n
    (True, 16)
    """
    above, below = _matrices(positive, negative)
    n = above.shape[1]
    if min(len(above), len(below), n) < 2:
        raise BadInput(
            f"a two-way interval needs at least 2 models and 2 examples, got {above.shape} and "
            f"{below.shape}"
        )
    if isinstance(resamples, bool) or resamples < 100:
        raise BadInput(f"resamples is a whole number of at least 100, got {resamples!r}")
    level = in_unit(level, "level")
    rng = stream(seed, "bootstrap", "pooled area")
    draws = np.concatenate(
        [
            _areas(above, below, *(_counts(rng, k, size) for size in (len(above), len(below), n)))
            for k in _chunks(int(resamples), (len(above) + len(below)) * n)
        ]
    )
    value = pooled_area(above, below)
    low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(
        value,
        min(low, value),
        max(high, value),
        min(len(above), len(below), n),
        "models x examples",
        level,
        f"two-way percentile bootstrap, {resamples} resamples",
    )


def _counts(rng: np.random.Generator, draws: int, size: int) -> Matrix:
    """Return how often each of `size` things is drawn, `draws` times over: (draws, size)."""
    return rng.multinomial(size, np.full(size, 1 / size), size=draws).astype(np.float64)


def _chunks(total: int, cells: int) -> list[int]:
    size = max(1, min(total, 2_000_000 // cells))
    return [min(size, total - start) for start in range(0, total, size)]


def _areas(above: Matrix, below: Matrix, up: Matrix, down: Matrix, examples: Matrix) -> Matrix:
    """Return one weighted area a row of weights: up (b, m), down (b, m'), examples (b, n)."""
    values = np.concatenate([above.ravel(), below.ravel()])
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))  # (ties,)
    flat = [(w[:, :, None] * examples[:, None, :]).reshape(len(w), -1) for w in (up, down)]
    zeros = [np.zeros_like(f) for f in flat]
    positive = np.hstack([flat[0], zeros[1]])[:, order]  # (b, cells)
    negative = np.hstack([zeros[0], flat[1]])[:, order]
    p = np.add.reduceat(positive, starts, axis=1)
    q = np.add.reduceat(negative, starts, axis=1)
    beaten = np.cumsum(q, axis=1) - q / 2
    return np.asarray(np.sum(p * beaten, axis=1) / (p.sum(axis=1) * q.sum(axis=1)))


def _matrices(positive: Any, negative: Any) -> tuple[Matrix, Matrix]:
    above, below = (np.asarray(v, dtype=np.float64) for v in (positive, negative))
    if above.ndim != 2 or below.ndim != 2 or above.shape[1] != below.shape[1] or not above.size:
        raise BadInput(
            "scores are (models, examples) on the same examples, got shapes "
            f"{above.shape} and {below.shape}"
        )
    if not (np.isfinite(above).all() and np.isfinite(below).all()):
        raise BadInput("scores must be finite")
    return above, below
