"""Ids that a model gives to new rows: never one that it has used, forgotten ones among them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from unteach.core import BadInput, Ids, RepeatedRecord

_LARGEST = int(np.iinfo(np.int64).max)


def fingerprint(ids: Ids) -> str:
    """Return a digest of a set of ids, whatever their order.

    >>> fingerprint(np.array([3, 1])) == fingerprint(np.array([1, 3]))
    True
    """
    text = "\x1f".join(sorted(repr(i) for i in ids.tolist()))
    return hashlib.sha256(text.encode()).hexdigest()


def next_id(used: Ids, mark: int | None = None) -> int | None:
    """Return the first number after all `used` and not below `mark`; None for ids of strings.

    >>> next_id(np.array([3, 7])), next_id(np.array([3]), mark=8), next_id(np.array(["a"]))
    (8, 8, None)
    """
    if used.dtype.kind != "i":
        return None
    after = int(used.max()) + 1
    return after if mark is None else max(after, mark)


def following_ids(first: int | None, given: Any, n: int) -> Any:
    """Return ids for n new rows: those given, or the numbers from `first` on."""
    if given is not None:
        return given
    if first is None:
        raise BadInput("the ids of this model are strings; give sample_ids for the new rows")
    if first + n > _LARGEST:
        raise BadInput(f"no whole numbers are left after id {first - 1}; give sample_ids")
    return np.arange(n, dtype=np.int64) + first


def refuse_known(known: Ids, new: Ids) -> None:
    """Refuse new ids that are known already, or of another kind than the known ones."""
    if known.dtype.kind != new.dtype.kind:
        kind = "whole numbers" if known.dtype.kind == "i" else "strings"
        raise BadInput(f"the ids of this model are {kind}, the new ones are not")
    both = np.intersect1d(known, new)
    if len(both):
        raise RepeatedRecord(f"id {both[0].item()!r} is in the model already; forget it first")


def refuse_none(ids: Any) -> None:
    """Refuse what names no records at all, before it is read as a list of ids."""
    if not hasattr(ids, "__iter__") and not isinstance(ids, (int, np.integer)):
        raise BadInput(
            f"forget takes the ids of the records that are to go (some of sample_ids_), got {ids!r}"
        )
