"""The tables as they are now; the migrations are how they came to be."""

from __future__ import annotations

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
