"""Plain numpy, as in a textbook: the draws and the training loop that the kernels are held to.

Nothing here is fast and nothing is clever; it works in float64. It starts from the same
float32 numbers and takes the rows in the same order as the compiled trainers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = list[Floats]
"""W, b of each layer, shaped as torch shapes them."""

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def bits(seed: int, stream: int, count: int) -> int:
    """Return the 64 bits with number `count` of a stream of this seed.

    >>> hex(bits(0, 0, 0))
    '0xa706dd2f4d197e6f'
    """
    key = _mixed((seed + _GOLDEN * (stream + 1)) & _MASK)
    return _mixed((key + _GOLDEN * (count + 1)) & _MASK)


def start(seed: int, shapes: Sequence[tuple[int, ...]]) -> Weights:
    """Return weights and biases uniform in +- 1 / sqrt(inputs of the layer), as torch draws them.

    Number i of all of them together is made of the top 24 bits of `bits(seed, 0, i)`.
    """
    weights, first = [], 0
    for at, shape in enumerate(shapes):
        inputs = np.prod(shapes[at - at % 2][1:])
        bound = np.float32(1 / np.sqrt(inputs))
        size = int(np.prod(shape))
        unit = [(bits(seed, 0, first + i) >> 40) / 2**23 - 1 for i in range(size)]
        weights.append((np.array(unit, np.float32) * bound).astype(np.float64).reshape(shape))
        first += size
    return weights


def shuffled(rows: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the rows in the order of an epoch (Fisher and Yates)."""
    rows = rows.copy()
    for i in range(len(rows) - 1, 0, -1):
        j = ((bits(seed, epoch + 1, i) >> 32) * (i + 1)) >> 32
        rows[i], rows[j] = rows[j], rows[i]
    return rows


def cross_entropy(z: Floats, y: NDArray[Any]) -> tuple[float, Floats]:
    """Return the mean cross-entropy of logits z (n, k) and its gradient (n, k)."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return float(loss), p / len(y)


def train(
    weights: Weights,
    gradient: Callable[[Weights, Floats, NDArray[Any]], Weights],
    x: Floats,
    y: NDArray[Any],
    seed: int,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> Weights:
    """Return the weights after SGD with momentum and weight decay on all of x, as torch has it."""
    weights = [w.copy() for w in weights]
    velocity = [np.zeros_like(w) for w in weights]
    order = np.arange(len(x))
    for epoch in range(epochs):
        order = shuffled(order, seed, epoch)
        for first in range(0, len(x), batch_size):
            rows = order[first : first + batch_size]
            slopes = gradient(weights, x[rows], y[rows])
            for w, v, slope in zip(weights, velocity, slopes, strict=True):
                v *= momentum
                v += slope + weight_decay * w
                w -= lr * v
    return weights
