"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from unteach.core import Reading, Table, derive
from unteach.stats import PairedTest, bootstrap_interval, corrected_paired, holm, paired

from .setting import ARMS, LEARNER_SHORT, PRIMARY, Source

# The phase diagram: what unlearning the memorized does in each cell, and what was foretold.

FITTED = 0.99
"""A network fits its records from this accuracy on; the theory is about such learners."""


def phase_rows(plan: dict[str, Any], results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a cell; draws are made afresh, so that plain paired tests hold."""
    phase, rows = plan["phase"], []
    for hidden in phase["hidden"]:
        for noise in phase["noise"]:
            for exponent in phase["exponents"]:
                found = [
                    results[f"phase/{exponent}/{noise}/{hidden}/{k}"] for k in range(phase["draws"])
                ]
                rows.append(
                    {"exponent": exponent, "noise": noise, "hidden": hidden, **_cell(found)}
                )
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
        "fit": float(of("fit").mean()),
        "before": float(of("before").mean()),
        "singletons": float(of("singletons").mean()),
        "wrong": float(of("wrong").mean()),
        "change": change.value,
        "change_low": change.low,
        "change_high": change.high,
        "measured": measured.value,
        "low": measured.low,
        "high": measured.high,
        "expected": float(expected.mean()),
        "plug_in": float((of("plug_in") - of("plug_in_random")).mean()),
        "miss": miss.value,
        "miss_low": miss.low,
        "miss_high": miss.high,
        "effect": effect,
    }


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
            miss,
            lambda v: float(np.sqrt(np.mean(np.asarray(v) ** 2))),
            unit_of_replication="cells",
            seed=derive(seed[0], "tail", "diagram", name),
        )
        made.append(
            Reading(
                f"theory off by, {name}",
                found.value,
                found.low,
                found.high,
                n=len(mine),
                unit_of_replication="cells",
                seeds=seed,
                unit="accuracy",
                better="lower",
                table="phase",
                note="root mean square over cells of measured less expected",
            )
        )
    return made


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
        table(
            "removal",
            _removal_rows(plan, sources, results),
            {
                "share": share,
                "change": accuracy,
                "low": accuracy,
                "high": accuracy,
                "accuracy": accuracy,
                "wrong": share,
            },
            ("set", "learner", "arm", "share"),
            "held-out accuracy after a share of the training records was unlearned, less "
            "accuracy before; wrong: how many of those unlearned were mislabelled",
        ),
        table(
            "contrast",
            contrast,
            {
                "share": share,
                "difference": accuracy,
                "low": accuracy,
                "high": accuracy,
                "p": "p",
                "p_holm": "p",
            },
            ("set", "learner", "control", "share", "view"),
            "accuracy after unlearning the most memorized, less accuracy after unlearning a "
            "control, paired by draw; view: over all held-out points, or over those without a "
            "near-duplicate among the training points; p_holm is adjusted within a share, a "
            "control and a view",
        ),
        table(
            "learners",
            _learner_rows(plan, sources, results),
            {"high": share, "fit": share, "agreed": share, "unique": share, "wrong_rank": share},
            ("set", "learner"),
            "before anything is unlearned; high: records whose memorization is above 0.25 (for "
            "the kernel machine, whose margin falls by more than 0.25 without them); fit: "
            "accuracy on the records learned; agreed: held-out answers that are the same after "
            "exact unlearning and after retraining, least over all arms; unique: held-out "
            "points without a near-duplicate; wrong_rank: where mislabelled records stand in "
            "the order, on average, 0 is the most memorized",
        ),
        table(
            "phase",
            phase,
            dict.fromkeys(
                (
                    "before",
                    "change",
                    "change_low",
                    "change_high",
                    "measured",
                    "low",
                    "high",
                    "expected",
                    "plug_in",
                    "miss",
                    "miss_low",
                    "miss_high",
                ),
                accuracy,
            )
            | {"fit": share, "singletons": share, "wrong": share},
            ("exponent", "noise", "hidden"),
            "the planted long tail; change: accuracy after unlearning the most memorized, less "
            "before; measured: the same, less the change after unlearning as many at random; "
            "expected: from the true prior; plug_in: from the counts alone; miss: measured less "
            "expected",
        ),
        table(
            "pictures",
            [
                {"set": s.name, **row}
                for s in sources
                if f"pictures/{s.name}" in results
                for row in results[f"pictures/{s.name}"]["rows"]
            ],
            {},
            ("set", "kind", "id"),
            "training pictures and their memorization, with 95 % Newcombe intervals",
        ),
        table(
            "constants",
            [dict(results[f"constants/{at}"]) for at in range(len(plan["constants"]["priors"]))],
            {
                "share": share,
                "share_se": share,
                "optimal": share,
                "optimal_se": share,
                "cost": share,
                "cost_se": share,
                "cost_closed": share,
            },
            ("prior",),
            "Feldman's constants; the paper gives about .47, 17 % and 7 % for the first prior",
        ),
    ]
    seed = (int(plan["seed"]),)
    readings = [
        *_contrast_readings(contrast, plan, seed),
        *phase_readings(phase, plan, seed),
        *_constant_readings(plan, results, seed),
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
                    rows.append(
                        {
                            "set": source.name,
                            "learner": learner,
                            "arm": arm,
                            "share": share,
                            "change": change.value,
                            "low": change.low,
                            "high": change.high,
                            "accuracy": float(after.mean()),
                            "wrong": float(np.mean(np.array(wrong, float))) if at else None,
                        }
                    )
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
                        family.append(
                            {
                                "set": source.name,
                                "learner": learner,
                                "control": control,
                                "share": share,
                                "view": view,
                                "difference": test.interval.value,
                                "low": test.interval.low,
                                "high": test.interval.high,
                                "p": test.p_value,
                            }
                        )
                adjusted = holm([r["p"] for r in family])
                rows += [{**r, "p_holm": float(p)} for r, p in zip(family, adjusted, strict=True)]
    return rows


def _paired(found: list[dict[str, Any]], control: str, at: int, view: str) -> list[float]:
    return [
        float(f["arms"]["memorized"][at][view]) - float(f["arms"][control][at][view]) for f in found
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
            rows.append(
                {
                    "set": source.name,
                    "learner": learner,
                    "high": mean("high"),
                    "fit": mean("fit"),
                    "agreed": min(agreed) if agreed else None,
                    "unique": None if unique is None else unique / source.n_test,
                    "wrong_rank": mean("wrong_rank"),
                }
            )
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
            contrast_name(r),
            r["difference"],
            r["low"],
            r["high"],
            n=plan["draws"],
            unit_of_replication="data draws",
            seeds=seed,
            unit="accuracy",
            better="none",
            table="contrast",
            note=f"p {r['p']:.3g}, after Holm {r['p_holm']:.3g}",
        )
        for r in rows
        if r["share"] == PRIMARY
    ]


def _constant_readings(
    plan: dict[str, Any], results: dict[str, Any], seed: tuple[int, ...]
) -> list[Reading]:
    found, draws = results["constants/0"], plan["constants"]["draws"]
    made = []
    for name, key in (
        ("singletons, share of the sample", "share"),
        ("cost of not fitting singletons", "cost"),
    ):
        value, error = found[key], found[f"{key}_se"]
        made.append(
            Reading(
                name,
                value,
                value - 1.96 * error,
                value + 1.96 * error,
                n=draws,
                unit_of_replication="data draws",
                seeds=seed,
                unit="share",
                better="none",
                table="constants",
            )
        )
    return made
