"""What the project knows of a model's file: which rows it was learned from, and which are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import Ids, Rows, Table

from .names import Names


@dataclass(frozen=True)
class Lineage:
    """What the project knows of one file; nothing of it names anyone.

    forgotten : ids that were forgotten on the way to the file
    learned : digests of the sets of rows that the file is recorded to be learned from
    names : digests under the project's key; None where it has none
    """

    forgotten: Ids
    learned: frozenset[str] = frozenset()
    names: Names | None = None

    def knows(self, ids: Ids) -> bool:
        """Return whether these are exactly the rows that the file was learned from."""
        return self.names is not None and self.names.rows(ids.tolist()) in self.learned


def lineage_of(project: Path, raw: bytes, ids: Ids) -> Lineage:
    """Return what a project knows of a file; nothing is written, not even a key.

    Parameters
    ----------
    project : the folder; it may not be there
    raw : the file's content
    ids : those of the data, as digests cannot be turned back into ids
    """
    if not (project / "store.db").exists():
        return Lineage(ids[:0])
    from unteach.store import Store

    with Store.open(project, create=False, write=False) as store:
        if not store.has_key:  # purged: no digest can be linked to anything
            return Lineage(ids[:0])
        names = Names(store.key())
        finished = [s for s in store.runs() if s.status == "finished"]
        tables = [store.run(s.id).tables() for s in finished if s.name in ("fit", "forget")]
    file = names.file(raw)
    learned = {
        digest
        for found in tables
        for table in (found.get("learning"), found.get("forgetting"))
        if table is not None and "rows after" in table.columns
        for digest in table["rows after"]
        if file in table["model after"]
    }
    forgotten = _forgotten([t for t in tables if "forgetting" in t], file, names, ids)
    return Lineage(forgotten, frozenset(learned), names)


def record_learning(project: Path, raw: bytes, records: Rows, *, learner: str) -> None:
    """Record from which rows a file was learned, for a model that does not say it itself."""
    from unteach import __version__
    from unteach.store import Store

    with Store.open(project) as store:
        names = Names(store.key())
        file, rows = names.file(raw), names.rows(records.ids.tolist())
        plan = {"version": [1, __version__], "model after": file, "rows after": rows}
        run = store.begin(plan, name="fit")
        if not run.finished:
            columns: dict[str, list[Any]] = {
                "learner": [learner],
                "rows": [len(records)],
                "model after": [file],
                "rows after": [rows],
            }
            run.finish((), [Table("learning", columns, {"rows": "rows"})])


def rows_after(names: Names, records: Rows, gone: Iterable[Any], method: str) -> str:
    """Return the digest of the rows that a model still holds after a method."""
    if method == "DoNothing":
        return names.rows(records.ids.tolist())
    return names.rows(records.ids[~np.isin(records.ids, list(gone))].tolist())


def _forgotten(tables: list[dict[str, Table]], model: str, names: Names, ids: Ids) -> Ids:
    """Return the ids that earlier runs of the project forgot on the way to this model's file."""
    gone: set[str] = set()
    seen: set[str] = set()
    ahead = [model]
    while ahead:
        file = ahead.pop()
        if file in seen:
            continue
        seen.add(file)
        for found in tables:
            if file in found["forgetting"]["model after"]:
                if found["forgetting"]["method"] != ["DoNothing"]:  # whose rows are still there
                    gone |= set(found["forgotten"]["record"])
                ahead += found["forgetting"]["model before"]
    if not gone:
        return ids[:0]
    return ids[[names.record(i) in gone for i in ids.tolist()]]
