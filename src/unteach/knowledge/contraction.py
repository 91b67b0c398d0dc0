"""Kernel contraction: give up a belief by taking something out of every set that entails it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from unteach.core import BadInput

from .base import KnowledgeBase
from .cuts import hitting_sets, minimal_supports
from .facts import Fact, as_fact

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
