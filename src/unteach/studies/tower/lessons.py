"""Tasks as a stream to learn from: drawn evenly by skill, and what is left when one goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unteach.core import BadInput, Rows, derive
from unteach.skills import Protection, Sheet, Tasks, stacked

FINITE = 1024
"""A skill with at most so many tasks is forgotten on all of them; of others some are drawn."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """A `core.Stream` of tasks, by skill; the same task may be drawn twice.

    Parameters
    ----------
    parts : where the tasks come from, each skill in one of them
    often : how many times as often as the others a skill is drawn; 1 where it is not named

    Examples
    --------
    >>> from unteach.skills import tower
    >>> lessons = Lessons((Tasks(tower("lists", letters=2), "direct"),))
    >>> len(lessons.draw(50, seed=0)), "ZIP" in lessons.without(["ZIP"]).groups
    (50, False)
    """

    parts: tuple[Tasks | Protection, ...]
    often: Mapping[str, int] = field(default_factory=dict)

    @property
    def groups(self) -> Sequence[Any]:
        """The skills that can be drawn."""
        return tuple(group for part in self.parts for group in part.groups)

    def draw(self, n: int, *, seed: int, group: Any | None = None) -> Rows:
        """Return n tasks as records, numbered from 0: of one skill, or of all."""
        names = self.groups if group is None else (group,)
        weight = [self.often.get(name, 1) for name in names]
        counts = [n * w // sum(weight) for w in weight]
        for k in range(n - sum(counts)):
            counts[k] += 1
        sheets = [
            self._of(name).draw(count, seed=derive(seed, k), group=name)
            for k, (name, count) in enumerate(zip(names, counts, strict=True))
            if count
        ]
        return records(stacked(sheets))

    def without(self, groups: Iterable[Any]) -> Lessons:
        """Return the stream that never draws from these skills."""
        gone = set(groups)
        return Lessons(
            tuple(
                part.without(gone & set(part.groups)) if isinstance(part, Tasks) else part
                for part in self.parts
                if set(part.groups) - gone
            ),
            self.often,
        )

    def _of(self, name: str) -> Tasks | Protection:
        for part in self.parts:
            if name in part.groups:
                return part
        raise BadInput(f"no lessons of {name!r} are drawn here; there are {self.groups}")


@dataclass(frozen=True, eq=False)
class Course:
    """A `core.Stream` of one request: a skill that goes, and what is learned in its place.

    Forgetting methods ask for the records of the skill, which are listed where they are few, and
    for the stream without it: the protected tasks and, of a change, its new definition.

    Parameters
    ----------
    tasks : as the model learned them · skill : the one that goes
    left : what is drawn when it is gone
    closed : further tasks that go with it (the questions of back doors that are to be closed)
    """

    tasks: Tasks
    skill: str
    left: Lessons
    closed: tuple[Sheet, ...] = ()
    every: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.tasks.graph.symbols) ** len(self.tasks.graph[self.skill].inputs)
        object.__setattr__(self, "every", (self.skill,) if size <= FINITE else ())

    @property
    def groups(self) -> Sequence[Any]:
        """The skill that goes, and those that are protected."""
        return (self.skill, *(g for g in self.left.groups if g != self.skill))

    def enumerate(self, group: Any) -> Rows:
        """Return all tasks of the skill that goes."""
        return records(stacked([self.tasks.every(group), *self.closed]))

    def draw(self, n: int, *, seed: int, group: Any | None = None) -> Rows:
        """Return n tasks of the skill that goes, or of all skills evenly."""
        if group != self.skill:
            return self.left.draw(n, seed=seed, group=group)
        return records(stacked([self.tasks.draw(n, seed=seed, group=group), *self.closed]))

    def without(self, groups: Iterable[Any]) -> Lessons:
        """Return what is left when the skill goes."""
        if list(groups) != [self.skill]:
            raise BadInput(f"this course is about {self.skill!r}, not {list(groups)}")
        return self.left


def records(sheet: Sheet) -> Rows:
    """Return a sheet's tasks as records numbered from 0; the same task may be there twice."""
    y = np.where(sheet.scored, sheet.tokens, -1)
    return Rows(np.arange(len(sheet)), {"x": sheet.tokens, "y": y}, sheet.groups)
