"""The planner: what to remove so that some facts no longer follow and others still hold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from .base import KnowledgeBase
from .base_only import BaseOnly
from .graph import Graph
from .planned import Plan
from .promotion import least_removal
from .request import Asked, ask
from .rules import Rule
from .ways_out import WayOut, ways_in_base, ways_to_promote
from .witness import Witness, base_only_witness, promotion_witness


def plan(
    kb: KnowledgeBase,
    forget: Iterable[Any],
    preserve: Iterable[Any] = (),
    promote: bool = True,
    attacker_rules: Iterable[str | Rule] | None = None,
    weights: Mapping[Any, float] | None = None,
) -> Plan:
    """Return the cheapest plan to forget some facts and keep others, or why there is none.

    If conclusions may be promoted to facts, a plan exists exactly when no forgotten fact follows
    from the preserved ones and the background. The cheapest one is a MaxSAT problem; without
    promotion it is an answer-set problem, and whether there is one is NP-complete already. Every
    plan is checked by a closure before it is returned.

    Parameters
    ----------
    kb : the knowledge
    forget : facts that must no longer follow
    preserve : facts that must still hold
    promote : whether a preserved conclusion may be stored as a fact
    attacker_rules : rules that whoever asks may know beyond those of `kb`; they derive what must
        be forgotten and support nothing that must stay
    weights : what removing (or giving up) a fact costs, above 0; 1 where not given;
        counted to a millionth

    Raises
    ------
    EmptyRequest : nothing to forget
    UnknownRecord : a fact that does not hold, or a weight for one
    BadInput : a fact in both sets, a weight that is not positive, a missing solver

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["grandfather(X, Z) :- father(X, Y), father(Y, Z)"])
    >>> outlives = plan(kb, forget=[("father", "ann", "bob")],
    ...                 preserve=[("grandfather", "ann", "carl")])
    >>> outlives.remove, outlives.promote
    ((('father', 'ann', 'bob'),), (('grandfather', 'ann', 'carl'),))
    >>> plan(kb, [("grandfather", "ann", "carl")], kb.facts).feasible
    False
    """
    began = time.perf_counter()
    asked = ask(kb, forget, preserve, attacker_rules, weights)
    found = _promoted(asked) if promote else _in_base(asked)
    return Plan(
        forget=tuple(map(asked.fact, asked.forget)),
        preserve=tuple(map(asked.fact, asked.preserve)),
        mode="promotion" if promote else "base-only",
        seconds=time.perf_counter() - began,
        **found,
    )


def _promoted(asked: Asked) -> dict[str, Any]:
    """Return the least removal where promotion is allowed, or why there is none."""
    witness = promotion_witness(
        asked.attack, asked.rules, asked.background, asked.forget, asked.preserve
    )
    if witness is not None:
        ways = ways_to_promote(
            asked.attack, asked.rules, asked.n_own, asked.background, asked.forget,
            asked.preserve, asked.prizes,
        )  # fmt: skip
        return _impossible(asked, witness, ways)
    stays = asked.attack.closure([*asked.background, *asked.preserve])
    removed, bound = least_removal(asked.attack, asked.forget, stays, asked.weights)
    return _checked(asked, removed, bound, promote=True)


def _in_base(asked: Asked) -> dict[str, Any]:
    """Return the least removal where nothing is promoted, or why there is none."""
    entailed = promotion_witness(
        asked.attack, asked.rules, asked.background, asked.forget, asked.preserve
    )
    program = (asked.own, asked.attack, asked.background, asked.forget, asked.preserve)
    best = None if entailed else BaseOnly(*program, asked.weights).least()
    if best is not None:
        return _checked(asked, *best, promote=False)
    witness = base_only_witness(
        asked.own, asked.attack, asked.rules, asked.background, asked.forget, asked.preserve,
        asked.weights,
    )  # fmt: skip
    if witness is None:
        raise RuntimeError("the solver found no plan, and no reason why")
    ways = ways_in_base(*program, asked.weights, asked.prizes)
    if entailed is None:
        ways.append(WayOut("promote"))
    return _impossible(asked, witness, ways)


def _impossible(asked: Asked, witness: Witness, ways: Sequence[WayOut]) -> dict[str, Any]:
    """Return the fields of a plan that there is not; what facts cost is back in their weights."""
    priced = (
        replace(w, cost=float(Fraction(w.cost) / asked.scale)) if w.kind == "give up" else w
        for w in ways
    )
    return {"feasible": False, "witness": witness, "ways_out": tuple(priced)}


def _checked(asked: Asked, removed: set[int], bound: int, *, promote: bool) -> dict[str, Any]:
    """Return a plan's fields, after a closure has said that it does what it should."""
    before = asked.own.closure([*asked.base, *asked.background])
    kept = {*asked.background, *(a for a in asked.base if a not in removed)}
    promoted: list[int] = []
    if promote:
        promoted = needed_promotions(asked.own, kept, asked.preserve)
    after = asked.own.closure([*kept, *promoted])
    seen = after
    if asked.attack is not asked.own:
        seen = asked.attack.closure([*kept, *promoted])
    if seen & set(asked.forget) or not after.issuperset(asked.preserve):
        raise RuntimeError("the solver's plan failed the check by closure; please report this")
    base = set(asked.base)
    return {
        "feasible": True,
        "remove": tuple(asked.fact(a) for a in asked.base if a in removed),
        "promote": tuple(asked.fact(a) for a in promoted),
        "lost": tuple(asked.fact(a) for a in sorted(before - after) if a not in base),
        "cost": float(Fraction(sum(asked.weights[a] for a in removed), asked.scale)),
        "bound": float(Fraction(bound, asked.scale)),
    }


def needed_promotions(graph: Graph, kept: set[int], preserve: Sequence[int]) -> list[int]:
    """Return which preserved facts must be stated, none of which could be left out."""
    held = graph.closure(kept)
    missing = [a for a in preserve if a not in held]
    stated = kept | set(missing)
    held = graph.closure(stated)
    for atom in missing:
        if atom not in graph.falls(held, stated, [atom]):
            stated.discard(atom)
    return [a for a in missing if a in stated]
