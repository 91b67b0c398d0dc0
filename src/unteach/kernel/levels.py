"""The inner loops of the active-set method for groups: each group has a level of its own.

As in `active`, from which this differs in two ways: a free variable shares its level (the bias)
with its own group alone, and variables share the kernel values of their rows. The free set S is
such that K_SS + sigma EE' is well away from singular, E (s, groups) saying who is in which
group; a variable that K cannot tell from S moves until a bound is hit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .active import ALONE, AT_BOUND, DRIFTED, FLAT, JOINED, OPTIMAL, OUT_OF_STEPS, PARKED
from .kernels import REORDER
from .qp import add_rows


@njit(cache=True, fastmath=REORDER)
def _times(matrix: Any, s: int, x: Any) -> Any:
    out = np.empty(s)
    for a in range(s):
        total = 0.0
        row = matrix[a]
        for c in range(s):
            total += row[c] * x[c]
        out[a] = total
    return out


@njit(cache=True)
def _largest(x: Any) -> float:
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
        own[c] = _times(m, s, ones)
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
        v = _times(m, s, r)
        _by_group(v, side, sums)
        for c in range(k):
            sums[c] -= rest[c]
        _shift(weight, sums, shift)
        length = 1e-300 + _largest(totals)
        for c in range(k):
            g[c] += shift[c] + (sigma * rest[c] if weight[c, c] > 0 else 0.0)
        for a in range(s):
            x[a] += v[a]
            for c in range(k):
                x[a] -= shift[c] * own[c, a]
            length += abs(x[a])
        back = _times(kss, s, x)
        for a in range(s):
            r[a] = rhs[a] - back[a] - g[side[a]]
        _by_group(x, side, sums)
        for c in range(k):
            rest[c] = totals[c] - sums[c] if weight[c, c] > 0 else 0.0
        size = 1e-300 + _largest(rhs) + _largest(g) + sigma * _largest(totals)
        now = _largest(r) / size + _largest(rest) / length
        if now <= 1e-14 or now > 0.5 * left:
            left = min(now, left)
            break
        left = now
    return x, g, left


@njit(cache=True, fastmath=REORDER)
def join(
    gram: Any, base: Any, group: Any, free: Any, slot: Any, side: Any, kss: Any, m: Any,
    count: Any, sigma: float, k: int, accept: float,
) -> bool:  # fmt: skip
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
    v = _times(m, s, c)
    back = _times(kss, s, v)
    for a in range(s):
        lift = 0.0
        for e in range(s):
            if side[e] == side[a]:
                lift += v[e]
        back[a] = c[a] - back[a] - sigma * lift
    more = _times(m, s, back)
    pivot = own
    for a in range(s):
        v[a] += more[a]
        pivot -= c[a] * v[a]
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


@njit(cache=True, fastmath=REORDER)
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


@njit(cache=True)
def blocked(
    lower: Any, upper: Any, b: Any, free: Any, s: int, step: Any, far: float, least: bool
) -> Any:
    """Return (place in S, length) of the variable that stops a move along `step` before `far`.

    Of those that stop it about equally soon, the one that moves fastest is taken (Harris), or
    the one with the least number, which cannot cycle (Bland).
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
def _company(side: Any, s: int, g: int) -> bool:
    for a in range(s):  # noqa: SIM110 (numba compiles no generators)
        if side[a] == g:
            return True
    return False


