"""The residual fraction of arms: which way, and how much, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import BadInput, NeedsReference, Reading, Role, Table, derive, stream
from unteach.stats import Interval, jackknife_error

from .against import Measured
from .arms import Arms, Array, per_model, two_arms
from .over_arms import OverArms, four
from .summary import larger_side, sides


@dataclass(frozen=True)
class Fractions:
    """How much of each record's mark is left.

    value : the larger side: + the mean of what is left, or - the mean of the overshoot
    rho : (n,) 1 nothing forgotten, 0 as retrained, below 0 overshoot; NaN where not measurable
    near : share of the measurable records with |rho| <= within
    median : of the measurable; never to be judged by alone, since two faults cancel in it
    null : (low, high) of the value when retrained models stand in for unlearned ones
    limit : where |rho| is cut
    """

    value: Interval
    rho: NDArray[np.float64]
    near: float
    median: float
    null: tuple[float, float] | None
    limit: float

    @property
    def measurable(self) -> int:
        """How many records left a mark beyond the noise."""
        return int(np.isfinite(self.rho).sum())


def residual_fraction(
    unlearned: Any,
    retrained: Any,
    original: Any,
    *,
    twin: Any = None,
    errors: float = 5.0,
    ceiling: float = 10.0,
    within: float = 0.25,
    seed: int = 0,
    resamples: int = 500,
    level: float = 0.95,
) -> Fractions:
    """Return how much of each record's mark on the models is left, and on which side.

    rho = (mean margin unlearned - retrained) / (mean margin original - retrained), for records
    whose denominator exceeds `errors` of its standard errors. The interval resamples models: an
    original and what was unlearned from it together, retrained ones apart; its lower end makes
    allowance for the noise that lifts a side above 0 where there is nothing (it reaches 0 there).
    The null mixes retrained and `twin` models into two arms, again and again.

    Failure modes: the median of a method that leaves half and overshoots half is 0 (hence the
    larger side and the share near 0); records without a mark are not measured.

    Parameters
    ----------
    unlearned, original : (N, n) margins; model j was unlearned from original j
    retrained, twin : (M, n), (L, n) margins of retrained models; without twins there is no null
    errors, ceiling, within : > 0, > 1, in (0, 1)

    Errors      NeedsReference when no record can be measured

    Source      ours; in the spirit of over- and under-unlearning as told apart by IAM

    Examples
    --------
    >>> retrained = np.array([[0.0, 0.0], [0.1, 0.1], [-0.1, -0.1]])
    >>> found = residual_fraction(retrained + [2, -1], retrained, retrained + 4)
    >>> found.rho, found.value.value
    (array([ 0.5 , -0.25]), 0.25)
    """
    u, r = two_arms(unlearned, retrained)
    o = per_model(original, "original")
    if o.shape != u.shape:
        raise BadInput(f"originals are {o.shape} and unlearned {u.shape}; they come in pairs")
    if not (errors > 0 and ceiling > 1 and 0 < within < 1):
        raise BadInput("need errors > 0, ceiling > 1 and within in (0, 1)")
    mark = o.mean(axis=0) - r.mean(axis=0)
    noise = np.sqrt(o.var(axis=0, ddof=1) / len(o) + r.var(axis=0, ddof=1) / len(r))
    can = np.abs(mark) > errors * np.maximum(noise, 1e-12 * (1 + np.abs(o).max()))
    if not can.any():
        raise NeedsReference(
            f"residual fraction: none of {len(mark)} records left a mark beyond {errors:g} "
            "standard errors; add models, or forget records that were memorized"
        )

    def fractions(ou: Array, oo: Array, rr: Array) -> Array:
        low = rr[:, can].mean(axis=0)
        gap, full = ou[:, can].mean(axis=0) - low, oo[:, can].mean(axis=0) - low
        return np.asarray(np.clip(gap / np.where(full == 0, np.inf, full), -ceiling, ceiling))

    rho = np.full(len(mark), np.nan)
    rho[can] = fractions(u, o, r)
    under, over = sides(rho[can])
    sign = 1 if under >= over else -1
    rng, draws = stream(seed, "residual fraction"), np.empty(resamples)
    for b in range(resamples):
        pick, other = rng.integers(len(u), size=len(u)), rng.integers(len(r), size=len(r))
        draws[b] = sides(fractions(u[pick], o[pick], r[other]))[0 if sign > 0 else 1]
    size = max(under, over)
    high = max(float(np.quantile(draws, (1 + level) / 2)), size)
    apart = np.sqrt(u.var(axis=0, ddof=1) / len(u) + r.var(axis=0, ddof=1) / len(r))[can]
    # a side is at least 0, so that noise alone makes it E max(z, 0) = 0.4 of its own size
    lift = float(np.mean(apart / np.abs(mark[can]))) / np.sqrt(2 * np.pi)
    low = max(2 * size - high - lift, 0.0)
    ends = sorted((sign * low, sign * high))
    how = f"bootstrap of the side less what noise lifts it by, {resamples} resamples"
    value = Interval(
        larger_side(under, over), ends[0], ends[1], min(len(u), len(r)), "models", level, how
    )
    kept = rho[can]
    near = float(np.mean(np.abs(kept) <= within))
    null = None if twin is None else _null(r, per_model(twin, "twin"), mark[can], can, len(u), rng)
    return Fractions(value, rho, near, float(np.median(kept)), null, ceiling)


def _null(
    r: Array, twin: Array, mark: Array, can: NDArray[np.bool_], n: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return where the larger side of retrained against retrained models is to be expected.

    The 95 % quantile over mixtures of both arms, or, where that reaches further, their mean plus
    t times the jackknife's error: the same models mixed anew vary less than new models do.
    """

    def size(one: Array, other: Array) -> float:
        gap = one[:, can].mean(axis=0) - other[:, can].mean(axis=0)
        return abs(larger_side(*sides(gap / mark)))

    both, draws = np.vstack([r, twin]), []
    for _ in range(200):
        order = rng.permutation(len(both))
        draws.append(size(both[order[: min(n, len(both) // 2)]], both[order[len(both) // 2 :]]))
    error, degrees = jackknife_error([twin, r], size)
    wider = float(np.mean(draws)) + float(distributions.t.ppf(0.975, degrees)) * error
    reach = max(float(np.quantile(draws, 0.95)), wider)
    return -reach, reach


@dataclass(frozen=True)
class ArmResidual(OverArms):
    """How much of the records' mark on the models is left, with its sign, over whole arms.

    Definition  `residual_fraction`: (mean margin unlearned - retrained) / (original - retrained)
                of each record that left a mark; the larger side: + the mean of what is left,
                - the mean of what was taken too much; 1 nothing forgotten, 0 as retrained
    Null        of retrained models mixed into two arms, on either side
    Limit       10, where fractions are cut
    Fails       sees means over models only: an arm that varies more than retraining reads 0;
                records that left no mark are not read, and the note says how many could be
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models, or
                where no record left a mark beyond its noise
    Source      ours; see `residual_fraction`

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> for pole in ("DoNothing", "Partly", "OverForget"):
    ...     arms = planted_arms(pole, models=200)
    ...     print(round(ArmResidual().measure_arms(arms).reading.value, 1))
    1.0
    0.5
    -1.5
    """

    errors: float = 5.0
    name: ClassVar[str] = "residual fraction of arms"
    role: ClassVar[Role] = "forgetting"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the larger side, and each record's fraction."""
        seen = four(arms, arms.margins, name=self.name)
        seeds = arms.seeds or (0,)

        def fractions(models: Array) -> Fractions:
            return residual_fraction(
                models,
                seen.retrained,
                seen.original,
                twin=seen.twin,
                errors=self.errors,
                seed=derive(seeds[0], self.name),
            )

        found, before = fractions(seen.unlearned), fractions(seen.original)
        table = Table(
            f"{self.name} by record",
            {
                "id": arms.named("forget").tolist(),
                "fraction": [float(v) if np.isfinite(v) else None for v in found.rho],
            },
            {"fraction": "share of the mark"},
            keys=("id",),
            caption="1 nothing forgotten, 0 as retrained, below 0 taken too much; none: no mark",
        )
        value = found.value
        reading = Reading(
            self.name,
            value.value,
            value.low,
            value.high,
            n=len(seen.unlearned),
            unit_of_replication="seeds",
            seeds=seeds,
            unit="share of the mark",
            better="zero",
            untouched=before.value.value,
            null=found.null,
            limit=found.limit,
            table=table.name,
            level=value.level,
            note=f"median {found.median:.3g}, {found.near:.0%} within 0.25, {found.measurable} of "
            f"{len(found.rho)} measurable",
        )
        return Measured(reading, (table,))
