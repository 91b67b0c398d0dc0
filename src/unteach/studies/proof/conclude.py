"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from unteach.core import Reading, Table
from unteach.stats import Interval, mean_interval, proportion_interval

from .symbolic import VERDICTS, theorem
from .world import ALL_ARMS, ARM_LABELS, FORM_LABELS, FORMS

MEASURES = ("recalled", "deducible", "strength", "over chance", "preserved",
            "preserved directly", "outside the plan", "stated kept", "recites", "printed")  # fmt: skip


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    maps = [results[f"map/{k}"] for k in range(plan["families"])]
    prices = [results[f"price/{k}"] for k in range(plan["families"])]
    models = {form: [results[f"model/{form}/{k}"] for k in range(plan["models"])]
              for form in FORMS}  # fmt: skip
    seeds = (int(plan["seed"]),)
    tables = [
        map_table(maps), price_table(plan, prices), worlds_table(models), runs_table(models),
        arms_table(models), points_table(models), front_table(models), relearn_table(models),
        traces_table(models["traces"][0]), trees_table(maps[0], models["statements"]),
    ]  # fmt: skip
    readings = [*map_readings(maps, seeds), *model_readings(models, seeds)]
    return tables, readings


def map_table(maps: Sequence[dict[str, Any]]) -> Table:
    """Return how many conclusions of each relation have each verdict, over all families."""
    counts: dict[str, Counter[str]] = {}
    for found in maps:
        for row in found["rows"]:
            counts.setdefault(row["predicate"], Counter())[row["verdict"]] += 1
    names = sorted(counts, key=lambda p: (counts[p]["impossible"] / counts[p].total(),
                                          counts[p]["promotion"] / counts[p].total(), p))  # fmt: skip
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [(p, counts[p]) for p in names] + [("all", total)]
    return Table(
        "map",
        {"relation": [n for n, _ in rows], **{v: [c[v] for _, c in rows] for v in VERDICTS}},
        {v: "conclusions" for v in VERDICTS}, ("relation",),
        "conclusions by what becomes of them when the premises of their shortest proof go",
    )  # fmt: skip


def price_table(plan: dict[str, Any], prices: Sequence[list[dict[str, Any]]]) -> Table:
    """Return what requests of each size cost: means over families, with their intervals."""
    columns: dict[str, list[Any]] = {name: [] for name in (
        "what", "panel", "size", "value", "low", "high", "families")}  # fmt: skip
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
    return Table("price", columns, {}, ("what", "size"),
                 "promotion, base-only: the share of requests that can be met; alone: stated facts "
                 "that go for each that is to be forgotten; lost: conclusions that fall for each")  # fmt: skip


def worlds_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return what each model was taught and asked to forget, and how long it took."""
    rows = []
    for form, found in models.items():
        for k, one in enumerate(found):
            keep = ("people", "stated", "conclusions", "forget", "preserve", "removed", "lost")
            rows.append({"form": form, "seed": k, **{n: one[n] for n in keep},
                         "steps to learn": one["steps"]["before"],
                         "steps of the plan": one["steps"]["planned"],
                         "carried out": one["done"]["planned"]})  # fmt: skip
    return table_of("worlds", rows, {}, ("form", "seed"), "one row a model")


def runs_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return every measure of every model."""
    rows = [
        {"form": form, "seed": k, "arm": arm, **{m: one["arms"][arm][m] for m in MEASURES}}
        for form, found in models.items() for k, one in enumerate(found) for arm in ALL_ARMS
    ]  # fmt: skip
    units = {m: "share" for m in MEASURES if m != "over chance"}
    return table_of("runs", rows, units, ("form", "seed", "arm"), "every seed, every way")


