"""The Gram matrix: cut, extended, checked for symmetry and for being positive semidefinite."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import NDArray

from unteach.core import BadInput


@njit(cache=True)
def _square(gram: Any, rows: Any, out: Any) -> None:
    for a in range(rows.shape[0]):
        source = gram[rows[a]]
        for c in range(rows.shape[0]):
            out[a, c] = source[rows[c]]


def square(gram: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the Gram matrix of some rows, in a fresh array that shares nothing with the old.

    >>> square(np.arange(9.0).reshape(3, 3), np.array([0, 2]))
    array([[0., 2.],
           [6., 8.]])
    """
    out = np.empty((len(rows), len(rows)))
    _square(gram, rows, out)
    return out


def bordered(
    gram: NDArray[np.float64], cross: NDArray[np.float64], corner: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Gram matrix with m new rows behind the n old ones.

    gram : (n, n); cross : (m, n), new against old; corner : (m, m), new against new.

    >>> bordered(np.eye(1), np.zeros((1, 1)), np.eye(1))
    array([[1., 0.],
           [0., 1.]])
    """
    n, m = len(gram), len(corner)
    out = np.empty((n + m, n + m))
    out[:n, :n], out[n:, :n], out[:n, n:], out[n:, n:] = gram, cross, cross.T, corner
    return out


def symmetric(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a square matrix made exactly symmetric; one that is not nearly so is refused.

    >>> symmetric(np.array([[1.0, 2.0], [0.0, 1.0]]))
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: a kernel matrix must be symmetric; this one differs from its
    transpose by 2
    """
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise BadInput(f"a kernel matrix must be square, got shape {gram.shape}")
    difference = float(np.abs(gram - gram.T).max(initial=0.0))
    if difference > 1e-6 * float(np.abs(gram).max(initial=0.0)):
        raise BadInput(
            f"a kernel matrix must be symmetric; this one differs from its transpose by "
            f"{difference:g}"
        )
    return gram.copy() if difference == 0 else (gram + gram.T) / 2


def semidefinite(gram: NDArray[np.float64]) -> bool:
    """Say whether a symmetric matrix is positive semidefinite, up to rounding.

    Rows and columns are first scaled to a diagonal of ones, so that one huge row cannot hide
    what the others do; then a Cholesky factor exists after the diagonal is raised by 100 n eps.

    >>> semidefinite(np.ones((3, 3))), semidefinite(np.array([[0.0, 1.0], [1.0, 0.0]]))
    (True, False)
    """
    diagonal = gram.diagonal()
    flat = diagonal <= 0
    if flat.any():
        if np.any(diagonal < 0) or np.any(gram[flat]):
            return False
        gram, diagonal = gram[np.ix_(~flat, ~flat)], diagonal[~flat]
    if len(gram) == 0:
        return True
    scale = 1.0 / np.sqrt(diagonal)
    raised = scale[:, None] * gram * scale[None, :]
    raised.flat[:: len(gram) + 1] += 100 * len(gram) * np.finfo(float).eps
    try:
        scipy.linalg.cholesky(raised, lower=True, overwrite_a=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return False
    return True
