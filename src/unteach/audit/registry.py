"""All metrics by name: those of any case, and those of arms."""

from __future__ import annotations

from typing import Any

from unteach.core import BadInput

from .arm_metrics import ARM_METRICS
from .protocol import METRICS

ALL_METRICS: tuple[Any, ...] = (*METRICS, *ARM_METRICS)
"""Every metric that the package has; `METRICS` are what `audit` reads when it is not told."""


def metric_named(name: str) -> Any:
    """Return a metric by its name.

    Errors      BadInput, with the names that there are

    Examples
    --------
    >>> metric_named("margin divergence").role
    'forgetting'
    """
    for metric in ALL_METRICS:
        if metric.name == name:
            return metric
    raise BadInput(f"no metric {name!r}; there are {[m.name for m in ALL_METRICS]}")
