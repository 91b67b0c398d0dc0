"""What a planted world is, and the parts that its makers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, Rows

Kind = Literal["mislabelled", "duplicates", "rare", "canaries"]


@dataclass(frozen=True)
class World:
    """Records with something planted in them, and what is needed to check who finds it.

    Parameters
    ----------
    records : what to learn from; the column "planted" marks the planted ones
    planted_ids : their ids
    kind : "mislabelled", "duplicates", "rare" or "canaries"
    controls : records like the planted ones but for the planting; each maker says which, and
        whether they are among `records`
    holdout : fresh records to test on, never to be learned; None where the maker draws none
    """

    records: Rows
    planted_ids: Ids
    kind: Kind
    controls: Rows
    holdout: Rows | None = None


def dense(records: Rows) -> NDArray[np.float64]:
    """Return the features (n, d), which must be dense."""
    x = records.x
    if not isinstance(x, np.ndarray) or x.ndim != 2:
        raise BadInput("a world is planted in dense two-dimensional features; use x.toarray()")
    return x


def whole(number: Any, name: str, *, least: int = 1, most: int | None = None) -> int:
    """Return a whole number within its bounds."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise BadInput(f"{name} is a whole number, got {number!r}")
    if number < least or (most is not None and number > most):
        bound = f"at least {least}" if most is None else f"between {least} and {most}"
        raise BadInput(f"{name} is {bound}, got {number}")
    return int(number)


def fresh_ids(ids: Ids, n: int, word: str) -> Ids:
    """Return n ids that no record has: the next numbers, or "word-1", "word-2", ...

    >>> fresh_ids(np.array(["a", "copy-1"]), 2, "copy").tolist()
    ['copy-2', 'copy-3']
    """
    if ids.dtype.kind == "i":
        first = max(int(ids.max()), -1) + 1
        if first + n - 1 > np.iinfo(np.int64).max:
            raise BadInput(f"no {n} whole numbers are left above id {ids.max()}; use string ids")
        return np.arange(first, first + n)
    known, k = set(ids.tolist()), 0
    names: list[str] = []
    while len(names) < n:
        k += 1
        if f"{word}-{k}" not in known:
            names.append(f"{word}-{k}")
    return np.array(names)


def joined(records: Rows, ids: Ids, x: Any, y: Any, groups: NDArray[Any] | None) -> Rows:
    """Return the records (their x and y) with planted ones behind them."""
    planted = np.arange(len(records) + len(ids)) >= len(records)
    columns = {
        "x": np.concatenate([records.x, x]),
        "y": np.concatenate([records.y, y]),
        "planted": planted,
    }
    both = None
    if records.groups is not None and groups is not None:
        both = np.concatenate([records.groups, groups])
    return Rows(np.concatenate([records.ids, ids]), columns, both)
