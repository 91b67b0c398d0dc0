"""How much a learner holds of each record, and what held-out points see when some go."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.audit import near_duplicates
from unteach.core import Rows, stream

from .setting import ARMS, Drawn


def chosen(
    memory: NDArray[np.float64], y: NDArray[np.int64], count: int, rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """Return the positions that each arm forgets: the most memorized, and its two controls."""
    order = np.lexsort((rng.random(len(memory)), -memory))  # ties in random order
    top = order[:count]
    shuffled = rng.permutation(len(y))
    matched = [
        shuffled[y[shuffled] == label][: int((y[top] == label).sum())] for label in np.unique(y)
    ]
    found = (top, rng.permutation(len(y))[:count], np.concatenate(matched))
    return dict(zip(ARMS, found, strict=True))


def alone(data: Drawn) -> NDArray[np.bool_]:
    """Return which held-out points have no near-duplicate among the training points."""
    train = Rows(np.arange(len(data.y)), {"x": data.x, "y": data.y})
    test = Rows(len(data.y) + np.arange(len(data.y_test)), {"x": data.x_test, "y": data.y_test})
    close = near_duplicates(test, train, k=1)
    return ~np.isin(test.ids, np.asarray(close["forgotten"]))


def seen(right: NDArray[np.bool_], unique: NDArray[np.bool_], count: int) -> dict[str, Any]:
    """Return accuracies from which answers are right, (models, points), and how many went.

    all, unique : over all held-out points, and over those without a near-duplicate in training
    """
    alone = right[:, unique] if unique.any() else right
    return {"all": float(right.mean()), "unique": float(alone.mean()), "n": count}


def generator(payload: dict[str, Any], *names: object) -> np.random.Generator:
    """Return the random stream of a task."""
    return stream(payload["seed"], "tail", *names, payload["draw"])


def held(members: NDArray[np.bool_], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return in-accuracy less out-accuracy of each record: members, right (models, n) -> (n,)."""
    inside = (right & members).sum(axis=0) / members.sum(axis=0)
    outside = (right & ~members).sum(axis=0) / (~members).sum(axis=0)
    return np.asarray(inside - outside, dtype=np.float64)
