"""Logistic regression, solved to the last digits by Newton's method; it forgets by solving on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import Claim, Contents, Corrupt, Keeps, NotConverged

from .held import Held, HoldsRows
from .inputs import Floats, positive, read_queries, whole
from .likelihood import Likelihood


class Logistic(HoldsRows, ClassifierMixin, BaseEstimator):
    """L2-regularized logistic regression, binary or multinomial.

    Minimizes 0.5 ||w||^2 + C sum_i s_i loss(y_i, f(x_i)), the objective of scikit-learn's
    `LogisticRegression`; the intercept is not penalized. The penalty makes the minimum unique
    and finite, also for classes that can be separated. Newton's method with a line search runs
    until only rounding is left of the gradient. `forget` starts it from where the model stands,
    on the kept rows: a few steps of O(n p^2 + p^3), with p parameters (2 to 9 measured). Where
    the model stands worse than a start from zero, or the steps from there run away (saturated
    probabilities are flat), it starts from zero.

    Claims `Exact(atol)`: the minimum is unique, and atol bounds how far rounding in the gradient
    lets the decision values of two solutions differ on rows in the range of the training rows.
    Where atol passes 1e-6 of the largest decision value there, the claim is `Heuristic`.

    Parameters
    ----------
    C : weight of the loss against the penalty, above 0
    fit_intercept : whether there is an intercept
    tol : largest gradient that is accepted, relative to C sum_i s_i |x_i| or to 1
    max_iter : Newton steps after which `NotConverged` is raised

    Attributes
    ----------
    classes_ : (k,) · coef_ : (1, d) for two classes, else (k, d) · intercept_ : (1,) or (k,)
    gradient_norm_ : largest entry of the gradient at the solution · n_iter_ · claim_

    Examples
    --------
    >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0], [9.0]])
    >>> model = Logistic().fit(x, np.array([0, 0, 1, 1, 0]))
    >>> model.forget([4]).predict([[3.0]])
    array([1])
    """

    def __init__(
        self, C: float = 1.0, fit_intercept: bool = True, tol: float = 1e-12, max_iter: int = 100
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def decision_function(self, X: Any) -> Floats:
        """Return f(x): (m,) for two classes, positive for the second; else (m, k)."""
        x = read_queries(self, X)
        values: Floats = x @ self.coef_.T + self.intercept_
        return values[:, 0] if len(self.classes_) == 2 else values

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class: (m, k)."""
        values = self.decision_function(X)
        if values.ndim == 1:
            return np.column_stack([expit(-values), expit(values)])
        probabilities: Floats = softmax(values, axis=1)
        return probabilities

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of the probability of each class: (m, k)."""
        values = self.decision_function(X)
        if values.ndim == 1:
            return np.column_stack([log_expit(-values), log_expit(values)])
        logarithms: Floats = log_softmax(values, axis=1)
        return logarithms

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the largest decision value: (m,)."""
        values = self.decision_function(X)
        best = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def keeps(self) -> Keeps:
        """Say what this model holds: all rows, none of them needed to predict."""
        return Keeps(len(self._held) if hasattr(self, "_held") else 0, 0, ("coefficients",))

    def _learn(self, held: Held) -> Claim:
        return self._newton(held, None)

    def _remove(self, kept: Held, gone: Held) -> Claim:
        return self._warm(kept)

    def _insert(self, held: Held, new: Held) -> Claim:
        return self._warm(held)

    def _warm(self, held: Held) -> Claim:
        same = np.array_equal(np.unique(held.weighing.y), self.classes_)
        if same:
            try:
                return self._newton(held, np.column_stack([self.coef_, self.intercept_]))
            except NotConverged:
                pass  # from where the model stands; what a start from zero gives is what counts
        return self._newton(held, None)

    def _newton(self, held: Held, start: Floats | None) -> Claim:
        problem = Likelihood.of(held.weighing, positive(self, "C"), bool(self.fit_intercept))
        tol, most = positive(self, "tol"), whole(self, "max_iter")
        theta = np.zeros(problem.shape) if start is None else start[:, : problem.shape[1]]
        best, best_norm, best_left, steps = theta, np.inf, np.inf, 0
        value, gradient = problem.value(theta), problem.gradient(theta)
        if start is not None and not value <= problem.value(np.zeros(problem.shape)):
            return self._newton(held, None)
        while True:
            norm = float(np.max(np.abs(gradient) / problem.scale))
            # one heavy column sets the norm; near the end each entry counts against its rounding
            rounding = np.maximum(problem.rounding(theta), np.finfo(np.float64).tiny)
            left = float(np.max(np.abs(gradient) / rounding))
            if norm < 0.5 * best_norm or (left < 0.5 * best_left and problem.settled(theta, tol)):
                best, best_norm, best_left = theta, norm, left
            elif problem.settled(best, tol):
                break  # steps no longer help: only rounding is left
            if left <= 0.05:
                break  # far below what rounding makes of it already
            if steps == most:
                if problem.settled(best, tol):
                    break
                raise NotConverged(
                    f"Newton's method stands at a relative gradient of {best_norm:.1e} after "
                    f"{steps} steps, tol is {tol:.1e}; scale the features, or raise max_iter"
                )
            before = value
            theta, value, gradient = problem.step(theta, value, gradient)
            steps += 1
            if not (value <= 2 * before + 1 and np.isfinite(gradient).all()):
                raise NotConverged(
                    f"Newton's method ran away in step {steps}: the objective went from "
                    f"{before:.3g} to {value:.3g}; scale the features, or lower C"
                )
        self.classes_ = problem.classes
        self.coef_ = np.ascontiguousarray(best[:, : held.x.shape[1]])
        self.intercept_ = best[:, -1].copy() if self.fit_intercept else np.zeros(len(best))
        self.gradient_norm_ = float(np.max(np.abs(problem.gradient(best))))
        self.n_iter_ = steps
        return problem.claim(best)

    def _serves(self) -> dict[str, str]:
        return {
            "classes_": "classes (k)", "coef_": "float64 (r, d)", "intercept_": "float64 (r)",
            "gradient_norm_": "float64 ()", "n_iter_": "int64 ()",
        }  # fmt: skip

    def _restore(self, config: Any, arrays: Any) -> None:
        super()._restore(config, arrays)
        k = len(self.classes_)
        if k < 2 or len(self.coef_) != (1 if k == 2 else k):
            raise Corrupt(f"there are {len(self.coef_)} rows of coefficients for {k} classes")

    def _derived(self, rows: Held, held: Contents) -> Claim:
        problem = Likelihood.of(rows.weighing, positive(self, "C"), bool(self.fit_intercept))
        theta = np.column_stack([self.coef_, self.intercept_])[:, : problem.shape[1]]
        same = np.array_equal(problem.classes, self.classes_) and theta.shape == problem.shape
        # another machine may round otherwise
        whole(self, "max_iter")
        if not same or not problem.settled(theta, 10 * positive(self, "tol")):
            raise Corrupt("the coefficients do not solve the problem of the rows in the file")
        if not self.fit_intercept and self.intercept_.any():
            raise Corrupt("there is an intercept where none was fitted")
        return problem.claim(theta)
