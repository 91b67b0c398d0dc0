"""Learning without the Gram matrix: kernel rows on demand, and an exact problem over few rows.

A rough solution is found in rows of single precision. The support vectors and whoever is close
to the margin then make a small problem, which is solved exactly. Whoever else turns out to
break its condition is taken in, until nobody does. As in the shrinking of Joachims, "Making
large-scale SVM learning practical" (1999), except that what is left out is always checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from unteach.core import NotConverged

from .._downdate.kernel_values import Rows, Values
from .._downdate.row_cache import RowCache
from .._solver.ordered_sums import dot, squared_distance
from .._solver.qp import QP, Vector, bias_interval, rounding
from .._solver.smo import TAU, its_partner, most_violating, move_pair, moved
from .._solver.solver import accepted, settle, solve
from ..certificate import Certificate, certify
from ..kernels import _CODES, _POLY, _RBF, _SIGMOID

CLOSE = 0.02  # |h| up to which a row is taken into the small problem
SLACK = 1e-11  # violations up to this are none
ROUNDS = 20


@njit(cache=True)
def _row(x: Any, i: int, out: Any, code: int, gamma: float, coef0: float, degree: int) -> None:
    for j in range(x.shape[0]):
        if code == _RBF:
            out[j] = math.exp(-gamma * squared_distance(x[i], x[j]))
        else:
            value = dot(x[i], x[j])
            if code == _POLY:
                base = gamma * value + coef0
                value = 1.0
                for _ in range(degree):
                    value *= base
            elif code == _SIGMOID:
                value = math.tanh(gamma * value + coef0)
            out[j] = value


@njit(cache=True)
def _place(
    i: int,
    x: Any,
    data: Any,
    where: Any,
    owner: Any,
    stamp: Any,
    state: Any,
    code: int,
    gamma: float,
    coef0: float,
    degree: int,
) -> int:
    """Return where row i stands in the cache, after putting it there."""
    state[1] += 1
    q = where[i]
    if q < 0:
        if state[0] < owner.shape[0]:
            q = state[0]
            state[0] += 1
        else:
            q = stamp.argmin()
            if owner[q] >= 0:
                where[owner[q]] = -1
        owner[q] = i
        where[i] = q
        _row(x, i, data[q], code, gamma, coef0, degree)
    stamp[q] = state[1]
    return int(q)


@njit(cache=True)
def _smo(
    x: Any,
    diagonal: Any,
    data: Any,
    where: Any,
    owner: Any,
    stamp: Any,
    state: Any,
    code: int,
    gamma: float,
    coef0: float,
    degree: int,
    lower: Any,
    upper: Any,
    b: Any,
    gradient: Any,
    gap: float,
    most: int,
    tau: float,
) -> int:
    for step in range(most):
        i = most_violating(gradient, b, upper)
        if i < 0:
            return step
        row = data[_place(i, x, data, where, owner, stamp, state, code, gamma, coef0, degree)]
        j = its_partner(gradient, b, lower, diagonal, row, i, gap, tau)
        if j < 0:
            return step
        other = data[_place(j, x, data, where, owner, stamp, state, code, gamma, coef0, degree)]
        moved(gradient, row, other, move_pair(gradient, b, lower, upper, diagonal, row, i, j, tau))
    return most


@dataclass(frozen=True, eq=False)
class Lean:
    """A solution found without the Gram matrix: b (m,), rho, moves, its certificate, its rows."""

    b: Vector
    rho: float
    moves: int
    certificate: Certificate
    cache: RowCache


def _rough(values: Values, cache: RowCache, plain: QP, start: Vector | None) -> tuple[Vector, int]:
    """Return a rough solution and the steps it took; start (m,) is feasible."""
    k = values.kernel
    b = np.zeros(len(plain)) if start is None else start.copy()
    support = np.flatnonzero(b)
    gradient = cache.field(support, b[support]) - plain.p
    x = values.x[cache.at]
    steps = _smo(
        x,
        values.diagonal(cache.at),
        cache.data,
        cache.where,
        cache.owner,
        cache.stamp,
        cache.state,
        _CODES[k.name],
        k.gamma,
        k.coef0,
        int(k.degree),
        plain.lower,
        plain.upper,
        b,
        gradient,
        1e-3,
        1000 + 4 * len(b),
        TAU,
    )
    return b, int(steps)


def _level(start: Vector, plain: QP) -> Vector:
    """Return a point within the bounds and with sum 0 near a given one."""
    b = np.clip(start, plain.lower, plain.upper)
    missing = -float(b.sum())
    room = (plain.upper if missing > 0 else plain.lower) - b
    filled = np.cumsum(np.abs(room))
    part = np.clip(abs(missing) - (filled - np.abs(room)), 0.0, np.abs(room))
    level: Vector = b + np.sign(room) * part
    return level


def lean(
    values: Values,
    at: Rows,
    plain: QP,
    *,
    start: Vector | None = None,
    tol: float = 1e-10,
    budget: float = np.inf,
) -> Lean | None:
    """Solve a problem over the rows `at` without its Gram matrix; None without free rows.

    plain : the problem, whose own Gram matrix is not looked at
    start : (m,) a feasible point; budget : bytes for kernel rows
    """
    cache = RowCache(values, at, budget)
    start = None if start is None else _level(start, plain)
    b, moves = _rough(values, cache, plain, start)
    root2 = float(np.abs(values.diagonal(at)).max(initial=0.0))
    h = None
    inside = b != 0
    for _ in range(ROUNDS):
        if h is None:  # how every row stands roughly
            support = np.flatnonzero(b)
            gradient = cache.field(support, b[support]) - plain.p
            level = 0.5 * sum(bias_interval(plain, b, gradient))
            inside |= np.abs(gradient + level) <= CLOSE
        rows = np.flatnonzero(inside)
        small = QP(
            values.block(at[rows], at[rows]), plain.p[rows], plain.lower[rows], plain.upper[rows]
        )
        found = solve(small, start=b[rows], tol=tol)
        if not ((found.b > small.lower) & (found.b < small.upper)).any():
            return None
        b = np.zeros(len(b))
        b[rows] = found.b
        moves += found.moves
        support = np.flatnonzero(b)
        weights = b[support]
        field, fuzz = cache.sums(support, weights, math.sqrt(root2))
        h = field - plain.p + found.rho
        h[rows] = small.gradient(found.b) + found.rho
        vague = np.flatnonzero(~inside & (np.abs(h) <= fuzz))
        h[vague] = values.field(at[vague], at[support], weights) - plain.p[vague] + found.rho
        wrong = np.maximum(np.where(b < plain.upper, -h, 0.0), np.where(b > plain.lower, h, 0.0))
        wrong[inside] = 0.0
        slack = max(SLACK, 4e-16 * root2 * float(np.abs(weights).sum()))
        if wrong.max(initial=0.0) <= slack:
            certificate = certify(
                plain,
                b,
                found.rho,
                gradient=h - found.rho,
                evaluated=len(rows) + len(vague),
                known=found.conditioning,
                **_sizes(values, at, plain, b, root2),
            )
            return Lean(b, found.rho, moves, certificate, cache)
        inside |= wrong > slack
        del small  # before the next one is made
    raise NotConverged(
        f"the rows close to the margin were not found in {ROUNDS} rounds; raise cache_size so "
        "that the whole kernel matrix can be held"
    )


def resettled(
    values: Values, at: Rows, plain: QP, b: Vector, *, tol: float
) -> tuple[Vector, float, Certificate] | None:
    """Return a solution computed from its sets alone, and certified afresh; None without a basis.

    The rows of zero weight do not enter, so that the Gram matrix of the others is enough.
    """
    rows = np.flatnonzero(b)
    small = QP(
        values.block(at[rows], at[rows]), plain.p[rows], plain.lower[rows], plain.upper[rows]
    )
    free = np.flatnonzero((b[rows] > small.lower) & (b[rows] < small.upper))
    if len(free) == 0:
        return None
    found = settle(small, b[rows], free)
    if found.kkt_residual > accepted(tol, small.noise(found.b)):
        return None
    out = np.zeros(len(b))
    out[rows] = found.b
    return out, found.rho, certified(values, at, plain, out, found.rho, found.conditioning)


def certified(
    values: Values, at: Rows, plain: QP, b: Vector, rho: float, known: float | None = None
) -> Certificate:
    """Return the certificate of b and rho, every row evaluated in double precision.

    known : the conditioning of the free rows, where it is known
    """
    support = np.flatnonzero(b)
    gradient = values.field(at, at[support], b[support]) - plain.p
    root2 = float(np.abs(values.diagonal(at)).max(initial=0.0))
    sizes = _sizes(values, at, plain, b, root2)
    return certify(plain, b, rho, gradient=gradient, known=known, **sizes)


def _sizes(values: Values, at: Rows, plain: QP, b: Vector, root2: float) -> dict[str, Any]:
    """Return what a problem without its Gram matrix cannot say; root2 is the largest k(x, x)."""
    diagonal = np.full(len(b), root2)
    return {
        "block": lambda rows: values.block(at[rows], at[rows]),
        "noise": rounding(diagonal, plain.p, b, plain.lower < plain.upper),
    }
