"""Names that identify nobody: keyed digests for people, records and files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import Rows, Table, pseudonym


@dataclass(frozen=True)
class Names:
    """Digests under the project's key; when the key is purged, nobody can link them any more.

    >>> names = Names(b"key")
    >>> names.person("ada") == names.person("ada"), names.record("ada") == names.person("ada")
    (True, False)
    """

    key: bytes

    def person(self, value: Any) -> str:
        """Return the name of a person (or of another group)."""
        return pseudonym(str(value), self.key)

    def record(self, identifier: Any) -> str:
        """Return the name of a record."""
        return self._named("record", str(identifier))

    def file(self, raw: bytes) -> str:
        """Return the name of a file's content."""
        return self._named("file", hashlib.sha256(raw).hexdigest())

    def rows(self, identifiers: Iterable[Any]) -> str:
        """Return the name of a set of records."""
        return self._named("rows", "\n".join(sorted(map(self.record, identifiers))))

    def _named(self, kind: str, text: str) -> str:
        return f"{kind}-" + pseudonym([kind, text], self.key).removeprefix("person-")

    def discreet(self, table: Table, records: Rows) -> Table:
        """Return a table with digests in place of ids; `retained` says the row in the data too.

        A caption that could name someone is dropped.
        """
        columns = {name: list(table[name]) for name in table.columns}
        if "retained" in columns:
            at = {i: k for k, i in enumerate(records.ids.tolist())}
            columns["row"] = [at[i] + 1 for i in columns["retained"]]
        named = [name for name in ("id", "forgotten", "retained") if name in columns]
        for name in named:
            columns[name] = [self.record(i) for i in table[name]]
        caption = "" if named or _names_someone(table.caption, records) else table.caption
        return Table(table.name, columns, table.units, table.keys, caption)

    def of_groups(self, records: Rows, ids: Any) -> list[str | None]:
        """Return the name of the group that each record belongs to."""
        if records.groups is None:
            return [None] * len(ids)
        mine = records.groups[records.positions(np.asarray(ids))]
        return [self.person(value) for value in mine.tolist()]


def _names_someone(caption: str, records: Rows) -> bool:
    """Return whether an id or a group stands in a caption, as a word of it."""
    groups = () if records.groups is None else np.unique(records.groups).tolist()
    named = {str(value).casefold() for value in (*records.ids.tolist(), *groups)}
    text = caption.casefold()
    return any(
        value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for value in named
    )
