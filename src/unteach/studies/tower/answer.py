"""The answer of the tower page: its sentences are chosen by the numbers, never beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from unteach.core import Reading, Table
from unteach.report import Finding, Verdict
from unteach.skills import SkillGraph

from .readings import HELD, dissociations
from .setting import ALL, APART, MAIN, TRAVEL, changed_words, top, ways_to

NEAR, KEPT, OPEN = 0.10, 0.97, 0.90
"""Front door this near to chance; a skill above it kept so well; a back door so wide is open."""
TRAVELS, STAYS = 0.65, 0.10
RESISTED = 0.05
"""A called step that lost no more than this has resisted."""
FEW = 3
"""With fewer seeds than this a number is shown, and no verdict rests on it."""


def answer(
    plan: dict[str, Any],
    readings: Sequence[Reading],
    tables: Mapping[str, Table],
    graph: SkillGraph,
) -> list[Finding]:
    """Return the findings, most important first."""
    named = {r.name: r for r in readings}
    found = [_principle(plan, tables, graph)]
    for skill in plan["world"]["forgotten"]:
        found.append(_front(plan, tables, graph, skill))
        found += _travel(plan, named, tables, graph, skill)
        found += _trace(plan, tables, skill)
        found += _never(plan, named, graph, skill)
        found += _relearned(plan, named, skill)
    return [*found, *_moles(plan, tables), *_matrix(plan, named), *_taught(plan, tables)]


def _principle(plan: dict[str, Any], tables: Mapping[str, Table], graph: SkillGraph) -> Finding:
    skill = plan["world"]["forgotten"][0]
    taught = tuple(plan["world"]["skills"])
    chains = graph.recoverable([n for n in taught if n != skill]).get(skill, [])
    if not chains:
        return Finding(
            f"**In principle** {skill} can be forgotten: nothing that is kept computes "
            "it, as far as the tower declares.",
            (),
            "holds",
        )
    above = top(graph, skill, taught)
    alone = graph.recoverable([above]).get(skill, [])
    if len(chains) == 1:
        ways, through = "one chain of reductions leads", f", from {above} alone"
    else:
        ways, through = f"{len(chains)} chains of reductions lead", f", {above} alone among them"
    through *= bool(alone)
    return Finding(
        f"**What cannot be forgotten in principle.** Whoever keeps the skills above {skill} keeps "
        f"{skill}: {ways} back to it{through} "
        f"(`{alone[0][-1] if alone else chains[0][-1]}`). Every step was executed against the true "
        "functions on all inputs. So a model that answers everything else rightly can be robbed "
        f"of the name {skill}, not of what it computes.",
        (),
        "fails",
    )


def _front(
    plan: dict[str, Any], tables: Mapping[str, Table], graph: SkillGraph, skill: str
) -> Finding:
    parts, names, good, wide, seen = [], [], 0, 0, 0
    above = top(graph, skill, tuple(plan["world"]["skills"]))
    doors = bool(ways_to(graph, skill, tuple(plan["world"]["skills"])))
    fit = _fit(tables, above)
    for format in plan["formats"]:
        rows = [
            r
            for r in tables["forgetting"].rows()
            if (r["format"], r["skill"], (r["method"], r["kept"])) == (format, skill, MAIN)
            and (format, r["seed"]) in fit
        ]
        both = sum(abs(r["front"] - r["chance"]) <= NEAR and r["top"] >= KEPT for r in rows)
        good, seen = good + both, seen + len(rows)
        wide += sum((r["best back door"] or 0.0) >= OPEN for r in rows)
        parts.append(f"{format} {both} of {len(rows)}")
        names.append(f"{format}: {skill} at the front door")
        names += [f"{format}: {skill} through its best back door"] if doors else []
    ask = f"**Can {skill} be forgotten at the front door, and {above} kept?** "
    if not seen:
        return Finding(
            ask + f"It cannot be told: no model knew {above} to {KEPT} before.",
            tuple(names),
            "unknown",
        )
    verdict = "holds" if good == seen else "mixed" if good else "fails"
    text = ask + (
        "With random labels and everything else protected, the front door came to within "
        f"{NEAR:.2f} of chance while {above} stayed at {KEPT} or better in {good} of {seen} models "
        f"({', '.join(parts)}). "
    )
    if doors:
        text += f"A back door stood open ({OPEN} or better) in {wide} of {seen}"
        text += (
            ": what was closed is the front door, and nothing more."
            if wide == seen == good
            else "."
        )
    return Finding(text + _few(plan), tuple(names), _judged(plan, verdict))


def _judged(plan: dict[str, Any], verdict: str) -> Verdict:
    return cast(Verdict, "unknown" if plan["seeds"] < FEW else verdict)


def _few(plan: dict[str, Any]) -> str:
    if plan["seeds"] >= FEW:
        return ""
    seeds = "One seed is" if plan["seeds"] == 1 else f"{plan['seeds']} seeds are"
    return f" {seeds} too few to judge by."


def _fit(tables: Mapping[str, Table], above: str) -> set[tuple[str, int]]:
    """Return the models (format, seed) that knew the highest skill before anything went."""
    return {
        (r["format"], r["seed"])
        for r in tables["skills"].rows()
        if not r["never taught"] and r["skill"] == above and r["share"] >= KEPT
    }


def _travel(
    plan: dict[str, Any],
    named: Mapping[str, Reading],
    tables: Mapping[str, Table],
    graph: SkillGraph,
    skill: str,
) -> list[Finding]:
    above = top(graph, skill, tuple(plan["world"]["skills"]))
    known = {format for format, _ in _fit(tables, above)}
    formats = [f for f in plan["formats"] if f in known]
    ask = "**When does a change travel?** "
    if not formats:
        return [
            Finding(
                ask + f"It cannot be told: no model knew {above} to {KEPT} before.", (), "unknown"
            )
        ]
    names = [f"{f}: new {skill} in {above}, {changed_words(*TRAVEL)}" for f in formats]
    far = [f for f, n in zip(formats, names, strict=True) if named[n].value >= TRAVELS]
    still = [f for f, n in zip(formats, names, strict=True) if named[n].value <= STAYS]
    stuck = max(
        named[f"{f}: new {skill} in {above}, {changed_words(*APART)}"].value for f in formats
    )
    text = ask + (
        f"{skill} was redefined (every answer one further) on its own tasks alone, in the layers "
        f"behind the last attention, with everything but its results held in place. {above} "
        f"answered by the new definition to {TRAVELS:.0%} or more in {_named(far)}, to "
        f"{STAYS:.0%} or less in {_named(still)}. With every other skill protected as it was, "
        f"and all layers free, the share of new answers is {stuck:.2f} at most"
        + (": two definitions in one mind, side by side." if stuck <= STAYS else ".")
    )
    whole = [
        n
        for f in formats
        if (n := f"{f}: new {skill} in {above}, {changed_words('trace', ALL)}") in named
    ]
    if whole:
        least, most = min(named[n].value for n in whole), max(named[n].value for n in whole)
        text += (
            (
                f" Where all layers may move, it depends on the model: {least:.2f} to {most:.2f} "
                "by format."
            )
            if len(whole) > 1
            else (f" Where all layers may move the share is {least:.2f}.")
        )
    names += whole
    verdict = "holds" if len(far) == len(formats) else "mixed" if far else "fails"
    return [Finding(text + _few(plan), tuple(names), _judged(plan, verdict))]


def _trace(plan: dict[str, Any], tables: Mapping[str, Table], skill: str) -> list[Finding]:
    """Say where the trace broke, of the models whose front door came to chance."""
    parts, names, broke, seen = [], [], 0, 0
    for f in plan["formats"]:
        for arm, words in HELD.items():
            at = {
                r["seed"]: r["front"] <= r["chance"] + NEAR
                for r in tables["forgetting"].rows()
                if (r["format"], r["skill"], r["method"], r["kept"]) == (f, skill, *arm)
            }
            found = dissociations(f, skill, arm, tables["roles"].rows())
            closed = [d for seed, d in found.items() if at[seed]]
            if not found:
                continue
            names += [
                f"{f}: drop of the {skill} role in the trace, {words}",
                f"{f}: largest drop of another role when {skill} goes, {words}",
            ]
            held = sum(d.called > RESISTED and d.holds() for d in closed)
            still = sum(d.called <= RESISTED for d in closed) + len(found) - len(closed)
            parts.append(
                f"{f}, {words}: {held} of {len(closed)}"
                + (f" ({still} of {len(found)} resisted)" if still else "")
            )
            broke, seen = broke + held, seen + len(closed)
    if not parts:
        return []
    text = (
        f"**Where does the trace break** when {skill} goes? Of the models whose front door "
        "came to chance, the called step lost at least three times what any other part of the "
        f"trace lost in: {'; '.join(parts)}."
    )
    if any("resisted" in part for part in parts):
        text += (
            " Resisted: the front door stayed above chance, or the called step lost no more "
            f"than {RESISTED:.2f}."
        )
    verdict = "holds" if broke == seen and seen else "mixed" if broke else "fails"
    return [Finding(text + _few(plan), tuple(names), _judged(plan, verdict))]


def _never(
    plan: dict[str, Any], named: Mapping[str, Reading], graph: SkillGraph, skill: str
) -> list[Finding]:
    """Say what the reference knows: calls in the traces of others may teach a skill as well."""
    found = [
        named[n]
        for f in plan["formats"]
        if (n := f"{f}: {skill} asked by name, never taught") in named
    ]
    if not found:
        return []
    seen = ", ".join(f"{r.name.split(':')[0]} {r.value:.2f}" for r in found)
    above = [r for r in found if r.value > graph.chance[skill] + NEAR]
    text = (
        f"**What does a model know that was never taught {skill}?** Asked for it by name it is "
        f"right in: {seen} (chance {graph.chance[skill]:.2f})."
    )
    if above:
        text += (
            " Where that is above chance, the lessons of other skills taught it: leaving a "
            "skill's own lessons out is no forgetting either."
        )
    return [Finding(text, tuple(r.name for r in found), "fact")]


def _relearned(plan: dict[str, Any], named: Mapping[str, Reading], skill: str) -> list[Finding]:
    names, faster, seen = [], [], 0
    for f in plan["formats"]:
        pair = [
            named.get(f"{f}: {skill} relearned, {w}") for w in ("after forgetting", "never taught")
        ]
        if pair[0] is None or pair[1] is None:
            continue
        seen += 1
        names += [pair[0].name, pair[1].name]
        if pair[0].value > pair[1].value + 0.10:
            faster.append(f)
    if not seen:
        return []
    text = (
        f"**Does {skill} come back?** Taught half of its tasks again, the model answers the "
        f"other half better than one that was never taught {skill}, by more than 0.10, in "
        f"{_named(faster)} ({seen} measured)."
    )
    return [Finding(text, tuple(names), "fact")]


def _moles(plan: dict[str, Any], tables: Mapping[str, Table]) -> list[Finding]:
    rows = list(tables["moles by door"].rows())
    if not rows:
        return []
    parts = []
    for closed in sorted({r["closed"] for r in rows}):
        left = [r for r in rows if r["closed"] == closed and r["state"] == "not closed"]
        least = min(r["least kept"] for r in rows if r["closed"] == closed)
        if left:
            wide = sum(r["accuracy"] >= OPEN for r in left)
            parts.append(
                f"with {closed or 'none'} closed, {wide} of the {len(left)} others stood "
                f"open (worst other skill {least:.2f})"
            )
    return (
        [
            Finding(
                "**Whack-a-mole.** Closing a back door means forgetting its very questions: "
                + "; ".join(parts)
                + ".",
                (),
                "fact",
            )
        ]
        if parts
        else []
    )


def _matrix(plan: dict[str, Any], named: Mapping[str, Reading]) -> list[Finding]:
    found = [
        named[f"{f}: graph recovered"] for f in plan["formats"] if f"{f}: graph recovered" in named
    ]
    if not found:
        return []
    sure = [r for r in found if r.low > 0.5]
    text = (
        "**Does the damage know the hierarchy?** Which skill falls with which tells the "
        "declared graph from chance (interval above 0.5) in "
    )
    if len(sure) == len(found):
        text += "every format measured."
    else:
        text += (
            f"{len(sure)} of {len(found)} formats: elsewhere recovery failed."
            if sure
            else "no format measured: the graph cannot be read off the damage."
        )
    names = tuple(r.name for r in found) + tuple(
        n for f in plan["formats"] if (n := f"{f}: direction recovered") in named
    )
    verdict = "holds" if len(sure) == len(found) else "mixed" if sure else "fails"
    return [Finding(text + _few(plan), names, _judged(plan, verdict))]


def _taught(plan: dict[str, Any], tables: Mapping[str, Table]) -> list[Finding]:
    least: dict[tuple[str, int], float] = {}
    for r in tables["skills"].rows():
        if not r["never taught"]:
            key = (r["format"], r["seed"])
            least[key] = min(r["whole"], least.get(key, 1.0))
    good = sum(v >= 0.99 for v in least.values())
    text = (
        f"**Were the models good to begin with?** {good} of {len(least)} answered at least "
        f".99 of the whole tasks of every skill; the worst of all skills stood at "
        f"{min(least.values()):.3f}."
    )
    if plan["form"] == "quick":
        text += (
            f" This is the quick form: {plan['seeds']} seed(s), {_named(plan['formats'])}, "
            f"{len(plan['world']['skills'])} skills. `--full` has four formats "
            "and five seeds."
        )
    names = tuple(f"{f}: worst skill as taught" for f in plan["formats"])
    return [Finding(text, names, "fact")]


def _named(formats: Sequence[str]) -> str:
    return ", ".join(formats) if formats else "no format"
