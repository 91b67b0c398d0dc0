"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from typing import Any

from unteach.core import Reading, Table

from .drawn import tower_tables
from .readings import all_readings
from .rows import (
    Results,
    change_rows,
    door_rows,
    forget_rows,
    mole_rows,
    relearn_rows,
    role_rows,
    skill_rows,
)
from .setting import columns, graph_of
from .summed import entangled_rows, grouped, matrices


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
        _table("skills", skills, ("format", "seed", "never taught", "skill"),
               "What each taught model knows, asked by name: share of answered symbols, and of "
               "whole tasks."),
        _table("forgetting", forgets, ("format", "seed", "skill", "method", "kept"),
               "Every forgetting: the front door beside the back doors, and what was kept."),
        _table("forgetting by arm", grouped(
            forgets, ("format", "skill", "method", "kept"),
            ("front", "mean back door", "best back door", "top", "least kept")),
            (), "Means over seeds."),
        _table("doors", doors, ("format", "seed", "skill", "model", "door"),
               "The skill at its front door and through every back door, model by model."),
        _table("doors by model", grouped(doors, ("format", "skill", "model", "door"),
                                         ("accuracy",)), (), "Means over seeds."),
        _table("roles", roles, ("format", "seed", "skill", "method", "kept", "role"),
               "Accuracy of each token given all before it, by the part that it plays."),
        _table("roles by arm", grouped(
            roles, ("format", "skill", "method", "kept", "trace", "role"),
            ("before", "after", "drop")), (), "Means over seeds."),
        _table("changes", changes, ("format", "seed", "skill", "kept", "moved", "asked"),
               "After a change: answers by the new definition, by the old one, by neither."),
        _table("changes by skill", grouped(
            changes, ("format", "skill", "change", "asked"),
            ("new", "old", "neither", "coherence")), (), "Means over seeds."),
        _table("moles", moles, ("format", "seed", "closed", "door"),
               "Every door when the front door and the first so many back doors were forgotten."),
        _table("moles by door", grouped(moles, ("format", "closed", "door", "state"),
                                        ("accuracy", "least kept")), (), "Means over seeds."),
        _table("relearning", again, ("format", "seed", "skill", "model", "step"),
               "Accuracy on the half of the tasks that is not taught again."),
        _table("relearning by step", grouped(again, ("format", "skill", "model", "step"),
                                             ("accuracy",)), (), "Means over seeds."),
        _table("entanglement", entangled, ("format", "forgotten", "watched"),
               "Share of the watched skill's accuracy above chance that is gone, mean over "
               "seeds; asymmetry: less the same the other way round."),
        *(e.table(f"entanglement {f}") for f, e in found.items()),
        *tower_tables(plan, results, graph, found),
    ]  # fmt: skip
    return tables, all_readings(plan, results, graph, forgets, changes, roles, found)


def _table(name: str, rows: list[dict[str, Any]], keys: tuple[str, ...], about: str) -> Table:
    names = list(rows[0]) if rows else []
    shares = ("share", "whole", "front", "top", "least kept", "accuracy", "drop", "before",
              "after", "new", "old", "neither", "coherence", "chance")  # fmt: skip
    units = {n: "accuracy" for n in names if n.split(" low")[0].split(" high")[0] in shares}
    return Table(name, columns(rows), units, keys if rows else (), about)
