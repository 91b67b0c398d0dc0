"""The exact solver of programs: a rough start, active sets to the last digit, then a check.

The counterpart of `solver` for groups. Whatever route led to it, the answer is settled from its
sets alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from unteach.core import NotConverged

from .._machine.gram import square
from . import grouped_active_set as level_moves
from . import grouped_free_set as levels
from . import smo as level_rough
from .active_set import ACCEPT, DRIFTED, OPTIMAL, OUT_OF_STEPS
from .free_set import inverse, shift
from .grouped_qp import (
    Program,
    Rows,
    feasible,
    level_interval,
    levels_of,
    middle,
    residual,
    violations,
)
from .qp import QP, Vector
from .smo import TAU
from .solver import COARSEST


@dataclass(frozen=True, eq=False)
class Solved:
    """A solved program: b (m,), the level of each group, the moves, and the residual left."""

    b: Vector
    levels: Vector
    moves: int
    kkt_residual: float


class LevelSet:
    """A free set S of one program, with K_SS and the inverse of K_SS + sigma EE'.

    These are functions of the rows, so they live no longer than one operation. `b` is changed
    in place; `field` is K times the weights of the rows, kept by `exchange`.
    """

    def __init__(self, program: Program, b: Vector) -> None:
        m = len(program)
        k = len(program.totals)
        room = min(m, len(program.gram) + k)
        self.program, self.b = program, b
        used = np.unique(program.base[(program.lower < program.upper) | (b != 0)])
        self.sigma = shift(_as_qp(program), used)
        self.level = np.zeros(k)
        self.accept = ACCEPT
        self.free = np.empty(room, np.int64)
        self.side = np.empty(room, np.int64)
        self.slot = np.full(m, -1, np.int64)
        self.kss = np.empty((room, room))
        self.inverse = np.empty((room, room))
        self.count = np.zeros(1, np.int64)
        self.spent = np.zeros(1, np.int64)

    @property
    def rows(self) -> Rows:
        """The free variables, in order."""
        return np.sort(self.free[: self.count[0]])

    def open(self, rows: Rows) -> Rows:
        """Let S be as many of these variables as are independent; return those left over."""
        shifted = _shifted(self.program, rows, self.sigma)
        least = 10 * self.accept * float(shifted.diagonal().max(initial=0.0))
        taken, left = rows, rows[:0]
        inverted = inverse(shifted, least) if len(rows) <= len(self.free) else None
        if inverted is None:
            _, order, rank, _ = scipy.linalg.lapack.dpstrf(shifted, lower=1, tol=least)
            rank = min(rank, len(self.free)) + 1
            while inverted is None:  # pivots of another order may be smaller yet
                rank -= 1 + rank // 50
                kept = np.sort(order[:rank].astype(np.int64) - 1)
                inverted = inverse(square(shifted, kept), 0.1 * least)
                taken = rows[kept]
            left = np.setdiff1d(rows, taken)
        s = len(taken)
        self.kss[:s, :s] = square(self.program.gram, self.program.base[taken])
        self.inverse[:s, :s] = inverted
        self.slot[:] = -1
        self.slot[taken] = np.arange(s)
        self.free[:s] = taken
        self.side[:s] = self.program.group[taken]
        self.count[0] = s
        return left

    def _sets(self) -> tuple[Any, ...]:
        return self.free, self.slot, self.side, self.kss, self.inverse, self.count, self.sigma

    def descend(self, gradient: Vector) -> int:
        """Minimize over S within the bounds."""
        p = self.program
        arrays: Any = (p.lower, p.upper, self.b, gradient, self.level, *self._sets())
        return int(level_moves.descend(*arrays))

    def move(self, k: int, h: float, *, target: float | None = None) -> int:
        """Move a variable that is not in S downhill, or (with a target) to b_k = target."""
        p, driving = self.program, target is not None
        arrays: Any = (
            p.gram,
            p.base,
            p.group,
            p.lower,
            p.upper,
            self.b,
            self.level,
            *self._sets(),
            k,
            h,
            0.0 if target is None else target,
            driving,
            False,
            self.accept,
            np.zeros(1),
        )
        return int(level_moves.move(*arrays))

    def exchange(self, field: Vector, least: float, most: int) -> int:
        """Let violators in until none is violated by more than `least`."""
        p = self.program
        arrays: Any = (
            p.gram,
            p.base,
            p.group,
            p.p,
            p.lower,
            p.upper,
            self.b,
            field,
            self.level,
            *self._sets(),
            least,
            self.accept,
            most,
            self.spent,
        )
        return int(level_moves.exchange(*arrays))


def _as_qp(program: Program) -> QP:
    return QP(program.gram, program.p, program.lower, program.upper)


def _shifted(program: Program, rows: Rows, sigma: float) -> Vector:
    """Return K_SS + sigma EE' of some variables, in a fresh array."""
    out = square(program.gram, program.base[rows])
    group = program.group[rows]
    out += np.where(group[:, None] == group[None, :], sigma, 0.0)
    return out