@njit(cache=True)
def move(
    gram: Any, base: Any, group: Any, lower: Any, upper: Any, b: Any, level: Any, free: Any,
    slot: Any, side: Any, kss: Any, m: Any, count: Any, sigma: float, k: int, h: float,
    target: float, driving: bool, least: bool, accept: float, way_made: Any,
) -> int:  # fmt: skip
    """Move variable k, which is not in S, while S keeps its gradient level in each group.

    Driving: to b_k = target. Otherwise: downhill (h = gradient_k + level) until h is 0 and k
    joins S, or k reaches its bound.
    """
    sign = (1.0 if target > b[k] else -1.0) if driving else (1.0 if h < 0 else -1.0)
    mine = group[k]
    own = gram[base[k], base[k]]
    totals = np.zeros(level.shape[0])
    totals[mine] = -1.0
    while True:
        s = count[0]
        if not _company(side, s, mine):
            if driving:
                return ALONE
            level[mine] -= h
            joined = join(
                gram, base, group, free, slot, side, kss, m, count, sigma, k, accept
            )
            return JOINED if joined else PARKED
        against = np.empty(s)
        for a in range(s):
            against[a] = -gram[base[k], base[free[a]]]
        step, g, left = level_solve(kss, m, side, s, sigma, against, totals)
        if left > 1e-8:
            return DRIFTED
        curve = own + g[mine]
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
            if curve > FLAT * (own + sigma) * length * length and abs(h) <= far * curve:
                far = abs(h) / curve
                end = JOINED
        q, way = blocked(lower, upper, b, free, s, step, far, least)
        for a in range(s):
            b[free[a]] += way * step[a]
        b[k] += sign * way
        for c in range(level.shape[0]):
            level[c] += sign * way * g[c]
        way_made[0] += way
        h += sign * way * curve
        if q >= 0:
            i = free[q]
            b[i] = upper[i] if step[q] > 0 else lower[i]
            leave(free, slot, side, kss, m, count, q)
        elif driving:
            b[k] = target
            return AT_BOUND
        elif end == AT_BOUND:
            b[k] = upper[k] if sign > 0 else lower[k]
            return AT_BOUND
        else:
            joined = join(
                gram, base, group, free, slot, side, kss, m, count, sigma, k, accept
            )
            return JOINED if joined else PARKED


@njit(cache=True)
def descend(
    lower: Any, upper: Any, b: Any, gradient: Any, level: Any, free: Any, slot: Any, side: Any,
    kss: Any, m: Any, count: Any, sigma: float,
) -> int:  # fmt: skip
    """Minimize over S alone, dropping what hits its bounds; the gradient is of the start."""
    s = count[0]
    least = s < 0  # never; a literal would make numba compile everything below twice
    slope = np.empty(s)
    totals = np.zeros(level.shape[0])
    for a in range(s):
        slope[a] = gradient[free[a]]
    while count[0] > 0:
        s = count[0]
        rhs = np.empty(s)
        for a in range(s):
            rhs[a] = -slope[a] - level[side[a]]
        step, g, left = level_solve(kss, m, side, s, sigma, rhs, totals)
        if left > 1e-6 and _largest(rhs) > 1e-9:
            return DRIFTED
        q, way = blocked(lower, upper, b, free, s, step, 1.0, least)
        change = _times(kss, s, step)
        for a in range(s):
            b[free[a]] += way * step[a]
            slope[a] += way * change[a]
        for c in range(level.shape[0]):
            level[c] += way * g[c]
        if q < 0:
            break
        i = free[q]
        b[i] = upper[i] if step[q] > 0 else lower[i]
        leave(free, slot, side, kss, m, count, q)
        slope[q] = slope[s - 1]
    return OPTIMAL


@njit(cache=True)
def _opened(
    gram: Any, base: Any, group: Any, p: Any, lower: Any, upper: Any, b: Any, field: Any,
    level: Any, free: Any, slot: Any, side: Any, kss: Any, m: Any, count: Any, sigma: float,
    slack: float, accept: float,
) -> None:  # fmt: skip
    """Give each group without a free variable a level: the middle, or that of one let in."""
    for g in range(level.shape[0]):
        if _company(side, count[0], g):
            continue
        i: Any = np.int64(-1)  # typed, for numba would compile `join` twice
        low, high = -np.inf, np.inf
        for t in range(b.shape[0]):
            if group[t] == g:
                value = p[t] - field[base[t]]
                if b[t] < upper[t] and value > low:
                    low = value
                    i = t
                if b[t] > lower[t] and value < high:
                    high = value
        if low - high <= slack:
            if low > -np.inf and high < np.inf:
                level[g] = 0.5 * (low + high)
            elif low > -np.inf:
                level[g] = low
            elif high < np.inf:
                level[g] = high
        else:
            level[g] = low
            join(gram, base, group, free, slot, side, kss, m, count, sigma, i, accept)


