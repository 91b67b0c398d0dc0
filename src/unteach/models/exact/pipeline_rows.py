"""Rows as they enter a pipeline: arrays, sparse matrices, data frames, lists of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack

from unteach.core import BadInput, UnteachError, tight


@dataclass(frozen=True, eq=False)
class Raw:
    """The rows as they entered the pipeline, with their targets and weights."""

    x: Any
    y: Any
    weight: Any

    @classmethod
    def copied(cls, x: Any, y: Any, weight: Any) -> Raw:
        """Return rows that share no memory with x; y and weight are taken as they are."""
        return cls(_copied(x), y, weight)

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Raw | None:
        """Return the rows whose `arrays` these are, or None if there are none."""
        x, y, weight = (_array(name, arrays) for name in ("x", "y", "weight"))
        return None if x is None else cls(x, y, weight)

    def take(self, rows: Any) -> Raw:
        """Return the rows at these positions, as fresh arrays."""
        return Raw(*(_take(values, rows) for values in (self.x, self.y, self.weight)))

    def joined(self, other: Raw) -> Raw:
        """Return these rows followed by others."""
        return Raw(*(_join(a, b) for a, b in zip(self.parts, other.parts, strict=True)))

    def arrays(self) -> dict[str, Any]:
        """Return plain arrays from which `of` makes these rows again."""
        made: dict[str, Any] = {}
        for name, values in zip(("x", "y", "weight"), self.parts, strict=True):
            made |= _arrays(name, values)
        return made

    @property
    def parts(self) -> tuple[Any, Any, Any]:
        """The rows, the targets and the weights."""
        return self.x, self.y, self.weight


def _copied(values: Any) -> Any:
    if hasattr(values, "tocsr"):
        return values.tocsr().copy()
    if hasattr(values, "iloc"):
        return values.copy()
    if isinstance(values, np.ndarray) or hasattr(values, "__array__"):
        return np.array(values)
    listed = list(values)
    text = bool(listed) and isinstance(listed[0], str)
    return listed if text else np.array(listed)


def _take(values: Any, rows: Any) -> Any:
    if values is None:
        return None
    if hasattr(values, "iloc"):
        return _without_emptied(values, values.iloc[np.flatnonzero(rows)].copy())
    if isinstance(values, list):
        return [values[int(row)] for row in np.flatnonzero(rows)]
    taken = values[rows]
    return tight(taken) if isinstance(taken, np.ndarray) else taken


def _of_like_categories(a: Any, b: Any) -> list[Any]:
    """Return both with the categories of both, where both have any; else pandas drops the type."""
    if a.ndim == 1 or a.shape[1] != b.shape[1]:
        return [a, b]
    a, b = a.copy(), b.copy()
    for at, kinds in enumerate(zip(a.dtypes, b.dtypes, strict=True)):
        if [str(kind) for kind in kinds] == ["category"] * 2:
            new = kinds[1].categories.difference(kinds[0].categories, sort=False)
            every = kinds[0].categories.append(new)
            for part in (a, b):
                part.isetitem(at, part.iloc[:, at].cat.set_categories(every))
    return [a, b]


def _without_emptied(before: Any, after: Any) -> Any:
    """Return a frame or series without the categories whose last row has gone: they name it."""
    if after.ndim == 1:
        if str(after.dtype) != "category":
            return after
        had, has = before.cat.codes.unique(), after.cat.codes.unique()
        gone = np.setdiff1d(had[had >= 0], has)
        return after.cat.remove_categories(after.cat.categories[gone])
    for at in np.flatnonzero([str(kind) == "category" for kind in after.dtypes]).tolist():
        after.isetitem(at, _without_emptied(before.iloc[:, at], after.iloc[:, at]))
    return after


def together(columns: Sequence[Any]) -> Any:
    """Return the rows of several inputs as one: arrays, sparse matrices, or data frames.

    >>> together([np.eye(2), np.zeros((1, 2))]).shape
    (3, 2)
    """
    if any(hasattr(c, "tocsr") for c in columns):
        return vstack(columns).tocsr()
    if all(hasattr(c, "iloc") for c in columns):
        return reduce(_join, columns)
    return np.concatenate([np.asarray(c) for c in columns])


def _join(a: Any, b: Any) -> Any:
    if a is None and b is None:
        return None
    if a is None or b is None:
        raise BadInput("new rows and those in the pipeline must both have (or lack) y and weights")
    if hasattr(a, "tocsr"):
        return vstack([a, b]).tocsr()
    if hasattr(a, "iloc"):
        from pandas import concat  # type: ignore[import-untyped,unused-ignore]

        return concat(_of_like_categories(a, b))
    if isinstance(a, list):
        return [*a, *b]
    return np.concatenate([a, b])


def _arrays(name: str, values: Any) -> Mapping[str, Any]:
    if values is None:
        return {}
    if hasattr(values, "tocsr"):
        parts = {"data": values.data, "indices": values.indices, "indptr": values.indptr}
        shape = np.array(values.shape)
        return {f"{name}.{part}": array for part, array in {**parts, "shape": shape}.items()}
    if isinstance(values, list):
        return {f"{name}.text": np.array(values)}
    if hasattr(values, "iloc") and values.ndim == 2:
        return _frame_arrays(name, values)
    mixed = not isinstance(values, np.ndarray) or values.dtype.hasobject
    if mixed and hasattr(values, "ravel") and all(isinstance(v, str) for v in values.ravel()):
        return {f"{name}.strings": values.astype(str)}
    if mixed:
        raise BadInput(
            f"the pipeline holds {name} as {type(values).__name__} of mixed values and cannot be "
            "saved; fit it on a numeric array, a sparse matrix or a list of strings"
        )
    return {name: values}


def _frame_arrays(name: str, frame: Any) -> Mapping[str, Any]:
    """Return the names and types of a data frame's columns, and one array a type."""
    for column, kind in zip(frame.columns, frame.dtypes, strict=True):
        if not isinstance(kind, np.dtype) or kind.kind not in "biuf":
            raise BadInput(
                f"the pipeline holds a data frame whose column {column!r} is of type {kind} and "
                "cannot be saved; fit it on numeric columns, an array or a list of strings"
            )
    columns = list(frame.columns)
    if len({type(column) for column in columns}) > 1 or not isinstance(columns[0], (str, int)):
        raise BadInput(
            "the pipeline holds a data frame whose column names are not all strings (or all whole "
            "numbers) and cannot be saved; rename them"
        )
    kinds = np.array([str(kind) for kind in frame.dtypes])
    arrays: dict[str, Any] = {f"{name}.columns": np.array(columns), f"{name}.types": kinds}
    for kind in np.unique(kinds):
        arrays[f"{name}.of-{kind}"] = frame.loc[:, kinds == kind].to_numpy()
    return arrays


