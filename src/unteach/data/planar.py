"""Two-dimensional sets for pictures, generated from a seed: balanced classes, mixed order."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput, stream

Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons(*, n: int = 200, noise: float = 0.2, seed: int = 0) -> Points:
    """Return two interleaved half circles of radius 1: x (n, 2), y (n,) in {0, 1}.

    >>> x, y = moons(n=8, noise=0.0)
    >>> np.allclose(np.hypot(*x[y == 0].T), 1)
    True
    """
    y, rng = _start("moons", n, noise, seed)
    angle = rng.uniform(0, math.pi, n)
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    x[y == 1] = np.array([1.0, 0.5]) - x[y == 1]
    return x + noise * rng.standard_normal((n, 2)), y


def blobs2(*, n: int = 200, noise: float = 1.0, seed: int = 0) -> Points:
    """Return two round Gaussian clouds, centres (-1.5, 0) and (1.5, 0).

    >>> blobs2(n=4, noise=0.0)[0][:, 1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    y, rng = _start("blobs2", n, noise, seed)
    x = np.column_stack([np.where(y == 1, 1.5, -1.5), np.zeros(n)])
    return x + noise * rng.standard_normal((n, 2)), y


def rings(*, n: int = 200, noise: float = 0.1, seed: int = 0) -> Points:
    """Return a ring of radius 0.5 (class 1) within a ring of radius 1 (class 0).

    >>> x, y = rings(n=8, noise=0.0)
    >>> np.allclose(np.hypot(*x.T), np.where(y == 1, 0.5, 1.0))
    True
    """
    y, rng = _start("rings", n, noise, seed)
    angle = rng.uniform(0, 2 * math.pi, n)
    radius = np.where(y == 1, 0.5, 1.0)
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return x + noise * rng.standard_normal((n, 2)), y


def xor(*, n: int = 200, noise: float = 0.4, seed: int = 0) -> Points:
    """Return four clouds at (+-1, +-1); class 1 where the signs agree.

    >>> x, y = xor(n=8, noise=0.0)
    >>> np.array_equal(y == 1, x[:, 0] * x[:, 1] > 0)
    True
    """
    y, rng = _start("xor", n, noise, seed)
    side = rng.choice([-1.0, 1.0], n)
    x = np.column_stack([side, np.where(y == 1, side, -side)])
    return x + noise * rng.standard_normal((n, 2)), y


PLANAR: dict[str, Callable[..., Points]] = {
    "moons": moons,
    "blobs2": blobs2,
    "rings": rings,
    "xor": xor,
}


def _start(
    name: str, n: int, noise: float, seed: int
) -> tuple[NDArray[np.int64], np.random.Generator]:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 4:
        raise BadInput(f"{name} needs n, a whole number of at least 4, got {n!r}")
    if isinstance(noise, bool) or not (noise >= 0 and math.isfinite(noise)):
        raise BadInput(f"{name} needs a finite noise of at least 0, got {noise!r}")
    rng = stream(seed, "planar", name)
    return rng.permutation(np.arange(n) % 2), rng
