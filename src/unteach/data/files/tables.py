"""Records from tables in files, and back: CSV, TSV and Parquet, every cell accounted for."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    RepeatedRecord,
    Rows,
    first_repeated,
    read_whole,
    resembling,
    write_whole,
)

from ..arrays import is_index, rows
from .csv_cells import CsvCells
from .parquet_cells import parquet_bytes, read_parquet


def read_table(
    path: str | os.PathLike[str],
    *,
    ids: str,
    target: str,
    groups: str | None = None,
    features: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
) -> Rows:
    r"""Return the records of a .csv, .tsv, .csv.gz, .tsv.gz or .parquet file.

    In a file of cells (UTF-8, or UTF-16 with its mark; a header; RFC 4180 quoting) a column of
    ids, targets or groups is whole numbers where every cell is one as Python writes it ("7", not
    "007" or "7.0"), and strings otherwise; a target column is numbers where every cell is one.
    Whole-number and string targets are classes, and so are numbers that are 0.0 and 1.0 alone.
    In a Parquet file the types are those of the columns.

    Semicolons or tabs between columns, decimal commas, spaces behind separators and columns of
    True and False are found out, and what was decided is said by a `UserWarning`; what can be
    read in two ways is refused. A column that a Parquet file calls the index of the data frame
    it was written from is left out, and said; one that only looks like an index is refused.

    Parameters
    ----------
    path : the file; a .gz may unpack to 2**28 bytes (see UNTEACH_UNPACKED), or 8 times its own
    ids : the column of permanent, unique ids
    target, groups : the columns of targets and of groups (which may be the same one)
    features : the columns of features, numeric, in this order; all other columns if not given
    leave_out : columns that are no features, in place of naming all features

    Raises
    ------
    BadInput : a missing column (the columns are listed), text among features, an empty cell or
        one that is not finite (by line and column), ragged rows, no rows, an unreadable file
    RepeatedRecord : an id on two rows
    Corrupt : bytes that are not UTF-8 text or not a Parquet file

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "people.csv"
    ...     _ = path.write_text("who,age,city,ill\nada,36,7,yes\nbob,41,9,no\n")
    ...     records = read_table(path, ids="who", target="ill", groups="city", features=["age"])
    >>> records.ids.tolist(), records.x.tolist(), records.y.tolist(), records.groups.tolist()
    (['ada', 'bob'], [[36.0], [41.0]], ['yes', 'no'], [7, 9])
    """
    records, _ = read_cells(
        cells_of(Path(path)),
        ids=ids,
        target=target,
        groups=groups,
        features=features,
        leave_out=leave_out,
        stacklevel=3,
    )
    return records


def read_cells(
    cells: Any,
    *,
    ids: str,
    target: str,
    groups: str | None = None,
    features: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
    group_is_feature: bool = False,
    stacklevel: int = 2,
) -> tuple[Rows, tuple[str, ...]]:
    """Return records of the cells of a file, and the names of their features; see `read_table`."""
    raw, path = cells, cells.path
    also = groups if group_is_feature else None
    names = _features(raw, path, ids, target, groups, features, leave_out, also)
    x = np.empty((raw.n, len(names)))
    for k, name in enumerate(names):
        x[:, k] = raw.numbers(name)
        if features is None and (name.startswith("__index_level_") or is_index(name, x[:, k])):
            raise BadInput(
                f"{path}: column {name!r} looks like the index of a data frame, which would be "
                "learned as a feature; leave it out with leave_out=[...], or rename it"
            )
    identifiers = raw.names(ids)
    twice = first_repeated(identifiers)
    if twice is not None:
        at = np.flatnonzero(identifiers == twice)[:2]
        raise RepeatedRecord(
            f"{path}: id {twice!r} stands in {raw.place(at[0])} and in {raw.place(at[1])}; "
            "ids must be unique"
        )
    y = raw.targets(target)
    if y.dtype.kind == "f" and np.array_equal(np.unique(y), [0.0, 1.0]):
        y = y.astype(np.int64)
        raw.notes.append("targets 0.0 and 1.0 as the classes 0 and 1")
    whose = None if groups is None else raw.names(groups)
    if raw.notes:
        said = f"{path} was read with {'; '.join(raw.notes)}"
        warnings.warn(said, UserWarning, stacklevel=stacklevel)
    return rows(x, y, identifiers, whose), tuple(names)


def cells_of(path: Path) -> Any:
    """Return the cells of a file by column: `columns` and `n`, without a look at any of them."""
    return _READERS[table_suffix(path, refuse=True)](read_whole(path), path)


def table_suffix(path: Path, *, refuse: bool = False) -> str:
    """Return how a path ends where that is the ending of a table; else "", or refuse.

    >>> table_suffix(Path("people.CSV.gz")), table_suffix(Path("wine"))
    ('.csv.gz', '')
    """
    name = path.name.lower()
    found = next((suffix for suffix in _READERS if name.endswith(suffix)), "")
    if refuse and not found:
        listed = ", ".join(list(_READERS)[:-1])
        raise BadInput(
            f"{path} must end in {listed} or .parquet, got {path.suffix or 'no ending'!r}"
        )
    return found


def write_table(
    records: Rows,
    path: str | os.PathLike[str],
    *,
    ids: str = "id",
    target: str = "y",
    groups: str = "group",
    features: Sequence[str] | None = None,
) -> Path:
    """Write ids, groups, features and targets to a .csv or a .parquet file, whole or not at all.

    `read_table` gives the same records back, float for float. CSV knows no types: string ids
    that all look like whole numbers come back as such; Parquet keeps them. Other columns are
    not written.

    Parameters
    ----------
    ids, target, groups : names of the columns; groups are left out where there are none
    features : (d,) names; x0, x1, ... if not given

    Examples
    --------
    >>> import tempfile
    >>> from unteach.data import load
    >>> wine = load("wine")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_table(wine, Path(folder) / "wine.csv")
    ...     back = read_table(path, ids="id", target="y", groups="group")
    >>> bool(np.all(back.x == wine.x)), bool(np.all(back.groups == wine.groups))
    (True, True)
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise BadInput(f"{path} must end in .csv or .parquet, got {suffix or 'no ending'!r}")
    x = records.x
    if not isinstance(x, np.ndarray) or x.ndim != 2:
        raise BadInput("a table needs dense two-dimensional features; use x.toarray()")
    names = [f"x{k}" for k in range(x.shape[1])] if features is None else list(features)
    if len(names) != x.shape[1]:
        raise BadInput(f"{x.shape[1]} features need one name each, got {len(names)}")
    columns: list[tuple[str, NDArray[Any]]] = [(ids, records.ids)]
    if records.groups is not None:
        columns.append((groups, records.groups))
    columns += [(name, x[:, k]) for k, name in enumerate(names)]
    columns.append((target, np.asarray(records.y)))
    _unique([name for name, _ in columns], path)
    for name, column in columns:
        if column.dtype.kind == "U" and np.any(column == ""):
            raise BadInput(f"column {name!r} holds an empty string, which reads back as missing")
    if suffix == ".parquet":
        return write_whole(path, parquet_bytes(dict(columns)), private=True)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(column.tolist() for _, column in columns), strict=True))
    text = out.getvalue()
    try:
        if "\x00" in text:
            raise BadInput("a string holds a zero character; CSV cannot carry it")
        return write_whole(path, text.encode(), private=True)
    except UnicodeEncodeError as error:
        raise BadInput(f"a string cannot be written as UTF-8: {error}") from error


