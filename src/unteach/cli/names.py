"""Names that identify nobody: keyed digests for people, records and files."""

from __future__ import annotations

import hashlib
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

    def _named(self, kind: str, text: str) -> str:
        return f"{kind}-" + pseudonym([kind, text], self.key).removeprefix("person-")

    def discreet(self, table: Table, records: Rows) -> Table:
        """Return a table with digests in place of ids; `retained` says the row in the data too."""
        columns = {name: list(table[name]) for name in table.columns}
        if "retained" in columns:
            at = {i: k for k, i in enumerate(records.ids.tolist())}
            columns["row"] = [at[i] + 1 for i in columns["retained"]]
        for name in ("id", "forgotten", "retained"):
            if name in columns:
                columns[name] = [self.record(i) for i in columns[name]]
        return Table(table.name, columns, table.units, table.keys, table.caption)

    def of_groups(self, records: Rows, ids: Any) -> list[str | None]:
        """Return the name of the group that each record belongs to."""
        if records.groups is None:
            return [None] * len(ids)
        mine = records.groups[records.positions(np.asarray(ids))]
        return [self.person(value) for value in mine.tolist()]
