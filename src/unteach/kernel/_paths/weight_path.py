"""The path of a row's cost from C to 0: each point on it is an exact weighted machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, NotConverged, OneClassLeft

from .._estimator import validation as checked
from .._machine.blas_threads import one_thread
from .._machine.machine import Machine
from .._solver import grouped_active_set as level_moves
from .._solver import grouped_free_set as levels
from .._solver.active_set import DRIFTED, PARKED
from .._solver.grouped_qp import Program, level_interval, levels_of, middle, residual
from .._solver.grouped_solver import LevelSet, snap
from .._solver.qp import QP, Vector

Values = Callable[[Any], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Knot:
    """A point of the path at which a set changes.

    share : the row's cost, as a share of what it was, in [0, 1]
    event : "start", "reaches its bound", "enters" (from zero or from C), "leaves" (to zero or
        to C), "gone", "settles" (nobody is free in the end, and the bias goes from the end of
      its interval to the middle)
    who : id of the row that it happens to
    rho : the bias, in scikit-learn's sign
    ids, change : the weights that changed since the knot before, by how much, in
        scikit-learn's sign (positive for `classes_[1]`)
    """

    share: float
    event: str
    who: Any
    rho: float
    ids: Ids
    change: Vector


@dataclass(frozen=True, eq=False, repr=False)
class ForgetPath:
    """All machines between the one with a row and the one without it.

    Between knots the weights, the bias and so the decision function are linear in the share.

    knots : shares descending from 1 to 0
    ids : (s,) every row with a weight anywhere on the path
    weights : (knots, s), in scikit-learn's sign
    """

    knots: tuple[Knot, ...]
    ids: Ids
    weights: NDArray[np.float64]
    _kernel_values: Values

    def __repr__(self) -> str:
        first, last = self.knots[0], self.knots[-1]
        return (
            f"<path of row {first.who!r} from {first.share:g} to {last.share:g} of its cost: "
            f"{len(self.knots)} knots, {len(self.ids)} rows with a weight>"
        )

    @property
    def shares(self) -> Vector:
        """The share of each knot: (knots,), descending."""
        return np.array([k.share for k in self.knots])

    def at(self, share: float) -> tuple[Vector, float]:
        """Return the weights (s,) of the rows `ids` and the bias at a share in [0, 1]."""
        if not 0 <= share <= 1:
            raise BadInput(f"a share lies in [0, 1], got {share!r}")
        shares = self.shares
        after = int(np.searchsorted(-shares, -share, side="left"))
        last = shares[after]
        if share == 1:
            return self.weights[0], self.knots[0].rho
        if last == share:
            same = np.flatnonzero(shares == last)
            return self.weights[same[-1]], self.knots[same[-1]].rho
        before = after - 1
        part = (shares[before] - share) / (shares[before] - last)
        weights = (1 - part) * self.weights[before] + part * self.weights[after]
        return weights, (1 - part) * self.knots[before].rho + part * self.knots[after].rho

    def decision_function(self, X: Any, share: float) -> NDArray[np.float64]:
        """Return the decision values of rows (m, d) when the row's cost is this share: (m,)."""
        values: Vector = self.decision_functions(X, [share])[0]
        return values

    def decision_functions(self, X: Any, shares: Any) -> NDArray[np.float64]:
        """Return decision values at several shares: (shares, m), from one kernel evaluation."""
        values = self._kernel_values(X)  # (m, s)
        out = []
        for share in shares:
            weights, rho = self.at(float(share))
            out.append(values @ weights + rho)
        return np.array(out)


