"""Tasks without a model: the map of a family's conclusions, and what requests of any size cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import Table, derive, stream
from unteach.knowledge import (
    Fact,
    KnowledgeBase,
    Proof,
    families,
    outlive,
    parse_fact,
    plan,
    shortest_proof,
    written,
)

from .world import as_tree

VERDICTS = ("base-only", "promotion", "impossible")


def family(payload: dict[str, Any]) -> KnowledgeBase:
    """Return the family of a task."""
    return families(payload["facts"], seed=derive(payload["seed"], "kinship", payload["draw"]))


def proof_of(kb: KnowledgeBase, fact: Fact) -> Proof:
    """Return a shortest proof of something that holds."""
    found = shortest_proof(kb.graph, kb.rules, kb.start, kb.number(fact))
    if found is None:
        raise RuntimeError(f"{written(fact)} holds, and has no proof")
    return found


def map_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict on every conclusion of a family, and one example of each."""
    kb = family(payload)
    premises = {c: proof_of(kb, c).leaves for c in kb.conclusions()}
    premises = {c: f for c, f in premises.items() if f}
    table = outlive(kb, premises, premises)
    keep = ("predicate", "verdict", "removed", "alone", "lost", "collateral")
    found: dict[str, Any] = {"rows": [{k: r[k] for k in keep} for r in table.rows()]}
    if payload["draw"] == 0:
        found["examples"] = examples(kb, table)
    return found


def examples(kb: KnowledgeBase, table: Table) -> list[dict[str, Any]]:
    """Return a conclusion of each verdict as a tree; the one with the fewest premises."""
    wanted = {
        "base-only": ("brother", "sister"),
        "promotion": ("uncle", "aunt", "niece"),
        "impossible": ("son", "daughter"),
    }
    shown = []
    for verdict in VERDICTS:
        rows = list(table.where(verdict=verdict).rows())
        liked = [r for r in rows if r["predicate"] in wanted[verdict]] or rows
        if liked:
            row = min(liked, key=lambda r: r["premises"].count(";"))
            chosen = parse_fact(row["conclusion"])
            shown.append({"verdict": verdict, **example(kb, chosen, verdict)})
    return shown


def example(kb: KnowledgeBase, conclusion: Fact, verdict: str) -> dict[str, Any]:
    """Return what becomes of one conclusion whose premises go, as a tree with its words."""
    before = proof_of(kb, conclusion)
    gone = before.leaves
    found = plan(kb, gone, [conclusion], promote=verdict != "base-only")
    names = {
        "conclusion": written(conclusion),
        "premises": [written(f) for f in gone],
        "removed": [written(f) for f in found.remove],
        "ways": [],
    }
    if found.witness is not None:
        ways = [
            f"give up {', '.join(map(written, w.facts))}"
            if w.kind == "give up"
            else f"keep the rule {'; '.join(map(str, w.rules))} from whoever asks"
            for w in found.ways_out
        ]
        tree = as_tree(
            found.witness.proof, forgotten=found.witness.forgotten, kept=found.witness.preserved
        )
        return {**names, "tree": tree, "ways": ways}
    if verdict == "base-only":
        after = proof_of(kb.without(found.remove), conclusion)
        return {**names, "tree": as_tree(after, kept=[conclusion])}
    tree = as_tree(before, removed=[*gone, *found.remove], kept=[conclusion])
    return {**names, "tree": tree}


def price_task(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what random requests of growing size cost in one family.

    As many stated facts are to be forgotten as conclusions are to be kept.
    """
    kb = family(payload)
    conclusions = kb.conclusions()
    rows = []
    for size in payload["sizes"]:
        rng = stream(payload["seed"], "price", payload["draw"], size)
        for _ in range(payload["repeats"]):
            gone = _some(kb.facts, size, rng)
            kept = _some(conclusions, size, rng)
            alone = plan(kb, gone)
            both = plan(kb, gone, kept)
            based = plan(kb, gone, kept, promote=False)
            rows.append(
                {
                    "size": size,
                    "promotion": both.feasible,
                    "base-only": based.feasible,
                    "alone": len(alone.remove) / size if alone.feasible else None,
                    "lost": len(alone.lost) / size if alone.feasible else None,
                }
            )
    return rows


def theorem() -> list[dict[str, Any]]:
    """Return the smallest example of the theorem as trees: possible, and impossible."""
    facts = [("father", "ann", "bob"), ("father", "bob", "carl")]
    rules = [
        "grandfather(X, Z) :- father(X, Y), father(Y, Z)",
        "child(Y, X) :- father(X, Y)",
        "father(X, Y) :- child(Y, X)",
    ]
    kb = KnowledgeBase(facts, rules)
    shown = example(kb, ("grandfather", "ann", "carl"), "promotion")
    return [shown]


def _some(facts: tuple[Fact, ...], size: int, rng: np.random.Generator) -> list[Fact]:
    return [facts[k] for k in np.sort(rng.permutation(len(facts))[:size]).tolist()]
