"""Projected noisy gradient descent on a convex loss: what `NoisyDescent` and `Langevin` need.

The objective is the mean logistic loss over records, plus penalty/2 |w|^2, one head a class (one
for two classes). Rows are scaled down to norm at most `radius`, each by itself, so that the
constants below hold for every data set and are computed, not assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from unteach.core import BadInput, Contents, OneClassLeft, Records, Saved, stream

from .._shared.forget_retain_split import fingerprint
from .budget_ledger import Ledger
from .linear_heads import Array, Heads, clipped, read_heads, signs


@dataclass(frozen=True)
class Constants:
    """What the proofs ask of the objective, with rows of norm at most `radius`.

    strong : strong convexity, the penalty · smooth : radius^2 / 4 + penalty · lipschitz : of one
    record's loss, radius · ball : radius / penalty, which holds every minimizer, since there
    penalty |w| is the norm of a mean of such gradients

    >>> found = Constants.of(penalty=0.05, radius=1.0)
    >>> round(found.contraction, 3), round(found.step, 2)
    (0.714, 5.71)
    """

    strong: float
    smooth: float
    lipschitz: float
    ball: float

    @classmethod
    def of(cls, penalty: float, radius: float) -> Constants:
        """Return the constants; a penalty of 0 is refused, since nothing is strongly convex."""
        if not penalty > 0 or not radius > 0:
            raise BadInput(f"penalty and radius must be above 0, got {penalty}, {radius}")
        return cls(penalty, radius**2 / 4 + penalty, radius, radius / penalty)

    @property
    def step(self) -> float:
        """The step size 2 / (smooth + strong)."""
        return 2 / (self.smooth + self.strong)

    @property
    def contraction(self) -> float:
        """By how much one step shrinks the distance of two points: below 1."""
        return (self.smooth - self.strong) / (self.smooth + self.strong)

    def shift(self, gone: int, left: int) -> float:
        """Return how far at most the minimizer moves when so many records leave so many.

        At the old minimizer the kept records' gradients sum to minus those of the gone, each of
        norm at most 2 lipschitz with its share of the penalty.

        >>> Constants.of(0.05, 1.0).shift(1, 59) == 2 / (0.05 * 59)
        True
        """
        return 2 * self.lipschitz * gone / (self.strong * left)


@dataclass(frozen=True)
class NoisyPathLearner:
    """The recipe: the objective, the noise, where the noise enters, and the guarantee.

    `every_step` False adds the noise once, to what is published, and keeps the path's end as a
    secret (descent-to-delete); True adds it at each step, and nothing is kept back (Langevin).
    """

    penalty: float
    radius: float
    sigma: float
    steps: int
    last: int
    epsilon: float
    delta: float
    every_step: bool
    assumptions: tuple[str, ...] = ()

    @property
    def constants(self) -> Constants:
        """What is computed of the objective."""
        return Constants.of(self.penalty, self.radius)

    @property
    def hiding(self) -> float:
        """Standard deviation of the noise that stands between two paths' ends.

        With noise at every step it is what the last so many steps add up to, each shrunk by the
        steps after it.
        """
        c = self.constants.contraction
        if not self.every_step:
            return self.sigma
        return self.step_noise * math.sqrt((1 - c ** (2 * self.last)) / (1 - c**2))

    @property
    def step_noise(self) -> float:
        """Standard deviation of one step's noise: sqrt(2 step) sigma."""
        return math.sqrt(2 * self.constants.step) * self.sigma

    def learn(self, records: Records, *, seed: int) -> NoisyPathModel:
        """Return the model after `steps` steps from zero, with what that leaves on the ledger."""
        y = np.asarray(records.y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise OneClassLeft(f"a classifier needs two classes, got {classes.tolist()}")
        heads = 1 if len(classes) == 2 else len(classes)
        digest = fingerprint(records.ids)  # another set of records draws another noise
        start = np.zeros((heads, np.asarray(records.x).shape[1] + 1))
        path = self.walk(start, records, classes, self.steps, seed, "learn", digest)
        c = self.constants
        # the path stands this near its limit, and a retrained one as near to its own; a path with
        # noise is compared at its last steps, before which a retrained one has walked the others
        if self.every_step:
            bound = c.contraction**self.steps * c.ball
        else:
            bound = 2 * c.contraction**self.steps * c.ball
        ledger = Ledger(self.epsilon, self.delta, self.hiding, assumptions=self.assumptions)
        if self.sigma > 0:
            bound *= math.sqrt(heads)
            ledger = ledger.spend("training", len(y), bound=bound, residual=0.0)
        return NoisyPathModel(
            self, classes, self.shown(path, seed, "learn", digest), path, ledger, digest
        )

    def walk(
        self, start: Array, records: Records, classes: Any, steps: int, seed: int, *names: object
    ) -> Array:
        """Return where so many steps lead from a start: (heads, d)."""
        c, rng = self.constants, stream(seed, "path", *names)
        x, y = clipped(records.x, self.radius), np.asarray(records.y)
        path = start.copy()
        for _ in range(steps):
            for k in range(len(path)):
                s = signs(y, classes, k)
                slope = self._slope(x, s, path[k])
                path[k] = path[k] - c.step * slope
            if self.every_step:
                path = path + self.step_noise * rng.normal(size=path.shape)
            length = np.linalg.norm(path, axis=1, keepdims=True)
            path = path * np.minimum(1.0, c.ball / np.maximum(length, 1e-300))
        return path

    def _slope(self, x: Array, s: Array, w: Array) -> Array:
        """Return the gradient of one head's penalized mean loss at w: (d,)."""
        return np.asarray(-x.T @ (s * expit(-s * (x @ w))) / len(x) + self.penalty * w)

    def shown(self, path: Array, seed: int, *names: object) -> Array:
        """Return what is published of a path's end."""
        if self.every_step:
            return path
        return path + self.sigma * stream(seed, "published", *names).normal(size=path.shape)

    def residual(self, path: Array, records: Records, classes: Any) -> float:
        """Return how far the path's end is at least from its limit: gradient norm over smooth."""
        x, y = clipped(records.x, self.radius), np.asarray(records.y)
        total = 0.0
        for k in range(len(path)):
            s = signs(y, classes, k)
            slope = self._slope(x, s, path[k])
            total += float(slope @ slope)
        return math.sqrt(total) / self.constants.smooth


@dataclass(frozen=True)
class NoisyPathModel(Heads):
    """A linear classifier at the end of a noisy path, and the ledger of its certificate.

    `coef_` is what is published. `path_` is where the path ended: the same where noise enters at
    every step, else a secret, which is not written when the model is saved to serve.
    """

    learner_: NoisyPathLearner
    classes_: NDArray[Any]
    coef_: Array  # (heads, d + 1), the last column is the intercept
    path_: Array = field(repr=False)  # (heads, d + 1)
    ledger_: Ledger
    ids_digest_: str

    def moved(self, coef: Array, path: Array, ledger: Ledger, ids: Any) -> NoisyPathModel:
        """Return the model at another end, standing on these ids."""
        return replace(self, coef_=coef, path_=path, ledger_=ledger, ids_digest_=fingerprint(ids))

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what is written; when serving, the secret end of the path stays out."""
        recipe = {k: v for k, v in vars(self.learner_).items() if k != "assumptions"}
        config = {
            "recipe": recipe,
            "assumptions": list(self.learner_.assumptions),
            "ledger": self.ledger_.to_json(),
            "ids": self.ids_digest_,
        }
        arrays = {"classes": self.classes_, "coef": self.coef_}
        if not serving:
            arrays["path"] = self.path_
        return Saved("unteach.unlearn:NoisyPathModel", config, arrays)

    @classmethod
    def from_saved(cls, saved: Saved) -> NoisyPathModel:
        """Return the model that `to_saved` described."""
        recipe = NoisyPathLearner(
            **saved.config["recipe"], assumptions=tuple(saved.config["assumptions"])
        )
        classes, coef, path, ledger = read_heads(saved, "path")
        return cls(recipe, classes, coef, path, ledger, Contents.of(saved).text("ids"))
