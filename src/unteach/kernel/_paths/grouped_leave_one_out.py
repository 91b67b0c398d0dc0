"""Leave-one-out of the machines beyond C-SVC: each row is closed, and the solution follows.

Where a share nu is asked for, every row that goes moves the solution; so each is solved for, from
the solution with all of them, over one Gram matrix that is never copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NotConverged, OneClassLeft, Progress

from .._machine.blas_threads import one_thread
from .._machine.grouped_machine import Part, Parts
from .._machine.machine_kinds import Tube
from .._solver.grouped_qp import Rows
from .._solver.grouped_solver import solve_program
from .._solver.qp import Vector


def without_each(parts: Parts, part: Part, rows: Rows) -> Iterator[tuple[int, Vector, float]]:
    """Yield, for each of these positions among the part's rows, (position, weights, bias).

    weights (m,) and bias are those of the machine that never saw the row. Raises `BadInput` or
    `NotConverged`, naming the row's position among the machine's rows, where there is none.
    """
    whole = parts.program(part.first, part.rows)
    target = np.where(parts.codes[part.rows] == part.first, 1.0, -1.0)
    target = target if parts.classes else parts.target[part.rows]
    bounds = parts.bounds[part.rows]
    still = isinstance(parts.dual, Tube) and bool(whole.free(part.variables).any())
    for i in rows:
        if still and part.b[i] == 0:
            yield int(i), part.b, part.rho
            continue
        fewer = bounds.copy()
        fewer[i] = 0.0
        try:
            program = parts.dual.program(whole.gram, target, fewer)
            found = solve_program(
                program, start=part.variables, tol=parts.tol, max_iter=parts.max_iter
            )
            b, rho, _ = parts.dual.read(program, found.b, found.levels)
        except (BadInput, NotConverged) as error:
            raise type(error)(f"without row {int(part.rows[i])} (by position): {error}") from error
        yield int(i), b, rho


class LeavesOut:
    """Adds `leave_one_out` to the machines beyond C-SVC."""

    @one_thread
    def leave_one_out(self, *, progress: Progress | None = None) -> NDArray[np.float64]:
        """Return what the machine says of every row as if it had been left out of the fit: (n,).

        For a classifier of two classes y f(x), y being +1 for `classes_[1]` and -1 for
        `classes_[0]`, as in `SVC`; for regression the prediction, in units of the target; for
        `OneClassSVM` the decision value. Numbers computed from data stay. No claim is made: where
        `certificate_.error` is large, these may be off by as much.

        Every row is solved for, from the solution with all of them; only for `SVR` are rows
        that are no support vectors known to change nothing.

        Raises `BadInput` where nu would be infeasible without a row, `OneClassLeft` where a
        class has a single one, and `NotConverged` where no margin would be left.

        >>> from unteach.kernel import SVR
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> SVR(kernel="linear", C=10.0, epsilon=0.0).fit(X, [0.0, 1.0, 2.0, 5.0]).leave_one_out()
        array([-1.        ,  1.66666667,  3.33333333,  3.        ])
        """
        model: Any = self
        model._positions([])
        parts: Parts = model._parts
        if parts.classes:
            _check_classes(parts, model.classes_)
        part = parts.pairs[0]
        gram = parts.gram
        out: Vector = gram[:, part.rows] @ part.b + part.rho
        every = np.arange(len(part.rows))
        for i, b, rho in without_each(parts, part, every):
            out[part.rows[i]] = float(gram[part.rows[i], part.rows] @ b) + rho
            if progress is not None:
                progress(i + 1, len(every), "leave one out")
        return out * np.where(parts.codes == 0, 1.0, -1.0) if parts.classes else out


def _check_classes(parts: Parts, classes: NDArray[Any]) -> None:
    if parts.classes != 2:
        raise BadInput(
            f"leave_one_out needs two classes, this machine has {parts.classes}; take the pairs "
            "of classes one by one"
        )
    if (parts.codes < 0).any():
        raise BadInput("a row of weight zero is of a class that the machine does not know")
    counts = np.bincount(parts.codes[parts.bounds > 0], minlength=2)
    if counts.min() < 2:
        raise OneClassLeft(
            f"class {classes[counts.argmin()]!r} has a single row; leaving it out leaves one class"
        )
