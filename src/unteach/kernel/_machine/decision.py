"""The decision function: what serves, and holds no row but the support vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from unteach.core import BadInput

from .._estimator import validation as checked
from .._solver.ordered_sums import dot
from ..kernels import Kernel
from .grouped_machine import Parts
from .machine import Machine

Rows = NDArray[np.int64]


@njit(cache=True)
def _combine(values: Any, columns: Any, weights: Any, rho: float, out: Any) -> None:
    taken = np.empty(columns.shape[0])
    for i in range(values.shape[0]):
        for a in range(columns.shape[0]):
            taken[a] = values[i, columns[a]]
        out[i] = dot(taken, weights) + rho


@dataclass(frozen=True, eq=False)
class Decision:
    """One function a pair of classes, over shared support vectors.

    The value of a row depends on that row alone, to the last bit, and on the support vectors
    of its pair.

    Parameters
    ----------
    kernel : with its numbers filled in
    support : (s,) positions of the support vectors (the columns that a precomputed kernel
        is read at)
    width : columns a precomputed kernel must have; features otherwise
    vectors : (s, d); (s, 0) where the kernel is precomputed
    codes : (s,) class of each support vector
    pairs : for each pair of classes (first, second, columns among the s, weights, rho)
    """

    kernel: Kernel
    support: Rows
    width: int
    vectors: NDArray[np.float64]
    codes: Rows
    pairs: tuple[tuple[int, int, Rows, NDArray[np.float64], float], ...]

    @classmethod
    def of(cls, machine: Machine | Parts) -> Decision:
        """Return the decision function of a machine."""
        support = machine.support
        column = np.full(len(machine.codes), -1)
        column[support] = np.arange(len(support))
        pairs = []
        for pair in machine.pairs:
            held = pair.b != 0
            pairs.append((pair.first, pair.second, column[pair.rows[held]], pair.b[held], pair.rho))
        precomputed = machine.kernel.name == "precomputed"
        width = len(machine.codes) if precomputed else int(np.prod(machine.x.shape[1:]))
        vectors, codes = machine.x[support], machine.codes[support]
        return cls(machine.kernel, support, width, vectors, codes, tuple(pairs))

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one value a row and pair, positive for the first class: (m, d) -> (m, pairs)."""
        if self.kernel.name == "precomputed":
            values = np.ascontiguousarray(x[:, self.support])  # (m, s)
        else:
            values = self.kernel.between(x, self.vectors)
        out = np.empty((len(self.pairs), len(x)))
        for row, (_, _, columns, weights, rho) in zip(out, self.pairs, strict=True):
            _combine(values, columns, weights, rho, row)
        return out.T

    def slopes(self, sign: float, given: str) -> Any:
        """Return the weights of the features of a linear kernel, (pairs, d); not to be changed."""
        lines = [w @ self.vectors[c] for _, _, c, w, _ in self.pairs]
        out = of_input(np.array(lines) * sign, given)
        (out.data if given == "sparse" else out).flags.writeable = False
        return out

    def dual(self, n_classes: int) -> NDArray[np.float64]:
        """Return the weights in libsvm's layout: (n_classes - 1, s).

        In the pair (i, j) a support vector of class i stands in row j - 1, one of j in row i.
        """
        out = np.zeros((n_classes - 1, len(self.support)))
        for first, second, columns, weights, _ in self.pairs:
            line = np.where(self.codes[columns] == first, second - 1, first)
            out[line, columns] = weights
        return out


def of_input(values: Any, given: str) -> Any:
    """Return an array as scikit-learn shows it after a fit to rows of this kind."""
    return sparse.csr_matrix(values) if given == "sparse" else values


class Classifies:
    """Adds to a classifier of pairs of classes what it says of rows."""

    classes_: NDArray[Any]
    decision_function_shape: str
    break_ties: bool
    _decision: Decision

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the decision values of rows (m, d), in scikit-learn's shapes and signs.

        (m,) for two classes, positive for `classes_[1]`; else (m, k) for "ovr", or
        (m, k (k - 1) / 2) for "ovo".
        """
        checked.fitted(self)
        values = self._decision.values(checked.rows(self, X))
        if len(self.classes_) == 2:
            return -values[:, 0]
        if self.decision_function_shape == "ovr":
            return one_vs_rest(values, len(self.classes_))
        return values

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the label of each row: (m,).

        The first class wins a tie of votes; with break_ties the one with the largest decision
        value, which costs nothing more here.
        """
        checked.fitted(self)
        if self.break_ties and self.decision_function_shape == "ovo":
            raise BadInput("break_ties must be False when decision_function_shape is 'ovo'")
        values = self._decision.values(checked.rows(self, X))
        k = len(self.classes_)
        if k == 2:
            return np.asarray(self.classes_[(values[:, 0] < 0).astype(np.int64)])
        of = one_vs_rest if self.break_ties else votes
        return np.asarray(self.classes_[of(values, k).argmax(axis=1)])


TIE = 1e-9
"""A pairwise value this close to 0 is a tie: rounding must not decide a whole vote."""


def snapped(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return pairwise values with ties put at exactly 0.

    >>> snapped(np.array([1e-15, -0.5]))
    array([ 0. , -0.5])
    """
    return np.where(np.abs(values) <= TIE, 0.0, values)


def votes(values: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return how many pairs each class wins: (m, pairs) -> (m, n_classes)."""
    out = np.zeros((len(values), n_classes))
    for column, (i, j) in zip(snapped(values).T, _order(n_classes), strict=True):
        out[:, i] += column > 0
        out[:, j] += column <= 0
    return out


def one_vs_rest(values: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return votes, and within (-1/3, 1/3) the summed confidence, as scikit-learn does.

    >>> one_vs_rest(np.array([[2.0, 1.0, -1.0]]), 3)
    array([[ 2.25, -0.25,  1.  ]])
    """
    confidence = np.zeros((len(values), n_classes))
    won = np.zeros((len(values), n_classes))
    for column, (i, j) in zip(snapped(values).T, _order(n_classes), strict=True):
        confidence[:, i] += column
        confidence[:, j] -= column
        won[:, i] += column >= 0
        won[:, j] += column < 0
    out: NDArray[np.float64] = won + confidence / (3 * (np.abs(confidence) + 1))
    return out


def _order(n_classes: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
