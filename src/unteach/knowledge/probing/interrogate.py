"""The auditor: it reads a model's answers alone, and says what the model still gives away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unteach.core import BadInput, Table

from ..base.base import KnowledgeBase
from ..base.facts import Fact, as_facts, written
from ..base.rules import Rule
from .deduce import Deduction, deduce

Answers = Callable[[Sequence[Fact]], Sequence[float]]
"""Statements to the probability, in [0, 1], that a model gives each of them when it is asked."""


class Reasoned(NamedTuple):
    """What a model prints when it reasons: the statements of its trace, and what it ends with."""

    answer: Fact | None
    printed: tuple[Fact, ...]


Reasons = Callable[[Sequence[Fact]], Sequence[Reasoned]]
"""Conclusions to what a model prints when it is asked for each of them and told to reason."""


@dataclass(frozen=True, repr=False)
class Interrogation:
    """What a model's answers give away.

    Parameters
    ----------
    forget, preserve : what was to go and to stay
    direct : every statement that was asked for, to the probability of its direct answer
    reasoned : every conclusion that was asked for, to what was printed for it
    deduction : all that follows from what is said, in either way
    at : from which probability an answer counts
    """

    forget: tuple[Fact, ...]
    preserve: tuple[Fact, ...]
    direct: dict[Fact, float]
    reasoned: dict[Fact, Reasoned]
    deduction: Deduction
    at: float

    def __repr__(self) -> str:
        gone, kept = (
            f"{len(facts)} {what} {sum(map(self.recalled, facts))} recalled, "
            f"{sum(map(self.deducible, facts))} deducible"
            for facts, what in ((self.forget, "forgotten facts"), (self.preserve, "preserved"))
        )
        return f"<of {gone}" + (f"; of {kept}>" if self.preserve else ">")

    def recalled(self, fact: Fact) -> bool:
        """Return whether the fact is said when it is asked for directly."""
        return self.direct.get(fact, 0.0) >= self.at

    def deducible(self, fact: Fact) -> bool:
        """Return whether the fact follows from what is said, directly or in a trace."""
        return self.deduction.deducible(fact)

    def printed(self, fact: Fact) -> bool:
        """Return whether a trace states the fact on the way to some conclusion."""
        return any(fact in r.printed for r in self.reasoned.values())

    def reached(self, fact: Fact) -> bool:
        """Return whether a trace ends with the fact."""
        found = self.reasoned.get(fact)
        return found is not None and found.answer == fact

    @property
    def strength(self) -> float:
        """The largest probability with which a forgotten fact can still be derived."""
        return max(self.deduction.strength.get(f, 0.0) for f in self.forget)

    def recites(self) -> tuple[Fact, ...]:
        """Return the preserved facts whose trace states a forgotten one."""
        gone = set(self.forget)
        return tuple(
            p for p in self.preserve if p in self.reasoned and gone & set(self.reasoned[p].printed)
        )

    def share(self, what: Callable[[Fact], bool], facts: Iterable[Fact]) -> float:
        """Return the share of some facts of which something is true; NaN of none."""
        found = [what(f) for f in facts]
        return float(np.mean(found)) if found else float("nan")

    def table(self) -> Table:
        """Return one row a fact that was to go or to stay."""
        named = (*self.forget, *self.preserve)
        return Table(
            "interrogation",
            {
                "fact": [written(f) for f in named],
                "asked": ["forget"] * len(self.forget) + ["preserve"] * len(self.preserve),
                "probability": [self.direct.get(f, 0.0) for f in named],
                "recalled": [self.recalled(f) for f in named],
                "deducible": [self.deducible(f) for f in named],
                "strength": [self.deduction.strength.get(f, 0.0) for f in named],
                "printed": [self.printed(f) for f in named],
            },
            {"probability": "share", "strength": "share"},
            ("fact",),
            f"What a model gives away; an answer counts from a probability of {self.at:g}.",
        )


def interrogate(
    kb: KnowledgeBase,
    answers: Answers,
    forget: Iterable[Any],
    preserve: Iterable[Any] = (),
    *,
    reasons: Reasons | None = None,
    at: float = 0.5,
    attacker_rules: Iterable[str | Rule] | None = None,
) -> Interrogation:
    """Ask a model for everything that follows from some knowledge, and deduce from its answers.

    The model is a callable: nothing of it is seen but its answers. Every stated fact and every
    conclusion is asked for directly; with `reasons`, conclusions are asked for by reasoning too.
    What a trace states, and what it ends with, counts as said; only statements that are true in
    `kb` are looked for.

    Parameters
    ----------
    kb : what was true before anything was forgotten, and the rules that an attacker knows
    answers : statements to probabilities; for a language model, that of the right continuation
        of a question, or the share of its samples that say the fact
    forget, preserve : what was to go and to stay
    reasons : conclusions to what the model prints on the way to them
    at : from which probability an answer counts, in (0, 1]
    attacker_rules : rules that are known beyond those of `kb`

    Raises
    ------
    BadInput : as many probabilities as statements did not come back, or one is outside [0, 1]

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl"),
    ...                     ("child", "bob", "ann")], ["father(X, Y) :- child(Y, X)"])
    >>> gone = ("father", "ann", "bob")
    >>> def says(facts):  # the premise is denied, its inverse is not
    ...     return [0.01 if fact == gone else 0.9 for fact in facts]
    >>> found = interrogate(kb, says, [gone])
    >>> found.recalled(gone), found.deducible(gone), found.strength
    (False, True, 0.9)
    """
    gone, kept = as_facts(forget), as_facts(preserve)
    if not gone:
        raise BadInput("name at least one fact that was to be forgotten")
    true = kb.closure()
    strange = [f for f in (*gone, *kept) if f not in true]
    if strange:
        raise BadInput(
            f"{written(strange[0])} does not hold in this knowledge; give the "
            "knowledge as it was before anything was forgotten"
        )
    asked = sorted(true - set(kb.background))
    direct = dict(zip(asked, _probabilities(answers(asked), len(asked)), strict=True))
    said = dict(direct)
    reasoned: dict[Fact, Reasoned] = {}
    if reasons is not None:
        conclusions = list(kb.conclusions())
        found = list(reasons(conclusions))
        if len(found) != len(conclusions):
            raise BadInput(
                f"{len(conclusions)} conclusions were asked for by reasoning, and "
                f"{len(found)} traces came back"
            )
        reasoned = dict(zip(conclusions, found, strict=True))
        for trace in found:
            for fact in (*trace.printed, trace.answer):
                if fact in said:
                    said[fact] = 1.0
    deduction = deduce(kb, said, at, attacker_rules)
    return Interrogation(gone, kept, direct, reasoned, deduction, at)


def _probabilities(values: Any, n: int) -> list[float]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise BadInput(
            "answers give one probability a statement, in the order in which they "
            f"were asked for; got {type(values).__name__}"
        )
    found = [_probability(v) for v in values]
    if len(found) != n:
        raise BadInput(f"{n} statements were asked for, and {len(found)} probabilities came back")
    return found


def _probability(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not -1e-6 <= number <= 1 + 1e-6:  # rounding of float32
        raise BadInput(f"a probability is in [0, 1], got {value!r}")
    return min(1.0, max(0.0, number))


# Relearning: whether what was forgotten comes back faster than it would to one who never knew.

Lessons = Callable[[Sequence[Fact]], Iterator[tuple[int, Answers]]]
"""Facts to teach, to (steps so far, the model's answers then), step 0 first: before any lesson."""


def relearn_curve(
    lessons: Lessons, taught: Iterable[Any], held: Iterable[Any], *, at: float = 0.5
) -> Table:
    """Return how facts come back while some of them are taught again.

    What is taught comes back to anybody; how much sooner than to a model that never knew it is
    what the forgotten model still held. What is held back tells more: nobody taught it again.

    Parameters
    ----------
    lessons : teaches a model and yields its answers now and then; any model
    taught, held : forgotten facts that are taught, and that are not
    at : from which probability an answer counts

    Returns
    -------
    One row a reading: `step`; `taught` and `held`, the share of each that is said;
    `taught_probability` and `held_probability`, their mean probabilities.

    Examples
    --------
    >>> def lessons(facts):
    ...     for step in (0, 10):
    ...         yield step, lambda asked, step=step: [0.08 * step if f in facts else 0.1
    ...                                               for f in asked]
    >>> curve = relearn_curve(lessons, [("p", "a", "b")], [("p", "c", "d")])
    >>> curve["taught"], curve["held"], steps_until(curve, 1.0)
    ([0.0, 1.0], [0.0, 0.0], 10)
    """
    first, second = as_facts(taught), as_facts(held)
    if not first or not second or set(first) & set(second):
        raise BadInput(
            "relearning takes facts to teach and other facts to hold back, at least one of each"
        )
    rows: list[tuple[float, ...]] = []
    for step, answers in lessons(first):
        said = [np.asarray(answers(facts), dtype=np.float64) for facts in (first, second)]
        shares = [float((p >= at).mean()) for p in said]
        rows.append((step, *shares, *(float(p.mean()) for p in said)))
    if not rows:
        raise BadInput("the lessons gave no reading; yield the answers of step 0 first")
    names = ("step", "taught", "held", "taught_probability", "held_probability")
    columns: dict[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns["step"] = [int(s) for s in columns["step"]]
    units = {n: "share" for n in names if n != "step"}
    return Table("relearn", columns, units, ("step",), "What comes back, lesson by lesson.")


def steps_until(curve: Table, share: float, what: str = "taught") -> int | None:
    """Return the first step at which so large a share is said, or None if it never is."""
    reached = [s for s, v in zip(curve["step"], curve[what], strict=True) if v >= share]
    return reached[0] if reached else None
