"""The nearest neighbour on many subsets at once: one order of the rows serves them all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unteach.core import BadInput, Records

from ..exact.neighbours import Neighbours
from ..foreign.estimator_learner import EstimatorLearner

Mask = NDArray[np.bool_]
LOST = 1e-18
"""A chance as small as this, beside 1, is below what a float64 can tell."""


@dataclass(frozen=True)
class SubsetNearest:
    """1-nearest-neighbour classification, with all subsets of a study answered from one order.

    `subset_outputs` equals learning `models.Neighbours(1)` on each subset: distances are
    Euclidean, and of rows at one distance the first is nearer. Outputs are 1 for the class of
    the nearest row and 0 for the others.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 0])
    >>> members = np.array([[True, True, True], [False, True, True]])
    >>> outputs = SubsetNearest().subset_outputs(x, y, members, np.zeros(2, np.uint64), x[:1])
    >>> outputs.argmax(axis=2)
    array([[0],
           [1]])
    """

    output_kind: ClassVar[Literal["logits", "scores"]] = "scores"

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return a fitted `Neighbours(1)`."""
        return EstimatorLearner(Neighbours(n_neighbors=1)).learn(records, seed=seed)

    def subset_outputs(
        self, x: Any, y: Any, members: Mask, seeds: Any, at: Any
    ) -> NDArray[np.float32]:
        """Return the one-hot answers of m models: (m, q, k) float32.

        x : (n, d) · y : (n,) class codes 0 to k - 1 · members : (m, n) bool, some true in each ·
        seeds : (m,) unused · at : (q, d)
        """
        members = np.ascontiguousarray(members, dtype=np.bool_)
        if not members.any(axis=1).all():
            raise BadInput("a subset has no rows; every model needs at least one")
        y, at = np.asarray(y, dtype=np.int64), np.ascontiguousarray(at, dtype=np.float64)
        xt = np.ascontiguousarray(np.asarray(x, dtype=np.float64).T)  # (d, n)
        depth = depth_for(float(members.mean(axis=1).min()), len(y))
        order = nearest(xt, at, np.full(len(at), -1), min(depth, 64))
        out = np.zeros((len(members), len(at), int(y.max()) + 1), dtype=np.float32)
        _answer(members, order, xt, at, y, out)
        return out


def depth_for(fraction: float, n: int) -> int:
    """Return how many neighbours decide: that none of them is in a subset is as good as never.

    >>> depth_for(0.5, 1000), depth_for(0.5, 20)
    (60, 20)
    """
    if fraction >= 1.0:
        return 1
    return min(n, math.ceil(math.log(LOST) / math.log1p(-fraction)))


@njit(cache=True)
def nearest(xt: Any, at: Any, skip: Any, depth: int) -> Any:
    """Return the rows nearest to each query, nearest first, of equals the first first: (q, depth).

    xt : (d, n) · at : (q, d) · skip : (q,) a row that is passed over, or -1
    """
    n, q = xt.shape[1], at.shape[0]
    order = np.empty((q, depth), np.int32)
    far = np.empty((4, n))
    heap, rows = np.empty(depth), np.empty(depth, np.int32)
    for start in range(0, q, 4):
        end = min(q, start + 4)
        distances(xt, at, start, end, far)
        for j in range(start, end):
            if skip[j] >= 0:
                far[j - start, skip[j]] = np.inf
            _first(far[j - start], heap, rows)
            order[j] = rows
    return order


@njit(cache=True)
def distances(xt: Any, at: Any, start: int, end: int, far: Any) -> None:
    """Write squared distances of queries start to end - 1 into far, summed feature by feature."""
    n, tile = xt.shape[1], 512
    far[:] = 0.0
    for low in range(0, n, tile):
        high = min(n, low + tile)
        for f in range(xt.shape[0]):
            row = xt[f, low:high]
            for j in range(start, end):
                value, sums = at[j, f], far[j - start, low:high]
                for i in range(high - low):
                    gap = row[i] - value
                    sums[i] += gap * gap


@njit(cache=True)
def _first(far: Any, heap: Any, rows: Any) -> None:
    """Fill heap and rows with the smallest of far, ascending; of equals the first comes first."""
    depth = len(heap)
    for i in range(depth):  # a heap with the farthest on top
        heap[i], rows[i] = far[i], i
    for top in range(depth // 2 - 1, -1, -1):
        _sink(heap, rows, top, depth)
    for i in range(depth, len(far)):
        if far[i] < heap[0]:
            heap[0], rows[0] = far[i], i
            _sink(heap, rows, 0, depth)
    for last in range(depth - 1, 0, -1):
        heap[0], heap[last] = heap[last], heap[0]
        rows[0], rows[last] = rows[last], rows[0]
        _sink(heap, rows, 0, last)


@njit(cache=True)
def _sink(heap: Any, rows: Any, top: int, size: int) -> None:
    value, row = heap[top], rows[top]
    while True:
        child = 2 * top + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            heap[other] > heap[child] or (heap[other] == heap[child] and rows[other] > rows[child])
        ):
            child = other
        if heap[child] < value or (heap[child] == value and rows[child] < row):
            break
        heap[top], rows[top] = heap[child], rows[child]
        top = child
    heap[top], rows[top] = value, row


@njit(cache=True)
def _answer(members: Any, order: Any, xt: Any, at: Any, y: Any, out: Any) -> None:
    far = np.empty((1, xt.shape[1]))
    for j in range(at.shape[0]):
        measured = False
        for m in range(members.shape[0]):
            found = -1
            for i in order[j]:
                if members[m, i]:
                    found = i
                    break
            if found < 0:  # none of the nearest is in: look at all
                if not measured:
                    distances(xt, at, j, j + 1, far)
                    measured = True
                for i in range(members.shape[1]):
                    if members[m, i] and (found < 0 or far[0, i] < far[0, found]):
                        found = i
            out[m, j, y[found]] = 1.0
