"""What an audit found: readings, tables, refusals, verdicts, and whether its controls hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Case, NeedsReference, Reading, Table
from unteach.models.outputs import continues

from .controls import controls_table, put_in_place, validity
from .duplicates import near_duplicates
from .residual import ResidualFraction
from .verdict import Verdict, verdict


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    readings : of the metrics that could be read, in their order
    tables : what the readings sum up, the controls, and near-duplicates (of the first trial)
    case : the models that were compared
    refusals : metric -> why it could not be read
    validity : "valid", or why the controls make the verdicts void
    verdicts : forgetting metric -> what its reading allows to be said; "cannot tell" for all
        when the audit is not valid
    poles : name -> readings of other methods on the same trials, for comparison
    """

    readings: tuple[Reading, ...]
    tables: tuple[Table, ...]
    case: Case
    refusals: Mapping[str, str] = field(default_factory=dict)
    validity: str = "valid"
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    poles: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)

    def reading(self, name: str) -> Reading:
        """Return one reading by name, or say why there is none."""
        for reading in self.readings:
            if reading.name == name:
                return reading
        if name in self.refusals:
            raise NeedsReference(f"{name} was not read: {self.refusals[name]}")
        raise BadInput(f"no reading {name!r}; there are {[r.name for r in self.readings]}")

    def table(self, name: str) -> Table:
        """Return one table by name."""
        for table in self.tables:
            if table.name == name:
                return table
        raise BadInput(f"no table {name!r}; there are {[t.name for t in self.tables]}")


def audited(
    case: Case, metrics: Sequence[Any], again: Sequence[Any], others: Mapping[str, Sequence[Any]]
) -> Audit:
    """Read the metrics on the case, on its negative control, and on the poles."""
    readings, tables, refusals = _read(case, metrics)
    forgetting = [m for m in metrics if m.role == "forgetting"]
    retrained = {r.name: r for r in _read(put_in_place(case, again), forgetting)[0]}
    table = controls_table(readings, retrained, [m.name for m in forgetting])
    held = validity(table)
    found = {r.name: r for r in readings if r.name in {m.name for m in forgetting}}
    signed = found.get(ResidualFraction.name)
    verdicts: dict[str, Verdict] = {
        name: verdict(r, signed=signed) if held == "valid" else "cannot tell"
        for name, r in found.items()
    }
    first = case.trials[0]
    try:
        alike = 0.0 if continues(first.before) else None  # tokens have no distance, but copies
        near = [near_duplicates(first.forget, first.retain, threshold=alike)]
    except BadInput as error:  # inputs that have no distance, such as tokens
        near, refusals = [], {**refusals, "near duplicates": str(error)}
    return Audit(
        readings,
        (*tables, table, *near),
        case,
        refusals,
        held,
        verdicts,
        {name: _read(put_in_place(case, models), metrics)[0] for name, models in others.items()},
    )


def _read(
    case: Case, metrics: Sequence[Any]
) -> tuple[tuple[Reading, ...], tuple[Table, ...], dict[str, str]]:
    """Return readings and tables; a metric that refuses is named with its reason."""
    readings, tables, refusals = [], [], {}
    for metric in metrics:
        try:
            if hasattr(metric, "measure"):
                reading, found = metric.measure(case)
            else:
                reading, found = metric.read(case), ()
        except NeedsReference as refusal:
            refusals[str(metric.name)] = str(refusal)
            continue
        readings.append(reading)
        tables += found
    return tuple(readings), tuple(tables), refusals
