"""Numbered migrations: each runs once, in a transaction of its own, and is recorded.

A migration that was released is never edited; the next change is the next number.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection


def m001_runs_and_their_tasks(connection: Connection) -> None:
    """A run is a plan, and its tasks are rows that are filled in as results come."""
    connection.exec_driver_sql(
        """CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            position INTEGER NOT NULL UNIQUE,
            name TEXT NOT NULL,
            "plan" TEXT NOT NULL,
            command TEXT NOT NULL,
            python TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('open', 'finished', 'purged')),
            created TEXT NOT NULL,
            finished TEXT,
            evidence TEXT
        )"""
    )
    connection.exec_driver_sql(
        """CREATE TABLE tasks (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            "key" TEXT NOT NULL,
            position INTEGER NOT NULL,
            payload TEXT NOT NULL,
            holds_rows BOOLEAN NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
            attempts INTEGER NOT NULL,
            result TEXT,
            checksum TEXT,
            error TEXT,
            seconds FLOAT,
            PRIMARY KEY (run, "key"),
            UNIQUE (run, position)
        )"""
    )


def m002_readings_and_tables(connection: Connection) -> None:
    """What a finished run says: readings and tables, in the order they were given."""
    connection.exec_driver_sql(
        """CREATE TABLE readings (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (run, position)
        )"""
    )
    connection.exec_driver_sql(
        """CREATE TABLE tables (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            holds_rows BOOLEAN NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (run, position),
            UNIQUE (run, name)
        )"""
    )


def m003_blobs_and_who_uses_them(connection: Connection) -> None:
    """Files beside the database, each with its checksum, used by runs or by the project."""
    connection.exec_driver_sql(
        """CREATE TABLE blobs (
            name TEXT NOT NULL PRIMARY KEY,
            holds_rows BOOLEAN NOT NULL,
            size INTEGER NOT NULL,
            checksum TEXT NOT NULL,
            project BOOLEAN NOT NULL
        )"""
    )
    connection.exec_driver_sql(
        """CREATE TABLE blob_runs (
            blob TEXT NOT NULL REFERENCES blobs (name) ON DELETE CASCADE,
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            PRIMARY KEY (blob, run)
        )"""
    )


def m004_the_key_of_pseudonyms(connection: Connection) -> None:
    """The project's key names people in reports; deleting it makes the names unlinkable."""
    connection.exec_driver_sql(
        "CREATE TABLE secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL)"
    )


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    m001_runs_and_their_tasks,
    m002_readings_and_tables,
    m003_blobs_and_who_uses_them,
    m004_the_key_of_pseudonyms,
)
NAMES = tuple(migration.__name__ for migration in MIGRATIONS)
