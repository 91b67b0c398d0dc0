"""U-LiRA: can each model be told, record by record, from models that were retrained?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import BadInput, stream
from unteach.stats import Interval

from .arms import Array, two_arms

OWN_VARIANCE = 32  # models of one arm in a fit, from which on every record has its own spread


@dataclass(frozen=True)
class Ulira:
    """What the per-example attack finds.

    area : the chance that a model of the unlearned arm looks more unlearned than a retrained
        one, over all records; 0.5 is chance, 1 is told apart always
    by_example : (n,) the same for each record
    p_value : share of the relabelled audits (unlearned and retrained models mixed) whose area is
        at least as large; exact, whatever the models' distribution, if they are independent
    null : (low, high) of the middle 95 % of the relabelled areas
    limit : 1, the largest area
    detectable : the area that would be found with a chance of 80 % at these sizes
    """

    area: Interval
    by_example: NDArray[np.float64]
    p_value: float
    null: tuple[float, float]
    detectable: float
    limit: float = 1.0


def ulira(
    unlearned: Any,
    retrained: Any,
    *,
    seed: int = 0,
    permutations: int = 499,
    variance: Literal["auto", "own", "pooled"] = "auto",
    level: float = 0.95,
) -> Ulira:
    """Return how well models that unlearned can be told from models that were retrained.

    Half of each arm's models fit, for every record, a Gaussian to the margins of the unlearned
    and one to those of the retrained; the other half is scored by the logarithm of the ratio of
    the two densities; then the halves change places and the two areas are averaged. Fitting and
    scoring the same models would find differences where there are none.

    Null: the arms are mixed and everything is done again, `permutations` times; a test of no
    difference that holds exactly. The interval ranges over models and records: DeLong's variance
    with a model as the unit (its records are not independent of one another), plus the
    jackknife's over records; the halves' standard errors are averaged, as if they agreed always,
    since each fits on what the other scores. The tests compare it with the two-way bootstrap of
    the scores (`unteach.stats.pooled_area_interval`), which takes a thousand times as long.

    Failure modes: one original for all unlearned models makes every method look guilty (each
    needs its own); few models have no power, which `detectable` states; an area of 0.5 says
    nothing of attacks that see more than margins.

    Parameters
    ----------
    unlearned : (N, n) margins of models that unlearned, N >= 4, each from its own original
    retrained : (M, n) margins of retrained models on the same records, M >= 4
    permutations : at least 19; p-values are multiples of 1 / (permutations + 1)
    variance : of the Gaussians: each record's "own", "pooled" over records (steadier with few
        models), or "auto": own from 32 models a fit on

    Source      Hayes et al. 2024 (arXiv 2403.01218), after Carlini et al. 2022 (LiRA); the
                challenge's variant, against retrained models. Cross-fitting and the exact null
                are ours.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> never = rng.normal(size=(16, 5))
    >>> found = ulira(never + 9, rng.normal(size=(16, 5)), permutations=99)
    >>> found.area.value, found.p_value
    (1.0, 0.01)
    >>> ulira(never, rng.normal(size=(16, 5)), permutations=99).p_value > 0.05
    True
    """
    u, r = two_arms(unlearned, retrained, least=4)
    if variance not in ("auto", "own", "pooled"):
        raise BadInput(f"variance is 'auto', 'own' or 'pooled', got {variance!r}")
    if isinstance(permutations, bool) or int(permutations) != permutations or permutations < 19:
        raise BadInput(f"permutations is a whole number of at least 19, got {permutations!r}")
    own = variance == "own" or (variance == "auto" and min(len(u), len(r)) // 2 >= OWN_VARIANCE)
    halves = [_scored(u, r, own, k) for k in (0, 1)]
    parts = [_placed(*h) for h in halves]
    value = float(np.mean([p.area for p in parts]))
    error = float(np.mean([p.error for p in parts]))
    rng, both = stream(seed, "ulira"), np.vstack([u, r])
    areas = np.empty(permutations)
    for b in range(permutations):
        mixed = both[rng.permutation(len(both))]
        areas[b] = _area(mixed[: len(u)], mixed[len(u) :], own)
    p_value = (1 + int(np.sum(areas >= value - 1e-12))) / (permutations + 1)
    low, high = (float(q) for q in np.quantile(areas, [0.025, 0.975]))
    return Ulira(
        _interval(value, error, len(u), len(r), level),
        np.mean([p.by_example for p in parts], axis=0),
        p_value,
        (low, high),
        min(1.0, float(np.quantile(areas, 0.95)) + 0.8416 * float(np.std(areas))),
    )


@dataclass(frozen=True)
class _Placed:
    area: float
    error: float
    by_example: Array


def _area(u: Array, r: Array, own: bool) -> float:
    """Return the cross-fitted area alone."""
    areas = []
    for k in (0, 1):
        su, sr = _scored(u, r, own, k)
        ranks = distributions.rankdata(np.concatenate([su.ravel(), sr.ravel()]))
        m, n = su.size, sr.size
        areas.append((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    return float(np.mean(areas))


def _scored(u: Array, r: Array, own: bool, half: int) -> tuple[Array, Array]:
    """Return the log density ratios of one half of the models, fitted on the other half."""
    ratio = density_ratio(u[1 - half :: 2], r[1 - half :: 2], own)
    return ratio(u[half::2]), ratio(r[half::2])


def density_ratio(fit_u: Array, fit_r: Array, own: bool) -> Callable[[Array], Array]:
    """Return what scores (models, n) margins by the log ratio of Gaussians fitted to two arms.

    own : each record's own spread, or one spread an arm

    >>> one, other = np.array([[2.0], [4.0]]), np.array([[0.0], [2.0]])
    >>> density_ratio(one, other, True)(np.array([[2.0], [3.0]]))     # (phi - 2) 2 / 2, and so on
    array([[0.],
           [1.]])
    """
    mu_u, mu_r = fit_u.mean(axis=0), fit_r.mean(axis=0)
    sd_u, sd_r = _spread(fit_u, own), _spread(fit_r, own)
    # arms that do not vary at all are still told apart where they differ
    least = 1e-3 * max(float(sd_u.max()), float(sd_r.max())) + 1e-9 * (
        1 + float(np.abs(mu_r).max())
    )
    sd_u, sd_r = np.maximum(sd_u, least), np.maximum(sd_r, least)

    def ratio(phi: Array) -> Array:
        a, b = (phi - mu_u) / sd_u, (phi - mu_r) / sd_r
        return np.asarray(0.5 * (b**2 - a**2) + np.log(sd_r / sd_u))

    return ratio


def _spread(phi: Array, own: bool) -> Array:
    each = phi.var(axis=0, ddof=1) if len(phi) > 1 else np.zeros(phi.shape[1])
    return np.sqrt(each if own else np.full_like(each, each.mean()))


def _placed(su: Array, sr: Array) -> _Placed:
    """Return area, standard error over models and records, and areas by record."""
    (m, n), k = su.shape, len(sr)
    everything = np.concatenate([su.ravel(), sr.ravel()])
    ranks = distributions.rankdata(everything)
    inner_u, inner_r = distributions.rankdata(su.ravel()), distributions.rankdata(sr.ravel())
    below = ((ranks[: m * n] - inner_u) / (k * n)).reshape(m, n)  # share of retrained below
    above = ((ranks[m * n :] - inner_r) / (m * n)).reshape(k, n)  # share of unlearned below
    area = float(below.mean())
    by_u, by_r = below.mean(axis=1), 1 - above.mean(axis=1)
    over_models = _variance(by_u) / m + _variance(by_r) / k
    own = np.array([_one(su[:, x], sr[:, x]) for x in range(n)])
    over_records = 0.0
    if n > 1:
        rows, columns = below.mean(axis=0), 1 - above.mean(axis=0)
        left = (n * n * area - n * rows - n * columns + own) / (n - 1) ** 2
        over_records = (n - 1) / n * float(np.sum((left - left.mean()) ** 2))
    return _Placed(area, math.sqrt(over_models + over_records), own)


def _one(a: Array, b: Array) -> float:
    ranks = distributions.rankdata(np.concatenate([a, b]))
    return float((ranks[: len(a)].sum() - len(a) * (len(a) + 1) / 2) / (len(a) * len(b)))


def _variance(values: Array) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0


def _interval(value: float, error: float, m: int, n: int, level: float) -> Interval:
    """Return the interval; where nothing varies, that of so many pairs of models told alike."""
    count = min(m, n)
    half = float(distributions.t.ppf((1 + level) / 2, count - 1)) * error
    low, high = value - half, value + half
    if error < 1e-9:
        chance = ((1 - level) / 2) ** (1 / count)
        low, high = (chance, 1.0) if value > 0.999 else (low, high)
        low, high = (0.0, 1 - chance) if value < 0.001 else (low, high)
    low, high = max(0.0, min(low, value)), min(1.0, max(high, value))
    return Interval(
        value, low, high, count, "models x examples", level, "DeLong by model, jackknife"
    )
