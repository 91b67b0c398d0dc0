"""Networks whose inputs are brought to about unit scale by constants of the rows they learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unteach.core import BadInput

if TYPE_CHECKING:
    from .learner import Architecture, Recipe, Singles

Scale = Literal["standard", "unit"]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A network that sees (x - shift) * factor; its parameters are those of the network inside.

    shift, factor : (d,) float32, kept with the network and never trained

    Examples
    --------
    >>> from unteach.models import MLP
    >>> x = np.array([[0.0, 7.0], [4.0, 7.0]], np.float32)
    >>> Scaled.of(MLP().architecture(2, 2), x, "standard").seen(x).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    inner: Architecture
    shift: Singles
    factor: Singles

    @classmethod
    def of(cls, inner: Architecture, x: Singles, scale: Scale) -> Scaled:
        """Return the network with the constants of these rows; features without spread stay 0."""
        means = x.mean(axis=0, dtype=np.float64)
        squares = np.square(x - means).mean(axis=0)
        spread = np.sqrt(squares if scale == "standard" else np.full_like(means, squares.mean()))
        factor = 1 / np.where(spread > 0, spread, 1.0)
        return cls(inner, means.astype(np.float32), factor.astype(np.float32))

    def seen(self, x: Any) -> Singles:
        """Return rows as the first layer sees them: (m, d) float32."""
        rows: Singles = (np.asarray(x, np.float32) - self.shift) * self.factor
        return rows

    @property
    def features(self) -> int:
        """How many numbers a row has."""
        return self.inner.features

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of weight and bias of each layer, as torch has them."""
        return self.inner.shapes

    def packed(self, flat: Singles) -> Singles:
        """Return the parameters as the kernels want them."""
        return self.inner.packed(flat)

    def flat(self, packed: Singles) -> Singles:
        """Return the parameters in one row, in the order of torch."""
        return self.inner.flat(packed)

    def train(
        self, x: Singles, y: Any, rows: Any, seed: np.uint64, recipe: Recipe, packed: Singles
    ) -> None:
        """Train the packed parameters in place on these rows of x and y."""
        self.inner.train(self.seen(x), y, rows, seed, recipe, packed)

    def logits(self, x: Singles, packed: Singles) -> Singles:
        """Return the logits of x: (m, k)."""
        return self.inner.logits(self.seen(x), packed)

    def gradient(self, x: Singles, y: Any, packed: Singles) -> Singles:
        """Return the gradient of the mean cross-entropy over all of x, packed."""
        return self.inner.gradient(self.seen(x), y, packed)

    def module(self) -> Any:
        """Return a fresh torch module; the constants are its buffers, and no step moves them."""
        from torch import nn

        from .standardize import Standardize

        return nn.Sequential(Standardize(self.shift, self.factor), *self.inner.module())


def scale_of(value: Any) -> Scale | None:
    """Return a known scale, or None."""
    if value not in (None, "standard", "unit"):
        raise BadInput(
            f"scale is 'standard' (each feature), 'unit' (all by one number) or None, got {value!r}"
        )
    known: Scale | None = value
    return known
