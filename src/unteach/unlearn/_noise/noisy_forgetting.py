"""What descent-to-delete and Langevin unlearning share: go on along the noisy path, and account."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import (
    BadInput,
    BudgetSpent,
    Certified,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Model,
    NoRoute,
    OneClassLeft,
    Records,
    Request,
    Stopwatch,
    Trainable,
    derive,
)
from unteach.models import TrainedNetwork, Training, as_trainable

from .._shared.compiled_bridge import bridged
from .._shared.forget_retain_split import (
    check_standing,
    copy_to_change,
    forgettable,
    settle,
    sides_of,
)
from .noisy_path import Constants, NoisyPathLearner, NoisyPathModel


@dataclass(frozen=True)
class NoisyForgetting:
    """A method that walks on along a noisy path on what is kept; subclasses say where noise is.

    On models of its own learner (`prepare`) the conditions of the proof hold and are computed
    from the data's bound and the penalty: the loss is strongly convex and smooth, steps stay in a
    ball, the training's path is long enough. On a network they do not: there it takes `steps`
    gradient steps of size `lr` on what is kept, with noise, and claims nothing.

    Parameters  epsilon > 0, 0 < delta < 1 : the guarantee, where there is one
                sigma >= 0 : the noise; each subclass says of what
                penalty > 0, radius > 0 : of the objective, see `noisy_path`
                steps : at least 1, taken at each request · train_steps : at least steps
                lr : step size on networks; of the convex objective it is computed
    """

    epsilon: float = 1.0
    delta: float = 1e-4
    sigma: float = 0.1
    penalty: float = 0.05
    radius: float = 1.0
    steps: int = 20
    train_steps: int = 120
    lr: float = 0.5

    every_step: ClassVar[bool] = False
    assumptions: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        Constants.of(self.penalty, self.radius)
        Certified(self.epsilon, self.delta)
        if not self.delta > 0:
            raise BadInput("delta must be above 0: Gaussian noise gives no pure epsilon")
        if not self.sigma >= 0 or not self.lr > 0:
            raise BadInput(f"sigma is at least 0 and lr above 0, got {self.sigma}, {self.lr}")
        if not 1 <= self.steps <= self.train_steps:
            raise BadInput(
                "steps lie between 1 and train_steps: the path of a retrained model must be at "
                f"least as long as that of one request, got {self.steps} and {self.train_steps}"
            )

    def prepare(self, learner: Any = None) -> Any:
        """Return the learner whose models this method can forget from with a certificate.

        A logistic regression (or None) gives way to it; a network stays as it is, and what is
        forgotten from its models is heuristic.
        """
        if getattr(learner, "module", None) is not None:
            return learner
        if learner is not None and "logistic" not in type(learner).__name__.lower():
            raise NoRoute(
                f"{type(self).__name__} is proved for L2-regularized logistic regression, and "
                f"runs on networks; a {type(learner).__name__} is neither"
            )
        return NoisyPathLearner(
            self.penalty,
            self.radius,
            self.sigma,
            self.train_steps,
            self.steps,
            self.epsilon,
            self.delta,
            self.every_step,
            self.assumptions,
        )

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        if not isinstance(model, NoisyPathModel):
            self._trainable(model, records, request)
            return Heuristic(why_not(as_trainable(model)))
        targets = self._targets(model, records, request)
        if len(targets) and model.learner_.sigma > 0:
            bound = _bound(model, len(targets), len(records) - len(targets))
            if bound > model.ledger_.left:
                raise BudgetSpent(
                    f"this request needs {bound:.4g} of the certificate's budget and "
                    f"{model.ledger_.left:.4g} is left; retrain with fresh noise"
                )
        return _claim(model)

    @bridged
    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model after so many steps on what is kept, with the bound on its ledger."""
        if not isinstance(model, NoisyPathModel):
            return self._from_network(model, records, request, seed)
        targets = self._targets(model, records, request)
        if len(targets) == 0:
            return Forgotten(model, _claim(model), Cost(route="nothing to forget"))
        recipe, ledger = model.learner_, model.ledger_
        with Stopwatch() as watch:
            rest = request.applied_to(records)
            if recipe.sigma > 0:
                bound = _bound(model, len(targets), len(rest))
                ledger = ledger.spend("forget", len(targets), bound=bound, residual=0.0)
            names = ("forget", model.ids_digest_)
            path = recipe.walk(model.path_, rest, model.classes_, recipe.last, seed, *names)
            if recipe.sigma > 0 and not recipe.every_step:
                ledger = ledger.measured(recipe.residual(path, rest, model.classes_))
            coef = recipe.shown(path, seed, *names)
        after = model.moved(coef, path, ledger, rest.ids)
        cost = watch.cost(
            rows_read=len(rest),
            route=f"{recipe.last} steps of noisy descent",
            gradients=recipe.last * len(rest),
        )
        return Forgotten(after, _claim(model), cost)

    def _targets(self, model: NoisyPathModel, records: Records, request: Request) -> Any:
        targets = request.targets(records)
        if request.replace is not None:
            raise NoRoute(f"{type(self).__name__} forgets; to change what records say, retrain")
        if np.isnan(model.path_).any():
            raise NoRoute("this model was saved to serve, without its path; retrain it instead")
        if model.learner_.every_step != self.every_step:
            raise NoRoute("this model was learned for the other of NoisyDescent and Langevin")
        check_standing(model, records, targets)
        if len(targets):
            left = np.unique(np.asarray(request.applied_to(records).y))
            if len(left) < 2:
                raise OneClassLeft(f"one class is left ({left.tolist()}); a classifier needs two")
            if not np.array_equal(left, model.classes_):
                raise NoRoute("a class would vanish; a step cannot remove a head: retrain")
        return targets

    def _trainable(self, model: Any, records: Any, request: Request) -> bool:
        if request.replace is not None:
            raise NoRoute(f"{type(self).__name__} forgets; to change what records say, retrain")
        if not isinstance(model, (Trainable, TrainedNetwork)):
            raise NoRoute(
                f"{type(model).__name__} was not learned by {type(self).__name__}(...).prepare() "
                "and is no network; learn it so, or retrain"
            )
        return forgettable(type(self).__name__, model, records, request)

    def _from_network(self, model: Any, records: Any, request: Request, seed: int) -> Forgotten:
        """Take noisy steps on the kept records' loss; nothing is proved of what results."""
        claim = Heuristic(why_not(model))
        if not self._trainable(model, records, request):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        import torch

        from unteach.models import fit, seeded

        sides = sides_of(records, request, False, seed)
        after = copy_to_change(type(self).__name__, model, sides.forget)

        def shake() -> None:
            with torch.no_grad():
                for p in after.parameters():
                    p.add_(torch.randn_like(p), alpha=math.sqrt(2 * self.lr) * self.sigma)

        with Stopwatch() as watch:
            each = [lambda moment: shake()] if self.every_step else []
            done = fit(
                after,
                lambda rng: after.batches(sides.retain, rng),
                after.mean_loss,
                Training(steps=self.steps, lr=self.lr, optimizer="sgd"),
                seed=derive(seed, "forget"),
                callbacks=each,
            )
            if not self.every_step:
                with seeded(derive(seed, "published")):
                    for p in after.parameters():
                        with torch.no_grad():
                            p.add_(torch.randn_like(p), alpha=self.sigma)
        settle(after, done, records, request)
        cost = watch.cost(
            rows_read=sides.read, route=f"{done.steps} noisy steps", gradients=done.gradients
        )
        return Forgotten(after, claim, cost)


