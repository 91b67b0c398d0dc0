"""The bench on which a metric is tried: its readings of the poles, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unteach.core import Case, Reading

from .arms_cases import arms_case
from .cases import certified_case, pole_case
from .law import demand

SEEDS = 10  # models an arm on which metrics of arms are tried


@dataclass(frozen=True)
class MetricBench:
    """A metric, and the cases it is tried on."""

    metric: Any
    _read: dict[str, Reading] = field(default_factory=dict, repr=False, compare=False)

    @property
    def forgets(self) -> bool:
        """Say whether it is registered as a forgetting metric."""
        return getattr(self.metric, "role", None) == "forgetting"

    def case(self, pole: str = "DoNothing") -> Case:
        """Return a case of the kind that the metric asks for.

        A metric of arms, which says `replicates = "seeds"`, is given many models of one request;
        it may say `models`, the least that it reads, and `world`, the kind that it needs
        (`arms_case`).
        """
        if self.metric.role == "ledger":
            return certified_case()
        if getattr(self.metric, "replicates", "") == "seeds":
            least = max(SEEDS, int(getattr(self.metric, "models", SEEDS)))
            return arms_case(pole, least, getattr(self.metric, "world", "linear"))
        return pole_case(pole)

    def pole(self, pole: str = "DoNothing") -> Reading:
        """Return the reading of a pole, read once."""
        if pole not in self._read:
            self._read[pole] = self.read(self.case(pole))
        return self._read[pole]

    def read(self, case: Case) -> Reading:
        """Return the reading; anything but a Reading breaks the law."""
        reading: Reading = self.metric.read(case)
        demand(isinstance(reading, Reading), f"read returned {type(reading).__name__}, no Reading.")
        return reading
