"""Proof trees as plain values, and back as branches of a page's figure."""

from __future__ import annotations

from typing import Any

from unteach.knowledge import Proof
from unteach.knowledge.pictures import branch
from unteach.report import Branch


def as_tree(proof: Proof, **marked: Any) -> dict[str, Any]:
    """Return a proof as plain values; see `unteach.knowledge.pictures.branch` for its marks."""
    return _plain(branch(proof, **marked))


def as_branch(tree: dict[str, Any]) -> Branch:
    """Return what `as_tree` made as a branch.

    >>> as_branch({"text": "a(x)", "kind": "stated", "note": "", "parts": []}).text
    'a(x)'
    """
    parts = tuple(as_branch(part) for part in tree["parts"])
    return Branch(tree["text"], tree["kind"], tree["note"], parts)


def _plain(node: Branch) -> dict[str, Any]:
    return {"text": node.text, "kind": node.kind, "note": node.note,
            "parts": [_plain(part) for part in node.parts]}  # fmt: skip
