"""The hard margin: C=inf is solved with a C so large that no row reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import NotConverged

from .qp import Vector

M = TypeVar("M")
COSTS = (1e2, 1e5, 1e8, 1e11)
"""The C that are tried, over the spread of the rows; beyond lies rounding."""


def read(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters read from a file, which writes an infinite C as a word."""
    return {k: float(v) if k == "C" and v == "inf" else v for k, v in params.items()}


def costs(C: float, weights: Vector, factors: Vector | float = 1.0) -> Vector:
    """Return the cost of each row, C times its weights: (n,). Of no weight there is no cost.

    >>> costs(np.inf, np.array([0.0, 2.0]))
    array([ 0., inf])
    """
    if np.isinf(C):
        return np.where(factors * weights > 0, np.inf, 0.0)
    return C * factors * weights


def spread(gram: NDArray[np.float64], used: NDArray[np.bool_]) -> float:
    """Return the mean squared distance of the rows in use from their mean; 1 if it is none.

    >>> spread(np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([True, True]))
    1.0
    """
    rows = np.flatnonzero(used)
    mean = sum(float(gram[i, rows].sum()) for i in rows) / len(rows) ** 2
    found = float(gram.diagonal()[rows].mean()) - mean
    return found if found > 0 else 1.0


def hard_margin(learn: Callable[[float], M], size: Callable[[M], float], scale: float) -> M:
    """Return what is learned at the first C that exceeds the size of its weights.

    No bound then holds a weight, so that the solution is that of every larger C. For a classifier
    the size is the sum of a pair's weights: it is |w|^2, which only falls when rows go.

    Raises `NotConverged` where there is none: the rows cannot be separated (or fitted) by this
    kernel, as far as rounding can tell at their scale.
    """
    for cost in COSTS:
        try:
            found = learn(scale * cost)
        except NotConverged:
            continue
        if size(found) < scale * cost:
            return found
    raise NotConverged(
        "C=inf allows no error, and no machine without one was found: the rows are not separable "
        "by this kernel (in a regression: do not fit into the tube), or it cannot be told from "
        "rounding; give a finite C, another kernel, or scaled features"
    )
