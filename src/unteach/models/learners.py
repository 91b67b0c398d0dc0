"""Learners: any scikit-learn estimator as a recipe that gives the same model for the same seed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from unteach.core import BadInput, Learner, OneClassLeft, Records, derive


@dataclass(frozen=True, eq=False)
class EstimatorLearner:
    """A recipe from an estimator: clone it, seed it, fit it.

    Every parameter named `random_state`, also of nested estimators, is set to a seed of its own
    derived from the given one; ids are handed on to estimators whose `fit` takes `sample_ids`.
    The model's attribute `learner_` names the recipe.

    Parameters
    ----------
    estimator : a scikit-learn estimator; it is cloned and never fitted itself

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from unteach.core import Rows
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> EstimatorLearner(DecisionTreeClassifier()).learn(rows, seed=0).predict(np.eye(4))
    array([0, 1, 0, 1])
    """

    estimator: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "estimator", clone(self.estimator))

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return the fitted estimator; records that it cannot learn from are refused by name."""
        check_learnable(self.estimator, records)
        model = clone(self.estimator)
        derive(seed, "learn")  # refuses what is no seed, also where nothing is drawn
        seeds = {
            name: derive(seed, name)
            for name in sorted(model.get_params(deep=True))
            if name == "random_state" or name.endswith("__random_state")
        }
        if seeds:
            model.set_params(**seeds)
        given = {"sample_ids": records.ids} if has_fit_parameter(model, "sample_ids") else {}
        try:
            model.fit(records.x, records.y, **given)
        except BadInput:
            raise
        except ValueError as error:
            what = type(model).__name__
            raise BadInput(f"{what} cannot learn from these records: {error}") from error
        model.learner_ = self
        return model


def as_learner(what: Any) -> Learner:
    """Return a learner: what has `learn` as it is, a scikit-learn estimator wrapped in one.

    >>> as_learner(3)
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: cannot learn with int: give a scikit-learn estimator, or an
    object with learn(records, *, seed)
    """
    if isinstance(what, type):
        raise BadInput(f"{what.__name__} is a class; give an instance: {what.__name__}()")
    if callable(getattr(what, "learn", None)):
        learner: Learner = what
        return learner
    if isinstance(what, BaseEstimator) or (hasattr(what, "get_params") and hasattr(what, "fit")):
        return EstimatorLearner(what)
    if callable(getattr(what, "prepare", None)):
        raise BadInput(
            f"{type(what).__name__} is a method; learn with {type(what).__name__}(...)"
            ".prepare(learner)"
        )
    raise BadInput(
        f"cannot learn with {type(what).__name__}: give a scikit-learn estimator, or an object "
        "with learn(records, *, seed)"
    )


def learn(what: Any, records: Records, *, seed: int = 0) -> Any:
    """Return a model of the records, learned by an estimator or a learner.

    >>> from unteach.core import Rows
    >>> from unteach.models import Ridge
    >>> rows = Rows(np.array([7, 8]), {"x": np.array([[0.0], [1.0]]), "y": np.array([0.0, 2.0])})
    >>> learn(Ridge(alpha=0.0), rows).coef_
    array([2.])
    """
    learner = as_learner(what)
    model = learner.learn(records, seed=seed)
    if getattr(model, "learner_", None) is None:
        with contextlib.suppress(AttributeError):  # a frozen model names no learner
            model.learner_ = learner  # type: ignore[attr-defined]
    return model


def learner_of(model: Any) -> Learner:
    """Return the learner that made a model, or one that would make its like."""
    learner = getattr(model, "learner_", None)
    if learner is not None:
        made: Learner = learner
        return made
    if hasattr(model, "get_params") and hasattr(model, "fit"):
        return EstimatorLearner(model)
    raise BadInput(
        f"nothing says how this {type(model).__name__} was learned; learn it with "
        "unteach.learn, or set its attribute learner_"
    )


def check_learnable(estimator: Any, records: Records) -> None:
    """Refuse records that the estimator cannot learn from, and name the record at fault.

    Checked are: some records at all; x with one row a record, finite unless the estimator takes
    NaN; y finite, of labels for a classifier (of at least two classes), of numbers for a
    regression.
    """
    if not all(hasattr(records, name) for name in ("ids", "x", "y")):
        raise BadInput(
            f"records are rows with ids, got {type(records).__name__}; hand in "
            "unteach.data.rows(X, y)"
        )
    x, y, ids = records.x, records.y, records.ids
    if len(ids) == 0:
        raise BadInput("there are no records to learn from")
    for name, values in (("x", x), ("y", y)):
        n = values.shape[0] if hasattr(values, "shape") and values.ndim else len(values)
        if n != len(ids):
            raise BadInput(f"{name} has {n} entries for {len(ids)} ids")
    allow_nan = bool(get_tags(estimator).input_tags.allow_nan)
    if isinstance(x, np.ndarray):
        if x.ndim == 1 and x.dtype.kind in "fiub":
            raise BadInput(f"x has shape {x.shape}; give one row a record: x.reshape(-1, 1)")
        _refuse_not_finite(x, ids, "x", allow_nan)
    targets = np.asarray(y)
    _refuse_not_finite(targets, ids, "y", allow_nan=False)
    if is_classifier(estimator):
        if targets.dtype.kind == "f" and not np.all(targets == np.round(targets)):
            at = int(np.flatnonzero(targets != np.round(targets))[0])
            raise BadInput(
                f"y holds {targets.ravel()[at]!r}, and {type(estimator).__name__} is a classifier: "
                "give labels (whole numbers or strings)"
            )
        if targets.ndim == 1 and len(np.unique(targets)) < 2:
            raise OneClassLeft(
                f"y holds only one class ({np.unique(targets).tolist()[0]!r}); a classifier needs "
                "records of at least two classes"
            )
    elif is_regressor(estimator) and targets.dtype.kind not in "fiub":
        raise BadInput(
            f"y holds {targets.dtype}, and {type(estimator).__name__} is a regression: give numbers"
        )


def _refuse_not_finite(values: Any, ids: Any, name: str, allow_nan: bool) -> None:
    if values.dtype.kind == "c":
        raise BadInput(f"{name} holds complex numbers; give real ones")
    if values.dtype.kind != "f":
        return
    bad = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if bad.any():
        where = np.argwhere(bad)[0]
        column = f", column {', '.join(str(int(i)) for i in where[1:])}" if len(where) > 1 else ""
        raise BadInput(
            f"{name} holds {values[tuple(where)]} for the record with id "
            f"{ids[where[0]].item()!r}{column}; remove or fill it first"
        )
