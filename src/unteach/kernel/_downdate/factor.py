"""K_SS + sigma of the free rows and its inverse, changed where they stand.

Rows leave and enter in one update of low rank; nothing of the size of the matrix is copied, and
what has left is overwritten. The last rows move to the places that become empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]
SURE = 1e-6  # largest defect of the inverse that refinement is trusted with
FINE = 1e-11  # defect, by a probe, below which entering rows are not refined
PIECE = 64  # rows that are updated at a time


@njit(cache=True)
def _close(matrix: Any, holes: Any, movers: Any, s: int, left: int) -> None:
    """Move rows and columns from `movers` to `holes`, and clear those from `left` on."""
    for q in range(holes.shape[0]):
        for e in range(s):
            matrix[holes[q], e] = matrix[movers[q], e]
    for a in range(left):
        for q in range(holes.shape[0]):
            matrix[a, holes[q]] = matrix[a, movers[q]]
        for e in range(left, s):
            matrix[a, e] = 0.0
    for a in range(left, s):
        for e in range(s):
            matrix[a, e] = 0.0


class Factor:
    """The inverse of K_SS + sigma, in the order in which the rows stand.

    Parameters
    ----------
    shifted : (s, s) K_SS + sigma; inverse : (s, s); sigma : the shift
    """

    def __init__(self, shifted: Matrix, inverse: Matrix, sigma: float) -> None:
        self.sigma, self.s = sigma, len(shifted)
        size = self.s + self.s // 8 + 64
        self._kss, self._inverse = np.zeros((size, size)), np.zeros((size, size))
        self._w = np.zeros(size)
        self.kss[:], self.inverse[:] = shifted, inverse
        self.refresh()

    @property
    def kss(self) -> Matrix:
        """K_SS + sigma: (s, s)."""
        return self._kss[: self.s, : self.s]

    @property
    def inverse(self) -> Matrix:
        """The inverse of `kss`: (s, s)."""
        return self._inverse[: self.s, : self.s]

    @property
    def w(self) -> NDArray[np.float64]:
        """The row sums of the inverse: (s,)."""
        return self._w[: self.s]

    def refresh(self) -> None:
        """Sum the rows of the inverse afresh."""
        self._w[: self.s] = self.inverse.sum(axis=1)

    def exchange(
        self, dropped: Rows, kernel: Matrix, solved: Matrix, corner: Matrix
    ) -> tuple[Rows, Rows] | None:
        """Let rows leave, and others enter at the end; None, with nothing changed, if it fails.

        dropped : (t,) places; kernel : (e, s) K + sigma of those that enter with all that stood
        here; solved : (e, s) kernel @ inverse; corner : (e, e) K + sigma among themselves.
        Returns the places that became empty and the places whose rows fill them.
        """
        s, t, e = self.s, len(dropped), len(corner)
        m = self.inverse
        side = np.ascontiguousarray(m[:, dropped])  # (s, t)
        core = np.linalg.solve(side[dropped], side.T) if t else np.empty((0, s))
        left, right = [side], [-core]
        x, cross, inner = np.empty((s, 0)), np.empty((s, 0)), corner
        if e:
            cross = kernel.T.copy()
            x = solved.T - side @ (core @ cross)
            cross[dropped] = x[dropped] = 0.0
            signs = np.where(np.arange(e) % 2, 1.0, -0.5)
            probe = cross @ signs - self.kss @ (x @ signs)
            probe[dropped] = 0.0
            if float(np.abs(probe).max()) > FINE:
                rest = cross - (x.T @ self.kss).T
                rest[dropped] = 0.0
                if float(np.abs(rest).max()) > SURE:
                    return None
                x += (rest.T @ m).T - side @ (core @ rest)
                x[dropped] = 0.0
            inner = corner - cross.T @ x
            if np.linalg.eigvalsh(inner)[0] <= 1e-9 * float(corner.diagonal().max()):
                return None
            left.append(x)
            right.append(np.linalg.solve(inner, x.T))
        self._make_room(s - t + e)
        m = self.inverse
        if t + e:
            lefts, rights = np.hstack(left), np.vstack(right)
            for start in range(0, s, PIECE):
                m[start : start + PIECE] += lefts[start : start + PIECE] @ rights
            self._w[:s] += lefts @ rights.sum(axis=1)
        u = s - t
        empty = np.sort(dropped[dropped < u])
        movers = np.setdiff1d(np.arange(u, s), dropped, assume_unique=True)
        for whole in (self._kss, self._inverse):
            _close(whole, empty, movers, s, u)
        self._w[empty] = self._w[movers]
        self._w[u:s] = 0.0
        self.s = u + e
        if e:
            for array in (x, cross):
                array[empty] = array[movers]
            inverted = np.linalg.inv(inner)
            edge = -x[:u] @ inverted
            self._kss[:u, u : u + e], self._kss[u : u + e, :u] = cross[:u], cross[:u].T
            self._kss[u : u + e, u : u + e] = corner
            self._inverse[:u, u : u + e], self._inverse[u : u + e, :u] = edge, edge.T
            self._inverse[u : u + e, u : u + e] = 0.5 * (inverted + inverted.T)
            self._w[:u] += edge.sum(axis=1)
            self._w[u : u + e] = edge.sum(axis=0) + inverted.sum(axis=1)
        return empty, movers

    def _make_room(self, wanted: int) -> None:
        if wanted <= len(self._w):
            return
        size, s = wanted + wanted // 8 + 64, self.s
        for name in ("_kss", "_inverse"):
            larger = np.zeros((size, size))
            larger[:s, :s] = getattr(self, name)[:s, :s]
            setattr(self, name, larger)
        self._w = np.append(self._w, np.zeros(size - len(self._w)))
