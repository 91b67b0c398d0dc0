"""Lower bounds on epsilon: what an attack has shown, with confidence, of how far arms differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions
from scipy.optimize import brentq

from unteach.core import BadInput, stream
from unteach.stats import benjamini_hochberg, holm, in_unit

from .arms import Array, two_arms
from .ulira import OWN_VARIANCE, density_ratio


@dataclass(frozen=True)
class EpsilonBounds:
    """A lower bound on epsilon for each record.

    low : (n,) at least 0; 0 means that nothing was shown, not that epsilon is 0
    p_values : (n,) one-sided Fisher tests that the arms do not differ on that record
    limit : the largest bound that so many models can show, however different the arms
    any : whether some record differs, over all of them (Holm, 5 %)
    share : of the records that differ (Benjamini-Hochberg, 5 %)
    """

    low: NDArray[np.float64]
    p_values: NDArray[np.float64]
    limit: float

    @property
    def any(self) -> bool:
        """Whether some record is told apart, corrected for having looked at all."""
        return bool((holm(self.p_values) <= 0.05).any())

    @property
    def share(self) -> float:
        """Share of the records that are told apart."""
        return float(np.mean(benjamini_hochberg(self.p_values) <= 0.05))


def epsilon_lower_bound(
    unlearned: Any, retrained: Any, *, delta: float = 1e-5, level: float = 0.95
) -> EpsilonBounds:
    """Return, for each record, a lower bound on epsilon between unlearning and retraining.

    Half of the models of each arm fit the density ratio of `ulira` and choose a threshold on it
    and a direction, the other half counts errors, whose Clopper-Pearson limits give the bound.
    The ratio also sees arms that differ in spread alone, where a threshold on margins finds half
    as much. A threshold chosen on the models that it is scored on finds an epsilon above 0 in far
    more than 5 % of audits of equal arms.

    Null: 0; each bound is wrong with a chance of at most 1 - level. It is a lower bound: 0 is no
    evidence of forgetting, and `limit` says what could have been shown at most.

    Parameters
    ----------
    unlearned, retrained : (N, n), (M, n) margins, at least 4 models each
    delta : in [0, 1) · level : in (0, 1)

    Source      Jagielski et al. 2020, Nasr et al. 2021; the split of Steinke et al. 2023

    Examples
    --------
    >>> from unteach.core import stream
    >>> rng = stream(0)
    >>> found = epsilon_lower_bound(rng.normal(9, 1, (128, 1)), rng.normal(0, 1, (128, 1)))
    >>> found.low, found.limit
    (array([2.825]), 2.825)
    """
    hits, falses, sizes = split_counts(unlearned, retrained, delta=delta)
    low, p_values = np.zeros(len(hits)), np.ones(len(hits))
    m, k = sizes
    for x, (hit, false) in enumerate(zip(hits.tolist(), falses.tolist(), strict=True)):
        low[x] = epsilon_from_counts(hit, k - false, false, m - hit, delta=delta, level=level)
        table = [[hit, m - hit], [false, k - false]]
        p_values[x] = float(distributions.fisher_exact(table, alternative="greater")[1])
    limit = epsilon_from_counts(m, k, 0, 0, delta=delta, level=level)
    return EpsilonBounds(low, p_values, limit)


def split_counts(
    unlearned: Any, retrained: Any, *, delta: float = 1e-5
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Return, for each record, how many counted models of each arm were called unlearned.

    The attack of `epsilon_lower_bound`: every other model fits and chooses a threshold, the
    others (models 0, 2, 4 ...) are counted.

    Returns
    -------
    (n,) of the unlearned, (n,) of the retrained, and how many of each were counted

    Examples
    --------
    >>> far = np.arange(8.0)[:, None]
    >>> split_counts(far + 100, far)
    (array([4]), array([0]), (4, 4))
    """
    u, r = two_arms(unlearned, retrained, least=4)
    fit_u, fit_r = u[1::2], r[1::2]
    ratio = density_ratio(fit_u, fit_r, min(len(fit_u), len(fit_r)) >= OWN_VARIANCE)
    chosen_u, chosen_r, test_u, test_r = map(ratio, (fit_u, fit_r, u[::2], r[::2]))
    threshold, side = _threshold(chosen_u, chosen_r, delta)
    hits = np.sum(side * test_u > side * threshold, axis=0)
    falses = np.sum(side * test_r > side * threshold, axis=0)
    return hits, falses, (len(test_u), len(test_r))


