"""Where `tune` looks for hyper-parameters: a range for each name that methods use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from unteach.core import BadInput


@dataclass(frozen=True)
class Between:
    """A range to draw from: evenly, evenly in the logarithm, or whole numbers.

    >>> Between(1e-4, 1e-2, log=True).draw(np.random.default_rng(0)) < 1e-2
    True
    >>> Between(1, 3, whole=True).draw(np.random.default_rng(0)) in (1, 2, 3)
    True
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.log and self.low <= 0):
            raise BadInput(f"a range goes up, from above 0 if log, got {self.low} to {self.high}")

    def draw(self, rng: np.random.Generator) -> float | int:
        """Return one value of the range."""
        if self.log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = float(rng.uniform(self.low, self.high + (1 if self.whole else 0)))
        return min(int(value), int(self.high)) if self.whole else value


SPACE: Mapping[str, Between] = {
    "lr": Between(1e-4, 5e-2, log=True),
    "epochs": Between(1, 15, whole=True),
    "alpha": Between(0.5, 0.99),
    "share": Between(0.01, 0.8, log=True),
    "moved": Between(0.1, 1.0),
    "ceiling": Between(0.5, 8.0, log=True),
    "dampen": Between(0.01, 1.0, log=True),
    "penalty": Between(1e-6, 1e-2, log=True),
    "push_epochs": Between(1, 6, whole=True),
    "task_weight": Between(0.3, 1.0),
    "match_weight": Between(0.01, 1.0, log=True),
    "strength": Between(1e-12, 1e-4, log=True),
    "most": Between(0.01, 1.0, log=True),
    "reach": Between(0.02, 1.0, log=True),
    "damping": Between(1e-3, 1.0, log=True),
    "scale": Between(0.1, 10.0, log=True),
    "noise": Between(0.1, 3.0, log=True),
    "back": Between(0.1, 0.95),
    "repair": Between(1, 15, whole=True),
}
"""By the names of the methods' fields; of noisy paths, only their step on networks is here."""


def space_of(method: Any, given: Mapping[str, Between] | None = None) -> dict[str, Between]:
    """Return what can be searched of a method: the given ranges, or those of `SPACE`.

    >>> from unteach.unlearn import GradientAscent
    >>> sorted(space_of(GradientAscent()))
    ['ceiling', 'epochs', 'lr']
    """
    known = {f.name for f in fields(method)}
    if given is None:
        return {name: r for name, r in SPACE.items() if name in known}
    strange = set(given) - known
    if strange:
        raise BadInput(f"{type(method).__name__} has no {sorted(strange)}; it has {sorted(known)}")
    return dict(given)


def drawn(method: Any, space: Mapping[str, Between], rng: np.random.Generator) -> Any:
    """Return the method with values drawn from the ranges; drawn again where they do not agree."""
    for _ in range(100):
        values = {name: r.draw(rng) for name, r in sorted(space.items())}
        try:
            return replace(method, **values)
        except BadInput:
            continue
    raise BadInput(f"no draw from these ranges makes a {type(method).__name__}: {dict(space)}")
