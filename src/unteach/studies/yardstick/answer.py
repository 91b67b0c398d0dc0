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
    "agreement in order, all pairs", "agreement in order, per-record definitions",
    "agreement in order, averages against per-record", "agreement in verdict, all pairs",
)  # fmt: skip
AGREE = 0.5
"""From this rank correlation on, two definitions count as ordering methods alike."""


def answer(readings: Sequence[Reading], tables: Mapping[str, Table]) -> list[Finding]:
    """Return the findings, most important first."""
    named = {r.name: r for r in readings}
    rows = list(tables["definitions"].rows())
    judged = list(tables["judged"].rows())
    return [
        _agree(named, tables["order"]),
        _fooled(rows, named),
        _use(rows, judged),
        _pole("nothing", "doing nothing", rows),
        _pole("vandal", "over-forgetting", rows),
        _alarms(rows),
        _methods(judged),
        *_gallery(list(tables["traps"].rows())),
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
        f"{len(sure)} of {len(pairs)} pairs is related for certain. Nearest: "
        f"{LABELS[best['one']]} and {LABELS[best['other']]} ({best['value']:.2f}); farthest: "
        f"{LABELS[least['one']]} and {LABELS[least['other']]} ({least['value']:.2f}). Pass and "
        f"fail are the same in {{{SAME}}} of cells.",
        (ALL, INNER, ACROSS, SAME), verdict,
    )  # fmt: skip


def _fooled(rows: list[dict[str, Any]], named: Mapping[str, Reading]) -> Finding:
    known = [r for r in rows if r["missed"] is not None]
    worst = sorted((r for r in known if r["missed"] > 0), key=lambda r: -r["missed"])[:4]
    never = [r["label"] for r in known if r["missed"] == 0]
    parts = [f"{r['label']} {{{missed_name(r['label'])}}}" for r in worst]
    text = "**Which are fooled?** Of the cells that the per-record attack tells from retraining, "
    text += ("most are accepted by " + _listed(parts) if parts else "none is accepted by any")
    text += "." + (f" None is accepted by {_listed(never)}." if never and parts else "")
    verdict: Verdict = "unknown" if not known else "fails" if worst else "holds"
    return Finding(text, tuple(missed_name(r["label"]) for r in worst), verdict)


def _use(rows: list[dict[str, Any]], judged: list[dict[str, Any]]) -> Finding:
    sound = [r for r in rows if r["sets"] and not (r["nothing"] or r["vandal"] or r["retrain"])
             and r["missed"] is not None]  # fmt: skip
    best = sorted(sound, key=lambda r: float(r["missed"]))
    whole = [r["label"] for r in best if r["missed"] <= 0.05]
    if not best:
        text = ("no definition caught both poles and spared retraining on every forget set: use "
                "several, and state each one's null")  # fmt: skip
        return Finding(f"**What should one use?** In this run {text}.", (), "fails")
    use = whole or [best[0]["label"]]
    rest = [r["label"] for r in best if r["label"] not in use]
    names = tuple(missed_name(r["label"]) for r in best if r["label"] in use)
    return Finding(
        "**What should one use?** Those that catch doing nothing and over-forgetting, spare "
        f"retraining, and miss least of what is told apart: {_listed(use)}."
        + (f" {_listed(rest)} {'pass' if len(rest) > 1 else 'passes'} at the poles and "
           f"{'miss' if len(rest) > 1 else 'misses'} more in between." if rest else "")
        + " Read any of them beside its null of retraining against retraining, and beside the "
        "signed residual: none says which side.",
        names, "fact",
    )  # fmt: skip


def _pole(key: str, words: str, rows: list[dict[str, Any]]) -> Finding:
    fooled = [(r["label"], r[key], r["sets"]) for r in rows if r[key]]
    caught = [r for r in rows if r["sets"] and not r[key]]
    if not fooled and not caught:
        return Finding(f"**Does every definition catch {words}?** No forget set can tell.", (),
                       "unknown")  # fmt: skip
    if not fooled:
        text = (f"All {len(caught)} do, on every forget set, once each is read against its own "
                "null of retraining against retraining")  # fmt: skip
    elif not caught:
        text = f"None of {len(fooled)} does on every forget set"
    else:
        text = (f"{len(caught)} of {len(caught) + len(fooled)} do. It passes "
                + _listed([f"{n} on {k} of {s} sets" for n, k, s in fooled]))  # fmt: skip
    return Finding(f"**Does every definition catch {words}?** {text}.", (),
                   "holds" if not fooled else "mixed" if caught else "fails")


