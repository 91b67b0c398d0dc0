"""DATA on the command line: the name of a bundled set, or a table in a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unteach.core import BadInput, Corrupt, RepeatedRecord, Rows, UnteachError, read_whole

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class Source:
    """Records, and how they were asked for.

    name : as given; group : the column (or "class") that groups name, None if there is none
    features : names of the feature columns; () for a bundled set, whose columns have none
    options : what stands behind --data to get the same records again
    """

    name: str
    records: Rows
    group: str | None
    features: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def bundled(self) -> bool:
        """Whether it is a bundled set rather than a file."""
        return not self.features

    def line(self, position: int) -> str:
        """Return where a record stands, without naming it: rows count from 1."""
        return f"row {position + 1}"


def read_source(
    name: str,
    *,
    ids: str | None,
    target: str | None,
    group: str | None = None,
    leave_out: Sequence[str] = (),
    group_is_feature: bool = False,
) -> Source:
    """Return the records that DATA names; messages quote no cell, as a cell may name a person.

    Parameters
    ----------
    name : a bundled set, or a path that ends in .csv or .parquet
    ids, target, group : columns of a file; a bundled set has its own
    leave_out : columns of a file that are no features

    Examples
    --------
    >>> source = read_source("wine", ids=None, target=None)
    >>> source.group, len(source.records)
    ('class', 178)
    """
    from unteach.data import DATASETS, load, read_table

    if Path(name).suffix.lower() not in SUFFIXES:
        if name not in {d.name for d in DATASETS}:
            known = ", ".join(d.name for d in DATASETS)
            raise BadInput(
                f"no data {name!r}: give a file that ends in .csv or .parquet, or one of {known}"
            )
        if ids or target or leave_out:
            raise BadInput(f"{name} is a bundled set; --ids-column, --target and --leave-out are "
                           "for files")  # fmt: skip
        records = load(name)
        own = None if records.groups is None else "class"
        if group not in (None, own):
            has = "no groups" if own is None else "one grouping, 'class'"
            raise BadInput(f"{name} has {has}; it has no column {group!r}")
        return Source(name, records, own, (), ())
    columns = columns_of(Path(name))
    if ids is None or target is None:
        raise BadInput(
            f"say which columns of {name} hold the ids (--ids-column) and the targets (--target); "
            f"{has_columns(columns)}"
        )
    for column in (ids, target, *((group,) if group else ()), *leave_out):
        if column not in columns:
            if column in leave_out and set(column.split(",")) <= set(columns):
                raise BadInput("--leave-out takes one column; give it again for each of them")
            raise BadInput(f"{name} has no column {column!r}; {has_columns(columns)}")
    apart = {ids, target, *leave_out, *((group,) if group and not group_is_feature else ())}
    features = tuple(c for c in columns if c not in apart)
    try:
        records = read_table(name, ids=ids, target=target, groups=group, features=features)
    except RepeatedRecord as error:
        raise RepeatedRecord(discreet(str(error))) from None
    except UnteachError as error:
        raise type(error)(discreet(str(error))) from None
    options = ["--ids-column", ids, "--target", target]
    for column in leave_out:
        options += ["--leave-out", column]
    return Source(name, records, group, features, tuple(options))


def columns_of(path: Path) -> list[str]:
    """Return the names of a file's columns, in order."""
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise BadInput("Parquet files need pyarrow: pip install 'unteach[parquet]'") from error
        raw = read_whole(path)
        try:
            return list(parquet.read_schema(io.BytesIO(raw)).names)
        except (pyarrow.ArrowException, OSError) as error:
            raise Corrupt(f"{path} is damaged or not a Parquet file: {error}") from error
    raw = read_whole(path)
    try:
        text = raw.decode("utf-8-sig")
        return next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except csv.Error as error:
        raise BadInput(f"{path}, line 1: {error}") from error


def discreet(message: str) -> str:
    r"""Return a message without the cells that it quotes.

    >>> discreet("a.csv: id 'ada@example.org' stands in line 2 and in line 9")
    'a.csv: an id stands in line 2 and in line 9'
    >>> discreet("line 3: column 'name' holds the text 'Ada'; leave it out with features=[...]")
    "line 3: column 'name' holds text; leave it out with --leave-out"
    """
    quoted = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+)"
    message = re.sub(rf" \(ids? {quoted}(, {quoted})*( and \d+ more)?\)", "", message)
    message = re.sub(rf"\bid {quoted}", "an id", message)
    message = re.sub(rf"\bholds the text {quoted}", "holds text", message)
    message = message.replace("leave it out with features=[...]", "leave it out with --leave-out")
    return re.sub(rf"\bholds {quoted}", "holds what is no finite number", message)


def has_columns(columns: Sequence[str]) -> str:
    """Say which columns a file has; where its first line may be a record, none is quoted.

    >>> has_columns(["row", "age"])
    "it has 'row', 'age'"
    >>> has_columns(["ada@example.org", "age"])
    'the first line looks like data, not like column names'
    >>> has_columns(["row;age"])
    "it has one column, with ';' in its name: separate columns by commas"
    """
    cells = [cell for column in columns for cell in column.split(";")]
    if any("@" in cell or _number(cell) for cell in cells):
        return "the first line looks like data, not like column names"
    if len(columns) == 1 and ";" in columns[0]:
        return "it has one column, with ';' in its name: separate columns by commas"
    return f"it has {', '.join(repr(c) for c in columns) or 'none'}"


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