class _Walk:
    """One walk down the path, over a problem in the form of a program."""

    def __init__(self, qp: QP, b: Vector, rho: float, k: int) -> None:
        self.program = Program.of(replace(qp, lower=qp.lower.copy(), upper=qp.upper.copy()))
        self.k = k
        self.most = float(qp.upper[k] - qp.lower[k])
        free = self.program.free(b)
        free[k] = False
        self.state = LevelSet(self.program, b.copy())
        self.left = self.state.open(np.flatnonzero(free))
        self.state.level[:] = rho
        self.knots: list[tuple[float, str, int, float, Vector]] = []

    def note(self, event: str, who: int) -> None:
        """Write a knot down, after checking that it is a solution at this share."""
        program, b, k = self.program, self.state.b, self.k
        low, high = program.lower[k], program.upper[k]
        program.lower[k], program.upper[k] = min(b[k], 0.0), max(b[k], 0.0)
        left = residual(program, b, self.state.level)
        program.lower[k], program.upper[k] = low, high
        if left > max(1e-9, 1e2 * program.noise(b)):
            raise NotConverged(
                f"the path lost its way at knot {len(self.knots)}, with a KKT residual of "
                f"{left:.2g}; forget() has other ways"
            )
        share = abs(float(self.state.b[self.k])) / self.most
        self.knots.append((share, event, who, float(self.state.level[0]), self.state.b.copy()))

    def run(self) -> None:
        """Drive the row to zero, noting every change of the sets."""
        state, program, k = self.state, self.program, self.k
        self.knots.append((1.0, "start", k, float(state.level[0]), state.b.copy()))
        if state.b[k] == 0.0:
            self.knots.append((0.0, "gone", k, float(state.level[0]), state.b.copy()))
            return
        if 0.0 < abs(state.b[k]) < self.most:
            self.note("reaches its bound", k)
        sign = -1.0 if state.b[k] > 0 else 1.0
        for _ in range(20 * len(program) + 200):
            self._seat()
            if int(state.count[0]) == 0:
                self._first(sign)
            who, event = self._segment(sign)
            self.note(event, who)
            if event == "gone":
                return
        raise NotConverged("the path did not end: its sets change without end (degenerate rows)")

    def _seat(self) -> None:
        """Let in rows that are inside their bounds and, so far, depended on the free ones."""
        program, state = self.program, self.state
        for j in self.left:
            if state.slot[j] < 0 and program.lower[j] < state.b[j] < program.upper[j]:
                state.move(int(j), -1e-300)

    def _first(self, sign: float) -> None:
        """Nobody is free: let the bias go to the end at which someone can make up for the row."""
        program, state = self.program, self.state
        gradient = program.gradient(state.b)
        others = np.arange(len(program)) != self.k
        grows = others & (state.b < program.upper) & (sign < 0)
        shrinks = others & (state.b > program.lower) & (sign > 0)
        able = np.flatnonzero(grows | shrinks)
        if len(able) == 0:
            raise NotConverged("no other row can make up for the one that goes")
        j = int(able[(sign * gradient[able]).argmax() if sign > 0 else gradient[able].argmin()])
        state.level[0] = -gradient[j]
        self._let_in(j)
        self.note("enters", j)

    def _let_in(self, j: int) -> None:
        upward = bool(self.state.b[j] < self.program.upper[j])
        code = self.state.move(j, -1e-300 if upward else 1e-300)
        if code in (DRIFTED, PARKED):
            raise NotConverged(
                "the path meets rows that the kernel cannot tell apart; forget() does without it"
            )

    def _segment(self, sign: float) -> tuple[int, str]:
        """Go to the next change of a set; return who changes and how."""
        program, state, k = self.program, self.state, self.k
        b = state.b
        s = int(state.count[0])
        free = state.free[:s].copy()
        gradient = program.gradient(b)
        step, g, left = levels.level_solve(
            state.kss,
            state.inverse,
            state.side[:s],
            s,
            state.sigma,
            -program.gram[k, free],
            np.array([-1.0]),
        )
        if left > 1e-8:
            raise NotConverged("the path meets rows that the kernel can hardly tell apart")
        step *= sign
        slope = sign * program.gram[k] + step @ program.gram[free] + sign * g[0]
        far = abs(float(b[k]))
        q, way = level_moves.blocked(program.lower, program.upper, b, free, s, step, far, False)
        h = gradient + state.level[0]
        may = program.lower < program.upper
        may[free] = may[k] = False
        tiny = 1e-12 * max(1.0, float(np.abs(slope).max()))
        to_grow = may & (b == program.lower) & (slope < -tiny)
        to_shrink = may & (b == program.upper) & (slope > tiny)
        meets = np.full(len(b), np.inf)
        meets[to_grow] = np.maximum(h[to_grow], 0.0) / -slope[to_grow]
        meets[to_shrink] = np.maximum(-h[to_shrink], 0.0) / slope[to_shrink]
        j = int(meets.argmin())
        enters = bool(meets[j] < way)
        way = min(float(way), float(meets[j]))
        b[free] += way * step
        b[k] += sign * way
        state.level[0] += sign * way * g[0]
        if enters:
            self._let_in(j)
            return j, "enters"
        if q >= 0:
            i = int(free[q])
            b[i] = program.upper[i] if step[q] > 0 else program.lower[i]
            levels.leave(
                state.free, state.slot, state.side, state.kss, state.inverse, state.count, int(q)
            )
            return i, "leaves"
        b[k] = 0.0
        return k, "gone"


