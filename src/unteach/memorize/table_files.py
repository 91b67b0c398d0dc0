"""A table as a file: CSV, or Parquet where pyarrow is there."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import BadInput, Table, quoted, write_whole


def by_record(
    name: str, columns: Mapping[str, Any], units: Mapping[str, str], caption: str = ""
) -> Table:
    """Return a table of one row a record, from arrays; its key is the column "id"."""
    listed = {key: np.asarray(values).tolist() for key, values in columns.items()}
    return Table(name, listed, units, ("id",), caption)


def write(table: Table, path: str | os.PathLike[str]) -> Path:
    r"""Write a table to a .csv or a .parquet file, whole or not at all, and return its path.

    In CSV, which spreadsheets open, texts are written by `unteach.core.quoted`: none runs as a
    formula and nothing in it is invisible; `unteach.core.unquoted` gives the text of a cell back.
    Parquet holds texts as they are.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Table("t", {"id": [1], "hard": [0.5]}), Path(folder) / "t.csv").read_text()
    'id,hard\n1,0.5\n'
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(map(_cell, table.columns))
        for row in zip(*table.columns.values(), strict=True):
            writer.writerow(map(_cell, row))
        return write_whole(path, out.getvalue().encode(), private=True)
    if suffix == ".parquet":
        return write_whole(path, _parquet(table), private=True)
    raise BadInput(f"a table is written to .csv or .parquet, got {Path(path).name!r}")


def _cell(value: Any) -> Any:
    return quoted(value) if isinstance(value, str) else value


def _parquet(table: Table) -> bytes:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadInput('Parquet needs pyarrow: pip install "unteach[parquet]"') from error
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({k: list(v) for k, v in table.columns.items()}), sink)
    return sink.getvalue()
