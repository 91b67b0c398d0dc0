"""How far a point is from being a solution: Karush-Kuhn-Tucker conditions, summed afresh."""

from __future__ import annotations

import numpy as np

from .qp import QP, Vector


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
