"""Front: what two goals cost each other, the best that is possible, and where each way ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._drawing.figure import COLOURS, figure, key, marker, text_width
from .._drawing.scale import Scale, spanning, written
from ..page.markup import Html, join, tag
from ..page.number_format import number, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need

_SIZE = (424, 320)
_APART = 13.0  # pixels between marks that would lie on each other


@dataclass(frozen=True)
class Front:
    """Ways as marks in a plane of two goals, with the line of what is possible at best.

    Parameters
    ----------
    table : one row a way (and panel): `x`, `y`, and the ends of their ranges, `x_low`, `x_high`,
        `y_low`, `y_high`
    line : a table with columns `x` and `y` (and the facet): the exact front, its last point the
        optimum, which is ringed
    series : the column that tells ways apart · facet : the column that tells panels apart
    order : the ways in the order of their colours
    """

    table: str
    line: str
    series: str
    facet: str
    order: tuple[str, ...]
    title: str = ""
    caption: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    x_label: str = ""
    y_label: str = ""
    line_label: str = "the best that is possible"

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a table or a column is missing."""
        for text in (self.title, self.caption):
            page.check_text(text)
        need(
            page.table(self.table),
            self.series,
            self.facet,
            "x",
            "y",
            "x_low",
            "x_high",
            "y_low",
            "y_high",
        )
        need(page.table(self.line), self.facet, "x", "y")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        table, line = drawing.page.table(self.table), drawing.page.table(self.line)
        units = (table.units["x"], table.units["y"])
        x = spanning([v for c in ("x_low", "x_high") for v in table[c]] + line["x"], pad=0.12)
        y = spanning([v for c in ("y_low", "y_high") for v in table[c]] + line["y"], pad=0.16)
        panels = []
        for name in dict.fromkeys(table[self.facet]):
            rows = list(table.where(**{self.facet: name}).rows())
            ends = list(line.where(**{self.facet: name}).rows())
            head = tag("p", self.labels.get(str(name), str(name)), class_="panel-title")
            panels.append(tag("div", head, self._panel(rows, ends, x, y, units), class_="panel"))
        body = join([self._key(), tag("div", *panels, class_="panels of-2")])
        return figure(drawing, body, title=self.title, caption=self.caption, kind="front")

    def _key(self) -> Html:
        marks: list[tuple[Html, str]] = [
            (
                tag("g", tag("g", marker(k, 0, 0, 4.2), class_="mark"), class_=f"s{k % COLOURS}"),
                self.labels.get(name, name),
            )
            for k, name in enumerate(self.order)
        ]
        ring = join(
            [
                tag("path", d="M-14 0H14", class_="front-line"),
                tag("circle", cx=0, cy=0, r=6.5, class_="front-best"),
            ]
        )
        return key([*marks, (ring, self.line_label)])

    def _panel(
        self,
        rows: Sequence[dict[str, Any]],
        line: Sequence[dict[str, Any]],
        across: Scale,
        up: Scale,
        units: tuple[str, str],
    ) -> Html:
        width, height = _SIZE
        y_ticks = up.ticks(5)
        words = written(y_ticks, units[1])
        left = 12.0 + max(text_width(w, 11.5) for w in words)
        x = Scale(across.low, across.high, left, width - 14.0)
        y = Scale(up.low, up.high, height - 42.0, 28.0)
        parts = [
            tag("text", self.y_label, x=0, y=12, class_="axis-label"),
            tag(
                "text", self.x_label, x=(left + x.end) / 2, y=height - 5, class_="axis-label middle"
            ),
        ]
        for tick, word in zip(y_ticks, words, strict=True):
            parts.append(
                tag("line", x1=left, x2=x.end, y1=y.at(tick), y2=y.at(tick), class_="grid")
            )
            parts.append(tag("text", word, x=left - 6, y=y.at(tick) + 4, class_="tick end"))
        x_ticks = [t for t in x.ticks(5) if 0 <= t <= 1 or units[0] != "share"]
        for tick, word in zip(x_ticks, written(x_ticks, units[0]), strict=True):
            parts.append(tag("text", word, x=x.at(tick), y=y.start + 17, class_="tick middle"))
        parts.append(tag("line", x1=left, x2=x.end, y1=y.start, y2=y.start, class_="axis"))
        steps = " ".join(f"{x.at(p['x']):.1f} {y.at(p['y']):.1f}" for p in line)
        parts.append(tag("path", d=f"M{steps}", class_="front-line"))
        best = line[-1]
        parts.append(
            tag("circle", cx=x.at(best["x"]), cy=y.at(best["y"]), r=11, class_="front-best")
        )
        parts += self._marks(rows, x, y, units)
        return tag(
            "svg",
            *parts,
            viewbox=f"0 0 {width} {height}",
            role="img",
            class_="chart",
            aria_label=f"{self.y_label} by {self.x_label}; "
            + "; ".join(self._words(r, units) for r in rows),
        )

    def _marks(
        self, rows: Sequence[dict[str, Any]], x: Scale, y: Scale, units: tuple[str, str]
    ) -> list[Html]:
        """Return the marks; those that would lie on each other stand one beneath the other."""
        taken: dict[tuple[int, int], int] = {}
        parts = []
        known = sorted(rows, key=lambda r: self.order.index(r[self.series]))
        for row in known:
            hue = self.order.index(row[self.series])
            a, b = x.at(row["x"]), y.at(row["y"])
            spot = (round(a / 9), round(b / 9))
            b_shown = b + _APART * taken.get(spot, 0)
            taken[spot] = taken.get(spot, 0) + 1
            inner = [tag("title", self._words(row, units))]
            if row["x_high"] > row["x_low"]:
                d = f"M{x.at(row['x_low']):.1f} {b_shown:.1f}H{x.at(row['x_high']):.1f}"
                inner.append(tag("path", d=d, class_="front-range"))
            if row["y_high"] > row["y_low"]:
                d = f"M{a:.1f} {y.at(row['y_low']):.1f}V{y.at(row['y_high']):.1f}"
                inner.append(tag("path", d=d, class_="front-range"))
            inner.append(tag("g", marker(hue, a, b_shown, 4.6), class_="mark"))
            parts.append(tag("g", *inner, class_=f"s{hue % COLOURS}"))
        return parts

    def _words(self, row: Mapping[str, Any], units: tuple[str, str]) -> str:
        shown = [
            f"{number(scaled(row[c], u))}{suffix(u)}" for c, u in zip("xy", units, strict=True)
        ]
        name = self.labels.get(row[self.series], row[self.series])
        return f"{name}: {self.x_label} {shown[0]}, {self.y_label} {shown[1]}"
