"""The anchor: what is kept of a solution between operations, so that forgetting need not factor.

It holds how every row stands to the margin, and the inverse of K_SS + sigma 11' over the free
rows S. A deletion is then a change of few sets, solved for around the anchor (`change`); the
inverse follows by blocks, where it stands. What was deleted is overwritten in every array.

Source: the Schur complement of a working set, as in Gill, Murray, Saunders and Wright,
"Inertia-controlling methods for general quadratic programming", SIAM Review 33 (1991). Where we
differ: the shift sigma in place of a border; rows that are not free are known up to a bound on
rounding, and evaluated where that bound reaches the margin; whatever does not settle is
refused, for the caller to solve in the plain way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .._solver.free_set import inverse
from .._solver.qp import Vector, rounded
from ..certificate import Certificate, sums_off
from .conditioning import NEAR, near, of_inverse, of_values
from .factor import Factor
from .kernel_values import Values
from .row_cache import RowCache
from .update import Change, settled_change

Rows = NDArray[np.int64]
FRESH = 256  # operations after which everything is summed afresh
VAGUE = 3e-4  # growth of the bound on the error of h after which everything is summed afresh
ROOM = 256  # rows beside the free ones that must fit into the cache
UNSEEN = 1e-11  # contradictions up to this are none
ROUNDED = 1e-12  # residual of the free rows that needs no refinement


@njit(cache=True)
def _tally(p: Any, lower: Any, upper: Any, b: Any, h: Any, out: Any) -> None:
    """Fill out with residual, gap, margin; the numbers of free, bounded and zero rows, and of
    those at the margin; the largest b, how many are not 0, and the largest p and h + p.
    """
    worst, gap, margin, total = 0.0, 0.0, np.inf, 0.0
    n_free, n_bounded, n_zero, n_near = 0, 0, 0, 0
    weight, target, value = 0.0, 0.0, 0.0
    for i in range(b.shape[0]):
        width = upper[i] - lower[i]
        if not width > 0.0:
            continue
        grow, shrink = b[i] < upper[i], b[i] > lower[i]
        if grow:
            worst = max(worst, -h[i])
        if shrink:
            worst = max(worst, h[i])
        worst = max(worst, max(lower[i] - b[i], b[i] - upper[i]))
        total += b[i]
        weight, target = max(weight, abs(b[i])), max(target, abs(p[i]))
        value = max(value, abs(h[i] + p[i]))
        gap += b[i] * h[i] + upper[i] * max(-h[i], 0.0) - lower[i] * max(h[i], 0.0)
        if grow and shrink:
            n_free += 1
            margin = min(margin, min(b[i] - lower[i], upper[i] - b[i]) / width)
        else:
            margin = min(margin, abs(h[i]))
            n_near += abs(h[i]) <= NEAR
            if b[i] != 0.0:
                n_bounded += 1
            else:
                n_zero += 1
    out[0], out[1], out[2] = max(worst, abs(total)), gap, margin
    out[3], out[4], out[5], out[6] = n_free, n_bounded, n_zero, n_near
    out[7], out[8], out[9], out[10] = weight, n_free + n_bounded, target, value


class Anchor:
    """A solved problem over some rows, which is changed in place.

    Rows keep their numbers; one that was deleted has b = lower = upper = 0. If `without`
    returns False or raises, the anchor is of no use any more.

    Parameters
    ----------
    values : where kernel values come from; at : (m,) which rows there are those of the problem
    p, lower, upper, b : (m,) as in `QP`; rho : the bias
    """

    def __init__(
        self,
        values: Values,
        at: Rows,
        p: Vector,
        lower: Vector,
        upper: Vector,
        b: Vector,
        rho: float,
        free: Rows,
        factor: Factor,
        cache: RowCache,
    ) -> None:
        self.values, self.at, self.p, self.b, self.rho = values, at, p.copy(), b.copy(), rho
        self.lower, self.upper = lower.copy(), upper.copy()
        self.free, self.factor = free, factor
        self.cache = cache
        diagonal = values.diagonal(at)
        self.root = float(np.sqrt(np.abs(diagonal).max(initial=0.0)))
        self.h, self.fuzz, self.age, self.evaluated = p * 0.0, 0.0, 0, 0
        self.version, self.noise = 0, 0.0
        self.objective = 0.0
        self.refresh()

    @classmethod
    def at_solution(
        cls,
        values: Values,
        at: Rows,
        p: Vector,
        lower: Vector,
        upper: Vector,
        b: Vector,
        rho: float,
        cache: RowCache | None = None,
    ) -> Anchor | None:
        """Return the anchor of a solution; None where its free rows are no basis.

        >>> from ..kernels import Kernel
        >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> values = Values(Kernel("precomputed"), np.empty((3, 0)), gram)
        >>> p, bounds = np.array([1.0, 1.0, -1.0]), np.array([5.0, 5.0, 0.0])
        >>> at, b = np.arange(3), np.array([1.0, 0.0, -1.0])
        >>> anchor = Anchor.at_solution(values, at, p, bounds - 5.0, bounds, b, 0.0)
        >>> anchor.free, anchor.without(np.array([0])), anchor.b
        (array([0, 2]), True, array([ 0.,  1., -1.]))
        """
        free = np.flatnonzero((b > lower) & (b < upper))
        if len(free) == 0:
            return None
        shifted = values.block(at[free], at[free])
        sigma = float(np.abs(shifted.diagonal()).mean()) or 1.0
        shifted += sigma
        m = inverse(shifted, 1e-10 * float(shifted.diagonal().max()))
        if m is None:
            return None
        factor = Factor(shifted, m, sigma)
        cache = RowCache(values, at, np.inf) if cache is None else cache
        if len(free) + ROOM > len(cache.owner) < len(at):
            return None
        return cls(values, at, p, lower, upper, b, rho, free, factor, cache)

    def refresh(self) -> None:
        """Sum afresh what every row stands at, and the row sums of the inverse."""
        support = np.flatnonzero(self.b)
        used = self.lower < self.upper
        if self.values.gram is not None:
            field = self.values.field(self.at, self.at[support], self.b[support])
            weight = float(np.abs(self.b).sum())
            self.fuzz = 4e-16 * (weight * self.root**2 + 1.0) * max(len(support), 1) ** 0.5
            self.h = np.where(used, field - self.p + self.rho, 0.0)
        else:
            field, self.fuzz = self.cache.sums(support, self.b[support], self.root)
            self.h = np.where(used, field - self.p + self.rho, 0.0)
            sharp = (np.abs(self.h) <= self.fuzz) & used
            sharp[self.free] = True
            self.h[sharp] = self.exact(np.flatnonzero(sharp))
        self.objective = float(0.5 * (self.b @ (self.h - self.rho - self.p)))
        self.age, self.vague = 0, self.fuzz + VAGUE
        self.factor.refresh()

    def exact(self, rows: Rows) -> Vector:
        """Return h of these rows, summed afresh in double precision."""
        support = np.flatnonzero(self.b)
        field = self.values.field(self.at[rows], self.at[support], self.b[support])
        return np.asarray(field - self.p[rows] + self.rho)

    def without(self, out: Rows) -> bool:
        """Change into the solution without these rows; False where that does not settle."""
        self.version += 1  # whoever holds an earlier state has none any more
        held = out[self.b[out] != 0]
        self.evaluated = 0
        if len(held):
            change = settled_change(self, out, held)
            if change is None or not self._take(change, out):
                return False
        self.b = self.b.copy()
        self.b[out] = 0.0
        self.drop(out)
        self.age += len(held)
        if self.age >= FRESH or self.fuzz > self.vague:
            self.refresh()
        return True

    def drop(self, out: Rows) -> None:
        """Overwrite what is held of rows whose b is 0."""
        for array in (self.p, self.lower, self.upper, self.h):
            array[out] = 0.0
        self.cache.erase(out)

    def certificate(self) -> Certificate:
        """Return the certificate of the solution."""
        told = np.empty(11)
        _tally(self.p, self.lower, self.upper, self.b, self.h, told)
        used = int(told[3] + told[4] + told[5])
        by_evaluation = min(used, int(told[3]) + self.evaluated)
        left, amplified = float(told[0]), self._conditioning(int(told[6]))
        self.noise = rounded(self.root**2, *told[7:10].tolist())
        return Certificate(
            left,
            self.objective,
            float(told[1]),
            int(told[3]),
            int(told[4]),
            int(told[5]),
            float(told[2]),
            False,
            by_evaluation=by_evaluation,
            by_bound=used - by_evaluation,
            conditioning=amplified,
            error=amplified * max(left, self.noise),
            scale=float(told[10]),
            rounding=sums_off(self.noise, self.b, float(self.b.sum())),
        )

    def _conditioning(self, others: int) -> float:
        """Return the conditioning of the free rows and the others at the margin."""
        if not others:
            return of_inverse(self.factor.inverse, self.root**2)
        used = self.lower < self.upper
        at = self.at[near((self.b > self.lower) & (self.b < self.upper), used, self.h)]
        return of_values(self.values.block(at, at))

    def _take(self, change: Change, out: Rows) -> bool:
        """Take a change on: exchange, refine against K, and look at every row once more."""
        factor, free = self.factor, self.free
        dropped, entered = change.dropped, change.entered
        kernel, solved = change.kernel, change.solved
        own = self.at[entered]
        corner = self.values.block(own, own) + factor.sigma if len(entered) else np.empty((0, 0))
        filled = factor.exchange(dropped, kernel, solved, corner)
        if filled is None:
            return False
        empty, movers = filled
        left = len(free) - len(dropped)
        free = free.copy()
        free[empty] = free[movers]
        free = np.concatenate([free[:left], entered])
        self.free = free
        b, rho, h = change.b, change.rho, change.h
        for again in range(3):
            rest, excess = h[free], float(b.sum())
            if max(float(np.abs(rest).max(initial=0.0)), abs(excess)) <= ROUNDED:
                break
            if again == 2:
                return False
            w = factor.w
            fix = factor.inverse @ rest
            g = (float(fix.sum()) - excess) / float(w.sum())
            step = g * w - fix
            b[free] += step
            g += factor.sigma * excess  # K has no shift
            rho -= g
            h -= g
            moved = factor.kss @ step - factor.sigma * float(step.sum())
            h[free] = rest - g + moved
            self.fuzz += float(np.abs(step).sum()) * self.root**2
        give = 1e-11 * (self.upper - self.lower)
        inside = (b[free] > (self.lower + give)[free]) & (b[free] < (self.upper - give)[free])
        if not inside.all() or len(free) == 0:
            return False
        self.objective = change.objective
        self.b, self.h, self.rho = b, h, rho
        return self._all_hold(out)

    def _all_hold(self, out: Rows) -> bool:
        """Evaluate whoever stands within the bound of the margin; say whether all is well."""
        h, b = self.h, self.b
        is_free = np.zeros(len(b), bool)
        is_free[self.free] = True
        used = (self.lower < self.upper) & ~is_free
        used[out] = False
        vague = np.flatnonzero(used & (np.abs(h) <= self.fuzz))
        if len(vague):
            h[vague] = self.exact(vague)
        self.evaluated = len(vague)
        wrong = np.maximum(np.where(b < self.upper, -h, 0.0), np.where(b > self.lower, h, 0.0))
        wrong[out] = 0.0
        return float(wrong.max(initial=0.0)) <= 2 * UNSEEN
