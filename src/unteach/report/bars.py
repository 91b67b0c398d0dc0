"""Interval bars: a reading drawn on a line, with its null band and what doing nothing scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unteach.core import Reading

from .digits import shown, with_interval
from .figure import key
from .markup import Html, tag
from .scale import Scale, spanning, written

HEIGHT = 26
_MIDDLE = HEIGHT / 2


def scales(readings: Iterable[Reading]) -> dict[str, Scale]:
    """Return one scale for each unit, in percent of the width, that holds all it must show."""
    values: dict[str, list[float]] = {}
    for reading in readings:
        seen = values.setdefault(reading.unit, [])
        seen += [reading.low, reading.value, reading.high, *(reading.null or ())]
        seen += [v for v in (reading.untouched,) if v is not None]
        seen += [0.0] if reading.better == "zero" else []
    return {unit: spanning(seen, start=0.0, end=100.0) for unit, seen in values.items()}


def bar(reading: Reading, scale: Scale) -> Html:
    """Return the bar of one reading; it is as wide as the place that it is put in."""

    def at(value: float) -> str:
        return f"{scale.inside(value):.2f}%"

    parts: list[Html] = []
    if reading.null is not None:
        low, high = (scale.inside(v) for v in reading.null)
        parts.append(
            tag("rect", x=f"{low:.2f}%", width=f"{max(high - low, 0.4):.2f}%", y=3,
                height=HEIGHT - 6, class_="null", rx=2)
        )
    parts.append(tag("line", x1="0", x2="100%", y1=_MIDDLE, y2=_MIDDLE, class_="rail"))
    if scale.holds(0.0):
        parts.append(tag("line", x1=at(0.0), x2=at(0.0), y1=-2, y2=HEIGHT + 2, class_="zero"))
    if reading.limit is not None and scale.holds(reading.limit):
        parts.append(tag("line", x1=at(reading.limit), x2=at(reading.limit), y1=6,
                         y2=HEIGHT - 6, class_="limit"))
    parts.append(tag("line", x1=at(reading.low), x2=at(reading.high), y1=_MIDDLE, y2=_MIDDLE,
                     class_="range"))
    if reading.untouched is not None:
        diamond = tag("path", d=f"M0 {_MIDDLE - 5}l5 5l-5 5l-5 -5z", class_="untouched")
        parts.append(tag("svg", diamond, x=at(reading.untouched), overflow="visible"))
    parts.append(tag("circle", cx=at(reading.value), cy=_MIDDLE, r=4.5, class_="value"))
    return tag(
        "svg", tag("title", spoken_bar(reading)), *parts,
        class_="bar", height=HEIGHT, width="100%", role="img", aria_label=spoken_bar(reading),
    )


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
    """Return the marked line beneath a column of bars."""
    ticks = scale.ticks(about)
    parts = [tag("line", x1="0", x2="100%", y1=0.5, y2=0.5, class_="axis")]
    for tick, text in zip(ticks, written(ticks, unit), strict=True):
        x = f"{scale.at(tick):.2f}%"
        anchor = "start" if scale.at(tick) < 4 else "end" if scale.at(tick) > 96 else "middle"
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=4, class_="axis"))
        parts.append(tag("text", text, x=x, y=17, text_anchor=anchor, class_="tick"))
    return tag("svg", *parts, class_="bar", height=22, width="100%", aria_hidden="true")


def bar_key(readings: Sequence[Reading]) -> Html:
    """Return what the marks of these bars mean, naming only those that occur."""
    entries = [(
        tag("g", tag("line", x1=-12, x2=12, y1=0, y2=0, class_="range"),
            tag("circle", cx=0, cy=0, r=4.5, class_="value")),
        _levels(readings),
    )]
    if any(r.null is not None for r in readings):
        entries.append((tag("rect", x=-12, width=24, y=-7, height=14, class_="null", rx=2),
                        "null: retraining against retraining"))
    if any(r.untouched is not None for r in readings):
        entries.append((tag("path", d="M0 -5l5 5l-5 5l-5 -5z", class_="untouched"),
                        "untouched: doing nothing"))
    scale = scales(readings)
    if any(r.limit is not None and scale[r.unit].holds(r.limit) for r in readings):
        entries.append((tag("line", x1=0, x2=0, y1=-7, y2=7, class_="limit"),
                        "limit: the largest value this n can show"))
    return key(entries)


def _levels(readings: Sequence[Reading]) -> str:
    levels = sorted({r.level for r in readings})
    return f"value and its {' or '.join(f'{100 * v:g}' for v in levels)}\u202f% interval"
