"""Lists of letters: comparing, mapping, sorting, merging and deduplicating, with no arithmetic."""

from __future__ import annotations

import numpy as np

from unteach.core import BadInput

from ..graph.programs import Array
from ..graph.skill import Skill
from ..graph.skill_graph import SkillGraph

_SORT = """
l, h = LOW(x, y), HIGH(x, y)
m, t = LOW(h, z), HIGH(h, z)
return LOW(l, m), HIGH(l, m), t
"""
_MERGE = """
a, d = LOW(x, u), HIGH(y, v)
m, n = HIGH(x, u), LOW(y, v)
return a, LOW(m, n), HIGH(m, n), d
"""


def lists(*, letters: int = 4) -> SkillGraph:
    """Return the tower of list operations over a blank and some letters, in their order.

    Atoms: LOW and HIGH of two symbols, NEXT letter (round; the blank stays), DROP (the second
    symbol, or the blank if it repeats the first), REV a list, ZIP two lists. Above them MAP
    (NEXT of each), SORT three symbols and MERGE two sorted pairs by comparing, MEDIAN, DESC
    (sorted downwards), DEDUPE (a blank where a symbol was there before), and SET (sorted, then
    deduplicated). ZIP is a sibling on which nothing stands.

    Parameters
    ----------
    letters : how many besides the blank, 2 to 12

    Examples
    --------
    >>> g = lists(letters=3)
    >>> g.under("SET")
    ('LOW', 'HIGH', 'DROP', 'SORT', 'DEDUPE')
    >>> [g.symbols[k] for k in g.truth("SET", np.array([[3, 1, 3]]))[0]]
    ['a', 'c', '-']
    """
    if not 2 <= letters <= 12:
        raise BadInput(f"letters is a whole number from 2 to 12, got {letters}")

    def following(x: Array) -> Array:
        return np.where(x == 0, 0, x % letters + 1)

    def deduped(x: Array) -> Array:
        a, b, c = x.T
        return np.stack([a, np.where(b == a, 0, b), np.where((c == a) | (c == b), 0, c)], axis=1)

    def ordered(x: Array) -> Array:
        return np.sort(x, axis=1)

    two, three, four = ("x", "y"), ("x", "y", "z"), ("x", "y", "u", "v")
    skills = (
        Skill("LOW", two, 1, lambda x: x.min(axis=1, keepdims=True), about="the earlier symbol"),
        Skill("HIGH", two, 1, lambda x: x.max(axis=1, keepdims=True), about="the later symbol"),
        Skill("NEXT", ("x",), 1, following, about="the next letter"),
        Skill(
            "DROP",
            two,
            1,
            lambda x: np.where(x[:, 1] == x[:, 0], 0, x[:, 1])[:, None],
            about="the second symbol, unless it repeats the first",
        ),
        Skill("REV", three, 3, lambda x: x[:, ::-1], about="a list reversed"),
        Skill("ZIP", four, 4, lambda x: x[:, [0, 2, 1, 3]], about="two lists, in turns"),
        Skill(
            "MAP",
            three,
            3,
            following,
            "return NEXT(x), NEXT(y), NEXT(z)",
            about="the next letter of each",
        ),
        Skill("SORT", three, 3, ordered, _SORT, about="a list in order"),
        Skill(
            "MERGE",
            four,
            4,
            ordered,
            _MERGE,
            about="two sorted pairs as one sorted list",
            when=lambda x: (x[:, 0] <= x[:, 1]) & (x[:, 2] <= x[:, 3]),
        ),
        Skill(
            "DEDUPE",
            three,
            3,
            deduped,
            "return x, DROP(x, y), DROP(x, DROP(y, z))",
            about="a blank for every repeated symbol",
        ),
        Skill(
            "MEDIAN",
            three,
            1,
            lambda x: ordered(x)[:, 1:2],
            "return SORT(x, y, z)[1]",
            about="the middle one of three",
        ),
        Skill(
            "DESC",
            three,
            3,
            lambda x: ordered(x)[:, ::-1],
            "a, b, c = SORT(x, y, z)\nreturn REV(a, b, c)",
            about="a list in falling order",
        ),
        Skill(
            "SET",
            three,
            3,
            lambda x: deduped(ordered(x)),
            "a, b, c = SORT(x, y, z)\nreturn DEDUPE(a, b, c)",
            about="sorted, no repeats",
        ),
    )
    last = chr(ord("a") + letters - 1)
    reductions = [
        ("LOW", "SORT(x, x, y)[0]"),
        ("LOW", "MERGE(x, x, y, y)[0]"),
        ("LOW", "MEDIAN(x, y, '-')"),
        ("LOW", "DESC(x, x, y)[2]"),
        ("LOW", "SET(x, x, y)[0]"),
        ("HIGH", "SORT(x, y, y)[2]"),
        ("HIGH", "MERGE(x, x, y, y)[3]"),
        ("HIGH", f"MEDIAN(x, y, '{last}')"),
        ("HIGH", "DESC(x, y, y)[0]"),
        ("NEXT", "MAP(x, x, x)[0]"),
        ("DROP", "DEDUPE(x, y, y)[1]"),
        ("SORT", "d = DESC(x, y, z)\nreturn d[2], d[1], d[0]"),
        ("SORT", f"m = MERGE(LOW(x, y), HIGH(x, y), z, '{last}')\nreturn m[0], m[1], m[2]"),
        ("MEDIAN", "DESC(x, y, z)[1]"),
    ]
    symbols = ("-", *(chr(ord("a") + k) for k in range(letters)))
    return SkillGraph("lists", symbols, skills, reductions)
