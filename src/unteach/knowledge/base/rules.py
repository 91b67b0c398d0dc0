"""Horn rules as values: one head, a body, and pairs of names that must differ."""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from unteach.core import BadInput

from .facts import Fact, bare


@dataclass(frozen=True)
class Var:
    """A variable of a rule."""

    name: str


Term: TypeAlias = Var | str


@dataclass(frozen=True)
class Atom:
    """A predicate over variables and names."""

    predicate: str
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return f"{bare(self.predicate)}({', '.join(map(_term, self.terms))})"

    def variables(self) -> set[Var]:
        """Return the variables that occur."""
        return {t for t in self.terms if isinstance(t, Var)}


@dataclass(frozen=True, repr=False)
class Rule:
    """If every atom of the body holds, and the pairs differ, the head holds.

    Every variable of the head and of a pair occurs in the body (the rule is *safe*), so that
    whatever is derived names only what is known.

    Examples
    --------
    >>> from unteach.knowledge import parse_rule
    >>> str(parse_rule("brother(X, Y:male) :- father(X, F), father(Y, F), X != Y"))
    'brother(X, Y) :- father(X, F), father(Y, F), male(Y), X != Y'
    """

    head: Atom
    body: tuple[Atom, ...]
    distinct: tuple[tuple[Term, Term], ...] = ()

    def __post_init__(self) -> None:
        if not self.body:
            raise BadInput(f"rule {self} has no body; give it as a fact")
        bound = set().union(*(atom.variables() for atom in self.body))
        for variable in sorted(self.head.variables() - bound, key=lambda v: v.name):
            raise BadInput(
                f"unsafe rule: {variable.name} stands in the head of '{self}' and nowhere in its "
                "body, so it could be anything; add an atom that says what it is"
            )
        for pair in self.distinct:
            for term in pair:
                if isinstance(term, Var) and term not in bound:
                    raise BadInput(
                        f"unsafe rule: {term.name} must differ from something in '{self}' and "
                        "stands nowhere in its body"
                    )

    def __repr__(self) -> str:
        return f"<rule {self}>"

    def __str__(self) -> str:
        parts = [str(atom) for atom in self.body]
        parts += [f"{_term(a)} != {_term(b)}" for a, b in self.distinct]
        return f"{self.head} :- {', '.join(parts)}"


@dataclass(frozen=True)
class DeadRule:
    """A rule that can never fire, the predicate that nothing states or derives, and a guess.

    The guess, `meant`, is a name that differs in one letter or in their order, where the
    predicate occurs nowhere else.
    """

    number: int  # position among the rules, from 1
    rule: Rule
    predicate: str
    meant: str | None

    def __str__(self) -> str:
        guess = f"; did you mean {self.meant!r}?" if self.meant else ""
        return (
            f"rule {self.number} can never fire: no fact states {self.predicate!r} and no rule "
            f"that fires derives it{guess} ({self.rule})"
        )


def dead_rules(rules: Sequence[Rule], predicates: Iterable[str]) -> tuple[DeadRule, ...]:
    """Return the rules whose body needs a predicate that occurs nowhere.

    Parameters
    ----------
    rules : the rules
    predicates : the predicates of the facts

    Examples
    --------
    >>> from unteach.knowledge import parse_rule
    >>> [d.meant for d in dead_rules([parse_rule("uncle(B, A) :- newphe(A, B)")], ["nephew"])]
    ['nephew']
    """
    known = set(predicates)
    waiting = dict(enumerate(rules, 1))
    while True:
        firing = [k for k, r in waiting.items() if all(a.predicate in known for a in r.body)]
        if not firing:
            break
        known |= {waiting.pop(k).head.predicate for k in firing}
    stands = Counter(p for r in rules for p in {a.predicate for a in (r.head, *r.body)})
    found = []
    for number, rule in waiting.items():
        missing = next(a.predicate for a in rule.body if a.predicate not in known)
        alone = stands[missing] == 1
        close = sorted(p for p in known | stands.keys() if alone and _misspelt(missing, p))
        found.append(DeadRule(number, rule, missing, close[0] if close else None))
    return tuple(found)


