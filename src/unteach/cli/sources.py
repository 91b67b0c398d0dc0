"""DATA on the command line: the name of a bundled set, or a table in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unteach.core import BadInput, RepeatedRecord, Rows, UnteachError, resembling

from .screen import noted


@dataclass(frozen=True)
class Source:
    """Records, and how they were asked for.

    name : as given; group : the column (or "class") that groups name, None if there is none
    features : names of the feature columns; () for a bundled set, whose columns have none
    options : what stands behind --data to get the same records again
    notes : what was decided in reading a file, in sentences
    """

    name: str
    records: Rows
    group: str | None
    features: tuple[str, ...]
    options: tuple[str, ...]
    notes: tuple[str, ...] = ()

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
    name : a bundled set, or a path that ends as one of a table
    ids, target, group : columns of a file; a bundled set has its own
    leave_out : columns of a file that are no features

    Examples
    --------
    >>> source = read_source("wine", ids=None, target=None)
    >>> source.group, len(source.records)
    ('class', 178)
    """
    from unteach.data import DATASETS, load

    if not is_table(name):
        if name not in {d.name for d in DATASETS}:
            known = ", ".join(d.name for d in DATASETS)
            raise BadInput(
                f"no data {name!r}: give a file that ends in .csv, .tsv, .csv.gz, .tsv.gz or "
                f".parquet, or one of {known}"
            )
        if ids or target or leave_out:
            raise BadInput(
                f"{name} is a bundled set; --ids-column, --target and --leave-out are for files"
            )
        records = load(name)
        own = None if records.groups is None else "class"
        if group not in (None, own):
            has = "no groups" if own is None else "one grouping, 'class'"
            raise BadInput(f"{name} has {has}; it has no column {group!r}")
        return Source(name, records, own, (), ())
    return _read(name, ids, target, group, leave_out, group_is_feature)


def is_table(name: str) -> bool:
    """Return whether DATA names a file rather than a bundled set."""
    from unteach.data import table_suffix

    return bool(table_suffix(Path(name)))


def _read(
    name: str,
    ids: str | None,
    target: str | None,
    group: str | None,
    leave_out: Sequence[str],
    group_is_feature: bool,
) -> Source:
    from unteach.data import cells_of, read_cells

    cells = cells_of(Path(name))
    columns = cells.columns
    if ids is None or target is None:
        raise BadInput(
            f"say which columns of {name} hold the ids (--ids-column) and the targets (--target); "
            f"{has_columns(columns)}"
        )
    for column in (ids, target, *((group,) if group else ()), *leave_out):
        if column not in columns:
            if column in leave_out and set(column.split(",")) <= set(columns):
                raise BadInput("--leave-out takes one column; give it again for each of them")
            near = [c for c in columns if resembling([column], [c])]
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BadInput(f"{name} has no column {column!r}; {has_columns(columns)}{hint}")
    try:
        with noted() as notes:
            records, features = read_cells(
                cells,
                ids=ids,
                target=target,
                groups=group,
                leave_out=leave_out,
                group_is_feature=group_is_feature,
            )
    except RepeatedRecord as error:
        raise RepeatedRecord(discreet(str(error))) from None
    except UnteachError as error:
        raise type(error)(discreet(str(error))) from None
    options = ["--ids-column", ids, "--target", target]
    for column in leave_out:
        options += ["--leave-out", column]
    return Source(name, records, group, features, tuple(options), tuple(notes))


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
    out = r"leave it out with \w+=\[(?:\.\.\.|'')\]"
    message = re.sub(out, "leave it out with --leave-out", message)
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
