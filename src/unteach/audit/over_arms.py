"""Readings of arms: one shape for every number of two sets of models, with its null."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import stats as distributions

from unteach.core import Better, Case, NeedsReference, Reading, Table, derive, stream
from unteach.stats import jackknife_error

from .against import Measured
from .arms import Arms, Array
from .arms_of import LEAST, arms_of
from .summary import LEVEL, larger_side, sides

Statistic = Callable[[Any, Any], Array]
"""(unlearned, retrained), each (models, ...) -> (n,) one number a record, or whatever is meant."""
RESPLITS = 60  # mixtures of retrained models that make a null


class Four(NamedTuple):
    """One array an arm, each (models, ...)."""

    original: Array
    unlearned: Array
    retrained: Array
    twin: Array


class OverArms(ABC):
    """What metrics of arms share: they read a case whose trials are seeds of one request, or arms.

    replicates : "seeds", which tells the checks what case to build
    models : how many models an arm are the least that it reads
    world : "linear", "network" or "swapped": what models the checks try it on
    """

    name: ClassVar[str]
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = LEAST
    world: ClassVar[str] = "linear"

    def read(self, case: Case) -> Reading:
        """Return the reading of a case's models."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and the tables that it sums up."""
        return self.measure_arms(arms_of(case, self.name, least=self.models))

    @abstractmethod
    def measure_arms(self, arms: Arms) -> Measured:
        """Return the same of arms."""


def four(arms: Arms, of: Callable[[str], Any], *, name: str, least: int = LEAST) -> Four:
    """Return what `of(arm)` gives for the four arms, or refuse in the metric's name."""
    sizes = {}
    for arm in Four._fields:
        said = getattr(arms, arm)
        if said is None:
            raise NeedsReference(f"{name} compares four arms and these hold no {arm} models")
        sizes[arm] = len(said)
    if min(sizes.values()) < least:
        raise NeedsReference(f"{name} needs {least} models an arm, got {sizes}")
    return Four(*(np.asarray(of(arm), dtype=np.float64) for arm in Four._fields))


@dataclass(frozen=True)
class Comparison:
    """How a number of two arms becomes a reading.

    Parameters
    ----------
    name, unit, better : of the reading
    limit : the largest value; None where there is none · lowest : the smallest
    signed : the numbers of records have a side, and the reading is the larger side
    block : 2 for numbers that are fitted on every other model
    """

    name: str
    unit: str
    better: Better
    limit: float | None
    lowest: float = 0.0
    signed: bool = False
    block: int = 1

    def read(
        self,
        seen: Four,
        statistic: Statistic,
        *,
        seeds: Sequence[int],
        table: str | None = None,
        note: str = "",
    ) -> Reading:
        """Return the number of unlearned against retrained models, with its null.

        Interval: the jackknife over models, t quantiles. Null: the same number between retrained
        models, divided into two arms again and again; it is widened to what new models would
        change, by the jackknife, since the same models divided anew vary less than that.
        """
        seeds = tuple(seeds) or (0,)
        after = statistic(seen.unlearned, seen.retrained)
        sign = 1 if not self.signed or larger_side(*sides(after)) >= 0 else -1

        def number(one: Array, other: Array) -> float:
            values = statistic(one, other)
            return float(np.mean(np.maximum(sign * values, 0.0) if self.signed else values))

        value = number(seen.unlearned, seen.retrained)
        half = self._reach([seen.unlearned, seen.retrained], number)
        top = np.inf if self.limit is None else self.limit
        low, high = max(value - half, min(self.lowest, value)), min(value + half, max(top, value))
        before = statistic(seen.original, seen.retrained)
        untouched = larger_side(*sides(before)) if self.signed else float(np.mean(before))
        ends = (low, high) if sign > 0 else (0.0 - high, 0.0 - low)
        return Reading(
            self.name,
            sign * value,
            ends[0],
            ends[1],
            n=len(seen.unlearned),
            unit_of_replication="seeds",
            seeds=seeds,
            unit=self.unit,
            better=self.better,
            untouched=untouched,
            null=self._null(seen, statistic, seeds[0]),
            limit=self.limit,
            table=table,
            level=LEVEL,
            note=note,
        )

    def _null(self, seen: Four, statistic: Statistic, seed: int) -> tuple[float, float]:
        def number(one: Array, other: Array) -> float:
            values = statistic(one, other)
            return max(sides(values)) if self.signed else float(np.mean(values))

        scored = [number(*pair) for pair in _resplits(seen, derive(seed, self.name))]
        middle, half = float(np.mean(scored)), self._reach([seen.twin, seen.retrained], number)
        low, high = (float(q) for q in np.quantile(scored, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
        low, high = min(low, middle - half), max(high, middle + half)
        top = np.inf if self.limit is None else self.limit
        if self.signed:
            high = min(high, top)
            return 0.0 - high, high
        return max(low, min(self.lowest, *scored)), min(high, max(top, *scored))

    def _reach(self, arms: list[Array], number: Callable[..., float]) -> float:
        error, degrees = jackknife_error(arms, number, block=self.block)
        return float(distributions.t.ppf((1 + LEVEL) / 2, degrees)) * error


def _resplits(seen: Four, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield the retrained models, of both arms, divided anew at random into two arms."""
    pool, rng = np.concatenate([seen.retrained, seen.twin]), stream(seed, "null")
    size = min(len(seen.unlearned), len(pool) // 2)
    for _ in range(RESPLITS):
        order = rng.permutation(len(pool))
        yield pool[order[:size]], pool[order[size : 2 * size]]


def by_record(name: str, ids: Any, columns: Mapping[str, Any], unit: str) -> Table:
    """Return the table of a metric, one row a forgotten record."""
    return Table(
        f"{name} by record",
        {"id": np.asarray(ids).tolist(), **{k: np.asarray(v).tolist() for k, v in columns.items()}},
        dict.fromkeys(columns, unit),
        keys=("id",),
        caption="retrained: one arm of retrained models in the place of the unlearned",
    )


def of_records(
    how: Comparison, arms: Arms, seen: Four, statistic: Statistic, note: str = ""
) -> Measured:
    """Return a comparison whose numbers are those of the forgotten records, and their table."""
    columns = {
        name: statistic(models, seen.retrained)
        for name, models in (
            ("before", seen.original),
            ("after", seen.unlearned),
            ("retrained", seen.twin),
        )
    }
    table = by_record(how.name, arms.named("forget"), columns, how.unit)
    worst = float(
        np.min(columns["after"]) if how.better == "higher" else np.max(np.abs(columns["after"]))
    )
    said = "; ".join(p for p in (f"worst record {worst:.3g}", note) if p)
    reading = how.read(seen, statistic, seeds=arms.seeds, table=table.name, note=said)
    return Measured(reading, (table,))
