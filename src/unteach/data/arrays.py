"""Records from arrays: everything that could spoil a result later is refused here, by place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..core import BadInput, Ids, Rows, as_ids


def rows(X: Any, y: Any, ids: Any = None, groups: Any = None) -> Rows:
    """Return records made of arrays, checked.

    Writable arrays are copied, so that changing them later does not change the records;
    read-only float64 ones (memory maps) are shared.

    Parameters
    ----------
    X : (n, d) finite numbers, n, d >= 1; dense, or scipy sparse (kept as CSR). Becomes float64.
    y : (n,) targets: whole numbers (kept as int64) or strings are classes, floats are
        quantities, and must be finite
    ids : (n,) unique whole numbers or strings; 0 to n - 1 if not given
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
    named = np.arange(n) if ids is None else _identifiers(ids, n)
    return Rows(named, {"x": x, "y": target}, None if groups is None else _groups(groups, n))


def has_classes(y: NDArray[Any]) -> bool:
    """Say whether targets are classes (whole numbers or strings) rather than quantities.

    >>> has_classes(np.array([0, 1])), has_classes(np.array([0.0, 1.0]))
    (True, False)
    """
    return y.dtype.kind in "iuUb"


def _features(X: Any) -> Any:
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
    _unmasked(X, "X")
    try:
        raw = np.asarray(X)
    except ValueError as error:
        raise BadInput(f"X must be a table of numbers with rows of one length: {error}") from error
    _shaped(raw)
    if raw.dtype.kind in "OSUMmcV":
        _refuse_text(raw)
    if raw.dtype == np.float64 and not raw.flags.writeable:
        dense: NDArray[np.float64] = raw
    else:
        dense = np.array(raw, dtype=np.float64, order="C")
    finite = np.isfinite(dense)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        _not_finite(dense[row, column], int(row), int(column))
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
        raise BadInput(f"X must be numbers, got {raw.dtype}; encode the columns first")
    for (row, column), value in np.ndenumerate(raw):
        if value is None:
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


def _identifiers(ids: Any, n: int) -> Ids:
    return as_ids(_column(ids, "ids", n)).copy()


def _groups(groups: Any, n: int) -> NDArray[Any]:
    raw = _column(groups, "groups", n)
    if raw.dtype.kind in "iu":
        return raw.astype(np.int64)
    if raw.dtype.kind in "bU" or (raw.dtype.kind == "f" and np.isfinite(raw).all()):
        return raw.copy()
    raise BadInput(f"groups must be strings or finite numbers, none missing; got {raw.dtype}")


def _column(values: Any, what: str, n: int) -> NDArray[Any]:
    """Return one value a row: (n,), all of one type."""
    _unmasked(values, what)
    if not isinstance(values, np.ndarray):
        try:
            values = list(values)
        except TypeError as error:
            raise BadInput(f"{what} must hold one value a row, got {values!r}") from error
        if len({isinstance(v, str) for v in values}) > 1:
            raise BadInput(f"{what} mixes strings with other values; give one type, none missing")
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise BadInput(f"{what} must be one-dimensional: {error}") from error
    if raw.ndim != 1:
        hint = f"; flatten it with {what}.ravel()" if raw.size == len(raw) else ""
        raise BadInput(f"{what} must be one-dimensional, got shape {raw.shape}{hint}")
    if len(raw) != n:
        raise BadInput(f"X has {n} rows and {what} has {len(raw)}; give one value a row")
    return _settled(raw, what)


def _unmasked(values: Any, what: str) -> None:
    if np.ma.is_masked(values):
        raise BadInput(f"{what} has masked entries; fill or drop them first")


def _settled(raw: NDArray[Any], what: str) -> NDArray[Any]:
    """Return an object array as the one type that all its entries have."""
    if raw.dtype.kind != "O":
        return raw
    for kind, wanted in ((str, np.str_), ((int, np.integer), np.int64)):
        if all(isinstance(v, kind) for v in raw):
            return raw.astype(wanted)
    if all(isinstance(v, (int, float, np.integer, np.floating)) for v in raw):
        return raw.astype(np.float64)
    kinds = sorted({type(v).__name__ for v in raw})
    raise BadInput(f"{what} mixes {', '.join(kinds)}; give one type and leave none missing")
