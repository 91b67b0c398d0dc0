"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from unteach.audit import difference_of_means
from unteach.core import Reading, Table
from unteach.stats import holm

from .agreement import Agreement, missed, rank_correlation, resampled, same_verdict
from .definitions import BY_NAME, DEFINITIONS
from .protocol import CARRIES, judged_rows
from .readings import definition_readings, panel_readings
from .setting import HALVED, METHOD_LABELS, POLES, RETRAIN, VANDAL, named, worlds
from .traps import trap_readings, trap_rows

# What every method costs, leaks and keeps.


def front_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return leakage, utility and cost of every method on every forget set."""
    rows = []
    for world in worlds(plan):
        fresh = np.array(results[f"cell/{world}/{RETRAIN}"]["accuracies"])[:, 2]
        for method in (*plan["methods"], RETRAIN):
            cell = results[f"cell/{world}/{method}"]
            gap = difference_of_means(np.array(cell["accuracies"])[:, 2], fresh)
            told = cell["tests"]["all"]
            rows.append(
                {
                    "set": named(plan, world),
                    "method": METHOD_LABELS[method],
                    "x": told["area"],
                    "x_low": told["low"],
                    "x_high": told["high"],
                    "y": gap.value,
                    "y_low": gap.low,
                    "y_high": gap.high,
                    "cost": cell["cost"],
                }
            )
    return rows


def bill_rows(front: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cost, leakage and accuracy lost of every method, over the forget sets."""
    rows = []
    denied = (METHOD_LABELS[VANDAL], METHOD_LABELS[HALVED])  # they are no way to forget
    for method in dict.fromkeys(r["method"] for r in front if r["method"] not in denied):
        mine = [r for r in front if r["method"] == method]
        areas = [r["x"] for r in mine]
        rows.append(
            {
                "method": method,
                "cost": float(np.mean([r["cost"] for r in mine])),
                "area": float(np.mean(areas)),
                "low": min(areas),
                "high": max(areas),
                "lost": float(np.mean([max(0.0, -r["y"]) for r in mine])),
            }
        )
    return rows


ALPHA = 0.05
MOST = 99.0
"""Scores are shown up to so many times the null's width."""
PLANTED = tuple(METHOD_LABELS[m] for m in POLES)
NAMES = tuple(d.name for d in DEFINITIONS)


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    judged = judged_rows(plan, results)
    panel = panel_rows(plan, results)
    told = {(r["set"], r["method"]): r["kind"] in CARRIES for r in judged}
    valid = {r["set"]: r["valid"] for r in judged}
    orders, verdicts, misses = compared(plan, results, panel, told, valid)
    front = front_rows(plan, results)
    traps = trap_rows(plan, results, panel, judged)
    definitions = definition_rows(
        panel, told, valid, orders, misses, unseen_rejected(plan, results, valid)
    )
    order = seriated(orders.value)
    tables = [
        table(
            "panel",
            panel,
            {"p": "p", "p_holm": "p"},
            ("set", "definition", "method"),
            "score: distance from retraining, as defined; units: the same less the median of "
            "retraining against retraining, in units of how far its 95 % quantile lies above "
            f"the median, at most {MOST:g}; p from retraining against retraining, p_holm "
            "adjusted over the methods of a definition and a forget set (not over definitions "
            "or sets; retraining's own is not adjusted); beyond: p_holm at "
            f"most {ALPHA:g}; low, high: plus and minus 1.96 standard errors over models",
        ),
        table(
            "definitions",
            definitions,
            dict.fromkeys(("missed", "missed_low", "missed_high"), "share"),
            ("definition",),
            "nothing, vandal, halved, retrain: forget sets in which the definition accepts "
            "doing nothing, over-forgetting, keeping half and denying half, and in which it "
            "rejects retraining; missed: cells that the "
            "per-record attack tells from retraining and the definition accepts; unseen: forget "
            "sets in which it rejects models that never saw the records and went through the "
            "same method; tau: rank correlation with U-LiRA",
        ),
        table(
            "order",
            pair_rows(orders, order),
            {},
            ("one", "other"),
            "Kendall's tau-b over methods, averaged over forget sets; on the diagonal: of a "
            "definition with itself on resampled models",
        ),
        table(
            "verdicts",
            pair_rows(verdicts, order),
            dict.fromkeys(("low", "high"), "share"),
            ("one", "other"),
            "share of cells in which both accept or both reject",
        ),
        table(
            "judged",
            judged,
            {"p": "p"},
            ("set", "method"),
            "the protocol's judgement: U-LiRA with an exact test on all forgotten records and "
            "on the most memorized half, adjusted over methods and strata of a forget set",
        ),
        table(
            "front",
            front,
            {"cost": "share", "x": "", "y": "accuracy", "y_low": "accuracy", "y_high": "accuracy"},
            ("set", "method"),
            "x: area of the per-record attack; y: held-out accuracy less retraining's; cost: "
            "gradients of one record, in units of retraining's",
        ),
        table(
            "bill",
            bill_rows(front),
            {"cost": "share", "lost": "accuracy"},
            ("method",),
            "over forget sets: mean cost in units of retraining's, mean area of the per-record "
            "attack with its smallest and largest, mean of the held-out accuracy lost",
        ),
        table(
            "aim",
            [{"set": s, "x": 0.5, "y": 0.0} for s in valid],
            {"y": "accuracy"},
            ("set",),
            "what retraining would have",
        ),
        table(
            "traps",
            traps,
            {},
            ("trap", "where"),
            "what a weak number says; shows: whether the trap is there in this run",
        ),
    ]
    readings = [
        *panel_readings(plan, orders, verdicts, valid),
        *definition_readings(plan, definitions, valid),
        *trap_readings(plan, traps),
    ]
    return tables, readings


