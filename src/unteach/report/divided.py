"""Divided bars: how answers divide into shares of a whole, one bar a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .figure import figure, key, text_width
from .markup import Html, tag
from .page import Drawing, Page
from .tables import need

_TALL, _WIDE = 30.0, 1000.0
_FILLS = ("sh-0", "sh-1", "sh-2", "sh-3")


@dataclass(frozen=True)
class Divided:
    """Bars that are divided into shares; each row of the table is one bar.

    Parameters
    ----------
    table : with one row a bar
    label : the column that names a bar
    parts : the columns of the shares, at most four, which sum to 1 at most
    group : the column by which bars stand together under a heading, or None
    labels : what parts, bars and groups are called here

    Examples
    --------
    >>> from unteach.core import Table
    >>> t = Table("t", {"who": ["MM"], "new": [0.75], "old": [0.25]})
    >>> page = Page("S", "?", (), (Divided("t", "who", ("new", "old")),), "", "", {}, (), (t,))
    >>> print(page.blocks[0].text(page))
    MM  new 75 %, old 25 %
    """

    table: str
    label: str
    parts: tuple[str, ...]
    group: str | None = None
    title: str = ""
    caption: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or shares are none."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.label, *self.parts, self.group, *self.where)
        if not 1 <= len(self.parts) <= len(_FILLS):
            raise BadInput(f"a bar has one to {len(_FILLS)} parts, got {len(self.parts)}")
        rows = self._rows(page)
        for row in rows:
            shares = [float(row[p]) for p in self.parts]
            if min(shares) < 0 or sum(shares) > 1 + 1e-6:
                raise BadInput(f"the shares of {row[self.label]!r} are {shares}; they are parts "
                               "of one whole")  # fmt: skip
        if not rows:
            raise BadInput(f"table {self.table!r} has no rows where {dict(self.where)}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        rows = self._rows(drawing.page)
        left = 24 + max(text_width(self._called(r[self.label]), 14) for r in rows)
        parts: list[Html] = []
        y, last = 4.0, None
        for row in rows:
            if self.group is not None and row[self.group] != last:
                last = row[self.group]
                y += 8 if parts else 0
                parts.append(tag("text", self._called(last), x=0, y=y + 15, class_="m-axis"))
                y += 24
            parts.append(tag("text", self._called(row[self.label]), x=left - 10,
                             y=y + _TALL / 2 + 1, class_="m-name end"))
            parts += self._bar(row, left, y)
            y += _TALL
        picture = tag("svg", *parts, viewbox=f"0 0 {_WIDE:.0f} {y + 4:.0f}", role="img",
                      class_="h-svg", aria_label=f"{len(rows)} bars of shares")  # fmt: skip
        entries = [
            (tag("rect", x=-12, y=-7, width=24, height=14, rx=3, class_=fill),
             self._called(part))
            for part, fill in zip(self.parts, _FILLS, strict=False)
        ]
        body = tag("div", key(entries), tag("div", picture, class_="h-holder", tabindex=0))
        return figure(drawing, body, title=self.title, caption=self.caption, kind="shares")

    def text(self, page: Page) -> str:
        """Return the bars as lines of text."""
        lines: list[str] = []
        last = None
        for row in self._rows(page):
            if self.group is not None and row[self.group] != last:
                last = row[self.group]
                lines.append(self._called(last))
            said = ", ".join(f"{self._called(p)} {row[p]:.0%}".replace("%", " %")
                             for p in self.parts)  # fmt: skip
            lines.append(f"{self._called(row[self.label])}  {said}")
        return "\n".join(lines)

    def _bar(self, row: Mapping[str, Any], left: float, y: float) -> list[Html]:
        made: list[Html] = []
        x, whole = left, _WIDE - left
        for part, fill in zip(self.parts, _FILLS, strict=False):
            share = float(row[part])
            width = share * whole
            if width <= 0:
                continue
            made.append(tag("rect", tag("title", f"{self._called(part)}: {share:.3f}"), x=x,
                            y=y + 3, width=f"{width:.1f}", height=_TALL - 9,
                            class_=fill))  # fmt: skip
            if width > 44:
                made.append(tag("text", f"{share:.0%}", x=x + width / 2, y=y + _TALL / 2 + 3,
                                class_="m-value middle"))  # fmt: skip
            x += width
        return made

    def _rows(self, page: Page) -> list[dict[str, Any]]:
        return list(page.table(self.table).where(**self.where).rows())

    def _called(self, name: Any) -> str:
        return self.labels.get(str(name), str(name))
