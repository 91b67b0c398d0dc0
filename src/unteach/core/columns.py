"""Columns that are read when they are used: the items of a data set that need not fit in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .errors import BadInput

MOST = 2**27
"""Numbers that sparse rows may be made dense into: one gibibyte of float64."""


def densified(values: Any, name: str = "X") -> Any:
    """Return sparse rows as a dense array, where it is small enough; anything else as it is.

    >>> from scipy.sparse import csr_matrix
    >>> densified(csr_matrix([[0.0, 2.0]]))
    array([[0., 2.]])
    """
    if not hasattr(values, "tocsr"):
        return values
    size = math.prod(values.shape)
    if size > MOST:
        raise BadInput(
            f"{name} is sparse, of shape {values.shape}, and would take {size / 2**27:.1f} GiB as "
            "the dense rows that are needed here; the limit is 1 GiB: reduce its features "
            "(SelectKBest, TruncatedSVD, a HashingVectorizer of fewer)"
        )
    return values.toarray()


class LazyColumn:
    """One part of the items of a data set, at some of its positions.

    Parameters
    ----------
    source : has `len`, and gives a tuple or list at a whole number
    part : which part of an item: 0 the input, 1 the target
    rows : (n,) positions in the source

    Examples
    --------
    >>> column = LazyColumn([("a", 3), ("b", 4)], 1, np.array([1, 0]))
    >>> len(column), column[0], np.asarray(column)
    (2, array(4), array([4, 3]))
    """

    def __init__(self, source: Any, part: int, rows: NDArray[np.int64]) -> None:
        self.source, self.part, self.rows = source, part, rows

    @classmethod
    def of(cls, source: Any) -> dict[str, Self]:
        """Return the columns x and y of a data set of pairs."""
        if not hasattr(source, "__len__") or not hasattr(source, "__getitem__"):
            raise BadInput(
                f"{type(source).__name__} has no length or no items by number; give a map-style "
                "data set (of a loader: loader.dataset)"
            )
        if len(source) == 0:
            raise BadInput("the data set is empty; there are no records in it")
        first = source[0]
        if not isinstance(first, (tuple, list)) or len(first) != 2:
            raise BadInput(
                f"an item of the data set is a {type(first).__name__}; give one of pairs (x, y)"
            )
        rows = np.arange(len(source))
        return {"x": cls(source, 0, rows), "y": cls(source, 1, rows)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> NDArray[Any]:
        if isinstance(at, (int, np.integer)):
            return np.asarray(self.source[int(self.rows[at])][self.part])
        return self.taken(np.arange(len(self))[at])._stacked()

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[k] for k in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._stacked(), dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...) as the first item says; the others are not read."""
        return (len(self), *(self[0].shape if len(self) else ()))

    @property
    def ndim(self) -> int:
        """The number of axes, the records' included."""
        return len(self.shape)

    def taken(self, rows: Any) -> LazyColumn:
        """Return the column at these positions (or where a mask is true); nothing is read."""
        return LazyColumn(self.source, self.part, self.rows[rows])

    def _stacked(self) -> NDArray[Any]:
        return np.stack(list(self)) if len(self) else np.zeros(0)
