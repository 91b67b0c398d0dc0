"""Bubbles: marks in a plane of two numbers, their size a third."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import COLOURS, text_width
from .._drawing.labels import Box
from .._drawing.picture import Picture, pictured
from .._drawing.scale import Scale, across, room_for, spanning, up, written
from ..page.markup import Html, tag
from ..page.number_format import number, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need

_LEAST, _MOST = 4.5, 19.0  # radius of a mark in pixels


@dataclass(frozen=True)
class Bubbles:
    """Named marks in a plane, the larger the more they lose; small and near the corner is best.

    Parameters
    ----------
    table : one row a mark
    label, x, y, size : its columns; size is at least 0
    low, high : the ends of the interval of y
    log_x : draw x by logarithms; it is above 0 then
    level : a value of y with a dashed line, and its name
    band : columns (low, high), whose first values are a grey band of y
    order : the marks in the order of their colours
    """

    table: str
    label: str
    x: str
    y: str
    size: str
    low: str
    high: str
    log_x: bool = False
    level: tuple[float, str] | None = None
    band: tuple[str, str] | None = None
    band_label: str = ""
    order: tuple[str, ...] = ()
    title: str = ""
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    size_label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or a mark has no place or size."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.label, self.x, self.y, self.size, self.low, self.high, *(self.band or ()))
        if len(table) == 0 or min(table[self.size]) < 0:
            raise BadInput(f"table {self.table!r} must hold sizes of at least 0 to draw marks")
        if self.log_x and min(table[self.x]) <= 0:
            raise BadInput(f"{self.x!r} of table {self.table!r} must be above 0 on this axis")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "bubbles")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels."""
        table = page.table(self.table)
        rows = sorted(table.rows(), key=lambda r: -float(r[self.size]))
        units = table.units
        height = 330.0 if width < 500 else 400.0
        ends = [v for c in (self.low, self.high, *(self.band or ())) for v in table[c]]
        ends += [] if self.level is None else [self.level[0]]
        held = spanning([float(v) for v in ends if v is not None], pad=0.1)
        ticks = held.ticks(6)
        words = written(ticks, units[self.y])
        left = room_for(words)
        span = spanning([float(v) for v in table[self.x]], pad=0.16, log=self.log_x)
        x = Scale(span.low, span.high, left, width - 10, log=self.log_x)
        y = Scale(held.low, held.high, height - 48, 26.0)
        parts = [
            tag("text", self.y_label, x=0, y=12, class_="axis-label"),
            *self._behind(rows, x, y),
            *up(y, left, x.end, ticks, words),
            *across(x, y.start, self.x_label, units[self.x]),
        ]
        if self.level is not None:
            at = y.at(self.level[0])
            parts.append(tag("line", x1=left, x2=x.end, y1=at, y2=at, class_="zero"))
        biggest = max(float(r[self.size]) for r in rows)
        marks = [
            (r, x.at(float(r[self.x])), y.at(float(r[self.y])), self._radius(r, biggest))
            for r in rows
        ]
        taken: list[Box] = [(a - s, b - s, a + s, b + s) for _, a, b, s in marks]
        for row, a, b, s in marks:
            parts.append(self._mark(row, a, b, s, y, units))
        for row, a, b, s in reversed(marks):
            parts.append(self._name(row, a, b, s, taken, (left, 20.0, x.end + 8, y.start)))
        spoken = "; ".join(self._words(r, units) for r in rows)
        return Picture(width, height, parts, spoken, self._key(biggest, units[self.size]))

    def _behind(self, rows: list[dict[str, Any]], x: Scale, y: Scale) -> list[Html]:
        if self.band is None:
            return []
        low, high = (rows[0][c] for c in self.band)
        if low is None or high is None:
            return []
        top = y.at(float(high))
        return [
            tag(
                "rect",
                x=x.start,
                y=top,
                width=x.end - x.start,
                height=y.at(float(low)) - top,
                class_="null",
            )
        ]

    def _mark(
        self,
        row: dict[str, Any],
        a: float,
        b: float,
        radius: float,
        y: Scale,
        units: Mapping[str, str],
    ) -> Html:
        low, high = y.at(float(row[self.low])), y.at(float(row[self.high]))
        return tag(
            "g",
            tag("title", self._words(row, units)),
            tag("path", d=f"M{a:.1f} {low:.1f}V{high:.1f}", class_="whisker"),
            tag("circle", cx=a, cy=b, r=radius, class_="bubble"),
            tag("circle", cx=a, cy=b, r=2.4, class_="shade"),
            class_=f"s{self._hue(row)}",
        )

    def _name(
        self, row: dict[str, Any], a: float, b: float, radius: float, taken: list[Box], box: Box
    ) -> Html:
        """Return the name beside its mark: right, left, above or beneath, where there is room."""
        text = self.labels.get(str(row[self.label]), str(row[self.label]))
        wide, away = text_width(text), radius + 5
        places = [
            (a + away, b - 7),
            (a - away - wide, b - 7),
            (a + away * 0.5, b - away - 12),
            (a + away * 0.5, b + away * 0.7),
            (a - wide - away * 0.5, b - away - 12),
            (a - wide - away * 0.5, b + away * 0.7),
        ]
        places += [(a + away, b - 7 + 15 * k) for s in range(1, 9) for k in (s, -s)]

        def free(left: float, top: float) -> bool:
            space = (left, top, left + wide, top + 14)
            inside = (
                space[0] >= box[0]
                and space[2] <= box[2]
                and space[1] >= box[1]
                and space[3] <= box[3]
            )
            return inside and not any(
                space[0] < t[2] and t[0] < space[2] and space[1] < t[3] and t[1] < space[3]
                for t in taken
            )

        left, top = next((p for p in places if free(*p)), places[0])
        taken.append((left, top, left + wide, top + 14))
        return tag("text", text, x=left, y=top + 11, class_=f"series s{self._hue(row)}")

    def _radius(self, row: dict[str, Any], biggest: float) -> float:
        share = float(row[self.size]) / biggest if biggest > 0 else 0.0
        return math.sqrt(_LEAST**2 + (_MOST**2 - _LEAST**2) * share)  # its area grows evenly

    def _hue(self, row: dict[str, Any]) -> int:
        name = str(row[self.label])
        return (self.order.index(name) if name in self.order else 0) % COLOURS

    def _key(self, biggest: float, unit: str) -> list[tuple[Html, str]]:
        entries: list[tuple[Html, str]] = []
        if self.band is not None and self.band_label:
            mark = tag("rect", x=-12, y=-7, width=24, height=14, class_="null")
            entries.append((mark, self.band_label))
        if self.level is not None and self.level[1]:
            entries.append((tag("line", x1=-12, x2=12, y1=0, y2=0, class_="zero"), self.level[1]))
        if biggest > 0:
            value = number(float(f"{scaled(biggest, unit):.2g}")) + suffix(unit)
            rings = [
                tag("circle", cx=-9, cy=0, r=3.5, class_="bubble"),
                tag("circle", cx=5, cy=0, r=7.5, class_="bubble"),
            ]
            entries.append(
                (tag("g", *rings, class_="s5"), f"{self.size_label}: none, up to {value}")
            )
        return entries

    def _words(self, row: dict[str, Any], units: Mapping[str, str]) -> str:
        shown = [
            f"{number(scaled(float(row[c]), units[c]), 3)}{suffix(units[c])}"
            for c in (self.x, self.y, self.size)
        ]
        said = (self.x_label, self.y_label, self.size_label)
        return f"{row[self.label]}: " + ", ".join(
            f"{a} {b}" for a, b in zip(said, shown, strict=True)
        )
