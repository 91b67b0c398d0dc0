"""The planner: what to remove so that some facts no longer follow and others still hold."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from unteach.core import BadInput, EmptyRequest, UnknownRecord

from ..base.base import KnowledgeBase, read_rules
from ..base.facts import Fact, as_fact, as_facts, written
from ..base.ground_graph import Graph
from ..base.grounding import ground
from ..base.rules import Rule, check_arities
from .plan_base_only import BaseOnly
from .plan_promotion import least_removal
from .plan_result import Plan
from .ways_out import WayOut, ways_in_base, ways_to_promote
from .witness import Witness, base_only_witness, promotion_witness

# A request to the planner, checked and in numbers.

_FINEST = 10**6
"""Weights are counted in whole millionths."""


@dataclass(frozen=True)
class Asked:
    """A request in numbers: one numbering for the own rules and for those of an attacker."""

    own: Graph
    attack: Graph
    rules: tuple[Rule, ...]
    n_own: int
    base: tuple[int, ...]
    background: tuple[int, ...]
    forget: tuple[int, ...]
    preserve: tuple[int, ...]
    weights: Mapping[int, int]  # of base facts
    prizes: Mapping[int, int]  # of preserved facts
    scale: int

    def fact(self, number: int) -> Fact:
        """Return the fact of a number."""
        return self.own.atoms[number]


def ask(
    kb: KnowledgeBase,
    forget: Iterable[Any],
    preserve: Iterable[Any],
    attacker_rules: Iterable[str | Rule] | None,
    weights: Mapping[Any, float] | None,
) -> Asked:
    """Return a request in numbers, after all that could be wrong with it was looked for."""
    gone, kept = as_facts(forget), as_facts(preserve)
    if not gone:
        raise EmptyRequest("this request names no fact to forget")
    both = set(gone) & set(kept)
    if both:
        raise BadInput(f"{written(min(both))} cannot be both forgotten and preserved")
    more = read_rules(attacker_rules or ())
    rules = (*kb.rules, *more)
    if more:
        check_arities((*kb.facts, *kb.background), rules)
        attack = ground((*kb.facts, *kb.background), rules)
        own = attack.only(lambda rule: rule < len(kb.rules))
        stated = [attack.index[f] for f in (*kb.facts, *kb.background)]
        reachable = {attack.atoms[k] for k in attack.closure(stated)}
    else:
        own = attack = kb.graph
        reachable = set(kb.closure())
    for what, facts, known in (("forget", gone, reachable), ("preserve", kept, kb.closure())):
        for fact in facts:
            if fact not in known:
                raise UnknownRecord(
                    f"cannot {what} {written(fact)}: it is neither stated nor does it follow"
                    + _unspoken(fact, known)
                )
    index = attack.index
    base = tuple(index[f] for f in kb.facts)
    price, scale = _prices(weights or {}, index)
    return Asked(
        own,
        attack,
        rules,
        len(kb.rules),
        base,
        tuple(index[f] for f in kb.background),
        tuple(index[f] for f in gone),
        tuple(index[f] for f in kept),
        {a: price.get(a, scale) for a in base},
        {index[f]: price.get(index[f], scale) for f in kept},
        scale,
    )


def _unspoken(fact: Fact, known: Iterable[Fact]) -> str:
    """Return which predicates there are, where the one of a fact is none of them."""
    there = sorted({one[0] for one in known})
    if fact[0] in there:
        return ""
    more = ", ..." if len(there) > 6 else ""
    return (
        f"; no fact has the predicate {fact[0]!r}, there are "
        f"{', '.join(there[:6]) + more or 'none'}"
    )


def _prices(weights: Mapping[Any, Any], index: Mapping[Fact, int]) -> tuple[dict[int, int], int]:
    """Return weights as whole numbers, and what a weight of 1 became."""
    if not isinstance(weights, Mapping):
        raise BadInput(f"weights map facts to what they cost, got {type(weights).__name__}")
    exact: dict[int, Fraction] = {}
    for name, weight in weights.items():
        fact = as_fact(name)
        if fact not in index:
            raise UnknownRecord(f"a weight is given for {written(fact)}, which does not hold")
        number = float(weight) if isinstance(weight, (int, float, np.number)) else math.nan
        if not (number > 0 and math.isfinite(number)):
            raise BadInput(
                f"the weight of {written(fact)} must be above 0 and finite, "
                f"got {weight!r}; preserve what must not be removed"
            )
        exact[index[fact]] = Fraction(round(Fraction(number) * _FINEST), _FINEST)
        if not exact[index[fact]]:
            raise BadInput(
                f"the weight of {written(fact)} is below a millionth, got {weight}; "
                "scale the weights"
            )
    scale = math.lcm(*(w.denominator for w in exact.values()))
    return {a: int(w * scale) for a, w in exact.items()}, scale


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
            asked.attack,
            asked.rules,
            asked.n_own,
            asked.background,
            asked.forget,
            asked.preserve,
            asked.prizes,
        )
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
        asked.own,
        asked.attack,
        asked.rules,
        asked.background,
        asked.forget,
        asked.preserve,
        asked.weights,
    )
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
