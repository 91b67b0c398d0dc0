"""Laws: sentences that can be run, and what is raised when one is broken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unteach.core import BadInput


class LawBroken(AssertionError):
    """One or more laws of the house do not hold; the message lists each with its evidence."""


class Skipped(Exception):
    """A law that does not apply to what is on the bench; the message says why."""


@dataclass(frozen=True)
class Law:
    """A law: its name, the sentence it states, and the function that tries to break it."""

    name: str
    sentence: str
    attempt: Callable[[Any], None]

    def __call__(self, bench: Any) -> None:
        """Run the law; raises `LawBroken` with the evidence."""
        self.attempt(bench)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Outcome:
    """What became of one law: held, broken, or expected to be broken for a stated reason.

    A law that could not be tried counts as held, and its evidence says "not compared".
    """

    law: str
    held: bool
    evidence: str = ""
    reason: str = ""


def law(function: Callable[[Any], None]) -> Law:
    """Make a law of a function: its name is the law's, its docstring the sentence."""
    sentence = (function.__doc__ or "").strip().split("\n")[0]
    return Law(function.__name__, sentence, function)


def demand(holds: bool, evidence: str) -> None:
    """Raise `LawBroken` with the evidence unless it holds."""
    if not holds:
        raise LawBroken(evidence)


def attempt(one: Law, bench: Any) -> str | None:
    """Return the evidence that a law does not hold, or None; what else it raises is evidence too.

    >>> @law
    ... def divides(bench):
    ...     "One can be divided by it."
    ...     1 / bench
    >>> attempt(divides, 2), attempt(divides, 0)
    (None, 'It raised ZeroDivisionError: division by zero')
    """
    try:
        one(bench)
    except Skipped:
        raise
    except LawBroken as error:
        return str(error)
    # what is on the bench is foreign code: whatever it raises tells of it, and must not keep
    # the laws after this one from being tried
    except Exception as error:  # noqa: BLE001
        return f"It raised {type(error).__name__}: {error}"
    return None


def run_laws(
    subject: str, bench: Any, laws: Iterable[Law], expected: Mapping[str, str] | None = None
) -> tuple[Outcome, ...]:
    """Run laws one by one; raise `LawBroken` listing all that do not hold.

    `expected` names laws that are known not to hold, each with its reason. A law that holds
    although it was expected not to is an error too, so that no excuse outlives its cause.
    """
    expected = dict(expected or {})
    laws = list(laws)
    strange = set(expected) - {one.name for one in laws}
    if strange:
        raise BadInput(f"expected failures name no law of this suite: {sorted(strange)}")
    outcomes, broken = [], []
    for one in laws:
        try:
            evidence = attempt(one, bench)
        except Skipped as why:
            outcomes.append(Outcome(one.name, True, str(why)))
            continue
        if evidence is not None:
            outcomes.append(Outcome(one.name, False, evidence, expected.get(one.name, "")))
            if one.name not in expected:
                broken.append(f"{one.name}: {one.sentence} {evidence}")
        else:
            outcomes.append(Outcome(one.name, True))
            if one.name in expected:
                broken.append(f"{one.name} holds, although it was expected not to; drop the excuse")
    if broken:
        raise LawBroken(
            f"{subject} breaks {len(broken)} of {len(laws)} laws:\n" + "\n".join(broken)
        )
    return tuple(outcomes)


def broken_by(bench: Any, laws: Iterable[Law]) -> list[str]:
    """Return the names of the laws that do not hold; how the suite itself is tested."""
    names = []
    for one in laws:
        with contextlib.suppress(Skipped):
            if attempt(one, bench) is not None:
                names.append(one.name)
    return names
