"""The machine: one problem for each pair of classes, all over one Gram matrix.

A machine is a value: `without` and inserting make a new one, in fresh arrays, and leave the old
one as it was. `forgotten` makes one that shares the Gram matrix with the old one, and `erase`
then overwrites there what is no longer held; the old machine is of no use after that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unteach.core import NotConverged

from .anchor import Anchor
from .certificate import Certificate, certify, worst
from .gram import semidefinite, square
from .kernels import Kernel
from .kkt import residual
from .qp import QP, Vector, classification, rounding
from .solver import COARSEST, Solution, remove, settle, solve
from .stationary import stationary

Rows = NDArray[np.int64]
LARGE = 200  # rows of a pair from which on an anchor is kept; below, solving anew is as quick
SHRINK = 0.75  # share of the Gram matrix in use below which it is copied into a smaller one


@njit(cache=True)
def _zero(gram: Any, rows: Any) -> None:
    for i in range(rows.shape[0]):
        gram[rows[i]] = 0.0
    for t in range(gram.shape[0]):
        for i in range(rows.shape[0]):
            gram[t, rows[i]] = 0.0


@dataclass(frozen=True, eq=False)
class Pair:
    """The solved problem of one class against another.

    first, second : class numbers, first < second; the first is the positive one
    rows : (m,) positions among the machine's rows, ascending
    b : (m,) signed weights, y * alpha
    anchor : what is kept to forget from, once something was forgotten
    settled : whether b and rho follow from the sets to the last bit, whatever came before
    """

    first: int
    second: int
    rows: Rows
    b: Vector
    rho: float
    moves: int
    certificate: Certificate
    anchor: Anchor | None = None
    settled: bool = True


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
    slots : (n,) where each row stands in `given`; None where every row stands in its place
    unerased : rows of `given` that `erase` has yet to overwrite
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
    unerased: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    convex: bool = True
    pairs: tuple[Pair, ...] = ()

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """The Gram matrix of all rows: (n, n)."""
        if self.given is None:
            return self.kernel.gram(self.x)
        return self.given if self.slots is None else square(self.given, self.slots)

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

    def _rows_of(self, first: int, second: int) -> Rows:
        mine = (self.codes == first) | (self.codes == second)
        return np.flatnonzero(mine & (self.bounds > 0))

    def _pair(self, first: int, second: int, start: Vector | None) -> Pair:
        rows = self._rows_of(first, second)
        qp = self.problem(rows, first)
        if self.convex:
            begin = None if start is None else start[rows]
            found = solve(qp, start=begin, tol=self.tol, max_iter=self.max_iter)
        else:
            found = stationary(qp, tol=self.tol, max_iter=self.max_iter)
        return self._certified(first, second, rows, qp, found)

    def _certified(self, first: int, second: int, rows: Rows, qp: QP, found: Solution) -> Pair:
        certificate = certify(qp, found.b, found.rho, stationary_only=not self.convex)
        return Pair(first, second, rows, found.b, found.rho, found.moves, certificate)

    def learned(self, starts: dict[tuple[int, int], Vector] | None = None) -> Machine:
        """Return the machine with every pair solved, from starts (n,) where there are any."""
        convex = self.still_convex()
        checked = replace(self, convex=convex, given=self.gram, slots=None, pairs=())
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
        fewer = self._fewer(keep, classes, square(self.gram, keep), None)
        if not (self.convex and fewer.still_convex()):
            return fewer.learned()
        return replace(fewer, pairs=self._pairs_after(fewer, keep, classes))

    def forgotten(self, keep: Rows, classes: Rows) -> Machine:
        """Return the same as `without`, but over this machine's own Gram matrix.

        Nothing is overwritten before `erase`; after it this machine must not be used.
        """
        if not self.convex:
            return self.without(keep, classes)
        slots = keep if self.slots is None else self.slots[keep]
        fewer = self._fewer(keep, classes, self.gram if self.given is None else self.given, slots)
        if not fewer.still_convex():
            return self.without(keep, classes)
        gone = np.setdiff1d(np.arange(len(self.codes)), keep, assume_unique=True)
        fewer = replace(fewer, unerased=gone if self.slots is None else self.slots[gone])
        return replace(fewer, pairs=self._pairs_after(fewer, keep, classes))._shrunk()

    def erase(self) -> None:
        """Overwrite in the Gram matrix what `forgotten` left of the rows that went."""
        if self.given is not None and len(self.unerased):
            _zero(self.given, self.unerased)

    def canonical(self) -> Machine:
        """Return the machine with every pair computed from its sets alone.

        Then histories that end in the same sets end in the same bits.
        """
        if all(pair.settled for pair in self.pairs):
            return self
        pairs = []
        for pair in self.pairs:
            if not pair.settled:
                qp = self.problem(pair.rows, pair.first)
                free = np.flatnonzero((pair.b > qp.lower) & (pair.b < qp.upper))
                b, rho, left = settle(qp, pair.b, free)
                if left <= _accepted(self.tol, qp.noise(b)):
                    certificate = certify(qp, b, rho)
                    pair = replace(pair, b=b, rho=rho, certificate=certificate, anchor=None)
            pairs.append(replace(pair, settled=True))
        return replace(self, pairs=tuple(pairs))

    def _fewer(self, keep: Rows, classes: Rows, given: Any, slots: Rows | None) -> Machine:
        codes = np.where(self.codes[keep] >= 0, classes[self.codes[keep]], -1)
        return replace(
            self, x=self.x[keep], codes=codes, bounds=self.bounds[keep], given=given, slots=slots,
            unerased=self.unerased[:0], pairs=(),
        )  # fmt: skip

    def _shrunk(self) -> Machine:
        """Return the machine over a Gram matrix of its own, if too little of this one is used."""
        if self.given is None or self.slots is None or len(self.slots) > SHRINK * len(self.given):
            return self
        pairs = tuple(
            replace(pair, anchor=pair.anchor and replace(pair.anchor, at=pair.rows))
            for pair in self.pairs
        )
        own = square(self.given, self.slots)
        return replace(self, given=own, slots=None, unerased=self.unerased[:0], pairs=pairs)

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
            quick = self._anchored(fewer, pair, stay, named, rows)
            pairs.append(quick or self._plainly(fewer, pair, stay, named, rows))
        return tuple(pairs)

    def _anchored(
        self, fewer: Machine, pair: Pair, stay: NDArray[np.bool_], named: tuple[int, int],
        rows: Rows,
    ) -> Pair | None:  # fmt: skip
        """Return a pair without some of its rows, by its anchor; None where that does not do."""
        if fewer.slots is None or fewer.given is None or len(stay) < LARGE or self.max_iter >= 0:
            return None
        anchor = pair.anchor
        if anchor is None:
            at = pair.rows if self.slots is None else self.slots[pair.rows]
            y = np.where(self.codes[pair.rows] == pair.first, 1.0, -1.0)
            qp = classification(fewer.given, y, self.bounds[pair.rows])
            anchor = Anchor.at_solution(
                fewer.given, at, qp.p, qp.lower, qp.upper, pair.b, pair.rho
            )
        found = None if anchor is None else anchor.without(fewer.given, np.flatnonzero(~stay))
        if found is None:
            return None
        qp = QP(fewer.given, found.p, found.lower, found.upper)
        certificate = certify(qp, found.b, found.rho, gradient=found.h - found.rho)
        noise = rounding(
            fewer.given[found.at, found.at], found.p, found.b, found.lower < found.upper
        )
        if certificate.kkt_residual > _accepted(self.tol, noise):
            return None
        same = pair.settled and not pair.b[~stay].any()
        return Pair(
            *named, rows, found.b, found.rho, pair.moves, certificate, found, settled=same
        )

    def _plainly(
        self, fewer: Machine, pair: Pair, stay: NDArray[np.bool_], named: tuple[int, int],
        rows: Rows,
    ) -> Pair:  # fmt: skip
        """Return a pair without some of its rows, by the solver."""
        qp = fewer.problem(rows, named[0])
        found = self._removed(pair, stay)
        if found is None:
            found = solve(qp, tol=self.tol, max_iter=self.max_iter)
        elif residual(qp, found.b, found.rho) > _accepted(self.tol, qp.noise(found.b)):
            # what went was so large that rounding on its scale hid an error on this one
            found = solve(qp, start=found.b, tol=self.tol, max_iter=self.max_iter)
        return fewer._certified(*named, rows, qp, found)

    def _removed(self, pair: Pair, stay: NDArray[np.bool_]) -> Solution | None:
        """Return the solution of a pair without some of its rows, over those that stay.

        None if the way there does not converge; a cold solve of what stays may still.
        """
        c = pair.certificate
        if not pair.b[~stay].any() and c.n_free:
            return Solution(pair.b[stay], pair.rho, pair.moves, c.kkt_residual)
        qp = self.problem(pair.rows, pair.first)
        today = Solution(pair.b, pair.rho, pair.moves, c.kkt_residual)
        out = np.flatnonzero(~stay)
        try:
            found = remove(qp, today, out, tol=self.tol, max_iter=self.max_iter)
        except NotConverged:
            return None
        return replace(found, b=found.b[stay])


def _accepted(tol: float, noise: float) -> float:
    """Return the largest KKT residual that is accepted at this size of rounding."""
    return max(tol, min(16 * noise, COARSEST))
