"""What forgetting cost elsewhere: accuracy or R2 on held-out and on retained records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    Case,
    NeedsReference,
    Reading,
    Records,
    Role,
    Table,
    Trial,
    pseudonym,
)
from unteach.models import classifies, continues
from unteach.stats import Interval, corrected_paired, mean_interval

from .against import Array, Measured, checked
from .summary import LEVEL, over_records

By = Literal["class", "group"]


@dataclass(frozen=True)
class HoldoutUtility:
    """Accuracy (classification) or R2 (regression) on held-out records, minus retraining's.

    Paired: the same records, the same trial. Below 0 the forgetting cost more than retraining
    would have. Over data draws, which share most of their records, the interval is the
    corrected one (Nadeau & Bengio 2003). The table gives each class, or each group, and the note
    the worst.

    Null        0: the difference is from retraining itself
    Limit       1, for an accuracy
    Fails       a mean over records: a class or group can lose what others win, hence the table
    Source      Nadeau & Bengio 2003 for the interval over data draws
    Parameters  by : "class" (of the target; regression has none) or "group" (of the records)
                key : secret under which group names are replaced by digests; give one wherever a
                group is a person. None prints the names.
    Errors      NeedsReference without retrained models or held-out records

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[0.0], before=[0.0], holdout_after=[1.0, -1.0, 1.0, 1.0])
    >>> HoldoutUtility().read(case).value                       # retraining is right on all four
    -0.25
    """

    by: By = "class"
    key: bytes | None = None
    name: ClassVar[str] = "holdout utility"
    role: ClassVar[Role] = "utility"

    def read(self, case: Case) -> Reading:
        """Return the difference from retraining."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a class or group."""
        case.held_out(self.name)
        return _measure(self.name, case, _held, by=self.by, key=self.key)


@dataclass(frozen=True)
class RetainUtility:
    """Accuracy or R2 on the retained records, minus retraining's: see `HoldoutUtility`.

    Null        0: the difference is from retraining itself
    Limit       1, for an accuracy
    Fails       as `HoldoutUtility`; retained records were learned, so that it hides what
                generalization lost
    Source      as `HoldoutUtility`
    Errors      NeedsReference without retrained models

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[0.0], before=[0.0], retain_after=[1.0, -1.0])
    >>> RetainUtility().read(case).value
    -0.5
    """

    by: By = "class"
    key: bytes | None = None
    name: ClassVar[str] = "retain utility"
    role: ClassVar[Role] = "utility"

    def read(self, case: Case) -> Reading:
        """Return the difference from retraining."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a class or group."""
        return _measure(self.name, case, _kept, by=self.by, key=self.key)


def _held(trial: Trial) -> Records:
    if trial.holdout is None:
        raise NeedsReference(f"trial {trial.seed} has no held-out records")
    return trial.holdout


def _kept(trial: Trial) -> Records:
    return trial.retain


def _measure(
    name: str, case: Case, of: Callable[[Trial], Records], *, by: By, key: bytes | None
) -> Measured:
    trials = case.compared(name)
    one_model = case.unit_of_replication == "examples" or len(trials) == 1
    one = trials[0].after
    kind = "token accuracy" if continues(one) else "accuracy" if classifies(one) else "R2"
    after = [_quality(name, t.after, of(t)) for t in trials]  # one array a trial, (n,)
    reference = [_quality(name, t.reference, of(t)) for t in trials]
    if one_model:
        after, reference = after[:1], [np.asarray(np.mean(reference, axis=0))]
        trials = trials[:1]
    differences = [a - r for a, r in zip(after, reference, strict=True)]
    same = all(np.array_equal(d, differences[0]) for d in differences)
    if case.unit_of_replication != "data draws" and same:
        order = np.argsort(of(trials[0]).ids)
        interval = over_records(name, differences[0][order], case.seeds[0])
    else:
        interval = _over_trials(case, trials, [float(np.mean(d)) for d in differences])
    table = _by_group(name, kind, trials, of, after, reference, by=by, key=key)
    worst = min(table.rows(), key=lambda row: float(row["difference"]), default=None)
    note = (
        f"{kind} {np.mean([a.mean() for a in after]):.4g}, "
        f"retrained {np.mean([r.mean() for r in reference]):.4g}"
    )
    if worst is not None and len(set(table["difference"])) > 1:
        note += f"; worst {by} {worst[by]}: {worst['difference']:+.4g}"
    reading = Reading(
        name,
        interval.value,
        interval.low,
        interval.high,
        n=interval.n,
        unit_of_replication=interval.unit_of_replication,
        seeds=tuple(dict.fromkeys(case.seeds)),
        unit=kind,
        better="higher",
        table=table.name,
        level=LEVEL,
        note=note,
    )
    return Measured(reading, (table,))


