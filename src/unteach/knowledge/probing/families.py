"""Invented families, and the rules of kinship: knowledge for studies that download nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from unteach.core import BadInput, stream

from ..base.base import KnowledgeBase, read_rules
from ..base.facts import Fact
from ..base.grounding import ground
from ..base.rules import dead_rules

MALE = ("father", "husband", "son", "brother", "uncle", "nephew")
FEMALE = ("mother", "wife", "daughter", "sister", "aunt", "niece")

# r(X, Y) is read "X's r is Y"
KINSHIP: tuple[str, ...] = (
    "wife(X, Y) :- husband(Y, X)",
    "husband(X, Y) :- wife(Y, X)",
    "wife(F, M) :- father(C, F), mother(C, M)",
    "mother(C, M) :- father(C, F), wife(F, M)",
    "father(C, F) :- mother(C, M), husband(M, F)",
    "son(P, C:male) :- father(C, P)",
    "son(P, C:male) :- mother(C, P)",
    "daughter(P, C:female) :- father(C, P)",
    "daughter(P, C:female) :- mother(C, P)",
    "father(C, P:male) :- son(P, C)",
    "father(C, P:male) :- daughter(P, C)",
    "mother(C, P:female) :- son(P, C)",
    "mother(C, P:female) :- daughter(P, C)",
    "brother(X, Y:male) :- father(X, F), father(Y, F), X != Y",
    "brother(X, Y:male) :- mother(X, M), mother(Y, M), X != Y",
    "sister(X, Y:female) :- father(X, F), father(Y, F), X != Y",
    "sister(X, Y:female) :- mother(X, M), mother(Y, M), X != Y",
    "brother(X, Y:male) :- brother(Y, X)",
    "brother(X, Y:male) :- sister(Y, X)",
    "sister(X, Y:female) :- brother(Y, X)",
    "sister(X, Y:female) :- sister(Y, X)",
    "father(Y, F) :- brother(X, Y), father(X, F)",
    "father(Y, F) :- sister(X, Y), father(X, F)",
    "mother(Y, M) :- brother(X, Y), mother(X, M)",
    "mother(Y, M) :- sister(X, Y), mother(X, M)",
    "uncle(X, U) :- father(X, P), brother(P, U)",
    "uncle(X, U) :- mother(X, P), brother(P, U)",
    "aunt(X, A) :- father(X, P), sister(P, A)",
    "aunt(X, A) :- mother(X, P), sister(P, A)",
    "nephew(U, X:male) :- uncle(X, U)",
    "nephew(A, X:male) :- aunt(X, A)",
    "niece(U, X:female) :- uncle(X, U)",
    "niece(A, X:female) :- aunt(X, A)",
    "uncle(X, U:male) :- nephew(U, X)",
    "uncle(X, U:male) :- niece(U, X)",
    "aunt(X, A:female) :- nephew(A, X)",
    "aunt(X, A:female) :- niece(A, X)",
)


def families(
    n_facts: int = 400, *, generations: int = 4, stated: float = 0.7, seed: int = 0
) -> KnowledgeBase:
    """Return invented families: stated kinship facts, the rules of kinship, genders as background.

    Families descend from couples that are not related; children marry into other families that
    nobody descends from. Of all kinship facts that are true, a random share is stated, so that
    many a fact is stated and derivable as well. Rules that so few facts cannot fire are left out.

    Parameters
    ----------
    n_facts : facts that are stated, at least 1
    generations : of each family, at least 2
    stated : the share of true facts that is stated, in (0, 1]
    seed : the same seed gives the same families

    Examples
    --------
    >>> kb = families(200, seed=1)
    >>> len(kb.facts), len(kb.rules), kb.dead_rules
    (200, 37, ())
    """
    if n_facts < 1 or generations < 2 or not 0 < stated <= 1:
        raise BadInput(
            "families takes n_facts of at least 1, generations of at least 2 and stated in "
            f"(0, 1], got {n_facts}, {generations} and {stated}"
        )
    rng = stream(seed, "families")
    rules = read_rules(KINSHIP)
    facts: list[Fact] = []
    genders: dict[str, str] = {}
    while len(facts) < n_facts:
        seeds: list[Fact] = []
        born: dict[str, str] = {}
        for _ in range(1 + (n_facts - len(facts)) // 1000):
            more, people = _family(rng, generations, len(genders) + len(born))
            seeds += more
            born |= people
        genders |= born
        known = tuple((gender, name) for name, gender in born.items())
        graph = ground((*seeds, *known), rules)
        true = [a for a in graph.atoms if a[0] not in ("male", "female")]
        facts += [
            fact for fact, drawn in zip(true, rng.random(len(true)), strict=True) if drawn < stated
        ]
    if len(facts) > n_facts:
        chosen = np.sort(rng.permutation(len(facts))[:n_facts])
        facts = [facts[k] for k in chosen]
    used = {name for fact in facts for name in fact[1:]}
    background = [(gender, name) for name, gender in genders.items() if name in used]
    dead = {d.number for d in dead_rules(rules, {f[0] for f in (*facts, *background)})}
    return KnowledgeBase(
        facts, (rule for k, rule in enumerate(rules, 1) if k not in dead), background
    )


def genders(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return what kinship facts say about gender, as background: the father of anybody is male.

    >>> genders([("father", "ann", "bob")])
    (('male', 'bob'),)
    """
    found: dict[Fact, None] = {}
    for predicate, *names in facts:
        kind = "male" if predicate in MALE else "female" if predicate in FEMALE else None
        if kind is not None:
            found[kind, names[-1]] = None
    return tuple(found)


