"""The working arrays of the active-set method, and the factors it starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import NDArray

from .._machine.gram import square
from . import active_set as active
from .active_set import ACCEPT
from .qp import QP, Vector

Rows = NDArray[np.int64]


@njit(cache=True)
def _mirror(lower: Any) -> Any:
    out = np.empty(lower.shape)
    for a in range(lower.shape[0]):
        for c in range(a + 1):
            out[a, c] = lower[a, c]
            out[c, a] = lower[a, c]
    return out


def shift(qp: QP, rows: Rows) -> float:
    """Return sigma for these rows: the mean of |K_ii|, or 1 where that is 0."""
    mean = float(np.abs(qp.gram.diagonal()[rows]).mean()) if len(rows) else 0.0
    return mean if mean > 0 else 1.0


def inverse(matrix: NDArray[np.float64], least: float) -> NDArray[np.float64] | None:
    """Return the inverse of a positive definite matrix, good enough to be refined with.

    None if a pivot is not above `least`, or if the result does not undo the matrix.

    >>> inverse(np.array([[2.0]]), 0.0), inverse(np.ones((2, 2)), 1e-10)
    (array([[0.5]]), None)
    """
    if len(matrix) == 0:
        return matrix.copy()
    factor, info = scipy.linalg.lapack.dpotrf(matrix, lower=1)
    if info != 0 or not factor.diagonal().min(initial=np.inf) ** 2 > least:
        return None
    result, _ = scipy.linalg.lapack.dpotri(factor, lower=1)
    mirrored: NDArray[np.float64] = _mirror(result)
    probe = np.where(np.arange(len(matrix)) % 2, 1.0, -0.5)
    back = matrix @ (mirrored @ probe)
    return mirrored if np.abs(back - probe).max() < 1e-3 else None


class FreeSet:
    """A free set S of one problem, with K_SS and the inverse of K_SS + sigma 11'.

    These are functions of the rows, so they live no longer than one operation. `b` is changed
    in place; `level` is rho, the way made, and the smallest pivot that is accepted.
    """

    def __init__(self, qp: QP, b: Vector) -> None:
        n = len(qp)
        self.qp, self.b = qp, b
        self.sigma = shift(qp, np.flatnonzero((qp.lower < qp.upper) | (b != 0)))
        self.level = np.array([0.0, 0.0, ACCEPT])
        self.free = np.empty(n, np.int64)
        self.slot = np.full(n, -1, np.int64)
        self.kss = np.empty((n, n))
        self.inverse = np.empty((n, n))
        self.count = np.zeros(1, np.int64)
        self.spent = np.zeros(1, np.int64)

    @property
    def rows(self) -> Rows:
        """The free rows, in order."""
        return np.sort(self.free[: self.count[0]])

    def open(self, rows: Rows) -> Rows:
        """Let S be as many of these rows as are independent; return those left over."""
        kss = square(self.qp.gram, rows)
        shifted = kss + self.sigma
        least = 10 * float(self.level[2]) * float(shifted.diagonal().max(initial=0.0))
        taken, left = rows, rows[:0]
        inverted = inverse(shifted, least)
        if inverted is None:
            _, order, rank, _ = scipy.linalg.lapack.dpstrf(shifted, lower=1, tol=least)
            rank += 1
            while inverted is None:  # pivots of another order may be smaller yet
                rank -= 1 + rank // 50
                kept = np.sort(order[:rank].astype(np.int64) - 1)
                inverted = inverse(square(shifted, kept), 0.1 * least)
                taken = rows[kept]
            left = np.setdiff1d(rows, taken)
            kss = square(kss, kept)
        s = len(taken)
        self.kss[:s, :s] = kss
        self.inverse[:s, :s] = inverted
        self.slot[:] = -1
        self.slot[taken] = np.arange(s)
        self.free[:s] = taken
        self.count[0] = s
        return left

    def _arrays(self) -> tuple[Any, ...]:
        return self.free, self.slot, self.kss, self.inverse, self.count, self.sigma

    def _problem(self) -> tuple[Any, ...]:
        return self.qp.gram, self.qp.lower, self.qp.upper, self.b

    def descend(self, gradient: Vector) -> int:
        """Minimize over S within the bounds."""
        arrays = (*self._problem()[1:], gradient, self.level, *self._arrays())
        return int(active.descend(*arrays))

    def move(self, k: int, h: float) -> int:
        """Move a row that is not in S downhill, until it joins or stands at a bound."""
        arrays = (*self._problem(), self.level, *self._arrays(), k, h, 0.0, False, False)
        return int(active.move(*arrays))

    def drive(self, k: int) -> int:
        """Move a row that is not in S to b = 0."""
        arrays = (*self._problem(), self.level, *self._arrays(), k, 0.0, 0.0, True, False)
        return int(active.move(*arrays))

    def drop(self, k: int) -> None:
        """Take row k out of S; its b stays."""
        active.leave(self.free, self.slot, self.kss, self.inverse, self.count, int(self.slot[k]))

    def exchange(self, gradient: Vector, least: float, most: int) -> int:
        """Let violators in until none is violated by more than `least`."""
        arrays = (*self._problem(), gradient, self.level, *self._arrays(), least, most, self.spent)
        return int(active.exchange(*arrays))
