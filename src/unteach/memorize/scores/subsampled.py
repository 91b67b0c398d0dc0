"""Subsampled memorization: right with the record, less right without it, and how sure that is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, NotConverged, Table
from unteach.stats import benjamini_hochberg

from .._training.counts import Counts
from ..display import Shown
from ..table_files import by_record, write
from .intervals import above, agresti_caffo, newcombe, z_of

Floats = NDArray[np.float64]
CONVERGED = 0.99
THRESHOLD = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class Memorization(Shown):
    """The memorization of each record, with its interval.

    value(i) = P[right on i | i in the subset] - P[right on i | i not in it], over subsets that
    hold a fraction p of the records and over the randomness of training. It is a statement about
    p: at one half it is the Data-Banzhaf value of i for being right on i; towards one it comes
    to leave-one-out.

    Attributes
    ----------
    value, low, high : (n,) -1 to 1, hard: by right and wrong; Newcombe's interval
    soft, soft_low, soft_high : (n,) the same difference of the soft outcome, in `soft_unit`
    n_in, n_out : (n,) models with and without the record · fit : (n,) right among those with it
    q_value : (n,) Benjamini-Hochberg, against memorization of at most `threshold`
    flagged : (n,) whether q_value <= fdr
    p : the fraction, or "leave-one-out" where it was extrapolated
    converged : whether the models are right on at least .99 of what they were trained on;
        `accuracy` is that share
    """

    ids: Ids
    value: Floats
    low: Floats
    high: Floats
    soft: Floats
    soft_low: Floats
    soft_high: Floats
    n_in: Floats
    n_out: Floats
    fit: Floats
    q_value: Floats
    p: str
    accuracy: float
    soft_unit: str
    threshold: float = THRESHOLD
    fdr: float = 0.05
    level: float = 0.95

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which records are memorized beyond the threshold, at this false discovery rate."""
        return np.asarray(self.q_value <= self.fdr)

    @property
    def converged(self) -> bool:
        """Whether the models fit what they were trained on."""
        return self.accuracy >= CONVERGED

    def table(self) -> Table:
        """Return one row a record, by id."""
        caption = (
            f"memorization at subset fraction p = {self.p}; flagged: above {self.threshold:g} at "
            f"false discovery rate {self.fdr:g}; intervals {100 * self.level:g} %"
        )
        if not self.converged:
            caption += (
                f"; NOT CONVERGED: right on {self.accuracy:.3f} of the included records, so that "
                "values are too small where the models do not fit"
            )
        columns = {
            "id": self.ids,
            "hard": self.value,
            "low": self.low,
            "high": self.high,
            "soft": self.soft,
            "soft low": self.soft_low,
            "soft high": self.soft_high,
            "n_in": self.n_in.astype(int),
            "n_out": self.n_out.astype(int),
            "fit": self.fit,
            "q_value": self.q_value,
            "flagged": self.flagged,
            "converged": np.full(len(self.ids), self.converged),
        }
        units = dict.fromkeys(("hard", "low", "high", "fit"), "probability")
        units |= dict.fromkeys(("soft", "soft low", "soft high"), self.soft_unit)
        units |= {"n_in": "models", "n_out": "models"}
        return by_record("memorization", columns, units, caption)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to a .csv or .parquet file, whole or not at all."""
        return write(self.table(), path)

    def _lines(self) -> tuple[str, str]:
        n, k = len(self.ids), int(self.flagged.sum())
        models = int(np.median(self.n_in + self.n_out))
        title = f"Memorization of {n} records, {models} models, p = {self.p}"
        note = f"{k} above {self.threshold:g} at false discovery rate {self.fdr:g}"
        if not self.converged:
            note += f"; not converged: fit {self.accuracy:.3f}"
        return title, note


def estimate(
    counts: Counts, ids: Ids, p: Fraction, *, threshold: float, fdr: float, level: float
) -> Memorization:
    """Return the memorization that the models of one fraction show."""
    one, two = counts.inside, counts.outside
    _both(one.n, two.n, ids)
    low, high = newcombe(one.right, one.n, two.right, two.n, level)
    difference, variance = agresti_caffo(one.right, one.n, two.right, two.n)
    (soft1, var1), (soft0, var0) = one.mean_soft(), two.mean_soft()
    half = z_of(level) * np.sqrt(var1 + var0)
    soft = soft1 - soft0
    return Memorization(
        ids,
        one.right / one.n - two.right / two.n,
        low,
        high,
        soft,
        soft - half,
        soft + half,
        one.n,
        two.n,
        one.right / one.n,
        benjamini_hochberg(above(difference, variance, threshold)),
        f"{float(p):g}",
        counts.fit,
        counts.soft_unit,
        threshold,
        fdr,
        level,
    )


def extrapolate(
    near: tuple[Fraction, Counts],
    far: tuple[Fraction, Counts],
    ids: Ids,
    *,
    threshold: float,
    fdr: float,
    level: float,
) -> Memorization:
    """Return the memorization at p = 1, on the line through two fractions (`near` the larger).

    Intervals add the two intervals' arms, weighted, in squares (the MOVER of Zou & Donner 2008).
    Values outside [-1, 1] are set to its ends.
    """
    (p1, c1), (p2, c2) = near, far
    one = estimate(c1, ids, p1, threshold=threshold, fdr=fdr, level=level)
    two = estimate(c2, ids, p2, threshold=threshold, fdr=fdr, level=level)
    b = float((1 - p1) / (p1 - p2))
    a = 1.0 + b  # value = a one - b two

    def ends(v1: Floats, l1: Floats, h1: Floats, v2: Floats, l2: Floats, h2: Floats) -> list[Any]:
        value = a * v1 - b * v2
        low = value - np.hypot(a * (v1 - l1), b * (h2 - v2))
        return [value, low, value + np.hypot(a * (h1 - v1), b * (v2 - l2))]

    hard = ends(one.value, one.low, one.high, two.value, two.low, two.high)
    hard = [np.clip(v, -1.0, 1.0) for v in hard]
    soft = ends(one.soft, one.soft_low, one.soft_high, two.soft, two.soft_low, two.soft_high)
    tests = [
        agresti_caffo(c.inside.right, c.inside.n, c.outside.right, c.outside.n) for c in (c1, c2)
    ]
    difference = a * tests[0][0] - b * tests[1][0]
    p_value = above(difference, a * a * tests[0][1] + b * b * tests[1][1], threshold)
    return Memorization(
        ids,
        hard[0],
        hard[1],
        hard[2],
        soft[0],
        soft[1],
        soft[2],
        one.n_in + two.n_in,
        one.n_out + two.n_out,
        one.fit,
        benjamini_hochberg(p_value),
        f"leave-one-out, from {float(p2):g} and {float(p1):g}",
        min(one.accuracy, two.accuracy),
        one.soft_unit,
        threshold,
        fdr,
        level,
    )


def check_flagging(threshold: float, fdr: float = 0.05) -> None:
    """Refuse what would flag all records, or none, whatever they are."""
    if isinstance(threshold, bool) or not 0 <= threshold < 1:
        raise BadInput(f"threshold lies in [0, 1), as memorization does, got {threshold!r}")
    if isinstance(fdr, bool) or not 0 < fdr < 1:
        raise BadInput(f"fdr lies in (0, 1), got {fdr!r}; 5 % is 0.05")


def gate(found: Memorization, unconverged: str) -> Memorization:
    """Return what was found, or refuse it because its models do not fit their records."""
    if unconverged not in ("refuse", "flag"):
        raise BadInput(f'unconverged is "refuse" or "flag", got {unconverged!r}')
    if not found.converged and unconverged == "refuse":
        raise NotConverged(
            f"the models are right on {found.accuracy:.3f} of the records that they were trained "
            f"on, under {CONVERGED}: what they did not learn they seem not to memorize. Train for "
            "longer, with a more flexible learner or with features of about unit scale, or take "
            'the values with unconverged="flag"'
        )
    return found


def _both(n_in: Floats, n_out: Floats, ids: Ids) -> None:
    poor = np.flatnonzero((n_in < 1) | (n_out < 1))
    if len(poor):
        raise BadInput(
            f"the record at row {int(poor[0])} is in all subsets or in none; run more models"
        )