def _family(
    rng: np.random.Generator, generations: int, first: int
) -> tuple[list[Fact], dict[str, str]]:
    """Return parents and marriages of one family, and the genders of its members."""
    numbers = itertools.count(first)
    genders: dict[str, str] = {}
    facts: list[Fact] = []

    def person(gender: str) -> str:
        name = f"p{next(numbers)}"
        genders[name] = gender
        return name

    couples = [(person("male"), person("female"))]
    for depth in range(generations - 1):
        following = []
        for father, mother in couples:
            facts.append(("wife", father, mother))
            for _ in range(int(rng.integers(1, 5))):
                child = person("male" if rng.random() < 0.5 else "female")
                facts += [("father", child, father), ("mother", child, mother)]
                if depth < generations - 2 and rng.random() < 0.75:
                    if genders[child] == "male":
                        following.append((child, person("female")))
                    else:
                        following.append((person("male"), child))
        couples = following
    return facts, genders


# Lineages: families in which every question has one answer, for models that answer questions.

GRANDPARENTS = {
    "pgf": ("father", "father"),
    "pgm": ("father", "mother"),
    "mgf": ("mother", "father"),
    "mgm": ("mother", "mother"),
}
"""Relations that are derived, each from two steps: a pgf is the father of a father."""

# r(X, Y) is read "X's r is Y"; each rule is sound where nobody has two fathers, wives, ...
LINEAGE: tuple[str, ...] = (
    "husband(Y, X) :- wife(X, Y)",
    "wife(Y, X) :- husband(X, Y)",
    "wife(F, M) :- father(C, F), mother(C, M)",
    "mother(C, M) :- father(C, F), wife(F, M)",
    "father(C, F) :- mother(C, M), husband(M, F)",
    *(f"{name}(X, Z) :- {a}(X, Y), {b}(Y, Z)" for name, (a, b) in GRANDPARENTS.items()),
    "wife(Y, Z) :- pgf(X, Y), pgm(X, Z)",
    "wife(Y, Z) :- mgf(X, Y), mgm(X, Z)",
    "pgm(X, Z) :- pgf(X, Y), wife(Y, Z)",
    "mgm(X, Z) :- mgf(X, Y), wife(Y, Z)",
    "pgf(X, Z) :- pgm(X, Y), husband(Y, Z)",
    "mgf(X, Z) :- mgm(X, Y), husband(Y, Z)",
    *(f"{b}(Y, Z) :- {a}(X, Y), {name}(X, Z)" for name, (a, b) in GRANDPARENTS.items()),
)


def lineages(clans: int = 6, *, generations: int = 4, seed: int = 0) -> KnowledgeBase:
    """Return invented clans: parents and marriages as facts, grandparents as conclusions.

    Every relation has at most one answer for each person, so that a model's answer to "who is
    X's father" says or does not say one fact. The rules are all that a reader who knows that
    nobody has two fathers or two wives may use: forwards, and backwards from the conclusions.

    Parameters
    ----------
    clans : families that are not related, at least 1
    generations : of each, at least 3, so that somebody has a grandparent

    Examples
    --------
    >>> kb = lineages(2, seed=0)
    >>> sorted({f[0] for f in kb.facts}), sorted({f[0] for f in kb.conclusions()})
    (['father', 'husband', 'mother', 'wife'], ['mgf', 'mgm', 'pgf', 'pgm'])
    """
    if clans < 1 or generations < 3:
        raise BadInput(
            "lineages takes at least 1 clan and at least 3 generations, got "
            f"{clans} and {generations}"
        )
    rng = stream(seed, "lineages")
    facts: list[Fact] = []
    people = 0
    for _ in range(clans):
        born, genders = _family(rng, generations, people)
        people += len(genders)
        for fact in born:
            facts.append(fact)
            if fact[0] == "wife":
                facts.append(("husband", fact[2], fact[1]))
    known = {f[0] for f in facts}
    if not {"father", "mother", "wife"} <= known:
        raise BadInput("these clans have no children; take another seed")
    return KnowledgeBase(facts, LINEAGE)
