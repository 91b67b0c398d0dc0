"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from unteach.core import Reading, Table
from unteach.skills import Entanglement, SkillGraph

from .readings import all_readings
from .rows import (
    Results,
    Row,
    change_rows,
    door_rows,
    forget_rows,
    mole_rows,
    of_kind,
    relearn_rows,
    role_rows,
    skill_rows,
)
from .setting import MAIN, columns, graph_of, shifted, tasks_of, ways_to
from .summed import entangled_rows, grouped, matrices, mean_of

# The tower as tables for its picture: skills on floors, frame by frame, and edges.

STRONG = 0.15
"""Measured edges are drawn from this share of a fall on."""


def shown_format(plan: dict[str, Any]) -> str:
    """Return the format that is drawn: the one with the most sharing, if it was measured."""
    return "explicit-rope" if "explicit-rope" in plan["formats"] else str(plan["formats"][0])


def tower_tables(
    plan: dict[str, Any], results: Results, graph: SkillGraph, found: dict[str, Entanglement]
) -> list[Table]:
    """Return the nodes and the edges of the drawn tower."""
    format, skill = shown_format(plan), plan["world"]["forgotten"][0]
    method, kept = MAIN
    before = _skills(results, "teach", format, lambda p: p[2] == "all")
    gone = _skills(results, "forget", format, lambda p: p[2:] == [skill, method, kept])
    bare = _skills(results, "forget", format, lambda p: p[2:] == [skill, "labels", "atoms"])
    never = _skills(results, "teach", format, lambda p: p[2] == skill)
    frames = [
        ("as taught", before, ""),
        (f"{skill} forgotten, nothing above it protected", bare, "atoms protected"),
        (f"{skill} forgotten, everything else protected", gone, "back doors open"),
        (f"{skill} never taught", never, ""),
    ]
    floors, nodes = graph.floors(), []
    for label, skills, note in frames:
        for name in tasks_of(plan["world"], format).groups:
            if name in skills:
                m = mean_of(skills[name])
                nodes.append(
                    {
                        "frame": label,
                        "skill": name,
                        "floor": floors[name],
                        "accuracy": m.value,
                        "low": m.low,
                        "high": m.high,
                        "chance": graph.chance[name],
                        "note": note
                        if name == skill
                        else shorten(graph[name].about, 19, placeholder="…"),
                    }
                )
    taught = tuple(dict.fromkeys(str(n["skill"]) for n in nodes))
    edges: list[Row] = []
    for edge in graph.edges:
        if edge.kind != "reduction" and edge.target in taught:
            edges += [
                _edge(s, edge.target, edge.kind, None, None) for s in edge.sources if s in taught
            ]
    if format in found:
        edges += [
            _edge(e.sources[0], e.target, "measured", min(1.0, e.strength or 0.0), None)
            for e in found[format].edges(STRONG)
        ]
    doors = dict.fromkeys(
        w.sources[0] for w in ways_to(graph, skill, taught) if len(w.sources) == 1
    )
    edges += [_edge(s, skill, "reduction", None, frames[2][0]) for s in doors]
    return [
        Table(
            "tower",
            columns(nodes),
            {"accuracy": "accuracy"},
            ("frame", "skill"),
            f"Accuracy by skill, asked by name; format {format}, means over seeds. The change "
            f"elsewhere on the page is {shifted(graph, skill).text}.",
        ),
        Table(
            "tower edges",
            columns(edges),
            {"strength": "share"},
            (),
            "Declared edges, measured ones, and back doors.",
        ),
    ]


def _edge(source: str, target: str, kind: str, strength: float | None, frame: str | None) -> Row:
    return {"source": source, "target": target, "kind": kind, "strength": strength, "frame": frame}


