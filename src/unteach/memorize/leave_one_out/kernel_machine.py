"""Kernel machines: what leaving each record out does, exactly, from one tableau."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Ids
from unteach.kernel import SVC

from .leave_one_out import LeftOut, left_out


def leave_one_out(model: SVC, x: Any, y: Any, *, ids: Ids | None = None) -> LeftOut:
    """Return the leave-one-out memorization of a fitted two-class `kernel.SVC`.

    Records that are no support vectors lose nothing. Numbers that the machine computed from its
    data (gamma="scale") stay as they are.

    x, y : (n, d), (n,) that the model was fitted on, in that order

    >>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    >>> leave_one_out(SVC(C=10.0, gamma=5.0).fit(x, y), x, y).value
    array([1., 1., 1., 1.])
    """
    without = np.asarray(model.leave_one_out())  # (n,) y f(x)
    codes = (np.asarray(y) == model.classes_[1]).astype(np.int64)
    sign = np.where(codes == 1, 1.0, -1.0)
    decided = np.asarray(model.decision_function(x))
    pairs = [np.stack([-f, f], axis=1) / 2 for f in (decided, sign * without)]
    identifiers = model.sample_ids_ if ids is None else ids
    return left_out(pairs[0], pairs[1], codes, identifiers)
