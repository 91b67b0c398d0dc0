"""A matrix over the same names twice: in a given order, marked where something was expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Table

from .._drawing.figure import figure, key, text_width
from ..page.markup import Html, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need

_SIDE, _TALL, _TOP = 62.0, 38.0, 46.0
_SHADES = " ░▒▓█"


@dataclass(frozen=True)
class Matrix:
    """One value for each pair of names, coloured from its distance to zero.

    Above zero is one colour, below it another, both from nothing to full at `full`. Cells that
    the table does not have, such as a diagonal, stay empty. A `Heatmap` shows grids over two
    different settings, side by side; a matrix has an order, marks, and a form as text.

    Parameters
    ----------
    table : with one row a cell
    row, column, value : its columns
    order : rows and columns in this order; those that are not in the table are left out. None:
        as they come
    full : the absolute value at which a colour is full, above 0
    marked : a column of booleans; where it is true, the cell has a frame
    marks : what such a frame means, in words
    rows, columns : what the axes are called
    digits : decimals of the values

    Examples
    --------
    >>> cells = Table("e", {"s": ["A", "B"], "t": ["B", "A"], "fall": [0.9, -0.05]})
    >>> page = Page("E", "?", (), (Matrix("e", "s", "t", "fall"),), "", "", {}, (), (cells,))
    >>> print(page.blocks[0].text(page))
          A      B
    A     ·   0.90█
    B −0.05       ·
    """

    table: str
    row: str
    column: str
    value: str
    title: str = ""
    caption: str = ""
    order: tuple[str, ...] | None = None
    full: float = 1.0
    marked: str | None = None
    marks: str = "declared"
    rows: str = ""
    columns: str = ""
    digits: int = 2
    above: str = "above zero"
    below: str = "below zero"
    labels: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, a cell is there twice, or none is."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.row, self.column, self.value, self.marked, *self.where)
        if not self.full > 0:
            raise BadInput(f"full is above 0, got {self.full}")
        self._cells(table)

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        cells = self._cells(drawing.page.table(self.table))
        downs, acrosses = self._axes(cells)
        names = [self.labels.get(n, n) for n in downs]
        left = max(text_width(n, 14.0) for n in names) + (44.0 if self.rows else 20.0)
        width, height = left + _SIDE * len(acrosses), _TOP + _TALL * len(downs)
        parts: list[Html] = []
        if self.columns:
            parts.append(
                tag(
                    "text",
                    self.columns,
                    x=left + _SIDE * len(acrosses) / 2,
                    y=12,
                    class_="m-axis middle",
                )
            )
        if self.rows:
            y = _TOP + _TALL * len(downs) / 2
            parts.append(
                tag(
                    "text",
                    self.rows,
                    x=12,
                    y=y,
                    class_="m-axis middle",
                    transform=f"rotate(-90 12 {y:.0f})",
                )
            )
        for k, name in enumerate(acrosses):
            parts.append(
                tag(
                    "text",
                    self.labels.get(name, name),
                    x=left + _SIDE * (k + 0.5),
                    y=_TOP - 11,
                    class_="m-name middle",
                )
            )
        for i, (row, name) in enumerate(zip(downs, names, strict=True)):
            y = _TOP + _TALL * i
            parts.append(tag("text", name, x=left - 12, y=y + _TALL / 2 + 5, class_="m-name end"))
            for j, column in enumerate(acrosses):
                parts.append(self._cell(cells.get((row, column)), left + _SIDE * j, y, row, column))
        picture = tag(
            "svg",
            *parts,
            viewbox=f"0 0 {width:.0f} {height:.0f}",
            role="img",
            width=round(width),
            height=round(height),
            class_="m-svg",
            aria_label=f"{len(downs)} by {len(acrosses)} values",
        )
        body = tag("div", self._key(cells), tag("div", picture, class_="h-holder", tabindex=0))
        return figure(drawing, body, title=self.title, caption=self.caption, kind="matrix")

    def text(self, page: Page) -> str:
        """Return the matrix as lines of text, each value with a shade for its size."""
        cells = self._cells(page.table(self.table))
        downs, acrosses = self._axes(cells)
        names = {n: self.labels.get(n, n) for n in (*downs, *acrosses)}
        wide = max(self.digits + 4, *(len(names[n]) for n in acrosses))
        first = max(len(names[n]) for n in downs)
        lines = [" " * first + "".join(f" {names[n]:>{wide}} " for n in acrosses)]
        for row in downs:
            line = f"{names[row]:<{first}}"
            for column in acrosses:
                cell = cells.get((row, column))
                value = None if cell is None else cell[self.value]
                said = "·" if value is None else number(value, self.digits)
                line += f" {said:>{wide}}{' ' if value is None else self._shade(value)}"
            lines.append(line)
        return "\n".join(line.rstrip() for line in lines)

    def _shade(self, value: float) -> str:
        return _SHADES[min(4, max(0, math.ceil(min(1.0, value / self.full) * 4 - 0.4)))]

    def _cells(self, table: Table) -> dict[tuple[Any, Any], dict[str, Any]]:
        cells: dict[tuple[Any, Any], dict[str, Any]] = {}
        for row in table.where(**self.where).rows():
            place = (row[self.row], row[self.column])
            if place in cells:
                raise BadInput(
                    f"table {self.table!r} has two values for {place}; say which with "
                    "where=, or average them first"
                )
            cells[place] = row
        if not cells:
            raise BadInput(f"table {self.table!r} has no rows where {dict(self.where)}")
        return cells

    def _axes(self, cells: Mapping[tuple[Any, Any], Any]) -> tuple[list[Any], list[Any]]:
        downs = list(dict.fromkeys(r for r, _ in cells))
        acrosses = list(dict.fromkeys(c for _, c in cells))
        if self.order is None:
            same = set(downs) == set(acrosses)
            return downs, downs if same else acrosses
        return ([n for n in self.order if n in downs], [n for n in self.order if n in acrosses])

    def _cell(
        self, cell: Mapping[str, Any] | None, x: float, y: float, row: Any, column: Any
    ) -> Html:
        box = {"x": x + 1.5, "y": y + 1.5, "width": _SIDE - 3, "height": _TALL - 3, "rx": 5}
        value = None if cell is None else cell[self.value]
        if value is None:
            return tag("rect", **box, class_="m-none")
        deep = min(1.0, abs(value) / self.full)
        kind = "m-above" if value >= 0 else "m-below"
        parts = [
            tag("title", f"{row}, {column}: {number(value, 3)}"),
            tag("rect", **box, class_="m-cell"),
            tag("rect", **box, class_=kind, fill_opacity=round(0.85 * deep, 3)),
        ]
        if self.marked is not None and cell is not None and cell[self.marked]:
            inner = box | {"x": x + 3, "y": y + 3, "width": _SIDE - 6, "height": _TALL - 6}
            parts.append(tag("rect", **(inner | {"rx": 4}), class_="m-marked"))
        parts.append(
            tag(
                "text",
                number(value, self.digits),
                x=x + _SIDE / 2,
                y=y + _TALL / 2 + 5,
                class_="m-value middle deep" if deep > 0.62 else "m-value middle",
            )
        )
        return tag("g", *parts)

    def _key(self, cells: Mapping[tuple[Any, Any], Mapping[str, Any]]) -> Html:
        def patch(kind: str) -> Html:
            steps = [
                tag(
                    "rect",
                    x=-14 + 7 * k,
                    y=-7,
                    width=7,
                    height=14,
                    class_=kind,
                    fill_opacity=round(0.85 * (k + 1) / 4, 2),
                )
                for k in range(4)
            ]
            return tag("g", *steps)

        entries = [(patch("m-above"), f"{self.above}, full at {number(self.full)}")]
        if any((c[self.value] or 0.0) < 0 for c in cells.values()):
            entries.append((patch("m-below"), self.below))
        if self.marked is not None:
            entries.append(
                (tag("rect", x=-12, y=-7, width=24, height=14, rx=4, class_="m-marked"), self.marks)
            )
        return key(entries)
