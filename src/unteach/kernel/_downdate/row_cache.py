"""Kernel rows in single precision, computed when asked for, within a budget of bytes.

The solver's rough phase works in them, and forgetting sees by them where every row stands, up
to a bound on rounding; only a row within that bound of the margin is evaluated in double
precision. As in libsvm the rows used longest ago make room for new ones.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .kernel_values import Values

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]
ROUNDING = 1.01 * 2.0**-24  # relative, of one value in single precision


@njit(cache=True)
def _sweep(data: Any, where: Any, change: Any, out: Any) -> None:
    """Add change @ data[where] to out."""
    n, s, piece = out.shape[0], where.shape[0], 2048
    for start in range(0, n, piece):
        stop = min(start + piece, n)
        a = 0
        while a + 4 <= s:
            k0, k1, k2 = data[where[a]], data[where[a + 1]], data[where[a + 2]]
            k3 = data[where[a + 3]]
            c0, c1, c2, c3 = change[a], change[a + 1], change[a + 2], change[a + 3]
            for t in range(start, stop):
                out[t] += c0 * k0[t] + c1 * k1[t] + c2 * k2[t] + c3 * k3[t]
            a += 4
        while a < s:
            row, c = data[where[a]], change[a]
            for t in range(start, stop):
                out[t] += c * row[t]
            a += 1


@njit(cache=True)
def _pick(data: Any, where: Any, change: Any, columns: Any, out: Any) -> None:
    """Add change @ data[where][:, columns] to out."""
    n, s = columns.shape[0], where.shape[0]
    a = 0
    while a + 4 <= s:
        k0, k1, k2, k3 = data[where[a]], data[where[a + 1]], data[where[a + 2]], data[where[a + 3]]
        c0, c1, c2, c3 = change[a], change[a + 1], change[a + 2], change[a + 3]
        for t in range(n):
            j = columns[t]
            out[t] += c0 * k0[j] + c1 * k1[j] + c2 * k2[j] + c3 * k3[j]
        a += 4
    while a < s:
        row, c = data[where[a]], change[a]
        for t in range(n):
            out[t] += c * row[columns[t]]
        a += 1


@njit(cache=True)
def _wipe(data: Any, owner: Any, used: int, columns: Any) -> None:
    for a in range(used):
        if owner[a] >= 0:
            for c in columns:
                data[a, c] = 0.0


class RowCache:
    """Rows of a problem against all its rows: (m,) each, in single precision.

    Parameters
    ----------
    values : where kernel values come from; at : (m,) the rows of the problem there
    budget : bytes that the rows may take

    Examples
    --------
    >>> from ..kernels import Kernel
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> cache = RowCache(Values(Kernel("linear"), x, None), np.arange(3), 24)
    >>> out = np.zeros(3)
    >>> cache.ask(np.array([2]))
    >>> cache.sweep(np.array([2]), np.array([0.5]), out)
    >>> out, len(cache.data)
    (array([0., 1., 2.]), 2)
    """

    def __init__(self, values: Values, at: Rows, budget: float) -> None:
        m = len(at)
        self.values, self.at = values, at
        most = int(min(m, max(budget // (4 * max(m, 1)), 2)))
        self.data = np.zeros((most, m), np.float32)  # memory is taken as rows are filled
        self.where = np.full(m, -1)
        self.owner = np.full(most, -1)
        self.stamp = np.zeros(most, np.int64)
        self.state = np.zeros(2, np.int64)  # rows in use, and a clock

    def ask(self, rows: Rows) -> None:
        """Have these rows ready; there must be room for all of them at once."""
        self.state[1] += 1
        at = self.where[rows]
        self.stamp[at[at >= 0]] = self.state[1]
        new = rows[at < 0]
        if len(new) == 0:
            return
        places = np.flatnonzero(self.owner < 0)[: len(new)]
        if len(places) < len(new):
            oldest = np.where(self.owner < 0, np.iinfo(np.int64).max, self.stamp)
            more = np.argsort(oldest, kind="stable")[: len(new) - len(places)]
            self.where[self.owner[more]] = -1
            places = np.concatenate([places, more])
        self.owner[places], self.where[new], self.stamp[places] = new, places, self.state[1]
        self.state[0] = max(int(self.state[0]), int(places.max()) + 1)
        self.values.single(self.at[new], self.at, self.data, places)

    def sweep(self, rows: Rows, change: Vector, out: Vector) -> None:
        """Add to out (m,) what a change of the weights of these rows does to every row."""
        _sweep(self.data, self.where[rows], change, out)

    def pick(self, rows: Rows, change: Vector, columns: Rows, out: Vector) -> None:
        """Add to out (c,) what a change of the weights of these rows does to some."""
        _pick(self.data, self.where[rows], change, columns, out)

    def field(self, rows: Rows, weights: Vector) -> Vector:
        """Return sum_j weights_j k(., row_j) of every row: (m,), however little room there is."""
        return self.sums(rows, weights, None)[0]

    def sums(self, rows: Rows, weights: Vector, root: float | None) -> tuple[Vector, float]:
        """Return `field`, and a bound on the error of its entries if root is given.

        root is the largest sqrt(K_ii). Every value is off by its own rounding. Those of rbf are
        positive, so that a sum with the sizes of the weights bounds all of it; otherwise each is
        at most root^2.
        """
        out, size, sizes = np.zeros(len(self.at)), np.abs(weights), np.zeros(len(self.at))
        positive = root is not None and self.values.kernel.name == "rbf"
        many = max(1, len(self.owner) // 2)
        known = self.where[rows] >= 0
        order = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
        for start in range(0, len(order), many):
            part = order[start : start + many]
            self.ask(rows[part])
            self.sweep(rows[part], weights[part], out)
            if positive:
                self.sweep(rows[part], size[part], sizes)
        if root is None:
            return out, 0.0
        total = float(size.sum()) * root**2
        largest = min(total, 1.001 * float(sizes.max(initial=0.0))) if positive else total
        return out, ROUNDING * largest + 4e-16 * math.sqrt(len(rows)) * (total + 1.0)

    def erase(self, rows: Rows) -> None:
        """Overwrite what is held of these rows."""
        held = self.where[rows]
        held = held[held >= 0]
        self.data[held] = 0.0
        self.owner[held] = -1
        self.where[rows] = -1
        _wipe(self.data, self.owner, int(self.state[0]), rows)
