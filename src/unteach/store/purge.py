"""Purge: after it, no byte of a training row is left in any file of the project."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import Connection, delete, or_, select, true, update

from . import schema
from .database import Database
from .files import remove


@dataclass(frozen=True)
class Purged:
    """What a purge removed, as counts; `size` is how many bytes the removed files had.

    blobs, shards, reports, temporaries : files; a temporary is what a killed write left behind
    tasks, tables, runs : entries of the database
    key : whether the key that names people was deleted

    >>> print(Purged(blobs=2, reports=1, size=4096, key=True))
    purged 2 blobs, 1 report, the key (4096 bytes of files)
    >>> print(Purged())
    nothing to purge
    """

    blobs: int = 0
    shards: int = 0
    reports: int = 0
    temporaries: int = 0
    tasks: int = 0
    tables: int = 0
    runs: int = 0
    size: int = 0
    key: bool = False

    def __str__(self) -> str:
        counts = [(f.name, getattr(self, f.name)) for f in fields(self)]
        said = [
            f"{n} {name if n > 1 else name.removesuffix('s')}"
            for name, n in counts
            if n and name not in ("size", "key")
        ]
        said += ["the key"] if self.key else []
        if not said:
            return "nothing to purge"
        return f"purged {', '.join(said)} ({self.size} bytes of files)"


@dataclass(frozen=True)
class _Entries:
    tasks: int
    tables: int
    runs: int
    key: bool


def purge_project(
    folder: Path, database: Database, *, run: str | None, rows_only: bool, key: bool
) -> Purged:
    """Remove what holds rows (or whole runs) from a folder that nobody else has open.

    Entries go before files: a purge that is killed halfway leaves files that no entry names,
    and the next purge takes those too.
    """
    with database.writing() as connection:
        listed = set(connection.scalars(select(schema.blobs.c.name)))
        gone = _drop_entries(connection, run=run, rows_only=rows_only, key=key)
        kept = set(connection.scalars(select(schema.blobs.c.name)))
    blobs, dropped = folder / "blobs", listed - kept
    of_rows = remove(blobs, dropped.__contains__)
    strays = remove(blobs, lambda name: name not in kept)
    shards = remove(folder / "shards", lambda name: _of_run(name, run))
    reports = remove(folder / "reports", lambda name: _of_run(name, run))
    left = remove(folder / "temporary", lambda name: True)
    database.shrink()
    return Purged(
        blobs=of_rows[0],
        shards=shards[0],
        reports=reports[0],
        temporaries=strays[0] + left[0],
        tasks=gone.tasks,
        tables=gone.tables,
        runs=gone.runs,
        size=sum(size for _, size in (of_rows, strays, shards, reports, left)),
        key=gone.key,
    )


def _drop_entries(
    connection: Connection, *, run: str | None, rows_only: bool, key: bool
) -> _Entries:
    runs, tasks, tables = schema.runs.c, schema.tasks.c, schema.tables.c
    chosen = select(runs.id) if run is None else select(runs.id).where(runs.id == run)
    doomed_tasks = tasks.run.in_(chosen) & (tasks.holds_rows if rows_only else true())
    doomed_tables = tables.run.in_(chosen) & (tables.holds_rows if rows_only else true())
    poorer = set(connection.scalars(select(tasks.run).where(doomed_tasks)))
    poorer |= set(connection.scalars(select(tables.run).where(doomed_tables)))
    n_tasks = connection.execute(delete(schema.tasks).where(doomed_tasks)).rowcount
    n_tables = connection.execute(delete(schema.tables).where(doomed_tables)).rowcount
    # what a task said when it failed may quote what it was working on
    connection.execute(update(schema.tasks).where(tasks.run.in_(chosen)).values(error=None))
    _drop_blobs(connection, run=run, rows_only=rows_only)
    n_runs = 0
    if rows_only:
        lost = runs.id.in_(poorer) & (runs.status == "finished")
        connection.execute(update(schema.runs).where(lost).values(status="purged", evidence=None))
    else:
        n_runs = connection.execute(delete(schema.runs).where(runs.id.in_(chosen))).rowcount
    n_keys = connection.execute(delete(schema.secrets)).rowcount if key else 0
    return _Entries(n_tasks, n_tables, n_runs, n_keys > 0)


def _drop_blobs(connection: Connection, *, run: str | None, rows_only: bool) -> None:
    """Drop the blobs of every run and of the project, or those that this run alone uses."""
    blobs, links = schema.blobs.c, schema.blob_runs.c
    rows = blobs.holds_rows if rows_only else true()
    if run is None:
        connection.execute(delete(schema.blobs).where(rows))
        return
    mine = select(links.blob).where(links.run == run)
    others = select(links.blob).where(links.run != run)
    shared = or_(blobs.project, blobs.name.in_(others))
    connection.execute(delete(schema.blobs).where(blobs.name.in_(mine), ~shared, rows))


def _of_run(name: str, run: str | None) -> bool:
    """Say whether a name (or its temporary form) begins with a run's, or any does."""
    return run is None or name.lstrip(".").startswith(run)
