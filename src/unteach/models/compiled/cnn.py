"""The small convolutional network, for grey square images."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from unteach.core import BadInput

from .learner import Recipe, Singles
from .validation import counted

PAD = 8  # as in isa.py, which would load numba


@dataclass(frozen=True)
class Conv:
    """conv3x3 - ReLU - pool2 - conv3x3 - ReLU - pool2 - dense, images side x side."""

    side: int
    channels: tuple[int, int]
    classes: int

    @property
    def features(self) -> int:
        """How many numbers a row has."""
        return self.side * self.side

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of weight and bias of each layer, as torch has them."""
        c1, c2 = self.channels
        return (
            (c1, 1, 3, 3),
            (c1,),
            (c2, c1, 3, 3),
            (c2,),
            (self.classes, self._flattened),
            (self.classes,),
        )

    def seen(self, x: Any) -> Singles:
        """Return rows as the first layer sees them: as they are."""
        return np.asarray(x, np.float32)

    def packed(self, flat: Singles) -> Singles:
        """Return the parameters as the kernel wants them: taps, then channels; classes padded."""
        c2, k = self.channels[1], self.classes
        w1, b1, w2, b2, w3, b3 = self._split(flat)
        dense = np.zeros((self._flattened + 1, -(-k // PAD) * PAD), np.float32)
        # torch counts the features channel by channel, the kernel pixel by pixel
        dense[:-1, :k] = w3.reshape(k, c2, -1).transpose(2, 1, 0).reshape(-1, k)
        dense[-1, :k] = b3
        first, second = w1.transpose(2, 3, 1, 0), w2.transpose(2, 3, 1, 0)  # (3, 3, in, out)
        return np.concatenate([first.ravel(), b1, second.ravel(), b2, dense.ravel()])

    def flat(self, packed: Singles) -> Singles:
        """Return the parameters in one row, in the order of torch."""
        (c1, c2), k = self.channels, self.classes
        cuts = np.cumsum([9 * c1, c1, 9 * c1 * c2, c2])
        w1, b1, w2, b2, rest = np.split(packed, cuts)
        dense = rest.reshape(self._flattened + 1, -1)
        w3 = dense[:-1, :k].reshape(-1, c2, k).transpose(2, 1, 0)  # (k, c2, pixels)
        first = w1.reshape(3, 3, 1, c1).transpose(3, 2, 0, 1)
        second = w2.reshape(3, 3, c1, c2).transpose(3, 2, 0, 1)
        parts = (first, b1, second, b2, w3, dense[-1, :k])
        return np.concatenate([part.ravel() for part in parts])

    def train(
        self, x: Singles, y: Any, rows: Any, seed: np.uint64, recipe: Recipe, packed: Singles
    ) -> None:
        """Train the packed parameters in place on these rows of x and y."""
        from ._kernels.cnn_kernel import train_cnn

        rate, momentum, decay = (
            np.float32(v) for v in (recipe.lr, recipe.momentum, recipe.weight_decay)
        )
        train_cnn(
            x,
            y,
            rows,
            seed,
            self.side,
            *self.channels,
            self.classes,
            int(recipe.epochs),
            int(recipe.batch_size),
            rate,
            momentum,
            decay,
            packed,
        )

    def logits(self, x: Singles, packed: Singles) -> Singles:
        """Return the logits of x: (m, k)."""
        from ._kernels.cnn_kernel import logits_cnn

        out = np.empty((len(x), self.classes), np.float32)
        if len(x):
            logits_cnn(x, self.side, *self.channels, self.classes, packed, out)
        return out

    def gradient(self, x: Singles, y: Any, packed: Singles) -> Singles:
        """Return the gradient of the mean cross-entropy over all of x, packed."""
        from ._kernels.cnn_kernel import gradient_cnn

        out = np.zeros_like(packed)
        gradient_cnn(x, y, self.side, *self.channels, self.classes, packed, out)
        return out

    def module(self) -> Any:
        """Return a fresh torch module that takes rows (n, side * side)."""
        from torch import nn

        c1, c2 = self.channels
        return nn.Sequential(
            nn.Unflatten(1, (1, self.side, self.side)),
            nn.Conv2d(1, c1, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(c1, c2, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(self._flattened, self.classes),
        )

    @property
    def _flattened(self) -> int:
        return int(self.channels[1] * (self.side // 4) ** 2)

    def _split(self, flat: Singles) -> list[Singles]:
        cuts = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = np.split(flat, cuts)
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]


@dataclass(frozen=True)
class CNN(Recipe):
    """A small convolutional network for grey square images, trained as `MLP` is.

    conv3x3 - ReLU - pool2 - conv3x3 - ReLU - pool2 - dense, with zero padding of one pixel. Rows
    are images (n, side, side), or flattened (n, side * side), of at least 4 x 4 pixels; pooling
    leaves an odd last row and column out, as torch does.

    Parameters
    ----------
    channels : filters of the two convolutions, multiples of 8
    epochs, batch_size, lr, momentum, weight_decay, scale : as in `Recipe`, but for shorter steps:
        with .1 some of 16 networks ended at chance on digits at unit scale, with .05 none of 24

    Examples
    --------
    >>> from unteach.data import load
    >>> digits = load("digits")
    >>> x, members = digits.x, np.ones((1, len(digits)), bool)
    >>> net = CNN(scale="unit", epochs=10)
    >>> logits = net.subset_outputs(x, digits.y, members, [0], x[:5])
    >>> logits[0].argmax(axis=1)
    array([0, 1, 2, 3, 4])
    """

    lr: float = 0.05
    channels: tuple[int, int] = (8, 16)

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.channels
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise BadInput(f"channels are two numbers of filters, such as (8, 16), got {given!r}")
        c1, c2 = (counted("channels", c) for c in given)
        if c1 % PAD or c2 % PAD:
            raise BadInput(f"channels must be multiples of {PAD}, got {given!r}")
        object.__setattr__(self, "channels", (c1, c2))

    def architecture(self, features: int, classes: int) -> Conv:
        """Return the network for images of so many pixels and for so many classes."""
        side = isqrt(features)
        if side * side != features or side < 4:
            raise BadInput(
                f"rows of {features} numbers are no square grey images of at least 4 x 4 pixels; "
                "cut or pad them to a square, or take MLP"
            )
        return Conv(side, self.channels, classes)
