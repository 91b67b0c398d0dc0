"""The path of a row's weight from 1 to 0, for the machines beyond C-SVC, as it is shown.

How it is walked: `program_walk`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, NotConverged, OneClassLeft

from .._estimator import validation as checked
from .._machine.blas_threads import one_thread
from .._machine.grouped_machine import Part, Parts
from .._solver import grouped_free_set as levels
from .._solver.active_set import DRIFTED, PARKED
from .._solver.grouped_qp import Program, level_interval, middle, residual
from .._solver.grouped_solver import LevelSet, snap
from .._solver.qp import Vector
from .weight_path import ForgetPath, Knot, Values

# One walk down the path of a row's weight, for the machines beyond C-SVC: the active sets.
#
# As in `path`, with two differences. A row may have two variables, one that pulls up and one that
# pulls down. And where a share nu is asked for, the sums move with the row's weight, so that the
# whole solution moves along, whether the row is a support vector or not.

_TINY = 1e-12


class Walk:
    """One walk down the path; `share` is the weight of the row, as a part of what it was."""

    def __init__(self, whole: Program, closed: Program, start: Vector, at: Vector, k: int) -> None:
        self.program = replace(
            whole, lower=whole.lower.copy(), upper=whole.upper.copy(), totals=whole.totals.copy()
        )
        self.mine = np.flatnonzero(whole.base == k)
        self.first = whole.lower[self.mine], whole.upper[self.mine]
        self.rate = closed.totals - whole.totals  # per unit of share that goes
        self.ends = whole.totals, closed.totals
        self.k, self.share = k, 1.0
        self.state = LevelSet(self.program, start.copy())
        self.left = self.state.open(np.flatnonzero(self.program.free(start)))
        self.state.level[:] = at
        self.knots: list[tuple[float, str, int, Vector, Vector]] = []

    def note(self, event: str, who: int) -> None:
        """Write a knot down, after checking that it is a solution at this share."""
        program, b = self.program, self.state.b
        left = residual(program, b, self.state.level)
        if left > max(1e-9, 1e2 * program.noise(b)):
            raise NotConverged(
                f"the path lost its way at knot {len(self.knots)}, with a KKT residual of "
                f"{left:.2g}; forget() has other ways"
            )
        self.knots.append((self.share, event, who, self.state.level.copy(), b.copy()))

    def run(self) -> None:
        """Let the weight of the row go to zero, noting every change of the sets."""
        self.note("start", self.k)
        for _ in range(20 * len(self.program) + 200):
            self._seat()
            rate = self._rates()
            for g in range(len(self.rate)):
                if rate[1][g] != 0.0 and not self._company(g):
                    self._first(g, rate[1][g])
            who, event = self._segment()
            self.note(event, int(self.program.base[who]))
            if event == "gone":
                return
        raise NotConverged("the path did not end: its sets change without end (degenerate rows)")

    def _company(self, g: int) -> bool:
        state = self.state
        return bool((state.side[: int(state.count[0])] == g).any())

    def _seat(self) -> None:
        """Let in variables inside their bounds that, so far, depended on the free ones."""
        program, state = self.program, self.state
        for j in self.left:
            if state.slot[j] < 0 and program.lower[j] < state.b[j] < program.upper[j]:
                state.move(int(j), -1e-300)

    def _rates(self) -> tuple[Vector, Vector]:
        """Return how the row's own variables move, and what the others of each group make up."""
        program, state = self.program, self.state
        own = np.zeros(len(program))
        for v, low, high in zip(self.mine, *self.first, strict=True):
            if state.slot[v] < 0 and state.b[v] != 0.0:
                own[v] = -high if state.b[v] > 0 else -low
        return own, self.rate - program.sums(own)

    def _first(self, g: int, rate: float) -> None:
        """Nobody of a group is free: its level goes to the end at which someone can move."""
        program, state = self.program, self.state
        gradient = program.gradient(state.b)
        mine = program.group == g
        can = state.b < program.upper if rate > 0 else state.b > program.lower
        able = np.flatnonzero(mine & can)
        if len(able) == 0:
            raise NotConverged("no other row can make up for the one that goes")
        j = int(able[gradient[able].argmin() if rate > 0 else gradient[able].argmax()])
        state.level[g] = -gradient[j]
        self._let_in(j)
        self.note("enters", int(program.base[j]))

    def _let_in(self, j: int) -> None:
        upward = bool(self.state.b[j] < self.program.upper[j])
        code = self.state.move(j, -1e-300 if upward else 1e-300)
        if code in (DRIFTED, PARKED):
            raise NotConverged(
                "the path meets rows that the kernel cannot tell apart; forget() does without it"
            )

    def _segment(self) -> tuple[int, str]:
        """Go to the next change of a set; return the variable that changes, and how."""
        program, state = self.program, self.state
        b, s = state.b, int(state.count[0])
        free = state.free[:s].copy()
        own, rates = self._rates()
        field = program.field(own)[program.base]
        step, g, left = levels.level_solve(
            state.kss, state.inverse, state.side[:s], s, state.sigma, -field[free], rates
        )
        if s and left > 1e-8:
            raise NotConverged("the path meets rows that the kernel can hardly tell apart")
        move = own.copy()
        move[free] = step
        slope = program.field(move)[program.base] + g[program.group]
        q, way = self._blocked(free, step)
        h = program.gradient(b) + state.level[program.group]
        may = program.lower < program.upper
        may[free] = False
        tiny = _TINY * max(1.0, float(np.abs(slope).max()))
        grows = may & (b == program.lower) & (slope < -tiny)
        shrinks = may & (b == program.upper) & (slope > tiny)
        meets = np.full(len(b), np.inf)
        meets[grows] = np.maximum(h[grows], 0.0) / -slope[grows]
        meets[shrinks] = np.maximum(-h[shrinks], 0.0) / slope[shrinks]
        j = int(meets.argmin())
        enters = bool(meets[j] < way)
        way = min(way, float(meets[j]))
        b += way * move
        state.level += way * g
        self._shrink(self.share - way if enters or q >= 0 else 0.0)
        if enters:
            self._let_in(j)
            return j, "enters"
        if q < 0:
            return int(self.mine[0]), "gone"
        i = int(free[q])
        up = program.upper[i] - b[i] <= b[i] - program.lower[i]
        b[i] = program.upper[i] if up else program.lower[i]
        levels.leave(
            state.free, state.slot, state.side, state.kss, state.inverse, state.count, int(q)
        )
        return i, "reaches its bound" if i in self.mine and b[i] != 0.0 else "leaves"

    def _blocked(self, free: NDArray[np.int64], step: Vector) -> tuple[int, float]:
        """Return (place in S, share) of the first free variable to meet a bound; -1 if none."""
        program, b = self.program, self.state.b
        up, down = np.zeros(len(b)), np.zeros(len(b))
        down[self.mine], up[self.mine] = -self.first[0], -self.first[1]
        rise, fall = step - up[free], step - down[free]
        to = np.full(len(free), np.inf)
        rising, falling = rise > 1e-14, fall < -1e-14
        to[rising] = np.maximum((program.upper[free] - b[free])[rising], 0.0) / rise[rising]
        low = np.minimum((program.lower[free] - b[free])[falling], 0.0) / fall[falling]
        to[falling] = np.minimum(to[falling], low)
        if len(free) == 0 or not float(to.min()) < self.share:
            return -1, self.share
        near = np.flatnonzero(to <= to.min() + 1e-13)
        q = int(near[np.abs(step[near]).argmax()])
        return q, float(to[q])

    def _shrink(self, share: float) -> None:
        """Set the bounds of the row and the sums to those of this share."""
        program, state = self.program, self.state
        self.share = max(share, 0.0)
        for v, low, high in zip(self.mine, *self.first, strict=True):
            program.lower[v], program.upper[v] = self.share * low, self.share * high
            if state.slot[v] < 0 and state.b[v] != 0.0:
                state.b[v] = program.upper[v] if state.b[v] > 0 else program.lower[v]
        whole, closed = self.ends
        program.totals[:] = self.share * whole + (1.0 - self.share) * closed


