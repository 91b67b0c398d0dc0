"""Estimators of memorization with planted faults; each breaks a law that they are tested by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import Records, Table
from unteach.memorize import KernelRidgeScreen, Subsampled

_GOOD = Subsampled(models=64)


def _with(table: Table, **columns: Any) -> Table:
    changed = {**table.columns, **{k: np.asarray(v).tolist() for k, v in columns.items()}}
    return Table(table.name, changed, table.units, table.keys, table.caption)


@dataclass(frozen=True)
class ByPosition:
    """Names records by where they stand, and not by their ids."""

    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return the table under positions."""
        return _with(_GOOD.score(learner, records, seed=seed), id=np.arange(len(records)))


@dataclass(frozen=True)
class Unseeded:
    """Draws from the clock's entropy instead of its seed."""

    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return values with noise that no seed repeats."""
        table = _GOOD.score(learner, records, seed=seed)
        noise = np.random.default_rng().uniform(-1e-6, 0.0, len(records))
        hard = np.clip(np.array(table["hard"]) + noise, table["low"], table["high"])
        return _with(table, hard=hard)


@dataclass(frozen=True)
class Whitened:
    """Standardizes the records in place."""

    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return the right table, and leave other records behind."""
        x = records.x
        while isinstance(x.base, np.ndarray):
            x = x.base
        table = _GOOD.score(learner, records, seed=seed)
        x.flags.writeable = True
        x += 1.0
        return table


@dataclass(frozen=True)
class Remembered:
    """Scores positions by a list made beforehand, whatever stands there."""

    order: tuple[float, ...]
    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return the list."""
        columns = {"id": records.ids.tolist(), "hard": list(self.order)}
        return Table("memorization", columns, {}, ("id",))


@dataclass(frozen=True)
class WithoutOnly:
    """Takes how often models without a record are wrong on it for twice what it is."""

    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return values that rank well and are no differences of probabilities."""
        table = _GOOD.score(learner, records, seed=seed)
        double = 2.0 * np.array(table["hard"])
        return _with(table, hard=double, low=double - 0.1, high=double + 0.1)


@dataclass(frozen=True)
class Misplaced:
    """Gives intervals that do not hold their values."""

    role: ClassVar[str] = "estimate"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return intervals that end below the values."""
        table = _GOOD.score(learner, records, seed=seed)
        return _with(table, high=np.array(table["hard"]) - 0.01)


@dataclass(frozen=True)
class Pretentious:
    """A screen that hands out its scores as probabilities."""

    role: ClassVar[str] = "screen"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return a score that has a unit."""
        table = KernelRidgeScreen().score(learner, records, seed=seed)
        return Table(table.name, table.columns, {"score": "probability"}, table.keys)
