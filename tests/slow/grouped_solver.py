"""The plain twin of the solver of programs: a textbook active-set method, an eigenproblem a step.

It is slow, dense and shares no code with the fast one. The tests compare them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unteach.core import NotConverged

Vector = NDArray[np.float64]


def _start(lower: Vector, upper: Vector, group: NDArray[np.int64], totals: Vector) -> Vector:
    b: Vector = np.clip(np.zeros(len(lower)), lower, upper)
    for g, total in enumerate(totals):
        for i in np.flatnonzero(group == g):
            b[i] = np.clip(b[i] + total - b[group == g].sum(), lower[i], upper[i])
    return b


def _direction(
    gram: NDArray[np.float64], slope: Vector, group: NDArray[np.int64]
) -> tuple[Vector, bool]:
    """Return the way to the minimum with every group's sum at 0, and whether it is endless."""
    same = group[:, None] == group[None, :]
    project = np.eye(len(slope)) - same / same.sum(axis=1)
    values, vectors = np.linalg.eigh(project @ gram @ project)
    along = vectors.T @ (project @ slope)
    flat = values <= 1e-11 * max(float(np.abs(gram).max()), 1e-300)
    downhill = np.where(flat, along, 0.0)
    if np.abs(downhill).max() > 1e-9 * max(1.0, float(np.abs(slope).max())):
        way = -project @ (vectors @ downhill)
        return way / np.abs(way).max(), True
    return -project @ (vectors @ np.where(flat, 0.0, along / np.where(flat, 1.0, values))), False


def slow_program(
    gram: NDArray[np.float64],
    p: Vector,
    lower: Vector,
    upper: Vector,
    group: NDArray[np.int64],
    totals: Vector,
    *,
    slack: float = 1e-12,
) -> tuple[Vector, Vector]:
    """Return (b, levels) of min 1/2 b'Kb - p'b within bounds, each group's sum given.

    gram (m, m) is positive semidefinite and written out, variable by variable. Some b is
    returned where several are solutions, and the middle (or the finite end) of the interval of
    a level where several are.

    Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithm 16.3; with singular
    blocks treated by moving along their null space.

    >>> b, levels = slow_program(np.eye(2), np.zeros(2), np.zeros(2), np.ones(2),
    ...                          np.zeros(2, np.int64), np.array([1.0]))
    >>> b.round(9), levels.round(9)
    (array([0.5, 0.5]), array([-0.5]))
    """
    m = len(p)
    b = _start(lower, upper, group, totals)
    free = (b > lower) & (b < upper)
    slack = slack * max(1.0, float(np.abs(gram).max()) * float((upper - lower).max(initial=0.0)))
    standing = 0
    for _ in range(400 * m + 2000):
        gradient = gram @ b - p
        at = np.flatnonzero(free)
        if len(at):
            way, endless = _direction(gram[np.ix_(at, at)], gradient[at], group[at])
            if np.abs(way).max() > 1e-14 * max(1.0, float(np.abs(b).max())):
                room = np.where(way > 0, upper[at] - b[at], b[at] - lower[at])
                moving = np.abs(way) > 1e-13 * np.abs(way).max()
                ratio = np.where(moving, room / np.where(moving, np.abs(way), 1.0), np.inf)
                first = int(np.argmin(ratio))
                step = max(ratio[first], 0.0)
                if endless or step < 1.0:
                    b[at] = np.clip(b[at] + step * way, lower[at], upper[at])
                    b[at[first]] = upper[at[first]] if way[first] > 0 else lower[at[first]]
                    free[at[first]] = False
                    standing = standing + 1 if step <= 1e-14 else 0
                    continue
                b[at] += way
                gradient = gram @ b - p
        grow, shrink = ~free & (b < upper), ~free & (b > lower)
        levels, entered = np.zeros(len(totals)), False
        for g in range(len(totals)):
            mine = group == g
            if (free & mine).any():
                levels[g] = -float(gradient[free & mine].mean())
                continue
            low = np.where(grow & mine, -gradient, -np.inf)
            high = np.where(shrink & mine, -gradient, np.inf)
            if low.max() - high.min() > slack:
                free[[int(low.argmax()), int(high.argmin())]] = True
                entered = True
                break
            ends = [e for e in (low.max(), high.min()) if np.isfinite(e)]
            levels[g] = float(np.mean(ends)) if ends else 0.0
        if entered:
            continue
        h = gradient + levels[group]
        broken = np.maximum(np.where(grow, -h, 0.0), np.where(shrink, h, 0.0))
        if broken.max() <= slack:
            return b, _final(b, gradient, lower, upper, group, levels)
        enters = np.flatnonzero(broken > slack)[0] if standing > 20 else int(broken.argmax())
        free[enters] = True
        standing += 1
    raise NotConverged("the slow solver did not end; this is a fault of the twin, not the data")


def _final(
    b: Vector,
    gradient: Vector,
    lower: Vector,
    upper: Vector,
    group: NDArray[np.int64],
    levels: Vector,
) -> Vector:
    """Return the levels, the middle of the interval where no variable is truly inside."""
    give = 1e-11 * (upper - lower)
    out = levels.copy()
    for g in range(len(levels)):
        mine = group == g
        if (mine & (b > lower + give) & (b < upper - give)).any():
            continue
        low = (-gradient[mine & (b < upper - give)]).max(initial=-np.inf)
        high = (-gradient[mine & (b > lower + give)]).min(initial=np.inf)
        ends = [e for e in (low, high) if np.isfinite(e)]
        out[g] = float(np.mean(ends)) if ends else 0.0
    return out
