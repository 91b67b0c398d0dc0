"""The canonical solution: the same bits for the same sets and ids, whatever led to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, digest

from .._solver.grouped_qp import Program, level_interval, middle, residual
from .._solver.grouped_solver import Solved, settle
from .._solver.ordered_sums import dot
from .._solver.qp import Vector
from ..certificate import Certificate, certify, worst
from ..kernels import Kernel
from .blas_threads import one_thread
from .gram import square
from .grouped_machine import Part, Parts, certify_program, part_of
from .low_memory import certified
from .machine import Machine

# A regression tube of width 0: its rows may be pulled up and down at once.
#
# Then the pulls are not unique, though their sums are: what matters is the sum alone, and the
# canonical solution is found for the problem of the sums.

_GIVE = 1e-12


def pulled_both_ways(program: Program, b: Vector) -> bool:
    """Say whether a row has weight on both of its sides.

    >>> tube = Program(np.eye(1), np.zeros(2, int), np.zeros(2, int), np.zeros(2),
    ...                np.array([0.0, -1.0]), np.array([1.0, 0.0]), np.zeros(1))
    >>> pulled_both_ways(tube, np.array([0.5, -0.2])), pulled_both_ways(tube, np.array([0.5, 0]))
    (True, False)
    """
    n = len(program.gram)
    return len(b) == 2 * n and bool(((b[:n] != 0) & (b[n:] != 0)).any())


def of_sums(program: Program, b: Vector) -> tuple[Program, Vector]:
    """Return the problem of a tube of width 0, in one group, and b with every row on one side."""
    n = len(program.gram)
    single = replace(program, group=np.zeros(2 * n, np.int64), totals=np.zeros(1))
    net, most = b[:n] + b[n:], program.upper[:n]
    net[np.abs(net) <= _GIVE * most] = 0.0
    close = most - np.abs(net) <= _GIVE * most
    net[close] = np.sign(net[close]) * most[close]
    return single, np.append(np.maximum(net, 0.0), np.minimum(net, 0.0))


def with_sums(program: Program, b: Vector, level: float, ids: Ids) -> tuple[Vector, Vector]:
    """Return (b, levels) of the tube's own program from the solution of the sums.

    Where the pulls of each side have a sum to meet, what is missing is added to both sides of
    the rows, in the order of the ids (n,).
    """
    n = len(program.gram)
    b, levels = b.copy(), np.full(len(program.totals), level)
    missing = float(program.totals[0] - b[:n].sum()) if len(levels) == 2 else 0.0
    for i in np.argsort(ids, kind="stable"):
        if missing <= 0.0:
            break
        more = min(missing, program.upper[i] - b[i], b[n + i] - program.lower[n + i])
        b[i] += more
        b[n + i] -= more
        missing -= more
    return b, levels


_TIE = 1e-10  # with a smaller complementarity margin the sets themselves are in doubt


def _sure(certificate: Certificate, noise: float) -> bool:
    """Say whether the sets are beyond doubt, at this size of rounding."""
    return certificate.margin > max(_TIE, 16 * noise)


@njit(cache=True)
def _row_by_row(gram: Any, rows: Any, weights: Any, out: Any) -> None:
    values = np.empty(rows.shape[0])
    for i in range(gram.shape[0]):
        for a in range(rows.shape[0]):
            values[a] = gram[i, rows[a]]
        out[i] = dot(values, weights)


def canonical_solution(program: Program, b: Vector, ids: Ids) -> tuple[Vector, Vector] | None:
    """Return (b, levels) solved from the sets of b alone, every sum in the order of the ids.

    Rows of weight zero do not enter, so that it makes no difference whether they are held.
    None where the free variables do not fix the weights (the solution is degenerate).

    b (m,) is a solution; ids (n,) are those of the rows.

    >>> one = Program(np.eye(2), np.arange(2), np.zeros(2, np.int64), np.zeros(2), np.zeros(2),
    ...               np.ones(2), np.array([1.0]))
    >>> canonical_solution(one, np.array([0.5, 0.5]), np.array([7, 3]))
    (array([0.5, 0.5]), array([-0.5]))
    """
    held = np.bincount(program.base, weights=b != 0, minlength=len(program.gram)) > 0
    rows = np.flatnonzero(held)
    rows = rows[np.argsort(ids[rows], kind="stable")]
    place = np.full(len(program.gram), -1)
    place[rows] = np.arange(len(rows))
    n_copies = len(program) // len(program.gram)
    # the variables of these rows, copy by copy, each copy in the order of the ids
    at = (np.arange(n_copies)[:, None] * len(program.gram) + rows[None, :]).ravel()
    few = Program(
        square(program.gram, rows),
        place[program.base[at]],
        program.group[at],
        program.p[at],
        program.lower[at],
        program.upper[at],
        program.totals,
    )
    free = few.free(b[at])
    solved, levels, _ = settle(few, b[at], np.flatnonzero(free))
    if not np.isfinite(solved).all() or not np.array_equal(few.free(solved), free):
        return None
    out = np.zeros(len(b))
    out[at] = solved
    field = np.empty(len(program.gram))
    _row_by_row(program.gram, rows, few.spread(solved), field)
    gradient = field[program.base] - program.p
    for g in range(len(levels)):
        if not (free & (few.group == g)).any():
            levels[g] = middle(level_interval(program, out, gradient, g))
    fine = residual(program, out, levels) <= max(1e-10, 16 * program.noise(out))
    return (out, levels) if fine else None


def fingerprint_of(kernel: Kernel, named: Any, ids: Ids, b: Vector, rho: float) -> str:
    """Return the SHA-256 of one canonical decision function; ids (n,), b (n,)."""
    held = np.flatnonzero(b)
    held = held[np.argsort(ids[held], kind="stable")]
    numbers = [kernel.name, kernel.gamma, kernel.degree, kernel.coef0]
    return digest(
        {
            "kernel": numbers,
            "classes": named,
            "ids": ids[held],
            "weights": b[held],
            "bias": rho,
        }
    )


def canonical_machine(machine: Machine, ids: Ids, classes: NDArray[Any]) -> Machine:
    """Return the machine of C-SVC with every pair in canonical form."""
    if not machine.convex:
        raise BadInput(
            "the kernel is not positive semidefinite here: a stationary point among possibly "
            "many has no canonical form"
        )
    pairs = []
    for pair in machine.pairs:
        # rows that support nothing do not enter; only where no other is free do they fix the bias
        few = machine.leanly and pair.certificate.n_free > 0
        at = np.flatnonzero(pair.b) if few else np.arange(len(pair.rows))
        qp = machine.small(pair.rows[at], pair.first)
        mine = ids[pair.rows]
        found = canonical_solution(Program.of(qp), pair.b[at], mine[at])
        sha, b, rho = "", pair.b, pair.rho
        if found is not None:
            b, rho = np.zeros(len(pair.b)), float(found[1][0])
            b[at] = found[0]
            named = classes[[pair.first, pair.second]]
            sha = fingerprint_of(machine.kernel, named, mine, b, rho)
        if few:
            plain = machine.plain(pair.rows, pair.first)
            checked = certified(machine.values, pair.rows, plain, b, rho)
        else:
            checked = certify(qp, b, rho)
        certificate = replace(checked, canonical=sha if _sure(checked, qp.noise(b[at])) else "")
        pairs.append(replace(pair, b=b, rho=rho, certificate=certificate, settled=True))
    given = None if machine.leanly else machine.gram
    return replace(machine, given=given, slots=None, pairs=tuple(pairs))


def canonical_parts(parts: Parts, ids: Ids, classes: NDArray[Any]) -> Parts:
    """Return a machine with every part in canonical form."""
    parts = replace(parts, given=parts.gram)
    out = []
    for part in parts.pairs:
        program = parts.program(part.first, part.rows)
        mine = ids[part.rows]
        flat = pulled_both_ways(program, part.variables)
        asked, start = of_sums(program, part.variables) if flat else (program, part.variables)
        found = canonical_solution(asked, start, mine)
        now: Part = part
        sha = ""
        if found is not None:
            whole = with_sums(program, found[0], float(found[1][0]), mine) if flat else found
            solved = Solved(*whole, part.moves, 0.0)
            now = part_of(parts.dual, part.first, part.second, part.rows, program, solved)
            if flat:
                now = replace(now, certificate=certify_program(asked, *found, now.rho))
            named: Any = classes[[part.first, part.second]] if parts.classes else []
            sha = fingerprint_of(parts.kernel, named, mine, now.b, now.rho)
        sha = sha if _sure(now.certificate, program.noise(now.variables)) else ""
        out.append(replace(now, certificate=replace(now.certificate, canonical=sha)))
    return replace(parts, pairs=tuple(out))


def of_all(certificates: Sequence[Certificate]) -> Certificate:
    """Return the certificate of the whole, its digest that of the parts' if all have one."""
    out = worst(certificates)
    shas = [c.canonical for c in certificates]
    if len(shas) == 1:
        return out
    return replace(out, canonical=digest(shas) if all(shas) else "")


