"""The yardstick page: what stands where, and how it is repeated."""

from __future__ import annotations

from typing import Any

from unteach.core import Table
from unteach.report import (
    Block,
    Bubbles,
    Forest,
    Front,
    Matrix,
    Page,
    Prose,
    Section,
    TableBlock,
)
from unteach.store import Run

from ..study import command, provenance, python
from .answer import answer
from .definitions import DEFINITIONS, LABELS, SHORT
from .readings import missed_name, tau_name
from .setting import METHOD_LABELS, RETRAIN

TWINS = {"entropy": "member", "loss": "answers"}
"""Definitions that the matrices leave out for room, and those that they stand nearest to."""


def key_figure(page: Page) -> Matrix:
    """Return the panel of definitions on the forget set that stands second, or the only one."""
    sets = list(dict.fromkeys(page.table("panel")["set"]))
    return _panel(page.table("panel")["method"], sets[min(1, len(sets) - 1)])


def _panel(methods: list[str], name: str) -> Matrix:
    return Matrix(
        "panel",
        row="definition",
        column="method",
        value="units",
        where={"set": name},
        order=tuple(d.name for d in DEFINITIONS) + tuple(dict.fromkeys(methods)),
        labels=LABELS,
        full=20.0,
        digits=1,
        marked="beyond",
        marks="beyond the null, after Holm's adjustment",
        columns="method",
        above="farther from retraining than retraining is from itself",
        below="nearer",
        title=f"What each definition says, {name}",
        caption="0: as retraining typically scores against retraining; 1: where 5 % of such "
        "comparisons lie; 99: that far or farther. Empty: cannot be read on these records. "
        "Planted faults: nothing (nothing is done), vandal (the records are denied), halved (half "
        "are kept, half denied). Relabel: random labels.",
    )