def _frame(name: str, arrays: Mapping[str, Any]) -> Any:
    try:
        from pandas import DataFrame  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise BadInput(
            "this pipeline was fitted on a data frame; to load it, install pandas"
        ) from error
    kinds = arrays[f"{name}.types"]
    parts: dict[int, Any] = {}
    for kind in np.unique(kinds):
        at = np.flatnonzero(kinds == kind)
        parts |= dict(zip(at.tolist(), arrays[f"{name}.of-{kind}"].T, strict=True))
    frame = DataFrame({at: parts[at] for at in range(len(kinds))})
    frame.columns = arrays[f"{name}.columns"].tolist()
    return frame


def _array(name: str, arrays: Mapping[str, Any]) -> Any:
    if name in arrays:
        return arrays[name]
    if f"{name}.columns" in arrays:
        return _frame(name, arrays)
    if f"{name}.text" in arrays:
        return arrays[f"{name}.text"].tolist()
    if f"{name}.strings" in arrays:
        return arrays[f"{name}.strings"].astype(object)
    if f"{name}.data" in arrays:
        parts = [arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr")]
        matrix = csr_matrix(tuple(parts), shape=tuple(arrays[f"{name}.shape"]))
        matrix.check_format()
        return matrix
    return None


@contextmanager
def step_refusals() -> Iterator[None]:
    """Say as ours what other people's steps refuse: rows of another width, what is not finite."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, UnteachError):
            raise
        raise BadInput(f"a step of the pipeline refuses this: {error}") from error
