"""Means over families or seeds, with their intervals; one alone has none, and says so by n."""

from __future__ import annotations

from collections.abc import Sequence

from unteach.stats import Interval, mean_interval


def mean_of(values: Sequence[float], unit: str) -> Interval | None:
    """Return the mean with its interval; of one value no interval, of none nothing."""
    if not values:
        return None
    if len(values) == 1:
        return Interval(values[0], values[0], values[0], n=1, unit_of_replication=unit)
    return mean_interval(values, unit_of_replication=unit)
