"""Lineages: families in which every question has one answer, for models that answer questions."""

from __future__ import annotations

from unteach.core import BadInput, stream

from .base import KnowledgeBase
from .facts import Fact
from .families import _family

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
