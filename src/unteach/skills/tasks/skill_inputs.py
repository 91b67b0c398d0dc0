"""Inputs of a skill: all of them, or some, drawn evenly from where the skill is defined."""

from __future__ import annotations

import numpy as np

from unteach.core import BadInput, stream

from ..graph.programs import Array
from ..graph.skill import MOST, Skill, identify, possible, unranked

_TRIES = 1000


def all_inputs(skill: Skill, base: int) -> Array:
    """Return all inputs of a skill (n, k), in order, where there are at most 2**23.

    >>> all_inputs(Skill("NOT", ("a",), 1, lambda x: 1 - x), 2).tolist()
    [[0], [1]]
    """
    total = possible(skill, base)
    if total > MOST:
        raise BadInput(f"{skill.name} has {total} possible inputs, too many to list; draw some")
    inputs = unranked(np.arange(total), len(skill.inputs), base)
    return inputs if skill.when is None else np.asarray(inputs[skill.when(inputs)])


def draw_inputs(skill: Skill, base: int, n: int, *, seed: int, distinct: bool = False) -> Array:
    """Return n inputs of a skill (n, k), from a stream of the seed and the skill's name.

    Parameters
    ----------
    base : how many symbols there are
    n : how many, at least 1
    distinct : without repeating

    Errors : BadInput where n different ones are asked for and there are fewer, or where the skill
        is defined so seldom that drawing does not find n
    """
    if n < 1:
        raise BadInput(f"n is at least 1, got {n}")
    rng, total = stream(seed, "tasks", skill.name), possible(skill, base)
    if distinct and total <= max(MOST // 8, 2 * n) and total <= MOST:  # few: shuffle them all
        whole = all_inputs(skill, base)
        if n > len(whole):
            raise BadInput(
                f"{skill.name} has {len(whole)} tasks, {n} different ones were asked for; "
                "every(name) gives them all"
            )
        return np.asarray(whole[rng.choice(len(whole), size=n, replace=False)])
    held = np.zeros((0, len(skill.inputs)), dtype=np.int64)
    for _ in range(_TRIES):
        fresh = unranked(rng.integers(total, size=2 * n + 16), len(skill.inputs), base)
        held = np.concatenate([held, fresh if skill.when is None else fresh[skill.when(fresh)]])
        if distinct:
            _, first = np.unique(identify(skill, held, base), return_index=True)
            held = held[np.sort(first)]
        if len(held) >= n:
            return held[:n]
    raise BadInput(f"{skill.name}: no {n} inputs were found; it is defined on too few of {total}")
