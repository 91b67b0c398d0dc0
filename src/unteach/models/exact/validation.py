"""What comes into a model is checked once, and a refusal says where the fault lies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from unteach.core import BadInput, OneClassLeft, densified

Floats = NDArray[np.float64]


def place_of_fault(x: Any) -> str:
    """Return where the first NaN or infinity stands, as words to end an error with.

    >>> place_of_fault(np.array([[1.0, 2.0], [3.0, np.nan]]))
    ' (the first is nan, in row 1, column 1)'
    """
    values = np.asarray(x)
    if values.dtype.kind != "f" or values.ndim not in (1, 2):
        return ""
    bad = np.argwhere(~np.isfinite(values))
    if not len(bad):
        return ""
    where = ", column ".join(str(int(i)) for i in bad[0])
    return f" (the first is {values[tuple(bad[0])]}, in row {where})"


def read_rows(
    model: Any, X: Any, y: Any, weight: Any, *, first: bool
) -> tuple[Floats, NDArray[Any], Floats]:
    """Return X (n, d) float64, y, and weights (n,) float64 as arrays of the model's own.

    `first` is true when the model's number and names of features are to be set by these rows.
    Raises `BadInput` for NaN, infinities, wrong shapes, targets of the wrong kind and weights
    that are negative or all zero.
    """
    classifying = is_classifier(model)
    X, y = densified(X), densified(y, "y")
    shape = getattr(y, "shape", ())
    if classifying and len(shape) > 1 and shape[1:] != (1,):
        raise BadInput(
            f"y has shape {shape}, and {type(model).__name__} learns one label a record: "
            "learn a model for each column of y"
        )
    try:
        # numbers in y are wanted by a regression alone; a classifier takes any label
        x, y = validate_data(
            model,
            X,
            y,
            reset=first,
            dtype=np.float64,
            order="C",
            multi_output=not classifying,
            y_numeric=not classifying,
        )
        if classifying:
            y = _labels(column_or_1d(y, warn=True))
            check_classification_targets(y)
        else:
            y = y.astype(np.float64)
    except ValueError as error:
        raise BadInput(f"{error}{place_of_fault(X)}") from error
    weights = read_weight(weight, len(x), some=first)
    if classifying and first and len(np.unique(y[weights > 0])) < 2:
        raise OneClassLeft(
            f"y holds only one class ({np.unique(y[weights > 0])[0].item()!r}); a classifier needs "
            "records of at least two classes"
        )
    return np.array(x, order="C"), np.array(y), weights


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    """Return strings as strings; refuse a mixture of them with anything else."""
    text = {isinstance(v, str) for v in y} if y.dtype.kind == "O" else {False}
    if len(text) > 1:
        raise BadInput("y is a mixture of strings and other things; give one kind of label")
    return y.astype(str) if True in text else y


def read_weight(weight: Any, n: int, *, some: bool = True) -> Floats:
    """Return one weight for each of n rows; ones if none are given.

    `some` is true when one of them must be above zero: for the first rows of a model.
    """
    if weight is None:
        return np.ones(n)
    weights = np.array(weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.shape != (n,):
        raise BadInput(f"sample_weight has shape {weights.shape}; give one weight for {n} rows")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise BadInput("sample_weight holds NaN, an infinity or a negative number")
    if some and not weights.any():
        raise BadInput("every sample_weight is zero; some weight must be above zero")
    return weights


def read_queries(model: Any, X: Any) -> Floats:
    """Return rows to predict as (m, d) float64, checked against what the model was fitted on."""
    check_is_fitted(model)
    X = densified(X)
    try:
        x: Floats = validate_data(model, X, reset=False, dtype=np.float64, order="C")
    except ValueError as error:
        raise BadInput(f"{error}{place_of_fault(X)}") from error
    return x


def positive(model: Any, name: str, *, zero: bool = False) -> float:
    """Return a parameter that must be a number above zero (or at least zero)."""
    value = getattr(model, name)
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        what = "at least 0" if zero else "above 0"
        raise BadInput(f"{name} must be a number {what}, got {value!r}")
    return float(value)


def whole(model: Any, name: str) -> int:
    """Return a parameter that must be a whole number of at least 0."""
    value = getattr(model, name)
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
        raise BadInput(f"{name} must be a whole number of at least 0, got {value!r}")
    return int(value)
