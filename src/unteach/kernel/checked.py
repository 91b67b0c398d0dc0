"""Input as it comes, turned into arrays of our own or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from unteach.core import BadInput, Ids, RepeatedRecord, as_ids, first_repeated

from .gram import symmetric
from .kernels import Kernel

Array = NDArray[Any]


def _validated(estimator: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return validate_data(
            estimator, *args, dtype=np.float64, order="C", ensure_all_finite=False, **kwargs
        )
    except ValueError as error:
        raise BadInput(str(error)) from error


def _finite(x: NDArray[np.float64]) -> NDArray[np.float64]:
    good = np.isfinite(x)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        what = "NaN" if np.isnan(x[row, column]) else "infinity (inf)"
        raise BadInput(
            f"X holds {what} in row {row}, column {column}; X must hold neither NaN nor inf. "
            "Drop the row or fill it in"
        )
    return np.array(x, dtype=np.float64, order="C", copy=True)


def rows(estimator: Any, x: Any) -> NDArray[np.float64]:
    """Return the rows to predict, (m, d), in a fresh array."""
    return _finite(_validated(estimator, x, reset=False))


def rows_and_labels(
    estimator: Any, x: Any, y: Any, *, reset: bool
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return rows (n, d) and labels (n,) to learn from, in fresh arrays."""
    x, y = _validated(estimator, x, y, reset=reset)
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return _finite(x), np.array(y)


def rows_and_numbers(
    estimator: Any, x: Any, y: Any, *, reset: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows (n, d) and finite targets (n,) to learn from, in fresh arrays."""
    x, y = _validated(estimator, x, y, reset=reset, y_numeric=True)
    return _finite(x), np.array(y, dtype=np.float64)


def rows_alone(estimator: Any, x: Any, *, reset: bool) -> NDArray[np.float64]:
    """Return rows (n, d) to learn from without targets, in a fresh array."""
    return _finite(_validated(estimator, x, reset=reset))


def new_rows(
    estimator: Any, kernel: Kernel, held: NDArray[np.float64], x: Any, y: Any
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return new rows (m, d), their kernel with the n held (m, n) and with one another, labels.

    With a precomputed kernel x is (m, n + m) and there are no rows: (m, 0).
    """
    if kernel.name != "precomputed":
        fresh, labels = rows_and_labels(estimator, x, y, reset=False)
        return fresh, kernel.between(fresh, held), kernel.gram(fresh), labels
    values, labels = rows_and_labels(BaseEstimator(), x, y, reset=True)
    n, m = len(held), len(values)
    if values.shape[1] != n + m:
        raise BadInput(
            f"{m} new rows of a precomputed kernel need {n} + {m} columns, got {values.shape[1]}"
        )
    return np.empty((m, 0)), values[:, :n], symmetric(values[:, n:]), labels


def weights(given: Any, n: int) -> NDArray[np.float64]:
    """Return one weight a row: (n,), at least 0; not all of them 0.

    >>> weights(None, 2)
    array([1., 1.])
    """
    if given is None:
        return np.ones(n)
    try:
        out = np.array(given, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise BadInput(f"sample_weight must hold numbers: {error}") from error
    if out.ndim == 0:
        out = np.full(n, float(out))
    if out.ndim != 1:
        raise BadInput(f"Sample weights must be 1D array or scalar, got shape {out.shape}")
    if len(out) != n:
        raise BadInput(f"sample_weight has {len(out)} entries for {n} rows")
    if not np.isfinite(out).all() or (out < 0).any():
        raise BadInput("sample_weight must be finite and at least 0")
    if not out.any():
        raise BadInput("all sample weights are zero; at least one row of each class must count")
    return out


def classes_and_codes(
    labels: NDArray[Any], used: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes of the rows that are used, sorted, and the number of each row's class.

    A row whose label no used row has gets -1.

    >>> classes_and_codes(np.array(["b", "a", "c"]), np.array([True, True, False]))
    (array(['a', 'b'], dtype='<U1'), array([ 1,  0, -1]))
    """
    try:
        classes = np.unique(labels[used])
    except TypeError as error:
        raise BadInput(f"labels must be of one kind: {error}") from error
    return classes, codes_among(classes, labels)


def codes_among(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each label stands among sorted classes; -1 where it does not.

    >>> codes_among(np.array([2, 5]), np.array([5, 3, 2]))
    array([ 1, -1,  0])
    """
    at = np.minimum(np.searchsorted(classes, labels), max(len(classes) - 1, 0))
    return np.where(classes[at] == labels, at, -1).astype(np.int64)


def joined_ids(held: Ids, given: Any, m: int, following: int) -> Ids:
    """Return the ids held and those of m new rows: given, or numbers from `following` on.

    >>> joined_ids(np.array([4, 7]), None, 2, 9)
    array([ 4,  7,  9, 10])
    """
    if given is None:
        if held.dtype.kind != "i":
            raise BadInput("the rows held have strings as ids; give sample_ids for new ones")
        return np.append(held, following + np.arange(m))
    new = as_ids(given, what="sample_ids")
    if len(new) != m:
        raise BadInput(f"sample_ids has {len(new)} entries for {m} rows")
    if new.dtype.kind != held.dtype.kind:
        raise BadInput(f"sample_ids are {new.dtype}, those held {held.dtype}; give one kind")
    twice = first_repeated(new)
    if twice is not None:
        raise BadInput(f"sample_ids names {twice!r} twice; ids must be unique")
    both = np.intersect1d(held, new)
    if len(both):
        raise RepeatedRecord(f"id {both[0].item()!r} is held already; forget it first")
    return np.concatenate([held, new])
