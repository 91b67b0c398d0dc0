"""L2-regularized logistic regression with a noisy objective: what Newton can forget from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from unteach.core import Contents, NotConverged, OneClassLeft, Records, Saved, stream

from .._shared.forget_retain_split import fingerprint
from .budget_ledger import Ledger
from .linear_heads import Array, Heads, clipped, read_heads, signs

CURVATURE = 1 / (6 * np.sqrt(3))
"""The tight Lipschitz constant of the logistic loss's second derivative: sup |l'''|."""


def gradient(w: Array, x: Array, s: Array, noise: Array, ridge: float) -> Array:
    """Return the gradient of the noisy objective at w: (d,).

    L_b(w) = sum_i log(1 + exp(-s_i w.x_i)) + ridge/2 |w|^2 + b.w, with labels s in {-1, +1}.
    """
    slope: Array = -x.T @ (s * expit(-s * (x @ w))) + ridge * w + noise
    return slope


def hessian(w: Array, x: Array, ridge: float) -> Array:
    """Return the Hessian at w: (d, d)."""
    p = expit(x @ w)
    curve: Array = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(x.shape[1])
    return curve


def spectral_bound(x: Array) -> float:
    """Return an upper bound of the spectral norm of x, tight to ten digits.

    From the eigenvalues of the Gram matrix, with a margin over their rounding error; power
    iteration would estimate it from below, which a certificate cannot use.

    >>> spectral_bound(np.diag([3.0, 4.0])) >= 4.0
    True
    """
    top = float(np.linalg.eigvalsh(x.T @ x)[-1])
    return float(np.sqrt(max(top, 0.0) * (1 + 1e-9) + 1e-300))


def minimize(x: Array, s: Array, noise: Array, ridge: float) -> tuple[Array, float]:
    """Return the minimizer of the noisy objective and the norm of the gradient that is left."""

    def value(w: Array) -> float:
        return float(np.logaddexp(0, -s * (x @ w)).sum() + ridge / 2 * w @ w + noise @ w)

    w = np.zeros(x.shape[1])
    g = gradient(w, x, s, noise, ridge)
    goal = 1e-11 * max(1.0, float(np.linalg.norm(g)))
    for _ in range(200):
        size = float(np.linalg.norm(g))
        if size <= goal:
            return w, size
        step = -cho_solve(cho_factor(hessian(w, x, ridge)), g)
        rate, here, slope = 1.0, value(w), float(g @ step)
        while rate > 1e-8 and value(w + rate * step) > here + 1e-4 * rate * slope + 1e-12 * abs(
            here
        ):
            rate /= 2
        w = w + rate * step
        g = gradient(w, x, s, noise, ridge)
    size = float(np.linalg.norm(g))
    if size <= 1e-7:
        return w, size
    raise NotConverged(f"training stopped at a gradient of norm {size:.3g}; raise the penalty")


@dataclass(frozen=True)
class NoisyLogisticLearner:
    """The recipe: penalty, noise, and the guarantee it is to serve."""

    penalty: float
    sigma: float
    epsilon: float
    delta: float
    radius: float
    assumptions: tuple[str, ...] = ()

    def learn(self, records: Records, *, seed: int) -> NoisyLogistic:
        """Return the noisy objective's minimizer; what training leaves over is on the ledger."""
        x = clipped(records.x, self.radius)
        y = np.asarray(records.y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise OneClassLeft(f"a classifier needs two classes, got {classes.tolist()}")
        heads = 1 if len(classes) == 2 else len(classes)
        digest = fingerprint(records.ids)  # another set of records draws another noise
        rng = stream(seed, "objective noise", digest)
        noise = self.sigma * rng.normal(size=(heads, x.shape[1]))
        coef, left = np.empty_like(noise), np.empty(heads)
        for k in range(heads):
            s = signs(y, classes, k)
            coef[k], left[k] = minimize(x, s, noise[k], self.penalty * len(x))
        ledger = Ledger(self.epsilon, self.delta, self.sigma, assumptions=self.assumptions)
        if self.sigma > 0:
            size = float(np.linalg.norm(left))
            ledger = ledger.spend("training", len(x), bound=size, residual=size)
        return NoisyLogistic(self, classes, coef, noise, ledger, digest)


@dataclass(frozen=True)
class NoisyLogistic(Heads):
    """A linear classifier, its secret noise, and the ledger of its certificate.

    It holds no training row. Two classes make one head; more make one head a class, against
    the rest; the heads' residuals combine as one vector does, by the Euclidean norm, since
    their noise is one Gaussian vector.
    """

    learner_: NoisyLogisticLearner
    classes_: NDArray[Any]
    coef_: Array  # (heads, d + 1), the last column is the intercept
    noise_: Array = field(repr=False)  # (heads, d + 1)
    ledger_: Ledger
    ids_digest_: str

    def changed(self, coef: Array, ledger: Ledger, ids: Any = None) -> NoisyLogistic:
        """Return the model with other coefficients and another ledger, standing on these ids."""
        digest = self.ids_digest_ if ids is None else fingerprint(ids)
        return replace(self, coef_=coef, ledger_=ledger, ids_digest_=digest)

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what is written. When serving, the noise stays out: it is a secret."""
        recipe = {k: v for k, v in vars(self.learner_).items() if k != "assumptions"}
        config = {
            "recipe": recipe,
            "ledger": self.ledger_.to_json(),
            "serving": serving,
            "assumptions": list(self.learner_.assumptions),
            "ids": self.ids_digest_,
        }
        arrays = {"classes": self.classes_, "coef": self.coef_}
        if not serving:
            arrays["noise"] = self.noise_
        return Saved("unteach.unlearn:NoisyLogistic", config, arrays)

    @classmethod
    def from_saved(cls, saved: Saved) -> NoisyLogistic:
        """Return the model that `to_saved` described."""
        recipe = NoisyLogisticLearner(
            **saved.config["recipe"], assumptions=tuple(saved.config["assumptions"])
        )
        classes, coef, noise, ledger = read_heads(saved, "noise")
        return cls(recipe, classes, coef, noise, ledger, Contents.of(saved).text("ids"))