def _threshold(u: Array, r: Array, delta: float) -> tuple[Array, NDArray[np.int64]]:
    """Return each record's threshold and direction with the largest smoothed epsilon: (n,) both."""
    values = np.sort(np.concatenate([u, r]), axis=0)
    cuts = (values[1:] + values[:-1]) / 2  # (c, n)
    above = [np.sum(v[None] > cuts[:, None], axis=1) for v in (u, r)]  # (c, n) each
    below = [np.sum(v[None] < cuts[:, None], axis=1) for v in (u, r)]
    found = []
    for hits, falses in (above, below):
        hit, false = (hits + 0.5) / (len(u) + 1), (falses + 0.5) / (len(r) + 1)
        one = np.log(np.maximum(hit - delta, 1e-12) / false)
        two = np.log(np.maximum(1 - false - delta, 1e-12) / (1 - hit))
        found.append(np.maximum(one, two))
    at = np.argmax(np.concatenate(found), axis=0)  # the first direction where both do as well
    pick = np.arange(u.shape[1])
    return cuts[at % len(cuts), pick], np.where(at < len(cuts), 1, -1)


def epsilon_from_counts(
    tp: int, tn: int, fp: int, fn: int, *, delta: float = 1e-5, level: float = 0.95
) -> float:
    """Return the lower bound on epsilon that the errors of a fixed attack show.

    max(0, ln((1 - delta - FNR) / FPR), ln((1 - delta - FPR) / FNR)) at the Clopper-Pearson upper
    limits of both rates, each at half of 1 - level. The attack was fixed before these counts.

    Parameters
    ----------
    tp, tn, fp, fn : true and false positives and negatives, at least 0

    Examples
    --------
    >>> [round(epsilon_from_counts(n, n, 0, 0), 4) for n in (16, 32, 64, 128)]
    [1.3498, 2.1022, 2.8246, 3.5323]
    >>> round(epsilon_from_counts(90, 90, 10, 10), 3)
    1.542
    """
    _counts(tp, tn, fp, fn)
    alpha = (1 - in_unit(level, "level")) / 2
    fnr, fpr = (
        1.0 if hits == 0 else float(distributions.beta.ppf(1 - alpha, errors + 1, hits))
        for errors, hits in ((fn, tp), (fp, tn))
    )
    bounds = [
        math.log((1 - delta - a) / b)
        for a, b in ((fnr, fpr), (fpr, fnr))
        if a < 1 - delta and b > 0
    ]
    return max(0.0, 0.0, *bounds)


