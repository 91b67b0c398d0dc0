"""What a model says, in one form for all models: scores, margins, parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from unteach.core import BadInput

Floats = NDArray[np.float64]

_NUMBERS: tuple[tuple[str, ...], ...] = (
    ("coef_", "intercept_"),
    ("coefs_", "intercepts_"),
    ("theta_", "var_", "class_prior_"),
    ("mean_", "scale_"),
)
_SURE = 1e-12  # probabilities are taken to lie in [1e-12, 1 - 1e-12]
_UNSEEN = 1e-13  # the probability of a label that the model has never seen


def classifies(model: Any) -> bool:
    """Say whether a model answers with classes rather than with numbers.

    >>> from sklearn.linear_model import LogisticRegression, LinearRegression
    >>> classifies(LogisticRegression()), classifies(LinearRegression())
    (True, False)
    """
    if hasattr(model, "__sklearn_tags__"):
        return bool(is_classifier(model))
    if continues(model):
        return False
    return hasattr(model, "classes_") or hasattr(model, "predict_proba")


def continues(model: Any) -> bool:
    """Say whether a model goes on with sequences: its answers are tokens."""
    return getattr(model, "loss", "") == "next_token"


def scores(model: Any, x: Any) -> Floats:
    """Return the numbers behind the predictions: (n, k) float64.

    A classifier's decision values, (n, 1) for two classes; where it has none its probabilities;
    where it has neither, 1 for the class it answers and 0 for the others. A regression's
    predictions, (n, t). Of sequences how likely each is, token by token: (n, 1), in nats.
    """
    if continues(model):
        return _columns(model.likelihoods(x, x))
    if not classifies(model):
        return _columns(model.predict(x))
    one_label(model)
    if hasattr(model, "decision_function"):
        return _columns(model.decision_function(x))
    if hasattr(model, "predict_proba"):
        return _columns(model.predict_proba(x))
    answers = np.asarray(model.predict(x))
    chosen: Floats = (answers[:, None] == _classes(model)[None, :]).astype(np.float64)
    return chosen


def margins(model: Any, x: Any, y: Any) -> Floats:
    """Return how strongly the model holds each stated target: (n,) float64, larger is stronger.

    - with decision values f: y f for two classes (y being -1 or +1), else the value of the
      class y less the largest of the others
    - with probabilities: the log-odds of p_y, taken to lie in [1e-12, 1 - 1e-12]
    - with neither: +1 where the answer is y, else -1
    - a regression: minus the distance between y and the prediction
    - of sequences: how likely the tokens to be predicted are, minus the loss

    A label that the model has never seen has a margin that is finite and lower than that of
    every seen label on that row: with decision values 1 below the least they allow, with
    probabilities the log-odds of 1e-13, with neither -2.

    Examples
    --------
    >>> from unteach.models import NaiveBayes
    >>> model = NaiveBayes().fit([[0.0], [1.0], [4.0], [5.0]], [0, 0, 1, 1])
    >>> margins(model, [[0.0], [0.0], [0.0]], [0, 1, 2])
    array([ 27.63, -27.63, -29.93])
    """
    if continues(model):
        held_: Floats = model.likelihoods(np.asarray(x), np.asarray(y))
        return held_
    if not classifies(model):
        gap = _columns(model.predict(x)) - _columns(y)
        return -np.sqrt(np.sum(gap**2, axis=1)) if gap.shape[1] > 1 else -np.abs(gap[:, 0])
    at = _positions(_classes(model), y)
    rows, seen = np.arange(len(at)), at >= 0
    if hasattr(model, "decision_function"):
        values = _class_values(model, x)  # (n, k)
        others = values.copy()
        others[rows[seen], at[seen]] = -np.inf
        held: Floats = np.where(seen, values[rows, at] - others.max(axis=1), 0.0)
        return np.where(seen, held, values.min(axis=1) - values.max(axis=1) - 1.0)
    if hasattr(model, "predict_proba"):
        p = np.clip(_columns(model.predict_proba(x))[rows, at], _SURE, 1 - _SURE)
        p = np.where(seen, p, _UNSEEN)
        odds: Floats = np.log(p) - np.log1p(-p)
        return odds
    right = np.asarray(model.predict(x)) == np.asarray(y)
    return np.where(seen, np.where(right, 1.0, -1.0), -2.0)


def parameters(model: Any) -> Floats | None:
    """Return the fitted numbers of a model in one row: (p,) float64, or None if it has none.

    What the model's own `parameters()` gives; else its coefficients and intercepts; else the
    means, variances and priors of naive Bayes; for a pipeline those of all its steps. Models
    whose parameters are rows or trees have none.

    >>> from unteach.models import Ridge
    >>> parameters(Ridge(alpha=0.0).fit([[0.0], [1.0]], [1.0, 3.0]))
    array([2., 1.])
    """
    own = getattr(model, "parameters", None)
    if callable(own):
        found = own()
        if isinstance(found, Iterator):  # a torch module's: tensors one by one
            tensors: list[Any] = [np.asarray(_host(p)).ravel() for p in found]
            return np.concatenate(tensors).astype(np.float64) if tensors else None
        return None if found is None else np.asarray(found, dtype=np.float64).ravel()
    if hasattr(model, "named_steps"):
        steps = [step for _, step in model.steps if hasattr(step, "get_params")]
        parts = [parameters(step) for step in steps]
        if not parts or parts[-1] is None:
            return None
        return np.concatenate([part for part in parts if part is not None])
    for names in _NUMBERS:
        if hasattr(model, names[0]):
            return np.concatenate([_flat(getattr(model, name, None)) for name in names])
    return None


def one_label(model: Any) -> None:
    """Refuse a classifier of several labels a record; its answers have no margin.

    >>> from sklearn.multioutput import MultiOutputClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> one_label(MultiOutputClassifier(GaussianNB()).fit(np.eye(2), np.eye(2)))
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: this MultiOutputClassifier gives 2 labels a record, and one label
    a record is compared: learn and audit a model for each label
    """
    classes = getattr(model, "classes_", None)
    if isinstance(classes, (list, tuple)) and any(np.ndim(c) for c in classes):
        raise BadInput(
            f"this {type(model).__name__} gives {len(classes)} labels a record, and one label a "
            "record is compared: learn and audit a model for each label"
        )


def _host(value: Any) -> Any:
    """Return a tensor's numbers in main memory; arrays as they are."""
    if not hasattr(value, "detach"):
        return value
    host = value.detach().cpu()
    return (host.view(host.real.dtype) if host.is_complex() else host).numpy()


