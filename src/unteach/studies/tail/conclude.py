"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from unteach.core import Reading, Table
from unteach.stats import PairedTest, corrected_paired, holm

from .diagram import phase_readings, phase_rows
from .setting import ARMS, LEARNER_SHORT, PRIMARY, Source

CONTROLS = ("random", "class_matched")
VIEWS = ("all", "unique")


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    sources = [Source.from_json(s) for s in plan["sources"]]
    contrast = _contrast_rows(plan, sources, results)
    phase = phase_rows(plan, results)
    accuracy, share = "accuracy", "share"
    tables = [
        table("removal", _removal_rows(plan, sources, results),
              {"share": share, "change": accuracy, "low": accuracy, "high": accuracy,
               "accuracy": accuracy, "wrong": share}, ("set", "learner", "arm", "share"),
              "held-out accuracy after a share of the training records was unlearned, less "
              "accuracy before; wrong: how many of those unlearned were mislabelled"),
        table("contrast", contrast,
              {"share": share, "difference": accuracy, "low": accuracy, "high": accuracy,
               "p": "p", "p_holm": "p"}, ("set", "learner", "control", "share", "view"),
              "accuracy after unlearning the most memorized, less accuracy after unlearning a "
              "control, paired by draw; view: over all held-out points, or over those without a "
              "near-duplicate among the training points; p_holm is adjusted within a share, a "
              "control and a view"),
        table("learners", _learner_rows(plan, sources, results),
              {"high": share, "fit": share, "agreed": share, "unique": share,
               "wrong_rank": share}, ("set", "learner"),
              "before anything is unlearned; high: records whose memorization is above 0.25 (for "
              "the kernel machine, whose margin falls by more than 0.25 without them); fit: "
              "accuracy on the records learned; agreed: held-out answers that are the same after "
              "exact unlearning and after retraining, least over all arms; unique: held-out "
              "points without a near-duplicate; wrong_rank: where mislabelled records stand in "
              "the order, on average, 0 is the most memorized"),
        table("phase", phase,
              dict.fromkeys(("before", "change", "change_low", "change_high", "measured", "low",
                             "high", "expected", "plug_in", "miss", "miss_low", "miss_high"),
                            accuracy)
              | {"fit": share, "singletons": share, "wrong": share},
              ("exponent", "noise", "hidden"),
              "the planted long tail; change: accuracy after unlearning the most memorized, less "
              "before; measured: the same, less the change after unlearning as many at random; "
              "expected: from the true prior; plug_in: from the counts alone; miss: measured less "
              "expected"),
        table("pictures", [
            {"set": s.name, **row} for s in sources
            if f"pictures/{s.name}" in results for row in results[f"pictures/{s.name}"]["rows"]
        ], {}, ("set", "kind", "id"),
              "training pictures and their memorization, with 95 % Newcombe intervals"),
        table("constants", [
            dict(results[f"constants/{at}"]) for at in range(len(plan["constants"]["priors"]))
        ], {"share": share, "share_se": share, "optimal": share, "optimal_se": share,
            "cost": share, "cost_se": share, "cost_closed": share}, ("prior",),
              "Feldman's constants; the paper gives about .47, 17 % and 7 % for the first prior"),
    ]  # fmt: skip
    seed = (int(plan["seed"]),)
    readings = [*_contrast_readings(contrast, plan, seed), *phase_readings(phase, plan, seed),
                *_constant_readings(plan, results, seed)]  # fmt: skip
    return tables, readings


def table(
    name: str, rows: list[dict[str, Any]], units: dict[str, str], keys: tuple[str, ...],
    caption: str,
) -> Table:  # fmt: skip
    """Return rows as a table."""
    columns = {k: [r[k] for r in rows] for k in rows[0]}
    return Table(name, columns, units, keys=keys, caption=caption)


def over_draws(values: Iterable[float], source: Source) -> PairedTest:
    """Return the paired test over draws of a real set, corrected because they overlap."""
    return corrected_paired(list(values), n_train=source.n_train, n_test=source.n_test)


