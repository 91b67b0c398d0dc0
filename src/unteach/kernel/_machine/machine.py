"""The machine: one problem for each pair of classes, all over one Gram matrix.

A machine is a value: `without` and inserting make a new one, in fresh arrays, and leave the old
one as it was. `slots` is the quick way to forget; this is the plain one.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NotConverged

from .._downdate.conditioning import in_doubt
from .._downdate.kernel_values import Values
from .._downdate.row_cache import RowCache
from .._solver.hard_margin import hard_margin, spread
from .._solver.nonconvex import stationary
from .._solver.qp import QP, Vector, classification, residual
from .._solver.solver import Solution, accepted, remove, settle, solve
from ..certificate import Certificate, certify, worst
from ..kernels import Kernel
from .gram import semidefinite, square
from .low_memory import Lean, lean, resettled

Rows = NDArray[np.int64]
ROWS = 0.4  # share of the budget that kernel rows may take; the small problem takes the rest
LEAN = 1500  # rows from which on two classes are learned without the Gram matrix


@dataclass(frozen=True, eq=False)
class Pair:
    """The solved problem of one class against another.

    first, second : class numbers, first < second; the first is the positive one
    rows : (m,) positions among the machine's rows, ascending
    b : (m,) signed weights, y * alpha
    settled : whether b and rho follow from the sets to the last bit, whatever came before
    cache : kernel rows that learning left behind, for forgetting to begin with
    """

    first: int
    second: int
    rows: Rows
    b: Vector
    rho: float
    moves: int
    certificate: Certificate
    settled: bool = True
    cache: RowCache | None = None


@dataclass(frozen=True, eq=False)
class Machine:
    """Everything learned, and everything needed to forget.

    Parameters
    ----------
    kernel : with its numbers filled in
    x : (n, d) the rows; (n, 0) where the kernel is precomputed
    codes : (n,) class numbers; -1 for a row of weight zero whose class is not held
    bounds : (n,) the C of each row; 0 is as removed
    given : (n, n) the Gram matrix, if it is at hand; it is computed when it is needed
    budget : bytes that kernel values may take
    slots : (n,) where each row stands in `given`; None where every row stands in its place
    convex : whether the Gram matrix is positive semidefinite
    pairs : the solved problems, in libsvm's order (0,1), (0,2), ..., (1,2), ...
    """

    kernel: Kernel
    x: NDArray[np.float64]
    codes: Rows
    bounds: Vector
    tol: float
    max_iter: int
    given: NDArray[np.float64] | None = None
    slots: Rows | None = None
    convex: bool = True
    pairs: tuple[Pair, ...] = ()
    budget: float = math.inf

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """The Gram matrix of all rows: (n, n)."""
        if self.given is None:
            if not self.fits:
                raise BadInput(
                    f"this needs the whole kernel matrix of {len(self.codes)} rows, "
                    f"{8 * len(self.codes) ** 2 / 1e6:.0f} MB; set cache_size to as much"
                )
            return self.kernel.gram(self.x)
        return self.given if self.slots is None else square(self.given, self.slots)

    @property
    def fits(self) -> bool:
        """Whether the Gram matrix of all rows is within the budget."""
        return 8 * len(self.codes) ** 2 <= self.budget

    @property
    def leanly(self) -> bool:
        """Whether this is learned without the Gram matrix."""
        if self.given is not None or self.max_iter >= 0 or self.kernel.definite != "always":
            return False
        two = self.codes.max(initial=0) == 1 and len(self.codes) >= LEAN
        return (two and self.kernel.name == "rbf") or not self.fits

    @property
    def values(self) -> Values:
        """Where kernel values come from, by position; of a Gram matrix only if it has no slots."""
        return Values(self.kernel, self.x, self.given if self.slots is None else None)

    def plain(self, rows: Rows, first: int) -> QP:
        """Return the problem over these rows without its Gram matrix."""
        y = np.where(self.codes[rows] == first, 1.0, -1.0)
        return classification(np.empty((0, 0)), y, self.bounds[rows])

    @property
    def certificate(self) -> Certificate:
        """The certificate of the whole."""
        return worst([p.certificate for p in self.pairs])

    @property
    def support(self) -> Rows:
        """Positions of the support vectors, class by class as in libsvm."""
        held = np.zeros(len(self.codes), bool)
        for pair in self.pairs:
            held[pair.rows[pair.b != 0]] = True
        at = np.flatnonzero(held)
        return at[np.argsort(self.codes[at], kind="stable")]

    def problem(self, rows: Rows, first: int) -> QP:
        """Return the problem over these rows, `first` being the positive class."""
        whole = len(rows) == len(self.codes)
        if self.given is not None and self.slots is not None and not whole:
            gram = square(self.given, self.slots[rows])
        else:
            gram = self.gram if whole else square(self.gram, rows)
        y = np.where(self.codes[rows] == first, 1.0, -1.0)
        return classification(gram, y, self.bounds[rows])

    def small(self, rows: Rows, first: int) -> QP:
        """Return the problem over a few rows; the Gram matrix of the others is not needed."""
        if not self.leanly:
            return self.problem(rows, first)
        return replace(self.plain(rows, first), gram=self.values.block(rows, rows))

    def _rows_of(self, first: int, second: int) -> Rows:
        mine = (self.codes == first) | (self.codes == second)
        return np.flatnonzero(mine & (self.bounds > 0))

    def _pair(self, first: int, second: int, start: Vector | None) -> Pair:
        """Return a pair solved from a start (n,), afresh where that fails or may end elsewhere."""
        if start is None or not self.convex:  # what is not convex is never solved from a start
            return self._solved(first, second, None)
        with suppress(NotConverged):
            solved = self._solved(first, second, start)
            if not in_doubt(solved.certificate):
                return solved
        return self._afresh(first, second)

    @cached_property
    def _as_fitted(self) -> Machine:
        """The machine as a fit of these rows begins: kernel values are computed once, and anew."""
        return replace(self, given=self.given if self.kernel.name == "precomputed" else None)

    def _afresh(self, first: int, second: int) -> Pair:
        """Return a pair solved as a fit of these rows solves it."""
        return self._as_fitted._solved(first, second, None)

    def _solved(self, first: int, second: int, start: Vector | None) -> Pair:
        rows = self._rows_of(first, second)
        if self.leanly:
            found = self._lean(rows, first, start)
            if found is not None:
                return Pair(
                    first,
                    second,
                    rows,
                    found.b,
                    found.rho,
                    found.moves,
                    found.certificate,
                    cache=found.cache,
                )
        qp = self.problem(rows, first)
        if self.convex:
            begin = None if start is None else start[rows]
            solved = solve(qp, start=begin, tol=self.tol, max_iter=self.max_iter)
        else:
            solved = stationary(qp, tol=self.tol, max_iter=self.max_iter)
        return self._certified(first, second, rows, qp, solved)

    def _lean(self, rows: Rows, first: int, start: Vector | None) -> Lean | None:
        """Return a pair's solution without the Gram matrix; None where that does not do."""
        k = int(self.codes.max()) + 1
        each = ROWS * self.budget / (k * (k - 1) // 2)
        begin = None if start is None else start[rows]
        plain = self.plain(rows, first)
        try:
            return lean(self.values, rows, plain, start=begin, tol=self.tol, budget=each)
        except NotConverged:
            if not self.fits:
                raise
        return None

    def _certified(self, first: int, second: int, rows: Rows, qp: QP, found: Solution) -> Pair:
        certificate = certify(
            qp, found.b, found.rho, stationary_only=not self.convex, known=found.conditioning
        )
        return Pair(first, second, rows, found.b, found.rho, found.moves, certificate)

    def learned(self, starts: dict[tuple[int, int], Vector] | None = None) -> Machine:
        """Return the machine with every pair solved, from starts (n,) where there are any."""
        if np.isinf(self.bounds).any():
            used = self.bounds > 0
            known = self.kernel.name == "rbf" or self.leanly
            return hard_margin(
                lambda c: replace(self, bounds=np.where(used, c, 0.0)).learned(starts),
                lambda made: max(float(np.abs(p.b).sum()) for p in made.pairs),
                1.0 if known else 1.0 / spread(self.gram, used),
            )
        convex = self.still_convex()
        given = None if self.leanly else self.gram
        checked = replace(self, convex=convex, given=given, slots=None, pairs=())
        k = int(self.codes.max()) + 1
        pairs = tuple(
            checked._pair(i, j, None if starts is None else starts.get((i, j)))
            for i in range(k)
            for j in range(i + 1, k)
        )
        return replace(checked, pairs=pairs)

    def still_convex(self) -> bool:
        """Say whether the Gram matrix of the rows in use is positive semidefinite."""
        if self.kernel.definite == "always":
            return True
        used = np.flatnonzero((self.codes >= 0) & (self.bounds > 0))
        return semidefinite(square(self.gram, used))

    def starts(self, keep: Rows, n: int, classes: Rows) -> dict[tuple[int, int], Vector]:
        """Return today's weights as starts for n rows, the first of which are those kept.

        classes : (k,) the new number of each class; -1 for one that is gone
        """
        begin = {}
        for pair in self.pairs:
            named = int(classes[pair.first]), int(classes[pair.second])
            if min(named) >= 0:
                whole = np.zeros(len(self.codes))
                whole[pair.rows] = pair.b
                begin[named] = np.append(whole[keep], np.zeros(n - len(keep)))
        return begin

    def without(self, keep: Rows, classes: Rows) -> Machine:
        """Return the machine of the rows kept, at the same kernel and bounds.

        keep : ascending positions; classes : (k,) the new number of each class, -1 if gone
        """
        if self.given is None and self.leanly:
            fewer = self._fewer(keep, classes, None, None)
            return fewer.learned(self.starts(keep, len(keep), classes))
        fewer = self._fewer(keep, classes, square(self.gram, keep), None)
        if not (self.convex and fewer.still_convex()):
            return fewer.learned()
        return replace(fewer, pairs=self._pairs_after(fewer, keep, classes))

    def canonical(self) -> Machine:
        """Return the machine with every pair computed from its sets alone.

        Then histories that end in the same sets end in the same bits.
        """
        if all(pair.settled for pair in self.pairs):
            return self
        pairs = []
        for pair in self.pairs:
            if not pair.settled and self.leanly:
                plain = self.plain(pair.rows, pair.first)
                again = resettled(self.values, pair.rows, plain, pair.b, tol=self.tol)
                if again is not None:
                    pair = replace(pair, b=again[0], rho=again[1], certificate=again[2])
            elif not pair.settled:
                qp = self.problem(pair.rows, pair.first)
                free = np.flatnonzero((pair.b > qp.lower) & (pair.b < qp.upper))
                found = settle(qp, pair.b, free)
                if found.kkt_residual <= accepted(self.tol, qp.noise(found.b)):
                    certificate = certify(qp, found.b, found.rho, known=found.conditioning)
                    pair = replace(pair, b=found.b, rho=found.rho, certificate=certificate)
            pairs.append(replace(pair, settled=True))
        return replace(self, pairs=tuple(pairs))

    def _fewer(self, keep: Rows, classes: Rows, given: Any, slots: Rows | None) -> Machine:
        codes = np.where(self.codes[keep] >= 0, classes[self.codes[keep]], -1)
        return replace(
            self,
            x=self.x[keep],
            codes=codes,
            bounds=self.bounds[keep],
            given=given,
            slots=slots,
            pairs=(),
        )

    def _pairs_after(self, fewer: Machine, keep: Rows, classes: Rows) -> tuple[Pair, ...]:
        """Return the pairs of a machine with fewer rows."""
        place = np.full(len(self.codes), -1)
        place[keep] = np.arange(len(keep))
        pairs = []
        for pair in self.pairs:
            named = int(classes[pair.first]), int(classes[pair.second])
            if min(named) < 0:
                continue
            stay = place[pair.rows] >= 0
            rows = place[pair.rows[stay]]
            if stay.all():
                pairs.append(replace(pair, first=named[0], second=named[1], rows=rows))
                continue
            pairs.append(self._plainly(fewer, pair, stay, named, rows))
        return tuple(pairs)

    def _plainly(
        self,
        fewer: Machine,
        pair: Pair,
        stay: NDArray[np.bool_],
        named: tuple[int, int],
        rows: Rows,
    ) -> Pair:
        """Return a pair without some of its rows, afresh where that fails or may end elsewhere."""
        if not in_doubt(pair.certificate):
            qp = fewer.problem(rows, named[0])
            with suppress(NotConverged):
                found = self._removed(pair, stay)
                if residual(qp, found.b, found.rho) > accepted(self.tol, qp.noise(found.b)):
                    # what went was so large that rounding on its scale hid an error on this one
                    found = solve(qp, start=found.b, tol=self.tol, max_iter=self.max_iter)
                left = fewer._certified(*named, rows, qp, found)
                if not in_doubt(left.certificate):
                    return left
        return fewer._afresh(*named)

    def _removed(self, pair: Pair, stay: NDArray[np.bool_]) -> Solution:
        """Return the solution of a pair without some of its rows, over those that stay.

        Raises `NotConverged` if the way there does not converge; a cold solve of what stays may.
        """
        c = pair.certificate
        if not pair.b[~stay].any() and c.n_free:
            known = c.conditioning
            return Solution(pair.b[stay], pair.rho, pair.moves, c.kkt_residual, known)
        qp = self.problem(pair.rows, pair.first)
        today = Solution(pair.b, pair.rho, pair.moves, c.kkt_residual)
        out = np.flatnonzero(~stay)
        found = remove(qp, today, out, tol=self.tol, max_iter=self.max_iter)
        return replace(found, b=found.b[stay])
