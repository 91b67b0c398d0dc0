"""The ground graph: every rule instance over what can be known, and closures within it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from .facts import Fact


@dataclass(frozen=True)
class Graph:
    """Facts as numbers, and every instance of a rule that derives one from others.

    The provenance of whatever follows: a fact may be made by many instances, and each of them is
    here once for each rule. An instance whose head stands in its own body says nothing and is
    left out.

    Parameters
    ----------
    atoms : the facts, first those that were given
    bodies : (m) each the sorted numbers of what an instance needs
    heads : (m) what it makes
    by : (m) the position of its rule
    """

    atoms: tuple[Fact, ...]
    bodies: Sequence[tuple[int, ...]]
    heads: Sequence[int]
    by: Sequence[int]

    @functools.cached_property
    def index(self) -> dict[Fact, int]:
        """The number of each fact."""
        return {atom: k for k, atom in enumerate(self.atoms)}

    @functools.cached_property
    def uses(self) -> list[list[int]]:
        """The instances that need each fact."""
        uses: list[list[int]] = [[] for _ in self.atoms]
        for k, body in enumerate(self.bodies):
            for atom in body:
                uses[atom].append(k)
        return uses

    @functools.cached_property
    def makes(self) -> list[list[int]]:
        """The instances that make each fact."""
        makes: list[list[int]] = [[] for _ in self.atoms]
        for k, head in enumerate(self.heads):
            makes[head].append(k)
        return makes

    @functools.cached_property
    def _sizes(self) -> list[int]:
        return [len(body) for body in self.bodies]

    def closure(self, start: Iterable[int]) -> set[int]:
        """Return everything that follows from these, themselves included, in linear time.

        Source: Dowling and Gallier 1984.
        """
        left, uses, heads = self._sizes.copy(), self.uses, self.heads
        held = set(start)
        agenda = list(held)
        while agenda:
            for k in uses[agenda.pop()]:
                left[k] -= 1
                if left[k] == 0 and heads[k] not in held:
                    held.add(heads[k])
                    agenda.append(heads[k])
        return held

    def falls(
        self, held: Collection[int], base: Collection[int], removed: Iterable[int]
    ) -> set[int]:
        """Return what no longer follows once some of a base are removed.

        Works outwards from what is removed, so that a small removal costs little: what rests on
        it is taken away, and what still has another support is put back (Gupta, Mumick and
        Subrahmanian 1993, delete and rederive).

        Parameters
        ----------
        held : the closure of `base`
        base : what is stated, the removed ones included
        removed : the ones that go
        """
        gone = {a for a in removed if a in held}
        agenda, doubted = list(gone), set(gone)
        while agenda:
            for k in self.uses[agenda.pop()]:
                head = self.heads[k]
                if head in held and head not in doubted and all(b in held for b in self.bodies[k]):
                    doubted.add(head)
                    agenda.append(head)
        back = [a for a in doubted if (a in base and a not in gone) or self._made(a, held, doubted)]
        while back:
            atom = back.pop()
            if atom not in doubted:
                continue
            doubted.discard(atom)
            for k in self.uses[atom]:
                head = self.heads[k]
                if head in doubted and all(b in held and b not in doubted for b in self.bodies[k]):
                    back.append(head)
        return doubted

    def _made(self, atom: int, held: Collection[int], doubted: Collection[int]) -> bool:
        return any(
            all(b in held and b not in doubted for b in self.bodies[k]) for k in self.makes[atom]
        )

    def behind(self, goals: Iterable[int]) -> set[int]:
        """Return all that any derivation of the goals could rest on, the goals included."""
        found = set(goals)
        agenda = list(found)
        while agenda:
            for k in self.makes[agenda.pop()]:
                for atom in self.bodies[k]:
                    if atom not in found:
                        found.add(atom)
                        agenda.append(atom)
        return found

    def only(self, keep: Callable[[int], bool]) -> Graph:
        """Return the graph of the instances whose rule is kept; the numbers of facts stay."""
        kept = [k for k, rule in enumerate(self.by) if keep(rule)]
        return Graph(
            self.atoms,
            [self.bodies[k] for k in kept],
            [self.heads[k] for k in kept],
            [self.by[k] for k in kept],
        )
