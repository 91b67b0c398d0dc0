"""Logistic regression, solved to the last digits by Newton's method; it forgets by solving on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import BadInput, Claim, Contents, Corrupt, Keeps, NotConverged

from .ridge import within
from .training_rows import Held, HoldsRows
from .validation import Floats, positive, read_queries, whole

# The objective of logistic regression: its value, derivatives, Newton step, and rounding.

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The penalized likelihood over theta (r, p): one row for two classes, one a class for more.

    With more than two classes a constant added to every intercept changes nothing; the term
    0.5 (sum of intercepts)^2, zero at the minimum, picks the one whose intercepts sum to zero.
    """

    z: Floats  # (n, p): x, and a column of ones where there is an intercept
    target: Floats  # (n, r)
    weight: Floats  # (n,): C s_i
    classes: NDArray[Any]
    penalized: int

    @classmethod
    def of(cls, held: Held, C: float, fit_intercept: bool) -> Likelihood:
        """Return the objective of these rows."""
        classes, at = np.unique(held.y, return_inverse=True)
        if len(classes) < 2:
            raise BadInput(f"y holds only one class ({classes[0]!r}); a classifier needs two")
        ones = [np.ones((len(held), 1))] if fit_intercept else []
        target = np.eye(len(classes))[at] if len(classes) > 2 else at[:, None].astype(float)
        z = np.hstack([held.x, *ones])
        return cls(z, target, C * held.weight, classes, held.x.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of theta: (r, p)."""
        return self.target.shape[1], self.z.shape[1]

    @property
    def scale(self) -> Floats:
        """The size that a gradient's entries are made of: (p,)."""
        return np.maximum(1.0, self.weight @ np.abs(self.z))

    def _intercepts(self, theta: Floats) -> Floats:
        free = theta[:, self.penalized :]  # (r, 0 or 1)
        return free if len(theta) > 1 else free[:, :0]

    def value(self, theta: Floats) -> float:
        """Return the objective."""
        f = self.z @ theta.T  # (n, r)
        if len(theta) == 1:
            loss = np.logaddexp(0.0, np.where(self.target[:, 0] == 1, -f[:, 0], f[:, 0]))
        else:
            own = f[self.target == 1][:, None]  # (n, 1): of the class that a row has
            loss = logsumexp(f - own, axis=1)
        total = 0.5 * np.sum(theta[:, : self.penalized] ** 2) + self.weight @ loss
        return float(total + 0.5 * np.sum(self._intercepts(theta)) ** 2)

    def probabilities(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return p and 1 - p, each with all its digits: (n, r) both."""
        f = self.z @ theta.T
        if len(theta) == 1:
            return expit(f), expit(-f)
        p: Floats = softmax(f, axis=1)
        none = np.zeros((len(p), 1))
        left = np.hstack([none, np.cumsum(p[:, :-1], axis=1)])
        right = np.hstack([np.cumsum(p[:, :0:-1], axis=1)[:, ::-1], none])
        return p, left + right

    def error(self, theta: Floats) -> Floats:
        """Return p minus the target, with all its digits: (n, r)."""
        p, rest = self.probabilities(theta)
        return np.where(self.target == 1, -rest, p)

    def gradient(self, theta: Floats) -> Floats:
        """Return the first derivatives: (r, p)."""
        gradient = (self.weight[:, None] * self.error(theta)).T @ self.z  # (r, p)
        gradient[:, : self.penalized] += theta[:, : self.penalized]
        gradient[:, self.penalized :] += np.sum(self._intercepts(theta))
        return gradient

    def settled(self, theta: Floats, tol: float) -> bool:
        """Say whether the gradient is within tol, but for what rounding makes of it."""
        limit = tol * self.scale + self.rounding(theta)
        return bool(np.all(np.abs(self.gradient(theta)) <= limit))

    def hessian(self, theta: Floats) -> Floats:
        """Return the second derivatives: (r p, r p)."""
        rows, width = self.shape
        p, rest = self.probabilities(theta)
        h = np.zeros((rows, width, rows, width))
        for a in range(rows):
            for b in range(a + 1):
                curve = p[:, a] * (rest[:, a] if a == b else -p[:, b])  # (n,)
                h[a, :, b, :] = h[b, :, a, :] = self.z.T @ ((self.weight * curve)[:, None] * self.z)
            on = np.arange(self.penalized)
            h[a, on, a, on] += 1.0
        if rows > 1:
            h[:, self.penalized :, :, self.penalized :] += 1.0
        return h.reshape(rows * width, rows * width)

    def _scaled(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return a factor of the Hessian scaled to a diagonal of ones, it, and its roots."""
        h = self.hessian(theta)
        root = np.sqrt(np.maximum(np.diag(h), np.finfo(np.float64).tiny))  # (r p,)
        scaled = h / root[:, None] / root
        nudge = 0.0
        while True:
            try:
                return cholesky(scaled + nudge * np.eye(len(h)), lower=True), scaled, root
            except np.linalg.LinAlgError:
                # flat beyond rounding (saturated probabilities): a shorter, safer step
                nudge = max(10 * nudge, 1e-14)

    def step(self, theta: Floats, value: float, gradient: Floats) -> tuple[Floats, float, Floats]:
        """Return the point after one Newton step with backtracking, its value and gradient."""
        factor, _, root = self._scaled(theta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            move = -(cho_solve((factor, True), gradient.ravel() / root) / root).reshape(theta.shape)
            slope = float(np.sum(gradient * move))
        norm, length = np.max(np.abs(gradient) / self.scale), 1.0
        while True:
            with np.errstate(over="ignore", invalid="ignore"):  # the caller sees what is not finite
                reached = theta + length * move
                new, ahead = self.value(reached), self.gradient(reached)
            # near the minimum the value is all rounding: a full step, or a flatter gradient
            lower = new <= value + 1e-4 * length * slope + 4 * _EPS * abs(value)
            flatter = np.max(np.abs(ahead) / self.scale) <= (1 - 0.5 * length) * norm
            if lower or flatter or length < 1e-10:
                return reached, new, ahead
            length /= 2

    def rounding(self, theta: Floats) -> Floats:
        """Return how large an entry of the gradient rounding alone can make: (r, p)."""
        p, rest = self.probabilities(theta)
        size = np.abs(self.z) @ np.abs(theta).T  # (n, r): what the terms of f add up to
        row = self.weight[:, None] * _EPS * (np.abs(self.error(theta)) + p * rest * size)
        bound: Floats = 4 * (row.T @ np.abs(self.z)) + 4 * _EPS * np.abs(theta)
        return bound

    def uncertainty(self, theta: Floats) -> float:
        """Return how far rounding leaves the decision values open, on rows like those of z.

        The gradient's entries and their rounding are carried through the inverse Hessian, entry
        by entry with absolute values, for the 256 rows that reach furthest.
        """
        factor, _, root = self._scaled(theta)
        rows, width = self.shape
        reach = np.sum(np.abs(self.z) / np.maximum(np.max(np.abs(self.z), axis=0), 1e-300), axis=1)
        far = self.z[np.argsort(-reach, kind="stable")[:256]]  # (m, p)
        error = (np.abs(self.gradient(theta)) + self.rounding(theta)).ravel()  # (r p,)
        inverse = cho_solve((factor, True), np.eye(rows * width)) / root[:, None] / root
        carried = [np.abs(far @ inverse[a * width : (a + 1) * width]) @ error for a in range(rows)]
        direct = 4 * _EPS * float(np.max(np.abs(far) @ np.abs(theta).T))
        return 2 * (direct + float(np.max(carried)))

    def claim(self, theta: Floats) -> Claim:
        """Return what may be claimed of the decision values."""
        return within(self.uncertainty(theta), float(np.max(np.abs(self.z @ theta.T))), 1e-11)


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
            "classes_": "classes (k)",
            "coef_": "float64 (r, d)",
            "intercept_": "float64 (r)",
            "gradient_norm_": "float64 ()",
            "n_iter_": "int64 ()",
        }

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
