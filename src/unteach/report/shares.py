"""Shares: what each kind is made of, as bars of parts that add up to all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unteach.core import BadInput

from .digits import number
from .figure import COLOURS, figure, key, text_width
from .markup import Html, join, tag
from .page import Drawing, Page
from .tables import need

_WIDE, _ROW, _BAR = 860.0, 30.0, 20.0


@dataclass(frozen=True)
class Shares:
    """Bars of parts that add up to all, one bar a row of a table.

    Parameters
    ----------
    table : one row a bar
    name : the column that says what the bar is of
    parts : columns of counts, in the order in which they are drawn
    hues : the colour of each part, 0 to 5
    labels : what parts and rows are called here
    """

    table: str
    name: str
    parts: tuple[str, ...]
    hues: tuple[int, ...] = ()
    title: str = ""
    caption: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "hues", tuple(self.hues) or tuple(range(len(self.parts))))
        if not self.parts or len(self.hues) != len(self.parts):
            raise BadInput(f"shares take a hue for each part, got {self.hues} for {self.parts}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or a count is negative."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.name, *self.parts)
        if len(table) == 0 or any(v < 0 for part in self.parts for v in table[part]):
            raise BadInput(f"table {self.table!r} must hold counts of at least 0 to draw shares")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        rows = list(drawing.page.table(self.table).rows())
        names = [self.labels.get(str(r[self.name]), str(r[self.name])) for r in rows]
        left = max(text_width(n, 14.0) for n in names) + 16.0
        right = max(text_width(number(sum(r[p] for p in self.parts)), 13.0) for r in rows) + 14.0
        drawn = (self._bar(r, n, k, left, right)
                 for k, (r, n) in enumerate(zip(rows, names, strict=True)))  # fmt: skip
        svg = tag("svg", *drawn, viewbox=f"0 0 {_WIDE:.0f} {len(rows) * _ROW:.0f}", role="img",
                  class_="chart shares", aria_label=self._spoken(rows, names))  # fmt: skip
        marks = [
            (tag("g", tag("rect", x=-8, y=-6, width=16, height=12, rx=2, class_="part"),
                 class_=f"s{hue % COLOURS}"), self.labels.get(part, part))
            for part, hue in zip(self.parts, self.hues, strict=True)
        ]  # fmt: skip
        body = join([key(marks), svg])
        return figure(drawing, body, title=self.title, caption=self.caption, kind="shares-figure")

    def _bar(
        self, row: Mapping[str, float], name: str, k: int, left: float, right: float
    ) -> Html:
        total = sum(row[p] for p in self.parts)
        top, across = k * _ROW + (_ROW - _BAR) / 2, _WIDE - left - right
        base = top + _BAR / 2 + 4.5
        parts = [tag("text", name, x=left - 12, y=base, class_="share-name")]
        at = left
        for part, hue in zip(self.parts, self.hues, strict=True):
            width = across * row[part] / total if total else 0.0
            if width <= 0:
                continue
            words = f"{self.labels.get(part, part)}: {number(row[part])} of {number(total)}"
            inner = [tag("title", f"{name}, {words}"),
                     tag("rect", x=at, y=top, width=max(width - 1.5, 0.5), height=_BAR, rx=2,
                         class_="part")]  # fmt: skip
            if width > text_width(number(row[part]), 12.5) + 8:
                inner.append(tag("text", number(row[part]), x=at + width / 2, y=base,
                                 class_="part-text middle"))  # fmt: skip
            parts.append(tag("g", *inner, class_=f"s{hue % COLOURS}"))
            at += width
        parts.append(tag("text", number(total), x=_WIDE - 2, y=base, class_="tick end"))
        return tag("g", *parts)

    def _spoken(self, rows: list[dict[str, float]], names: list[str]) -> str:
        return "; ".join(
            f"{name}: " + ", ".join(f"{self.labels.get(p, p)} {number(r[p])}" for p in self.parts)
            for r, name in zip(rows, names, strict=True)
        )
