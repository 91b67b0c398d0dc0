"""The inner loops of the active-set method for groups: one free set, moved a variable at a time.

The counterpart of those in `active`; `levels` says where groups differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .active_set import ALONE, AT_BOUND, DRIFTED, FLAT, JOINED, OPTIMAL, OUT_OF_STEPS, PARKED
from .grouped_free_set import join, largest, leave, level_solve, times
from .qp import add_rows


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
    gram: Any,
    base: Any,
    group: Any,
    lower: Any,
    upper: Any,
    b: Any,
    level: Any,
    free: Any,
    slot: Any,
    side: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    k: int,
    h: float,
    target: float,
    driving: bool,
    least: bool,
    accept: float,
    way_made: Any,
) -> int:
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
            joined = join(gram, base, group, free, slot, side, kss, m, count, sigma, k, accept)
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
            joined = join(gram, base, group, free, slot, side, kss, m, count, sigma, k, accept)
            return JOINED if joined else PARKED


@njit(cache=True)
def descend(
    lower: Any,
    upper: Any,
    b: Any,
    gradient: Any,
    level: Any,
    free: Any,
    slot: Any,
    side: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
) -> int:
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
        if left > 1e-6 and largest(rhs) > 1e-9:
            return DRIFTED
        q, way = blocked(lower, upper, b, free, s, step, 1.0, least)
        change = times(kss, s, step)
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
    gram: Any,
    base: Any,
    group: Any,
    p: Any,
    lower: Any,
    upper: Any,
    b: Any,
    field: Any,
    level: Any,
    free: Any,
    slot: Any,
    side: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    slack: float,
    accept: float,
) -> None:
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
    gram: Any,
    base: Any,
    group: Any,
    p: Any,
    lower: Any,
    upper: Any,
    b: Any,
    field: Any,
    level: Any,
    free: Any,
    slot: Any,
    side: Any,
    kss: Any,
    m: Any,
    count: Any,
    sigma: float,
    slack: float,
    accept: float,
    most: int,
    spent: Any,
) -> int:
    """Let violators in, worst first, one at a time, until none breaks its condition by `slack`.

    field is K times the weights of the rows, kept for all rows. spent[0] counts the moves.
    """
    driving = b.shape[0] < 0  # never; a literal would make numba compile `move` twice
    still = 0
    way_made = np.zeros(1)
    while True:
        _opened(
            gram,
            base,
            group,
            p,
            lower,
            upper,
            b,
            field,
            level,
            free,
            slot,
            side,
            kss,
            m,
            count,
            sigma,
            slack,
            accept,
        )
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
            gram,
            base,
            group,
            lower,
            upper,
            b,
            level,
            free,
            slot,
            side,
            kss,
            m,
            count,
            sigma,
            k,
            step,
            0.0,
            driving,
            least,
            accept,
            way_made,
        )
        still = still + 1 if way_made[0] <= 1e-14 * (upper[k] - lower[k]) else 0
        change = np.zeros(gram.shape[0])
        for t in range(b.shape[0]):
            change[base[t]] += b[t] - before[t]
        add_rows(gram, change, field)
        if code == DRIFTED:
            return DRIFTED
