"""A relation as columns: sorted indexes that grow, and joins by binary search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]


class Keys:
    """One whole number for each combination of values: packed where 63 bits hold it.

    >>> Keys(10).of([np.array([1, 2]), np.array([3, 3])]).tolist()
    [13, 23]
    """

    def __init__(self, values: int) -> None:
        self.values = max(values, 1)
        self.seen: dict[tuple[int, ...], int] = {}

    def of(self, columns: Sequence[Ints]) -> Ints:
        """Return a key for each row of these columns."""
        if self.values ** len(columns) < 2**63:
            keys = columns[0].astype(np.int64)
            for column in columns[1:]:
                keys = keys * self.values + column
            return keys
        rows = zip(*(c.tolist() for c in columns), strict=True)
        return np.array([self.seen.setdefault(row, len(self.seen)) for row in rows], dtype=np.int64)


class Relation:
    """The rows of one predicate; those from `old` on are new in this round."""

    def __init__(self, arity: int, keys: Keys) -> None:
        self.keys = keys
        self.rows: Ints = np.empty((0, arity), dtype=np.int64)
        self.numbers: Ints = np.empty(0, dtype=np.int64)
        self.old = 0
        self.sorted: dict[tuple[int, ...], tuple[Ints, Ints, int]] = {}

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def fresh(self) -> bool:
        """Whether there are new rows."""
        return self.old < self.size

    def column(self, place: int) -> Ints:
        """Return the values of one argument."""
        return self.rows[:, place]

    def settle(self) -> None:
        """Make what is new old, before what was just derived is added."""
        self.old = self.size

    def add(self, rows: Ints, numbers: Ints) -> None:
        """Add rows that are not there yet."""
        self.rows = np.concatenate([self.rows, rows])
        self.numbers = np.concatenate([self.numbers, numbers])

    def find(self, keys: Ints) -> Ints:
        """Return the numbers of the facts with these keys, -1 where there is none."""
        ordered, at = self._index(tuple(range(self.rows.shape[1])))
        found = np.full(len(keys), -1, dtype=np.int64)
        if len(ordered):
            place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
            same = ordered[place] == keys
            found[same] = self.numbers[at[place[same]]]
        return found

    def matches(
        self, places: Sequence[int], columns: Sequence[Ints], span: tuple[int, int], count: int,
        most: int,
    ) -> tuple[Ints | None, Ints]:
        """Return which of `count` bindings meets which row of a span: two columns of positions.

        The first is None where they would be more than `most`.
        """
        first, last = span
        if not places:
            many = last - first
            if many * count > most:
                return None, np.empty(0, dtype=np.int64)
            return np.repeat(np.arange(count), many), np.tile(np.arange(first, last), count)
        wanted = self.keys.of(columns)
        if last - first < min(count, self.size) // 8:  # few rows: look them up among the bindings
            own = self.keys.of([self.rows[first:last, p] for p in places])
            order = np.argsort(wanted, kind="stable")
            rows, found = _pairs(wanted[order], own, most)
            return (None, rows) if found is None else (order[found], first + rows)
        ordered, at = self._index(tuple(places))
        left, right = _pairs(ordered, wanted, most)
        if right is None:
            return None, left
        right = at[right]
        if (first, last) != (0, self.size):
            inside = (right >= first) & (right < last)
            left, right = left[inside], right[inside]
        return left, right

    def _index(self, places: tuple[int, ...]) -> tuple[Ints, Ints]:
        """Return the sorted keys of these arguments, and where each row stands; it grows."""
        empty = np.empty(0, dtype=np.int64)
        ordered, at, done = self.sorted.get(places, (empty, empty, 0))
        if done < self.size:
            keys = self.keys.of([self.rows[done:, p] for p in places])
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            into = np.searchsorted(ordered, keys, side="right")
            ordered, at = np.insert(ordered, into, keys), np.insert(at, into, order + done)
            self.sorted[places] = (ordered, at, self.size)
        return ordered, at


def _pairs(ordered: Ints, wanted: Ints, most: int) -> tuple[Ints, Ints | None]:
    """Return all pairs (position in wanted, position in ordered) of equal keys."""
    low = np.searchsorted(ordered, wanted, side="left")
    many = np.searchsorted(ordered, wanted, side="right") - low
    total = int(many.sum())
    if total > most:
        return np.empty(0, dtype=np.int64), None
    left = np.repeat(np.arange(len(wanted)), many)
    start = np.repeat(low - np.r_[0, np.cumsum(many)[:-1]], many) if len(many) else low
    return left, start + np.arange(total)
