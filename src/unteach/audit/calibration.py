"""Calibration: what forgetting did to the meaning of a model's probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import log_softmax

from unteach.core import BadInput, Reading, Role
from unteach.stats import mean_interval

from .against import Measured
from .arms import Arms, Array
from .over_arms import OverArms, four


@dataclass(frozen=True)
class Calibration:
    """error : expected calibration error; log_loss and brier : proper scores; accuracy."""

    error: float
    log_loss: float
    brier: float
    accuracy: float


def calibration(logits: Any, y: Any, *, bins: int = 15) -> Calibration:
    """Return calibration error, log loss, Brier score and accuracy on records, of one model.

    The calibration error is the mean over `bins` equal bins of |confidence - accuracy|, weighted
    by how many records fall in. It is biased upwards on few records and 0 for a model that
    always answers the base rate, hence the proper scores beside it.

    Null: retrained models' values on the same records; a utility, not a forgetting metric.

    Parameters
    ----------
    logits : (n, k) · y : (n,) codes · bins : at least 1

    Source      Guo et al. 2017; Brier 1950

    Examples
    --------
    >>> found = calibration(np.log([[0.75, 0.25]] * 4), [0, 0, 0, 1])
    >>> found.error, found.accuracy, round(found.brier, 3)
    (0.0, 0.75, 0.375)
    """
    z, at = np.asarray(logits, dtype=np.float64), np.asarray(y)
    if z.ndim != 2 or at.shape != (len(z),) or not len(z) or bins < 1:
        raise BadInput(f"logits (n, k) and codes (n,) are needed, got {z.shape}, {at.shape}")
    log_p = log_softmax(z, axis=1)
    p, rows = np.exp(log_p), np.arange(len(z))
    sure, right = p.max(axis=1), p.argmax(axis=1) == at
    where = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(where, weights=sure - right, minlength=bins)
    truth = np.zeros_like(p)
    truth[rows, at] = 1.0
    return Calibration(
        float(np.abs(gaps).sum() / len(z)),
        float(-log_p[rows, at].mean()),
        float(np.mean(np.sum((p - truth) ** 2, axis=1))),
        float(right.mean()),
    )


@dataclass(frozen=True)
class CalibrationChange(OverArms):
    """How much worse calibrated on held-out records than a retrained model: a utility.

    Definition  expected calibration error (`calibration`) of each unlearned model less that of a
                retrained one, averaged over pairs; the note gives log loss and Brier score too
    Null        0 within the interval: a retrained model less another
    Limit       1
    Fails       biased upwards on few records, for both models alike; the error is 0 for a model
                that always answers the base rate, hence the proper scores in the note
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models or
                held-out records
    Source      Guo et al. 2017; Brier 1950

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = CalibrationChange().measure_arms(planted_arms("Retrain")).reading
    >>> r.low < 0 < r.high, r.null is None
    (True, True)
    """

    bins: int = 15
    name: ClassVar[str] = "calibration"
    role: ClassVar[Role] = "utility"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean difference of calibration errors."""
        y = arms.labels("holdout")

        def all_three(arm: str) -> Array:
            found = [calibration(z, y, bins=self.bins) for z in arms.logits(arm, "holdout")]
            return np.array([[c.error, c.log_loss, c.brier] for c in found])  # (models, 3)

        seen = four(arms, all_three, name=self.name)
        k = min(len(seen.unlearned), len(seen.retrained))
        gap = seen.unlearned[:k] - seen.retrained[:k]
        interval = mean_interval(gap[:, 0], unit_of_replication="seeds")
        _, loss, brier = gap.mean(axis=0)
        reading = Reading(
            self.name,
            interval.value,
            interval.low,
            interval.high,
            n=interval.n,
            unit_of_replication="seeds",
            seeds=arms.seeds or (0,),
            unit="share",
            better="lower",
            level=interval.level,
            note=f"error {seen.unlearned[:, 0].mean():.3g}, retrained "
            f"{seen.retrained[:, 0].mean():.3g}; log loss {loss:+.3g}, Brier score {brier:+.3g}",
        )
        return Measured(reading, ())
