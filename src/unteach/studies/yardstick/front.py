"""What every method costs, leaks and keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.audit.population import difference_of_means

from .setting import HALVED, METHOD_LABELS, RETRAIN, VANDAL, named, worlds


def front_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return leakage, utility and cost of every method on every forget set."""
    rows = []
    for world in worlds(plan):
        fresh = np.array(results[f"cell/{world}/{RETRAIN}"]["accuracies"])[:, 2]
        for method in (*plan["methods"], RETRAIN):
            cell = results[f"cell/{world}/{method}"]
            gap = difference_of_means(np.array(cell["accuracies"])[:, 2], fresh)
            told = cell["tests"]["all"]
            rows.append({
                "set": named(plan, world), "method": METHOD_LABELS[method],
                "x": told["area"], "x_low": told["low"], "x_high": told["high"],
                "y": gap.value, "y_low": gap.low, "y_high": gap.high, "cost": cell["cost"],
            })  # fmt: skip
    return rows


def bill_rows(front: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cost, leakage and accuracy lost of every method, over the forget sets."""
    rows = []
    denied = (METHOD_LABELS[VANDAL], METHOD_LABELS[HALVED])  # they are no way to forget
    for method in dict.fromkeys(r["method"] for r in front if r["method"] not in denied):
        mine = [r for r in front if r["method"] == method]
        areas = [r["x"] for r in mine]
        rows.append({
            "method": method, "cost": float(np.mean([r["cost"] for r in mine])),
            "area": float(np.mean(areas)), "low": min(areas), "high": max(areas),
            "lost": float(np.mean([max(0.0, -r["y"]) for r in mine])),
        })  # fmt: skip
    return rows
