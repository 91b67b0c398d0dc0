"""Proof trees: why a fact holds, shortest first."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .facts import Fact, written
from .ground_graph import Graph
from .rules import Rule

Kind = Literal["fact", "background", "preserved", "step"]


class _Path(NamedTuple):
    """A fact, and what it is needed for, up to the goal."""

    atom: int
    below: _Path | None


class _Todo(NamedTuple):
    """What is still to be proved: a fact, and the rest."""

    what: _Path
    rest: _Todo | None


class _Chosen(NamedTuple):
    """What was chosen last, an instance or -1 for a stated fact, and what was chosen before."""

    atom: int
    instance: int
    before: _Chosen | None


@dataclass(frozen=True, repr=False, eq=False)
class Proof:
    """A fact, and how it follows: by a rule from what is proved above it, or as it is stated.

    Parameters
    ----------
    fact : what is proved
    kind : "step" where a rule makes it; else "fact", "background" or "preserved"
    rule : the rule of a step
    premises : their proofs, in the order of the facts' numbers
    """

    fact: Fact
    kind: Kind
    rule: Rule | None = None
    premises: tuple[Proof, ...] = ()

    @property
    def leaves(self) -> tuple[Fact, ...]:
        """The facts that the proof rests on, each once, background left out."""
        return tuple(
            dict.fromkeys(p.fact for _, p in self.walk() if p.kind in ("fact", "preserved"))
        )

    @property
    def steps(self) -> int:
        """How many times a rule is used."""
        return sum(p.kind == "step" for _, p in self.walk())

    def walk(self) -> Iterator[tuple[int, Proof]]:
        """Yield every node with its depth, a conclusion before its premises."""
        agenda: list[tuple[int, Proof]] = [(0, self)]
        while agenda:
            depth, node = agenda.pop()
            yield depth, node
            agenda += [(depth + 1, p) for p in reversed(node.premises)]

    def __str__(self) -> str:
        return "\n".join(
            "  " * depth + written(node.fact) + ("" if node.kind == "step" else f"  [{node.kind}]")
            for depth, node in self.walk()
        )

    def __repr__(self) -> str:
        return f"<proof of {written(self.fact)} in {self.steps} steps>"


@dataclass(frozen=True)
class Proofs(Sequence[Proof]):
    """Proof trees in the order of their steps; `complete` says whether these are all."""

    trees: tuple[Proof, ...]
    complete: bool

    def __len__(self) -> int:
        return len(self.trees)

    def __getitem__(self, at: int) -> Proof:  # type: ignore[override]
        return self.trees[at]


def shortest(
    graph: Graph, start: Mapping[int, Kind], goals: Collection[int] | None = None
) -> tuple[dict[int, int], dict[int, int]]:
    """Return for each fact that follows the least number of steps, and the instance that does it.

    Stops when all goals are settled, if there are any. Stated facts take no step.

    Source: Knuth 1977, "A generalization of Dijkstra's algorithm".
    """
    left = [len(body) for body in graph.bodies]
    cost: dict[int, int] = {}
    made: dict[int, int] = {}
    heap = [(0, -1, atom) for atom in sorted(start)]
    waiting = set(goals or ())
    while heap:
        steps, instance, atom = heapq.heappop(heap)
        if atom in cost:
            continue
        cost[atom] = steps
        if instance >= 0:
            made[atom] = instance
        waiting.discard(atom)
        if goals is not None and not waiting:
            break
        for k in graph.uses[atom]:
            left[k] -= 1
            if left[k] == 0 and graph.heads[k] not in cost:
                total = 1 + sum(cost[b] for b in graph.bodies[k])
                heapq.heappush(heap, (total, k, graph.heads[k]))
    return cost, made


def shortest_proof(
    graph: Graph, rules: Sequence[Rule], start: Mapping[int, Kind], goal: int
) -> Proof | None:
    """Return a proof with the fewest steps, or None where the goal does not follow."""
    cost, made = shortest(graph, start, [goal])
    if goal not in cost:
        return None
    needed = _needed(goal, lambda a: graph.bodies[made[a]] if a in made else ())
    built: dict[int, Proof] = {}
    for atom in sorted(needed, key=lambda a: (cost[a], a)):
        if atom in made:
            k = made[atom]
            above = tuple(built[b] for b in graph.bodies[k])
            built[atom] = Proof(graph.atoms[atom], "step", rules[graph.by[k]], above)
        else:
            built[atom] = Proof(graph.atoms[atom], start[atom])
    return built[goal]


def all_proofs(
    graph: Graph, rules: Sequence[Rule], start: Mapping[int, Kind], goal: int
) -> Iterator[Proof]:
    """Yield every proof in which no fact rests on itself, those with the fewest steps first."""
    least, _ = shortest(graph, start)
    if goal not in least:
        return
    tick = itertools.count()
    # an open proof: a bound on its steps, the facts still to prove with the path to each, and
    # what was chosen so far, both as linked lists
    heap: list[tuple[int, int, _Todo | None, _Chosen | None]] = [
        (least[goal], next(tick), _Todo(_Path(goal, None), None), None)
    ]
    while heap:
        bound, _, todo, chosen = heapq.heappop(heap)
        if todo is None:
            yield _built(graph, rules, start, chosen)
            continue
        path, rest = todo
        atom = path.atom
        if atom in start:
            leaf = _Chosen(atom, -1, chosen)
            heapq.heappush(heap, (bound - least[atom], next(tick), rest, leaf))
        for k in graph.makes[atom]:
            body = graph.bodies[k]
            if all(b in least and not _on(b, path) for b in body):
                after = rest
                for b in reversed(body):
                    after = _Todo(_Path(b, path), after)
                total = bound - least[atom] + 1 + sum(least[b] for b in body)
                heapq.heappush(heap, (total, next(tick), after, _Chosen(atom, k, chosen)))


def _on(atom: int, path: _Path | None) -> bool:
    while path is not None:
        if path.atom == atom:
            return True
        path = path.below
    return False


def _needed(goal: int, premises: Callable[[int], Sequence[int]]) -> set[int]:
    found, agenda = {goal}, [goal]
    while agenda:
        for atom in premises(agenda.pop()):
            if atom not in found:
                found.add(atom)
                agenda.append(atom)
    return found


def _built(
    graph: Graph, rules: Sequence[Rule], start: Mapping[int, Kind], chosen: _Chosen | None
) -> Proof:
    """Return the proof whose choices were made in preorder: the last of them stands first."""
    stack: list[Proof] = []
    while chosen is not None:
        atom, k, chosen = chosen
        if k < 0:
            stack.append(Proof(graph.atoms[atom], start[atom]))
            continue
        many = len(graph.bodies[k])
        above = tuple(reversed(stack[-many:]))
        del stack[-many:]
        stack.append(Proof(graph.atoms[atom], "step", rules[graph.by[k]], above))
    return stack[0]
