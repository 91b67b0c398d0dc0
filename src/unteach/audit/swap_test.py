"""The swap test: forget and test records change places, and the same attack is tried on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput


@dataclass(frozen=True)
class SwapTest:
    """advantage : the best threshold's, in [0, 1]; quality : 1 - advantage; threshold : that one.

    A retrained model has advantage 0 for every attack; `limit` is 1.
    """

    advantage: float
    quality: float
    threshold: float
    limit: float = 1.0


def swap_test(one: tuple[Any, Any], other: tuple[Any, Any]) -> SwapTest:
    """Return the advantage of threshold attacks that must work with the sets either way round.

    (1/2) |sum over both splits of P(score > t | forgotten) - P(score > t | test)|, at the best t.
    What F and T differ in by themselves cancels: a model that never saw either gives F the same
    scores as the forget set of one split and as the test set of the other.

    Null: 0 exactly for retraining if both splits are scored by models of the same law; with few
    models the best of many thresholds is above it, so show retrained models beside it. A screen:
    it lower-bounds the advantage by threshold attacks only, and F and T must be exchangeable.
    Under (epsilon, delta), advantage <= 2 (1 - (2 - 2 delta) / (e^epsilon + 1)).

    Parameters
    ----------
    one : (scores of F, scores of T) by models that unlearned F and never saw T
    other : (scores of T, scores of F) by models that unlearned T and never saw F; in each pair
        the forgotten come first, any shape; larger scores are taken for members

    Source      Tu, Hu & Ma 2024 (arXiv 2404.11577)

    Examples
    --------
    >>> swap_test(([5.0, 6.0], [1.0, 2.0]), ([5.0, 7.0], [0.0, 1.0])).advantage
    1.0
    >>> f, t = [3.0, 4.0], [1.0, 2.0]          # F is easier, and neither was ever seen
    >>> swap_test((f, t), (t, f)).advantage
    0.0
    """
    pairs = [[_flat(s) for s in pair] for pair in (one, other)]
    values = np.unique(np.concatenate([s for pair in pairs for s in pair]))
    cuts = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    total = np.zeros(len(cuts))
    for gone, test in pairs:
        total += np.searchsorted(test, cuts) / len(test) - np.searchsorted(gone, cuts) / len(gone)
    sizes = np.abs(total) / 2
    at = int(np.argmax(sizes))
    return SwapTest(float(sizes[at]), 1 - float(sizes[at]), float(cuts[at]))


def _flat(scores: Any) -> NDArray[np.float64]:
    flat = np.sort(np.asarray(scores, dtype=np.float64).ravel())
    if flat.size == 0 or not np.isfinite(flat).all():
        raise BadInput("scores are finite and at least one for each set")
    return flat
