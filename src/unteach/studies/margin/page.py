"""The margin page: what stands where, and how it is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unteach.report import (
    Page,
    Prose,
    Section,
    TableBlock,
)
from unteach.store import Run

from ..study import command, provenance, python
from .answer import answer
from .blocks import dose_blocks, forest, gallery_figures, key_figure, leak_blocks, newcomers
from .conclude import PRIMARY
from .setting import Source


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
            *gallery_figures(),
            *dose_blocks(plan, titles),
            Section(
                "Does forgetting support vectors hurt more than forgetting others?",
                f"Judged at one dose that was chosen beforehand, {PRIMARY:.0%} of the support "
                "vectors: held-out accuracy after forgetting the most memorized ones, less "
                "accuracy after forgetting as many controls of the same classes: points at "
                "random, or points that are no support vectors. Left of zero, support vectors "
                "cost more.",
            ),
            *forest(judged, titles),
            TableBlock(
                "contrast",
                columns=("set", "kernel", "control", "difference", "low", "high", "p", "p_holm"),
                where={"dose": PRIMARY},
                digits={"difference": 4, "low": 4, "high": 4, "p": 3, "p_holm": 3},
                caption="The same in numbers; p_holm is adjusted within a control, sigmoid apart.",
            ),
            *leak_blocks(readings, titles),
            *newcomers(plan, titles),
            Section("The machines, before anything is forgotten"),
            TableBlock(
                "machines",
                columns=(
                    "set",
                    "kernel",
                    "accuracy",
                    "support",
                    "memorized",
                    "memory_margin",
                    "memory_inside",
                    "memory_tenth",
                    "joined",
                    "left",
                    "unique",
                    "residual",
                ),
                digits={
                    **dict.fromkeys(("support", "memorized", "accuracy"), 3),
                    **dict.fromkeys(("memory_margin", "memory_inside", "memory_tenth"), 2),
                    **dict.fromkeys(("joined", "left"), 2),
                },
                labels={
                    "support": "support vectors",
                    "memorized": "memorized",
                    "memory_margin": "memory at the margin",
                    "memory_inside": "memory inside it",
                    "memory_tenth": "held by the top tenth",
                    "joined": "join when one leaves",
                    "left": "drop out with it",
                    "unique": "unique solution",
                    "residual": "largest KKT residual",
                },
                caption="Share of training points that are support vectors, and the share that is "
                "classified correctly only because the point itself was there (exact "
                "leave-one-out). Being a support vector is not being memorized in this sense. "
                "Memory: the margin that a support vector owes to its own presence, on average, "
                "for those at the margin and those inside it; and the share of all memory that "
                "the most memorized tenth of the training points holds. Join and drop out: how "
                "many others become support vectors when one leaves, and how many cease to be.",
            ),
            Prose(_method(plan, sources)),
        ),
        command=command(plan),
        python=python(plan),
        provenance=provenance(run, "scipy", "scikit-learn", "numba"),
        readings=tuple(readings),
        tables=tuple(tables.values()),
    )


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
