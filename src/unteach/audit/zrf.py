"""ZRF: how near a model's answers are to those of a model that knows nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from unteach.core import BadInput, Role

from .against import Measured
from .arms import Arms
from .over_arms import Comparison, OverArms, four, of_records


def jensen_shannon(p: Any, q: Any) -> NDArray[np.float64]:
    """Return the Jensen-Shannon divergence of rows, in bits: (...,) in [0, 1].

    >>> jensen_shannon([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]])
    array([1., 0.])
    """
    p, q = _rows(p), _rows(q)
    if p.shape != q.shape:
        raise BadInput(f"probabilities have the shapes {p.shape} and {q.shape}, not the same")
    m = (p + q) / 2

    def half(a: NDArray[np.float64]) -> NDArray[np.float64]:
        ratio = np.where(a > 0, a, 1.0) / np.where(a > 0, m, 1.0)
        return np.asarray(np.sum(a * np.log2(ratio), axis=-1))

    found: NDArray[np.float64] = np.clip((half(p) + half(q)) / 2, 0.0, 1.0)
    return found


def zrf(unlearned: Any, ignorant: Any) -> float:
    """Return 1 - the mean divergence from an ignorant model: 1 alike, 0 nothing in common.

    Null: what a retrained model scores, and never 1: ignorance of the forgotten records is not
    ignorance of everything, and a model that answers at random scores best. A screen, to be
    shown beside the retrained model's value. Limit: 1; the value depends on the number of
    classes and on how sure the ignorant model is.

    Parameters
    ----------
    unlearned, ignorant : (n, k) probabilities of the forgotten records; `ignorant` is of a
        model with random parameters

    Source      Chundawat et al. 2023, equation 5, in bits. A released implementation averages
                over classes too, which drives every value towards 1; this does not.

    Examples
    --------
    >>> zrf([[1.0, 0.0]], [[0.0, 1.0]]), zrf([[0.3, 0.7]], [[0.3, 0.7]])
    (0.0, 1.0)
    >>> zrf([[1.0, 0.0]], [[0.5, 0.5]])        # 1 - (log2(4/3) + log2(2/3)/2 + 1/2) / 2
    0.6887
    """
    return 1.0 - float(np.mean(jensen_shannon(unlearned, ignorant)))


def _rows(values: Any) -> NDArray[np.float64]:
    p = np.asarray(values, dtype=np.float64)
    if p.ndim < 1 or p.size == 0 or (p < 0).any() or (np.abs(p.sum(axis=-1) - 1) > 1e-6).any():
        raise BadInput("rows of probabilities are at least 0 and sum to 1; logits are not these")
    return p


@dataclass(frozen=True)
class ZeroRetrainForgetting(OverArms):
    """ZRF: how near the answers on forgotten records are to those of an ignorant model: a screen.

    Definition  `zrf`: 1 - the Jensen-Shannon divergence, in bits, of a model's probabilities from
                an ignorant model's, for each forgotten record, averaged over models
    Null        of retrained models, and not 1: ignorance of these records is not ignorance of
                everything
    Limit       1
    Fails       a model that answers at random scores best, so that there is no better side; the
                value depends on the number of classes and on the ignorant model
    Parameters  ignorant : called as ignorant(n, k), returns (n, k) probabilities; None answers 1/k
                for each class, as a network with random parameters does on average
    Errors      NeedsReference for data draws, fewer than 4 trials, or without retrained models
    Source      Chundawat et al. 2023, equation 5; there the ignorant model is one random network

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = ZeroRetrainForgetting().measure_arms(planted_arms("DoNothing")).reading
    >>> r.value < r.null[0] < r.null[1] < 1
    True
    """

    ignorant: Callable[[int, int], Any] | None = None
    name: ClassVar[str] = "ZRF"
    role: ClassVar[Role] = "screen"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean likeness to ignorance, and that of each record."""
        n, k = arms.logits("original").shape[1:]
        blank = np.full((n, k), 1 / k) if self.ignorant is None else self.ignorant(n, k)

        def alike(arm: str) -> NDArray[np.float64]:
            p = softmax(np.asarray(arms.logits(arm), dtype=np.float64), axis=2)
            return 1 - np.stack([jensen_shannon(one, blank) for one in p])  # (models, n)

        def mean(u: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(u.mean(axis=0))

        how = Comparison(self.name, "1 - bits", "none", limit=1.0)
        return of_records(how, arms, four(arms, alike, name=self.name), mean)
