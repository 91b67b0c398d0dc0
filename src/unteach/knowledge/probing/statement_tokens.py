"""Statements as tokens: a fact asked for directly, or reached by a trace that prints its steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows
from unteach.data import sequences

from ..base.base import KnowledgeBase
from ..base.facts import Fact, as_facts, written
from ..base.proofs import Proof
from .interrogate import Answers, Reasoned, Reasons

PROMPT = 3  # tokens of a question: how it is asked, subject, predicate


class Statements:
    """The language in which a sequence model is taught facts and asked for them.

    A question is (mark, subject, predicate). Asked directly, the object follows and the end.
    Asked to reason, the steps follow, each as subject, predicate and object, then the object
    that is asked for, and the end. Names come first in the vocabulary, so that a token below
    `names` is a name.

    Parameters
    ----------
    kb : all of whose facts have two arguments; it says which names and predicates there are

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["pgf(X, Z) :- father(X, Y), father(Y, Z)"])
    >>> say = Statements(kb)
    >>> say.direct([("father", "ann", "bob")]).x.tolist()
    [[5, 0, 3, 1, 7]]
    >>> rows = say.reasoned([kb.proofs(("pgf", "ann", "carl"))[0]])
    >>> say.words(rows.x[0])
    ['think', 'ann', 'pgf', 'ann', 'father', 'bob', 'bob', 'father', 'carl', 'carl', 'end']
    """

    def __init__(self, kb: KnowledgeBase) -> None:
        facts = sorted(kb.closure())
        strange = [f for f in facts if len(f) != 3]
        if strange:
            raise BadInput(
                f"{written(strange[0])} has {len(strange[0]) - 1} arguments; statements have a "
                "subject and an object. Keep other facts in the rules, or leave them out"
            )
        self.people = tuple(sorted({n for f in facts for n in f[1:]}))
        self.predicates = tuple(sorted({f[0] for f in facts}))
        marks = ("ask", "think", "end")
        self._word = (*self.people, *self.predicates, *marks)
        n, p = len(self.people), len(self.predicates)
        self._name = {name: k for k, name in enumerate(self.people)}
        self._predicate = {name: n + k for k, name in enumerate(self.predicates)}
        self.ask, self.think, self.end = range(n + p, n + p + 3)

    @property
    def names(self) -> int:
        """How many names there are; they are the tokens 0 to names - 1."""
        return len(self.people)

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return len(self._word)

    def words(self, tokens: Iterable[int]) -> list[str]:
        """Return tokens as text, padding left out."""
        return [self._word[int(t)] for t in tokens if t >= 0]

    def object_of(self, fact: Fact) -> int:
        """Return the token of a fact's object."""
        return self._name[fact[2]]

    def prompts(self, facts: Iterable[Any], *, think: bool = False) -> NDArray[np.int64]:
        """Return the questions that these facts answer: (n, 3)."""
        return np.array(
            [self._question(f, think) for f in as_facts(facts)], dtype=np.int64
        ).reshape(-1, PROMPT)

    def direct(self, facts: Iterable[Any], *, objects_only: bool = False) -> Rows:
        """Return facts as sequences without a trace; all after the question is predicted.

        With `objects_only`, only the object is: what a method that forgets works on.
        """
        named = as_facts(facts)
        tokens = [[*self._question(f, False), self.object_of(f), self.end] for f in named]
        return self._rows(tokens, [[PROMPT]] * len(tokens) if objects_only else None)

    def reasoned(self, proofs: Sequence[Proof], *, objects_only: bool = False) -> Rows:
        """Return conclusions as sequences with their traces: the premises of each last step.

        With `objects_only`, only the steps' objects and the answer are to be predicted.
        """
        tokens, places = [], []
        for proof in proofs:
            if not proof.premises:
                raise BadInput(f"{written(proof.fact)} is stated, and has no step to print")
            line = self._question(proof.fact, True)
            # the step that starts at the question's subject comes first
            steps = sorted(proof.premises, key=lambda p: p.fact[1:2] != proof.fact[1:2])
            for step in steps:
                predicate, subject, _ = step.fact
                line += [self._name[subject], self._predicate[predicate], self.object_of(step.fact)]
            many = len(proof.premises)
            tokens.append([*line, self.object_of(proof.fact), self.end])
            places.append([*(PROMPT + 3 * k + 2 for k in range(many)), PROMPT + 3 * many])
        return self._rows(tokens, places if objects_only else None)

    def printed(self, tokens: Iterable[int]) -> tuple[tuple[Fact, ...], str | None]:
        """Return the statements that a continuation prints, and the name it ends with, if any."""
        said = [int(t) for t in tokens if t >= 0]
        if self.end in said:
            said = said[: said.index(self.end)]
        last = said[-1] if said and len(said) % 3 == 1 and said[-1] < self.names else None
        steps = []
        for k in range(0, len(said) - 2, 3):
            subject, predicate, object_ = said[k : k + 3]
            is_predicate = self.names <= predicate < self.ask
            if subject < self.names and is_predicate and object_ < self.names:
                steps.append((self._word[predicate], self._word[subject], self._word[object_]))
        return tuple(steps), None if last is None else self._word[last]

    def _question(self, fact: Fact, think: bool) -> list[int]:
        if len(fact) != 3 or fact[0] not in self._predicate or not set(fact[1:]) <= set(self._name):
            raise BadInput(
                f"{written(fact)} cannot be said: it has a name or predicate that "
                "this language lacks"
            )
        return [self.think if think else self.ask, self._name[fact[1]], self._predicate[fact[0]]]

    def _rows(self, tokens: list[list[int]], places: list[list[int]] | None) -> Rows:
        if places is None:
            return sequences(tokens, prompts=PROMPT)
        scored = [
            [k in at for k in range(len(line))] for line, at in zip(tokens, places, strict=True)
        ]
        return sequences(tokens, scored=[np.array(s, dtype=np.int64) for s in scored])


# A sequence model's answers: the bridge from a model that was taught statements to the auditor.


def direct_answers(model: Any, say: Statements) -> Answers:
    """Return the answers of a sequence model that is asked without a trace.

    The probability of a statement is that of its object as the next token after the question.

    Parameters
    ----------
    model : has `predict_proba(prompts)`, such as `unteach.models.SequenceModel`
    """

    def answers(facts: Sequence[Fact]) -> list[float]:
        if not facts:
            return []
        probability = model.predict_proba(say.prompts(facts))  # (n, v)
        objects = [say.object_of(fact) for fact in facts]
        return [float(p) for p in probability[np.arange(len(facts)), objects]]

    return answers


def printed_reasons(model: Any, say: Statements) -> Reasons:
    """Return what a sequence model prints when it is asked to reason, decoded greedily.

    Parameters
    ----------
    model : has `predict(prompts)`, which continues them
    """

    def reasons(facts: Sequence[Fact]) -> list[Reasoned]:
        if not facts:
            return []
        found = []
        said = model.predict(say.prompts(facts, think=True))  # (n, t)
        for fact, tokens in zip(facts, said, strict=True):
            printed, name = say.printed(tokens)
            found.append(Reasoned(None if name is None else (fact[0], fact[1], name), printed))
        return found

    return reasons
