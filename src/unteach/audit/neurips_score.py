"""The forgetting score of the 2023 NeurIPS challenge, and what a perfect method scores in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Role, stream

from .against import Measured
from .arms import Arms, Array, per_model, two_arms
from .over_arms import Comparison, OverArms, four, of_records

LARGEST = 50.0


@dataclass(frozen=True)
class NeuripsScore:
    """The score and what it means.

    score : mean over the records of 2^-(bin of epsilon), times the accuracy ratios if given
    epsilon : (n,) the estimates; biased upwards, as each is the best of many rules
    ceiling : (low, high), the middle 95 % of what retraining scores against retraining
    """

    score: float
    epsilon: NDArray[np.float64]
    ceiling: tuple[float, float] | None


def neurips_score(
    unlearned: Any,
    retrained: Any,
    *,
    twin: Any = None,
    delta: float = 1e-5,
    retain: tuple[float, float] | None = None,
    test: tuple[float, float] | None = None,
    seed: int = 0,
    splits: int = 40,
) -> NeuripsScore:
    """Return the challenge's score, with the ceiling that it does not print.

    For each record, epsilon is the largest over decision rules (one threshold, either way, and
    intervals about the median of the narrower arm) of max(ln((1 - delta - FPR) / FNR),
    ln((1 - delta - FNR) / FPR)); rules with exactly one rate of 0 are dropped, both 0 count 50,
    as does a ratio of the arms' ranges under 0.01. It scores 2^-floor(epsilon / 0.5), and 0 from
    ceil(ln(N - 1)) on.

    Null: not 1. Two arms of one distribution score about 0.1 with 64 models an arm and 0.2 with
    512, since the best of many rules always finds something; `ceiling` is measured. A screen:
    the estimate has no interval, and no side. Limit: 1.

    Parameters
    ----------
    unlearned, retrained, twin : (N, n), (M, n), (L, n) margins
    retain, test : (accuracy unlearned, accuracy retrained); their ratios multiply the score
    splits : how many mixtures of retrained and twin models make the ceiling

    Source      Triantafillou et al. 2024 (arXiv 2406.09073); our intervals are a grid of
                quantiles, theirs is around the peak

    Examples
    --------
    >>> apart = neurips_score(np.arange(8.0) + 90, np.arange(8.0))
    >>> apart.score, apart.epsilon
    (0.0, array([50.]))
    """
    u, r = two_arms(unlearned, retrained, least=4)
    epsilon = np.array([_epsilon(u[:, x], r[:, x], delta) for x in range(u.shape[1])])
    score = _mean(epsilon, min(len(u), len(r)))
    for pair in (retain, test):
        if pair is not None:
            if not pair[1] > 0:
                raise BadInput(f"the retrained accuracy is above 0, got {pair}")
            score *= pair[0] / pair[1]
    ceiling = None
    if twin is not None:
        both, rng, found = np.vstack([r, per_model(twin, "twin")]), stream(seed, "neurips"), []
        for _ in range(splits):
            mixed = both[rng.permutation(len(both))]
            half = len(mixed) // 2
            one, other = mixed[:half], mixed[half:]
            each = [_epsilon(one[:, x], other[:, x], delta) for x in range(u.shape[1])]
            found.append(_mean(np.array(each), half))
        ceiling = tuple(float(q) for q in np.quantile(found, [0.025, 0.975]))
    return NeuripsScore(score, epsilon, None if ceiling is None else (ceiling[0], ceiling[1]))


def _mean(epsilon: Array, models: int) -> float:
    return float(np.mean(_scored(epsilon, models)))


def _scored(epsilon: Array, models: int) -> Array:
    last = math.ceil(math.log(models - 1))
    return np.asarray(np.where(epsilon >= last, 0.0, 2.0 ** -np.floor(epsilon / 0.5)))


def _points(u: Array, r: Array) -> Array:
    """Return the points of each record: (n,) in [0, 1]."""
    epsilon = np.array([_epsilon(u[:, x], r[:, x], 1e-5) for x in range(u.shape[1])])
    return _scored(epsilon, min(len(u), len(r)))


def _epsilon(u: Array, r: Array, delta: float) -> float:
    spans = sorted((float(np.ptp(u)), float(np.ptp(r))))
    if spans[1] > 0 and spans[0] / spans[1] < 0.01:
        return LARGEST
    values = np.unique(np.concatenate([u, r]))
    if len(values) == 1:
        return 0.0
    cuts = (values[1:] + values[:-1]) / 2
    su, sr = np.sort(u), np.sort(r)
    hit = 1 - np.searchsorted(su, cuts) / len(u)
    false = 1 - np.searchsorted(sr, cuts) / len(r)
    narrow = su if np.ptp(u) <= np.ptp(r) else sr
    tails = np.linspace(0.0, 0.45, 19)
    low, high = np.quantile(narrow, tails), np.quantile(narrow, 1 - tails)

    def inside(s: Array) -> Array:
        held = np.searchsorted(s, high, side="right") - np.searchsorted(s, low, side="left")
        return np.asarray(held / len(s))

    hits = np.concatenate([hit, 1 - hit, inside(su), 1 - inside(su)])
    falses = np.concatenate([false, 1 - false, inside(sr), 1 - inside(sr)])
    fnr, fpr = np.clip(1 - hits, 0, 1), np.clip(falses, 0, 1)
    if np.any((fnr < 1e-12) & (fpr < 1e-12)):
        return LARGEST
    both = (fnr > 1e-12) & (fpr > 1e-12)
    if not both.any():
        return 0.0
    fnr, fpr = fnr[both], fpr[both]
    tiny = 1e-300
    ratio = np.maximum((1 - delta - fpr) / fnr, (1 - delta - fnr) / fpr)
    return float(np.clip(np.log(np.maximum(ratio, tiny)).max(), 0.0, LARGEST))


@dataclass(frozen=True)
class ChallengeScore(OverArms):
    """The forgetting score of the 2023 challenge, beside what retraining scores in it.

    Definition  the mean over forgotten records of 2^-(bin of epsilon); see `neurips_score`
    Null        of retrained models mixed into two arms: about 0.1 with 64 models, not 1
    Limit       1
    Fails       a screen: the best of many decision rules is biased, the estimate has no side, and
                with few models even arms that differ score above 0
    Errors      NeedsReference for data draws, fewer than 4 trials, or without retrained models
    Source      Triantafillou et al. 2024 (arXiv 2406.09073)

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = ChallengeScore().measure_arms(planted_arms("Retrain")).reading
    >>> r.null[0] < r.value < r.null[1] < 1
    True
    """

    name: ClassVar[str] = "challenge score"
    role: ClassVar[Role] = "screen"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean points of the records, at most 1."""
        how = Comparison(self.name, "score", "higher", limit=1.0)
        return of_records(how, arms, four(arms, arms.margins, name=self.name), _points)
