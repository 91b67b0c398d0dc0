"""Back doors: every known way to compute a skill from others, run with a model's own answers."""

from __future__ import annotations

from collections.abc import Sequence

from unteach.core import Progress, Table

from ..graph.programs import Array, Oracle
from ..graph.skill import Reduction
from ..graph.skill_graph import SkillGraph
from .answer_scores import score


def back_doors(
    graph: SkillGraph,
    skill: str,
    inputs: Array,
    oracle: Oracle,
    *,
    truth: Oracle | None = None,
    ways: Sequence[Reduction] | None = None,
    progress: Progress | None = None,
) -> Table:
    """Return how well a skill is answered at the front door and through every back door.

    Parameters
    ----------
    inputs : (n, k) of the skill; all of them where they are few
    oracle : the model, by its answers; each step of a program is one batch of questions
    truth : what the answers are compared with; the graph's truth if none is given
    ways : the reductions to try; all that the graph has for this skill if none are given

    Columns: door ("front" or the program), through (the skills it calls), outside (relabelings
    done by the asker), accuracy (share of symbols), whole (share of tasks), n.

    Examples
    --------
    >>> import numpy as np
    >>> from unteach.skills import Tasks, tower
    >>> g = tower("linear-algebra", p=5)
    >>> forgot = lambda s, x: 0 * x[:, :1] if s == "ADD" else g.truth(s, x)
    >>> doors = back_doors(g, "ADD", Tasks(g, "direct").domain("ADD"), forgot)
    >>> doors["door"][:3], doors["accuracy"][:3]
    (['front', 'AFF(a, 1, b)', 'DOT(a, b, 1, 1)'], [0.2, 1.0, 1.0])
    """
    right = (truth or graph.truth)(skill, inputs)
    known = [w for w in graph.ways if w.target == graph[skill].name] if ways is None else ways
    seen = score(oracle(skill, inputs), right)
    rows = [("front", skill, "", seen.share, seen.whole, seen.n)]
    for k, way in enumerate(known):
        if progress is not None:
            progress(k, len(known), f"back door {way}")
        seen = score(way.program.run(inputs, oracle, graph.maps), right)
        rows.append(
            (
                str(way).split(" = ", 1)[1],
                ", ".join(way.sources),
                ", ".join(way.program.maps),
                seen.share,
                seen.whole,
                seen.n,
            )
        )
    names = ("door", "through", "outside", "accuracy", "whole", "n")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    units = {"accuracy": "accuracy", "whole": "accuracy", "n": "tasks"}
    return Table(
        f"back doors to {skill}",
        columns,
        units,
        ("door",),
        "Every way to compute the skill that the tower knows, run with the model's own answers.",
    )
