"""Influence of training records on test points, from margins over many subsets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from unteach.core import BadInput

if TYPE_CHECKING:
    from unteach.store import Shard

Floats = NDArray[np.float64]


def difference(shards: Iterable[Shard], n: int) -> Floats:
    """Return mean margin with each record less mean margin without it: (t, n)."""
    inside = total = None
    count, models = np.zeros(n), 0
    for shard in shards:
        members = shard.members.astype(np.float32)  # (m, n)
        margin = shard.margins[:, n:].astype(np.float32)  # (m, t)
        part = (margin.T @ members).astype(np.float64)  # (t, n)
        inside = part if inside is None else inside + part
        mine = margin.sum(axis=0, dtype=np.float64)
        total = mine if total is None else total + mine
        count += shard.members.sum(axis=0)
        models += len(shard)
    if inside is None or total is None:
        raise BadInput("no models have been trained yet; call run(models=...) first")
    if count.min() < 1 or count.max() >= models:
        raise BadInput("a record is in all subsets or in none; run more models")
    found: Floats = inside / count - (total[:, None] - inside) / (models - count)
    return found


def ridge(shards: Iterable[Shard], n: int, penalty: float | None = None) -> Floats:
    """Return the ridge coefficients of each test point's margin on the memberships: (t, n).

    Memberships and margins are centred; the normal equations are solved over models or over
    records, whichever are fewer.

    penalty : added to the centred scatter of the memberships, above 0. None takes n times its
        diagonal (models p (1 - p)) over the number of models: as many effective records as
        models would otherwise fit the noise
    """
    found = list(shards)
    if not found:
        raise BadInput("no models have been trained yet; call run(models=...) first")
    a = np.concatenate([s.members for s in found]).astype(np.float64)  # (K, n)
    b = np.concatenate([s.margins[:, n:] for s in found]).astype(np.float64)  # (K, t)
    a -= a.mean(axis=0)
    b -= b.mean(axis=0)
    size = float(n * np.mean(a * a)) if penalty is None else float(penalty)
    if not size > 0:
        raise BadInput(f"penalty is a number above 0, got {penalty!r}")
    if len(a) < n:
        factor = cho_factor(_plus(a @ a.T, size))
        return np.asarray((a.T @ cho_solve(factor, b)).T)
    return np.asarray(cho_solve(cho_factor(_plus(a.T @ a, size)), a.T @ b).T)


def _plus(matrix: Any, size: float) -> Any:
    matrix.flat[:: len(matrix) + 1] += size
    return matrix
