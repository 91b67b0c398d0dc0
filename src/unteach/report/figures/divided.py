"""Divided bars: how a whole divides into parts, one bar a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import COLOURS, figure, key, text_width
from ..page.markup import Html, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need

_ROW, _BAR, _WIDE = 30.0, 20.0, 1000.0
_HUES = (0, 1, 5, 3)


@dataclass(frozen=True)
class _Bar:
    """One bar: its parts are counts of their sum, or shares of 1."""

    name: str
    group: Any
    parts: tuple[Any, ...]
    counts: bool

    @property
    def whole(self) -> float:
        """What the parts are parts of."""
        return sum(self.parts) if self.counts else 1.0

    def said(self, part: Any) -> str:
        """Return a part as it is written in the bar."""
        return number(part) if self.counts else f"{part:.0%}".replace("%", " %")


@dataclass(frozen=True)
class Divided:
    """Bars that are divided into parts of a whole; each row of the table is one bar.

    Parameters
    ----------
    table : with one row a bar
    label : the column that names a bar
    parts : the columns of the parts, in the order in which they are drawn: shares, which sum to 1
        at most, or counts (whole numbers), which sum to the whole
    group : the column by which bars stand together under a heading, or None
    hues : the colour of each part, 0 to 5; for up to four parts none need be given
    labels : what parts, bars and groups are called here

    Examples
    --------
    >>> from unteach.core import Table
    >>> t = Table("t", {"who": ["MM"], "new": [0.75], "old": [0.25], "right": [3], "wrong": [5]})
    >>> blocks = (Divided("t", "who", ("new", "old")), Divided("t", "who", ("right", "wrong")))
    >>> page = Page("S", "?", (), blocks, "", "", {}, (), (t,))
    >>> for block in blocks:
    ...     print(block.text(page))
    MM  new 75 %, old 25 %
    MM  right 3, wrong 5
    """

    table: str
    label: str
    parts: tuple[str, ...]
    group: str | None = None
    hues: tuple[int, ...] = ()
    title: str = ""
    caption: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hues", tuple(self.hues) or _HUES[: len(self.parts)])
        if not self.parts or len(self.hues) != len(self.parts):
            raise BadInput(f"bars take a hue for each part, got {self.hues} for {self.parts}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or the parts are parts of no whole."""
        for text in (self.title, self.caption):
            page.check_text(text)
        need(page.table(self.table), self.label, *self.parts, self.group, *self.where)
        bars = self._bars(page)
        for bar in bars:
            if min(bar.parts) < 0 or (not bar.counts and sum(bar.parts) > 1 + 1e-6):
                raise BadInput(
                    f"the parts of {bar.name!r} are {bar.parts}; they are shares of one "
                    "whole, or counts"
                )
        if not bars:
            raise BadInput(f"table {self.table!r} has no rows where {dict(self.where)}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        bars = self._bars(drawing.page)
        left = 24 + max(text_width(bar.name, 14) for bar in bars)
        right = max(14 + text_width(number(b.whole), 13) if b.counts else 0.0 for b in bars)
        drawn: list[Html] = []
        y, last = 4.0, None
        for bar in bars:
            if bar.group != last:
                last = bar.group
                y += 8 if drawn else 0
                drawn.append(tag("text", self._called(last), x=0, y=y + 15, class_="m-axis"))
                y += 24
            base = y + _ROW / 2 + 1
            drawn.append(tag("text", bar.name, x=left - 10, y=base, class_="m-name end"))
            drawn += self._drawn(bar, left, _WIDE - right, y)
            if bar.counts:
                drawn.append(tag("text", number(bar.whole), x=_WIDE, y=base, class_="tick end"))
            y += _ROW
        spoken = "; ".join(f"{bar.name}: {self._listed(bar)}" for bar in bars)
        picture = tag(
            "svg",
            *drawn,
            viewbox=f"0 0 {_WIDE:.0f} {y + 4:.0f}",
            role="img",
            class_="h-svg",
            aria_label=spoken,
        )
        entries = [
            (
                tag(
                    "g",
                    tag("rect", x=-12, y=-7, width=24, height=14, rx=3, class_="part"),
                    class_=f"s{hue % COLOURS}",
                ),
                self._called(part),
            )
            for part, hue in zip(self.parts, self.hues, strict=True)
        ]
        body = tag("div", key(entries), tag("div", picture, class_="h-holder", tabindex=0))
        return figure(drawing, body, title=self.title, caption=self.caption, kind="divided")

    def text(self, page: Page) -> str:
        """Return the bars as lines of text."""
        lines: list[str] = []
        last = None
        for bar in self._bars(page):
            if bar.group != last:
                last = bar.group
                lines.append(self._called(last))
            lines.append(f"{bar.name}  {self._listed(bar)}")
        return "\n".join(lines)

    def _bars(self, page: Page) -> list[_Bar]:
        rows = list(page.table(self.table).where(**self.where).rows())
        counts = all(isinstance(row[p], int) for row in rows for p in self.parts)
        return [
            _Bar(
                self._called(row[self.label]),
                None if self.group is None else row[self.group],
                tuple(row[p] for p in self.parts),
                counts,
            )
            for row in rows
        ]

    def _drawn(self, bar: _Bar, left: float, end: float, y: float) -> list[Html]:
        """Return the parts of a bar, side by side; each says what it is when it is pointed at."""
        made: list[Html] = []
        x = left
        for name, part, hue in zip(self.parts, bar.parts, self.hues, strict=True):
            width = (end - left) * part / bar.whole if bar.whole else 0.0
            if width <= 0:
                continue
            said = bar.said(part)
            whole = f"{said} of {number(bar.whole)}" if bar.counts else number(part, 3)
            inner = [
                tag("title", f"{bar.name}, {self._called(name)}: {whole}"),
                tag(
                    "rect",
                    x=x,
                    y=y + 2,
                    width=max(width - 1.5, 0.5),
                    height=_BAR,
                    rx=2,
                    class_="part",
                ),
            ]
            if width > text_width(said, 12.5) + 8:
                inner.append(
                    tag(
                        "text", said, x=x + width / 2, y=y + _ROW / 2 + 1, class_="part-text middle"
                    )
                )
            made.append(tag("g", *inner, class_=f"s{hue % COLOURS}"))
            x += width
        return made

    def _listed(self, bar: _Bar) -> str:
        return ", ".join(
            f"{self._called(name)} {bar.said(part)}"
            for name, part in zip(self.parts, bar.parts, strict=True)
        )

    def _called(self, name: Any) -> str:
        return self.labels.get(str(name), str(name))
