"""One task: forget one point that is no support vector, while statistics follow the data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from unteach.core import Reading, Table, stream
from unteach.kernel import SVC
from unteach.models import Pipeline, Scaler

from .dose_rows import test
from .setting import Source, columns, draw, machine

LEAKS = {
    "fixed": "kernel, C and scaling fixed",
    "gamma": "gamma='scale' follows the data",
    "scaler": "standard scaling follows the data",
    "weights": "class_weight='balanced' follows the data",
}


def leak_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return, per condition, by how much one forgotten non-support vector moves held-out scores.

    In units of the mean absolute score before, over the held-out points: the largest shift.
    """
    source = Source(**payload["source"])
    data = draw(source, payload["seed"], payload["draw"])
    settings = machine("rbf", data.x.shape[1], source.C)
    shifts: dict[str, float] = {}
    for leak in LEAKS:
        model = _machine(leak, settings).fit(data.x, data.y, sample_ids=data.ids)
        svc = model[-1] if isinstance(model, Pipeline) else model
        others = np.setdiff1d(data.ids, svc.support_ids_)
        if len(others) == 0:
            continue
        rng = stream(payload["seed"], "leak", source.name, payload["draw"])
        before = model.decision_function(data.x_test)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            after = model.forget([rng.choice(others)]).decision_function(data.x_test)
        shifts[leak] = float(np.abs(after - before).max() / np.abs(before).mean())
    return shifts


def _machine(leak: str, settings: dict[str, Any]) -> Any:
    if leak == "gamma":
        return SVC(**{**settings, "gamma": "scale"}, statistics="follow")
    if leak == "weights":
        return SVC(**settings, class_weight="balanced", statistics="follow")
    if leak == "scaler":
        return Pipeline([("scale", Scaler(statistics="follow")), ("machine", SVC(**settings))])
    return SVC(**settings)


# From the leak tasks to a table and readings: what computed statistics remember.


def leaks(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[Table, list[Reading]]:
    """Return by how much one forgotten point moves scores, condition by condition."""
    rows, readings = [], []
    for source in sources:
        found = [results[f"leak/{source.name}/{k}"] for k in range(plan["draws"])]
        for leak, label in LEAKS.items():
            shifts = [f[leak] for f in found if leak in f]
            if len(shifts) < 2:
                continue
            i = test(shifts, source).interval
            low = max(i.low, 0.0)
            rows.append(
                {
                    "set": source.name,
                    "what": label,
                    "shift": i.value,
                    "low": low,
                    "high": i.high,
                    "smallest": min(shifts),
                    "largest": max(shifts),
                    "draws": i.n,
                }
            )
            readings.append(
                Reading(
                    f"{source.name}: {leak}",
                    i.value,
                    min(low, i.value),
                    i.high,
                    i.n,
                    "data draws",
                    (int(plan["seed"]),),
                    "relative shift",
                    "zero",
                    table="leak",
                    note=f"one forgotten non-support vector, rbf kernel; {label}",
                )
            )
    units = {
        "shift": "relative shift",
        "low": "relative shift",
        "high": "relative shift",
        "smallest": "relative shift",
        "largest": "relative shift",
    }
    caption = (
        "largest shift of a held-out decision value when one point that is no support "
        "vector is forgotten, in units of the mean absolute decision value"
    )
    return Table("leak", columns(rows), units if rows else {}, (), caption), readings
