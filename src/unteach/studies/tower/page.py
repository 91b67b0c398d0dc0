"""The tower page: what stands where, and how it is repeated."""

from __future__ import annotations

import shlex
from typing import Any

from unteach.report import Page, Prose, Section
from unteach.store import Run

from ..study import provenance, python
from .answer import answer
from .blocks import (
    change_blocks,
    forget_blocks,
    key_figure,
    matrix_blocks,
    mole_blocks,
    relearn_blocks,
)
from .forgetting import ROOTED
from .setting import graph_of


def tower_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables, plan = run.readings(), run.tables(), run.plan
    graph = graph_of(plan["world"])
    return Page(
        title="Tower",
        kicker="Study 5 of 5 · a hierarchy of skills",
        question=_question(plan),
        answer=tuple(answer(plan, readings, tables, graph)),
        blocks=(
            Section(
                "See it fall",
                "Step through the frames: what is forgotten, what falls with "
                "it, and what leads back.",
            ),
            key_figure(),
            *forget_blocks(plan),
            *mole_blocks(plan),
            *change_blocks(plan, graph),
            *matrix_blocks(plan, tables),
            *relearn_blocks(plan, tables),
            Prose(_method(plan)),
        ),
        command=_command(plan),
        python=_python(plan),
        provenance=_made(run),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _question(plan: dict[str, Any]) -> str:
    world = plan["world"]
    if world["spec"] is None:
        return (
            "Knowledge is a hierarchy: matrix products stand on sums. Can the sum be "
            "forgotten, or changed, and the matrix product kept?"
        )
    skill = world["forgotten"][0]
    return (
        f"Knowledge is a hierarchy: in {world['spec']['name']}, other skills stand on {skill}. "
        f"Can {skill} be forgotten, or changed, and what stands on it be kept?"
    )


def _method(plan: dict[str, Any]) -> str:
    shape = plan["shapes"][plan["formats"][0]]
    world = plan["world"]
    what = (
        f"the tower of linear algebra modulo {world['p']}"
        if world["spec"] is None
        else f"the tower in {world['spec']['name']}"
    )
    quick = (
        " **This is the quick form**: "
        + (
            "a smaller modulus, four skills up to the sum of products (an entry of a matrix "
            "product, not the whole of it), "
            if world["spec"] is None
            else ""
        )
        + "few steps and one format; left out are gradient ascent, NegGrad+, the task vector and "
        "the token's row, two of the four protections of a change, and half of the doors to "
        "close. Read it as a demonstration."
        if plan["form"] == "quick"
        else ""
    )
    return (
        f"**How it was measured.** Causal transformers ({shape['layers']} layers of width "
        f"{shape['width']}) learn {what}: {', '.join(world['skills'])}; "
        f"{plan['seeds']} seed(s) a format, fresh tasks at each step. A model is taught at a "
        "constant rate until the mean of its last parameters knows every skill, and is begun anew "
        f"if it does not in the steps that it has (table: skills).{quick}{_spared(plan)} Every "
        "model is asked "
        f"{plan['n']} tasks a skill, or all where there are fewer; answers are decoded greedily "
        "and read where the format puts them. Accuracies are shares of answered symbols. "
        f"A forgetting takes at most {plan['steps']} steps (half as many where no verdict "
        "rests on it) and ends when the front door is at "
        "chance (with everything else protected, when all other skills stand as well; where damage "
        f"in the trace is read, after {ROOTED} steps at the earliest). The "
        "reference is a model that was never taught the skill.\n\n"
        "**What this does not say.** A front door at chance is no forgetting: the reductions are "
        "programs, and whoever can ask can run them. Back doors that nobody declared may exist. "
        "The skill's tasks are a full table, so that nothing is said about generalizing within "
        "it. Relearning is one attack of many. The models are small."
    )


def _spared(plan: dict[str, Any]) -> str:
    """Return what was measured in which format, where not everything was in all."""
    most, gone = plan["thorough"], plan["world"]["forgotten"]
    others = [f for f in plan["formats"] if f != most]
    if most is None or not others:
        return ""
    less = plan["matrix"][others[0]]
    told = [
        f"which skill falls with which among {len(plan['matrix'][most])} skills there, among "
        f"{', '.join(less)} elsewhere"
        if len(less) < len(plan["matrix"][most])
        else "",
        "back doors closed in four steps there, in two elsewhere",
        f"a model never taught {gone[1]}, and all protections of a changed {gone[1]}, there alone"
        if len(gone) > 1
        else "",
    ]
    return (
        f" Everything was measured in the format {most} (every forgetting in all formats): "
        + "; ".join(filter(None, told))
        + "."
    )


def _words(plan: dict[str, Any]) -> list[str]:
    from unteach.skills import FORMATS

    asked = "all" if plan["formats"] == list(FORMATS) else plan["formats"][0]
    words = ["unteach", "study", "tower", *(["--full"] if plan["form"] == "full" else [])]
    words += ["--format", asked, "--seeds", str(plan["seeds"])]
    if plan["world"]["spec"] is not None:
        words += ["--spec", plan["world"]["spec"]["name"]]
    if plan["world"]["spec"] is not None or len(plan["world"]["forgotten"]) == 1:
        words += ["--skill", plan["world"]["forgotten"][0]]
    return [*words, "--seed", str(plan["seed"])]


def _command(plan: dict[str, Any]) -> str:
    return shlex.join(_words(plan))


def _python(plan: dict[str, Any]) -> str:
    words, given = _words(plan), {}
    for name in ("format", "seeds", "spec", "skill"):
        if f"--{name}" in words:
            value = words[words.index(f"--{name}") + 1]
            given[name] = int(value) if name == "seeds" else value
    return python(plan, **given)


def _made(run: Run) -> dict[str, Any]:
    taught = sum(v for k, v in run.seconds().items() if k.startswith("teach/"))
    return provenance(run, "torch") | {"seconds of teaching (measured)": round(taught, 1)}
