"""Readings of the comparison: how far definitions agree, and what each of them misses."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Reading

from .agreement import Agreement, known_mean, off_diagonal
from .definitions import DEFINITIONS

CELLS = "cells"


def tau_name(label: str) -> str:
    """Return the name of the reading of how a definition orders methods, against U-LiRA."""
    return f"{label}: orders methods as U-LiRA does"


def missed_name(label: str) -> str:
    """Return the name of the reading of what a definition misses."""
    return f"{label}: accepts what is told apart"


def panel_readings(
    plan: dict[str, Any], orders: Agreement, verdicts: Agreement, valid: dict[str, bool]
) -> list[Reading]:
    """Return the mean agreement over pairs, in order and in verdict, and the reliability."""
    n, seeds = _cells(plan, valid), (int(plan["seed"]),)
    common: dict[str, Any] = {"n": n, "unit_of_replication": CELLS, "seeds": seeds}
    tau = orders.of(off_diagonal)
    same = verdicts.of(off_diagonal)
    per_record = [k for k, d in enumerate(DEFINITIONS) if d.family == "per record"]
    averages = [k for k, d in enumerate(DEFINITIONS) if d.family in ("average", "one threshold")]
    itself = known_mean(np.diagonal(orders.value))
    return [
        Reading(
            "agreement in order, all pairs",
            *tau,
            **common,
            unit="tau",
            better="none",
            table="order",
            note="mean Kendall tau-b over pairs of definitions; a definition "
            f"with itself on resampled models has {itself:.2f}",
        ),
        Reading(
            "agreement in order, per-record definitions",
            *orders.of(lambda m: off_diagonal(m[np.ix_(per_record, per_record)])),
            **common,
            unit="tau",
            better="none",
            table="order",
        ),
        Reading(
            "agreement in order, averages against per-record",
            *orders.of(lambda m: known_mean(m[np.ix_(averages, per_record)])),
            **common,
            unit="tau",
            better="none",
            table="order",
        ),
        Reading(
            "agreement in verdict, all pairs",
            *same,
            **common,
            unit="share",
            better="none",
            table="verdicts",
        ),
    ]


def definition_readings(
    plan: dict[str, Any], rows: list[dict[str, Any]], valid: dict[str, bool]
) -> list[Reading]:
    """Return for each definition its order against U-LiRA's, and the share that it misses."""
    n, seeds, found = _cells(plan, valid), (int(plan["seed"]),), []
    for r in rows:
        if r["tau"] is not None:
            found.append(
                Reading(
                    tau_name(r["label"]),
                    r["tau"],
                    r["tau_low"],
                    r["tau_high"],
                    n=n,
                    unit_of_replication=CELLS,
                    seeds=seeds,
                    unit="tau",
                    better="none",
                    table="definitions",
                )
            )
        if r["missed"] is not None:
            ends = _widened(r["missed"], r["missed_low"], r["missed_high"], len(plan["methods"]))
            found.append(
                Reading(
                    missed_name(r["label"]),
                    r["missed"],
                    *ends,
                    n=r["cells"],
                    unit_of_replication="cells told apart",
                    seeds=seeds,
                    unit="share",
                    better="lower",
                    table="definitions",
                )
            )
    return found


def _widened(value: float, low: float, high: float, methods: int) -> tuple[float, float]:
    """Return an interval that does not claim certainty where every method says the same.

    Clopper and Pearson's end for so many methods, which are what was drawn independently.
    """
    far = 1 - 0.025 ** (1 / methods)
    if value == 0.0:
        high = max(high, far)
    if value == 1.0:
        low = min(low, 1 - far)
    return float(min(low, value)), float(max(high, value))


def _cells(plan: dict[str, Any], valid: dict[str, bool]) -> int:
    return max(1, sum(valid.values()) or len(valid)) * len(plan["methods"])
