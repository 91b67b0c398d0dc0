"""The gallery of traps: what each weak number says here, and whether the trap shows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from unteach.audit import difference_of_means, tow
from unteach.core import Reading
from unteach.stats import Interval, mean_interval

from .cells import DESIGNS, HALVES
from .setting import HALVED, METHOD_LABELS, NOTHING, POLES, RETRAIN, VANDAL, named, worlds

TITLES = {
    "one threshold": "One threshold for all records passes doing nothing",
    "tow": "A tug of war passes doing nothing",
    "median": "The median passes what over- and under-forgets",
    "one side": "Lower is better, so that the vandal wins",
    "half": "The target is 0.5, which retraining misses",
    "floor": "A divergence above zero is taken for memory",
    "cancel": "Half kept and half denied cancel in an average",
    "average": "The average over records hides the worst half",
    "easy": "Records at random are easy to forget",
    "procedure": "The attack finds what the method did, not what it left",
    "design": "One original for all models finds what is not there",
    "entropy": "Modified entropy, as published code has it",
}
Rows = list[dict[str, Any]]


def trap_rows(
    plan: dict[str, Any], results: dict[str, Any], panel: Rows, judged: Rows
) -> list[dict[str, Any]]:
    """Return one row a trap and place: a number with its interval, against another, and a word."""
    rows: Rows = []
    for world in worlds(plan):
        label, kind = named(plan, world), world.split("/")[1]
        cell = partial(_cell, results, world)
        beyond = {(r["definition"], r["method"]): r["beyond"] for r in panel if r["set"] == label}
        rows += [
            _threshold(label, cell, beyond),
            _tow(label, cell, beyond),
            *_median(label, plan, cell, beyond),
            *_one_side(label, cell),
            _cancel(label, cell, beyond),
            _half(label, cell),
            _floor(plan, results, world, label),
            *_average(label, plan, cell, judged),
        ]
        if kind == "random":
            rows += _designs(label, results[f"design/{world}"], plan)
    rows += _easy(plan, results)
    order = list(TITLES)
    return sorted(rows, key=lambda r: order.index(r["trap"]))


def _cell(results: dict[str, Any], world: str, method: str) -> Any:
    return results[f"cell/{world}/{method}"]


def trap_readings(plan: dict[str, Any], rows: Rows) -> list[Reading]:
    """Return the number of every trap as a reading."""
    return [
        Reading(
            reading_name(r),
            r["value"],
            r["low"],
            r["high"],
            n=r["n"],
            unit_of_replication=r["over"],
            seeds=(int(plan["seed"]),),
            unit=r["unit"],
            better="none",
            table="traps",
            note=f"{r['against_what']}: {r['against']:.3f}",
        )
        for r in rows
    ]


def reading_name(row: dict[str, Any]) -> str:
    """Return the name of a trap's reading."""
    return f"{row['says']} ({row['where']})"


def _row(
    trap: str,
    where: str,
    says: str,
    found: Interval,
    unit: str,
    against: float,
    against_what: str,
    shows: bool,
) -> dict[str, Any]:
    return {
        "trap": trap,
        "title": TITLES[trap],
        "where": where,
        "says": says,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "over": found.unit_of_replication,
        "unit": unit,
        "against": float(against),
        "against_what": against_what,
        "shows": bool(shows),
    }


def _threshold(label: str, cell: Any, beyond: Any) -> dict[str, Any]:
    one, fresh = (np.array(cell(m)["member"]) for m in (NOTHING, RETRAIN))
    return _row(
        "one threshold",
        label,
        "population area, do nothing less retrain",
        difference_of_means(one, fresh),
        "area",
        cell(NOTHING)["tests"]["all"]["area"],
        "area of the per-record attack on doing nothing",
        beyond["member", "nothing"] is False,
    )


def _tow(label: str, cell: Any, beyond: Any) -> dict[str, Any]:
    one, fresh = (np.array(cell(m)["accuracies"]) for m in (NOTHING, RETRAIN))
    other = np.roll(fresh, 1, axis=0)
    return _row(
        "tow",
        label,
        "ToW of doing nothing",
        mean_interval(tow(one, fresh), unit_of_replication="models"),
        "ToW",
        float(tow(fresh, other).mean()),
        "ToW of retraining",
        beyond["tow", "nothing"] is False,
    )


def _median(label: str, plan: dict[str, Any], cell: Any, beyond: Any) -> Rows:
    """Return the method whose median is nearest to zero while its larger side is beyond null."""
    found = [(m, cell(m)["residual"]) for m in plan["methods"] if m not in POLES]
    known = [(m, r) for m, r in found if r is not None]
    if not known:
        return []
    hidden = [
        (m, r)
        for m, r in known
        if beyond["residual", METHOD_LABELS[m]] and not beyond["median", METHOD_LABELS[m]]
    ]
    method, r = min(hidden or known, key=lambda pair: abs(pair[1]["median"]))
    value = Interval(r["value"], r["low"], r["high"], len(cell(method)["member"]), "models")
    return [
        _row(
            "median",
            label,
            f"larger side of the residual, {METHOD_LABELS[method]}",
            value,
            "residual",
            r["median"],
            "its median",
            bool(hidden),
        )
    ]