def walk(machine: Machine, ids: Ids, k: int, sign: float, values: Values) -> ForgetPath:
    """Return the path of row k of a two-class machine; sign turns ours into scikit-learn's."""
    if not machine.convex:
        raise BadInput("the kernel is not positive semidefinite: there is no one path to follow")
    pair = machine.pairs[0]
    held = np.delete(pair.rows, np.flatnonzero(pair.rows == k))
    if len(np.unique(machine.codes[held])) < 2:
        raise OneClassLeft("this row is the last of its class; without it one class is left")
    n = len(machine.codes)
    b = np.zeros(n)
    b[pair.rows] = pair.b
    qp = machine.problem(np.arange(n), pair.first)
    if qp.lower[k] == qp.upper[k]:
        raise BadInput(f"row {ids[k].item()!r} has weight zero; it is as forgotten already")
    walked = _Walk(qp, b, pair.rho, k)
    walked.run()
    closed = Program.of(qp.closed(np.array([k])))
    _check_the_end(closed, walked)
    weights = np.array([w for *_, w in walked.knots])
    used = np.flatnonzero(weights.any(axis=0))
    knots = []
    before = np.zeros(n)
    for place, (share, event, who, rho, now) in enumerate(walked.knots):
        change = now - before if place else np.zeros(n)
        at = np.flatnonzero(change)
        knots.append(Knot(share, event, ids[who].item(), sign * rho, ids[at], sign * change[at]))
        before = now
    return ForgetPath(
        tuple(knots), ids[used], sign * weights[:, used], lambda X: values(X)[:, used]
    )


def _check_the_end(closed: Program, walked: _Walk) -> None:
    """Check the last knot against the conditions without the row, and find their bias."""
    share, event, who, rho, b = walked.knots[-1]
    snap(closed, b)
    walked.knots[-1] = share, event, who, rho, b
    gradient = closed.gradient(b)
    if not closed.free(b).any():
        rho = middle(level_interval(closed, b, gradient, 0))
    left = residual(closed, b, np.array([rho]), gradient)
    if left > max(1e-8, 1e3 * closed.noise(b)):
        off = residual(closed, b, levels_of(closed, b, gradient), gradient)
        raise NotConverged(f"the path ended with a KKT residual of {min(left, off):.2g}")
    if rho != walked.knots[-1][3]:
        walked.knots.append((0.0, "settles", who, rho, b))


class WalksAway:
    """Adds `forget_path` to the classifier."""

    @one_thread
    def forget_path(self, id: Any) -> ForgetPath:
        """Return the path on which one row's cost goes from C to 0; the model stays as it is.

        Every point of it is the exact solution of a weighted machine, so that a picture can
        show the boundary move while a row is forgotten. Two classes only.

        id : that of the row. Raises `UnknownRecord`, `OneClassLeft` for the last row of a
        class, `NotConverged` where rows that the kernel cannot tell apart leave the path
        without a direction (`forget` has other ways then).

        Source: the incremental algorithm of Cauwenberghs and Poggio (NIPS 2000) run backwards.

        >>> from unteach.kernel import SVC
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> path = SVC(kernel="linear", C=10.0).fit(X, [0, 0, 1, 1]).forget_path(1)
        >>> [knot.event for knot in path.knots]
        ['start', 'reaches its bound', 'enters', 'gone']
        >>> path.decision_function([[1.0]], 1.0), path.decision_function([[1.0]], 0.0)
        (array([-1.]), array([0.]))
        """
        model: Any = self
        if np.isinf(model._params.get("C", 1.0)):
            raise BadInput("with C=inf there is no path of costs; give a finite C")
        k = model._positions([id])
        if len(model.classes_) != 2:
            raise BadInput(
                f"forget_path needs two classes, this machine has {len(model.classes_)}; take "
                "the pairs of classes one by one"
            )
        machine = model._machine
        kernel, rows = machine.kernel, machine.x

        def values(X: Any) -> NDArray[np.float64]:
            x = checked.rows(model, X)
            return x if kernel.name == "precomputed" else kernel.between(x, rows)

        return walk(machine, model.sample_ids_, int(k[0]), -1.0, values)
