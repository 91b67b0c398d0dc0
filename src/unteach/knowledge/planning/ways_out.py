"""The cheapest ways out of an impossible request: give up conclusions, or forget rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..base.facts import Fact
from ..base.ground_graph import Graph
from ..base.rules import Rule
from .plan_base_only import BaseOnly
from .plan_promotion import solver


@dataclass(frozen=True)
class WayOut:
    """The cheapest change of one kind that makes an impossible request possible.

    Parameters
    ----------
    kind : "give up" (preserved facts), "forget rules" (that is, keep them from whoever asks), or
        "promote" (let conclusions be stored as facts)
    facts, rules : what is given up or forgotten
    cost : the weights of the facts, or the number of rules
    """

    kind: Literal["give up", "forget rules", "promote"]
    facts: tuple[Fact, ...] = ()
    rules: tuple[Rule, ...] = ()
    cost: float = 0


def ways_to_promote(
    graph: Graph,
    rules: Sequence[Rule],
    n_own: int,
    background: Collection[int],
    forget: Collection[int],
    preserve: Collection[int],
    prizes: Mapping[int, int],
) -> list[WayOut]:
    """Return the ways out where promotion is allowed; each is checked by a closure.

    Parameters
    ----------
    n_own : the rules from this position on are an attacker's and cannot be forgotten
    prizes : what giving up each preserved fact costs
    """
    ways = []
    stated = {*background, *preserve}
    if not set(forget) & graph.closure(background):
        given = _given_up(graph, background, forget, preserve, prizes)
        if set(forget) & graph.closure(stated - given):
            raise RuntimeError("giving up was to help, and the closure says it does not")
        facts = tuple(graph.atoms[a] for a in sorted(given))
        ways.append(WayOut("give up", facts, cost=sum(prizes[a] for a in given)))
    if not set(forget) & stated:
        gone = _rules_gone(graph, n_own, stated, forget)
        if gone is not None:
            left = graph.only(lambda rule: rule not in gone)
            if set(forget) & left.closure(stated):
                raise RuntimeError("forgetting rules was to help, and the closure says otherwise")
            ways.append(WayOut("forget rules", (), tuple(rules[k] for k in gone), len(gone)))
    return ways


def ways_in_base(
    own: Graph,
    attack: Graph,
    background: Collection[int],
    forget: Collection[int],
    preserve: Collection[int],
    weights: Mapping[int, int],
    prizes: Mapping[int, int],
) -> list[WayOut]:
    """Return the cheapest preserved facts to give up where nothing may be promoted."""
    program = BaseOnly(own, attack, background, forget, preserve, weights, soft=True)
    given = program.most(forget, {a: prizes[a] for a in preserve})
    if given is None:
        return []
    facts = tuple(own.atoms[a] for a in given)
    return [WayOut("give up", facts, cost=sum(prizes[a] for a in given))]


def _given_up(
    graph: Graph,
    background: Collection[int],
    forget: Collection[int],
    preserve: Collection[int],
    prizes: Mapping[int, int],
) -> set[int]:
    true = graph.closure([*background, *preserve])
    formula = solver("formula").WCNF()
    for fact in forget:
        formula.append([-(fact + 1)])
    for fact in background:
        formula.append([fact + 1])
    for k, body in enumerate(graph.bodies):
        if all(b in true for b in body):
            formula.append([*(-(b + 1) for b in body), graph.heads[k] + 1])
    for fact in sorted(preserve):
        formula.append([fact + 1], weight=prizes[fact])
    with solver("examples.rc2").RC2Stratified(formula) as search:
        model = search.compute()
        if model is None:
            raise RuntimeError("giving everything up is possible, and the solver found no way")
        held = {v - 1 for v in model if v > 0}
    return {a for a in preserve if a not in held}


def _rules_gone(
    graph: Graph, n_own: int, stated: Collection[int], forget: Collection[int]
) -> list[int] | None:
    """Return the fewest rules without which the stated facts lead to none that is forgotten."""
    true = graph.closure(stated)
    formula = solver("formula").WCNF()
    top = len(graph.atoms)
    used: set[int] = set()
    for fact in forget:
        formula.append([-(fact + 1)])
    for fact in stated:
        formula.append([fact + 1])
    for k, body in enumerate(graph.bodies):
        if all(b in true for b in body):
            clause = [*(-(b + 1) for b in body), graph.heads[k] + 1]
            if graph.by[k] < n_own:
                used.add(graph.by[k])
                clause.append(top + graph.by[k] + 1)
            formula.append(clause)
    for rule in sorted(used):
        formula.append([-(top + rule + 1)], weight=1)
    with solver("examples.rc2").RC2(formula) as search:
        model = search.compute()
        if model is None:
            return None
        true_variables = {v for v in model if v > 0}
    return [rule for rule in sorted(used) if top + rule + 1 in true_variables]
