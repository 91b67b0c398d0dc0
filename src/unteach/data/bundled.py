"""Bundled data sets behind one `load`: real ones of scikit-learn, and two-dimensional ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..core import BadInput, Rows
from .arrays import rows
from .planar import PLANAR

_UCI = "UCI repository (CC BY 4.0), shipped with scikit-learn (BSD-3-Clause)"
_OURS = "generated from a seed (BSD-3-Clause)"


@dataclass(frozen=True)
class Dataset:
    """What a bundled data set is: its name, task, size, and where it comes from."""

    name: str
    task: Literal["classes", "regression"]
    n: int
    features: int
    source: str
    about: str


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
)
"""Every name that `load` knows."""


def load(name: str, **options: Any) -> Rows:
    """Return a bundled data set as records with ids 0 to n - 1.

    Values are as the source has them, unscaled. Where targets are classes, `groups` are the
    classes too, so that `groups=[3]` forgets the threes; diabetes has none.

    Parameters
    ----------
    name : one of `DATASETS`
    **options : the generated sets take n (records, >= 4), noise (standard deviation, >= 0) and
        seed; the real ones take none

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
    diabetes, moons, blobs2, rings, xor
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
    if options:
        raise BadInput(f"{name} is fixed and takes no options, got {', '.join(sorted(options))}")
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if name == "diabetes":
        return rows(x, y)
    return rows(x, y, groups=y)
