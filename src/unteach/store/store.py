"""The store: a project folder, opened whole or refused."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from ..core import BadInput, Corrupt, digest
from . import schema
from .blobs import Blobs
from .database import Database, examine
from .files import PREFIX
from .folder import (
    Lock,
    create_once,
    has_project,
    held,
    holder,
    make_folders,
    plain_tree,
    refuse_foreign,
    share,
    writable,
)
from .migrations import MIGRATIONS
from .purge import Purged, purge_project
from .runs import Run, reopen
from .schema import now, written
from .summaries import RunSummary, summaries
from .verify import Damage, verify_project


class Store:
    """A project folder: runs, their results, blobs, shards, reports, and the key of its names.

    The folder holds `store.db`, `blobs/`, `shards/` and `reports/` (entries begin with the id of
    their run), `temporary/` and `locks/`. Only its owner can read what it creates.

    Errors: a file or folder that is damaged, foreign, of a newer version, or a link to somewhere
    else raises `Corrupt`, names it and leaves it as it is; a place that cannot be written raises
    `BadInput`.

    >>> with Store.temporary() as store:
    ...     name = store.put(b"weights", holds_rows=False)
    ...     store.get(name), store.verify()
    (b'weights', ())
    """

    def __init__(self, path: Path, database: Database, lock: Lock) -> None:
        self.path = path
        self._database, self._lock = database, lock
        self._blobs = Blobs(path / "blobs", database)
        self._open: dict[str, Run] = {}
        self._closed = False

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True, write: bool = True) -> Self:
        """Open the project at this path, or (unless `create` is false) make a new one there.

        write : False opens a project also where it cannot be written (other people's, a backup):
            it can be listed, read and verified, and all that would write raises `BadInput`
        """
        folder = Path(path)
        file = folder / "store.db"
        if has_project(folder, write=write):
            applied = examine(file)
            if not write and applied == len(MIGRATIONS) and not writable(folder):
                return cls(folder, Database(file, write=False), share(folder, write=False))
            make_folders(folder)
        elif not create:
            raise BadInput(f"no project at {folder}; a run makes one, or give another path")
        else:
            refuse_foreign(folder)
            make_folders(folder)
            create_once(folder, file)
            applied = examine(file)
        lock = share(folder)
        database = Database(file)
        try:
            if applied < len(MIGRATIONS):
                database.migrate()
            with database.writing():
                pass  # a folder that cannot be written says so now, not after hours of work
        except BaseException:
            database.close()
            lock.release()
            raise
        return cls(folder, database, lock)

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[Self]:
        """Yield a store in a folder that vanishes afterwards."""
        with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, cls.open(folder) as store:
            yield store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def close(self) -> None:
        """Let go of the folder and of every run; more than once does no harm."""
        self._closed = True
        for run in self._open.values():
            run.close()
        self._database.close()
        self._lock.release()

    @property
    def shards(self) -> Path:
        """Where pieces of training data are kept; a purge empties it."""
        return self.path / "shards"

    @property
    def reports(self) -> Path:
        """Where pages are written; a purge empties it."""
        return self.path / "reports"

    def begin(
        self,
        plan: dict[str, Any],
        *,
        name: str,
        command: str = "",
        python: str = "",
        grow: bool = False,
    ) -> Run:
        """Open the run of this plan: a new one, one to resume, or a finished one to be read.

        Parameters
        ----------
        plan : JSON; all that the results depend on, the seed among it
        name : what the run is called; part of what makes it the same run
        command, python : how to start it again, stored when the run is new; they must name
            nobody
        grow : a finished run is opened for more tasks; its tasks stay, its readings and tables
            go until it is finished again

        Raises `BadInput` if another process (or another `Store`) is working on it. A process
        that was killed holds nothing.
        """
        self._must_be_open()
        text = written(plan)
        identity = digest({"name": name, "plan": plan})[:12]
        known = self._open.get(identity)
        if known is not None and known.working:
            return known
        row = self._row(identity)
        if row is None:
            row = self._insert(identity, name, text, command, python)
        if (row["name"], row["plan"]) != (name, text):
            raise Corrupt(f"{self._database.path} holds another plan under run {identity}")
        done = row["status"] == "finished" and not grow
        plain_tree(self.path / "shards" / identity)
        lock = None if done else self._work_on(identity)
        row = self._row(identity) or row
        if grow and row["status"] == "finished":
            with self._database.writing() as connection:
                reopen(connection, identity)
            row = self._row(identity) or row
        run = Run(self._database, row, lock)
        if run.finished:  # also when whoever held it finished it while we waited
            run.close()
        self._open[identity] = run
        return run

    def run(self, identity: str) -> Run:
        """Return a run by its id or the beginning of its id, to read it."""
        self._must_be_open()
        with self._database.reading() as connection:
            known = connection.scalars(select(schema.runs.c.id)).all()
        wanted = isinstance(identity, str) and identity
        found = [i for i in known if wanted and isinstance(i, str) and i.startswith(identity)]
        if len(found) != 1:
            what = f"fits {len(found)} runs: {sorted(found)}" if found else "fits none"
            raise BadInput(f"{identity!r} {what}; there are {len(known)} runs in {self.path}")
        row = self._row(found[0])
        if row is None:
            raise BadInput(f"run {found[0]} is not in the project any more; it was purged")
        return Run(self._database, row, None)

    def runs(self) -> list[RunSummary]:
        """Return one summary a run, oldest first."""
        self._must_be_open()
        return summaries(self._database, lambda identity: held(self._lock_of(identity)))

    def put(self, data: bytes, *, holds_rows: bool, run: Run | str | None = None) -> str:
        """Write a blob, whole or not at all, and return its name.

        Parameters
        ----------
        data : bytes
        holds_rows : whether a training row can be found in it; such a blob is named at random
            and goes with the next purge, others are named by their content
        run : whose blob it is; None if it is the project's
        """
        self._must_be_open()
        return self._blobs.put(bytes(data), holds_rows=holds_rows, run=self._id_of(run))

    def get(self, name: str) -> bytes:
        """Return a blob; one that is missing or damaged raises `Corrupt` and stays as it is."""
        self._must_be_open()
        return self._blobs.get(name)

    def key(self) -> bytes:
        """Return the 32 random bytes behind `core.pseudonym`; made when first asked for.

        After a purge with `key=True` the next key is a new one, and names made with the old
        one can be linked to nobody.
        """
        self._must_be_open()
        if (found := self._key()) is not None:
            return found
        with self._database.writing() as connection:
            row = {"name": "key", "value": secrets.token_bytes(32)}
            connection.execute(upsert(schema.secrets).values(row).on_conflict_do_nothing())
        return self._key() or b""

    @property
    def has_key(self) -> bool:
        """Whether the project has a key; asking for it would make one."""
        return self._key() is not None

    def purge(
        self, *, run: Run | str | None = None, rows_only: bool = True, key: bool = False
    ) -> Purged:
        """Remove what holds training rows, and every trace of it in the folder's files.

        Gone are: blobs, tasks and tables that hold rows, what failed tasks said, shards,
        reports, what killed writes left behind; the database is rewritten without what was
        deleted and its write-ahead log emptied. A finished run that loses a task or a table is
        "purged": the rest can be read, and its command computes it again.

        Parameters
        ----------
        run : only what belongs to this run, by id or the beginning of it; None for all
        rows_only : False removes runs whole: results, readings and all blobs
        key : also delete the key that names people

        Raises `BadInput` while anyone else has the folder open, or a run of ours is worked on.
        The bytes are gone from the files; what the disk itself keeps of deleted files, and
        backups, are out of reach.
        """
        self._must_be_open()
        busy = sorted(i for i, r in self._open.items() if r.working)
        if busy:
            raise BadInput(f"run {busy[0]} is being worked on; finish or close it, then purge")
        chosen = self._id_of(run)
        if not self._lock.widen():
            raise BadInput(f"{self.path} is open in another process; close it there, then purge")
        try:
            gone = purge_project(
                self.path, self._database, run=chosen, rows_only=rows_only, key=key
            )
        finally:
            self._lock.narrow()
        self._open.clear()
        return gone

    def verify(self) -> tuple[Damage, ...]:
        """Derive every checksum again and return what is damaged; () if all is well."""
        self._must_be_open()
        return verify_project(self._database, self._blobs)

    def _key(self) -> bytes | None:
        self._must_be_open()
        wanted = select(schema.secrets.c.value).where(schema.secrets.c.name == "key")
        with self._database.reading() as connection:
            found = connection.scalar(wanted)
        if found is not None and not (isinstance(found, bytes) and len(found) == 32):
            raise Corrupt(f"{self._database.path} holds a damaged key; it is left as it is")
        return found

    def _id_of(self, run: Run | str | None) -> str | None:
        return self.run(run).id if isinstance(run, str) else None if run is None else run.id

    def _must_be_open(self) -> None:
        if self._closed:
            raise BadInput(f"the project {self.path} was closed; open it again")

    def _row(self, identity: str) -> dict[str, Any] | None:
        with self._database.reading() as connection:
            wanted = select(schema.runs).where(schema.runs.c.id == identity)
            row = connection.execute(wanted).mappings().first()
            return None if row is None else dict(row)

    def _insert(
        self, identity: str, name: str, plan: str, command: str, python: str
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": identity,
            "name": name,
            "plan": plan,
            "command": command,
            "python": python,
            "status": "open",
            "created": now(),
        }
        with self._database.writing() as connection:
            there = select(schema.runs).where(schema.runs.c.id == identity)
            if (found := connection.execute(there).mappings().first()) is not None:
                return dict(found)
            last = connection.scalar(select(func.max(schema.runs.c.position))) or 0
            row = {**row, "position": last + 1}
            connection.execute(insert(schema.runs).values(row))
        return row

    def _work_on(self, identity: str) -> Lock:
        path = self._lock_of(identity)
        lock = Lock.take(path, patience=1.0)
        if lock is None:
            raise BadInput(
                f"run {identity} is being worked on by {holder(path)}; wait for it or stop it, "
                "then run the same command to resume"
            )
        return lock

    def _lock_of(self, identity: str) -> Path:
        return self.path / "locks" / f"{identity}.lock"
