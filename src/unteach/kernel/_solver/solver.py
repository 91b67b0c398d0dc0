"""The exact solver: a rough start, then active sets to the last digit, then a check.

Whatever route led to it, the answer is settled from its sets alone: the free rows in their
order, one fresh factor, one refined solve. So two histories that end in the same sets end in
the same bits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from unteach.core import NotConverged

from .._downdate.conditioning import of_inverse
from .._machine.gram import square
from .active_set import ACCEPT, AT_BOUND, DRIFTED, OPTIMAL, OUT_OF_STEPS, level_solve
from .free_set import FreeSet, Rows, inverse, shift
from .qp import QP, Vector, add_rows, bias_interval, residual, violations
from .smo import smo


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved problem: b (n,), the bias rho, the moves it took, and the residual left.

    conditioning : that of its free rows; None where it was not computed
    """

    b: Vector
    rho: float
    moves: int
    kkt_residual: float
    conditioning: float | None = None


COARSEST = 1e-6
"""Largest KKT residual that is ever accepted, however large the rounding of the data's scale."""


def accepted(tol: float, noise: float) -> float:
    """Return the largest KKT residual that is accepted at this size of rounding."""
    return max(tol, min(16 * noise, COARSEST))


def budget(qp: QP, max_iter: int) -> int:
    """Return the most moves allowed; -1 is as many as a problem of this size could need."""
    return max_iter if max_iter >= 0 else 20_000 + 200 * len(qp)


def slack(qp: QP, b: Vector, tol: float) -> float:
    """Return the violation below which a row is left alone: well under tol, above rounding."""
    noise = qp.noise(b)
    return max(1e-13, 0.5 * noise, min(2 * noise, 0.2 * tol))


