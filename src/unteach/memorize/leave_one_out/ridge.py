"""Ridge classification: what leaving each record out does, from one fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, densified
from unteach.models import Ridge

from .._training.stored_run import class_codes
from .leave_one_out import LeftOut, left_out

Floats = NDArray[np.float64]


def leave_one_out(x: Any, y: Any, *, alpha: float = 1.0, ids: Any = None) -> LeftOut:
    """Return the exact leave-one-out memorization of ridge regression on +-1 targets.

    f_i without i = y_i - e_i / (1 - h_ii), with leverage h_ii; the intercept is not penalized.
    The learner is "ridge" of `Memories` (scikit-learn's `RidgeClassifier`).

    x, y : (n, d) and (n,) labels of at least two classes · alpha : above 0

    >>> found = leave_one_out([[0.0], [1.0], [4.0], [5.0], [5.1]], [0, 0, 1, 1, 0], alpha=0.1)
    >>> found.value
    array([0., 0., 0., 0., 0.])
    >>> bool(found.margin_without[4] < found.margin_with[4] < 0)
    True
    """
    x = densified(x, "x")
    targets, codes, identifiers = signs(x, y, ids)
    model = Ridge(alpha=alpha).fit(x, targets)
    whole = model.predict(x)
    without = targets - model.leave_one_out()
    return left_out(whole, without, codes, identifiers)


def signs(x: Any, y: Any, ids: Any) -> tuple[Floats, NDArray[np.int64], Any]:
    """Return +-1 targets, one column a class (n, k), the class codes, and the ids."""
    classes, codes = np.unique(np.asarray(y), return_inverse=True)
    class_codes(y)
    if len(classes) < 2 or np.ndim(x) != 2 or len(codes) != len(x):
        raise BadInput(f"x (n, d) and labels of at least two classes, got {np.shape(x)}, {classes}")
    targets = np.where(codes[:, None] == np.arange(len(classes)), 1.0, -1.0)
    return targets, codes.astype(np.int64), np.arange(len(codes)) if ids is None else ids
