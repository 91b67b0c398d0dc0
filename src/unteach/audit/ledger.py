"""The certificate's ledger: how much of the budget has been spent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Table
from unteach.stats import Interval, mean_interval

from .against import Measured
from .summary import LEVEL


@dataclass(frozen=True)
class CertificateLedger:
    """Which share of a certificate's budget the model has spent: at 1 it must be retrained.

    Reads `model.ledger_`, an object with `epsilon`, `delta`, `budget`, `spent`, `residual`,
    `entries` and `assumptions`. It reports what the certificate says of itself; whether that
    holds is for the other metrics. A residual above what was spent is a broken certificate, and
    is refused as such.

    Null        none: it measures nothing, and reports what the certificate says
    Limit       none; at 1 the budget is spent
    Fails       says nothing of whether the proof, its assumptions or the code hold
    Source      the budget of Guo et al. 2020 (certified removal)
    Errors      NeedsReference for a model without a ledger; BadInput for an impossible one

    Examples
    --------
    >>> from types import SimpleNamespace as Of
    >>> from unteach.audit import planted_case
    >>> ledger = Of(epsilon=1.0, delta=1e-4, budget=2.0, spent=0.5, residual=0.1, entries=(1,),
    ...             assumptions=("features are bounded by 1",))
    >>> r = CertificateLedger().read(planted_case(after=[0.0], before=[1.0], ledger=ledger))
    >>> r.value, r.note
    (0.25, 'epsilon 1, delta 0.0001, given: features are bounded by 1')
    """

    name: ClassVar[str] = "certificate ledger"
    role: ClassVar[Role] = "ledger"

    def read(self, case: Case) -> Reading:
        """Return the share of the budget that is spent."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a trial."""
        trials = case.trials[:1] if case.unit_of_replication == "examples" else case.trials
        ledgers = [self._of(t.after) for t in trials]
        shares = [float(ledger.spent) / float(ledger.budget) for ledger in ledgers]
        if len(shares) > 1 and np.ptp(shares):
            interval = mean_interval(
                shares, unit_of_replication=case.unit_of_replication, level=LEVEL
            )
        else:
            interval = Interval(shares[0], shares[0], shares[0], 1, "none", LEVEL, "one ledger")
        table = Table(
            f"{self.name} by trial",
            {
                "seed": [t.seed for t in trials],
                **{
                    c: [float(getattr(ledger, c)) for ledger in ledgers]
                    for c in ("epsilon", "delta", "budget", "spent", "residual")
                },
                "entries": [len(ledger.entries) for ledger in ledgers],
                "share": shares,
            },
            {"budget": "residual", "spent": "residual", "residual": "residual", "share": "share"},
            keys=("seed",),
            caption="spent is the sum of upper bounds; residual is the exact one, a diagnostic",
        )
        first = ledgers[0]
        burnt = _burnt(first)
        given = "; ".join(first.assumptions)
        reading = Reading(
            self.name,
            interval.value,
            max(interval.low, 0.0),
            interval.high,
            n=interval.n,
            unit_of_replication=interval.unit_of_replication,
            seeds=tuple(t.seed for t in trials),
            unit="share of the budget",
            better="lower",
            limit=None,
            table=table.name,
            level=LEVEL,
            note=f"epsilon {first.epsilon:g}, delta {first.delta:g}"
            + (f", given: {given}" if given else ""),
        )
        return Measured(reading, (table, *burnt))

    def _of(self, model: Any) -> Any:
        ledger = getattr(model, "ledger_", None)
        if ledger is None:
            raise NeedsReference(
                f"{self.name} reads a certificate's account and {type(model).__name__} keeps none"
            )
        budget, spent = float(ledger.budget), float(ledger.spent)
        residual = float(ledger.residual)
        if budget == 0:
            raise NeedsReference(
                f"{self.name}: the budget is 0 (learned without noise), so nothing is certified"
            )
        if not (budget > 0 and spent >= 0 and math.isfinite(budget) and math.isfinite(spent)):
            raise BadInput(f"{self.name}: impossible ledger, budget {budget!r} and spent {spent!r}")
        if residual > spent * (1 + 1e-9) + 1e-12:
            raise BadInput(
                f"{self.name}: the residual {residual:.4g} is above the bound {spent:.4g} that was "
                "spent for it; the certificate does not hold"
            )
        return ledger


def _burnt(ledger: Any) -> tuple[Table, ...]:
    """Return how the budget burned down, where the ledger's entries say it."""
    from .costed import certificate_table

    told = all(hasattr(e, "bound") and hasattr(e, "what") for e in ledger.entries)
    return (certificate_table(ledger),) if told and len(ledger.entries) else ()