def _quality(name: str, model: Any, records: Records) -> Array:
    """Return one number a record whose mean is the accuracy, or the R2: (n,).

    Of a sequence, the share of its tokens that are right when all before them are given.
    """
    if continues(model):
        counted = (np.asarray(records.y) >= 0).sum(axis=1)
        return np.asarray(model.led(records).sum(axis=1) / np.maximum(counted, 1))
    said, true = np.asarray(model.predict(records.x)), np.asarray(records.y)
    if classifies(model):
        return np.asarray(said == true, dtype=np.float64)
    scale = np.var(true, axis=0)  # of many targets: the mean of their R2, as scikit-learn's
    if not np.all(scale > 0):
        raise NeedsReference(f"{name}: all targets are equal, and R2 compares with their spread")
    each = 1 - (checked(said, name) - true) ** 2 / scale
    return np.asarray(each.reshape(len(each), -1).mean(axis=1))


def _over_trials(case: Case, trials: tuple[Trial, ...], means: list[float]) -> Interval:
    unit = case.unit_of_replication
    if unit != "data draws" or any(t.holdout is None or not len(t.holdout) for t in trials):
        return mean_interval(means, unit_of_replication=unit, level=LEVEL)
    n_train = round(float(np.mean([len(t.retain) for t in trials])))
    n_test = round(float(np.mean([len(t.holdout) for t in trials if t.holdout is not None])))
    return corrected_paired(
        means, n_train=n_train, n_test=n_test, unit_of_replication=unit, level=LEVEL
    ).interval


def _by_group(
    name: str,
    kind: str,
    trials: tuple[Trial, ...],
    of: Callable[[Trial], Records],
    after: list[Array],
    reference: list[Array],
    *,
    by: By,
    key: bytes | None,
) -> Table:
    """Return one row a class or group: its size, both qualities, and their difference."""
    rows: dict[Any, list[tuple[int, float, float]]] = {}
    for trial, a, r in zip(trials, after, reference, strict=True):
        labels = _labels(of(trial), by, kind, name)
        for label in np.unique(labels).tolist():
            hit = labels == label
            shown = label if by == "class" or key is None else pseudonym(label, key)
            rows.setdefault(shown, []).append(
                (int(hit.sum()), float(a[hit].mean()), float(r[hit].mean()))
            )
    found = sorted(rows.items(), key=lambda item: str(item[0]))
    columns = {
        by: [label for label, _ in found],
        "n": [sum(n for n, _, _ in parts) for _, parts in found],
        "after": [float(np.mean([a for _, a, _ in parts])) for _, parts in found],
        "retrained": [float(np.mean([r for _, _, r in parts])) for _, parts in found],
    }
    columns["difference"] = [
        a - r for a, r in zip(columns["after"], columns["retrained"], strict=True)
    ]
    return Table(
        f"{name} by {by}",
        columns,
        dict.fromkeys(("after", "retrained", "difference"), kind),
        keys=(by,),
        caption="n counts records over all trials; qualities are means over trials",
    )


def _labels(records: Records, by: By, kind: str, name: str) -> NDArray[Any]:
    if by == "group":
        if records.groups is None:
            raise BadInput(f"{name} was asked for groups and the records have none; by='class'")
        return records.groups
    return np.asarray(records.y) if kind == "accuracy" else np.full(len(records), "all")
