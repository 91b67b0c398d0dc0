"""The inner loops of leave-one-out: changes of the active set as small systems in a tableau.

Around a solution with free rows S, and for rows N near the margin,

    [ db_S ]   [ R   -V ] [ z ]        V = R K_SN + r 1',   drho = r'z - v'd,
    [ dh_N ] = [ V'   H ] [ d ]        H = K_NN - K_NS V - 1 v'

where d is what changes in b_N and z what the rows of S are let off their margins by. R, r and
the constant in v are the inverse of the bordered K_SS. So whatever the sets change to, only
the k rows that change set are solved for: k is tens where S is hundreds.

The sets are guessed, solved for, and corrected wherever the answer contradicts them (a
primal-dual active set). Source: Hintermueller, Ito and Kunisch, "The primal-dual active set
strategy as a semismooth Newton method", SIAM Journal on Optimization 13 (2002). Where we
differ: it runs in the tableau; how far any h can move bounds which rows are looked at; and
when the count of contradictions does not fall, only the worst is corrected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FREE, LOW, HIGH, OUT = 0, 1, 2, 3
SETTLED, SINGULAR, TOO_LONG, TOO_MANY, NO_BIAS = 0, 1, 2, 3, 4
MOST_ROUNDS = 60
PATIENCE = 6  # rounds in which the contradictions may fail to become fewer
SMALLEST = 1e-10  # pivot of a small system, relative to the largest entry of its row


@njit(cache=True)
def solve_small(a: Any, x: Any, k: int, scale: Any) -> bool:
    """Solve a[:k, :k] x = x in place by elimination with row pivots; False if near singular."""
    for i in range(k):
        scale[i] = 0.0
        for c in range(k):
            scale[i] = max(scale[i], abs(a[i, c]))
    for i in range(k):
        p, best = -1, SMALLEST
        for r in range(i, k):
            if scale[r] > 0.0 and abs(a[r, i]) / scale[r] > best:
                best = abs(a[r, i]) / scale[r]
                p = r
        if p < 0:
            return False
        if p != i:
            for c in range(k):
                a[i, c], a[p, c] = a[p, c], a[i, c]
            x[i], x[p] = x[p], x[i]
            scale[i], scale[p] = scale[p], scale[i]
        for r in range(i + 1, k):
            f = a[r, i] / a[i, i]
            if f != 0.0:
                for c in range(i + 1, k):
                    a[r, c] -= f * a[i, c]
                x[r] -= f * x[i]
    for i in range(k - 1, -1, -1):
        total = x[i]
        for c in range(i + 1, k):
            total -= a[i, c] * x[c]
        x[i] = total / a[i, i]
    return True


@njit(cache=True)
def _add(out: Any, row: Any, c: float, m: int) -> None:
    for t in range(m):
        out[t] += c * row[t]


@njit(cache=True)
def _wrong(state: int, h: float, slack: float) -> float:
    """Return by how much h contradicts a row that stands at a bound; 0 within slack."""
    if (state == LOW and -h > slack) or (state == HIGH and h > slack):
        return abs(h)
    return 0.0


@njit(cache=True)
def pivot(
    r: Any,
    rb: Any,
    v: Any,
    vt: Any,
    vb: Any,
    h: Any,
    b_s: Any,
    lo_s: Any,
    up_s: Any,
    b_n: Any,
    lo_n: Any,
    up_n: Any,
    at_n: Any,
    h_n: Any,
    size: Any,
    root: float,
    slack: float,
    most: int,
    out_s: int,
    out_n: int,
    in_s: Any,
    in_n: Any,
    db: Any,
    dn: Any,
    hn: Any,
    told: Any,
    work: Any,
    x: Any,
    scale: Any,
    lists: Any,
) -> int:
    """Solve the problem in which one row of S (out_s) or of N (out_n) has b = 0.

    r (s, s), rb (s,), v (s, m), vt (m, s), vb (m,), h (m, m) : the tableau
    b, lo, up : values and bounds of S and N; at_n (m,) LOW or HIGH; h_n (m,) their h
    size (m,) : |h_n|, ascending: rows beyond the reach of a change are not looked at
    root : the largest sqrt(K_ii), so that |dh_i| <= |dw| root + |drho|

    Fills db (s,), dn (m,) with the change of b, and told with: the decision value less p of
    the row left out, the reach, drho, the sum of |z|, the sum of |d|.
    """
    s, m = b_s.shape[0], b_n.shape[0]
    in_s[:] = FREE
    in_n[:] = at_n
    dropped, entered, moved = lists[0], lists[1], lists[2]
    n_t, n_a, n_k = 0, 0, 0
    if out_s >= 0:
        in_s[out_s] = OUT
        dropped[0] = out_s
        n_t = 1
    else:
        in_n[out_n] = OUT
        moved[0] = out_n
        n_k = 1
    fewest = s + m + 1
    tired = 0
    for _ in range(MOST_ROUNDS):
        k = n_t + n_a
        for e in range(n_k):
            i = moved[e]
            target = 0.0 if in_n[i] == OUT else (lo_n[i] if in_n[i] == LOW else up_n[i])
            x[most + e] = target - b_n[i]
        for a in range(n_t):
            t = dropped[a]
            target = 0.0 if in_s[t] == OUT else (lo_s[t] if in_s[t] == LOW else up_s[t])
            x[a] = target - b_s[t]
            for e in range(n_k):
                x[a] += v[t, moved[e]] * x[most + e]
            for c in range(n_t):
                work[a, c] = r[t, dropped[c]]
            for c in range(n_a):
                work[a, n_t + c] = -v[t, entered[c]]
        for a in range(n_a):
            i = entered[a]
            x[n_t + a] = -h_n[i]
            for e in range(n_k):
                x[n_t + a] -= h[i, moved[e]] * x[most + e]
            for c in range(n_t):
                work[n_t + a, c] = v[dropped[c], i]
            for c in range(n_a):
                work[n_t + a, n_t + c] = h[i, entered[c]]
        if not solve_small(work, x, k, scale):
            return SINGULAR
        db[:] = 0.0
        drho, forced, changed = 0.0, 0.0, 0.0
        for a in range(n_t):
            _add(db, r[dropped[a]], x[a], s)
            drho += rb[dropped[a]] * x[a]
            forced += abs(x[a])
        for a in range(n_a):
            _add(db, vt[entered[a]], -x[n_t + a], s)
            drho -= vb[entered[a]] * x[n_t + a]
            changed += abs(x[n_t + a])
        for e in range(n_k):
            _add(db, vt[moved[e]], -x[most + e], s)
            drho -= vb[moved[e]] * x[most + e]
            changed += abs(x[most + e])
        # |dw|^2 = db'dh, and dh is not 0 only where something changed set
        square = 0.0
        for a in range(n_t):
            square += x[a] * db[dropped[a]]
        for a in range(n_a):
            square -= x[n_t + a] * h_n[entered[a]]
        for e in range(n_k):
            i = moved[e]
            dh = 0.0
            for a in range(n_t):
                dh += v[dropped[a], i] * x[a]
            for a in range(n_a):
                dh += h[i, entered[a]] * x[n_t + a]
            for c in range(n_k):
                dh += h[i, moved[c]] * x[most + c]
            scale[e] = h_n[i] + dh
            square += x[most + e] * dh
        reach = np.sqrt(max(square, 0.0)) * root + abs(drho)
        seen = np.searchsorted(size, 1.0000001 * reach + slack)
        for t in range(seen):
            hn[t] = h_n[t]
        for a in range(n_t):
            _add(hn, v[dropped[a]], x[a], seen)
        for a in range(n_a):
            _add(hn, h[entered[a]], x[n_t + a], seen)
        for e in range(n_k):
            _add(hn, h[moved[e]], x[most + e], seen)
        # contradictions: count them and find the worst
        wrong, worst, where, kind = 0, 0.0, -1, 0
        for t in range(s):
            if in_s[t] == FREE:
                give = 1e-12 * (up_s[t] - lo_s[t])
                now = b_s[t] + db[t]
                off = max(lo_s[t] - now, now - up_s[t])
                if off > give:
                    wrong += 1
                    if off > worst:
                        worst, where, kind = off, t, 1
        for a in range(n_t):
            off = _wrong(in_s[dropped[a]], x[a], slack)
            if off > 0.0:
                wrong += 1
                if off > worst:
                    worst, where, kind = off, dropped[a], 2
        for a in range(n_a):
            i = entered[a]
            now = b_n[i] + x[n_t + a]
            off = max(lo_n[i] - now, now - up_n[i])
            if off > 1e-12 * (up_n[i] - lo_n[i]):
                wrong += 1
                if off > worst:
                    worst, where, kind = off, i, 3
        for i in range(seen):
            off = _wrong(in_n[i], hn[i], slack)
            if off > 0.0:
                wrong += 1
                if off > worst:
                    worst, where, kind = off, i, 4
        for e in range(n_k):
            off = _wrong(in_n[moved[e]], scale[e], slack)
            if off > 0.0 and moved[e] >= seen:
                wrong += 1
                if off > worst:
                    worst, where, kind = off, moved[e], 4
        if wrong == 0:
            fixed = False  # a free row strictly between its bounds fixes the bias
            for t in range(s):
                if in_s[t] == FREE and not fixed:
                    give = 1e-10 * (up_s[t] - lo_s[t])
                    now = b_s[t] + db[t]
                    fixed = lo_s[t] + give < now < up_s[t] - give
            for a in range(n_a):
                i = entered[a]
                give = 1e-10 * (up_n[i] - lo_n[i])
                now = b_n[i] + x[n_t + a]
                fixed = fixed or lo_n[i] + give < now < up_n[i] - give
            if not fixed:
                return NO_BIAS
            dn[:] = 0.0
            for a in range(n_a):
                dn[entered[a]] = x[n_t + a]
            for e in range(n_k):
                dn[moved[e]] = x[most + e]
            if out_s >= 0:
                for a in range(n_t):
                    if dropped[a] == out_s:
                        told[0] = x[a]
            else:
                for e in range(n_k):
                    if moved[e] == out_n:
                        told[0] = scale[e]
            told[1], told[2], told[3], told[4] = reach, drho, forced, changed
            return SETTLED
        tired = 0 if wrong < fewest else tired + 1
        fewest = min(wrong, fewest)
        one = tired > PATIENCE
        for t in range(s):
            if in_s[t] == FREE and (not one or (kind == 1 and where == t)):
                give = 1e-12 * (up_s[t] - lo_s[t])
                now = b_s[t] + db[t]
                if now < lo_s[t] - give:
                    in_s[t] = LOW
                elif now > up_s[t] + give:
                    in_s[t] = HIGH
        for a in range(n_t):
            t = dropped[a]
            if (not one or (kind == 2 and where == t)) and _wrong(in_s[t], x[a], slack) > 0.0:
                in_s[t] = FREE
        for i in range(seen):
            if (not one or (kind == 4 and where == i)) and _wrong(in_n[i], hn[i], slack) > 0.0:
                in_n[i] = -1  # enters; FREE would let it be looked at below
        for e in range(n_k):
            i = moved[e]
            said = not one or (kind == 4 and where == i)
            if said and i >= seen and _wrong(in_n[i], scale[e], slack) > 0.0:
                in_n[i] = -1
        for a in range(n_a):
            i = entered[a]
            if not one or (kind == 3 and where == i):
                give = 1e-12 * (up_n[i] - lo_n[i])
                now = b_n[i] + x[n_t + a]
                if now < lo_n[i] - give:
                    in_n[i] = LOW
                elif now > up_n[i] + give:
                    in_n[i] = HIGH
        n_t, n_a, n_k = 0, 0, 0
        for t in range(s):
            if in_s[t] != FREE:
                if n_t == most:
                    return TOO_MANY
                dropped[n_t] = t
                n_t += 1
        for i in range(m):
            if in_n[i] == -1:
                in_n[i] = FREE
            if in_n[i] == FREE:
                if n_a == most:
                    return TOO_MANY
                entered[n_a] = i
                n_a += 1
            elif in_n[i] != at_n[i]:
                if n_k == most:
                    return TOO_MANY
                moved[n_k] = i
                n_k += 1
        if n_t + n_a > most:
            return TOO_MANY
    return TOO_LONG


@njit(cache=True)
def pivot_each(
    r: Any,
    rb: Any,
    v: Any,
    vt: Any,
    vb: Any,
    h: Any,
    b_s: Any,
    lo_s: Any,
    up_s: Any,
    b_n: Any,
    lo_n: Any,
    up_n: Any,
    at_n: Any,
    h_n: Any,
    size: Any,
    root: float,
    slack: float,
    most: int,
    outs: Any,
    db: Any,
    dn: Any,
    told: Any,
    codes: Any,
) -> None:
    """Leave out one row after another: outs (q,) counts through S and then N.

    db (q, s), dn (q, m), told (q, 5), codes (q,) are filled.
    """
    s, m = b_s.shape[0], b_n.shape[0]
    in_s, in_n = np.empty(s, np.int8), np.empty(m, np.int8)
    hn = np.empty(m)
    work, x, scale = np.empty((most, most)), np.empty(2 * most), np.empty(most + 1)
    lists = np.empty((3, most + 1), np.int64)
    for q in range(outs.shape[0]):
        i = outs[q]
        codes[q] = pivot(
            r,
            rb,
            v,
            vt,
            vb,
            h,
            b_s,
            lo_s,
            up_s,
            b_n,
            lo_n,
            up_n,
            at_n,
            h_n,
            size,
            root,
            slack,
            most,
            i if i < s else -1,
            i - s if i >= s else -1,
            in_s,
            in_n,
            db[q],
            dn[q],
            hn,
            told[q],
            work,
            x,
            scale,
            lists,
        )
