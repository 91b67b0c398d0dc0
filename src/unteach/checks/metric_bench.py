"""The bench on which a metric is tried: its readings of the poles, each read once."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.base import clone

from unteach.core import Case, Forgotten, Heuristic, Reading, Request, Rows, Trial, derive, stream
from unteach.models import MLP, Logistic, as_learner, learn, margins
from unteach.unlearn import DoNothing, Newton, OverForget, Retrain

from .law import demand
from .worlds import World, memorable_world

# The cases that metrics are tried on: the three poles, and one in which two faults cancel.


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


# The cases that metrics of arms are tried on: many models of one request, of three kinds.

NETWORK = MLP(hidden=(12,), epochs=40, batch_size=16, lr=0.05)


def arms_case(pole: str, models: int, world: str = "linear") -> Case:
    """Return the case of a pole over many models of one request.

    world : "linear" models; "network", small ones with a hidden layer; "swapped", linear models of
        a split and of its swap, `models` of each. "Half" is linear only.

    >>> case = arms_case("DoNothing", 4, "swapped")
    >>> len(case.trials), bool(case.trials[0].forget.ids[0] == case.trials[1].holdout.ids[0])
    (8, True)
    """
    if world == "network":
        return _network_case(pole, models)
    return _swapped_case(pole, models) if world == "swapped" else pole_case(pole, models, "seeds")


def _method(pole: str, learner: Any) -> Any:
    return {
        "Retrain": Retrain(learner),
        "DoNothing": DoNothing(),
        "OverForget": OverForget(strength=3, learner=learner),
    }[pole]


@lru_cache(maxsize=8)
def _network_case(pole: str, models: int) -> Case:
    world, method = memorable_world(seed=0), _method(pole, NETWORK)
    return Case(tuple(trial_of(world, method, NETWORK, k) for k in range(models)), "seeds")


@lru_cache(maxsize=8)
def _swapped_case(pole: str, models: int) -> Case:
    """Return trials that forget F and hold out T, each followed by one that forgets T.

    F and T are mislabelled alike: ten records each, of one world.
    """
    base = memorable_world(seed=0)
    gone = base.records.select(base.planted)
    never = base.holdout.take(np.arange(len(gone)))
    never = Rows(never.ids, {"x": never.x, "y": 1 - np.asarray(never.y)})
    rest = base.records.without(base.planted)
    learner = JitteredLearner(Logistic(C=10.0))
    method, sides = _method(pole, learner), []
    for first, (one, other) in enumerate(((gone, never), (never, gone))):
        rows = Rows(
            np.concatenate([rest.ids, one.ids]),
            {c: np.concatenate([rest.columns[c], one.columns[c]]) for c in ("x", "y")},
        )
        world = World(rows, other, one.ids)
        sides.append([trial_of(world, method, learner, 2 * k + first) for k in range(models)])
    return Case(tuple(t for pair in zip(*sides, strict=True) for t in pair), "seeds")


SEEDS = 10  # models an arm on which metrics of arms are tried


@dataclass(frozen=True)
class MetricBench:
    """A metric, and the cases it is tried on."""

    metric: Any
    _read: dict[str, Reading] = field(default_factory=dict, repr=False, compare=False)

    @property
    def forgets(self) -> bool:
        """Say whether it is registered as a forgetting metric."""
        return getattr(self.metric, "role", None) == "forgetting"

    def case(self, pole: str = "DoNothing") -> Case:
        """Return a case of the kind that the metric asks for.

        A metric of arms, which says `replicates = "seeds"`, is given many models of one request;
        it may say `models`, the least that it reads, and `world`, the kind that it needs
        (`arms_case`).
        """
        if self.metric.role == "ledger":
            return certified_case()
        if getattr(self.metric, "replicates", "") == "seeds":
            least = max(SEEDS, int(getattr(self.metric, "models", SEEDS)))
            return arms_case(pole, least, getattr(self.metric, "world", "linear"))
        return pole_case(pole)

    def pole(self, pole: str = "DoNothing") -> Reading:
        """Return the reading of a pole, read once."""
        if pole not in self._read:
            self._read[pole] = self.read(self.case(pole))
        return self._read[pole]

    def read(self, case: Case) -> Reading:
        """Return the reading; anything but a Reading breaks the law."""
        reading: Reading = self.metric.read(case)
        demand(isinstance(reading, Reading), f"read returned {type(reading).__name__}, no Reading.")
        return reading
