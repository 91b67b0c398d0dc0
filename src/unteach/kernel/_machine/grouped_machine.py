"""The machines beyond C-SVC as values: one solved program, or one for each pair of classes.

Like `machine`, it is never changed: forgetting and inserting make a new one, in fresh arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NotConverged

from .._downdate.conditioning import conditioning, in_doubt, near
from .._solver.grouped_qp import Program, Rows, residual
from .._solver.grouped_solver import Solved, solve_program
from .._solver.hard_margin import hard_margin, spread
from .._solver.qp import Vector
from ..certificate import Certificate, sums_off, worst
from ..kernels import Kernel
from .gram import semidefinite, square
from .machine_kinds import Dual, NuMargin

# for each part the variables of all rows, (copies, n), and the levels where they are known
Starts = dict[tuple[int, int], tuple[Vector, Vector | None]]


@dataclass(frozen=True, eq=False)
class Part:
    """One solved program.

    first, second : class numbers, first < second, the first the positive one; 0 and 1 where
        there are no classes
    rows : (m,) positions among the machine's rows, ascending
    b : (m,) the weight of each row in the decision function, and rho its bias
    variables : (copies * m,) the solution of the program; levels : its levels
    found : the number beside them: epsilon, the margin, or the offset
    """

    first: int
    second: int
    rows: Rows
    b: Vector
    rho: float
    variables: Vector
    levels: Vector
    found: float
    moves: int
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class Parts:
    """Everything learned, and everything needed to forget.

    Parameters
    ----------
    kernel, dual : with their numbers filled in
    x : (n, d) the rows; (n, 0) where the kernel is precomputed
    codes : (n,) class numbers, 0 where there are no classes; -1 for a row of weight zero whose
        class is not held
    target : (n,) numbers to predict; 0 where there are none
    bounds : (n,) the largest weight of each row; 0 is as removed
    classes : how many classes; 0 where there are none
    given : (n, n) the Gram matrix, if it is at hand
    pairs : the solved parts
    """

    kernel: Kernel
    dual: Dual
    x: NDArray[np.float64]
    codes: Rows
    target: Vector
    bounds: Vector
    classes: int
    tol: float
    max_iter: int
    given: NDArray[np.float64] | None = None
    pairs: tuple[Part, ...] = ()

    @property
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
        for part in self.pairs:
            held[part.rows[part.b != 0]] = True
        at = np.flatnonzero(held)
        return at[np.argsort(self.codes[at], kind="stable")]

    def tasks(self) -> list[tuple[int, int, Rows]]:
        """Return (first, second, rows) of every program that is to be solved."""
        used = self.bounds > 0
        if not self.classes:
            return [(0, 1, np.flatnonzero(used))]
        return [
            (i, j, np.flatnonzero(used & ((self.codes == i) | (self.codes == j))))
            for i in range(self.classes)
            for j in range(i + 1, self.classes)
        ]

    def program(self, first: int, rows: Rows) -> Program:
        """Return the program over these rows, `first` being the positive class."""
        whole = len(rows) == len(self.codes)
        gram = self.gram if whole else square(self.gram, rows)
        target = np.where(self.codes[rows] == first, 1.0, -1.0)
        target = target if self.classes else self.target[rows]
        return self.dual.program(gram, target, self.bounds[rows])

    def learned(self, starts: Starts | None = None) -> Parts:
        """Return the machine with every program solved, from starts where there are any."""
        if np.isinf(self.bounds).any():
            counts, whole = self.bounds > 0, replace(self, given=self.gram)
            return hard_margin(
                lambda c: replace(whole, bounds=np.where(counts, c, 0.0)).learned(starts),
                lambda made: max(float(np.abs(p.b).max()) for p in made.pairs),
                (float(np.ptp(self.target[counts])) or 1.0) / spread(whole.gram, counts),
            )
        fresh = replace(self, given=self.gram, pairs=())
        if self.kernel.definite != "always":
            used = np.flatnonzero(self.bounds > 0)
            if not semidefinite(square(fresh.gram, used)):
                raise BadInput(
                    f"the {self.kernel.name} kernel is not positive semidefinite on these rows, "
                    "and this machine then has no unique solution; choose another kernel or "
                    "other kernel parameters (SVC takes such kernels, and claims less)"
                )
        parts = []
        for first, second, rows in fresh.tasks():
            start = None if starts is None else starts.get((first, second))
            program = fresh.program(first, rows)
            begin = None if start is None else start[0][:, rows].ravel()
            part = None
            if begin is not None and start is not None:
                part = fresh._continued(first, second, rows, program, begin, start[1])
            if part is None:
                solved = solve_program(program, tol=self.tol, max_iter=self.max_iter)
                part = part_of(self.dual, first, second, rows, program, solved)
            parts.append(part)
        return replace(fresh, pairs=tuple(parts))

    def _continued(
        self,
        first: int,
        second: int,
        rows: Rows,
        program: Program,
        begin: Vector,
        levels: Vector | None,
    ) -> Part | None:
        """Return a part solved from a start; None where that fails or might end elsewhere."""
        solved = None if levels is None else _still(program, begin, levels)
        if solved is None:
            try:
                solved = solve_program(program, start=begin, tol=self.tol, max_iter=self.max_iter)
            except NotConverged:
                return None
        part = part_of(self.dual, first, second, rows, program, solved)
        return None if in_doubt(part.certificate) else part

    def starts(self, keep: Rows, n: int, classes: Rows) -> Starts:
        """Return today's variables as starts for n rows, the first of which are those kept.

        classes : (k,) the new number of each class; -1 for one that is gone
        """
        begin: Starts = {}
        for part in self.pairs:
            named = part.first, part.second
            if self.classes:
                named = int(classes[part.first]), int(classes[part.second])
            if min(named) >= 0:
                copies = self.dual.copies
                whole = np.zeros((copies, len(self.codes)))
                whole[:, part.rows] = part.variables.reshape(copies, -1)
                out = np.zeros((copies, n))
                out[:, : len(keep)] = whole[:, keep]
                begin[named] = out, part.levels
        return begin


def _still(program: Program, b: Vector, levels: Vector) -> Solved | None:
    """Return b and the levels, if they are the solution already and b alone fixes the levels.

    So forgetting a row that supports nothing leaves every weight as it is, to the last bit.
    """
    free = program.free(b)
    if not np.isin(np.arange(len(levels)), program.group[free]).all():
        return None
    left = residual(program, b, levels)
    return Solved(b, levels, 1, left) if left <= max(1e-13, program.noise(b)) else None


def part_of(
    dual: Dual, first: int, second: int, rows: Rows, program: Program, solved: Solved
) -> Part:
    """Return a solved program with its certificate and what its dual reads from it."""
    b, rho, found = dual.read(program, solved.b, solved.levels)
    margin = found if isinstance(dual, NuMargin) else 1.0  # which the function is divided by
    certificate = certify_program(program, solved.b, solved.levels, rho * margin)
    if margin != 1.0:
        certificate = replace(
            certificate,
            error=certificate.error / min(margin, 1.0),
            scale=certificate.scale / margin,
            rounding=certificate.rounding / margin,
        )
    return Part(
        first, second, rows, b, rho, solved.b, solved.levels, found, solved.moves, certificate
    )


def certify_program(
    program: Program, b: Vector, levels: Vector, bias: float = math.inf
) -> Certificate:
    """Return the certificate of a program's solution, with every sum taken afresh.

    bias : of the decision function, where that is known

    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.zeros(2), np.zeros(2),
    ...               np.ones(2), np.array([1.0]))
    >>> certify_program(one, np.array([0.5, 0.5]), np.array([-0.5])).duality_gap
    0.0
    """
    gradient = program.gradient(b)
    h = gradient + levels[program.group]
    width = program.upper - program.lower
    used = width > 0
    free = used & program.free(b)
    row_free = np.bincount(program.base, weights=free, minlength=len(program.gram)) > 0
    bound = used & ~free & ~row_free[program.base]  # not the other side of a free row
    to_bounds = np.minimum(b - program.lower, program.upper - b)[free] / width[free]
    slack = program.upper * np.maximum(-h, 0.0) - program.lower * np.maximum(h, 0.0)
    moving = near(free, used, h)
    rows = program.base[moving]
    largest = float(program.gram.diagonal()[rows].max(initial=0.0))
    groups = program.group[moving]
    shifted = square(program.gram, rows)
    shifted += np.where(groups[:, None] == groups[None, :], largest or 1.0, 0.0)
    amplified = conditioning(shifted, largest)
    left, noise = residual(program, b, levels, gradient), program.noise(b)
    n = len(program.gram)
    row_used = np.bincount(program.base, weights=used, minlength=n) > 0
    held = np.bincount(program.base, weights=b != 0, minlength=n) > 0
    return Certificate(
        kkt_residual=left,
        objective=float(0.5 * (b @ (gradient - program.p))),
        duality_gap=float((b * h + slack).sum()),
        n_free=int(row_free.sum()),
        n_bounded=int((held & ~row_free).sum()),
        n_zero=int((row_used & ~held).sum()),
        margin=min(
            float(np.abs(h)[bound].min(initial=np.inf)), float(to_bounds.min(initial=np.inf))
        ),
        stationary_only=False,
        conditioning=amplified,
        error=amplified * max(left, noise),
        scale=float(np.abs(gradient + program.p + bias)[used].max(initial=0.0)),
        rounding=sums_off(noise, b, float(np.abs(program.sums(b) - program.totals).max())),
    )
