"""Kernel ridge classification: what leaving each record out does, from one inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from unteach.core import BadInput, densified

from .leave_one_out import LeftOut, left_out
from .ridge import signs


def leave_one_out(
    x: Any, y: Any, *, alpha: float = 0.1, gamma: float | None = None, ids: Any = None
) -> LeftOut:
    """Return the exact leave-one-out memorization of kernel ridge regression on +-1 targets.

    f_i without i = y_i - [K^-1 y]_i / [K^-1]_ii with K = k(X, X) + alpha I and the kernel
    exp(-gamma ||a - b||^2); no intercept. The same number is the leave-one-out mean of a
    Gaussian process (Rasmussen & Williams 2006, eq. 5.12).

    Parameters
    ----------
    x, y : (n, d) and (n,) labels of at least two classes
    alpha : above 0
    gamma : above 0; None takes 1 / (d var(x)), as scikit-learn's "scale"
    """
    x = densified(x, "x")
    targets, codes, identifiers = signs(x, y, ids)
    x = np.asarray(x, dtype=np.float64)
    spread = float(x.var())
    width = 1.0 / (x.shape[1] * spread if spread > 0 else 1.0) if gamma is None else float(gamma)
    if not (alpha > 0 and width > 0):
        raise BadInput(f"alpha and gamma are above 0, got {alpha!r} and {gamma!r}")
    norms = np.einsum("nd,nd->n", x, x)
    squares = np.maximum(norms[:, None] + norms[None, :] - 2 * x @ x.T, 0.0)
    np.fill_diagonal(squares, 0.0)
    gram = np.exp(-width * squares)  # (n, n)
    ridged = gram + alpha * np.eye(len(x))
    inverse = cho_solve(cho_factor(ridged, lower=True), np.eye(len(x)))
    dual = inverse @ targets  # (n, k)
    return left_out(gram @ dual, targets - dual / np.diag(inverse)[:, None], codes, identifiers)
