"""Intervals: one value a row on a shared line, over the band of the null and a margin's lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import marker, text_width
from .._drawing.picture import Picture, pictured
from .._drawing.scale import Scale, across, spanning
from ..page.markup import Html, tag
from ..page.number_format import number, places, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need

TONES = ("ink", "holds", "unknown", "fails", "beyond")
_ROW, _TALL, _HEAD = 26.0, 40.0, 30.0
_ROOM = 640.0  # pixels from which on names stand beside their bars


@dataclass(frozen=True)
class Intervals:
    """A forest: values with their intervals, one a row.

    Parameters
    ----------
    table : one row a row, in the order in which they are drawn
    label : the column that names a row
    value, low, high : columns of numbers
    group : the column by which rows stand together under a heading, or None
    band : columns (low, high) of a grey band behind each row, such as the null; missing: none
    lines : columns whose first values are dashed lines across all rows, such as a margin's ends
    middle : a value with a line of its own, such as chance
    kind : the column of what is said of a row, written beside it · kinds : its values in the
        order of their marks -> "ink", "holds", "unknown", "fails" or "beyond"
    """

    table: str
    label: str
    value: str
    low: str
    high: str
    group: str | None = None
    band: tuple[str, str] | None = None
    lines: tuple[str, ...] = ()
    middle: float | None = None
    kind: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    caption: str = ""
    x_label: str = ""
    band_label: str = ""
    lines_label: str = ""
    middle_label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strange = set(self.kinds.values()) - set(TONES)
        if strange:
            raise BadInput(f"a kind is shown in one of {TONES}, got {sorted(strange)}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, a kind is unknown, or nothing is left."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(
            table,
            self.label,
            self.value,
            self.low,
            self.high,
            self.group,
            self.kind,
            *(self.band or ()),
            *self.lines,
        )
        if len(table) == 0:
            raise BadInput(f"table {self.table!r} has no rows to draw")
        strange = set(table[self.kind]) - set(self.kinds) if self.kind else set()
        if strange:
            raise BadInput(f"table {self.table!r} says {sorted(strange)}, and kinds name no mark")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "intervals")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels; where they are few, names stand over the bars."""
        table = page.table(self.table)
        rows, unit = list(table.rows()), table.units[self.value]
        columns = [self.value, self.low, self.high, *(self.band or ()), *self.lines]
        seen = [float(v) for c in columns for v in table[c] if v is not None]
        seen += [] if self.middle is None else [self.middle]
        beside = width >= _ROOM
        few = max(min(3, places(float(r[self.low]), float(r[self.high]))) for r in rows)
        said = [self._said(row, unit, few) for row in rows]
        left = 14.0 + max(text_width(self._name(r)) for r in rows) if beside else 6.0
        kinds = max((text_width(k) for k in self.kinds), default=0.0) if self.kind else 0.0
        right = max(map(text_width, said)) + kinds + 34.0 if beside else 6.0
        held = spanning(seen, pad=0.04)
        x = Scale(held.low, held.high, left, width - right)
        bars: list[Html] = []
        behind: list[Html] = []
        y, last = 6.0, None
        for row, words in zip(rows, said, strict=True):
            if self.group is not None and row[self.group] != last:
                last = row[self.group]
                y += 8.0 if bars else 0.0
                bars.append(_strip(0, y - 8, width, _HEAD + 4))
                bars.append(tag("text", self._called(last), x=0, y=y + 14, class_="group-name"))
                y += _HEAD
            tall = _ROW if beside else _TALL
            behind += self._band(row, x, y, tall)
            bars += self._row(row, words, x, y, width, beside)
            y += tall
        foot = y + 2
        lines = self._lines(table, x, foot)
        axis = across(x, foot, self.x_label, unit, head=4.0, room=50.0)
        parts = [*behind, *axis, *lines, *bars]
        spoken = "; ".join(f"{self._name(r)} {w}" for r, w in zip(rows, said, strict=True))
        return Picture(width, foot + 42, parts, spoken, self._key(rows))

    def _row(
        self, row: Mapping[str, Any], said: str, x: Scale, y: float, width: float, beside: bool
    ) -> list[Html]:
        middle = y + _ROW / 2 if beside else y + _TALL - 12
        base = middle + 4 if beside else y + 14
        low, at, high = (x.at(float(row[c])) for c in (self.low, self.value, self.high))
        tone, shape = self._look(row)
        mark = [
            tag("title", f"{self._name(row)}: {said}"),
            tag("path", d=f"M{low:.1f} {middle:.1f}H{high:.1f}", class_="whisker"),
            tag("g", marker(shape, at, middle, 4.6), class_="mark"),
        ]
        parts = [
            tag("g", *mark, class_=f"t-{tone}"),
            tag("text", self._name(row), x=0, y=base, class_="row-name"),
        ]
        if not beside:
            parts.insert(0, _strip(0, y, width, 21))
        if not beside:
            kind = f", {row[self.kind]}" if self.kind else ""
            return [*parts, tag("text", said + kind, x=width, y=base, class_="tick end")]
        parts.append(tag("text", said, x=x.end + 14, y=base, class_="tick"))
        if self.kind:
            parts.append(tag("text", row[self.kind], x=width, y=base, class_=f"kind end t-{tone}"))
        return parts

    def _band(self, row: Mapping[str, Any], x: Scale, y: float, tall: float) -> list[Html]:
        if self.band is None or any(row[c] is None for c in self.band):
            return []
        low, high = (x.at(float(row[c])) for c in self.band)
        return [tag("rect", x=low, y=y, width=high - low, height=tall, class_="null")]

    def _lines(self, table: Any, x: Scale, foot: float) -> list[Html]:
        parts = [
            tag("line", x1=x.at(v), x2=x.at(v), y1=4, y2=foot, class_="margin-line")
            for v in (float(table[c][0]) for c in self.lines)
        ]
        if self.middle is not None:
            at = x.at(self.middle)
            parts.append(tag("line", x1=at, x2=at, y1=4, y2=foot, class_="zero"))
        return parts

    def _key(self, rows: list[dict[str, Any]]) -> list[tuple[Html, str]]:
        entries: list[tuple[Html, str]] = []
        if self.band is not None and self.band_label:
            entries.append(
                (tag("rect", x=-12, y=-7, width=24, height=14, class_="null"), self.band_label)
            )
        for words, kind in ((self.lines_label, "margin-line"), (self.middle_label, "zero")):
            if words:
                entries.append((tag("line", x1=0, x2=0, y1=-7, y2=7, class_=kind), words))
        seen = {row[self.kind] for row in rows} if self.kind else set()
        for shape, (kind, tone) in enumerate(self.kinds.items()):
            if kind in seen:
                mark = tag(
                    "g",
                    tag("path", d="M-12 0H12", class_="whisker"),
                    tag("g", marker(shape, 0, 0, 4.6), class_="mark"),
                    class_=f"t-{tone}",
                )
                entries.append((mark, kind))
        return entries

    def _look(self, row: Mapping[str, Any]) -> tuple[str, int]:
        if self.kind is None:
            return "fact", 0
        return self.kinds[row[self.kind]], list(self.kinds).index(row[self.kind])

    def _said(self, row: Mapping[str, Any], unit: str, few: int) -> str:
        low, value, high = (scaled(float(row[c]), unit) for c in (self.low, self.value, self.high))
        few = max(0, few - 2) if unit == "share" else few
        return f"{number(value, few)} [{number(low, few)}, {number(high, few)}]" + suffix(unit)

    def _name(self, row: Mapping[str, Any]) -> str:
        return self._called(row[self.label])

    def _called(self, name: Any) -> str:
        return self.labels.get(str(name), str(name))


def _strip(x: float, y: float, width: float, height: float) -> Html:
    """Return a blank behind words, so that no line crosses them."""
    return tag("rect", x=x, y=y, width=width, height=height, class_="blank")
