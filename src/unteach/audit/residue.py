"""Residue: bytes of forgotten rows in the state of the model after. An alarm is proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Table, Trial
from unteach.stats import Interval, mean_interval, proportion_interval

from .against import Measured
from .duplicates import dense
from .state import state_of
from .summary import LEVEL
from .traces import proven, search, traces_of


@dataclass(frozen=True)
class Residue:
    """The share of forgotten rows whose bytes are still in the model.

    Looks through the file that the model saves, its pickle, and every array that can be reached
    from it in memory (whole bases of views included) for whole rows and for numbers that occur
    in a forgotten row and in no retained one, in every common encoding and both byte orders.
    For a pipeline it also looks for the rows as its later steps see them. A pattern that the
    retrained model's state holds as well is no evidence and is dropped. One-sided: what is found
    is proof; silence is not, since a row can be compressed, encrypted, scaled, or averaged into
    a weight.

    Null        (0, share found in the second retrained model's state)
    Limit       1
    Fails       silence is no proof: a row can be compressed, encrypted, scaled, or averaged away
    Source      ours
    Errors      NeedsReference when no forgotten row has anything that could be recognized, or
                the inputs are not numbers

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[0.0, 0.0], before=[1.0, 1.0], hoard=[0])   # keeps row 0
    >>> r = Residue().read(case)
    >>> r.value, r.null
    (0.5, (0.0, 0.0))
    """

    name: ClassVar[str] = "residue"
    role: ClassVar[Role] = "screen"

    def read(self, case: Case) -> Reading:
        """Return the share of recognizable forgotten rows that were found."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a forgotten record and trial."""
        trials = case.trials[:1] if case.unit_of_replication == "examples" else case.trials
        looks = [_look(self.name, t) for t in trials]
        shares = [float(np.mean([r in a.after for r in a.sought])) for a in looks if a.sought]
        if not shares:
            raise NeedsReference(
                f"{self.name}: no forgotten row holds a number or a pattern that no retained row "
                "holds (duplicates, or a few coarse values), so bytes cannot tell; read the "
                "prediction gap instead"
            )
        sought = [a for a in looks if a.sought]
        interval = _interval(case, sought, shares)
        nulls = [float(np.mean([r in a.twin for r in a.sought])) for a in sought if a.compared]
        table = _table(f"{self.name} by record", trials, looks)
        rows = {(row["id"], row["recognizable"]) for row in table.rows()}
        could, total = sum(known for _, known in rows), len({i for i, _ in rows})
        reading = Reading(
            self.name,
            interval.value,
            max(interval.low, 0.0),
            min(interval.high, 1.0),
            n=interval.n,
            unit_of_replication=interval.unit_of_replication,
            seeds=tuple(t.seed for t in trials),
            unit="share of rows",
            better="lower",
            untouched=float(np.mean([np.mean([r in a.before for r in a.sought]) for a in sought])),
            null=(0.0, max(nulls)) if nulls else None,
            limit=1.0,
            table=table.name,
            level=LEVEL,
            note=f"{could} of {total} rows recognizable; what is found is proof, silence is not",
        )
        return Measured(reading, (table,))


@dataclass(frozen=True)
class _Look:
    """What was found of one trial's rows: position of the record -> where and as what."""

    sought: frozenset[int]
    after: dict[int, str]
    before: dict[int, str]
    twin: dict[int, str]
    compared: bool


def _look(name: str, trial: Trial) -> _Look:
    if len(trial.forget) == 0:
        raise NeedsReference(f"{name} reads the forgotten records and there are none")
    try:
        inside, outside = dense(trial.forget.x), dense(trial.retain.x)
    except BadInput as error:
        raise NeedsReference(f"{name} looks for the bytes of numeric rows: {error}") from error
    targets = _targets(trial)
    traces = [
        t
        for model in (trial.after, trial.before)
        for f, r in _views(model, inside, outside)
        for t in traces_of(f, r, targets)
    ]
    traces = list(dict.fromkeys(traces))
    if trial.reference is not None:
        common = {t.pattern for t in search(traces, state_of(trial.reference))}
        traces = [t for t in traces if t.pattern not in common]
    alone = frozenset(t.record for t in traces if t.alone)

    def found(model: Any) -> dict[int, str]:
        hits = search(traces, state_of(model))
        proof = proven(hits, traces)
        return {r: f"{hits.get(t, 'memory')}: {t.what}" for r, t in proof.items() if r in alone}

    twin = {} if trial.twin is None else found(trial.twin)
    return _Look(alone, found(trial.after), found(trial.before), twin, trial.twin is not None)


def _targets(trial: Trial) -> NDArray[np.float64] | None:
    """Return targets that no retained record has, NaN elsewhere; None unless they are real."""
    y, kept = np.asarray(trial.forget.y), np.asarray(trial.retain.y)
    if y.dtype.kind != "f" or y.ndim != 1:
        return None
    return np.where(np.isin(y, kept), np.nan, y)


def _views(model: Any, *sides: NDArray[Any]) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield the rows as they are and, for a pipeline, as each later step sees them."""
    yield sides
    for _, step in (getattr(model, "steps_", None) or getattr(model, "steps", None) or [])[:-1]:
        if step is None or isinstance(step, str):  # "passthrough"
            continue
        sides = tuple(dense(step.transform(s)) for s in sides)
        yield sides


def _interval(case: Case, looks: list[_Look], shares: list[float]) -> Interval:
    if len(shares) > 1 and np.ptp(shares):
        return mean_interval(shares, unit_of_replication=case.unit_of_replication, level=LEVEL)
    # one model, or trials that all show the same: the rows are what can vary
    n = len(looks[0].sought)
    return proportion_interval(round(shares[0] * n), n, unit_of_replication="examples", level=LEVEL)


def _table(name: str, trials: tuple[Trial, ...], looks: list[_Look]) -> Table:
    rows = [
        (t.seed, identifier, k in a.sought, k in a.after, a.after.get(k, ""), k in a.before)
        for t, a in zip(trials, looks, strict=True)
        for k, identifier in enumerate(t.forget.ids.tolist())
    ]
    rows.sort(key=lambda row: (row[0], str(row[1])))
    names = ("seed", "id", "recognizable", "found after", "where", "found before")
    return Table(
        name,
        dict(zip(names, zip(*rows, strict=True), strict=True)),
        keys=("seed", "id"),
        caption="whether bytes of a forgotten row are in the model's saved state or memory",
    )
