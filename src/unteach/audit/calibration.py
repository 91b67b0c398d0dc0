"""Calibration: what forgetting did to the meaning of a model's probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax

from unteach.core import BadInput


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
