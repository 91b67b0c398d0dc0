"""The small convolutional network in plain numpy: the twin of `cnn_kernel`.

Images are (n, channels, side, side), filters (out, in, 3, 3), as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slow import sgd as slow_sgd
from slow.sgd import Floats, Weights


def start(seed: int, side: int, c1: int, c2: int, classes: int) -> Weights:
    """Return the weights that training starts from."""
    features = c2 * (side // 2 // 2) ** 2
    shapes = [(c1, 1, 3, 3), (c1,), (c2, c1, 3, 3), (c2,), (classes, features), (classes,)]
    return slow_sgd.start(seed, shapes)


def neighbours(x: Floats) -> Floats:
    """Return the 3 x 3 neighbourhood of each pixel, zeros outside: (n, c, side, side, 3, 3)."""
    framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(2, 3))


def convolved(x: Floats, w: Floats, b: Floats) -> Floats:
    """Return the convolution with padding 1: (n, out, side, side)."""
    out: Floats = np.einsum("ncijuv,ocuv->noij", neighbours(x), w, optimize=True)
    return out + b[:, None, None]


def fours(x: Floats) -> Floats:
    """Return each 2 x 2 as four numbers, an odd last row or column left out: (n, c, h, h, 4)."""
    n, c, side, _ = x.shape
    h = side // 2
    cut = x[:, :, : 2 * h, : 2 * h].reshape(n, c, h, 2, h, 2)
    return cut.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h, h, 4)


def unpooled(error: Floats, z: Floats) -> Floats:
    """Return the errors handed to the first largest of each 2 x 2 where it is above zero."""
    four = fours(z)
    given = np.zeros_like(four)
    np.put_along_axis(given, four.argmax(-1)[..., None], error[..., None], axis=-1)
    given *= four > 0
    n, c, h = error.shape[:3]
    back = given.reshape(n, c, h, h, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * h)
    out = np.zeros_like(z)
    out[:, :, : 2 * h, : 2 * h] = back
    return out


def logits(weights: Weights, x: Floats) -> Floats:
    """Return the logits of images x (n, side, side): (n, k)."""
    return _maps(weights, x)[-1]


def _maps(weights: Weights, x: Floats) -> tuple[Floats, ...]:
    w1, b1, w2, b2, w3, b3 = weights
    images = x[:, None]
    z1 = convolved(images, w1, b1)
    a1 = np.maximum(fours(z1).max(-1), 0)
    z2 = convolved(a1, w2, b2)
    a2 = np.maximum(fours(z2).max(-1), 0)
    return images, z1, a1, z2, a2, a2.reshape(len(x), -1) @ w3.T + b3


def gradient(weights: Weights, x: Floats, y: NDArray[Any]) -> Weights:
    """Return the gradient of the mean cross-entropy, shaped as the weights (backpropagation)."""
    _, _, w2, _, w3, _ = weights
    images, z1, a1, z2, a2, z3 = _maps(weights, x)
    _, e3 = slow_sgd.cross_entropy(z3, y)
    e2 = unpooled((e3 @ w3).reshape(a2.shape), z2)
    # what a pixel gave to its neighbours it gets back from them: the filters turned around
    back = np.einsum("noijuv,ocuv->ncij", neighbours(e2), w2[:, :, ::-1, ::-1], optimize=True)
    e1 = unpooled(back, z1)

    def filters(error: Floats, below: Floats) -> Floats:
        slope: Floats = np.einsum("noij,ncijuv->ocuv", error, neighbours(below), optimize=True)
        return slope

    return [
        filters(e1, images),
        e1.sum(axis=(0, 2, 3)),
        filters(e2, a1),
        e2.sum(axis=(0, 2, 3)),
        e3.T @ a2.reshape(len(x), -1),
        e3.sum(axis=0),
    ]
