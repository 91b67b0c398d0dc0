"""Learners that the tests of memorize run in worker processes, in a module quick to load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Coin:
    """Right on what it was trained on; elsewhere right with a chance of the record's own."""

    output_kind: ClassVar[str] = "logits"
    slow: float = 0.0
    fit: float = 1.0

    def learn(self, records, *, seed):
        raise AssertionError("only subset_outputs is asked")

    def subset_outputs(self, x, y, members, seeds, at):
        import time

        time.sleep(self.slow)
        out = np.zeros((len(members), len(at), int(y.max()) + 1), np.float32)
        for m, seed in enumerate(seeds):
            draw = np.random.default_rng(int(seed)).random(len(at))
            chance = at[:, 0].copy()
            chance[: len(x)] = np.where(members[m], self.fit, chance[: len(x)])
            label = at[:, 1].astype(int)
            out[m, np.arange(len(at)), np.where(draw < chance, label, 1 - label)] = 2.0
        return out


def coin_world(n, *, chances=None, seed=0):
    """Records whose memorization by `Coin` is 1 - x[:, 0]."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    chance = rng.choice([1.0, 0.97, 0.9, 0.75, 0.6, 0.3], size=n) if chances is None else chances
    return np.column_stack([chance, y]).astype(float), y


DRIVER = """
import sys
from memory_tasks import Coin, coin_world
from unteach.memorize import Memories

if __name__ == "__main__":
    x, y = coin_world(40)
    print("start", flush=True)
    told = lambda done, total, what: print(done, flush=True)
    m = Memories(x, y, learner=Coin(slow=float(sys.argv[3])), store=sys.argv[1], seed=3)
    m.run(models=1000, jobs=int(sys.argv[2]), progress=told)
"""
