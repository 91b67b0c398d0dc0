"""Interval bars: a reading drawn on a line, with its null band and what doing nothing scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unteach.core import Reading

from .._drawing.figure import key, text_width
from .._drawing.scale import Scale, spanning, written
from ..page.markup import Html, tag
from ..page.number_format import shown, with_interval

HEIGHT = 26
_MIDDLE = HEIGHT / 2
_WIDE, _NARROW = 280.0, 120.0  # pixels that a column of bars has at least


def scales(readings: Iterable[Reading]) -> dict[str, Scale]:
    """Return one scale for each unit, in percent of the width, that holds all it must show.

    Zero is on it where it means something: for signed distances, for readings that are judged
    neither way and have no null, and wherever an interval reaches below it. Levels that lie far
    from zero, such as accuracies, keep a scale of their own.

    >>> drop = Reading("drop", -0.3, -0.4, -0.2, n=9, unit_of_replication="seeds", seeds=(0,),
    ...                unit="accuracy", better="higher")
    >>> scales([drop])["accuracy"].holds(0.0)
    True
    """
    values: dict[str, list[float]] = {}
    for reading in readings:
        seen = values.setdefault(reading.unit, [])
        seen += [reading.low, reading.value, reading.high, *(reading.null or ())]
        seen += [v for v in (reading.untouched,) if v is not None]
        seen += [0.0] if _signed(reading) else []
    return {unit: spanning(seen, start=0.0, end=100.0) for unit, seen in values.items()}


def _signed(reading: Reading) -> bool:
    neither = reading.better == "none" and reading.null is None
    return reading.better == "zero" or neither or reading.low < 0


def bar(reading: Reading, scale: Scale) -> Html:
    """Return the bar of one reading; it is as wide as the place that it is put in."""

    def at(value: float) -> str:
        return f"{scale.inside(value):.2f}%"

    parts: list[Html] = []
    if reading.null is not None and not _pointed(reading, scale):
        low, high = (scale.inside(v) for v in reading.null)
        parts.append(
            tag(
                "rect",
                x=f"{low:.2f}%",
                width=f"{high - low:.2f}%",
                y=3,
                height=HEIGHT - 6,
                class_="null",
                rx=2,
            )
        )
    parts.append(tag("line", x1="0", x2="100%", y1=_MIDDLE, y2=_MIDDLE, class_="rail"))
    if scale.holds(0.0):
        parts.append(tag("line", x1=at(0.0), x2=at(0.0), y1=-2, y2=HEIGHT + 2, class_="zero"))
    if reading.null is not None and _pointed(reading, scale):
        middle = at(sum(reading.null) / 2)
        parts.append(tag("line", x1=middle, x2=middle, y1=3, y2=HEIGHT - 3, class_="null-tick"))
    if reading.limit is not None and scale.holds(reading.limit):
        parts.append(
            tag(
                "line",
                x1=at(reading.limit),
                x2=at(reading.limit),
                y1=6,
                y2=HEIGHT - 6,
                class_="limit",
            )
        )
    parts.append(
        tag("line", x1=at(reading.low), x2=at(reading.high), y1=_MIDDLE, y2=_MIDDLE, class_="range")
    )
    if reading.untouched is not None:
        diamond = tag("path", d=f"M0 {_MIDDLE - 5}l5 5l-5 5l-5 -5z", class_="untouched")
        parts.append(tag("svg", diamond, x=at(reading.untouched), overflow="visible"))
    parts.append(tag("circle", cx=at(reading.value), cy=_MIDDLE, r=4.5, class_="value"))
    return tag(
        "svg",
        tag("title", spoken_bar(reading)),
        *parts,
        class_="bar",
        height=HEIGHT,
        width="100%",
        role="img",
        aria_label=spoken_bar(reading),
    )


def _pointed(reading: Reading, scale: Scale) -> bool:
    """Return whether the null is too narrow to be seen as a band."""
    if reading.null is None:
        return False
    low, high = (scale.inside(v) for v in reading.null)
    return high - low < 1.0


def spoken_bar(reading: Reading) -> str:
    """Return in words what the bar shows."""
    words = f"{reading.name}: {with_interval(reading)} {reading.unit}".rstrip()
    if reading.untouched is not None:
        words += f"; doing nothing scores {shown(reading, reading.untouched)}"
    if reading.null is not None:
        low, high = (shown(reading, v) for v in reading.null)
        words += f"; retraining against retraining scores {low} to {high}"
    return words


def axis(scale: Scale, unit: str, about: int = 5) -> Html:
    """Return the marked line beneath a column of bars.

    As many round values are written as have room beside each other; those that have room only
    where the column is wide are left out on paper and in a narrow window.
    """
    for few in range(about, 0, -1):
        ticks = scale.ticks(few)
        texts = written(ticks, unit)
        if _apart([scale.at(t) for t in ticks], texts, _WIDE):
            break
    places = [scale.at(t) for t in ticks]
    zero = next((k for k, t in enumerate(ticks) if t == 0.0), 0)
    always, wide = (_thinned(places, texts, room, zero) for room in (_NARROW, _WIDE))
    parts = [tag("line", x1="0", x2="100%", y1=0.5, y2=0.5, class_="axis")]
    for k, (place, text) in enumerate(zip(places, texts, strict=True)):
        x = f"{place:.2f}%"
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=4, class_="axis"))
        if k in always or k in wide:
            parts.append(
                tag(
                    "text",
                    text,
                    x=x,
                    y=17,
                    text_anchor=_anchor(place),
                    class_="tick" if k in always else "tick roomy",
                )
            )
    return tag("svg", *parts, class_="bar", height=22, width="100%", aria_hidden="true")


def _anchor(place: float) -> str:
    return "start" if place < 4 else "end" if place > 96 else "middle"


def _apart(places: Sequence[float], texts: Sequence[str], room: float) -> bool:
    """Return whether texts at these percents of a room of so many pixels leave a gap between."""
    reached = -float("inf")
    for place, text in zip(places, texts, strict=True):
        wide = text_width(text)
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[_anchor(place)]
        start = place / 100 * room - wide * before
        if start < reached:
            return False
        reached = start + wide + 6.0
    return True


def _thinned(places: Sequence[float], texts: Sequence[str], room: float, zero: int) -> set[int]:
    """Return which ticks are written: every one, every second, ..., always that of zero."""
    for step in range(1, len(places) + 1):
        kept = range(zero % step, len(places), step)
        if _apart([places[k] for k in kept], [texts[k] for k in kept], room):
            return set(kept)
    return {zero} if places else set()


def bar_key(readings: Sequence[Reading]) -> Html:
    """Return what the marks of these bars mean, naming only those that occur."""
    entries = [
        (
            tag(
                "g",
                tag("line", x1=-12, x2=12, y1=0, y2=0, class_="range"),
                tag("circle", cx=0, cy=0, r=4.5, class_="value"),
            ),
            _levels(readings),
        )
    ]
    scale = scales(readings)
    nulls = [r for r in readings if r.null is not None]
    points = [r for r in nulls if _pointed(r, scale[r.unit])]
    if len(points) < len(nulls):
        entries.append(
            (
                tag("rect", x=-12, width=24, y=-7, height=14, class_="null", rx=2),
                "null: retraining against retraining",
            )
        )
    if points:
        words = "null: retraining against retraining" if len(points) == len(nulls) else "null"
        entries.append(
            (tag("line", x1=0, x2=0, y1=-7, y2=7, class_="null-tick"), f"{words}, a single value")
        )
    if any(r.untouched is not None for r in readings):
        entries.append(
            (tag("path", d="M0 -5l5 5l-5 5l-5 -5z", class_="untouched"), "untouched: doing nothing")
        )
    if any(held.holds(0.0) for held in scale.values()):
        entries.append((tag("line", x1=0, x2=0, y1=-8, y2=8, class_="zero"), "zero"))
    if any(r.limit is not None and scale[r.unit].holds(r.limit) for r in readings):
        entries.append(
            (
                tag("line", x1=0, x2=0, y1=-7, y2=7, class_="limit"),
                "limit: the largest value this n can show",
            )
        )
    return key(entries)


def _levels(readings: Sequence[Reading]) -> str:
    levels = sorted({r.level for r in readings})
    return f"value and its {' or '.join(f'{100 * v:g}' for v in levels)}\u202f% interval"
