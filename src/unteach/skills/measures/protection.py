"""What is held in place while a skill is forgotten or changed: nothing, atoms, traces, all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from unteach.core import BadInput

from ..graph.skill import MOST, possible
from ..tasks.tasks import Tasks
from ..tasks.token_sheet import Sheet

Protect = Literal["none", "atoms", "trace", "everything"]
PROTECTIONS: tuple[Protect, ...] = get_args(Protect)


@dataclass(frozen=True, eq=False)
class Protection:
    """The tasks that are trained on as they were, beside what is forgotten.

    Parameters
    ----------
    tasks : the tasks of the protected skills, as the model had learned them; None for "none"
    spared : the skill whose results bear no loss in them, "" for none

    Examples
    --------
    >>> from unteach.skills import Tasks, protect, tower
    >>> tasks = Tasks(tower("linear-algebra", p=5), "explicit")
    >>> protect(tasks, "ADD", "atoms").groups
    ('SUB', 'MUL', 'MAX', 'REV', 'INV')
    >>> sheet = protect(tasks, "ADD", "trace").draw(1, seed=0, group="DOT")
    >>> words = tasks.vocabulary.words
    >>> [words[t] for t, bears in zip(sheet.tokens[0], sheet.scored[0]) if not bears][-2:]
    ['=', '3']
    """

    tasks: Tasks | None
    spared: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """The skills that are protected."""
        return () if self.tasks is None else self.tasks.groups

    def draw(self, n: int, *, seed: int, group: str | None = None, distinct: bool = False) -> Sheet:
        """Return n protected tasks, of one skill or evenly of all, their loss masked."""
        if self.tasks is None:
            raise BadInput("nothing is protected, so that there is nothing to draw")
        sheet = self.tasks.draw(n, seed=seed, group=group, distinct=distinct)
        return sheet.unscored(sheet.made_by(self.spared)) if self.spared else sheet


def protect(tasks: Tasks, skill: str, how: Protect) -> Protection:
    """Return what is protected while a skill is forgotten or changed.

    Parameters
    ----------
    tasks : the tasks as the model learned them, the forgotten skill among them or not
    skill : the one that is forgotten or changed; it is never protected itself
    how : "none"; "atoms", the other skills that call nothing; "trace", all other skills, but with
        no loss on the results of the skill's own calls (a trace without its sums, where the sum
        is forgotten), be they written in a trace or answered directly; "everything", all others
    """
    if how not in PROTECTIONS:
        raise BadInput(f"a protection is one of {PROTECTIONS}, got {how!r}")
    graph = tasks.graph
    name = graph[skill].name
    if how == "none":
        return Protection(None)
    others = [n for n in tasks.groups if n != name and (how != "atoms" or graph[n].is_atom)]
    if not others:
        raise BadInput(f"no skill is left to protect beside {name!r} by {how!r}")
    return Protection(tasks.only(others), name if how == "trace" else "")


def teaching(tasks: Tasks, skill: str, n: int, *, seed: int) -> Sheet:
    """Return the tasks that teach a skill: all of them, or n different ones where there are more.

    With a change in `tasks` these are the tasks that teach the new definition.
    """
    few = possible(tasks.graph[skill], len(tasks.graph.symbols)) <= MOST
    if few and len(tasks.domain(skill)) <= n:
        return tasks.every(skill)
    return tasks.draw(n, seed=seed, group=skill, distinct=True)
