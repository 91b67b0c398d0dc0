"""Sequential minimal optimization for groups: quick and rough, as in `smo`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


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
