"""Ridge classification on many subsets at once: all Gram matrices come from one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier

from unteach.core import BadInput, OneClassLeft, Records

from ..foreign.estimator_learner import EstimatorLearner

Singles = NDArray[np.float32]
ROOM = 2**28  # numbers that the shared products may take; beyond it each subset makes its own
MOST = 256  # models solved in one go


@dataclass(frozen=True)
class SubsetRidge:
    """Ridge regression on +-1 targets, one a class, with all subsets of a study solved together.

    `subset_outputs` equals learning scikit-learn's `RidgeClassifier(alpha)` on each subset, to
    single precision. The products z_a z_b of every row (z: the features less their mean, and 1)
    are computed once; what each subset needs is then one matrix product of the memberships with
    them, and a Cholesky factorization of size d + 1.

    Parameters
    ----------
    alpha : penalty on the coefficients, above 0; the intercept is not penalized

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 1])
    >>> members = np.array([[True, True, False], [True, True, True]])
    >>> f = SubsetRidge(alpha=1e-4).subset_outputs(x, y, members, np.zeros(2, np.uint64), x)
    >>> f[0, :, 1].round(2)
    array([-1.,  1.,  5.], dtype=float32)

    With two classes there are two columns, of opposite sign.
    """

    alpha: float = 1.0
    output_kind: ClassVar[Literal["logits", "scores"]] = "scores"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and self.alpha > 0):
            raise BadInput(f"alpha is a number above 0, got {self.alpha!r}")

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return a fitted scikit-learn `RidgeClassifier(alpha)`."""
        return EstimatorLearner(RidgeClassifier(alpha=self.alpha)).learn(records, seed=seed)

    def subset_outputs(
        self, x: Any, y: Any, members: NDArray[np.bool_], seeds: Any, at: Any
    ) -> Singles:
        """Return the decision values of m models: (m, q, k) float32.

        x : (n, d) · y : (n,) class codes 0 to k - 1 · members : (m, n) bool, two classes in each
        · seeds : (m,) unused · at : (q, d). A class that a subset lacks scores -1 everywhere.
        """
        members, y = np.asarray(members, dtype=np.bool_), np.asarray(y)
        x = np.asarray(x, dtype=np.float64)
        centre = x.mean(axis=0)
        z = _with_one(x - centre)  # (n, d + 1)
        signs = np.where(np.arange(int(y.max()) + 1) == y[:, None], 1, -1).astype(np.float32)
        queries = _with_one(np.asarray(at, dtype=np.float64) - centre)  # (q, d + 1)
        _two_classes(members, y)
        side, classes = z.shape[1], signs.shape[1]
        rows, columns = np.triu_indices(side)
        width = len(rows) + side * classes
        shared = None
        if len(z) * width <= ROOM:
            shared = np.empty((len(z), width), np.float32)
            _products(z, signs, shared)
        weights = np.empty((side, len(members), classes), np.float32)
        for start in range(0, len(members), MOST):
            some = members[start : start + MOST]
            if shared is not None:
                sums = some.astype(np.float32) @ shared  # (b, width)
            else:
                sums = np.empty((len(some), width), np.float32)
                for k, mask in enumerate(some):
                    mine = z[mask]
                    sums[k, : len(rows)] = (mine.T @ mine)[rows, columns]
                    sums[k, len(rows) :] = (mine.T @ signs[mask]).ravel()
            _solve(sums, side, classes, np.float32(self.alpha), weights[:, start : start + MOST])
        found = queries @ weights.reshape(side, -1)  # (q, m k)
        return found.reshape(len(queries), len(members), classes).transpose(1, 0, 2)


def _with_one(x: Any) -> Singles:
    return np.hstack([x, np.ones((len(x), 1))]).astype(np.float32)


def _two_classes(members: NDArray[np.bool_], y: NDArray[Any]) -> None:
    classes = np.arange(int(y.max()) + 1) == y[:, None]  # (n, k)
    there = (members.astype(np.float32) @ classes.astype(np.float32)) > 0  # (m, k)
    poor = np.flatnonzero(there.sum(axis=1) < 2)
    if len(poor):
        raise OneClassLeft(
            f"subset {int(poor[0])} holds rows of fewer than two classes; take a larger fraction"
        )


@njit(cache=True)
def _products(z: Any, signs: Any, out: Any) -> None:
    """Write, for each row, the upper triangle of z z' and then z s': (n, width)."""
    side, classes = z.shape[1], signs.shape[1]
    for i in range(z.shape[0]):
        at = 0
        for a in range(side):
            for b in range(a, side):
                out[i, at + b - a] = z[i, a] * z[i, b]
            at += side - a
        for a in range(side):
            for c in range(classes):
                out[i, at + c] = z[i, a] * signs[i, c]
            at += classes


@njit(cache=True)
def _solve(sums: Any, side: int, classes: int, alpha: Any, weights: Any) -> None:
    """Solve (G + alpha I) w = b for each model, by U'U = G; the last unknown has no penalty."""
    u, b = np.empty((side, side), np.float32), np.empty((side, classes), np.float32)
    for m in range(sums.shape[0]):
        at = 0
        for a in range(side):
            u[a, a:] = sums[m, at : at + side - a]
            at += side - a
            if a < side - 1:
                u[a, a] += alpha
        b[:] = sums[m, at:].reshape(side, classes)
        for a in range(side):
            root = np.float32(1.0) / np.sqrt(u[a, a])
            for c in range(a, side):
                u[a, c] *= root
            for c in range(classes):
                b[a, c] *= root
            for r in range(a + 1, side):
                scale = u[a, r]
                if scale != 0.0:
                    for c in range(r, side):
                        u[r, c] -= scale * u[a, c]
                    for c in range(classes):
                        b[r, c] -= scale * b[a, c]
        for a in range(side - 1, -1, -1):
            for r in range(a + 1, side):
                for c in range(classes):
                    b[a, c] -= u[a, r] * b[r, c]
            for c in range(classes):
                b[a, c] /= u[a, a]
        weights[:, m, :] = b