def _skills(results: Results, kind: str, format: str, chosen: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for parts, result in of_kind(results, kind):
        if parts[0] == format and chosen(parts):
            for name, seen in result["skills"].items():
                found.setdefault(name, []).append(seen["share"])
    return found


def tables_and_readings(
    plan: dict[str, Any], results: Results
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    graph = graph_of(plan["world"])
    chance = dict(graph.chance)
    forgets, changes = forget_rows(results, chance), change_rows(results)
    skills, doors = skill_rows(results, chance), door_rows(results)
    moles, roles, again = mole_rows(results), role_rows(results), relearn_rows(results)
    found = matrices(plan, results, graph)
    entangled = [r for f, e in found.items() for r in entangled_rows(f, e, graph)]
    tables = [
        _table(
            "skills",
            skills,
            ("format", "seed", "never taught", "skill"),
            "What each taught model knows, asked by name: share of answered symbols, and of "
            "whole tasks.",
        ),
        _table(
            "forgetting",
            forgets,
            ("format", "seed", "skill", "method", "kept"),
            "Every forgetting: the front door beside the back doors, and what was kept.",
        ),
        _table(
            "forgetting by arm",
            grouped(
                forgets,
                ("format", "skill", "method", "kept"),
                ("front", "mean back door", "best back door", "top", "least kept"),
            ),
            (),
            "Means over seeds.",
        ),
        _table(
            "doors",
            doors,
            ("format", "seed", "skill", "model", "door"),
            "The skill at its front door and through every back door, model by model.",
        ),
        _table(
            "doors by model",
            grouped(doors, ("format", "skill", "model", "door"), ("accuracy",)),
            (),
            "Means over seeds.",
        ),
        _table(
            "roles",
            roles,
            ("format", "seed", "skill", "method", "kept", "role"),
            "Accuracy of each token given all before it, by the part that it plays.",
        ),
        _table(
            "roles by arm",
            grouped(
                roles,
                ("format", "skill", "method", "kept", "trace", "role"),
                ("before", "after", "drop"),
            ),
            (),
            "Means over seeds.",
        ),
        _table(
            "changes",
            changes,
            ("format", "seed", "skill", "kept", "moved", "asked"),
            "After a change: answers by the new definition, by the old one, by neither.",
        ),
        _table(
            "changes by skill",
            grouped(
                changes,
                ("format", "skill", "change", "asked"),
                ("new", "old", "neither", "coherence"),
            ),
            (),
            "Means over seeds.",
        ),
        _table(
            "moles",
            moles,
            ("format", "seed", "closed", "door"),
            "Every door when the front door and the first so many back doors were forgotten.",
        ),
        _table(
            "moles by door",
            grouped(moles, ("format", "closed", "door", "state"), ("accuracy", "least kept")),
            (),
            "Means over seeds.",
        ),
        _table(
            "relearning",
            again,
            ("format", "seed", "skill", "model", "step"),
            "Accuracy on the half of the tasks that is not taught again.",
        ),
        _table(
            "relearning by step",
            grouped(again, ("format", "skill", "model", "step"), ("accuracy",)),
            (),
            "Means over seeds.",
        ),
        _table(
            "entanglement",
            entangled,
            ("format", "forgotten", "watched"),
            "Share of the watched skill's accuracy above chance that is gone, mean over "
            "seeds; asymmetry: less the same the other way round.",
        ),
        *(e.table(f"entanglement {f}") for f, e in found.items()),
        *tower_tables(plan, results, graph, found),
    ]
    return tables, all_readings(plan, results, graph, forgets, changes, roles, found)


def _table(name: str, rows: list[dict[str, Any]], keys: tuple[str, ...], about: str) -> Table:
    names = list(rows[0]) if rows else []
    shares = (
        "share",
        "whole",
        "front",
        "top",
        "least kept",
        "accuracy",
        "drop",
        "before",
        "after",
        "new",
        "old",
        "neither",
        "coherence",
        "chance",
    )
    units = {n: "accuracy" for n in names if n.split(" low")[0].split(" high")[0] in shares}
    return Table(name, columns(rows), units, keys if rows else (), about)
