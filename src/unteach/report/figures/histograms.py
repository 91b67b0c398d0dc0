"""Histograms: what several sets of models say of a few records, one panel a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import COLOURS, text_width
from .._drawing.picture import Picture, grid, pictured
from .._drawing.scale import Scale, across
from ..page.markup import Html, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need

_HIGH, _TOP = 226.0, 62.0


@dataclass(frozen=True)
class Histograms:
    """Small multiples of histograms that lie over each other.

    Parameters
    ----------
    table : one row a bin: `panel`, `series`, and the columns `left`, `right` and `share`
    panel : the column that tells panels apart, `heading` before its value is the first line
    notes : the columns of the lines beneath that, the same in all rows of a panel
    series : the column that tells histograms of one panel apart
    order : the series in the order in which they are drawn, the last one as a heavy outline
    hues : the colour of each, 0 to 5
    where : only the rows whose columns have these values
    """

    table: str
    panel: str
    series: str
    order: tuple[str, ...]
    hues: tuple[int, ...]
    notes: tuple[str, ...] = ()
    heading: str = ""
    title: str = ""
    caption: str = ""
    x_label: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.hues) != len(self.order) or not self.order:
            raise BadInput(f"each series has a hue, got {self.hues} for {self.order}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or a series has no place in the order."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.panel, self.series, *self.notes, "left", "right", "share", *self.where)
        table = table.where(**self.where)
        strange = set(table[self.series]) - set(self.order)
        if strange or len(table) == 0:
            raise BadInput(
                f"table {self.table!r} holds {sorted(strange)} where the order of "
                f"histograms is {self.order}"
            )

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "histograms")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels: all panels in a row, or two and two."""
        table = page.table(self.table).where(**self.where)
        names = list(dict.fromkeys(table[self.panel]))
        columns = min(len(names), 4 if width >= 640 else 2)
        parts: list[Html] = []
        spoken: list[str] = []
        places = grid(len(names), columns, width, _HIGH, gap=26.0)
        for name, (left, top, wide) in zip(names, places, strict=True):
            rows = list(table.where(**{self.panel: name}).rows())
            parts += self._panel(rows, self._head(name), left, top, wide)
            spoken.append(self._words(rows, self._head(name)))
        height = places[-1][1] + _HIGH
        return Picture(width, height, parts, "; ".join(spoken), self._key())

    def _panel(
        self, rows: list[dict[str, Any]], head: str, left: float, top: float, wide: float
    ) -> list[Html]:
        x = Scale(
            min(r["left"] for r in rows), max(r["right"] for r in rows), left + 2, left + wide - 2
        )
        foot = top + _HIGH - 50
        y = Scale(0.0, max(float(r["share"]) for r in rows), foot, top + _TOP)
        parts = [tag("text", fitted(head, wide), x=left, y=top + 13, class_="panel-name")]
        for k, note in enumerate(self.notes):
            parts.append(
                tag(
                    "text",
                    str(rows[0][note]),
                    x=left,
                    y=top + 30 + 16 * k,
                    class_="axis-label note",
                )
            )
        for at, name in enumerate(self.order):
            own = sorted((r for r in rows if r[self.series] == name), key=lambda r: r["left"])
            if own:
                last = at == len(self.order) - 1
                parts.append(self._steps(own, x, y, self.hues[at], last))
        return [*parts, *across(x, foot, self.x_label, "", room=52.0, below=33.0)]

    def _steps(self, rows: list[dict[str, Any]], x: Scale, y: Scale, hue: int, last: bool) -> Html:
        kept = [r for r in rows if r["share"] > 0]
        d = ""
        before: float | None = None
        for row in kept:
            a, b, top = x.at(row["left"]), x.at(row["right"]), y.at(float(row["share"]))
            apart = before is None or abs(row["left"] - before) > 1e-9 * (1 + abs(before))
            if apart:
                d += f"V{y.start:.1f}" if d else ""
                d += f"M{a:.1f} {y.start:.1f}"
            d += f"V{top:.1f}H{b:.1f}"
            before = row["right"]
        d += f"V{y.start:.1f}"
        kind = "step heavy" if last else "step"
        inside = [] if last else [tag("path", d=d, class_="heap")]
        return tag("g", *inside, tag("path", d=d, class_=kind), class_=f"s{hue % COLOURS}")

    def _key(self) -> list[tuple[Html, str]]:
        entries: list[tuple[Html, str]] = []
        for at, name in enumerate(self.order):
            last = at == len(self.order) - 1
            d = "M-11 6V-5H11V6"
            inside = [] if last else [tag("path", d=d, class_="heap")]
            mark = tag(
                "g",
                *inside,
                tag("path", d=d, class_="step heavy" if last else "step"),
                class_=f"s{self.hues[at] % COLOURS}",
            )
            entries.append((mark, self._called(name)))
        return entries

    def _words(self, rows: list[dict[str, Any]], head: str) -> str:
        said = []
        for name in self.order:
            own = [r for r in rows if r[self.series] == name and r["share"] > 0]
            if own:
                said.append(
                    f"{self._called(name)} from {number(own[0]['left'], 2)} to "
                    f"{number(own[-1]['right'], 2)}"
                )
        return f"{head}: " + ", ".join(said)

    def _head(self, name: Any) -> str:
        called = self._called(name)
        told = called.startswith(f"{self.heading}-")  # such as the digest of a record
        return called if told else f"{self.heading} {called}".strip()

    def _called(self, name: Any) -> str:
        return self.labels.get(str(name), str(name))


def fitted(text: str, wide: float) -> str:
    """Return a text cut in its middle where it is wider than so many pixels.

    >>> fitted("record record-83a93c823f6ecfe2", 120.0)
    'record record…cfe2'
    """
    kept = len(text)
    while kept > 5 and text_width(shortened := _cut(text, kept), 13.5) > wide:
        kept -= 1
    return text if kept == len(text) else shortened


def _cut(text: str, kept: int) -> str:
    tail = min(4, kept // 3)
    return text if kept >= len(text) else f"{text[: kept - tail - 1]}…{text[-tail:]}"
