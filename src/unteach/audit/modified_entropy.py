"""Modified entropy: the uncertainty of a prediction, told which class is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput


def modified_entropy(probabilities: Any, y: Any) -> NDArray[np.float64]:
    """Return -(1 - p_y) ln p_y - sum_{c != y} p_c ln(1 - p_c), one a record: (n,) nats.

    0 where the model is sure and right, without bound where it is sure and wrong: what plain
    entropy cannot tell apart. A score for attacks of one threshold, hence a screen. A record's
    value does not depend on the records beside it.

    Null: none of its own; compare retrained models on the same records. Limit: -ln of the
    smallest positive double where p_y is 0. Failure mode: rounded probabilities of 0 and 1.

    Parameters
    ----------
    probabilities : (n, k) rows that sum to 1 (within 1e-6)
    y : (n,) codes

    Source      Song & Mittal 2021, equation 7. A widely copied implementation takes ln p for
                ln(1 - p) and changes whole columns at once; this does neither.

    Examples
    --------
    >>> modified_entropy([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], [0, 0])
    array([0.4904, 0. ])
    >>> float(0.5 * np.log(2) - 2 * 0.25 * np.log(0.75))
    0.4904
    """
    p, at = np.asarray(probabilities, dtype=np.float64), np.asarray(y)
    if p.ndim != 2 or at.shape != (len(p),) or at.dtype.kind not in "iu":
        raise BadInput(f"probabilities (n, k) and codes (n,) are needed, got {p.shape}, {at.shape}")
    if not (np.abs(p.sum(axis=1) - 1) <= 1e-6).all() or (p < 0).any():
        raise BadInput("rows of probabilities are at least 0 and sum to 1; logits are not these")
    if len(at) and not (at.min() >= 0 and at.max() < p.shape[1]):
        raise BadInput(
            f"codes lie between 0 and {p.shape[1] - 1}, got {at.min()} to {at.max()}; labels "
            "become codes by np.searchsorted(classes, labels)"
        )
    tiny = np.finfo(np.float64).tiny
    rows = np.arange(len(p))
    right = p[rows, at]
    others = p * -np.log(np.maximum(1 - p, tiny))
    others[rows, at] = 0.0
    found: NDArray[np.float64] = (1 - right) * -np.log(np.maximum(right, tiny)) + others.sum(axis=1)
    return found + 0.0
