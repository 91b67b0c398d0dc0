"""Opening a program: every call to a composite replaced by its own calls, down to the atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .programs import Program, Step, Value
from .skills import Skill


def opened(skill: Skill, programs: Mapping[str, Program]) -> Program:
    """Return the program of a skill in calls to atoms alone; an atom's is the call to itself.

    Parameters
    ----------
    skill : whose
    programs : the programs of all composites, by name; what has none is an atom
    """
    if skill.is_atom:
        out = tuple(f"%0.{j}" for j in range(skill.outputs))
        return Program(skill.inputs, (Step(skill.name, skill.inputs, out),), out)
    steps: list[Step] = []
    returns = _inlined(programs[skill.name], skill.inputs, programs, steps)
    return Program(skill.inputs, tuple(steps), returns)


def _inlined(
    program: Program, given: Sequence[Value], programs: Mapping[str, Program], steps: list[Step]
) -> tuple[Value, ...]:
    """Append the atoms' calls of a program run on these values; return what it returns."""
    held: dict[str, Value] = dict(zip(program.inputs, given, strict=True))

    def look(value: Value) -> Value:
        return held[value] if isinstance(value, str) else value

    for step in program.steps:
        args = tuple(look(a) for a in step.args)
        if step.skill in programs:
            out = _inlined(programs[step.skill], args, programs, steps)
        else:
            named = tuple(f"%{len(steps)}.{j}" for j in range(len(step.out)))
            steps.append(Step(step.skill, args, named))
            out = named
        held.update(zip(step.out, out, strict=True))
    return tuple(look(r) for r in program.returns)
