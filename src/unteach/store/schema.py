"""The tables as they are now; the migrations are how they came to be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from unteach.core import BadInput, Corrupt, canonical, digest

# How values and moments are written into the database.


def written(value: Any) -> str:
    """Return a value as canonical JSON that can be stored as text.

    >>> written({"b": 0.1, "a": float("inf")})
    '{"a":"inf","b":0.1}'
    """
    text = canonical(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"a text cannot be written as UTF-8: {error.reason}") from error
    return text


def read_back(text: Any, where: Path) -> Any:
    """Return the value that `written` wrote; anything else is damage of the file it stood in."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise Corrupt(f"{where} is damaged ({error}); it is left as it is") from error


def checksum_of(key: str, text: str) -> str:
    """Return the checksum of the result of a task, and of the key that it is found by."""
    return digest(f"{key}\n{text}".encode())


def sound(key: Any, text: Any, checksum: Any) -> bool:
    """Say whether the stored result of a task is what was written."""
    return isinstance(text, str) and checksum_of(key, text) == checksum


def now() -> str:
    """Return the time, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


metadata = MetaData()

migrations = Table(
    "migrations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("python", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("finished", Text),
    Column("evidence", Text),
)

tasks = Table(
    "tasks",
    metadata,
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Column("holds_rows", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("result", Text),
    Column("checksum", Text),
    Column("error", Text),
    Column("seconds", Float),
)

readings = Table(
    "readings",
    metadata,
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
)

tables = Table(
    "tables",
    metadata,
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("holds_rows", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holds_rows", Boolean, nullable=False),
    Column("size", Integer, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("project", Boolean, nullable=False),
)

blob_runs = Table(
    "blob_runs",
    metadata,
    Column("blob", Text, ForeignKey("blobs.name", ondelete="CASCADE"), primary_key=True),
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