def arms_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return the means over seeds."""
    rows = []
    for form, found in models.items():
        for arm in ALL_ARMS:
            means = {m: float(np.mean([one["arms"][arm][m] for one in found])) for m in MEASURES}
            rows.append({"form": FORM_LABELS[form], "way": ARM_LABELS[arm], **means,
                         "seeds": len(found)})  # fmt: skip
    units = {m: "share" for m in MEASURES if m != "over chance"}
    return table_of("arms", rows, units, ("form", "way"),
                    "means over seeds; the table of runs has every seed")  # fmt: skip


def points_table(models: dict[str, list[dict[str, Any]]]) -> Table:
    """Return where each way ends: deducible against stated facts kept, with the range of seeds."""
    rows = []
    for form, found in models.items():
        for arm in ALL_ARMS:
            x = [one["arms"][arm]["deducible"] for one in found]
            y = [one["arms"][arm]["stated kept"] for one in found]
            rows.append({"form": form, "arm": arm, "x": float(np.mean(x)), "x_low": min(x),
                         "x_high": max(x), "y": float(np.mean(y)), "y_low": min(y),
                         "y_high": max(y), "seeds": len(found)})  # fmt: skip
    units = dict.fromkeys(("x", "x_low", "x_high", "y", "y_low", "y_high"), "share")
    return table_of("points", rows, units, ("form", "arm"),
                    "x: forgotten premises that can be derived; y: other stated facts that are "
                    "said; means, and the least and the most over seeds")  # fmt: skip


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
    return table_of("front", rows, {"x": "share", "y": "share"}, ("form", "x"),
                    "the most other stated facts that can stay, by the exact planner, when the "
                    "premises are forgotten one after the other")  # fmt: skip


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
                        rows.append({"form": form, "arm": arm, "what": what, "step": step,
                                     "probability": ends.value, "low": max(0.0, ends.low),
                                     "high": min(1.0, ends.high), "seeds": len(curves)})  # fmt: skip
    return table_of("relearn", rows, dict.fromkeys(("probability", "low", "high"), "share"),
                    ("form", "arm", "what", "step"),
                    "mean probability of forgotten premises while some of them are taught "
                    "again")  # fmt: skip


def traces_table(one: dict[str, Any]) -> Table:
    """Return what the first model prints when it reasons."""
    return table_of("traces", one["traces"], {"direct": "share"}, ("arm",),
                    "what a model prints for one conclusion whose premise was to go")  # fmt: skip


def trees_table(first: dict[str, Any], models: list[dict[str, Any]]) -> Table:
    """Return the proof trees of the page, as nested values."""
    rows = [{"name": "theorem", **example} for example in theorem()]
    rows += [{"name": e["verdict"], **e} for e in first["examples"]]
    leaks = [one["leak"] for one in models if one["leak"] is not None]
    names = ("name", "conclusion", "premises", "removed", "ways", "tree")
    kept = [{n: r.get(n) for n in names} for r in rows]
    if leaks:
        kept.append({**dict.fromkeys(names), "name": "leak", "conclusion": leaks[0]["text"],
                     "tree": leaks[0]})  # fmt: skip
    return table_of("trees", kept, {}, ("name",), "the proofs that the page shows")


def map_readings(maps: Sequence[dict[str, Any]], seeds: tuple[int, ...]) -> list[Reading]:
    """Return the shares of the verdicts, and what keeping a conclusion costs, over families."""
    shares: dict[str, list[float]] = {v: [] for v in VERDICTS}
    extra, alone, fallen = [], [], []
    for found in maps:
        rows = found["rows"]
        for verdict in VERDICTS:
            shares[verdict].append(sum(r["verdict"] == verdict for r in rows) / len(rows))
        kept = [r for r in rows if r["removed"] is not None]
        extra.append(float(np.mean([r["removed"] - r["alone"] for r in kept])))
        alone.append(float(np.mean([r["removed"] for r in kept])))
        fallen.append(float(np.mean([r["lost"] for r in kept])))
    can = [1.0 - s for s in shares["impossible"]]
    notes = {
        "can outlive its premises": (can, "share", "higher", "with promotion allowed"),
        "still follows without them": (shares["base-only"], "share", "higher",
                                       "from stated facts that stay"),
        "needs promotion": (shares["promotion"], "share", "none", ""),
        "cannot be kept": (shares["impossible"], "share", "lower", "it entails a premise"),
        "stated facts that go": (alone, "facts", "lower", "for one conclusion's premises"),
        "conclusions that fall": (fallen, "conclusions", "lower", ""),
        "facts lost for keeping a conclusion": (extra, "facts", "lower",
                                                "beyond what forgetting the premises costs"),
    }  # fmt: skip
    readings = []
    for name, (values, unit, better, note) in notes.items():
        ends = mean_of(values, "data draws")
        if ends is not None:
            readings.append(reading(name, ends, seeds, unit, better, note, "map"))
    return readings


def model_readings(
    models: dict[str, list[dict[str, Any]]], seeds: tuple[int, ...]
) -> list[Reading]:
    """Return in what share of seeds the plan holds and the naive ways leak, or recite."""
    readings = []
    for form, found in models.items():
        named = FORM_LABELS[form]

        def hits(name: str, kept: list[bool], better: str, named: str = named) -> Reading:
            ends = proportion_interval(sum(kept), len(kept), unit_of_replication="seeds")
            return reading(f"{name} ({named})", ends, seeds, "share", better, "", "runs")

        readings.append(hits("plan holds", [held(one) for one in found], "higher"))
        for arm, name in (("premises", "naive leaks"), ("protected", "protected leaks")):
            leaks = [one["arms"][arm]["deducible"] == 1.0 for one in found]
            readings.append(hits(name, leaks, "lower"))
        if form == "traces":
            recites = [one["arms"]["protected"]["recites"] == 1.0 for one in found]
            readings.append(hits("protected recites", recites, "lower"))
        for arm in ("premises", "protected", "planned"):
            for measure in ("deducible", "preserved", "outside the plan", "over chance"):
                ends = mean_of([one["arms"][arm][measure] for one in found], "seeds")
                if ends is not None:
                    unit = "times chance" if measure == "over chance" else "share"
                    name = f"{arm}: {measure} ({named})"
                    better = "lower" if measure == "deducible" else (
                        "none" if measure == "over chance" else "higher")  # fmt: skip
                    readings.append(reading(name, ends, seeds, unit, better, "", "arms"))
        for what in ("taught", "held"):
            ends = mean_of([a for one in found if (a := ahead(one, what)) is not None], "seeds")
            if ends is not None:
                readings.append(reading(
                    f"ahead of never taught: {what} ({named})", ends, seeds, "probability",
                    "zero", "mean over the lessons of the probability of the premises, planned "
                    "less never taught", "relearn"))  # fmt: skip
    return readings


def held(one: dict[str, Any]) -> bool:
    """Say whether the plan did all that it should: nothing deducible, all kept, nothing else."""
    said = one["arms"]["planned"]
    return bool(
        one["done"]["planned"] and said["deducible"] == 0.0 and said["printed"] == 0.0
        and said["preserved directly"] == 1.0 and said["outside the plan"] == 1.0
    )  # fmt: skip


def ahead(one: dict[str, Any], what: str) -> float | None:
    """Return by how much the planned model is ahead of one that never knew, over all lessons.

    The mean over the readings of a curve is the area under it; None where nothing is held back.
    """
    planned, never = one["relearn"]["planned"], one["relearn"]["never"]
    if planned is None or never is None:
        return None
    name = f"{what}_probability"
    return float(np.mean(planned[name]) - np.mean(never[name]))


def mean_of(values: Sequence[float], unit: str) -> Interval | None:
    """Return the mean with its interval; of one value no interval, of none nothing."""
    if not values:
        return None
    if len(values) == 1:
        return Interval(values[0], values[0], values[0], n=1, unit_of_replication=unit)
    return mean_interval(values, unit_of_replication=unit)


def reading(
    name: str, ends: Interval, seeds: tuple[int, ...], unit: str, better: Any, note: str, table: str
) -> Reading:
    """Return an interval as a reading; a share stays within 0 and 1."""
    low, high = ends.low, ends.high
    if unit in ("share", "times chance"):
        low = max(0.0, low)
    if unit == "share":
        high = min(1.0, high)
    return Reading(name, ends.value, min(low, ends.value), max(high, ends.value), ends.n,
                   ends.unit_of_replication, seeds, unit, better, table=table, note=note)  # fmt: skip


def table_of(
    name: str, rows: Sequence[dict[str, Any]], units: dict[str, str], keys: tuple[str, ...],
    caption: str,
) -> Table:
    """Return rows as a table; a number that is not finite is missing."""
    names = list(rows[0]) if rows else [*keys, *units]
    columns = {n: [None if isinstance(v := r[n], float) and not math.isfinite(v) else v
                   for r in rows] for n in names}  # fmt: skip
    return Table(name, columns, units, keys, caption)
