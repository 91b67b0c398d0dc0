"""Verify: derive every checksum again, and report what is not as it was written."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, exc, select

from ..core import Corrupt
from . import schema
from .blobs import Blobs
from .database import Database
from .evidence import stored_evidence
from .schema import read_back, sound
from .shards import shard_damage


@dataclass(frozen=True)
class Damage:
    """A file that is not as it was written, and how.

    >>> print(Damage(Path("store.db"), "row 3 missing from index"))
    store.db: row 3 missing from index
    """

    file: Path
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def verify_project(database: Database, blobs: Blobs) -> tuple[Damage, ...]:
    """Return the damage in a project; nothing is repaired and nothing is changed."""
    try:
        with database.reading() as connection:
            found = _pages(connection)
            if not found:
                found = [*_results(connection), *_runs(connection, database.path)]
            named = connection.execute(select(schema.blobs.c.name, schema.blobs.c.checksum)).all()
            pieces = [] if found else _shards(connection, database.path)
    except (Corrupt, exc.DatabaseError, sqlite3.DatabaseError) as error:
        return (Damage(database.path, str(error)),)
    damage = [Damage(database.path, what) for what in found]
    for name, expected in named:
        wrong = blobs.damage(name, expected)
        if wrong:
            damage.append(Damage(blobs.folder / name, wrong))
    folder = blobs.folder.parent
    for name, expected in pieces:
        wrong = shard_damage(folder, name, expected)
        if wrong:
            damage.append(Damage(folder / "shards" / name, wrong))
    return tuple(damage)


def _shards(connection: Connection, where: Path) -> list[tuple[str, str]]:
    """Return name and checksum of every shard that a result names."""
    column = schema.tasks.c
    results = connection.scalars(select(column.result).where(column.status == "done")).all()
    found = [read_back(text, where) for text in results if text is not None and '"shard"' in text]
    return [
        (str(result["shard"]), str(result["checksum"]))
        for result in found
        if isinstance(result, dict) and {"shard", "checksum"} <= set(result)
    ]


def _pages(connection: Connection) -> list[str]:
    said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    found = [what for what in said if what != "ok"]
    return found + [f"a row of {row[0]} belongs to nothing" for row in loose]


def _results(connection: Connection) -> list[str]:
    column = schema.tasks.c
    wanted = select(column.run, column.key, column.result, column.checksum)
    done = connection.execute(wanted.where(column.status == "done"))
    return [
        f"the result of task {row.key!r} of run {row.run} is damaged"
        for row in done
        if not sound(row.key, row.result, row.checksum)
    ]


def _runs(connection: Connection, where: Path) -> list[str]:
    column = schema.runs.c
    wanted = select(column.id, column.evidence).where(column.status == "finished")
    found = []
    for row in connection.execute(wanted).all():
        try:
            stored_evidence(connection, row.id, where)
        except Corrupt:
            found.append(f"the readings or tables of run {row.id} are damaged")
    return found
