"""The tokens of a tower: its symbols, an end, an equals sign, and one for each skill."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from unteach.core import BadInput

from ..graph.programs import Array
from ..graph.skill_graph import SkillGraph

END, EQUALS = "<end>", "="
PAD = -1
"""Stands where a sequence has ended; it is no token."""


@dataclass(frozen=True)
class Vocabulary:
    """What tokens there are; a symbol's token is the symbol's number.

    Parameters
    ----------
    words : the spelling of each token

    Examples
    --------
    >>> from unteach.skills import tower
    >>> v = Vocabulary.of(tower("lists", letters=2))
    >>> v.size, v.end, v.spell(v.read("LOW a b = a <end>"))
    (18, 3, 'LOW a b = a <end>')
    """

    words: tuple[str, ...]
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        numbers = {word: k for k, word in enumerate(self.words)}
        if len(numbers) < len(self.words):
            twice = next(w for w in self.words if self.words.count(w) > 1)
            raise BadInput(f"{twice!r} would be two tokens; rename the symbol or the skill")
        object.__setattr__(self, "_numbers", numbers)

    @classmethod
    def of(cls, graph: SkillGraph) -> Vocabulary:
        """Return the vocabulary of a tower: the same for every format, change and selection."""
        return cls((*graph.symbols, END, EQUALS, *graph.names))

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.words)

    @property
    def end(self) -> int:
        """The token that ends a sequence."""
        return self._numbers[END]

    def number(self, word: str) -> int:
        """Return the number of a token."""
        if word not in self._numbers:
            raise BadInput(f"no token {word!r}; there are {list(self.words)}")
        return self._numbers[word]

    def read(self, text: str) -> Array:
        """Return the tokens of a text, words apart by spaces: (t,)."""
        return np.array([self.number(word) for word in text.split()], dtype=np.int64)

    def spell(self, tokens: Iterable[int]) -> str:
        """Return tokens as text; what stands behind the end of a sequence is left out."""
        return " ".join(self.words[int(t)] for t in tokens if t != PAD)
