"""How numbers are written: as many digits as the interval supports, and the interval with them."""

from __future__ import annotations

import math

from unteach.core import Reading

THIN = "\u202f"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def places(low: float, high: float) -> int:
    """Return the decimals that show the width of an interval in two digits, 0 to 6.

    >>> places(0.012, 0.050), places(10, 90)
    (3, 0)
    """
    width = high - low
    if not (math.isfinite(width) and width > 0):
        return 3
    return min(6, max(0, math.ceil(-math.log10(width)) + 1))


def number(value: float, decimals: int | None = None) -> str:
    """Return a number as it is read: a true minus sign, thousands apart, powers of ten raised.

    >>> number(-0.5, 2), number(12345.6, 0), number(3.2e-12), number(0.1234567)
    ('−0.50', '12\u202f346', '3.2×10⁻¹²', '0.1235')
    """
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value and (size < 1e-4 or size >= 1e7):
        factor, power = f"{value:.1e}".split("e")
        return f"{factor}×10{str(int(power)).translate(_RAISED)}".replace("-", "−")
    if decimals is None:
        decimals = 0 if value == int(value) else min(6, max(0, 3 - math.floor(math.log10(size))))
        text = f"{value:,.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if decimals else text
    else:
        text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace(",", THIN if size >= 1e4 else "").replace("-", "−")


def probability(value: float, decimals: int = 3) -> str:
    """Return a p-value, which is never zero: one too small for its decimals is "below" them.

    >>> probability(0.00017), probability(0.034), probability(0.0, 2)
    ('<0.001', '0.034', '<0.01')
    """
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if 0 <= value < least else number(value, decimals)


def scaled(value: float, unit: str) -> float:
    """Return the value in the unit that is shown: shares are shown in percent."""
    return value * 100 if unit == "share" else value


def suffix(unit: str) -> str:
    """Return what is written behind a number of this unit."""
    return f"{THIN}%" if unit == "share" else ""


def shown(reading: Reading, value: float) -> str:
    """Return a number of the reading's scale with the digits that its interval supports."""
    low, high = (scaled(v, reading.unit) for v in (reading.low, reading.high))
    decimals: int | None = places(low, high) if high > low else None
    largest = max(abs(low), abs(high))
    if decimals is not None and largest < 1e-3:
        decimals = None
    value = scaled(value, reading.unit)
    if decimals is not None:  # an end that is next to zero is written as zero, not as a power
        value = round(value, decimals)
    return number(value, decimals) + suffix(reading.unit)


def interval(reading: Reading) -> str:
    """Return the interval of a reading, as [low, high]; one replicate alone has none.

    >>> interval(Reading("front door", 0.2, 0.2, 0.2, n=1, unit_of_replication="seeds",
    ...     seeds=(0,), unit="accuracy", better="none"))
    '(no interval)'
    """
    exact = reading.unit_of_replication == "none"
    if reading.n == 1 and reading.low == reading.high and not exact:
        return "(no interval)"
    low, high = (shown(reading, v) for v in (reading.low, reading.high))
    return f"[{low.removesuffix(suffix(reading.unit))}, {high}]"


def with_interval(reading: Reading) -> str:
    """Return a reading's number and its interval.

    >>> with_interval(Reading("drop", 0.031, 0.012, 0.05, n=20, unit_of_replication="data draws",
    ...     seeds=(0,), unit="accuracy", better="lower"))
    '0.031 [0.012, 0.050]'
    """
    return f"{shown(reading, reading.value)} {interval(reading)}"


def replicated(reading: Reading) -> str:
    """Return what the interval ranges over, in words.

    >>> replicated(Reading("drop", 0.0, 0.0, 0.0, n=1, unit_of_replication="none", seeds=(0,),
    ...     unit="", better="none"))
    'one run'
    """
    if reading.unit_of_replication == "none":
        return "one run" if reading.n == 1 else f"{reading.n} runs"
    unit = reading.unit_of_replication
    if reading.n == 1 and unit.endswith("s"):
        unit = unit[:-1]
    return f"{number(reading.n, 0)} {unit}"
