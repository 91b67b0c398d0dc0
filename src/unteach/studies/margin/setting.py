"""What the margin study is run on: the sets, the kernels, the doses, and what is held fixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from unteach.core import BadInput, Rows, derive, stream
from unteach.data import draws, load

KERNELS = ("linear", "poly", "rbf", "sigmoid")
IMAGES = ("mnist", "fashion_mnist")
UNIQUE = ("linear", "poly", "rbf")
"""Kernels that are positive semidefinite, so that the machine is the only solution."""

ARMS = ("memory", "support", "random", "other")
ARM_LABELS = {
    "memory": "support vectors, most memorized first",
    "support": "support vectors in any order",
    "random": "as many points at random",
    "other": "as many that are no support vectors",
}
KERNEL_LABELS = {
    "linear": "linear",
    "poly": "polynomial, degree 3",
    "rbf": "Gaussian (rbf)",
    "sigmoid": "sigmoid (not unique)",
}


@dataclass(frozen=True)
class Source:
    """A set and how it is drawn.

    Parameters
    ----------
    name : as in `unteach.data`
    n_train, n_test : records that each draw learns from and is tested on
    generated : whether each draw is made afresh; draws of a real set overlap
    C : the penalty parameter, the same for all kernels
    """

    name: str
    title: str
    n_train: int
    n_test: int
    generated: bool
    C: float

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


QUICK = (
    Source("moons", "two moons (2 features, generated)", 200, 1000, True, 1.0),
    Source("digits", "digits, even or odd (64 features)", 800, 300, False, 1.0),
    Source("breast_cancer", "breast cancer (30 features)", 400, 160, False, 1.0),
)
FULL = (
    Source("moons", "two moons (2 features, generated)", 300, 2000, True, 1.0),
    Source("digits", "digits, even or odd (64 features)", 1300, 450, False, 1.0),
    Source("breast_cancer", "breast cancer (30 features)", 400, 169, False, 1.0),
    Source("wine", "wine, second cultivar or another (13 features)", 130, 48, False, 1.0),
    Source("mnist", "MNIST, even or odd (784 pixels)", 1000, 1000, False, 1.0),
    Source("fashion_mnist", "Fashion-MNIST, shirt or T-shirt (784 pixels)", 1000, 1000, False, 1.0),
)
"""Of these, the images are drawn where the package that carries them is installed."""

GALLERY = (
    Source("moons", "two moons", 200, 1000, True, 1.0),
    Source("rings", "a ring in a ring", 200, 1000, True, 1.0),
    Source("xor", "four clouds", 200, 1000, True, 1.0),
)


class Drawn(NamedTuple):
    """One data draw: inputs as the machine sees them, targets -1 and +1, ids of training rows."""

    x: Any
    y: Any
    ids: Any
    x_test: Any
    y_test: Any


def draw(source: Source, seed: int, k: int) -> Drawn:
    """Return the k-th draw of a source.

    Scaling constants are those of the whole set, computed once and held fixed: they are what
    `statistics="frozen"` means. Training rows are numbered from 0 within the draw.
    """
    if source.generated:
        made = load(source.name, n=source.n_train + source.n_test, seed=derive(seed, "draw", k))
        x, y = np.asarray(made.x), signs(source, np.asarray(made.y))
        a, b = x[: source.n_train], x[source.n_train :]
        ya, yb = y[: source.n_train], y[source.n_train :]
    else:
        named = _whole(source)
        wanted = draws(
            named, n_draws=k + 1, n_train=source.n_train, n_holdout=source.n_test, seed=seed
        )
        *_, last = wanted
        a, ya, b, yb = last.train.x, last.train.y, last.holdout.x, last.holdout.y
    order = stream(seed, "order", source.name, k).permutation(len(a))
    return Drawn(a[order], np.asarray(ya)[order], np.arange(len(a)), b, np.asarray(yb))


@lru_cache(maxsize=1)
def _whole(source: Source) -> Rows:
    """Return all records of a real set, scaled, with targets -1 and +1."""
    fashion = source.name == "fashion_mnist"
    whole = load(source.name, **({"part": "train"} if fashion else {}))
    x, y = whole.x, np.asarray(whole.y)
    if fashion:  # two classes that are hard to tell apart
        pair = np.flatnonzero((y == 0) | (y == 6))
        whole = whole.take(pair)
        x, y = whole.x, y[pair]
    x = pixels(x) if source.name in IMAGES else scaled(x)
    return Rows(whole.ids, {"x": x, "y": signs(source, y)})


def pixels(x: Any) -> Any:
    """Return pixels less their mean, in units of one standard deviation of all of them.

    Apart, a pixel that is nearly always blank would count as much as any other.
    """
    x = np.asarray(x, dtype=np.float64)
    x = x - x.mean(axis=0)
    return x / x.std()


def scaled(x: Any) -> Any:
    """Return features with mean 0 and standard deviation 1; constant ones become 0."""
    x = np.asarray(x, dtype=np.float64)
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def signs(source: Source, y: Any) -> Any:
    """Return targets as -1 and +1: odd digits, the second cultivar and shirts are +1."""
    if source.name in ("digits", "mnist"):
        return np.where(y % 2 == 1, 1, -1)
    if source.name == "wine":
        return np.where(y == 1, 1, -1)
    classes = np.unique(y)
    if len(classes) != 2:
        raise BadInput(f"{source.name} has {len(classes)} classes; the study compares two")
    return np.where(y == classes[1], 1, -1)


def machine(kernel: str, features: int, C: float) -> dict[str, Any]:
    """Return the parameters of the kernel machine: gamma is 1/features, a fixed number."""
    gamma = 1.0 / features
    if features == 2:
        gamma = {"rbf": 2.0, "poly": 0.5, "sigmoid": 0.5}.get(kernel, 0.5)
    coef0 = {"poly": 1.0, "sigmoid": -1.0}.get(kernel, 0.0)
    return {"kernel": kernel, "C": C, "gamma": gamma, "degree": 3, "coef0": coef0}


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as the columns of a table."""
    return {k: [r[k] for r in rows] for k in rows[0]} if rows else {}
