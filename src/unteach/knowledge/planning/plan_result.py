"""A plan as a value: what to remove and to promote, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unteach.core import plain

from ..base.facts import Fact, written
from .ways_out import WayOut
from .witness import Witness

_SHOWN = 12
"""How many facts of one kind are printed."""


@dataclass(frozen=True, repr=False)
class Plan:
    """What to remove and what to promote, or why it is impossible.

    Parameters
    ----------
    feasible : whether the request can be met
    forget, preserve : what was asked
    mode : "promotion", or "base-only" where what stays must be derived from facts that stay
    remove : base facts to remove, at the least cost
    promote : preserved conclusions that must be stored as facts; none of them could be left out
    lost : every conclusion that no longer follows, the forgotten ones among them
    cost : the weights of what is removed; None where infeasible
    bound : the solver's lower bound on that cost
    optimal : whether cost and bound are equal
    witness : why it is infeasible; minimal
    ways_out : the cheapest changes that make it feasible
    seconds : what planning took

    Examples
    --------
    >>> from unteach.knowledge import KnowledgeBase, plan
    >>> kb = KnowledgeBase(facts=[("father", "ann", "bob"), ("father", "bob", "cy")],
    ...                    rules=["grandfather(X,Z) :- father(X,Y), father(Y,Z)"])
    >>> grandfather = ("grandfather", "ann", "cy")
    >>> print(plan(kb, forget=[("father", "ann", "bob")], preserve=[grandfather]))
    possible (promotion), at cost 1, and no way is cheaper
    remove   father(ann, bob)
    store    grandfather(ann, cy)
    >>> print(plan(kb, forget=[grandfather], preserve=kb.facts))
    impossible (promotion)
    kept     father(ann, bob), father(bob, cy)
    entails  grandfather(ann, cy)
    """

    feasible: bool
    forget: tuple[Fact, ...]
    preserve: tuple[Fact, ...]
    mode: Literal["promotion", "base-only"]
    remove: tuple[Fact, ...] = ()
    promote: tuple[Fact, ...] = ()
    lost: tuple[Fact, ...] = ()
    cost: float | None = None
    bound: float | None = None
    witness: Witness | None = None
    ways_out: tuple[WayOut, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        if self.feasible:
            least = "no way is cheaper" if self.optimal else f"at least {self.bound:g} is needed"
            head = f"possible ({self.mode}), at cost {self.cost:g}, and {least}"
            falls = [f for f in self.lost if f not in set(self.forget)]
            parts = [("remove", self.remove), ("store", self.promote), ("falls", falls)]
        else:
            head, why = f"impossible ({self.mode})", self.witness
            verb = "entails" if self.mode == "promotion" else "against"
            parts = [] if why is None else [("kept", why.preserved), (verb, why.forgotten)]
        return "\n".join([head, *(f"{label:8} {_some(facts)}" for label, facts in parts if facts)])

    __repr__ = __str__

    @property
    def optimal(self) -> bool:
        """Whether the cost is proved to be the least."""
        return self.feasible and self.cost == self.bound

    @property
    def collateral(self) -> tuple[Fact, ...]:
        """What is removed or lost and was not to be forgotten."""
        asked = set(self.forget)
        return tuple(f for f in (*self.remove, *self.lost) if f not in asked)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values; facts as lists, proofs and rules as text."""
        why = self.witness
        return {
            "feasible": self.feasible,
            "mode": self.mode,
            "forget": plain(self.forget),
            "preserve": plain(self.preserve),
            "remove": plain(self.remove),
            "promote": plain(self.promote),
            "lost": plain(self.lost),
            "collateral": plain(self.collateral),
            "cost": self.cost,
            "bound": self.bound,
            "optimal": self.optimal,
            "witness": None
            if why is None
            else {
                "preserved": plain(why.preserved),
                "forgotten": plain(why.forgotten),
                "proof": str(why.proof).splitlines(),
            },
            "ways_out": [
                {
                    "kind": w.kind,
                    "facts": plain(w.facts),
                    "rules": [str(r) for r in w.rules],
                    "cost": w.cost,
                }
                for w in self.ways_out
            ],
            "seconds": self.seconds,
        }


def _some(facts: Sequence[Fact]) -> str:
    more = f" and {len(facts) - _SHOWN} more" if len(facts) > _SHOWN else ""
    return ", ".join(map(written, facts[:_SHOWN])) + more
