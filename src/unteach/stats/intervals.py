"""An interval with all that is needed to read it, and the t-interval of a mean."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import BadInput


@dataclass(frozen=True)
class Interval:
    """An estimate, its confidence interval, and over what the interval ranges.

    Parameters
    ----------
    value, low, high : the estimate and the ends, low <= value <= high
    n : how many replicates it rests on, at least 1
    unit_of_replication : what was replicated: "data draws", "seeds", "examples", "people", ...
    level : the confidence level, in (0, 1)
    method : how it was computed

    Examples
    --------
    >>> print(Interval(0.5, 0.4, 0.6, n=20, unit_of_replication="data draws", method="t"))
    0.5 [0.4, 0.6], n=20 data draws, 95 % t
    >>> Interval(0.5, 0.6, 0.4, n=20, unit_of_replication="seeds", method="t")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: an interval needs low <= value <= high, got 0.6, 0.5, 0.4
    """

    value: float
    low: float
    high: float
    n: int
    unit_of_replication: str
    level: float = 0.95
    method: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not self.low <= self.value <= self.high:  # also refuses NaN
            raise BadInput(
                f"an interval needs low <= value <= high, got {self.low}, {self.value}, {self.high}"
            )
        object.__setattr__(self, "n", int(self.n))
        if self.n < 1:
            raise BadInput(f"an interval rests on at least 1 replicate, got n={self.n}")
        named_unit(self.unit_of_replication)
        object.__setattr__(self, "level", in_unit(self.level, "level"))

    @property
    def width(self) -> float:
        """Return high - low."""
        return self.high - self.low

    def holds(self, number: float) -> bool:
        """Say whether the interval contains a number; its ends belong to it."""
        return self.low <= number <= self.high

    def __str__(self) -> str:
        return (
            f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}], n={self.n} "
            f"{self.unit_of_replication}, {100 * self.level:g} % {self.method}".rstrip()
        )


def mean_interval(
    values: Iterable[float] | NDArray[Any], *, unit_of_replication: str, level: float = 0.95
) -> Interval:
    """Return the mean of independent replicates with its Student t-interval.

    mean +- t(n - 1) s / sqrt(n). It claims its level for independent, roughly normal values;
    for values that share data (overlapping splits) use `corrected_paired`. Values that are all
    equal give an interval without width.

    Parameters
    ----------
    values : (n,) finite, n >= 2; one replicate has no interval, and is refused
    unit_of_replication : what each value is one of
    level : confidence level, in (0, 1)

    Examples
    --------
    >>> print(mean_interval([0.90, 0.92, 0.94], unit_of_replication="data draws"))
    0.92 [0.8703, 0.9697], n=3 data draws, 95 % Student t
    >>> mean_interval([0.9], unit_of_replication="seeds")
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: one replicate (seeds) gives no interval; replicate at least twice
    """
    values = replicates(values, unit_of_replication)
    level = in_unit(level, "level")
    mean, spread = mean_and_spread(values)
    half = float(distributions.t.ppf((1 + level) / 2, len(values) - 1))
    half = half * spread / math.sqrt(len(values))
    return Interval(
        mean, mean - half, mean + half, len(values), unit_of_replication, level, "Student t"
    )


def mean_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation; equal values have none, exactly."""
    if np.all(values == values[0]):
        return float(values[0]), 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    if not (math.isfinite(mean) and math.isfinite(spread)):
        raise BadInput(f"values up to {np.abs(values).max():.3g} overflow; rescale them first")
    return mean, spread


def in_unit(number: float, what: str) -> float:
    """Return a number that must lie strictly between 0 and 1."""
    if isinstance(number, bool) or not 0 < float(number) < 1:
        raise BadInput(f"{what} lies strictly between 0 and 1, got {number!r}; 95 % is 0.95")
    return float(number)


def named_unit(unit: str) -> str:
    """Return the unit of replication, which must be named."""
    if not isinstance(unit, str) or not unit.strip():
        raise BadInput(f"name the unit of replication ('data draws', 'seeds', ...), got {unit!r}")
    return unit


