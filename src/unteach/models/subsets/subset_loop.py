"""Any learner on many subsets, one after another: the plain form that the fast ones equal."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Learner, Rows, UnteachError

from ..outputs import _class_values as class_values
from ..outputs import classifies, scores

OutputKind = Literal["logits", "scores"]
LEAST = 1e-12  # probabilities are taken to be at least this


def subset_loop(
    learner: Learner,
    x: Any,
    y: NDArray[Any],
    members: NDArray[np.bool_],
    seeds: NDArray[np.uint64],
    at: Any,
) -> tuple[NDArray[np.float32], OutputKind]:
    """Return the outputs of one model a subset, (m, q, k) float32, and what they are.

    Logarithms of probabilities ("logits") where the models give probabilities, else decision
    values ("scores"), else 1 for the answer and 0 for the others ("scores"). A class that a
    subset lacks gets the logarithm of 1e-12, or one less than the least of that row.

    Parameters
    ----------
    x : (n, d) · y : (n,) class codes 0 to k - 1 · members : (m, n) bool · seeds : (m,) uint64
    at : (q, d)

    >>> from unteach.models import Neighbours, as_learner
    >>> x, y = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 0])
    >>> found, kind = subset_loop(as_learner(Neighbours(1)), x, y, np.ones((1, 3), bool),
    ...                           np.zeros(1, np.uint64), x)
    >>> found[0].argmax(axis=1), kind
    (array([0, 1, 0]), 'logits')
    """
    classes = int(y.max()) + 1
    out = np.empty((len(members), len(at), classes), dtype=np.float32)
    kind: OutputKind = "scores"
    with _each_once():
        for m, mask in enumerate(members):
            rows = np.flatnonzero(mask)
            records = Rows(rows, {"x": x[rows], "y": y[rows]})
            try:
                model = learner.learn(records, seed=int(seeds[m]))
            except UnteachError as error:
                raise type(error)(f"a subset of {len(rows)} records: {error}") from error
            out[m], kind = class_outputs(model, at, classes)
    return out, kind


@contextmanager
def _each_once() -> Iterator[None]:
    """Let through each warning once, at the end, as the user's filters have it."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    for kind, text in dict.fromkeys((w.category, str(w.message)) for w in caught):
        warnings.warn(text, kind, stacklevel=4)


def class_outputs(model: Any, at: Any, classes: int) -> tuple[NDArray[np.float32], OutputKind]:
    """Return what a model says of each class code 0 to k - 1: (q, k) float32, and what it is."""
    if not classifies(model):
        raise BadInput(
            f"{type(model).__name__} answers with numbers; memorization is of classes: give a "
            "classifier"
        )
    if not hasattr(model, "classes_"):
        raise BadInput(f"this {type(model).__name__} does not say which classes it knows: classes_")
    known = np.asarray(model.classes_).astype(np.int64)
    kind: OutputKind = "scores"
    if hasattr(model, "predict_proba"):
        share = np.asarray(model.predict_proba(at), dtype=np.float64)
        values, kind = np.log(np.clip(share, LEAST, None)), "logits"
        lacking = np.full((len(values), 1), np.log(LEAST))
    else:
        values = (
            class_values(model, at) if hasattr(model, "decision_function") else scores(model, at)
        )
        lacking = values.min(axis=1, keepdims=True) - 1.0
    out = np.broadcast_to(lacking, (len(values), classes)).astype(np.float32)
    out[:, known] = values
    return out, kind
