"""Leave-one-out memorization: each record's answer with it, less its answer without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import Ids, Table

from .._training.learner_adapter import margins
from ..display import Shown
from ..table_files import by_record

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class LeftOut(Shown):
    """Exact leave-one-out memorization of a learner that has no randomness.

    value : (n,) 1 where the answer is right with the record and wrong without it, -1 the other
        way round, else 0; exact, so that low and high are the value
    margin_with, margin_without : (n,) value of the right class less the largest other
    """

    ids: Ids
    value: Floats
    margin_with: Floats
    margin_without: Floats

    @property
    def low(self) -> Floats:
        """The value: nothing was sampled."""
        return self.value

    @property
    def high(self) -> Floats:
        """The value: nothing was sampled."""
        return self.value

    @property
    def soft(self) -> Floats:
        """The margin with the record less the margin without it: (n,)."""
        return self.margin_with - self.margin_without

    def table(self) -> Table:
        """Return one row a record, by id."""
        columns = {
            "id": self.ids,
            "hard": self.value,
            "soft": self.soft,
            "margin with": self.margin_with,
            "margin without": self.margin_without,
        }
        units = dict.fromkeys(("soft", "margin with", "margin without"), "margin")
        caption = "exact leave-one-out memorization"
        return by_record("memorization", columns, {**units, "hard": "probability"}, caption)

    def _lines(self) -> tuple[str, str]:
        title = f"Leave-one-out memorization of {len(self.ids)} records, exact"
        return title, f"{int((self.value > 0).sum())} right only with themselves"


def left_out(whole: Any, without: Any, codes: Any, ids: Any) -> LeftOut:
    """Return the memorization from class values (n, k) with each record and without it."""
    right = [np.argmax(f, axis=1) == codes for f in (whole, without)]
    value = right[0].astype(float) - right[1].astype(float)
    both = [margins(f[None].astype(np.float64), codes, "scores")[0] for f in (whole, without)]
    return LeftOut(np.asarray(ids), value, both[0].astype(float), both[1].astype(float))
