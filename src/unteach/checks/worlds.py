"""Small worlds for the laws: records with a few that any model must bend for."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from unteach.core import Rows, stream

Task = Literal["classification", "regression", "sequences"]


class World(NamedTuple):
    """Records to learn from, records to hold out, and the ids that pull the model astray."""

    records: Rows
    holdout: Rows
    planted: np.ndarray


def small_world(task: Task, *, seed: int = 0, classes: int = 2, n: int = 60) -> World:
    """Return n records in 4 dimensions, of which 5 contradict the rest, and 40 held out.

    Of sequences each calls the larger (0) or the smaller (1) of two tokens of 2 to 4, and says
    it; the 5 say the other.

    >>> world = small_world("classification")
    >>> len(world.records), len(world.holdout), world.planted
    (60, 40, array([107, 111, 120, 133, 148]))
    """
    rng = stream(seed, "small world", task)
    if task == "sequences":
        return _calls(rng, n)
    x = rng.normal(size=(n + 40, 4))
    f = x @ np.array([1.5, -1.0, 0.5, 0.0])
    at = np.array([7, 11, 20, 33, 48])
    if task == "regression":
        y = f + 0.1 * rng.normal(size=n + 40)
        x[at] *= 2.0
        y[at] += 6.0
    else:
        edges = np.quantile(f, np.linspace(0, 1, classes + 1)[1:-1])
        y = np.digitize(f + 0.3 * rng.normal(size=n + 40), edges)
        x[at] *= 2.0
        y[at] = (np.digitize(x[at] @ np.array([1.5, -1.0, 0.5, 0.0]), edges) + 1) % classes
    rows = Rows(np.arange(100, n + 140), {"x": x, "y": y})
    return World(rows.take(np.arange(n)), rows.take(np.arange(n, n + 40)), rows.ids[at])


def _calls(rng: np.random.Generator, n: int) -> World:
    from unteach.data import sequences

    call, one, other = rng.integers(0, 2, n + 40), *rng.integers(2, 5, (2, n + 40))
    said = np.where(call == 0, np.maximum(one, other), np.minimum(one, other))
    at = np.flatnonzero((call[:n] == 0) & (one[:n] != other[:n]))[:5]
    said[at] = np.minimum(one, other)[at]
    tokens = np.stack([call, one, other, said, np.full(n + 40, 5)], axis=1)
    rows = sequences(tokens, prompts=3, ids=np.arange(100, n + 140))
    return World(rows.take(np.arange(n)), rows.take(np.arange(n, n + 40)), rows.ids[at])


def memorable_world(*, seed: int = 0) -> World:
    """Return a world in which a linear classifier memorizes what it is told to forget.

    60 records in 120 dimensions with labels by a linear rule; 10 are mislabelled. More
    dimensions than records: a weakly regularized model fits every label, wrong or right, and
    unlearns a wrong one when it is retrained without it.

    >>> len(memorable_world().planted)
    10
    """
    rng = stream(seed, "memorable world")
    x = rng.normal(size=(160, 120))
    x[:, 0] *= 4.0
    y = (x[:, 0] + 0.5 * x[:, 1] > 0).astype(np.int64)
    at = np.sort(rng.choice(60, size=10, replace=False))
    y[at] = 1 - y[at]
    rows = Rows(np.arange(1000, 1160), {"x": x, "y": y})
    return World(rows.take(np.arange(60)), rows.take(np.arange(60, 160)), rows.ids[at])


def small_network(**settings: Any) -> Any:
    """Return the learner of small networks on which gradient methods are tried; needs torch.

    One hidden layer of 16 units over the small world's 4 inputs, trained until it bends for the
    records that contradict the rest.

    >>> small_network(epochs=2).how.epochs
    2
    """
    from unteach.models import Layers, Network

    how = {"epochs": 60, "lr": 0.02, "batch_size": 16, **settings}
    return Network(module=Layers((4, 16, 2)), **how)


def small_transformer(**settings: Any) -> Any:
    """Return the learner of small causal transformers on which token methods are tried.

    >>> small_transformer(epochs=2).task
    'sequences'
    """
    from unteach.models import Network, Transformer

    how = {"epochs": 20, "lr": 0.02, "batch_size": 32, **settings}
    shape = Transformer(6, end=5, width=16, heads=2, layers=1, length=6)
    return Network(module=shape, loss="next_token", **how)
