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
from .setting import ARM_LABELS, ARMS, KERNEL_LABELS, Source

LEVEL = 0.05
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
        *_leak_finding(by_name, titles, tables["leak"]),
        *_memorized(tables["machines"]),
    ]


def _thesis(contrast: Table, plan: dict[str, Any]) -> Finding:
    """Judge the thesis at the dose chosen beforehand, against both controls."""
    parts, names, hurt, judged = [], [], 0, 0
    words = {"random": "as many points at random", "other": "as many that are no support vectors"}
    for control, label in words.items():
        rows = _rows(contrast, PRIMARY, control)
        sure = [r for r in rows if r["p_holm"] < LEVEL]
        worse = [r for r in sure if r["difference"] < 0]
        better = [r for r in sure if r["difference"] > 0]
        hurt, judged = hurt + len(worse), judged + len(rows)
        parts.append(
            f"against {label} in {len(worse)} of {len(rows)} settings"
            + (f" ({_named(worse)})" if worse else "")
            + (f", and less in {len(better)} ({_named(better)})" if better else "")
        )
        names += [_contrast_name(r) for r in worse if control == "random"]
    if not judged:
        return Finding("No setting could be judged: the controls could not be matched.")
    verdict = "holds" if hurt == judged else "mixed" if hurt else "fails"
    text = (
        "**Does forgetting support vectors hurt generalization more than forgetting others?** "
        "When the most memorized half of them goes, held-out accuracy falls further "
        + "; ".join(parts)
        + ". In all others no difference can be shown at these sample sizes."
    )
    return Finding(text, tuple(names), verdict)  # type: ignore[arg-type]


def _rows(contrast: Table, dose: float, control: str, unique: bool = True) -> list[dict[str, Any]]:
    """Return the rows that are judged together."""
    return [
        r
        for r in contrast.rows()
        if (r["dose"], r["control"], r["unique"]) == (dose, control, unique)
        and r["p_holm"] is not None
    ]


def _contrast_name(row: dict[str, Any]) -> str:
    return f"{row['set']} {row['kernel']}: support vectors less {row['control']}"


def _all_gone(contrast: Table) -> list[Finding]:
    """Say what happens when every support vector goes: a second look, adjusted by itself."""
    rows = _rows(contrast, 1.0, "random")
    if not rows:
        return []
    sure = [r for r in rows if r["p_holm"] < LEVEL]
    worse = [r for r in sure if r["difference"] < 0]
    text = (
        "**And when all of them go?** A second look, adjusted by itself: accuracy falls further "
        f"than after as many random points in {len(worse)} of {len(rows)} settings"
        + (f" ({_named(worse)})" if worse else "")
        + "; in the others no such difference can be shown."
    )
    better = [
        r
        for r in _rows(contrast, 1.0, "random", unique=False)
        if r["p_holm"] < LEVEL and r["difference"] > 0
    ]
    if better:
        text += (
            " With the sigmoid kernel, whose machine is not unique, it ends **above** that of "
            f"random forgetting ({_named(better)})."
        )
    verdict = "holds" if len(worse) == len(rows) else "mixed" if worse else "fails"
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
        "**Points that are no support vectors can be forgotten for nothing** when kernel and C "
        f"are fixed and the kernel is positive semidefinite: in {shift.n} batches (linear, "
        "polynomial, Gaussian) not one held-out decision value moved by a single bit. With the "
        "sigmoid kernel a refit may end in another machine."
        if zero
        else "Forgetting points that are no support vectors moved held-out decision values by up "
        "to {shift by non-support vectors}."
    )
    return [Finding(text, (shift.name,), "holds" if zero else "fails")]


def _movement(by_name: dict[str, Reading], titles: dict[str, str]) -> list[Finding]:
    sets = [s for s in titles if f"{s}: predictions changed, memory less random" in by_name]
    if not sets:
        return []
    stem = "predictions changed,"
    more = [s for s in sets if by_name[f"{s}: {stem} memory less random"].low > 0]
    parts = "; ".join(
        f"{s.replace('_', ' ')} {{{s}: {stem} memory}} against {{{s}: {stem} random}}" for s in sets
    )
    text = (
        "**The boundary moves** when the most memorized half of the support vectors goes, and "
        f"more than after as many random points in {len(more)} of {len(sets)} sets (paired by "
        f"draw). Held-out predictions that change: {parts}."
    )
    verdict = "holds" if len(more) == len(sets) else "mixed" if more else "fails"
    names = tuple(f"{s}: {stem} memory less random" for s in sets)
    return [Finding(text, names, verdict)]  # type: ignore[arg-type]


def _leak_finding(
    by_name: dict[str, Reading], titles: dict[str, str], leak: Table
) -> list[Finding]:
    rows = [r for r in leak.rows() if r["what"] != LEAKS["fixed"]]
    if not rows:
        return []
    always = sum(r["smallest"] > 0 for r in rows)
    most = max(rows, key=lambda r: r["shift"])
    kind = next(k for k, label in LEAKS.items() if label == most["what"])
    name = f"{most['set']}: {kind}"
    return [
        Finding(
            "**A point that is no support vector is still remembered** by the statistics that "
            "were computed from it: when these follow the data, forgetting one such point moves "
            f"held-out scores in every draw in {always} of {len(rows)} settings; most where "
            f"{most['what']} ({titles[most['set']]}): by {{{name}}} of the mean absolute score.",
            (name,),
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
