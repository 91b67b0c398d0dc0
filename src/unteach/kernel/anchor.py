"""The anchor: what is kept of a solution between operations, so that forgetting need not factor.

It holds the gradient of every row and the inverse of K_SS + sigma 11' over the free rows S. A
deletion is then a change of few sets: the k rows that change set are solved for by a primal-dual
active set around the anchor, and the inverse follows by blocks. What was deleted is dropped from
every array.

Source: the Schur complement of a working set, as in Gill, Murray, Saunders and Wright,
"Inertia-controlling methods for general quadratic programming", SIAM Review 33 (1991), and
Hintermueller, Ito and Kunisch (2002) for the sets. Where we differ: the shift sigma in place of
a border, rows beyond the reach of a change are looked at once, and whatever does not settle is
refused, for the caller to solve in the plain way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import NDArray

from .freeset import inverse
from .kernels import REORDER
from .pivots import MOST_ROUNDS, PATIENCE, solve_small
from .qp import Vector
from .tableau import block

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]
FRESH = 32  # operations after which the gradient is summed afresh
UNSEEN = 1e-11  # contradictions up to this are none
ROUNDED = 3e-12  # residual of the free rows that needs no refinement
SURE = 1e-6  # largest defect of the inverse that refinement is trusted with


@njit(cache=True, fastmath=REORDER)
def gather(gram: Any, rows: Any, change: Any, columns: Any, out: Any) -> None:
    """Add change @ gram[rows][:, columns] to out."""
    m, n = rows.shape[0], columns.shape[0]
    a = 0
    while a + 4 <= m:
        k0, k1, k2, k3 = gram[rows[a]], gram[rows[a + 1]], gram[rows[a + 2]], gram[rows[a + 3]]
        c0, c1, c2, c3 = change[a], change[a + 1], change[a + 2], change[a + 3]
        for t in range(n):
            j = columns[t]
            out[t] += c0 * k0[j] + c1 * k1[j] + c2 * k2[j] + c3 * k3[j]
        a += 4
    while a < m:
        row, c = gram[rows[a]], change[a]
        for t in range(n):
            out[t] += c * row[columns[t]]
        a += 1


@njit(cache=True)
def copy(matrix: Any, rows: Any, out: Any) -> None:
    """Fill the leading block of out with matrix[rows][:, rows]."""
    for a in range(rows.shape[0]):
        source = matrix[rows[a]]
        for c in range(rows.shape[0]):
            out[a, c] = source[rows[c]]


@njit(cache=True, fastmath=REORDER)
def _stream(gram: Any, rows: Any, change: Any, out: Any) -> None:
    """Add change @ gram[rows] to out: all columns, so that memory is read straight on."""
    m, n, piece = rows.shape[0], out.shape[0], 2048
    for start in range(0, n, piece):
        stop = min(start + piece, n)
        a = 0
        while a + 4 <= m:
            k0, k1, k2, k3 = gram[rows[a]], gram[rows[a + 1]], gram[rows[a + 2]], gram[rows[a + 3]]
            c0, c1, c2, c3 = change[a], change[a + 1], change[a + 2], change[a + 3]
            for t in range(start, stop):
                out[t] += c0 * k0[t] + c1 * k1[t] + c2 * k2[t] + c3 * k3[t]
            a += 4
        while a < m:
            row, c = gram[rows[a]], change[a]
            for t in range(start, stop):
                out[t] += c * row[t]
            a += 1


def combine(gram: Matrix, rows: Rows, change: Vector, columns: Rows, out: Vector) -> None:
    """Add change @ gram[rows][:, columns] to out, the quicker way."""
    if 2 * len(columns) < len(gram):
        gather(gram, rows, change, columns, out)
    else:
        whole = np.zeros(len(gram))
        _stream(gram, rows, change, whole)
        out += whole[columns]


@dataclass(frozen=True, eq=False)
class Anchor:
    """A solved problem over rows of a Gram matrix that holds others too.

    Parameters
    ----------
    at : (m,) where each row of the problem stands in the Gram matrix
    p, lower, upper, b, h : (m,) as in `QP`; h is Kb - p + rho
    rho : the bias
    free : (s,) the rows of S; kss : (s, s) K_SS + sigma, in that order; inverse : of kss
    age : operations since the gradient was summed afresh
    """

    at: Rows
    p: Vector
    lower: Vector
    upper: Vector
    b: Vector
    h: Vector
    rho: float
    free: Rows
    kss: Matrix
    inverse: Matrix
    sigma: float
    age: int = 0

    @classmethod
    def at_solution(
        cls, gram: Matrix, at: Rows, p: Vector, lower: Vector, upper: Vector, b: Vector, rho: float
    ) -> Anchor | None:
        """Return the anchor of a solution; None where its free rows are no basis.

        >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> p, bounds = np.array([1.0, 1.0, -1.0]), np.array([5.0, 5.0, 0.0])
        >>> at, b = np.arange(3), np.array([1.0, 0.0, -1.0])
        >>> anchor = Anchor.at_solution(gram, at, p, bounds - 5.0, bounds, b, 0.0)
        >>> anchor.free, anchor.without(gram, np.array([0])).b
        (array([0, 2]), array([ 1., -1.]))
        """
        free = np.flatnonzero((b > lower) & (b < upper))
        if len(free) == 0:
            return None
        own = at[free]
        sigma = float(np.abs(gram[own, own]).mean()) or 1.0
        shifted = block(gram, own, own) + sigma
        m = inverse(shifted, 1e-10 * float(shifted.diagonal().max()))
        if m is None:
            return None
        h = _gradient(gram, at, p, b) + rho
        return cls(at, p, lower, upper, b, h, rho, free, shifted, m, sigma)

    def without(self, gram: Matrix, out: Rows) -> Anchor | None:
        """Return the anchor of the solution without these rows; None where it does not settle."""
        held = out[self.b[out] != 0]
        solved = _solved(self, gram, out, held) if len(held) else self
        if solved is None:
            return None
        keep = np.ones(len(self.at), bool)
        keep[out] = False
        number = np.cumsum(keep) - 1
        fewer = {name: getattr(solved, name)[keep] for name in ("at", "p", "lower", "upper", "b")}
        free = number[solved.free]
        left = replace(solved, **fewer, h=solved.h[keep], free=free, age=self.age + len(held))
        return left._afresh(gram) if left.age >= FRESH else left

    def _afresh(self, gram: Matrix) -> Anchor:
        return replace(self, h=_gradient(gram, self.at, self.p, self.b) + self.rho, age=0)


def _gradient(gram: Matrix, at: Rows, p: Vector, b: Vector) -> Vector:
    out: Vector = -p
    used = np.flatnonzero(b)
    combine(gram, at[used], b[used], at, out)
    return out


def _solved(anchor: Anchor, gram: Matrix, out: Rows, held: Rows) -> Anchor | None:
    """Solve with b = 0 on the rows that are out; the arrays keep their length."""
    at, b, h, m = anchor.at, anchor.b, anchor.h, anchor.inverse
    lower, upper, free = anchor.lower, anchor.upper, anchor.free
    s = len(free)
    most = max(40, s // 3)
    place = np.full(len(at), -1)
    place[free] = np.arange(s)
    give = 1e-12 * (upper - lower)
    root = float(np.sqrt(np.abs(gram[at, at]).max()))
    w = m.sum(axis=1)
    sw = float(w.sum())
    is_free = place >= 0
    is_free[held] = False
    is_out = np.zeros(len(at), bool)
    is_out[out] = True
    target = b.copy()
    target[held] = 0.0
    columns = _Columns(gram, anchor, w, sw)
    fewest, tired = len(at) + 1, 0
    size = np.abs(h)
    near = np.flatnonzero((place < 0) & ~is_out)
    for _ in range(MOST_ROUNDS):
        dropped = np.flatnonzero(~is_free[free])
        entered = np.flatnonzero(is_free & (place < 0))
        moved = np.flatnonzero(~is_free & (place < 0) & (target != b))
        t, a = len(dropped), len(entered)
        if t + a > most or t == s:
            return None
        v, vb, schur = columns.of(np.concatenate([entered, moved]))
        dk = target[moved] - b[moved]
        rhs = np.concatenate([target[free[dropped]] - b[free[dropped]], -h[entered]])
        rhs[:t] += v[dropped, a:] @ dk
        rhs[t:] -= schur[:a, a:] @ dk
        small = np.empty((t + a, t + a))
        small[:t, :t] = m[np.ix_(dropped, dropped)] - np.outer(w[dropped], w[dropped]) / sw
        small[:t, t:], small[t:, :t] = -v[dropped, :a], v[dropped, :a].T
        small[t:, t:] = schur[:a, :a]
        x = _solve(small, rhs)
        if x is None:
            return None
        z, d = x[:t], np.concatenate([x[t:], dk])
        db = m[:, dropped] @ z - w * (float(w[dropped] @ z) / sw) - v @ d
        drho = float(w[dropped] @ z) / sw - float(vb @ d)
        changed = np.concatenate([entered, moved])
        dh = v[dropped].T @ z + schur @ d  # of the rows that changed
        reach = np.sqrt(max(float(z @ db[dropped] + d @ dh), 0.0)) * root + abs(drho)
        now = b.copy()
        now[free] += db
        now[free[dropped]] = target[free[dropped]]
        now[changed] += d
        now[moved] = target[moved]
        off = np.where(is_free, np.maximum(lower - now, now - upper), 0.0)
        bad_free = off > give
        seen = near[size[near] <= reach * (1 + 1e-7)]
        there = np.concatenate([free, changed])
        step = now[there] - b[there]
        hn = h[seen] + drho
        combine(gram, at[there], step, at[seen], hn)
        look = np.concatenate([seen, moved, free[dropped]])
        hn = np.concatenate([hn, h[moved] + dh[a:], z])
        wrong = np.where(target[look] < upper[look], -hn, -np.inf)
        wrong = np.maximum(wrong, np.where(target[look] > lower[look], hn, -np.inf))
        wrong[is_free[look] | is_out[look]] = 0.0
        bad = look[wrong > UNSEEN]
        count = int(bad_free.sum()) + len(bad)
        if count == 0:
            kept = np.flatnonzero(is_free[free])
            inverted = _exchanged(gram, anchor, kept, dropped, entered, columns)
            rows = np.concatenate([free[kept], entered])
            return _landed(anchor, gram, now, drho, rows, inverted, is_out)
        tired = 0 if count < fewest else tired + 1
        fewest = min(fewest, count)
        leave = np.flatnonzero(bad_free)
        if tired > PATIENCE:  # only the worst
            first = len(leave) and off.max() >= wrong.max(initial=0.0)
            leave = np.array([int(off.argmax())]) if first else leave[:0]
            bad = bad[:0] if first else look[[int(wrong.argmax())]]
        target[leave] = np.where(now[leave] > upper[leave], upper[leave], lower[leave])
        is_free[leave] = False
        is_free[bad] = True
    return None


class _Columns:
    """Columns of the tableau, computed for the rows that are asked for and kept."""

    def __init__(self, gram: Matrix, anchor: Anchor, w: Vector, sw: float) -> None:
        self.gram, self.anchor, self.w, self.sw = gram, anchor, w, sw
        self.known: dict[int, int] = {}
        s = len(anchor.free)
        self.kernel, self.solved = np.empty((0, s)), np.empty((0, s))

    def of(self, rows: Rows) -> tuple[Matrix, Vector, Matrix]:
        """Return v (s, k), vb (k,) and the Schur complement (k, k) of these rows."""
        self.ask(rows)
        which = [self.known[i] for i in rows.tolist()]
        kernel, solved = self.kernel[which], self.solved[which]
        q = kernel @ self.w - 1.0
        own = self.anchor.at[rows]
        schur = block(self.gram, own, own) + self.anchor.sigma - kernel @ solved.T
        schur += np.outer(q, q / self.sw)
        return (solved - np.outer(q / self.sw, self.w)).T, q / self.sw, schur

    def ask(self, rows: Rows) -> None:
        """Compute what is not known yet."""
        fresh = [i for i in rows.tolist() if i not in self.known]
        if fresh:
            at = self.anchor.at
            kernel = block(self.gram, at[np.array(fresh)], at[self.anchor.free]) + self.anchor.sigma
            self.known |= {i: len(self.known) + a for a, i in enumerate(fresh)}
            self.kernel = np.concatenate([self.kernel, kernel])
            self.solved = np.concatenate([self.solved, kernel @ self.anchor.inverse])


def _solve(a: Matrix, x: Vector) -> Vector | None:
    """Return the solution of a small system; None where it is singular, as far as one can tell."""
    k = len(x)
    if k <= 64:
        x = x.copy()
        return x if solve_small(a.copy(), x, k, np.empty(k)) else None
    try:
        found = np.asarray(np.linalg.solve(a, x), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return found if np.abs(a @ found - x).max() <= 1e-9 * (1 + np.abs(x).max()) else None


def _exchanged(
    gram: Matrix, anchor: Anchor, kept: Rows, dropped: Rows, entered: Rows, columns: _Columns
) -> tuple[Matrix, Matrix] | None:
    """Return K_SS + sigma and its inverse after some rows of S leave and others enter at the end.

    What leaves and what enters are two blocks of one update of low rank, made in place on the
    copy of what stays.
    """
    m, u, t, e = anchor.inverse, len(kept), len(dropped), len(entered)
    side = block(m, kept, dropped)
    core = np.linalg.solve(block(m, dropped, dropped), side.T) if t else np.empty((0, u))
    own = anchor.at[entered]
    kss, out = np.zeros((u + e, u + e)), np.zeros((u + e, u + e))
    copy(anchor.kss, kept, kss)
    copy(m, kept, out)
    left = np.zeros((u + e, t + e))
    right = np.zeros((t + e, u + e))
    left[:u, :t], right[:t, :u] = side, -core
    if e:
        c = columns.kernel[[columns.known[i] for i in entered.tolist()]][:, kept].T  # (u, e)
        kss[:u, u:], kss[u:, :u] = c, c.T
        kss[u:, u:] = block(gram, own, own) + anchor.sigma

        def undone(y: Matrix) -> Matrix:
            z: Matrix = out[:u, :u] @ y - side @ (core @ y)
            return z

        x = undone(c)
        rest = c - kss[:u, :u] @ x  # without this the error would grow with every entry
        if np.abs(rest).max(initial=0.0) > SURE:
            return None
        x += undone(rest)
        corner = kss[u:, u:] - c.T @ x
        if np.linalg.eigvalsh(corner)[0] <= 1e-9 * (float(gram[own, own].max()) + anchor.sigma):
            return None
        left[:u, t:], left[u:, t:] = x, -np.eye(e)
        right[t:] = np.linalg.solve(corner, left[:, t:].T)
    if t + e:
        out = scipy.linalg.blas.dgemm(1.0, right.T, left.T, beta=1.0, c=out.T, overwrite_c=1).T
    return kss, out


def _landed(
    anchor: Anchor, gram: Matrix, b: Vector, drho: float, free: Rows,
    inverted: tuple[Matrix, Matrix] | None, out: Any,
) -> Anchor | None:  # fmt: skip
    """Refine against K, look at every row, and take the solution on; None if it does not hold."""
    if inverted is None or len(free) == 0:
        return None
    kss, m = inverted
    at, lower, upper = anchor.at, anchor.lower, anchor.upper
    w = m.sum(axis=1)
    sw = float(w.sum())
    rho, h, before = anchor.rho + drho, anchor.h + drho, anchor.b
    for _ in range(3):
        step = b - before
        changed = np.flatnonzero(step)
        combine(gram, at[changed], step[changed], at, h)
        rest = h[free]
        excess = float(b.sum())
        if max(float(np.abs(rest).max()), abs(excess)) <= ROUNDED:
            break
        fix = m @ rest
        g = (float(fix.sum()) - excess) / sw
        before, b = b, b.copy()
        b[free] -= fix - g * w
        g += anchor.sigma * excess  # K has no shift
        rho -= g
        h -= g
    give = 1e-11 * (upper - lower)
    inside = (b[free] > (lower + give)[free]) & (b[free] < (upper - give)[free])
    wrong = np.maximum(np.where(b < upper, -h, 0.0), np.where(b > lower, h, 0.0))
    wrong[out] = 0.0
    if not inside.all() or wrong.max(initial=0.0) > 2 * UNSEEN or abs(float(b.sum())) > 2 * UNSEEN:
        return None
    return replace(anchor, b=b, h=h, rho=rho, free=free, kss=kss, inverse=m)
