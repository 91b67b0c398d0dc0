"""The curves and intervals of the margin page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unteach.core import Reading
from unteach.report import Block, Boundary, Curves, Forest, Section

from .leak import LEAKS
from .picture import AFTER, BEFORE
from .setting import ARM_LABELS, ARMS, GALLERY, KERNEL_LABELS

# The pictures of the margin page: boundaries that move, kernel by kernel.

_WHEN = {BEFORE: "before", AFTER: "after: half of the support vectors forgotten"}
LABELS = {**ARM_LABELS, **KERNEL_LABELS, "-1": "class −1", "1": "class +1"}


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
        labels={**LABELS, "accuracy": "accuracy", "moved": "predictions changed"},
    )


def gallery_figures() -> list[Boundary]:
    """Return the gallery: each set before and after, kernel by kernel, a slide each."""
    return [
        Boundary(
            "gallery",
            "gallery points",
            row="when",
            where={"set": source.name},
            title=f"The kernels before and after: {source.title}",
            caption="Above, each machine as it was learned; below, the one that is left when the "
            "most memorized half of its support vectors is forgotten. One data draw.",
            classes=(-1, 1),
            notes=("accuracy", "moved"),
            labels={**LABELS, **_WHEN, "accuracy": "accuracy", "moved": "predictions changed"},
        )
        for source in GALLERY
    ]


def dose_blocks(plan: dict[str, Any], titles: dict[str, str]) -> list[Block]:
    """Return the curves of dose and response."""
    shared: dict[str, Any] = {
        "x": "dose",
        "series": "arm",
        "facet": "kernel",
        "row": "set",
        "order": ARMS,
        "labels": {**LABELS, **titles},
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


def newcomers(plan: dict[str, Any], titles: dict[str, str]) -> list[Block]:
    """Return who becomes a support vector, when one leaves and when many do."""
    return [
        Section(
            "Who becomes a support vector when others leave",
            "A point that is no support vector today may be one tomorrow: none of them can be "
            "thrown away, or the machine could no longer forget exactly.",
        ),
        Curves(
            "joining",
            x="distance",
            y="chance",
            low="low",
            high="high",
            facet="kernel",
            row="set",
            labels={**LABELS, **titles},
            x_label="distance beyond the margin",
            y_label="chance to become a support vector",
            title="Who takes the place of one that leaves, by distance from the margin",
            caption="One support vector, drawn at random, leaves. The chance of each point that "
            "was none to become one, against how far beyond the margin it stood: y f(x) − 1, in "
            f"six bins, the last one open. Means and 95 % intervals over {plan['draws']} data "
            "draws.",
        ),
        Curves(
            "dose",
            x="dose",
            y="newcomers",
            low="newcomers_low",
            high="newcomers_high",
            series="arm",
            facet="kernel",
            row="set",
            order=ARMS,
            labels={**LABELS, **titles},
            x_label="support vectors forgotten",
            y_label="new support vectors",
            title="Points that became support vectors, against the dose",
            caption=f"Means and 95 % intervals over {plan['draws']} data draws of the points that "
            "were none before.",
        ),
    ]


def forest(judged: Sequence[Reading], titles: dict[str, str]) -> list[Block]:
    """Return the intervals of what is judged."""
    if not judged:
        return []
    labels, headings, seen = {}, {}, set()
    for r in judged:
        name, kernel = r.name.split(":")[0].rsplit(" ", 1)
        control = "random points" if r.name.endswith("random") else "non-support vectors"
        labels[r.name] = f"{KERNEL_LABELS[kernel]}, against {control}"
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


def leak_blocks(readings: Sequence[Reading], titles: dict[str, str]) -> list[Block]:
    """Return what one forgotten point moves when statistics follow the data."""
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
