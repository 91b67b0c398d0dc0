"""Axes: where a value falls on a line, and which round values are marked on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..page.markup import Html, tag
from ..page.number_format import number, scaled, suffix
from .figure import text_width


@dataclass(frozen=True)
class Scale:
    """A line from `low` to `high`, drawn from `start` to `end`; by logarithms if `log`.

    >>> Scale(0.0, 1.0, 0.0, 200.0).at(0.25), Scale(0.01, 1.0, 0.0, 200.0, log=True).at(0.1)
    (50.0, 100.0)
    """

    low: float
    high: float
    start: float = 0.0
    end: float = 1.0
    log: bool = False

    def at(self, value: float) -> float:
        """Return where the value is drawn."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
            return self.start + share * (self.end - self.start)
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def inside(self, value: float) -> float:
        """Return where the value is drawn, moved to the nearer end if it lies outside."""
        return self.at(min(max(value, self.low), self.high))

    def holds(self, value: float) -> bool:
        """Return whether the value lies on the line."""
        return self.low <= value <= self.high

    def ticks(self, about: int, *, whole: bool = False) -> list[float]:
        """Return about so many round values on the line; only whole numbers if asked.

        >>> Scale(0.0, 1.0).ticks(5)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        >>> Scale(0.02, 2.0, log=True).ticks(4)
        [0.1, 1.0]
        """
        if self.log:
            return _decades(self.low, self.high, about)
        step = _round_step((self.high - self.low) / max(about, 1))
        if whole:  # 2.5 is round, and not whole
            step = max(_round_step(step * 1.01) if step % 1 else step, 1.0)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step + 0.0 for k in range(first, last + 1)]


def spanning(
    values: Iterable[float],
    *,
    zero: bool = False,
    pad: float = 0.06,
    start: float = 0.0,
    end: float = 1.0,
    log: bool = False,
) -> Scale:
    """Return a scale that holds all finite values (by logarithms: all above 0), with some room.

    >>> spanning([1.0, 3.0], pad=0.5)
    Scale(low=0.0, high=4.0, start=0.0, end=1.0, log=False)
    >>> spanning([1.0, 1.0], pad=0.0, log=True)
    Scale(low=0.1, high=1.0, start=0.0, end=1.0, log=True)
    """
    if log:
        powers = [math.log10(v) for v in values if math.isfinite(v) and v > 0]
        if powers and max(powers) - min(powers) < 1e-9:
            powers.append(min(powers) - 1.0)  # one value alone stands above a decade of room
        inner = spanning(powers, pad=pad)
        return Scale(10**inner.low, 10**inner.high, start, end, log=True)
    finite = [v for v in values if math.isfinite(v)] + ([0.0] if zero else [])
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    room = (high - low) * pad
    return Scale(low - room, high + room, start, end)


def written(ticks: list[float], unit: str, *, log: bool = False) -> list[str]:
    """Return the ticks as text, all with the same decimals; of a logarithmic axis, each its own.

    >>> written([0.0, 0.25, 0.5], ""), written([0.0, 0.5], "share")
    (['0.00', '0.25', '0.50'], ['0\u202f%', '50\u202f%'])
    """
    values = [scaled(t, unit) for t in ticks]
    if log:
        return [number(v).replace("1.0×", "") + suffix(unit) for v in values]
    step = min((b - a for a, b in pairwise(values)), default=1.0)
    decimals = 0
    while decimals < 8 and abs(round(step, decimals) - step) > 1e-6 * step:
        decimals += 1
    small = step < 1e-4
    return [number(v, None if small else decimals) + suffix(unit) for v in values]


def _decades(low: float, high: float, about: int) -> list[float]:
    """Return powers of ten, every few of them; 1, 2 and 5 of each, or any, where there are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    count = last - first + 1
    if count >= 2:
        step = max(1, math.ceil((count - 1) / max(about, 1)))
        return [float(f"1e{k}") for k in range(last, first - 1, -step)][::-1]
    steps = [float(f"{m}e{k}") for k in range(first - 1, last + 1) for m in (1, 2, 5)]
    inside = [s for s in steps if low <= s <= high]
    return inside if len(inside) > 1 else Scale(low, high).ticks(about)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999) * power


# Axes of a panel: marked lines with round values, across and up.


def across(
    x: Scale,
    foot: float,
    label: str,
    unit: str,
    *,
    head: float | None = None,
    whole: bool = False,
    room: float = 62.0,
    below: float = 35.0,
) -> list[Html]:
    """Return the axis beneath a panel; with `head`, lines of the grid reach up to there."""
    ticks = x.ticks(max(2, round((x.end - x.start) / room)), whole=whole)
    words = written(ticks, unit, log=x.log)
    parts: list[Html] = []
    reached = -1e9
    for tick, word in zip(ticks, words, strict=True):
        at, half = x.at(tick), text_width(word, 11.5) / 2
        if head is not None:
            parts.append(tag("line", x1=at, x2=at, y1=head, y2=foot, class_="grid"))
        parts.append(tag("line", x1=at, x2=at, y1=foot, y2=foot + 4, class_="axis"))
        if at - half >= reached:
            parts.append(tag("text", word, x=at, y=foot + 17, class_="tick middle"))
            reached = at + half + 5
    parts.append(tag("line", x1=x.start, x2=x.end, y1=foot, y2=foot, class_="axis"))
    if label:
        middle = (x.start + x.end) / 2
        parts.append(tag("text", label, x=middle, y=foot + below, class_="axis-label middle"))
    return parts


def up(
    y: Scale, left: float, right: float, ticks: Sequence[float], words: Sequence[str]
) -> list[Html]:
    """Return the lines of the grid behind a panel, with their values on the left."""
    parts: list[Html] = []
    for tick, word in zip(ticks, words, strict=True):
        at = y.at(tick)
        parts.append(tag("line", x1=left, x2=right, y1=at, y2=at, class_="grid"))
        parts.append(tag("text", word, x=left - 6, y=at + 4, class_="tick end"))
    return parts


def room_for(words: Sequence[str]) -> float:
    """Return how far from the left a panel starts, so that these values have room."""
    return 10.0 + max((text_width(w, 11.5) for w in words), default=20.0)
