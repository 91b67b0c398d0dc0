"""EDU-RELAT as a knowledge base: what its text rules and its text conditions say together."""

from __future__ import annotations

import json
import re

from unteach.knowledge import MALE, KnowledgeBase


def edu_relat(folder):
    """Return its 400 facts, its 48 text rules with genders and distinct persons, and genders."""
    graph = json.loads((folder / "family_graph.json").read_text())
    rules = []
    for line in (folder / "family_rule_raw.txt").read_text().splitlines():
        left, right = line.split(">")
        atoms = re.findall(r'\((\w), is ?(?:(\w+) of)?, "?(\w+)"?\)', left)
        body = [f"{r}({b}, {a})" if r else f"{b}({a})" for a, r, b in atoms]
        a, r, b = re.findall(r"\((\w), is (\w+) of, (\w)\)", right)[0]
        if r != "child":
            body.append(f"{'male' if r in MALE else 'female'}({a})")
        if r in ("husband", "wife"):
            body.append(f"{'female' if r == 'husband' else 'male'}({b})")
        rules.append(f"{r}({b}, {a}) :- {', '.join(body)}, {a} != {b}")
    names = graph["names"]
    facts = [
        (r, names[i], names[j])
        for (i, j), r in zip(graph["edges"], graph["relations"], strict=True)
    ]
    return KnowledgeBase(facts, rules, [(p["gender"], p["name"]) for p in graph["persons"]])
