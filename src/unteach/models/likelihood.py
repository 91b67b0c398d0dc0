"""The objective of logistic regression: its value, derivatives, Newton step, and rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.special import expit, logsumexp, softmax

from unteach.core import BadInput, Claim

from .held import Held
from .inputs import Floats
from .ridge import within

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
