"""The signed residual fraction: how much of what a record left in the model is still there."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Table, Trial
from unteach.models import margins

from .against import Against, Array, Measured, against
from .summary import signed_reading

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class ResidualFraction:
    """How much of a record's mark on the model is left: 1 all of it, 0 as retrained, below 0 more
    was taken than was there.

    rho = (margin after - margin retrained) / (margin before - margin retrained), a record at a
    time, where the margin says how strongly the model holds the record's stated target. The
    value is the larger of two sides, + mean of what is left or - mean of the overshoot, because
    a method that leaves half of the records as they were and overshoots on the others has a
    mean, and often a median, of zero. The table gives each record, the second table quantiles.

    Only a record whose denominator exceeds its noise can be measured: the mean of
    `before - retrained` over the trials that forgot it must be larger than `errors` of its
    standard errors, as retraining against retraining shows them, and than `floor` of the spread
    of all margins. The share that can be is stated. A record's rho is cut at +-`ceiling`, so
    that one small denominator cannot carry the mean.

    Null        one retrained model in the place of the model after, on either side
    Limit       `ceiling`
    Fails       a record without a mark beyond its noise is not measured, and over-forgetting of it
                goes unseen here; sees margins only
    Source      ours; under- and over-unlearning are told apart likewise by IAM
    Parameters  errors : standard errors that the denominator must exceed, > 0
                ceiling : cut of |rho|, > 1; the limit of the reading
                floor : share of the spread of margins that counts as nothing, at least 0
                within : |rho| up to which a record counts as forgotten in the note, in (0, 1)
    Errors      NeedsReference without retrained models, and when no record can be measured

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[2.0, 0.0, 1.0, 1.0], before=[2.0, 2.0, 2.0, 2.0],
    ...                     retrained=[1.0, 1.0, 1.0, 1.0])     # rho = 1, -1, 0, 0
    >>> r = ResidualFraction().read(case)
    >>> r.value, r.untouched, r.note[:37]
    (0.25, 1.0, 'under 0.25, over 0.25, net 0; 4 of 4 ')
    """

    errors: float = 5.0
    ceiling: float = 10.0
    floor: float = 1e-6
    within: float = 0.25
    name: ClassVar[str] = "residual fraction"
    role: ClassVar[Role] = "forgetting"

    def __post_init__(self) -> None:
        if not (self.errors > 0 and self.ceiling > 1 and self.floor >= 0 and 0 < self.within < 1):
            raise BadInput(f"need errors > 0, ceiling > 1, floor >= 0, within in (0, 1): {self}")

    def read(self, case: Case) -> Reading:
        """Return the larger side of the residual fractions."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading, the records' fractions, and their quantiles."""
        seen = against(case, self.name, _margins)
        marks = self._marks(seen)
        if not any(m.any() for m in map(np.isfinite, marks)):
            raise NeedsReference(self._refusal(seen))
        rho = self._divided(seen, marks)
        table, quantiles = self._table(seen, marks), self._quantiles(rho)
        pooled = np.concatenate(rho.after)
        total = sum(len(i) for i in seen.ids)
        near = float(np.mean(np.abs(pooled) <= self.within))
        reading = signed_reading(
            self.name,
            rho,
            unit="share of the mark",
            limit=self.ceiling,
            table=table.name,
            note=f"{len(pooled)} of {total} measurable, {near:.0%} within ±{self.within:g}",
        )
        return Measured(reading, (table, quantiles))

    def _marks(self, seen: Against) -> list[Array]:
        """Return each record's denominator, one array a replicate; NaN where it is noise."""
        sums: dict[Any, list[float]] = defaultdict(list)
        noise: dict[Any, list[float]] = defaultdict(list)
        for ids, before in zip(seen.ids, seen.before, strict=True):
            for i, mark in zip(ids.tolist(), before, strict=True):
                sums[i].append(float(mark))
        for k, null in enumerate(seen.null):
            for i, gap in zip(seen.ids[0 if seen.single else k].tolist(), null, strict=True):
                noise[i].append(float(gap))
        pooled = _rms(np.concatenate(seen.null))
        least = self.floor * (seen.highest - seen.lowest)
        marks = {}
        for i, found in sums.items():
            spread = _rms(np.array(noise[i])) if len(noise[i]) >= 4 else pooled
            error = spread / math.sqrt(len(found))
            mark = math.fsum(found) / len(found)
            marks[i] = mark if abs(mark) > max(self.errors * error, least) else math.nan
        return [np.array([marks[i] for i in ids.tolist()]) for ids in seen.ids]

    def _divided(self, seen: Against, marks: list[Array]) -> Against:
        """Return the fractions of the measurable records, in replicates that have any."""
        keep = [np.isfinite(m) for m in marks]
        kept = [k for k, mask in enumerate(keep) if mask.any()]

        def of(differences: Array, k: int) -> Array:
            fraction = differences[keep[k]] / marks[k][keep[k]]
            return np.clip(fraction, -self.ceiling, self.ceiling)

        pairs = [(n, 0 if seen.single else k) for k, n in enumerate(seen.null)]
        return replace(
            seen,
            ids=tuple(seen.ids[k][keep[k]] for k in kept),
            after=tuple(of(seen.after[k], k) for k in kept),
            before=tuple(of(seen.before[k], k) for k in kept),
            null=tuple(of(n, k) for n, k in pairs if k in kept),
            seeds=seen.seeds if seen.single else tuple(seen.seeds[k] for k in kept),
            unit="examples" if len(kept) == 1 else seen.unit,
        )

    def _refusal(self, seen: Against) -> str:
        mark = max(float(np.max(np.abs(b))) for b in seen.before)
        return (
            f"{self.name}: none of {sum(len(i) for i in seen.ids)} forgotten records left a mark "
            f"beyond the noise of retraining (largest |before - retrained| {mark:.3g}, retraining "
            f"against retraining {_rms(np.concatenate(seen.null)):.3g}); doing nothing cannot be "
            "told from retraining here; add seeds, or forget records that were memorized"
        )

    def _table(self, seen: Against, marks: list[Array]) -> Table:
        sizes = [len(i) for i in seen.ids]
        mark, gap = np.concatenate(marks), np.concatenate(seen.after)
        can = np.isfinite(mark)
        rho = [float(g / m) if c else None for g, m, c in zip(gap, mark, can, strict=True)]
        said = {k: np.concatenate(v).tolist() for k, v in seen.values.items()}
        return Table(
            f"{self.name} by record",
            {
                "seed": np.repeat(
                    seen.seeds if not seen.single else seen.seeds[:1], sizes
                ).tolist(),
                "id": np.concatenate(seen.ids).tolist(),
                "margin before": said["before"],
                "margin after": said["after"],
                "margin retrained": said["reference"],
                "rho": rho,
                "measurable": can.tolist(),
            },
            {f"margin {w}": "margin" for w in ("before", "after", "retrained")},
            keys=("seed", "id"),
            caption="1 nothing forgotten, 0 as retrained, below 0 overshoot",
        )

    def _quantiles(self, rho: Against) -> Table:
        """Return quantiles over all records, of the model after and of retraining itself."""
        return Table(
            f"{self.name} quantiles",
            {
                "quantile": QUANTILES,
                "after": np.quantile(np.concatenate(rho.after), QUANTILES).tolist(),
                "before": np.quantile(np.concatenate(rho.before), QUANTILES).tolist(),
                "null": np.quantile(np.concatenate(rho.null), QUANTILES).tolist(),
            },
            keys=("quantile",),
            caption="of the residual fraction across measurable records",
        )


def _margins(model: Any, trial: Trial) -> NDArray[np.float64]:
    return np.asarray(margins(model, trial.forget.x, trial.forget.y), dtype=np.float64)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
