"""A sheet of tasks: token sequences as plain arrays, with what part each token plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unteach.core import BadInput, Rows

from ..graph.programs import Array
from .vocabulary import PAD


@dataclass(frozen=True, eq=False)
class Sheet:
    """Tasks as arrays; n tasks of at most t tokens, ends padded with -1.

    Parameters
    ----------
    tokens : (n, t) whole numbers
    lengths : (n,) how many tokens each task has
    scored : (n, t) booleans: which tokens a model is to predict (the loss mask)
    answers : (n, t) booleans: which tokens are the skill's outputs
    roles : (n, t) what part each token plays, a number into `names`
    makers : (n, t) the role number of the atom that made the value, written or not; -1 for none
    groups : (n,) the skill
    ids : (n,) int64, a function of skill and inputs; equal tasks have equal ids
    names : the roles: prompt, control, copy, answer, and the skills
    """

    tokens: Array
    lengths: Array
    scored: Array
    answers: Array
    roles: Array
    makers: Array
    groups: Array
    ids: Array
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def role(self, name: str) -> Array:
        """Return where tokens of a role stand: (n, t) booleans."""
        if name not in self.names:
            raise BadInput(f"no role {name!r}; there are {self.names}")
        return np.asarray(self.roles == self.names.index(name))

    def made_by(self, skill: str) -> Array:
        """Return where values that a skill's calls made stand as results: (n, t) booleans.

        Written results and answers; copies of them are not meant.
        """
        if skill not in self.names:
            raise BadInput(f"no skill {skill!r}; there are {self.names}")
        result = self.roles != self.names.index("copy")
        return np.asarray((self.makers == self.names.index(skill)) & result)

    def unscored(self, where: Array) -> Sheet:
        """Return the same tasks, with no loss on these tokens (n, t)."""
        return replace(self, scored=self.scored & ~where)

    def take(self, rows: Any) -> Sheet:
        """Return the tasks at these positions, or where a mask is true."""
        return Sheet(**{name: getattr(self, name)[rows] for name in _ARRAYS}, names=self.names)

    def rows(self) -> Rows:
        """Return the tasks as records: columns x, y (-1 where not scored), roles and answers.

        Errors : BadInput where a task is there twice; draw distinct ones
        """
        columns = {
            "x": self.tokens,
            "y": np.where(self.scored, self.tokens, PAD),
            "roles": np.array(self.roles),
            "answers": np.array(self.answers),
        }
        return Rows(self.ids, columns, self.groups)


_ARRAYS = ("tokens", "lengths", "scored", "answers", "roles", "makers", "groups", "ids")
_FILL = {"tokens": PAD, "roles": PAD, "makers": PAD, "scored": False, "answers": False}


def stacked(sheets: Sequence[Sheet]) -> Sheet:
    """Return several sheets as one, in order; all speak of the same tower."""
    if not sheets or any(sheet.names != sheets[0].names for sheet in sheets):
        raise BadInput("sheets are stacked where there is one at least, all of one tower")
    if len(sheets) == 1:
        return sheets[0]
    width = max(sheet.tokens.shape[1] for sheet in sheets)

    def whole(name: str) -> Array:
        parts = [np.asarray(getattr(sheet, name)) for sheet in sheets]
        if name in _FILL:
            parts = [
                np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=_FILL[name])
                for part in parts
            ]
        return np.concatenate(parts)

    return Sheet(**{name: whole(name) for name in _ARRAYS}, names=sheets[0].names)
