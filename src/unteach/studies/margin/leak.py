"""One task: forget one point that is no support vector, while statistics follow the data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from unteach.core import stream
from unteach.kernel import SVC
from unteach.models import Pipeline, Scaler

from .setting import Source, draw, machine

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
