"""How much a residual can mean: the error of a decision function, and when sets are in doubt.

Two solutions whose residuals are both rounding may still be different functions, where the
kernel is nearly flat: some change of the weights then costs almost nothing. How far they can be
apart is estimated here, and what is solved from a start is solved afresh where that is too far.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]
NEAR = 1e-8  # of the margin: rows no farther from it may stand on either side
DOUBT = 5e-9  # error from which on two solutions may be 1e-8 apart
MOST = 1000
UNSURE = 1e-6  # smaller margins of complementarity leave room for other sets, if there is doubt


def near(free: NDArray[np.bool_], used: NDArray[np.bool_], h: NDArray[np.float64]) -> Rows:
    """Return the rows whose weight may move without anyone noticing: free, or at the margin.

    free, used : (n,) whether a weight is between its bounds, and whether it may be other than 0
    h : (n,) how each row stands to the margin

    Of more than MOST rows beside the free ones, so many are returned, evenly spaced: rows that
    tie by the thousand are copies, or span few directions.
    """
    others = np.flatnonzero(used & ~free & (np.abs(h) <= NEAR))
    if len(others) > MOST:
        others = others[np.linspace(0, len(others) - 1, MOST).astype(np.int64)]
    return np.sort(np.append(np.flatnonzero(free), others))


def of_inverse(inverted: Matrix, largest: float) -> float:
    """Return the conditioning from the inverse of K + sigma over the rows that may move.

    largest : of k(x, x)
    """
    return math.sqrt(max(0.0, largest * float(np.trace(inverted))))


def of_values(values: Matrix) -> float:
    """Return the conditioning from the kernel values among the rows that may move: (d, d)."""
    largest = float(values.diagonal().max(initial=0.0))
    return conditioning(values + (largest or 1.0), largest)


def conditioning(shifted: Matrix, largest: float) -> float:
    """Return how many times the residual the error of the decision function is.

    If the conditions of these rows are broken by independent errors of size r, the solution's
    function is off by about r times this, in units of the decision function: with K the kernel
    of the rows, r sqrt(k(x, x) trace(K^-1)), since |f(x)|^2 <= k(x, x) |f|^2. Directions in
    which K is zero up to rounding are left out: they move weights and no function.

    Parameters
    ----------
    shifted : (d, d) K + sigma 11' over the rows that may move; d = 0 gives 0.0
    largest : of k(x, x); the function is as far off at inputs where it is no larger

    >>> conditioning(np.eye(2), 1.0), conditioning(np.array([[1.0, 1.0], [1.0, 1.0]]), 1.0)
    (1.4142135623730951, 1.0)
    """
    d = len(shifted)
    if d == 0:
        return 0.0
    least = d * np.finfo(float).eps * float(shifted.diagonal().max())
    factor, _, rank, _ = scipy.linalg.lapack.dpstrf(shifted, lower=1, tol=least)
    inverted, _ = scipy.linalg.lapack.dtrtri(factor[:rank, :rank], lower=1)
    return math.sqrt(largest) * float(np.linalg.norm(np.tril(inverted)))


def in_doubt(certificate: Any) -> bool:
    """Say whether another way to the solution might end in another function.

    So it is where the error may be too large and the sets are not sure. From sure sets every way
    that settles ends in the same bits; an anchor, which does not, claims what its error is.
    """
    c = certificate
    return bool(c.error > DOUBT and c.margin <= max(UNSURE, 100 * c.error))
