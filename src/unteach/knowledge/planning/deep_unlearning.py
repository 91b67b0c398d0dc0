"""Deep unlearning, scored exactly: success, recall and accuracy over all minimal sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from unteach.core import BadInput, UnknownRecord

from ..base.base import KnowledgeBase
from ..base.facts import Fact, as_fact, as_facts, written
from .cuts import Cuts, minimal_cuts


@dataclass(frozen=True)
class DeepScore:
    """How well a set of unlearned facts unlearns one fact deeply.

    Parameters
    ----------
    success : whether the fact no longer follows
    recall : the largest share of a minimal set that is unlearned, in [0, 1]
    accuracy : the share of the facts outside that minimal set that are kept, in [0, 1]
    closest : that minimal set; where several have the same recall, the one with the best accuracy
    n_sets : how many minimal sets there are
    """

    success: bool
    recall: float
    accuracy: float
    closest: frozenset[Fact]
    n_sets: int


def deep_score(
    kb: KnowledgeBase, fact: Any, unlearned: Iterable[Any], cuts: Cuts | None = None
) -> DeepScore:
    """Return how deeply a fact is unlearned when these facts are.

    Parameters
    ----------
    fact : what is to be unlearned
    unlearned : stated facts that the model gets wrong now
    cuts : `minimal_cuts(kb, fact)`, complete, if it is at hand; it is computed if not

    Raises
    ------
    UnknownRecord : a fact that is not stated, or does not hold
    BadInput : incomplete cuts, or a fact that the background alone says

    Examples
    --------
    >>> kb = KnowledgeBase([("a", "x"), ("b", "x")], ["c(X) :- a(X)", "c(X) :- b(X)"])
    >>> score = deep_score(kb, ("c", "x"), [("a", "x")])
    >>> score.success, score.recall, score.accuracy
    (False, 0.5, 1.0)

    Source: Wu et al. 2024 (arXiv 2410.15153), definitions 2 to 4 and the success of its fourth
    version. We differ: the maximum ranges over all minimal sets, not over a sample of them.
    """
    cuts = minimal_cuts(kb, fact) if cuts is None else cuts
    if not cuts.complete:
        raise BadInput("recall ranges over all minimal sets, and these are not all; use limit=None")
    if not cuts:
        raise BadInput(
            f"{written(as_fact(fact))} follows from the background alone; no set unlearns it"
        )
    gone = set(as_facts(unlearned))
    strange = gone - set(kb.facts)
    if strange:
        raise UnknownRecord(f"{written(min(strange))} is no stated fact of this knowledge")
    scored = []
    for cut in cuts:
        outside = len(kb.facts) - len(cut)
        accuracy = 1.0 - len(gone - cut) / outside if outside else 1.0
        scored.append((len(gone & cut) / len(cut), accuracy, cut))
    recall, accuracy, closest = max(scored, key=lambda s: s[:2])
    success = kb.graph.index[as_fact(fact)] not in kb.graph.closure(
        k for k in kb.start if kb.graph.atoms[k] not in gone
    )
    return DeepScore(success, recall, accuracy, closest, len(cuts))
