"""Records that refuse to be read, for the law of methods that need no retained data."""

from __future__ import annotations

from typing import Any

from unteach.core import Rows

from .law import LawBroken


class Guarded(Rows):
    """Records that may be read only where they are to be forgotten.

    `read` collects what was read of the others, so that a swallowed error hides nothing.
    """

    def __init__(self, whole: Rows, allowed: frozenset[Any], read: list[str]) -> None:
        object.__setattr__(self, "ids", whole.ids)
        object.__setattr__(self, "groups", whole.groups)
        object.__setattr__(self, "_inside", (whole, allowed, read))

    @property
    def columns(self) -> Any:
        """Refuse: the columns hold every record."""
        return self._refuse("the columns of all records")

    def column(self, name: str) -> Any:
        """Refuse: a column holds every record."""
        return self._refuse(f"column {name!r} of all records")

    def take(self, rows: Any) -> Rows:
        """Return the records at these positions: open if all may be read, guarded if not."""
        whole, allowed, read = self._inside  # type: ignore[attr-defined]
        part: Rows = whole.take(rows)
        open_ = set(part.ids.tolist()) <= allowed
        return part if open_ else Guarded(part, allowed, read)

    def replace(self, other: Any) -> Rows:
        """Refuse: the result would hold every record."""
        self._refuse("the contents of all records, to replace some")
        return self

    def __repr__(self) -> str:
        return f"Rows({len(self)} records, guarded)"

    def _refuse(self, what: str) -> Any:
        self._inside[2].append(what)  # type: ignore[attr-defined]
        raise LawBroken(f"A method that says it is retain-free read {what}.")
