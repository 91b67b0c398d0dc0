"""Read-outs of a model's answers: the front door, what a change did, and coherence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unteach.core import BadInput

from ..graph.programs import Array, Oracle
from ..graph.skill_graph import SkillGraph


@dataclass(frozen=True)
class Score:
    """How many answers are as they should be.

    Parameters
    ----------
    share : of answered symbols, 0 to 1; what chance levels are stated for
    whole : share of tasks with every symbol right
    n : tasks
    """

    share: float
    whole: float
    n: int


@dataclass(frozen=True)
class Ripple:
    """What a model answers after a change, where the change makes a difference.

    Parameters
    ----------
    new, old, neither : shares of answered symbols, which sum to 1
    n : symbols for which new and old differ
    same : symbols for which they do not, and which say nothing
    """

    new: float
    old: float
    neither: float
    n: int
    same: int


def score(answers: Array, truth: Array) -> Score:
    """Return how many answers (n, outputs) equal the truth (n, outputs); -1 never does.

    >>> score(np.array([[1, 2], [3, -1]]), np.array([[1, 2], [3, 4]]))
    Score(share=0.75, whole=0.5, n=2)
    """
    right = _alike(answers, truth) & (answers >= 0)
    return Score(float(right.mean()), float(right.all(axis=1).mean()), len(right))


def ripple(answers: Array, *, new: Array, old: Array) -> Ripple:
    """Return the shares of answered symbols that follow the new or the old definition.

    Errors : BadInput where the change makes no difference to any of these tasks

    >>> ripple(np.array([[1], [2], [6], [3]]), new=np.array([[1], [3], [5], [3]]),
    ...        old=np.array([[0], [2], [4], [3]]))
    Ripple(new=0.3333333333333333, old=0.3333333333333333, neither=0.3333333333333333, n=3, same=1)
    """
    differ = ~_alike(new, old)
    _alike(answers, new)
    n = int(differ.sum())
    if n == 0:
        raise BadInput("new and old agree on all of these tasks; draw others")
    fresh = float((answers == new)[differ].mean())
    stale = float((answers == old)[differ].mean())
    neither = float(((answers != new) & (answers != old))[differ].mean())
    return Ripple(fresh, stale, neither, n, int(differ.size - n))


def front_door(graph: SkillGraph, skill: str, inputs: Array, oracle: Oracle) -> Score:
    """Return how well a skill is answered when it is asked for by name.

    Nothing is forgotten on this number alone: see `back_doors`.
    """
    return score(oracle(skill, inputs), graph.truth(skill, inputs))


def coherence(graph: SkillGraph, skill: str, inputs: Array, oracle: Oracle) -> Score:
    """Return how often a composite's answer equals what the model's own atoms compose to.

    The program of the skill, opened to its atoms, is run with the model's answers; 1 for a mind
    that agrees with itself, right or wrong. Where an atom gives no answer, they do not agree.

    Errors : BadInput for an atom, which composes of nothing

    >>> from unteach.skills import tower
    >>> g = tower("linear-algebra", p=5)
    >>> x = np.array([[1, 2, 3], [4, 4, 1]])
    >>> odd = lambda s, x: (g.truth(s, x) + (s == "ADD")) % 5      # its sums changed, AFF did not
    >>> coherence(g, "AFF", x, g.truth).share, coherence(g, "AFF", x, odd).share
    (1.0, 0.0)
    """
    if graph[skill].is_atom:
        raise BadInput(f"{skill} is an atom: there is nothing to compose it of")
    return score(oracle(skill, inputs), graph.flat(skill).run(inputs, oracle, graph.maps))


def _alike(one: Array, other: Array) -> Array:
    if one.shape != other.shape or one.ndim != 2 or not len(one):
        raise BadInput(
            f"answers come as (n, outputs), n at least 1; got {one.shape}, {other.shape}"
        )
    return np.asarray(one == other)
