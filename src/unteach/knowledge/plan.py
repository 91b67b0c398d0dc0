"""The planner: what to remove so that some facts no longer follow and others still hold."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from unteach.core import BadInput, EmptyRequest, UnknownRecord, plain

from .base import KnowledgeBase, read_rules
from .base_only import BaseOnly
from .facts import Fact, as_fact, as_facts, written
from .graph import Graph
from .ground import ground
from .promotion import least_removal
from .rules import Rule, check_arities
from .ways_out import WayOut, ways_in_base, ways_to_promote
from .witness import Witness, base_only_witness, promotion_witness


@dataclass(frozen=True)
class Plan:
    """What to remove and what to promote, or why it is impossible.

    Parameters
    ----------
    feasible : whether the request can be met
    forget, preserve : what was asked
    mode : "promotion", or "base-only" where what stays must be derived from facts that stay
    remove : base facts to remove, at the least cost
    promote : preserved conclusions that must be stored as facts; none of them could be left out
    lost : every conclusion that no longer follows, the forgotten ones among them
    cost : the weights of what is removed; None where infeasible
    bound : the solver's lower bound on that cost
    optimal : whether cost and bound are equal
    witness : why it is infeasible; minimal
    ways_out : the cheapest changes that make it feasible
    seconds : what planning took
    """

    feasible: bool
    forget: tuple[Fact, ...]
    preserve: tuple[Fact, ...]
    mode: Literal["promotion", "base-only"]
    remove: tuple[Fact, ...] = ()
    promote: tuple[Fact, ...] = ()
    lost: tuple[Fact, ...] = ()
    cost: float | None = None
    bound: float | None = None
    witness: Witness | None = None
    ways_out: tuple[WayOut, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def optimal(self) -> bool:
        """Whether the cost is proved to be the least."""
        return self.feasible and self.cost == self.bound

    @property
    def collateral(self) -> tuple[Fact, ...]:
        """What is removed or lost and was not to be forgotten."""
        asked = set(self.forget)
        return tuple(f for f in (*self.remove, *self.lost) if f not in asked)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values; facts as lists, proofs and rules as text."""
        why = self.witness
        return {
            "feasible": self.feasible,
            "mode": self.mode,
            "forget": plain(self.forget),
            "preserve": plain(self.preserve),
            "remove": plain(self.remove),
            "promote": plain(self.promote),
            "lost": plain(self.lost),
            "collateral": plain(self.collateral),
            "cost": self.cost,
            "bound": self.bound,
            "optimal": self.optimal,
            "witness": None if why is None else {
                "preserved": plain(why.preserved),
                "forgotten": plain(why.forgotten),
                "proof": str(why.proof).splitlines(),
            },
            "ways_out": [
                {"kind": w.kind, "facts": plain(w.facts), "rules": [str(r) for r in w.rules],
                 "cost": w.cost}
                for w in self.ways_out
            ],
            "seconds": self.seconds,
        }  # fmt: skip


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
    weights : what removing (or giving up) a fact costs, above 0; 1 where not given

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
    asked = _asked(kb, forget, preserve, attacker_rules, weights)
    found = _promoted(asked) if promote else _in_base(asked)
    return Plan(
        forget=tuple(map(asked.fact, asked.forget)),
        preserve=tuple(map(asked.fact, asked.preserve)),
        mode="promotion" if promote else "base-only",
        seconds=time.perf_counter() - began,
        **found,
    )


@dataclass(frozen=True)
class _Asked:
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
        return self.own.atoms[number]


def _asked(
    kb: KnowledgeBase,
    forget: Iterable[Any],
    preserve: Iterable[Any],
    attacker_rules: Iterable[str | Rule] | None,
    weights: Mapping[Any, float] | None,
) -> _Asked:
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
        reachable = {attack.atoms[k] for k in attack.closure(map(attack.index.__getitem__,
                                                             (*kb.facts, *kb.background)))}  # fmt: skip
    else:
        own = attack = kb.graph
        reachable = set(kb.closure())
    for what, facts, known in (("forget", gone, reachable), ("preserve", kept, kb.closure())):
        for fact in facts:
            if fact not in known:
                raise UnknownRecord(
                    f"cannot {what} {written(fact)}: it is neither stated nor does it follow"
                )
    index = attack.index
    base = tuple(index[f] for f in kb.facts)
    price, scale = _prices(weights or {}, index)
    return _Asked(
        own, attack, rules, len(kb.rules), base, tuple(index[f] for f in kb.background),
        tuple(index[f] for f in gone), tuple(index[f] for f in kept),
        {a: price.get(a, scale) for a in base},
        {index[f]: price.get(index[f], scale) for f in kept}, scale,
    )  # fmt: skip


def _prices(weights: Mapping[Any, float], index: Mapping[Fact, int]) -> tuple[dict[int, int], int]:
    """Return weights as whole numbers, and what a weight of 1 became."""
    exact: dict[int, Fraction] = {}
    for name, weight in weights.items():
        fact = as_fact(name)
        if fact not in index:
            raise UnknownRecord(f"a weight is given for {written(fact)}, which does not hold")
        if not (weight > 0 and math.isfinite(weight)):
            raise BadInput(f"the weight of {written(fact)} must be above 0 and finite, "
                           f"got {weight}; preserve what must not be removed")
        exact[index[fact]] = Fraction(weight).limit_denominator(1000)
        if not exact[index[fact]]:
            raise BadInput(f"the weight of {written(fact)} is below 0.001, got {weight}; scale "
                           "the weights")
    scale = math.lcm(*(w.denominator for w in exact.values()))
    return {a: int(w * scale) for a, w in exact.items()}, scale


def _promoted(asked: _Asked) -> dict[str, Any]:
    """Return the least removal where promotion is allowed, or why there is none."""
    witness = promotion_witness(
        asked.attack, asked.rules, asked.background, asked.forget, asked.preserve
    )
    if witness is not None:
        ways = ways_to_promote(
            asked.attack, asked.rules, asked.n_own, asked.background, asked.forget,
            asked.preserve, asked.prizes,
        )  # fmt: skip
        return {"feasible": False, "witness": witness, "ways_out": tuple(ways)}
    stays = asked.attack.closure([*asked.background, *asked.preserve])
    removed, bound = least_removal(asked.attack, asked.forget, stays, asked.weights)
    return _checked(asked, removed, bound, promote=True)


def _in_base(asked: _Asked) -> dict[str, Any]:
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
    return {"feasible": False, "witness": witness, "ways_out": tuple(ways)}


def _checked(asked: _Asked, removed: set[int], bound: int, *, promote: bool) -> dict[str, Any]:
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
