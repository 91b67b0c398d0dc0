"""The ledger of a certificate: what has been spent of a budget that is never refunded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from scipy.optimize import brentq
from scipy.stats import norm

from unteach.core import BadInput, BudgetSpent


def gaussian_delta(epsilon: float, shift: float) -> float:
    """Return the exact delta of Gaussian noise at epsilon, for a mean shifted by so many sigmas.

    >>> round(gaussian_delta(1.0, 1.0), 4)
    0.1269
    """
    if shift <= 0:
        return 0.0
    reached = norm.cdf(shift / 2 - epsilon / shift)
    return float(reached - math.exp(epsilon + norm.logcdf(-shift / 2 - epsilon / shift)))


@dataclass(frozen=True)
class Entry:
    """One operation: what it was, how many records, what it added to the residual's bound."""

    what: str
    records: int
    bound: float
    residual: float


@dataclass(frozen=True)
class Ledger:
    """The account of a certificate by gradient residual (Guo et al. 2020, theorem 3).

    With objective noise of standard deviation sigma, a model whose gradient residual is at most
    beta is (epsilon, delta)-indistinguishable from a retrained one as long as beta is within the
    budget: the smaller of sigma * epsilon / sqrt(2 ln(1.5 / delta)), theorem 3, and what the
    exact condition for Gaussian noise allows (Balle and Wang 2018, theorem 8), since the tail
    bound behind the first no longer holds for large epsilon. Each operation adds its upper
    bound; nothing is ever taken back.

    Parameters  epsilon > 0; 0 < delta < 1; sigma >= 0, the noise of the objective
                entries : what has been spent, oldest first
                assumptions : what the guarantee rests on

    Examples
    --------
    >>> round(Ledger(epsilon=1.0, delta=1e-4, sigma=10.0).budget, 4)
    2.2803
    >>> Ledger(1.0, 1e-4, 1.0).spend("forget", 1, bound=0.1, residual=0.01).left
    0.128
    """

    epsilon: float
    delta: float
    sigma: float
    entries: tuple[Entry, ...] = ()
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and 0 < self.delta < 1 and self.sigma >= 0):
            raise BadInput(
                "need epsilon > 0, 0 < delta < 1 and sigma >= 0, got "
                f"epsilon={self.epsilon}, delta={self.delta}, sigma={self.sigma}"
            )

    @property
    def budget(self) -> float:
        """The largest residual that the guarantee covers."""
        plain = self.epsilon / math.sqrt(2 * math.log(1.5 / self.delta))
        if gaussian_delta(self.epsilon, plain) > self.delta:
            plain = brentq(lambda m: gaussian_delta(self.epsilon, m) - self.delta, 1e-12, plain)
            plain *= 1 - 1e-9
        return float(self.sigma * plain)

    @property
    def spent(self) -> float:
        """The sum of all bounds so far, that of training included."""
        return math.fsum(e.bound for e in self.entries)

    @property
    def left(self) -> float:
        """What is left of the budget."""
        return self.budget - self.spent

    @property
    def residual(self) -> float:
        """The residual as it is now, computed exactly: a diagnostic, never the certificate."""
        return self.entries[-1].residual if self.entries else 0.0

    def spend(self, what: str, records: int, *, bound: float, residual: float) -> Ledger:
        """Return the ledger with one more entry, or refuse when the budget does not cover it."""
        if not (math.isfinite(bound) and bound >= 0):
            raise BadInput(f"a bound is a finite number of at least 0, got {bound!r}")
        if bound > self.left:
            raise BudgetSpent(
                f"{what} of {records} records needs {bound:.4g} of the certificate's budget and "
                f"{max(self.left, 0.0):.4g} of {self.budget:.4g} is left; retrain with fresh "
                "noise, or learn with a larger sigma or penalty"
            )
        return replace(self, entries=(*self.entries, Entry(what, records, bound, residual)))

    def measured(self, residual: float) -> Ledger:
        """Return the ledger with the last entry's residual as it was found: a diagnostic."""
        *old, last = self.entries
        return replace(self, entries=(*old, replace(last, residual=residual)))

    def to_json(self) -> dict[str, Any]:
        """Return the ledger as plain values."""
        return {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "sigma": self.sigma,
            "entries": [vars(e) for e in self.entries],
            "assumptions": list(self.assumptions),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Ledger:
        """Return the ledger that `to_json` wrote."""
        return cls(
            data["epsilon"],
            data["delta"],
            data["sigma"],
            tuple(Entry(**e) for e in data["entries"]),
            tuple(data["assumptions"]),
        )
