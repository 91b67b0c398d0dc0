"""Adjusted p-values for many tests at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from ..core import BadInput
from .intervals import as_values


def holm(p_values: Any) -> NDArray[np.float64]:
    """Return Holm's (1979) adjusted p-values, in the order given.

    Rejecting where they are at most alpha keeps the chance of any false rejection under alpha,
    whatever the dependence between the tests.

    Parameters
    ----------
    p_values : (m,) each in [0, 1], m >= 1

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = _p_values(p_values)
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]  # (m,) m p_(1), (m-1) p_(2), ...
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Any) -> NDArray[np.float64]:
    """Return Benjamini & Hochberg's (1995) adjusted p-values, in the order given.

    Rejecting where they are at most q keeps the expected share of false rejections among the
    rejections under q, for independent or positively dependent tests.

    Parameters
    ----------
    p_values : (m,) each in [0, 1], m >= 1

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """
    adjusted = distributions.false_discovery_control(_p_values(p_values), method="bh")
    return np.asarray(adjusted, dtype=np.float64)


def _p_values(p_values: Any) -> NDArray[np.float64]:
    p = as_values(p_values, "p-values")
    outside = np.flatnonzero((p < 0) | (p > 1))
    if len(outside):
        raise BadInput(f"p-values[{outside[0]}] is {p[outside[0]]}; it must lie in [0, 1]")
    return p
