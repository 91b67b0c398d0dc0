"""The problem of the machines beyond C-SVC: rows in groups, each group with a sum of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .qp import QP, Vector, add_rows, rounding

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Program:
    """min 1/2 b'Kb - p'b subject to lower <= b <= upper, and the sum of each group given.

    A variable stands for a row; one row may have several variables (the two sides of a
    regression tube), which share its kernel values. K is then the kernel of the variables'
    rows, and is never written out.

    Parameters
    ----------
    gram : (n, n) symmetric, C-contiguous, positive semidefinite
    base : (m,) the row of each variable
    group : (m,) the group of each variable, 0 or 1
    p, lower, upper : (m,)
    totals : (1,) or (2,) the sum that each group must have

    Examples
    --------
    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.zeros(2), np.zeros(2),
    ...               np.ones(2), np.array([1.0]))
    >>> one.gradient(np.array([0.25, 0.75])), one.sums(np.array([0.25, 0.75]))
    (array([0.25, 0.75]), array([1.]))
    """

    gram: NDArray[np.float64]
    base: Rows
    group: Rows
    p: Vector
    lower: Vector
    upper: Vector
    totals: Vector

    def __len__(self) -> int:
        return len(self.p)

    @classmethod
    def of(cls, qp: QP) -> Program:
        """Return the problem of C-SVC in this form."""
        n = len(qp)
        return cls(
            qp.gram, np.arange(n), np.zeros(n, np.int64), qp.p, qp.lower, qp.upper, np.zeros(1)
        )

    def spread(self, b: Vector) -> Vector:
        """Return the weight of each row: (m,) -> (n,)."""
        spread: Vector = np.bincount(self.base, weights=b, minlength=len(self.gram)).astype(float)
        return spread

    def sums(self, b: Vector) -> Vector:
        """Return the sum of each group."""
        sums: Vector = np.bincount(self.group, weights=b, minlength=len(self.totals)).astype(float)
        return sums

    def field(self, b: Vector) -> Vector:
        """Return K times the weights of the rows, summed afresh: (n,)."""
        out: Vector = np.zeros(len(self.gram))
        add_rows(self.gram, self.spread(b), out)
        return out

    def gradient(self, b: Vector) -> Vector:
        """Return Kb - p: (m,)."""
        gradient: Vector = self.field(b)[self.base] - self.p
        return gradient

    def noise(self, b: Vector) -> float:
        """Return the size of rounding in the gradient at b; no residual can be told below it."""
        diagonal = self.gram.diagonal()[self.base]
        return rounding(diagonal, self.p, b, self.lower < self.upper)

    def free(self, b: Vector) -> NDArray[np.bool_]:
        """Say which variables stand strictly between their bounds: (m,)."""
        return (b > self.lower) & (b < self.upper)


def level_interval(program: Program, b: Vector, gradient: Vector, group: int) -> Vector:
    """Return the lowest and the highest level that a group's bounded variables allow: (2,)."""
    mine = program.group == group
    grow, shrink = mine & (b < program.upper), mine & (b > program.lower)
    low = (-gradient[grow]).max(initial=-np.inf)
    high = (-gradient[shrink]).min(initial=np.inf)
    return np.array([low, high])


def middle(interval: Vector) -> float:
    """Return the middle of an interval, its finite end where it has only one, 0 without any.

    >>> middle(np.array([1.0, 2.0])), middle(np.array([-np.inf, 2.0]))
    (1.5, 2.0)
    """
    ends = interval[np.isfinite(interval)]
    return float(ends.mean()) if len(ends) else 0.0


def violations(program: Program, b: Vector, levels: Vector, gradient: Vector) -> Vector:
    """Return by how much each variable breaks its condition: (m,).

    With h = Kb - p + the level of its group: one that may grow needs h >= 0, one that may
    shrink h <= 0, and a free one both.
    """
    h = gradient + levels[program.group]
    grow = np.where(b < program.upper, -h, 0.0)
    shrink = np.where(b > program.lower, h, 0.0)
    return np.maximum(np.maximum(grow, shrink), 0.0)


def residual(program: Program, b: Vector, levels: Vector, gradient: Vector | None = None) -> float:
    """Return the largest violation of any condition: stationarity, bounds, and the sums.

    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.zeros(2), np.zeros(2),
    ...               np.ones(2), np.array([1.0]))
    >>> residual(one, np.array([0.5, 0.5]), np.array([-0.5]))
    0.0
    """
    gradient = program.gradient(b) if gradient is None else gradient
    outside = float(np.maximum(program.lower - b, b - program.upper).max(initial=0.0))
    worst = float(violations(program, b, levels, gradient).max(initial=0.0))
    return max(worst, outside, float(np.abs(program.sums(b) - program.totals).max()))


def levels_of(program: Program, b: Vector, gradient: Vector) -> Vector:
    """Return each group's level: that of its free variables, or the middle of what is allowed."""
    free = program.free(b)
    out = np.empty(len(program.totals))
    for g in range(len(out)):
        mine = free & (program.group == g)
        if mine.any():
            out[g] = -float(gradient[mine].mean())
        else:
            out[g] = middle(level_interval(program, b, gradient, g))
    return out


def feasible(program: Program, start: Vector) -> Vector:
    """Return a point within the bounds and with the sums asked for, near a given one.

    What is missing is put where the gradient likes it best.

    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.array([0.0, 1.0]),
    ...               np.zeros(2), np.ones(2), np.array([1.5]))
    >>> feasible(one, np.zeros(2))
    array([0.5, 1. ])
    """
    b = np.clip(start, program.lower, program.upper)
    missing = program.totals - program.sums(b)
    if not missing.any():
        return b
    gradient = program.gradient(b)
    for g, part in enumerate(missing):
        mine = np.flatnonzero(program.group == g)
        order = mine[np.argsort(gradient[mine] if part > 0 else -gradient[mine], kind="stable")]
        for k in order:
            if part == 0.0:
                break
            room = (program.upper[k] if part > 0 else program.lower[k]) - b[k]
            step = min(part, room) if part > 0 else max(part, room)
            b[k] += step
            part -= step
    return b
