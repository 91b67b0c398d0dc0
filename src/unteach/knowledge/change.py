"""A change of a skill's definition, as tasks show it: carried into what stands on it, or not."""

from __future__ import annotations

from dataclasses import dataclass

from .expression import expression
from .skill_graph import SkillGraph
from .skills import Truth


@dataclass(frozen=True)
class Change:
    """A skill that is defined otherwise.

    Parameters
    ----------
    skill : which
    truth : its new definition, from (n, inputs) to (n, outputs)
    follow : whether what stands on the skill follows: traces and answers are then computed with
        the new definition; otherwise they keep the old one, and only the skill itself is new
    text : the definition as written, for pages

    Examples
    --------
    >>> import numpy as np
    >>> from unteach.knowledge import Tasks, tower
    >>> g = tower("linear-algebra", p=5)
    >>> tasks = Tasks(g, "explicit")
    >>> for follow in (True, False):
    ...     new = tasks.changed(changed(g, "ADD", "(a + b + 1) % 5", follow=follow))
    ...     print(tasks.vocabulary.spell(new.of("AFF", np.array([[2, 2, 0]])).tokens[0]))
    AFF 2 2 0 = MUL 2 2 = 4 ADD 4 0 = 0 <end>
    AFF 2 2 0 = MUL 2 2 = 4 ADD 4 0 = 4 <end>
    """

    skill: str
    truth: Truth
    follow: bool = True
    text: str = ""


def changed(graph: SkillGraph, skill: str, rule: str, *, follow: bool = True) -> Change:
    """Return a change whose new definition is a rule over the skill's inputs.

    The rule is written as in a tower's file (`a * b + 1`, in numbers of symbols) and taken modulo
    the number of symbols, so that it always gives one.
    """
    new = expression(rule, graph[skill].inputs)
    size = len(graph.symbols)
    return Change(skill, lambda x: new(x) % size, follow, rule)
