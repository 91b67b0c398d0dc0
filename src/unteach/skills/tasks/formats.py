"""The four formats: how a task is written down, token by token, and what part each token plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from unteach.core import BadInput

from ..graph.programs import Program, Value
from ..graph.skill_graph import SkillGraph
from .vocabulary import END, EQUALS

Format = Literal["direct", "implicit", "explicit", "explicit-rope"]
FORMATS: tuple[Format, ...] = get_args(Format)
ROLES = ("prompt", "control", "copy", "answer")
"""The roles before those of the skills: what is given, signs, copied values, and answers that no
written call gives. A value that a written call gives has that call's skill as its role."""


def positions(format: Format) -> Literal["absolute", "rotary"]:
    """Return which scheme of positions the model of a format has; its tokens know nothing of it."""
    return "rotary" if known(format) == "explicit-rope" else "absolute"


def known(format: str) -> Format:
    """Return the format, or say which there are."""
    if format not in FORMATS:
        raise BadInput(f"a format is one of {FORMATS}, got {format!r}")
    return format


@dataclass(frozen=True)
class Slot:
    """One token of a layout.

    Parameters
    ----------
    word : a fixed token, or None where a value stands
    value : the value of the program that stands there, or None
    role : "prompt", "control", "copy", "answer", or the skill whose written call gives it
    maker : the atom that made the value, whether its call is written or not; "" for none
    answer : which output of the skill it answers, or -1
    """

    word: str | None
    value: Value | None
    role: str
    maker: str = ""
    answer: int = -1


@dataclass(frozen=True)
class Layout:
    """How the tasks of one skill are written in one format: all in the same number of tokens.

    Parameters
    ----------
    skill : which skill
    program : its calls, opened down to the atoms
    slots : the tokens, the prompt first
    prompt : how many tokens are given
    """

    skill: str
    program: Program
    slots: tuple[Slot, ...]
    prompt: int


def layout(graph: SkillGraph, name: str, format: Format) -> Layout:
    """Return how a skill's tasks are written.

    The prompt is `SKILL inputs =`, and all formats end with the outputs and an end token.
    Between them, "direct" writes nothing, "implicit" the result of every atom's call in order,
    "explicit" every call as `ATOM inputs = results`; "explicit-rope" is "explicit" for a model
    with rotary positions. Where a skill's outputs are results of its calls, in that order, they
    are answered where they stand in the trace; otherwise they are copied behind it, after `=`.
    An atom is written alike in all formats.

    >>> from unteach.skills import tower
    >>> g = tower("lists", letters=3)
    >>> for how in FORMATS[:3]:
    ...     print(" ".join(str(s.word or s.value) for s in layout(g, "MAP", how).slots[5:]))
    %0.0 %1.0 %2.0 <end>
    %0.0 %1.0 %2.0 <end>
    NEXT x = %0.0 NEXT y = %1.0 NEXT z = %2.0 <end>
    """
    known(format)
    skill, program = graph[name], graph.flat(name)
    made = {out: step.skill for step in program.steps for out in step.out}
    head = [Slot(name, None, "prompt")]
    head += [Slot(None, i, "prompt") for i in skill.inputs]
    head.append(Slot(EQUALS, None, "prompt"))
    body: list[Slot] = []
    if skill.is_atom or format == "direct":
        body = _answers(program.returns, made, "answer")
    else:
        placed = _in_place(program)
        for step in program.steps:
            if format != "implicit":
                body.append(Slot(step.skill, None, "control"))
                body += [Slot(None, a, "copy", _maker(a, made)) for a in step.args]
                body.append(Slot(EQUALS, None, "control"))
            body += [Slot(None, o, step.skill, step.skill, placed.get(o, -1)) for o in step.out]
        if not placed:
            body.append(Slot(EQUALS, None, "control"))
            body += _answers(program.returns, made, "copy")
    return Layout(name, program, (*head, *body, Slot(END, None, "control")), len(head))


def _answers(returns: tuple[Value, ...], made: dict[str, str], role: str) -> list[Slot]:
    return [Slot(None, r, role, _maker(r, made), k) for k, r in enumerate(returns)]


def _maker(value: Value, made: dict[str, str]) -> str:
    return made.get(value, "") if isinstance(value, str) else ""


def _in_place(program: Program) -> dict[str, int]:
    """Return which output each result of a call answers, or nothing where they do not line up."""
    order = [out for step in program.steps for out in step.out]
    at = [order.index(r) for r in program.returns if r in order]
    if len(at) < len(program.returns) or at != sorted(set(at)):
        return {}
    return {order[k]: j for j, k in enumerate(at)}
