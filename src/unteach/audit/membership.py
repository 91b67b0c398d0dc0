"""Membership: do the forgotten records still stand out, beyond what retraining shows?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import Case, Reading, Role, Table, Trial
from unteach.models import margins

from .against import Against, Array, Measured, against, checked
from .summary import signed_reading


@dataclass(frozen=True)
class Membership:
    """How far membership of the forgotten records can be read off their margins, minus the same
    for a retrained model.

    A record's placement is the share of held-out records that the model holds more weakly (ties
    count half); the mean placement of the forgotten records is the area under the curve of
    telling them from held-out ones. The value compares placements with retraining's, a record
    at a time, and is the larger side: + they still stand out, - they are hidden better than
    ignorance would (which marks them too). Where all records lie on one side it is the plain
    difference of the two areas, which the note and the table give. No area is compared with
    0.5: forgotten records need not be exchangeable with held-out ones (outliers, wrong labels),
    and then a model that never saw them does not score 0.5 either; retraining is the target.

    A screen, and no ground for a verdict: this is an attack with one threshold for all records,
    stronger ones fit each record's own distributions; and where retraining already holds the
    forgotten records more weakly than all others (wrong labels), the area cannot fall further
    and over-forgetting goes unseen.

    Null        one retrained model in the place of the model after, on either side
    Limit       the larger of retraining's area and 1 less it
    Fails       as above: one threshold for all records
    Source      Yeom et al. 2018; placements: Pepe & Cai 2004
    Errors      NeedsReference without retrained models or held-out records

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[9.0, 0.0], before=[9.0, 9.0], retrained=[0.0, 0.0])
    >>> r = Membership().read(case)                         # held-out margins are 1, 1, 1, 1
    >>> r.value, r.untouched, r.limit
    (0.5, 1.0, 1.0)
    """

    name: ClassVar[str] = "membership"
    role: ClassVar[Role] = "screen"

    def read(self, case: Case) -> Reading:
        """Return the larger side of the placements' differences from retraining."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading, its areas by trial, and its placements by record."""
        case.held_out(self.name)
        seen = against(case, self.name, self._placements)
        areas, records = self._areas(seen), self._records(seen)
        retrained = float(np.mean(areas["retrained"]))
        reading = signed_reading(
            self.name,
            seen,
            unit="area under the curve",
            limit=max(retrained, 1 - retrained),
            table=records.name,
            note=f"area {np.mean(areas['after']):.4g}, retrained {retrained:.4g}, "
            f"before {np.mean(areas['before']):.4g}",
        )
        return Measured(reading, (records, areas))

    def _placements(self, model: Any, trial: Trial) -> Array:
        if trial.holdout is None:  # held_out has refused this already
            return np.zeros(len(trial.forget))
        inside = checked(margins(model, trial.forget.x, trial.forget.y), self.name)  # (n,)
        outside = np.sort(checked(margins(model, trial.holdout.x, trial.holdout.y), self.name))
        below = np.searchsorted(outside, inside, side="left")
        upto = np.searchsorted(outside, inside, side="right")
        return np.asarray((below + upto) / (2 * len(outside)))

    def _areas(self, seen: Against) -> Table:
        mean = {k: [float(np.mean(v)) for v in seen.values[k]] for k in seen.values}
        return Table(
            f"{self.name} by trial",
            {
                "seed": seen.seeds if not seen.single else seen.seeds[:1],
                "before": mean["before"],
                "after": mean["after"],
                "retrained": mean["reference"],
            },
            dict.fromkeys(("before", "after", "retrained"), "area under the curve"),
            keys=("seed",),
            caption="forgotten against held-out records, by margin",
        )

    def _records(self, seen: Against) -> Table:
        sizes = [len(i) for i in seen.ids]
        seeds = seen.seeds if not seen.single else seen.seeds[:1]
        return Table(
            f"{self.name} by record",
            {
                "seed": np.repeat(seeds, sizes).tolist(),
                "id": np.concatenate(seen.ids).tolist(),
                "before": np.concatenate(seen.values["before"]).tolist(),
                "after": np.concatenate(seen.values["after"]).tolist(),
                "retrained": np.concatenate(seen.values["reference"]).tolist(),
            },
            dict.fromkeys(("before", "after", "retrained"), "share"),
            keys=("seed", "id"),
            caption="share of held-out records that the model holds more weakly than this one",
        )
