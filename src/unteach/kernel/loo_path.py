"""Leave-one-out by the weight path: one support vector after another is moved out of S.

The plain way for what the tableau does not settle: duplicates, ties, linear kernels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .active import AT_BOUND, OPTIMAL
from .freeset import FreeSet
from .qp import QP, Vector, add_rows
from .solver import Solution


class Anchor:
    """A free set that can be put back as it was, so that every row starts from one factor."""

    def __init__(self, qp: QP, solution: Solution) -> None:
        b = solution.b
        self.state = FreeSet(replace(qp, lower=qp.lower.copy(), upper=qp.upper.copy()), b.copy())
        self.state.open(np.flatnonzero((b > qp.lower) & (b < qp.upper)))
        self.state.level[0] = solution.rho
        s = int(self.state.count[0])
        self.size = s
        self.held = {
            name: getattr(self.state, name).copy() for name in ("b", "free", "slot", "level")
        }
        self.kss, self.inverse = self.state.kss[:s, :s].copy(), self.state.inverse[:s, :s].copy()

    def put_back(self) -> FreeSet:
        """Return the free set as it was at first."""
        state, s = self.state, self.size
        for name, array in self.held.items():
            getattr(state, name)[:] = array
        state.kss[:s, :s], state.inverse[:s, :s] = self.kss, self.inverse
        state.count[0], state.spent[0] = s, 0
        return state


def value_without(
    anchor: Anchor, c: int, gradient: Vector, least: float, most: int
) -> float | None:
    """Return f(x_c) of the machine without row c, or None where the quick way does not hold.

    gradient is that of the whole machine; it is followed in place.
    """
    state = anchor.put_back()
    qp, b = state.qp, state.b
    start, low, high = b.copy(), qp.lower[c], qp.upper[c]
    try:
        qp.lower[c], qp.upper[c] = min(0.0, b[c]), max(0.0, b[c])
        if state.slot[c] >= 0:
            state.drop(c)
        if state.drive(c) != AT_BOUND:
            return None
        qp.lower[c] = qp.upper[c] = 0.0
        add_rows(qp.gram, b - start, gradient)
        if state.exchange(gradient, least, most) != OPTIMAL:
            return None
    finally:
        qp.lower[c], qp.upper[c] = low, high
    rows, rho = state.rows, float(state.level[0])
    lower, upper = qp.lower[rows], qp.upper[rows]
    give = 1e-12 * (upper - lower)
    inside = (b[rows] > lower + give) & (b[rows] < upper - give)
    off = max(abs(float(b.sum())), float(np.abs(gradient[rows] + rho).max(initial=0.0)))
    if off > 1e-10 or (len(rows) and not inside.any()):  # such a free set fixes no bias
        return None
    return float(gradient[c] + qp.p[c]) + rho
