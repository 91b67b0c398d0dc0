"""The pictures of the margin page: boundaries that move, kernel by kernel."""

from __future__ import annotations

from unteach.report import Boundary

from .picture_rows import AFTER, BEFORE
from .setting import ARM_LABELS, GALLERY, KERNEL_LABELS

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
