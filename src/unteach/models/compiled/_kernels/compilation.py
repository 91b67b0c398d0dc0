"""Compile the trainers now rather than at their first use, and say how long it took."""

from __future__ import annotations

import time

import numpy as np

from unteach.core import Progress


def warm_up(*, progress: Progress | None = None) -> dict[str, float]:
    """Return the seconds that each trainer took to be compiled, or to be read from the cache.

    The compiled code is cached beside the package (or where NUMBA_CACHE_DIR says), so that only
    the first process on a machine compiles.

    >>> sorted(warm_up())
    ['cnn', 'mlp']
    """
    from ..cnn import CNN
    from ..mlp import MLP

    x, y = np.eye(2, 16), np.array([0, 1])
    took: dict[str, float] = {}
    for name, learner in (("mlp", MLP(hidden=(8,), epochs=1)), ("cnn", CNN(epochs=1))):
        began = time.perf_counter()
        learner.subset_outputs(x, y, np.ones((1, 2), bool), [0], x)
        took[name] = time.perf_counter() - began
        if progress is not None:
            progress(len(took), 2, f"compiled {name}")
    return took
