"""Gaussian naive Bayes from exact sums: a forgotten row leaves not one bit behind."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import BadInput, Claim, Corrupt, Exact, Keeps

from .exact_sums import Moments, variance
from .training_rows import Held, HoldsRows
from .validation import Floats, positive, read_queries


class NaiveBayes(HoldsRows, ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes: a normal distribution a class and feature, independent of each other.

    Counts, sums and sums of squares are exact (`sums.ExactSums`), so that forgetting k records
    costs O(k d) beside copying the rows that stay, and gives the bits of a fresh fit whatever
    the order and the history: the claim is `Exact(0.0)`. One statistic is global: to every
    variance is added `var_smoothing` times the largest variance of a feature over all records,
    so that forgetting a record moves every class, if by little.

    As scikit-learn's `GaussianNB`, but for weights: there the largest variance ignores them,
    here a record of weight zero counts as if it were not there.

    Parameters
    ----------
    var_smoothing : share of the largest variance that is added to all, at least 0

    Attributes
    ----------
    classes_ : (k,) · class_count_, class_prior_ : (k,) · theta_, var_ : (k, d) · epsilon_ : float

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [10.0], [12.0], [1e6]])
    >>> model = NaiveBayes().fit(x, np.array([0, 0, 1, 1, 1])).forget([4])
    >>> model.theta_.ravel(), model.claim_.atol
    (array([ 0.5, 11. ]), 0.0)
    """

    _private = ("_held", "_moments")

    def __init__(self, var_smoothing: float = 1e-9) -> None:
        self.var_smoothing = var_smoothing

    def predict_joint_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of the joint probability of each row and class: (m, k)."""
        x = read_queries(self, X)
        columns = []
        for mean, var, prior in zip(self.theta_, self.var_, self.class_prior_, strict=True):
            log_density = -0.5 * (np.log(2 * np.pi * var) + (x - mean) ** 2 / var)  # (m, d)
            columns.append(np.log(prior) + np.sum(log_density, axis=1))
        return np.column_stack(columns)  # (m, k)

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of the probability of each class: (m, k)."""
        joint = self.predict_joint_log_proba(X)
        answer: Floats = joint - logsumexp(joint, axis=1, keepdims=True)
        return answer

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class: (m, k)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class: (m,)."""
        best = np.argmax(self.predict_joint_log_proba(X), axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def keeps(self) -> Keeps:
        """Say what this model holds: all rows, none of them needed to predict."""
        rows = len(self._held) if hasattr(self, "_held") else 0
        names = ("class counts", "class means", "class variances", "largest variance")
        return Keeps(rows, 0, names)

    def _learn(self, held: Held) -> Claim:
        return self._set(_tally(held))

    def _remove(self, kept: Held, gone: Held) -> Claim:
        left = set(kept.weighing.y.tolist())
        moments = dict(self._moments)
        for label in np.unique(gone.y):
            mine = gone.y == label
            if label.item() not in moments:
                continue  # the class had only records of weight zero
            now = copy.deepcopy(moments.pop(label.item()))
            now.take(gone.x[mine], gone.weight[mine])
            if label.item() in left:
                moments[label.item()] = now
        return self._set(moments)

    def _insert(self, held: Held, new: Held) -> Claim:
        moments = dict(self._moments)
        for label, added in _tally(new).items():
            mine = new.y == label
            if label in moments:
                added = copy.deepcopy(moments[label])
                added.add(new.x[mine], new.weight[mine])
            moments[label] = added
        return self._set(moments)

    def _set(self, moments: dict[Any, Moments]) -> Claim:
        labels = sorted(moments)
        wholes = [moments[label].whole() for label in labels]
        together = (
            sum(weight for weight, _, _ in wholes),
            [sum(column) for column in zip(*(sums for _, sums, _ in wholes), strict=True)],
            [sum(column) for column in zip(*(squares for _, _, squares in wholes), strict=True)],
        )
        smoothing = positive(self, "var_smoothing", zero=True)
        epsilon = smoothing * float(np.max(variance(*together)))
        var = np.array([variance(*whole) for whole in wholes]) + epsilon  # (k, d)
        if not np.all(var > 0):
            at, feature = np.argwhere(var <= 0)[0]
            raise BadInput(
                f"feature {feature} has variance 0 in class {labels[at]!r}, and var_smoothing="
                f"{self.var_smoothing} adds nothing: raise it, or drop features without variance"
            )
        self._moments = {label: moments[label] for label in labels}
        large = isinstance(labels[-1], int) and labels[-1] >= 2**63  # else they would be floats
        self.classes_ = np.array(labels, dtype=np.uint64 if large else None)
        self.class_count_ = np.array([moments[label].weight() for label in labels])
        self.class_prior_ = np.array([whole[0] / together[0] for whole in wholes])
        self.theta_ = np.array([moments[label].mean() for label in labels])
        self.var_, self.epsilon_ = var, epsilon
        return Exact(atol=0.0)

    def _serves(self) -> dict[str, str]:
        return {
            "classes_": "classes (k)",
            "class_count_": "float64 (k)",
            "class_prior_": "float64 (k)",
            "theta_": "float64 (k, d)",
            "var_": "float64 (k, d)",
            "epsilon_": "float64 ()",
        }

    def _restore(self, config: Any, arrays: Any) -> None:
        super()._restore(config, arrays)
        if not (self.class_prior_ > 0).all() or not (self.var_ > 0).all():
            raise Corrupt("a class has no share of the rows, or no variance")


def _tally(held: Held) -> dict[Any, Moments]:
    """Return the moments of each class that has a record of weight above zero."""
    rows, tally = held.weighing, {}
    for label in np.unique(rows.y):
        mine = rows.y == label
        tally[label.item()] = Moments(rows.x.shape[1])
        tally[label.item()].add(rows.x[mine], rows.weight[mine])
    return tally
