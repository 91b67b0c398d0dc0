"""The audit's own judgement of every method, with its controls, from what the tasks stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.audit import CONTROL, Fractions, Sides, Ulira, judge
from unteach.stats import Interval, holm

from .setting import METHOD_LABELS, NOTHING, RETRAIN, named, worlds

STRATA = ("all", "most memorized half")
CARRIES = ("distinguishable", "over-forgotten")
"""The judgements that say a method is told from retraining."""


def judged_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the protocol's judgement of each method on each forget set.

    Where the controls misbehave (retraining is told from retraining, or doing nothing is not),
    the set is invalid and every judgement on it says so.
    """
    rows = []
    for world in worlds(plan):
        cells = {m: results[f"cell/{world}/{m}"] for m in (*plan["methods"], RETRAIN)}
        rows += _set_rows(plan, named(plan, world), cells)
    return rows


def controls(cells: dict[str, Any]) -> str:
    """Return "valid", or how the controls of a forget set misbehave."""
    negative = min(cells[RETRAIN]["tests"][s]["p"] for s in STRATA)
    positive = min(cells[NOTHING]["tests"][s]["p"] for s in STRATA)
    if negative <= CONTROL / len(STRATA):
        return f"invalid: retraining is told from retraining (p {negative:.3g})"
    if positive > 0.05 / len(STRATA):
        return f"invalid: doing nothing is not told from retraining (p {positive:.3g})"
    return "valid"


def _set_rows(plan: dict[str, Any], label: str, cells: dict[str, Any]) -> list[dict[str, Any]]:
    valid = controls(cells)
    keys = [(m, s) for m in plan["methods"] for s in STRATA]
    adjusted = dict(zip(keys, holm([cells[m]["tests"][s]["p"] for m, s in keys]), strict=True))
    rows = []
    for method, cell in cells.items():
        tests = {s: _ulira(cell["tests"][s]) for s in STRATA}
        p = {s: float(adjusted.get((method, s), tests[s].p_value)) for s in STRATA}
        said = judge(tests, p, _fractions(cell), sides=_sides(cell["sides"]))
        if method == RETRAIN:  # the control: by its own stricter level
            kind = (
                "distinguishable"
                if valid.startswith("invalid: retraining")
                else ("equivalent" if said.kind == "equivalent" else "inconclusive")
            )
        else:
            kind = said.kind
        area, residual, sides = cell["tests"]["all"], cell["residual"], cell["sides"]
        rows.append(
            {
                "set": label,
                "method": METHOD_LABELS[method],
                "valid": valid == "valid",
                "kind": kind if valid == "valid" else "invalid",
                "area": area["area"],
                "low": area["low"],
                "high": area["high"],
                "p": min(p.values()),
                "detectable": area["detectable"],
                "short": float(np.mean(sides["short"])),
                "beyond": float(np.mean(sides["beyond"])),
                "residual": None if residual is None else residual["value"],
                "median": None if residual is None else residual["median"],
                "control": valid,
            }
        )
    return rows


def _ulira(t: dict[str, Any]) -> Ulira:
    area = Interval(
        t["area"],
        t["low"],
        t["high"],
        t["n"],
        "models x examples",
        t["level"],
        "DeLong by model, jackknife",
    )
    return Ulira(area, np.zeros(0), t["p"], (t["null"][0], t["null"][1]), t["detectable"])


def _fractions(cell: dict[str, Any]) -> Fractions | None:
    found = cell["residual"]
    if found is None:
        return None
    value = Interval(found["value"], found["low"], found["high"], 2, "models")
    null = (found["null"][0], found["null"][1])
    rho = np.full(cell["forgotten"], np.nan)
    rho[: found["measurable"]] = found["median"]  # how many are measured is kept, not which
    return Fractions(value, rho, found["near"], found["median"], null, 10.0)


def _sides(found: dict[str, list[bool]]) -> Sides:
    return Sides(np.array(found["short"], bool), np.array(found["beyond"], bool))
