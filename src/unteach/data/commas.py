"""The cells of a CSV file: strict quoting, and no cell that is silently missing."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput, Corrupt

_MISSING = {"", "nan", "na", "n/a", "null", "none"}


class CsvCells:
    """The columns of a CSV file, by name, and the line on which each row ends."""

    def __init__(self, raw: bytes, path: Path) -> None:
        self.path = path
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Corrupt(f"{path} is not UTF-8 text: {error}; save it as UTF-8") from error
        if "\x00" in text:
            raise Corrupt(f"{path} holds a zero byte; it is not a CSV file")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        self._cells: list[list[str]] = []
        self._lines: list[int] = []
        try:
            self.columns = next(reader, [])
            for row in reader:
                if not row:
                    continue  # a blank line
                if len(row) != len(self.columns):
                    raise BadInput(
                        f"{path}, line {reader.line_num}: {len(row)} cells for "
                        f"{len(self.columns)} columns; quote cells that hold a comma"
                    )
                self._cells.append(row)
                self._lines.append(reader.line_num)
        except csv.Error as error:
            raise BadInput(f"{path}, line {reader.line_num}: {error}") from error
        self.n = len(self._cells)

    def place(self, row: int) -> str:
        """Say where a row stands."""
        return f"line {self._lines[row]}"

    def _column(self, name: str) -> list[str]:
        at = self.columns.index(name)
        cells = [row[at] for row in self._cells]
        for row, cell in enumerate(cells):
            if cell == "":
                raise BadInput(
                    f"{self.path}, {self.place(row)}: column {name!r} is empty; fill or drop it"
                )
        return cells

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of features: (n,) finite."""
        cells = self._column(name)
        values = np.empty(self.n)
        for row, cell in enumerate(cells):
            value = _number(cell)
            if value is None and cell.strip().lower() not in _MISSING:
                raise BadInput(
                    f"{self.path}, {self.place(row)}: column {name!r} holds the text {cell!r}; "
                    "encode it as numbers, or leave it out with features=[...]"
                )
            if value is None or not math.isfinite(value):
                raise BadInput(
                    f"{self.path}, {self.place(row)}: column {name!r} holds {cell!r}; "
                    "fill or drop it, features must be finite"
                )
            values[row] = value
        return values

    def names(self, name: str) -> NDArray[Any]:
        """Return a column of ids or groups: (n,) int64 or str."""
        cells = self._column(name)
        whole = _whole_numbers(cells)
        return np.array(cells) if whole is None else whole

    def targets(self, name: str) -> NDArray[Any]:
        """Return a column of targets: int64 or str for classes, float64 for quantities."""
        cells = self._column(name)
        whole = _whole_numbers(cells)
        if whole is not None:
            return whole
        values = [_number(cell) for cell in cells]
        numeric = sum(v is not None for v in values)
        for row, (value, cell) in enumerate(zip(values, cells, strict=True)):
            lost = value is None and numeric > 0 and cell.strip().lower() in _MISSING
            if lost or (numeric == len(cells) and value is not None and not math.isfinite(value)):
                raise BadInput(
                    f"{self.path}, {self.place(row)}: column {name!r} holds {cell!r}; "
                    "fill or drop it, targets must be finite"
                )
        return np.array(values if numeric == len(cells) else cells)


def _number(cell: str) -> float | None:
    if "_" in cell:  # 1_000 is a number to Python alone
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _whole_numbers(cells: list[str]) -> NDArray[np.int64] | None:
    """Return the cells as int64 where each is written as Python writes a whole number."""
    bounds = np.iinfo(np.int64)
    values = []
    for cell in cells:
        if not (cell.isascii() and cell.removeprefix("-").isdigit()) or len(cell) > 20:
            return None
        value = int(cell)
        if str(value) != cell or not bounds.min <= value <= bounds.max:
            return None
        values.append(value)
    return np.array(values, dtype=np.int64)
