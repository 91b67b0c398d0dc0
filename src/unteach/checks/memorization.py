"""The laws of estimators of memorization, and of screens that stand in for them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import Rows, Table, stream
from unteach.data import World, memorable
from unteach.memorize import PlainMLP
from unteach.models import SubsetNearest

from .law import Skipped, demand, law


@dataclass(frozen=True, eq=False)
class MemorizationBench:
    """An estimator of memorization, a learner, and a world of which it is known what is memorized.

    Of the world's records some are planted wrong: a model that fits them memorizes these, and
    hardly any other. Their ids are not their positions.
    """

    estimator: Any
    learner: Any
    world: World
    seed: int = 0

    @classmethod
    def of(cls, estimator: Any, learner: Any = None, *, seed: int = 0) -> MemorizationBench:
        """Return the bench; without a learner, the nearest neighbour, or a network for screens."""
        if learner is None:
            screens = getattr(estimator, "role", "estimate") == "screen"
            learner = PlainMLP(hidden=64, epochs=15) if screens else SubsetNearest()
        return cls(estimator, learner, memorable(seed), seed)

    @property
    def screens(self) -> bool:
        """Whether the estimator says that it only ranks."""
        return getattr(self.estimator, "role", "estimate") == "screen"

    @property
    def records(self) -> Rows:
        """The records, under ids that are no positions."""
        given = self.world.records
        names = np.array([f"record {1000 + i}" for i in given.ids.tolist()])
        return Rows(names, {"x": np.array(given.x), "y": np.array(given.y)})

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which records are planted wrong: (n,)."""
        return np.isin(self.world.records.ids, self.world.planted_ids)

    @cached_property
    def table(self) -> Table:
        """What the estimator says of all records; asked for once."""
        return self.scored()

    def scored(self, records: Rows | None = None) -> Table:
        """Return the table of these records, or of all."""
        found: Table = self.estimator.score(
            self.learner, self.records if records is None else records, seed=self.seed
        )
        return found

    def values(self, table: Table) -> NDArray[np.float64]:
        """Return the column that ranks."""
        return np.asarray(table["score" if self.screens else "hard"], dtype=np.float64)


@law
def every_record_has_one_finite_value_under_its_id(bench: MemorizationBench) -> None:
    """The table has one row a record, by id, in the order of the records, all finite."""
    table = bench.table
    demand(table["id"] == bench.records.ids.tolist(), "Its ids are not those of the records.")
    values = bench.values(table)
    demand(bool(np.isfinite(values).all()), f"{int((~np.isfinite(values)).sum())} are not finite.")


@law
def the_same_seed_gives_the_same_table(bench: MemorizationBench) -> None:
    """Asked again with the same seed, it says the same."""
    one, two = bench.values(bench.table), bench.values(bench.scored())
    off = float(np.abs(one - two).max())
    demand(off == 0, f"Values differ by up to {off:.3g}.")


@law
def records_and_learner_stay_as_they_were(bench: MemorizationBench) -> None:
    """Scoring changes neither the records nor the learner."""
    records, learner = bench.records, pickle.dumps(bench.learner)
    before = np.array(records.x).tobytes() + np.array(records.y).tobytes()
    bench.scored(records)
    after = np.array(records.x).tobytes() + np.array(records.y).tobytes()
    demand(before == after, "It changed the records.")
    demand(pickle.dumps(bench.learner) == learner, "It changed the learner.")


@law
def what_is_planted_wrong_ranks_first_wherever_it_stands(bench: MemorizationBench) -> None:
    """Records planted wrong rank above the others (area 0.8), also in another order."""
    records, wrong = bench.records, bench.wrong
    other_order = stream(bench.seed, "order").permutation(len(wrong))
    for order, table in (
        (np.arange(len(wrong)), bench.table),
        (other_order, bench.scored(records.take(other_order))),
    ):
        values = bench.values(table)
        one, other = values[wrong[order]], values[~wrong[order]]
        area = float((one[:, None] > other).mean() + (one[:, None] == other).mean() / 2)
        demand(area >= 0.8, f"The area under the curve is {area:.3f}.")


@law
def an_estimate_is_a_difference_of_probabilities(bench: MemorizationBench) -> None:
    """An estimate lies in [-1, 1], near 1 for what is planted wrong and near 0 for most others."""
    if bench.screens:
        raise Skipped("not compared: a screen has no units")
    values = bench.values(bench.table)
    demand(float(np.abs(values).max()) <= 1.0, f"A value is {np.abs(values).max():.3g}.")
    one, other = float(values[bench.wrong].mean()), float(values[~bench.wrong].mean())
    demand(one >= 0.5, f"Planted wrong, and memorized only to {one:.3f} on average.")
    demand(other <= 0.35, f"Planted right, and memorized to {other:.3f} on average.")


@law
def an_interval_holds_its_value(bench: MemorizationBench) -> None:
    """Where an estimate has low and high, they surround it."""
    table = bench.table
    if bench.screens or not {"low", "high"} <= set(table.columns):
        raise Skipped("not compared: it gives no intervals")
    low, high = (np.asarray(table[name], dtype=np.float64) for name in ("low", "high"))
    values = bench.values(table)
    outside = int(((values < low) | (values > high)).sum())
    demand(outside == 0, f"{outside} values lie outside their interval.")


@law
def a_screen_claims_no_units(bench: MemorizationBench) -> None:
    """A screen gives neither a column "hard" nor intervals nor a unit."""
    if not bench.screens:
        raise Skipped("not compared: it is no screen")
    table = bench.table
    claims = sorted({"hard", "low", "high", "flagged"} & set(table.columns))
    demand(not claims, f"It gives {claims}, which only an estimate can.")
    demand(table.units.get("score", "") == "", f"Its score has the unit {table.units['score']!r}.")


MEMORIZATION_LAWS = (
    every_record_has_one_finite_value_under_its_id,
    the_same_seed_gives_the_same_table,
    records_and_learner_stay_as_they_were,
    what_is_planted_wrong_ranks_first_wherever_it_stands,
    an_estimate_is_a_difference_of_probabilities,
    an_interval_holds_its_value,
    a_screen_claims_no_units,
)
