"""The C-score: how often models that never saw a record are right on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, Table

from .._training.counts import Counts
from ..display import Shown
from ..table_files import by_record
from .intervals import wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Consistency(Shown):
    """The C-score of each record: value, low, high (n,) in [0, 1]; n_out models each."""

    ids: Ids
    value: Floats
    low: Floats
    high: Floats
    n_out: Floats

    def table(self) -> Table:
        """Return one row a record, by id."""
        columns = {
            "id": self.ids,
            "consistency": self.value,
            "low": self.low,
            "high": self.high,
            "n_out": self.n_out.astype(int),
        }
        units = dict.fromkeys(("consistency", "low", "high"), "probability")
        return by_record("consistency", columns, {**units, "n_out": "models"})

    def _lines(self) -> tuple[str, str]:
        return f"C-scores of {len(self.ids)} records", f"mean {self.value.mean():.3f}"


def consistency(counts: Sequence[Counts], ids: Ids, level: float) -> Consistency:
    """Return the mean over fractions of how often models without a record are right on it.

    The interval of a mean of Wilson's joins their arms in squares.
    """
    if not counts:
        raise BadInput("no models have been trained yet; call run(models=...) first")
    share = [c.outside.right / c.outside.n for c in counts]
    ends = [wilson(c.outside.right, c.outside.n, level) for c in counts]
    value = np.mean(share, axis=0)
    below = [(p - low) ** 2 for p, (low, _) in zip(share, ends, strict=True)]
    over = [(high - p) ** 2 for p, (_, high) in zip(share, ends, strict=True)]
    n_out = np.sum([c.outside.n for c in counts], axis=0)
    low = value - np.sqrt(np.sum(below, axis=0)) / len(counts)
    return Consistency(ids, value, low, value + np.sqrt(np.sum(over, axis=0)) / len(counts), n_out)