@dataclass(frozen=True, eq=False)
class ScaledPath(ForgetPath):
    """The path of a machine that is divided by its margin: linear between knots before that.

    Knots, weights and biases are those of the problem before the division.

    margins : (knots,) what weights and bias are divided by
    """

    margins: Vector = field(kw_only=True)

    def at(self, share: float) -> tuple[Vector, float]:
        """Return the weights (s,) and the bias at a share in [0, 1], divided by the margin."""
        whole = replace(self, weights=np.column_stack([self.weights, self.margins]))
        both, rho = ForgetPath.at(whole, share)
        return both[:-1] / both[-1], rho / float(both[-1])


def walk_program(parts: Parts, part: Part, k: int) -> Walk:
    """Return the walk of one row of a part, done and its end checked; k is among the part's rows.

    Raises what `WalksShares.forget_path` raises.
    """
    whole = parts.program(part.first, part.rows)
    target = np.where(parts.codes[part.rows] == part.first, 1.0, -1.0)
    target = target if parts.classes else parts.target[part.rows]
    fewer = parts.bounds[part.rows].copy()
    fewer[k] = 0.0
    closed = parts.dual.program(whole.gram, target, fewer)
    walked = Walk(whole, closed, part.variables, part.levels, k)
    walked.run()
    share, event, who, at, b = walked.knots[-1]
    snap(closed, b)
    gradient = closed.gradient(b)
    free = closed.free(b)
    settled = at.copy()
    for g in range(len(at)):
        if not (free & (closed.group == g)).any():
            settled[g] = middle(level_interval(closed, b, gradient, g))
    left = residual(closed, b, settled, gradient)
    if left > max(1e-8, 1e3 * closed.noise(b)):
        raise NotConverged(f"the path ended with a KKT residual of {left:.2g}")
    walked.knots[-1] = share, event, who, at, b
    if not np.array_equal(settled, at):
        walked.knots.append((0.0, "settles", who, settled, b))
    return walked


