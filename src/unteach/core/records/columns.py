"""Columns: what other libraries hold as arrays, nothing lost, and those read when they are used."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput

MOST = 2**27
"""Numbers that sparse rows may be made dense into: one gibibyte of float64."""


def densified(values: Any, name: str = "X") -> Any:
    """Return sparse rows as a dense array, where it is small enough; anything else as it is.

    Masked entries, which would be read as if they were there, are refused.

    >>> from scipy.sparse import csr_matrix
    >>> densified(csr_matrix([[0.0, 2.0]]))
    array([[0., 2.]])
    """
    unmasked(values, name)
    if not hasattr(values, "tocsr"):
        return values
    size = math.prod(values.shape)
    if size > MOST:
        raise BadInput(
            f"{name} is sparse, of shape {values.shape}, and would take {size / 2**27:.1f} GiB as "
            "the dense rows that are needed here; the limit is 1 GiB: reduce its features "
            "(SelectKBest, TruncatedSVD, a HashingVectorizer of fewer)"
        )
    return values.toarray()


def unmasked(values: Any, what: str) -> None:
    """Refuse masked entries: an array made of them would lose the mask."""
    if np.ma.is_masked(values):
        raise BadInput(f"{what} has masked entries; fill or drop them first")


def foreign(values: Any, what: str) -> Any:
    """Return a tensor, a series or a table of another library as an array or a pandas frame.

    Lists, arrays of numpy, sparse matrices and pandas frames stay as they are. Masked entries, of
    which an array would lose the mask, and what cannot become an array are refused.

    >>> foreign([[1], [2, 3]], "x")
    [[1], [2, 3]]
    >>> foreign(np.ma.masked_array([1.0, 2.0], mask=[False, True]), "x")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: x has masked entries; fill or drop them first
    """
    unmasked(values, what)
    if hasattr(values, "compute") and hasattr(values, "dask"):
        values = values.compute()
    if hasattr(values, "to_pandas") and hasattr(values, "column_names"):
        values = values.to_pandas()  # a table of Arrow; what its pandas metadata calls an index is
    if isinstance(values, (np.matrix, np.ma.MaskedArray)):
        return np.asarray(values)
    if isinstance(values, (np.ndarray, list, tuple, LazyColumn)) or hasattr(values, "tocsr"):
        return values
    try:
        if hasattr(values, "to_pylist"):
            return values.to_pylist()
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            values = values.to_dense() if getattr(values, "is_sparse", False) else values
            small = str(getattr(values, "dtype", "")).endswith(("bfloat16", "float8_e4m3fn"))
            return np.asarray(values.float() if small else values)
        if hasattr(values, "iloc") and getattr(values, "ndim", 0) == 2:
            return values
        if hasattr(values, "to_numpy"):
            return np.asarray(values.to_numpy())
        if hasattr(values, "__array__"):
            return np.asarray(values)
        if hasattr(values, "__dataframe__"):
            from pandas.api.interchange import (  # type: ignore[import-untyped,unused-ignore]
                from_dataframe,
            )

            return from_dataframe(values)
    except (TypeError, ValueError, RuntimeError, ImportError) as error:
        raise BadInput(
            f"{what} is a {type(values).__name__} that cannot be read as an array ({error}); "
            "hand in an array of numpy"
        ) from error
    return values


def one_column(values: Any, what: str) -> NDArray[Any]:
    """Return one value a record: (n,) int64, bool, floats or str, none of them changed.

    All are of one type (whole numbers beside floats become floats) and none is missing.

    >>> one_column([3, np.int8(4)], "ids"), one_column(("a", "b"), "ids").tolist()
    (array([3, 4]), ['a', 'b'])
    >>> one_column(np.array([2**63], dtype=np.uint64), "y")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: y hold 9223372036854775808, which exceeds int64; store it as text
    """
    extended = not isinstance(getattr(values, "dtype", np.dtype("O")), np.dtype)
    if extended and getattr(values, "ndim", 0) == 1 and hasattr(values, "isna"):
        values = values.tolist()  # as an array, whole numbers would be floats beside a missing one
    values = foreign(values, what)
    if not isinstance(values, np.ndarray) and getattr(values, "ndim", 0) == 2:
        values = values.to_numpy() if hasattr(values, "to_numpy") else values.toarray()
    if not isinstance(values, np.ndarray):
        try:
            listed = list(values)
        except TypeError as error:
            kind = type(values).__name__
            raise BadInput(f"{what} must hold one value a row, got one {kind}") from error
    elif values.ndim != 1:
        hint = (
            f"; flatten it with {what}.ravel()"
            if values.size == len(values)
            else ("; give one value a record, and of several outputs one at a time")
            if values.ndim
            else ""
        )
        raise BadInput(f"{what} must be one-dimensional, got shape {values.shape}{hint}")
    elif values.dtype.kind in "bfU":
        return values
    elif values.dtype.kind in "iu":
        if values.size and values.dtype.kind == "u":
            _in_range(int(values.max()), what)
        return values.astype(np.int64)
    elif values.dtype.kind in "OT":
        listed = list(values)
    else:
        raise BadInput(
            f"{what} must be whole numbers or strings, got {values.dtype}; turn it into text first"
        )
    return _settled([_scalar(v, k, what) for k, v in enumerate(listed)], what)


_FORMS = (
    ("its type, text or number", str),
    ("spaces around it", str.strip),
    ("its Unicode form (NFC or NFD)", lambda text: unicodedata.normalize("NFC", text)),
    ("capital letters", str.casefold),
)


def resembling(values: Iterable[Any], known: Iterable[Any]) -> str:
    """Say in what alone the first such of these values differs from one that is known.

    Neither is quoted; "" where each of them differs in more from all that are known.

    >>> resembling(["ADA "], ["ada", "bob"]), resembling(["7"], [7]), resembling(["eve"], ["ada"])
    ('spaces around it and capital letters', 'its type, text or number', '')
    """

    def plain(one: Any) -> Any:
        for _, form in _FORMS:
            one = form(one)
        return one

    wanted = {plain(value): value for value in values}
    other = next((one for one in known if plain(one) in wanted), None)
    if other is None:
        return ""
    value, said = wanted[plain(other)], []
    for name, form in _FORMS:
        before, (value, other) = (value, other), (form(value), form(other))
        if before[0] != before[1] and before != (value, other):
            said.append(name)
    return " and ".join(said)


def _in_range(value: int, what: str) -> int:
    if not -(2**63) <= value < 2**63:
        digits = str(value) if value.bit_length() < 99 else f"a number of {value.bit_length()} bits"
        raise BadInput(f"{what} hold {digits}, which exceeds int64; store it as text")
    return value


def _scalar(value: Any, at: int, what: str) -> Any:
    """Return an entry of a list as a plain Python value."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return value.item() if value.dtype.itemsize <= 8 or value.dtype.kind == "U" else value
    if (
        getattr(value, "ndim", None) == 0
        and hasattr(value, "tolist")
        and not isinstance(
            value,
            np.generic,  # a time would become a number
        )
    ):
        value = value.tolist()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        raise BadInput(f"{what} hold nothing at row {at}; fill or drop it")
    if isinstance(value, str) and value.endswith("\0"):
        raise BadInput(f"{what} hold text that ends in a zero character, at row {at}; take it off")
    return value