def why_not(model: Any) -> str:
    """Return which conditions of the proof a model fails, as one sentence.

    >>> why_not(object())
    'not proved: it was not trained by projected noisy descent'
    """
    failed = []
    module = getattr(model, "module", None)
    if module is not None:
        owners = [m for m in module.modules() if any(True for _ in m.parameters(recurse=False))]
        if len(owners) != 1:
            failed.append(f"its loss is not convex ({len(owners)} layers)")
        if not getattr(getattr(model, "how", None), "weight_decay", 0.0):
            failed.append("its loss has no penalty that makes it strongly convex")
    failed.append("it was not trained by projected noisy descent")
    return "not proved: " + "; ".join(failed)


def _bound(model: NoisyPathModel, gone: int, left: int) -> float:
    """Return what a request adds to the distance of the two paths' ends."""
    recipe, c = model.learner_, model.learner_.constants
    added = c.contraction**recipe.last * c.shift(gone, left)
    if recipe.every_step:  # each request is compared with a retrained path of finite length
        added += c.contraction**recipe.steps * c.ball
    return math.sqrt(len(model.coef_)) * added


def _claim(model: NoisyPathModel) -> Claim:
    """Return what the model's own training supports, whatever the caller's parameters say."""
    recipe = model.learner_
    if recipe.sigma == 0:
        return Heuristic("descent without noise hides nothing")
    return Certified(recipe.epsilon, recipe.delta, recipe.assumptions)