def _found(plan: dict[str, Any], results: dict[str, Any], source: Source, learner: str) -> Any:
    return [results[f"removal/{source.name}/{learner}/{k}"] for k in range(plan["draws"])]


def _removal_rows(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = []
    for source in sources:
        for learner in source.learners:
            found = _found(plan, results, source, learner)
            before = np.array([f["before"]["all"] for f in found])
            for arm in ARMS:
                for at, share in enumerate([0.0, *plan["fractions"]]):
                    cells = [f["arms"][arm][at - 1] if at else f["before"] for f in found]
                    after = np.array([c["all"] for c in cells])
                    change = over_draws(after - before, source).interval
                    wrong = [c["wrong"] / c["n"] if at else None for c in cells]
                    rows.append({
                        "set": source.name, "learner": learner, "arm": arm, "share": share,
                        "change": change.value, "low": change.low, "high": change.high,
                        "accuracy": float(after.mean()),
                        "wrong": float(np.mean(np.array(wrong, float))) if at else None,
                    })  # fmt: skip
    return rows


def _contrast_rows(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = []
    for control in CONTROLS:
        for at, share in enumerate(plan["fractions"]):
            for view in VIEWS:
                family = []
                for source in sources:
                    for learner in source.learners:
                        found = _found(plan, results, source, learner)
                        test = over_draws(_paired(found, control, at, view), source)
                        family.append({
                            "set": source.name, "learner": learner, "control": control,
                            "share": share, "view": view, "difference": test.interval.value,
                            "low": test.interval.low, "high": test.interval.high,
                            "p": test.p_value,
                        })  # fmt: skip
                adjusted = holm([r["p"] for r in family])
                rows += [{**r, "p_holm": float(p)} for r, p in zip(family, adjusted, strict=True)]
    return rows


def _paired(found: list[dict[str, Any]], control: str, at: int, view: str) -> list[float]:
    return [
        float(f["arms"]["memorized"][at][view]) - float(f["arms"][control][at][view])
        for f in found
    ]


def _learner_rows(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = []
    for source in sources:
        for learner in source.learners:
            found = _found(plan, results, source, learner)

            def mean(name: str, found: Any = found) -> float | None:
                values = [f[name] for f in found if f.get(name) is not None]
                return float(np.mean(values)) if values else None

            unique = mean("unique")
            agreed = [f["agreed"] for f in found if "agreed" in f]
            rows.append({
                "set": source.name, "learner": learner, "high": mean("high"), "fit": mean("fit"),
                "agreed": min(agreed) if agreed else None,
                "unique": None if unique is None else unique / source.n_test,
                "wrong_rank": mean("wrong_rank"),
            })  # fmt: skip
    return rows


def contrast_name(row: dict[str, Any]) -> str:
    """Return the name of the reading of a contrast."""
    view = "" if row["view"] == "all" else ", no near-duplicates"
    control = "random" if row["control"] == "random" else "same classes"
    learner = LEARNER_SHORT[row["learner"]]
    return f"{row['set'].replace('_', ', ')}, {learner}: less {control}{view}"


def _contrast_readings(
    rows: list[dict[str, Any]], plan: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    return [
        Reading(
            contrast_name(r), r["difference"], r["low"], r["high"], n=plan["draws"],
            unit_of_replication="data draws", seeds=seed, unit="accuracy", better="none",
            table="contrast", note=f"p {r['p']:.3g}, after Holm {r['p_holm']:.3g}",
        )
        for r in rows if r["share"] == PRIMARY
    ]  # fmt: skip


def _constant_readings(
    plan: dict[str, Any], results: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    found, draws = results["constants/0"], plan["constants"]["draws"]
    made = []
    for name, key in (("singletons, share of the sample", "share"),
                      ("cost of not fitting singletons", "cost")):  # fmt: skip
        value, error = found[key], found[f"{key}_se"]
        made.append(Reading(
            name, value, value - 1.96 * error, value + 1.96 * error, n=draws,
            unit_of_replication="data draws", seeds=seed, unit="share", better="none",
            table="constants",
        ))  # fmt: skip
    return made
