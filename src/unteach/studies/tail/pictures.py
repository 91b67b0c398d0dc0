"""One task: the memorization of every training picture of a set, with intervals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from unteach.core import derive
from unteach.data import load
from unteach.memorize import Design
from unteach.stats import difference_of_proportions

from .measure import generator, held
from .setting import Source, draw, network

MOST, LEAST = 16, 8


def pictures_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the most and the least memorized pictures of a draw, as plain rows.

    payload : {"source", "models", "seed", "draw"}
    """
    source = Source.from_json(payload["source"])
    data = draw(source, payload["seed"], payload["draw"])
    models, n = payload["models"], len(data.y)
    root = derive(payload["seed"], "tail", "pictures", source.name)
    design = Design(n, Fraction(1, 2), root)
    members = design.members(0, models)
    found = network().subset_outputs(
        data.x, data.y, members, design.seeds(0, models), data.x
    )
    right = found.argmax(axis=2) == data.y
    memory = held(members, right)
    order = np.lexsort((generator(payload, "ties").random(n), -memory))
    whole = load(source.dataset)
    names = np.unique(np.asarray(whole.y))
    rows = []
    for kind, where in (("most", order[:MOST]), ("least", order[::-1][:LEAST])):
        shades = np.asarray(whole.select(data.ids[where]).x, dtype=np.float64)
        for i, pixels in zip(where, shades, strict=True):
            inside, outside = members[:, i], ~members[:, i]
            interval = difference_of_proportions(
                int(right[inside, i].sum()), int(inside.sum()),
                int(right[outside, i].sum()), int(outside.sum()),
                unit_of_replication="models",
            )  # fmt: skip
            rows.append({
                "kind": kind, "id": str(data.ids[i]), "label": str(names[data.y[i]]),
                "value": interval.value, "low": interval.low, "high": interval.high,
                "wrong": bool(data.wrong[i]), "pixels": [round(float(v), 3) for v in pixels],
            })  # fmt: skip
    return {"rows": rows, "fit": float(right[members].mean()), "n": n, "models": models}
