"""Leave-one-out: the solution without each support vector, one after another, from one factor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, OneClassLeft

from .active import AT_BOUND, OPTIMAL
from .freeset import FreeSet
from .machine import Machine
from .qp import QP, Vector, add_rows
from .solver import Solution, budget, remove, slack
from .stationary import stationary


class _Anchor:
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


def _without(anchor: _Anchor, c: int, gradient: Vector, least: float, most: int) -> float | None:
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


def leave_each_out(
    qp: QP, solution: Solution, *, tol: float = 1e-10, max_iter: int = -1
) -> tuple[Vector, Vector]:
    """Return f(x_i) of the machine with all rows and of the one without row i: (n,), (n,).

    Rows that are no support vectors leave the machine as it is (or widen the interval of the
    bias, where no support vector is free). Where the quick way does not
    hold to 1e-10, the row is removed by the solver itself.

    >>> from .qp import classification
    >>> from .solver import solve
    >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> qp = classification(gram, np.array([1.0, 1.0, -1.0]), np.full(3, 5.0))
    >>> leave_each_out(qp, solve(qp))[1].round(6)[:2]
    array([0.5, 0.5])
    """
    b = solution.b
    gradient = qp.gradient(b)
    whole = gradient + qp.p + solution.rho
    left = whole.copy()
    if not ((b > qp.lower) & (b < qp.upper)).any():
        _widen(qp, solution, gradient, left)
    anchor = _Anchor(qp, solution)
    least, most = slack(qp, b, tol), budget(qp, max_iter)
    for c in np.flatnonzero(b):
        value = _without(anchor, int(c), gradient.copy(), least, most)
        if value is None:
            without = remove(qp, solution, np.array([c]), tol=tol, max_iter=max_iter)
            value = float(qp.gram[c] @ without.b) + without.rho
        left[c] = value
    return whole, left


def _widen(qp: QP, solution: Solution, gradient: Vector, left: Vector) -> None:
    """Move the bias where a row that is no support vector holds an end of its interval alone."""
    b = solution.b
    grow = np.where(b < qp.upper, -gradient, -np.inf)
    shrink = np.where(b > qp.lower, -gradient, np.inf)
    for c in {int(grow.argmax()), int(shrink.argmin())}:
        if b[c] == 0:
            low, high = np.delete(grow, c).max(), np.delete(shrink, c).min()
            left[c] += 0.5 * (low + high) - solution.rho


def margins_left_out(machine: Machine, classes: NDArray[Any]) -> Vector:
    """Return y f(x) of every row of a two-class machine as if it had been left out: (n,)."""
    codes = machine.codes
    if (codes < 0).any():
        raise BadInput("a row of weight zero is of a class that the machine does not know")
    counts = np.bincount(codes[machine.bounds > 0], minlength=2)
    if counts.min() < 2:
        raise OneClassLeft(
            f"class {classes[counts.argmin()]!r} has a single row; leaving it out leaves one class"
        )
    pair = machine.pairs[0]
    qp = machine.problem(np.arange(len(codes)), 0)
    b = np.zeros(len(codes))
    b[pair.rows] = pair.b
    limits: dict[str, Any] = {"tol": machine.tol, "max_iter": machine.max_iter}
    if machine.convex:
        solution = Solution(b, pair.rho, pair.moves, pair.certificate.kkt_residual)
        _, left = leave_each_out(qp, solution, **limits)
    else:
        left = qp.gradient(b) + qp.p + pair.rho
        for c in np.flatnonzero(b):
            rest = pair.rows[pair.rows != c]
            found = stationary(machine.problem(rest, 0), **limits)
            left[c] = float(machine.gram[c, rest] @ found.b) + found.rho
    return left * np.where(codes == 0, 1.0, -1.0)
