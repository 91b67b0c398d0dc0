"""The margin page: what stands where, and how it is repeated."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from unteach.core import Reading
from unteach.report import (
    Block,
    Boundary,
    Curves,
    Forest,
    Page,
    Prose,
    Section,
    TableBlock,
)
from unteach.store import Run

from .answer import answer
from .conclude import PRIMARY
from .leak import LEAKS
from .setting import ARM_LABELS, ARMS, KERNEL_LABELS, Source

_LABELS = {**ARM_LABELS, **KERNEL_LABELS, "-1": "class −1", "1": "class +1"}


def key_figure() -> Boundary:
    """Return the picture: the boundary as support vectors are forgotten, kernel by kernel."""
    return Boundary(
        "surface",
        "points",
        title="The boundary, as its support vectors are forgotten",
        caption="Two moons, one data draw. Support vectors go, most memorized first: those whose "
        "own margin falls most when the machine never saw them. The share is of the first "
        "machine's support vectors; the points ringed in later frames are those of the machine "
        "that is left. Under a frame: held-out accuracy, and the share of held-out predictions "
        "that differ from the first frame.",
        classes=(-1, 1),
        notes=("accuracy", "moved"),
        labels={**_LABELS, "accuracy": "accuracy", "moved": "predictions changed"},
    )


def margin_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables = run.readings(), run.tables()
    plan = run.plan
    sources = [Source(**s) for s in plan["sources"]]
    titles = {s.name: s.title for s in sources}
    judged = [r for r in readings if ": support vectors less " in r.name]
    return Page(
        title="Margin",
        kicker="Study 1 of 5 · kernel machines",
        question="Support vectors are the memories of a kernel machine. What happens when they go?",
        answer=tuple(answer(readings, tables, titles, plan)),
        blocks=(
            Section(
                "See it move",
                "Step through the frames: what goes first is what the machine memorized most.",
            ),
            key_figure(),
            *_dose_blocks(plan, titles),
            Section(
                "Does forgetting support vectors hurt more than forgetting others?",
                f"Judged at one dose that was chosen beforehand, {PRIMARY:.0%} of the support "
                "vectors: held-out accuracy after forgetting the most memorized ones, less "
                "accuracy after forgetting as many controls of the same classes: points at "
                "random, or points that are no support vectors. Left of zero, support vectors "
                "cost more.",
            ),
            *_forest(judged, titles),
            TableBlock(
                "contrast",
                columns=("set", "kernel", "control", "difference", "low", "high", "p", "p_holm"),
                where={"dose": PRIMARY},
                digits={"difference": 4, "low": 4, "high": 4, "p": 3, "p_holm": 3},
                caption="The same in numbers; p_holm is adjusted within a control, sigmoid apart.",
            ),
            *_leak_blocks(readings, titles),
            *_newcomers(plan, titles),
            Section("The machines, before anything is forgotten"),
            TableBlock(
                "machines",
                columns=(
                    "set",
                    "kernel",
                    "accuracy",
                    "support",
                    "memorized",
                    "joined",
                    "left",
                    "unique",
                    "residual",
                ),
                digits={"support": 3, "memorized": 3, "accuracy": 3, "joined": 2, "left": 2},
                labels={
                    "support": "support vectors",
                    "memorized": "memorized",
                    "joined": "join when one leaves",
                    "left": "drop out with it",
                    "unique": "unique solution",
                    "residual": "largest KKT residual",
                },
                caption="Share of training points that are support vectors, and the share that is "
                "classified correctly only because the point itself was there (exact "
                "leave-one-out). Being a support vector is not being memorized in this sense. Join "
                "and drop out: how many others become support vectors when one leaves, and how "
                "many cease to be.",
            ),
            Prose(_method(plan, sources)),
        ),
        command=_command(plan),
        python=_python(plan),
        provenance=_provenance(run),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


def _dose_blocks(plan: dict[str, Any], titles: dict[str, str]) -> list[Block]:
    shared: dict[str, Any] = {
        "x": "dose",
        "series": "arm",
        "facet": "kernel",
        "row": "set",
        "order": ARMS,
        "labels": {**_LABELS, **titles},
        "zero_line": True,
        "x_label": "support vectors forgotten",
    }
    text = (
        "The dose is a share of the support vectors, or as many other points. "
        f"Means and 95 % intervals over {plan['draws']} data draws, paired with the machine "
        "before; for the real sets corrected for the overlap of the draws. Controls match number "
        "and class; where that is not possible in every draw, the line ends."
    )
    return [
        Section("Dose and response", "What held-out points see of it, kernel by kernel."),
        Curves(
            "dose",
            y="change",
            low="low",
            high="high",
            y_label="change of held-out accuracy",
            title="Held-out accuracy, against the dose",
            caption=text,
            **shared,
        ),
        Curves(
            "dose",
            y="moved",
            low="moved_low",
            high="moved_high",
            y_label="held-out predictions changed",
            title="Movement of the boundary, against the dose",
            caption="The share of held-out points whose predicted class changed. " + text,
            **shared,
        ),
    ]


def _newcomers(plan: dict[str, Any], titles: dict[str, str]) -> list[Block]:
    return [
        Section(
            "Who becomes a support vector when others leave",
            "A point that is no support vector today may be one tomorrow: none of them can be "
            "thrown away, or the machine could no longer forget exactly.",
        ),
        Curves(
            "dose",
            x="dose",
            y="newcomers",
            series="arm",
            facet="kernel",
            row="set",
            order=ARMS,
            labels={**_LABELS, **titles},
            x_label="support vectors forgotten",
            y_label="new support vectors",
            title="Points that became support vectors, against the dose",
            caption=f"Means over {plan['draws']} data draws of the points that were none before.",
        ),
    ]


def _forest(judged: Sequence[Reading], titles: dict[str, str]) -> list[Block]:
    if not judged:
        return []
    labels, headings, seen = {}, {}, set()
    for r in judged:
        name, kernel = r.name.split(":")[0].rsplit(" ", 1)
        control = "random" if r.name.endswith("random") else "no support vectors"
        labels[r.name] = f"{KERNEL_LABELS[kernel]}, less {control}"
        if name not in seen:
            headings[r.name] = titles[name]
            seen.add(name)
    return [
        Forest(
            tuple(r.name for r in judged),
            title="Support vectors less controls, held-out accuracy",
            caption="Each interval stands for itself; the answer counts only what is left after "
            "adjusting for all settings that are judged together.",
            labels=labels,
            headings=headings,
        )
    ]


def _leak_blocks(readings: Sequence[Reading], titles: dict[str, str]) -> list[Block]:
    names = [f"{s}: {leak}" for s in titles for leak in LEAKS]
    found = [r.name for r in readings if r.name in names]
    labels = {n: LEAKS[n.split(": ")[1]] for n in found}
    headings: dict[str, str] = {}
    for n in found:
        if titles[n.split(": ")[0]] not in headings.values():
            headings[n] = titles[n.split(": ")[0]]
    return [
        Section(
            "What a forgotten non-support vector changes",
            "With a positive semidefinite kernel nothing, as long as kernel, C and scaling stay "
            "what they are. But gamma, scaling "
            "constants and class weights that are computed from the data remember every point, "
            "support vector or not; then forgetting it exactly moves the machine.",
        ),
        Forest(
            tuple(found),
            title="One forgotten non-support vector: largest shift of a score",
            caption="In units of the mean absolute decision value of held-out points; Gaussian "
            "kernel.",
            labels=labels,
            headings=headings,
        ),
    ]


def _method(plan: dict[str, Any], sources: Sequence[Source]) -> str:
    sizes = "; ".join(
        f"{s.title}: {s.n_train} to learn from, {s.n_test} held out, C = {s.C:g}" for s in sources
    )
    return (
        f"**How it was measured.** {plan['draws']} data draws a set ({sizes}). Scaling constants "
        "(from the whole set, held-out points included), gamma and C are held fixed. With the "
        "three positive semidefinite kernels every forgetting is exact: the machine's own "
        "`forget`, with a certificate whose KKT residual is recomputed in float64 "
        "(largest: {largest KKT residual}). The memory of a point is the margin that it owes to "
        "its own presence, by exact leave-one-out.\n\n"
        "**The sigmoid kernel is not positive semidefinite.** Its problem has no unique solution; "
        "a retrained machine is a stationary point, and nothing more is claimed for it. It is "
        "drawn because people use it.\n\n"
        "**What this does not say.** Accuracy differences smaller than the intervals cannot be "
        "seen at these sizes, and for real sets more draws would not help: the draws share their "
        "records. The sets are small, and C and gamma are not tuned."
    )


def _command(plan: dict[str, Any]) -> str:
    form = " --full" if plan["form"] == "full" else ""
    return f"unteach study margin{form} --seed {plan['seed']}"


def _python(plan: dict[str, Any]) -> str:
    return (
        "from unteach.report import write_page\n"
        "from unteach.studies import MARGIN\n"
        "from unteach.store import Store\n\n"
        f"plan = MARGIN.plan(full={plan['form'] == 'full'}, seed={plan['seed']})\n"
        'with Store.open(".unteach") as store:\n'
        '    run = store.begin(plan, name="study margin")\n'
        "    MARGIN.run(run)\n"
        '    write_page(MARGIN.conclude(run), "index.html")\n'
    )


def _provenance(run: Run) -> dict[str, Any]:
    names = ("unteach", "numpy", "scipy", "scikit-learn", "numba")
    seconds = run.seconds()
    return {
        **{n: version(n) for n in names},
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "run": run.id,
        "tasks": len(seconds),
        "seconds of all tasks (measured)": round(sum(seconds.values()), 1),
    }
