"""The least removal when what stays must still be derived: answer-set solving.

Deciding whether there is one is NP-complete already: support must be founded in kept facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from unteach.core import BadInput

from .graph import Graph


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
        """Return the cheapest removal with its proved cost, or None where there is none."""
        with self.control.backend() as backend:
            backend.add_minimize(0, [(-lit, self.weights[a]) for a, lit in self.keep.items()])
        best: tuple[set[int], int] | None = None
        with self.control.solve(yield_=True) as search:
            for model in search:
                gone = {a for a, lit in self.keep.items() if not model.is_true(lit)}
                best = (gone, sum(self.weights[a] for a in gone))
                proved = bool(model.optimality_proven)
            if best is not None and not (proved or search.get().exhausted):
                raise RuntimeError("the solver stopped before it had proved its optimum")
        return best

    def clash(self, goals: Sequence[int]) -> list[int] | None:
        """Return goals that cannot hold together, or None where all of these can."""
        literal = {self.goals[a]: a for a in goals if a in self.goals}
        with self.control.solve(yield_=True, assumptions=list(literal)) as search:
            if search.get().satisfiable:
                return None
            return sorted(literal[lit] for lit in search.core() if lit in literal)

    def most(self, sure: Collection[int], prizes: Mapping[int, int]) -> list[int] | None:
        """Return the cheapest goals to give up so that the sure ones hold, or None."""
        offered = [(-self.goals[a], prizes[a]) for a in sorted(prizes) if a in self.goals]
        with self.control.backend() as backend:
            backend.add_minimize(0, offered)
        assumed = [self.goals[a] for a in sorted(sure) if a in self.goals]
        found: list[int] | None = None
        with self.control.solve(yield_=True, assumptions=assumed) as search:
            for model in search:
                found = [a for a in sorted(prizes)
                         if a in self.goals and not model.is_true(self.goals[a])]  # fmt: skip
        return found
