"""Input as it comes, turned into arrays of our own or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from unteach.core import BadInput, Ids, RepeatedRecord, as_ids, first_repeated, unmasked

from .._machine.gram import symmetric
from ..kernels import Kernel

Array = NDArray[Any]


class NotFitted(BadInput, NotFittedError):
    """A machine that has learned nothing yet; scikit-learn's `NotFittedError` too."""


class SparseKernel(BadInput, TypeError):
    """A precomputed kernel that is sparse, as scikit-learn refuses it."""


DENSE = 4e9
"""Bytes that sparse rows may take once they are held dense."""


def fitted(estimator: Any) -> None:
    """Refuse an estimator that is not fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise NotFitted(str(error)) from error


def rows_held(estimator: Any) -> None:
    """Refuse an estimator that is not fitted, where rows are asked for."""
    if not hasattr(estimator, "sample_ids_"):
        fitted(estimator)


def _validated(estimator: Any, x: Any, *y: Any, reset: bool, **kwargs: Any) -> Any:
    """Return fresh rows (n, d), and y where it is given; the estimator notes what kind they are.

    `_input` is "dense", "sparse", or "objects": rows for a kernel that is a function, which are
    no table of numbers.
    """
    kernel = getattr(estimator, "kernel", None)
    objects = _objects(x) if callable(kernel) else None
    if objects is not None:
        column = _validated(BaseEstimator(), np.zeros((len(objects), 1)), *y, reset=True, **kwargs)
        out = (objects, column[1]) if y else objects
    else:
        out = _numbers(estimator, x, *y, reset=reset, **kwargs)
    given = "dense" if objects is None else "objects"
    if sparse.issparse(x) and not callable(kernel):
        given = "sparse"
    if reset:
        estimator._input = given
    elif (getattr(estimator, "_input", "dense") == "objects") != (given == "objects"):
        raise BadInput("X must hold rows of the kind that the model was fitted on")
    return out


def _numbers(estimator: Any, x: Any, *y: Any, reset: bool, **kwargs: Any) -> Any:
    unmasked(x, "X")
    if sparse.issparse(x):
        _refuse_sparse(estimator, x, reset)
    try:
        out = validate_data(
            estimator,
            x,
            *y,
            reset=reset,
            dtype=np.float64,
            order="C",
            accept_sparse="csr",
            ensure_all_finite=False,
            **kwargs,
        )
        rows = out[0] if y else out
        if sparse.issparse(rows):
            rows.check_format(full_check=True)
            rows = rows.toarray()
    except ValueError as error:
        raise BadInput(str(error)) from error
    return (_finite(rows), out[1]) if y else _finite(rows)


def _refuse_sparse(estimator: Any, x: Any, reset: bool) -> None:
    kernel, name = getattr(estimator, "kernel", None), type(estimator).__name__
    if kernel == "precomputed":
        raise SparseKernel("Sparse precomputed kernels are not supported; call X.toarray()")
    if not (reset or callable(kernel) or getattr(estimator, "_input", "dense") == "sparse"):
        raise BadInput(
            f"cannot use sparse input in {name!r} trained on dense data; call X.toarray()"
        )
    size = 8.0 * x.shape[0] * x.shape[-1]
    if size > DENSE:
        raise BadInput(
            f"sparse rows are held dense here, and these {x.shape} would take {size / 1e9:.1f} GB "
            f"(at most {DENSE / 1e9:g}); reduce the features first, say by TruncatedSVD"
        )


def _objects(x: Any) -> Array | None:
    """Return rows that are no table of numbers, one entry each, as they are; None if they are one.

    >>> _objects([[1.0, 2.0]]) is None, _objects(["a b", "c"])
    (True, array(['a b', 'c'], dtype=object))
    """
    if sparse.issparse(x):
        return None
    try:
        table = np.asarray(x)
        if table.ndim == 2:
            table.astype(np.float64)
            return None
    except (ValueError, TypeError):  # rows of unequal length, or of no numbers
        pass
    if isinstance(x, (str, bytes)) or not hasattr(x, "__len__") or not len(x):
        raise BadInput(f"X must be a sequence of at least one row, got {x!r}")
    whole = x.to_numpy() if hasattr(x, "iloc") else x
    out = np.empty(len(whole), dtype=object)
    for i, row in enumerate(whole):
        out[i] = row
    return out


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


def rows(estimator: Any, x: Any) -> Array:
    """Return the rows to predict, (m, d), in a fresh array."""
    found: Array = _validated(estimator, x, reset=False)
    return found


def rows_and_labels(estimator: Any, x: Any, y: Any, *, reset: bool) -> tuple[Array, NDArray[Any]]:
    """Return rows (n, d) and labels (n,) to learn from, in fresh arrays."""
    x, y = _validated(estimator, x, y, reset=reset)
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return x, np.array(y)


def rows_and_numbers(
    estimator: Any, x: Any, y: Any, *, reset: bool
) -> tuple[Array, NDArray[np.float64]]:
    """Return rows (n, d) and finite targets (n,) to learn from, in fresh arrays."""
    x, y = _validated(estimator, x, y, reset=reset, y_numeric=True)
    return x, np.array(y, dtype=np.float64)


def rows_alone(estimator: Any, x: Any, *, reset: bool) -> Array:
    """Return rows (n, d) to learn from without targets, in a fresh array."""
    found: Array = _validated(estimator, x, reset=reset)
    return found


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


def weights(given: Any, n: int, *, some: bool = True) -> NDArray[np.float64]:
    """Return one weight a row: (n,), at least 0; not all of them 0 where `some` must count.

    A weight below 0 is taken as 0, as scikit-learn takes it.

    >>> weights(None, 2), weights([-1.0, 2.0], 2)
    (array([1., 1.]), array([0., 2.]))
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
    if not np.isfinite(out).all():
        raise BadInput("sample_weight must be finite")
    if some and not (out > 0).any():
        raise BadInput(
            "Invalid input - all samples have zero or negative weights. At least one row (of each "
            "class) must count"
        )
    return np.maximum(out, 0.0)


def two_classes(labels: Array, weights: NDArray[np.float64]) -> tuple[Array, NDArray[np.int64]]:
    """Return classes and codes of rows to fit a classifier to, of which there must be two."""
    classes, codes = classes_and_codes(labels, weights > 0)
    if len(classes) < 2:
        raise BadInput(
            "Invalid input - all samples with positive weights belong to the same class: they "
            f"are of one class, {classes.tolist()}, and a classifier needs at least two"
        )
    return classes, codes


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
    if len(classes) == 0:
        return np.full(len(labels), -1)
    at = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
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
