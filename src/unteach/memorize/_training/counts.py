"""Counts: what is added up over models, so that a shard is read once and then forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

if TYPE_CHECKING:
    from unteach.store import Shard

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """For each record, the models that were trained with it (or those without).

    n : (n,) how many · right : (n,) how many of them answered it rightly
    soft, squares : (n,) sums of the soft outcome and of its square
    margin, margin_squares : (n,) the same of the margins
    """

    n: Floats
    right: Floats
    soft: Floats
    squares: Floats
    margin: Floats
    margin_squares: Floats

    def mean_soft(self) -> tuple[Floats, Floats]:
        """Return the mean of the soft outcome, and the variance of that mean."""
        return _moments(self.soft, self.squares, self.n)

    def spread(self) -> tuple[Floats, Floats]:
        """Return the mean and the standard deviation of the margin."""
        mean, of_mean = _moments(self.margin, self.margin_squares, self.n)
        return mean, np.sqrt(of_mean * self.n)


@dataclass(frozen=True)
class Counts:
    """What the models of one fraction say of the training records.

    models : how many · inside, outside : of the models with a record and of those without
    kind : "logits" (the soft outcome is the probability of the right class) or "scores" (it is
        the margin)
    """

    models: int
    inside: Side
    outside: Side
    kind: str

    @property
    def fit(self) -> float:
        """Accuracy of the models on the records that they were trained on."""
        return float(self.inside.right.sum() / self.inside.n.sum())

    @property
    def soft_unit(self) -> str:
        """What the soft outcome is counted in."""
        return "probability" if self.kind == "logits" else "margin"


def count(shards: Iterable[Shard], n: int, kind: str) -> Counts:
    """Return the counts of the first n queries, which are the training records themselves."""
    sums = np.zeros((2, 6, n))
    models = 0
    for shard in shards:
        members = shard.members.astype(np.float32)  # (m, n)
        margin = shard.margins[:, :n].astype(np.float32)
        soft = soft_outcome(margin, kind)
        right = shard.correct[:, :n].astype(np.float32)
        models += len(shard)
        for side, mask in enumerate((members, 1.0 - members)):
            values = (np.ones_like(mask), right, soft, soft * soft, margin, margin * margin)
            for k, value in enumerate(values):
                sums[side, k] += np.einsum("mn,mn->n", mask, value, dtype=np.float64)
    if models == 0:
        raise BadInput("no models have been trained yet; call run(models=...) first")
    return Counts(models, Side(*sums[0]), Side(*sums[1]), kind)


def soft_outcome(margin: Any, kind: str) -> NDArray[np.float32]:
    """Return the soft outcome: the probability of the right class, or the margin itself."""
    from scipy.special import expit

    return np.asarray(expit(margin) if kind == "logits" else margin, dtype=np.float32)


def _moments(total: Floats, squares: Floats, n: Floats) -> tuple[Floats, Floats]:
    count = np.maximum(n, 1.0)
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0) * count / np.maximum(count - 1.0, 1.0)
    return mean, variance / count
