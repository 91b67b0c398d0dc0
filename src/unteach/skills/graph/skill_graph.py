"""The skill graph: skills, what each stands on, and the reductions that tie them together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unteach.core import BadInput, UnknownRecord

from ..measures.skill_check import hold
from .programs import Array, Oracle, Program, Step, Value, parse
from .skill import Checked, Edge, Reduction, Skill, Truth
from .skill_chains import Chain, recoverable

# Opening a program: every call to a composite replaced by its own calls, down to the atoms.


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


@dataclass(frozen=True, eq=False, repr=False)
class SkillGraph:
    """A hierarchy of skills over one alphabet, checked when it is made.

    Every program is executed against the true functions on all inputs (a fixed sample where there
    are more than 2**23, which `checked` shows), and a wrong one is refused with the input that
    breaks it. A graph knows no model: a model comes in as an oracle, by its answers.

    Parameters
    ----------
    name : of the tower
    symbols : the alphabet; skills work on the symbols' numbers, 0 to len(symbols) - 1
    skills : in any order
    reductions : pairs (skill, program): further ways to compute a skill from others
    maps : relabelings of the symbols that whoever asks can do alone, as arrays of numbers

    Errors : BadInput for a skill that stands on itself (the cycle is named), unknown or repeated
        skills and reductions, and programs that do not compute what they are to compute

    Examples
    --------
    >>> from unteach.skills import tower
    >>> g = tower("linear-algebra", p=5)
    >>> g.floors()["MM"], g.under("DOT"), round(g.chance["MUL"], 2)
    (3, ('ADD', 'MUL'), 0.36)
    >>> print(g)
    tower linear-algebra: 12 skills on 5 floors over 5 symbols; 31 programs checked
    >>> [str(step) for step in g.recoverable(kept={"DOT"})["ADD"][0]]
    ['ADD = DOT(a, b, 1, 1)']
    """

    name: str
    symbols: tuple[str, ...]
    skills: tuple[Skill, ...]
    declared: Sequence[tuple[str, str]] = ()
    maps: Mapping[str, Array] = field(default_factory=dict)
    reductions: tuple[Reduction, ...] = field(init=False)
    edges: tuple[Edge, ...] = field(init=False)
    checked: Mapping[str, Checked] = field(init=False)
    chance: Mapping[str, float] = field(init=False)
    _by_name: Mapping[str, Skill] = field(init=False, repr=False)
    _calls: Mapping[str, Reduction] = field(init=False, repr=False)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        floors = max(self.floors().values()) + 1
        return (
            f"tower {self.name}: {len(self.skills)} skills on {floors} floors over "
            f"{len(self.symbols)} symbols; {len(self.checked)} programs checked"
        )

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("symbols", tuple(str(s) for s in self.symbols))
        put("skills", tuple(self.skills))
        _unrepeated("symbol", self.symbols)
        _unrepeated("skill", [s.name for s in self.skills] + list(self.maps))
        if len(self.symbols) < 2 or not self.skills:
            raise BadInput(f"the tower {self.name!r} needs two symbols and one skill at least")
        if len({s.code for s in self.skills}) < len(self.skills):
            raise BadInput("two skills' names give the same id; rename one of them")
        put("_by_name", {s.name: s for s in self.skills})
        put("maps", {name: self._map(name, values) for name, values in self.maps.items()})
        shapes = {s.name: (len(s.inputs), s.outputs) for s in self.skills}
        put(
            "_calls",
            {
                s.name: Reduction(
                    s.name, s.calls, parse(s.calls, s.inputs, shapes, self.symbols), "call"
                )
                for s in self.skills
                if s.calls
            },
        )
        put("skills", tuple(self._by_name[n] for n in self._ordered()))
        ways = []
        for target, text in self.declared:
            program = parse(text, self[target].inputs, shapes, self.symbols, tuple(self.maps))
            ways.append(Reduction(target, text, program))
            if not program.sources or target in program.sources:
                raise BadInput(f"the reduction {ways[-1]} calls {target} itself, or no skill")
        put("reductions", tuple(ways))
        _unrepeated("reduction", [str(way) for way in ways])
        put("edges", tuple(self._edges()))
        checked, chance = hold(self.skills, self.ways, self.truth, self.maps, self.symbols)
        put("checked", checked)
        put("chance", chance)

    def __getitem__(self, name: str) -> Skill:
        if name not in self._by_name:
            raise UnknownRecord(
                f"the tower {self.name!r} has no skill {name!r}; it has {list(self._by_name)}"
            )
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The skills' names, each after those that it stands on."""
        return tuple(s.name for s in self.skills)

    @property
    def ways(self) -> tuple[Reduction, ...]:
        """All ways to compute a skill from others: the calls that define it, and the reductions."""
        return (*self._calls.values(), *self.reductions)

    def calls(self, name: str) -> Reduction | None:
        """Return the program that defines a skill, or None for an atom."""
        return self._calls.get(self[name].name)

    def under(self, name: str) -> tuple[str, ...]:
        """Return every skill that this one stands on, in the tower's order."""
        below: set[str] = set()
        agenda = list(self._feet(name))
        while agenda:
            foot = agenda.pop()
            if foot not in below:
                below.add(foot)
                agenda += self._feet(foot)
        return tuple(n for n in self.names if n in below)

    def over(self, name: str) -> tuple[str, ...]:
        """Return every skill that stands on this one, in the tower's order."""
        return tuple(n for n in self.names if self[name].name in self.under(n))

    def floors(self) -> dict[str, int]:
        """Return for each skill its floor: 0 for what stands on nothing, else one above."""
        floor: dict[str, int] = {}
        for name in self.names:
            floor[name] = 1 + max((floor[f] for f in self._feet(name)), default=-1)
        return floor

    def recoverable(self, kept: Iterable[str]) -> dict[str, list[Chain]]:
        """Return the chains of reductions by which skills follow from the kept ones.

        Transitive; kept skills are not listed. The calls that define a skill count as a way to
        compute it. See `chains.recoverable`.

        >>> from unteach.skills import tower
        >>> "MAX" in tower("linear-algebra", p=5).recoverable(kept={"DOT", "MUL"})
        False
        """
        held = {self[name].name for name in kept}
        found = recoverable(self.ways, held)
        return {name: found[name] for name in self.names if name in found}

    def truth(self, name: str, inputs: Array) -> Array:
        """Return the true answers (n, outputs): an oracle; -1 where the skill is not defined."""
        return self._answers(name, inputs, {})

    def after(self, change: Mapping[str, Truth]) -> Oracle:
        """Return the oracle of a world in which some skills are defined otherwise.

        Every skill whose program calls a changed one, however deep, is recomputed by its program;
        all others stay as they are.
        """
        changed = {self[name].name: truth for name, truth in change.items()}
        return lambda name, inputs: self._answers(name, inputs, changed)

    def flat(self, name: str) -> Program:
        """Return the program of a skill with every call opened, down to the atoms."""
        return opened(self[name], {n: way.program for n, way in self._calls.items()})

    def _answers(self, name: str, inputs: Array, changed: Mapping[str, Truth]) -> Array:
        skill = self[name]
        defined = None if skill.when is None else skill.when(inputs)
        asked = inputs if defined is None or defined.all() else inputs[defined]
        touched = bool(changed) and not set(changed).isdisjoint(self.under(name))
        if name in changed:
            answers = changed[name](asked)
        elif skill.truth is None or (touched and name in self._calls):
            answers = self._calls[name].program.run(
                asked, lambda s, x: self._answers(s, x, changed), self.maps
            )
        else:
            answers = skill.truth(asked)
        if asked is inputs or defined is None:
            return answers
        whole = np.full((len(inputs), skill.outputs), -1, dtype=np.int64)
        whole[defined] = answers
        return whole

    def _feet(self, name: str) -> tuple[str, ...]:
        called = self._calls[name].sources if name in self._calls else ()
        return tuple(dict.fromkeys((*called, *self[name].needs)))

    def _ordered(self) -> list[str]:
        done: dict[str, None] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                cycle = " -> ".join((*path[path.index(name) :], name))
                raise BadInput(f"a skill cannot stand on itself: {cycle}")
            if name not in done:
                for foot in self._feet(name):
                    visit(foot, (*path, name))
                done[name] = None

        for skill in self.skills:
            visit(skill.name, ())
        return list(done)

    def _edges(self) -> Iterable[Edge]:
        for skill in self.skills:
            for foot in skill.needs:
                yield Edge((foot,), skill.name, "prerequisite")
            if skill.name in self._calls:
                yield Edge(self._calls[skill.name].sources, skill.name, "call")
        for way in self.reductions:
            yield Edge(way.sources, way.target, "reduction")

    def _map(self, name: str, values: Any) -> Array:
        mapped = np.asarray(values)
        size = len(self.symbols)
        if mapped.shape != (size,) or not np.isin(mapped, np.arange(size)).all():
            raise BadInput(f"the map {name!r} gives each of the {size} symbols a symbol's number")
        return mapped.astype(np.int64)


def _unrepeated(what: str, names: Collection[str]) -> None:
    listed = list(names)
    twice = next((n for n in listed if listed.count(n) > 1), None)
    if twice is not None:
        raise BadInput(f"the {what} {twice!r} is there twice; name each once")
