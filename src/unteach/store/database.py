"""The project's SQLite file: how it is created, examined, opened, written and shrunk."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, exc, insert, select
from sqlalchemy.pool import QueuePool

from ..core import BadInput, Corrupt, UnteachError
from . import schema
from .files import PREFIX
from .migrations import MIGRATIONS, NAMES

APPLICATION = 0x756E7463  # written into the header of our files, where SQLite leaves room for it
_PRAGMAS = (
    "busy_timeout = 30000",
    "foreign_keys = ON",
    "secure_delete = ON",
    "synchronous = FULL",
    "temp_store = MEMORY",  # what SQLite sorts or vacuums never reaches a file elsewhere
    "journal_mode = WAL",
)
_READING = ("busy_timeout = 30000", "temp_store = MEMORY", "query_only = ON")


class Database:
    """An open project database.

    Reads and writes are context managers; a write holds the only write lock from its first
    moment (BEGIN IMMEDIATE), is whole or not at all, and is on the disk when it returns. One
    that is opened to be read (`write=False`) leaves no file beside the database.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        self.path, self._write = path, write
        self._engine = sqlalchemy.create_engine(
            "sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool
        )
        sqlalchemy.event.listen(self._engine, "begin", _begin)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw" if self._write else _to_read(self.path),
            uri=True,
            timeout=30,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in _PRAGMAS if self._write else _READING:
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database."""
        with named(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are all kept, or none."""
        if not self._write:
            raise BadInput(f"cannot write {self.path}: the project was opened to be read")
        with named(self.path), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def migrate(self, *, upto: int = len(MIGRATIONS)) -> None:
        """Bring the database to the schema of this version (or of an older one, for tests)."""
        for number, migration in enumerate(MIGRATIONS[:upto], start=1):
            with self.writing() as connection:
                connection.exec_driver_sql(
                    "CREATE TABLE IF NOT EXISTS migrations "
                    "(number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)"
                )
                known = select(schema.migrations.c.number)
                if number not in connection.scalars(known).all():
                    migration(connection)
                    row = {"number": number, "name": migration.__name__}
                    connection.execute(insert(schema.migrations).values(row))

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        self._engine.dispose()

    def shrink(self) -> None:
        """Rewrite the file without what was deleted, and empty the write-ahead log."""
        self.close()
        with named(self.path), closing(self._connect()) as connection:
            for statement in ("wal_checkpoint(TRUNCATE)", "VACUUM", "wal_checkpoint(TRUNCATE)"):
                if statement == "VACUUM":
                    connection.execute(statement).close()
                    continue
                busy, _, _ = connection.execute(f"PRAGMA {statement}").fetchone()
                if busy:
                    raise BadInput(f"{self.path} is in use by another program; close it, try again")


def create(path: Path, temporary: Path, *, upto: int = len(MIGRATIONS)) -> None:
    """Create a database that appears under its name only when it is whole."""
    try:
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=".db", dir=temporary)
        os.close(handle)
    except OSError as error:
        raise BadInput(f"cannot write {temporary}: {error.strerror or error}") from error
    fresh = Path(name)
    database = Database(fresh)
    try:
        with named(fresh), closing(sqlite3.connect(fresh)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION}").close()
        database.migrate(upto=upto)
        database.close()
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    flush(path.parent)


def examine(path: Path) -> int:
    """Return how many migrations a database has had; refuse it if it is not sound and ours.

    Nothing is changed: the header is read as bytes, and SQLite opens the file only to read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    if len(header) < 100 or header[:16] != b"SQLite format 3\x00":
        raise Corrupt(f"{path} is damaged or not a database; it is left as it is")
    if int.from_bytes(header[68:72], "big") != APPLICATION:
        raise Corrupt(f"{path} is a database of another program; it is left as it is")
    names = _applied(path)
    if names[: len(NAMES)] != list(NAMES[: len(names)]):
        raise Corrupt(f"{path} has migrations that no version of unteach made: {names}")
    if len(names) > len(NAMES):
        raise Corrupt(
            f"{path} was written by a newer unteach (schema {len(names)}, this version knows "
            f"{len(NAMES)}); upgrade unteach to open it"
        )
    return len(names)


def _applied(path: Path) -> list[str]:
    """Return the names of the migrations, after a check of every page."""
    for attempt in range(3):
        address = _to_read(path)
        if not address.endswith(_ALONE) and not _log_readable(path):
            raise BadInput(
                f"{path} has a log of changes beside it, which a killed process left, and SQLite "
                "cannot read it without writing here; copy the folder to where you may write, and "
                "open the copy"
            )
        try:
            with named(path), closing(sqlite3.connect(address, uri=True)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise Corrupt(f"{path} is damaged ({found}); it is left as it is")
                rows = connection.execute("SELECT number, name FROM migrations ORDER BY number")
                return _consecutive(path, rows.fetchall())
        except Corrupt:
            # another process may have folded its log into the file while we read it
            if attempt == 2 or not address.endswith(_ALONE):
                raise
            time.sleep(0.05)
    raise Corrupt(f"{path} is damaged; it is left as it is")


_ALONE = "&immutable=1"


def _to_read(path: Path) -> str:
    """Return the address under which SQLite opens a file to read it, and lays none beside it."""
    log = Path(f"{path}-wal")
    with_log = log.exists() and log.stat().st_size > 0
    # without a log the file is all there is
    return f"{path.absolute().as_uri()}?mode=ro{'' if with_log else _ALONE}"


def _log_readable(path: Path) -> bool:
    """Say whether SQLite can read the log: by its index, or where it may make one."""
    return Path(f"{path}-shm").exists() or os.access(path.parent, os.W_OK)


def _consecutive(path: Path, rows: Sequence[tuple[int, str]]) -> list[str]:
    if [number for number, _ in rows] != list(range(1, len(rows) + 1)) or not rows:
        raise Corrupt(f"{path} has a list of migrations with gaps; it is left as it is")
    return [name for _, name in rows]


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Turn what SQLite says about a file into an error that names the file."""
    try:
        yield
    except exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error) and (refusal := _refusal(error.orig, path)):
            raise refusal from error
        raise
    except sqlite3.Error as error:
        if refusal := _refusal(error, path):
            raise refusal from error
        raise
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is damaged ({error}); it is left as it is") from error


def _refusal(error: sqlite3.Error, path: Path) -> UnteachError | None:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    undecoded = code is None and "decode" in str(error)  # of a text; what it says quotes it
    if undecoded:
        return Corrupt(f"{path} is damaged (a text is not UTF-8); it is left as it is")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Corrupt(f"{path} is damaged ({error}); it is left as it is")
    if primary == sqlite3.SQLITE_ERROR:  # our statements are sound where the tables are
        return Corrupt(f"{path} lacks a part that every project has ({error})")
    if primary == sqlite3.SQLITE_CONSTRAINT:  # which our own statements keep
        return Corrupt(f"{path} is damaged: it refuses what every project takes ({error})")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BadInput(f"{path} is in use by another program; try again when it is done")
    if primary in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
    ):
        return BadInput(f"cannot write {path}: {error}")
    return None


def flush(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
