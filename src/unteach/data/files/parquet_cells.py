"""The cells of a Parquet file; pyarrow is imported here and nowhere else."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Corrupt, one_column, too_large, unpacked_limit


def read_parquet(raw: bytes, path: Path) -> ParquetCells:
    """Return the columns of a Parquet file."""
    _, parquet = _pyarrow()
    with _whole(path):
        file, limit = parquet.ParquetFile(io.BytesIO(raw)), unpacked_limit(raw)
        parts = [file.metadata.row_group(k) for k in range(file.metadata.num_row_groups)]
        size = max(
            sum(p.total_byte_size for p in parts),
            sum(p.num_rows for p in parts) * len(file.schema_arrow.names),
        )
        if size > limit:
            raise too_large(raw, str(path), size, limit)
        table = file.read()
        table.validate(full=True)  # offsets and text, of which reading alone sees nothing
        return ParquetCells(table, path)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say of what pyarrow cannot read that the file is damaged."""
    arrow, _ = _pyarrow()
    try:
        yield
    except BadInput:
        raise
    except (arrow.ArrowException, OSError, ValueError, KeyError, RecursionError) as error:
        raise Corrupt(f"{path} is damaged or not a Parquet file: {error}") from error


def parquet_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Return columns as a Parquet file; types are kept.

    >>> parquet_bytes({"id": np.array([1])})[:4]
    b'PAR1'
    """
    arrow, parquet = _pyarrow()
    out = io.BytesIO()
    table = arrow.table({name: arrow.array(values.tolist()) for name, values in columns.items()})
    parquet.write_table(table, out)
    return out.getvalue()


class ParquetCells:
    """The columns of a Parquet file, by name.

    index : those that the file's own metadata calls the index of a data frame of pandas
    """

    def __init__(self, table: Any, path: Path) -> None:
        self._table, self.path = table, path
        self.columns: list[str] = list(table.column_names)
        self.n: int = table.num_rows
        if not self.columns:
            raise BadInput(f"{path} has no columns")
        self.notes: list[str] = []
        said = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
        named = said.get("index_columns", []) if isinstance(said, dict) else []
        self.index = tuple(c for c in self.columns if isinstance(named, list) and c in named)

    def place(self, row: int) -> str:
        """Say where a row stands, counted from 0."""
        return f"row {row}"

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of features: (n,) finite."""
        arrow, _ = _pyarrow()
        column, kind = self._column(name), self._column(name).type
        types = arrow.types
        if types.is_decimal(kind):
            column = column.cast(arrow.float64())
        elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
            raise BadInput(
                f"{self.path}: column {name!r} holds {kind}; encode it as numbers, or leave it "
                "out with features=[...]"
            )
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise BadInput(
                f"{self.path}, {self.place(int(wrong[0]))}: column {name!r} holds "
                f"{values[wrong[0]]}; fill or drop it, features must be finite"
            )
        return values

    def names(self, name: str) -> NDArray[Any]:
        """Return a column of ids or groups: (n,) int64 or str."""
        column = self._column(name)
        arrow, _ = _pyarrow()
        if arrow.types.is_integer(column.type):
            return one_column(np.asarray(column.to_numpy()), f"{self.path}: column {name!r}")
        if str(column.type) in ("string", "large_string", "string_view"):
            return self._text(name, column)
        raise BadInput(f"{self.path}: column {name!r} holds {column.type}; make it integer or text")

    def targets(self, name: str) -> NDArray[Any]:
        """Return a column of targets: int64 or str for classes, float64 for quantities."""
        column = self._column(name)
        arrow, _ = _pyarrow()
        if arrow.types.is_boolean(column.type):
            return np.asarray(column.to_numpy()).astype(np.int64)
        if arrow.types.is_floating(column.type) or arrow.types.is_decimal(column.type):
            return self.numbers(name)
        return self.names(name)

    def _text(self, name: str, column: Any) -> NDArray[Any]:
        cells = column.to_pylist()
        for row, cell in enumerate(cells):
            if cell == "" or "\x00" in cell:
                what = "is empty" if cell == "" else "holds a zero character"
                raise BadInput(f"{self.path}, {self.place(row)}: column {name!r} {what}")
        return np.array(cells)

    def _column(self, name: str) -> Any:
        arrow, _ = _pyarrow()
        column = self._table.column(name)
        if arrow.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy())[0])
            raise BadInput(
                f"{self.path}, {self.place(row)}: column {name!r} is empty; fill or drop it"
            )
        return column


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BadInput("Parquet files need pyarrow: pip install 'unteach[parquet]'") from error
    return pyarrow, pyarrow.parquet
