"""A sequence model's answers: the bridge from a model that was taught statements to the auditor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .facts import Fact
from .interrogate import Answers, Reasoned, Reasons
from .statements import Statements


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
