"""--model and --param: a name of ours, or MODULE:CLASS of anything like scikit-learn."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unteach.core import BadInput, Rows


@dataclass(frozen=True)
class Named:
    """A model that --model knows by name."""

    name: str
    place: str
    about: str


LEARNERS = (
    Named("svc", "unteach.kernel:SVC", "kernel machine; forgets by updating its exact solution"),
    Named("ridge", "unteach.models:Ridge", "linear regression; forgets by a downdate"),
    Named("logistic", "unteach.models:Logistic", "logistic regression; forgets from a warm start"),
    Named("bayes", "unteach.models:NaiveBayes", "Gaussian naive Bayes; forgets by subtraction"),
    Named("neighbours", "unteach.models:Neighbours", "k nearest neighbours; forgets by dropping"),
    Named("mlp", "unteach.models:MLP", "dense network, compiled; retrains, or by gradient methods"),
    Named("cnn", "unteach.models:CNN", "network for grey square images; as mlp"),
)


def learner_called(name: str, params: Sequence[str] = ()) -> Any:
    """Return the estimator (or learner) of this name with these parameters, each KEY=VALUE.

    >>> learner_called("sklearn.tree:DecisionTreeClassifier", ["max_depth=3"])
    DecisionTreeClassifier(max_depth=3)
    """
    place = {known.name: known.place for known in LEARNERS}.get(name, name)
    module, _, attribute = place.partition(":")
    if not attribute:
        known = ", ".join(k.name for k in LEARNERS)
        raise BadInput(f"no model {name!r}: choose from {known}, or give MODULE:CLASS")
    try:
        kind = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        raise BadInput(f"cannot import {module!r} for --model: {error}") from error
    if not isinstance(kind, type) or not (hasattr(kind, "fit") or hasattr(kind, "learn")):
        raise BadInput(f"{place} is no class with a fit (or learn) method")
    given = dict(_param(text) for text in params)
    takes = sorted(p for p in inspect.signature(kind).parameters)
    strange = sorted(set(given) - set(takes))
    if strange:
        raise BadInput(f"{name} has no parameter {strange[0]!r}; it has {', '.join(takes)}")
    try:
        estimator = kind(**given)
    except TypeError as error:
        raise BadInput(f"{place} cannot be made of these parameters: {error}") from error
    from sklearn.base import is_classifier, is_regressor

    tagged = hasattr(estimator, "__sklearn_tags__")
    if tagged and not (is_classifier(estimator) or is_regressor(estimator)):
        raise BadInput(f"{place} is neither a classifier nor a regressor; give one of these")
    if not hasattr(kind, "predict") and not tagged:
        raise BadInput(f"{place} has no predict method; give a classifier or a regressor")
    return estimator


def with_own_scale(learner: Any, params: Sequence[str] = ()) -> Any:
    """Return a compiled network that scales its features, unless the parameters say how.

    Its steps want features at about unit scale, and a saved network must bring them there itself.

    >>> with_own_scale(learner_called("mlp")).scale, with_own_scale(learner_called("cnn")).scale
    ('standard', 'unit')
    >>> as_they_are = ["scale=None"]
    >>> with_own_scale(learner_called("mlp", as_they_are), as_they_are).scale is None
    True
    """
    from unteach.models import CNN, MLP

    if not isinstance(learner, (MLP, CNN)) or "scale" in dict(_param(text) for text in params):
        return learner
    return replace(learner, scale="unit" if isinstance(learner, CNN) else "standard")


def own_scale(learner: Any) -> str | None:
    """Return how a compiled network scales its own features; None if not, or if it is none."""
    from unteach.models import CNN, MLP

    return learner.scale if isinstance(learner, (MLP, CNN)) else None


def method_called(name: str) -> Any:
    """Return the method of this name, or say which names there are as --method takes them."""
    from unteach.core import plugins
    from unteach.unlearn import METHODS, method_named

    known = [
        spelled(label) for label in ({m.__name__: m for m in METHODS} | plugins("unteach.methods"))
    ]
    plain = name.replace("+", "plus").replace("_", "").replace("-", "").lower()
    if plain not in {k.replace("-", "") for k in known}:
        raise BadInput(f"no method {name!r}: choose from {', '.join(known)}")
    return method_named(name)


def must_suit(estimator: Any, records: Rows) -> None:
    """Refuse a classifier for quantities, which would take every number for a class."""
    from unteach.models import classifies

    if classifies(estimator) and np.asarray(records.y).dtype.kind == "f":
        raise BadInput(
            f"the targets are quantities and {type(estimator).__name__} is a classifier; take a "
            "regression such as ridge, or write classes as whole numbers or words"
        )


def _param(text: str) -> tuple[str, Any]:
    """Return one KEY=VALUE; a value that is no Python literal is a word."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise BadInput(f"--param takes KEY=VALUE, got {text!r}")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def spelled(name: str) -> str:
    """Return a class's name as --method takes it: capitals side by side are one word.

    >>> spelled("OverForget"), spelled("SCRUB"), spelled("LabelFreeSSD"), spelled("L1Sparse")
    ('over-forget', 'scrub', 'label-free-ssd', 'l1-sparse')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", "-", name).lower()