def _one_side(label: str, cell: Any) -> Rows:
    """Return how far over-forgetting undercuts retraining, in accuracy on the forgotten."""
    one, fresh = (np.array(cell(m)["accuracies"])[:, 0] for m in (VANDAL, RETRAIN))
    gap = difference_of_means(one, fresh)
    return [
        _row(
            "one side",
            label,
            "forget accuracy, over-forget less retrain",
            gap,
            "accuracy",
            float(fresh.mean()),
            "forget accuracy of retraining",
            gap.high < 0,
        )
    ]


def _cancel(label: str, cell: Any, beyond: Any) -> dict[str, Any]:
    """Return what one threshold says of models that keep half and deny half."""
    one, fresh = (np.array(cell(m)["member"]) for m in (HALVED, RETRAIN))
    nothing = float(np.mean(cell(NOTHING)["member"]) - fresh.mean())
    passed = [beyond[n, "halved"] is False for n in ("accuracy", "tow", "member", "median")]
    return _row(
        "cancel",
        label,
        "population area, halved less retrain",
        difference_of_means(one, fresh),
        "area",
        nothing,
        "do nothing less retrain",
        any(passed),
    )


def _half(label: str, cell: Any) -> dict[str, Any]:
    found = mean_interval(cell(RETRAIN)["member"], unit_of_replication="models")
    return _row(
        "half",
        label,
        "population area of retraining",
        found,
        "area",
        0.5,
        "the target that is often named",
        not found.holds(0.5),
    )


def _floor(plan: dict[str, Any], results: dict[str, Any], world: str, label: str) -> dict[str, Any]:
    draws = np.concatenate([results[f"null/{world}/{k}"]["klom"] for k in range(plan["parts"])])
    low, middle, high = (float(q) for q in np.quantile(draws, [0.025, 0.5, 0.975]))
    nothing = results[f"cell/{world}/{NOTHING}"]["scores"]["klom"]
    return _row(
        "floor",
        label,
        "KLoM of retraining against retraining",
        Interval(middle, low, high, len(draws), "mixtures of retrained models"),
        "nats",
        nothing,
        "KLoM of doing nothing",
        low > 0,
    )


def _average(label: str, plan: dict[str, Any], cell: Any, judged: Rows) -> Rows:
    """Return the method between whose halves of records the attack differs most."""
    methods = [m for m in plan["methods"] if m not in POLES] or plan["methods"]

    def apart(m: str) -> float:
        tests = cell(m)["tests"]
        return float(tests[HALVES[0]]["low"] - tests[HALVES[1]]["high"])

    method = max(methods, key=apart)
    tests = cell(method)["tests"]
    worst = tests[HALVES[0]]
    value = Interval(
        worst["area"], worst["low"], worst["high"], worst["n"], "models x examples", worst["level"]
    )
    return [
        _row(
            "average",
            label,
            f"area on the memorized half, {METHOD_LABELS[method]}",
            value,
            "area",
            tests[HALVES[1]]["area"],
            "area on the other half",
            apart(method) > 0,
        )
    ]


def _easy(plan: dict[str, Any], results: dict[str, Any]) -> Rows:
    """Return, paired by method, the area on mislabelled records less that on random ones."""
    rows: Rows = []
    for source in plan["sources"]:
        if not {"random", "mislabelled"} <= set(plan["sets"]):
            continue
        areas = [
            [
                results[f"cell/{source['name']}/{k}/{m}"]["tests"]["all"]["area"]
                for m in plan["methods"]
            ]
            for k in ("mislabelled", "random")
        ]
        gaps = np.subtract(areas[0], areas[1])
        found = mean_interval(gaps, unit_of_replication="methods")
        rows.append(
            _row(
                "easy",
                source["title"],
                "area, mislabelled less random records",
                found,
                "area",
                float(np.mean(areas[1])),
                "mean area on random records",
                found.low > 0,
            )
        )
    return rows


def _designs(label: str, found: dict[str, Any], plan: dict[str, Any]) -> Rows:
    told = {d: found["designs"][d] for d in DESIGNS}
    own, fixed = told[DESIGNS[3]], told[DESIGNS[2]]
    area = Interval(
        fixed["area"], fixed["low"], fixed["high"], fixed["n"], "models x examples", fixed["level"]
    )
    clean = Interval(
        own["area"], own["low"], own["high"], own["n"], "models x examples", own["level"]
    )
    moved = mean_interval(found["entropy"]["moved"], unit_of_replication="models")
    method = METHOD_LABELS[plan["design"]]
    return [
        _row(
            "procedure",
            label,
            f"area, {method}, models that never saw the records",
            clean,
            "area",
            told[DESIGNS[0]]["area"],
            "models that saw them",
            own["low"] > 0.5,
        ),
        _row(
            "design",
            label,
            f"area, {method}, one model that never saw the records",
            area,
            "area",
            own["area"],
            "each from its own model that never saw them",
            fixed["low"] > own["high"],
        ),
        _row(
            "entropy",
            label,
            "records whose value depends on the batch",
            moved,
            "share",
            0.0,
            "by the definition",
            moved.low > 0,
        ),
    ]
