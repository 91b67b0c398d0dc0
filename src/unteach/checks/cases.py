"""The cases that metrics are tried on: the three poles, and one in which two faults cancel."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.base import clone

from unteach.core import Case, Forgotten, Heuristic, Request, Trial, derive, stream
from unteach.models import Logistic, as_learner, learn, margins
from unteach.unlearn import DoNothing, Newton, OverForget, Retrain

from .worlds import World, memorable_world


def trial_of(world: World, method: Any, learner: Any, seed: int) -> Trial:
    """Return one replicate: a draw of the world, learned, forgotten, and retrained twice."""
    request = Request(ids=world.planted)
    before = learn(learner, world.records, seed=derive(seed, "before"))
    rest = request.applied_to(world.records)
    return Trial(
        before,
        method.forget(before, world.records, request, seed=derive(seed, "forget")),
        learn(learner, rest, seed=derive(seed, "reference")),
        learn(learner, rest, seed=derive(seed, "twin")),
        world.records.select(world.planted),
        rest,
        world.holdout,
        seed,
    )


@dataclass(frozen=True)
class JitteredLearner:
    """A learner with randomness of its own: two records, drawn from its seed, weigh nothing.

    `base` is an estimator whose `fit` takes `sample_weight` and `sample_ids`.

    Retraining a deterministic learner twice gives the same model and a null of no width; the
    laws are tried on a learner for which two retrainings differ, as they do for networks.
    """

    base: Any

    def learn(self, records: Any, *, seed: int) -> Any:
        """Return the base estimator fitted to all records but two."""
        weight = np.ones(len(records))
        weight[stream(seed, "jitter").choice(len(records), size=2, replace=False)] = 0.0
        return clone(self.base).fit(
            records.x, np.asarray(records.y), sample_weight=weight, sample_ids=records.ids
        )


@lru_cache(maxsize=16)
def pole_case(pole: str, trials: int = 6, unit: str = "data draws") -> Case:
    """Return the case of a pole on a planted, fully memorized forget set.

    `unit` is "data draws", or "seeds": one world, whose records several models forget.

    `pole` is "Retrain", "DoNothing", "OverForget", or "Half": the first half of the forgotten
    records left as they were and the rest denied by as much, so that signed averages cancel.
    """
    learner = JitteredLearner(Logistic(C=10.0))
    made = []
    for k in range(trials):
        world = memorable_world(seed=0 if unit == "seeds" else k)
        if pole == "Half":
            made.append(_half_and_half(world, learner, k))
        else:
            method = {
                "Retrain": Retrain(learner),
                "DoNothing": DoNothing(),
                "OverForget": OverForget(strength=3, learner=learner),
            }[pole]
            made.append(trial_of(world, method, learner, k))
    return Case(tuple(made), unit)


@lru_cache(maxsize=4)
def agreeing_case(pole: str, trials: int = 6) -> Case:
    """Return arms whose models agree to the last bit: one world, a learner without chance.

    `pole` is "Retrain" or "DoNothing".
    """
    learner, world = as_learner(Logistic(C=10.0)), memorable_world(seed=0)
    method = Retrain(learner) if pole == "Retrain" else DoNothing()
    return Case(tuple(trial_of(world, method, learner, k) for k in range(trials)), "seeds")


def _half_and_half(world: World, learner: Any, seed: int) -> Trial:
    """Return a trial whose model keeps half of the forgotten records and denies the other half.

    The retrained model, moved by the least change of its coefficients that gives every other
    forgotten record the margin it had before, and the rest the opposite of the mean of these:
    the signed gaps to retraining add up to nothing.
    """
    honest = trial_of(world, Retrain(learner), learner, seed)
    x, y = np.asarray(honest.forget.x), np.asarray(honest.forget.y)
    gap = margins(honest.before, x, y) - margins(honest.reference, x, y)
    kept = np.arange(len(gap)) % 2 == 0
    wanted = np.where(kept, gap, -gap[kept].mean() * kept.sum() / (~kept).sum())
    # margins of two classes are s f or 2 s f, whatever `models.margins` says: measure which
    s = np.where(y == honest.reference.classes_[1], 1.0, -1.0)
    unit = margins(honest.reference, x, y) / (s * honest.reference.decision_function(x))
    blend = copy.deepcopy(honest.reference)
    move = np.linalg.lstsq(x, s * wanted / unit, rcond=None)[0]
    blend.coef_ = blend.coef_ + move.reshape(blend.coef_.shape)
    return replace(honest, forgotten=Forgotten(blend, Heuristic("half kept, half denied")))


@lru_cache(maxsize=4)
def certified_case(trials: int = 3) -> Case:
    """Return the case of a certified method, for ledger metrics."""
    method = Newton(sigma=20.0, penalty=0.1)
    made = []
    for k in range(trials):
        world = memorable_world(seed=k)
        one = World(world.records, world.holdout, world.planted[:1])
        made.append(trial_of(one, method, method.prepare(), k))
    return Case(tuple(made), "data draws")