@njit(cache=True)
def exchange(
    gram: Any, base: Any, group: Any, p: Any, lower: Any, upper: Any, b: Any, field: Any,
    level: Any, free: Any, slot: Any, side: Any, kss: Any, m: Any, count: Any, sigma: float,
    slack: float, accept: float, most: int, spent: Any,
) -> int:  # fmt: skip
    """Let violators in, worst first, one at a time, until none breaks its condition by `slack`.

    field is K times the weights of the rows, kept for all rows. spent[0] counts the moves.
    """
    driving = b.shape[0] < 0  # never; a literal would make numba compile `move` twice
    still = 0
    way_made = np.zeros(1)
    while True:
        _opened(
            gram, base, group, p, lower, upper, b, field, level, free, slot, side, kss, m,
            count, sigma, slack, accept,
        )  # fmt: skip
        least = still > 30
        k = -1
        worst = slack
        step = 0.0
        for t in range(b.shape[0]):
            if slot[t] < 0:
                h = field[base[t]] - p[t] + level[group[t]]
                if (h > worst and b[t] > lower[t]) or (-h > worst and b[t] < upper[t]):
                    k = t
                    step = h
                    if least:
                        break
                    worst = abs(h)
        if k < 0:
            return OPTIMAL
        if spent[0] >= most:
            return OUT_OF_STEPS
        spent[0] += 1
        before = b.copy()
        way_made[0] = 0.0
        code = move(
            gram, base, group, lower, upper, b, level, free, slot, side, kss, m, count, sigma,
            k, step, 0.0, driving, least, accept, way_made,
        )  # fmt: skip
        still = still + 1 if way_made[0] <= 1e-14 * (upper[k] - lower[k]) else 0
        change = np.zeros(gram.shape[0])
        for t in range(b.shape[0]):
            change[base[t]] += b[t] - before[t]
        add_rows(gram, change, field)
        if code == DRIFTED:
            return DRIFTED


@njit(cache=True)
def rough(
    gram: Any, base: Any, group: Any, p: Any, lower: Any, upper: Any, b: Any, field: Any,
    gap: float, most: int, tau: float, k: int,
) -> int:  # fmt: skip
    """Improve b by pairs of one group (sequential minimal optimization); returns the steps.

    Fan, Chen and Lin (JMLR 2005), working set selection 2, the better of the groups each time.
    """
    n = b.shape[0]
    first = np.empty(k, np.int64)
    top, bottom = np.empty(k), np.empty(k)
    for step in range(most):
        for g in range(k):
            first[g], top[g], bottom[g] = -1, -np.inf, np.inf
        for t in range(n):
            value = p[t] - field[base[t]]
            g = group[t]
            if b[t] < upper[t] and value > top[g]:
                top[g] = value
                first[g] = t
            if b[t] > lower[t] and value < bottom[g]:
                bottom[g] = value
        worst = 0.0
        for g in range(k):
            if first[g] >= 0:
                worst = max(worst, top[g] - bottom[g])
        if worst <= gap:
            return step
        i, j = -1, -1
        best = 0.0
        for t in range(n):
            g = group[t]
            if b[t] > lower[t] and first[g] >= 0:
                slope = top[g] - p[t] + field[base[t]]
                if slope > 0.0:
                    a, c = base[first[g]], base[t]
                    curve = gram[a, a] + gram[c, c] - 2.0 * gram[a, c]
                    gain = slope * slope / (curve if curve > tau else tau)
                    if gain > best:
                        best = gain
                        i, j = first[g], t
        if j < 0:
            return step
        a, c = base[i], base[j]
        curve = gram[a, a] + gram[c, c] - 2.0 * gram[a, c]
        slope = (field[c] - p[j]) - (field[a] - p[i])
        go = slope / (curve if curve > tau else tau)
        room_i, room_j = upper[i] - b[i], b[j] - lower[j]
        if go < room_i and go < room_j:
            b[i] += go
            b[j] -= go
        elif room_i <= room_j:
            go = room_i
            b[i] = upper[i]
            b[j] = lower[j] if room_i == room_j else b[j] - go
        else:
            go = room_j
            b[j] = lower[j]
            b[i] += go
        if a != c:
            one, other = gram[a], gram[c]
            for t in range(field.shape[0]):
                field[t] += go * (one[t] - other[t])
    return most
