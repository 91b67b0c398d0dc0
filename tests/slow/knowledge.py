"""Plain slow twins: rules tried on every choice of facts, and plans on every set of facts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unteach.knowledge.base.facts import Fact
from unteach.knowledge.base.rules import Rule, Term, Var


def closure(facts: Iterable[Fact], rules: Sequence[Rule]) -> frozenset[Fact]:
    """Return all that follows, by applying every rule in every way until nothing is new.

    >>> from unteach.knowledge import parse_rule
    >>> sorted(closure([("a", "x")], [parse_rule("b(X) :- a(X)")]))
    [('a', 'x'), ('b', 'x')]
    """
    held = set(facts)
    while True:
        new = {head for _, _, head in instances(held, rules)} - held
        if not new:
            return frozenset(held)
        held |= new


def instances(
    held: Iterable[Fact], rules: Sequence[Rule]
) -> Iterator[tuple[int, frozenset[Fact], Fact]]:
    """Yield every (rule, body, head) over these facts; some come more than once."""
    by: dict[tuple[str, int], list[Fact]] = {}
    for fact in held:
        by.setdefault((fact[0], len(fact) - 1), []).append(fact)
    for number, rule in enumerate(rules):
        choices = [by.get((a.predicate, len(a.terms)), []) for a in rule.body]
        for chosen in itertools.product(*choices):
            values: dict[Term, str] = {}
            meets = all(
                _meets(atom.terms, fact[1:], values)
                for atom, fact in zip(rule.body, chosen, strict=True)
            )
            if meets and all(_value(a, values) != _value(b, values) for a, b in rule.distinct):
                head = (rule.head.predicate, *(_value(t, values) for t in rule.head.terms))
                if head not in chosen:
                    yield number, frozenset(chosen), head


def _meets(terms: tuple[Term, ...], names: tuple[str, ...], values: dict[Term, str]) -> bool:
    return all(
        (values.setdefault(term, name) if isinstance(term, Var) else term) == name
        for term, name in zip(terms, names, strict=True)
    )


def _value(term: Term, values: dict[Term, str]) -> str:
    return values[term] if isinstance(term, Var) else term


@dataclass(frozen=True)
class Searched:
    """All about a request, found by trying every set of facts: the least costs, None for none."""

    promoted: float | None
    in_base: float | None
    cuts: frozenset[frozenset[Fact]]  # minimal removals after which no forgotten fact follows


def search(
    facts: Sequence[Fact],
    rules: Sequence[Rule],
    background: Sequence[Fact],
    forget: Iterable[Fact],
    preserve: Iterable[Fact],
    weights: dict[Fact, float] | None = None,
) -> Searched:
    """Return the answers to a request over at most some dozen facts.

    With promotion it is enough to state the preserved facts, which hold in any plan, beside each
    set of facts.
    """
    everything = closure([*facts, *background], rules)
    bit = {fact: 1 << k for k, fact in enumerate(sorted(everything))}
    steps = {
        (sum(bit[f] for f in body), bit[head]) for _, body, head in instances(everything, rules)
    }

    def closed(held: int) -> int:
        while True:
            before = held
            for body, head in steps:
                if body & held == body:
                    held |= head
            if held == before:
                return held

    gone, kept, known = (sum(bit[f] for f in some) for some in (forget, preserve, background))
    promoted: float | None = None
    in_base: float | None = None
    cuts: list[frozenset[Fact]] = []
    for n in range(len(facts) + 1):
        for removed in map(frozenset, itertools.combinations(facts, n)):
            left = known | sum(bit[f] for f in facts if f not in removed)
            cost = sum((weights or {}).get(f, 1.0) for f in removed)
            after = closed(left)
            if not after & gone:
                if not any(cut <= removed for cut in cuts):
                    cuts.append(removed)
                if kept & after == kept and (in_base is None or cost < in_base):
                    in_base = cost
                if (promoted is None or cost < promoted) and not closed(left | kept) & gone:
                    promoted = cost
    return Searched(promoted, in_base, frozenset(cuts))
