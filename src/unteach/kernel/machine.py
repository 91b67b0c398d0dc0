"""The machine: one problem for each pair of classes, all over one Gram matrix.

A machine is a value. Forgetting and inserting make a new one, in fresh arrays, and leave the
old one as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unteach.core import NotConverged

from .certificate import Certificate, certify, worst
from .gram import semidefinite, square
from .kernels import Kernel
from .kkt import residual
from .qp import QP, Vector, classification
from .solver import COARSEST, Solution, remove, solve
from .stationary import stationary

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pair:
    """The solved problem of one class against another.

    first, second : class numbers, first < second; the first is the positive one
    rows : (m,) positions among the machine's rows, ascending
    b : (m,) signed weights, y * alpha
    """

    first: int
    second: int
    rows: Rows
    b: Vector
    rho: float
    moves: int
    certificate: Certificate


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
    convex: bool = True
    pairs: tuple[Pair, ...] = ()

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """The Gram matrix of all rows: (n, n)."""
        return self.kernel.gram(self.x) if self.given is None else self.given

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
        checked = replace(self, convex=convex, given=self.gram, pairs=())
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
        place = np.full(len(self.codes), -1)
        place[keep] = np.arange(len(keep))
        codes = np.where(self.codes[keep] >= 0, classes[self.codes[keep]], -1)
        fewer = replace(
            self, x=self.x[keep], codes=codes, bounds=self.bounds[keep],
            given=square(self.gram, keep), pairs=(),
        )  # fmt: skip
        if not (self.convex and fewer.still_convex()):
            return fewer.learned()
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
            qp = fewer.problem(rows, named[0])
            found = self._removed(pair, stay)
            if found is None:
                found = solve(qp, tol=self.tol, max_iter=self.max_iter)
            elif residual(qp, found.b, found.rho) > max(
                self.tol, min(16 * qp.noise(found.b), COARSEST)
            ):
                # what went was so large that rounding on its scale hid an error on this one
                found = solve(qp, start=found.b, tol=self.tol, max_iter=self.max_iter)
            pairs.append(fewer._certified(*named, rows, qp, found))
        return replace(fewer, pairs=tuple(pairs))

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
