"""The delete-a-group jackknife: what another draw of models would change in a number of arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput

LARGEST = 16


def jackknife_error(
    arms: Sequence[NDArray[Any]],
    statistic: Callable[..., float],
    *,
    groups: int = LARGEST,
    block: int = 1,
) -> tuple[float, int]:
    """Return the standard error over models of a number of several arms, and its degrees.

    Each group leaves all arms at once. A bootstrap would repeat models, and a divergence or an
    attack between samples with repeats is larger than between fresh ones; leaving models out
    repeats none.

    Parameters
    ----------
    arms : one (models, ...) array an arm · statistic : called with the arms, returns one number
    groups : at least 2; of neighbours, as many as there are blocks at most
    block : how many neighbours stay together; 2 for a number that fits on models 1, 3, 5 ... and
        counts models 0, 2, 4 ..., whose halves would change places if one model went

    Source      Tukey 1958; groups: Kott 2001

    Examples
    --------
    >>> error, degrees = jackknife_error([np.arange(16.0)], np.mean)
    >>> round(error ** 2, 4), degrees                # of a mean: the variance, 68 / 3, over 16
    (1.4167, 15)
    """
    least = min((len(a) for a in arms), default=0) // block if block >= 1 else 0
    if least < 2 or groups < 2:
        raise BadInput(
            f"the jackknife needs two groups of {block} models in each arm, got arms of "
            f"{[len(a) for a in arms]} and groups={groups}"
        )
    count = min(groups, least)
    kept = [[np.arange(len(a)) // block % count != g for a in arms] for g in range(count)]
    left = np.array([statistic(*(a[k] for a, k in zip(arms, ks, strict=True))) for ks in kept])
    error = math.sqrt((count - 1) / count * float(np.sum((left - left.mean()) ** 2)))
    return error, count - 1
