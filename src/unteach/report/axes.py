"""Axes of a panel: marked lines with round values, across and up."""

from __future__ import annotations

from collections.abc import Sequence

from .figure import text_width
from .markup import Html, tag
from .scale import Scale, written


def across(
    x: Scale, foot: float, label: str, unit: str, *, head: float | None = None,
    whole: bool = False, room: float = 62.0, below: float = 35.0,
) -> list[Html]:  # fmt: skip
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


def up(y: Scale, left: float, right: float, ticks: Sequence[float], words: Sequence[str]
       ) -> list[Html]:  # fmt: skip
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
