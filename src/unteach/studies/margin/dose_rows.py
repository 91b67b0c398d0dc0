"""From the tasks' results to rows: each dose, what is compared, and the machines before."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from unteach.stats import PairedTest, corrected_paired, holm, paired

from .setting import ARMS, KERNELS, Source

PRIMARY = 0.5
"""The dose at which the thesis is judged, chosen beforehand: half of the support vectors."""


CONTROLS = ("random", "other")
"""What the most memorized support vectors are compared with: any points, or no support vectors."""


HELD = ("margin", "inside", "tenth")
"""What is told of the memory of support vectors: at the margin, inside it, the top tenth."""


def _mean(values: list[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return float(np.mean(there)) if there else None


def test(values: Iterable[float], source: Source) -> PairedTest:
    """Return the paired test over draws; corrected where draws share records of a real set."""
    if source.generated:
        return paired(list(values), unit_of_replication="data draws")
    return corrected_paired(list(values), n_train=source.n_train, n_test=source.n_test)


def tasks_of(
    results: dict[str, Any], source: Source, kernel: str, draws: int
) -> list[dict[str, Any]]:
    """Return what the dose tasks of a set and a kernel found, draw by draw."""
    return [results[f"dose/{source.name}/{kernel}/{k}"] for k in range(draws)]


def dose_rows(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of the doses, of what is compared, and of the machines before."""
    doses, draws = plan["doses"], plan["draws"]
    dosed, contrast_rows, machine_rows = [], [], []
    for source in sources:
        for kernel in KERNELS:
            found = tasks_of(results, source, kernel, draws)
            base = np.array([f["accuracy"] for f in found])
            for arm in ARMS:
                for at, dose in enumerate([0.0, *doses]):
                    cells = [None] * draws if at else [_nothing(f) for f in found]
                    if at:
                        cells = [f["arms"][arm][at - 1] for f in found]
                    dosed.append(_dose_row(source, kernel, arm, dose, cells, base))
            unique = not any(f["stationary"] for f in found)
            for control in CONTROLS:
                for at, dose in enumerate(doses):
                    pairs = [(f["arms"]["memory"][at], f["arms"][control][at]) for f in found]
                    row = {"set": source.name, "kernel": kernel, "control": control, "dose": dose}
                    contrast_rows.append(row | {"unique": unique} | _contrast(pairs, source))
            machine_rows.append(
                {
                    "set": source.name,
                    "kernel": kernel,
                    "support": float(np.mean([f["support"] for f in found])) / source.n_train,
                    "memorized": float(np.mean([f["memorized"] for f in found])) / source.n_train,
                    "accuracy": float(base.mean()),
                    "joined": float(np.mean([f["one"]["joined"] for f in found])),
                    "left": float(np.mean([f["one"]["left"] for f in found])),
                    **{f"memory_{k}": _mean([f["held"][k] for f in found]) for k in HELD},
                    "residual": max(f["residual"] for f in found),
                    "unique": not any(f["stationary"] for f in found),
                }
            )
    for row in contrast_rows:
        row["p_holm"] = None
    families = itertools.product((PRIMARY, 1.0), CONTROLS, (True, False))
    for dose, control, unique in families:
        judged = [
            r
            for r in contrast_rows
            if (r["dose"], r["control"], r["unique"]) == (dose, control, unique)
            and r["p"] is not None
        ]
        for row, p in zip(judged, holm([r["p"] for r in judged]) if judged else [], strict=True):
            row["p_holm"] = float(p)
    return dosed, contrast_rows, machine_rows


def _contrast(pairs: list[Any], source: Source) -> dict[str, Any]:
    """Return the paired difference in accuracy; None where a draw lacks a matched control."""
    if any(c is None for pair in pairs for c in pair):
        return dict.fromkeys(("difference", "low", "high", "p"))
    t = test([a["accuracy"] - b["accuracy"] for a, b in pairs], source)
    i = t.interval
    return {"difference": i.value, "low": i.low, "high": i.high, "p": t.p_value}


def _nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {"accuracy": found["accuracy"], "changed": 0.0, "newcomers": 0}


def _dose_row(
    source: Source, kernel: str, arm: str, dose: float, cells: list[Any], base: Any
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "set": source.name,
        "kernel": kernel,
        "arm": arm,
        "dose": dose,
        "draws": len(cells),
    }
    names = (
        "change",
        "low",
        "high",
        "accuracy",
        "moved",
        "moved_low",
        "moved_high",
        "newcomers",
        "newcomers_low",
        "newcomers_high",
    )
    if any(c is None for c in cells):
        return row | dict.fromkeys(names)
    change = test([c["accuracy"] for c in cells] - base, source).interval
    moved = test([c["changed"] for c in cells], source).interval
    new = test([float(c["newcomers"]) for c in cells], source).interval
    return row | {
        "change": change.value,
        "low": change.low,
        "high": change.high,
        "accuracy": float(np.mean([c["accuracy"] for c in cells])),
        "moved": moved.value,
        "moved_low": max(moved.low, 0.0),
        "moved_high": moved.high,
        "newcomers": new.value,
        "newcomers_low": max(new.low, 0.0),
        "newcomers_high": new.high,
    }
