"""Curves: small multiples of one quantity against another, with intervals and direct labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Table

from .._drawing.curve_panel import Panel, Pen, Point
from .._drawing.figure import COLOURS, figure, key, marker
from .._drawing.picture import Picture
from .._drawing.picture import grid as tiled
from .._drawing.scale import Scale, spanning
from ..page.markup import Html, join, tag
from ..page.page import Drawing, Page
from ..page.tables import need

_SIZES = {1: (860, 360), 2: (530, 300), 3: (348, 244), 4: (262, 212)}
_SMALL = (384, 280)  # a second drawing of panels that are too wide for a telephone


@dataclass(frozen=True)
class Curves:
    """Small multiples of lines with interval bands.

    Rows in which x or y is missing are gaps in the line, never bridged.

    Parameters
    ----------
    table : name of the table; one row a point
    x, y : columns of numbers; columns in the unit "share" are shown in percent
    low, high : columns with the ends of the interval of y
    series : the column that tells lines of one panel apart
    facet, row : columns that tell panels apart, side by side and one beneath the other
    where : only the rows whose columns have these values
    order : the series in the order of their colours; the same in all figures of a page
    labels : what series, facets and rows are called here
    x_label, y_label : written along the axes
    zero_line : draw a line at y = 0, and make room for it
    reference : a number, or a column with one number a panel: a dashed level; with
        `reference_label`
    band : columns (low, high) of a grey band behind the lines, such as the null
    share_y : "all" panels have one y scale, those of a "row", or "none"
    columns : panels side by side, 1 to 4; as many as there are facets if None
    log : the axes that are drawn by logarithms, of "x" and "y"; there, values that are not above
        0 are missing
    diagonal : draw the dashed line x = y · marks : draw a mark at every point
    """

    table: str
    x: str
    y: str
    low: str | None = None
    high: str | None = None
    series: str | None = None
    facet: str | None = None
    row: str | None = None
    title: str = ""
    caption: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    x_label: str = ""
    y_label: str = ""
    zero_line: bool = False
    reference: float | str | None = None
    reference_label: str = ""
    band: tuple[str, str] | None = None
    band_label: str = ""
    share_y: str = "row"
    columns: int | None = None
    log: tuple[str, ...] = ()
    diagonal: bool = False
    diagonal_label: str = ""
    marks: bool = True

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise BadInput("curves take both low and high, or neither")
        if self.share_y not in ("all", "row", "none"):
            raise BadInput(f"share_y is 'all', 'row' or 'none', got {self.share_y!r}")
        if self.columns is not None and self.columns not in _SIZES:
            raise BadInput(f"columns is one of {tuple(_SIZES)}, got {self.columns!r}")
        if set(self.log) - {"x", "y"}:
            raise BadInput(f"log names axes, 'x' and 'y', got {self.log!r}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the table or a column is missing, or nothing is left to draw."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        level = self.reference if isinstance(self.reference, str) else None
        need(
            table,
            self.x,
            self.y,
            self.low,
            self.high,
            self.series,
            self.facet,
            self.row,
            level,
            *(self.band or ()),
            *self.where,
        )
        if len(table.where(**self.where)) == 0:
            raise BadInput(f"table {self.table!r} has no rows where {dict(self.where)}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        table = drawing.page.table(self.table).where(**self.where)
        panels, names, x_scale, pen = self._whole(table)
        rows, facets = _names(table, self.row, ()), _names(table, self.facet, ())
        columns = self.columns or min(len(facets), 4)
        labelled: dict[str, set[str]] = {}
        body: list[Html] = []
        for r in rows:
            line: list[Html] = []
            for at, f in enumerate(facets):
                panel = panels[r, f]
                start = not body and not line
                charts: list[Html] = []
                for size, kind in _drawings(columns) if panel.points() else ():
                    chart, found = pen.draw(
                        panel,
                        x_scale,
                        self._y_scale(panels, r, f),
                        size,
                        kind,
                        first=at % columns == 0,
                        label=start,
                    )
                    charts.append(chart)
                    labelled |= {kind: found} if start else {}
                name = "" if self.facet is None else self.labels.get(f, f)
                head = tag("p", name, class_="panel-title") if name else ""
                line.append(tag("div", head, *charts, class_="panel"))
            heading = tag("p", self.labels.get(r, r), class_="row-title") if self.row else ""
            grid = tag("div", *line, class_=f"panels of-{columns}")
            body.append(join([heading, grid]))
        keys = tag("div", *self._keys(names, labelled, panels.values()), class_="keys")
        body[0] = join([keys, body[0]])
        inner = join(tag("div", part, class_="row") for part in body)
        return figure(drawing, inner, title=self.title, caption=self.caption, kind="curves")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure on so many pixels, all panels in one drawing, for a paper."""
        table = page.table(self.table).where(**self.where)
        panels, names, x_scale, pen = self._whole(table)
        kept = [(k, panel) for k, panel in panels.items() if panel.points()]
        columns = min(len(kept), self.columns or 4, 2 if width < 500 else 4)
        high = float(_SMALL[1] if columns < 3 else _SIZES[columns][1])
        title = 20.0 if len(kept) > 1 else 0.0
        parts: list[Html] = []
        labelled: set[str] = set(names)
        places = tiled(len(kept), columns, width, high + title + 10)
        for at, ((key_, panel), (left, top, wide)) in enumerate(zip(kept, places, strict=True)):
            inside, found = pen.drawn(
                panel,
                x_scale,
                self._y_scale(panels, *key_),
                (wide, high),
                first=at % columns == 0,
                label=at == 0,
            )
            labelled = found if at == 0 else labelled
            if title:
                parts.append(tag("text", panel.name, x=left, y=top + 12, class_="panel-name"))
            parts.append(tag("g", *inside, transform=f"translate({left:.2f} {top + title:.2f})"))
        spoken = "; ".join(pen.spoken(panel) for _, panel in kept)
        entries = [] if len(names) < 2 or set(names) <= labelled else self._series(names)
        entries += self._levels(panels.values())
        return Picture(width, places[-1][1] + high + title, parts, spoken, entries)

    def _whole(self, table: Table) -> tuple[dict[tuple[str, str], Panel], list[str], Scale, Pen]:
        """Return the panels by row and facet, the series, and what all panels share."""
        names = _names(table, self.series, self.order)
        rows, facets = _names(table, self.row, ()), _names(table, self.facet, ())
        panels = {(r, f): self._panel(table, r, f, names) for r in rows for f in facets}
        x_scale = spanning(
            (p[0] for c in panels.values() for p in c.points()), pad=0.02, log="x" in self.log
        )
        pen = Pen(
            names,
            self.labels,
            self.x_label or self.x,
            self.y_label or self.y,
            table.units[self.x],
            table.units[self.y],
            all(isinstance(v, int) for v in table[self.x]) and table.units[self.x] != "share",
            self.zero_line,
            self.low is not None,
            self.diagonal,
            self.marks,
        )
        return panels, names, x_scale, pen

    def _panel(self, table: Table, r: str, f: str, names: Sequence[str]) -> Panel:
        kept = [
            v
            for v in table.rows()
            if (self.row is None or str(v[self.row]) == r)
            and (self.facet is None or str(v[self.facet]) == f)
        ]
        lines: dict[str, list[list[Point]]] = {}
        for name in names:
            own = [v for v in kept if self.series is None or str(v[self.series]) == name]
            if own:
                lines[name] = _pieces(own, self.x, self.y, self.low, self.high, self.log)
        level = math.nan
        if isinstance(self.reference, str):
            level = next((_finite(v[self.reference]) for v in kept), math.nan)
        elif self.reference is not None:
            level = float(self.reference)
        band: list[Point] = []
        if self.band is not None:
            low, high = self.band
            found = {_finite(v[self.x]): (_finite(v[low]), _finite(v[high])) for v in kept}
            band = [
                (x, a, a, b)
                for x, (a, b) in sorted(found.items())
                if all(map(math.isfinite, (x, a, b)))
            ]
        labels = [self.labels.get(n, n) for n in (r, f) if n]
        return Panel(", ".join(labels), lines, level, band)

    def _y_scale(self, panels: Mapping[tuple[str, str], Panel], r: str, f: str) -> Scale:
        pool = {
            "all": list(panels.values()),
            "none": [panels[r, f]],
            "row": [panel for (row, _), panel in panels.items() if row == r],
        }[self.share_y]
        values = [v for panel in pool for point in panel.points() for v in point[1:]]
        values += [panel.level for panel in pool]
        values += [v for panel in pool for point in panel.band for v in point[2:]]
        return spanning(values, zero=self.zero_line, log="y" in self.log)

    def _keys(
        self, names: Sequence[str], labelled: Mapping[str, set[str]], panels: Iterable[Panel]
    ) -> Iterator[Html]:
        """Yield the key of the series, where a drawing does not name them itself, and the rest."""
        bare = [kind for kind, found in labelled.items() if not set(names) <= found]
        if len(names) > 1 and bare:
            one_of_two = len(labelled) > 1 and len(bare) == 1
            kind = bare[0].replace("chart", "key") if one_of_two else "key"
            yield key(self._series(names), kind)
        levels = self._levels(panels)
        if levels:
            yield key(levels)

    def _series(self, names: Sequence[str]) -> list[tuple[Html, str]]:
        series: list[tuple[Html, str]] = []
        for hue, name in enumerate(names):
            marks = tag("g", marker(hue, 0, 0), class_="mark") if self.marks else ""
            mark = tag(
                "g", tag("path", d="M-12 0 12 0", class_="line"), marks, class_=f"s{hue % COLOURS}"
            )
            series.append((mark, self.labels.get(name, name)))
        return series

    def _levels(self, panels: Iterable[Panel]) -> list[tuple[Html, str]]:
        levels: list[tuple[Html, str]] = []
        line = tag("line", x1=-12, x2=12, y1=0, y2=0, class_="reference")
        if self.reference_label and any(math.isfinite(p.level) for p in panels):
            levels.append((line, self.reference_label))
        if self.diagonal and self.diagonal_label:
            levels.append((line, self.diagonal_label))
        if self.band_label:
            levels.append(
                (
                    tag("rect", x=-12, y=-6, width=24, height=12, class_="null", rx=2),
                    self.band_label,
                )
            )
        return levels