def dead_notes(dead: Sequence[DeadRule], n_rules: int) -> list[str]:
    """Return what to say of rules that can never fire: the misspelt each, the others in one line.

    >>> from unteach.knowledge import parse_rule
    >>> book = [parse_rule(f"kin(X, Y) :- {p}(X, Y)") for p in ("wife", "son", "son", "uncle")]
    >>> dead_notes(dead_rules(book, ["uncle"]), len(book))
    ["3 of 4 rules can never fire: no fact states 'son' or 'wife' and no rule that fires derives
    them; dead_rules lists them all"]
    """
    notes = [str(one) for one in dead if one.meant]
    others = [one for one in dead if not one.meant]
    names = sorted({one.predicate for one in others})
    if len(others) == 1:
        notes.append(str(others[0]))
    elif others:
        said = " or ".join(", ".join(map(repr, names[:4])).rsplit(", ", 1))
        more = f" (and {len(names) - 4} more names)" if len(names) > 4 else ""
        notes.append(
            f"{len(others)} of {n_rules} rules can never fire: no fact states {said}"
            f"{more} and no rule that fires derives them; dead_rules lists them all"
        )
    return notes


def lone_names(rules: Sequence[Rule], facts: Iterable[Fact]) -> list[str]:
    """Return what to say of variables that a rule holds once and that are names in the facts.

    >>> from unteach.knowledge import parse_rule
    >>> lone_names([parse_rule("vip(X) :- knows(X, Ann)")], [("knows", "Eve", "Ann")])
    ["rule 1: Ann is a variable here, since it begins with a capital, and a name in the facts;
    quote it, 'Ann', if that name is meant (vip(X) :- knows(X, Ann))"]
    """
    names = {name for fact in facts for name in fact[1:]}
    found = []
    for number, rule in enumerate(rules, 1):
        terms = [t for atom in (rule.head, *rule.body) for t in atom.terms]
        terms += [t for pair in rule.distinct for t in pair]
        seen = Counter(t.name for t in terms if isinstance(t, Var))
        found += [
            f"rule {number}: {name} is a variable here, since it begins with a capital, and a "
            f"name in the facts; quote it, '{name}', if that name is meant ({rule})"
            for name, times in seen.items()
            if times == 1 and name in names
        ]
    return found


def check_arities(facts: Iterable[Fact], rules: Iterable[Rule]) -> None:
    """Raise `BadInput` where one predicate takes different numbers of arguments."""
    seen: dict[str, tuple[int, object]] = {}

    def check(predicate: str, arity: int, where: object) -> None:
        first = seen.setdefault(predicate, (arity, where))
        if first[0] != arity:
            raise BadInput(
                f"arity clash: {predicate!r} takes {first[0]} arguments in {_said(first[1])} and "
                f"{arity} in {_said(where)}; rename one of them"
            )

    for fact in facts:
        check(fact[0], len(fact) - 1, fact)
    for rule in rules:
        for atom in (*rule.body, rule.head):
            check(atom.predicate, len(atom.terms), rule)


def _said(where: object) -> str:
    return f"rule '{where}'" if isinstance(where, Rule) else f"fact {where!r}"


def _term(term: Term) -> str:
    return term.name if isinstance(term, Var) else bare(term)


def _misspelt(name: str, other: str) -> bool:
    """Return whether two longer names differ in one letter or in the order of their letters."""
    if name == other or min(len(name), len(other)) < 4:
        return False
    start = _same(name, other)
    end = _same(name[start:][::-1], other[start:][::-1])
    return sorted(name) == sorted(other) or max(len(name), len(other)) - start - end == 1


def _same(name: str, other: str) -> int:
    """Return how many letters of two names are the same from the first on."""
    return len(list(itertools.takewhile(bool, map(operator.eq, name, other))))
