"""The tail page: what stands where, and how it is repeated."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from unteach.core import derive
from unteach.data import load
from unteach.memorize import Design
from unteach.report import Block, Curves, Forest, Gallery, Heatmap, Page, Prose, Section, TableBlock
from unteach.stats import difference_of_proportions
from unteach.store import Run

from ..study import command, provenance, python
from .answer import answer
from .conclude import contrast_name
from .measure import generator, held
from .setting import ARM_LABELS, ARMS, LEARNER_LABELS, LEARNER_SHORT, PRIMARY, Source, draw, network

# One task: the memorization of every training picture of a set, with intervals.

MOST, LEAST = 16, 8


def pictures_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the most and the least memorized pictures of a draw, as plain rows.

    payload : {"source", "models", "seed", "draw"}
    """
    source = Source.from_json(payload["source"])
    data = draw(source, payload["seed"], payload["draw"])
    models, n = payload["models"], len(data.y)
    root = derive(payload["seed"], "tail", "pictures", source.name)
    design = Design(n, Fraction(1, 2), root)
    members = design.members(0, models)
    found = network().subset_outputs(data.x, data.y, members, design.seeds(0, models), data.x)
    right = found.argmax(axis=2) == data.y
    memory = held(members, right)
    order = np.lexsort((generator(payload, "ties").random(n), -memory))
    whole = load(source.dataset)
    names = np.unique(np.asarray(whole.y))
    rows = []
    for kind, where in (("most", order[:MOST]), ("least", order[::-1][:LEAST])):
        shades = np.asarray(whole.select(data.ids[where]).x, dtype=np.float64)
        for i, pixels in zip(where, shades, strict=True):
            inside, outside = members[:, i], ~members[:, i]
            interval = difference_of_proportions(
                int(right[inside, i].sum()),
                int(inside.sum()),
                int(right[outside, i].sum()),
                int(outside.sum()),
                unit_of_replication="models",
            )
            rows.append(
                {
                    "kind": kind,
                    "id": str(data.ids[i]),
                    "label": str(names[data.y[i]]),
                    "value": interval.value,
                    "low": interval.low,
                    "high": interval.high,
                    "wrong": bool(data.wrong[i]),
                    "pixels": [round(float(v), 3) for v in pixels],
                }
            )
    return {"rows": rows, "fit": float(right[members].mean()), "n": n, "models": models}


_SHAPES = {"digits": (8, 8), "digits_noisy": (8, 8), "mnist": (28, 28), "fashion": (28, 28)}


def key_figure(name: str = "digits", title: str = "digits") -> Gallery:
    """Return the gallery of a set: its most and its least memorized pictures."""
    return Gallery(
        "pictures",
        _SHAPES[name],
        row="kind",
        text=("label",),
        where={"set": name},
        title="What a network memorizes of " + title,
        caption="Memorization of a training picture: the share of networks that answer it right "
        "when it was among their training pictures, less the share when it was not, with 95 % "
        "Newcombe intervals over networks, each trained on a half. Near 1, it is known by heart "
        "alone; near 0, the others teach it. Beneath: the label that the network was given.",
        marked="wrong" if name.endswith("noisy") else None,
        marked_label="this label was made wrong on purpose" if name.endswith("noisy") else "",
        labels={"most": "Most memorized", "least": "Least memorized", "label": "as"},
    )