def _drawings(columns: int) -> list[tuple[tuple[int, int], str]]:
    if columns > 2:
        return [(_SIZES[columns], "chart")]
    return [(_SIZES[columns], "chart large"), (_SMALL, "chart small")]


def _finite(value: Any) -> float:
    # a table writes what is missing as None and what is not finite as a word
    return math.nan if value is None else float(value)


def _names(table: Table, column: str | None, order: Sequence[str]) -> list[str]:
    if column is None:
        return [""]
    found = list(dict.fromkeys(str(v) for v in table[column]))
    return [n for n in order if n in found] + [n for n in found if n not in order]


def _pieces(
    rows: list[dict[str, Any]],
    x: str,
    y: str,
    low: str | None,
    high: str | None,
    log: Sequence[str] = (),
) -> list[list[Point]]:
    points = []
    seen = [_finite(row[c]) for row in rows for c in (y, low) if c is not None]
    least = min((v for v in seen if v > 0), default=math.nan)
    for row in rows:
        middle = _finite(row[y])
        ends = [middle if c is None else _finite(row[c]) for c in (low, high)]
        ends = [e if math.isfinite(e) else middle for e in ends]
        across = _finite(row[x])
        if "x" in log and across <= 0:
            across = math.nan
        if "y" in log:  # an interval that reaches 0 goes down as far as any
            middle = middle if middle > 0 else math.nan
            ends = [e if e > 0 else min(least, middle) for e in ends]
        points.append((across, middle, ends[0], ends[1]))
    points = sorted((p for p in points if math.isfinite(p[0])), key=lambda p: p[0])
    pieces: list[list[Point]] = [[]]
    for point in points:
        if math.isfinite(point[1]):
            pieces[-1].append(point)
        elif pieces[-1]:
            pieces.append([])
    return [p for p in pieces if p]