_READERS: dict[str, Callable[[bytes, Path], Any]] = {
    ".csv": CsvCells,
    ".tsv": CsvCells,
    ".csv.gz": CsvCells,
    ".tsv.gz": CsvCells,
    ".parquet": read_parquet,
}


def _features(
    raw: Any,
    path: Path,
    ids: str,
    target: str,
    groups: str | None,
    features: Sequence[str] | None,
    leave_out: Sequence[str],
    also: str | None,
) -> list[str]:
    """Return the names of the feature columns, after checking every name that is used."""
    for what, given in (("features", features), ("leave_out", leave_out)):
        if isinstance(given, str):
            raise BadInput(f"{what} is a list of columns, got the text {given!r}")
    if features is not None and leave_out:
        raise BadInput("give features= or leave_out=, one of them")
    _unique(raw.columns, path)
    special = [ids, target] + ([] if groups is None else [groups])
    for name in special + list(features or leave_out):
        if name not in raw.columns:
            hint = "; columns are separated by commas" if len(raw.columns) == 1 else ""
            near = [c for c in raw.columns if resembling([name], [c])]
            hint += f"; did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(repr(c) for c in raw.columns)
            raise BadInput(f"{path} has no column {name!r}; it has {listed}{hint}")
    if ids in special[1:]:
        raise BadInput(f"column {ids!r} holds the ids and cannot be the target or the groups")
    if raw.n == 0:
        raise BadInput(f"{path} has a header and no rows")
    if features is None:
        apart = [c for c in (*special, *leave_out) if c != also or c in (ids, target)]
        index = [c for c in raw.index if c not in (*special, *leave_out)]
        names = [c for c in raw.columns if c not in (*apart, *index)]
        if "" in names:
            raise BadInput(
                f"{path}: a column has no name; name it, or leave it out with leave_out=['']"
            )
        if index:
            named = ", ".join(map(repr, index))
            raw.notes.append(f"{named} left out, the index of the data frame that was written")
    else:
        names = list(features)
        both = sorted(set(names) & {ids, target})
        if both:
            raise BadInput(f"{both[0]!r} is the id or the target and cannot be a feature too")
        _unique(names, path)
    if not names:
        raise BadInput(f"{path} has no feature column besides {', '.join(special)}")
    return names


def _unique(names: Sequence[str], path: Path) -> None:
    if not names:
        raise BadInput(f"{path} is empty; a header and at least one row are needed")
    twice = first_repeated(np.array(names))
    if twice is not None:
        raise BadInput(f"{path}: two columns are named {twice!r}; rename one")
