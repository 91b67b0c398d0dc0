"""Newton's step with a certificate: forget from logistic regression without retraining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from unteach.core import (
    BadInput,
    BudgetSpent,
    Certified,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Ids,
    Model,
    NoRoute,
    OneClassLeft,
    Records,
    Request,
    Stopwatch,
)

from .._noise.linear_heads import clipped, signs
from .._noise.noisy_logistic import (
    CURVATURE,
    NoisyLogistic,
    NoisyLogisticLearner,
    gradient,
    hessian,
    spectral_bound,
)
from .._shared.forget_retain_split import check_standing

ASSUMPTIONS = (
    "requests do not depend on the noise or on published models (not adaptive)",
    "the noise and the seed that it grew from stay secret; each training draws its own",
    "the adversary sees the coefficients",
    "the residual's bound depends on the data and is treated as public",
)


@dataclass(frozen=True)
class Newton:
    """One Newton step towards the minimizer of the loss on the records that are left.

    Whatever the step leaves of the gradient is hidden by noise that was added to the objective
    at training. An upper bound of it is spent from a budget at every request, a whole batch
    costing one step; when the budget does not cover a request, it is refused.

    Claim       Certified(epsilon, delta) with sigma > 0; Heuristic without noise.
    Parameters  epsilon > 0, 0 < delta < 1 : the guarantee
                sigma >= 0 : standard deviation of the objective's noise
                penalty > 0 : L2 penalty a record (lambda; the objective has lambda n / 2 |w|^2)
                radius > 0 : longer rows are scaled down to this norm, each by itself
    Errors      BudgetSpent; NoRoute for another kind of model; OneClassLeft, NothingLeft

    Examples
    --------
    >>> from unteach.data import load
    >>> rows, method = load("breast_cancer"), Newton(sigma=1.0)
    >>> model = method.prepare().learn(rows, seed=0)
    >>> gone = method.forget(model, rows, Request(ids=[7, 8]), seed=0)
    >>> str(gone.claim), gone.model.ledger_.spent < gone.model.ledger_.budget
    ('certified (epsilon 1, delta 0.0001)', True)

    Source      Guo et al. 2020 (ICML), section 3 and theorem 3. We differ: the Lipschitz constant
                of l'' is the tight 1/(6 sqrt 3) instead of 1/4; the remainder is bounded by the
                squares of X move, gamma/2 |X| |(X move)^2|, which holds for rows of any norm and
                is never looser than corollary 1 for rows of norm 1; the spectral norm is bounded
                from above rather than estimated by power iteration; the residual of training is
                on the ledger; the step starts from the gradient as it is, so that what earlier
                steps left is corrected while it stays spent; the heads of a multi-class model
                combine by the Euclidean norm.
    """

    epsilon: float = 1.0
    delta: float = 1e-4
    sigma: float = 1.0
    penalty: float = 1e-2
    radius: float = 1.0

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            raise BadInput(
                f"penalty must be above 0 (the loss must be strongly convex), got {self.penalty}"
            )
        if not self.radius > 0:
            raise BadInput(f"radius must be above 0, got {self.radius}")
        if not self.sigma >= 0:
            raise BadInput(f"sigma must be at least 0, got {self.sigma}")
        Certified(self.epsilon, self.delta)

    @property
    def claim(self) -> Claim:
        """What the parameters allow to be claimed."""
        if self.sigma == 0:
            return Heuristic("a Newton step without noise bounds nothing")
        return Certified(self.epsilon, self.delta, ASSUMPTIONS)

    def prepare(self, learner: Any = None) -> NoisyLogisticLearner:
        """Return the learner whose models this method can forget from.

        Only a logistic regression (or None) can stand in for it; penalty and noise are ours.
        """
        if learner is not None and "logistic" not in type(learner).__name__.lower():
            raise NoRoute(
                f"Newton's certificate holds for L2-regularized logistic regression, not for "
                f"{type(learner).__name__}"
            )
        return NoisyLogisticLearner(
            self.penalty, self.sigma, self.epsilon, self.delta, self.radius, ASSUMPTIONS
        )

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        targets = request.targets(records)
        model = _refuse(model, records, targets)
        if len(targets):
            step = _step(model, records, request)
            if model.learner_.sigma > 0 and step.bound > model.ledger_.left:
                raise BudgetSpent(
                    f"this request needs {step.bound:.4g} of the certificate's budget and "
                    f"{model.ledger_.left:.4g} is left; retrain with fresh noise"
                )
        return _claim(model)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model after one step, with the bound spent on its ledger."""
        targets = request.targets(records)
        model = _refuse(model, records, targets)
        if len(targets) == 0:
            return Forgotten(model, _claim(model), Cost(route="nothing to forget"))
        with Stopwatch() as watch:
            step = _step(model, records, request)
            ledger = model.ledger_
            if model.learner_.sigma > 0:
                ledger = ledger.spend(
                    "forget", len(targets), bound=step.bound, residual=step.residual
                )
        cost = watch.cost(rows_read=len(records), route="one Newton step")
        ids = request.applied_to(records).ids
        return Forgotten(model.changed(step.coef, ledger, ids), _claim(model), cost)


def _refuse(model: Any, records: Records, targets: Ids) -> NoisyLogistic:
    """Return the model if it can be stepped from with these records."""
    if not isinstance(model, NoisyLogistic):
        raise NoRoute(
            f"{type(model).__name__} was not trained with a noisy objective; learn it with "
            "Newton(...).prepare(), or retrain"
        )
    if np.isnan(model.noise_).any():
        raise NoRoute("this model was exported to serve, without its noise; retrain it instead")
    check_standing(model, records, targets)
    return model


def _claim(model: NoisyLogistic) -> Claim:
    """Return what the model's own training supports, whatever the caller's parameters say."""
    recipe = model.learner_
    return Newton(recipe.epsilon, recipe.delta, recipe.sigma, recipe.penalty, recipe.radius).claim


@dataclass(frozen=True)
class _Step:
    coef: Any
    bound: float
    residual: float


def _step(model: NoisyLogistic, records: Records, request: Request) -> _Step:
    """Return the step on the records that are left, its bound, and its residual as it is."""
    rest = request.applied_to(records)
    y = np.asarray(rest.y)
    left = np.unique(y)
    if len(left) < 2:
        raise OneClassLeft(f"one class is left ({left.tolist()}); a classifier needs two")
    if not np.array_equal(left, model.classes_):
        raise NoRoute(
            f"the classes would change from {model.classes_.tolist()} to {left.tolist()}; a step "
            "cannot remove a head: retrain"
        )
    x = clipped(rest.x, model.learner_.radius)
    ridge = model.learner_.penalty * len(x)
    norm = spectral_bound(x)
    coef, bounds, residuals = np.empty_like(model.coef_), [], []
    for k, (w, noise) in enumerate(zip(model.coef_, model.noise_, strict=True)):
        s = signs(y, model.classes_, k)
        move = -cho_solve(cho_factor(hessian(w, x, ridge)), gradient(w, x, s, noise, ridge))
        coef[k] = w + move
        # grad(w + move) = X' v with |v_i| <= gamma/2 (x_i . move)^2, so that
        # |grad(w + move)| <= gamma/2 |X| |(X move)^2|, whatever the rows' norms
        bounds.append(CURVATURE / 2 * norm * np.linalg.norm((x @ move) ** 2))
        residuals.append(np.linalg.norm(gradient(coef[k], x, s, noise, ridge)))
    residual = float(np.linalg.norm(residuals))
    return _Step(coef, max(float(np.linalg.norm(bounds)), residual), residual)
