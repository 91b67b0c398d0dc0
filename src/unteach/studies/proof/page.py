"""The proof page: what stands where, and how it is repeated."""

from __future__ import annotations

from typing import Any

from unteach.core import Table
from unteach.report import (
    Block,
    Curves,
    Divided,
    Forest,
    Front,
    Page,
    Prose,
    Section,
    TableBlock,
    Tree,
)
from unteach.store import Run

from ..study import command, provenance, python
from .answer import answer
from .symbolic import VERDICTS
from .world import ALL_ARMS, ARM_LABELS, FORM_LABELS, FORMS, as_branch

_LABELS = {
    **ARM_LABELS,
    **FORM_LABELS,
    "base-only": "still follows from what stays",
    "promotion": "can be kept by promotion",
    "impossible": "impossible",
}


def key_figure() -> Divided:
    """Return the bars: which conclusions can outlive their premises, by relation."""
    return Divided(
        "map",
        "relation",
        VERDICTS,
        hues=(2, 1, 0),
        title="Which conclusions can outlive their premises",
        caption="Every conclusion of the families, by its relation. The premises of its shortest "
        "proof are to be forgotten so that nothing lets them be derived; can it be kept? Decided "
        "exactly, by the closure, a MaxSAT solver and an answer-set solver.",
        labels={**_LABELS, "all": "all relations"},
    )


