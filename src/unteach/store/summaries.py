"""Summaries: one line about each run of a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select

from . import schema
from .database import Database

Status = Literal["running", "interrupted", "finished", "purged"]


@dataclass(frozen=True)
class RunSummary:
    """A line about a run.

    status : "running" (a process works on it), "interrupted" (the same command resumes it),
        "finished", or "purged" (what held rows is gone; the same command computes it again)
    done, failed, total : how many tasks
    created, finished : UTC, ISO 8601; finished is None until it is
    """

    id: str
    name: str
    status: Status
    created: str
    finished: str | None
    done: int
    failed: int
    total: int
    command: str
    python: str


def summaries(database: Database, worked_on: Callable[[str], bool]) -> list[RunSummary]:
    """Return a summary of every run, oldest first; `worked_on` says which have a live process."""
    column = schema.tasks.c
    with database.reading() as connection:
        rows = connection.execute(select(schema.runs).order_by(schema.runs.c.position)).all()
        counted = connection.execute(
            select(column.run, column.status, func.count()).group_by(column.run, column.status)
        ).all()
    counts = Counter({(run, status): n for run, status, n in counted})
    found = []
    for row in rows:
        done, failed = counts[row.id, "done"], counts[row.id, "failed"]
        status: Status = row.status
        if row.status != "finished" and worked_on(row.id):
            status = "running"
        elif row.status == "open":
            status = "interrupted"
        found.append(
            RunSummary(
                row.id,
                row.name,
                status,
                row.created,
                row.finished,
                done,
                failed,
                done + failed + counts[row.id, "pending"],
                row.command,
                row.python,
            )
        )
    return found
