"""Waterfall: one bar a record, the largest first, coloured by a second number, under a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from unteach.core import BadInput

from .._drawing.picture import Picture, grid, pictured
from .._drawing.scale import Scale, room_for, spanning, up, written
from ..page.markup import Html, join, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need

_HIGH, _TOP, _FOOT = 214.0, 46.0, 30.0
_SHADES = 5


@dataclass(frozen=True)
class Waterfall:
    """Bars of records in falling order, darker where another number is larger.

    Parameters
    ----------
    table : one row a record (and facet)
    value : the height of a bar, at least 0; a record at 0 is a dot on the line
    shade : the number by which it is coloured
    limit : the column whose first value in a panel is a dashed line: what can be shown at most
    facet : the column that tells panels apart, or None
    """

    table: str
    value: str
    shade: str
    limit: str
    facet: str | None = None
    title: str = ""
    caption: str = ""
    x_label: str = "records"
    y_label: str = ""
    shade_label: str = ""
    limit_label: str = "limit"
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or a bar would hang below the line."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.value, self.shade, self.limit, self.facet)
        if len(table) == 0 or min(table[self.value]) < 0:
            raise BadInput(f"table {self.table!r} must hold bars of at least 0 to draw them")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "waterfall")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels."""
        table = page.table(self.table)
        rows = list(table.rows())
        names = [None] if self.facet is None else list(dict.fromkeys(table[self.facet]))
        columns = min(len(names), 1 if width < 500 else 2 if len(names) in (2, 4) else 3)
        y = spanning([*table[self.value], *table[self.limit], 0.0], pad=0.03)
        steps = _edges(table[self.shade])
        parts: list[Html] = []
        spoken: list[str] = []
        places = grid(len(names), columns, width, _HIGH)
        for name, (left, top, across) in zip(names, places, strict=True):
            own = [r for r in rows if self.facet is None or r[self.facet] == name]
            own.sort(key=lambda r: (-float(r[self.value]), -float(r[self.shade])))
            head = "" if name is None else self.labels.get(str(name), str(name))
            parts += self._panel(own, head, Scale(0.0, y.high), steps, (left, top, across))
            spoken.append(f"{head}: " + ", ".join(number(r[self.value], 2) for r in own))
        height = places[-1][1] + _HIGH
        return Picture(
            width, height, parts, f"{self.y_label}, " + "; ".join(spoken), self._key(steps)
        )

    def _panel(
        self,
        rows: list[dict[str, Any]],
        head: str,
        held: Scale,
        steps: list[float],
        place: tuple[float, float, float],
    ) -> list[Html]:
        left, top, across = place
        y = Scale(0.0, held.high, top + _HIGH - _FOOT - 12, top + _TOP)
        ticks = y.ticks(4)
        words = written(ticks, "")
        start, end = left + room_for(words), left + across
        parts = [
            tag("text", head, x=left, y=top + 13, class_="panel-name"),
            tag("text", "" if left else self.y_label, x=left, y=top + 33, class_="axis-label"),
            *up(y, start, end, ticks, words),
        ]
        limit = y.at(float(rows[0][self.limit]))
        step = (end - start) / len(rows)
        thick = max(min(step - 1.0, 0.86 * step, 18.0), 0.4 * step)
        for k, row in enumerate(rows):
            middle, height = start + (k + 0.5) * step, y.start - y.at(float(row[self.value]))
            shade = f"m{sum(float(row[self.shade]) >= e for e in steps[1:-1])}"
            words_ = f"{number(row[self.value], 2)}; {number(row[self.shade], 2)}"
            shape = (
                tag(
                    "rect",
                    tag("title", words_),
                    x=middle - thick / 2,
                    y=y.start - height,
                    width=thick,
                    height=height,
                    class_=f"shade {shade}",
                )
                if height > 0.5
                else tag(
                    "circle",
                    tag("title", words_),
                    cx=middle,
                    cy=y.start - 3,
                    r=min(2.4, 0.42 * step),
                    class_=f"shade {shade}",
                )
            )
            parts.append(shape)
        parts += [
            tag("line", x1=start, x2=end, y1=y.start, y2=y.start, class_="axis"),
            tag("line", x1=start, x2=end, y1=limit, y2=limit, class_="limit"),
            tag(
                "text",
                f"{len(rows)} {self.x_label}",
                x=(start + end) / 2,
                y=y.start + 18,
                class_="tick middle",
            ),
        ]
        return parts

    def _key(self, steps: list[float]) -> list[tuple[Html, str]]:
        words = written(steps, "")
        entries: list[tuple[Html, str]] = [
            (tag("line", x1=-12, x2=12, y1=0, y2=0, class_="limit"), self.limit_label)
        ]
        for k, (low, high) in enumerate(pairwise(words)):
            said = f"{low} to {high}"
            if k == 0:
                said = f"{self.shade_label} below {high}".strip()
            elif k == len(words) - 2:
                said = f"{low} and more"
            shown = tag("rect", x=-9, y=-6, width=18, height=12, class_=f"shade m{k}")
            entries.append((join([shown]), said))
        return entries


def _edges(values: list[Any]) -> list[float]:
    """Return round values that part numbers into at most five shades, open at both ends.

    >>> _edges([0.3, 4.1, 9.2])
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    held = spanning([float(v) for v in values], pad=0.0)
    for about in range(_SHADES + 1, 0, -1):
        inner = [t for t in held.ticks(about) if held.low < t < held.high]
        if 1 <= len(inner) <= _SHADES - 1:
            step = inner[1] - inner[0] if len(inner) > 1 else held.high - inner[0]
            return [inner[0] - step, *inner, inner[-1] + step]
    return [held.low, held.high]
