"""Heat maps: a value for every pair of settings, its colour away from zero on both sides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import figure, text_width
from ..page.markup import Html, join, tag
from ..page.number_format import number, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need

_CELL, _HIGH = 84.0, 46.0


@dataclass(frozen=True)
class Heatmap:
    """Small multiples of a coloured grid; every cell says its number.

    Blue is below `middle`, orange above, white at it. A cell whose interval holds the middle is
    pale and its number is grey: it cannot be told from it.

    Parameters
    ----------
    table : one row a (row, facet, y, x)
    x, y : the columns that place a cell; their values stand in order of appearance
    value : the number in the cell; a missing one leaves it empty
    low, high : its interval, or None
    facet, row : columns that tell grids apart, side by side and one beneath the other
    middle : the value without a colour · limit : how far from it the colours are full; None: the
        largest there is
    digits : decimals of the numbers
    """

    table: str
    x: str
    y: str
    value: str
    low: str | None = None
    high: str | None = None
    facet: str | None = None
    row: str | None = None
    title: str = ""
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    middle: float = 0.0
    limit: float | None = None
    digits: int = 2
    signed: bool = False
    where: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise BadInput("a heat map takes both low and high, or neither")
        if self.limit is not None and not self.limit > 0:
            raise BadInput(f"limit is above 0, got {self.limit!r}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the table or a column is missing, or nothing is left to draw."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(
            table,
            self.x,
            self.y,
            self.value,
            self.low,
            self.high,
            self.facet,
            self.row,
            *self.where,
        )
        if len(table.where(**self.where)) == 0:
            raise BadInput(f"table {self.table!r} has no rows where {dict(self.where)}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        table = drawing.page.table(self.table).where(**self.where)
        rows = list(table.rows())
        unit = table.units[self.value]
        far = [abs(float(r[self.value]) - self.middle) for r in rows if _known(r[self.value])]
        limit = self.limit or max(far, default=1.0) or 1.0
        lines = _values(rows, self.row)
        facets = _values(rows, self.facet)
        body: list[Html] = []
        for line in lines:
            panels = []
            for facet in facets:
                mine = [r for r in rows if _is(r, self.row, line) and _is(r, self.facet, facet)]
                head = "" if facet is None else self._called(facet)
                grid = self._grid(mine, _values(rows, self.x), _values(rows, self.y), limit, unit)
                panels.append(
                    tag(
                        "div",
                        tag("p", head, class_="panel-title") if head else "",
                        grid,
                        class_="panel",
                    )
                )
            heading = "" if line is None else tag("p", self._called(line), class_="row-title")
            inner = tag("div", *panels, class_=f"panels of-{min(max(len(panels), 2), 4)}")
            body.append(join([heading, inner]))
        return figure(drawing, join(body), title=self.title, caption=self.caption, kind="heatmap")

    def _called(self, value: Any) -> str:
        said = number(value) if isinstance(value, float) else str(value)
        return self.labels.get(str(value), said)

    def _grid(
        self, rows: list[dict[str, Any]], xs: list[Any], ys: list[Any], limit: float, unit: str
    ) -> Html:
        left = 26 + max(text_width(self._called(y), 11.5) for y in ys)
        width, height = left + _CELL * len(xs) + 4, 46 + _HIGH * len(ys)
        at = {(r[self.x], r[self.y]): r for r in rows}
        parts: list[Html] = []
        for j, y in enumerate(ys):
            middle = 4 + _HIGH * (j + 0.5) + 4
            parts.append(tag("text", self._called(y), x=left - 8, y=middle, class_="tick end"))
            for i, x in enumerate(xs):
                row = at.get((x, y))
                if row is not None and _known(row[self.value]):
                    parts.append(self._cell(row, left + _CELL * i, 4 + _HIGH * j, limit, unit))
        for i, x in enumerate(xs):
            parts.append(
                tag(
                    "text",
                    self._called(x),
                    x=left + _CELL * (i + 0.5),
                    y=height - 24,
                    class_="tick middle",
                )
            )
        parts.append(
            tag(
                "text",
                self.x_label or self.x,
                x=left + _CELL * len(xs) / 2,
                y=height - 5,
                class_="axis-label middle",
            )
        )
        turn = f"translate(11 {4 + _HIGH * len(ys) / 2:.0f}) rotate(-90)"
        parts.append(
            tag("text", self.y_label or self.y, transform=turn, class_="axis-label middle")
        )
        return tag(
            "svg",
            *parts,
            viewbox=f"0 0 {width:.0f} {height:.0f}",
            width=round(width),
            height=round(height),
            class_="heat chart",
            role="img",
            aria_label=self._spoken(rows, unit),
        )

    def _cell(
        self, row: Mapping[str, Any], left: float, top: float, limit: float, unit: str
    ) -> Html:
        value = float(row[self.value])
        strength = min(1.0, abs(value - self.middle) / limit)
        ends = (
            ""
            if self.low is None or self.high is None
            else (f" [{self._said(row[self.low], unit)}, {self._said(row[self.high], unit)}]")
        )
        unsure = self._unsure(row)
        side = "below" if value < self.middle else "above"
        box = tag(
            "rect",
            x=left + 1,
            y=top + 1,
            width=_CELL - 2,
            height=_HIGH - 2,
            rx=4,
            class_=f"cell {side}",
            fill_opacity=f"{(0.12 if unsure else 0.16 + 0.84 * strength):.2f}",
        )
        pale = "unsure" if unsure else "strong" if strength > 0.6 else ""
        text = tag(
            "text",
            self._said(value, unit),
            x=left + _CELL / 2,
            y=top + _HIGH / 2 + 4.5,
            class_=f"cell-text middle {pale}".strip(),
        )
        words = f"{self._called(row[self.y])}, {self._called(row[self.x])}: "
        return tag("g", tag("title", words + self._said(value, unit) + ends), box, text)

    def _unsure(self, row: Mapping[str, Any]) -> bool:
        if self.low is None or self.high is None:
            return False
        return bool(_known(row[self.low]) and row[self.low] <= self.middle <= row[self.high])

    def _said(self, value: Any, unit: str) -> str:
        said = number(scaled(float(value), unit), self.digits) + suffix(unit)
        return f"+{said}" if self.signed and float(value) > 0 else said

    def _spoken(self, rows: list[dict[str, Any]], unit: str) -> str:
        return "; ".join(
            f"{self._called(r[self.y])}, {self._called(r[self.x])}: "
            f"{self._said(r[self.value], unit)}"
            for r in rows
            if _known(r[self.value])
        )


def _values(rows: list[dict[str, Any]], column: str | None) -> list[Any]:
    return [None] if column is None else list(dict.fromkeys(r[column] for r in rows))


def _is(row: Mapping[str, Any], column: str | None, value: Any) -> bool:
    return column is None or row[column] == value


def _known(value: Any) -> bool:
    return value is not None and not isinstance(value, str) and math.isfinite(float(value))
