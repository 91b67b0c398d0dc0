"""Roles: rows that are called new to a model are compared with those that it has learned from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from math import exp, lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .records import Ids, Records

CHANCE = 1e-4
"""Copies are no accident where as many have a smaller probability than this."""
_NAMED = 5


def unseen(
    given: Records, *seen: Records, role: str = "holdout=", drawn: bool = False
) -> tuple[Records, Ids]:
    """Return the records that nothing has seen, and the ids of the copies that were left out.

    Ids alone decide nothing, as two sets may be numbered independently of each other. A record
    was seen if one of the same id and the same inputs was: such a set is refused. Under another
    id it is a copy if inputs and target are equal. Copies are left out, with a warning: what
    stays is new, whatever they are. So many that they are no accident are refused: the records
    that were seen say how often one comes twice in such data, and among exchangeable ones fewer
    copies would be found in all but one of 10,000 cases (the beta-binomial law).

    Parameters
    ----------
    given : the records that are called new, for instance held-out ones
    seen : all that models learn from or methods use, replacements of a change among them
    role : what `given` is called in errors and warnings
    drawn : `given` was drawn from the same data, so that any copies are an accident

    Errors
    ------
    BadInput for records that were seen, for too many copies, and where none is left.

    Examples
    --------
    >>> from unteach.core import Rows
    >>> rows = Rows([7, 8, 9], {"x": np.eye(3), "y": np.array([0, 1, 1])})
    >>> other = Rows([7, 8], {"x": np.ones((2, 3)), "y": np.array([0, 1])})
    >>> len(unseen(other, rows)[0])                  # the same ids, other contents
    2
    >>> unseen(rows.take([1, 2]), rows)
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: 2 of 2 records of holdout= (ids 8, 9) are among those that
    models learn from or methods use; give records that nothing has seen
    """
    copied = np.zeros(len(given), dtype=bool)
    for known in seen:
        both = shared(given, known)
        if len(both):
            raise BadInput(
                f"{len(both)} of {len(given)} records of {role} ({listed(both)}) are among those "
                "that models learn from or methods use; give records that nothing has seen"
            )
        mine, theirs = _marks(given, known)
        here = np.isin(mine, theirs)
        copied |= here
        k, twice = int(here.sum()), _repeated(theirs)
        if k and not drawn and _as_many(k, len(given), twice, len(known)) < CHANCE:
            raise BadInput(
                f"{k} of {len(given)} records of {role} ({listed(given.ids[here])}) equal one "
                f"that was seen under another id, in inputs and target; of the {len(known)} seen "
                f"{twice or 'none'} has an equal, so that this is no accident: give records that "
                "nothing has seen, or leave the copies out"
            )
    if not copied.any():
        return given, given.ids[:0]
    gone = given.ids[copied]
    said = f"{len(gone)} of {len(given)} records of {role} equal one that models learn from"
    if copied.all() and not drawn:
        raise BadInput(f"{said}; give some that nothing has seen")
    warnings.warn(f"{said} ({listed(gone)}); they are left out", UserWarning, stacklevel=4)
    return given.take(np.flatnonzero(~copied)), gone


def shared(one: Records, other: Records, *, targets: bool = False) -> Ids:
    """Return the ids that both have, with the same inputs (and targets, if asked) in both."""
    if one.ids.dtype.kind != other.ids.dtype.kind:
        return one.ids[:0]
    _, here, there = np.intersect1d(one.ids, other.ids, return_indices=True)
    if not len(here):
        return one.ids[:0]
    mine, theirs = _marks(one.take(here), other.take(there), targets=targets)
    both: Ids = one.ids[here][mine == theirs]
    return both


def records_in(method: Any) -> list[Records]:
    """Return the records that a method was given as parameters, those of its parts among them."""
    found: list[Records] = []
    for part in fields(method) if is_dataclass(method) else ():
        value = getattr(method, part.name, None)
        for one in value if isinstance(value, (tuple, list)) else (value,):
            if hasattr(one, "ids") and hasattr(one, "take"):
                found.append(one)
            elif is_dataclass(one) and not isinstance(one, type):
                found += records_in(one)
    return found


def listed(ids: Ids) -> str:
    """Return the first ids, and how many more there are, in words."""
    named = ", ".join(map(repr, ids[:_NAMED].tolist()))
    more = len(ids) - _NAMED
    return f"id{'s' * (len(ids) > 1)} {named}" + (f" and {more} more" if more > 0 else "")


def _as_many(k: int, m: int, twice: int, n: int) -> float:
    """Return how likely k copies or more are among m records, where of n others `twice` have one.

    >>> round(_as_many(1, 1, 0, 0), 3), _as_many(20, 200, 0, 120) < 1e-4
    (0.5, True)
    """
    a, b = twice + 1, n - twice + 1

    def log_beta(p: float, q: float) -> float:
        return lgamma(p) + lgamma(q) - lgamma(p + q)

    def probability(j: int) -> float:
        ways = -log_beta(j + 1, m - j + 1) - np.log(m + 1)
        return exp(ways + log_beta(j + a, m - j + b) - log_beta(a, b))

    return sum(probability(j) for j in range(k, m + 1))


def _repeated(marks: NDArray[np.uint64]) -> int:
    """Return how many of the marks occur more than once."""
    counts = np.unique(marks, return_counts=True)[1]
    return int(counts[counts > 1].sum())


def _marks(one: Records, other: Records, *, targets: bool = True) -> Any:
    """Return a number a record for each of both sets, equal where the contents are (64 bits)."""
    x = _digests(*(_column(r, "x") for r in (one, other)))
    if not targets:
        return x
    y = _digests(*(_column(r, "y") for r in (one, other)))
    return [np.uint64(0x9E3779B97F4A7C15) * a + b for a, b in zip(x, y, strict=True)]


def _column(records: Records, name: str) -> Any:
    value = getattr(records, name)
    return value.to_numpy() if hasattr(value, "to_numpy") else value


def _digests(*columns: Any) -> list[NDArray[np.uint64]]:
    """Return a digest a row of each column; equal numbers agree whatever types hold them."""
    numeric = [
        hasattr(c, "tocsr") or getattr(getattr(c, "dtype", None), "kind", "O") in "biuf"
        for c in columns
    ]
    if not all(numeric):
        return [_hashed(_plain(row) for row in column) for column in columns]
    # numbers that one side holds with fewer digits are compared to as many
    kinds = [c.dtype for c in columns if c.dtype.kind == "f"]
    kind = min([np.dtype(np.float64), *kinds], key=lambda k: k.itemsize)
    return [_hashed(row.tobytes() for row in _numbers(c, kind)) for c in columns]


def _numbers(values: Any, kind: Any) -> Iterator[NDArray[Any]]:
    """Yield rows as numbers of one type, dense, with one zero and one NaN."""
    values = values.tocsr() if hasattr(values, "tocsr") else values
    step = max(1, 2**22 // max(1, int(np.prod(values.shape[1:]))))
    for start in range(0, values.shape[0], step):
        some = values[start : start + step]
        dense = np.asarray(some.toarray() if hasattr(some, "toarray") else some)
        with np.errstate(over="ignore"):
            found = dense.reshape(len(dense), -1).astype(kind) + kind.type(0)
        found[found != found] = np.nan
        yield from found


def _plain(row: Any) -> bytes:
    """Return a row of anything as bytes: numbers as such, all else by its text."""
    if isinstance(row, str):
        return row.encode("utf-8", "surrogatepass")
    values = np.asarray(row)
    if values.dtype.kind in "biuf":
        return b"".join(v.tobytes() for v in _numbers(values.reshape(1, -1), np.dtype("f8")))
    return repr(
        [float(v) if isinstance(v, (bool, int, float)) else str(v) for v in values.ravel().tolist()]
    ).encode("utf-8", "surrogatepass")


def _hashed(rows: Iterator[bytes]) -> NDArray[np.uint64]:
    digests = (blake2b(row, digest_size=8).digest() for row in rows)
    return np.frombuffer(b"".join(digests), dtype=np.uint64)
