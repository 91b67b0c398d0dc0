"""The answer of the yardstick page: its sentences are chosen by the numbers, never beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unteach.core import Reading, Table
from unteach.report import Finding, Verdict

from .definitions import LABELS
from .readings import missed_name
from .traps import TITLES, reading_name

ALL, INNER, ACROSS, SAME = (
    "agreement in order, all pairs",
    "agreement in order, per-record definitions",
    "agreement in order, averages against per-record",
    "agreement in verdict, all pairs",
)
BENCHMARK = "ulira"
PLANTED = ("nothing", "vandal", "halved")
SPARED = 0.05
"""Up to this share of what is told apart a definition may miss, and still be named for use."""
AGREE = 0.5
"""From this rank correlation on, two definitions count as ordering methods alike."""


def answer(readings: Sequence[Reading], tables: Mapping[str, Table]) -> list[Finding]:
    """Return the findings, most important first."""
    named = {r.name: r for r in readings}
    rows = list(tables["definitions"].rows())
    judged = list(tables["judged"].rows())
    return [
        _agree(named, tables["order"]),
        _fooled(rows),
        _use(rows),
        _pole("nothing", "doing nothing", rows),
        _pole("vandal", "over-forgetting", rows),
        _pole("halved", "what keeps half of the records and denies the other half", rows),
        _alarms(rows),
        _methods(judged),
        *_unseen(rows, list(tables["traps"].rows())),
        _gallery(list(tables["traps"].rows())),
        _validity(judged),
    ]


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def _agree(named: Mapping[str, Reading], order: Table) -> Finding:
    pairs = [r for r in order.rows() if r["one"] < r["other"] and r["value"] is not None]
    sure = [r for r in pairs if r["low"] > 0]
    least = min(pairs, key=lambda r: float(r["value"]))
    best = max(pairs, key=lambda r: float(r["value"]))
    mean = named[ALL]
    verdict: Verdict = "holds" if mean.low > AGREE else "fails" if mean.high < AGREE else "mixed"
    return Finding(
        "**Do the definitions agree?** They order the same unlearned models with a rank "
        f"correlation of {{{ALL}}} on average; per-record definitions among themselves with "
        f"{{{INNER}}}, averages against per-record ones with {{{ACROSS}}}. The order of "
        f"{len(sure)} of {len(pairs)} pairs is related, each by a 95 % interval of its own "
        f"({0.025 * len(pairs):.1f} expected by chance). Nearest: "
        f"{LABELS[best['one']]} and {LABELS[best['other']]} ({best['value']:.2f}); farthest: "
        f"{LABELS[least['one']]} and {LABELS[least['other']]} ({least['value']:.2f}). Pass and "
        f"fail are the same in {{{SAME}}} of cells.",
        (ALL, INNER, ACROSS, SAME),
        verdict,
    )


def _fooled(rows: list[dict[str, Any]]) -> Finding:
    known = [r for r in rows if r["missed"] is not None]
    worst = sorted((r for r in known if r["missed"] > 0), key=lambda r: -r["missed"])
    never = len(known) - len(worst)
    parts = [
        f"{r['label']} {{{missed_name(r['label'])}}}"
        + (f" (by {r['by']})" if r["by"] != "–" else "")
        for r in worst[:5]
    ]
    text = "**Which are fooled, and by what?** "
    if not known:
        return Finding(
            text + "No cell is told from retraining, so that nothing can be missed.", (), "unknown"
        )
    text += "Of the cells that the per-record attack tells from retraining, "
    if parts:
        text += (
            f"{len(worst)} of {len(known)} definitions accept some, as if they had been "
            f"forgotten: {_listed(parts)}{', among others' if len(worst) > 5 else ''}. "
        )
        text += f"The other {never} accept none." if never else ""
    else:
        text += "none is accepted by any definition."
    return Finding(
        text.strip(),
        tuple(missed_name(r["label"]) for r in worst[:5]),
        "fails" if worst else "holds",
    )


def _use(rows: list[dict[str, Any]]) -> Finding:
    """Return which definitions pass every check, those for verdicts apart from those to screen."""
    ask = "**What should one use?** "
    sound = [
        r
        for r in rows
        if r["sets"]
        and not any(r[k] for k in PLANTED)
        and not r["retrain"]
        and r["missed"] is not None
        and r["missed"] <= SPARED
    ]
    alike = [r for r in sound if r["definition"] == BENCHMARK or (r["tau_low"] or 0) > 0]
    other = [r["label"] for r in sound if r not in alike]
    carry = [r["label"] for r in alike if r["family"] == "per record"]
    screen = [r["label"] for r in alike if r["family"] != "per record"]
    if not alike:
        return Finding(
            ask + "In this run no definition caught every planted fault, spared retraining, "
            f"missed at most {100 * SPARED:g} % of what is told apart, and ordered methods as "
            "U-LiRA does: use several, each beside its null.",
            (),
            "fails",
        )
    text = ask + (
        "Catching every planted fault on every forget set, sparing retraining, "
        f"missing at most {100 * SPARED:g} % of what is told apart and putting methods "
        "in an order related to U-LiRA's: "
    )
    text += f"record by record, {_listed(carry)}. " if carry else "none record by record. "
    text += f"Cheaper, and good for a screen: {_listed(screen)}. " if screen else ""
    text += f"Just as strict, in another order: {_listed(other)}. " if other else ""
    text += (
        "Each was read beside its null of retraining against retraining, without which none "
        "of this holds, and none says which side: read the signed residual with it."
    )
    return Finding(text, (), "fact")


def _pole(key: str, words: str, rows: list[dict[str, Any]]) -> Finding:
    fooled = [(r["label"], r[key], r["sets"]) for r in rows if r[key]]
    caught = [r for r in rows if r["sets"] and not r[key]]
    if not fooled and not caught:
        return Finding(
            f"**Does every definition catch {words}?** No forget set can tell.", (), "unknown"
        )
    if not fooled:
        text = (
            f"All {len(caught)} do, on every forget set, once each is read against its own "
            "null of retraining against retraining"
        )
    elif not caught:
        text = f"None of {len(fooled)} does on every forget set"
    else:
        text = f"{len(caught)} of {len(caught) + len(fooled)} do. It passes " + _listed(
            [f"{n} on {k} of {s} sets" for n, k, s in fooled]
        )
    return Finding(
        f"**Does every definition catch {words}?** {text}.",
        (),
        "holds" if not fooled else "mixed" if caught else "fails",
    )


def _alarms(rows: list[dict[str, Any]]) -> Finding:
    false = [(r["label"], r["retrain"], r["sets"]) for r in rows if r["retrain"]]
    asked = sum(r["sets"] for r in rows)
    count = sum(k for _, k, _ in false)
    text = (
        f"**Does any reject retraining?** Of {asked} readings of fresh retrained models, "
        f"{count} lie beyond the 95 % of the null ({0.05 * asked:.1f} expected by chance)"
    )
    text += f": {_listed([f'{n} ({k} of {s})' for n, k, s in false])}." if false else "."
    return Finding(text, (), "fact")


def _methods(judged: list[dict[str, Any]]) -> Finding:
    mine = [
        r for r in judged if r["kind"] != "invalid" and r["method"] not in (*PLANTED, "retrain")
    ]
    if not mine:
        return Finding(
            "**Does any method reach retraining?** It cannot be told: the controls of "
            "every forget set misbehave.",
            (),
            "unknown",
        )
    count = {
        k: [r for r in mine if r["kind"] == k]
        for k in ("distinguishable", "over-forgotten", "equivalent", "inconclusive")
    }
    open_ = [
        f"{r['method']} on {r['set']}" for k in ("equivalent", "inconclusive") for r in count[k]
    ]
    apart = len(count["distinguishable"]) + len(count["over-forgotten"])
    text = (
        f"**Does any method reach retraining?** The per-record attack tells {apart} of "
        f"{len(mine)} cells of method and forget set from retraining, "
        f"{len(count['over-forgotten'])} of them for having gone beyond it."
    )
    text += f" Not told apart: {_listed(open_)}." if open_ else ""
    verdict: Verdict = "fails" if not open_ else "holds" if not apart else "mixed"
    return Finding(text, (), verdict)


def _gallery(rows: list[dict[str, Any]]) -> Finding:
    by = {t: [r for r in rows if r["trap"] == t] for t in TITLES}
    count = {t: (sum(r["shows"] for r in mine), len(mine)) for t, mine in by.items() if mine}
    there = [f"{TITLES[t]} ({k} of {n})" for t, (k, n) in count.items() if k]
    absent = [TITLES[t] for t, (k, _) in count.items() if not k]
    text = f"**Which traps show here?** {len(there)} of {len(count)}. "
    text += "; ".join(there) + "." if there else ""
    text += f" Not here: {'; '.join(absent)}." if absent else ""
    return Finding(text + " The numbers stand in the gallery.", (), "fact")


def _unseen(rows: list[dict[str, Any]], traps: list[dict[str, Any]]) -> list[Finding]:
    """Return what the definitions say of models that never saw the records: the limit of all."""
    asked = [r for r in rows if r["unseen_sets"]]
    mine = [r for r in traps if r["trap"] == "procedure"]
    if not asked or not mine:
        return []
    flag = [r for r in asked if r["unseen"]]
    tries = sum(r["unseen_sets"] for r in asked)
    beyond = sum(r["unseen"] for r in asked)
    spare = [r["label"] for r in asked if not r["unseen"]]
    name = reading_name(mine[0])
    text = (
        "**Is being told from retraining the same as having kept the records?** Models that "
        "never saw them, put through the same method, are told from retrained ones with an "
        f"area of {{{name}}} (models that saw them: {mine[0]['against']:.2f}); {len(flag)} of "
        f"{len(asked)} definitions reject them (in {beyond} of {tries} readings, "
        f"{0.05 * tries:.1f} expected by chance)"
    )
    text += f", {_listed(spare)} {'do' if len(spare) > 1 else 'does'} not" if spare else ""
    text += (
        ". A method leaves a trace of its own; whoever asks about the records must put "
        "models that never saw them through the same method."
        if flag
        else "."
    )
    return [
        Finding(text, (name,), "fails" if len(flag) == len(asked) else "mixed" if flag else "holds")
    ]


def _validity(judged: list[dict[str, Any]]) -> Finding:
    words = dict.fromkeys((r["set"], r["control"]) for r in judged)
    bad = [f"{s}: {c}" for s, c in words if c != "valid"]
    if len(bad) == len(words):
        return Finding(
            "**Is the audit valid?** On no forget set. "
            + "; ".join(bad)
            + ". Nothing is said of single definitions and methods, and the agreement "
            "above is of all forget sets as they stand.",
            (),
            "fails",
        )
    if bad:
        return Finding(
            "**Is the audit valid?** Not on every forget set. "
            + "; ".join(bad)
            + ". What is said above leaves those out.",
            (),
            "fails",
        )
    return Finding(
        f"**Is the audit valid?** On all {len(words)} forget sets retraining is not told from "
        "retraining, and doing nothing is.",
        (),
        "holds",
    )
