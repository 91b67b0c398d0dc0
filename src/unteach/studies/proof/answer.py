"""The answer of the proof page: its sentences are chosen by the numbers, never beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unteach.core import Reading, Table
from unteach.report import Finding, Verdict

from .world import FORM_LABELS, FORMS

FEW = 5
"""With fewer seeds than this nothing is said to hold in all of them; one that fails is shown."""


def answer(
    readings: Sequence[Reading], tables: dict[str, Table], plan: dict[str, Any]
) -> list[Finding]:
    """Return the findings, most important first."""
    by_name = {r.name: r for r in readings}
    return [
        _outlive(by_name, tables["map"]),
        _planned(by_name),
        _naive(by_name),
        *_price(by_name),
        *_relearned(by_name),
        _chance(by_name),
    ]


def _outlive(by_name: dict[str, Reading], table: Table) -> Finding:
    can = by_name["can outlive its premises"].value
    verdict: Verdict = "holds" if can == 1 else "fails" if can == 0 else "mixed"
    never = [
        r["relation"]
        for r in table.rows()
        if r["relation"] != "all" and not r["base-only"] and not r["promotion"]
    ]
    text = (
        "**Can a conclusion be kept when the statements that it follows from are forgotten?** "
        "For {can outlive its premises} of the conclusions, yes: {still follows without them} "
        "still follow from statements that stay, and {needs promotion} can be kept only by "
        "promotion, that is, stored as a fact of their own, without their derivation. For "
        "{cannot be kept} it is impossible, whatever the method: the conclusion itself entails "
        "the statement"
    )
    text += f" (every {', '.join(never)} in these families)." if never else "."
    return Finding(
        text,
        ("still follows without them", "needs promotion", "cannot be kept"),
        verdict,
    )


def _planned(by_name: dict[str, Reading]) -> Finding:
    names = tuple(f"plan holds ({FORM_LABELS[form]})" for form in FORMS)
    found = [by_name[name] for name in names]
    counts = ", ".join(
        f"{_count(r)} with {FORM_LABELS[form]}" for form, r in zip(FORMS, found, strict=True)
    )
    shares = [r.value for r in found]
    verdict: Verdict = "holds" if min(shares) == 1 else "fails" if max(shares) == 0 else "mixed"
    few = _few(found) if verdict == "holds" else ""
    return Finding(
        "**Does the exact plan work in a trained model, where it is possible?** It does if after "
        "it no forgotten premise can be derived from anything that the model says, every "
        "conclusion that was to stay is said, and nothing outside the plan is lost. Seeds in "
        f"which all of this is so: {counts}.{few}",
        names,
        "unknown" if few else verdict,
    )


def _naive(by_name: dict[str, Reading]) -> Finding:
    names = [f"protected leaks ({FORM_LABELS[form]})" for form in FORMS]
    recites = f"protected recites ({FORM_LABELS['traces']})"
    leaks = [by_name[n].value for n in names]
    verdict: Verdict = "fails" if min(leaks) == 1 else "holds" if max(leaks) == 0 else "mixed"
    counts = ", ".join(
        f"{_count(by_name[n])} with {FORM_LABELS[form]}"
        for n, form in zip(names, FORMS, strict=True)
    )
    few = _few([by_name[n] for n in names]) if verdict == "holds" else ""
    derived = "every" if min(leaks) == 1 else "not every"
    return Finding(
        "**Is it enough to make the model deny the premises?** It denies them when it is asked, "
        f"and {derived} premise can still be derived from what else it says: all of them in "
        f"{counts} (seeds). A model that reasons recites the premise on its way to the conclusion, "
        f"for all preserved conclusions in {_count(by_name[recites])} seeds.{few}",
        (*names, recites),
        "unknown" if few else verdict,
    )


def _price(by_name: dict[str, Reading]) -> list[Finding]:
    name = "facts lost for keeping a conclusion"
    if name not in by_name:
        return []
    extra = by_name[name]
    free = extra.value == 0.0 and extra.high == 0.0
    text = (
        "**What does it cost?** Forgetting the premises of one conclusion takes "
        "{stated facts that go} stated facts, since many can be derived from others, and "
        "{conclusions that fall} conclusions fall with them. Keeping the conclusion "
        + ("costs nothing on top in any family." if free else f"costs {{{name}}} facts more.")
    )
    return [Finding(text, ("stated facts that go", "conclusions that fall", name), "fact")]


def _relearned(by_name: dict[str, Reading]) -> list[Finding]:
    names = [
        f"ahead of never taught: {what} ({FORM_LABELS[form]})"
        for form in FORMS
        for what in ("taught", "held")
    ]
    names = [n for n in names if n in by_name]
    if not names:
        return []
    found = [by_name[n] for n in names]
    ahead = [r for r in found if r.low > 0]
    few = _few(found)
    text = (
        "**Does it come back faster than it would to a model that never knew it?** Some of the "
        "forgotten premises are taught again, and both models are asked for these and for the "
        "ones held back."
    )
    if few:
        return [Finding(text + few, tuple(names), "unknown")]
    if ahead:
        return [
            Finding(
                f"{text} In {len(ahead)} of {len(found)} comparisons the model that forgot is "
                "ahead: "
                "what cannot be asked for or derived is not all gone from its parameters.",
                tuple(names),
                "holds" if len(ahead) == len(found) else "mixed",
            )
        ]
    return [
        Finding(
            f"{text} In none of {len(found)} comparisons is the model that forgot shown "
            "to be ahead.",
            tuple(names),
            "fails",
        )
    ]


def _chance(by_name: dict[str, Reading]) -> Finding:
    names = tuple(f"planned: over chance ({FORM_LABELS[form]})" for form in FORMS)
    found = [by_name[n] for n in names]
    end = _few(found)
    if not end and min(r.value for r in found) < 0.5:
        end = " That is below chance: a scar that tells what was forgotten."
    elif not end:
        end = " No denial betrays what was forgotten."
    return Finding(
        "**Does forgetting stop at chance?** A forgotten premise is given "
        + " and ".join(f"{{{n}}}" for n in names)
        + f" times the probability of a name drawn at random.{end}",
        names,
        "fact",
    )


def _few(readings: Sequence[Reading]) -> str:
    """Return that there are too few seeds, where there are."""
    n = min(r.n for r in readings)
    return f" {n} seed{' is' if n == 1 else 's are'} too few to judge by." * (n < FEW)


def _count(reading: Reading) -> str:
    return f"{round(reading.value * reading.n)} of {reading.n}"
