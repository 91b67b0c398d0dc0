"""Results: a reading never travels alone, and every curve, matrix and list is a table."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Literal

from .canonical_json import plain
from .claims import Claim
from .display import as_html, as_text
from .errors import BadInput

# Cost: what an operation took, measured and never estimated.


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processor, records read, gradients of one record taken.

    Measured times stand outside the promise that the same seed gives the same bytes.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    rows_read: int = 0
    route: str = ""
    gradients: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.rows_read + other.rows_read,
            self.route or other.route,
            self.gradients + other.gradients,
        )


class Stopwatch:
    """Measure a block.

    >>> with Stopwatch() as watch:
    ...     total = sum(range(1000))
    >>> watch.cost(rows_read=3, route="sum").rows_read
    3
    """

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self.seconds = self.cpu_seconds = 0.0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.cpu_seconds = time.process_time() - self._cpu

    def cost(self, *, rows_read: int = 0, route: str = "", gradients: int = 0) -> Cost:
        """Return what the block took."""
        return Cost(self.seconds, self.cpu_seconds, rows_read, route, gradients)


Better = Literal["higher", "lower", "zero", "none"]


@dataclass(frozen=True)
class Forgotten:
    """What a method returns: the model after, what is promised about it, and what it cost."""

    model: Any
    claim: Claim
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True)
class Reading:
    """A number with all that is needed to believe it.

    Parameters
    ----------
    name : what was measured
    value, low, high : the number and its interval, low <= value <= high
    n : how many replicates the interval ranges over, at least 1
    unit_of_replication : over what it ranges: "data draws", "seeds", "examples", "none"
    seeds : the seeds it rests on
    unit : "accuracy", "nats", "margin", "share", "bytes", ...
    better : "higher", "lower", "zero" (a signed distance), or "none"
    untouched : what doing nothing scores; forgetting metrics only
    null : (low, high) that retraining scores against other retrainings; forgetting metrics only
    limit : the largest value that this n can show; forgetting metrics only
    table : name of the table that this number sums up
    level : confidence level of the interval, in (0, 1)
    note : one sentence that belongs beside the number

    Examples
    --------
    >>> r = Reading("holdout accuracy", 0.91, 0.89, 0.93, n=20, unit_of_replication="data draws",
    ...             seeds=(0,), unit="accuracy", better="higher")
    >>> print(r)
    holdout accuracy 0.91 [0.89, 0.93] accuracy, n=20 data draws
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    unit_of_replication: str
    seeds: tuple[int, ...]
    unit: str
    better: Better
    untouched: float | None = None
    null: tuple[float, float] | None = None
    limit: float | None = None
    table: str | None = None
    level: float = 0.95
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(int(s) for s in self.seeds))
        for name in ("value", "low", "high"):
            number = float(getattr(self, name))
            if math.isnan(number):
                raise BadInput(f"{name} of reading {self.name!r} is not a number")
            object.__setattr__(self, name, number)
        if not self.low <= self.value <= self.high:
            raise BadInput(
                f"reading {self.name!r}: {self.value} is outside [{self.low}, {self.high}]"
            )
        if self.n < 1:
            raise BadInput(f"reading {self.name!r} rests on n={self.n}; at least 1 is needed")
        if self.null is not None:
            object.__setattr__(self, "null", (float(self.null[0]), float(self.null[1])))

    def __str__(self) -> str:
        return (
            f"{self.name} {self.value:.4g} [{self.low:.4g}, {self.high:.4g}] {self.unit}, "
            f"n={self.n} {self.unit_of_replication}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the reading as plain values."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reading:
        """Return the reading that `to_json` wrote."""
        values = dict(data)
        values["seeds"] = tuple(values["seeds"])
        for name in ("value", "low", "high", "untouched", "limit"):
            if values.get(name) is not None:
                values[name] = float(values[name])
        if values.get("null") is not None:
            values["null"] = (float(values["null"][0]), float(values["null"][1]))
        return cls(**values)


@dataclass(frozen=True, repr=False)
class Table:
    """A named result of columns, each with its unit.

    Parameters
    ----------
    name : what readings and figures call it
    columns : name to values, all of one length; numbers, strings, booleans or None
    units : name to unit; "" where there is none
    keys : the columns that identify a row

    Examples
    --------
    >>> t = Table("dose", {"dose": [0.0, 0.5], "accuracy": [0.9, 0.8]},
    ...           {"dose": "share", "accuracy": "accuracy"}, keys=("dose",))
    >>> len(t), t.where(dose=0.5)["accuracy"]
    (2, [0.8])
    >>> t
    dose: 2 rows of dose, accuracy
    dose  accuracy
       0       0.9
     0.5       0.8
    """

    name: str
    columns: Mapping[str, Sequence[Any]]
    units: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    caption: str = ""

    def __post_init__(self) -> None:
        columns = {str(k): plain(list(v)) for k, v in self.columns.items()}
        lengths = {k: len(v) for k, v in columns.items()}
        if len(set(lengths.values())) > 1:
            raise BadInput(f"table {self.name!r} has columns of different lengths: {lengths}")
        strange = (set(self.units) | set(self.keys)) - set(columns)
        if strange:
            raise BadInput(f"table {self.name!r} has no column {sorted(strange)}")
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "units", {k: self.units.get(k, "") for k in columns})
        object.__setattr__(self, "keys", tuple(self.keys))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __repr__(self) -> str:
        return as_text(self.name, self.columns)

    def _repr_html_(self) -> str:
        return as_html(self.name, self.columns, self.caption)

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self.columns:
            raise BadInput(f"table {self.name!r} has no column {name!r}: {sorted(self.columns)}")
        return list(self.columns[name])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as dictionaries."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def where(self, **equals: Any) -> Table:
        """Return the rows whose columns have these values."""
        kept = [r for r in self.rows() if all(r[k] == v for k, v in equals.items())]
        columns = {k: [r[k] for r in kept] for k in self.columns}
        return Table(self.name, columns, self.units, self.keys, self.caption)

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {
            "name": self.name,
            "columns": plain(dict(self.columns)),
            "units": dict(self.units),
            "keys": list(self.keys),
            "caption": self.caption,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Table:
        """Return the table that `to_json` wrote."""
        return cls(
            data["name"], data["columns"], data["units"], tuple(data["keys"]), data["caption"]
        )
