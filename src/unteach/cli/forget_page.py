"""The page of a forgetting, made of what its run stored and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unteach.core import Reading, Table
from unteach.report import (
    Block,
    Finding,
    Forest,
    Page,
    Prose,
    ReadingsBlock,
    Section,
    TableBlock,
    Verdict,
)

if TYPE_CHECKING:
    from unteach.store import Run

_SAYS: dict[str, tuple[Verdict, str]] = {
    "as retrained": ("holds", "By {name} the model is **as retrained**: {cite}{untouched}."),
    "under-forgotten": ("fails", "By {name} it has **forgotten too little**: {cite}{untouched}."),
    "over-forgotten": ("fails", "By {name} it has **forgotten too much**: {cite}{untouched}."),
    "not as retrained": ("fails", "By {name} it is **not as retrained**: {cite}{untouched}."),
    "cannot tell": ("mixed", "The {name} **cannot tell**: {cite}{untouched}."),
}


def forget_page(run: Run) -> Page:
    """Return the page of a finished run of `unteach forget`."""
    readings, tables = tuple(run.readings()), run.tables()
    did = next(tables["forgetting"].rows())
    return Page(
        title="Forgotten",
        kicker=f"unteach forget · run {run.id}",
        question="Is the model as if it had never seen these rows, and what did that cost?",
        answer=_answer(did, readings, tables),
        blocks=_blocks(readings, tables),
        command=run.command,
        python=run.python,
        provenance=_provenance(run, did),
        readings=readings,
        tables=tuple(tables.values()),
    )


_WORSE = ("under-forgotten", "over-forgotten", "not as retrained")


def silent(verdicts: Table) -> list[str]:
    """Return the metrics that were not read, though the model has what they read."""
    return [
        row["metric"]
        for row in verdicts.rows()
        if row["verdict"] == "refused" and row["metric"] != "certificate ledger"
    ]


def _answer(
    did: dict[str, Any], readings: tuple[Reading, ...], tables: dict[str, Table]
) -> tuple[Finding, ...]:
    found = [
        Finding(
            f"Asked to go: **{did['what']}**. `{did['method']}` was run "
            f"({_plain(did['route'])}); its claim is **{_plain(did['claim'])}**."
        )
    ]
    if did.get("told by", "the model") != "the model":
        word = did["told by"] == "--all-of-data"
        found.append(
            Finding(
                "The model does not say from which rows it has learned: "
                + (
                    "whoever gave `--all-of-data` does, and the claim stands on that word."
                    if word
                    else "the project recorded it."
                ),
                (),
                "mixed" if word else "fact",
            )
        )
    if "verdicts" not in tables:
        return (*found, Finding("No audit was run, so that the claim stands alone.", (), "mixed"))
    said = {row["metric"]: row for row in tables["verdicts"].rows()}
    if did["audit"] != "valid":
        found.append(Finding(f"The audit gives no verdict: {_plain(did['audit'])}.", (), "mixed"))
    for reading in readings:
        what = said[reading.name]["verdict"]
        if what in _SAYS:
            verdict, text = _SAYS[what]
            untouched = (
                ""
                if reading.untouched is None
                else (f"; doing nothing scores {reading.untouched:.3g}")
            )
            words = text.format(
                name=reading.name, cite="{" + reading.name + "}", untouched=untouched
            )
            found.append(Finding(words, (reading.name,), verdict))
        elif reading.name == "residue":
            found.append(_residue(reading))
        elif reading.name == "holdout utility":
            found.append(
                Finding(
                    f"Against retraining, held-out {reading.unit} differs by {{holdout utility}}.",
                    (reading.name,),
                )
            )
        elif reading.name == "certificate ledger":
            found.append(
                Finding(
                    "Of the certificate's budget {certificate ledger} is spent.", (reading.name,)
                )
            )
    if did["given"] and any(row["verdict"] in _WORSE for row in said.values()):
        found.append(
            Finding(
                f"The claim is exact **given {_plain(did['given'])}**. Retraining computes that "
                "afresh, and the difference is what it still holds of these rows.",
                (),
                "mixed",
            )
        )
    refused = silent(tables["verdicts"])
    if refused:
        found.append(Finding(f"Not read: {', '.join(refused)}; the table says why.", (), "mixed"))
    near = tables.get("near duplicates")
    if near is not None and len(near):
        n = len(set(near["retained"]))
        what = (
            "retained row** is a near-duplicate"
            if n == 1
            else ("retained rows** are near-duplicates")
        )
        text = f"**{n} {what} of what was forgotten, and can keep its memory alive."
        found.append(Finding(text, (), "mixed"))
    elif near is not None:
        found.append(Finding("No retained row is a near-duplicate of a forgotten one."))
    return tuple(found)


def _residue(reading: Reading) -> Finding:
    if reading.value == 0 and reading.untouched == 0:
        text = (
            "Bytes **cannot tell**: this kind of model keeps no rows ({residue} of the rows; "
            "doing nothing scores 0 too)."
        )
        return Finding(text, ("residue",), "unknown")
    if reading.value == 0:
        text = "No byte of a forgotten row was found in the new model ({residue} of the rows)."
        return Finding(text, ("residue",), "holds")
    text = "**Bytes of forgotten rows are still in the new model**: {residue} of the rows."
    return Finding(text, ("residue",), "fails")


def _blocks(readings: tuple[Reading, ...], tables: dict[str, Table]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    forgetting = tuple(r.name for r in readings if r.null is not None and r.limit is not None)
    if forgetting:
        blocks += [
            Section(
                "Beside retraining",
                "Where the interval lies inside the null, this model and "
                "one that never saw the rows cannot be told apart by that reading.",
            ),
            Forest(forgetting, title="How far the new model is from a retrained one"),
        ]
    if "verdicts" in tables:
        blocks.append(TableBlock("verdicts"))
    rest = tuple(r.name for r in readings if r.name not in forgetting)
    if rest:
        blocks += [Section("What else was measured"), ReadingsBlock(rest)]
    if "certificate" in tables:
        from unteach.audit import budget_figure

        blocks.append(budget_figure())
    near = tables.get("near duplicates")
    if near is not None and len(near):
        blocks += [
            Section("Near-duplicates", "Rows count from 1 in the data that was given."),
            TableBlock(
                "near duplicates",
                columns=("forgotten", "row", "distance", "same target", "exact"),
                limit=50,
            ),
        ]
    blocks += [
        Section("What was forgotten"),
        TableBlock("forgotten", limit=50),
        Prose(
            "This page is about the new model alone. The rows are still in the data that it was "
            "learned from, in the old model, and in whatever copies there are of either."
        ),
    ]
    return tuple(blocks)


def _provenance(run: Run, did: dict[str, Any]) -> dict[str, Any]:
    return {
        "unteach": run.plan["version"][-1],
        "rows forgotten": did["rows"],
        "rows learned from": did["learned from"],
        "seconds of forgetting": did["took"],
        "model before": did["model before"],
        "model after": did["model after"],
    }


def _plain(text: str) -> str:
    return text.replace("{", "(").replace("}", ")").rstrip(".")
