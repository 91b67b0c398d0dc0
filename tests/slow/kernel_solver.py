"""The plain twin of the solver: a textbook active-set method with an eigenvalue problem a step.

It is slow, dense and shares no code with the fast one. The tests compare them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unteach.core import NotConverged

Vector = NDArray[np.float64]


def _direction(gram: NDArray[np.float64], slope: Vector) -> tuple[Vector, bool]:
    """Return the way to the minimum over these rows with sum 0, and whether it is endless."""
    s = len(slope)
    project = np.eye(s) - 1.0 / s
    values, vectors = np.linalg.eigh(project @ gram @ project)
    along = vectors.T @ (project @ slope)  # (s,)
    flat = values <= 1e-11 * max(float(np.abs(gram).max()), 1e-300)
    downhill = np.where(flat, along, 0.0)
    if np.abs(downhill).max() > 1e-9 * max(1.0, float(np.abs(slope).max())):
        way = -(vectors @ downhill)
        way -= way.mean()
        return way / np.abs(way).max(), True
    way = -(vectors @ np.where(flat, 0.0, along / np.where(flat, 1.0, values)))
    return way - way.mean(), False


def slow_solve(
    gram: NDArray[np.float64], p: Vector, lower: Vector, upper: Vector, *, slack: float = 1e-12
) -> tuple[Vector, float]:
    """Return (b, rho) of min 1/2 b'Kb - p'b, sum b = 0, lower <= b <= upper.

    gram (n, n) is positive semidefinite; p, lower, upper are (n,). Some b is returned where
    several are solutions, and the middle of the interval where several rho are.

    Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithm 16.3; with singular
    blocks treated by moving along their null space.

    >>> b, rho = slow_solve(np.eye(2), np.array([1.0, -1.0]), np.array([0.0, -5.0]),
    ...                     np.array([5.0, 0.0]))
    >>> b, abs(round(rho, 12))
    (array([ 1., -1.]), 0.0)
    """
    n = len(p)
    b = np.zeros(n)
    free = np.zeros(n, bool)
    slack = slack * max(1.0, float(np.abs(gram).max()) * float((upper - lower).max()))
    standing = 0
    for _ in range(200 * n + 1000):
        gradient = gram @ b - p
        at = np.flatnonzero(free)
        if len(at) > 1:
            way, endless = _direction(gram[np.ix_(at, at)], gradient[at])
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
        if len(at) == 0:
            low = np.where(grow, -gradient, -np.inf)
            high = np.where(shrink, -gradient, np.inf)
            if low.max() - high.min() <= slack:
                return b, 0.5 * float(low.max() + high.min())
            free[[int(low.argmax()), int(high.argmin())]] = True
            continue
        rho = -float(gradient[at].mean())
        h = gradient + rho
        broken = np.maximum(np.where(grow, -h, 0.0), np.where(shrink, h, 0.0))
        if broken.max() <= slack:
            inside = np.minimum(b - lower, upper - b) > 1e-11 * (upper - lower)
            if inside.any():
                return b, rho
            low = np.where(b < upper - 1e-11 * (upper - lower), -gradient, -np.inf)
            high = np.where(b > lower + 1e-11 * (upper - lower), -gradient, np.inf)
            return b, 0.5 * float(low.max() + high.min())
        enters = np.flatnonzero(broken > slack)[0] if standing > 20 else int(broken.argmax())
        free[enters] = True
        standing += 1
    raise NotConverged("the slow solver did not end; this is a fault of the twin, not the data")
