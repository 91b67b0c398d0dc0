"""Why a request is impossible: a smallest reason, verified."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..base.facts import Fact
from ..base.ground_graph import Graph
from ..base.proofs import Kind, Proof, shortest, shortest_proof
from ..base.rules import Rule
from .plan_base_only import BaseOnly


@dataclass(frozen=True)
class Witness:
    """A minimal reason: without any one of its preserved facts it would be none.

    Parameters
    ----------
    preserved : what was to stay; empty where the background alone says it
    forgotten : what then follows; more than one only where nothing may be promoted and no way of
        deriving `preserved` avoids them all
    proof : how a forgotten fact follows from `preserved`. Where nothing may be promoted: how it
        follows from what the shortest derivations of `preserved` rest on, or, where it is one
        of those facts itself, the derivation that rests on it
    """

    preserved: tuple[Fact, ...]
    forgotten: tuple[Fact, ...]
    proof: Proof


def promotion_witness(
    graph: Graph,
    rules: Sequence[Rule],
    background: Collection[int],
    forget: Collection[int],
    preserve: Iterable[int],
) -> Witness | None:
    """Return why the preserved facts entail a forgotten one, or None where they do not.

    The forgotten fact is the one with the shortest proof; its leaves are thinned until each is
    needed.
    """
    preserve = sorted(preserve)
    start: dict[int, Kind] = dict.fromkeys(preserve, "preserved")
    start |= dict.fromkeys(background, "background")
    cost, _ = shortest(graph, start)
    reached = [f for f in forget if f in cost]
    if not reached:
        return None
    goal = min(reached, key=lambda f: (cost[f], f))
    leaves = _proof(graph, rules, start, goal).leaves
    needed = thinned(
        [graph.index[f] for f in leaves], lambda some: goal in graph.closure([*background, *some])
    )
    proof = _proof(graph, rules, _kinds(needed, "preserved", background), goal)
    return Witness(tuple(graph.atoms[a] for a in needed), (graph.atoms[goal],), proof)


def base_only_witness(
    own: Graph,
    attack: Graph,
    rules: Sequence[Rule],
    background: Collection[int],
    forget: Collection[int],
    preserve: Collection[int],
    weights: Mapping[int, int],
) -> Witness | None:
    """Return preserved and forgotten facts that no set of base facts reconciles, or None.

    Each is needed: without it the others can be had together.
    """
    program = BaseOnly(own, attack, background, forget, preserve, weights, soft=True)
    core = program.clash([*sorted(preserve), *sorted(forget)])
    if core is None:
        return None
    needed = thinned(core, lambda some: program.clash(some) is not None)
    kept = [a for a in needed if a in preserve]
    lost = [a for a in needed if a in forget]
    names = [tuple(own.atoms[a] for a in some) for some in (kept, lost)]
    entailed = promotion_witness(attack, rules, background, lost, kept)
    if entailed is not None:
        return Witness(names[0], names[1], entailed.proof)
    start = _kinds(weights, "fact", background)
    proofs = [_proof(own, rules, start, a) for a in kept]
    # if these leaves led to none of the lost facts, they would reconcile them
    support = {own.index[f] for proof in proofs for f in proof.leaves}
    from_support = _kinds(sorted(support), "fact", background)
    cost, _ = shortest(attack, from_support)
    goal = min((a for a in lost if a in cost), key=lambda a: (cost[a], a))
    shown = next((p for p in proofs if own.atoms[goal] in p.leaves), None)
    if cost[goal] > 0 or shown is None:
        shown = _proof(attack, rules, from_support, goal)
    return Witness(names[0], names[1], shown)


def thinned(items: Sequence[int], clashes: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return a part of clashing items that clashes, and clashes no more without any one of them.

    >>> thinned([1, 2, 3, 4], lambda some: {2, 4} <= set(some))
    [2, 4]
    """
    left = list(items)
    for item in items:
        without = [a for a in left if a != item]
        if clashes(without):
            left = without
    return left


def _kinds(items: Iterable[int], kind: Kind, background: Iterable[int]) -> dict[int, Kind]:
    kinds: dict[int, Kind] = dict.fromkeys(items, kind)
    return kinds | dict.fromkeys(background, "background")


def _proof(graph: Graph, rules: Sequence[Rule], start: Mapping[int, Kind], goal: int) -> Proof:
    found = shortest_proof(graph, rules, start, goal)
    if found is None:
        raise RuntimeError(f"{graph.atoms[goal]} was reached, and has no proof")
    return found
