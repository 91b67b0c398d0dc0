"""Short of retraining, or beyond it: on which side of retrained models each record lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import BadInput
from unteach.stats import benjamini_hochberg

from .arms import per_model, two_arms

LEAST = 0.5  # of a retrained model's standard deviation: smaller differences have no side
MARK = 2.0  # standard errors from which on the mark of the record says which side is which


@dataclass(frozen=True)
class Sides:
    """short : (n,) records still on the original's side · beyond : (n,) on the other side."""

    short: NDArray[np.bool_]
    beyond: NDArray[np.bool_]

    def __str__(self) -> str:
        n = len(self.short)
        beyond, short = int(self.beyond.sum()), int(self.short.sum())
        return f"{beyond} of {n} records beyond retraining, {short} short of it"


def sides_of_retraining(unlearned: Any, retrained: Any, original: Any) -> Sides:
    """Return which records lie short of retraining, and which beyond it.

    The residual fraction divides by a record's mark and is silent where there is hardly any; a
    method that denies records which had left no mark is over-forgetting all the same. Here each
    record's mean margins are compared (Welch's t, Benjamini-Hochberg at 5 %, at least half a
    standard deviation apart). The original's side is that of its own difference from retraining
    or, where that is within two standard errors, above: learning a record raises its margin.

    Parameters
    ----------
    unlearned, retrained, original : (N, n), (M, n), (N, n) margins

    Examples
    --------
    >>> from unteach.core import stream
    >>> rng = stream(0)
    >>> never = rng.normal(size=(30, 3))
    >>> print(sides_of_retraining(never + [3, 0, -3], rng.normal(size=(30, 3)), never + 5))
    1 of 3 records beyond retraining, 1 short of it
    """
    u, r = two_arms(unlearned, retrained)
    o = per_model(original, "original")
    if o.shape[1] != u.shape[1]:
        raise BadInput(f"originals answer {o.shape[1]} records, the others {u.shape[1]}")
    tiny = 1e-12 * (1 + np.abs(r).max())
    gap, mark = u.mean(axis=0) - r.mean(axis=0), o.mean(axis=0) - r.mean(axis=0)
    vu, vo, vr = (a.var(axis=0, ddof=1) / len(a) + tiny**2 for a in (u, o, r))
    degrees = (vu + vr) ** 2 / (vu**2 / (len(u) - 1) + vr**2 / (len(r) - 1))
    p = 2 * distributions.t.sf(np.abs(gap) / np.sqrt(vu + vr), degrees)
    told = (benjamini_hochberg(p) <= 0.05) & (np.abs(gap) > LEAST * r.std(axis=0, ddof=1))
    side = np.where(np.abs(mark) > MARK * np.sqrt(vo + vr), np.sign(mark), 1.0)
    return Sides(told & (gap * side > 0), told & (gap * side < 0))