class WalksShares:
    """Adds `forget_path` to the machines beyond C-SVC."""

    @one_thread
    def forget_path(self, id: Any) -> ForgetPath:
        """Return the path on which one row's weight goes from 1 to 0; the model stays as it is.

        Every point of it is the exact solution of a weighted machine. Where a share nu is asked
        for, the solution moves even if the row is no support vector. Between knots, weights and
        bias are linear in the share; for `NuSVC` that holds before the division by the margin
        (the path's `margins`), and `at` and `decision_function` divide. At most two classes.

        id : that of the row. Raises `UnknownRecord`; `OneClassLeft` for the last row of a class;
        `BadInput` where nu would be infeasible without the row; `NotConverged` where rows that
        the kernel cannot tell apart leave the path without a direction (`forget` has other ways
        then), and where no margin is left on it.

        >>> from unteach.kernel import OneClassSVM
        >>> X = np.array([[0.0], [0.1], [-0.1], [0.2], [5.0]])
        >>> model = OneClassSVM(gamma=1.0, nu=0.3).fit(X)
        >>> path = model.forget_path(4)
        >>> gone = model.without([4]).decision_function([[1.0]])
        >>> bool(abs(path.decision_function([[1.0]], 0.0) - gone)[0] < 1e-9)
        True
        """
        model: Any = self
        if np.isinf(model._params.get("C", 1.0)):
            raise BadInput("with C=inf there is no path of costs; give a finite C")
        k = int(model._positions([id])[0])
        parts: Parts = model._parts
        if parts.classes > 2:
            raise BadInput(
                f"forget_path needs two classes, this machine has {parts.classes}; take the "
                "pairs of classes one by one"
            )
        part = parts.pairs[0]
        if parts.bounds[k] == 0:
            raise BadInput(f"row {id!r} has weight zero; it is as forgotten already")
        rest = np.delete(part.rows, np.flatnonzero(part.rows == k))
        if parts.classes and len(np.unique(parts.codes[rest])) < 2:
            raise OneClassLeft("this row is the last of its class; without it one class is left")
        walked = walk_program(parts, part, int(np.flatnonzero(part.rows == k)[0]))
        kernel, rows = parts.kernel, parts.x

        def values(X: Any) -> NDArray[np.float64]:
            x = checked.rows(model, X)
            return x if kernel.name == "precomputed" else kernel.between(x, rows)

        return _told(walked, parts, part, model.sample_ids_, model._sign, values)


def _told(
    walked: Walk, parts: Parts, part: Part, ids: Ids, sign: float, values: Values
) -> ForgetPath:
    """Return a walk in scikit-learn's signs, and in the ids of the rows."""
    scaled = parts.classes > 0
    weights = np.zeros((len(walked.knots), len(parts.codes)))
    for place, (*_, b) in enumerate(walked.knots):
        weights[place, part.rows] = walked.program.spread(b)
    used = np.flatnonzero(weights.any(axis=0))
    knots = []
    for place, (share, event, who, at, _) in enumerate(walked.knots):
        change = weights[place] - weights[max(place - 1, 0)]
        moved = np.flatnonzero(change)
        rho = sign * float(at.mean())
        named = ids[part.rows[who]].item()
        knots.append(Knot(share, event, named, rho, ids[moved], sign * change[moved]))
    told: Any = (tuple(knots), ids[used], sign * weights[:, used], lambda X: values(X)[:, used])
    if not scaled:
        return ForgetPath(*told)
    margins = np.array([0.5 * float(at[1] - at[0]) for *_, at, _ in walked.knots])
    if margins.min() <= 1e6 * walked.program.noise(walked.knots[0][4]):
        raise NotConverged("no margin is left on the path: the reduced hulls of the classes meet")
    return ScaledPath(*told, margins=margins)
