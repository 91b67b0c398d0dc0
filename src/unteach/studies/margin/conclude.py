"""From the tasks' results to tables and readings: nothing is decided on the page."""

from __future__ import annotations

from typing import Any

from unteach.core import Reading, Table

from .dose_rows import CONTROLS, PRIMARY, dose_rows
from .joining import joining
from .leak_rows import leaks
from .picture_rows import gallery, pictures
from .readings import contrasts, moves, untouched
from .setting import Source, columns

__all__ = ["CONTROLS", "PRIMARY", "tables_and_readings"]


def tables_and_readings(
    plan: dict[str, Any], results: dict[str, Any]
) -> tuple[list[Table], list[Reading]]:
    """Return everything that the page shows, made from the results by task key."""
    sources = [Source(**s) for s in plan["sources"]]
    dose, contrast, machines = dose_rows(plan, sources, results)
    leak, leak_readings = leaks(plan, sources, results)
    joins, join_readings = joining(plan, sources, results)
    tables = [
        Table(
            "dose",
            columns(dose),
            {
                "dose": "share",
                "change": "accuracy",
                "low": "accuracy",
                "high": "accuracy",
                "accuracy": "accuracy",
                "moved": "share",
                "moved_low": "share",
                "moved_high": "share",
                "newcomers": "support vectors",
                "newcomers_low": "support vectors",
                "newcomers_high": "support vectors",
            },
            keys=("set", "kernel", "arm", "dose"),
            caption="what held-out points see of each dose; a missing value is a dose that could "
            "not be matched in number and class in every draw",
        ),
        Table(
            "contrast",
            columns(contrast),
            {
                "dose": "share",
                "difference": "accuracy",
                "low": "accuracy",
                "high": "accuracy",
                "p": "p",
                "p_holm": "p",
            },
            keys=("set", "kernel", "control", "dose"),
            caption="accuracy after forgetting the most memorized support vectors, less accuracy "
            "after forgetting as many control points, paired by draw; p_holm is adjusted within "
            "a dose and a control, apart for machines that are not unique (sigmoid)",
        ),
        Table(
            "machines",
            columns(machines),
            {
                "support": "share",
                "memorized": "share",
                "accuracy": "accuracy",
                "joined": "points",
                "left": "points",
                "memory_margin": "margin",
                "memory_inside": "margin",
                "memory_tenth": "share",
            },
            keys=("set", "kernel"),
            caption="the machines before anything is forgotten; memorized: classified correctly "
            "only because the point itself was there; memory: the margin that support vectors at "
            "and inside the margin owe to their own presence, and the share of all of it that the "
            "most memorized tenth of the training points holds",
        ),
        leak,
        joins,
        *pictures(plan, results),
        *gallery(plan, results),
    ]
    seed = (int(plan["seed"]),)
    readings = [
        *untouched(results, sources, seed),
        *contrasts(contrast, plan, seed),
        *moves(plan, sources, results, seed),
        *leak_readings,
        *join_readings,
    ]
    return tables, readings
