"""The one problem that every kernel machine here solves, in its signed dual form."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@njit(cache=True)
def add_rows(gram: Any, change: Any, out: Any) -> None:
    """Add gram @ change to out (gram symmetric), reading only rows whose change is not zero."""
    n = out.shape[0]
    pending = np.empty(4, np.int64)
    m = 0
    for i in range(n):
        if change[i] != 0.0:
            pending[m] = i
            m += 1
        if m == 4:
            k0, k1, k2, k3 = gram[pending[0]], gram[pending[1]], gram[pending[2]], gram[pending[3]]
            c0, c1 = change[pending[0]], change[pending[1]]
            c2, c3 = change[pending[2]], change[pending[3]]
            for t in range(n):
                out[t] += c0 * k0[t] + c1 * k1[t] + c2 * k2[t] + c3 * k3[t]
            m = 0
    for a in range(m):
        row, c = gram[pending[a]], change[pending[a]]
        for t in range(n):
            out[t] += c * row[t]


@dataclass(frozen=True, eq=False)
class QP:
    """min 1/2 b'Kb - p'b subject to sum b = 0 and lower <= b <= upper.

    For C-SVC, b = y * alpha and p = y: a positive row has 0 <= b <= C, a negative one
    -C <= b <= 0. A row with lower = upper = 0 is as removed.

    Parameters
    ----------
    gram : (n, n) symmetric, C-contiguous
    p, lower, upper : (n,)

    Examples
    --------
    >>> qp = classification(np.eye(2), np.array([1.0, -1.0]), np.ones(2))
    >>> qp.upper, qp.objective(np.array([1.0, -1.0]))
    (array([1., 0.]), -1.0)
    """

    gram: NDArray[np.float64]
    p: Vector
    lower: Vector
    upper: Vector

    def __len__(self) -> int:
        return len(self.p)

    def gradient(self, b: Vector) -> Vector:
        """Return Kb - p, summed afresh: (n,)."""
        out: Vector = -self.p
        add_rows(self.gram, b, out)
        return out

    def objective(self, b: Vector) -> float:
        """Return 1/2 b'Kb - p'b."""
        return float(0.5 * (b @ (self.gradient(b) - self.p)))

    def closed(self, rows: NDArray[np.int64]) -> QP:
        """Return the problem in which these rows must have b = 0."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[rows] = 0.0
        upper[rows] = 0.0
        return replace(self, lower=lower, upper=upper)

    def noise(self, b: Vector) -> float:
        """Return the size of rounding in the gradient at b; no residual can be told below it."""
        return rounding(self.gram.diagonal(), self.p, b, self.lower < self.upper)


def rounding(diagonal: Vector, p: Vector, b: Vector, used: NDArray[np.bool_]) -> float:
    """Return the size of rounding in Kb - p, from the diagonal of K and the rows in use."""
    counts = used | (b != 0)  # a row that is closed has no say
    return rounded(
        float(np.abs(diagonal[counts]).max(initial=0.0)), float(np.abs(b).max(initial=0.0)),
        int(np.count_nonzero(b)), float(np.abs(p[counts]).max(initial=0.0)),
    )  # fmt: skip


def rounded(largest: float, weight: float, many: float, target: float) -> float:
    """Return the same from the largest k(x, x), |b| and |p|, and how many b are not 0."""
    eps = float(np.finfo(float).eps)
    return 4 * eps * (largest * weight * math.sqrt(max(many, 1)) + target)


def classification(gram: NDArray[np.float64], y: Vector, bounds: Vector) -> QP:
    """Return the problem of C-SVC: y (n,) of +1 and -1, bounds (n,) the C of each row."""
    return QP(gram, y, np.where(y > 0, 0.0, -bounds), np.where(y > 0, bounds, 0.0))
