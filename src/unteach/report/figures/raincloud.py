"""Rainclouds: how a number is spread over records; the density, the middle, and every record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import COLOURS, text_width
from .._drawing.picture import Picture, pictured
from .._drawing.scale import Scale, across
from ..page.markup import Html, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need

_ROOM = 640.0
_DROP = 2.3


@dataclass(frozen=True)
class Raincloud:
    """Rows of records as dots, their density above them, the middle half between.

    Parameters
    ----------
    table : one row a record (and series); missing values are left out
    value, series : its columns
    density : a table of series, `value` and `density`: the outline of each cloud
    spread : a table of series, `low`, `middle`, `high` (quartiles) and `note`, one row a series
    window : (from, to) that is drawn; what lies beyond stands as a triangle on the edge
    levels : values with a line and a name
    order : the series in the order of their colours
    """

    table: str
    value: str
    series: str
    density: str
    spread: str
    window: tuple[float, float]
    levels: Mapping[float, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    title: str = ""
    caption: str = ""
    x_label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a table or a column is missing, or the window is empty."""
        for text in (self.title, self.caption):
            page.check_text(text)
        need(page.table(self.table), self.value, self.series)
        need(page.table(self.density), self.series, self.value, "density")
        need(page.table(self.spread), self.series, "low", "middle", "high", "note")
        if not self.window[0] < self.window[1]:
            raise BadInput(f"a window goes from a value to a larger one, got {self.window}")
        if len(page.table(self.spread)) == 0:
            raise BadInput(f"table {self.spread!r} has no rows to draw")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "raincloud")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels; where they are few, names stand over the rows."""
        spread = list(page.table(self.spread).rows())
        names = [str(r[self.series]) for r in spread]
        beside = width >= _ROOM
        called = {n: self.labels.get(n, n) for n in names}
        wide = max(
            max(text_width(called[str(r[self.series])]), text_width(str(r["note"]), 11.5))
            for r in spread
        )
        x = Scale(*self.window, wide + 22.0 if beside else 8.0, width - 8.0)
        cloud, tall = (38.0, 84.0) if beside else (32.0, 94.0)
        head = 26.0
        foot = head + tall * len(spread) + 4
        parts = across(x, foot, self.x_label, "", head=head)
        for level, words in self.levels.items():
            at = x.at(level)
            parts.append(tag("line", x1=at, x2=at, y1=head - 6, y2=foot, class_="zero"))
            parts.append(tag("text", words, x=at, y=head - 11, class_="axis-label middle"))
        values, clouds = page.table(self.table), page.table(self.density)
        for k, (row, name) in enumerate(zip(spread, names, strict=True)):
            base = head + k * tall + (14.0 if beside else 27.0) + cloud
            word = base - 14 if beside else head + k * tall + 17
            parts.append(tag("text", called[name], x=0, y=word, class_="row-name"))
            parts.append(
                tag(
                    "text",
                    str(row["note"]),
                    x=0 if beside else width,
                    y=word + 17 if beside else word,
                    class_="tick" if beside else "tick end",
                )
            )
            hue = (self.order.index(name) if name in self.order else k) % COLOURS
            own = [
                float(v)
                for v in values.where(**{self.series: name})[self.value]
                if v is not None and v != "nan"
            ]
            outline = list(clouds.where(**{self.series: name}).rows())
            parts.append(
                tag(
                    "g",
                    *self._cloud(outline, x, base, cloud),
                    *self._middle(row, x, base),
                    *self._rain(own, x, base),
                    class_=f"s{hue}",
                )
            )
        spoken = "; ".join(
            f"{called[str(r[self.series])]}: middle {number(r['middle'], 2)}, half "
            f"of the records from {number(r['low'], 2)} to {number(r['high'], 2)}"
            for r in spread
        )
        return Picture(width, foot + 42, parts, spoken, self._key())

    def _cloud(
        self, outline: list[dict[str, Any]], x: Scale, base: float, cloud: float
    ) -> list[Html]:
        inside = [r for r in outline if x.holds(float(r[self.value]))]
        peak = max((float(r["density"]) for r in inside), default=0.0)
        seen = [k for k, r in enumerate(inside) if float(r["density"]) > 0.004 * peak]
        if not seen:
            return []
        inside = inside[seen[0] : seen[-1] + 1]
        steps = " ".join(
            f"{x.at(float(r[self.value])):.1f} {base - 5 - cloud * float(r['density']) / peak:.1f}"
            for r in inside
        )
        ends = (x.at(float(inside[0][self.value])), x.at(float(inside[-1][self.value])))
        whole = f"M{ends[0]:.1f} {base - 5:.1f}L{steps} L{ends[1]:.1f} {base - 5:.1f}z"
        return [tag("path", d=whole, class_="band"), tag("path", d=f"M{steps}", class_="outline")]

    def _middle(self, row: Mapping[str, Any], x: Scale, base: float) -> list[Html]:
        low, middle, high = (x.inside(float(row[c])) for c in ("low", "middle", "high"))
        return [
            tag("path", d=f"M{low:.1f} {base:.1f}H{high:.1f}", class_="half"),
            tag("circle", cx=middle, cy=base, r=4.2, class_="mark"),
        ]

    def _rain(self, values: list[float], x: Scale, base: float) -> list[Html]:
        """Return a dot a record; those that would lie on another fall one line further."""
        parts: list[Html] = []
        reached = [-1e9] * 5
        for value in sorted(values):
            at = x.inside(value)
            line = next(
                (k for k, r in enumerate(reached) if at - r >= 2 * _DROP + 0.4),
                min(range(5), key=reached.__getitem__),
            )
            reached[line] = at
            y = base + 11 + line * 5.2
            words = tag("title", number(value, 3))
            if x.holds(value):
                parts.append(tag("circle", words, cx=at, cy=y, r=_DROP, class_="drop"))
                continue
            way = 1 if value > x.high else -1
            d = f"M{at + 5 * way:.1f} {y:.1f}l{-6 * way} -3.2v6.4z"
            parts.append(tag("path", words, d=d, class_="drop"))
        return parts

    def _key(self) -> list[tuple[Html, str]]:
        def one(*marks: Html) -> Html:
            return tag("g", *marks, class_="s5")

        return [
            (one(tag("circle", cx=0, cy=0, r=_DROP + 0.6, class_="drop")), "a record"),
            (one(tag("path", d="M5 0l-7 -3.6v7.2z", class_="drop")), "beyond the edge"),
            (
                one(
                    tag("path", d="M-12 0H12", class_="half"),
                    tag("circle", cx=0, cy=0, r=4.2, class_="mark"),
                ),
                "median and middle half",
            ),
        ]
