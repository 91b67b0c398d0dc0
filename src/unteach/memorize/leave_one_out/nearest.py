"""The nearest neighbour in closed form: memorization and influence without training anything.

For a query, let c_r say whether the label of the r-th nearest record is right. Under subsets
that hold each record with probability p, the first included record is the r-th with probability
p (1 - p)^(r - 1), so that

    P[right without i] = sum_r p (1 - p)^(r - 1) c_r over the other records
    influence of the r-th = (1 - p)^(r - 1) (c_r - C_{r+1}),  C_r = p c_r + (1 - p) C_{r+1}

and under subsets of a fixed size the powers are products of ratios. There is no Monte Carlo in
it, which makes it the truth that the engine is tested against. Jia et al. 2019 have the same
recursion for Shapley values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unteach.core import BadInput, densified
from unteach.models import LOST, depth_for, nearest

from .._training.stored_run import class_codes
from .._training.subset_design import Design, Kind, as_fraction

Floats = NDArray[np.float64]


def memorization(x: Any, y: Any, *, fraction: float = 0.5, design: Kind = "bernoulli") -> Floats:
    """Return the memorization of each record by the nearest neighbour: (n,), exact.

    1 - P[right without it]; a record that is included is its own nearest (records at distance 0
    with other labels are not considered). Terms under 1e-18 are left out.

    Parameters
    ----------
    x, y : (n, d) and (n,)
    fraction, design : as in `Memories`

    >>> memorization(np.array([[0.0], [1.0], [1.1], [5.0]]), np.array([0, 0, 1, 1]))
    array([0.5  , 0.75 , 0.875, 0.5  ])
    """
    x, codes = _given(x, y)
    skip = np.arange(len(x))
    without = _chances(len(x), fraction, design)[1][: len(x) - 1]  # the others alone
    order = nearest(np.ascontiguousarray(x.T), x, skip, len(without))
    right = codes[order] == codes[:, None]  # (n, depth)
    return np.asarray(1.0 - right @ without)


def influence(
    x: Any, y: Any, at: Any, y_at: Any, *, fraction: float = 0.5, design: Kind = "bernoulli"
) -> Floats:
    """Return what including each record does to P[right] on each query: (q, n), exact.

    >>> x, y = np.array([[0.0], [1.0], [1.1]]), np.array([0, 0, 1])
    >>> influence(x, y, [[0.9]], [0])
    array([[ 0.25,  0.75, -0.25]])
    """
    x, codes, queries, answers = _asked(x, y, at, y_at)
    skip = np.full(len(queries), -1)
    inside, without, none = _chances(len(x), fraction, design)
    out = np.zeros((len(queries), len(x)))
    order = nearest(np.ascontiguousarray(x.T), queries, skip, len(without))
    _credit(order, codes, answers, inside, without, none, out)
    return out


def exact(
    x: Any, y: Any, at: Any, y_at: Any, *, fraction: float = 0.5
) -> tuple[Floats, Floats, Floats]:
    """Return memorization (n,), influence on the records (n, n) and on queries (q, n) at once.

    One order of the records serves all three. A record is no influence on itself (0): it stands
    among the queries as if it were left out. The Bernoulli design.
    """
    x, codes, queries, answers = _asked(x, y, at, y_at)
    inside, without, none = _chances(len(x), fraction, "bernoulli")
    columns, others = np.ascontiguousarray(x.T), min(len(without), len(x) - 1)
    order = nearest(columns, x, np.arange(len(x)), others)
    out = np.zeros((len(x) + len(queries), len(x)))
    chances = inside[:others], without[:others], none[:others]
    _credit(order, codes, codes, *chances, out[: len(x)])
    far = nearest(columns, queries, np.full(len(queries), -1), len(without))
    _credit(far, codes, answers, inside, without, none, out[len(x) :])
    right = codes[order] == codes[:, None]
    return 1.0 - right @ without[:others], out[: len(x)], out[len(x) :]


@njit(cache=True)
def _credit(
    order: Any, codes: Any, answers: Any, inside: Any, without: Any, none: Any, out: Any
) -> None:
    """Write the influence of each of the nearest: with it, the r-th, less without it.

    Records beyond the nearest are never the first included; but where the size of a subset is
    fixed, including one of them keeps others out.
    """
    depth = order.shape[1]
    for j in range(order.shape[0]):
        beyond = 0.0
        for r in range(depth):
            beyond += (inside[r] - without[r]) * (codes[order[j, r]] == answers[j])
        if beyond != 0.0:
            out[j, :] = beyond
        after = 0.0
        for r in range(depth - 1):
            after += without[r] * (codes[order[j, r + 1]] == answers[j])
        before_in = before_out = 0.0
        for r in range(depth):
            right = 1.0 if codes[order[j, r]] == answers[j] else 0.0
            out[j, order[j, r]] = before_in + none[r] * right - before_out - after
            before_in += inside[r] * right
            before_out += without[r] * right
            if r < depth - 1:
                after -= without[r] * (codes[order[j, r + 1]] == answers[j])


def _chances(n: int, fraction: float, design: Kind) -> tuple[Floats, Floats, Floats]:
    """Return, by rank r among the other records, three chances, each (depth,).

    That the r-th is the first included given that record i is included; the same given that i
    is not; and that none of the r - 1 nearer ones is included given that i is.
    """
    p = as_fraction(fraction)
    if design == "bernoulli":
        depth = depth_for(float(p), n)
        clear_of: Floats = np.power(1.0 - float(p), np.arange(depth, dtype=np.float64))
        return float(p) * clear_of, float(p) * clear_of, clear_of
    inside: Floats = np.zeros(n)
    without: Floats = np.zeros(n)
    none: Floats = np.zeros(n)
    total_in = total_out = 0.0
    for size, share in Design(n, p, 0).sizes().items():
        weight_in, weight_out = share * size / n, share * (n - size) / n
        first, clear = _first_of(n - 1, size - 1)
        inside, none = inside + weight_in * first, none + weight_in * clear
        without = without + weight_out * _first_of(n - 1, size)[0]
        total_in, total_out = total_in + weight_in, total_out + weight_out
    depth = int(np.sum(np.maximum(none / total_in, without / total_out) > LOST))
    return inside[:depth] / total_in, without[:depth] / total_out, none[:depth] / total_in


def _first_of(others: int, size: int) -> tuple[Floats, Floats]:
    """Return P[the r-th is the first included] and P[no nearer one is], of `size` in `others`."""
    r = np.arange(others)
    stays = np.clip((others - size - r) / (others - r), 0.0, 1.0)
    clear = np.concatenate([[1.0], np.cumprod(stays)])  # (others + 1,)
    first = clear[:-1] * np.clip(size / (others - r), 0.0, 1.0)
    return np.append(first, 0.0), np.asarray(clear, dtype=np.float64)


def _given(x: Any, y: Any) -> tuple[Floats, NDArray[np.int64]]:
    x = np.ascontiguousarray(densified(x), dtype=np.float64)
    codes = class_codes(y)
    if x.ndim != 2 or len(x) != len(codes) or len(x) < 2:
        raise BadInput(f"x (n, d) and y (n,) of at least 2 records, got {x.shape}, {codes.shape}")
    return x, codes.astype(np.int64)


def _asked(x: Any, y: Any, at: Any, y_at: Any) -> tuple[Any, Any, Any, Any]:
    y, y_at = np.asarray(y), np.asarray(y_at)
    x, codes = _given(x, y)
    queries = np.ascontiguousarray(densified(at), dtype=np.float64)
    if queries.ndim != 2 or queries.shape[1] != x.shape[1] or len(queries) != len(y_at):
        raise BadInput(f"queries (q, {x.shape[1]}) and labels (q,), got {queries.shape}")
    place = {label: k for k, label in enumerate(np.unique(y).tolist())}
    answers = np.array([place.get(label, -1) for label in y_at.tolist()], dtype=np.int64)
    return x, codes, queries, answers
