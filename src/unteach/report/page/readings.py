"""Readings on a page: the forest (a figure), the short table, and the full appendix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unteach.core import BadInput, Reading

from .._drawing.figure import figure
from ..figures.bars import axis, bar, bar_key, scales
from .markup import Html, join, tag
from .number_format import interval, number, replicated, shown
from .page import Drawing, Page, _names
from .tables import captioned


@dataclass(frozen=True)
class Forest:
    """A figure of readings, one line each, on a shared scale for each unit.

    Parameters
    ----------
    names : the readings, in the order in which they are drawn
    title, caption : above and beneath the figure; **bold**, `code` and {reading} are understood
    labels : what a reading is called here, where its full name is too long
    headings : a heading that is put before the reading of this name
    """

    names: tuple[str, ...]
    title: str = ""
    caption: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _names("a forest", self.names))
        strange = (set(self.labels) | set(self.headings)) - set(self.names)
        if strange or not self.names:
            raise BadInput(f"a forest of {self.names} has no reading {sorted(strange)} to label")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a reading is missing."""
        for text in (self.title, self.caption):
            page.check_text(text)
        for name in self.names:
            page.reading(name)

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        readings = [drawing.page.reading(name) for name in self.names]
        scale = scales(readings)
        rows: list[Html] = []
        for at, reading in enumerate(readings):
            if reading.name in self.headings:
                rows.append(
                    tag(
                        "tr",
                        tag("th", self.headings[reading.name], colspan=4, scope="colgroup"),
                        class_="heading",
                    )
                )
            rows.append(
                tag(
                    "tr",
                    tag("th", self.labels.get(reading.name, reading.name), scope="row"),
                    tag("td", bar(reading, scale[reading.unit]), class_="bars"),
                    tag(
                        "td",
                        tag("b", shown(reading, reading.value)),
                        " ",
                        tag("span", interval(reading), class_="ci"),
                        class_="num",
                    ),
                    tag("td", replicated(reading), class_="n"),
                )
            )
            if at + 1 == len(readings) or readings[at + 1].unit != reading.unit:
                rows.append(
                    tag(
                        "tr",
                        tag("td"),
                        tag("td", axis(scale[reading.unit], reading.unit), class_="bars"),
                        tag("td", _unit(reading.unit), class_="unit", colspan=2),
                        class_="axis-row",
                    )
                )
        head = tag(
            "thead",
            tag(
                "tr",
                *(
                    tag("th", h, scope="col")
                    for h in ("reading", "interval", "value", "replicates")
                ),
            ),
            class_="unseen",
        )
        body = join([bar_key(readings), tag("table", head, tag("tbody", *rows), class_="forest")])
        return figure(drawing, body, title=self.title, caption=self.caption, kind="forest-figure")


@dataclass(frozen=True)
class ReadingsBlock:
    """A table of readings with their intervals drawn and written."""

    names: tuple[str, ...]
    caption: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _names("a block of readings", self.names))

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a reading is missing."""
        page.check_text(self.caption)
        for name in self.names:
            page.reading(name)

    def html(self, drawing: Drawing) -> Html:
        """Return the table."""
        readings = [drawing.page.reading(name) for name in self.names]
        table = readings_table(readings, full=False)
        return captioned(table, drawing.inline(self.caption))


def readings_table(readings: Sequence[Reading], *, full: bool) -> Html:
    """Return readings as a table; the full one holds everything that a reading carries."""
    scale = scales(readings)
    forgetting = any(
        r.untouched is not None or r.null is not None or r.limit is not None for r in readings
    )
    head = ["reading", "", "value", "interval"]
    head += ["untouched", "null", "limit"] if forgetting else []
    head += ["n"] + (["seeds", "table"] if full else [])
    rows = []
    for r in readings:
        note = tag("small", r.note) if r.note else ""
        cells = [
            tag("th", r.name, note, scope="row"),
            tag("td", bar(r, scale[r.unit]), class_="bars"),
            tag("td", tag("b", shown(r, r.value)), tag("small", _unit(r.unit)), class_="num"),
            tag("td", interval(r), _level(r), class_="num ci"),
        ]
        if forgetting:
            ends = dict.fromkeys(shown(r, v) for v in r.null or ())
            null = " to ".join(ends) or "–"
            cells += [_number(r, r.untouched), tag("td", null, class_="num"), _number(r, r.limit)]
        cells.append(tag("td", replicated(r), class_="n"))
        if full:
            cells += [
                tag("td", _seeds(r.seeds), class_="n"),
                tag("td", tag("code", r.table) if r.table else "–", class_="n"),
            ]
        rows.append(tag("tr", *cells))
    columns = tag(
        "tr",
        *(
            tag("th", h, scope="col", class_=None if h in ("reading", "", "table") else "num")
            if h not in ("n", "seeds")
            else tag("th", h, scope="col")
            for h in head
        ),
    )
    table = tag(
        "table",
        tag("thead", columns),
        tag("tbody", *rows),
        class_="data readings full" if full else "data readings",
    )
    return tag(
        "div",
        table,
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="a table of readings, scrollable",
    )


def _number(reading: Reading, value: float | None) -> Html:
    return tag("td", "–" if value is None else shown(reading, value), class_="num")


def _level(reading: Reading) -> Html | str:
    usual = reading.level == 0.95
    return "" if usual else tag("small", f"{100 * reading.level:g} % interval")


def _unit(unit: str) -> str:
    return "" if unit == "share" else unit


def _seeds(seeds: tuple[int, ...]) -> str:
    """Return seeds as text, runs of neighbours shortened.

    >>> _seeds((0, 1, 2, 3, 7))
    '0–3, 7'
    """
    parts: list[str] = []
    ordered = sorted(set(seeds))
    start = 0
    for at, seed in enumerate(ordered):
        if at + 1 < len(ordered) and ordered[at + 1] == seed + 1:
            continue
        first = ordered[start]
        gap = "–" if seed > first + 1 else ", "
        parts.append(str(seed) if first == seed else f"{number(first, 0)}{gap}{number(seed, 0)}")
        start = at + 1
    shortened = ", ".join(parts[:6])
    return shortened + (f", … ({len(ordered)})" if len(parts) > 6 else "")
