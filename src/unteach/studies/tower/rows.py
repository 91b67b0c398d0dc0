"""From the tasks' results to rows: one a model and thing that was read, nothing summed up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .setting import changed_words

Row = dict[str, Any]
Results = dict[str, dict[str, Any]]


def of_kind(results: Results, kind: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Yield (what stands in the key: format, seed, ...; result) of one kind of task."""
    for key, found in results.items():
        parts = key.split("/")
        if parts[0] == kind:
            yield parts[1:], found


def skill_rows(results: Results, chance: dict[str, float]) -> list[Row]:
    """Return what taught models know, skill by skill."""
    return [
        {
            "format": f,
            "seed": int(k),
            "never taught": "" if never == "all" else never,
            "skill": s,
            "share": r["share"],
            "whole": r["whole"],
            "chance": chance[s],
            "steps": found["steps"],
            "starts": found["starts"],
        }
        for (f, k, never), found in of_kind(results, "teach")
        for s, r in found["skills"].items()
    ]


def forget_rows(results: Results, chance: dict[str, float]) -> list[Row]:
    """Return one row a forgetting: its front door, its back doors, and what was to be kept."""
    rows = []
    for (f, k, skill, method, kept), found in of_kind(results, "forget"):
        doors = [d["accuracy"] for d in found["doors"][1:]]
        others = {s: r["share"] for s, r in found["skills"].items() if s != skill}
        above = found["traced"]
        front = found["doors"][0]["accuracy"]
        rows.append(
            {
                "format": f,
                "seed": int(k),
                "skill": skill,
                "method": method,
                "kept": kept,
                "front": front,
                "chance": chance[skill],
                "best back door": max(doors) if doors else None,
                "mean back door": sum(doors) / len(doors) if doors else None,
                "above": above,
                "top": others[above],
                "least kept": min(others.values()),
                "steps": found["steps"],
                "front door": front_word(front, chance[skill]),
            }
        )
    return rows


def front_word(front: float, chance: float) -> str:
    """Return what a front-door accuracy shows, of the front door alone.

    >>> front_word(0.2, 0.2), front_word(0.0, 0.2), front_word(0.9, 0.2)
    ('at chance', 'below chance', 'resisted')
    """
    if front > chance + 0.10:
        return "resisted"
    return "at chance" if front >= chance - 0.10 else "below chance"


def door_rows(results: Results) -> list[Row]:
    """Return every door of every model: as taught, never taught, and after each forgetting."""
    rows = []
    for (f, k, never), found in of_kind(results, "teach"):
        for skill, doors in found["doors"].items():
            label = "as taught" if never == "all" else "never taught"
            rows += [
                {"format": f, "seed": int(k), "skill": skill, "model": label, **d} for d in doors
            ]
    for (f, k, skill, method, kept), found in of_kind(results, "forget"):
        rows += [
            {"format": f, "seed": int(k), "skill": skill, "model": f"{method}, {kept}", **d}
            for d in found["doors"]
        ]
    return rows


def role_rows(results: Results) -> list[Row]:
    """Return what each role in the trace lost, led token by token."""
    return [
        {
            "format": f,
            "seed": int(k),
            "skill": skill,
            "method": method,
            "kept": kept,
            "trace": found["traced"],
            **r,
        }
        for (f, k, skill, method, kept), found in of_kind(results, "forget")
        for r in found["roles"]
    ]


def change_rows(results: Results) -> list[Row]:
    """Return who answers by the new definition after a change."""
    return [
        {
            "format": f,
            "seed": int(k),
            "skill": skill,
            "kept": kept,
            "moved": moved,
            "change": changed_words(kept, moved),
            "asked": asked,
            "new": a["new"],
            "old": a["old"],
            "neither": a["neither"],
            "coherence": found["coherence"].get(asked),
            "steps": found["steps"],
        }
        for (f, k, skill, kept, moved), found in of_kind(results, "change")
        for asked, a in found["answers"].items()
    ]


def mole_rows(results: Results) -> list[Row]:
    """Return every door's accuracy when the first so many doors are closed."""
    rows = []
    for (f, k, _), found in of_kind(results, "mole"):
        for at, d in enumerate(found["doors"]):
            rows.append(
                {
                    "format": f,
                    "seed": int(k),
                    "closed": found["closed"],
                    "door": d["door"],
                    "state": "closed" if at <= found["closed"] else "not closed",
                    "accuracy": d["accuracy"],
                    "least kept": min(
                        r["share"] for s, r in found["skills"].items() if s != found["skill"]
                    ),
                }
            )
    return rows


def relearn_rows(results: Results) -> list[Row]:
    """Return the relearning curves: after forgetting, and of models that were never taught."""
    rows = []
    for (f, k, never), found in of_kind(results, "teach"):
        rows += [
            {
                "format": f,
                "seed": int(k),
                "skill": never,
                "model": "never taught",
                "step": int(s),
                "accuracy": a,
            }
            for s, a in found["relearn"]
        ]
    for (f, k, skill, *_), found in of_kind(results, "forget"):
        rows += [
            {
                "format": f,
                "seed": int(k),
                "skill": skill,
                "model": "after forgetting",
                "step": int(s),
                "accuracy": a,
            }
            for s, a in found["relearn"]
        ]
    return rows
