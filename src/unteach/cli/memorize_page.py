"""The page of `unteach memorize`: how much is known by heart, and what."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from unteach.core import Reading, Table
from unteach.report import Block, Curves, Finding, Gallery, Page, Prose, Section, TableBlock
from unteach.stats import bootstrap_interval, proportion_interval

if TYPE_CHECKING:
    from unteach.memorize import Memorization

    from .sources import Source

MOST, LEAST = 24, 8
PICTURES = ("digits", "mnist", "fashion_mnist")
"""Bundled sets whose rows are square pictures."""


def memorize_page(
    found: Memorization, source: Source, model: str, learner: Any, command: str, seed: int
) -> Page:
    """Return the page. Records of a file are named by where they stand, never by their id."""
    records = _records(found, source)
    readings = _readings(found, seed)
    tables = [records, _spread(found)]
    fits = (
        ""
        if found.converged
        else (
            f" The models are right on {found.accuracy:.1%} of what they learned, under 99 %: "
            "**the "
            "values are too small.**"
        )
    )
    flagged = int(found.flagged.sum())
    answer = (
        Finding(
            f"**{flagged} of {len(found.ids)} records** are memorized beyond "
            f"{found.threshold:g}, at a false discovery rate of {found.fdr:.0%}: "
            "{share of records memorized}." + fits,
            ("share of records memorized",),
            "fact" if found.converged else "mixed",
        ),
        Finding(
            "On average a record is answered right {mean memorization} more often by models that "
            "learned from it.",
            ("mean memorization",),
        ),
    )
    return Page(
        title="Memories",
        kicker=f"unteach memorize · {source.name}",
        question=f"What does {model} know of {source.name} only by heart?",
        answer=answer,
        blocks=(
            *_shown(source),
            Section("How memorization is spread"),
            Curves(
                "spread",
                x="memorization",
                y="share",
                title="Records memorized at least so much",
                x_label="memorization",
                y_label="share of the records",
                caption="Most records lie near 0: the others teach them.",
            ),
            Prose(
                "**How it was measured.** Models are trained on random subsets. Memorization of a "
                "record: the share of models right on it among those that learned from it, less "
                f"the share among those that did not (Feldman and Zhang, 2020), at p = {found.p} "
                "of the records in a subset; at smaller p, clean but ambiguous records look more "
                "memorized than in the whole set. Intervals are Newcombe's, over models."
            ),
        ),
        command=command,
        python=_python(learner, seed, found),
        provenance={
            **{n: version(n) for n in ("unteach", "numpy", "scikit-learn", "numba")},
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "models": int(np.median(found.n_in + found.n_out)),
            "accuracy on records learned": round(found.accuracy, 4),
        },
        readings=tuple(readings),
        tables=tuple(tables),
    )


def _records(found: Memorization, source: Source) -> Table:
    order = np.argsort(-found.value, kind="stable")
    chosen = [("most", order[:MOST]), ("least", order[::-1][:LEAST])]
    rows: list[dict[str, Any]] = []
    side = isqrt(int(np.prod(np.shape(source.records.x)[1:])))
    for kind, where in chosen:
        for i in where:
            row = {
                "kind": kind,
                "record": str(source.records.ids[i]) if source.bundled else source.line(int(i)),
                "label": str(source.records.y[i]),
                "value": float(found.value[i]),
                "low": float(found.low[i]),
                "high": float(found.high[i]),
                "flagged": bool(found.flagged[i]),
                "q": float(found.q_value[i]),
                "soft": float(found.soft[i]),
            }
            if source.name in PICTURES and side:
                pixels = np.asarray(source.records.x[i], dtype=np.float64).ravel()
                row["pixels"] = [round(float(v), 3) for v in pixels]
            rows.append(row)
    columns = {k: [r[k] for r in rows] for k in rows[0]}
    return Table(
        "records",
        columns,
        {"q": "p"},
        keys=("kind", "record"),
        caption="the most and the least memorized records; soft: the same difference of the "
        f"soft outcome, in {found.soft_unit}",
    )


def _shown(source: Source) -> list[Block]:
    text = "Near 1: known by heart alone. Near 0: the others teach it."
    columns = ("kind", "record", "label", "value", "low", "high", "q", "flagged")
    table = TableBlock(
        "records",
        columns=columns,
        digits={"value": 3, "low": 3, "high": 3},
        labels={"kind": "", "q": "q"},
        caption=text,
    )
    if source.name not in PICTURES:
        return [Section("The most and the least memorized"), table]
    side = isqrt(int(np.prod(np.shape(source.records.x)[1:])))
    gallery = Gallery(
        "records",
        (side, side),
        row="kind",
        text=("label",),
        title="What is known by heart",
        caption=text + " Beneath each: memorization, its 95 % interval, and the label.",
        labels={"most": "Most memorized", "least": "Least memorized", "label": "as"},
    )
    return [Section("The most and the least memorized"), gallery, table]


def _spread(found: Memorization) -> Table:
    levels = np.round(np.linspace(0, 1, 41), 3)
    share = [float((found.value >= level).mean()) for level in levels]
    return Table(
        "spread",
        {"memorization": levels.tolist(), "share": share},
        {"share": "share"},
        keys=("memorization",),
        caption="share of the records with at least this memorization",
    )


def _readings(found: Memorization, seed: int) -> list[Reading]:
    flagged, n = int(found.flagged.sum()), len(found.ids)
    share = proportion_interval(flagged, n, unit_of_replication="examples")
    mean = bootstrap_interval(
        found.value, _mean, unit_of_replication="examples", seed=seed, resamples=1000
    )
    shared: dict[str, Any] = {
        "n": n,
        "unit_of_replication": "examples",
        "seeds": (seed,),
        "better": "none",
        "table": "records",
    }
    return [
        Reading(
            "share of records memorized", share.value, share.low, share.high, unit="share", **shared
        ),
        Reading("mean memorization", mean.value, mean.low, mean.high, unit="probability", **shared),
    ]


def _mean(values: Any) -> float:
    return float(np.mean(values))


def _python(learner: Any, seed: int, found: Memorization) -> str:
    """Return the same in Python, for X as --scale made them."""
    known = type(learner).__module__.startswith("unteach.models.compiled")
    take = f"from unteach.models import {type(learner).__name__}\n" if known else ""
    models = int(np.median(found.n_in + found.n_out))
    return (
        f"from unteach.memorize import Memories\n{take}\n"
        f'm = Memories(X, y, learner={learner!r}, store=".unteach", seed={seed})\n'
        f"m.run(models={models}, fraction={found.p})\n"
        "m.memorization().table()\n"
    )
