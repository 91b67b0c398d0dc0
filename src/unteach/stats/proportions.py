"""Intervals for a proportion and for the difference of two."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import stats as distributions

from ..core import BadInput
from .intervals import Interval, in_unit, named_unit


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
