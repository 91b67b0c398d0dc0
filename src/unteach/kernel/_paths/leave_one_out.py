"""Leave-one-out: the solution without each support vector, all of them from one factorization."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, OneClassLeft

from .._downdate.pivots import SETTLED, pivot_each
from .._downdate.row_cache import ROUNDING, RowCache
from .._downdate.tableau import Rows, Tableau, block
from .._machine.machine import Machine
from .._solver.active_set import AT_BOUND, OPTIMAL
from .._solver.free_set import FreeSet
from .._solver.nonconvex import stationary
from .._solver.qp import QP, Vector, add_rows
from .._solver.solver import Solution, budget, remove, slack

# Leave-one-out by the weight path: one support vector after another is moved out of S.
#
# The plain way for what the tableau does not settle: duplicates, ties, linear kernels.


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


ACCURATE = 5e-11  # largest error of h that the tableau may leave
UNSEEN = 1e-11  # contradictions up to this are none
CHUNK = 256
NEAR = 0.4  # |h| up to which a row is near; more would cost more to set up than it saves
MOST_ROUNDS = 4


@dataclass(frozen=True)
class Ways:
    """How the values of a leave-one-out were checked against the rows far from the margin.

    by_bound : no far row can have changed its side, by |dh_i| <= |dw| sqrt(K_ii) + |drho|
    by_evaluation : the far rows that the bound leaves open were evaluated
    by_path : the tableau did not settle it; one row was moved out at a time, or the solver ran
    untouched : no support vectors, so that nothing moves
    """

    by_bound: int
    by_evaluation: int
    by_path: int
    untouched: int


def leave_each_out(
    qp: QP,
    solution: Solution,
    *,
    tol: float = 1e-10,
    max_iter: int = -1,
    cache: RowCache | None = None,
) -> tuple[Vector, Vector, Ways]:
    """Return f(x_i) of the machine with all rows and of the one without row i, and the ways.

    Rows that are no support vectors leave the machine as it is (or widen the interval of the
    bias, where no support vector is free). What the tableau does not settle is moved out of
    the free set, and where that does not hold to 1e-10, removed by the solver itself.

    cache : kernel rows of all rows, where qp comes without its Gram matrix, which is then made
        only for what the tableau does not settle

    >>> from .._solver.qp import classification
    >>> from .._solver.solver import solve
    >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> qp = classification(gram, np.array([1.0, 1.0, -1.0]), np.full(3, 5.0))
    >>> leave_each_out(qp, solve(qp))[1].round(6)[:2]
    array([0.5, 0.5])
    """
    b = solution.b
    support = np.flatnonzero(b)
    values = None if cache is None else cache.values
    if values is None:
        gradient = qp.gradient(b)
    else:
        gradient = values.field(np.arange(len(b)), support, b[support]) - qp.p
    whole = gradient + qp.p + solution.rho
    left = whole.copy()
    if not ((b > qp.lower) & (b < qp.upper)).any():
        _widen(qp, solution, gradient, left)
    open_ = np.ones(len(b), bool)
    counts = [0, 0]
    if max_iter < 0 and len(support):
        counts = _by_tableau(qp, solution, gradient + solution.rho, tol, left, open_, cache)
    rest = support[open_[support]]
    if len(rest):
        if values is not None:
            qp = replace(qp, gram=values.kernel.gram(values.x))
        anchor = Anchor(qp, solution)
        least, most = slack(qp, b, tol), budget(qp, max_iter)
        for c in rest:
            value = value_without(anchor, int(c), gradient.copy(), least, most)
            if value is None:
                without = remove(qp, solution, np.array([c]), tol=tol, max_iter=max_iter)
                value = float(qp.gram[c] @ without.b) + without.rho
            left[c] = value
    return whole, left, Ways(counts[0], counts[1], len(rest), len(b) - len(support))


def _by_tableau(
    qp: QP,
    solution: Solution,
    h: Vector,
    tol: float,
    left: Vector,
    open_: NDArray[np.bool_],
    cache: RowCache | None,
) -> list[int]:
    """Fill in what the tableau settles, and mark it as no longer open; return the two counts.

    Far rows that turn out to come to the margin are taken in, and what they spoiled is redone.
    """
    near, far = _split(qp, solution.b, h)
    outs = np.flatnonzero(solution.b)
    values = None if cache is None else cache.values
    allowed = UNSEEN if cache is not None else max(slack(qp, solution.b, tol), UNSEEN)
    counts = [0, 0]
    for _ in range(MOST_ROUNDS):
        tableau = Tableau.of(qp, solution.b, h, near, values)
        if tableau is None:
            break
        columns = np.concatenate([tableau.free, tableau.near])
        check = _Far(qp, solution.b, h, columns, far, cache)
        outs = _round(qp, solution.b, h, tableau, check, allowed, outs, left, open_, counts)
        if len(outs) == 0:
            break
        wanted = np.union1d(np.append(near[np.abs(h[near]) <= NEAR], outs), check.far[check.broken])
        wanted = np.setdiff1d(wanted, tableau.free)
        far = np.setdiff1d(np.append(near, far), wanted)
        near = wanted
    return counts


def _round(
    qp: QP,
    b: Vector,
    h: Vector,
    tableau: Tableau,
    check: _Far,
    allowed: float,
    outs: Rows,
    left: Vector,
    open_: NDArray[np.bool_],
    counts: list[int],
) -> Rows:
    """Leave out each of these support vectors in turn; return those that a far row spoiled."""
    free, near = tableau.free, tableau.near
    s, m = len(free), len(near)
    place = np.empty(len(b), np.int64)
    place[check.columns] = np.arange(s + m)
    at = place[outs]
    db, dn = np.empty((CHUNK, s)), np.empty((CHUNK, m))
    told, codes = np.zeros((len(outs), 5)), np.empty(len(outs), np.int64)
    spoiled = []
    for start in range(0, len(outs), CHUNK):
        here = slice(start, min(start + CHUNK, len(outs)))
        some, say = outs[here], told[here]
        pivot_each(
            tableau.r,
            tableau.rb,
            tableau.v,
            tableau.vt,
            tableau.vb,
            tableau.h,
            b[free],
            qp.lower[free],
            qp.upper[free],
            b[near],
            qp.lower[near],
            qp.upper[near],
            tableau.at,
            h[near],
            tableau.size,
            check.root,
            allowed,
            min(s + m, 400),
            at[here],
            db,
            dn,
            say,
            codes[here],
        )
        good = (codes[here] == SETTLED) & (say[:, 3:] @ tableau.fault <= ACCURATE)
        seen = check.reached(say[:, 1])
        asked = np.flatnonzero(good & (seen > 0))
        holds = check.holds(db[asked], dn[asked], say[asked, 2], seen[asked], allowed)
        spoiled.append(some[asked[~holds]])
        good[asked] = holds
        done = some[good]
        left[done] = say[good, 0] + qp.p[done]
        open_[done] = False
        counts[0] += int((good & (seen == 0)).sum())
        counts[1] += int((good & (seen > 0)).sum())
    return np.concatenate(spoiled)


def _split(qp: QP, b: Vector, h: Vector) -> tuple[Rows, Rows]:
    """Return the rows near the margin, every bounded support vector among them, and the far."""
    used = qp.lower < qp.upper
    bounded = np.flatnonzero(used & ~((b > qp.lower) & (b < qp.upper)) & (b != 0))
    zero = np.flatnonzero(used & (b == 0))
    close = np.abs(h[zero]) <= NEAR
    return np.concatenate([bounded, zero[close]]), zero[~close]


class _Far:
    """The rows far from the margin, none of them a support vector, by ascending |h|."""

    def __init__(
        self,
        qp: QP,
        b: Vector,
        h: Vector,
        columns: Rows,
        far: Rows,
        cache: RowCache | None,
    ) -> None:
        far = far[np.argsort(np.abs(h[far]), kind="stable")]
        self.qp, self.columns, self.far, self.h = qp, columns, far, h[far]
        self.size = np.abs(self.h)
        self.cache: Any = cache
        every = np.arange(len(b))
        diagonal = qp.gram.diagonal() if cache is None else cache.values.diagonal(every)
        self.root = float(np.sqrt(np.abs(diagonal).max()))
        self.grow = b[far] < qp.upper[far]  # these need h >= 0, the others h <= 0
        self.broken = np.zeros(len(far), bool)  # whoever broke its condition

    def reached(self, reach: Vector) -> Rows:
        """Return how many of the rows a change with this reach may bring to the margin."""
        return np.searchsorted(self.size, reach * (1 + 1e-7), side="right")

    def holds(self, db: Any, dn: Any, drho: Vector, seen: Rows, allowed: float) -> Any:
        """Say for each of q changes whether the rows it may reach keep their conditions."""
        if len(seen) == 0:
            return np.zeros(0, bool)
        change = np.concatenate([db, dn], axis=1)  # (q, s + m)
        at = np.flatnonzero(change.any(axis=0))
        rows = self.far[: int(seen.max())]
        columns, rest = self.columns[at], np.full(len(db), allowed)
        if self.cache is None:
            dh = block(self.qp.gram, rows, columns) @ change[:, at].T  # (rows, q)
        else:
            dh = self._roughly(rows, columns, change[:, at])
            rest -= ROUNDING * np.abs(change).sum(axis=1) * self.root**2  # what is not sure is not
        h = self.h[: len(rows), None] + dh + drho
        wrong = np.where(self.grow[: len(rows), None], -h, h) > rest
        wrong &= np.arange(len(rows))[:, None] < seen
        self.broken[: len(rows)] |= wrong.any(axis=1)
        return ~wrong.any(axis=0)

    def _roughly(self, rows: Rows, columns: Rows, change: Any) -> Any:
        """Return the change of h (rows, q) by kernel rows in single precision."""
        out, cache = np.zeros((len(rows), len(change))), self.cache
        size = max(1, len(cache.owner) // 2)
        for start in range(0, len(columns), size):
            some = columns[start : start + size]
            cache.ask(some)
            values = block(cache.data, cache.where[some], rows)  # (columns, rows)
            out += values.T @ change[:, start : start + size].T
        return out


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
    rows = np.arange(len(codes))
    leanly = machine.leanly and machine.fits
    qp = machine.plain(rows, 0) if leanly else machine.problem(rows, 0)
    b = np.zeros(len(codes))
    b[pair.rows] = pair.b
    limits: dict[str, Any] = {"tol": machine.tol, "max_iter": machine.max_iter}
    if machine.convex:
        solution = Solution(b, pair.rho, pair.moves, pair.certificate.kkt_residual)
        cache = None
        if leanly:
            cache = pair.cache if len(pair.rows) == len(codes) else None
            cache = cache or RowCache(machine.values, rows, machine.budget)
        left = leave_each_out(qp, solution, **limits, cache=cache)[1]
    else:
        left = qp.gradient(b) + qp.p + pair.rho
        for c in np.flatnonzero(b):
            rest = pair.rows[pair.rows != c]
            found = stationary(machine.problem(rest, 0), **limits)
            left[c] = float(machine.gram[c, rest] @ found.b) + found.rho
    return left * np.where(codes == 0, 1.0, -1.0)
