"""What can be trained on many subsets: names, learners, estimators, torch modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from unteach.core import BadInput
from unteach.models import (
    CNN,
    MLP,
    Logistic,
    Neighbours,
    OutputKind,
    SubsetNearest,
    SubsetRidge,
    as_learner,
    subset_loop,
)

Floats = NDArray[np.float64]


def _machine() -> Any:
    from unteach.kernel import SVC

    return SVC()


LEARNERS: dict[str, Callable[[], Any]] = {
    "mlp": partial(MLP, scale="standard"),
    "cnn": partial(CNN, scale="unit"),
    "ridge": SubsetRidge,
    "knn": SubsetNearest,
    "svc": _machine,
    "logistic": Logistic,
}
"""What a name stands for; everything at its default settings, but networks scale features."""


def resolve(what: Any) -> Any:
    """Return the learner that is meant by a name, a learner, an estimator or a torch factory.

    What has a fast form on subsets is given it: scikit-learn's `RidgeClassifier` and
    1-nearest-neighbour classifiers at their default settings. A callable without arguments that
    makes a torch module is trained by `models.Network` at its defaults.

    >>> resolve("knn")
    SubsetNearest()
    """
    if isinstance(what, str):
        if what not in LEARNERS:
            raise BadInput(f"no learner is named {what!r}; there are {sorted(LEARNERS)}")
        what = LEARNERS[what]()
    if hasattr(what, "subset_outputs") and not isinstance(what, type):
        return what
    if _makes_modules(what):
        from unteach.models import Network

        return Network(what)
    learner = as_learner(what)
    return _fast(learner) or learner


def outputs(
    learner: Any,
    x: Any,
    y: NDArray[Any],
    members: NDArray[np.bool_],
    seeds: NDArray[np.uint64],
    at: Any,
) -> tuple[NDArray[np.float32], OutputKind]:
    """Return the outputs of one model a subset, (m, q, k) float32, and what they are.

    By the learner's own `subset_outputs` where it has one ("logits" unless its `output_kind`
    says "scores"), else by learning one after another.
    """
    if not hasattr(learner, "subset_outputs"):
        return subset_loop(learner, x, y, members, seeds, at)
    found = np.asarray(learner.subset_outputs(x, y, members, seeds, at))
    expected = (len(members), len(at), int(y.max()) + 1)
    if found.shape != expected:
        raise BadInput(
            f"{type(learner).__name__}.subset_outputs gave shape {found.shape}, not (models, "
            f"queries, classes) = {expected}"
        )
    return found, getattr(learner, "output_kind", "logits")


def margins(found: NDArray[Any], y: NDArray[Any], kind: OutputKind) -> NDArray[Any]:
    """Return how strongly each model holds each right answer: (m, q), in the precision given.

    From logits the log-odds of the right class, log p - log(1 - p); from scores the value of
    the right class less the largest of the others.

    >>> margins(np.log(np.array([[[0.8, 0.2]]], np.float32)), np.array([0]), "logits").round(3)
    array([[1.386]], dtype=float32)
    """
    out = np.empty(found.shape[:2], dtype=found.dtype)
    _margins(found, np.asarray(y, dtype=np.int64), kind == "logits", out)
    return out


@njit(cache=True)
def _margins(found: Any, y: Any, logits: bool, out: Any) -> None:
    for m in range(found.shape[0]):
        for q in range(found.shape[1]):
            z, own = found[m, q], y[q]
            top = -np.inf
            for k in range(len(z)):
                if k != own and (z[k] > top or z[k] != z[k]):  # no number stays none
                    top = z[k]
            if logits:
                total = 0.0
                for k in range(len(z)):
                    if k != own:
                        total += np.exp(z[k] - top)
                top += np.log(total)
            out[m, q] = z[own] - top


def _fast(learner: Any) -> Any | None:
    """Return the fast form of an estimator that has one, else None."""
    estimator: Any = getattr(learner, "estimator", None)
    if type(estimator) is RidgeClassifier:
        default = RidgeClassifier(alpha=estimator.alpha).get_params()
        plain = estimator.get_params() == default and np.isscalar(estimator.alpha)
        return SubsetRidge(float(estimator.alpha)) if plain and estimator.alpha > 0 else None
    if type(estimator) in (KNeighborsClassifier, Neighbours):
        default = type(estimator)(n_neighbors=1).get_params()
        return SubsetNearest() if estimator.get_params() == default else None
    return None


def _makes_modules(what: Any) -> bool:
    """Say whether this is a function (or a class) without arguments that makes torch modules."""
    if hasattr(what, "learn") or hasattr(what, "fit") or not callable(what):
        return False
    try:
        from torch.nn import Module
    except ImportError:
        return False
    if isinstance(what, Module):
        raise BadInput(
            "a torch module was given; give a function that makes a fresh one, so that every "
            "model starts anew"
        )
    return isinstance(what, type) or isinstance(what(), Module)
