"""The tower as tables for its picture: skills on floors, frame by frame, and edges."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from unteach.core import Table
from unteach.knowledge import Entanglement, SkillGraph

from .rows import Results, Row, of_kind
from .setting import MAIN, columns, shifted, tasks_of, ways_to
from .summed import mean_of

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
                nodes.append({
                    "frame": label, "skill": name, "floor": floors[name], "accuracy": m.value,
                    "low": m.low, "high": m.high, "chance": graph.chance[name],
                    "note": note if name == skill
                    else shorten(graph[name].about, 19, placeholder="…"),
                })  # fmt: skip
    taught = tuple(dict.fromkeys(str(n["skill"]) for n in nodes))
    edges: list[Row] = []
    for edge in graph.edges:
        if edge.kind != "reduction" and edge.target in taught:
            edges += [_edge(s, edge.target, edge.kind, None, None)
                      for s in edge.sources if s in taught]  # fmt: skip
    if format in found:
        edges += [_edge(e.sources[0], e.target, "measured", min(1.0, e.strength or 0.0), None)
                  for e in found[format].edges(STRONG)]  # fmt: skip
    doors = dict.fromkeys(
        w.sources[0] for w in ways_to(graph, skill, taught) if len(w.sources) == 1
    )
    edges += [_edge(s, skill, "reduction", None, frames[2][0]) for s in doors]
    return [
        Table("tower", columns(nodes), {"accuracy": "accuracy"}, ("frame", "skill"),
              f"Accuracy by skill, asked by name; format {format}, means over seeds. The change "
              f"elsewhere on the page is {shifted(graph, skill).text}."),
        Table("tower edges", columns(edges), {"strength": "share"}, (),
              "Declared edges, measured ones, and back doors."),
    ]  # fmt: skip


def _edge(source: str, target: str, kind: str, strength: float | None, frame: str | None) -> Row:
    return {"source": source, "target": target, "kind": kind, "strength": strength,
            "frame": frame}  # fmt: skip


def _skills(results: Results, kind: str, format: str, chosen: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for parts, result in of_kind(results, kind):
        if parts[0] == format and chosen(parts):
            for name, seen in result["skills"].items():
                found.setdefault(name, []).append(seen["share"])
    return found
