"""Membership from margins: two Gaussians for each record, with it and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from unteach.core import BadInput, Ids, Table

from .._training.counts import Counts
from ..display import Shown
from ..table_files import by_record

Floats = NDArray[np.float64]
LEAST = 0.05  # a spread under this share of the typical one is taken to be that


@dataclass(frozen=True, eq=False, repr=False)
class Membership(Shown):
    """What the margin of a model on a record tells of its having been trained on it.

    value(i) : the area under the curve of an attack on the margin of record i alone, P[margin
        with > margin without] for Gaussians; .5 tells nothing. `scores` tells more where the two
        differ in spread
    low, high : its ends when the means are moved by 1.96 standard errors of their difference
    in_mean, in_spread, out_mean, out_spread : (n,) of the margin

    Source: Carlini et al., "Membership inference attacks from first principles" (LiRA), IEEE
    S&P 2022, the online attack. Where we differ: subsets and models are those of the study.
    """

    ids: Ids
    value: Floats
    low: Floats
    high: Floats
    in_mean: Floats
    in_spread: Floats
    out_mean: Floats
    out_spread: Floats

    def scores(self, margins: Any) -> Floats:
        """Return, for a model's margins (n,) on the records, log p(with) - log p(without).

        Above 0 the model looks as if it had been trained on the record.
        """
        seen = np.asarray(margins, dtype=np.float64)
        if seen.shape[-1:] != (len(self.ids),) or not np.isfinite(seen).all():
            raise BadInput(
                f"margins are one finite number for each of {len(self.ids)} records, got shape "
                f"{seen.shape}"
            )
        inside = -np.log(self.in_spread) - ((seen - self.in_mean) / self.in_spread) ** 2 / 2
        outside = -np.log(self.out_spread) - ((seen - self.out_mean) / self.out_spread) ** 2 / 2
        return np.asarray(inside - outside)

    def table(self) -> Table:
        """Return one row a record, by id."""
        columns = {
            "id": self.ids,
            "area": self.value,
            "low": self.low,
            "high": self.high,
            "mean in": self.in_mean,
            "spread in": self.in_spread,
            "mean out": self.out_mean,
            "spread out": self.out_spread,
        }
        units = {k: "margin" for k in columns if k.startswith(("mean", "spread"))}
        units |= dict.fromkeys(("area", "low", "high"), "probability")
        return by_record("membership", columns, units)

    def _lines(self) -> tuple[str, str]:
        title = f"Membership of {len(self.ids)} records, area under each one's curve"
        return title, f"mean {self.value.mean():.3f}; .5 tells nothing"


def membership(counts: Counts, ids: Ids) -> Membership:
    """Return the Gaussians of the margins, with and without each record."""
    if min(counts.inside.n.min(), counts.outside.n.min()) < 2:
        raise BadInput("two Gaussians a record need 2 models with it and 2 without; run more")
    (mean1, sd1), (mean0, sd0) = counts.inside.spread(), counts.outside.spread()
    typical = float(np.median(np.concatenate([sd1, sd0])))
    floor = LEAST * typical if typical > 0 else 1e-6
    sd1, sd0 = np.maximum(sd1, floor), np.maximum(sd0, floor)
    spread = np.hypot(sd1, sd0)
    gap = mean1 - mean0
    error = 1.96 * np.hypot(sd1 / np.sqrt(counts.inside.n), sd0 / np.sqrt(counts.outside.n))
    area, low, high = (ndtr(g / spread) for g in (gap, gap - error, gap + error))
    return Membership(ids, area, low, high, mean1, sd1, mean0, sd0)
