"""Sequential minimal optimization: quick and rough, it finds most of the active set.

Fan, Chen and Lin, "Working set selection using second order information for training support
vector machines", JMLR 6 (2005), working set selection 2. Where we differ from libsvm: the Gram
matrix is float64 and resident, nothing is shrunk, and it starts from any feasible point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .qp import QP, Vector

# Sequential minimal optimization for groups: quick and rough, as in `smo`.


@njit(cache=True)
def rough(
    gram: Any,
    base: Any,
    group: Any,
    p: Any,
    lower: Any,
    upper: Any,
    b: Any,
    field: Any,
    gap: float,
    most: int,
    tau: float,
    k: int,
) -> int:
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


TAU = 1e-12  # libsvm's curvature for pairs that have none, or a negative one


@njit(cache=True, forceinline=True)
def most_violating(gradient: Any, b: Any, upper: Any) -> int:
    """Return the row that gains most by growing, -1 where none may grow."""
    i, top = -1, -np.inf
    for t in range(b.shape[0]):
        if b[t] < upper[t] and -gradient[t] > top:
            top = -gradient[t]
            i = t
    return i


@njit(cache=True, forceinline=True)
def its_partner(
    gradient: Any, b: Any, lower: Any, diagonal: Any, row: Any, i: int, gap: float, tau: float
) -> int:
    """Return the row whose shrinking with i growing lowers the objective most; -1 within gap."""
    top = -gradient[i]
    j, bottom, best = -1, np.inf, 0.0
    for t in range(b.shape[0]):
        if b[t] > lower[t]:
            value = -gradient[t]
            if value < bottom:
                bottom = value
            slope = top - value
            if slope > 0.0:
                curve = diagonal[i] + diagonal[t] - 2.0 * row[t]
                gain = slope * slope / (curve if curve > tau else tau)
                if gain > best:
                    best = gain
                    j = t
    return -1 if top - bottom <= gap else j


@njit(cache=True, forceinline=True)
def move_pair(
    gradient: Any,
    b: Any,
    lower: Any,
    upper: Any,
    diagonal: Any,
    row: Any,
    i: int,
    j: int,
    tau: float,
) -> Any:
    """Let i grow and j shrink, to the best point or to a bound, and return by how much."""
    curve = diagonal[i] + diagonal[j] - 2.0 * row[j]
    move = (gradient[j] - gradient[i]) / (curve if curve > tau else tau)
    room_i, room_j = upper[i] - b[i], b[j] - lower[j]
    if move < room_i and move < room_j:
        b[i] += move
        b[j] -= move
    elif room_i <= room_j:
        move = room_i
        b[i] = upper[i]
        b[j] = lower[j] if room_i == room_j else b[j] - move
    else:
        move = room_j
        b[j] = lower[j]
        b[i] += move
    return move


@njit(cache=True, forceinline=True)
def moved(gradient: Any, first: Any, second: Any, move: float) -> None:
    """Follow a move of a pair with the gradient; first and second are their kernel rows."""
    for t in range(gradient.shape[0]):
        gradient[t] += move * (first[t] - second[t])


@njit(cache=True)
def _smo(
    gram: Any, lower: Any, upper: Any, b: Any, gradient: Any, gap: float, most: int, tau: float
) -> int:
    n = b.shape[0]
    diagonal = np.empty(n)
    for t in range(n):
        diagonal[t] = gram[t, t]
    for step in range(most):
        i = most_violating(gradient, b, upper)
        if i < 0:
            return step
        row = gram[i]
        j = its_partner(gradient, b, lower, diagonal, row, i, gap, tau)
        if j < 0:
            return step
        move = move_pair(gradient, b, lower, upper, diagonal, row, i, j, tau)
        moved(gradient, row, gram[j], move)
    return most


def smo(qp: QP, b: Vector, *, gap: float, most: int) -> tuple[Vector, int]:
    """Return a better b and the steps taken; b must be feasible.

    gap : stop when the most violating pair differs by at most this, in units of the decision
        function; most : stop after this many steps in any case.

    >>> from .qp import classification
    >>> qp = classification(np.eye(2), np.array([1.0, -1.0]), np.full(2, 5.0))
    >>> smo(qp, np.zeros(2), gap=1e-3, most=10)
    (array([ 1., -1.]), 1)
    """
    b = b.copy()
    steps = _smo(qp.gram, qp.lower, qp.upper, b, qp.gradient(b), gap, most, TAU)
    return b, int(steps)
