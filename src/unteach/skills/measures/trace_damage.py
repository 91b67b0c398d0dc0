"""Where a trace breaks: accuracy by the part that each token plays, under teacher forcing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unteach.core import BadInput, Table

from ..graph.programs import Array
from ..tasks.token_sheet import Sheet


@dataclass(frozen=True)
class Dissociation:
    """How much more the called role lost than any other.

    Parameters
    ----------
    called, other : the drop in accuracy of the called role, and the largest of the others
    role : which other role that is
    """

    called: float
    other: float
    role: str

    def holds(self, times: float = 3.0) -> bool:
        """Whether the called role lost something, and so many times what any other lost."""
        return self.called > 0 and self.called >= times * self.other


def trace_damage(before: Array, after: Array, sheet: Sheet) -> Table:
    """Return the accuracy of each role before and after, with the drop.

    Parameters
    ----------
    before, after : (n, t) booleans: which tokens the model gets right when all before them are
        given as they should be (`SequenceModel.led` gives them)
    sheet : the tasks; only scored tokens count, and the end of a sequence does not

    Columns: role ("copy", "control", "answer", and the skills whose calls are written), before,
    after, drop, n (tokens).

    Examples
    --------
    >>> from unteach.skills import Tasks, tower
    >>> sheet = Tasks(tower("linear-algebra", p=5), "explicit").draw(50, seed=0, group="DOT")
    >>> whole = np.ones(sheet.tokens.shape, dtype=bool)
    >>> t = trace_damage(whole, whole & ~sheet.role("ADD"), sheet)
    >>> dict(zip(t["role"], t["drop"]))
    {'control': 0.0, 'copy': 0.0, 'ADD': 1.0, 'MUL': 0.0}
    """
    shape = sheet.tokens.shape
    if before.shape != shape or after.shape != shape:
        raise BadInput(
            f"before {before.shape} and after {after.shape} have a token for each of "
            f"the sheet's {shape}"
        )
    last = np.arange(shape[1]) == (sheet.lengths - 1)[:, None]
    counted = sheet.scored & ~last
    rows = []
    for k, role in enumerate(sheet.names):
        here = counted & (sheet.roles == k)
        n = int(here.sum())
        if n:
            one, two = float(before[here].mean()), float(after[here].mean())
            rows.append((role, one, two, one - two, n))
    if not rows:
        raise BadInput("no token of these tasks is scored")
    names = ("role", "before", "after", "drop", "n")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    units = {"before": "accuracy", "after": "accuracy", "drop": "accuracy", "n": "tokens"}
    return Table(
        "damage by role",
        columns,
        units,
        ("role",),
        "Accuracy of each token given all before it, by the part that it plays.",
    )


def dissociation(damage: Table, skill: str) -> Dissociation:
    """Return the drop of the called skill's role beside the largest drop of any other role.

    Signs such as `=` count among the others; gains count as no drop.

    >>> t = Table("t", {"role": ["copy", "ADD", "MUL"], "drop": [0.02, 0.6, 0.1]})
    >>> dissociation(t, "ADD"), dissociation(t, "ADD").holds()
    (Dissociation(called=0.6, other=0.1, role='MUL'), True)
    """
    drop = dict(zip(damage["role"], damage["drop"], strict=True))
    if skill not in drop or len(drop) < 2:
        raise BadInput(
            f"the trace has no written call of {skill}, or nothing beside it: "
            f"its roles are {sorted(drop)}"
        )
    role = max((r for r in drop if r != skill), key=lambda r: drop[r])
    return Dissociation(drop[skill], max(0.0, drop[role]), role)
