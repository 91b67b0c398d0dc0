"""Relearning: whether what was forgotten comes back faster than it would to one who never knew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from unteach.core import BadInput, Table

from .facts import Fact, as_facts
from .interrogate import Answers

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
        raise BadInput("relearning takes facts to teach and other facts to hold back, at least "
                       "one of each")  # fmt: skip
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
