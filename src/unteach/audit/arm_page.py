"""The page of an audit by arms: the claim card first, then verdicts, areas, definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unteach.report import Finding, Forest, Page, Prose, Section, TableBlock

if TYPE_CHECKING:
    from .report import AuditReport

CARD = (
    "Goal: **removal** of influence, not suppression of an output. Definition: measured only; "
    "outputs that cannot be told from retraining's. Reference: models retrained without the "
    "records, on the same data with fresh seeds. Threat: whoever sees outputs of many models on "
    "the forgotten records; not adaptive, no access to weights or to what is stored. The operator "
    "is taken to be honest: an audit by whoever runs the method shows competence, not honesty."
)


def page_of(report: AuditReport) -> Page:
    """Return the report as a page."""
    readings, tables = report.readings, report.tables
    answer: list[Any] = [
        Finding(f"The audit is **{'valid' if report.valid else 'not valid'}**: {report.validity}.",
                verdict="fact" if report.valid else "unknown")
    ]  # fmt: skip
    for m in report.methods.values():
        if m.judgement is None:
            continue
        kind = m.judgement.kind
        unclear = {"inconclusive": "unknown", "invalid": "unknown"}
        shown: dict[str, Any] = {"equivalent": "holds", **unclear}
        names = tuple(r.name for r in readings if r.name.startswith(f"{m.name}: "))
        answer.append(Finding(f"{m.name}: {m.verdict}.", names, shown.get(kind, "fails")))
    areas = tuple(r.name for r in readings if ": area, " in r.name)
    blocks: list[Any] = [Section("What is claimed"), Prose(CARD)]
    if areas:
        blocks += [
            Section("Can the models be told from retrained ones?"),
            Forest(areas, "Area under the curve of the per-example attack",
                   "0.5 is chance; the band is what retraining scores against retraining."),
            TableBlock("verdicts"),
        ]  # fmt: skip
    blocks += [Section("What other definitions say of the same models"), TableBlock("yardsticks")]
    return Page(
        title="Audit", kicker=f"{report.tier} audit".strip(), answer=tuple(answer),
        question="Do these methods leave models that cannot be told from retrained ones?",
        blocks=tuple(blocks), command="", readings=readings, tables=tables,
        python=f"report = audit.run(methods, learner, records, forget=ids, tier={report.tier!r}, "
               f"seed={report.seed})",
        provenance={"originals": len(report.base.original), "seed": report.seed,
                    "retrained": len(report.base.retrained)},
    )  # fmt: skip
