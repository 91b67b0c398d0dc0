"""Whether records and a module suit each other, asked before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, OneClassLeft, Records


def check_trainable(records: Records, loss: str) -> None:
    """Refuse records that a network cannot learn from, and name the record at fault.

    >>> from unteach.core import Rows
    >>> check_trainable(Rows([7], {"x": np.array([[np.nan]]), "y": np.array([1])}), "squared")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: x of the record with id 7 is not finite
    """
    if len(records) == 0:
        raise BadInput("there are no records to learn from")
    x, y = records.x, np.asarray(records.y)
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
        if len(bad):
            raise BadInput(f"x of the record with id {records.ids[bad[0]].item()!r} is not finite")
    if loss == "cross_entropy":
        if y.ndim != 1:
            raise BadInput(f"y has shape {y.shape}; give one label a record, or loss='squared'")
        if y.dtype.kind == "f":
            raise BadInput("y holds fractions; give labels, or loss='squared'")
        if len(np.unique(y)) < 2:
            only = y.tolist()[0]
            raise OneClassLeft(f"y holds only one class ({only!r}); a classifier needs two")
    elif y.dtype.kind not in "fiub" or not np.isfinite(y.astype(np.float64)).all():
        raise BadInput("y must hold finite numbers for loss='squared'")


def check_numbers(model: Any, records: Records) -> None:
    """Refuse a module that gives another count of numbers than the records' targets hold."""
    wanted = int(np.prod(np.asarray(records.y).shape[1:]))
    found = model.width(records.take(np.arange(1)).x)
    if found != wanted:
        raise BadInput(f"the module gives {found} numbers for targets of {wanted}; make them equal")


def keeping_classes(learner: Any, records: Any, rest: Any, *, always: bool = False) -> Any:
    """Return the recipe by which a class keeps its output when its last record is forgotten.

    rest : the records without those; of the others only the labels are read. Recipes that keep
    classes of themselves stay as they are, and all where none goes, unless `always` is said.
    """
    knowing = getattr(learner, "knowing", None)
    if knowing is None or not hasattr(records, "ids") or learner.task != "classification":
        return learner
    every, left = (np.unique(np.asarray(part.y)) for part in (records, rest))
    return knowing(every, rest) if always or len(left) < len(every) else learner


def labels_for(model: Any, records: Records | None, given: NDArray[Any] | None) -> NDArray[Any]:
    """Return the label of each output of a model's module: (k,).

    Those given; else 0 to k - 1 where the records' labels are such whole numbers, so that a
    class without records keeps its output; else the sorted labels, of which there must be k.
    """
    if records is None:
        if given is None:
            raise BadInput("give classes= (the label of each output), or records=")
        return given
    width = model.width(records.take(np.arange(1)).x)
    labels = np.unique(np.asarray(records.y)) if given is None else given
    whole = labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() < width
    if given is None and whole:
        return np.arange(width)
    if len(labels) != width:
        raise BadInput(
            f"the module has {width} outputs for {len(labels)} classes; make them equal, or "
            "give classes= (the label of each output)"
        )
    return labels
