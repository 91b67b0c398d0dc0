"""Splits that keep ids: train and holdout, random draws for studies, forget and retain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput, Request, Rows, stream
from .arrays import has_classes


@dataclass(frozen=True)
class Split:
    """Records to learn from and records to test on; no id is in both."""

    train: Rows
    holdout: Rows


@dataclass(frozen=True)
class Parts:
    """Records to forget and records to retain; no id is in both."""

    forget: Rows
    retain: Rows


def split(
    records: Rows, *, holdout: float | int = 0.25, seed: int = 0, stratify: bool = True
) -> Split:
    """Return the records in two parts, each in its original order, ids kept.

    Parameters
    ----------
    holdout : a share in (0, 1), or a number of records from 1 to n - 1
    stratify : keep the shares of the classes, to within one record a class; quantities
        (float targets) are drawn plainly

    Examples
    --------
    >>> from unteach.data import load
    >>> parts = split(load("wine"), holdout=0.25, seed=0)
    >>> len(parts.train), len(parts.holdout)
    (134, 44)
    """
    n = len(records)
    held = _size(holdout, n, "holdout")
    if held >= n:
        raise BadInput(f"holding out {held} of {n} records leaves none to learn from")
    rng = stream(seed, "data", "split")
    chosen = _drawn(_strata(records, stratify), [held], rng)[0]
    keep = np.ones(n, dtype=bool)
    keep[chosen] = False
    return Split(records.take(keep), records.take(~keep))


def draws(
    records: Rows,
    *,
    n_draws: int,
    n_train: float | int,
    n_holdout: float | int | None = None,
    seed: int = 0,
    stratify: bool = True,
) -> Iterator[Split]:
    """Yield random subsamples, the data draws of a study: each its own split, ids kept.

    Draws overlap; compare over them with `unteach.stats.corrected_paired`. Draw k depends on
    the seed and on k alone, so that asking for more draws leaves the first ones as they are.

    Parameters
    ----------
    n_draws : at least 1
    n_train, n_holdout : shares in (0, 1) or numbers of records; all others are held out where
        n_holdout is None
    stratify : as in `split`

    Examples
    --------
    >>> from unteach.data import load
    >>> [len(d.holdout) for d in draws(load("wine"), n_draws=2, n_train=100)]
    [78, 78]
    """
    n = len(records)
    if isinstance(n_draws, bool) or int(n_draws) != n_draws or n_draws < 1:
        raise BadInput(f"n_draws is a whole number of at least 1, got {n_draws!r}")
    train = _size(n_train, n, "n_train")
    held = n - train if n_holdout is None else _size(n_holdout, n, "n_holdout")
    if held < 1 or train + held > n:
        raise BadInput(f"{train} to learn from and {held} to hold out do not fit {n} records")
    strata = _strata(records, stratify)

    def drawn() -> Iterator[Split]:
        for k in range(int(n_draws)):
            one, two = _drawn(strata, [train, held], stream(seed, "data", "draws", k))
            yield Split(records.take(np.sort(one)), records.take(np.sort(two)))

    return drawn()


def divide(records: Rows, request: Request) -> Parts:
    """Return the records that a request forgets, and those that it leaves.

    An empty forget set is allowed; forgetting everything raises `NothingLeft`, an unknown id or
    group `UnknownRecord`.

    Examples
    --------
    >>> from unteach.data import load
    >>> parts = divide(load("digits"), Request(groups=[3]))
    >>> len(parts.forget), len(parts.retain)
    (183, 1614)
    """
    targets = request.targets(records)
    return Parts(records.select(targets), records.without(targets))


def _size(size: float | int, n: int, name: str) -> int:
    if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
        raise BadInput(f"{name} is a share or a number of records, got {size!r}")
    if isinstance(size, (float, np.floating)):
        if not 0 < size < 1:
            raise BadInput(f"{name} as a share lies strictly between 0 and 1, got {size!r}")
        size = round(float(size) * n)
    if not 1 <= size <= n:
        raise BadInput(f"{name} comes to {size} records of {n}; at least 1 and at most {n} fit")
    return int(size)


def _strata(records: Rows, stratify: bool) -> list[NDArray[np.int64]]:
    y = np.asarray(records.y)
    if not stratify or not has_classes(y):
        return [np.arange(len(records))]
    _, codes = np.unique(y, return_inverse=True)
    return [np.flatnonzero(codes == c) for c in range(codes.max() + 1)]


def _drawn(
    strata: list[NDArray[np.int64]], sizes: list[int], rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return disjoint positions of these sizes, each spread over the strata by their share."""
    left = [rng.permutation(stratum) for stratum in strata]
    found = []
    for size in sizes:
        counts = _apportioned(np.array([len(s) for s in left]), size)
        found.append(np.concatenate([s[:c] for s, c in zip(left, counts, strict=True)]))
        left = [s[c:] for s, c in zip(left, counts, strict=True)]
    return found


def _apportioned(available: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return how many of each stratum: its share, rounded by largest remainder."""
    exact = available * (size / available.sum())
    counts: NDArray[np.int64] = np.floor(exact + 1e-9).astype(np.int64)
    largest = np.argsort(counts - exact, kind="stable")
    counts[largest[: size - counts.sum()]] += 1
    return counts
