"""A gallery: records as small pictures, each with its value and interval."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unteach.core import BadInput

from .._drawing.figure import figure
from ..page.markup import Html, join, tag
from ..page.number_format import number, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need


@dataclass(frozen=True)
class Gallery:
    """Rows of small grey pictures, each with a line of text and a bar for its interval.

    Parameters
    ----------
    table : one row a picture
    pixels : the column with a picture's shades, a list of height * width numbers, row by row;
        the largest is the darkest
    value, low, high : columns of numbers; the bar runs over `span`
    row : the column that tells rows of pictures apart
    text : columns written beneath, such as the label and the id
    shape : height and width of the pictures
    span : the ends of the bars
    marked : a column of booleans; those that are true are framed, `marked_label` says why
    """

    table: str
    shape: tuple[int, int]
    pixels: str = "pixels"
    value: str = "value"
    low: str = "low"
    high: str = "high"
    row: str | None = None
    text: tuple[str, ...] = ()
    title: str = ""
    caption: str = ""
    span: tuple[float, float] = (0.0, 1.0)
    marked: str | None = None
    marked_label: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing or a picture has another size."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(
            table,
            self.pixels,
            self.value,
            self.low,
            self.high,
            self.row,
            *self.text,
            self.marked,
            *self.where,
        )
        size = self.shape[0] * self.shape[1]
        for shades in table.where(**self.where)[self.pixels]:
            if len(shades) != size:
                raise BadInput(f"a picture has {len(shades)} shades, {self.shape} needs {size}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        table = drawing.page.table(self.table).where(**self.where)
        rows = list(table.rows())
        names = list(dict.fromkeys(str(r[self.row]) for r in rows)) if self.row else [""]
        groups: list[Html] = []
        for name in names:
            heading = tag("p", self.labels.get(name, name), class_="row-title") if name else ""
            mine = [r for r in rows if not self.row or str(r[self.row]) == name]
            cards = [self._card(r, table.units[self.value]) for r in mine]
            groups.append(join([heading, tag("div", *cards, class_="gallery-row")]))
        note = (
            tag("p", tag("span", class_="swatch marked"), self.marked_label, class_="panel-note")
            if self.marked_label
            else ""
        )
        return figure(
            drawing, join([*groups, note]), title=self.title, caption=self.caption, kind="gallery"
        )

    def _card(self, row: Mapping[str, Any], unit: str) -> Html:
        words = " · ".join(
            f"{self.labels.get(c, c.replace('_', ' '))} {row[c]}".strip() for c in self.text
        )
        value, low, high = (float(row[c]) for c in (self.value, self.low, self.high))
        said = number(scaled(value, unit), 2) + suffix(unit)
        ends = f"[{number(scaled(low, unit), 2)}, {number(scaled(high, unit), 2)}]"
        picture = tag(
            "img",
            src=png(row[self.pixels], self.shape),
            alt=words,
            width=64,
            height=round(64 * self.shape[0] / self.shape[1]),
            loading="lazy",
        )
        framed = " marked" if self.marked and row[self.marked] else ""
        return tag(
            "div",
            picture,
            self._bar(value, low, high),
            tag("p", tag("b", said), " ", tag("span", ends, class_="ci"), class_="num"),
            tag("p", words, class_="panel-note"),
            class_=f"picture{framed}",
        )

    def _bar(self, value: float, low: float, high: float) -> Html:
        a, b = self.span

        def at(v: float) -> float:
            return 4 + 92 * (min(max(v, a), b) - a) / (b - a)

        return tag(
            "svg",
            tag("line", x1=4, x2=96, y1=5, y2=5, class_="rail"),
            tag("line", x1=at(low), x2=at(high), y1=5, y2=5, class_="range"),
            tag("circle", cx=at(value), cy=5, r=3.4, class_="value"),
            viewbox="0 0 100 10",
            class_="bar",
            aria_hidden="true",
        )


def png(shades: Sequence[float], shape: tuple[int, int]) -> str:
    """Return a grey picture as a data address; the largest shade is black on white.

    >>> png([0, 1, 2, 3], (2, 2))[:30]
    'data:image/png;base64,iVBORw0K'
    """
    values = np.asarray(shades, dtype=np.float64).reshape(shape)
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.zeros(shape)
    grey = np.round(255 * (1 - share)).astype(np.uint8)
    raw = b"".join(b"\0" + line.tobytes() for line in grey)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", shape[1], shape[0], 8, 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9))
    return "data:image/png;base64," + base64.b64encode(file + chunk(b"IEND", b"")).decode()