def _alarms(rows: list[dict[str, Any]]) -> Finding:
    false = [(r["label"], r["retrain"], r["sets"]) for r in rows if r["retrain"]]
    asked = sum(r["sets"] for r in rows)
    count = sum(k for _, k, _ in false)
    text = (f"**Does any reject retraining?** Of {asked} readings of fresh retrained models, "
            f"{count} lie beyond the 95 % of the null ({0.05 * asked:.1f} expected by chance)")
    text += f": {_listed([f'{n} ({k} of {s})' for n, k, s in false])}." if false else "."
    return Finding(text, (), "fact")


def _methods(judged: list[dict[str, Any]]) -> Finding:
    mine = [r for r in judged if r["kind"] != "invalid"
            and r["method"] not in ("nothing", "vandal", "retrain")]  # fmt: skip
    if not mine:
        return Finding("**Does any method reach retraining?** It cannot be told: the controls of "
                       "every forget set misbehave.", (), "unknown")  # fmt: skip
    count = {k: [r for r in mine if r["kind"] == k] for k in
             ("distinguishable", "over-forgotten", "equivalent", "inconclusive")}  # fmt: skip
    open_ = [f"{r['method']} on {r['set']}" for k in ("equivalent", "inconclusive")
             for r in count[k]]  # fmt: skip
    apart = len(count["distinguishable"]) + len(count["over-forgotten"])
    text = (f"**Does any method reach retraining?** The per-record attack tells {apart} of "
            f"{len(mine)} cells of method and forget set from retraining, "
            f"{len(count['over-forgotten'])} of them for having gone beyond it.")
    text += f" Not told apart: {_listed(open_)}." if open_ else ""
    verdict: Verdict = "fails" if not open_ else "holds" if not apart else "mixed"
    return Finding(text, (), verdict)


def _gallery(rows: list[dict[str, Any]]) -> list[Finding]:
    """Return which traps show, and, on its own, the one that qualifies the attack itself."""
    by = {t: [r for r in rows if r["trap"] == t] for t in TITLES}
    count = {t: (sum(r["shows"] for r in mine), len(mine)) for t, mine in by.items() if mine}
    there = [f"{TITLES[t]} ({k} of {n})" for t, (k, n) in count.items() if k]
    absent = [TITLES[t] for t, (k, _) in count.items() if not k]
    text = f"**Which traps show here?** {len(there)} of {len(count)}. "
    text += "; ".join(there) + "." if there else ""
    text += f" Not here: {'; '.join(absent)}." if absent else ""
    found = [Finding(text + " The numbers stand in the gallery.", (), "fact")]
    for row in by.get("procedure", []):
        name = reading_name(row)
        said = ("Yes: a method that changes models in other ways leaves a trace of its own, so "
                "that being told from retraining is not yet having kept the records"
                if row["shows"] else "No, not for certain")  # fmt: skip
        found.append(Finding(
            "**Does the attack flag models that never saw the records?** Retrained models, put "
            f"through the same method, are told from retrained ones with an area of {{{name}}}, "
            f"models that saw them with {row['against']:.2f}. {said}.",
            (name,), "mixed" if row["shows"] else "fact",
        ))  # fmt: skip
    return found


def _validity(judged: list[dict[str, Any]]) -> Finding:
    words = dict.fromkeys((r["set"], r["control"]) for r in judged)
    bad = [f"{s}: {c}" for s, c in words if c != "valid"]
    if bad:
        return Finding("**Is the audit valid?** Not on every forget set. " + "; ".join(bad)
                       + ". What is said above leaves those out.", (), "fails")  # fmt: skip
    return Finding(
        f"**Is the audit valid?** On all {len(words)} forget sets retraining is not told from "
        "retraining, and doing nothing is.", (), "holds")  # fmt: skip


