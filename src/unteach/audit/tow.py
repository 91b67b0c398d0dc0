"""Tug of war: three accuracies against retraining's, multiplied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput


def tow(unlearned: Any, retrained: Any) -> NDArray[np.float64]:
    """Return the product over forget, retain and test of 1 - |accuracy - retrained accuracy|.

    1 is as retrained on all three. One value a seed; give several and report their interval
    (`unteach.stats.mean_interval`), which one seed does not have.

    A screen. Null: what another retraining scores. Doing nothing scores high wherever retrained
    models still classify most forgotten records as stated (0.948 on digits with half of them
    mislabelled), so that a number near 1 is no evidence of forgetting. Limit: 1.

    Parameters
    ----------
    unlearned, retrained : (..., 3) accuracies on forget, retain, test, each in [0, 1]

    Source      Zhao et al. 2024 (RUM, arXiv 2406.01257)

    Examples
    --------
    >>> tow([1.0, 1.0, 0.9], [0.5, 1.0, 0.9])
    array(0.5)
    """
    u, r = _threes(unlearned), _threes(retrained)
    return np.asarray(np.prod(1 - np.abs(u - r), axis=-1))


def tow_mia(
    unlearned: Any, retrained: Any, *, membership: Any, retrained_membership: Any
) -> NDArray[np.float64]:
    """Return the tug of war with the forget accuracy replaced by a membership score.

    A screen, as its membership score is: see `population_membership` for the same attack with
    retraining as the target.

    Parameters
    ----------
    unlearned, retrained : (..., 3) accuracies, of which the first is not read
    membership, retrained_membership : (...,) shares in [0, 1] of the forgotten records that an
        attack takes for members

    Examples
    --------
    >>> tow_mia([0.0, 1.0, 0.9], [1.0, 1.0, 0.9], membership=0.3, retrained_membership=0.1)
    array(0.8)
    """
    u, r = _threes(unlearned).copy(), _threes(retrained).copy()
    u[..., 0], r[..., 0] = membership, retrained_membership
    return tow(u, r)


def _threes(values: Any) -> NDArray[np.float64]:
    a = np.asarray(values, dtype=np.float64)
    if a.ndim < 1 or a.shape[-1] != 3 or not ((a >= 0) & (a <= 1)).all():
        raise BadInput(f"accuracies are (..., 3): forget, retain, test, in [0, 1]; got {a.shape}")
    return a
