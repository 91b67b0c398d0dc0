"""What a model is taught and what it is asked to forget: a family, a request and the exact plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unteach.core import BadInput, derive, stream
from unteach.knowledge import (
    Fact,
    KnowledgeBase,
    Plan,
    Proof,
    Statements,
    branch,
    lineages,
    plan,
    shortest_proof,
)
from unteach.report import Branch

# Proof trees as plain values, and back as branches of a page's figure.


def as_tree(proof: Proof, **marked: Any) -> dict[str, Any]:
    """Return a proof as plain values, marked as `unteach.knowledge.branch` does."""
    return _plain(branch(proof, **marked))


def as_branch(tree: dict[str, Any]) -> Branch:
    """Return what `as_tree` made as a branch.

    >>> as_branch({"text": "a(x)", "kind": "stated", "note": "", "parts": []}).text
    'a(x)'
    """
    parts = tuple(as_branch(part) for part in tree["parts"])
    return Branch(tree["text"], tree["kind"], tree["note"], parts)


def _plain(node: Branch) -> dict[str, Any]:
    return {
        "text": node.text,
        "kind": node.kind,
        "note": node.note,
        "parts": [_plain(part) for part in node.parts],
    }


ARMS = ("premises", "protected", "halfway", "planned")
ARM_LABELS = {
    "before": "before",
    "premises": "premises only",
    "protected": "premises only, conclusions protected",
    "halfway": "half of the plan",
    "planned": "by the plan",
    "never": "never taught (retrained)",
}
_DRAWS = 100
ALL_ARMS = ("before", *ARMS, "never")
FORMS = ("statements", "traces")
FORM_LABELS = {
    "statements": "stored conclusions",
    "traces": "reasoned conclusions",
}


@dataclass(frozen=True, eq=False)
class World:
    """A family with what is to be forgotten in it, and the exact plan for that.

    forget : premises, who the father of some people is · preserve : who the parents of those
    fathers are, which follows from the premises · plan : at the least cost, conclusions
    promoted · say : the language of the statements
    """

    kb: KnowledgeBase
    forget: tuple[Fact, ...]
    preserve: tuple[Fact, ...]
    plan: Plan
    say: Statements

    @property
    def conclusions(self) -> tuple[Fact, ...]:
        """Everything that is derived."""
        return self.kb.conclusions()

    def proofs(self, facts: tuple[Fact, ...]) -> list[Proof]:
        """Return a shortest proof of each of these conclusions."""
        kb = self.kb
        found = [shortest_proof(kb.graph, kb.rules, kb.start, kb.number(f)) for f in facts]
        return [p for p in found if p is not None]


def world(clans: int, share: float, seed: int) -> World:
    """Return the family of a seed, with a share of its fathers to forget, at least 3.

    Only those are asked for whose children have known grandparents through them; a family with
    fewer than 3 of them is drawn anew.
    """
    for again in range(_DRAWS):
        kb = lineages(clans, seed=derive(seed, "again", again) if again else seed)
        above = {c[1] for c in kb.conclusions() if c[0] in ("pgf", "pgm")}
        fathers = [f for f in kb.facts if f[0] == "father" and f[1] in above]
        if len(fathers) >= 3:
            break
    else:
        raise BadInput(f"{_DRAWS} families had too few grandparents; give more clans")
    order = stream(seed, "forget").permutation(len(fathers))
    chosen = sorted(order[: max(3, round(share * len(fathers)))].tolist())
    forget = tuple(fathers[k] for k in chosen)
    children = {f[1] for f in forget}
    preserve = tuple(c for c in kb.conclusions() if c[0] in ("pgf", "pgm") and c[1] in children)
    return World(kb, forget, preserve, plan(kb, forget, preserve), Statements(kb))
