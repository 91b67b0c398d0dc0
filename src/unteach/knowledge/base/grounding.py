"""Grounding: semi-naive evaluation over whole columns, every rule instance recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

from .facts import Fact
from .ground_graph import Graph
from .rules import Atom, Rule, Term, Var

# A relation as columns: sorted indexes that grow, and joins by binary search.

Ints: TypeAlias = NDArray[np.int64]


class Keys:
    """One whole number for each combination of values: packed where 63 bits hold it.

    >>> Keys(10).of([np.array([1, 2]), np.array([3, 3])]).tolist()
    [13, 23]
    """

    def __init__(self, values: int) -> None:
        self.values = max(values, 1)
        self.seen: dict[tuple[int, ...], int] = {}

    def of(self, columns: Sequence[Ints]) -> Ints:
        """Return a key for each row of these columns."""
        if self.values ** len(columns) < 2**63:
            keys = columns[0].astype(np.int64)
            for column in columns[1:]:
                keys = keys * self.values + column
            return keys
        rows = zip(*(c.tolist() for c in columns), strict=True)
        return np.array([self.seen.setdefault(row, len(self.seen)) for row in rows], dtype=np.int64)


class Relation:
    """The rows of one predicate; those from `old` on are new in this round."""

    def __init__(self, arity: int, keys: Keys) -> None:
        self.keys = keys
        self.rows: Ints = np.empty((0, arity), dtype=np.int64)
        self.numbers: Ints = np.empty(0, dtype=np.int64)
        self.old = 0
        self.sorted: dict[tuple[int, ...], tuple[Ints, Ints, int]] = {}

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def fresh(self) -> bool:
        """Whether there are new rows."""
        return self.old < self.size

    def column(self, place: int) -> Ints:
        """Return the values of one argument."""
        return self.rows[:, place]

    def settle(self) -> None:
        """Make what is new old, before what was just derived is added."""
        self.old = self.size

    def add(self, rows: Ints, numbers: Ints) -> None:
        """Add rows that are not there yet."""
        self.rows = np.concatenate([self.rows, rows])
        self.numbers = np.concatenate([self.numbers, numbers])

    def find(self, keys: Ints) -> Ints:
        """Return the numbers of the facts with these keys, -1 where there is none."""
        ordered, at = self._index(tuple(range(self.rows.shape[1])))
        found = np.full(len(keys), -1, dtype=np.int64)
        if len(ordered):
            place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
            same = ordered[place] == keys
            found[same] = self.numbers[at[place[same]]]
        return found

    def matches(
        self,
        places: Sequence[int],
        columns: Sequence[Ints],
        span: tuple[int, int],
        count: int,
        most: int,
    ) -> tuple[Ints | None, Ints]:
        """Return which of `count` bindings meets which row of a span: two columns of positions.

        The first is None where they would be more than `most`.
        """
        first, last = span
        if not places:
            many = last - first
            if many * count > most:
                return None, np.empty(0, dtype=np.int64)
            return np.repeat(np.arange(count), many), np.tile(np.arange(first, last), count)
        wanted = self.keys.of(columns)
        if last - first < min(count, self.size) // 8:  # few rows: look them up among the bindings
            own = self.keys.of([self.rows[first:last, p] for p in places])
            order = np.argsort(wanted, kind="stable")
            rows, found = _pairs(wanted[order], own, most)
            return (None, rows) if found is None else (order[found], first + rows)
        ordered, at = self._index(tuple(places))
        left, right = _pairs(ordered, wanted, most)
        if right is None:
            return None, left
        right = at[right]
        if (first, last) != (0, self.size):
            inside = (right >= first) & (right < last)
            left, right = left[inside], right[inside]
        return left, right

    def _index(self, places: tuple[int, ...]) -> tuple[Ints, Ints]:
        """Return the sorted keys of these arguments, and where each row stands; it grows."""
        empty = np.empty(0, dtype=np.int64)
        ordered, at, done = self.sorted.get(places, (empty, empty, 0))
        if done < self.size:
            keys = self.keys.of([self.rows[done:, p] for p in places])
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            into = np.searchsorted(ordered, keys, side="right")
            ordered, at = np.insert(ordered, into, keys), np.insert(at, into, order + done)
            self.sorted[places] = (ordered, at, self.size)
        return ordered, at


def _pairs(ordered: Ints, wanted: Ints, most: int) -> tuple[Ints, Ints | None]:
    """Return all pairs (position in wanted, position in ordered) of equal keys."""
    low = np.searchsorted(ordered, wanted, side="left")
    many = np.searchsorted(ordered, wanted, side="right") - low
    total = int(many.sum())
    if total > most:
        return np.empty(0, dtype=np.int64), None
    left = np.repeat(np.arange(len(wanted)), many)
    start = np.repeat(low - np.r_[0, np.cumsum(many)[:-1]], many) if len(many) else low
    return left, start + np.arange(total)


_MOST = 50_000_000  # rows that one join may hold at a time
Bound: TypeAlias = dict[Term, Ints]  # what each variable is, a value a row


def ground(facts: Sequence[Fact], rules: Sequence[Rule]) -> Graph:
    """Return the closure of the facts under the rules, with every rule instance in it.

    Semi-naive: in each round a rule is joined only where one of its atoms is new, atoms before it
    being older and atoms after it old or new, so that each instance is found once.

    Parameters
    ----------
    facts : distinct facts; they get the first numbers, in this order
    rules : safe rules; an instance names its rule by position

    Raises
    ------
    BadInput : a rule that joins what shares no variable into more than 50 million rows

    Source: Bancilhon and Ramakrishnan 1986, for semi-naive evaluation.
    """
    return _Grounding(facts, rules).run()


class _Grounding:
    def __init__(self, facts: Sequence[Fact], rules: Sequence[Rule]) -> None:
        self.rules = rules
        names = dict.fromkeys(name for fact in facts for name in fact[1:])
        for rule in rules:
            for atom in (*rule.body, rule.head):
                names |= dict.fromkeys(t for t in atom.terms if isinstance(t, str))
            names |= dict.fromkeys(t for pair in rule.distinct for t in pair if isinstance(t, str))
        self.names = list(names)
        self.code = {name: k for k, name in enumerate(self.names)}
        self.keys = Keys(len(self.names))
        self.atoms: list[Fact] = []
        self.relations: dict[str, Relation] = {}
        self.found: list[tuple[int, Ints, Ints]] = []
        rows: dict[str, list[list[int]]] = {}
        numbers: dict[str, list[int]] = {}
        for k, fact in enumerate(facts):
            rows.setdefault(fact[0], []).append([self.code[n] for n in fact[1:]])
            numbers.setdefault(fact[0], []).append(k)
            self.atoms.append(fact)
        for predicate, values in rows.items():
            columns = np.array(values, dtype=np.int64)
            self._relation(predicate, columns.shape[1]).add(columns, np.array(numbers[predicate]))

    def run(self) -> Graph:
        for rule in self.rules:
            for atom in (*rule.body, rule.head):
                self._relation(atom.predicate, len(atom.terms))
        while any(r.fresh for r in self.relations.values()):
            made: list[tuple[int, Ints, str, Ints]] = []
            for number, rule in enumerate(self.rules):
                for at, atom in enumerate(rule.body):
                    if self.relations[atom.predicate].fresh:
                        made += self._fire(number, rule, at)
            for relation in self.relations.values():
                relation.settle()
            for number, bodies, predicate, heads in made:
                self.found.append((number, bodies, self._numbers(predicate, heads)))
        return self._graph()

    def _fire(self, number: int, rule: Rule, at: int) -> list[tuple[int, Ints, str, Ints]]:
        """Return the instances whose atom at this place is new: their bodies and their heads."""
        bound: Bound = {}
        used: list[Ints] = []
        count = 1
        for place in _order(rule, at):
            atom = rule.body[place]
            relation = self.relations[atom.predicate]
            first = relation.old if place == at else 0
            last = relation.old if place < at else relation.size
            bound, used, count = self._join(rule, atom, relation, (first, last), bound, used, count)
            if count == 0:
                return []
        keep = np.ones(count, dtype=bool)
        for left, right in rule.distinct:
            keep &= self._value(left, bound, count) != self._value(right, bound, count)
        heads = np.stack([self._value(t, bound, count) for t in rule.head.terms], axis=1)[keep]
        bodies = np.stack(used, axis=1)[keep]
        return [(number, bodies, rule.head.predicate, heads)] if len(heads) else []

    def _value(self, term: Term, bound: Bound, count: int) -> Ints:
        if isinstance(term, Var):
            return bound[term]
        return np.full(count, self.code[term], dtype=np.int64)

    def _join(
        self,
        rule: Rule,
        atom: Atom,
        relation: Relation,
        span: tuple[int, int],
        bound: Bound,
        used: list[Ints],
        count: int,
    ) -> tuple[Bound, list[Ints], int]:
        """Return the bindings once this atom holds too."""
        fixed = [p for p, t in enumerate(atom.terms) if isinstance(t, str) or t in bound]
        columns = [self._value(atom.terms[p], bound, count) for p in fixed]
        left, right = relation.matches(fixed, columns, span, count, _MOST)
        if left is None:
            raise BadInput(
                f"rule '{rule}' joins more than {_MOST:,} rows at {atom}; let its atoms share "
                "variables, or split it"
            )
        keep = np.ones(len(right), dtype=bool)
        first: dict[Term, int] = {}
        for place, term in enumerate(atom.terms):
            if isinstance(term, Var) and term not in bound:
                if term in first:  # the same variable twice in one atom
                    keep &= relation.column(first[term])[right] == relation.column(place)[right]
                first.setdefault(term, place)
        if not keep.all():
            left, right = left[keep], right[keep]
        after = {term: values[left] for term, values in bound.items()}
        after |= {term: relation.column(place)[right] for term, place in first.items()}
        return after, [*(u[left] for u in used), relation.numbers[right]], len(right)

    def _numbers(self, predicate: str, heads: Ints) -> Ints:
        """Return the numbers of these facts, giving new ones to those not seen before."""
        relation = self.relations[predicate]
        keys, first, back = np.unique(
            self.keys.of(list(heads.T)), return_index=True, return_inverse=True
        )
        known = relation.find(keys)
        new = known < 0
        known[new] = len(self.atoms) + np.arange(int(new.sum()))
        added = heads[first[new]]
        if len(added):
            self.atoms += [(predicate, *(self.names[c] for c in row)) for row in added.tolist()]
            relation.add(added, known[new])
        numbers: Ints = known[back.reshape(-1)]
        return numbers

    def _relation(self, predicate: str, arity: int) -> Relation:
        if predicate not in self.relations:
            self.relations[predicate] = Relation(arity, self.keys)
        return self.relations[predicate]

    def _graph(self) -> Graph:
        """Return the instances, each once a rule, in the order of rule, body and head."""
        bodies: list[tuple[int, ...]] = []
        heads: list[int] = []
        by: list[int] = []
        for number in range(len(self.rules)):
            parts = [np.column_stack([b, h]) for k, b, h in self.found if k == number]
            if not parts:
                continue
            rows: NDArray[np.int64] = np.concatenate(parts)
            rows[:, :-1].sort(axis=1)
            rows = rows[(rows[:, :-1] != rows[:, -1:]).all(axis=1)]
            rows = rows[np.lexsort(rows.T[::-1])]
            if len(rows):
                rows = rows[np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)]]
            bodies += _tuples(rows[:, :-1])
            heads += rows[:, -1].tolist()
            by += [number] * len(rows)
        return Graph(tuple(self.atoms), bodies, heads, by)


def _tuples(rows: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
    if bool((rows[:, 1:] != rows[:, :-1]).all()):
        yield from map(tuple, rows.tolist())
        return
    for row in rows.tolist():
        yield tuple(dict.fromkeys(row))


def _order(rule: Rule, at: int) -> list[int]:
    """Return the order of joins: the new atom first, then whatever has most terms fixed."""
    order, bound = [at], set(rule.body[at].variables())
    rest = [k for k in range(len(rule.body)) if k != at]
    while rest:
        best = max(rest, key=lambda k: (_fixed(rule.body[k], bound), -k))
        rest.remove(best)
        order.append(best)
        bound |= rule.body[best].variables()
    return order


def _fixed(atom: Atom, bound: set[Var]) -> float:
    known = sum(isinstance(t, str) or t in bound for t in atom.terms)
    return known / len(atom.terms)
