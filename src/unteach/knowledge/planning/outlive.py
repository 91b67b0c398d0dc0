"""Which conclusions can outlive their premises: the map of a knowledge base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unteach.core import BadInput, Progress, Table

from ..base.base import KnowledgeBase
from ..base.facts import Fact, as_fact, as_facts, written
from ..base.proofs import shortest_proof
from ..base.rules import Rule
from .plan import plan


def outlive(
    kb: KnowledgeBase,
    conclusions: Iterable[Any] | None = None,
    premises: Mapping[Any, Iterable[Any]] | None = None,
    attacker_rules: Iterable[str | Rule] | None = None,
    progress: Progress | None = None,
) -> Table:
    """Return for each conclusion whether it can be kept when its premises are forgotten.

    The premises are the facts that its shortest proof rests on, if none are given. The verdict
    is "base-only" (it still follows from facts that stay), "promotion" (it can be kept, stored
    as a fact of its own) or "impossible" (it entails a premise).

    Parameters
    ----------
    conclusions : facts that follow; if None, all that are not stated themselves and do not
        follow from the background alone
    premises : conclusion to the facts that are to be forgotten

    Returns
    -------
    One row a conclusion: `conclusion`, `predicate`, `premises`, `verdict`, `promotion`,
    `base_only`; `removed` and `alone` (facts that go with the conclusion kept by promotion, and
    without keeping it); `lost` (conclusions that fall, with promotion); `removed_base_only`;
    `collateral` (what goes or falls and was not asked for, with promotion); `because` (for the
    impossible ones, the premise that the conclusion entails).

    Examples
    --------
    >>> kb = KnowledgeBase([("father", "ann", "bob"), ("father", "bob", "carl")],
    ...                    ["grandfather(X, Z) :- father(X, Y), father(Y, Z)",
    ...                     "child(Y, X) :- father(X, Y)", "father(X, Y) :- child(Y, X)"])
    >>> table = outlive(kb)
    >>> list(zip(table["predicate"], table["verdict"]))
    [('grandfather', 'promotion'), ('child', 'impossible'), ('child', 'impossible')]
    """
    named = _all(kb) if conclusions is None else as_facts(conclusions)
    chosen = {as_fact(c): as_facts(f) for c, f in (premises or {}).items()}
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for k, conclusion in enumerate(named):
        if progress is not None:
            progress(k, len(named), "conclusions")
        row = _row(kb, conclusion, chosen.get(conclusion), attacker_rules)
        for name in _COLUMNS:
            columns[name].append(row[name])
    if progress is not None:
        progress(len(named), len(named), "conclusions")
    return Table(
        "outlive",
        columns,
        {},
        ("conclusion",),
        "Which conclusions can be kept when what they follow from is forgotten.",
    )


_COLUMNS = (
    "conclusion",
    "predicate",
    "premises",
    "verdict",
    "promotion",
    "base_only",
    "removed",
    "alone",
    "lost",
    "collateral",
    "removed_base_only",
    "because",
)


def _row(
    kb: KnowledgeBase,
    conclusion: Fact,
    given: tuple[Fact, ...] | None,
    attacker_rules: Iterable[str | Rule] | None,
) -> dict[str, Any]:
    forget = _leaves(kb, conclusion) if given is None else given
    if not forget:
        raise BadInput(
            f"{written(conclusion)} follows from the background alone and has no premise that "
            "could be forgotten; leave it out"
        )
    rules = None if attacker_rules is None else list(attacker_rules)
    best = plan(kb, forget, [conclusion], attacker_rules=rules)
    alone = plan(kb, forget, attacker_rules=rules)
    based = plan(kb, forget, [conclusion], promote=False, attacker_rules=rules)
    verdict = "base-only" if based.feasible else "promotion" if best.feasible else "impossible"
    return {
        "conclusion": written(conclusion),
        "predicate": conclusion[0],
        "premises": "; ".join(map(written, forget)),
        "verdict": verdict,
        "promotion": best.feasible,
        "base_only": based.feasible,
        "removed": len(best.remove) if best.feasible else None,
        "alone": len(alone.remove) if alone.feasible else None,
        "lost": len(best.lost) if best.feasible else None,
        "collateral": len(best.collateral) if best.feasible else None,
        "removed_base_only": len(based.remove) if based.feasible else None,
        "because": "; ".join(map(written, best.witness.forgotten)) if best.witness else None,
    }


def _all(kb: KnowledgeBase) -> tuple[Fact, ...]:
    """Return the conclusions that rest on some fact."""
    known = kb.graph.closure(k for k, kind in kb.start.items() if kind == "background")
    return tuple(c for c in kb.conclusions() if kb.graph.index[c] not in known)


def _leaves(kb: KnowledgeBase, conclusion: Fact) -> tuple[Fact, ...]:
    """Return what a shortest proof rests on; whether there are others is not asked."""
    found = shortest_proof(kb.graph, kb.rules, kb.start, kb.number(conclusion))
    return () if found is None else found.leaves
