"""Blobs: files beside the database, written whole or not at all, and checked when read.

A blob that holds no training rows is named by its content. One that does is named at random:
a name made from a person's data would outlive the data, and could be guessed from it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from ..core import BadInput, Corrupt
from .database import Database
from .files import damage_of, read_file, write_file
from .schema import blob_runs, blobs


class Blobs:
    """The blobs of one project."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self._database = folder, database

    def put(self, data: bytes, *, holds_rows: bool, run: str | None) -> str:
        """Write a blob for a run (or for the project) and return its name."""
        name = f"rows-{secrets.token_hex(16)}" if holds_rows else f"sha256-{_sha256(data)}"
        path = self.folder / name
        wrong = self.damage(name, checksum(name, data))
        if wrong == "is missing":
            write_file(path, data)
        elif wrong:
            raise Corrupt(f"{path} {wrong}; it is left as it is: move it away to write it anew")
        row = {
            "name": name,
            "holds_rows": holds_rows,
            "size": len(data),
            "checksum": checksum(name, data),
            "project": run is None,
        }
        with self._database.writing() as connection:
            connection.execute(upsert(blobs).values(row).on_conflict_do_nothing())
            if run is None:
                mine = update(blobs).where(blobs.c.name == name)
                connection.execute(mine.values(project=True))
            else:
                link = upsert(blob_runs).values(blob=name, run=run)
                connection.execute(link.on_conflict_do_nothing())
        return name

    def get(self, name: str) -> bytes:
        """Return a blob's bytes; one that is unknown, missing or damaged is refused by name."""
        with self._database.reading() as connection:
            expected = connection.scalar(select(blobs.c.checksum).where(blobs.c.name == name))
        if expected is None:
            raise BadInput(f"no blob {name!r} in this project; it may have been purged")
        wrong = self.damage(name, expected)
        if wrong:
            raise Corrupt(f"{self.folder / name} {wrong}; it is left as it is")
        return read_file(self.folder / name)

    def damage(self, name: str, expected: str) -> str:
        """Say what is wrong with a blob's file, or nothing."""
        return damage_of(
            self.folder / name, lambda raw: hmac.compare_digest(checksum(name, raw), expected)
        )


def checksum(name: str, data: bytes) -> str:
    """Return the checksum of a blob, keyed by its name.

    The key makes the checksum of a blob that holds rows as random as its name.

    >>> checksum("rows-a", b"ada") == checksum("rows-b", b"ada")
    False
    """
    return hmac.new(name.encode(), data, hashlib.sha256).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
