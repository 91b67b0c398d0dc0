"""One panel of curves: axes, bands, lines, marks and the names beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..page.markup import Html, tag
from ..page.number_format import number, scaled, suffix
from .figure import COLOURS, marker
from .labels import Label, Track, place
from .scale import Scale, across, room_for, up, written

Point = tuple[float, float, float, float]  # x, y, low, high
_RIGHT, _TOP, _BOTTOM = 14.0, 28.0, 40.0


@dataclass(frozen=True)
class Panel:
    """What is drawn in one panel; a line is in pieces, apart where values are missing."""

    name: str
    lines: Mapping[str, list[list[Point]]]
    level: float
    band: list[Point]

    def points(self) -> list[Point]:
        """Return the points of all lines."""
        return [p for pieces in self.lines.values() for piece in pieces for p in piece]


@dataclass(frozen=True)
class Pen:
    """What the panels of a figure share; `names` are the series in the order of their colours."""

    names: Sequence[str]
    labels: Mapping[str, str]
    x_label: str
    y_label: str
    x_unit: str
    y_unit: str
    x_whole: bool
    zero_line: bool
    intervals: bool
    diagonal: bool = False
    marks: bool = True

    def draw(
        self,
        panel: Panel,
        x_scale: Scale,
        y_scale: Scale,
        size: tuple[int, int],
        kind: str,
        *,
        first: bool,
        label: bool,
    ) -> tuple[Html, set[str]]:
        """Return the panel as SVG, and the series whose names found a place in it."""
        parts, named = self.drawn(panel, x_scale, y_scale, size, first=first, label=label)
        svg = tag(
            "svg",
            *parts,
            viewbox=f"0 0 {size[0]} {size[1]}",
            role="img",
            class_=kind,
            aria_label=self.spoken(panel),
        )
        return svg, named

    def drawn(
        self,
        panel: Panel,
        x_scale: Scale,
        y_scale: Scale,
        size: tuple[float, float],
        *,
        first: bool,
        label: bool,
    ) -> tuple[list[Html], set[str]]:
        """Return what the panel is made of, and the series whose names found a place in it."""
        width, height = size
        y_ticks = y_scale.ticks(max(3, round(height / 56)))
        y_words = written(y_ticks, self.y_unit, log=y_scale.log)
        left = room_for(y_words)
        x = replace(x_scale, start=left, end=width - _RIGHT)
        y = replace(y_scale, start=height - _BOTTOM, end=_TOP)
        parts = up(y, x.start, x.end, y_ticks, y_words)
        parts += across(x, y.start, self.x_label, self.x_unit, whole=self.x_whole)
        if first:
            parts.append(tag("text", self.y_label, x=0, y=12, class_="axis-label"))
        if panel.band:
            parts.append(tag("path", d=_area(panel.band, x, y), class_="null"))
        if self.zero_line:
            parts.append(tag("line", x1=left, x2=x.end, y1=y.at(0), y2=y.at(0), class_="zero"))
        if self.diagonal:
            most = 1.0 if self.x_unit == "share" else math.inf
            low, high = max(x.low, y.low), min(x.high, y.high, most)
            parts.append(
                tag(
                    "line",
                    x1=x.at(low),
                    x2=x.at(high),
                    y1=y.at(low),
                    y2=y.at(high),
                    class_="reference",
                )
            )
        if math.isfinite(panel.level):
            at = y.at(panel.level)
            parts.append(tag("line", x1=left, x2=x.end, y1=at, y2=at, class_="reference"))
        for name in reversed(list(panel.lines)):
            parts.append(self._line(name, panel.lines[name], x, y))
        names = self._names(panel, x, y) if label and len(self.names) > 1 else []
        parts += [
            tag("text", one.text, x=one.x, y=one.y, class_=f"series s{self._hue(one.name)}")
            for one in names
        ]
        return parts, {one.name for one in names}

    def _hue(self, name: str) -> int:
        return self.names.index(name) % COLOURS

    def _line(self, name: str, pieces: list[list[Point]], x: Scale, y: Scale) -> Html:
        hue = self._hue(name)
        parts: list[Html] = []
        for piece in pieces:
            if self.intervals and len(piece) > 1:
                parts.append(tag("path", d=_area(piece, x, y), class_="band"))
            if self.intervals and len(piece) == 1:
                ends = f"M{x.at(piece[0][0]):.1f} {y.at(piece[0][2]):.1f}V{y.at(piece[0][3]):.1f}"
                parts.append(tag("path", d=ends, class_="line"))
            steps = " ".join(f"{x.at(p[0]):.1f} {y.at(p[1]):.1f}" for p in piece)
            parts.append(tag("path", d=f"M{steps}", class_="line"))
        for point in (p for piece in pieces for p in piece if self.marks):
            mark = marker(hue, x.at(point[0]), y.at(point[1]))
            words = tag("title", self._words(name, point))
            parts.append(tag("g", words, mark, class_="mark"))
        return tag("g", *parts, class_=f"s{hue}")

    def _names(self, panel: Panel, x: Scale, y: Scale) -> list[Label]:
        tracks = {
            name: Track(
                *(
                    [[(x.at(p[0]), y.at(p[k])) for p in piece] for piece in pieces]
                    for k in (1, 3, 2)
                )
            )
            for name, pieces in panel.lines.items()
        }
        wanted = {name: self.labels.get(name, name) for name in panel.lines}
        return place(wanted, tracks, box=(x.start + 2, _TOP - 4, x.end + 10, y.start - 3))

    def _words(self, name: str, point: Point) -> str:
        def say(value: float, unit: str) -> str:
            return number(scaled(value, unit)) + suffix(unit)

        words = f"{self.labels.get(name, name)}, {say(point[0], self.x_unit)}: "
        words += say(point[1], self.y_unit)
        if self.intervals:
            words += f" [{say(point[2], self.y_unit)}, {say(point[3], self.y_unit)}]"
        return words.removeprefix(", ")

    def spoken(self, panel: Panel) -> str:
        """Return the panel in words: where each line starts and ends."""
        words = [f"{self.y_label} by {self.x_label}"]
        words += [panel.name] if panel.name else []
        for name, pieces in panel.lines.items():
            points = [p for piece in pieces for p in piece]
            if points:
                words.append(" to ".join(self._words(name, p) for p in (points[0], points[-1])))
        return "; ".join(words)


def _area(points: Sequence[Point], x: Scale, y: Scale) -> str:
    ahead = [f"{x.at(p[0]):.1f} {y.at(p[3]):.1f}" for p in points]
    back = [f"{x.at(p[0]):.1f} {y.at(p[2]):.1f}" for p in reversed(points)]
    return "M" + " ".join(ahead + back) + "z"
