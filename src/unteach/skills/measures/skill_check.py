"""What a tower says about its skills, held against the true functions on all inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unteach.core import BadInput

from ..graph.programs import Array, Oracle
from ..graph.skill import MOST, Checked, Reduction, Skill, input_chunks, possible


def hold(
    skills: Sequence[Skill],
    ways: Sequence[Reduction],
    truth: Oracle,
    maps: Mapping[str, Array],
    symbols: tuple[str, ...],
) -> tuple[dict[str, Checked], dict[str, float]]:
    """Compare every program with the true function that it is to compute.

    All inputs are tried where there are at most 2**23, otherwise a fixed sample of 2**20. While
    at it, the chance level is counted: the accuracy an answer symbol has if the most common
    symbol is always said there, averaged over a skill's outputs.

    Returns (on how many inputs each program, by its words, was compared; the chance levels).

    Errors : BadInput with the input that breaks a program, or on which a skill answers with
        something that is no symbol
    """
    base = len(symbols)
    checked: dict[str, Checked] = {}
    chance: dict[str, float] = {}
    for skill in skills:
        mine = [way for way in ways if way.target == skill.name]
        # a skill without a truth of its own is defined by its calls: nothing to compare them with
        compared = [w for w in mine if w.kind == "reduction" or skill.truth is not None]
        counts = np.zeros((skill.outputs, base), dtype=np.int64)
        for inputs in input_chunks(skill, base):
            answers = truth(skill.name, inputs)
            _proper(skill, inputs, answers, symbols)
            for j in range(skill.outputs):
                counts[j] += np.bincount(answers[:, j], minlength=base)
            for way in compared:
                said = way.program.run(inputs, truth, maps)
                _same(way, inputs, said, answers, symbols)
        seen = int(counts[0].sum())
        if seen == 0:
            raise BadInput(f"{skill.name} is defined on no input; look at its `when`")
        total = possible(skill, base)
        of = seen if total <= MOST else total
        checked.update({str(way): Checked(seen, of) for way in mine})
        chance[skill.name] = float((counts.max(axis=1) / seen).mean())
    return checked, chance


def _proper(skill: Skill, inputs: Array, answers: Array, symbols: tuple[str, ...]) -> None:
    if answers.shape != (len(inputs), skill.outputs):
        raise BadInput(
            f"{skill.name} answers {inputs.shape} inputs with shape {answers.shape}; it was "
            f"declared with {skill.outputs} outputs"
        )
    if answers.dtype.kind not in "iu":
        raise BadInput(f"{skill.name} answers with {answers.dtype}; numbers of symbols are whole")
    bad = ((answers < 0) | (answers >= len(symbols))).any(axis=1)
    if bad.any():
        at = int(bad.argmax())
        raise BadInput(
            f"{skill.name}({written(inputs[at], symbols)}) gives "
            f"{answers[at].tolist()}, which are not all numbers of the {len(symbols)} symbols; "
            "correct its rule, give what its table lacks, or say with `when` where it is defined"
        )


def _same(
    way: Reduction, inputs: Array, said: Array, answers: Array, symbols: tuple[str, ...]
) -> None:
    if said.shape != answers.shape:
        raise BadInput(
            f"the {way.kind} {way} gives {said.shape[1]} values; {way.target} has "
            f"{answers.shape[1]} outputs"
        )
    wrong = (said != answers).any(axis=1)
    if wrong.any():
        at = int(wrong.argmax())
        raise BadInput(
            f"the {way.kind} {way} is wrong: {way.target}({written(inputs[at], symbols)}) is "
            f"{written(answers[at], symbols)}, the program gives {written(said[at], symbols)}"
        )


def written(values: Array, symbols: Sequence[str]) -> str:
    """Return numbers of symbols as they are spelled; "nothing" where there is none.

    >>> written(np.array([1, -1]), ("a", "b"))
    'b, nothing'
    """
    return ", ".join(symbols[v] if v >= 0 else "nothing" for v in values.tolist())
