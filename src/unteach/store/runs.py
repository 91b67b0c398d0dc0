"""Runs: a plan, its tasks, and what came of them; killed at any moment, a run resumes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from ..core import BadInput, Corrupt, Reading, Table, digest
from . import schema
from .database import Database
from .evidence import evidence_bytes, store_results, stored_evidence, stored_results
from .folder import Lock
from .schema import checksum_of, now, read_back, sound, written


class Run:
    """A plan and its tasks, opened to be worked on (`Store.begin`) or to be read (`Store.run`).

    Results are recorded one by one, each in a transaction of its own; when all are there, the
    readings and tables made from them are written in one. Measured times have columns of their
    own and are never part of a result. Plans, payloads and results hold names and numbers; what
    holds training rows is said to (`holds_rows`), so that a purge finds it.

    >>> from unteach.store import Store
    >>> with Store.temporary() as store:
    ...     run = store.begin({"n": 2, "seed": 0}, name="squares")
    ...     run.add_tasks({"one": 1, "two": 2})
    ...     for key, payload in run.pending():
    ...         run.record(key, payload**2)
    ...     run.finish([], [Table("squares", {"square": list(run.results().values())})])
    ...     again = store.begin({"n": 2, "seed": 0}, name="squares")
    ...     again.finished, again.tables()["squares"]["square"]
    (True, [1, 4])
    """

    def __init__(self, database: Database, row: Mapping[str, Any], lock: Lock | None) -> None:
        self._database, self._lock = database, lock
        self.id: str = row["id"]
        self.name: str = row["name"]
        self.plan: dict[str, Any] = read_back(row["plan"], database.path)
        self.command: str = row["command"]
        self.python: str = row["python"]

    def __repr__(self) -> str:
        done, total = self.progress()
        return f"Run({self.id}, {self.name!r}, {self.status}, {done} of {total} tasks done)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others work on this run; everything that was recorded stays."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def working(self) -> bool:
        """Whether this run is open to be worked on, by us."""
        return self._lock is not None

    @property
    def folder(self) -> Path:
        """Where its tasks keep what they share (checkpoints); not made yet, a purge empties it."""
        return self._database.path.parent / "shards" / self.id

    @property
    def status(self) -> str:
        """Whether it is "open", "finished" or "purged"."""
        with self._database.reading() as connection:
            return str(self._row(connection)["status"])

    @property
    def finished(self) -> bool:
        """Whether readings and tables are stored, so that nothing is left to compute."""
        return self.status == "finished"

    def add_tasks(
        self, tasks: Mapping[str, Any] | Iterable[tuple[str, Any]], *, holds_rows: bool = False
    ) -> None:
        """Add tasks by key, with a payload that is JSON; those already there stay as they are.

        A task that is there with another payload is refused: the same plan makes the same tasks.
        `holds_rows` says that payloads or results hold training rows, for `Store.purge`.
        """
        items = list(tasks.items() if isinstance(tasks, Mapping) else tasks)
        given = {key: written(payload) for key, payload in items}
        strange = [key for key in given if not isinstance(key, str) or not key]
        if strange or len(given) != len(items):
            raise BadInput("task keys are strings, not empty, and each names one task")
        with self._database.writing() as connection:
            column = schema.tasks.c
            mine = select(column.key, column.payload).where(column.run == self.id)
            known = {row.key: row.payload for row in connection.execute(mine)}
            other = [key for key, text in given.items() if known.get(key, text) != text]
            if other:
                raise BadInput(
                    f"task {other[0]!r} of run {self.id} is there with another payload; "
                    "a changed task needs a changed plan"
                )
            fresh = [key for key in given if key not in known]
            if not fresh:
                return
            self._must_work(connection)
            last = select(func.max(column.position)).where(column.run == self.id)
            start = (connection.scalar(last) or 0) + 1
            connection.execute(
                insert(schema.tasks),
                [
                    {
                        "run": self.id,
                        "key": key,
                        "position": start + k,
                        "payload": given[key],
                        "holds_rows": holds_rows,
                        "status": "pending",
                        "attempts": 0,
                    }
                    for k, key in enumerate(fresh)
                ],
            )

    def pending(self) -> list[tuple[str, Any]]:
        """Return (key, payload) of every task without a result: not yet run, or failed."""
        rows = self._tasks("key", "payload", where=schema.tasks.c.status != "done")
        return [(row["key"], read_back(row["payload"], self._database.path)) for row in rows]

    def progress(self) -> tuple[int, int]:
        """Return how many tasks have a result, and how many there are."""
        states = [row["status"] for row in self._tasks("status")]
        return states.count("done"), len(states)

    def record(self, key: str, result: Any, *, seconds: float | None = None) -> None:
        """Store a task's result, which is JSON, and how long it took.

        Recording the same result again changes nothing; another one is refused, because the
        same task gives the same result.
        """
        text = written(result)
        with self._database.writing() as connection:
            task = self._task(connection, key)
            if task["status"] == "done":
                if task["result"] != text:
                    raise BadInput(
                        f"task {key!r} of run {self.id} already has another result; a task must "
                        "give the same result each time"
                    )
                return
            self._must_work(connection)
            self._set_task(
                connection,
                key,
                status="done",
                attempts=task["attempts"] + 1,
                result=text,
                checksum=checksum_of(key, text),
                error=None,
                seconds=seconds,
            )

    def fail(self, key: str, error: str, *, seconds: float | None = None) -> None:
        """Mark a task as failed, and why; it stays pending for whoever resumes the run."""
        with self._database.writing() as connection:
            self._must_work(connection)
            task = self._task(connection, key)
            if task["status"] == "done":
                raise BadInput(f"task {key!r} of run {self.id} has a result; it cannot fail now")
            self._set_task(
                connection,
                key,
                status="failed",
                attempts=task["attempts"] + 1,
                error=str(error),
                seconds=seconds,
            )

    def again(self, keys: Iterable[str]) -> None:
        """Take back the results of these tasks, so that they are pending: what they made is lost.

        For results that name a file (a shard) that is missing or damaged.
        """
        with self._database.writing() as connection:
            for key in keys:
                self._must_work(connection)
                self._task(connection, key)
                self._set_task(connection, key, status="pending", result=None, checksum=None)

    def results(self) -> dict[str, Any]:
        """Return the results by key, in the order in which the tasks were added."""
        where = schema.tasks.c.status == "done"
        found = {}
        for row in self._tasks("key", "result", "checksum", where=where):
            if not sound(row["key"], row["result"], row["checksum"]):
                raise Corrupt(
                    f"{self._database.path} holds a damaged result (task {row['key']!r} of run "
                    f"{self.id}); it is left as it is"
                )
            found[row["key"]] = read_back(row["result"], self._database.path)
        return found

    def errors(self) -> dict[str, str]:
        """Return why tasks failed, by key."""
        rows = self._tasks("key", "error", where=schema.tasks.c.status == "failed")
        return {row["key"]: row["error"] or "" for row in rows}

    def attempts(self) -> dict[str, int]:
        """Return how often each task was tried, by key."""
        return {row["key"]: row["attempts"] for row in self._tasks("key", "attempts")}

    def seconds(self) -> dict[str, float]:
        """Return how long each task took, by key, where that was measured."""
        rows = self._tasks("key", "seconds", where=schema.tasks.c.seconds.is_not(None))
        return {row["key"]: row["seconds"] for row in rows}

    def finish(
        self,
        readings: Iterable[Reading],
        tables: Iterable[Table],
        *,
        holding_rows: Iterable[str] = (),
    ) -> None:
        """Store all readings and tables in one transaction, mark the run finished, and let go.

        `holding_rows` names the tables that show training rows (the points of a figure): a purge
        takes them. Tasks without a result, a reading that sums up a table that is not there, and
        two tables of one name are refused.
        """
        readings, tables, holding = list(readings), list(tables), set(holding_rows)
        names = [table.name for table in tables]
        if len(set(names)) != len(names):
            raise BadInput(f"two tables have one name: {sorted(names)}")
        strange = ({r.table for r in readings if r.table is not None} | holding) - set(names)
        if strange:
            raise BadInput(f"no table is named {sorted(strange)[0]!r}; there are {sorted(names)}")
        with self._database.writing() as connection:
            self._must_work(connection)
            column = schema.tasks.c
            missing = select(column.key).where(column.run == self.id, column.status != "done")
            without = connection.scalars(missing).all()
            if without:
                raise BadInput(
                    f"run {self.id} has {len(without)} tasks without a result, such as "
                    f"{without[0]!r}; run them before it is finished"
                )
            store_results(connection, self.id, readings, tables, holding)
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.id == self.id)
                .values(
                    status="finished",
                    finished=now(),
                    evidence=digest(evidence_bytes(connection, self.id)),
                )
            )
        self.close()

    def readings(self) -> list[Reading]:
        """Return the readings, in the order in which they were given."""
        with self._database.reading() as connection:
            self._row(connection)
            return stored_results(connection, self.id, self._database.path)[0]

    def tables(self) -> dict[str, Table]:
        """Return the tables by name, in the order in which they were given."""
        with self._database.reading() as connection:
            self._row(connection)
            found = stored_results(connection, self.id, self._database.path)[1]
        return {table.name: table for table in found}

    def evidence(self) -> bytes:
        """Return the readings and tables as canonical JSON, without measured times.

        The same plan gives the same bytes, however often the run was killed. A reading or a
        column whose unit is a time ("seconds", "records per second") was measured on a clock
        and is left out.
        """
        with self._database.reading() as connection:
            if self._row(connection)["status"] != "finished":
                raise BadInput(f"run {self.id} is not finished; run its command again to resume it")
            return stored_evidence(connection, self.id, self._database.path)

    def _row(self, connection: Connection) -> Mapping[str, Any]:
        found = connection.execute(select(schema.runs).where(schema.runs.c.id == self.id))
        row = found.mappings().first()
        if row is None:
            raise BadInput(f"run {self.id} is not in the project any more; it was purged")
        return dict(row)

    def _must_work(self, connection: Connection) -> None:
        if self._lock is None or self._row(connection)["status"] == "finished":
            raise BadInput(
                f"run {self.id} is finished or was opened to be read; "
                "begin its plan with Store.begin to work on it"
            )

    def _task(self, connection: Connection, key: str) -> Mapping[str, Any]:
        column = schema.tasks.c
        wanted: Select[Any] = select(schema.tasks).where(column.run == self.id, column.key == key)
        row = connection.execute(wanted).mappings().first()
        if row is None:
            raise BadInput(f"run {self.id} has no task {key!r}; add it with add_tasks")
        return dict(row)

    def _set_task(self, connection: Connection, key: str, **values: Any) -> None:
        column = schema.tasks.c
        mine = update(schema.tasks).where(column.run == self.id, column.key == key)
        connection.execute(mine.values(values))

    def _tasks(self, *names: str, where: Any = None) -> list[Mapping[str, Any]]:
        column = schema.tasks.c
        wanted = select(*(column[name] for name in names)).where(column.run == self.id)
        wanted = wanted if where is None else wanted.where(where)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(column.position)).mappings().all()
        return [dict(row) for row in rows]


def reopen(connection: Connection, identity: str) -> None:
    """Make a finished run one that can get more tasks; what was concluded from it goes."""
    for table in (schema.readings, schema.tables):
        connection.execute(delete(table).where(table.c.run == identity))
    mine = update(schema.runs).where(schema.runs.c.id == identity)
    connection.execute(mine.values(status="open", finished=None, evidence=None))
