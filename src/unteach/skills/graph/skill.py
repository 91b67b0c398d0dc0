"""Skills as data: what one computes, on which inputs, by which calls, and what would be chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unteach.core import BadInput, stream

from .programs import Array, Program

Truth = Callable[[Array], Array]
EdgeKind = Literal["prerequisite", "call", "reduction"]
MOST = 2**23
"""A skill with more inputs than this is checked and counted on a sample, and says so."""
SAMPLE = 2**20
_CHUNK = 2**17
_RANKS = 40  # bits of an id that hold the rank of the inputs


@dataclass(frozen=True)
class Skill:
    """A function from symbols to symbols that a model may hold.

    Parameters
    ----------
    name : what programs, prompts and requests call it
    inputs : the names of its inputs, at least one
    outputs : how many symbols it answers with
    truth : from numbers of symbols (n, inputs) to (n, outputs); None where the calls define it
    calls : the program that computes it from simpler skills; "" for an atom
    when : from (n, inputs) to (n,) booleans, where the skill is defined; None for everywhere
    needs : skills that it stands on although its program does not call them
    about : one line for people

    Examples
    --------
    >>> Skill("REV", ("a", "b"), 2, lambda x: x[:, ::-1]).is_atom
    True
    """

    name: str
    inputs: tuple[str, ...]
    outputs: int = 1
    truth: Truth | None = None
    calls: str = ""
    when: Callable[[Array], Array] | None = None
    needs: tuple[str, ...] = ()
    about: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "needs", tuple(self.needs))
        if not self.name.isidentifier():
            raise BadInput(f"a skill is called by one word without spaces, got {self.name!r}")
        names = self.inputs
        if not names or len(set(names)) < len(names) or not all(n.isidentifier() for n in names):
            raise BadInput(f"{self.name}: inputs are different names, at least one; got {names}")
        if self.outputs < 1:
            raise BadInput(f"{self.name}: a skill has at least 1 output, got {self.outputs}")
        if self.truth is None and not self.calls:
            raise BadInput(f"{self.name}: give truth= (an atom), calls= (a program), or both")

    @property
    def is_atom(self) -> bool:
        """Whether it calls nothing."""
        return not self.calls

    @property
    def code(self) -> int:
        """The number of the skill in ids: a function of its name alone, below 2**22."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") >> 10


@dataclass(frozen=True, repr=False)
class Reduction:
    """A way to compute a skill from others: a program, and where it comes from.

    Parameters
    ----------
    target : the skill that it computes
    text : the program as written
    program : the program as read
    kind : "reduction" (a back door that somebody declared) or "call" (how the skill is defined)
    """

    target: str
    text: str
    program: Program
    kind: Literal["call", "reduction"] = "reduction"

    @property
    def sources(self) -> tuple[str, ...]:
        """The skills that it calls."""
        return self.program.sources

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return f"{self.target} = {'; '.join(s.strip() for s in self.text.strip().splitlines())}"


@dataclass(frozen=True)
class Edge:
    """From skills to a skill; `strength` is None where the edge was declared, not measured."""

    sources: tuple[str, ...]
    target: str
    kind: EdgeKind
    origin: Literal["declared", "measured"] = "declared"
    strength: float | None = None


@dataclass(frozen=True)
class Checked:
    """On how many inputs a program was compared with the truth, of how many."""

    n: int
    of: int

    @property
    def exhaustive(self) -> bool:
        """Whether it was compared on all inputs."""
        return self.n == self.of


def unranked(ranks: Array, k: int, base: int) -> Array:
    """Return inputs (n, k) from their ranks (n,): digits in this base, the first the highest.

    >>> unranked(np.array([0, 5, 8]), 2, 3).tolist()
    [[0, 0], [1, 2], [2, 2]]
    """
    digits = np.empty((k, len(ranks)), dtype=np.int64)
    left = np.asarray(ranks, dtype=np.int64)
    for j in reversed(range(k)):
        left, digits[j] = np.divmod(left, base)
    return digits.T


def ranked(inputs: Array, base: int) -> Array:
    """Return the rank of each row of inputs (n, k): the inverse of `unranked`."""
    rank = np.zeros(len(inputs), dtype=np.int64)
    for digit in np.asarray(inputs, dtype=np.int64).T:
        rank = rank * base + digit
    return rank


def identify(skill: Skill, inputs: Array, base: int) -> Array:
    """Return the permanent id of each task: a function of the skill's name and the inputs."""
    return (np.int64(skill.code) << _RANKS) | ranked(inputs, base)


def possible(skill: Skill, base: int) -> int:
    """Return how many inputs there are, whether or not the skill is defined on them."""
    total: int = base ** len(skill.inputs)
    if total >= 2**_RANKS:
        raise BadInput(f"{skill.name} has {total} possible inputs; at most 2**{_RANKS} - 1 fit")
    return total


def input_chunks(skill: Skill, base: int) -> Iterator[Array]:
    """Yield the inputs on which the skill is defined, (n, k) at a time: all, or a fixed sample."""
    total = possible(skill, base)
    if total <= MOST:
        ranks: Array = np.arange(total)
    else:
        ranks = stream(0, "inputs", skill.name).integers(total, size=SAMPLE)
    for start in range(0, len(ranks), _CHUNK):
        inputs = unranked(ranks[start : start + _CHUNK], len(skill.inputs), base)
        yield inputs if skill.when is None else inputs[skill.when(inputs)]


def tabled(skill: str, table: Mapping[str, str], k: int, symbols: tuple[str, ...]) -> Truth:
    """Return the function that a table of all inputs describes; symbols stand between spaces.

    >>> tabled("NOT", {"0": "1", "1": "0"}, 1, ("0", "1"))(np.array([[0], [1]])).tolist()
    [[1], [0]]
    """
    base = len(symbols)
    if base**k > MOST:
        raise BadInput(f"the table of {skill} would have {base}**{k} rows; at most {MOST} fit")
    if any(type(side) is not str for pair in table.items() for side in pair):
        raise BadInput(f'the table of {skill} goes from text to text, such as "0 1" = "1"')
    rows: dict[tuple[int, ...], list[int]] = {}
    for left, right in table.items():
        for word in (*left.split(), *right.split()):
            if word not in symbols:
                raise BadInput(f"the table of {skill} has {word!r}, which is no symbol")
        rows[tuple(symbols.index(w) for w in left.split())] = [
            symbols.index(w) for w in right.split()
        ]
    if any(len(row) != k for row in rows) or len({len(v) for v in rows.values()}) != 1:
        raise BadInput(f"the table of {skill} needs {k} symbols a key, and answers of one length")
    held = np.full((base**k, len(next(iter(rows.values())))), -1, dtype=np.int64)
    for row, answer in rows.items():
        held[ranked(np.array([row]), base)[0]] = answer

    def look(inputs: Array) -> Array:
        return np.asarray(held[ranked(inputs, base)])

    return look