def yardstick_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables, plan = run.readings(), run.tables(), run.plan
    sets = list(dict.fromkeys(tables["panel"]["set"]))
    names = {r.name for r in readings}
    return Page(
        title="Yardstick",
        kicker="Study 3 of 5 · what is measured",
        question="What does “forgotten” mean, and how is it quantified? Which definitions agree, "
        "and which are fooled?",
        answer=tuple(answer(readings, tables)),
        blocks=(
            Section(
                "One forgetting, many definitions",
                "The same unlearned models, read by every definition. Each reading is set "
                "beside what retraining scores against retraining.",
            ),
            *(_panel(tables["panel"]["method"], s) for s in sets),
            TableBlock(
                "definitions",
                columns=("label", "family", "means"),
                labels={"label": "definition", "family": "looks at", "means": "forgotten means"},
                caption="When a model counts as having forgotten. Every one is compared with "
                "retrained models, also where common practice does not.",
            ),
            Section(
                "Which agree",
                "By the order in which they put the methods, and by what they accept and reject.",
            ),
            *_agreement(names, tables["order"]),
            Section("Which are fooled", "And by what."),
            *_fooled(names),
            Section(
                "A gallery of traps", "Each with its number here, also where it does not show."
            ),
            *_gallery(),
            Section("What a method costs, leaks and keeps"),
            *_front(plan),
            TableBlock(
                "judged",
                columns=(
                    "set",
                    "method",
                    "kind",
                    "area",
                    "low",
                    "high",
                    "p",
                    "detectable",
                    "short",
                    "beyond",
                    "residual",
                    "median",
                ),
                digits={
                    "area": 3,
                    "low": 3,
                    "high": 3,
                    "detectable": 3,
                    "residual": 2,
                    "median": 2,
                    "short": 2,
                    "beyond": 2,
                },
                labels={"kind": "judgement"},
                caption="The judgement of the audit: the per-record attack on all forgotten "
                "records and on the most memorized half, exact tests, adjusted by Holm over "
                "methods and strata of a forget set; intervals at 90 %. Short and beyond: shares "
                "of the records that lie on the original's side of retraining, and on the other. "
                "Residual: its larger side. Detectable: the smallest area found with a chance of "
                "80 %.",
            ),
            Prose(_method(plan)),
        ),
        command=command(plan),
        python=python(plan),
        provenance=provenance(run, "scipy", "scikit-learn", "numba", "torch"),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _agreement(names: set[str], table: Table) -> list[Block]:
    order = tuple(n for n in dict.fromkeys(table["one"]) if n not in TWINS)
    tau = {(r["one"], r["other"]): r["value"] for r in table.rows()}
    twins = " and ".join(
        f"{LABELS[a]} (with {LABELS[b]} {tau[a, b]:.2f})"
        for a, b in TWINS.items()
        if tau[a, b] is not None
    )
    ranked = tuple(n for n in (tau_name(d.label) for d in DEFINITIONS) if n in names)
    return [
        Matrix(
            "order",
            row="one",
            column="other",
            value="value",
            labels=SHORT,
            order=order,
            marked="sure",
            marks="95 % interval above zero",
            columns="definition",
            above="order alike",
            below="order oppositely",
            title="Do two definitions put the methods in the same order?",
            caption="Kendall's tau-b over methods, averaged over forget sets; definitions that "
            "agree stand beside each other. On the diagonal: a definition with itself on "
            "resampled models, the most that its noise allows. Left out here, and in the table: "
            f"{twins}.",
        ),
        Matrix(
            "verdicts",
            row="one",
            column="other",
            value="value",
            labels=SHORT,
            order=order,
            columns="definition",
            above="same verdict",
            title="Do they accept and reject the same?",
            caption="Share of cells of method and forget set in which both accept or both "
            "reject. Where nearly everything is rejected, agreement is cheap.",
        ),
        *(
            [
                Forest(
                    ranked,
                    labels={
                        tau_name(d.label): d.label
                        for d in DEFINITIONS
                        if tau_name(d.label) in names
                    },
                    title="The order of methods, against U-LiRA's",
                    caption="Intervals resample forget sets, methods and models.",
                )
            ]
            if ranked
            else []
        ),
    ]


def _fooled(names: set[str]) -> list[Block]:
    missed = tuple(n for n in (missed_name(d.label) for d in DEFINITIONS) if n in names)
    return [
        *(
            [
                Forest(
                    missed,
                    labels={
                        missed_name(d.label): d.label
                        for d in DEFINITIONS
                        if missed_name(d.label) in names
                    },
                    title="Told apart record by record, and accepted all the same",
                    caption="Share of the cells that an exact per-record test tells from "
                    "retraining, "
                    "which the definition accepts. U-LiRA itself is that test on all records, so "
                    "that "
                    "its share is small by construction. Where all methods say the same, the "
                    "interval "
                    "is Clopper and Pearson's for so many methods.",
                )
            ]
            if missed
            else []
        ),
        TableBlock(
            "definitions",
            columns=(
                "label",
                "sets",
                "nothing",
                "vandal",
                "halved",
                "retrain",
                "unseen",
                "missed",
                "by",
            ),
            labels={"label": "definition", "missed": "accepted", "by": "fooled by"},
            caption="Counted over forget sets (sets) whose controls behave. Nothing, vandal, "
            "halved: on how many the definition accepts that planted fault. Retrain: on how many "
            "it rejects fresh retrained models. Unseen: on how many it rejects models that never "
            "saw the records and went through the same method (tried on records at random). "
            "Accepted: share of what is told apart. Screens carry no verdict in an audit; here "
            "they are asked what they would say.",
        ),
    ]


def _gallery() -> list[Block]:
    return [
        TableBlock(
            "traps",
            columns=(
                "title",
                "where",
                "says",
                "value",
                "low",
                "high",
                "against_what",
                "against",
                "shows",
            ),
            digits={"value": 3, "low": 3, "high": 3, "against": 3},
            labels={
                "title": "trap",
                "says": "the number",
                "against_what": "beside it",
                "against": "",
                "shows": "shows here",
            },
            caption="Intervals are over models (areas: over models and records).",
        ),
    ]


def _front(plan: dict[str, Any]) -> list[Block]:
    methods = tuple(METHOD_LABELS[m] for m in (*plan["methods"], RETRAIN))
    return [
        Front(
            "front",
            line="aim",
            series="method",
            facet="set",
            order=methods,
            x_label="area of the per-record attack (0.5: as retrained)",
            y_label="held-out accuracy, less retraining's",
            line_label="retraining",
            title="Leakage against utility",
            caption="Left is better hidden, up is more useful; retraining stands at the ring.",
        ),
        Bubbles(
            "bill",
            label="method",
            x="cost",
            y="area",
            size="lost",
            low="low",
            high="high",
            level=(0.5, "as retrained"),
            order=methods,
            x_label="cost, in units of retraining's",
            y_label="area of the per-record attack",
            size_label="held-out accuracy lost",
            title="Cost, leakage and utility",
            caption="Means over forget sets; the lines reach from the smallest area to the "
            "largest. Cost counts gradients of one record. Small, left and low is best.",
        ),
    ]


def _method(plan: dict[str, Any]) -> str:
    n, sizes = (
        plan["models"],
        "; ".join(
            f"{s['title']}: {s['n_train']} to learn from, {s['n_test']} held out"
            for s in plan["sources"]
        ),
    )
    return (
        f"**How it was measured.** One data draw ({sizes}), a tenth of the training labels made "
        f"wrong, and a network (64 hidden units, 40 epochs) that fits them. For each forget set "
        f"{n} originals, {n} retrained models as the reference, {2 * n} more as the null and {n} "
        "as the control, from seeds of their own; every method forgets from each original once, "
        "at its default settings. Three planted faults stand beside them. The null of a "
        f"definition is what it says of {n} retrained models against {n} others, mixed "
        f"{plan['draws']} times; a method is beyond it where "
        "the p-value, adjusted by Holm over the methods of a definition and a forget set, is at "
        "most 5 %. Definitions without a reference of their own (ZRF, a population attack) are "
        "read as differences from retraining.\n\n"
        "**Over what the intervals range.** Scores of one cell: over models. Agreement: over "
        "forget sets and methods, drawn apart, and over models. There is one data draw, so that no "
        "interval says how another would come out, and one small architecture: what is said here "
        "of definitions holds for these. "
        "Swap tests, which need exchangeable sets forgotten both ways, and interclass confusion, "
        "which needs swapped labels, are left out; certified methods need a learner of their "
        "own.\n\n"
        "**What this does not say.** “Told apart” is the verdict of the per-record "
        "likelihood-ratio attack (U-LiRA), which is itself one of the definitions compared: the "
        "others are held against it, and what it cannot see counts against none of them. Which "
        "definitions are named for use, and which pairs as nearest and farthest, was selected on "
        "the runs that are shown, without a correction for the selection. The methods' default "
        "settings were searched on digits as well, on other draws of the same pictures. Where a "
        "trap is shown on one of many methods (the median, the average over records), it is the "
        "most extreme one, picked after the fact. Reading a definition against a null of this many "
        "retrained models is kinder than common practice, which reads one model against a rule of "
        "thumb. A method that is not told apart is not shown to have forgotten."
    )
