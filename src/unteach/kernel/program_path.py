"""The path of a row's weight from 1 to 0, for the machines beyond C-SVC, as it is shown.

How it is walked: `program_walk`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, NotConverged, OneClassLeft

from . import checked
from .parts import Part, Parts
from .path import ForgetPath, Knot, Values
from .program import level_interval, middle, residual
from .program_walk import Walk
from .programs import snap
from .qp import Vector
from .threads import one_thread


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