class Canonicalizes:
    """Adds `canonicalize` to a kernel machine."""

    @one_thread
    def canonicalize(self) -> Self:
        """Solve the final sets once more in the order of the ids; returns self.

        Afterwards forgetting and retraining without the rows are the same to the last bit, and
        `certificate_.canonical` is the SHA-256 of kernel, ids, weights and bias: compare the
        two and nothing need be taken on trust. Where the solution is degenerate (several
        weights give the same function) it stays as it is, and `canonical` is "". Whatever is
        forgotten or inserted afterwards leaves canonical form.

        >>> from unteach.kernel import SVC
        >>> X, y = np.array([[0.0], [1.0], [2.0], [4.0]]), [0, 0, 1, 1]
        >>> short = SVC(gamma=1.0).fit(X[1:], y[1:], sample_ids=[1, 2, 3]).canonicalize()
        >>> long = SVC(gamma=1.0).fit(X, y).forget([0]).canonicalize()
        >>> long.certificate_.canonical == short.certificate_.canonical != ""
        True
        """
        self._positions([])  # type: ignore[attr-defined]  # one that only serves is as it is
        model: Any = self
        with model._untouched_by_errors():
            classes = getattr(model, "classes_", np.zeros(0))
            held = hasattr(model, "_machine")
            form: Any = canonical_machine if held else canonical_parts
            now = form(model._machine if held else model._parts, model.sample_ids_, classes)
            claim = model.claim_
            rest = (model._labels, model._weights, model.sample_ids_)
            if held:
                model._adopt(model._params, model._constants, now, *rest, classes, given=())
            else:
                model._adopt(model._params, model._constants, now, *rest, given=())
            model.claim_ = claim
            model.certificate_ = of_all([p.certificate for p in now.pairs])
        return self
