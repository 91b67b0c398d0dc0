"""The dense network in plain numpy: the twin of `mlp_kernel`.

>>> import numpy as np
>>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
>>> weights = slow_sgd.train(start(0, [1, 8, 2]), gradient, x, y, 0, epochs=50, batch_size=2,
...                          lr=0.1, momentum=0.9, weight_decay=0.0)
>>> logits(weights, x).argmax(axis=1)
array([0, 0, 1, 1])
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slow import sgd as slow_sgd
from slow.sgd import Floats, Weights


def start(seed: int, sizes: Sequence[int]) -> Weights:
    """Return the weights that training starts from; sizes are inputs, hidden layers, classes."""
    shapes: list[tuple[int, ...]] = []
    for inputs, outputs in pairwise(sizes):
        shapes += [(outputs, inputs), (outputs,)]
    return slow_sgd.start(seed, shapes)


def activations(weights: Weights, x: Floats) -> list[Floats]:
    """Return the inputs, the output of each hidden layer, and the logits."""
    layers = [x]
    for at in range(0, len(weights), 2):
        z = layers[-1] @ weights[at].T + weights[at + 1]
        layers.append(z if at == len(weights) - 2 else np.maximum(z, 0))
    return layers


def logits(weights: Weights, x: Floats) -> Floats:
    """Return the logits of rows x: (n, k)."""
    return activations(weights, x)[-1]


def gradient(weights: Weights, x: Floats, y: NDArray[Any]) -> Weights:
    """Return the gradient of the mean cross-entropy, shaped as the weights (backpropagation)."""
    layers = activations(weights, x)
    _, error = slow_sgd.cross_entropy(layers[-1], y)
    slopes: Weights = []
    for at in range(len(weights) - 2, -1, -2):
        below = layers[at // 2]
        slopes = [error.T @ below, error.sum(axis=0), *slopes]
        error = (error @ weights[at]) * (below > 0)
    return slopes
