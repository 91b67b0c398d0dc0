"""Verdicts: what a forgetting reading allows to be said, and what it does not."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from unteach.core import BadInput, Reading

Verdict = Literal[
    "as retrained", "under-forgotten", "over-forgotten", "not as retrained", "cannot tell"
]
VERDICTS: tuple[Verdict, ...] = (
    "as retrained",
    "under-forgotten",
    "over-forgotten",
    "not as retrained",
    "cannot tell",
)


def verdict(
    reading: Reading,
    *,
    signed: Reading | None = None,
    margin: float = 0.02,
    resolution: float = 0.25,
) -> Verdict:
    """Return what a forgetting reading says of the model after.

    Beyond: the whole interval is outside the null, so the model is not as retrained, and a
    signed reading says on which side. Equivalent: the whole interval is inside the null
    widened by `margin` of the distance between doing nothing and the null, which is a
    statement of its own and not the absence of a difference. It takes a null that reaches no
    further than `resolution` of what doing nothing scores, or else so much of the records'
    influence could hide in it. Everything else, and every reading that cannot tell doing
    nothing from retraining in the first place, is "cannot tell": silence of a test that could
    not have spoken is no evidence. A reading that is a lower bound (its name says so) is never
    "as retrained": a bound of 0 bounds nothing from above.

    A distance (better "lower") beyond its null is "not as retrained" unless a `signed` reading
    of the same case, itself beyond its null, gives the side. Only the upper end of its null can
    condemn: a model that is nearer to one retraining than another retraining is has no fault.

    Parameters
    ----------
    reading : of a forgetting metric; it carries `untouched` and `null`
    signed : a reading whose `better` is "zero"
    margin : share of what doing nothing scores beyond the null that counts as nothing, in
        [0, 1); also covers rounding where retraining is deterministic and the null a point
    resolution : largest reach of the null for "as retrained", as a share of what doing nothing
        scores, in (0, 1]

    Examples
    --------
    >>> def r(low, value, high, better="zero"):
    ...     return Reading("residual fraction", value, low, high, n=8, seeds=range(8),
    ...                    unit_of_replication="seeds", unit="share", better=better,
    ...                    untouched=1.0, null=(-0.1, 0.1), limit=10.0)
    >>> verdict(r(0.4, 0.5, 0.6)), verdict(r(-0.6, -0.5, -0.4)), verdict(r(0.0, 0.02, 0.05))
    ('under-forgotten', 'over-forgotten', 'as retrained')
    >>> verdict(r(0.0, 0.2, 0.5))
    'cannot tell'
    >>> verdict(r(0.4, 0.5, 0.6, "lower")), verdict(r(0.4, 0.5, 0.6, "lower"),
    ...                                             signed=r(-0.6, -0.5, -0.4))
    ('not as retrained', 'over-forgotten')
    """
    if not (0 <= margin < 1 and 0 < resolution <= 1):
        raise BadInput(
            f"margin is a share in [0, 1) and resolution one in (0, 1], got {margin!r} and "
            f"{resolution!r}"
        )
    if reading.null is None or reading.untouched is None:
        raise BadInput(
            f"{reading.name!r} carries no null or no value for doing nothing; only readings of "
            "forgetting metrics lead to a verdict"
        )
    low, high = reading.null
    low, high = _condemning(reading, low, high)
    telling = max(reading.untouched - high, low - reading.untouched, 0.0)
    slack = margin * telling + _rounding(reading)
    if reading.low > high + slack or reading.high < low - slack:
        return _side(reading, signed, margin)
    reach = max(-reading.null[0], reading.null[1])
    if not separates(reading) or reach > resolution * abs(reading.untouched):
        return "cannot tell"
    if "lower bound" in reading.name:
        return "cannot tell"
    if low - slack <= reading.low and reading.high <= high + slack:
        return "as retrained"
    return "cannot tell"


def separates(reading: Reading) -> bool:
    """Say whether doing nothing scores outside the null: whether the reading could have spoken.

    The distance must exceed rounding, a billionth of the reading's own scale.
    """
    if reading.null is None or reading.untouched is None:
        return False
    low, high = _condemning(reading, *reading.null)
    slack = _rounding(reading)
    return reading.untouched > high + slack or reading.untouched < low - slack


def _condemning(reading: Reading, low: float, high: float) -> tuple[float, float]:
    """Return the ends of the null that speak: a distance cannot be too small, a share too large."""
    return (
        -math.inf if reading.better == "lower" else low,
        math.inf if reading.better == "higher" else high,
    )


def _rounding(reading: Reading) -> float:
    """Return a billionth of the reading's own scale."""
    ends = (1.0, reading.untouched or 0.0, *(reading.null or ()))
    return 1e-9 * float(np.max(np.abs(ends)))


def _side(reading: Reading, signed: Reading | None, margin: float) -> Verdict:
    if reading.better == "zero":
        return "under-forgotten" if reading.value > 0 else "over-forgotten"
    if signed is None:
        return "not as retrained"
    if signed.better != "zero":
        raise BadInput(f"{signed.name!r} has no sign (better is {signed.better!r})")
    side = verdict(signed, margin=margin)
    return side if side in ("under-forgotten", "over-forgotten") else "not as retrained"
