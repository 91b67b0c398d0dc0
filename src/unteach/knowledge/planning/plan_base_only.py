"""The least removal when what stays must still be derived: answer-set solving.

Deciding whether there is one is NP-complete already: support must be founded in kept facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from unteach.core import BadInput

from ..base.ground_graph import Graph

_MOST = 2**31 - 1  # clingo's weights have 32 bits
_DIGIT = 10**9


class BaseOnly:
    """An answer-set program: which base facts are kept, what follows, and what must and must not.

    Parameters
    ----------
    own : the rule instances that may support what stays
    attack : all rule instances, those of an attacker included; the same graph where there is none
    background : facts that hold in any case
    forget : what must not follow under `attack`
    preserve : what must follow under `own`
    weights : what the removal of each base fact costs
    soft : leave open which goals hold: they are then asked for as assumptions
    """

    def __init__(
        self,
        own: Graph,
        attack: Graph,
        background: Collection[int],
        forget: Collection[int],
        preserve: Collection[int],
        weights: Mapping[int, int],
        *,
        soft: bool = False,
    ) -> None:
        try:
            import clingo
        except ImportError as error:
            raise BadInput(
                "a plan without promotion needs clingo: pip install 'unteach[knowledge]'"
            ) from error
        self.weights = weights
        self.control = clingo.Control(["--warn=none", "--opt-strategy=usc,oll"])
        danger = attack.behind(forget)
        always = own.closure([*background, *(a for a in weights if a not in danger)])
        self.keep: dict[int, int] = {}
        self.goals: dict[int, int] = {}
        with self.control.backend() as backend:
            for atom in sorted(a for a in weights if a in danger):
                self.keep[atom] = backend.add_atom()
                backend.add_rule([self.keep[atom]], choice=True)
            if own is attack:
                region = danger | own.behind(a for a in preserve if a not in always)
                have = self._program(backend, own, region, always)
                reach = have
            else:
                region = own.behind(a for a in preserve if a not in always)
                have = self._program(backend, own, region, always)
                reach = self._program(backend, attack, danger, set(background))
            for atom in sorted(preserve):
                if atom not in always:
                    self._require(backend, atom, [-have[atom]], soft=soft)
            for atom in sorted(forget):
                self._require(backend, atom, [reach[atom]], soft=soft)

    def _program(
        self, backend: Any, graph: Graph, region: Iterable[int], true: Collection[int]
    ) -> dict[int, int]:
        """Add what follows within a region, and return the literal of each of its facts."""
        region = sorted(region)
        literal = {atom: backend.add_atom() for atom in region}
        for atom in region:
            if atom in true:
                backend.add_rule([literal[atom]])
                continue
            if atom in self.keep:
                backend.add_rule([literal[atom]], [self.keep[atom]])
            for k in graph.makes[atom]:
                body = [literal[b] for b in graph.bodies[k] if b in literal and b not in true]
                backend.add_rule([literal[atom]], body)
        return literal

    def _require(self, backend: Any, atom: int, fault: list[int], *, soft: bool) -> None:
        if soft:
            self.goals[atom] = backend.add_atom()
            backend.add_rule([self.goals[atom]], choice=True)
            fault = [self.goals[atom], *fault]
        backend.add_rule([], fault)

    def least(self) -> tuple[set[int], int] | None:
        """Return the cheapest removal and a proved lower bound on its cost, or None."""
        self._minimize({-lit: self.weights[a] for a, lit in self.keep.items()})
        gone: set[int] | None = None
        with self.control.solve(yield_=True) as search:
            for model in search:
                gone = {a for a, lit in self.keep.items() if not model.is_true(lit)}
                proved = bool(model.optimality_proven)
            if gone is not None and not (proved or search.get().exhausted):
                raise RuntimeError("the solver stopped before it had proved its optimum")
        if gone is None:
            return None
        n_digits = len(_digits([self.weights[a] for a in self.keep]))
        return gone, _bound([self.weights[a] for a in gone], n_digits)

    def _minimize(self, prices: Mapping[int, int]) -> None:
        """Minimize the prices of the literals that hold: exactly, or digit by digit if too big."""
        with self.control.backend() as backend:
            for level, row in enumerate(_digits(list(prices.values()))):
                backend.add_minimize(level, list(zip(prices, row, strict=True)))

    def clash(self, goals: Sequence[int]) -> list[int] | None:
        """Return goals that cannot hold together, or None where all of these can."""
        literal = {self.goals[a]: a for a in goals if a in self.goals}
        with self.control.solve(yield_=True, assumptions=list(literal)) as search:
            if search.get().satisfiable:
                return None
            return sorted(literal[lit] for lit in search.core() if lit in literal)

    def most(self, sure: Collection[int], prizes: Mapping[int, int]) -> list[int] | None:
        """Return the cheapest goals to give up so that the sure ones hold, or None."""
        self._minimize({-self.goals[a]: prizes[a] for a in sorted(prizes) if a in self.goals})
        assumed = [self.goals[a] for a in sorted(sure) if a in self.goals]
        found: list[int] | None = None
        with self.control.solve(yield_=True, assumptions=assumed) as search:
            for model in search:
                found = [
                    a
                    for a in sorted(prizes)
                    if a in self.goals and not model.is_true(self.goals[a])
                ]
        return found


def _digits(weights: list[int]) -> list[list[int]]:
    """Return the digits of weights, the lowest first: one row for each level of a minimum.

    >>> _digits([1, 7]), _digits([1, 5_000_000_002])
    ([[1, 7]], [[1, 2], [0, 5]])
    """
    if max(weights, default=0) <= _MOST:
        return [weights]
    rows = []
    while any(weights):
        rows.append([w % _DIGIT for w in weights])
        weights = [w // _DIGIT for w in weights]
    return rows


def _bound(weights: list[int], n_digits: int) -> int:
    """Return what any choice costs at least, where this one is least digit by digit.

    Another is dearer, or it is dearer in a digit's sum, by one at least, with the sums of the
    higher digits alike; what that saves in the lower ones, it can at most save whole.

    >>> _bound([2, 3], 1), _bound([5_000_000_002], 2), _bound([999_999_999] * 2, 2)
    (5, 5000000002, 1000000000)
    """
    bound = sum(weights)
    for level in range(1, n_digits):
        unit = _DIGIT**level
        bound = min(bound, sum(w // unit for w in weights) * unit + unit)
    return bound
