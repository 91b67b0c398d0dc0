"""All minimal cuts of a fact, and all its minimal supports: each hits every one of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from unteach.core import BadInput

from ..base.base import KnowledgeBase
from ..base.facts import Fact, as_fact
from .plan_promotion import Encoding, solver


@dataclass(frozen=True)
class Cuts(Sequence[frozenset[Fact]]):
    """Sets of facts, the smallest first; `complete` says whether they are all there are."""

    sets: tuple[frozenset[Fact], ...]
    complete: bool

    def __len__(self) -> int:
        return len(self.sets)

    def __getitem__(self, at: int) -> frozenset[Fact]:  # type: ignore[override]
        return self.sets[at]


def minimal_cuts(kb: KnowledgeBase, fact: Any, limit: int | None = None) -> Cuts:
    """Return every inclusion-minimal set of stated facts without which a fact does not follow.

    The minimal deep-unlearning sets. There can be exponentially many; with a limit, the search
    stops there and says that it is not complete. A fact that follows from the background alone
    has none.

    Parameters
    ----------
    fact : something that holds
    limit : at most so many, at least 1; None for all

    Raises
    ------
    UnknownRecord : the fact does not hold

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["grandfather(X, Z) :- father(X, Y), father(Y, Z)"])
    >>> cuts = minimal_cuts(kb, ("grandfather", "ann", "carl"))
    >>> [sorted(c) for c in cuts], cuts.complete
    ([[('father', 'ann', 'bob')], [('father', 'bob', 'carl')]], True)

    Source: Wu, Yadav, Salakhutdinov and Chaudhuri 2024 (arXiv 2410.15153), section 3, for the
    sets. We differ: they sample them by a random greedy, we enumerate them all as minimal
    correction sets (Mencía, Previti and Marques-Silva 2015, LBX).
    """
    if limit is not None and limit < 1:
        raise BadInput(f"limit is at least 1, got {limit}")
    goal = kb.number(fact)
    graph = kb.graph
    always = graph.closure(k for k, kind in kb.start.items() if kind == "background")
    if goal in always:
        return Cuts((), True)
    encoding = Encoding(graph, [goal], always)
    formula = solver("formula").WCNF()
    for clause in encoding.clauses():
        formula.append(clause)
    soft = [a for a in encoding.cone if a in kb.start]
    for atom in soft:
        formula.append([encoding.variable[atom]], weight=1)
    found: list[frozenset[Fact]] = []
    complete = True
    for numbers in _correction_sets(formula):
        if len(found) == limit:
            complete = False
            break
        cut = {soft[k - 1] for k in numbers}
        if goal in graph.closure(a for a in kb.start if a not in cut):
            raise RuntimeError("a minimal cut does not cut; please report this")
        found.append(frozenset(graph.atoms[a] for a in cut))
    return Cuts(ordered(found), complete)


def minimal_supports(kb: KnowledgeBase, fact: Any) -> tuple[frozenset[Fact], ...]:
    """Return every inclusion-minimal set of stated facts that entails a fact: its kernels.

    They are the minimal sets that hit every minimal cut. What follows from the background alone
    has one, the empty set.

    Examples
    --------
    >>> kb = KnowledgeBase([("a", "x"), ("b", "x")], ["c(X) :- a(X)", "c(X) :- b(X)"])
    >>> [sorted(s) for s in minimal_supports(kb, ("c", "x"))]
    [[('a', 'x')], [('b', 'x')]]
    """
    cuts = minimal_cuts(kb, fact)
    if not cuts:
        return (frozenset(),)
    return ordered(hitting_sets(cuts))


def hitting_sets(sets: Iterable[frozenset[Fact]]) -> Iterator[frozenset[Fact]]:
    """Yield the inclusion-minimal sets that meet each of these, the smallest first."""
    # the solver's choices depend on the order in which it reads; the order is the sets' own
    lines = [sorted(s) for s in ordered(sets)]
    with solver("examples.hitman").Hitman(bootstrap_with=lines, htype="sorted") as search:
        for found in search.enumerate():
            yield frozenset(found)


def ordered(sets: Iterable[frozenset[Fact]]) -> tuple[frozenset[Fact], ...]:
    """Return sets in the order of their size and then of their facts."""
    return tuple(sorted(sets, key=lambda s: (len(s), sorted(s))))


def _correction_sets(formula: Any) -> Iterator[list[int]]:
    search = solver("examples.lbx").LBX(formula, use_cld=True, solver_name="g3")
    try:
        for found in search.enumerate():
            search.block(found)
            yield found
    finally:
        search.delete()


# Kernel contraction: give up a belief by taking something out of every set that entails it.

Incision: TypeAlias = Callable[[Sequence[frozenset[Fact]]], frozenset[Fact]]


def least(kernels: Sequence[frozenset[Fact]]) -> frozenset[Fact]:
    """Return a smallest set that cuts every kernel; the same one for the same kernels."""
    return next(hitting_sets(kernels), frozenset())


def everything(kernels: Sequence[frozenset[Fact]]) -> frozenset[Fact]:
    """Return all that occurs in a kernel: nothing that helped is kept."""
    return frozenset().union(*kernels)


def contract(kb: KnowledgeBase, fact: Any, incision: Incision = least) -> KnowledgeBase:
    """Return the knowledge without what an incision takes from the kernels of a fact.

    Holds the postulates of belief-base change: success (the fact no longer follows, unless the
    background alone says it), inclusion (nothing is added), vacuity (what does not follow costs
    nothing), core-retainment (whatever goes helped to entail the fact) and uniformity (facts
    that the same subsets entail cost the same). Recovery does not hold, and should not: what
    has been forgotten is not brought back by stating the fact again.

    Parameters
    ----------
    fact : what is to be given up; one that does not follow changes nothing
    incision : from all kernels (minimal supports) to what goes; it meets each of them

    Raises
    ------
    BadInput : an incision that misses a kernel, or takes what stands in none

    Examples
    --------
    >>> kb = KnowledgeBase([("a", "x"), ("b", "x"), ("d", "x")], ["c(X) :- a(X), b(X)"])
    >>> contract(kb, ("c", "x"), everything).facts
    (('d', 'x'),)

    Source: Hansson 1994, "Kernel contraction".
    """
    if as_fact(fact) not in kb.closure():
        return kb
    kernels = minimal_supports(kb, fact)
    if frozenset() in kernels:
        return kb
    gone = frozenset(incision(kernels))
    if not all(gone & kernel for kernel in kernels):
        raise BadInput("the incision leaves a kernel whole; it must take something from each")
    if gone - everything(kernels):
        raise BadInput("the incision takes facts that stand in no kernel")
    return kb.without(gone)
