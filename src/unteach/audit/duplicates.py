"""Near-duplicates: retained records so close to a forgotten one that they keep it alive."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Records, Table, densified

CAPTION = "retained records that keep the memory of forgotten ones alive"
RARE = 0.01
"""The share of retained records that may have a neighbour as close by chance."""
SAMPLE = 2000
"""How many retained records stand for all when the typical distance is taken."""


def near_duplicates(
    forget: Records, retain: Records, *, k: int = 100, threshold: float | None = None
) -> Table:
    """Return the retained records that lie close to forgotten ones.

    Distances are Euclidean after each feature is divided by its standard deviation among the
    retained records (constant features as they are), and are given relative to the typical
    distance there: the median, over retained records, of the distance to the nearest different
    one (over 2000 of them, evenly spaced, when there are more). 0 is a duplicate; 1 is as close
    as retained records usually are. Records with the ids that were forgotten (replacements) are
    no neighbours of themselves and are left out.

    Parameters
    ----------
    forget, retain : numeric inputs (n, ...), dense or sparse, of one width
    k : how many neighbours of each forgotten record are listed at most, at least 1; where more
        lie within the threshold, the caption says for which records and how many
    threshold : list neighbours up to this relative distance, at least 0; infinity lists k of
        each. None means 0.5, or less where retained records lie that close by chance: the
        distance that only 1 % of them have a neighbour within

    Returns
    -------
    A table, nearest first, of columns forgotten, retained (ids), distance (relative), same
    target, and exact (the inputs are equal in every number).

    Examples
    --------
    >>> from unteach.core import Rows
    >>> x = np.array([[0.0], [10.0], [20.0], [30.0], [10.0]])
    >>> rows = Rows(np.arange(5), {"x": x, "y": np.array([0, 0, 1, 1, 1])})
    >>> t = near_duplicates(rows.select([4]), rows.without([4]))
    >>> list(t.rows())
    [{'forgotten': 4, 'retained': 1, 'distance': 0.0, 'same target': False, 'exact': True}]
    """
    from sklearn.neighbors import NearestNeighbors

    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise BadInput(f"k is a whole number of at least 1, got {k!r}")
    limit = 0.5 if threshold is None else float(threshold)
    if not limit >= 0:
        raise BadInput(f"threshold is at least 0, got {threshold!r}")
    other = ~np.isin(retain.ids, forget.ids) if len(forget) else np.ones(len(retain), bool)
    ids = retain.ids[other]
    if len(forget) == 0 or len(ids) == 0:
        return _table([])
    inside, outside = dense(forget.x), dense(retain.x)[other]  # (f, d), (r, d)
    if inside.shape[1] != outside.shape[1]:
        raise BadInput(
            f"forgotten inputs have width {inside.shape[1]}, retained ones {outside.shape[1]}"
        )
    spread = outside.std(axis=0)
    spread[spread == 0] = 1.0
    search = NearestNeighbors(n_neighbors=min(k, len(ids))).fit(outside / spread)
    typical, rare = _typical(search, outside / spread)
    if threshold is None:
        limit = min(limit, rare / typical)
    distance, at = search.kneighbors(inside / spread)  # (f, k), (f, k)
    full = np.flatnonzero(distance[:, -1] <= limit * typical)  # all that were looked for are near
    caption = CAPTION
    if len(full) and distance.shape[1] < len(ids):
        caption += _cut(search, inside[full] / spread, limit * typical, k)
    targets, kept = np.asarray(forget.y), np.asarray(retain.y)[other]
    rows = []
    for i, near in enumerate(at):
        for j, gap in zip(near, distance[i], strict=True):
            exact = bool(np.array_equal(inside[i], outside[j]))
            relative = 0.0 if exact else float(gap / typical)
            if relative <= limit:
                same = bool(np.all(targets[i] == kept[j]))
                rows.append((relative, forget.ids[i].item(), ids[j].item(), same, exact))
    return _table(sorted(rows, key=lambda row: (row[0], str(row[1]), str(row[2]))), caption)


def dense(x: Any) -> NDArray[np.float64]:
    """Return inputs as (n, d) float64, or say why they cannot be."""
    raw = densified(x, "the input")
    if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "biuf":
        got = getattr(raw, "dtype", type(raw).__name__)
        raise BadInput(f"inputs must be numeric arrays to be compared, got {got}")
    return np.asarray(raw, dtype=np.float64).reshape(len(raw), -1)


def _typical(search: Any, x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median distance to the nearest different record, and its 1 % quantile.

    Both are 1 if all records are the same.
    """
    some = x[:: max(1, -(-len(x) // SAMPLE))]
    gaps = search.kneighbors(some, n_neighbors=min(len(x), 10))[0]
    rounding = 1e-7 * max(float(gaps.max()), 1e-300)
    gaps = np.where(gaps > rounding, gaps, np.inf).min(axis=1)
    finite = gaps[np.isfinite(gaps)]
    if len(finite) == 0:
        return 1.0, 1.0
    return float(np.median(finite)), float(np.quantile(finite, RARE, method="lower"))


def _cut(search: Any, x: NDArray[np.float64], radius: float, k: int) -> str:
    """Return the words that say how many neighbours are within the radius and not listed."""
    if np.isinf(radius):
        return f"; the {k} nearest of all {search.n_samples_fit_} are listed"
    found = [len(search.radius_neighbors(row[None], radius, False)[0]) for row in x]  # (f,)
    cut = [n for n in found if n > k]
    if not cut:
        return ""
    return (
        f"; of {len(cut)} forgotten records only the {k} nearest are listed, of up to {max(cut)} "
        "within the threshold"
    )


def _table(rows: list[tuple[float, Any, Any, bool, bool]], caption: str = CAPTION) -> Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Table(
        "near duplicates",
        {
            "forgotten": columns[1],
            "retained": columns[2],
            "distance": columns[0],
            "same target": columns[3],
            "exact": columns[4],
        },
        {"distance": "typical nearest-neighbour distances"},
        keys=("forgotten", "retained"),
        caption=caption,
    )
