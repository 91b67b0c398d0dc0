"""One walk down the path of a row's weight, for the machines beyond C-SVC: the active sets.

As in `path`, with two differences. A row may have two variables, one that pulls up and one that
pulls down. And where a share nu is asked for, the sums move with the row's weight, so that the
whole solution moves along, whether the row is a support vector or not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unteach.core import NotConverged

from . import levels
from .active import DRIFTED, PARKED
from .program import Program, residual
from .programs import LevelSet
from .qp import Vector

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
