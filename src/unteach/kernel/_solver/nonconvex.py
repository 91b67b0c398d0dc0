"""Kernels that are not positive semidefinite: a stationary point, and no more than that.

The problem is then not convex. Libsvm's treatment (a curvature of TAU for pairs that have
none or a negative one) ends in a stationary point; which one depends on the start and on every
row, so that there is no "the" solution to compare with after forgetting.

Source: Chen, Fan and Lin, "A study on SMO-type decomposition methods for support vector
machines", IEEE Transactions on Neural Networks 17 (2006), section on non-PSD kernels.
"""

from __future__ import annotations

import numpy as np

from unteach.core import NotConverged

from .._machine.gram import square
from .qp import QP, Vector, bias_interval, residual
from .smo import smo
from .solver import Solution

GOOD_ENOUGH = 1e-3  # libsvm's own tolerance


def stationary(qp: QP, *, tol: float = 1e-10, max_iter: int = -1) -> Solution:
    """Return a stationary point of a problem that may not be convex; always the same one.

    It starts at b = 0. A KKT residual above `tol` is no error here (the certificate shows
    it), one above 1e-3 is `NotConverged`.

    >>> from .qp import classification
    >>> gram = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> stationary(classification(gram, np.array([1.0, -1.0]), np.ones(2))).b
    array([ 1., -1.])
    """
    most = max_iter if max_iter >= 0 else 200_000 + 100 * len(qp)
    b, moves = smo(qp, np.zeros(len(qp)), gap=max(tol, 1e-12), most=most)
    rho = _bias(qp, b)
    left = residual(qp, b, rho)
    refined = _refined(qp, b)
    if refined is not None and residual(qp, *refined) < left:
        b, rho = refined
        left = residual(qp, b, rho)
    if left > max(tol, GOOD_ENOUGH):
        raise NotConverged(
            f"the kernel matrix is not positive semidefinite, and after {moves} steps the KKT "
            f"residual is {left:.2g}; lower C, scale the features, choose another kernel, or "
            "raise max_iter"
        )
    return Solution(b, rho, moves + 1, left)


def _bias(qp: QP, b: Vector) -> float:
    gradient = qp.gradient(b)
    free = (b > qp.lower) & (b < qp.upper)
    if free.any():
        return -float(gradient[free].mean())
    return 0.5 * sum(bias_interval(qp, b, gradient))


def _refined(qp: QP, b: Vector) -> tuple[Vector, float] | None:
    """Return the point at which the free rows meet their conditions exactly, if it is inside."""
    rows = np.flatnonzero((b > qp.lower) & (b < qp.upper))
    if len(rows) == 0:
        return None
    s = len(rows)
    system = np.ones((s + 1, s + 1))
    system[:s, :s] = square(qp.gram, rows)
    system[s, s] = 0.0
    found = b.copy()
    rho = _bias(qp, b)
    for _ in range(2):
        rest = np.append(-(qp.gradient(found)[rows] + rho), -found.sum())
        step = np.linalg.lstsq(system, rest, rcond=1e-12)[0]
        found[rows] += step[:s]
        rho += float(step[s])
    if ((found < qp.lower) | (found > qp.upper)).any():
        return None
    return found, rho
