"""ZRF: how near a model's answers are to those of a model that knows nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput


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
