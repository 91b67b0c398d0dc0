"""The figures of the tower page."""

from __future__ import annotations

from typing import Any

from unteach.core import Table
from unteach.report import Block, Curves, Divided, Hierarchy, Matrix, Section, TableBlock
from unteach.skills import SkillGraph

from .setting import KEPT, MAIN, METHODS, top

NAMES = "; ".join(f"{k}: {v}" for k, v in (*METHODS.items(), *KEPT.items()))
ONE = "Means over seeds; the tables of the page's data hold every seed."


def key_figure() -> Hierarchy:
    """Return the picture: the tower before and after, with the measured edges."""
    return Hierarchy(
        "tower",
        "tower edges",
        frame="frame",
        title="The tower, before and after",
        caption="Each card is a skill with its accuracy when it is asked for by name, and a mark "
        "at chance. Thin lines are declared calls; a broad line is as wide as the second skill "
        "fell when the first was forgotten. Dotted lines, in the frame where everything else is "
        "protected, lead from the skills through which the forgotten one can still be had.",
        labels={"accuracy": "accuracy by name"},
    )


def forget_blocks(plan: dict[str, Any]) -> list[Block]:
    """Return the front doors beside the back doors, and the table of formats."""
    method, kept = MAIN
    rows: list[Block] = [
        Section(
            "Front doors and back doors",
            "The front door is the skill asked for by name. A back door computes it from "
            "answers about other skills. The two stand side by side: the front door alone "
            "says nothing about forgetting.",
        ),
        TableBlock(
            "forgetting by arm",
            columns=(
                "format",
                "skill",
                "front",
                "front low",
                "front high",
                "mean back door",
                "best back door",
                "top",
                "least kept",
                "n",
            ),
            where={"method": method, "kept": kept},
            digits=2,
            labels={
                "front": "front door",
                "front low": "low",
                "front high": "high",
                "top": "highest skill",
                "least kept": "worst of the kept",
                "n": "seeds",
            },
            caption="The table of formats: random labels, everything else protected. " + ONE,
        ),
        TableBlock(
            "forgetting by arm",
            columns=(
                "format",
                "skill",
                "method",
                "kept",
                "front",
                "mean back door",
                "best back door",
                "top",
                "least kept",
                "n",
            ),
            digits=2,
            labels={
                "front": "front door",
                "kept": "protected",
                "top": "highest skill",
                "least kept": "worst of all others",
                "n": "seeds",
            },
            caption="All methods. What is not protected mostly falls with the skill. "
            f"{NAMES}. {ONE}",
        ),
    ]
    return rows


def mole_blocks(plan: dict[str, Any]) -> list[Block]:
    """Return the back doors, closed one after another."""
    return [
        Section(
            "Whack-a-mole",
            "Close a back door, and look through the next: its very questions are forgotten "
            "as well, while all skills are held in place.",
        ),
        *(
            Matrix(
                "moles by door",
                "door",
                "closed",
                "accuracy",
                where={"format": f},
                rows="door",
                columns="back doors closed",
                title=f"Every door as the first ones are closed ({f})",
                caption="Accuracy through each door. Column 0: the front door alone was forgotten. "
                + ONE,
                above="accuracy",
            )
            for f in plan["formats"]
        ),
    ]


def change_blocks(plan: dict[str, Any], graph: SkillGraph) -> list[Block]:
    """Return who follows a change."""
    blocks: list[Block] = [
        Section(
            "Change it, and see who follows",
            "The skill's own tasks are taught with a new definition; no task above it shows "
            "the new one. Bars divide the answers for which the two definitions differ.",
        ),
    ]
    for skill in plan["world"]["forgotten"]:
        above = top(graph, skill, tuple(plan["world"]["skills"]))
        for asked in dict.fromkeys((above, skill)):
            blocks.append(
                Divided(
                    "changes by skill",
                    "change",
                    ("new", "old", "neither"),
                    group="format",
                    where={"skill": skill, "asked": asked},
                    title=f"{asked}, after {skill} was changed",
                    caption="New: as the new definition gives it. Where nothing else is said, only "
                    "the layers behind the last attention were moved. " + ONE,
                )
            )
        blocks.append(
            TableBlock(
                "changes by skill",
                columns=(
                    "format",
                    "change",
                    "new",
                    "new low",
                    "new high",
                    "old",
                    "neither",
                    "coherence",
                    "n",
                ),
                where={"skill": skill, "asked": above},
                digits=2,
                labels={"n": "seeds"},
                caption=f"{above} after the change of {skill}, in numbers; the page's data hold "
                "every "
                "skill. Coherence: how often the answer equals what the model's own atoms "
                "compose to.",
            )
        )
    return blocks


def matrix_blocks(plan: dict[str, Any], tables: dict[str, Table]) -> list[Block]:
    """Return the matrices in topological order."""
    blocks: list[Block] = [
        Section(
            "What falls with what",
            "Every pair of skills: one is forgotten by random labels until it reaches "
            f"chance or {plan['few_steps']} steps are over, all others but the second are "
            "protected, and the second is watched.",
        ),
    ]
    for f in dict.fromkeys(tables["entanglement"]["format"]):
        blocks.append(
            Matrix(
                "entanglement",
                "forgotten",
                "watched",
                "fall",
                where={"format": f},
                order=tuple(plan["world"]["skills"]),
                marked="stands on it",
                marks="stands on the forgotten one, as declared",
                rows="forgotten",
                columns="watched",
                title=f"Entanglement ({f})",
                caption="Share of the watched skill's accuracy above chance that is gone; skills "
                "in "
                "the tower's order, so that a hierarchy would fill the upper right. " + ONE,
                above="fall",
                below="gain",
            )
        )
    return blocks


def relearn_blocks(plan: dict[str, Any], tables: dict[str, Table]) -> list[Block]:
    """Return the relearning curves and the damage by role."""
    blocks: list[Block] = [
        Section("How fast it comes back, and where the trace broke"),
        Curves(
            "relearning by step",
            "step",
            "accuracy",
            "accuracy low",
            "accuracy high",
            series="model",
            facet="format",
            row="skill",
            x_label="steps of relearning",
            y_label="accuracy on the other half",
            title="Half of the skill's tasks are taught again",
            caption="Accuracy on the half that is not, against models that were never taught the "
            "skill. " + ONE,
        ),
    ]
    if len(tables["roles"]):
        blocks.append(
            TableBlock(
                "roles by arm",
                columns=(
                    "format",
                    "skill",
                    "trace",
                    "role",
                    "before",
                    "after",
                    "drop",
                    "drop low",
                    "drop high",
                    "n",
                ),
                where={"method": "labels", "kept": "atoms"},
                digits=2,
                labels={"n": "seeds"},
                caption="Damage by role: accuracy of each token of the trace, given all before it, "
                "when only atoms were protected. The page's data hold the other arms. " + ONE,
            )
        )
    return blocks
