"""Data-Banzhaf values: what a record adds to test accuracy, over random halves of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, Table

from ..display import Shown
from ..table_files import by_record
from .intervals import z_of

if TYPE_CHECKING:
    from unteach.store import Shard

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Banzhaf(Shown):
    """The Data-Banzhaf value of each record: value, low, high (n,) in test accuracy."""

    ids: Ids
    value: Floats
    low: Floats
    high: Floats

    def table(self) -> Table:
        """Return one row a record, by id."""
        columns = {"id": self.ids, "banzhaf": self.value, "low": self.low, "high": self.high}
        units = dict.fromkeys(("banzhaf", "low", "high"), "accuracy")
        return by_record("banzhaf", columns, units)

    def _lines(self) -> tuple[str, str]:
        sure = int((self.low > 0).sum()), int((self.high < 0).sum())
        return (
            f"Data-Banzhaf values of {len(self.ids)} records",
            f"{sure[0]} surely help, {sure[1]} surely harm, each by its own interval",
        )


def banzhaf(shards: Iterable[Shard], ids: Ids, level: float, new: NDArray[np.bool_]) -> Banzhaf:
    """Return mean accuracy with each record less that without it; Welch's normal intervals.

    new : (t,) which test points count
    """
    members, utility = [], []
    for shard in shards:
        members.append(shard.members)
        utility.append(shard.correct[:, len(ids) :][:, new].mean(axis=1))
    a, u = np.concatenate(members).astype(np.float64), np.concatenate(utility)  # (K, n), (K,)
    n_in, n_out = a.sum(axis=0), (1 - a).sum(axis=0)
    if min(n_in.min(), n_out.min()) < 2:
        raise BadInput("a record is in all subsets but one, or in none; run more models")
    u = u - u.mean()
    parts = []
    for mask, count in ((a, n_in), (1 - a, n_out)):
        mean = mask.T @ u / count
        square = np.maximum(mask.T @ (u * u) / count - mean**2, 0.0) * count / (count - 1)
        parts.append((mean, square / count))
    value = parts[0][0] - parts[1][0]
    half = z_of(level) * np.sqrt(parts[0][1] + parts[1][1])
    return Banzhaf(ids, value, value - half, value + half)
