"""A small network in plain numpy: slow, but it offers its outputs after every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Records, stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PlainMLP:
    """One hidden layer of rectified units, softmax cross-entropy, SGD with momentum.

    It needs nothing but numpy, and is the plain form of what screens ask of a learner:
    `epoch_outputs(x, y, seed, at)`.

    Parameters
    ----------
    hidden, epochs, batch : at least 1
    rate : step size, above 0 · momentum : in [0, 1)

    Examples
    --------
    >>> x, y = np.eye(4), np.array([0, 1, 0, 1])
    >>> z = PlainMLP(hidden=8, epochs=30, batch=2).epoch_outputs(x, y, 0, x)
    >>> z.shape, z[-1].argmax(axis=1)
    ((30, 4, 2), array([0, 1, 0, 1]))
    """

    hidden: int = 128
    epochs: int = 30
    batch: int = 32
    rate: float = 0.1
    momentum: float = 0.9

    def __post_init__(self) -> None:
        if min(self.hidden, self.epochs, self.batch) < 1 or not self.rate > 0:
            raise BadInput(f"hidden, epochs and batch are at least 1 and rate above 0: {self}")
        if not 0 <= self.momentum < 1:
            raise BadInput(f"momentum lies in [0, 1), got {self.momentum!r}")

    def learn(self, records: Records, *, seed: int) -> PlainNetwork:
        """Return the trained network."""
        classes, codes = np.unique(np.asarray(records.y), return_inverse=True)
        weights = self._trained(np.asarray(records.x, dtype=np.float64), codes, seed, None)[0]
        return PlainNetwork(weights, classes)

    def epoch_outputs(self, x: Any, y: Any, seed: int, at: Any) -> Floats:
        """Return the logits at `at` after each epoch of one training: (epochs, q, k)."""
        x, at = np.asarray(x, dtype=np.float64), np.asarray(at, dtype=np.float64)
        return self._trained(x, np.asarray(y), seed, at)[1]

    def _trained(self, x: Floats, y: Any, seed: int, at: Any) -> tuple[list[Floats], Floats]:
        start, order = stream(seed, "initialization"), stream(seed, "order")
        k, d = int(y.max()) + 1, x.shape[1]
        w = [
            start.normal(size=(d, self.hidden)) * np.sqrt(2.0 / d),
            np.zeros(self.hidden),
            start.normal(size=(self.hidden, k)) * np.sqrt(1.0 / self.hidden),
            np.zeros(k),
        ]
        speed = [np.zeros_like(part) for part in w]
        seen = np.zeros((self.epochs, 0 if at is None else len(at), k))
        for epoch in range(self.epochs):
            rows = order.permutation(len(x))
            for at_row in range(0, len(x), self.batch):
                some = rows[at_row : at_row + self.batch]
                for part, moved, slope in zip(w, speed, _slopes(w, x[some], y[some]), strict=True):
                    moved *= self.momentum
                    moved += slope
                    part -= self.rate * moved
            if at is not None:
                seen[epoch] = _logits(w, at)
        return w, seen


@dataclass(frozen=True, eq=False)
class PlainNetwork:
    """What `PlainMLP` learned."""

    weights: list[Floats]
    classes_: NDArray[Any]

    def predict_proba(self, x: Any) -> Floats:
        """Return the probability of each class: (n, k)."""
        return softmax(_logits(self.weights, np.asarray(x, dtype=np.float64)))

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the likeliest class: (n,)."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])


def softmax(z: Any) -> Floats:
    """Return probabilities from logits, over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _logits(w: list[Floats], x: Floats) -> Floats:
    return np.asarray(np.maximum(x @ w[0] + w[1], 0.0) @ w[2] + w[3])


def _slopes(w: list[Floats], x: Floats, y: Any) -> list[Floats]:
    hidden = np.maximum(x @ w[0] + w[1], 0.0)  # (b, h)
    error = softmax(hidden @ w[2] + w[3])  # (b, k)
    error[np.arange(len(y)), y] -= 1.0
    error /= len(y)
    back = (error @ w[2].T) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
