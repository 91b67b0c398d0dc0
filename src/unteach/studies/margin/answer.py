"""The answer of the margin page: its sentences are chosen by the numbers, never beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unteach.core import Reading, Table
from unteach.report import Finding

from .conclude import PRIMARY
from .joining import EDGES
from .leak import LEAKS
from .setting import UNIQUE

LEVEL = 0.05
"""The level at which a difference counts, after adjusting for all that are judged together."""


def answer(
    readings: Sequence[Reading],
    tables: dict[str, Table],
    titles: dict[str, str],
    plan: dict[str, Any],
) -> list[Finding]:
    """Return the findings, most important first."""
    by_name = {r.name: r for r in readings}
    return [
        _thesis(tables["contrast"], plan),
        *_all_gone(tables["contrast"]),
        *_non_support(by_name),
        *_movement(by_name, titles),
        *_joining(by_name, titles, tables["joining"]),
        *_leak_finding(by_name, titles, tables["leak"]),
        *_memorized(tables["machines"]),
    ]


def _thesis(contrast: Table, plan: dict[str, Any]) -> Finding:
    """Judge the thesis at the dose chosen beforehand, against both controls."""
    parts, names, hurt, judged = [], [], 0, 0
    words = {"random": "as many random points", "other": "as many that are no support vectors"}
    for control, label in words.items():
        rows = _rows(contrast, PRIMARY, control)
        sure = [r for r in rows if r["p_holm"] < LEVEL]
        worse = [r for r in sure if r["difference"] < 0]
        better = [r for r in sure if r["difference"] > 0]
        hurt, judged = hurt + len(worse), judged + len(rows)
        parts.append(
            f"more than {label} cost in {len(worse)} of {len(rows)} settings"
            + (f" ({_named(worse)})" if worse else "")
            + (f", and less in {len(better)} ({_named(better)})" if better else "")
        )
        names += [_contrast_name(r) for r in worse if control == "random"]
    if not judged:
        return Finding("No setting could be judged: the controls could not be matched.")
    verdict = "holds" if hurt == judged else "mixed" if hurt else "fails"
    plain = {"holds": "Yes", "mixed": "Sometimes", "fails": "That cannot be shown"}[verdict]
    text = (
        "**Does forgetting support vectors hurt generalization more than forgetting others?** "
        f"{plain}. When the most memorized half of them goes, held-out accuracy falls by "
        + ", and by ".join(parts)
        + "."
        + _size(contrast)
    )
    return Finding(text, tuple(names), verdict)  # type: ignore[arg-type]


def _size(contrast: Table) -> str:
    """Say how large the largest difference is, and what the intervals leave open elsewhere."""
    rows = _rows(contrast, PRIMARY, "random")
    worse = [r for r in rows if r["p_holm"] < LEVEL and r["difference"] < 0]
    open_ = [r for r in rows if r["p_holm"] >= LEVEL]
    text = ""
    if worse:
        most = min(worse, key=lambda r: r["difference"])
        text += (
            f" The largest difference to random points is {{{_contrast_name(most)}}} "
            f"({_named([most])})."
        )
    if open_:
        low, high = min(r["low"] for r in open_), max(r["high"] for r in open_)
        text += (
            f" In the {'other ' if worse else ''}{len(open_)} no difference to random points can "
            f"be shown; there the intervals reach from {_signed(low)} to {_signed(high)}."
        )
    return text


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


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


def _joining(by_name: dict[str, Reading], titles: dict[str, str], joining: Table) -> list[Finding]:
    """Say who takes the place of a support vector that leaves."""
    sets = [s for s in titles if f"{s}: join when one leaves" in by_name]
    rows = [r for r in joining.rows() if r["chance"] is not None and r["kernel"] in UNIQUE]
    if not sets or not rows:
        return []
    near, far = min(r["distance"] for r in rows), max(r["distance"] for r in rows)
    chances = {
        at: sum(r["chance"] for r in rows if r["distance"] == at)
        / sum(r["distance"] == at for r in rows)
        for at in (near, far)
    }
    parts = "; ".join(f"{s.replace('_', ' ')} {{{s}: join when one leaves}}" for s in sets)
    text = (
        "**When one support vector leaves, others take its place**: points that become support "
        f"vectors then, on average: {parts}. They come from near the margin: of the points within "
        f"{EDGES[1]:g} of it {chances[near]:.1%} join, of those more than {EDGES[-1]:g} away "
        f"{chances[far]:.2%} (means over sets and kernels). So a point that is no support vector "
        "today cannot be thrown away."
    )
    return [Finding(text, (), "fact")]


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
