"""Against retraining: what every comparing metric measures, record by record, in one shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Case, Ids, NeedsReference, Reading, Table, Trial

Array = NDArray[np.float64]
Values = Callable[[Any, Trial], Array]
"""(model, trial) -> (n, ...) what the model says of each forgotten record, in their order."""
Difference = Callable[[Array, Array], Array]
"""(of a model, of a retrained model) -> (n,) how far apart they are on each record."""


class Measured(NamedTuple):
    """A reading and the tables that it sums up."""

    reading: Reading
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Against:
    """How far a model stands from retraining on each forgotten record.

    Parameters
    ----------
    ids : one array a replicate, (n,) sorted, so that the order of the records changes nothing
    after, before : one array a replicate, (n,) the difference of the model from retraining
    null : one array a pair of retrained models, (n,) the difference of one from the other(s)
    values : "after", "before", "reference" -> one array a replicate, what was subtracted
    seeds : the seeds of the trials
    unit : what the intervals range over; with "examples" there is one replicate, one model
    retrained : how many retrained models there were in one comparison
    lowest, highest : of all the values that any model gave
    """

    ids: tuple[Ids, ...]
    after: tuple[Array, ...]
    before: tuple[Array, ...]
    null: tuple[Array, ...]
    values: dict[str, tuple[Array, ...]]
    seeds: tuple[int, ...]
    unit: str
    retrained: int
    lowest: float
    highest: float

    @property
    def single(self) -> bool:
        """Whether one model is audited, so that only its records can replicate anything."""
        return self.unit == "examples"

    @property
    def point_null(self) -> bool:
        """Whether all retrainings agree, to the last bit."""
        return not any(np.any(d) for d in self.null)


def against(case: Case, name: str, values: Values, difference: Difference = np.subtract) -> Against:
    """Return a case's differences from retraining, or refuse in the name of the metric.

    Trials that differ in seeds or data are replicates, each compared with its own reference,
    and its twin's difference from that reference is the null. Trials whose unit is "examples"
    are one model beside several retrained ones: it is compared with all of them, and each of
    them with all the others. Seeds that change nothing at all replicate nothing: such trials
    count as one, and the records are what the interval ranges over.

    Parameters
    ----------
    values : called with a model and a trial, returns (n, ...) for the trial's forgotten records
    difference : called with a model's values and a retrained model's, returns (n,)
    """
    trials = case.compared(name)
    for trial in trials:
        if len(trial.forget) == 0:
            raise NeedsReference(f"{name} reads the forgotten records and there are none")
    if case.unit_of_replication == "examples" or len(trials) == 1:
        return _one(case.seeds, name, trials, values, difference)
    orders = [np.argsort(t.forget.ids) for t in trials]
    seen = [
        tuple(checked(values(m, t), name)[o] for m in (t.after, t.before, t.reference, t.twin))
        for t, o in zip(trials, orders, strict=True)
    ]
    ids = tuple(t.forget.ids[o] for t, o in zip(trials, orders, strict=True))
    if (
        case.unit_of_replication == "seeds"
        and _same(ids)
        and all(map(_same, zip(*seen, strict=True)))
    ):
        return _one(case.seeds, name, trials[:1], values, difference)
    return Against(
        ids,
        tuple(difference(a, r) for a, _, r, _ in seen),
        tuple(difference(b, r) for _, b, r, _ in seen),
        tuple(difference(w, r) for _, _, r, w in seen),
        {
            "after": tuple(a for a, _, _, _ in seen),
            "before": tuple(b for _, b, _, _ in seen),
            "reference": tuple(r for _, _, r, _ in seen),
        },
        case.seeds,
        case.unit_of_replication,
        2,
        min(float(v.min()) for vs in seen for v in vs),
        max(float(v.max()) for vs in seen for v in vs),
    )


def _one(
    seeds: tuple[int, ...],
    name: str,
    trials: tuple[Trial, ...],
    values: Values,
    difference: Difference,
) -> Against:
    """Return the differences of one model from several retrained ones."""
    first = trials[0]
    order = np.argsort(first.forget.ids)
    ids = first.forget.ids[order]
    for t in trials[1:]:
        if not np.array_equal(np.sort(t.forget.ids), ids):
            raise BadInput(
                f"{name}: trials with the unit 'examples' are one model beside several retrained "
                "ones and must forget the same records; name the unit 'data draws'"
            )
    pool = _distinct([t.reference for t in trials] + [t.twin for t in trials])
    references = len(_distinct([t.reference for t in trials]))
    known = [checked(values(m, first), name)[order] for m in pool]
    before, after = (checked(values(m, first), name)[order] for m in (first.before, first.after))
    if len(known) > 2:
        null = tuple(
            np.mean([difference(k, o) for o in known if o is not k], axis=0) for k in known
        )
    else:
        null = (difference(known[-1], known[0]),)

    def apart(v: Array) -> Array:
        return np.asarray(np.mean([difference(v, r) for r in known[:references]], axis=0))

    everything = [before, after, *known]
    middle = np.asarray(np.mean(known[:references], axis=0))
    return Against(
        (ids,),
        (apart(after),),
        (apart(before),),
        null,
        {"after": (after,), "before": (before,), "reference": (middle,)},
        tuple(dict.fromkeys(seeds)),
        "examples",
        len(known),
        min(float(v.min()) for v in everything),
        max(float(v.max()) for v in everything),
    )


def checked(values: Any, name: str) -> Array:
    """Return values as float64, or refuse in the metric's name those that are not finite."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise NeedsReference(
            f"{name}: {int((~np.isfinite(array)).sum())} of {array.size} model outputs are not "
            "finite (a class that a model does not know, or a broken model); a difference from "
            "them has no meaning"
        )
    return array


def _distinct(models: Iterable[Any]) -> list[Any]:
    return list({id(m): m for m in models}.values())


def _same(arrays: Iterable[NDArray[Any]]) -> bool:
    first, *rest = arrays
    return all(np.array_equal(first, other) for other in rest)
