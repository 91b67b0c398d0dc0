"""Looks: what the pages' style sheet says of an element, so that paper looks the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from unteach.core import BadInput

from ..sheet import styles

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PLAIN = re.compile(r"[\w.\- ]+")
_INHERITED = ("fill", "stroke", "stroke-width", "font-size", "font-weight", "text-anchor")

Element = tuple[str, tuple[str, ...]]  # its name and its classes


@dataclass(frozen=True)
class Rule:
    """A selector of names and classes, one within another, and what it declares."""

    path: tuple[tuple[str, tuple[str, ...]], ...]
    said: Mapping[str, str]

    def weight(self) -> tuple[int, int]:
        """Return how specific it is: its classes, its names."""
        return (sum(len(c) for _, c in self.path), sum(bool(n) for n, _ in self.path))

    def meets(self, trail: Sequence[Element]) -> bool:
        """Return whether it speaks of the last element of a trail."""
        if not _fits(self.path[-1], trail[-1]):
            return False
        at = 0
        for element in trail[:-1]:
            if at < len(self.path) - 1 and _fits(self.path[at], element):
                at += 1
        return at == len(self.path) - 1


@cache
def look(trail: tuple[Element, ...]) -> Mapping[str, str]:
    """Return what holds for the last element of a trail, in the light colours.

    >>> look((("svg", ("chart",)), ("line", ("grid",))))["stroke"]
    '#ebe9e3'
    """
    above = look(trail[:-1]) if len(trail) > 1 else {}
    found = {k: v for k, v in above.items() if k in _INHERITED or k.startswith("--")}
    for rule in sorted((r for r in rules() if r.meets(trail)), key=Rule.weight):
        found.update(rule.said)
    return {k: _resolved(v, found) for k, v in found.items()}


@cache
def colours() -> dict[str, str]:
    """Return the light colours of the pages by name, on white paper.

    >>> colours()["--s1"]
    '#0a65a8'
    """
    said: dict[str, str] = {}
    for body in re.findall(r":root \{([^}]*)\}", _outside_media(styles())):
        said |= _declared(body)
    if not said:
        raise BadInput("the style sheet names no colours")
    return {**said, "--paper": "#ffffff"}


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the style sheet that name elements and classes alone, media apart."""
    return tuple(_rules(_outside_media(re.sub(r"/\*.*?\*/", "", styles(), flags=re.DOTALL))))


def _rules(text: str) -> Iterator[Rule]:
    for selectors, body in _RULE.findall(text):
        said = _declared(body)
        for selector in selectors.split(","):
            if _PLAIN.fullmatch(selector.strip()):
                steps = (step.split(".") for step in selector.split())
                yield Rule(tuple((s[0], tuple(s[1:])) for s in steps), said)


def _outside_media(text: str) -> str:
    kept, depth, at = [], 0, 0
    while at < len(text):
        if text[at] == "@":
            at, depth = text.index("{", at) + 1, 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            continue
        kept.append(text[at])
        at += 1
    return "".join(kept)


def _declared(body: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
    return {name.strip(): " ".join(value.split()) for name, value in pairs}


def _fits(wanted: tuple[str, tuple[str, ...]], element: Element) -> bool:
    name, classes = wanted
    return name in ("", element[0]) and set(classes) <= set(element[1])


def _resolved(value: str, own: Mapping[str, str]) -> str:
    for _ in range(4):
        named = re.fullmatch(r"var\((--[\w-]+)\)", value)
        if named is None:
            return value
        given = own.get(named.group(1), "")
        # a name that stands for itself (.s0 says --c: var(--s0)) is one of the page's colours
        value = given if given and given != value else colours().get(named.group(1), "none")
    return value
