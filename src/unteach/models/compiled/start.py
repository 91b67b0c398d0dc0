"""The weights that training starts from, drawn from the seed of the network alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .draws import spread


def start(shapes: tuple[tuple[int, ...], ...], seed: np.uint64) -> NDArray[np.float32]:
    """Return the parameters of all layers in one row, in the order of torch.

    Weights and biases are uniform in +- 1 / sqrt(inputs of the layer), which is how torch starts
    `Linear` and `Conv2d`.

    shapes : weight and bias of each layer
    """
    sizes = [int(np.prod(shape)) for shape in shapes]
    flat = np.empty(sum(sizes), np.float32)
    at = 0
    for i in range(0, len(shapes), 2):
        size = sizes[i] + sizes[i + 1]
        bound = np.float32(1 / np.sqrt(np.prod(shapes[i][1:])))
        spread(flat[at : at + size], at, seed, bound)
        at += size
    return flat
