"""What the tail study is run on: sets, learners, fractions, and how a draw is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unteach.core import stream
from unteach.data import draws, mislabelled
from unteach.models import MLP

from ..study import prepared

ARMS = ("memorized", "random", "class_matched")
ARM_LABELS = {
    "memorized": "the most memorized",
    "random": "as many at random",
    "class_matched": "as many at random, of the same classes",
}
LEARNERS = ("mlp", "knn", "svc")
LEARNER_SHORT = {"mlp": "network", "knn": "nearest neighbour", "svc": "kernel machine"}
LEARNER_LABELS = {
    "mlp": "neural network (128 hidden units), retrained",
    "knn": "nearest neighbour, forgotten exactly",
    "svc": "kernel machine (rbf), forgotten exactly",
}
PRIMARY = 0.1
"""The share at which the thesis is judged, chosen beforehand."""


@dataclass(frozen=True)
class Source:
    """A real set and how it is drawn.

    Parameters
    ----------
    name : of the source · dataset : as in `unteach.data` · title : what people call it
    n_train, n_test : records that each draw learns from and is tested on
    noise : share of training labels that are made wrong
    components : inputs are the first so many principal components of the whole set; 0: as it is
    learners : which learners are tried on it
    """

    name: str
    title: str
    dataset: str
    n_train: int
    n_test: int
    noise: float = 0.0
    components: int = 0
    learners: tuple[str, ...] = LEARNERS

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**vars(self), "learners": list(self.learners)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Source:
        """Return the source that `to_json` wrote."""
        return cls(**{**data, "learners": tuple(data["learners"])})


DIGITS = Source("digits", "digits", "digits", 1400, 397)
NOISY = Source("digits_noisy", "digits, 10 % of labels wrong", "digits", 1400, 397, noise=0.1)
QUICK = (DIGITS, NOISY)
FULL_ONLY = (
    Source(
        "mnist",
        "MNIST (5,000 of its images)",
        "mnist",
        3000,
        2000,
        components=64,
        learners=("mlp", "knn"),
    ),
    Source(
        "fashion",
        "Fashion-MNIST",
        "fashion_mnist",
        6000,
        10000,
        components=64,
        learners=("mlp", "knn"),
    ),
    Source(
        "fashion_noisy",
        "Fashion-MNIST, 10 % of labels wrong",
        "fashion_mnist",
        6000,
        10000,
        noise=0.1,
        components=64,
        learners=("mlp",),
    ),
)


class Drawn(NamedTuple):
    """One data draw: float32 inputs, class codes, which labels are wrong, ids of the set."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    ids: NDArray[Any]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def draw(source: Source, seed: int, k: int) -> Drawn:
    """Return the k-th draw of a source; only training labels are made wrong."""
    whole = prepared(source.dataset, source.components)
    wanted = draws(whole, n_draws=k + 1, n_train=source.n_train, n_holdout=source.n_test, seed=seed)
    *_, last = wanted
    train = last.train
    wrong = np.zeros(len(train), dtype=np.bool_)
    if source.noise:
        made = mislabelled(
            train, fraction=source.noise, seed=int(stream(seed, "noise", k).integers(2**31))
        )
        train, wrong = made.records, np.asarray(made.records.column("mislabelled"), np.bool_)
    return Drawn(
        np.asarray(train.x, np.float32),
        np.asarray(train.y, np.int64),
        wrong,
        train.ids,
        np.asarray(last.holdout.x, np.float32),
        np.asarray(last.holdout.y, np.int64),
    )


def network(hidden: int = 128, *, epochs: int = 40, lr: float = 0.15) -> MLP:
    """Return the network that the study trains, long enough to fit wrong labels too.

    A network that stops before it fits them looks as if it memorized nothing.
    """
    return MLP(hidden=(hidden,), epochs=epochs, batch_size=32, lr=lr)
