"""The phase diagram: what unlearning the memorized does in each cell, and what was foretold."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Reading, derive
from unteach.stats import bootstrap_interval, paired

FITTED = 0.99
"""A network fits its records from this accuracy on; the theory is about such learners."""


def phase_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a cell; draws are made afresh, so that plain paired tests hold."""
    phase, rows = plan["phase"], []
    for hidden in phase["hidden"]:
        for noise in phase["noise"]:
            for exponent in phase["exponents"]:
                found = [results[f"phase/{exponent}/{noise}/{hidden}/{k}"]
                         for k in range(phase["draws"])]  # fmt: skip
                rows.append({
                    "exponent": exponent, "noise": noise, "hidden": hidden, **_cell(found)
                })  # fmt: skip
    return rows


def _cell(found: list[dict[str, float]]) -> dict[str, Any]:
    def of(name: str) -> Any:
        return np.array([f[name] for f in found])

    change = paired(list(of("memorized"))).interval
    measured = paired(list(of("memorized") - of("random"))).interval
    expected = of("expected") - of("expected_random")
    miss = paired(list(of("memorized") - of("random") - expected)).interval
    effect = "hurts" if measured.high < 0 else "helps" if measured.low > 0 else "cannot tell"
    return {
        "fit": float(of("fit").mean()), "before": float(of("before").mean()),
        "singletons": float(of("singletons").mean()), "wrong": float(of("wrong").mean()),
        "change": change.value, "change_low": change.low, "change_high": change.high,
        "measured": measured.value, "low": measured.low, "high": measured.high,
        "expected": float(expected.mean()),
        "plug_in": float((of("plug_in") - of("plug_in_random")).mean()),
        "miss": miss.value, "miss_low": miss.low, "miss_high": miss.high, "effect": effect,
    }  # fmt: skip


def phase_readings(
    rows: list[dict[str, Any]], plan: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    """Return how far the theory is off, over the cells that a network fits and those it does not.

    The intervals range over cells.
    """
    made = []
    for name, mine in (
        ("fitted networks", [r for r in rows if r["fit"] >= FITTED]),
        ("networks that do not fit", [r for r in rows if r["fit"] < FITTED]),
    ):
        if len(mine) < 3:
            continue
        miss = np.array([r["miss"] for r in mine])
        found = bootstrap_interval(
            miss, lambda v: float(np.sqrt(np.mean(np.asarray(v) ** 2))),
            unit_of_replication="cells", seed=derive(seed[0], "tail", "diagram", name),
        )  # fmt: skip
        made.append(Reading(
            f"theory off by, {name}", found.value, found.low, found.high, n=len(mine),
            unit_of_replication="cells", seeds=seed, unit="accuracy", better="lower",
            table="phase", note="root mean square over cells of measured less expected",
        ))  # fmt: skip
    return made
