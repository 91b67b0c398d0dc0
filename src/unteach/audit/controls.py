"""Controls: an audit is valid if it passes retraining and fails doing nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from unteach.core import Case, Forgotten, Heuristic, Reading, Table

from .verdict import separates, verdict


def put_in_place(case: Case, models: Sequence[Any]) -> Case:
    """Return the case with other models in the place of what the method returned."""
    trials = [
        replace(t, forgotten=Forgotten(m, Heuristic("a control")))
        for t, m in zip(case.trials, models, strict=True)
    ]
    return Case(tuple(trials), case.unit_of_replication)


def controls_table(
    readings: Sequence[Reading], retrained: Mapping[str, Reading], forgetting: Sequence[str]
) -> Table:
    """Return, for each forgetting metric, whether its controls came out as they must.

    Negative: one more independent retraining must not be found apart from retraining.
    Positive: the model before must lie outside the null.
    """
    rows = [
        (
            r.name,
            r.untouched,
            retrained[r.name].value,
            None if r.null is None else r.null[0],
            None if r.null is None else r.null[1],
            verdict(retrained[r.name]) in ("as retrained", "cannot tell"),
            separates(r),
        )
        for r in readings
        if r.name in forgetting and r.name in retrained
    ]
    names = (
        "metric",
        "do nothing",
        "retrain again",
        "null low",
        "null high",
        "negative passes",
        "positive fails",
    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return Table(
        "controls",
        dict(zip(names, columns, strict=True)),
        keys=("metric",),
        caption="retraining once more must lie within the null, doing nothing outside it",
    )


def validity(controls: Table) -> str:
    """Return "valid", or in one sentence why the audit's verdicts do not hold.

    >>> t = Table("controls", {"metric": ["gap"], "negative passes": [True],
    ...                        "positive fails": [False]})
    >>> validity(t)
    'invalid: controls do not separate (no metric tells doing nothing from retraining)'
    """
    rows = list(controls.rows())
    if not rows:
        return "invalid: no forgetting metric could be read"
    failed = [str(r["metric"]) for r in rows if not r["negative passes"]]
    if failed:
        return f"invalid: controls do not separate (retraining fails {', '.join(failed)})"
    if not any(r["positive fails"] for r in rows):
        return "invalid: controls do not separate (no metric tells doing nothing from retraining)"
    return "valid"
