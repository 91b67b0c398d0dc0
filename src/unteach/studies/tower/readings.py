"""The numbers that the answer is made of, each a mean over seeds with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unteach.core import Reading, Table
from unteach.skills import Dissociation, Entanglement, SkillGraph, dissociation

from .rows import Results, Row, of_kind
from .setting import BARE, CHANGES, MAIN, SPARED, changed_words, top
from .summed import ALONE, reading

HELD = {BARE: "atoms protected", SPARED: "all but its results protected"}
"""The arms by which damage in the trace is read, in words."""


def all_readings(
    plan: dict[str, Any],
    results: Results,
    graph: SkillGraph,
    forgets: list[Row],
    changes: list[Row],
    roles: list[Row],
    found: dict[str, Entanglement],
) -> list[Reading]:
    """Return every reading of the page, format by format."""
    seeds = [int(plan["seed"]) + k for k in range(int(plan["seeds"]))]
    made: list[Reading] = []
    for format in plan["formats"]:
        made.append(_learned(format, results, seeds))
        for skill in plan["world"]["forgotten"]:
            above = top(graph, skill, tuple(plan["world"]["skills"]))
            made += _forgotten(format, skill, above, results, forgets, seeds)
            made += _again(format, skill, results, seeds)
            made += _changed(format, skill, above, changes, seeds)
            for arm in HELD:
                made += _broken(format, skill, arm, roles, seeds)
        made += _recovered(format, graph, found, seeds)
    return made


def _learned(format: str, results: Results, seeds: list[int]) -> Reading:
    least = [
        min(r["whole"] for r in found["skills"].values())
        for (f, _, never), found in of_kind(results, "teach")
        if (f, never) == (format, "all")
    ]
    return reading(
        f"{format}: worst skill as taught",
        least,
        seeds,
        "skills",
        better="higher",
        note="share of whole tasks right, of the skill that the model knows least",
    )


def _forgotten(
    format: str, skill: str, above: str, results: Results, forgets: list[Row], seeds: list[int]
) -> list[Reading]:
    rows = [
        r
        for r in forgets
        if (r["format"], r["skill"], (r["method"], r["kept"])) == (format, skill, MAIN)
    ]
    never = [
        f["skills"][skill]["share"]
        for (g, _, n), f in of_kind(results, "teach")
        if (g, n) == (format, skill)
    ]
    whole = [
        f["skills"][skill]["share"]
        for (g, _, n), f in of_kind(results, "teach")
        if (g, n) == (format, "all")
    ]
    note = (
        f"asked by name, chance {rows[0]['chance']:.2f}; the front door alone, read it beside "
        "the back doors" + ("; null: never taught" if never else "")
    )
    made = [
        reading(
            f"{format}: {skill} at the front door",
            [r["front"] for r in rows],
            seeds,
            "forgetting",
            untouched=sum(whole) / len(whole),
            null=(min(never), max(never)) if never else None,
            note=note,
        ),
        *(
            [
                reading(
                    f"{format}: {skill} asked by name, never taught",
                    never,
                    seeds,
                    "skills",
                    note="a model that met it in the lessons of other skills, if anywhere",
                )
            ]
            if never
            else []
        ),
        reading(
            f"{format}: {above} kept while {skill} goes",
            [r["top"] for r in rows],
            seeds,
            "forgetting",
            better="higher",
        ),
    ]
    if rows[0]["best back door"] is not None:
        made += [
            reading(
                f"{format}: {skill} through its best back door",
                [r["best back door"] for r in rows],
                seeds,
                "forgetting",
            ),
            reading(
                f"{format}: {skill} through its back doors, mean",
                [r["mean back door"] for r in rows],
                seeds,
                "forgetting",
            ),
        ]
    return made


def _again(format: str, skill: str, results: Results, seeds: list[int]) -> list[Reading]:
    made = []
    for label, kind in (("after forgetting", "forget"), ("never taught", "teach")):
        ends = [
            found["relearn"][-1][1]
            for parts, found in of_kind(results, kind)
            if parts[0] == format and parts[2] == skill and found["relearn"]
        ]
        if ends:
            made.append(
                reading(
                    f"{format}: {skill} relearned, {label}",
                    ends,
                    seeds,
                    "relearning",
                    note="held-out half after the last step of teaching the other half",
                )
            )
    return made


def _changed(
    format: str, skill: str, above: str, changes: list[Row], seeds: list[int]
) -> list[Reading]:
    made = []
    for kept, moved in CHANGES:
        rows = [
            r
            for r in changes
            if (r["format"], r["skill"], r["kept"], r["moved"]) == (format, skill, kept, moved)
        ]
        words = changed_words(kept, moved)
        for asked in (above, skill):
            values = [r["new"] for r in rows if r["asked"] == asked]
            if values:
                made.append(
                    reading(
                        f"{format}: new {skill} in {asked}, {words}",
                        values,
                        seeds,
                        "changes",
                        unit="share",
                    )
                )
        values = [r["coherence"] for r in rows if r["asked"] == above]
        if values:
            made.append(
                reading(
                    f"{format}: coherence of {above} after the change of {skill}, {words}",
                    values,
                    seeds,
                    "changes",
                    unit="share",
                )
            )
    return made


def _broken(
    format: str, skill: str, arm: tuple[str, str], roles: list[Row], seeds: list[int]
) -> list[Reading]:
    seen = dissociations(format, skill, arm, roles)
    if not seen:
        return []
    called, others = [s.called for s in seen.values()], [s.other for s in seen.values()]
    return [
        reading(
            f"{format}: drop of the {skill} role in the trace, {HELD[arm]}", called, seeds, "roles"
        ),
        reading(
            f"{format}: largest drop of another role when {skill} goes, {HELD[arm]}",
            others,
            seeds,
            "roles",
        ),
    ]


def dissociations(
    format: str, skill: str, arm: tuple[str, str], roles: Iterable[Row]
) -> dict[int, Dissociation]:
    """Return by seed what the called role lost beside the others; nothing where none is called."""
    mine: dict[int, list[Row]] = {}
    for r in roles:
        if (r["format"], r["skill"], r["method"], r["kept"]) == (format, skill, *arm):
            mine.setdefault(int(r["seed"]), []).append(r)
    found = {}
    for seed, rows in sorted(mine.items()):
        if skill in {r["role"] for r in rows} and len(rows) > 1:
            table = Table("t", {n: [r[n] for r in rows] for n in ("role", "drop")})
            found[seed] = dissociation(table, skill)
    return found


def _recovered(
    format: str, graph: SkillGraph, found: dict[str, Entanglement], seeds: list[int]
) -> list[Reading]:
    made = []
    for against, words in (("all", "graph recovered"), ("reversed", "direction recovered")):
        if format not in found:
            return []
        names = found[format].names
        standing = sum(s in graph.under(t) for s in names for t in names)
        if standing < 2 or len(names) * (len(names) - 1) - standing < 2:
            return []
        area = found[format].recovers(graph, against)  # type: ignore[arg-type]
        note = "0.5 is chance" + ("" if area.unit_of_replication == "seeds" else f"; {ALONE}")
        made.append(
            Reading(
                f"{format}: {words}",
                area.value,
                area.low,
                area.high,
                area.n,
                area.unit_of_replication,
                tuple(seeds),
                "AUC",
                "higher",
                table="entanglement",
                note=note,
            )
        )
    return made