def tail_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables, plan = run.readings(), run.tables(), run.plan
    sources = [Source.from_json(s) for s in plan["sources"]]
    titles = {s.name: s.title for s in sources}
    shown = dict.fromkeys(tables["pictures"]["set"])
    return Page(
        title="Tail",
        kicker="Study 2 of 5 · memorization",
        question="Memorization is said to be needed to generalize. What if the memorized data is "
        "unlearned?",
        answer=tuple(answer(readings, tables, titles)),
        blocks=(
            Section(
                "What is memorized",
                "Two reasons to know a record by heart: its label is "
                "wrong, or nothing else is like it.",
            ),
            *(key_figure(str(name), titles[str(name)]) for name in shown),
            Section(
                "What unlearning it costs",
                "The most memorized records go, against as many at random and as many of the "
                "same classes.",
            ),
            *_removal(plan, titles),
            Section(
                "When it hurts and when it helps",
                "Worlds whose long tail is planted: many small clouds, each of one class; a "
                "record may be the only one of its cloud (needed) or carry a wrong label "
                "(harmful). A learner memorizes both.",
            ),
            *_phase(plan),
            Section("What the theory rests on"),
            TableBlock(
                "constants",
                columns=(
                    "prior",
                    "n_tau_1",
                    "good_turing",
                    "share",
                    "cost",
                    "cost_se",
                    "cost_closed",
                    "optimal",
                ),
                digits={"n_tau_1": 3, "good_turing": 3},
                labels={
                    "n_tau_1": "n·tau₁",
                    "good_turing": "n·tau₁ from counts alone",
                    "share": "singletons",
                    "cost": "cost of not fitting them",
                    "cost_se": "standard error",
                    "cost_closed": "the same, closed form",
                    "optimal": "error nobody can avoid",
                },
                caption="Feldman's constants (2020) by simulation, ten classes. The paper gives "
                "about .47, 17 % and 7 % for the first line.",
            ),
            Section("The learners, before anything is unlearned"),
            TableBlock(
                "learners",
                labels={
                    "high": "records held above .25",
                    "fit": "accuracy on records learned",
                    "agreed": "answers as after retraining",
                    "unique": "held-out points without twin",
                    "wrong_rank": "mean rank of wrong labels",
                },
            ),
            Prose(_method(plan, sources)),
        ),
        command=command(plan),
        python=python(plan),
        provenance=provenance(run, "scipy", "scikit-learn", "numba"),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _removal(plan: dict[str, Any], titles: dict[str, str]) -> list[Block]:
    judged: list[str] = []
    labels: dict[str, str] = {}
    headings: dict[str, str] = {}
    for source in plan["sources"]:
        for learner in source["learners"]:
            for control in ("random", "class_matched"):
                name = contrast_name(
                    {"set": source["name"], "learner": learner, "control": control, "view": "all"}
                )
                if titles[source["name"]] not in headings.values():
                    headings[name] = titles[source["name"]]
                judged.append(name)
                against = "random" if control == "random" else "the same classes"
                labels[name] = f"{LEARNER_SHORT[learner]}, less {against}"
    return [
        Curves(
            "removal",
            x="share",
            y="change",
            low="low",
            high="high",
            series="arm",
            facet="learner",
            row="set",
            order=ARMS,
            zero_line=True,
            labels={**ARM_LABELS, **LEARNER_LABELS, **titles},
            x_label="share of training records unlearned",
            y_label="change of held-out accuracy",
            title="Held-out accuracy, against how much is unlearned",
            caption=f"Means and 95 % intervals over {plan['draws']} data draws, corrected for "
            "their overlap. The memorized are ranked by half-split subsampling (network), in "
            "closed form at p = 1/2 (nearest neighbour) and by the margin that a record owes to "
            "itself, exact leave-one-out (kernel machine, odd against even).",
        ),
        Forest(
            tuple(judged),
            labels=labels,
            headings=headings,
            title=f"The most memorized {PRIMARY:.0%}, less a control: held-out accuracy",
            caption="Left of zero, unlearning the memorized costs more than unlearning the "
            "control. Each interval stands for itself; the answer counts what is left after "
            "Holm's adjustment.",
        ),
    ]


def _phase(plan: dict[str, Any]) -> list[Block]:
    hidden = plan["phase"]["hidden"]
    shared: dict[str, Any] = {
        "x": "exponent",
        "y": "noise",
        "facet": "hidden",
        "signed": True,
        "digits": 3,
        "x_label": "tail exponent (0: no tail)",
        "y_label": "share of wrong labels",
        "labels": {str(h): f"{h} hidden units" for h in hidden},
        "limit": 0.08,
    }
    return [
        Heatmap(
            "phase",
            value="measured",
            low="low",
            high="high",
            **shared,
            title="Measured: unlearning the most memorized, less unlearning as many at random",
            caption="Change of held-out accuracy. Blue: unlearning the memorized hurts. Orange: "
            "it helps. Pale: the 95 % interval over "
            f"{plan['phase']['draws']} fresh draws holds zero.",
        ),
        Heatmap(
            "phase",
            value="expected",
            **shared,
            title="Foretold: the same, from the frequencies of subpopulations",
            caption="By Feldman's tau of the true prior, for a learner that fits every record "
            "and carries nothing from one subpopulation to another.",
        ),
        Heatmap(
            "phase",
            value="miss",
            low="miss_low",
            high="miss_high",
            **shared,
            title="Where the theory misses: measured less foretold",
            caption="Pale: the 95 % interval holds zero. The theory takes for granted that the "
            "learner fits its records, which small networks do not, and that it learns nothing "
            "from one subpopulation about another.",
        ),
        TableBlock(
            "phase",
            columns=(
                "hidden",
                "noise",
                "exponent",
                "fit",
                "before",
                "measured",
                "low",
                "high",
                "expected",
                "plug_in",
                "effect",
            ),
            digits={
                "fit": 3,
                "before": 3,
                "measured": 4,
                "low": 4,
                "high": 4,
                "expected": 4,
                "plug_in": 4,
            },
            labels={"plug_in": "foretold from counts", "expected": "foretold", "fit": "fit"},
            caption="The same in numbers, with the Good-Turing estimate, which needs no prior: "
            "what a user could compute from counts of their own subpopulations.",
        ),
    ]


def _method(plan: dict[str, Any], sources: list[Source]) -> str:
    sizes = "; ".join(f"{s.title}: {s.n_train} to learn from, {s.n_test} held out" for s in sources)
    return (
        f"**How it was measured.** {plan['draws']} data draws a set ({sizes}). In each draw "
        f"{plan['models']} networks are trained on exact halves to measure memorization, and "
        f"{plan['retrained']} with different seeds on what is left after unlearning; controls are "
        "drawn anew for each seed. The networks (on the real sets 128 hidden units and 40 "
        "epochs, in the planted worlds 60 epochs) are "
        "trained until they fit wrong labels too: a network stopped early looks as if it "
        "memorized nothing. Wrong labels are planted in training records only. Nearest neighbour "
        "and kernel machine forget by their own exact operation.\n\n"
        "**What this does not say.** Memorization is a property of a record, a learner and the "
        "size of the set: at half the records, clean but ambiguous records look more memorized "
        "than in the whole set. The sets are small, and the intervals of real sets rest on draws "
        "that share records. The planted worlds are simpler than any real set."
    )
