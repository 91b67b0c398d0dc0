"""The per-example attack as a metric: U-LiRA on the models of one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unteach.core import Reading, Role, derive

from .against import Measured
from .arms import Arms, Array
from .over_arms import OverArms, by_record, four
from .ulira import Ulira, ulira


@dataclass(frozen=True)
class PerExampleAttack(OverArms):
    """How well models that unlearned are told from retrained ones, record by record: U-LiRA.

    Definition  the area under the curve of the log ratio of two Gaussians, fitted to the margins
                of each record by half of the models and scored on the other half (`ulira`);
                0.5 is as retrained, 1 told apart always
    Null        the middle 95 % of the areas of retrained models against retrained models, mixed
                again and again
    Limit       1
    Fails       has no side, so that the residual fraction belongs beside it; sees margins only;
                few models have no power, which the note's detectable area states
    Errors      NeedsReference for data draws, fewer than 4 trials, or without retrained models
    Source      Hayes et al. 2024 (arXiv 2403.01218), after Carlini et al. 2022

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = PerExampleAttack().measure_arms(planted_arms("DoNothing")).reading
    >>> r.null[1] < 0.7 < r.value, r.limit
    (True, 1.0)
    """

    permutations: int = 99
    name: ClassVar[str] = "per-example attack"
    role: ClassVar[Role] = "forgetting"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the area under the curve of telling both arms apart, and that of each record."""
        seen = four(arms, arms.margins, name=self.name)
        seeds = arms.seeds or (0,)
        seed = derive(seeds[0], self.name)

        def attack(arm: Array) -> Ulira:
            return ulira(arm, seen.retrained, seed=seed, permutations=self.permutations)

        found, before, again = attack(seen.unlearned), attack(seen.original), attack(seen.twin)
        columns = {
            "before": before.by_example,
            "after": found.by_example,
            "retrained": again.by_example,
        }
        unit = "area under the curve"
        table = by_record(self.name, arms.named("forget"), columns, unit)
        reading = Reading(
            self.name,
            found.area.value,
            found.area.low,
            found.area.high,
            n=len(seen.unlearned),
            unit_of_replication="seeds",
            seeds=seeds,
            unit=unit,
            better="lower",
            untouched=before.area.value,
            null=again.null,
            limit=found.limit,
            table=table.name,
            level=found.area.level,
            note=f"p {found.p_value:.3g}, detectable {found.detectable:.3g}",
        )
        return Measured(reading, (table,))
