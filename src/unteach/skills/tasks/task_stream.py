"""Tasks as a stream of records: one group a skill, permanent ids, nothing stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from unteach.core import Rows

from ..measures.protection import Protection
from .tasks import Tasks


@dataclass(frozen=True, eq=False)
class TaskStream:
    """A `core.Stream` of tasks; forgetting a skill drops its group.

    Parameters
    ----------
    tasks : the tasks, or the protected ones of a `Protection` with their loss masked

    Examples
    --------
    >>> from unteach.skills import Tasks, tower
    >>> stream = TaskStream(Tasks(tower("lists", letters=2), "direct"))
    >>> rows = stream.without(["ZIP"]).draw(24, seed=0)
    >>> len(rows), "ZIP" in rows.groups, sorted(rows.columns)
    (24, False, ['answers', 'roles', 'x', 'y'])
    """

    tasks: Tasks | Protection

    @property
    def groups(self) -> Sequence[Any]:
        """The skills that can be drawn."""
        return self.tasks.groups

    def draw(self, n: int, *, seed: int, group: Any | None = None) -> Rows:
        """Return n different tasks as records, of one skill or evenly of all.

        Errors : BadInput where a skill has fewer tasks than are asked for
        """
        return self.tasks.draw(n, seed=seed, group=group, distinct=True).rows()

    def without(self, groups: Iterable[Any]) -> TaskStream:
        """Return the stream that never draws from these skills."""
        if isinstance(self.tasks, Tasks):
            return TaskStream(self.tasks.without(groups))
        left = None if self.tasks.tasks is None else self.tasks.tasks.without(groups)
        return TaskStream(Protection(left, self.tasks.spared))
