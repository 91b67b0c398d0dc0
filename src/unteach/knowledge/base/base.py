"""A knowledge base: facts that can be forgotten, rules, and what everybody knows."""

from __future__ import annotations

import functools
import itertools
import os
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput, UnknownRecord

from .datalog_text import parse_rule
from .facts import Fact, as_fact, as_facts, written
from .ground_graph import Graph
from .grounding import ground
from .proofs import Kind, Proofs, all_proofs
from .rules import DeadRule, Rule, check_arities, dead_notes, dead_rules, lone_names

if TYPE_CHECKING:
    pass


class KnowledgeBase:
    """Facts, Horn rules over them, and background that no plan may remove.

    Immutable. The closure, with every rule instance in it, is computed when it is first needed.

    Parameters
    ----------
    facts : (predicate, subject, object), or any number of arguments from one up, all text;
        the *base*: what can be removed
    rules : `Rule`s, or text such as "brother(X, Y) :- father(X, F), father(Y, F), X != Y"
    background : facts that everybody knows, such as ("male", "bob")

    Errors
    ------
    BadInput : no fact at all, an unsafe rule, one predicate with two arities, a fact that is
        also background
    UserWarning : rules that can never fire, because nothing states or derives a predicate, which
        may be misspelt: `dead_rules` lists them. A variable that a rule holds once and that is a
        name in the facts: a name that begins with a capital is written in quotes

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["grandfather(X, Z) :- father(X, Y), father(Y, Z)"])
    >>> sorted(kb.closure() - set(kb.facts))
    [('grandfather', 'ann', 'carl')]
    >>> print(kb.proofs(("grandfather", "ann", "carl"))[0])
    grandfather(ann, carl)
      father(ann, bob)  [fact]
      father(bob, carl)  [fact]
    """

    def __init__(
        self,
        facts: Iterable[Any] = (),
        rules: Iterable[str | Rule] = (),
        background: Iterable[Any] = (),
    ) -> None:
        self.facts: tuple[Fact, ...] = as_facts(facts)
        self.background: tuple[Fact, ...] = as_facts(background)
        self.rules: tuple[Rule, ...] = read_rules(rules)
        if not self.facts and not self.background:
            raise BadInput("this knowledge is empty: give at least one fact")
        both = set(self.facts) & set(self.background)
        if both:
            raise BadInput(
                f"{written(min(both))} is given both as a fact, which can be removed, and as "
                "background, which cannot; leave one of them out"
            )
        stated = (*self.facts, *self.background)
        check_arities(stated, self.rules)
        self.dead_rules: tuple[DeadRule, ...] = dead_rules(self.rules, {f[0] for f in stated})
        notes = dead_notes(self.dead_rules, len(self.rules))
        for note in (*notes, *lone_names(self.rules, stated)):
            warnings.warn(note, stacklevel=2)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        rules: str | os.PathLike[str] | Iterable[str | Rule] = (),
        background: str | os.PathLike[str] | Iterable[Any] = (),
        columns: Sequence[str] = ("subject", "predicate", "object"),
    ) -> KnowledgeBase:
        """Return the knowledge that a file holds: triples, Datalog-like text, JSON or RDF.

        Parameters
        ----------
        path : .tsv, .txt with tabs, .csv (triples); .dl, .pl, .datalog or .txt (text, which may
            hold rules too); .json; .nt, .ttl, .rdf, .xml, .n3, .jsonld (RDF)
        rules : a file of rules, or rules
        background : a file of facts, in any of these forms, or facts
        columns : in which order a triple's parts stand in a line, where no header says it

        A fact of the file that is also background is taken for background.

        Raises
        ------
        BadInput : a broken line, by its number; see `read_knowledge`
        """
        from .reading import load_background, load_rules, read_knowledge

        facts, own = read_knowledge(path, columns)
        own += load_rules(rules)
        known = load_background(background, columns)
        everybody = set(known)
        return cls((f for f in facts if f not in everybody), own, known)

    @functools.cached_property
    def graph(self) -> Graph:
        """All rule instances over what the facts and the background entail."""
        return ground((*self.facts, *self.background), self.rules)

    @functools.cached_property
    def start(self) -> dict[int, Kind]:
        """The numbers of what is stated, and how."""
        index = self.graph.index
        kinds: dict[int, Kind] = {index[f]: "fact" for f in self.facts}
        kinds |= {index[f]: "background" for f in self.background}
        return kinds

    @functools.cached_property
    def _closure(self) -> frozenset[Fact]:
        atoms = self.graph.atoms
        return frozenset(atoms[k] for k in self.graph.closure(self.start))

    def closure(self) -> frozenset[Fact]:
        """Return everything that follows, stated facts and background included."""
        return self._closure

    def conclusions(self) -> tuple[Fact, ...]:
        """Return what follows and is not stated, in the order in which it was derived."""
        held, start, atoms = self._closure, self.start, self.graph.atoms
        return tuple(a for k, a in enumerate(atoms) if a in held and k not in start)

    def number(self, fact: Any) -> int:
        """Return the number of a fact in the graph.

        Raises
        ------
        UnknownRecord : the fact is neither stated nor does it follow
        """
        known = as_fact(fact)
        if known not in self._closure:
            raise UnknownRecord(
                f"{written(known)} is neither stated nor does it follow from this knowledge"
            )
        return self.graph.index[known]

    def proofs(self, fact: Any, limit: int | None = 10) -> Proofs:
        """Return proof trees of a fact, those with the fewest steps first.

        Parameters
        ----------
        fact : something that holds
        limit : at most so many; None for all of them, which can be very many

        Raises
        ------
        UnknownRecord : the fact does not hold
        """
        if limit is not None and limit < 1:
            raise BadInput(f"limit is at least 1, got {limit}")
        found = all_proofs(self.graph, self.rules, self.start, self.number(fact))
        trees = tuple(itertools.islice(found, limit))
        return Proofs(trees, next(found, None) is None)

    def without(self, facts: Iterable[Any]) -> KnowledgeBase:
        """Return the knowledge without these stated facts; the graph is shared, not recomputed.

        Raises
        ------
        UnknownRecord : a fact that is not stated here
        """
        gone = as_facts(facts)
        strange = set(gone) - set(self.facts)
        if strange:
            raise UnknownRecord(f"{written(min(strange))} is no stated fact of this knowledge")
        graph = self.graph
        numbers = [graph.index[f] for f in gone]
        held = {graph.index[f] for f in self._closure}
        fallen = graph.falls(held, self.start.keys(), numbers)
        left = object.__new__(KnowledgeBase)
        left.facts = tuple(f for f in self.facts if f not in set(gone))
        left.background, left.rules, left.dead_rules = self.background, self.rules, self.dead_rules
        left.__dict__["graph"] = graph
        left.__dict__["_closure"] = self._closure - {graph.atoms[k] for k in fallen}
        return left

    def __repr__(self) -> str:
        dead = f", {len(self.dead_rules)} rules can never fire" if self.dead_rules else ""
        return (
            f"<KnowledgeBase: {len(self.facts)} facts, {len(self.background)} background, "
            f"{len(self.rules)} rules{dead}>"
        )


def read_rules(rules: Iterable[str | Rule]) -> tuple[Rule, ...]:
    """Return rules from values or text; a broken one is named by its number."""
    if isinstance(rules, (str, Rule)):
        raise BadInput(f"rules are a sequence, got the one {rules!r}")
    read = []
    for number, rule in enumerate(rules, 1):
        try:
            read.append(rule if isinstance(rule, Rule) else parse_rule(rule))
        except BadInput as error:
            raise BadInput(f"rule {number}: {error}") from error
    return tuple(read)
