"""What can still be derived from what a model still says."""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unteach.core import BadInput, Table

from ..base.base import KnowledgeBase, read_rules
from ..base.facts import Fact, as_fact, written
from ..base.ground_graph import Graph
from ..base.grounding import ground
from ..base.proofs import Kind, Proof, shortest_proof
from ..base.rules import Rule, check_arities


@dataclass(frozen=True, repr=False)
class Deduction:
    """Everything that follows from a model's answers, and how firmly.

    The *strength* of a fact is that of the weakest answer in its best derivation: the fact can
    be derived from the answers given with at least this probability, and from no firmer ones.

    Parameters
    ----------
    strength : each fact that follows at all, to its strength in (0, 1]
    said : what the model answers, to its probability
    at : from which probability an answer counts
    """

    strength: Mapping[Fact, float]
    said: Mapping[Fact, float]
    at: float
    _graph: Graph
    _rules: tuple[Rule, ...]
    _background: tuple[Fact, ...]

    def __repr__(self) -> str:
        follow = sum(p >= self.at for p in self.strength.values())
        said = sum(p >= self.at for p in self.said.values())
        return f"<{follow} facts follow from {said} answers of at least {self.at:g}>"

    def recalled(self, fact: Any) -> bool:
        """Return whether the model says this fact itself."""
        return self.said.get(as_fact(fact), 0.0) >= self.at

    def deducible(self, fact: Any) -> bool:
        """Return whether the fact follows from what the model says."""
        return self.strength.get(as_fact(fact), 0.0) >= self.at

    @functools.cached_property
    def _start(self) -> dict[int, Kind]:
        index = self._graph.index
        kinds: dict[int, Kind] = {index[f]: "fact" for f, p in self.said.items() if p >= self.at}
        return kinds | {index[f]: "background" for f in self._background}

    def proof(self, fact: Any) -> Proof | None:
        """Return the shortest derivation from what the model says, or None."""
        number = self._graph.index.get(as_fact(fact))
        if number is None:
            return None
        return shortest_proof(self._graph, self._rules, self._start, number)

    def table(self, facts: Iterable[Any]) -> Table:
        """Return one row a fact: recalled, deducible, strength, and the shortest derivation."""
        named = [as_fact(f) for f in facts]
        proofs = [self.proof(f) for f in named]
        return Table(
            "deducible",
            {
                "fact": [written(f) for f in named],
                "probability": [self.said.get(f, 0.0) for f in named],
                "recalled": [self.recalled(f) for f in named],
                "deducible": [self.deducible(f) for f in named],
                "strength": [self.strength.get(f, 0.0) for f in named],
                "steps": [None if p is None else p.steps for p in proofs],
                "from": [None if p is None else "; ".join(map(written, p.leaves)) for p in proofs],
            },
            {"probability": "share", "strength": "share"},
            ("fact",),
            f"What follows from the answers given with a probability of at least {self.at:g}.",
        )


def deduce(
    kb: KnowledgeBase,
    answers: Mapping[Any, float] | Iterable[Any],
    at: float = 0.5,
    attacker_rules: Iterable[str | Rule] | None = None,
) -> Deduction:
    """Return all that follows from a model's answers under the rules and the background.

    The model is not needed, only what it says. Answers may be facts that `kb` does not know,
    such as wrong ones: what follows from them follows too.

    Parameters
    ----------
    kb : whose rules and background are known to whoever asks; its facts play no part
    answers : facts to the probability, in [0, 1], that the model gives them; or the facts it says
    at : from which probability an answer counts, in (0, 1]
    attacker_rules : rules that are known beyond those of `kb`

    Raises
    ------
    BadInput : a probability outside [0, 1], an answer with the wrong number of arguments

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["grandfather(X, Z) :- father(X, Y), father(Y, Z)"])
    >>> found = deduce(kb, {("father", "ann", "bob"): 0.9, ("father", "bob", "carl"): 0.7})
    >>> goal = ("grandfather", "ann", "carl")
    >>> found.recalled(goal), found.deducible(goal), found.strength[goal]
    (False, True, 0.7)
    """
    if not 0 < at <= 1:
        raise BadInput(f"at is a probability above 0 and up to 1, got {at}")
    pairs = answers.items() if isinstance(answers, Mapping) else ((f, 1.0) for f in answers)
    said: dict[Fact, float] = {}
    for name, probability in pairs:
        fact, probability = as_fact(name), float(probability)
        if not 0 <= probability <= 1:
            raise BadInput(f"the probability of {written(fact)} is in [0, 1], got {probability}")
        said[fact] = max(probability, said.get(fact, 0.0))
    rules = (*kb.rules, *read_rules(attacker_rules or ()))
    check_arities((*kb.facts, *kb.background, *said), rules)
    stated = {f: p for f, p in said.items() if p > 0} | dict.fromkeys(kb.background, 1.0)
    graph = ground(tuple(stated), rules)
    strength = _widest(graph, {graph.index[f]: p for f, p in stated.items()})
    return Deduction(
        {graph.atoms[k]: v for k, v in strength.items()}, said, at, graph, rules, kb.background
    )


def _widest(graph: Graph, start: Mapping[int, float]) -> dict[int, float]:
    """Return for each fact the best over its derivations of their weakest leaf.

    Source: Knuth 1977, for minimum in place of sum.
    """
    left = [len(body) for body in graph.bodies]
    found: dict[int, float] = {}
    tick = itertools.count()
    heap = [(-p, next(tick), atom) for atom, p in start.items()]
    heapq.heapify(heap)
    while heap:
        strength, _, atom = heapq.heappop(heap)
        if atom in found:
            continue
        found[atom] = -strength
        for k in graph.uses[atom]:
            left[k] -= 1
            if left[k] == 0:  # what is settled last is the weakest
                heapq.heappush(heap, (strength, next(tick), graph.heads[k]))
    return found
