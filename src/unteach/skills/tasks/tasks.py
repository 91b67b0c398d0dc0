"""Tasks: seeded instances of a tower's skills as token sequences, in one of four formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from unteach.core import BadInput

from ..graph.integer_formula import expression
from ..graph.programs import Array, Oracle, column
from ..graph.skill import Truth, identify
from ..graph.skill_graph import SkillGraph
from .formats import ROLES, Format, Layout, known, layout
from .skill_inputs import all_inputs, draw_inputs
from .token_sheet import Sheet, stacked
from .vocabulary import Vocabulary

# A change of a skill's definition, as tasks show it: carried into what stands on it, or not.


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
    >>> from unteach.skills import Tasks, tower
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


Continue = Callable[[Array], Array]
"""A model as its answers: from prompts (n, l) to continuations (n, any), tokens, -1 after the end;
`SequenceModel.predict` is one."""


@dataclass(frozen=True, eq=False)
class Tasks:
    """The tasks of a tower in a format; a source of records without end, one group a skill.

    Everything is a function of its arguments: the same seed gives the same tasks, and a task's id
    depends on its skill and its inputs alone, not on format, seed or change.

    Parameters
    ----------
    graph : the tower
    format : "direct", "implicit", "explicit" or "explicit-rope"
    change : a skill that is defined otherwise in these tasks, or None
    groups : the skills that may be drawn; all where none are given

    Examples
    --------
    >>> from unteach.skills import tower
    >>> tasks = Tasks(tower("linear-algebra", p=5), "explicit")
    >>> sheet = tasks.of("DOT", np.array([[1, 2, 3, 4]]))
    >>> tasks.vocabulary.spell(sheet.tokens[0])
    'DOT 1 2 3 4 = MUL 1 3 = 3 MUL 2 4 = 3 ADD 3 3 = 1 <end>'
    >>> len(tasks.every("ADD")), tasks.draw(3, seed=0, group="MM").tokens.shape
    (25, (3, 71))
    """

    graph: SkillGraph
    format: Format
    change: Change | None = None
    groups: tuple[str, ...] = ()
    vocabulary: Vocabulary = field(init=False)
    roles: tuple[str, ...] = field(init=False)
    _layouts: dict[str, Layout] = field(init=False, repr=False)
    _oracle: Oracle = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known(self.format)
        chosen = [self.graph[name].name for name in self.groups or self.graph.names]
        ordered = tuple(name for name in self.graph.names if name in chosen)
        object.__setattr__(self, "groups", ordered)
        object.__setattr__(self, "vocabulary", Vocabulary.of(self.graph))
        object.__setattr__(self, "roles", (*ROLES, *self.graph.names))
        object.__setattr__(
            self, "_layouts", {n: layout(self.graph, n, self.format) for n in self.graph.names}
        )
        object.__setattr__(
            self,
            "_oracle",
            self.graph.truth
            if self.change is None
            else self.graph.after({self.change.skill: self.change.truth}),
        )

    def layout(self, name: str) -> Layout:
        """Return how a skill's tasks are written."""
        return self._layouts[self.graph[name].name]

    @property
    def longest(self) -> int:
        """How many tokens the longest task has."""
        return max(len(self._layouts[name].slots) for name in self.groups)

    def without(self, groups: Iterable[str]) -> Tasks:
        """Return the tasks that are left when these skills are never drawn."""
        gone = {self.graph[name].name for name in groups}
        left = tuple(name for name in self.groups if name not in gone)
        if not left:
            raise BadInput("no skill is left to draw from")
        return replace(self, groups=left)

    def only(self, groups: Iterable[str]) -> Tasks:
        """Return the tasks of these skills alone."""
        return replace(self, groups=tuple(groups))

    def changed(self, change: Change | None) -> Tasks:
        """Return the same tasks in a world where a skill is defined otherwise; None undoes it."""
        return replace(self, change=change)

    def truth(self, name: str, inputs: Array) -> Array:
        """Return the right answers (n, outputs) of a skill, the change carried through or not."""
        change = self.change
        if change is None or change.follow or name == change.skill:
            return self._oracle(name, inputs)
        return self.graph.truth(name, inputs)

    def inputs(self, name: str, n: int, *, seed: int, distinct: bool = False) -> Array:
        """Return n inputs of a skill (n, k), drawn evenly from those where it is defined.

        Parameters
        ----------
        n : how many, at least 1
        distinct : draw without repeating; there must be so many
        """
        return draw_inputs(
            self.graph[name], len(self.graph.symbols), n, seed=seed, distinct=distinct
        )

    def domain(self, name: str) -> Array:
        """Return all inputs of a skill (n, k), where there are at most 2**23."""
        return all_inputs(self.graph[name], len(self.graph.symbols))

    def of(self, name: str, inputs: Array) -> Sheet:
        """Return the tasks of a skill with these inputs (n, k), written down."""
        plan = self.layout(name)
        inputs = np.asarray(inputs, dtype=np.int64)
        if inputs.ndim != 2 or inputs.shape[1] != len(self.graph[name].inputs):
            raise BadInput(
                f"{name} takes inputs (n, {len(self.graph[name].inputs)}), got shape {inputs.shape}"
            )
        follows = self.change is None or self.change.follow or name == self.change.skill
        oracle = self._oracle if follows else self.graph.truth
        answers = self.truth(name, inputs)
        written = any(s.role not in ROLES for s in plan.slots)
        held = (
            plan.program.values(inputs, oracle)
            if written
            else (dict(zip(plan.program.inputs, inputs.T, strict=True)))
        )
        n, width = len(inputs), len(plan.slots)
        tokens = np.empty((n, width), dtype=np.int64)
        for t, slot in enumerate(plan.slots):
            if slot.word is not None:
                tokens[:, t] = self.vocabulary.number(slot.word)
            elif slot.answer >= 0:
                tokens[:, t] = answers[:, slot.answer]
            elif slot.value is not None:
                tokens[:, t] = column(held, slot.value, n)
        numbers = {role: k for k, role in enumerate(self.roles)}
        makers = [numbers[s.maker] if s.maker else -1 for s in plan.slots]
        at = np.arange(width)

        def spread(row: Sequence[int] | Array) -> Array:
            return np.broadcast_to(np.asarray(row), (n, width))

        return Sheet(
            tokens=tokens,
            lengths=np.full(n, width),
            scored=spread(at >= plan.prompt),
            answers=spread([s.answer >= 0 for s in plan.slots]),
            roles=spread([numbers[s.role] for s in plan.slots]),
            makers=spread(makers),
            groups=np.full(n, name),
            ids=identify(self.graph[name], inputs, len(self.graph.symbols)),
            names=self.roles,
        )

    def every(self, name: str) -> Sheet:
        """Return all tasks of a skill, in the order of their inputs."""
        return self.of(name, self.domain(name))

    def draw(self, n: int, *, seed: int, group: str | None = None, distinct: bool = False) -> Sheet:
        """Return n tasks of one skill, or evenly of all: the groups of the first n mod skills get
        one more.

        Parameters
        ----------
        distinct : no task twice, so that the sheet can become records with permanent ids
        """
        names = self.groups if group is None else (group,)
        if group is not None and group not in self.groups:
            raise BadInput(f"no tasks of {group!r} are drawn here; there are {self.groups}")
        each, more = divmod(n, len(names))
        sheets = [
            self.of(name, self.inputs(name, each + (k < more), seed=seed, distinct=distinct))
            for k, name in enumerate(names)
            if each + (k < more)
        ]
        return stacked(sheets)

    def prompts(self, name: str, inputs: Array) -> Array:
        """Return the prompts of a skill with these inputs: (n, l) tokens."""
        plan = self.layout(name)
        whole = np.empty((len(inputs), plan.prompt), dtype=np.int64)
        whole[:, 0] = self.vocabulary.number(name)
        whole[:, 1:-1] = inputs
        whole[:, -1] = self.vocabulary.number("=")
        return whole

    def needed(self, name: str) -> int:
        """How many tokens after the prompt it takes to have said all answers of a skill.

        >>> from unteach.skills import tower
        >>> g = tower("linear-algebra", p=5)
        >>> [Tasks(g, f).needed("DOT") for f in ("direct", "implicit", "explicit")]
        [1, 3, 15]
        """
        plan = self.layout(name)
        return max(t for t, s in enumerate(plan.slots) if s.answer >= 0) + 1 - plan.prompt

    def read(self, name: str, continuations: Array) -> Array:
        """Return the answers in a model's continuations (n, t): (n, outputs), -1 for no symbol.

        An answer is read where the format puts it; a model that lost its way in the trace has
        something else there, or nothing.
        """
        plan = self.layout(name)
        found = np.full((len(continuations), self.graph[name].outputs), -1, dtype=np.int64)
        for t, slot in enumerate(plan.slots[plan.prompt :]):
            if slot.answer >= 0 and t < continuations.shape[1]:
                token = continuations[:, t]
                found[:, slot.answer] = np.where(token < len(self.graph.symbols), token, -1)
        return found

    def oracle(self, go_on: Continue, *, batch: int = 4096) -> Oracle:
        """Return a model as an oracle: it is prompted with tasks, and its answers are read.

        Parameters
        ----------
        go_on : the model's continuations of prompts
        batch : at most so many prompts at a time
        """

        def ask(name: str, inputs: Array) -> Array:
            parts = [
                self.read(name, np.asarray(go_on(self.prompts(name, inputs[k : k + batch]))))
                for k in range(0, len(inputs), batch)
            ]
            return np.concatenate(parts) if parts else self.read(name, np.zeros((0, 0), int))

        return ask
