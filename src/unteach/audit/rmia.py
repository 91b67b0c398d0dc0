"""RMIA: a record's likelihood ratio against that of other records; for few models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from unteach.core import BadInput, Role

from .against import Measured
from .arms import Arms, Array
from .over_arms import Comparison, OverArms, four, of_records


def rmia(
    target: Any,
    references: Any,
    population: Any,
    population_references: Any,
    *,
    a: float,
    gamma: float = 1.0,
) -> NDArray[np.float64]:
    """Return how strongly one model holds each record, against a population: (n,) in [0, 1].

    ratio(x) = p_x(target) / pbar(x), with pbar(x) = ((1 + a) mean of p_x(references) + 1 - a) / 2
    as no reference saw x; the score is the share of the population z with
    ratio(x) / ratio(z) > gamma. Larger: more likely a member.

    For audits: the target is an unlearned model, then a retrained one that is left out of the
    references; retraining's own scores are the null, not 0.5. Works with 1 to 4 references,
    with the low power that these have. Limit: 1. Failure mode: `a` taken from elsewhere shifts
    all scores; tune it on a pair of reference models.

    Parameters
    ----------
    target : (n,) p_y of the records under the model · population : (z,) the same of others
    references : (m, n) p_y under models that saw none of them · population_references : (m, z)
    a : in [0, 1], the slope of what having seen a record adds; there is no default
    gamma : at least 1

    Source      Zarifzadeh, Liu & Shokri 2024, offline; equation 10 for pbar

    Examples
    --------
    >>> rmia([0.9, 0.1], [[0.3, 0.3]], [0.5, 0.2], [[0.5, 0.5]], a=1.0)
    array([1., 0.])
    """
    px, out = _shares(target, 1), _shares(references, 2)
    pz, out_z = _shares(population, 1), _shares(population_references, 2)
    if out.shape[1] != len(px) or out_z.shape[1] != len(pz) or not (0 <= a <= 1 and gamma >= 1):
        raise BadInput(
            f"references {out.shape}, {out_z.shape} must answer the {len(px)} records and the "
            f"{len(pz)} of the population; a in [0, 1] and gamma >= 1, got {a}, {gamma}"
        )

    def ratio(p: Any, q: Any) -> NDArray[np.float64]:
        bar = ((1 + a) * q.mean(axis=0) + (1 - a)) / 2
        return np.asarray(p / np.maximum(bar, np.finfo(np.float64).tiny))

    x, z = ratio(px, out), np.sort(ratio(pz, out_z))
    # equal up to rounding is equal: models that agree would else be told apart by their last bit
    return np.asarray(np.searchsorted(z, x / gamma * (1 - 1e-9), side="left") / len(z))


def _shares(values: Any, axes: int) -> NDArray[np.float64]:
    p = np.asarray(values, dtype=np.float64)
    if p.ndim != axes or p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise BadInput(f"probabilities of the stated class, {axes} axes, in [0, 1]; got {p.shape}")
    return p


@dataclass(frozen=True)
class OfflineRmia(OverArms):
    """How much more like members the forgotten records look than to retrained models: RMIA.

    Definition  each record's mean `rmia` score under the unlearned models, references being the
                retrained ones and held-out records the population, less its mean score under
                retrained models (each scored with the others as references); the larger side of
                these differences: + still members, - denied more than ignorance would
    Null        of retrained models mixed into two arms, on either side
    Limit       1
    Fails       few references make few levels of score; a record that all of the population
                outscores cannot score lower, so that over-forgetting of hard records shows little
    Parameters  a : in [0, 1]; 1 takes the mean over retrained models as it is, which compares a
                record with what retraining says of that record
                gamma : at least 1
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models or
                held-out records
    Source      Zarifzadeh, Liu & Shokri 2024 (arXiv 2312.03262), offline

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> for pole in ("Retrain", "DoNothing", "OverForget"):
    ...     r = OfflineRmia().measure_arms(planted_arms(pole)).reading
    ...     print(r.null[0] <= r.value <= r.null[1], r.value > 0)
    True True
    False True
    False False
    """

    a: float = 1.0
    gamma: float = 1.0
    name: ClassVar[str] = "offline RMIA"
    role: ClassVar[Role] = "forgetting"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the larger side of the records' differences from retraining."""
        n = int(arms.at("forget").sum())

        def stated(arm: str) -> Array:  # p of the stated class, forgotten records first
            return np.hstack([expit(arms.margins(arm, p)) for p in ("forget", "holdout")])

        def scores(target: Array, references: Array) -> Array:
            x, z = references[:, :n], references[:, n:]
            return rmia(target[:n], x, target[n:], z, a=self.a, gamma=self.gamma)

        def apart(u: Array, r: Array) -> Array:
            own = [scores(r[k], np.delete(r, k, axis=0)) for k in range(len(r))]
            return np.asarray(np.mean([scores(t, r) for t in u], axis=0) - np.mean(own, axis=0))

        how = Comparison(self.name, "share of the population", "zero", limit=1.0, signed=True)
        return of_records(how, arms, four(arms, stated, name=self.name), apart)