def solve_program(
    program: Program, *, start: Vector | None = None, tol: float = 1e-10, max_iter: int = -1
) -> Solved:
    """Solve a convex program exactly, or raise `NotConverged`.

    Parameters
    ----------
    program : its Gram matrix must be positive semidefinite, and its sums within reach
    start : (m,) a point to start from, within the bounds or not
    tol : largest KKT residual that is accepted. It is recomputed from scratch in float64, and
        raised only where rounding alone is larger.
    max_iter : most moves; -1 for as many as a problem of this size could need

    Examples
    --------
    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.zeros(2), np.zeros(2),
    ...               np.ones(2), np.array([1.0]))
    >>> solved = solve_program(one)
    >>> solved.b, solved.levels
    (array([0.5, 0.5]), array([-0.5]))
    """
    m = len(program)
    most = max_iter if max_iter >= 0 else 20_000 + 200 * m
    b = feasible(program, np.zeros(m) if start is None else start)
    moves = 0
    if start is None or _broken(program, b) > max(16, m // 40):
        b, moves = _rough(program, b, min(most, 1000 + 4 * m))
    return _polish(LevelSet(program, b), tol, most, moves)


def _rough(program: Program, b: Vector, most: int) -> tuple[Vector, int]:
    b = b.copy()
    field = program.field(b)
    p = program
    size = max(1.0, float(np.ptp(p.p)) if len(p) else 1.0)
    steps = level_rough.rough(
        p.gram,
        p.base,
        p.group,
        p.p,
        p.lower,
        p.upper,
        b,
        field,
        1e-3 * size,
        most,
        TAU,
        len(p.totals),
    )
    return b, int(steps)


def _broken(program: Program, b: Vector) -> int:
    """Return how many variables break their condition by more than a thousandth."""
    gradient = program.gradient(b)
    spans = [level_interval(program, b, gradient, g) for g in range(len(program.totals))]
    broken = violations(program, b, np.array([middle(s) for s in spans]), gradient)
    return int((broken > 1e-3).sum())


def snap(program: Program, b: Vector) -> None:
    """Put what lies within rounding of a bound on it."""
    give = 1e-12 * (program.upper - program.lower)
    np.copyto(b, program.lower, where=b <= program.lower + give)
    np.copyto(b, program.upper, where=b >= program.upper - give)


def _slack(program: Program, b: Vector, tol: float) -> float:
    """Return the violation below which a variable is left alone: under tol, above rounding."""
    noise = program.noise(b)
    return max(1e-13, 0.5 * noise, min(2 * noise, 0.2 * tol))


def _polish(state: LevelSet, tol: float, most: int, moves: int) -> Solved:
    """Go from a feasible point to the solution by active sets."""
    program, b = state.program, state.b
    state.spent[0] = moves
    code = OPTIMAL
    for again in range(12):
        snap(program, b)
        state.accept = ACCEPT * 10.0 ** (again // 2)  # drifted: ask for better pivots
        code = _round(state, _slack(program, b, tol), most)
        if code == OUT_OF_STEPS:
            break
        allowed = max(tol, min(16 * program.noise(b), COARSEST))
        found, level, left = settle(program, b, state.rows)
        if not left <= allowed:
            found = b.copy()
            snap(program, found)
            level = levels_of(program, found, program.gradient(found))
            left = residual(program, found, level)
        if left <= allowed:
            return Solved(found, level, int(state.spent[0]) + 1, left)
    why = "ran out of moves" if code == OUT_OF_STEPS else "did not settle"
    left = residual(program, b, levels_of(program, b, program.gradient(b)))
    raise NotConverged(
        f"the solver {why} after {int(state.spent[0])} moves with a KKT residual of {left:.2g} "
        f"(wanted {tol:g}); scale the features and the targets, lower C, or raise max_iter"
    )


def _round(state: LevelSet, least: float, most: int) -> int:
    """Restore the sums, factor what is free, minimize over it, seat the rest, and exchange."""
    program, b = state.program, state.b
    b[:] = feasible(program, b)
    rest = state.open(np.flatnonzero(program.free(b)))
    gradient = program.gradient(b)
    rows = state.rows
    state.level[:] = levels_of(program, b, gradient)
    if len(rows):
        if state.descend(gradient) == DRIFTED:
            return DRIFTED
        gradient = program.gradient(b)
    for k in rest:
        if program.lower[k] < b[k] < program.upper[k]:
            h = float(gradient[k] + state.level[program.group[k]])
            code = state.move(int(k), h)
            gradient = program.gradient(b)
            if code == DRIFTED:
                return DRIFTED
    return state.exchange(program.field(b), least, most)


def settle(program: Program, b: Vector, rows: Rows) -> tuple[Vector, Vector, float]:
    """Return (b, levels, residual) computed from the sets alone; residual inf if they fail.

    rows are the free variables, in order; every other one must stand at a bound (or be
    parked). Free ones that come out at a bound, up to rounding, are put there, and the rest is
    solved again.
    """
    b = b.copy()
    out = np.zeros(len(program.totals))
    while len(rows):
        sigma = shift(_as_qp(program), program.base[rows])
        inverted = inverse(_shifted(program, rows, sigma), 0.0)
        if inverted is None:
            return b, out, np.inf
        b[rows] = 0.0
        x, out, _ = levels.level_solve(
            square(program.gram, program.base[rows]),
            inverted,
            program.group[rows],
            len(rows),
            sigma,
            -program.gradient(b)[rows],
            program.totals - program.sums(b),
        )
        lower, upper = program.lower[rows], program.upper[rows]
        give = 1e-12 * (upper - lower)
        low, high = x <= lower + give, x >= upper - give
        b[rows] = np.where(low, lower, np.where(high, upper, x))
        if not (low | high).any():
            break
        rows = rows[~(low | high)]
    gradient = program.gradient(b)
    for g in range(len(out)):
        if not (program.group[rows] == g).any():
            out[g] = middle(level_interval(program, b, gradient, g))
    return b, out, residual(program, b, out, gradient)
