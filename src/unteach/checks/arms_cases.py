"""The cases that metrics of arms are tried on: many models of one request, of three kinds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from unteach.core import Case, Rows
from unteach.models import MLP, Logistic
from unteach.unlearn import DoNothing, OverForget, Retrain

from .cases import JitteredLearner, pole_case, trial_of
from .worlds import World, memorable_world

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
