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
        float(np.abs(diagonal[counts]).max(initial=0.0)),
        float(np.abs(b).max(initial=0.0)),
        int(np.count_nonzero(b)),
        float(np.abs(p[counts]).max(initial=0.0)),
    )


def rounded(largest: float, weight: float, many: float, target: float) -> float:
    """Return the same from the largest k(x, x), |b| and |p|, and how many b are not 0."""
    eps = float(np.finfo(float).eps)
    return 4 * eps * (largest * weight * math.sqrt(max(many, 1)) + target)


def classification(gram: NDArray[np.float64], y: Vector, bounds: Vector) -> QP:
    """Return the problem of C-SVC: y (n,) of +1 and -1, bounds (n,) the C of each row."""
    return QP(gram, y, np.where(y > 0, 0.0, -bounds), np.where(y > 0, bounds, 0.0))


# How far a point is from being a solution: Karush-Kuhn-Tucker conditions, summed afresh.


def violations(qp: QP, b: Vector, rho: float, gradient: Vector | None = None) -> Vector:
    """Return by how much each row breaks its condition, in units of the decision function: (n,).

    With h = Kb - p + rho: a row that may grow needs h >= 0, one that may shrink h <= 0, and a
    free one both.

    >>> from .qp import classification
    >>> qp = classification(np.eye(2), np.array([1.0, -1.0]), np.full(2, 5.0))
    >>> violations(qp, np.array([1.0, -1.0]), 0.0), violations(qp, np.zeros(2), 0.5)
    (array([0., 0.]), array([0.5, 1.5]))
    """
    h = (qp.gradient(b) if gradient is None else gradient) + rho
    grow = np.where(b < qp.upper, -h, 0.0)
    shrink = np.where(b > qp.lower, h, 0.0)
    return np.maximum(np.maximum(grow, shrink), 0.0)


def residual(qp: QP, b: Vector, rho: float, gradient: Vector | None = None) -> float:
    """Return the largest violation of any condition: stationarity, bounds, and the sum of b."""
    outside = float(np.maximum(qp.lower - b, b - qp.upper).max(initial=0.0))
    worst = float(violations(qp, b, rho, gradient).max(initial=0.0))
    return max(worst, outside, abs(float(b.sum())))


def bias_interval(qp: QP, b: Vector, gradient: Vector) -> tuple[float, float]:
    """Return the lowest and the highest bias that the bounded rows allow.

    At a solution low <= high up to rounding. With a free row they agree; without one every
    value between is a solution, and the middle is taken, as libsvm does.
    """
    grow, shrink = b < qp.upper, b > qp.lower
    low = float((-gradient[grow]).max(initial=-np.inf))
    high = float((-gradient[shrink]).min(initial=np.inf))
    return low, high


def duality_gap(qp: QP, b: Vector, rho: float, gradient: Vector | None = None) -> float:
    """Return primal minus dual objective (both with the sum of b taken as 0).

    The primal is 1/2 |w|^2 + sum_i C_i max(0, 1 - y_i f(x_i)); in signed form row i costs
    upper_i max(0, -h_i) - lower_i max(0, h_i).
    """
    gradient = qp.gradient(b) if gradient is None else gradient
    h = gradient + rho
    slack = qp.upper * np.maximum(-h, 0.0) - qp.lower * np.maximum(h, 0.0)
    # b'Kb - p'b = b'F, and b'1 = 0: b'F = b'h. Row by row, so that nothing large cancels.
    return float((b * h + slack).sum())
