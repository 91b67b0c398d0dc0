"""A change of few sets around an anchor: guessed, solved for, and corrected until it holds.

With S the free rows, z what some of them are let off the margin by, and d what changes in b
outside S, everything follows from a system as large as the number of rows that change set (see
`pivots`). The sets are corrected wherever the answer contradicts them, as in Hintermueller, Ito
and Kunisch (2002). Where we differ: rows that are close are looked at first, all rows once,
when the close ones agree; and when the contradictions do not become fewer, only the worst one
is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._solver.qp import Vector
from .pivots import MOST_ROUNDS, PATIENCE, solve_small
from .row_cache import ROUNDING

if TYPE_CHECKING:
    from .working_set import Anchor

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]
UNSEEN = 1e-11  # contradictions up to this are none
CLOSE = 0.15  # share of the reach of a change within which rows are looked at first
LIKELY = 0.02  # share of the bound on rounding that rounding is likely to reach


@dataclass(frozen=True, eq=False)
class Change:
    """The solution after a change.

    dropped : (t,) places in S that leave; entered : (e,) rows that enter
    kernel, solved : (e, s) as in `Factor.exchange`
    b, h : (n,) ; rho : the bias; objective : of the dual
    """

    dropped: Rows
    entered: Rows
    kernel: Matrix
    solved: Matrix
    b: Vector
    h: Vector
    rho: float
    objective: float


class _Columns:
    """Columns of the tableau, computed for the rows that are asked for and kept."""

    def __init__(self, anchor: Anchor) -> None:
        self.anchor, self.w = anchor, anchor.factor.w
        self.sw = float(self.w.sum())
        self.known: dict[int, int] = {}
        s = len(anchor.free)
        self.kernel, self.solved, self.h = np.empty((0, s)), np.empty((0, s)), np.empty(0)

    def ask(self, rows: Rows) -> list[int]:
        """Return the place of each row among those known, computing what is not known yet."""
        fresh = [i for i in rows.tolist() if i not in self.known]
        if fresh:
            anchor, new = self.anchor, np.array(fresh)
            own, free = anchor.at[new], anchor.at[anchor.free]
            kernel = anchor.values.block(own, free)
            kernel += anchor.factor.sigma
            self.known |= {i: len(self.known) + a for a, i in enumerate(fresh)}
            self.kernel = np.concatenate([self.kernel, kernel])
            self.solved = np.concatenate([self.solved, kernel @ anchor.factor.inverse])
            self.h = np.append(self.h, anchor.exact(new))
            anchor.cache.ask(new)
        return [self.known[i] for i in rows.tolist()]

    def of(self, rows: Rows) -> tuple[list[int], Matrix, Vector, Matrix]:
        """Return the places, v (s, k), vb (k,) and the Schur complement (k, k) of these rows."""
        which = self.ask(rows)
        kernel, solved = self.kernel[which], self.solved[which]
        q = kernel @ self.w - 1.0
        own = self.anchor.at[rows]
        schur = self.anchor.values.block(own, own) + self.anchor.factor.sigma - kernel @ solved.T
        schur += np.outer(q, q / self.sw)
        return which, (solved - np.outer(q / self.sw, self.w)).T, q / self.sw, schur


def settled_change(anchor: Anchor, out: Rows, held: Rows) -> Change | None:
    """Return the solution with b = 0 on the rows that are out; None if it does not settle.

    held are those of them whose b is not 0 now.
    """
    b, h, lower, upper = anchor.b, anchor.h, anchor.lower, anchor.upper
    free, factor = anchor.free, anchor.factor
    m, w = factor.inverse, factor.w
    s = len(free)
    most = max(40, s // 3)
    is_free = np.zeros(len(b), bool)
    is_free[free] = True
    closed = ~(lower < upper)
    closed[out] = True
    rest = np.flatnonzero(~is_free & ~closed)
    is_free[held] = False
    in_s = np.zeros(len(b), bool)
    in_s[free] = True
    touched = held[~in_s[held]]
    target = b.copy()
    target[held] = 0.0
    columns = _Columns(anchor)
    sw = columns.sw
    size = np.abs(h[rest])
    fewest, tired = len(b) + 1, 0
    for _ in range(MOST_ROUNDS):
        dropped = np.flatnonzero(~is_free[free])
        entered = touched[is_free[touched]]
        moved = touched[~is_free[touched]]
        moved = moved[target[moved] != b[moved]]
        t, a = len(dropped), len(entered)
        if t + a > most or t == s:
            return None
        changed = np.concatenate([entered, moved])
        which, v, vb, schur = columns.of(changed)
        dk = target[moved] - b[moved]
        before = columns.h[which]
        rhs = np.concatenate([target[free[dropped]] - b[free[dropped]], -before[:a]])
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
        db = m[dropped].T @ z - w * (float(w[dropped] @ z) / sw) - v @ d
        drho = float(w[dropped] @ z) / sw - float(vb @ d)
        dh = v[dropped].T @ z + schur @ d  # of the rows that changed
        reach = np.sqrt(max(float(z @ db[dropped] + d @ dh), 0.0)) * anchor.root + abs(drho)
        # contradictions among the free rows
        now, there = b[free] + db, b[entered] + d[:a]
        now[dropped] = target[free[dropped]]
        kept = is_free[free]
        rows = np.concatenate([free[kept], entered])
        new = np.concatenate([now[kept], there])
        off = np.maximum(lower[rows] - new, new - upper[rows])
        bad_free = off > 1e-12 * (upper[rows] - lower[rows])
        # and among the others: those that changed, and those that are close
        step = np.concatenate([now - b[free], d])
        all_rows = np.concatenate([free, changed])
        fuzz = anchor.fuzz + ROUNDING * float(np.abs(step).sum()) * anchor.root**2
        known = np.concatenate([moved, free[dropped]])
        known_h = np.concatenate([before[a:] + dh[a:], z])
        skip = closed[known]
        known, known_h = known[~skip], known_h[~skip]
        seen = rest[size <= CLOSE * reach + fuzz]
        hn = h[seen] + drho
        if len(all_rows) > len(anchor.cache.owner):
            return None
        anchor.cache.ask(all_rows)
        anchor.cache.pick(all_rows, step, seen, hn)
        probable = LIKELY * fuzz
        look, wrong = _wrong(target, lower, upper, is_free, seen, hn, probable, known, known_h)
        bad = look[wrong > UNSEEN]
        if not bad_free.any() and not len(bad):
            field = np.zeros(len(b))
            anchor.cache.sweep(all_rows, step, field)
            field += h + drho
            b_new = b.copy()
            b_new[rows], b_new[free[dropped]], b_new[moved] = new, now[dropped], target[moved]
            seen = rest[size <= reach * (1 + 1e-7) + fuzz]
            _sharpen(anchor, b_new, field, seen, anchor.rho + drho, fuzz)
            look, wrong = _wrong(
                target, lower, upper, is_free, seen, field[seen], UNSEEN, known, known_h
            )
            bad = look[wrong > UNSEEN]
            if not len(bad):
                moved_all = factor.kss @ step[:s] - factor.sigma * float(step[:s].sum())
                kernel = columns.kernel[which] - factor.sigma
                field[free] = h[free] + drho + moved_all + kernel.T @ d
                across = anchor.values.block(anchor.at[changed], anchor.at[changed])
                field[changed] = before + drho + kernel @ step[:s] + across @ d
                there = np.concatenate([h[free], before]) + field[all_rows]
                objective = anchor.objective + 0.5 * float(step @ there)
                field[out] = 0.0
                anchor.fuzz = fuzz
                some = which[:a]
                return Change(
                    dropped,
                    entered,
                    columns.kernel[some],
                    columns.solved[some],
                    b_new,
                    field,
                    anchor.rho + drho,
                    objective,
                )
        count = int(bad_free.sum()) + len(bad)
        tired = 0 if count < fewest else tired + 1
        fewest = min(fewest, count)
        leave = np.flatnonzero(bad_free)
        if tired > PATIENCE:  # only the worst
            first = len(leave) and off.max() >= wrong.max(initial=0.0)
            leave = np.array([int(off.argmax())]) if first else leave[:0]
            bad = bad[:0] if first else look[[int(wrong.argmax())]]
        gone = rows[leave]
        target[gone] = np.where(new[leave] > upper[gone], upper[gone], lower[gone])
        is_free[gone] = False
        is_free[bad] = True
        touched = np.union1d(touched, bad[~in_s[bad]])
    return None


def _wrong(
    target: Vector,
    lower: Vector,
    upper: Vector,
    is_free: NDArray[np.bool_],
    seen: Rows,
    hn: Vector,
    fuzz: float,
    known: Rows,
    known_h: Vector,
) -> tuple[Rows, Vector]:
    """Return the rows looked at and by how much each contradicts that it stands at a bound."""
    look = np.concatenate([seen, known])
    h = np.concatenate([np.where(np.abs(hn) <= fuzz, 0.0, hn), known_h])
    wrong = np.where(target[look] < upper[look], -h, -np.inf)
    wrong = np.maximum(wrong, np.where(target[look] > lower[look], h, -np.inf))
    wrong[is_free[look]] = 0.0
    return look, wrong


def _sharpen(anchor: Anchor, b: Vector, field: Vector, seen: Rows, rho: float, fuzz: float) -> None:
    """Evaluate in double precision whoever of the rows seen stands within rounding."""
    vague = seen[np.abs(field[seen]) <= fuzz]
    if len(vague):
        at, support = anchor.at, np.flatnonzero(b)
        sums = anchor.values.field(at[vague], at[support], b[support])
        field[vague] = sums - anchor.p[vague] + rho


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
