"""Choosing which records to forget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, Rows, UnknownRecord, as_ids, locate, stream

_NEEDS: dict[str, tuple[str, ...]] = {
    "random": (),
    "class": ("label",),
    "group": ("group",),
    "memorized": ("scores",),
    "least_memorized": ("scores",),
    "mislabelled": ("planted",),
}


def pick(
    records: Rows,
    how: str,
    *,
    n: int | None = None,
    fraction: float | None = None,
    seed: int = 0,
    label: Any = None,
    group: Any = None,
    scores: Any = None,
    planted: Any = None,
) -> Ids:
    """Return ids of records to forget, chosen by one rule.

    For one seed, the random choice of a smaller n is the beginning of that of a larger one, so
    that the doses of a dose-response curve are nested.

    Parameters
    ----------
    how : "random" (n of all), "class" (those whose target is `label`), "group" (those of
        `group`), "memorized" (highest `scores` first, ties by id), "least_memorized" (lowest
        first), "mislabelled" (the planted ones: the column "mislabelled", or `planted` ids)
    n, fraction : how many, as a number (0 is allowed) or as a share of those there are to choose
        from; one of them where all records are candidates. Elsewhere neither means all, and n
        of them are drawn at random.
    seed : of the random choice
    label, group : for "class" and "group"
    scores : for "memorized" and "least_memorized": (n,) one a record in their order, or a
        mapping from id to score; finite
    planted : for "mislabelled": the ids, where the records have no such column

    Raises
    ------
    BadInput : an unknown rule (the rules are listed), an argument that the rule does not use,
        more records than there are
    UnknownRecord : a label, a group or an id that no record has

    Examples
    --------
    >>> from unteach.data import load
    >>> digits = load("digits")
    >>> len(pick(digits, "random", n=50, seed=0)), len(pick(digits, "class", label=3))
    (50, 183)
    >>> scores = -np.arange(1797.0)
    >>> pick(digits, "memorized", n=3, scores=scores)
    array([0, 1, 2])
    """
    if how not in _NEEDS:
        raise BadInput(f"no way to pick {how!r}; choose from {', '.join(sorted(_NEEDS))}")
    given = {"label": label, "group": group, "scores": scores, "planted": planted}
    for name, value in given.items():
        if value is not None and name not in _NEEDS[how]:
            raise BadInput(f"{name}= is not used by {how!r}; leave it out")
        if value is None and name in _NEEDS[how] and name != "planted":
            raise BadInput(f"picking by {how!r} needs {name}=")
    if how in ("memorized", "least_memorized"):
        ranked = _ranked(records, scores, highest=how == "memorized")
        return records.ids[ranked[: _count(n, fraction, len(ranked), how)]]
    if how == "random":
        among = np.arange(len(records))
    elif how == "class":
        among = np.flatnonzero(np.asarray(records.y) == label)
        if not len(among):
            known = np.unique(records.y)
            listed = ", ".join(repr(v) for v in known[:12].tolist())
            raise UnknownRecord(f"no record has the target {label!r}; there are {listed}")
    elif how == "group":
        among = locate(records.ids, records.members([group]))
    else:
        among = _mislabelled(records, planted)
    if how != "random" and n is None and fraction is None:
        return records.ids[among]
    count = _count(n, fraction, len(among), how)
    order = stream(seed, "data", "pick", how).permutation(len(among))
    return records.ids[among[order[:count]]]


def _count(n: int | None, fraction: float | None, available: int, how: str) -> int:
    if (n is None) == (fraction is None):
        raise BadInput(f"picking by {how!r} needs either n= or fraction=")
    if n is None:
        if isinstance(fraction, bool) or not 0 <= float(fraction or 0.0) <= 1:
            raise BadInput(f"fraction lies between 0 and 1, got {fraction!r}")
        return round(float(fraction or 0.0) * available)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise BadInput(f"n is a whole number of at least 0, got {n!r}")
    if n > available:
        raise BadInput(f"n={n} records by {how!r}, but there are only {available}")
    return int(n)


def _ranked(records: Rows, scores: Any, *, highest: bool) -> NDArray[np.int64]:
    """Return positions by score; ties go by id, so that the order of the rows plays no part."""
    if isinstance(scores, Mapping):
        missing = [i for i in records if i not in scores]
        if missing:
            raise BadInput(f"{len(missing)} records have no score, the first has id {missing[0]!r}")
        values = np.array([scores[i] for i in records], dtype=np.float64)
    else:
        values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(records),):
        raise BadInput(f"{len(records)} records need one score each, got shape {values.shape}")
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise BadInput(
            f"the score of id {records.ids[wrong[0]].item()!r} is {values[wrong[0]]}; "
            "scores must be finite"
        )
    return np.lexsort((records.ids, -values if highest else values))


def _mislabelled(records: Rows, planted: Any) -> NDArray[np.int64]:
    if planted is not None:
        return np.sort(records.positions(as_ids(planted)))
    if "mislabelled" not in records.columns:
        raise BadInput(
            "these records have no column 'mislabelled'; take the records of a planted world "
            "(unteach.data.mislabelled), or hand in planted=ids"
        )
    return np.flatnonzero(np.asarray(records.column("mislabelled"), dtype=bool))
