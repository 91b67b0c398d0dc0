"""Evidence: what a finished run says, as bytes that do not depend on any clock."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ..core import BadInput, Corrupt, Reading, Table, canonical, digest
from . import schema
from .schema import written

_TIME = re.compile(
    r"(?<![a-z])(s|ms|(milli|micro|nano)?seconds?|minutes?|bytes of memory)(?![a-z])",
    re.IGNORECASE,
)


def measures_time(unit: str) -> bool:
    """Say whether numbers of this unit come from a clock, or from the memory of a process.

    >>> [measures_time(u) for u in ("seconds", "records per second", "accuracy", "models", "")]
    [True, True, False, False, False]
    """
    return _TIME.search(unit) is not None


def evidence_bytes(connection: Connection, run: str) -> bytes:
    """Return name, plan, readings and tables of a run as canonical JSON, without times."""
    row = connection.execute(
        select(schema.runs.c.name, schema.runs.c.plan).where(schema.runs.c.id == run)
    ).one()
    readings = _bodies(connection, schema.readings, run)
    tables = _bodies(connection, schema.tables, run)
    value = {
        "name": row.name,
        "plan": json.loads(row.plan),
        "readings": [reading for reading in readings if not measures_time(reading["unit"])],
        "tables": [_timeless(table) for table in tables],
    }
    return canonical(value).encode()


def store_results(
    connection: Connection,
    run: str,
    readings: Sequence[Reading],
    tables: Sequence[Table],
    holding_rows: Collection[str],
) -> None:
    """Write the readings and tables of a run in place of any that it has."""
    for old in (schema.readings, schema.tables):
        connection.execute(delete(old).where(old.c.run == run))
    for k, reading in enumerate(readings):
        row = {"run": run, "position": k, "name": reading.name, "body": written(reading.to_json())}
        connection.execute(insert(schema.readings).values(row))
    for k, table in enumerate(tables):
        row = {"run": run, "position": k, "name": table.name, "body": written(table.to_json())}
        row["holds_rows"] = table.name in holding_rows
        connection.execute(insert(schema.tables).values(row))


def stored_results(
    connection: Connection, run: str, where: Path
) -> tuple[list[Reading], list[Table]]:
    """Return the readings and tables that a run stored, times and all; refuse damaged ones."""
    with _as_stored(run, where):
        column = schema.runs.c
        if connection.scalar(select(column.evidence).where(column.id == run)) is not None:
            stored_evidence(connection, run, where)
        return (
            [Reading.from_json(b) for b in _bodies(connection, schema.readings, run)],
            [Table.from_json(b) for b in _bodies(connection, schema.tables, run)],
        )


def stored_evidence(connection: Connection, run: str, where: Path) -> bytes:
    """Return the evidence of a finished run, if it is what was stored; else refuse it."""
    column = schema.runs.c
    with _as_stored(run, where):
        raw = evidence_bytes(connection, run)
        if digest(raw) != connection.scalar(select(column.evidence).where(column.id == run)):
            raise ValueError("their checksum is another")
    return raw


@contextmanager
def _as_stored(run: str, where: Path) -> Iterator[None]:
    try:
        yield
    except (BadInput, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Corrupt(
            f"{where} holds damaged readings or tables of run {run}; it is left as it is ({error})"
        ) from error


def _timeless(table: dict[str, Any]) -> dict[str, Any]:
    kept = [name for name in table["columns"] if not measures_time(table["units"].get(name, ""))]
    return {
        **table,
        "columns": {name: table["columns"][name] for name in kept},
        "units": {name: table["units"].get(name, "") for name in kept},
        "keys": [name for name in table["keys"] if name in kept],
    }


def _bodies(connection: Connection, table: Any, run: str) -> list[Any]:
    wanted = select(table.c.body).where(table.c.run == run).order_by(table.c.position)
    return [json.loads(body) for body in connection.scalars(wanted)]
