"""Kernel values by number of row: out of a resident Gram matrix, or evaluated when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..kernels import Kernel
from .tableau import block

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]
PIECE = 64  # rows that are evaluated at a time


@njit(cache=True)
def _single(gram: Any, rows: Any, columns: Any, out: Any, places: Any) -> None:
    for a in range(rows.shape[0]):
        source, target = gram[rows[a]], out[places[a]]
        for c in range(columns.shape[0]):
            target[c] = source[columns[c]]


@njit(cache=True)
def _wipe(gram: Any, rows: Any) -> None:
    for i in range(rows.shape[0]):
        gram[rows[i]] = 0.0
    for t in range(gram.shape[0]):
        for i in range(rows.shape[0]):
            gram[t, rows[i]] = 0.0


@dataclass(frozen=True, eq=False)
class Values:
    """Where kernel values come from; a value is the same to the last bit either way.

    Parameters
    ----------
    kernel : with its numbers filled in
    x : (n, d) the rows; (n, 0) where the kernel is precomputed
    gram : (n, n) the Gram matrix, or None to evaluate

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> Values(Kernel("linear"), x, None).block(np.array([1]), np.array([1, 2]))
    array([[1., 2.]])
    """

    kernel: Kernel
    x: Matrix
    gram: Matrix | None

    def block(self, rows: Rows, columns: Rows) -> Matrix:
        """Return the values of these rows with these columns: (r, c) in double precision."""
        if self.gram is not None:
            out: Matrix = block(self.gram, rows, columns)
            return out
        return self.kernel.between(self.x[rows], self.x[columns])

    def diagonal(self, rows: Rows) -> NDArray[np.float64]:
        """Return the value of each row with itself: (r,)."""
        if self.gram is not None:
            return np.asarray(self.gram[rows, rows])
        if self.kernel.name == "rbf":
            return np.ones(len(rows))
        return np.array([self.kernel.between(z, z)[0, 0] for z in self.x[rows][:, None, :]])

    def single(self, rows: Rows, columns: Rows, out: NDArray[np.float32], places: Rows) -> None:
        """Fill out[places] (r, c) with the values in single precision."""
        if self.gram is not None:
            _single(self.gram, rows, columns, out, places)
            return
        z = self.x[columns]
        for start in range(0, len(rows), PIECE):
            here = slice(start, start + PIECE)
            out[places[here]] = self.kernel.between(self.x[rows[here]], z)

    def field(self, rows: Rows, support: Rows, weights: NDArray[np.float64]) -> Any:
        """Return sum_j weights_j k(row, support_j) of each row: (r,), in double precision."""
        out = np.empty(len(rows))
        for start in range(0, len(rows), 256):
            here = slice(start, start + 256)
            out[here] = self.block(rows[here], support) @ weights
        return out

    def erase(self, rows: Rows) -> None:
        """Overwrite the rows and their values with zeros."""
        self.x[rows] = 0.0
        if self.gram is not None:
            _wipe(self.gram, rows)
