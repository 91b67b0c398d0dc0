"""Who becomes a support vector when one leaves: counted task by task, and drawn as a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import OneClassLeft, Reading, Table
from unteach.kernel import SVC

from .dose_rows import tasks_of, test
from .setting import KERNELS, UNIQUE, Source, columns

EDGES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Where the bins of a point's distance beyond the margin, y f(x) - 1, begin; the last is open."""

MIDDLES = (0.025, 0.075, 0.15, 0.3, 0.6, 1.0)


def one_leaves(model: SVC, margins: Any, support: Any, rng: Any, most: int = 10) -> dict[str, Any]:
    """Return who joins and who drops out when one support vector leaves, over some that leave.

    margins : (n,) y f(x) of the whole machine. `near` counts, for each bin of distance beyond
    the margin, (points that joined, points that could have).
    """
    joined, left = [], []
    near = np.zeros((len(EDGES), 2))
    if len(support) > 1:
        others = np.setdiff1d(model.sample_ids_, support)
        bins = bin_of(margins[others])
        for i in rng.choice(support, size=min(most, len(support) - 1), replace=False):
            try:
                after = model.without([i]).support_ids_
            except OneClassLeft:
                continue
            new = np.isin(others, after)
            joined.append(int(new.sum()))
            left.append(len(np.setdiff1d(support, after)) - 1)
            near[:, 0] += np.bincount(bins, weights=new, minlength=len(EDGES))
            near[:, 1] += np.bincount(bins, minlength=len(EDGES))
    return {
        "joined": float(np.mean(joined)) if joined else 0.0,
        "left": float(np.mean(left)) if left else 0.0,
        "near": near.astype(int).tolist(),
    }


def bin_of(margins: Any) -> NDArray[np.int64]:
    """Return the bin of each margin of a point that is no support vector.

    >>> bin_of(np.array([1.0, 1.06, 3.0]))
    array([0, 1, 5])
    """
    excess = np.maximum(np.asarray(margins) - 1.0, 0.0)
    return (np.searchsorted(EDGES, excess, side="right") - 1).astype(np.int64)


def joining(
    plan: dict[str, Any], sources: list[Source], results: dict[str, Any]
) -> tuple[Table, list[Reading]]:
    """Return the chance to join by distance beyond the margin, and how many join on average."""
    rows, readings = [], []
    for source in sources:
        over_kernels = []
        for kernel in KERNELS:
            found = [f["one"] for f in tasks_of(results, source, kernel, plan["draws"])]
            over_kernels += [[f["joined"] for f in found]] if kernel in UNIQUE else []
            for at, middle in enumerate(MIDDLES):
                chances = [f["near"][at][0] / f["near"][at][1] for f in found if f["near"][at][1]]
                row = {"set": source.name, "kernel": kernel, "distance": middle}
                if len(chances) < 2:
                    rows.append(row | {"chance": None, "low": None, "high": None, "draws": 0})
                    continue
                i = test(chances, source).interval
                low, high = max(i.low, 0.0), min(i.high, 1.0)
                rows.append(
                    row | {"chance": i.value, "low": low, "high": high, "draws": len(chances)}
                )
        i = test(np.mean(over_kernels, axis=0), source).interval
        readings.append(
            Reading(
                f"{source.name}: join when one leaves",
                i.value,
                i.low,
                i.high,
                i.n,
                "data draws",
                (int(plan["seed"]),),
                "points",
                "none",
                table="joining",
                note="mean over linear, poly and rbf, and over up to ten that leave in each draw",
            )
        )
    units = dict.fromkeys(("chance", "low", "high"), "share")
    caption = (
        "the chance that a point beyond the margin becomes a support vector when one support "
        "vector, drawn at random, leaves; distance: the middle of its bin of y f(x) - 1, the last "
        f"is open (bins begin at {', '.join(f'{e:g}' for e in EDGES)})"
    )
    return Table("joining", columns(rows), units, ("set", "kernel", "distance"), caption), readings
