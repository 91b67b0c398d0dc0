"""One task: a cell of the phase diagram, one draw: what unlearning does, and what was foretold."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import derive
from unteach.data import LongTail, frequencies, long_tail
from unteach.memorize import Design, expected_change, good_turing, tau

from .measure import chosen, generator, held
from .setting import network

CLASSES = 10
_MOST = 40  # counts beyond it are common: their frequency is their share of the sample


def phase_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the change of accuracy when the most memorized go, measured and as the theory says.

    payload : {"n", "subpopulations", "exponent", "noise", "hidden", "share", "models",
    "retrained", "seed", "draw"}
    """
    n, seeds = payload["n"], payload["retrained"]
    names = ("phase", payload["exponent"], payload["noise"])
    root = derive(payload["seed"], "tail", *names, payload["draw"])
    world = long_tail(
        n=n,
        subpopulations=payload["subpopulations"],
        exponent=payload["exponent"],
        noise=payload["noise"],
        classes=CLASSES,
        seed=root,
    )
    x, y = np.asarray(world.records.x, np.float32), np.asarray(world.records.y)
    x_test, y_test = np.asarray(world.holdout.x, np.float32), np.asarray(world.holdout.y)
    learner = network(payload["hidden"], epochs=60, lr=0.1)
    design = Design(n, Fraction(1, 2), root)
    members = design.members(0, payload["models"])
    found = learner.subset_outputs(x, y, members, design.seeds(0, payload["models"]), x)
    right = found.argmax(axis=2) == y
    memory = held(members, right)
    rng = generator(payload, *names, payload["hidden"])
    count = round(payload["share"] * n)
    kept = np.ones((3, seeds, n), dtype=np.bool_)
    kept[1][:, chosen(memory, y, count, rng)["memorized"]] = False
    for row in kept[2]:
        row[chosen(memory, y, count, rng)["random"]] = False
    again = np.tile(np.arange(seeds, dtype=np.uint64) + np.uint64(root), 3)
    after = learner.subset_outputs(x, y, kept.reshape(3 * seeds, n), again, x_test)
    accuracy = (after.argmax(axis=2) == y_test).mean(axis=1).reshape(3, seeds)
    means = accuracy.mean(axis=1)
    theory = _Theory(world, payload)
    memorized, random = theory.change(kept[1][:1]), theory.change(kept[2])
    return {
        "fit": float(right[members].mean()),
        "before": float(means[0]),
        "memorized": float(means[1] - means[0]),
        "random": float(means[2] - means[0]),
        "expected": memorized[0],
        "expected_random": random[0],
        "plug_in": memorized[1],
        "plug_in_random": random[1],
        "singletons": float((theory.before == 1).sum() / n),
        "wrong": float(np.mean(world.records.column("mislabelled")[~kept[1, 0]])),
    }


class _Theory:
    """What is expected of a world, from the true prior and from its counts alone."""

    def __init__(self, world: LongTail, payload: dict[str, Any]) -> None:
        _, self.cloud = np.unique(np.asarray(world.records.groups), return_inverse=True)
        self.clean = ~np.asarray(world.records.column("mislabelled"))
        self.before, self.right = self._counted(np.ones(len(self.clean), dtype=np.bool_))
        n = payload["n"]
        known = _tau(payload["subpopulations"], payload["exponent"], n)
        common = self.before / n
        self.weight = np.where(self.before <= _MOST, known[np.minimum(self.before, _MOST)], common)
        once = good_turing(self.before)
        self.guess = np.where(self.before == 1, once, common)

    def _counted(self, kept: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        size = int(self.cloud.max()) + 1
        every = np.bincount(self.cloud[kept], minlength=size)
        clean = np.bincount(self.cloud[kept & self.clean], minlength=size)
        return every, clean

    def change(self, kept: NDArray[np.bool_]) -> tuple[float, float]:
        """Return the expected change, by the prior and by the counts, averaged over rows."""
        found = []
        for row in kept:
            after, right = self._counted(row)
            parts = (self.before, self.right, after, right)
            found.append([expected_change(*parts, w, CLASSES) for w in (self.weight, self.guess)])
        first, second = np.mean(found, axis=0)
        return float(first), float(second)


@lru_cache(maxsize=16)
def _tau(subpopulations: int, exponent: float, n: int) -> NDArray[np.float64]:
    found = tau(lambda rng: frequencies(subpopulations, exponent, rng), n, _MOST, draws=50)
    share = np.arange(_MOST + 1) / n  # where no draw makes a count likely, the share seen
    return np.where(np.isfinite(found), found, share)
