"""A small world that a flexible model memorizes: the bench on which metrics are checked."""

from __future__ import annotations

import numpy as np

from unteach.core import Rows, stream

from .world import World, whole

GAP = 5.0


def memorable(
    seed: int, *, n: int = 120, n_mislabelled: int = 12, n_holdout: int = 200, features: int = 80
) -> World:
    """Return two classes that are easy to tell apart, with some targets planted wrong.

    Feature 0 is the class, -GAP / 2 or GAP / 2; the others are standard Gaussian noise, by which
    every record can be recognised. A flexible model (nearest neighbour, a wide-open rbf or even
    linear machine) fits each wrong target exactly, and predicts the true class where the record
    is left out: a memorization of 1 on the leave-one-out scale, against about 0 for the others.
    The columns are those of `mislabelled`; groups are "wrong" and "right". Controls are as many
    right records, also among `records`; `holdout` is fresh and right.

    Parameters
    ----------
    n : records to learn from, at least 8
    n_mislabelled : of them planted wrong, half a class each, 2 to n // 4
    n_holdout : at least 2
    features : at least 2; fewer features, or records much closer, are memorized less

    Examples
    --------
    >>> world = memorable(0)
    >>> world.records, len(world.planted_ids), len(world.holdout)
    (Rows(120 records: x(120, 80), y(120,), true_y(120,), mislabelled(120,), planted(120,),
    2 groups), 12, 200)
    """
    n = whole(n, "n", least=8)
    n_mislabelled = whole(n_mislabelled, "n_mislabelled", least=2, most=n // 4)
    n_holdout = whole(n_holdout, "n_holdout", least=2)
    features = whole(features, "features", least=2)
    rng = stream(seed, "data", "memorable")
    total = n + n_holdout
    true = np.concatenate([rng.permutation(np.arange(k) % 2) for k in (n, n_holdout)])
    x = rng.standard_normal((total, features))
    x[:, 0] = GAP * (true - 0.5)
    wrong, right = [], []
    for label in (0, 1):
        of_class = rng.permutation(np.flatnonzero(true[:n] == label))
        count = (n_mislabelled + label) // 2
        wrong.append(of_class[:count])
        right.append(of_class[count : 2 * count])
    marked = np.zeros(total, dtype=bool)
    marked[np.concatenate(wrong)] = True
    everything = Rows(
        np.arange(total),
        {
            "x": x,
            "y": np.where(marked, 1 - true, true),
            "true_y": true,
            "mislabelled": marked,
            "planted": marked,
        },
        np.where(marked, "wrong", "right"),
    )
    records = everything.take(np.arange(n))
    return World(
        records,
        records.ids[marked[:n]],
        "mislabelled",
        records.take(np.sort(np.concatenate(right))),
        everything.take(np.arange(n, total)),
    )