def as_values(values: Any, what: str = "values") -> NDArray[np.float64]:
    """Return (n,) finite float64, n >= 1, or say which entry is not."""
    listed = values if isinstance(values, np.ndarray) else list(values)
    try:
        array = np.asarray(listed, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{what} must be numbers: {error}") from error
    if array.ndim != 1:
        raise BadInput(f"{what} must be one-dimensional, got shape {array.shape}")
    if len(array) == 0:
        raise BadInput(f"{what} are empty; there is nothing to estimate from")
    wrong = np.flatnonzero(~np.isfinite(array))
    if len(wrong):
        raise BadInput(f"{what}[{wrong[0]}] is {array[wrong[0]]}; every value must be finite")
    return array


def replicates(values: Any, unit_of_replication: str) -> NDArray[np.float64]:
    """Return (n,) finite float64 with n >= 2, or refuse by name."""
    array = as_values(values)
    if len(array) == 1:
        raise BadInput(
            f"one replicate ({named_unit(unit_of_replication)}) gives no interval; "
            "replicate at least twice"
        )
    return array


# Intervals for a proportion and for the difference of two.


def proportion_interval(
    successes: int,
    n: int,
    *,
    unit_of_replication: str,
    level: float = 0.95,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
) -> Interval:
    """Return a proportion with its Wilson (1927) or Clopper-Pearson (1934) interval.

    Wilson covers its level on average; Clopper-Pearson never covers less. Neither collapses at
    0 or n successes, where the normal interval claims certainty.

    Parameters
    ----------
    successes : 0 to n
    n : independent trials, at least 1
    method : "wilson" or "clopper-pearson"

    Examples
    --------
    >>> print(proportion_interval(0, 20, unit_of_replication="examples"))
    0 [0, 0.1611], n=20 examples, 95 % Wilson
    """
    successes, n = _counts(successes, n)
    names = {"wilson": ("wilson", "Wilson"), "clopper-pearson": ("exact", "Clopper-Pearson")}
    if method not in names:
        raise BadInput(f"no proportion method {method!r}; choose from {sorted(names)}")
    how, name = names[method]
    level = in_unit(level, "level")
    ends = distributions.binomtest(successes, n).proportion_ci(level, method=how)
    share = successes / n
    low, high = min(float(ends.low), share), max(float(ends.high), share)  # against rounding
    return Interval(share, low, high, n, named_unit(unit_of_replication), level, name)


def difference_of_proportions(
    successes: int,
    n: int,
    other_successes: int,
    other_n: int,
    *,
    unit_of_replication: str,
    level: float = 0.95,
) -> Interval:
    """Return the first proportion minus the second, for independent samples, with an interval.

    Joins the two Wilson intervals (Newcombe 1998, method 10, without continuity correction), so
    that it does not collapse where a proportion is 0 or 1. Its n is the smaller sample.

    Parameters
    ----------
    successes, n : of the first sample
    other_successes, other_n : of the second, which shares no trial with the first

    Examples
    --------
    >>> print(difference_of_proportions(56, 70, 48, 80, unit_of_replication="examples"))
    0.2 [0.05243, 0.3339], n=70 examples, 95 % Newcombe
    """
    successes, n = _counts(successes, n)
    other_successes, other_n = _counts(other_successes, other_n)
    level = in_unit(level, "level")
    gap = successes / n - other_successes / other_n
    one = proportion_interval(successes, n, unit_of_replication="_", level=level)
    two = proportion_interval(other_successes, other_n, unit_of_replication="_", level=level)
    low = gap - math.hypot(one.value - one.low, two.high - two.value)
    high = gap + math.hypot(one.high - one.value, two.value - two.low)
    unit = named_unit(unit_of_replication)
    return Interval(gap, low, high, min(n, other_n), unit, level, "Newcombe")


def _counts(successes: int, n: int) -> tuple[int, int]:
    for what, number in (("successes", successes), ("n", n)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise BadInput(f"{what} is a whole number, got {number!r}")
    if n < 1:
        raise BadInput(f"a proportion needs at least 1 trial, got n={n}")
    if not 0 <= successes <= n:
        raise BadInput(f"successes lie between 0 and n={n}, got {successes}")
    return int(successes), int(n)
