"""Chains of reductions: which skills can still be computed from those that are kept."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from .skill import Reduction

Chain = tuple[Reduction, ...]


def recoverable(ways: Sequence[Reduction], kept: Collection[str]) -> dict[str, list[Chain]]:
    """Return how each skill that is not kept can be computed from the kept ones.

    A chain lists reductions in the order in which they are carried out; its last one gives the
    skill, and each calls only kept skills and those that stand before it. There is one chain for
    every last step that can be reached without the skill itself, the shortest first: so many
    doors would have to be closed.

    Parameters
    ----------
    ways : the reductions that the asker knows; what calls nothing is left out
    kept : the skills that are held

    Source      Forward chaining over Horn clauses; Knuth 1977 for the cheapest derivations.
    """
    usable = [way for way in ways if way.sources]
    found: dict[str, list[Chain]] = {}
    for target in dict.fromkeys(way.target for way in usable):
        if target in kept:
            continue
        best = _cheapest([w for w in usable if w.target != target], kept)
        held = set(kept) | set(best)
        chains = [
            (*_behind(way, best), way)
            for way in usable
            if way.target == target and set(way.sources) <= held
        ]
        if chains:
            found[target] = sorted(chains, key=len)
    return found


def _cheapest(ways: Sequence[Reduction], kept: Collection[str]) -> dict[str, Reduction]:
    """Return for every skill that follows the last step of its cheapest derivation."""
    cost = dict.fromkeys(kept, 0)
    best: dict[str, Reduction] = {}
    uses: dict[str, list[int]] = {}
    for k, way in enumerate(ways):
        for source in way.sources:
            uses.setdefault(source, []).append(k)
    missing = [len(way.sources) for way in ways]
    agenda: list[tuple[int, int]] = []  # (cost of the derivation, which way)

    def settle(skill: str) -> None:
        for k in uses.get(skill, ()):
            missing[k] -= 1
            if missing[k] == 0:
                heapq.heappush(agenda, (1 + sum(cost[s] for s in ways[k].sources), k))

    for skill in kept:
        settle(skill)
    while agenda:
        price, k = heapq.heappop(agenda)
        if ways[k].target not in cost:
            cost[ways[k].target], best[ways[k].target] = price, ways[k]
            settle(ways[k].target)
    return best


def _behind(way: Reduction, best: dict[str, Reduction]) -> Chain:
    """Return the steps that a way rests on, each after those that it needs."""
    steps: dict[str, Reduction] = {}

    def add(skill: str) -> None:
        if skill in best and skill not in steps:
            for source in best[skill].sources:
                add(source)
            steps[skill] = best[skill]

    for source in way.sources:
        add(source)
    return tuple(steps.values())
