"""The readings of an audit by arms: each with its null, and with what doing nothing scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unteach.core import Reading

from .report import changes

if TYPE_CHECKING:
    from .report import AuditReport, MethodAudit


def readings_of(m: MethodAudit, report: AuditReport) -> list[Reading]:
    """Return the readings of one method: areas, residual fraction, what it cost elsewhere."""
    nothing, again = (report.methods.get(pole) for pole in m.poles)
    seeds, found = (report.seed,), []
    for stratum, test in m.tests.items():
        if nothing is None or again is None:
            continue
        area = test.area
        found.append(
            Reading(
                f"{m.name}: area, {stratum}",
                area.value,
                area.low,
                area.high,
                n=area.n,
                unit_of_replication=area.unit_of_replication,
                seeds=seeds,
                unit="area under the curve",
                better="lower",
                untouched=nothing.tests[stratum].area.value,
                null=again.tests[stratum].null,
                limit=test.limit,
                level=area.level,
                note=f"p {test.p_value:.3g} before adjustment",
            )
        )
    ceiling = m.ceiling()
    if ceiling is not None and m.tests:
        area = m.tests["all"].area
        found.append(
            Reading(
                f"{m.name}: area beyond what its certificate allows",
                area.value - ceiling,
                area.low - ceiling,
                area.high - ceiling,
                n=area.n,
                unit_of_replication=area.unit_of_replication,
                seeds=seeds,
                unit="area under the curve",
                better="lower",
                limit=1 - ceiling,
                level=area.level,
                note=f"at most {ceiling:.4g} is allowed; an interval above 0 refutes the "
                "certificate, "
                "and one below 0 does not prove it",
            )
        )
    f = m.fractions
    if f is not None and nothing is not None and nothing.fractions is not None:
        found.append(
            Reading(
                f"{m.name}: residual fraction",
                f.value.value,
                f.value.low,
                f.value.high,
                n=f.value.n,
                unit_of_replication="models",
                seeds=seeds,
                unit="share of the mark",
                better="zero",
                untouched=nothing.fractions.value.value,
                null=f.null,
                limit=f.limit,
                note=f"median {f.median:.3g}, {f.near:.0%} of {f.measurable} measurable within "
                "0.25",
            )
        )
    if not m.tests:
        return found  # one model has no interval
    for part, gap in changes(m).items():
        found.append(
            Reading(
                f"{m.name}: {part} accuracy, change from retraining",
                gap.value,
                gap.low,
                gap.high,
                n=gap.n,
                unit_of_replication="models",
                seeds=seeds,
                unit="accuracy",
                better="higher",
            )
        )
    return found
