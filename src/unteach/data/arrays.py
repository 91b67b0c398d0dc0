"""Records from arrays: everything that could spoil a result later is refused here, by place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..core import BadInput, Rows, as_groups, as_ids, foreign, one_column


def rows(X: Any, y: Any, ids: Any = None, groups: Any = None) -> Rows:
    """Return records made of arrays, checked.

    Writable arrays are copied, so that changing them later does not change the records;
    read-only float64 ones (memory maps) are shared.

    Parameters
    ----------
    X : (n, d) finite numbers, n, d >= 1; dense, or scipy sparse (kept as CSR). Becomes float64.
        Data frames, tables of Arrow and tensors are read as arrays; a column that is only the
        index of a frame is refused.
    y : (n,) targets: whole numbers (kept as int64) or strings are classes, floats are
        quantities, and must be finite
    ids : (n,) unique whole numbers (in int64) or strings; 0 to n - 1 if not given
    groups : (n,) the person, class, skill or fact of each record; optional

    Raises
    ------
    BadInput : for wrong shapes and types, and for values that are not finite (by row and column)
    RepeatedRecord : for an id that names two rows

    Examples
    --------
    >>> rows([[0.0, 1.0], [2.0, 3.0]], [0, 1], ids=["ada", "bob"])
    Rows(2 records: x(2, 2), y(2,))
    >>> rows([[0.0, 1.0], [2.0, float("nan")]], [0, 1])
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: X holds nan at row 1, column 1; fill or drop it first
    """
    x = _features(X)
    n = x.shape[0]
    target = _targets(y, n)
    named = np.arange(n) if ids is None else as_ids(_column(ids, "ids", n)).copy()
    whose = None if groups is None else as_groups(_column(groups, "groups", n)).copy()
    return Rows(named, {"x": x, "y": target}, whose)


def has_classes(y: NDArray[Any]) -> bool:
    """Say whether targets are classes (whole numbers or strings) rather than quantities.

    >>> has_classes(np.array([0, 1])), has_classes(np.array([0.0, 1.0]))
    (True, False)
    """
    return y.dtype.kind in "iuUb"


_INDEX = re.compile(
    r"|X|(?i:unnamed: \d+(_level_\d+)?|__index_level_\d+__|level_\d+|index|idx|\.\.\.1"
    r"|_?row_?index|row[._ ]?(nr|names?|numbers?|id))"
)
"""Names that exporters give to the index of a frame: pandas, R, readr, polars."""


def is_index(name: str, values: NDArray[Any]) -> bool:
    """Say whether a column of features is, by its name and its numbers, the index of a frame.

    Its name is one that exporters give, and its numbers are whole, each there once. X, which is
    also a coordinate, must count the rows from 0 or 1.

    >>> is_index("Unnamed: 0", np.array([0.0, 1.0, 3.0])), is_index("age", np.array([0.0, 1.0]))
    (True, False)
    """
    if not _INDEX.fullmatch(name) or len(np.unique(values)) < len(values):
        return False
    if name == "X":
        counted = np.array_equal(values - values[:1], np.arange(len(values)))
        return bool(counted and len(values) > 2 and values[0] in (0, 1))
    return bool(np.all(values == np.round(values)))


def _features(X: Any) -> Any:
    given, X = X, foreign(X, "X")
    named = [str(name) for name in getattr(X, "columns", getattr(given, "columns", ()))]
    if sparse.issparse(X):
        if X.ndim != 2:
            raise BadInput(f"X must be two-dimensional (rows, features), got shape {X.shape}")
        if X.dtype.kind not in "biuf":
            raise BadInput(f"X must be numbers, got {X.dtype}")
        x = X.tocsr(copy=True).astype(np.float64)
        x.sum_duplicates()
        _shaped(x)
        wrong = np.flatnonzero(~np.isfinite(x.data))
        if len(wrong):
            at = wrong[0]
            row = int(np.searchsorted(x.indptr, at, side="right")) - 1
            _not_finite(x.data[at], row, int(x.indices[at]))
        return x
    try:
        raw = np.asarray(X)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BadInput(f"X must be a table of numbers with rows of one length: {error}") from error
    if raw.ndim == 0:
        raise BadInput(f"X must be a table of numbers, got a {type(X).__name__}; hand in an array")
    _shaped(raw)
    if raw.dtype.kind in "OSUMmcVT":
        _refuse_text(raw)
    if raw.dtype == np.float64 and not raw.flags.writeable:
        dense: NDArray[np.float64] = raw
    else:
        try:
            with np.errstate(over="ignore"):
                dense = np.array(raw, dtype=np.float64, order="C")
        except OverflowError as error:
            raise BadInput(f"X holds a whole number beyond float64: {error}; scale it") from error
    finite = np.isfinite(dense)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        _not_finite(dense[row, column], int(row), int(column))
    for k, name in enumerate(named):
        if is_index(name, dense[:, k]):
            raise BadInput(
                f"X has a column {name!r} that looks like the index of a data frame, which would "
                f"be learned as a feature; drop it (X.drop(columns={name!r})), or rename it"
            )
    return dense


def _shaped(x: Any) -> None:
    if x.ndim != 2:
        raise BadInput(
            f"X must be two-dimensional (rows, features), got shape {x.shape}"
            + ("; one feature is X.reshape(-1, 1)" if x.ndim == 1 else "")
        )
    if x.shape[0] == 0 or x.shape[1] == 0:
        raise BadInput(f"X has shape {x.shape}; at least one row and one feature are needed")


def _not_finite(value: float, row: int, column: int) -> None:
    raise BadInput(f"X holds {value} at row {row}, column {column}; fill or drop it first")


def _refuse_text(raw: NDArray[Any]) -> None:
    if raw.dtype.kind != "O":
        kind = "complex numbers" if raw.dtype.kind == "c" else str(raw.dtype)
        raise BadInput(f"X must be numbers, got {kind}; encode the columns first")
    for (row, column), value in np.ndenumerate(raw):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            _not_finite(float("nan"), row, column)
        if not isinstance(value, (int, float, np.number, np.bool_)) or isinstance(value, complex):
            raise BadInput(
                f"X must be numbers, got {type(value).__name__} at row {row}, column {column}; "
                "encode that column first"
            )


def _targets(y: Any, n: int) -> NDArray[Any]:
    if y is None:
        raise BadInput("y is missing; every record needs its target")
    raw = _column(y, "y", n)
    if raw.dtype.kind in "biu":
        return raw.astype(np.int64)
    if raw.dtype.kind == "f":
        target = raw.astype(np.float64)
        wrong = np.flatnonzero(~np.isfinite(target))
        if len(wrong):
            raise BadInput(f"y holds {target[wrong[0]]} at row {wrong[0]}; fill or drop it first")
        return target
    if raw.dtype.kind == "U":
        return raw.copy()
    raise BadInput(f"y must be whole numbers, strings or finite floats, got {raw.dtype}")


def _column(values: Any, what: str, n: int) -> NDArray[Any]:
    """Return one value a row: (n,), all of one type."""
    if isinstance(values, (set, frozenset, dict)):
        raise BadInput(f"{what} is a {type(values).__name__}, which has no rows; give a list")
    column = one_column(values, what)
    if len(column) != n:
        raise BadInput(f"X has {n} rows and {what} has {len(column)}; give one value a row")
    return column
