"""The margin page: its sentences are chosen by the readings, never written beforehand."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from unteach.core import Reading, Table
from unteach.report import (
    Block,
    Boundary,
    Curves,
    Finding,
    Forest,
    Page,
    Prose,
    Section,
    TableBlock,
)
from unteach.store import Run

from .conclude import PRIMARY
from .leak import LEAKS
from .setting import ARM_LABELS, ARMS, KERNEL_LABELS, KERNELS, Source

LEVEL = 0.05
_LABELS = {**ARM_LABELS, **KERNEL_LABELS, "-1": "class −1", "1": "class +1"}


def key_figure() -> Boundary:
    """Return the picture: the boundary as support vectors are forgotten, kernel by kernel."""
    return Boundary(
        "surface",
        "points",
        title="The boundary, as its support vectors are forgotten",
        caption="Two moons, one data draw. Support vectors go, most memorized first: those whose "
        "own margin falls most when the machine never saw them. Under a frame: held-out accuracy "
        "and the share of held-out predictions that differ from the first frame.",
        classes=(-1, 1),
        notes=("accuracy", "moved"),
        labels={**_LABELS, "accuracy": "accuracy", "moved": "moved"},
    )


def margin_page(run: Run) -> Page:
    """Return the page of a finished run."""
    readings, tables = run.readings(), run.tables()
    plan = run.plan
    sources = [Source(**s) for s in plan["sources"]]
    titles = {s.name: s.title for s in sources}
    judged = [r for r in readings if r.name.endswith(": support vectors less random")]
    return Page(
        title="Margin",
        kicker="Study 1 of 5 · kernel machines",
        question="Support vectors are the memories of a kernel machine. What happens when they go?",
        answer=tuple(_answer(readings, tables, titles, plan)),
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
                "accuracy after forgetting as many points of the same classes at random. Left of "
                "zero, support vectors cost more.",
            ),
            *_forest(judged, titles),
            TableBlock(
                "contrast",
                columns=("set", "kernel", "difference", "low", "high", "p", "p_holm"),
                where={"dose": PRIMARY},
                digits={"difference": 4, "low": 4, "high": 4, "p": 3, "p_holm": 3},
                caption="The same in numbers; p_holm is adjusted for all rows.",
            ),
            *_leak_blocks(readings, titles),
            *_newcomers(plan, titles),
            Section("The machines, before anything is forgotten"),
            TableBlock(
                "machines",
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
        labels[r.name] = KERNEL_LABELS[kernel]
        if name not in seen:
            headings[r.name] = titles[name]
            seen.add(name)
    return [
        Forest(
            tuple(r.name for r in judged),
            title="Support vectors less random points, held-out accuracy",
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
            "Nothing, as long as kernel, C and scaling stay what they are. But gamma, scaling "
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


def _answer(
    readings: Sequence[Reading],
    tables: dict[str, Table],
    titles: dict[str, str],
    plan: dict[str, Any],
) -> list[Finding]:
    by_name = {r.name: r for r in readings}
    return [
        _thesis(tables["contrast"], plan),
        *_all_gone(tables["contrast"]),
        *_non_support(by_name),
        *_movement(by_name, titles),
        *_leak_finding(by_name, titles),
        *_memorized(tables["machines"]),
    ]


def _thesis(contrast: Table, plan: dict[str, Any]) -> Finding:
    rows = [r for r in contrast.rows() if r["dose"] == PRIMARY and r["p_holm"] is not None]
    sure = [r for r in rows if r["p_holm"] < LEVEL]
    hurts = [r for r in sure if r["difference"] < 0]
    helps = [r for r in sure if r["difference"] > 0]
    total = len(plan["sources"]) * len(KERNELS)
    if not rows:
        return Finding("No setting could be judged: the controls could not be matched.")
    parts = [
        "**Does forgetting support vectors hurt generalization more than forgetting others?** "
        f"At half of the support vectors it does in {len(hurts)} of {len(rows)} settings"
        + (f" ({_named(hurts)})" if hurts else "")
        + "."
    ]
    if helps:
        parts.append(f"In {len(helps)} it **helps** ({_named(helps)}).")
    rest = len(rows) - len(sure)
    if rest:
        parts.append(f"In {rest} no difference can be shown at this number of draws.")
    if len(rows) < total:
        parts.append(f"{total - len(rows)} could not be judged: no matched controls.")
    verdict = "holds" if len(hurts) == total else "mixed" if hurts else "fails"
    names = tuple(f"{r['set']} {r['kernel']}: support vectors less random" for r in sure)
    return Finding(" ".join(parts), names, verdict)  # type: ignore[arg-type]


def _all_gone(contrast: Table) -> list[Finding]:
    """Say what happens when every support vector goes: a second look, adjusted by itself."""
    rows = [r for r in contrast.rows() if r["dose"] == 1.0 and r["p_holm"] is not None]
    if not rows:
        return []
    sure = [r for r in rows if r["p_holm"] < LEVEL]
    hurts = [r for r in sure if r["difference"] < 0]
    helps = [r for r in sure if r["difference"] > 0]
    text = (
        "**And when all of them go?** Against as many random points, accuracy falls further in "
        f"{len(hurts)} of {len(rows)} settings"
        + (f" ({_named(hurts)})" if hurts else "")
        + (f" and **rises** in {len(helps)} ({_named(helps)})" if helps else "")
        + f"; in {len(rows) - len(sure)} no difference can be shown."
    )
    verdict = (
        "mixed"
        if hurts and helps
        else "holds"
        if len(hurts) == len(rows)
        else ("mixed" if hurts else "fails")
    )
    return [Finding(text, (), verdict)]  # type: ignore[arg-type]


def _named(rows: Sequence[dict[str, Any]]) -> str:
    by_set: dict[str, list[str]] = {}
    for r in rows:
        by_set.setdefault(r["set"].replace("_", " "), []).append(r["kernel"])
    return "; ".join(f"{s}: {', '.join(k)}" for s, k in by_set.items())


def _non_support(by_name: dict[str, Reading]) -> list[Finding]:
    shift = by_name.get("shift by non-support vectors")
    if shift is None:
        return []
    zero = shift.value == 0.0
    text = (
        f"**Points that are no support vectors can be forgotten for nothing** when kernel and C "
        f"are fixed: in {shift.n} batches not one held-out decision value moved by a single bit."
        if zero
        else "Forgetting points that are no support vectors moved held-out decision values by up "
        "to {shift by non-support vectors}."
    )
    return [Finding(text, (shift.name,), "holds" if zero else "fails")]


def _movement(by_name: dict[str, Reading], titles: dict[str, str]) -> list[Finding]:
    pairs = [
        (s, f"{s}: predictions changed, memory", f"{s}: predictions changed, random")
        for s in titles
        if f"{s}: predictions changed, memory" in by_name
        and f"{s}: predictions changed, random" in by_name
    ]
    if not pairs:
        return []
    more = [p for p in pairs if by_name[p[1]].low > by_name[p[2]].high]
    parts = "; ".join(f"{s.replace('_', ' ')} {{{m}}} against {{{r}}}" for s, m, r in pairs)
    text = (
        "**The boundary moves** when half of the support vectors go. Held-out predictions that "
        f"change, against as many random points: {parts}."
    )
    verdict = "holds" if len(more) == len(pairs) else "mixed" if more else "fails"
    names = tuple(n for _, m, r in pairs for n in (m, r))
    return [Finding(text, names, verdict)]  # type: ignore[arg-type]


def _leak_finding(by_name: dict[str, Reading], titles: dict[str, str]) -> list[Finding]:
    moved = [
        by_name[f"{s}: {leak}"]
        for s in titles
        for leak in LEAKS
        if leak != "fixed" and f"{s}: {leak}" in by_name
    ]
    if not moved:
        return []
    most = max(moved, key=lambda r: r.value)
    leak = most.name.split(": ")[1]
    above = sum(r.low > 0 for r in moved)
    return [
        Finding(
            "**A point that is no support vector is still remembered** by every statistic that was "
            f"computed from it: when these follow the data, forgetting one such point moves scores "
            f"in {above} of {len(moved)} settings, most where {LEAKS[leak]}: {{{most.name}}}.",
            (most.name,),
            "fact",
        )
    ]


def _memorized(machines: Table) -> list[Finding]:
    rows = [r for r in machines.rows() if r["unique"] and r["support"] > 0]
    if not rows:
        return []
    shares = [r["memorized"] / r["support"] for r in rows]
    return [
        Finding(
            "**Support vector is not the same as memorized**: of the support vectors, between "
            f"{min(shares):.0%} and {max(shares):.0%} (by set and kernel) are classified correctly "
            "only because they were there.",
            (),
            "fact",
        )
    ]


def _method(plan: dict[str, Any], sources: Sequence[Source]) -> str:
    sizes = "; ".join(
        f"{s.title}: {s.n_train} to learn from, {s.n_test} held out, C = {s.C:g}" for s in sources
    )
    return (
        f"**How it was measured.** {plan['draws']} data draws a set ({sizes}). Scaling constants, "
        "gamma and C are fixed beforehand. Every forgetting is exact: the machine's own `forget`, "
        "with a certificate whose KKT residual is recomputed in float64 "
        "(largest: {largest KKT residual}). The memory of a point is the margin that it owes to "
        "its own presence, by exact leave-one-out.\n\n"
        "**The sigmoid kernel is not positive semidefinite.** Its problem has no unique solution; "
        "a retrained machine is a stationary point, and nothing more is claimed for it. It is "
        "drawn because people use it.\n\n"
        "**What this does not say.** Accuracy differences smaller than the intervals cannot be "
        "seen at these sizes. The sets are small, and C and gamma are not tuned."
    )


def _command(plan: dict[str, Any]) -> str:
    form = " --full" if plan["form"] == "full" else ""
    return f"unteach study margin{form} --seed {plan['seed']}"


def _python(plan: dict[str, Any]) -> str:
    return (
        "from unteach.studies import MARGIN\n"
        "from unteach.store import Store\n\n"
        f"plan = MARGIN.plan(full={plan['form'] == 'full'}, seed={plan['seed']})\n"
        'with Store.open(".unteach") as store:\n'
        '    run = store.begin(plan, name="margin")\n'
        "    MARGIN.run(run)\n"
        "    page = MARGIN.conclude(run)\n"
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
