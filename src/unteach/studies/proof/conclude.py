"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from unteach.core import Reading, Table

from .readings import map_readings, mean_of, model_readings
from .symbolic import VERDICTS, theorem
from .world import ALL_ARMS, ARM_LABELS, FORM_LABELS, FORMS

MEASURES = (
    "recalled",
    "deducible",
    "strength",
    "over chance",
    "preserved",
    "preserved directly",
    "outside the plan",
    "stated kept",
    "recites",
    "printed",
)


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    maps = [results[f"map/{k}"] for k in range(plan["families"])]
    prices = [results[f"price/{k}"] for k in range(plan["families"])]
    models = {form: [results[f"model/{form}/{k}"] for k in range(plan["models"])] for form in FORMS}
    seeds = (int(plan["seed"]),)
    tables = [
        map_table(maps),
        price_table(plan, prices),
        worlds_table(models),
        runs_table(models),
        arms_table(models),
        points_table(models),
        front_table(models),
        relearn_table(models),
        traces_table(models["traces"][0]),
        trees_table(maps[0], models["statements"]),
    ]
    readings = [*map_readings(maps, seeds), *model_readings(models, seeds)]
    return tables, readings


def map_table(maps: Sequence[dict[str, Any]]) -> Table:
    """Return how many conclusions of each relation have each verdict, over all families."""
    counts: dict[str, Counter[str]] = {}
    for found in maps:
        for row in found["rows"]:
            counts.setdefault(row["predicate"], Counter())[row["verdict"]] += 1
    share = {p: [c[v] / c.total() for v in ("impossible", "promotion")] for p, c in counts.items()}
    names = sorted(counts, key=lambda p: (*share[p], p))
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [(p, counts[p]) for p in names] + [("all", total)]
    return Table(
        "map",
        {"relation": [n for n, _ in rows], **{v: [c[v] for _, c in rows] for v in VERDICTS}},
        dict.fromkeys(VERDICTS, "conclusions"),
        ("relation",),
        "conclusions by what becomes of them when the premises of their shortest proof go",
    )


def price_table(plan: dict[str, Any], prices: Sequence[list[dict[str, Any]]]) -> Table:
    """Return what requests of each size cost: means over families, with their intervals."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("what", "panel", "size", "value", "low", "high", "families")
    }
    for what in ("promotion", "base-only", "alone", "lost"):
        panel = "feasible" if what in ("promotion", "base-only") else "cost"
        for size in plan["sizes"]:
            means = []
            for rows in prices:
                found = [r[what] for r in rows if r["size"] == size and r[what] is not None]
                if found:
                    means.append(float(np.mean(found)))
            ends = mean_of(means, "families")
            share = what in ("promotion", "base-only")
            values = (None,) * 3 if ends is None else (ends.value, ends.low, ends.high)
            if share and ends is not None:
                values = (ends.value, max(0.0, ends.low), min(1.0, ends.high))
            for name, value in zip(columns, (what, panel, size, *values, len(means)), strict=True):
                columns[name].append(value)
    return Table(
        "price",
        columns,
        {},
        ("what", "size"),
        "promotion, base-only: the share of requests that can be met; alone: stated facts that go "
        "for each that is to be forgotten; lost: conclusions that fall for each",
    )


def worlds_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return what each model was taught and asked to forget, and how long it took."""
    rows = []
    for form, found in models.items():
        for k, one in enumerate(found):
            keep = ("people", "stated", "conclusions", "forget", "preserve", "removed", "lost")
            rows.append(
                {
                    "form": form,
                    "seed": k,
                    **{n: one[n] for n in keep},
                    "steps to learn": one["steps"]["before"],
                    "steps of the plan": one["steps"]["planned"],
                    "carried out": one["done"]["planned"],
                }
            )
    return table_of("worlds", rows, {}, ("form", "seed"), "one row a model")


def runs_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return every measure of every model."""
    rows = [
        {"form": form, "seed": k, "arm": arm, **{m: one["arms"][arm][m] for m in MEASURES}}
        for form, found in models.items()
        for k, one in enumerate(found)
        for arm in ALL_ARMS
    ]
    units = {m: "share" for m in MEASURES if m != "over chance"}
    return table_of("runs", rows, units, ("form", "seed", "arm"), "every seed, every way")


def arms_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return the means over seeds."""
    rows = []
    for form, found in models.items():
        for arm in ALL_ARMS:
            means = {m: float(np.mean([one["arms"][arm][m] for one in found])) for m in MEASURES}
            rows.append(
                {"form": FORM_LABELS[form], "way": ARM_LABELS[arm], **means, "seeds": len(found)}
            )
    units = {m: "share" for m in MEASURES if m != "over chance"}
    return table_of(
        "arms", rows, units, ("form", "way"), "means over seeds; the table of runs has every seed"
    )


