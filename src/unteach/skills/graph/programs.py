"""Programs: straight lines of calls to skills, read from text and run against any oracle."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

from .integer_formula import shown, syntax

Array = NDArray[Any]
Oracle = Callable[[str, Array], Array]
"""oracle(skill, inputs (n, k)) gives answers (n, m): numbers of symbols, -1 where there is none."""

Value = str | int
"""A named value of a program, or the number of a symbol that is written in it."""


@dataclass(frozen=True)
class Step:
    """One call: `out = skill(args)`; an `outside` step is done by whoever asks, not by a skill."""

    skill: str
    args: tuple[Value, ...]
    out: tuple[str, ...]
    outside: bool = False


@dataclass(frozen=True)
class Program:
    """Calls in order, and what is returned.

    Parameters
    ----------
    inputs : the names of its arguments
    steps : the calls, each after those that it needs
    returns : the values that it gives
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    returns: tuple[Value, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The skills that it calls, each once, in the order of their first call."""
        return tuple(dict.fromkeys(s.skill for s in self.steps if not s.outside))

    @property
    def maps(self) -> tuple[str, ...]:
        """The relabelings that it leaves to whoever asks."""
        return tuple(dict.fromkeys(s.skill for s in self.steps if s.outside))

    def values(
        self, inputs: Array, oracle: Oracle, maps: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Return every named value, each (n,), on these inputs (n, k)."""
        held: dict[str, Array] = {name: inputs[:, k] for k, name in enumerate(self.inputs)}
        for step in self.steps:
            args = np.stack([column(held, a, len(inputs)) for a in step.args], axis=1)
            if step.outside:
                given = args[:, 0]
                answers = np.where(given < 0, -1, (maps or {})[step.skill][given])[:, None]
            else:
                answers = np.full((len(inputs), len(step.out)), -1, dtype=args.dtype)
                asked = (args >= 0).all(axis=1)
                if asked.all():
                    answers = oracle(step.skill, args)
                elif asked.any():
                    answers[asked] = oracle(step.skill, args[asked])
            held.update(zip(step.out, answers.T, strict=True))
        return held

    def run(self, inputs: Array, oracle: Oracle, maps: Mapping[str, Array] | None = None) -> Array:
        """Return what the program gives: (n, outputs), -1 where an answer on the way is missing.

        Every step is one batch for the oracle; inputs for which an earlier step had no answer are
        not asked about.

        >>> double = parse("ADD(a, a)", ["a"], {"ADD": (2, 1)}, tuple("0123456"))
        >>> double.run(np.array([[2], [5]]), lambda _, x: x.sum(axis=1, keepdims=True) % 7).tolist()
        [[4], [3]]
        """
        held = self.values(inputs, oracle, maps)
        return np.stack([column(held, r, len(inputs)) for r in self.returns], axis=1)


def column(held: Mapping[str, Array], value: Value, n: int) -> Array:
    """Return a value of a program as a column (n,)."""
    if isinstance(value, str):
        return held[value]
    return np.full(n, value)


def parse(
    text: str,
    inputs: Sequence[str],
    shapes: Mapping[str, tuple[int, int]],
    symbols: Sequence[str],
    maps: Sequence[str] = (),
) -> Program:
    """Return the program that a text describes.

    Lines such as `m = MUL(a, b)` or `x, y = MV(a, b, c, d, e, f)`; the last may begin with
    `return`. Calls may stand within calls, and `MV(...)[0]` takes one of several outputs. A symbol
    is written in quotes, or as it is where it is a whole number.

    Parameters
    ----------
    text : the program
    inputs : what its arguments are called
    shapes : for each skill that may be called, how many inputs and outputs it has
    symbols : what symbols there are
    maps : names of relabelings, each from one symbol to one

    Errors : BadInput for anything else, by line
    """
    return _Reader(text, inputs, shapes, symbols, maps).program()


class _Reader:
    """Reads one program; it knows which names are taken."""

    def __init__(
        self,
        text: str,
        inputs: Sequence[str],
        shapes: Mapping[str, tuple[int, int]],
        symbols: Sequence[str],
        maps: Sequence[str],
    ) -> None:
        self.text, self.inputs, self.shapes = text, tuple(inputs), shapes
        self.symbols, self.maps = tuple(symbols), tuple(maps)
        self.known: dict[str, tuple[Value, ...]] = {name: (name,) for name in inputs}
        self.steps: list[Step] = []

    def program(self) -> Program:
        text = "\n".join(s.strip() for s in self.text.strip().splitlines())
        lines = syntax(text, f"the program {shown(self.text)}").body
        returned: tuple[Value, ...] | None = None
        for line in lines:
            if returned is not None:
                raise self._refused(line, "comes after what is returned")
            if isinstance(line, ast.Assign) and len(line.targets) == 1:
                self._assign(line.targets[0], line.value)
            elif isinstance(line, (ast.Return, ast.Expr)) and line.value is not None:
                returned = self._several(line.value)
            else:
                raise self._refused(line, "is neither `name = SKILL(...)` nor `return ...`")
        if not returned:
            raise BadInput(f"the program {self.text!r} returns nothing; end it with `return ...`")
        return Program(self.inputs, tuple(self.steps), returned)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        values = self._several(value)
        if len(targets) > 1 and len(values) != len(targets):
            raise self._refused(value, f"gives {len(values)} values for {len(targets)} names")
        several = [(v,) for v in values] if len(targets) > 1 else [values]
        for name, found in zip(targets, several, strict=True):
            if not isinstance(name, ast.Name):
                raise self._refused(name, "is not a name")
            if name.id in self.known and name.id != "_":
                raise self._refused(name, "is named twice; give each value a name of its own")
            self.known[name.id] = found

    def _several(self, node: ast.expr) -> tuple[Value, ...]:
        if isinstance(node, ast.Tuple):
            return tuple(self._one(part) for part in node.elts)
        if isinstance(node, ast.Name):
            if node.id not in self.known:
                raise self._refused(node, f"has no value yet; there are {sorted(self.known)}")
            return self.known[node.id]
        return self._call(node) if isinstance(node, ast.Call) else (self._one(node),)

    def _one(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant) and type(node.value) in (int, str):
            if str(node.value) not in self.symbols:
                raise self._refused(node, f"is no symbol; there are {list(self.symbols)}")
            return self.symbols.index(str(node.value))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            values, at = self._several(node.value), node.slice.value
            if type(at) is not int or not 0 <= at < len(values):
                raise self._refused(node, f"takes output {at!r} of {len(values)}, counted from 0")
            return values[at]
        values = self._several(node) if isinstance(node, (ast.Call, ast.Name)) else ()
        if len(values) != 1:
            raise self._refused(node, "is not one value; take one output with [0], [1], ...")
        return values[0]

    def _call(self, node: ast.Call) -> tuple[str, ...]:
        name = ast.unparse(node.func)
        outside = name in self.maps
        if not outside and name not in self.shapes:
            raise self._refused(node, f"calls the unknown skill {name!r}")
        k, m = (1, 1) if outside else self.shapes[name]
        if len(node.args) != k or node.keywords:
            raise self._refused(node, f"gives {name} {len(node.args)} inputs; it takes {k}")
        args = tuple(self._one(argument) for argument in node.args)
        at = len(self.steps)
        out = tuple(f"%{at}" if m == 1 else f"%{at}.{j}" for j in range(m))
        self.steps.append(Step(name, args, out, outside))
        return out

    def _refused(self, node: ast.AST, why: str) -> BadInput:
        return BadInput(f"in the program {self.text.strip()!r}: {ast.unparse(node)!r} {why}")
