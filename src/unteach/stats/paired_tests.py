"""Paired tests: the plain one, and the one for draws that share their data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy import stats as distributions

from unteach.core import BadInput

from .intervals import Interval, in_unit, mean_and_spread, named_unit, replicates


@dataclass(frozen=True)
class PairedTest:
    """A mean of paired differences: its interval, and the test of its being zero.

    Parameters
    ----------
    interval : of the mean difference
    t : the statistic; infinite where all differences are equal and not zero
    p_value : two-sided
    degrees_of_freedom : n - 1
    variance_factor : what multiplies the sample variance: 1 / n plain, 1 / n + n_test / n_train
        corrected
    """

    interval: Interval
    t: float
    p_value: float
    degrees_of_freedom: int
    variance_factor: float

    def __str__(self) -> str:
        return f"{self.interval}; t={self.t:.4g}, p={self.p_value:.4g}"


def paired(
    differences: Any, *, unit_of_replication: str = "data draws", level: float = 0.95
) -> PairedTest:
    """Return the paired t-test of independent differences.

    t = mean / sqrt(s^2 / n). Only for differences that share no data, as those of separate
    data sets or of seeds on one fixed split (a claim about that split alone); for overlapping
    training sets it rejects far too often.

    Parameters
    ----------
    differences : (n,) one a replicate, n >= 2
    unit_of_replication : what each difference is one of

    Examples
    --------
    >>> print(paired([0.1, 0.2, 0.3, 0.2]))
    0.2 [0.07008, 0.3299], n=4 data draws, 95 % paired t; t=4.899, p=0.01628
    """
    values = replicates(differences, unit_of_replication)
    return _test(values, 1 / len(values), "paired t", unit_of_replication, level)


def corrected_paired(
    differences: Any,
    *,
    n_train: int,
    n_test: int,
    unit_of_replication: str = "data draws",
    level: float = 0.95,
) -> PairedTest:
    """Return the corrected resampled t-test, for draws that overlap.

    t = mean / sqrt((1 / J + n_test / n_train) s^2) on J - 1 degrees of freedom: the corrected
    resampled t-test of Nadeau & Bengio 2003. J random splits of one data set share most of
    their training rows, so their differences are correlated, and the plain 1 / J promises an
    interval that shrinks to nothing as splits are added. The correction assumes correlation
    n_test / (n_train + n_test); it is a good approximation and no theorem. More draws narrow
    the standard error no further than s sqrt(n_test / n_train).

    Parameters
    ----------
    differences : (J,) one a draw, J >= 2
    n_train, n_test : records that each draw learned from and was tested on, at least 1

    Examples
    --------
    >>> print(corrected_paired([0.1, 0.2, 0.3, 0.2], n_train=300, n_test=100))
    0.2 [0.00154, 0.3985], n=4 data draws, 95 % corrected resampled t; t=3.207, p=0.04906
    """
    values = replicates(differences, unit_of_replication)
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        if isinstance(size, bool) or size != int(size) or size < 1:
            raise BadInput(f"{name} is a whole number of at least 1, got {size!r}")
    factor = 1 / len(values) + n_test / n_train
    return _test(values, factor, "corrected resampled t", unit_of_replication, level)


def _test(values: Any, factor: float, name: str, unit: str, level: float) -> PairedTest:
    level = in_unit(level, "level")
    mean, spread = mean_and_spread(values)
    degrees = len(values) - 1
    error = spread * math.sqrt(factor)
    half = float(distributions.t.ppf((1 + level) / 2, degrees)) * error
    interval = Interval(mean, mean - half, mean + half, len(values), named_unit(unit), level, name)
    if error > 0:
        t = mean / error
    else:
        t = math.copysign(math.inf, mean) if mean else 0.0
    return PairedTest(interval, t, float(2 * distributions.t.sf(abs(t), degrees)), degrees, factor)
