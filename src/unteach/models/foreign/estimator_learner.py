"""Learners: any scikit-learn estimator as a recipe that gives the same model for the same seed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import has_fit_parameter

from unteach.core import BadInput, Ids, Learner, OneClassLeft, Records, derive, locate, tight

from .origin import note, origin_of
from .seeding import seed_all


@dataclass(frozen=True, eq=False)
class EstimatorLearner:
    """A recipe from an estimator: clone it, seed it, fit it.

    Whatever draws at random (each parameter `random_state`, also of nested estimators, and each
    splitter that shuffles) is set to a seed of its own derived from the given one; ids are handed
    on to estimators whose `fit` takes `sample_ids`. The model's attribute `learner_` names the
    recipe.

    Parameters
    ----------
    estimator : a scikit-learn estimator; it is cloned and never fitted itself
    fit_params : what `fit` is given besides x and y, by name. Of arrays with one entry for each
        of `ids` the records that are learned get theirs; all else is handed on as it is
    ids : (n,) of the records that the entries of `fit_params` belong to
    keep_seeds : whether a `random_state` that is a whole number stays

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from unteach.core import Rows
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> EstimatorLearner(DecisionTreeClassifier()).learn(rows, seed=0).predict(np.eye(4))
    array([0, 1, 0, 1])
    """

    estimator: Any
    fit_params: Mapping[str, Any] | None = None
    ids: Ids | None = None
    keep_seeds: bool = False

    def __post_init__(self) -> None:
        try:
            cloned = clone(self.estimator)
        except (AttributeError, TypeError, RuntimeError) as error:
            raise BadInput(
                f"this {type(self.estimator).__name__} cannot be cloned: {error}; was it written "
                "by another version of its library? Learn it again with this one"
            ) from error
        object.__setattr__(self, "estimator", cloned)

    def __repr__(self) -> str:
        more = "".join(f", {name}=..." for name in sorted(self.fit_params or {}))
        kept = ", keep_seeds=True" if self.keep_seeds else ""
        return f"EstimatorLearner(estimator={self.estimator!r}{more}{kept})"

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return the fitted estimator; records that it cannot learn from are refused by name."""
        check_learnable(self.estimator, records)
        derive(seed, "learn")  # refuses what is no seed, also where nothing is drawn
        model, recipe = clone(self.estimator), self.among(records)
        seed_all(model, seed, keep=self.keep_seeds)
        given = {"sample_ids": records.ids} if has_fit_parameter(model, "sample_ids") else {}
        what = type(model).__name__
        try:
            y = () if _takes_x_alone(model) else (records.y,)
            model.fit(records.x, *y, **given, **(recipe.fit_params or {}))
        except BadInput:
            raise
        except (ValueError, IndexError) as error:
            raise BadInput(f"{what} cannot learn from these records: {error}") from error
        except TypeError as error:
            if not self.fit_params:
                raise
            raise BadInput(f"{what} cannot be fitted with these fit_params: {error}") from error
        model.learner_ = recipe
        note(model, recipe, seed, records)
        return model

    def among(self, records: Records) -> EstimatorLearner:
        """Return the recipe with what `fit` is given for these records, and for no others."""
        if not self.fit_params or self.ids is None:
            return self
        at = locate(self.ids, records.ids, where="fit_params")
        rows = {
            name: _safe_indexing(value, at) if _is_of_rows(value, len(self.ids)) else value
            for name, value in self.fit_params.items()
        }
        return replace(self, fit_params=rows, ids=tight(records.ids))


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
    note(model, getattr(model, "learner_", learner), seed, records, contents=True)
    return model


def learner_of(model: Any) -> Learner:
    """Return the learner that made a model, or one that would make its like."""
    origin = origin_of(model)
    if origin is not None:
        known: Learner = origin.learner
        if isinstance(known, EstimatorLearner) and known.keep_seeds:
            known = replace(known, keep_seeds=False)
        return known
    learner = getattr(model, "learner_", None)
    fitted = hasattr(model, "get_params") and hasattr(model, "fit")
    if learner is not None and not (fitted and isinstance(learner, EstimatorLearner)):
        made: Learner = learner
        return made
    if fitted:  # its parameters as they are, also where another fit followed on the recipe's
        return EstimatorLearner(
            model, getattr(learner, "fit_params", None), getattr(learner, "ids", None)
        )
    raise BadInput(
        f"nothing says how this {type(model).__name__} was learned; learn it with "
        "unteach.learn, or set its attribute learner_"
    )


def _takes_x_alone(model: Any) -> bool:
    """Say whether `fit` takes the inputs and no targets."""
    taken = signature(model.fit).parameters.values()
    if any(p.kind is Parameter.VAR_POSITIONAL for p in taken):
        return False
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in taken) == 1


def _is_of_rows(value: Any, n: int) -> bool:
    """Say whether a fit parameter has one entry for each of n records."""
    if isinstance(value, (str, bytes, Mapping)):
        return False
    shape = getattr(value, "shape", None)
    if shape is not None:
        return len(shape) > 0 and shape[0] == n
    return isinstance(value, (list, tuple)) and len(value) == n


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
