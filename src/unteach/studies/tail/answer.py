"""The answer of the tail page: its sentences are chosen by the numbers, never beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from unteach.core import Reading, Table
from unteach.report import Finding, Verdict

from .conclude import FITTED, contrast_name
from .setting import LEARNER_SHORT, PRIMARY

LEVEL = 0.05
"""The level at which a difference counts, after adjusting for all that are judged together."""


def answer(
    readings: Sequence[Reading], tables: Mapping[str, Table], titles: Mapping[str, str]
) -> list[Finding]:
    """Return the findings, most important first."""
    names = {r.name for r in readings}
    return [
        _thesis(tables["contrast"], titles),
        _diagram(tables["phase"]),
        *_theory(tables["phase"], names),
        *_noise(tables["contrast"], titles),
        *_controls(tables["contrast"], titles),
        *_exact(tables["learners"]),
        *_constants(names),
    ]


def _primary(contrast: Table, control: str, view: str = "all") -> list[dict[str, Any]]:
    return list(contrast.where(control=control, share=PRIMARY, view=view).rows())


def _signs(rows: Iterable[dict[str, Any]]) -> tuple[list[Any], list[Any], list[Any]]:
    rows = list(rows)
    sure = [r for r in rows if r["p_holm"] < LEVEL]
    worse = [r for r in sure if r["difference"] < 0]
    better = [r for r in sure if r["difference"] > 0]
    return worse, better, [r for r in rows if r not in sure]


def _called(rows: Iterable[dict[str, Any]], titles: Mapping[str, str]) -> str:
    return ", ".join(f"{titles[r['set']]} with {_short(r['learner'])}" for r in rows)


def _short(learner: str) -> str:
    return {"mlp": "a network", "svc": "a kernel machine"}.get(learner, LEARNER_SHORT[learner])


def _points(value: float, decimals: int = 1) -> str:
    return f"{abs(100 * value):.{decimals}f} points"


def _thesis(contrast: Table, titles: Mapping[str, str]) -> Finding:
    rows = _primary(contrast, "random")
    worse, better, open_ = _signs(rows)
    parts = []
    if worse:
        parts.append(
            f"costs more held-out accuracy in {len(worse)} of {len(rows)} settings "
            f"({_called(worse, titles)})"
        )
    if better:
        parts.append(f"costs less, or even helps, in {len(better)} ({_called(better, titles)})")
    if open_:
        parts.append(
            f"shows no difference at these sample sizes in {len(open_)} ({_called(open_, titles)})"
        )
    verdict: Verdict = "mixed" if worse or better else "unknown"
    if len(worse) == len(rows) or len(better) == len(rows):
        verdict = "holds" if worse else "fails"
    return Finding(
        "**Does unlearning the memorized hurt?** Unlearning the most memorized "
        f"{PRIMARY:.0%} of the training records, against as many at random, "
        + "; ".join(parts)
        + ". It depends on why the records are memorized.",
        tuple(contrast_name(r) for r in rows),
        verdict,
    )


def _diagram(phase: Table) -> Finding:
    rows = list(phase.rows())
    count = {e: [r for r in rows if r["effect"] == e] for e in ("hurts", "helps", "cannot tell")}
    parts = [f"hurts in {len(count['hurts'])}", f"helps in {len(count['helps'])}"]
    if count["cannot tell"]:
        parts.append(f"cannot be told from zero in {len(count['cannot tell'])}")
    extra = ""
    if count["hurts"]:
        worst = min(count["hurts"], key=lambda r: float(r["measured"]))
        extra += (
            f" It costs most with tail exponent {worst['exponent']:g}, {worst['noise']:.0%} "
            f"wrong labels and {worst['hidden']} hidden units "
            f"({_points(worst['measured'])})."
        )
    if count["helps"]:
        best = max(count["helps"], key=lambda r: float(r["measured"]))
        extra += (
            f" It helps most with exponent {best['exponent']:g}, {best['noise']:.0%} wrong "
            f"labels and {best['hidden']} units ({_points(best['measured'])})."
        )
    return Finding(
        "**When?** In planted worlds with a known tail, unlearning the memorized, against "
        f"unlearning as many at random, {', '.join(parts)} of {len(rows)} cells of wrong labels, "
        "tail and capacity (each interval at 95 %, not adjusted)." + extra,
        (),
        "mixed" if count["hurts"] and count["helps"] else "fact",
    )


def _theory(phase: Table, names: set[str]) -> list[Finding]:
    rows = list(phase.rows())
    fitted = [r for r in rows if r["fit"] >= FITTED]
    others = [r for r in rows if r["fit"] < FITTED]
    told = [
        n
        for n in ("theory off by, fitted networks", "theory off by, networks that do not fit")
        if n in names
    ]
    if not told:
        return []

    def agreement(mine: list[dict[str, Any]]) -> str:
        sure = [r for r in mine if r["effect"] != "cannot tell"]
        same = [r for r in sure if (r["measured"] < 0) == (r["expected"] < 0)]
        return f"{len(same)} of {len(sure)}"

    text = (
        "**Does the theory foretell it?** Feldman's frequencies tau say by how much. Where the "
        f"network fits its records (accuracy on them at least {FITTED:g}), the sign is right in "
        f"{agreement(fitted)} cells whose sign is certain"
    )
    if others:
        text += f"; where it does not fit, and the theory does not apply, in {agreement(others)}"
    covered = [r for r in rows if r["miss_low"] <= 0 <= r["miss_high"]]
    text += (
        f". The size is right, within the interval, in {len(covered)} of {len(rows)}. It is "
        "off by "
        + ", and by ".join(f"{{{n}}} for {n.split(', ')[1]}" for n in told)
        + " (root mean square)."
    )
    return [Finding(text, tuple(told), "mixed")]


def _noise(contrast: Table, titles: Mapping[str, str]) -> list[Finding]:
    rows = [r for r in _primary(contrast, "random") if r["set"].endswith("_noisy")]
    if not rows:
        return []
    better = _signs(rows)[1]
    text = (
        "**Wrong labels turn the sign.** Where labels are wrong, the most memorized records are "
        "mostly the wrong ones, and unlearning them "
        + (
            f"raises accuracy over the control in {len(better)} of {len(rows)} settings: "
            if better
            else f"raises accuracy for certain in none of {len(rows)} settings: "
        )
        + "; ".join(
            f"{titles[r['set']]}, {_short(r['learner'])} {{{contrast_name(r)}}}" for r in rows
        )
        + "."
    )
    verdict: Verdict = "mixed" if better else "unknown"
    if len(better) == len(rows):
        verdict = "holds"
    return [Finding(text, tuple(contrast_name(r) for r in rows), verdict)]


def _controls(contrast: Table, titles: Mapping[str, str]) -> list[Finding]:
    whole = {(r["set"], r["learner"]): r for r in _primary(contrast, "random")}
    matched = {(r["set"], r["learner"]): r for r in _primary(contrast, "class_matched")}
    unique = {(r["set"], r["learner"]): r for r in _primary(contrast, "random", "unique")}

    def largest(other: dict[Any, Any]) -> float:
        return max(abs(float(other[k]["difference"] - r["difference"])) for k, r in whole.items())

    return [
        Finding(
            "**Is it an artefact?** Controls of the same classes move the difference by at most "
            f"{_points(largest(matched), 2)}; leaving out held-out points with a near-duplicate "
            f"among the training points, by at most {_points(largest(unique), 2)}.",
            tuple(contrast_name(r) for r in (*matched.values(), *unique.values())),
            "fact",
        )
    ]


def _exact(learners: Table) -> list[Finding]:
    rows = [r for r in learners.rows() if r["agreed"] is not None]
    if not rows:
        return []
    least = min(float(r["agreed"]) for r in rows)
    kinds = ", ".join(sorted({LEARNER_SHORT[r["learner"]] for r in rows}))
    return [
        Finding(
            f"**Does it matter how it is unlearned?** Not where unlearning is exact ({kinds}): "
            f"{'all' if least == 1 else f'at least {least:.2%} of the'} held-out answers are the "
            "same as after retraining without the records.",
            (),
            "holds" if least == 1 else "mixed",
        )
    ]


def _constants(names: set[str]) -> list[Finding]:
    wanted = ("singletons, share of the sample", "cost of not fitting singletons")
    if not set(wanted) <= names:
        return []
    return [
        Finding(
            "**What memorizing singletons is worth.** For Zipf's law with 50,000 subpopulations, "
            "{singletons, share of the sample} of a sample are the only records of their "
            "subpopulation, and not fitting them costs {cost of not fitting singletons} of "
            "accuracy, "
            "as Feldman computed (17 % and 7 %).",
            wanted,
            "fact",
        )
    ]
