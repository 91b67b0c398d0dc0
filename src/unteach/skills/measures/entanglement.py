"""The entanglement matrix: how much of one skill falls when another is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from unteach.core import BadInput, Table
from unteach.stats import Interval, area_interval, area_under_curve, mean_interval

from ..graph.programs import Array
from ..graph.skill import Edge
from ..graph.skill_graph import SkillGraph

Protocol = Literal["all-but-two", "unprotected"]


@dataclass(frozen=True)
class Cell:
    """One forgetting of the protocol: which skill goes, which are watched, which are protected."""

    forget: str
    watch: tuple[str, ...]
    protect: tuple[str, ...]


def entanglement_plan(names: Sequence[str], protocol: Protocol = "all-but-two") -> tuple[Cell, ...]:
    """Return the forgettings that fill the matrix.

    "all-but-two" protects every skill but the forgotten and the watched one, so that damage has
    nowhere else to go and a cell speaks of these two alone: k(k - 1) forgettings of k skills.
    "unprotected" forgets each skill once and watches all others: cheap, and unspecific.

    >>> [(c.forget, c.watch, c.protect) for c in entanglement_plan(["A", "B", "C"])][:2]
    [('A', ('B',), ('C',)), ('A', ('C',), ('B',))]
    """
    if protocol not in get_args(Protocol):
        raise BadInput(f"a protocol is one of {get_args(Protocol)}, got {protocol!r}")
    if len(names) < 2 or len(set(names)) < len(names):
        raise BadInput(f"a matrix needs two different skills at least, got {list(names)}")
    if protocol == "unprotected":
        return tuple(Cell(s, tuple(n for n in names if n != s), ()) for s in names)
    return tuple(
        Cell(s, (t,), tuple(n for n in names if n not in (s, t)))
        for s in names
        for t in names
        if s != t
    )


def fallen(before: float, after: float, chance: float) -> float:
    """Return the share of a skill's accuracy above chance that is gone: 0 nothing, 1 all of it.

    Above 1 it lies below chance, below 0 it has gained.

    >>> fallen(1.0, 0.4, 0.2)
    0.75
    """
    if not before > chance:
        raise BadInput(
            f"the skill stood at {before:g}, not above chance {chance:g}: "
            "there is nothing that could fall"
        )
    return (before - after) / (before - chance)


@dataclass(frozen=True, eq=False)
class Entanglement:
    """Matrices of falls: values[seed, s, t] is what t lost when s was forgotten.

    Parameters
    ----------
    names : k skills, in the tower's order
    values : (seeds, k, k); the diagonal, a skill with itself, is not read

    Examples
    --------
    >>> from unteach.skills import tower
    >>> g = tower("lists", letters=2)
    >>> stands = np.array([[float(s in g.under(t)) for t in g.names] for s in g.names])
    >>> e = Entanglement(g.names, np.stack([stands, 0.5 * stands]))
    >>> e.recovers(g).value, float(e.asymmetry()[0, 6]), e.edges(at_least=0.7)[0].target
    (1.0, 0.0, 'SORT')
    """

    names: tuple[str, ...]
    values: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        values = np.array(self.values, dtype=np.float64)
        k = len(self.names)
        if values.ndim != 3 or values.shape[1:] != (k, k) or not len(values):
            raise BadInput(f"values are (seeds, {k}, {k}), got {values.shape}")
        off = ~np.eye(k, dtype=bool)
        if not np.isfinite(values[:, off]).all():
            raise BadInput("a cell of the matrix is missing; every pair of skills is needed")
        values[:, ~off] = np.nan
        object.__setattr__(self, "values", values)

    def mean(self) -> Array:
        """Return the mean over seeds: (k, k), NaN on the diagonal."""
        return np.asarray(self.values.mean(axis=0))

    def asymmetry(self) -> Array:
        """Return E - E transposed, of the mean: positive where t hangs on s more than s on t."""
        return self.mean() - self.mean().T

    def recovers(self, graph: SkillGraph, against: Literal["all", "reversed"] = "all") -> Interval:
        """Return how well the matrix tells pairs where one skill stands on the other: an AUC.

        0.5 is chance: the measured entanglement then knows nothing of the declared graph.

        Parameters
        ----------
        against : "all", pairs (s, t) with t standing on s against all other pairs; "reversed",
            against the same pairs the other way round: does the matrix know what is above

        The interval ranges over seeds where there are two or more (mean of their areas, Student's
        t, cut to [0, 1]). With one seed, or where all seeds give the same area, it ranges over the
        cells of the mean matrix (DeLong), which are not independent of each other; its unit says
        which.

        Errors : BadInput where no skill stands on another, or all do
        """
        standing = np.array([[s in graph.under(t) for t in self.names] for s in self.names])
        others = (
            standing.T
            if against == "reversed"
            else ~standing & ~np.eye(len(self.names), dtype=bool)
        )
        if against not in ("all", "reversed") or standing.sum() < 2 or others.sum() < 2:
            raise BadInput("an area needs two pairs of each kind, and against 'all' or 'reversed'")
        areas = [area_under_curve(value[standing], value[others]) for value in self.values]
        if len(set(areas)) == 1:
            mean = self.mean()
            return area_interval(mean[standing], mean[others], unit_of_replication="cells")
        found = mean_interval(areas, unit_of_replication="seeds")
        return Interval(
            found.value,
            max(0.0, found.low),
            min(1.0, found.high),
            found.n,
            found.unit_of_replication,
            found.level,
            found.method,
        )

    def edges(self, at_least: float) -> tuple[Edge, ...]:
        """Return the measured edges: pairs whose mean fall is at least so large, largest first."""
        mean = self.mean()
        found = [
            Edge((s,), t, "prerequisite", "measured", float(mean[i, j]))
            for i, s in enumerate(self.names)
            for j, t in enumerate(self.names)
            if i != j and mean[i, j] >= at_least
        ]
        return tuple(sorted(found, key=lambda e: -(e.strength or 0.0)))

    def table(self, name: str = "entanglement") -> Table:
        """Return every cell of every seed, and whether the second skill stands on the first."""
        rows: dict[str, list[Any]] = {k: [] for k in ("seed", "forgotten", "watched", "fall")}
        for seed, matrix in enumerate(self.values):
            for i, s in enumerate(self.names):
                for j, t in enumerate(self.names):
                    if i != j:
                        for column, value in zip(
                            rows, (seed, s, t, float(matrix[i, j])), strict=True
                        ):
                            rows[column].append(value)
        return Table(
            name,
            rows,
            {"fall": "share"},
            ("seed", "forgotten", "watched"),
            "Share of the watched skill's accuracy above chance that is gone.",
        )
