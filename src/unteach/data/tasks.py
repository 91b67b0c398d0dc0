"""Tasks without end: records drawn group by group, for skills that are generated, not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unteach.core import BadInput, NothingLeft, Rows, UnknownRecord, stream

from .token_sequences import together

Make = Callable[[int, np.random.Generator], Rows]


@dataclass(frozen=True, eq=False)
class Tasks:
    """A stream of records by group (`core.Stream`): the same seed draws the same records.

    Parameters
    ----------
    make : group to a function (n, rng) that returns n fresh records; their ids do not matter
    every : group to a function that returns all records there are, for groups that are finite
    shares : group to how many records of it are drawn, relative to the others; 1 if not named

    Examples
    --------
    >>> from unteach.data import sequences
    >>> def doubled(n, rng):
    ...     a = rng.integers(0, 5, n)
    ...     return sequences(np.stack([a, 2 * a], axis=1), prompts=1)
    >>> def same(n, rng):
    ...     a = rng.integers(0, 5, n)
    ...     return sequences(np.stack([a, a], axis=1), prompts=1)
    >>> tasks = Tasks({"double": doubled, "copy": same}, shares={"double": 3})
    >>> np.unique(tasks.draw(8, seed=0).groups, return_counts=True)[1]
    array([2, 6])
    >>> tasks.without(["copy"]).groups
    ('double',)
    """

    make: Mapping[Any, Make]
    every: Mapping[Any, Callable[[], Rows]] = field(default_factory=dict)
    shares: Mapping[Any, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("every", "shares"):
            strange = [g for g in getattr(self, name) if g not in self.make]
            if strange:
                raise BadInput(f"{name} names a group that make does not: {strange[0]!r}")
        if not self.make:
            raise BadInput("a stream needs at least one group to draw from")
        if not all(share > 0 for share in self.shares.values()):
            raise BadInput("every share is above 0; leave a group out by without([group])")

    @property
    def groups(self) -> tuple[Any, ...]:
        """The groups that can be drawn from."""
        return tuple(self.make)

    def draw(self, n: int, *, seed: int, group: Any | None = None) -> Rows:
        """Return n fresh records with ids 0 to n - 1: of one group, or of all by their shares.

        Of all groups, each gives at least one record, so that n is at least their number.
        """
        if group is not None:
            self._known(group)
        counts = {group: n} if group is not None else self._counts(n)
        parts = [self.make[g](k, stream(seed, "task", g)) for g, k in counts.items()]
        for (g, k), part in zip(counts.items(), parts, strict=True):
            if len(part) != k:
                raise BadInput(f"group {g!r} was asked for {k} records and made {len(part)}")
        names = np.repeat(np.array(list(counts)), list(counts.values()))
        return together(parts, groups=names)

    def enumerate(self, group: Any) -> Rows:
        """Return all records of a finite group, or say that it has no end."""
        self._known(group)
        if group not in self.every:
            raise BadInput(f"group {group!r} is not known to be finite; draw from it instead")
        rows = self.every[group]()
        return together([rows], groups=np.repeat(np.array([group]), len(rows)))

    def without(self, groups: Iterable[Any]) -> Tasks:
        """Return the stream that never draws from these groups."""
        gone = list(groups)
        for group in gone:
            self._known(group)
        if len(set(gone)) == len(self.make):
            raise NothingLeft("forgetting every group leaves nothing to draw from")
        left = [group for group in self.make if group not in gone]
        return Tasks(
            {g: self.make[g] for g in left},
            {g: self.every[g] for g in left if g in self.every},
            {g: self.shares[g] for g in left if g in self.shares},
        )

    def _known(self, group: Any) -> None:
        if group not in self.make:
            raise UnknownRecord(f"no group {group!r} in this stream; there are {self.groups}")

    def _counts(self, n: int) -> dict[Any, int]:
        """Return how many records each group gives: by share, largest remainders rounded up."""
        if n < len(self.make):
            raise BadInput(f"{n} records cannot come from {len(self.make)} groups; draw more")
        share = np.array([self.shares.get(g, 1.0) for g in self.make])
        ideal = (n - len(share)) * share / share.sum()
        counts = np.floor(ideal).astype(int)
        rest = n - len(share) - int(counts.sum())
        counts[np.argsort(counts - ideal, kind="stable")[:rest]] += 1
        return dict(zip(self.make, (counts + 1).tolist(), strict=True))
