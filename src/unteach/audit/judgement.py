"""Judgements: what arms of models allow to be said of a method, and what they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from unteach.core import BadInput

from .beyond import Sides
from .fraction import Fractions
from .ulira import Ulira

Kind = Literal[
    "distinguishable", "over-forgotten", "equivalent", "inconclusive", "invalid", "refused"
]
KINDS: tuple[Kind, ...] = (
    "distinguishable",
    "over-forgotten",
    "equivalent",
    "inconclusive",
    "invalid",
    "refused",
)
LEVEL = 0.9  # of the interval that shows equivalence: two one-sided tests at 5 %
ALPHA = 0.05
VANDAL = 0.25  # share of the records from which on what they say is said of the method
MEASURED = 8  # as many records at least, or all, must be measurable to speak for the rest


@dataclass(frozen=True)
class Judgement:
    """What may be said of a method, in one word and one sentence. "forgotten" is not among them.

    kind : "distinguishable" (from retraining), "over-forgotten" (distinguishable, and on the
        other side of retraining, as enough of the records show), "equivalent" (shown to be within
        the margin), "inconclusive" (neither was shown), "invalid" (the controls misbehave), or
        "refused" (the method's certificate did not cover the request, so that there is nothing to
        judge)
    text : the sentence · p_value : adjusted for all tests of the audit; None where none was made
    """

    kind: Kind
    text: str
    p_value: float | None

    def __str__(self) -> str:
        return self.text


def judge(
    tests: Mapping[str, Ulira],
    adjusted: Mapping[str, float],
    fractions: Fractions | None,
    *,
    sides: Sides | None = None,
    margin: float = 0.05,
    alpha: float = ALPHA,
) -> Judgement:
    """Return what the per-example attack, on all records and on strata, allows to be said.

    Distinguishable: an adjusted p-value of at most alpha, on all records or on a stratum; an
    average that hides a stratum hides nothing here. It is over-forgotten where, besides, the
    residual fraction's larger side is the overshoot, with its whole interval beyond the null, or
    a quarter of the records lie beyond retraining, whatever the others do. The fraction is of the
    records whose mark can be measured; these speak for all where they are a quarter of them and
    at least eight, or all. Where they are fewer, the method stays distinguishable, and the
    sentence says so. Equivalent: not distinguishable, and every 90 % interval of the area lies
    within 0.5 +- margin, which is a statement of its own. Otherwise inconclusive, with the area
    that could have been detected.

    Parameters
    ----------
    tests : stratum -> what was found, made with level 0.9; at least one
    adjusted : stratum -> p-value, adjusted (Holm) for all that was tested
    fractions : the signed side; None where no record can be measured
    sides : which records lie short of retraining and which beyond; None leaves them out
    margin : in (0, 0.5) of the area under the curve

    Examples
    --------
    >>> import numpy as np
    >>> from unteach.audit import ulira
    >>> rng = np.random.default_rng(0)
    >>> one, two = rng.normal(size=(2, 16, 5))
    >>> found = {"all": ulira(one, two, level=0.9, permutations=99)}
    >>> judge(found, {"all": 0.6}, None).kind
    'inconclusive'
    >>> judge(found, {"all": 0.01}, None).kind
    'distinguishable'
    >>> judge(found, {"all": 0.6}, None, margin=0.4).text
    'equivalent within 0.4'
    """
    if not tests or set(tests) != set(adjusted):
        raise BadInput(f"one adjusted p-value a test, got {set(adjusted)} for {set(tests)}")
    if not 0 < margin < 0.5:
        raise BadInput(f"margin is a share of the area, in (0, 0.5), got {margin!r}")
    off = [t.area.level for t in tests.values() if abs(t.area.level - LEVEL) > 1e-9]
    if off:
        raise BadInput(f"equivalence is decided by intervals of level {LEVEL}, got {off[0]}")
    p = min(adjusted.values())
    if p <= alpha:
        said = "" if sides is None else f" ({sides})"
        beyond = sides is not None and float(sides.beyond.mean()) >= VANDAL
        if beyond:
            return Judgement("over-forgotten", f"over-forgotten{said}", p)
        if fractions is not None and overshoots(fractions):
            on = f"{fractions.measurable} of {len(fractions.rho)} whose mark can be measured"
            if speaks_for_all(fractions):
                return Judgement("over-forgotten", f"over-forgotten by the {on}{said}", p)
            overshoot = "overshoots" if fractions.measurable == 1 else "overshoot"
            few = f"the {on} {overshoot}, too few to call it over-forgotten"
            return Judgement("distinguishable", f"distinguishable{said}; {few}", p)
        return Judgement("distinguishable", f"distinguishable{said}", p)
    if all(t.area.low >= 0.5 - margin and t.area.high <= 0.5 + margin for t in tests.values()):
        return Judgement("equivalent", f"equivalent within {margin:g}", p)
    least = max(t.detectable for t in tests.values())
    return Judgement("inconclusive", f"inconclusive (smallest detectable area {least:.3f})", p)


def overshoots(fractions: Fractions) -> bool:
    """Say whether more was taken than was there: the larger side, its interval beyond the null."""
    reach = 0.0 if fractions.null is None else fractions.null[1]
    return fractions.value.high < -reach


def speaks_for_all(fractions: Fractions) -> bool:
    """Say whether enough records can be measured for them to speak for all that are forgotten.

    >>> from types import SimpleNamespace as Of
    >>> said = [(15, 36), (8, 36), (2, 12), (5, 5)]
    >>> [speaks_for_all(Of(measurable=m, rho=range(n))) for m, n in said]
    [True, False, False, True]
    """
    n = len(fractions.rho)
    return fractions.measurable >= min(n, max(MEASURED, math.ceil(VANDAL * n)))