def table(
    name: str,
    rows: list[dict[str, Any]],
    units: dict[str, str],
    keys: tuple[str, ...],
    caption: str,
) -> Table:
    """Return rows as a table."""
    return Table(name, {k: [r[k] for r in rows] for k in rows[0]}, units, keys, caption)


def null_of(plan: dict[str, Any], results: dict[str, Any], world: str) -> dict[str, Any]:
    """Return what retraining scores against retraining: (draws,) sorted, by definition."""
    parts = [results[f"null/{world}/{k}"] for k in range(plan["parts"])]
    return {n: np.sort([v for p in parts for v in p[n]]) for n in NAMES}


def panel_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a forget set, definition and method, retraining first."""
    rows = []
    for world in worlds(plan):
        null = null_of(plan, results, world)
        for d in DEFINITIONS:
            cells = {m: results[f"cell/{world}/{m}"] for m in (RETRAIN, *plan["methods"])}
            scores = {m: c["scores"][d.name] for m, c in cells.items()}
            known = [m for m in plan["methods"] if scores[m] is not None]
            p = {m: tail(null[d.name], scores[m]) for m in cells if scores[m] is not None}
            adjusted = dict(zip(known, holm([p[m] for m in known]), strict=True)) if known else {}
            for method, cell in cells.items():
                rows.append(
                    {
                        "set": named(plan, world),
                        "definition": d.name,
                        "method": METHOD_LABELS[method],
                        **_scored(scores[method], cell["replicates"][d.name], null[d.name]),
                        "p": p.get(method),
                        "p_holm": None
                        if method not in p
                        else float(adjusted.get(method, p[method])),
                        "beyond": None
                        if method not in p
                        else bool(adjusted.get(method, p[method]) <= ALPHA),
                    }
                )
    return rows


def tail(null: NDArray[np.float64], value: float | None) -> float:
    """Return the share of a null, the value counted in, that is at least a value.

    >>> tail(np.array([0.0, 1.0, 2.0]), 1.5)
    0.5
    """
    if value is None or not len(null):
        return 1.0
    return (1 + int(np.sum(null >= value - 1e-12))) / (1 + len(null))


def _scored(
    value: float | None, replicates: list[float | None], null: NDArray[np.float64]
) -> dict[str, Any]:
    names = ("score", "low", "high", "null", "null_high", "units")
    if value is None or not len(null):
        return dict.fromkeys(names)
    again = [v for v in replicates if v is not None]
    half = 1.96 * float(np.std(again, ddof=1)) if len(again) > 1 else 0.0
    middle, high = (float(q) for q in np.quantile(null, [0.5, 0.95]))
    width = max(high - middle, 1e-9)
    units = round(float(np.clip((value - middle) / width, -MOST, MOST)), 3) + 0.0
    return dict(zip(names, (value, value - half, value + half, middle, high, units), strict=True))


def cubes(
    plan: dict[str, Any], results: dict[str, Any], panel: list[dict[str, Any]], sets: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and verdicts (sets, methods, definitions), and scores of resampled models."""
    scores, again = [], []
    for world in sets:
        cells = [results[f"cell/{world}/{m}"] for m in plan["methods"]]
        scores.append([[_number(c["scores"][n]) for n in NAMES] for c in cells])
        again.append([[[_number(v) for v in c["replicates"][n]] for n in NAMES] for c in cells])
    beyond = {(r["set"], r["method"], r["definition"]): r["beyond"] for r in panel}
    verdicts = [
        [
            [_number(beyond[named(plan, w), METHOD_LABELS[m], n]) for n in NAMES]
            for m in plan["methods"]
        ]
        for w in sets
    ]
    return (np.array(scores), np.array(verdicts, float), np.moveaxis(np.array(again, float), -1, 0))


