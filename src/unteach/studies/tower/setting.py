"""What the tower study is run on: the tower, the skills taught, the models, and the arms."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import BadInput
from unteach.skills import (
    FORMATS,
    PROTECTIONS,
    Change,
    Reduction,
    SkillGraph,
    Tasks,
    load_tower,
    tower,
)

NINE = ("ADD", "SUB", "MUL", "MAX", "REV", "AFF", "DOT", "MV", "MM")
FOUR = ("ADD", "SUB", "MUL", "DOT")
"""Of the quick form: up to the sum of products that every entry of a matrix product is."""
SMALL_MATRIX = ("ADD", "MUL", "DOT")
MATRIX = ("ADD", "SUB", "MUL", "REV", "DOT", "MM")
"""Skills of the entanglement matrix in the full form; every pair costs a forgetting."""
PART_OF_MATRIX = ("ADD", "MUL", "DOT", "MM")
"""Those of it that are measured in every format; the thorough format has all."""
THOROUGH = "explicit-rope"
"""The format in which the full form measures everything: a call in its traces looks like a question
at the front door. The others are spared what no comparison of formats rests on."""

METHODS = {
    "ascent": "gradient ascent",
    "neggrad": "NegGrad+",
    "labels": "random labels",
    "vector": "task vector",
    "row": "random labels, the skill's own token row alone",
}
KEPT = {
    "none": "nothing",
    "atoms": "atoms",
    "trace": "all but the skill's own results",
    "everything": "everything else",
}
MAIN = ("labels", "everything")
"""The arm that the answer is judged by: to chance, with everything else held in place."""
BARE, SPARED = ("labels", "atoms"), ("labels", "trace")
"""The arms by which damage in the trace is read: with nothing above the skill held in place, and
with all held but the results of the skill's own calls."""
ARMS = (
    ("ascent", "none"),
    ("vector", "none"),
    ("neggrad", "everything"),
    ("row", "everything"),
    BARE,
    SPARED,
    MAIN,
)
FEW_ARMS = (BARE, SPARED, MAIN)
"""Those of the quick form, and of every forgotten skill but the first."""
LAST, ALL = "last", "all"
MOVED = {LAST: "last layers", ALL: "all layers"}
"""Which layers a change may move: those behind the last attention, or all."""
TRAVEL = ("trace", LAST)
"""The change by which travelling is judged: all held but the results of the skill's own calls."""
APART = ("everything", ALL)
"""The change that meets the old definition everywhere else, with all layers free."""
CHANGES = (*((kept, LAST) for kept in PROTECTIONS), ("trace", ALL), APART)
FEW_CHANGES = (TRAVEL, APART)


@dataclass(frozen=True)
class Shape:
    """A model and its training.

    Parameters
    ----------
    width, layers : of the transformer · batch, lr : of its training · steps : it has at most
    enough : the training ends when every taught skill has so large a share of whole tasks right
    composites : a skill that calls others is drawn so many times as often as an atom
    power : a task counts as this power of how many tokens are to be said
    """

    width: int
    layers: int
    batch: int
    steps: int
    lr: float
    enough: float = 0.995
    composites: int = 1
    power: float = 0.5


QUICK = Shape(64, 2, 120, 1200, 4e-3)
DIRECT = Shape(64, 2, 192, 3000, 3e-3, composites=2, power=1.0)
IMPLICIT = Shape(64, 2, 192, 2500, 3e-3, composites=2)
EXPLICIT = Shape(64, 2, 132, 2500, 3e-3, composites=2)
FULL = {"direct": DIRECT, "implicit": IMPLICIT, "explicit": EXPLICIT, "explicit-rope": EXPLICIT}


def changed_words(kept: str, moved: str) -> str:
    """Return in words what was held in place, and which layers were not.

    >>> changed_words("trace", "last"), changed_words("trace", "all")
    ('trace protected', 'trace protected, all layers moved')
    """
    held = "nothing" if kept == "none" else kept
    return f"{held} protected" + ("" if moved == LAST else f", {MOVED[moved]} moved")


def built_in(p: int, skills: tuple[str, ...], forgotten: tuple[str, ...]) -> dict[str, Any]:
    """Return the world of the tower that ships, as plain values."""
    return {"p": p, "spec": None, "skills": list(skills), "forgotten": list(forgotten)}


def own(path: str | Path, skill: str | None) -> dict[str, Any]:
    """Return the world of a tower file: its text goes into the plan, so that the plan is whole."""
    file = Path(path)
    graph = load_tower(file)
    carried = [n for n in graph.names if graph[n].is_atom and graph.over(n)]
    if skill is None and not carried:
        raise BadInput(f"no atom of {graph.name!r} carries another skill; name one by --skill")
    chosen = carried[0] if skill is None else graph[skill].name
    if not graph.over(chosen):
        raise BadInput(f"nothing stands on {chosen!r}; choose one of {carried}")
    spec = {"name": file.name, "text": file.read_text()}
    return {"p": None, "spec": spec, "skills": list(graph.names), "forgotten": [chosen]}


def graph_of(world: dict[str, Any]) -> SkillGraph:
    """Return the tower of a world."""
    if world["spec"] is None:
        return tower("linear-algebra", p=int(world["p"]))
    return _loaded(world["spec"]["name"], world["spec"]["text"])


@lru_cache(maxsize=2)
def _loaded(name: str, text: str) -> SkillGraph:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text)
        return load_tower(file)


def tasks_of(world: dict[str, Any], format: str) -> Tasks:
    """Return the tasks of the skills that are taught."""
    if format not in FORMATS:
        raise BadInput(f"a format is one of {FORMATS}, or all; got {format!r}")
    return Tasks(graph_of(world), format, groups=tuple(world["skills"]))


def ways_to(graph: SkillGraph, skill: str, taught: tuple[str, ...]) -> list[Reduction]:
    """Return the back doors to a skill that lead through taught skills alone."""
    return [w for w in graph.ways if w.target == skill and set(w.sources) <= set(taught)]


def composites(graph: SkillGraph, skill: str, taught: tuple[str, ...]) -> list[str]:
    """Return the taught skills that stand on a skill, in the tower's order."""
    return [name for name in graph.over(skill) if name in taught]


def top(graph: SkillGraph, skill: str, taught: tuple[str, ...]) -> str:
    """Return the highest taught skill that stands on a skill; of several the last."""
    floors = graph.floors()
    return max(reversed(composites(graph, skill, taught)), key=lambda n: floors[n])


def shifted(graph: SkillGraph, skill: str, *, follow: bool = True) -> Change:
    """Return the change of the study: every answer of the skill is one symbol further.

    Of sums this is a + b + 1, of products a b + 1.
    """
    size = len(graph.symbols)

    def new(inputs: Any) -> Any:
        return np.asarray((graph.truth(skill, inputs) + 1) % size)

    return Change(skill, new, follow, f"{skill} + 1")


def shape_json(shape: Shape) -> dict[str, Any]:
    """Return a shape as plain values."""
    return asdict(shape)


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as the columns of a table."""
    return {k: [r[k] for r in rows] for k in rows[0]} if rows else {}
