"""Tiers: how many models an audit trains, and what so many can show; known before it runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unteach.core import BadInput

from .epsilon import epsilon_from_counts

Tier = Literal["screen", "quick", "standard", "strong"]
TIERS: dict[str, int] = {"screen": 1, "quick": 16, "standard": 64, "strong": 128}
"""Models an arm. One model allows no verdict; 16 an area over all records; 64 single records."""


def models_of(tier: str) -> int:
    """Return how many models an arm of this tier has.

    >>> models_of("standard")
    64
    """
    if tier not in TIERS:
        raise BadInput(f"no tier {tier!r}; there are {list(TIERS)}")
    return TIERS[tier]


def smallest_detectable_area(models: int, records: int) -> tuple[float, float]:
    """Return the area found with a chance of 80 % at a test of 5 %: at best and at worst.

    From the variance of the Mann-Whitney statistic at 0.5, (2N + 1) / (12 N^2): at worst all
    records of a model say the same and count as one, at best they are independent.

    Parameters
    ----------
    models : of each arm, at least 2 · records : forgotten, at least 1

    Examples
    --------
    >>> [round(a, 3) for a in smallest_detectable_area(64, 50)]
    [0.518, 0.627]
    """
    error = math.sqrt((2 * models + 1) / 12) / models
    reach = (1.6449 + 0.8416) * error
    return 0.5 + min(0.5, reach / math.sqrt(records)), 0.5 + min(0.5, reach)


@dataclass(frozen=True)
class AuditPlan:
    """What an audit would do; returned by a dry run.

    trainings, forgettings : how many; the trainings are those of the arms, and each forgetting
        learns its original once more, which `seconds` counts
    seconds : about how long, from one of each, measured
    models : of each arm · records : forgotten
    detectable : the smallest detectable area, at best and at worst
    largest_epsilon : the largest lower bound that a single record can show
    refused : the methods that refused the request of the one model that was tried, and why
    """

    tier: str
    models: int
    records: int
    trainings: int
    forgettings: int
    seconds: float
    detectable: tuple[float, float] | None
    largest_epsilon: float
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = (
            "no verdict from one model"
            if self.detectable is None
            else f"smallest detectable area {self.detectable[0]:.3f} to {self.detectable[1]:.3f}, "
            f"largest epsilon shown for a record {self.largest_epsilon:.2f}"
        )
        return (
            f"{self.tier}: {self.trainings} trainings and {self.forgettings} forgettings, about "
            f"{self.seconds:.0f} s, {self.records} records to forget; {shown}"
            + "".join(f"; refused by {one}" for one in self.refused)
        )


def plan_of(
    tier: str,
    records: int,
    parts: Sequence[tuple[int, float, float]],
    refused: Sequence[str] = (),
) -> AuditPlan:
    """Return the plan of an audit.

    parts : for each learner (methods that prepare their own have one of their own): how many
        methods, seconds of a training, seconds of a forgetting
    refused : methods that are not among these, and why

    >>> print(plan_of("standard", 50, [(1, 1.0, 0.5)]))
    standard: 192 trainings and 64 forgettings, about 288 s, 50 records to forget; smallest ...
    >>> plan_of("quick", 50, [(2, 1.0, 0.5), (1, 1.0, 0.5)]).trainings
    96
    """
    n = models_of(tier)
    each = n + 2 * max(n, 2)
    half = n // 2
    return AuditPlan(
        tier,
        n,
        records,
        each * len(parts),
        n * sum(m for m, _, _ in parts),
        sum(each * learn + n * m * (learn + forget) for m, learn, forget in parts),
        None if n < 2 else smallest_detectable_area(n, records),
        0.0 if not half else epsilon_from_counts(half, half, 0, 0),
        tuple(refused),
    )