def _flat(value: Any) -> Floats:
    if value is None:
        return np.zeros(0)
    if isinstance(value, list):
        return np.concatenate([_flat(part) for part in value])
    dense = value.toarray() if hasattr(value, "toarray") else value
    return np.asarray(dense, dtype=np.float64).ravel()


def _columns(values: Any) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(len(array), -1)


def _classes(model: Any) -> NDArray[Any]:
    if not hasattr(model, "classes_"):
        raise BadInput(f"this {type(model).__name__} does not say which classes it knows: classes_")
    one_label(model)
    return np.asarray(model.classes_)


def _positions(classes: NDArray[Any], y: Any) -> NDArray[np.int64]:
    """Return where each label stands among the classes, -1 where it does not."""
    if np.ndim(y) != 1:
        raise BadInput(f"y has shape {np.shape(y)}; margins are of one label a record: (n,)")
    place = {label: k for k, label in enumerate(classes.tolist())}
    return np.array([place.get(label, -1) for label in np.asarray(y).tolist()], dtype=np.int64)


def _class_values(model: Any, x: Any) -> Floats:
    """Return one decision value a class: (n, k)."""
    classes = _classes(model)
    values = _columns(model.decision_function(x))
    if len(classes) == 2 and values.shape[1] == 1:
        return np.hstack([-values, values]) / 2
    pairwise = getattr(model, "decision_function_shape", None) == "ovo" and len(classes) > 2
    if pairwise:  # read when it predicts: a shallow copy can be asked for one value a class
        values = _columns(
            copy.copy(model).set_params(decision_function_shape="ovr").decision_function(x)
        )
    if values.shape[1] != len(classes):
        raise BadInput(
            f"decision values come in {values.shape[1]} columns for {len(classes)} classes; "
            "margins need one a class"
        )
    return values
