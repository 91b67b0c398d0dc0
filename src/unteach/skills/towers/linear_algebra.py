"""Linear algebra over the integers modulo a prime: from sums to two-by-two systems."""

from __future__ import annotations

import numpy as np

from unteach.core import BadInput

from ..graph.integer_formula import expression
from ..graph.programs import Array
from ..graph.skill import Skill, Truth
from ..graph.skill_graph import SkillGraph

_DOT = "return ADD(MUL(a, c), MUL(b, d))"
_MV = "return DOT(a, b, e, f), DOT(c, d, e, f)"
_MM = "return DOT(a, b, e, g), DOT(a, b, f, h), DOT(c, d, e, g), DOT(c, d, f, h)"
_POW = "return MM(a, b, c, d, a, b, c, d)"
_SOLVE = """
i = INV(SUB(MUL(a, d), MUL(b, c)))
x, y = MV(d, SUB(0, b), SUB(0, c), a, e, f)
return MUL(i, x), MUL(i, y)
"""


def linear_algebra(*, p: int) -> SkillGraph:
    """Return the tower of linear algebra over the integers mod p.

    Atoms ADD SUB MUL MAX REV INV; above them AFF = ab + c, DOT of two pairs, MV and MM of
    two-by-two matrices (row by row), POW the square of a matrix, and SOLVE a system of two
    equations by Cramer's rule, as the adjugate times the right side over the determinant.
    MAX and REV are siblings on which nothing stands. Each true function is written apart from
    the calls, and the two are compared on all inputs.

    Parameters
    ----------
    p : a prime from 3 to 31

    Errors : BadInput for any other p, over which not every pair of numbers could be divided

    Examples
    --------
    >>> g = linear_algebra(p=5)
    >>> g.names
    ('ADD', 'SUB', 'MUL', 'MAX', 'REV', 'INV', 'AFF', 'DOT', 'MV', 'MM', 'POW', 'SOLVE')
    >>> g.truth("SOLVE", np.array([[2, 0, 0, 1, 4, 3]])).tolist()
    [[2, 3]]
    """
    if not 3 <= p <= 31 or any(p % k == 0 for k in range(2, p)):
        raise BadInput(f"p is a prime from 3 to 31, got {p}")

    def rule(text: str, names: str) -> Truth:
        return expression(text, list(names), {"p": p})

    inverse = np.array([pow(k, -1, p) if k else 0 for k in range(p)])

    def solve(inputs: Array) -> Array:
        a, b, c, d, e, f = inputs.astype(np.int64).T
        i = inverse[(a * d - b * c) % p]
        return np.stack([i * (d * e - b * f) % p, i * (a * f - c * e) % p], axis=1)

    skills = (
        Skill("ADD", ("a", "b"), 1, rule("(a + b) % p", "ab"), about="sum"),
        Skill("SUB", ("a", "b"), 1, rule("(a - b) % p", "ab"), about="difference"),
        Skill("MUL", ("a", "b"), 1, rule("a * b % p", "ab"), about="product"),
        Skill("MAX", ("a", "b"), 1, rule("max(a, b)", "ab"), about="the larger number"),
        Skill("REV", ("a", "b", "c"), 3, rule("c, b, a", "abc"), about="three numbers reversed"),
        Skill(
            "INV",
            ("a",),
            1,
            lambda x: inverse[x],
            when=lambda x: x[:, 0] != 0,
            about="one over a number",
        ),
        Skill(
            "AFF",
            tuple("abc"),
            1,
            rule("(a * b + c) % p", "abc"),
            "return ADD(MUL(a, b), c)",
            about="ab + c",
        ),
        Skill(
            "DOT",
            tuple("abcd"),
            1,
            rule("(a * c + b * d) % p", "abcd"),
            _DOT,
            about="dot product of (a, b) and (c, d)",
        ),
        Skill(
            "MV",
            tuple("abcdef"),
            2,
            rule("(a*e + b*f) % p, (c*e + d*f) % p", "abcdef"),
            _MV,
            about="matrix times vector",
        ),
        Skill(
            "MM",
            tuple("abcdefgh"),
            4,
            rule("(a*e + b*g) % p, (a*f + b*h) % p, (c*e + d*g) % p, (c*f + d*h) % p", "abcdefgh"),
            _MM,
            needs=("MV",),
            about="matrix times matrix",
        ),
        Skill(
            "POW",
            tuple("abcd"),
            4,
            rule("(a*a + b*c) % p, (a*b + b*d) % p, (c*a + d*c) % p, (c*b + d*d) % p", "abcd"),
            _POW,
            about="square of a matrix",
        ),
        Skill(
            "SOLVE",
            tuple("abcdef"),
            2,
            solve,
            _SOLVE,
            when=lambda x: (x[:, 0] * x[:, 3] - x[:, 1] * x[:, 2]) % p != 0,
            about="ax + by = e, cx + dy = f",
        ),
    )
    maps = {f"times{c}": np.arange(p) * c % p for c in range(2, p)}
    return SkillGraph("linear-algebra", tuple(map(str, range(p))), skills, _reductions(p), maps)


def _reductions(p: int) -> list[tuple[str, str]]:
    """Return the back doors: ways to compute a skill from one that stands above or beside it."""
    minus = f"times{p - 1}"
    scaled = [
        ("ADD", f"DOT(times{c}(a), times{c}(b), {pow(c, -1, p)}, {pow(c, -1, p)})")
        for c in range(2, p)
    ]
    return [
        ("ADD", "AFF(a, 1, b)"),
        ("ADD", "DOT(a, b, 1, 1)"),
        *scaled,
        ("ADD", "MV(a, b, 0, 0, 1, 1)[0]"),
        ("ADD", "MM(a, b, 0, 0, 1, 0, 1, 0)[0]"),
        ("ADD", "POW(a, 1, 0, b)[1]"),
        ("ADD", f"SOLVE(1, {minus}(b), 0, 1, a, 1)[0]"),
        ("ADD", "SUB(a, SUB(0, b))"),
        ("SUB", f"ADD(a, {minus}(b))"),
        ("SUB", f"DOT(a, b, 1, {p - 1})"),
        ("SUB", "SOLVE(1, b, 0, 1, a, 1)[0]"),
        ("MUL", "AFF(a, b, 0)"),
        ("MUL", "DOT(a, 0, b, 0)"),
        ("MUL", "MV(a, 0, 0, 0, b, 0)[0]"),
        ("MUL", "MM(a, 0, 0, 0, b, 0, 0, 0)[0]"),
        ("MUL", "POW(0, a, b, 0)[0]"),
        ("INV", "SOLVE(a, 0, 0, 1, 1, 0)[0]"),
        ("AFF", "DOT(a, c, b, 1)"),
        ("DOT", "AFF(a, c, MUL(b, d))"),
        ("DOT", "MV(a, b, 0, 0, c, d)[0]"),
        ("DOT", "MM(a, b, 0, 0, c, 0, d, 0)[0]"),
        ("MV", "m = MM(a, b, c, d, e, 0, f, 0)\nreturn m[0], m[2]"),
        ("MM", "x, y = MV(a, b, c, d, e, g)\nu, v = MV(a, b, c, d, f, h)\nreturn x, u, y, v"),
    ]