def epsilon_interval(
    tp: int,
    tn: int,
    fp: int,
    fn: int,
    *,
    delta: float = 1e-5,
    alpha: float = 0.1,
    seed: int = 0,
    draws: int = 2_000_000,
) -> tuple[float, float]:
    """Return the credible interval of epsilon under the joint posterior of both error rates.

    FNR ~ Beta(1/2 + fn, 1/2 + tp), FPR ~ Beta(1/2 + fp, 1/2 + tn), independent; the ends are the
    alpha / 2 and 1 - alpha / 2 quantiles of the epsilon of both rates (the larger of the attack's
    and of the one that answers the opposite), by Monte Carlo. Bayesian: it does
    not bound how often it errs, and is tighter than `epsilon_from_counts` for that.

    Source      Zanella-Beguelin et al. 2023; their package integrates, which takes minutes

    Examples
    --------
    >>> low, high = epsilon_interval(90, 90, 10, 10, draws=400_000)
    >>> round(low, 2), round(high, 2)
    (1.91, 2.83)
    """
    _counts(tp, tn, fp, fn)
    in_unit(alpha, "alpha")
    if draws < 1000:
        raise BadInput(f"the quantiles need at least 1000 draws, got {draws}")
    rng = stream(seed, "epsilon interval")
    fnr, fpr = rng.beta(0.5 + fn, 0.5 + tp, draws), rng.beta(0.5 + fp, 0.5 + tn, draws)
    tiny = np.finfo(np.float64).tiny
    ratio = np.ones(draws)
    for a, b in ((fnr, fpr), (1 - fnr, 1 - fpr)):  # the attack, and the one that says the opposite
        for one, other in ((a, b), (b, a)):
            np.maximum(ratio, (1 - delta - one) / np.maximum(other, tiny), out=ratio)
    cuts = [int(alpha / 2 * draws), int((1 - alpha / 2) * draws)]
    low, high = np.partition(ratio, cuts)[cuts]
    return float(np.log(low)), float(np.log(high))


def epsilon_one_run(m: int, r: int, v: int, *, delta: float = 1e-5, level: float = 0.95) -> float:
    """Return the lower bound on epsilon that one model shows through many canaries.

    Each of m canaries was, by a fair coin, trained and unlearned or never seen; an attacker made
    r guesses (fixed beforehand, not the best of many) of which v were right. Under
    (epsilon, delta), P[>= v right] <= P[B >= v] + 2 m delta max_i P[v > B >= v - i] / i for B
    binomial(r, e^epsilon / (1 + e^epsilon)).

    Source      Steinke, Nasr & Jagielski 2023, theorem 5.2

    Examples
    --------
    >>> [round(epsilon_one_run(*k), 3) for k in ((1000, 1000, 600), (5000, 500, 450))]
    [0.297, 1.941]
    """
    if not 0 <= v <= r <= m or r < 1 or not 0 <= delta < 1:
        raise BadInput(f"need 0 <= v <= r <= m, r >= 1 and delta in [0, 1), got {(v, r, m, delta)}")
    beta = 1 - in_unit(level, "level")

    def chance(epsilon: float) -> float:
        q = 1 / (1 + math.exp(-epsilon))
        tail = float(distributions.binom.sf(v - 1, r, q))
        if delta == 0 or v == 0:
            return tail
        i = np.arange(1, v + 1)
        below = distributions.binom.cdf(v - 1, r, q) - distributions.binom.cdf(v - i - 1, r, q)
        return tail + 2 * m * delta * float(np.max(below / i))

    if chance(0.0) > beta:
        return 0.0
    return float(brentq(lambda e: chance(e) - beta, 0.0, 100.0, xtol=1e-10))


def attack_ceiling(epsilon: float, delta: float = 0.0) -> float:
    """Return the largest area that any attack can have under (epsilon, delta).

    1 - (1 - delta)^2 / (1 + e^epsilon): the area under the two lines that bound hits by false
    alarms, hit <= e^epsilon false + delta and its mirror image. A measured area whose interval
    lies above this refutes the proof or the code.

    Source      the region is that of Kairouz, Oh & Viswanath 2015; the area under it is ours

    Examples
    --------
    >>> [round(attack_ceiling(e), 4) for e in (0.5, 1.0, 2.0)]
    [0.6225, 0.7311, 0.8808]
    """
    if not (epsilon >= 0 and 0 <= delta < 1):
        raise BadInput(f"need epsilon >= 0 and delta in [0, 1), got {epsilon}, {delta}")
    return 1 - (1 - delta) ** 2 / (1 + math.exp(min(epsilon, 700.0)))


def _counts(*counts: int) -> None:
    if any(c < 0 or int(c) != c for c in counts) or not any(counts):
        raise BadInput(f"counts are whole numbers of at least 0, got {counts}")
