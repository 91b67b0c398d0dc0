"""Bills: what each method took beside retraining, and what the audit itself took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unteach.core import Cost

from .kept import Said
from .latex import PaperTable

AUDIT = (
    "trainings",
    "forgettings",
    "read from the store",
    "seconds",
    "cpu seconds",
    "in retrainings",
)
"""The columns of the audit's own bill, in the order in which they are shown."""

UNITS = {
    "seconds": "seconds",
    "cpu seconds": "seconds",
    "peak memory": "bytes of memory",
    "records read": "records",
    "state stored": "bytes",
    "tuning seconds": "seconds",
    "seconds / retrain": "seconds of retraining",
    "cpu / retrain": "seconds of retraining",
    "memory / retrain": "bytes of memory of retraining",
    "tuning / retrain": "seconds of retraining",
}


def bill(name: str, said: Sequence[Said], state: int | None, method: Any = None) -> dict[str, Any]:
    """Return what one training or forgetting takes: medians over models."""
    trials = getattr(method, "trials", None)
    tuned = getattr(method, "cost", None)
    known = isinstance(tuned, Cost) and trials is not None
    peaks = [s.peak for s in said if s.peak is not None]
    return {
        "method": name,
        "seconds": float(np.median([s.cost.seconds for s in said])),
        "cpu seconds": float(np.median([s.cost.cpu_seconds for s in said])),
        "peak memory": float(np.median(peaks)) if peaks else None,
        "records read": float(np.median([s.cost.rows_read for s in said])),
        "state stored": state,
        "tuning runs": len(trials) if known and trials is not None else None,
        "tuning seconds": tuned.seconds if known and tuned is not None else None,
    }


def costs_table(rows: Sequence[Mapping[str, Any]]) -> PaperTable:
    """Return the bills and each divided by retraining's, which is the first row.

    >>> one = {"method": "retrain", "seconds": 2.0, "cpu seconds": 2.0, "peak memory": None,
    ...        "records read": 10.0, "state stored": 8, "tuning runs": None,
    ...        "tuning seconds": None}
    >>> t = costs_table([one, {**one, "method": "fast", "seconds": 0.5, "tuning seconds": 6.0}])
    >>> t["seconds / retrain"], t["tuning / retrain"]
    ([1.0, 0.25], [None, 3.0])
    """
    first = rows[0]
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in first}
    ratios = (
        ("seconds", "seconds / retrain", "seconds"),
        ("cpu seconds", "cpu / retrain", "cpu seconds"),
        ("peak memory", "memory / retrain", "peak memory"),
        ("records read", "records / retrain", "records read"),
        ("state stored", "state / retrain", "state stored"),
        ("tuning seconds", "tuning / retrain", "seconds"),
    )
    for name, ratio, by in ratios:
        whole = first[by]
        columns[ratio] = [
            row[name] / whole if row[name] is not None and whole else None for row in rows
        ]
    return PaperTable(
        "costs",
        columns,
        UNITS,
        ("method",),
        "of one request: medians over models, of memory the peak beyond what was held before; "
        "tuning apart, where the method says what it took; empty where nothing was measured",
    )


def audit_bill(
    whole: Cost, trainings: int, forgettings: int, read: int, retraining: float
) -> PaperTable:
    """Return what the audit itself took, which is no part of any method's bill."""
    return PaperTable(
        "audit cost",
        {
            "trainings": [trainings],
            "forgettings": [forgettings],
            "read from the store": [read],
            "seconds": [whole.seconds],
            "cpu seconds": [whole.cpu_seconds],
            "in retrainings": [whole.seconds / retraining if retraining else None],
        },
        {"seconds": "seconds", "cpu seconds": "seconds", "in retrainings": "seconds of retraining"},
        (),
        "the audit's own cost, once for all methods",
    )