def compared(
    plan: dict[str, Any],
    results: dict[str, Any],
    panel: list[dict[str, Any]],
    told: dict[tuple[str, str], bool],
    valid: dict[str, bool],
) -> tuple[Agreement, Agreement, Agreement]:
    """Return rank correlations, shares of equal verdicts, and shares of what is missed.

    Only forget sets whose controls behave are looked at; without any, all are, as they stand.
    """
    sets = [w for w in worlds(plan) if valid[named(plan, w)]] or worlds(plan)
    scores, verdicts, again = cubes(plan, results, panel, sets)
    seen = np.array(
        [[told[named(plan, w), METHOD_LABELS[m]] for m in plan["methods"]] for w in sets], float
    )
    seed = plan["seed"]
    orders = resampled(rank_correlation, scores, replicates=again, seed=seed)
    itself = np.mean([rank_pairs(scores, one) for one in again], axis=0)
    np.fill_diagonal(orders.value, itself)
    return (
        orders,
        resampled(same_verdict, verdicts, seed=seed),
        resampled(missed, verdicts, seen, seed=seed),
    )


def rank_pairs(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank correlation of each definition in one reading with itself in another."""
    both = rank_correlation(np.concatenate([one, other], axis=2))
    return np.asarray(np.diagonal(both, offset=one.shape[2]))


def seriated(tau: NDArray[np.float64]) -> list[int]:
    """Return definitions in an order that puts those that agree beside each other."""
    far = 1 - np.nan_to_num((tau + tau.T) / 2)
    np.fill_diagonal(far, 0.0)
    return [int(k) for k in leaves_list(linkage(squareform(far, checks=False), "average"))]


def pair_rows(found: Agreement, order: list[int]) -> list[dict[str, Any]]:
    """Return one row a pair of definitions, in this order."""
    rows = []
    for i in order:
        for j in order:
            value, low, high = (_plain(a[i, j]) for a in (found.value, found.low, found.high))
            rows.append(
                {
                    "one": NAMES[i],
                    "other": NAMES[j],
                    "value": value,
                    "low": None if i == j else low,
                    "high": None if i == j else high,
                    "sure": bool(i != j and low is not None and low > 0),
                }
            )
    return rows


def unseen_rejected(
    plan: dict[str, Any], results: dict[str, Any], valid: dict[str, bool]
) -> dict[str, list[bool]]:
    """Return, by definition, whether it rejects models that never saw the forgotten records.

    They were retrained, and then put through a method as if they had to forget.
    """
    found: dict[str, list[bool]] = {n: [] for n in NAMES}
    for world in worlds(plan):
        design = results.get(f"design/{world}")
        if design is None or not valid[named(plan, world)]:
            continue
        null = null_of(plan, results, world)
        for n in NAMES:
            if design["unseen"][n] is not None:
                found[n].append(tail(null[n], design["unseen"][n]) <= ALPHA)
    return found


def definition_rows(
    panel: list[dict[str, Any]],
    told: dict[tuple[str, str], bool],
    valid: dict[str, bool],
    orders: Agreement,
    misses: Agreement,
    unseen: dict[str, list[bool]],
) -> list[dict[str, Any]]:
    """Return one row a definition: what it says of the poles, and what it misses."""
    rows, at = [], NAMES.index("ulira")
    for k, name in enumerate(NAMES):
        mine = {
            (r["set"], r["method"]): r["beyond"]
            for r in panel
            if r["definition"] == name and valid[r["set"]] and r["beyond"] is not None
        }
        fooled = [(s, m) for (s, m), beyond in mine.items() if told.get((s, m)) and not beyond]
        others = [m for _, m in fooled if m not in PLANTED]
        tau = (
            (None, None, None)
            if k == at
            else tuple(_plain(a[k, at]) for a in (orders.value, orders.low, orders.high))
        )
        rows.append(
            {
                "definition": name,
                "label": BY_NAME[name].label,
                "family": BY_NAME[name].family,
                "means": BY_NAME[name].means,
                "sets": len({s for s, _ in mine}),
                "nothing": sum(m == "nothing" for _, m in fooled),
                "vandal": sum(m == "vandal" for _, m in fooled),
                "halved": sum(m == "halved" for _, m in fooled),
                "retrain": sum(bool(b) for (_, m), b in mine.items() if m == "retrain"),
                "unseen": sum(unseen[name]),
                "unseen_sets": len(unseen[name]),
                "cells": sum(bool(told.get(key)) for key in mine),
                "missed": _plain(misses.value[k]),
                "missed_low": _plain(misses.low[k]),
                "missed_high": _plain(misses.high[k]),
                "tau": tau[0],
                "tau_low": tau[1],
                "tau_high": tau[2],
                "by": ", ".join(dict.fromkeys(others)) or "–",
            }
        )
    return rows


def _number(value: float | bool | None) -> float:
    return float("nan") if value is None else float(value)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
