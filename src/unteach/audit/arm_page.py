"""The page of an audit by arms, made of readings and tables alone: the claim card first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unteach.core import Reading, Table
from unteach.report import Block, Finding, Page, Prose, Section, TableBlock, Verdict

from .bills import AUDIT
from .card import FIELDS
from .figured import YARDSTICKS
from .figures import figures_on_page

if TYPE_CHECKING:
    from .report import AuditReport

_MARK: dict[str, Verdict] = {
    "equivalent": "holds",
    "inconclusive": "unknown",
    "invalid": "unknown",
    "distinguishable": "fails",
    "over-forgotten": "fails",
    "refused": "unknown",
}
_SHORT = {
    "forget accuracy": "forgotten",
    "retain accuracy": "kept",
    "holdout accuracy": "held out",
    "holdout log loss": "log loss",
    "tow": "ToW",
    "population area": "population",
    "ulira area": "U-LiRA",
    "klom median": "KLoM",
    "neurips score": "challenge",
    "share flagged": "flagged",
    "largest epsilon": "epsilon",
    "epsilon limit": "at most",
}
_COSTS = (
    "method",
    "seconds",
    "records read",
    "tuning runs",
    "seconds / retrain",
    "cpu / retrain",
    "memory / retrain",
    "records / retrain",
    "state / retrain",
    "tuning / retrain",
)


def page_of(report: AuditReport) -> Page:
    """Return the report as a page."""
    python = (
        f"report = audit.run(methods, learner, records, forget=ids, tier={report.tier!r}, "
        f"seed={report.seed})"
    )
    return page_from(
        report.readings,
        {t.name: t for t in report.tables},
        kicker=f"{report.tier} audit".strip(),
        python=python,
        provenance={
            "originals": len(report.base.original),
            "seed": report.seed,
            "retrained": len(report.base.retrained),
        },
    )


def page_from(
    readings: Sequence[Reading],
    tables: Mapping[str, Table],
    *,
    kicker: str,
    command: str = "",
    python: str = "",
    provenance: Mapping[str, Any],
) -> Page:
    """Return the page of an audit of which only readings and tables are left.

    Parameters
    ----------
    tables : those of a report; "judgements" is needed, others are shown where they are there
    """
    blocks: list[Block] = []
    if "claim card" in tables:
        blocks += [Section("What is claimed"), *_card(tables["claim card"])]
    blocks += figures_on_page(tables)
    if "yardsticks" in tables:
        blocks += [
            Section("What other definitions say of the same models"),
            TableBlock("yardsticks", columns=YARDSTICKS, digits=3, labels=_SHORT),
        ]
    if "costs" in tables:
        blocks += [
            Section(
                "What each method costs",
                "One request, beside one retraining. What choosing "
                "hyper-parameters took stands apart, where the method says it.",
            ),
            TableBlock("costs", columns=_COSTS),
        ]
    if "audit cost" in tables:
        blocks += [Section("What the audit itself took"), TableBlock("audit cost", columns=AUDIT)]
    return Page(
        title="Audit",
        kicker=kicker,
        answer=_answer(readings, tables),
        question="Do these methods leave models that cannot be told from retrained ones?",
        blocks=tuple(blocks),
        command=command,
        python=python,
        provenance=dict(provenance),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _answer(readings: Sequence[Reading], tables: Mapping[str, Table]) -> tuple[Finding, ...]:
    rows = list(tables["judgements"].rows())
    validity = rows[0]["audit"]
    good = validity == "valid"
    said = [
        Finding(
            "Both controls came out as they must: the audit is **valid**."
            if good
            else f"The audit gives **no verdict**: {validity.removeprefix('audit invalid: ')}.",
            verdict="fact" if good else "unknown",
        )
    ]
    for row in rows:
        name = row["method"]
        found = tuple(r.name for r in readings if r.name.startswith(f"{name}: area, all"))
        found += tuple(r.name for r in readings if r.name == f"{name}: residual fraction")
        text = f"**{name}**: " + ("no verdict" if row["kind"] == "invalid" else row["verdict"])
        said.append(Finding(f"{text}.", found, _MARK[row["kind"]]))
    return tuple(said)


def _card(card: Table) -> list[Prose]:
    """Return one paragraph a field; where methods differ, one sentence each."""
    said = []
    for field in FIELDS[1:]:
        values = dict(zip(card["method"], card[field], strict=True))
        title = field.capitalize()
        same = set(values.values())
        if len(same) == 1:
            said.append(Prose(_plain(f"**{title}:** {same.pop()}.")))
        else:
            each = " ".join(f"**{name}**: {text}." for name, text in values.items())
            said.append(Prose(_plain(f"**{title}:** {each}")))
    return said


def _plain(text: str) -> str:
    """Return a text in which no brace asks for a reading.

    >>> _plain("one of {a}")
    'one of (a)'
    """
    return text.replace("{", "(").replace("}", ")")
