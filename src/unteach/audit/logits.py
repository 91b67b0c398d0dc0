"""What a classifier says, as logits for given classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import is_classifier

from unteach.core import BadInput, Records
from unteach.models import EstimatorLearner

Logits = NDArray[np.float32]


def logits_of(model: Any, x: Any, classes: Any) -> Logits:
    """Return a model's logits for these classes: (n, k) float32.

    Decision values where there are any (of two classes 0 and f), else the logarithms of the
    probabilities, at least 1e-12. A class that the model never saw stands 30 below all others
    together.

    Examples
    --------
    >>> from unteach.models import NaiveBayes
    >>> model = NaiveBayes().fit([[0.0], [1.0], [4.0], [5.0]], [0, 0, 1, 1])
    >>> logits_of(model, [[0.5]], [0, 1, 2]).shape
    (1, 3)
    """
    must_classify(model)
    if hasattr(model, "decision_function"):
        said = np.asarray(model.decision_function(x), dtype=np.float64)
        said = said.reshape(len(said), -1)
        said = np.hstack([np.zeros_like(said), said]) if said.shape[1] == 1 else said
    else:
        said = np.log(np.maximum(np.asarray(model.predict_proba(x), dtype=np.float64), 1e-12))
    known, wanted = np.asarray(model.classes_).tolist(), np.asarray(classes).tolist()
    if said.shape[1] != len(known):
        raise BadInput(
            f"{type(model).__name__} gives {said.shape[1]} values for {len(known)} classes; arms "
            "need one a class"
        )
    place = {label: k for k, label in enumerate(known)}
    missing = logsumexp(said, axis=1) - 30.0
    columns = [said[:, place[c]] if c in place else missing for c in wanted]
    return np.stack(columns, axis=1).astype(np.float32)


def must_classify(model: Any) -> None:
    """Refuse what is no classifier, and say what audits it."""
    if not hasattr(model, "classes_"):
        raise BadInput(
            f"arms compare classifiers; {type(model).__name__} has no classes_. audit.audit(method,"
            " learner, records, request) compares models of any kind with retraining"
        )


def one_label_each(learner: Any, records: Records) -> None:
    """Refuse several labels a record to a classifier, before anything is learned."""
    what = learner.estimator if isinstance(learner, EstimatorLearner) else learner
    y = np.asarray(records.y)
    if y.ndim != 1 and hasattr(what, "__sklearn_tags__") and is_classifier(what):
        raise BadInput(
            f"y has shape {y.shape}, and one label a record is compared; learn and audit a "
            f"{type(what).__name__} for each label"
        )


def must_learn_classes(learner: Any) -> None:
    """Refuse a recipe that says of itself that its models are no classifiers."""
    what = learner.estimator if isinstance(learner, EstimatorLearner) else learner
    tagged = hasattr(what, "__sklearn_tags__") and not is_classifier(what)
    if tagged or getattr(what, "task", "classification") != "classification":
        raise BadInput(
            f"arms compare classifiers, and {type(what).__name__} learns none. audit.audit(method, "
            "learner, records, request) compares regressions and sequences with retraining"
        )