def proof_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables, plan = run.readings(), run.tables(), run.plan
    trees = {row["name"]: row for row in tables["trees"].rows()}
    return Page(
        title="Proof",
        kicker="Study 4 of 5 · knowledge that follows from knowledge",
        question="Conclusions follow from statements. Can the statements be forgotten and the "
        "conclusion kept?",
        answer=tuple(answer(readings, tables, plan)),
        blocks=(
            *_theorem_blocks(trees),
            *_map_blocks(trees),
            *_price_blocks(plan),
            *_model_blocks(tables, trees, plan),
            Section("How it was measured"),
            Prose(_method(plan, tables["worlds"])),
        ),
        command=command(plan),
        python=python(plan),
        provenance=_made(run),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _theorem_blocks(trees: dict[str, Any]) -> list[Block]:
    one = trees["theorem"]
    return [
        Section(
            "The theorem, in plain words",
            "A fact is forgotten when it can no longer be derived from what is left, not when "
            "it can no longer be read.",
        ),
        Prose(
            "Knowledge is statements and rules. Its **closure** is everything that follows. To "
            "forget F and keep P, statements are removed, and conclusions may be **promoted**: "
            "stored as facts, without what they followed from.\n\n"
            "**It is possible exactly when no member of F follows from P.** If none does, keep P "
            "and what follows from it, and nothing else: F is gone. If one does, whoever is told "
            "P can work F out, and no method helps. Whether it is possible takes one pass over "
            "the rules; the cheapest set to remove is then a MaxSAT problem, solved with proof. "
            "Without promotion, even whether it is possible is NP-complete.\n\n"
            "Here a grandfather is known because two fathers are. Forget both fathers, and the "
            "grandfather can stay as a fact: it does not say through whom."
        ),
        Tree(
            (as_branch(one["tree"]),),
            title="A conclusion that outlives its premises",
            caption="What a conclusion follows from stands beneath it. Both premises are "
            "removed; the conclusion is kept, promoted to a fact.",
        ),
    ]


def _map_blocks(trees: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = [
        Section(
            "The map: what can outlive its premises",
            "For every conclusion of invented families with the rules of kinship.",
        ),
        key_figure(),
    ]
    titles = {
        "base-only": "It follows by another way",
        "promotion": "Kept by promotion",
        "impossible": "Impossible, and here is why",
    }
    for verdict in VERDICTS:
        if verdict not in trees:
            continue
        row = trees[verdict]
        blocks.append(
            Tree(
                (as_branch(row["tree"]),),
                title=f"{titles[verdict]}: {row['conclusion']}",
                caption=_example_words(verdict, row),
            )
        )
    return blocks


def _example_words(verdict: str, row: dict[str, Any]) -> str:
    premises = " and ".join(row["premises"])
    if verdict == "impossible":
        ways = "; or ".join(row["ways"])
        return (
            f"To forget {premises} and keep {row['conclusion']} cannot be had: the second "
            f"says the first. The smallest ways out, computed: {ways}."
        )
    removed = f"{len(row['removed'])} stated facts go, so that {premises} cannot be derived"
    if verdict == "promotion":
        return f"{removed}. Nothing that is left leads to {row['conclusion']}; it becomes a fact."
    return f"{removed}. {row['conclusion']} still follows, from these."


def _price_blocks(plan: dict[str, Any]) -> list[Block]:
    shared: dict[str, Any] = {
        "table": "price",
        "x": "size",
        "y": "value",
        "low": "low",
        "high": "high",
        "series": "what",
        "x_label": "facts to forget, and conclusions to keep",
    }
    where = (
        f"Means and 95 % intervals over {plan['families']} families of {plan['facts']} stated "
        f"facts, {plan['repeats']} random requests of each size in each."
    )
    return [
        Section(
            "The price",
            "Random requests: so many stated facts are to be forgotten, and as "
            "many conclusions kept.",
        ),
        Curves(
            **shared,
            facet="panel",
            order=("promotion", "base-only", "alone", "lost"),
            title="What can be had, and what goes with it",
            labels={
                "promotion": "with promotion",
                "base-only": "without promotion",
                "alone": "stated facts that go",
                "lost": "conclusions that fall",
                "feasible": "share of requests that can be met",
                "cost": "for each fact that is to be forgotten",
            },
            y_label="mean over families",
            share_y="none",
            columns=2,
            caption="The larger the request, the likelier that what is to be kept entails what "
            "is to go. Collateral is exact: no smaller set of stated facts will do. " + where,
        ),
    ]


def _model_blocks(
    tables: dict[str, Table], trees: dict[str, Any], plan: dict[str, Any]
) -> list[Block]:
    n = plan["models"]
    few = f"{n} seeds" + (
        "; that is few, and the intervals say so (`--full` takes 10)" if n < 5 else ""
    )
    blocks: list[Block] = [
        Section(
            "In a trained model",
            "A small transformer learns a family by heart. It is to forget who somebody's "
            "father is, and to keep who the father's parents are.",
        ),
        Prose(
            "It is taught in two forms: conclusions **stored** as statements, or conclusions "
            "**reasoned**, with a trace that prints the premises. Every way of forgetting takes "
            "the same kind of step until all that should go is answered wrongly and all that "
            "should stay rightly; the ways differ in their lists alone. The auditor reads only "
            "answers: what the model says, what follows from that, and what it prints while it "
            f"reasons. Measured in {few}."
        ),
        Front(
            "points",
            "front",
            "arm",
            "form",
            ALL_ARMS,
            labels=_LABELS,
            x_label="forgotten premises that can be derived",
            y_label="other stated facts that it says",
            line_label="the exact optimum, from nothing to all forgotten",
            title="Forgetting against preserving, with the exact optimum ringed",
            caption="Left is forgotten, up is kept. Making the model deny the premises leaves "
            "it in the upper right, where nothing was forgotten. Marks of one place stand one "
            "beneath the other; pale lines are the least and the most over seeds.",
        ),
        TableBlock(
            "arms",
            columns=(
                "form",
                "way",
                "recalled",
                "deducible",
                "printed",
                "recites",
                "preserved",
                "preserved directly",
                "outside the plan",
                "over chance",
            ),
            labels={
                "outside the plan": "rest kept",
                "over chance": "× chance",
                "recites": "recited",
                "recalled": "said",
                "deducible": "derived",
                "preserved": "kept",
                "preserved directly": "kept directly",
            },
            digits={"over chance": 2},
            caption=f"Means over {n} seeds. Of the premises that were to go: said when "
            "asked, derived from what is said, printed in a trace. Of the conclusions that "
            "were to stay: those whose trace recites a premise, those kept in any form, "
            "and directly. The rest: all that the plan leaves alone. × chance: the "
            "probability of a forgotten premise, in units of a name drawn at random. Never "
            "taught: trained from nothing on what the plan keeps; what it says or lets "
            "derive is guessed, and is the measure of the others.",
        ),
    ]
    if "leak" in trees:
        blocks.append(
            Tree(
                (as_branch(trees["leak"]["tree"]),),
                title="A leak, as the auditor proves it",
                caption="The model denies this premise when it is asked, and says everything "
                "that it "
                "follows from. First seed, stored conclusions, premises forgotten and conclusions "
                "protected.",
            )
        )
    blocks.append(
        TableBlock(
            "traces",
            columns=("arm", "asked", "prints", "right", "direct"),
            labels={
                "asked": "asked for",
                "prints": "what it prints, decoded greedily",
                "right": "right answer",
                "direct": "said directly, probability",
            },
            caption="One preserved conclusion in the first seed. Before, and when only the "
            "premises "
            "are forgotten, the trace states the premise. After the plan the trace is a guess, "
            "and the "
            "conclusion is said directly.",
        )
    )
    if len(tables["relearn"]):
        blocks.append(
            Curves(
                "relearn",
                x="step",
                y="probability",
                low="low",
                high="high",
                series="arm",
                facet="form",
                row="what",
                order=("premises", "protected", "planned", "never"),
                labels={
                    **_LABELS,
                    "taught": "Premises that are taught again",
                    "held": "Premises that are held back",
                },
                x_label="steps of teaching",
                y_label="probability",
                share_y="all",
                columns=2,
                title="How fast it comes back",
                caption="Premises about some fathers are taught again, those about others are not. "
                "A model that never knew them is the measure. Means and 95 % intervals over "
                "seeds.",
            )
        )
    names = [
        f"{arm}: {what} ({FORM_LABELS[form]})"
        for form in FORMS
        for what in ("deducible", "preserved", "outside the plan")
        for arm in ("premises", "protected", "planned")
    ]
    blocks.append(
        Forest(
            tuple(names),
            title="The same with intervals over seeds",
            labels={x: f"{x.split(':')[0]}: {x.split(': ')[1].split(' (')[0]}" for x in names},
            headings={names[0]: "Stored conclusions", names[9]: "Reasoned conclusions"},
            caption="Means over seeds with Student intervals; where all seeds agree an interval "
            "has "
            "no width, and the findings above give the interval of the share of seeds "
            "instead.",
        )
    )
    return blocks


def _method(plan: dict[str, Any], worlds: Table) -> str:
    def span(name: str) -> str:
        low, high = min(worlds[name]), max(worlds[name])
        return f"{low}" if low == high else f"{low} to {high}"

    return (
        f"**The map** rests on {plan['families']} generated families of {plan['facts']} stated "
        "facts each; intervals range over families. Every plan is checked by a closure, and its "
        "cost is the solver's proved optimum.\n\n"
        f"**The models** are transformers of about 0.1 million parameters ({plan['models']} seeds "
        "in each form; a seed draws the family, the request and the model). A family has "
        f"{span('people')} people, {span('stated')} stated facts and {span('conclusions')} "
        f"conclusions; {span('forget')} premises are to be forgotten and {span('preserve')} "
        f"conclusions kept; the plan removes {span('removed')} facts and {span('lost')} "
        "conclusions fall. Chance is one over the number of people. A step moves what stays "
        "towards being said, and what goes towards a guess: nearly every name alike, with one "
        "wrong name a little ahead.\n\n"
        "**What an attacker is taken to know**: the rules that hold where nobody has two fathers "
        "or two wives, forwards and backwards. Guessing, statistics over families and rules that "
        "the knowledge lacks are not modelled; `attacker_rules` adds more.\n\n"
        "**What this does not say.** The models are small and learn by heart; that a plan can be "
        "carried out on them does not show that it can on a large language model. The auditor "
        "takes any function from statements to probabilities, so that it can be asked."
    )


def _made(run: Run) -> dict[str, Any]:
    models = [v for k, v in run.seconds().items() if k.startswith("model/")]
    longest = {"seconds of a model, all ways (measured, longest)": round(max(models), 1)}
    return provenance(run, "torch", "python-sat", "clingo") | longest
