"""Feldman's constants: how often a subpopulation will come again that was seen l times.

V. Feldman, "Does Learning Require Memorization? A Short Tale about a Long Tail", STOC 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, stream

Prior = Callable[[np.random.Generator], NDArray[np.float64]]
"""Draws the frequencies of all subpopulations: (N,), summing to 1."""


def tau(
    prior: Prior, n: int, most: int = 5, *, draws: int = 100, seed: int = 0
) -> NDArray[np.float64]:
    """Return the mean frequency of a subpopulation that was seen l times among n: l = 0..most.

    tau_l = E[a^(l+1) (1-a)^(n-l)] / E[a^l (1-a)^(n-l)], the expectations over the frequency a of
    a subpopulation (equation 4 of the paper), by Monte Carlo over draws of all frequencies.

    Parameters
    ----------
    prior : draws the frequencies · n : records, at least 1 · most : the largest l, at least 0
    draws : of all frequencies, at least 1

    Returns
    -------
    (most + 1,) frequencies; nan where no draw makes that count likely enough to be told from 0.

    Examples
    --------
    A single subpopulation always comes again; of four equal ones each comes every fourth time.

    >>> float(tau(lambda rng: np.ones(1), n=10, most=10, draws=1)[10])
    1.0
    >>> tau(lambda rng: np.full(4, 0.25), n=10, most=1, draws=1).tolist()
    [0.25, 0.25]
    """
    if n < 1 or most < 0 or draws < 1:
        raise BadInput(f"n and draws are at least 1 and most at least 0, got {n}, {draws}, {most}")
    rng = stream(seed, "memorize", "tau")
    above, below = np.zeros(most + 1), np.zeros(most + 1)
    for _ in range(draws):
        a = prior(rng)  # (N,)
        with np.errstate(divide="ignore"):
            log_a, log_rest = np.log(a), np.log1p(-a)
        for count in range(min(most, n) + 1):
            rest = (n - count) * log_rest if n > count else np.zeros_like(a)
            weight = np.exp(count * log_a + rest) if count else np.exp(rest)
            above[count] += float((a * weight).sum())
            below[count] += float(weight.sum())
    found: NDArray[np.float64] = np.full(most + 1, np.nan)
    return np.divide(above, below, out=found, where=below > 0)


def good_turing(counts: NDArray[np.int64], count: int = 1) -> float:
    """Return an estimate of tau_l that needs no prior, from how often each was seen.

    (l + 1) N_{l+1} / (n N_l), where N_l subpopulations were seen l times among n records (Good,
    Biometrika 1953). It is nan where no subpopulation was seen l times.

    Parameters
    ----------
    counts : (subpopulations seen,) how often each was seen, at least 1
    count : l, at least 1

    >>> good_turing(np.array([1, 1, 1, 2, 5]))  # 2 * 1 / (10 * 3)
    0.0666...
    """
    if count < 1:
        raise BadInput(f"count is at least 1, got {count}")
    counts = np.asarray(counts)
    here, next_ = int((counts == count).sum()), int((counts == count + 1).sum())
    return (count + 1) * next_ / (int(counts.sum()) * here) if here else float("nan")


@dataclass(frozen=True)
class Singletons:
    """What a sample of a long tail looks like, averaged over draws, with standard errors.

    n_tau_1 : n tau_1, in closed form
    share, share_se : records that are the only ones of their subpopulation, of all n
    optimal, optimal_se : the error that nobody can avoid: subpopulations never seen
    cost, cost_se : what a learner loses that does not fit singletons, by simulation
    cost_closed : the same, tau_1 times the number of singletons times (1 - 1 / classes)
    good_turing, good_turing_sd : the estimate of n tau_1 from counts, and its spread over draws
    """

    n_tau_1: float
    share: float
    share_se: float
    optimal: float
    optimal_se: float
    cost: float
    cost_se: float
    cost_closed: float
    good_turing: float
    good_turing_sd: float


def singletons(
    prior: Prior, n: int, *, classes: int = 10, draws: int = 40, seed: int = 0
) -> Singletons:
    """Return Feldman's constants for n records of a prior, by simulation and in closed form.

    A subpopulation that was not seen, or whose only record is not fitted, is guessed right once
    in `classes`.

    Parameters
    ----------
    prior : draws the frequencies · n : records, at least 2 · classes : at least 2
    draws : samples, at least 2

    >>> found = singletons(lambda rng: np.full(50, 0.02), n=50, draws=20)
    >>> round(found.n_tau_1, 3), abs(found.cost - found.cost_closed) < 4 * found.cost_se + 1e-12
    (1.0, True)
    """
    if n < 2 or classes < 2 or draws < 2:
        raise BadInput(f"n, classes and draws are at least 2, got {n}, {classes}, {draws}")
    first = tau(prior, n, 1, draws=draws, seed=seed)[1]
    rng = stream(seed, "memorize", "singletons")
    wrong = 1 - 1 / classes
    rows = []
    for _ in range(draws):
        a = prior(rng)
        seen = rng.multinomial(n, a)
        once = seen == 1
        estimate = n * good_turing(seen[seen > 0])
        rows.append((once.sum() / n, a[seen == 0].sum() * wrong, a[once].sum() * wrong, estimate))
    found = np.array(rows)  # (draws, 4)
    mean = found.mean(axis=0)
    spread = found.std(axis=0, ddof=1)
    error = spread / np.sqrt(draws)
    return Singletons(
        float(n * first),
        float(mean[0]),
        float(error[0]),
        float(mean[1]),
        float(error[1]),
        float(mean[2]),
        float(error[2]),
        float(first * mean[0] * n * wrong),
        float(mean[3]),
        float(spread[3]),
    )


def expected_change(
    before: NDArray[np.int64],
    right_before: NDArray[np.int64],
    after: NDArray[np.int64],
    right_after: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: int,
) -> float:
    """Return the change of accuracy that the theory expects when records are forgotten.

    A subpopulation's future records are answered as its remaining records say: right in the
    share of them that is labelled right, or by chance, once in `classes`, where none is left.
    Each counts by the frequency expected of a subpopulation that was seen so often *before*
    (`weight`): what is forgotten afterwards says nothing about how often it will come.
    This is the bound of the paper, err >= opt + sum_l tau_l errn(l) (theorem 2.3), read for a
    learner that fits all it is given and no more.

    Parameters
    ----------
    before, after : (S,) records of each subpopulation seen, before at least 1
    right_before, right_after : (S,) how many of them are labelled right
    weight : (S,) tau of the count before · classes : at least 2

    Forgetting the only record of a subpopulation, rightly labelled, of two classes:

    >>> one, none = np.array([1]), np.array([0])
    >>> expected_change(one, one, none, none, np.array([0.1]), classes=2)
    -0.05
    """

    def answered(count: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(count > 0, right / np.maximum(count, 1), 1 / classes)

    moved = answered(after, right_after) - answered(before, right_before)
    return float((weight * moved).sum())
