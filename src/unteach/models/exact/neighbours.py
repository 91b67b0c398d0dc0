"""Nearest neighbours: the rows are the model, and forgetting one is dropping it."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import BadInput, Claim, Contents, Corrupt, Exact, Keeps

from .training_rows import Held, HoldsRows
from .validation import Floats, read_queries


class Neighbours(HoldsRows, ClassifierMixin, BaseEstimator):
    """k-nearest-neighbour classification by Euclidean distance.

    Each distance is computed from its two rows alone, and of rows at the same distance the one
    with the smallest id is nearer; so predictions do not depend on the order of the rows or on
    those that were forgotten: the claim is `Exact(0.0)`. Classes that tie go to the first in
    `classes_`. With fewer records than `n_neighbors` all of them are neighbours.

    Every row is needed to predict, also in an exported model.

    Parameters
    ----------
    n_neighbors : how many neighbours vote, at least 1
    weights : "uniform" (or None), or "distance": a vote is the inverse of the distance, and
        neighbours at distance 0 outvote all others

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [1.1], [5.0]])
    >>> model = Neighbours(n_neighbors=1).fit(x, np.array([0, 0, 1, 1]))
    >>> model.predict([[1.2]]), model.forget([2]).predict([[1.2]])
    (array([1]), array([0]))
    """

    _private = ("_held", "_x", "_at", "_order")

    def __init__(
        self, n_neighbors: int = 5, weights: Literal["uniform", "distance"] | None = "uniform"
    ) -> None:
        self.n_neighbors = n_neighbors
        self.weights = weights

    def fit(self, X: Any, y: Any, sample_ids: Any = None) -> Self:  # type: ignore[override]
        """Hold rows X (n, d) and labels y (n,); ids are row numbers if none are given."""
        return super().fit(X, y, None, sample_ids)

    def partial_fit(  # type: ignore[override]
        self, X: Any, y: Any, classes: Any = None, sample_ids: Any = None
    ) -> Self:
        """Insert rows; without `sample_ids` they get the numbers after all ids ever held."""
        return super().partial_fit(X, y, classes, sample_ids)

    def kneighbors(self, X: Any) -> tuple[Floats, NDArray[np.int64]]:
        """Return distances (m, k), nearest first, and the positions of the neighbours (m, k)."""
        x = read_queries(self, X)
        near = min(self._count(), len(self._x))
        step = max(1, 2**22 // len(self._x))
        found = [self._nearest(x[i : i + step], near) for i in range(0, len(x), step)]
        distances = np.concatenate([d for d, _ in found])
        return distances, self._order[np.concatenate([at for _, at in found])]

    def _nearest(self, x: Floats, near: int) -> tuple[Floats, NDArray[np.int64]]:
        distance = cdist(x, self._x)[:, self._order]  # (m, n), columns by id
        edge = np.partition(distance, near - 1, axis=1)[:, near - 1 : near]  # (m, 1)
        inside = distance <= edge
        at = np.empty((len(x), near), dtype=np.int64)
        plain = inside.sum(axis=1) == near
        at[plain] = np.nonzero(inside[plain])[1].reshape(-1, near)
        for row in np.flatnonzero(~plain):  # a tie at the edge: the smallest ids are in
            candidates = np.flatnonzero(inside[row])
            nearest = np.argsort(distance[row, candidates], kind="stable")[:near]
            at[row] = np.sort(candidates[nearest])
        kept = np.take_along_axis(distance, at, axis=1)
        order = np.argsort(kept, axis=1, kind="stable")
        return np.take_along_axis(kept, order, axis=1), np.take_along_axis(at, order, axis=1)

    def predict_proba(self, X: Any) -> Floats:
        """Return the share of the votes of each class: (m, k)."""
        distances, at = self.kneighbors(X)
        votes = np.ones_like(distances)
        if self.weights == "distance":
            touching = distances == 0
            inverse = 1.0 / np.where(touching, 1.0, distances)
            votes = np.where(touching.any(axis=1, keepdims=True), touching, inverse)
        shares = np.zeros((len(votes), len(self.classes_)))
        for neighbour in range(votes.shape[1]):
            shares[np.arange(len(votes)), self._at[at[:, neighbour]]] += votes[:, neighbour]
        answer: Floats = shares / shares.sum(axis=1, keepdims=True)
        return answer

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the most votes: (m,)."""
        best = np.argmax(self.predict_proba(X), axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def keeps(self) -> Keeps:
        """Say what this model holds: all rows, all of them needed to predict."""
        return Keeps(len(self._x), len(self._x)) if hasattr(self, "_x") else Keeps(0, 0)

    def _count(self) -> int:
        whole = isinstance(self.n_neighbors, (int, np.integer))
        if not whole or isinstance(self.n_neighbors, bool) or self.n_neighbors < 1:
            raise BadInput(f"n_neighbors is a whole number of at least 1, got {self.n_neighbors!r}")
        if self.weights not in ("uniform", "distance", None):
            raise BadInput(f'weights is "uniform" or "distance", got {self.weights!r}')
        return int(self.n_neighbors)

    def _learn(self, held: Held) -> Claim:
        self._count()
        self.classes_, self._at = np.unique(held.y, return_inverse=True)
        self._x, self._order = held.x, np.argsort(held.ids, kind="stable")
        return Exact(atol=0.0)

    def _serves(self) -> dict[str, str]:
        return {"classes_": "classes (k)"}

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = super()._state(serving)
        if "ids" not in arrays:  # in the order of the ids, which are not needed any more
            arrays |= {"rows": self._x[self._order], "at": self._at[self._order]}
        return config, arrays

    def _restore(self, config: Any, arrays: Any) -> None:
        super()._restore(config, arrays)
        if not hasattr(self, "_held"):
            held = Contents(config, arrays, d=self.n_features_in_)
            self._x = held.array("rows", "float64 (n, d)")
            self._at = held.array("at", "int64 (n)", least=0, below=len(self.classes_))
            self._order = np.arange(len(self._x))
        self._count()  # refuses settings that are none
        if not len(self._x):
            raise Corrupt("there are no rows to be neighbours")
