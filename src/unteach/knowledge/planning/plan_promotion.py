"""The least removal when conclusions may be promoted: one MaxSAT problem, solved exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from unteach.core import BadInput

from ..base.ground_graph import Graph


def solver(name: str) -> Any:
    """Return a part of python-sat, or say how it is installed."""
    import importlib

    try:
        return importlib.import_module(f"pysat.{name}")
    except ImportError as error:
        raise BadInput(
            "the exact planner needs python-sat: pip install 'unteach[knowledge]'"
        ) from error


class Encoding:
    """The instances that could make a forgotten fact, as clauses over what they rest on.

    A model is a set of facts that is closed under the rules, holds what stays and avoids what is
    forgotten; a fact outside the cone behind the forgotten ones can lead to none of them and is
    always kept. What follows from what stays is true in every model and is left out.

    Parameters
    ----------
    graph : all rule instances
    forget : the facts to avoid
    stays : the closure of what must stay; it meets no forgotten fact
    """

    def __init__(self, graph: Graph, forget: Collection[int], stays: Collection[int]) -> None:
        self.cone = sorted(graph.behind(forget) - set(stays))
        self.variable = {atom: k for k, atom in enumerate(self.cone, 1)}
        self.forget = forget
        self.stays = stays
        self.graph = graph

    def clauses(self) -> Iterator[list[int]]:
        """Yield the hard clauses, each once."""
        seen: set[tuple[int, ...]] = set()
        for fact in sorted(self.forget):
            yield [-self.variable[fact]]
        for atom in self.cone:
            head = [] if atom in self.forget else [self.variable[atom]]
            for k in self.graph.makes[atom]:
                body = [-self.variable[b] for b in self.graph.bodies[k] if b in self.variable]
                clause = (*body, *head)
                if clause not in seen:
                    seen.add(clause)
                    yield list(clause)


def least_removal(
    graph: Graph, forget: Collection[int], stays: Collection[int], weights: Mapping[int, int]
) -> tuple[set[int], int]:
    """Return the cheapest base facts to remove, and the solver's lower bound on their cost.

    Parameters
    ----------
    forget : what must not follow
    stays : the closure of what must stay; it meets no forgotten fact
    weights : what the removal of each base fact costs, at least 1

    Source: Ignatiev, Morgado and Marques-Silva 2019, RC2, for the solver.
    """
    encoding = Encoding(graph, forget, stays)
    formula = solver("formula").WCNF()
    for clause in encoding.clauses():
        formula.append(clause)
    soft = [a for a in encoding.cone if a in weights and a not in forget]
    certain = {a for a in forget if a in weights}
    bound = sum(weights[a] for a in certain)
    if not soft:
        return certain, bound
    for atom in soft:
        formula.append([encoding.variable[atom]], weight=weights[atom])
    rc2 = solver("examples.rc2")
    kind = rc2.RC2 if len({weights[a] for a in soft}) == 1 else rc2.RC2Stratified
    with kind(formula, adapt=True) as search:
        model = search.compute()
        if model is None:
            raise RuntimeError("a removal exists by the theorem, and the solver found none")
        true = {v for v in model if v > 0}
        bound += int(search.cost)
    return certain | {a for a in soft if encoding.variable[a] not in true}, bound