def points_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return where each way ends: deducible against stated facts kept, with the range of seeds."""
    rows = []
    for form, found in models.items():
        for arm in ALL_ARMS:
            x = [one["arms"][arm]["deducible"] for one in found]
            y = [one["arms"][arm]["stated kept"] for one in found]
            rows.append(
                {
                    "form": form,
                    "arm": arm,
                    "x": float(np.mean(x)),
                    "x_low": min(x),
                    "x_high": max(x),
                    "y": float(np.mean(y)),
                    "y_low": min(y),
                    "y_high": max(y),
                    "seeds": len(found),
                }
            )
    units = dict.fromkeys(("x", "x_low", "x_high", "y", "y_low", "y_high"), "share")
    return table_of(
        "points",
        rows,
        units,
        ("form", "arm"),
        "x: forgotten premises that can be derived; y: other stated facts that are "
        "said; means, and the least and the most over seeds",
    )


def front_table(models: dict[str, list[dict[str, Any]]], at: int = 8) -> Table:
    """Return the exact optimum, as a mean over families, from nothing forgotten to all of it."""
    rows = []
    for form, found in models.items():
        for share in np.linspace(1.0, 0.0, at + 1):
            kept = []
            for one in found:
                x, y = np.array(one["front"]).T
                kept.append(float(np.interp(share, x[::-1], y[::-1])))
            rows.append({"form": form, "x": float(share), "y": float(np.mean(kept))})
    return table_of(
        "front",
        rows,
        {"x": "share", "y": "share"},
        ("form", "x"),
        "the most other stated facts that can stay, by the exact planner, when the "
        "premises are forgotten one after the other",
    )


def relearn_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return how the premises that are held back come back, as means over seeds."""
    rows = []
    for form, found in models.items():
        for arm in ("premises", "protected", "planned", "never"):
            curves = [one["relearn"][arm] for one in found if one["relearn"][arm] is not None]
            if not curves:
                continue
            for at, step in enumerate(curves[0]["step"]):
                for what in ("taught", "held"):
                    ends = mean_of([c[f"{what}_probability"][at] for c in curves], "seeds")
                    if ends is not None:
                        rows.append(
                            {
                                "form": form,
                                "arm": arm,
                                "what": what,
                                "step": step,
                                "probability": ends.value,
                                "low": max(0.0, ends.low),
                                "high": min(1.0, ends.high),
                                "seeds": len(curves),
                            }
                        )
    return table_of(
        "relearn",
        rows,
        dict.fromkeys(("probability", "low", "high"), "share"),
        ("form", "arm", "what", "step"),
        "mean probability of forgotten premises while some of them are taught again",
    )


def traces_table(one: dict[str, Any]) -> Table:
    """Return what the first model prints when it reasons."""
    return table_of(
        "traces",
        one["traces"],
        {"direct": "share"},
        ("arm",),
        "what a model prints for one conclusion whose premise was to go",
    )


def trees_table(first: dict[str, Any], models: list[dict[str, Any]]) -> Table:
    """Return the proof trees of the page, as nested values."""
    rows = [{"name": "theorem", **example} for example in theorem()]
    rows += [{"name": e["verdict"], **e} for e in first["examples"]]
    leaks = [one["leak"] for one in models if one["leak"] is not None]
    names = ("name", "conclusion", "premises", "removed", "ways", "tree")
    kept = [{n: r.get(n) for n in names} for r in rows]
    if leaks:
        kept.append(
            {
                **dict.fromkeys(names),
                "name": "leak",
                "conclusion": leaks[0]["text"],
                "tree": leaks[0],
            }
        )
    return table_of("trees", kept, {}, ("name",), "the proofs that the page shows")


def table_of(
    name: str,
    rows: Sequence[dict[str, Any]],
    units: dict[str, str],
    keys: tuple[str, ...],
    caption: str,
) -> Table:
    """Return rows as a table; a number that is not finite is missing."""
    names = list(rows[0]) if rows else [*keys, *units]
    columns = {
        n: [None if isinstance(v := r[n], float) and not math.isfinite(v) else v for r in rows]
        for n in names
    }
    return Table(name, columns, units, keys, caption)
