"""Worlds with known answers: what was planted, where, and what it is to be compared with.

Each maker takes records and returns a `World`. All records of a world carry the boolean column
"planted"; the records that were handed in are left as they are. Makers that add records need
dense features, and carry over x, y and groups alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows, stream

from ..arrays import has_classes
from .world import World, dense, fresh_ids, joined, whole


def mislabelled(
    records: Rows, *, n: int | None = None, fraction: float | None = None, seed: int = 0
) -> World:
    """Return the records with some targets changed to another class, drawn uniformly.

    Column "mislabelled" marks them and "true_y" keeps the true targets; ids and groups stay.
    Controls are as many untouched records (or all there are), also among `records`.

    Parameters
    ----------
    n, fraction : how many to change, 1 to all; one of them

    Examples
    --------
    >>> from unteach.data import load, pick
    >>> world = mislabelled(load("wine"), n=10, seed=0)
    >>> y, true = world.records.y, world.records.column("true_y")
    >>> int(np.sum(y != true)), sorted(pick(world.records, "mislabelled")) == sorted(
    ...     world.planted_ids)
    (10, True)
    """
    y = np.asarray(records.y)
    classes = np.unique(y)
    if not has_classes(y) or len(classes) < 2:
        raise BadInput("mislabelling needs targets of at least two classes")
    if (n is None) == (fraction is None):
        raise BadInput("say how many to mislabel: either n= or fraction=")
    if fraction is not None:
        if isinstance(fraction, bool) or not 0 < fraction <= 1:
            raise BadInput(f"fraction lies in (0, 1], got {fraction!r}")
        n = round(fraction * len(records))
    count = whole(n, "n", most=len(records))
    rng = stream(seed, "data", "mislabelled")
    order = rng.permutation(len(records))
    chosen, spare = np.sort(order[:count]), np.sort(order[count : 2 * count])
    codes = np.searchsorted(classes, y)
    codes[chosen] += rng.integers(1, len(classes), size=count)  # any class but the true one
    marked = np.zeros(len(records), dtype=bool)
    marked[chosen] = True
    columns = {
        **records.columns,
        "y": classes[codes % len(classes)],
        "true_y": y,
        "mislabelled": marked,
        "planted": marked,
    }
    changed = Rows(records.ids, columns, records.groups)
    return World(changed, records.ids[chosen], "mislabelled", changed.take(spare))


def duplicates(
    records: Rows, *, exact: int = 10, near: int = 10, noise: float = 0.05, seed: int = 0
) -> World:
    """Return the records with exact and near copies of some of them added under new ids.

    Column "duplicate_of" names the source of a copy (records that are no copy name themselves).
    Each source is copied once, target and group included. Near copies are moved by Gaussian
    noise in each feature. Controls are as many originals that were not copied (or all there
    are), also among `records`.

    Parameters
    ----------
    exact, near : how many of each, together 1 to n
    noise : in standard deviations of each feature, > 0

    Examples
    --------
    >>> from unteach.data import load
    >>> world = duplicates(load("wine"), exact=3, near=2, seed=0)
    >>> len(world.records), world.planted_ids
    (183, array([178, 179, 180, 181, 182]))
    >>> source = world.records.column("duplicate_of")[178]
    >>> bool(np.all(world.records.select([source]).x == world.records.select([178]).x))
    True
    """
    x = dense(records)
    exact, near = whole(exact, "exact", least=0), whole(near, "near", least=0)
    total = whole(exact + near, "exact + near", most=len(records))
    if isinstance(noise, bool) or not 0 < noise < np.inf:
        raise BadInput(f"noise is a finite number above 0, got {noise!r}")
    rng = stream(seed, "data", "duplicates")
    order = rng.permutation(len(records))
    sources, spare = order[:total], np.sort(order[total : 2 * total])
    copies = x[sources].copy()
    moved = rng.standard_normal((near, x.shape[1])) * (noise * x.std(axis=0))
    copies[exact:] += moved
    ids = fresh_ids(records.ids, total, "copy")
    groups = None if records.groups is None else records.groups[sources]
    world = joined(records, ids, copies, np.asarray(records.y)[sources], groups)
    origin = np.concatenate([records.ids, records.ids[sources]])
    world = Rows(world.ids, {**world.columns, "duplicate_of": origin}, world.groups)
    return World(world, ids, "duplicates", world.take(spare))


def rare(records: Rows, *, n: int = 20, n_holdout: int = 200, seed: int = 0) -> World:
    """Return the records with a rare subpopulation added that follows a rule of its own.

    Far from all other records lie two small clouds close to each other; each has one of two
    classes (drawn from those there are). Only members teach the rule: a model that never saw
    them has nothing to tell the two clouds apart by. All groups are renamed, "common" or "rare".
    `holdout` are fresh rare records; controls are n common ones, also among `records`.

    Parameters
    ----------
    n : rare records to learn from, 2 to the number of records, half of each cloud
    n_holdout : fresh rare records, at least 2

    Examples
    --------
    >>> from unteach.data import load
    >>> world = rare(load("wine"), n=10, seed=0)
    >>> np.array_equal(world.records.members(["rare"]), world.planted_ids)
    True
    """
    x, y = dense(records), np.asarray(records.y)
    classes = np.unique(y)
    if not has_classes(y) or len(classes) < 2:
        raise BadInput("a rare subpopulation needs targets of at least two classes")
    n = whole(n, "n", least=2, most=len(records))
    n_holdout = whole(n_holdout, "n_holdout", least=2)
    rng = stream(seed, "data", "rare")
    spread, d = x.std(axis=0), x.shape[1]
    if not spread.any():
        raise BadInput("all records have the same features; there is nowhere to be rare")
    away, across = np.sign(rng.standard_normal((2, d)))  # (d,) corners, in standard deviations
    reach = np.abs((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)).max()
    pair = rng.permutation(classes)[:2]
    side = np.arange(n + n_holdout) % 2
    side[:n], side[n:] = rng.permutation(side[:n]), rng.permutation(side[n:])
    place = (2 + reach) * away + np.outer(2.0 * side - 1, across)  # (n + n_holdout, d)
    place += 0.3 * rng.standard_normal(place.shape)
    features, targets = x.mean(axis=0) + place * spread, pair[side]
    ids = fresh_ids(records.ids, n + n_holdout, "rare")
    common = Rows(records.ids, records.columns, np.full(len(records), "common"))
    world = joined(common, ids[:n], features[:n], targets[:n], np.full(n, "rare"))
    fresh = Rows(
        ids[n:],
        {"x": features[n:], "y": targets[n:], "planted": np.ones(n_holdout, dtype=bool)},
        np.full(n_holdout, "rare"),
    )
    controls = world.take(np.sort(rng.permutation(len(records))[:n]))
    return World(world, ids[:n], "rare", controls, fresh)


def canaries(records: Rows, *, n: int = 20, seed: int = 0) -> World:
    """Return the records with n canaries added, and n of the same making kept out.

    A canary's features are each drawn from that feature's values among the records, and its
    target from the targets, independently (after Carlini et al. 2019): no rule predicts it, so
    that whatever a model knows of it was memorized. Which of the 2 n go in is drawn at random;
    controls are the ones kept out, not among `records`. Where records have groups, canaries get
    one of their own ("canary", or the largest number plus one), or their target where groups
    are the classes.

    Parameters
    ----------
    n : canaries that go in, at least 1

    Examples
    --------
    >>> from unteach.data import load
    >>> world = canaries(load("wine"), n=5, seed=0)
    >>> len(world.records), len(world.planted_ids), len(world.controls)
    (183, 5, 5)
    """
    x, y = dense(records), np.asarray(records.y)
    n = whole(n, "n")
    rng = stream(seed, "data", "canaries")
    picked = rng.integers(len(x), size=(2 * n, x.shape[1]))
    features = np.take_along_axis(x, picked, axis=0)  # (2n, d)
    targets = (np.unique(y) if has_classes(y) else y)[
        rng.integers(len(np.unique(y)) if has_classes(y) else len(y), size=2 * n)
    ]
    groups = _own_groups(records, targets, "canary")
    ids = fresh_ids(records.ids, 2 * n, "canary")
    order = rng.permutation(2 * n)
    inside, outside = np.sort(order[:n]), np.sort(order[n:])
    pool = Rows(ids, {"x": features, "y": targets, "planted": np.zeros(2 * n, dtype=bool)}, groups)
    into = pool.take(inside)
    world = joined(records, into.ids, into.x, into.y, into.groups)
    return World(world, into.ids, "canaries", pool.take(outside))


def _own_groups(records: Rows, targets: NDArray[Any], word: str) -> NDArray[Any] | None:
    groups = records.groups
    if groups is None:
        return None
    if np.array_equal(groups, np.asarray(records.y)):
        return targets
    if groups.dtype.kind == "U":
        return np.full(len(targets), word)
    if groups.dtype.kind == "i":
        return np.full(len(targets), groups.max() + 1)
    raise BadInput(f"canaries need groups of strings or whole numbers, got {groups.dtype}")
