"""The free set of the active-set method for groups: each group has a level of its own.

As in `active`, from which this differs in two ways: a free variable shares its level (the bias)
with its own group alone, and variables share the kernel values of their rows. The free set S is
such that K_SS + sigma EE' is well away from singular, E (s, groups) saying who is in which
group; a variable that K cannot tell from S moves until a bound is hit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .ordered_sums import dot


@njit(cache=True)
def times(matrix: Any, s: int, x: Any) -> Any:
    """Return the leading (s, s) block of a matrix times x (s,)."""
    out = np.empty(s)
    for a in range(s):
        out[a] = dot(x[:s], matrix[a])
    return out


@njit(cache=True)
def largest(x: Any) -> float:
    """Return the largest absolute value, 0 of nothing."""
    out = 0.0
    for a in range(x.shape[0]):
        out = max(out, abs(x[a]))
    return out


@njit(cache=True)
def _by_group(x: Any, side: Any, out: Any) -> None:
    for g in range(out.shape[0]):
        out[g] = 0.0
    for a in range(x.shape[0]):
        out[side[a]] += x[a]


@njit(cache=True)
def _shift(weight: Any, r: Any, out: Any) -> None:
    """Solve the one or two equations of the levels; a group without a free variable has none."""
    a = weight[0, 0]
    if r.shape[0] == 1:
        out[0] = r[0] / a if a > 0 else 0.0
        return
    c, d = weight[0, 1], weight[1, 1]
    if a > 0 and d > 0:
        det = a * d - c * c
        out[0] = (d * r[0] - c * r[1]) / det
        out[1] = (a * r[1] - c * r[0]) / det
    else:
        out[0] = r[0] / a if a > 0 else 0.0
        out[1] = r[1] / d if d > 0 else 0.0


@njit(cache=True)
def level_solve(kss: Any, m: Any, side: Any, s: int, sigma: float, rhs: Any, totals: Any) -> Any:
    """Solve K_SS x + E g = rhs, E'x = totals; returns x, g and the relative residual left."""
    k = totals.shape[0]
    own = np.zeros((k, s))  # M times each group's ones
    weight = np.zeros((k, k))
    for c in range(k):
        ones = np.zeros(s)
        for a in range(s):
            ones[a] = 1.0 if side[a] == c else 0.0
        own[c] = times(m, s, ones)
        _by_group(own[c], side, weight[c])
    x, g, r = np.zeros(s), np.zeros(k), rhs.copy()
    rest, sums, shift = totals.copy(), np.zeros(k), np.zeros(k)
    sizes = np.zeros(k)
    _by_group(np.ones(s), side, sizes)
    _by_group(rhs, side, g)
    for c in range(k):
        g[c] = g[c] / sizes[c] if sizes[c] > 0 else 0.0
    for a in range(s):
        r[a] -= g[side[a]]
    left = np.inf
    for _ in range(5):
        v = times(m, s, r)
        _by_group(v, side, sums)
        for c in range(k):
            sums[c] -= rest[c]
        _shift(weight, sums, shift)
        length = 1e-300 + largest(totals)
        for c in range(k):
            g[c] += shift[c] + (sigma * rest[c] if weight[c, c] > 0 else 0.0)
        for a in range(s):
            x[a] += v[a]
            for c in range(k):
                x[a] -= shift[c] * own[c, a]
            length += abs(x[a])
        back = times(kss, s, x)
        for a in range(s):
            r[a] = rhs[a] - back[a] - g[side[a]]
        _by_group(x, side, sums)
        for c in range(k):
            rest[c] = totals[c] - sums[c] if weight[c, c] > 0 else 0.0
        size = 1e-300 + largest(rhs) + largest(g) + sigma * largest(totals)
        now = largest(r) / size + largest(rest) / length
        if now <= 1e-14 or now > 0.5 * left:
            left = min(now, left)
            break
        left = now
    return x, g, left


@njit(cache=True)
def join(
    gram: Any,
    base: Any,
    group: Any,
    free: Any,
    slot: Any,
    side: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    k: int,
    accept: float,
) -> bool:
    """Let variable k into S, unless its pivot is too small."""
    s = count[0]
    if s == kss.shape[0]:
        return False
    row = gram[base[k]]
    own = row[base[k]] + sigma
    mine = group[k]
    c = np.empty(s)
    for a in range(s):
        kss[s, a] = row[base[free[a]]]
        kss[a, s] = kss[s, a]
        c[a] = kss[s, a] + (sigma if side[a] == mine else 0.0)
    kss[s, s] = row[base[k]]
    v = times(m, s, c)
    back = times(kss, s, v)
    lift = np.empty(2)  # there are at most two groups
    _by_group(v, side, lift)
    for a in range(s):
        back[a] = c[a] - back[a] - sigma * lift[side[a]]
    more = times(m, s, back)
    for a in range(s):
        v[a] += more[a]
    pivot = own - dot(c, v)
    if not pivot > accept * own:
        return False
    for a in range(s):
        scaled = v[a] / pivot
        for e in range(s):
            m[a, e] += scaled * v[e]
        m[s, a] = -scaled
        m[a, s] = -scaled
    m[s, s] = 1.0 / pivot
    free[s] = k
    side[s] = mine
    slot[k] = s
    count[0] = s + 1
    return True


@njit(cache=True)
def leave(free: Any, slot: Any, side: Any, kss: Any, m: Any, count: Any, q: int) -> None:
    """Take the variable in place q out of S; the last one takes its place."""
    s = count[0]
    for a in range(s):
        if a != q:
            factor = m[a, q] / m[q, q]
            for e in range(s):
                if e != q:
                    m[a, e] -= factor * m[q, e]
    last = s - 1
    slot[free[q]] = -1
    if q != last:
        for e in range(s):
            m[q, e] = m[last, e]
            kss[q, e] = kss[last, e]
        for a in range(s):
            m[a, q] = m[a, last]
            kss[a, q] = kss[a, last]
        free[q] = free[last]
        side[q] = side[last]
        slot[free[q]] = q
    count[0] = last
