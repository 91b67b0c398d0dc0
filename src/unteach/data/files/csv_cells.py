"""The cells of a CSV file: strict quoting, and no cell that is silently missing."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Corrupt, too_large, unpacked_limit

_MISSING = {"", "nan", "na", "n/a", "null", "none"}
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
_TRUTH = {"true": 1.0, "false": 0.0}
_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")
_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")


def decoded(raw: bytes, path: Any) -> str:
    r"""Return text that is UTF-8, or says by a mark that it is UTF-16 or UTF-32.

    >>> decoded("\ufeffid".encode("utf-16-le"), "t.csv")
    'id'
    """
    marks = {
        b"\xff\xfe\x00\x00": "utf-32",
        b"\x00\x00\xfe\xff": "utf-32",
        b"\xff\xfe": "utf-16",
        b"\xfe\xff": "utf-16",
    }
    kind = next((name for mark, name in marks.items() if raw.startswith(mark)), "utf-8-sig")
    try:
        return raw.decode(kind)
    except UnicodeDecodeError as error:
        said = "not UTF-8 text" if kind == "utf-8-sig" else f"damaged {kind.upper()} text"
        raise Corrupt(f"{path} is {said}: {error}; save it as UTF-8") from error


def unpacked(raw: bytes, path: Path) -> bytes:
    """Return what a gzip file holds, at most as much as `unpacked_limit` allows."""
    limit = unpacked_limit(raw)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            out = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Corrupt(f"{path} is damaged or not a gzip file: {error}") from error
    if len(out) > limit:
        raise too_large(raw, str(path), len(out), limit)
    return out


class CsvCells:
    """The columns of a file of cells, by name, and the line on which each row ends.

    notes : what was decided about the file, in words: separators, decimal commas, truth values
    index : columns that the file itself calls an index: none
    """

    index: tuple[str, ...] = ()

    def __init__(self, raw: bytes, path: Path) -> None:
        self.path = path
        names = path.name.lower()
        text = decoded(unpacked(raw, path) if names.endswith(".gz") else raw, path)
        if "\x00" in text:
            raise Corrupt(f"{path} holds a zero byte; it is not a CSV file")
        tabs = names.removesuffix(".gz").endswith(".tsv")
        self._apart = "\t" if tabs else self._separator(text)
        self.notes: list[str] = []
        if self._apart != "," and not tabs:
            self.notes.append(f"{_NAMES[self._apart]} between columns")
        plain = self._lined(text, self._apart, spaces=True)
        head, _ = next(plain, ([], 0))
        self.columns, _ = next(self._lined(text, self._apart, spaces=False), ([], 0))
        spaced = head != self.columns
        if spaced:
            self.notes.append("spaces behind separators left out")
            plain = self._lined(text, self._apart, spaces=False)
            next(plain)
        self._cells: list[list[str]] = []
        self._lines: list[int] = []
        for row, line in plain:
            if len(row) != len(self.columns):
                raise BadInput(
                    f"{path}, line {line}: {len(row)} cells for {len(self.columns)} columns; "
                    f"quote cells that hold {_NAMES[self._apart][:-1]}s"
                )
            self._cells.append(row)
            self._lines.append(line)
        self.n = len(self._cells)
        self._decimal = self._apart != "," and any(
            _COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell)
            for row in self._cells
            for cell in row
        )

    def _lined(self, text: str, apart: str, *, spaces: bool) -> Iterator[tuple[list[str], int]]:
        """Yield rows and the lines on which they end; blank lines are left aside."""
        reader = csv.reader(
            io.StringIO(text, newline=""), strict=True, delimiter=apart, skipinitialspace=not spaces
        )
        try:
            for row in reader:
                if row or reader.line_num == 1:
                    yield row, reader.line_num
        except csv.Error as error:
            raise BadInput(f"{self.path}, line {reader.line_num}: {error}") from error

    def _separator(self, text: str) -> str:
        """Return what separates the columns: the one sign that gives every row as many cells."""
        width: dict[str, int] = {}
        for apart in _NAMES:
            try:
                width[apart] = len(next(self._lined(text, apart, spaces=True), ([], 0))[0])
            except BadInput:
                width[apart] = 0
        some = [apart for apart, n in width.items() if n > 1]
        if len(some) > 1:
            some = [apart for apart in some if self._even(text, apart, width[apart])] or [","]
        if len(some) > 1:
            listed = " and by ".join(_NAMES[apart] for apart in some)
            raise BadInput(
                f"{self.path} can be read as columns separated by {listed}; quote the cells that "
                "hold the other sign, or save it as .tsv"
            )
        return some[0] if some else ","

    def _even(self, text: str, apart: str, width: int) -> bool:
        try:
            return all(len(row) == width for row, _ in self._lined(text, apart, spaces=True))
        except BadInput:
            return False

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

    def _pointed(self, name: str, cells: list[str]) -> list[str]:
        """Return cells with decimal points, where the file writes numbers with decimal commas."""
        comma = [row for row, cell in enumerate(cells) if _COMMA.fullmatch(cell)]
        if self._apart == "," or not (comma or self._decimal):
            return cells
        point = [row for row, cell in enumerate(cells) if _POINT.fullmatch(cell)]
        if point or (comma and not self._decimal):
            row = (point or comma)[0]
            why = "decimal commas stand in this file too" if point else "is it a decimal comma?"
            raise BadInput(
                f"{self.path}, {self.place(row)}: column {name!r} holds {cells[row]!r}, which can "
                f"be read as two numbers ({why}); write all numbers with decimal points, and "
                "nothing between thousands"
            )
        if comma:
            self._note("decimal commas")
        return [c.replace(",", ".") if _COMMA.fullmatch(c) else c for c in cells]

    def _note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of features: (n,) finite."""
        cells = self._pointed(name, self._column(name))
        truth = [_TRUTH.get(cell.strip().lower()) for cell in cells[:1]]
        if truth != [None]:
            truth = [_TRUTH.get(cell.strip().lower()) for cell in cells]
        if None not in truth:
            self._note(f"true and false in {name!r} as 1 and 0")
            return np.array(truth, dtype=np.float64)
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
        cells = self._pointed(name, cells)
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
