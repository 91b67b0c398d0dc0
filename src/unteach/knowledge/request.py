"""A request to the planner, checked and in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from unteach.core import BadInput, EmptyRequest, UnknownRecord

from .base import KnowledgeBase, read_rules
from .facts import Fact, as_fact, as_facts, written
from .graph import Graph
from .ground import ground
from .rules import Rule, check_arities

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
        own, attack, rules, len(kb.rules), base, tuple(index[f] for f in kb.background),
        tuple(index[f] for f in gone), tuple(index[f] for f in kept),
        {a: price.get(a, scale) for a in base},
        {index[f]: price.get(index[f], scale) for f in kept}, scale,
    )  # fmt: skip


def _unspoken(fact: Fact, known: Iterable[Fact]) -> str:
    """Return which predicates there are, where the one of a fact is none of them."""
    there = sorted({one[0] for one in known})
    if fact[0] in there:
        return ""
    more = ", ..." if len(there) > 6 else ""
    return (f"; no fact has the predicate {fact[0]!r}, there are "
            f"{', '.join(there[:6]) + more or 'none'}")  # fmt: skip


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
            raise BadInput(f"the weight of {written(fact)} must be above 0 and finite, "
                           f"got {weight!r}; preserve what must not be removed")
        exact[index[fact]] = Fraction(round(Fraction(number) * _FINEST), _FINEST)
        if not exact[index[fact]]:
            raise BadInput(f"the weight of {written(fact)} is below a millionth, got {weight}; "
                           "scale the weights")
    scale = math.lcm(*(w.denominator for w in exact.values()))
    return {a: int(w * scale) for a, w in exact.items()}, scale
