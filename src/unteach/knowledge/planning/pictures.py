"""Plans and proofs as pictures: trees for a report, and Graphviz."""

from __future__ import annotations

import json
from collections.abc import Collection

from unteach.report import Branch, Tree

from ..base.base import KnowledgeBase
from ..base.facts import Fact, written
from ..base.proofs import Proof
from .plan_result import Plan

_LEAVES = {"fact": "stated", "background": "known", "preserved": "kept"}
_MOST = 60  # nodes of one tree; a longer proof is cut, and says so


def branch(
    proof: Proof,
    *,
    forgotten: Collection[Fact] = (),
    removed: Collection[Fact] = (),
    kept: Collection[Fact] = (),
    leaks: bool = True,
) -> Branch:
    """Return a proof as a branch of a report's tree.

    Parameters
    ----------
    forgotten : facts that were to be forgotten; they are marked as leaks, or as safe
    removed, kept : facts that are removed, and that are preserved
    leaks : whether the forgotten ones follow

    Examples
    --------
    >>> kb = KnowledgeBase([("a", "x")], ["b(X) :- a(X)"])
    >>> branch(kb.proofs(("b", "x"))[0], kept=[("b", "x")]).kind
    'kept'
    """
    nodes = [node for _, node in proof.walk()]
    shown = nodes[:_MOST]
    built: dict[int, Branch] = {}
    for node in reversed(shown):
        kind = _LEAVES.get(node.kind, "step")
        if node.fact in forgotten:
            kind = "leak" if leaks else "safe"
        elif node.fact in removed:
            kind = "gone"
        elif node.fact in kept:
            kind = "kept"
        parts = tuple(built[id(p)] for p in node.premises if id(p) in built)
        note = str(node.rule) if node.rule is not None else ""
        if len(parts) < len(node.premises):
            note = f"{len(node.premises) - len(parts)} premises are not shown"
        built[id(node)] = Branch(written(node.fact), kind, note, parts)
    return built[id(proof)]


def picture(kb: KnowledgeBase, found: Plan, most: int = 6) -> Tree:
    """Return what a plan does, or why there is none, as trees.

    An impossible request is its witness. A plan shows, for each forgotten fact, the shortest
    proof that it breaks; one that is stated and derived nowhere is a tree of one node.

    Parameters
    ----------
    most : at most so many forgotten facts are shown
    """
    if found.witness is not None:
        root = branch(
            found.witness.proof, forgotten=found.witness.forgotten, kept=found.witness.preserved
        )
        lost, kept = (
            ", ".join(map(written, some)).replace("{", "{{").replace("}", "}}")
            for some in (found.witness.forgotten, found.witness.preserved)
        )
        if found.mode == "base-only":
            return Tree((root,), f"Impossible unless promoted: {kept} cannot be had without {lost}")
        why = f"follows from {kept}" if kept else "follows from what everybody knows"
        return Tree((root,), f"Impossible: {lost} {why}")
    roots = []
    for fact in found.forget[:most]:
        proofs = kb.proofs(fact, 2) if fact in kb.closure() else ()
        shown = next((p for p in proofs if p.kind == "step"), None)
        if shown is None:
            roots.append(Branch(written(fact), "safe"))
        else:
            roots.append(
                branch(
                    shown,
                    forgotten=found.forget,
                    removed=found.remove,
                    kept=found.preserve,
                    leaks=False,
                )
            )
    more = len(found.forget) - most
    gone = len(found.remove)
    title = f"{gone} fact{' is' if gone == 1 else 's are'} removed"
    return Tree(tuple(roots), title + (f"; {more} more forgotten facts not shown" * (more > 0)))


def dot(tree: Tree) -> str:
    """Return trees in Graphviz's language; premises point to what follows from them.

    >>> print(dot(Tree((Branch("b(x)", "kept", "", (Branch("a(x)", "stated"),)),))))
    digraph unteach {
      rankdir=LR; node [shape=box, style=rounded, fontname="sans-serif"];
      n0 [label="b(x)", color="#0b5c9e"];
      n1 [label="a(x)"];
      n1 -> n0;
    }
    """
    looks = {
        "leak": ', color="#b03a08", penwidth=2',
        "kept": ', color="#0b5c9e"',
        "safe": ', color="#0b6b4f"',
        "gone": ', style="rounded,dashed", fontcolor="#777777"',
        "known": ', style="rounded,dotted"',
    }
    lines = [
        "digraph unteach {",
        '  rankdir=LR; node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    first = 0
    for root in tree.roots:
        count = 0
        for k, (_, node, above) in enumerate(root.walk(), first):
            label = json.dumps(node.text, ensure_ascii=False)
            lines.append(f"  n{k} [label={label}{looks.get(node.kind, '')}];")
            if above >= 0:
                lines.append(f"  n{k} -> n{first + above};")
            count += 1
        first += count
    return "\n".join([*lines, "}"])
