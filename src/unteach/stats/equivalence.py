"""Equivalence: has it been shown that a difference is too small to matter?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scipy import stats as distributions

from ..core import BadInput
from .intervals import Interval, in_unit, mean_and_spread, mean_interval, replicates

Verdict = Literal["equivalent", "different", "inconclusive"]


@dataclass(frozen=True)
class Equivalence:
    """What one interval says about a margin.

    Parameters
    ----------
    verdict : "equivalent" (the interval lies inside the margin), "different" (it lies wholly
        beyond the margin) or "inconclusive" (it crosses an edge: too few replicates to say)
    interval : of level 1 - 2 alpha
    margin : the largest difference that would not matter, > 0
    margin_shown : the smallest margin within which these data show equivalence
    margin_detectable : the smallest margin that data of this spread and n would show
        equivalence within at the stated power, were the true difference zero
    p_value : of the two one-sided tests; None where an interval was handed in
    """

    verdict: Verdict
    interval: Interval
    margin: float
    margin_shown: float
    margin_detectable: float
    p_value: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Say whether the interval excludes zero; a difference may be real and not matter."""
        return not self.interval.holds(0.0)

    def __str__(self) -> str:
        return (
            f"{self.verdict} within {self.margin:.4g}: {self.interval}; "
            f"shown within {self.margin_shown:.4g}"
        )


def equivalence(
    values: Any,
    margin: float,
    *,
    unit_of_replication: str | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Equivalence:
    """Return whether differences are shown to be within a margin, beyond it, or neither.

    Two one-sided tests (Schuirmann 1987) by their interval: at alpha 5 % the 90 % interval
    decides. Inside (-margin, margin) it is "equivalent"; wholly beyond, "different"; otherwise
    "inconclusive", never "no difference found". Each of the two claims errs with a chance of at
    most alpha. Where the margin of practical weight was not chosen beforehand, report
    `margin_shown`.

    The detectable margin is se (t(1 - alpha) + t(1 - beta / 2)), beta = 1 - power, on n - 1
    degrees of freedom: the usual normal sample-size formula with t quantiles.

    Parameters
    ----------
    values : (n,) differences, n >= 2; or an `Interval` of level 1 - 2 alpha made by any method
        (`corrected_paired(..., level=0.9).interval`, a bootstrap)
    margin : > 0, in the unit of the values
    unit_of_replication : needed with values, and only there
    alpha : the chance of a false claim in each direction, in (0, 0.5)
    power : for the detectable margin, in (0, 1)

    Examples
    --------
    >>> gaps = [0.001, -0.002, 0.003, 0.000, -0.001, 0.002]
    >>> found = equivalence(gaps, 0.01, unit_of_replication="data draws")
    >>> found.verdict, found.interval.level
    ('equivalent', 0.9)
    >>> equivalence(gaps, 0.001, unit_of_replication="data draws").verdict
    'inconclusive'
    """
    if isinstance(margin, bool) or not (margin > 0 and math.isfinite(margin)):
        raise BadInput(f"the margin is a finite number above 0, got {margin!r}")
    if not in_unit(alpha, "alpha") < 0.5:
        raise BadInput(f"alpha lies in (0, 0.5), got {alpha!r}")
    level = round(1 - 2 * alpha, 12)
    if isinstance(values, Interval):
        if unit_of_replication is not None:
            raise BadInput("the interval names its unit of replication; do not give another")
        interval = values
        if abs(interval.level - level) > 1e-9:
            raise BadInput(
                f"alpha {alpha:g} is decided by an interval of level {level:g}, "
                f"got level {interval.level:g}; compute it at {level:g}"
            )
        p_value = None
    elif unit_of_replication is None:
        raise BadInput("name the unit_of_replication of these values ('data draws', 'seeds', ...)")
    else:
        interval = mean_interval(values, unit_of_replication=unit_of_replication, level=level)
        p_value = _p_value(replicates(values, unit_of_replication), margin)
    low, high = interval.low, interval.high
    verdict: Verdict = "inconclusive"
    if -margin < low and high < margin:
        verdict = "equivalent"
    elif low > margin or high < -margin:
        verdict = "different"
    degrees = max(interval.n - 1, 1)
    quantile = distributions.t.ppf
    beta = 1 - in_unit(power, "power")
    stretch = 1 + float(quantile(1 - beta / 2, degrees) / quantile(1 - alpha, degrees))
    return Equivalence(
        verdict,
        interval,
        float(margin),
        margin_shown=max(abs(low), abs(high)),
        margin_detectable=interval.width / 2 * stretch,
        p_value=p_value,
    )


def _p_value(values: Any, margin: float) -> float:
    mean, spread = mean_and_spread(values)
    room = margin - abs(mean)  # the nearer of the two tests has the larger p
    if spread == 0:
        return 0.0 if room > 0 else 1.0
    return float(distributions.t.sf(room / (spread / math.sqrt(len(values))), len(values) - 1))
