"""What the yardstick study is run on: sets, what is forgotten, by which methods."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import Records, Request, Rows, derive, stream
from unteach.data import draws, mislabelled
from unteach.memorize import Design
from unteach.models import MLP

from ..study import prepared

NOTHING, VANDAL, HALVED, RETRAIN = "DoNothing", "OverForget", "Halved", "Retrain"
POLES = (NOTHING, VANDAL, HALVED)
"""Planted faults: nothing is forgotten; all is denied; half is kept and half is denied."""
QUICK_METHODS = (
    "GradientAscent",
    "FineTune",
    "NegGradPlus",
    "RandomLabel",
    "SCRUB",
    "SalUn",
    "SSD",
)
FULL_METHODS = (
    *QUICK_METHODS,
    "LabelFreeSSD",
    "BadTeacher",
    "L1Sparse",
    "CFk",
    "EUk",
    "BoundaryShrink",
    "UNSIR",
    "Influence",
    "FisherNoise",
)
METHOD_LABELS = {
    NOTHING: "nothing",
    VANDAL: "vandal",
    HALVED: "halved",
    RETRAIN: "retrain",
    "GradientAscent": "ascent",
    "FineTune": "finetune",
    "NegGradPlus": "NegGrad",
    "RandomLabel": "relabel",
    "SalUn": "SalUn",
    "SCRUB": "SCRUB",
    "SSD": "SSD",
    "LabelFreeSSD": "SSD free",
    "BadTeacher": "teacher",
    "L1Sparse": "l1-sparse",
    "CFk": "CF-k",
    "EUk": "EU-k",
    "BoundaryShrink": "shrink",
    "UNSIR": "UNSIR",
    "Influence": "influence",
    "FisherNoise": "Fisher",
}
SETS = ("random", "mislabelled", "class", "memorized", "subpopulation")
SET_LABELS = {
    "random": "records at random",
    "mislabelled": "mislabelled records",
    "class": "one class",
    "memorized": "the most memorized records",
    "subpopulation": "one subpopulation",
}
LEARNER = MLP(hidden=(64,), epochs=40, batch_size=32, lr=0.1)
"""The network of the study: long enough trained to fit wrong labels too."""


@dataclass(frozen=True)
class Source:
    """A real set and how it is drawn: a tenth of the training labels is made wrong.

    Parameters
    ----------
    name : of the source · dataset : as in `unteach.data` · title : what people call it
    n_train, n_test : records to learn from and held out · size : records that are forgotten
    components : inputs are the first so many principal components; 0: as they are
    """

    name: str
    title: str
    dataset: str
    n_train: int
    n_test: int
    size: int
    noise: float = 0.1
    components: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Source:
        """Return the source that `to_json` wrote."""
        return cls(**data)


QUICK = (Source("digits", "digits", "digits", 400, 400, 36),)
FULL = (Source("digits", "digits", "digits", 800, 600, 60),)
FULL_ONLY = (
    Source("mnist", "MNIST", "mnist", 1500, 1000, 60, components=64),
    Source("fashion", "Fashion-MNIST", "fashion_mnist", 1500, 1000, 60, components=64),
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A draw: what is learned from, what is held out, which labels are wrong, how many classes."""

    train: Rows
    holdout: Rows
    wrong: NDArray[np.bool_]
    classes: int


@lru_cache(maxsize=2)
def drawn(source: Source, seed: int) -> Drawn:
    """Return the draw of a source; only training labels are made wrong."""
    whole = prepared(source.dataset, source.components)
    (one,) = draws(whole, n_draws=1, n_train=source.n_train, n_holdout=source.n_test, seed=seed)
    made = mislabelled(one.train, fraction=source.noise, seed=derive(seed, "yardstick", "noise"))
    train = Rows(
        made.records.ids,
        {"x": np.asarray(made.records.x, np.float32), "y": np.asarray(made.records.y, np.int64)},
    )
    holdout = Rows(
        one.holdout.ids,
        {"x": np.asarray(one.holdout.x, np.float32), "y": np.asarray(one.holdout.y, np.int64)},
    )
    wrong = np.asarray(made.records.column("mislabelled"), np.bool_)
    return Drawn(train, holdout, wrong, int(np.asarray(whole.y).max()) + 1)


def forgotten(source: Source, kind: str, seed: int, *, models: int = 60) -> NDArray[np.int64]:
    """Return the training rows that a forget set of this kind holds, in ascending order.

    random : at random · mislabelled : of those with a wrong label · class : all of one class
    memorized : those that networks answer right when they learned them and wrong when not
    subpopulation : the largest cluster (k-means, 3) of the pictures labelled as one class
    """
    data = drawn(source, seed)
    rng = stream(seed, "yardstick", "forget", kind)
    y = np.asarray(data.train.y)
    if kind == "random":
        rows = rng.choice(len(y), source.size, replace=False)
    elif kind == "mislabelled":
        wrong = np.flatnonzero(data.wrong)
        rows = rng.choice(wrong, min(source.size, 3 * len(wrong) // 4), replace=False)
    elif kind == "memorized":
        held = _memorized(source, seed, models)
        rows = np.lexsort((rng.random(len(y)), -held))[: source.size]
    else:
        rows = np.flatnonzero(y == int(rng.integers(data.classes)))
        if kind == "subpopulation":
            rows = _cluster(np.asarray(data.train.x)[rows], rows, seed)
        rows = rows[: 2 * source.size]
    return np.sort(rows).astype(np.int64)


def _memorized(source: Source, seed: int, models: int) -> NDArray[np.float64]:
    data = drawn(source, seed)
    x, y = np.asarray(data.train.x), np.asarray(data.train.y)
    design = Design(len(y), Fraction(1, 2), derive(seed, "yardstick", "memorized"))
    members = design.members(0, models)
    said = LEARNER.subset_outputs(x, y, members, design.seeds(0, models), x, classes=data.classes)
    right = said.argmax(axis=2) == y
    inside = (right & members).sum(axis=0) / np.maximum(members.sum(axis=0), 1)
    outside = (right & ~members).sum(axis=0) / np.maximum((~members).sum(axis=0), 1)
    return np.asarray(inside - outside, dtype=np.float64)


def _cluster(x: Any, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    found = KMeans(3, n_init=5, random_state=seed % 2**31).fit(np.asarray(x, np.float64)).labels_
    kept: NDArray[np.int64] = rows[found == int(np.argmax(np.bincount(found)))]
    return kept


def request_of(train: Records, rows: NDArray[np.int64]) -> Request:
    """Return the request to forget these rows."""
    return Request(ids=np.asarray(train.ids)[rows].tolist())


def worlds(plan: dict[str, Any]) -> list[str]:
    """Return the forget sets by source and kind, as the tasks name them."""
    return [f"{s['name']}/{kind}" for s in plan["sources"] for kind in plan["sets"]]


def named(plan: dict[str, Any], world: str) -> str:
    """Return what people call a forget set; its source is named where there are several."""
    source, kind = world.split("/")
    title = {s["name"]: s["title"] for s in plan["sources"]}[source]
    return SET_LABELS[kind] if len(plan["sources"]) == 1 else f"{SET_LABELS[kind]}, {title}"
