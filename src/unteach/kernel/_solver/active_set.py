"""The inner loops of the active-set method: one free set, moved one row at a time.

The free set S is always such that K_SS + sigma 11' is well away from singular, and its inverse
M is at hand (sigma > 0 is free to choose, since the sum of b is fixed: inertia control). A row
that is to enter is moved along the direction that keeps the gradient of S level. If that
direction has no curvature, K does not see it: the row moves until some bound is hit, the row
at the bound leaves S, and the direction is taken anew. So duplicates, ties on integer grids
and linear kernels with more support vectors than dimensions need no special care.

After Cauwenberghs and Poggio (NIPS 2000) and the null-space exchange of Fletcher's primal
active-set method ("A general quadratic programming algorithm", 1971). Where we differ: the
shift sigma in place of a bordered indefinite inverse, refinement against K at every solve,
and pivots that decide by curvature and rounding rather than by a fixed ridge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .ordered_sums import dot, summed
from .qp import add_rows

JOINED, AT_BOUND, PARKED, ALONE, DRIFTED = 1, 2, 3, 4, 5
OPTIMAL, OUT_OF_STEPS = 0, 6
ACCEPT = 1e-11  # smallest pivot, relative to its diagonal, with which a row may join S
FLAT = 4e-16  # curvature below this (relative, times |direction|^2) cannot be told from none


@njit(cache=True)
def _times(matrix: Any, s: int, x: Any) -> Any:
    out = np.empty(s)
    for a in range(s):
        out[a] = dot(x[:s], matrix[a])
    return out


@njit(cache=True)
def _largest(x: Any) -> float:
    out = 0.0
    for a in range(x.shape[0]):
        out = max(out, abs(x[a]))
    return out


@njit(cache=True)
def level_solve(kss: Any, m: Any, s: int, sigma: float, rhs: Any, total: float) -> Any:
    """Solve K_SS x + g = rhs, sum x = total; returns x, g and the relative residual left."""
    w = _times(m, s, np.ones(s))
    weight = summed(w)
    x = np.zeros(s)
    r = np.empty(s)
    g = summed(rhs) / s
    for a in range(s):
        r[a] = rhs[a] - g
    rest = total
    left = np.inf
    for _ in range(4):
        v = _times(m, s, r)
        shift = (summed(v) - rest) / weight
        g += shift + sigma * rest
        length = 1e-300 + abs(total)
        for a in range(s):
            x[a] += v[a] - shift * w[a]
            length += abs(x[a])
        back = _times(kss, s, x)
        for a in range(s):
            r[a] = rhs[a] - back[a] - g
        rest = total - summed(x)
        size = 1e-300 + _largest(rhs) + abs(g) + sigma * abs(total)
        now = _largest(r) / size + abs(rest) / length
        if now <= 1e-14 or now > 0.5 * left:
            left = min(now, left)
            break
        left = now
    return x, g, left


@njit(cache=True)
def join(
    gram: Any,
    free: Any,
    slot: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    k: int,
    accept: float,
) -> bool:
    """Let row k into S, unless its pivot is too small."""
    s = count[0]
    own = gram[k, k] + sigma
    for a in range(s):
        kss[s, a] = gram[k, free[a]]
        kss[a, s] = kss[s, a]
    kss[s, s] = gram[k, k]
    c = np.empty(s)
    for a in range(s):
        c[a] = kss[s, a] + sigma
    v = _times(m, s, c)
    back = _times(kss, s, v)
    lift = sigma * summed(v)
    for a in range(s):
        back[a] = c[a] - back[a] - lift
    more = _times(m, s, back)
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
    slot[k] = s
    count[0] = s + 1
    return True


@njit(cache=True)
def leave(free: Any, slot: Any, kss: Any, m: Any, count: Any, q: int) -> None:
    """Take the row in place q out of S; the last one takes its place."""
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
        slot[free[q]] = q
    count[0] = last


@njit(cache=True)
def blocked(
    lower: Any, upper: Any, b: Any, free: Any, s: int, step: Any, far: float, least: bool
) -> Any:
    """Return (place in S, length) of the row that stops a move along `step` before `far`.

    Of rows that stop it about equally soon, the one that moves fastest is taken (Harris), for
    its pivot is best; or the one with the least number, which cannot cycle (Bland).
    """
    relaxed = np.inf
    for a in range(s):
        i = free[a]
        give = 1e-13 * (upper[i] - lower[i])
        if step[a] > 1e-14:
            relaxed = min(relaxed, (upper[i] - b[i] + give) / step[a])
        elif step[a] < -1e-14:
            relaxed = min(relaxed, (lower[i] - b[i] - give) / step[a])
    if relaxed >= far:
        return -1, far
    q = -1
    length = 0.0
    best = 0.0
    for a in range(s):
        i = free[a]
        if abs(step[a]) > 1e-14:
            ratio = ((upper[i] if step[a] > 0 else lower[i]) - b[i]) / step[a]
            better = (q < 0 or i < free[q]) if least else abs(step[a]) > best
            if ratio <= relaxed and better:
                q = a
                best = abs(step[a])
                length = max(ratio, 0.0)
    return q, length


@njit(cache=True)
def move(
    gram: Any,
    lower: Any,
    upper: Any,
    b: Any,
    level: Any,
    free: Any,
    slot: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    k: int,
    h: float,
    target: float,
    driving: bool,
    least: bool,
) -> int:
    """Move row k, which is not in S, while S keeps its gradient level.

    Driving: to b_k = target. Otherwise: downhill (h = gradient_k + rho) until h is 0 and k
    joins S, or k reaches its bound. level is rho, the way made so far, and the pivot to accept.
    """
    sign = (1.0 if target > b[k] else -1.0) if driving else (1.0 if h < 0 else -1.0)
    while True:
        s = count[0]
        if s == 0:
            if driving:
                return ALONE
            level[0] -= h
            return JOINED if join(gram, free, slot, kss, m, count, sigma, k, level[2]) else PARKED
        against = np.empty(s)
        for a in range(s):
            against[a] = -gram[k, free[a]]
        step, g, left = level_solve(kss, m, s, sigma, against, -1.0)
        if left > 1e-8:
            return DRIFTED
        curve = gram[k, k] + g
        length = 1.0
        for a in range(s):
            curve -= against[a] * step[a]
            length += abs(step[a])
            step[a] *= sign
        end = AT_BOUND
        if driving:
            far = abs(target - b[k])
        else:
            far = upper[k] - b[k] if sign > 0 else b[k] - lower[k]
            if curve > FLAT * (gram[k, k] + sigma) * length * length and abs(h) <= far * curve:
                far = abs(h) / curve
                end = JOINED
        q, way = blocked(lower, upper, b, free, s, step, far, least)
        for a in range(s):
            b[free[a]] += way * step[a]
        b[k] += sign * way
        level[0] += sign * way * g
        level[1] += way
        h += sign * way * curve
        if q >= 0:
            i = free[q]
            b[i] = upper[i] if step[q] > 0 else lower[i]
            leave(free, slot, kss, m, count, q)
        elif driving:
            b[k] = target
            return AT_BOUND
        elif end == AT_BOUND:
            b[k] = upper[k] if sign > 0 else lower[k]
            return AT_BOUND
        else:
            return JOINED if join(gram, free, slot, kss, m, count, sigma, k, level[2]) else PARKED


@njit(cache=True)
def descend(
    lower: Any,
    upper: Any,
    b: Any,
    gradient: Any,
    level: Any,
    free: Any,
    slot: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
) -> int:
    """Minimize over S alone, dropping rows that hit their bounds; the gradient is of the start."""
    s = count[0]
    least = s < 0  # never; a literal would make numba compile everything below twice
    slope = np.empty(s)
    for a in range(s):
        slope[a] = gradient[free[a]]
    while count[0] > 0:
        s = count[0]
        rhs = np.empty(s)
        for a in range(s):
            rhs[a] = -slope[a] - level[0]
        step, g, left = level_solve(kss, m, s, sigma, rhs, 0.0)
        if left > 1e-6 and _largest(rhs) > 1e-9:
            return DRIFTED
        q, way = blocked(lower, upper, b, free, s, step, 1.0, least)
        change = _times(kss, s, step)
        for a in range(s):
            b[free[a]] += way * step[a]
            slope[a] += way * change[a]
        level[0] += way * g
        if q < 0:
            break
        i = free[q]
        b[i] = upper[i] if step[q] > 0 else lower[i]
        leave(free, slot, kss, m, count, q)
        slope[q] = slope[s - 1]
    return OPTIMAL


@njit(cache=True)
def exchange(
    gram: Any,
    lower: Any,
    upper: Any,
    b: Any,
    gradient: Any,
    level: Any,
    free: Any,
    slot: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    slack: float,
    most: int,
    spent: Any,
) -> int:
    """Let violators in, worst first, one at a time, until none breaks its condition by `slack`.

    The gradient is kept for all rows. spent[0] counts the moves.
    """
    n = b.shape[0]
    driving = n < 0  # never; a literal would make numba compile `move` twice
    still = 0
    while True:
        if count[0] == 0:
            i: Any = np.int64(-1)  # typed, for the same reason
            low, high = -np.inf, np.inf
            for t in range(n):
                if b[t] < upper[t] and -gradient[t] > low:
                    low = -gradient[t]
                    i = t
                if b[t] > lower[t] and -gradient[t] < high:
                    high = -gradient[t]
            if low - high <= slack:
                level[0] = 0.5 * (low + high)
                return OPTIMAL
            level[0] = low
            join(gram, free, slot, kss, m, count, sigma, i, level[2])
        least = still > 30
        k = -1
        worst = slack
        for t in range(n):
            if slot[t] < 0:
                h = gradient[t] + level[0]
                if (h > worst and b[t] > lower[t]) or (-h > worst and b[t] < upper[t]):
                    k = t
                    if least:
                        break
                    worst = abs(h)
        if k < 0:
            return OPTIMAL
        if spent[0] >= most:
            return OUT_OF_STEPS
        spent[0] += 1
        before = b.copy()
        level[1] = 0.0
        code = move(
            gram,
            lower,
            upper,
            b,
            level,
            free,
            slot,
            kss,
            m,
            count,
            sigma,
            k,
            gradient[k] + level[0],
            0.0,
            driving,
            least,
        )
        still = still + 1 if level[1] <= 1e-14 * (upper[k] - lower[k]) else 0
        for t in range(n):
            before[t] = b[t] - before[t]
        add_rows(gram, before, gradient)
        if code == DRIFTED:
            return DRIFTED