def solve(
    qp: QP, *, start: Vector | None = None, tol: float = 1e-10, max_iter: int = -1
) -> Solution:
    """Solve a convex problem exactly, or raise `NotConverged`.

    Parameters
    ----------
    qp : the problem; its Gram matrix must be positive semidefinite
    start : (n,) a point to start from, within the bounds or not
    tol : largest KKT residual that is accepted. It is recomputed from scratch in float64, and
        raised only where rounding alone is larger (large C times large kernel values).
    max_iter : most moves; -1 for as many as a problem of this size could need

    Examples
    --------
    >>> from .qp import classification
    >>> qp = classification(np.eye(2), np.array([1.0, -1.0]), np.full(2, 5.0))
    >>> solution = solve(qp)
    >>> solution.b, solution.rho, solution.kkt_residual
    (array([ 1., -1.]), 0.0, 0.0)
    """
    n = len(qp)
    most = budget(qp, max_iter)
    moves = 0
    b = np.zeros(n) if start is None else feasible(qp, start)
    if start is None or _broken(qp, b) > max(16, n // 40):
        b, moves = smo(qp, b, gap=1e-3, most=min(most, 1000 + 4 * n))
    return polish(FreeSet(qp, b.copy()), tol=tol, most=most, moves=moves)


def _broken(qp: QP, b: Vector) -> int:
    """Return how many rows break their condition by more than a thousandth."""
    gradient = qp.gradient(b)
    low, high = bias_interval(qp, b, gradient)
    return int((violations(qp, b, 0.5 * (low + high), gradient) > 1e-3).sum())


def feasible(qp: QP, start: Vector) -> Vector:
    """Return a point within the bounds and with sum 0 near a given one.

    What is missing is put where the gradient likes it best.

    >>> from .qp import classification
    >>> qp = classification(np.eye(3), np.array([1.0, -1.0, 1.0]), np.ones(3))
    >>> feasible(qp, np.array([0.0, -0.5, 0.0]))
    array([ 0.5, -0.5,  0. ])
    """
    b = np.clip(start, qp.lower, qp.upper)
    missing = -float(b.sum())
    if missing == 0.0:
        return b
    gradient = qp.gradient(b)
    for k in np.argsort(gradient if missing > 0 else -gradient, kind="stable"):
        room = qp.upper[k] - b[k] if missing > 0 else qp.lower[k] - b[k]
        part = min(missing, room) if missing > 0 else max(missing, room)
        b[k] += part
        missing -= part
        if missing == 0.0:
            break
    return b


def polish(
    state: FreeSet, *, tol: float, most: int, moves: int = 0, opened: bool = False
) -> Solution:
    """Go from a feasible point to the solution by active sets.

    opened : S is set up and level already, so that the first round need not factor.
    """
    qp, b = state.qp, state.b
    state.spent[0] = moves
    code = OPTIMAL
    for again in range(12):
        if opened and again == 0:
            code = state.exchange(qp.gradient(b), slack(qp, b, tol), most)
        else:
            _snap(qp, b)
            state.level[2] = ACCEPT * 10.0 ** (again // 2)  # drifted: ask for better pivots
            code = _round(state, slack(qp, b, tol), most)
        if code == OUT_OF_STEPS:
            break
        most_left = max(tol, min(16 * qp.noise(b), COARSEST))
        settled = settle(qp, b, state.rows)
        if not settled.kkt_residual <= most_left:
            settled = _as_it_is(state)
        if settled.kkt_residual <= most_left:
            return replace(settled, moves=int(state.spent[0]) + 1)
    why = "ran out of moves" if code == OUT_OF_STEPS else "did not settle"
    gradient = qp.gradient(b)
    left = residual(qp, b, 0.5 * sum(bias_interval(qp, b, gradient)), gradient)
    raise NotConverged(
        f"the solver {why} after {int(state.spent[0])} moves with a KKT residual of {left:.2g} "
        f"(wanted {tol:g}); scale the features, lower C, or raise max_iter"
    )


def _snap(qp: QP, b: Vector) -> None:
    """Put what lies within rounding of a bound on it."""
    give = 1e-12 * (qp.upper - qp.lower)
    np.copyto(b, qp.lower, where=b <= qp.lower + give)
    np.copyto(b, qp.upper, where=b >= qp.upper - give)


def _round(state: FreeSet, least: float, most: int) -> int:
    """Factor what is free, minimize over it, seat what is left over, and exchange."""
    qp, b = state.qp, state.b
    rest = state.open(np.flatnonzero((b > qp.lower) & (b < qp.upper)))
    gradient = qp.gradient(b)
    rows = state.rows
    state.level[0] = -gradient[rows].mean() if len(rows) else 0.0
    if len(rows):
        if state.descend(gradient) == DRIFTED:
            return DRIFTED
        gradient = qp.gradient(b)
    for k in rest:
        if qp.lower[k] < b[k] < qp.upper[k]:
            before = b.copy()
            code = state.move(int(k), float(gradient[k] + state.level[0]))
            add_rows(qp.gram, b - before, gradient)
            if code == DRIFTED:
                return DRIFTED
    return state.exchange(gradient, least, most)


def _as_it_is(state: FreeSet) -> Solution:
    """Return b and rho as the active set left them: sums over a nearly singular set."""
    qp, b = state.qp, state.b.copy()
    _snap(qp, b)
    rho = float(state.level[0])
    gradient = qp.gradient(b)
    middle = 0.5 * sum(bias_interval(qp, b, gradient))
    if not ((b > qp.lower) & (b < qp.upper)).any():
        rho = middle
    left, central = residual(qp, b, rho, gradient), residual(qp, b, middle, gradient)
    return Solution(b, rho, 0, left) if left <= central else Solution(b, middle, 0, central)


def settle(qp: QP, b: Vector, rows: Rows) -> Solution:
    """Return the solution computed from the sets alone; residual inf if they do not hold.

    rows are the free ones, in order; every other b must stand at a bound (or be parked). Free
    rows that come out at a bound, up to rounding, are put there and the rest is solved again.
    """
    b = b.copy()
    while len(rows):
        kss = square(qp.gram, rows)
        sigma = shift(qp, rows)
        inverted = inverse(kss + sigma, 0.0)
        if inverted is None:
            return Solution(b, 0.0, 0, np.inf)
        b[rows] = 0.0
        rhs = -qp.gradient(b)[rows]
        x, rho, _ = level_solve(kss, inverted, len(rows), sigma, rhs, -float(b.sum()))
        lower, upper = qp.lower[rows], qp.upper[rows]
        give = 1e-12 * (upper - lower)
        low, high = x <= lower + give, x >= upper - give
        b[rows] = np.where(low, lower, np.where(high, upper, x))
        if not (low | high).any():
            amplified = of_inverse(inverted, float(kss.diagonal().max()))
            return Solution(b, float(rho), 0, residual(qp, b, float(rho)), amplified)
        rows = rows[~(low | high)]
    gradient = qp.gradient(b)
    rho = 0.5 * sum(bias_interval(qp, b, gradient))
    return Solution(b, rho, 0, residual(qp, b, rho, gradient), 0.0)


def remove(
    qp: QP, solution: Solution, out: Rows, *, tol: float = 1e-10, max_iter: int = -1
) -> Solution:
    """Solve the problem in which some rows must have b = 0, from the solution with them.

    A few support vectors are driven to zero one by one while the free rows keep their
    conditions; then whoever is violated comes in. Many are dropped at once and solved for.

    >>> from .qp import classification
    >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> qp = classification(gram, np.array([1.0, 1.0, -1.0]), np.full(3, 5.0))
    >>> remove(qp, solve(qp), np.array([1])).b
    array([ 1.,  0., -1.])
    """
    closed = qp.closed(out)
    held = out[solution.b[out] != 0]
    if len(held) <= max(3, int(np.count_nonzero(solution.b)) // 20):
        state = _driven(qp, closed, solution, held)
        if state is not None:
            with suppress(NotConverged):  # then from afresh, below
                return polish(state, tol=tol, most=budget(qp, max_iter), opened=True)
    start = solution.b.copy()
    start[out] = 0.0
    return solve(closed, start=start, tol=tol, max_iter=max_iter)


def _driven(qp: QP, closed: QP, solution: Solution, held: Rows) -> FreeSet | None:
    """Return S with the held rows at zero and the others balanced; None if none is free."""
    state = FreeSet(closed, solution.b.copy())
    free = (solution.b > qp.lower) & (solution.b < qp.upper)
    free[held] = False
    state.open(np.flatnonzero(free))
    state.level[0] = solution.rho
    for k in held:
        if state.drive(int(k)) != AT_BOUND:
            return None
    return state
