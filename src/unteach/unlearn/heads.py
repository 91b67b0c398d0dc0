"""Heads: clipped rows, labels by head, and how a linear classifier scores them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

Array = NDArray[np.float64]


def clipped(x: Any, radius: float) -> Array:
    """Return rows scaled down to norm `radius` where they are longer, with a constant 1 added.

    The scale of a row depends on that row alone, so it cannot leak another.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2:
        raise BadInput(f"x must be two-dimensional, got shape {x.shape}")
    if not np.isfinite(x).all():
        raise BadInput("x holds NaN or infinity; remove or fill these entries first")
    x = np.hstack([x, np.ones((len(x), 1))])
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    inside: Array = x * np.minimum(1.0, radius / norm)
    return inside


def signs(y: NDArray[Any], classes: NDArray[Any], head: int) -> Array:
    """Return the labels of one head as -1 and +1: (n,)."""
    target = classes[1] if len(classes) == 2 else classes[head]
    return np.where(y == target, 1.0, -1.0)


class Heads:
    """A mixin for models with `learner_.radius`, `classes_` and `coef_` (heads, d + 1)."""

    learner_: Any
    classes_: NDArray[Any]
    coef_: Array

    def decision_function(self, x: Any) -> Array:
        """Return scores: (n,) for two classes, (n, k) for more."""
        f: Array = clipped(x, self.learner_.radius) @ self.coef_.T
        return f[:, 0] if len(self.classes_) == 2 else f

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the class with the highest score."""
        f = self.decision_function(x)
        at = (f > 0).astype(int) if f.ndim == 1 else np.argmax(f, axis=1)
        return np.asarray(self.classes_[at])