def _settled(listed: list[Any], what: str) -> NDArray[Any]:
    """Return entries as the one type that all of them have."""
    kinds = {bool if isinstance(v, bool) else type(v) for v in listed}
    if all(issubclass(kind, str) for kind in kinds):
        return np.array(listed, dtype=np.str_) if listed else np.zeros(0, dtype=np.int64)
    if kinds == {bool}:
        return np.array(listed)
    if bool not in kinds and all(issubclass(kind, (int, float, np.floating)) for kind in kinds):
        if all(issubclass(kind, int) for kind in kinds):
            return np.array([_in_range(v, what) for v in listed], dtype=np.int64)
        return np.array([float(_in_range(v, what) if isinstance(v, int) else v) for v in listed])
    if any(hasattr(v, "__len__") and not isinstance(v, (str, bytes)) for v in listed):
        alone = all(hasattr(v, "__len__") and len(v) == 1 for v in listed)
        raise BadInput(
            f"{what} must be one-dimensional, got a sequence a row; "
            + (
                f"flatten it with {what}.ravel()"
                if alone
                else "give one value a record, and of several outputs one at a time"
            )
        )
    if str in kinds or np.str_ in kinds:
        raise BadInput(f"{what} mixes strings with other values; give one type, none missing")
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    said = f"mixes {names}" if len(kinds) > 1 else f"holds values of type {names}"
    raise BadInput(f"{what} {said}; give whole numbers or strings, all of one type, none missing")


class LazyColumn:
    """One part of the items of a data set, at some of its positions.

    Parameters
    ----------
    source : has `len`, and gives a tuple or list at a whole number
    part : which part of an item: 0 the input, 1 the target
    rows : (n,) positions in the source

    Examples
    --------
    >>> column = LazyColumn([("a", 3), ("b", 4)], 1, np.array([1, 0]))
    >>> len(column), column[0], np.asarray(column)
    (2, array(4), array([4, 3]))
    """

    def __init__(self, source: Any, part: int, rows: NDArray[np.int64]) -> None:
        self.source, self.part, self.rows = source, part, rows

    @classmethod
    def of(cls, source: Any) -> dict[str, Self]:
        """Return the columns x and y of a data set of pairs."""
        if not hasattr(source, "__len__") or not hasattr(source, "__getitem__"):
            raise BadInput(
                f"{type(source).__name__} has no length or no items by number; give a map-style "
                "data set (of a loader: loader.dataset)"
            )
        if len(source) == 0:
            raise BadInput("the data set is empty; there are no records in it")
        first = source[0]
        if not isinstance(first, (tuple, list)) or len(first) != 2:
            raise BadInput(
                f"an item of the data set is a {type(first).__name__}; give one of pairs (x, y)"
            )
        rows = np.arange(len(source))
        return {"x": cls(source, 0, rows), "y": cls(source, 1, rows)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> NDArray[Any]:
        if isinstance(at, (int, np.integer)):
            return np.asarray(self.source[int(self.rows[at])][self.part])
        return self.taken(np.arange(len(self))[at])._stacked()

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[k] for k in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._stacked(), dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...) as the first item says; the others are not read."""
        return (len(self), *(self[0].shape if len(self) else ()))

    @property
    def ndim(self) -> int:
        """The number of axes, the records' included."""
        return len(self.shape)

    def taken(self, rows: Any) -> LazyColumn:
        """Return the column at these positions (or where a mask is true); nothing is read."""
        return LazyColumn(self.source, self.part, self.rows[rows])

    def _stacked(self) -> NDArray[Any]:
        return np.stack(list(self)) if len(self) else np.zeros(0)
