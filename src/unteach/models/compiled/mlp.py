"""The dense network: one or two hidden layers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

from .learner import Recipe, Singles
from .validation import counted

PAD = 8  # as in isa.py, which would load numba


@dataclass(frozen=True)
class Dense:
    """Inputs, hidden layers with ReLU, and classes, in `sizes`."""

    sizes: tuple[int, ...]

    @property
    def features(self) -> int:
        """How many numbers a row has."""
        return self.sizes[0]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of weight and bias of each layer, as torch has them."""
        pairs = pairwise(self.sizes)
        return tuple(shape for i, o in pairs for shape in ((o, i), (o,)))

    def seen(self, x: Any) -> Singles:
        """Return rows as the first layer sees them: as they are."""
        return np.asarray(x, np.float32)

    def packed(self, flat: Singles) -> Singles:
        """Return the parameters as the kernel wants them: inputs first, outputs padded."""
        parts, at = [], 0
        for i, o in pairwise(self.sizes):
            layer = np.zeros((i + 1, -(-o // PAD) * PAD), np.float32)
            layer[:i, :o] = flat[at : at + o * i].reshape(o, i).T
            layer[i, :o] = flat[at + o * i : at + o * i + o]
            parts.append(layer.ravel())
            at += o * i + o
        return np.concatenate(parts)

    def flat(self, packed: Singles) -> Singles:
        """Return the parameters in one row, in the order of torch."""
        parts, at = [], 0
        for i, o in pairwise(self.sizes):
            wide = -(-o // PAD) * PAD
            layer = packed[at : at + (i + 1) * wide].reshape(i + 1, wide)
            parts += [layer[:i, :o].T.ravel(), layer[i, :o]]
            at += (i + 1) * wide
        return np.concatenate(parts)

    def train(
        self, x: Singles, y: Any, rows: Any, seed: np.uint64, recipe: Recipe, packed: Singles
    ) -> None:
        """Train the packed parameters in place on these rows of x and y."""
        from ._kernels.mlp_kernel import train_mlp

        rate, momentum, decay = (
            np.float32(v) for v in (recipe.lr, recipe.momentum, recipe.weight_decay)
        )
        train_mlp(
            x,
            y,
            rows,
            seed,
            self._sizes,
            int(recipe.epochs),
            int(recipe.batch_size),
            rate,
            momentum,
            decay,
            packed,
        )

    def logits(self, x: Singles, packed: Singles) -> Singles:
        """Return the logits of x: (m, k)."""
        from ._kernels.mlp_kernel import logits_mlp

        out = np.empty((len(x), self.sizes[-1]), np.float32)
        if len(x):
            logits_mlp(x, self._sizes, packed, out)
        return out

    def gradient(self, x: Singles, y: Any, packed: Singles) -> Singles:
        """Return the gradient of the mean cross-entropy over all of x, packed."""
        from ._kernels.mlp_kernel import gradient_mlp

        out = np.zeros_like(packed)
        gradient_mlp(x, y, self._sizes, packed, out)
        return out

    def module(self) -> Any:
        """Return a fresh torch module: Linear, ReLU, ..., Linear."""
        from torch import nn

        layers: list[Any] = []
        for i, o in pairwise(self.sizes):
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.array(self.sizes, np.int64)


@dataclass(frozen=True)
class MLP(Recipe):
    """A dense network with ReLU, trained by SGD in one compiled loop that stays in the cache.

    A learner: `learn(records, seed=...)` returns a `TrainedNetwork`; `subset_outputs` trains
    thousands of networks on subsets. One core trains one network at a time; on a processor with
    AVX2 or AVX-512 and fused multiply-adds the same seed gives the same bytes, in any process,
    whatever the vector width. The first call compiles (about 10 s, then cached on disk).

    Parameters
    ----------
    hidden : widths of one or two hidden layers; a single number is one layer
    epochs, batch_size, lr, momentum, weight_decay, scale : as in `Recipe`

    Examples
    --------
    >>> from unteach.core import Rows
    >>> x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array(["no", "no", "yes", "yes"])
    >>> model = MLP(hidden=(8,)).learn(Rows(np.arange(4), {"x": x, "y": y}), seed=0)
    >>> model.predict([[-3.0], [3.0]])
    array(['no', 'yes'], dtype='<U3')
    """

    hidden: tuple[int, ...] = (128,)

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.hidden
        widths = (given,) if isinstance(given, (int, np.integer)) else given
        if not isinstance(widths, (tuple, list)) or not 1 <= len(widths) <= 2:
            raise BadInput(f"hidden is one or two widths, such as (128,), got {given!r}")
        object.__setattr__(self, "hidden", tuple(counted("hidden", width) for width in widths))

    def architecture(self, features: int, classes: int) -> Dense:
        """Return the network for rows of so many features and for so many classes."""
        return Dense((features, *self.hidden, classes))
