"""Tables on a page, and as files that the page carries with it."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Table, quoted

from .markup import Html, inline, tag
from .number_format import number, probability, scaled, suffix
from .page import Drawing, Page

LARGEST_DOWNLOAD = 120_000  # characters; larger tables would outweigh the page


@dataclass(frozen=True)
class TableBlock:
    """Some columns and rows of a table.

    The unit of a column says how its numbers are written: a "share" in percent, with at most
    three significant digits; a "p" (a p-value) with three decimals or as "<0.001", never as zero.

    Parameters
    ----------
    table : its name
    columns : which columns, in this order; None for all
    digits : decimals for all columns, or for some by name; None: as many as a number needs
    where : only the rows whose columns have these values
    limit : only so many rows; the caption says how many there are
    labels : what a column is called here
    """

    table: str
    columns: tuple[str, ...] | None = None
    digits: int | Mapping[str, int] | None = None
    caption: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the table or a column is missing."""
        page.check_text(self.caption)
        table = page.table(self.table)
        need(table, *(self.columns or ()), *self.where)

    def html(self, drawing: Drawing) -> Html:
        """Return the table."""
        table = drawing.page.table(self.table)
        table = table.where(**self.where) if self.where else table
        names = list(self.columns or [c for c in table.columns if not _nested(table, c)])
        numeric = {c: _numeric(table[c]) for c in names}
        head = tag(
            "tr",
            *(
                tag(
                    "th",
                    self.labels.get(c, c.replace("_", " ")),
                    tag("small", table.units[c])
                    if table.units[c] not in ("", "share", "p", c)
                    else "",
                    scope="col",
                    class_="num" if numeric[c] else None,
                )
                for c in names
            ),
        )
        kept = list(table.rows())[: self.limit]
        body = [
            tag(
                "tr",
                *(
                    tag(
                        "td",
                        self._cell(row[c], c, table.units[c]),
                        class_="num" if numeric[c] else None,
                    )
                    for c in names
                ),
            )
            for row in kept
        ]
        more = f" The first {len(kept)} of {len(table)} rows." if len(kept) < len(table) else ""
        caption = drawing.inline(self.caption) if self.caption else inline(table.caption)
        whole = tag("table", tag("thead", head), tag("tbody", *body), class_="data")
        scroller = tag(
            "div",
            whole,
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=f"table {table.name}, scrollable",
        )
        return captioned(scroller, Html(f"{caption}{more}"))

    def _cell(self, value: Any, column: str, unit: str) -> str:
        if value is None:
            return "–"
        if isinstance(value, bool) or not _is_number(value):
            return "yes" if value is True else "no" if value is False else str(value)
        places = self.digits
        if isinstance(places, Mapping):
            places = places.get(column)
        elif places is not None and unit == "share":
            places = max(0, places - 2)  # a percent has two digits less behind the point
        if unit == "p":
            return probability(float(value), 3 if places is None else places)
        if unit == "share":
            return _percent(float(value), places)
        if isinstance(value, int):
            places = 0
        return number(scaled(float(value), unit), places) + suffix(unit)


def captioned(table: Html, caption: Html) -> Html:
    """Return a table that may scroll sideways beneath a caption that stays where it is."""
    above = tag("p", caption, class_="table-caption") if caption.strip() else ""
    return tag("div", above, table, class_="tabled")


def _percent(share: float, places: int | None) -> str:
    """Return a share in percent, with at most three significant digits.

    >>> _percent(0.33951, 3), _percent(0.33951, None), _percent(0.5, None), _percent(1.0, 3)
    ('34.0\u202f%', '34.0\u202f%', '50\u202f%', '100\u202f%')
    """
    value = scaled(share, "share")
    if not math.isfinite(value) or value == 0:
        return number(value, places) + suffix("share")
    value = float(f"{value:.3g}")
    most = max(0, 2 - math.floor(math.log10(abs(value))))
    if places is None:
        places = None if value == scaled(share, "share") else most if abs(value) >= 1 else None
    else:
        places = min(places, most)
    return number(value, places) + suffix("share")


def need(table: Table, *columns: str | None) -> None:
    """Raise `BadInput` if the table lacks one of these columns."""
    for column in columns:
        if column is not None and column not in table.columns:
            raise BadInput(
                f"table {table.name!r} has no column {column!r}; it has {sorted(table.columns)}"
            )


def as_csv(table: Table) -> str:
    r"""Return a table as CSV; text that a spreadsheet would run as a formula is quoted.

    >>> as_csv(Table("t", {"a": [1, None], "b": ["x", "=1+1"]}))
    "a,b\n1,x\n,'=1+1\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell_of(name) for name in table.columns])
    for row in table.rows():
        writer.writerow([_cell_of(value) for value in row.values()])
    return out.getvalue()


def download(table: Table) -> Html:
    """Return a link that saves the table; tables of grids, or too large, are in the JSON only."""
    size = f"{number(len(table), 0)} × {len(table.columns)}"
    words = tag("span", size, class_="n")
    text = "" if any(_nested(table, c) for c in table.columns) else as_csv(table)
    if not text or len(text) > LARGEST_DOWNLOAD:
        why = tag("small", "too large for this page; whole in its JSON")
        return tag("li", tag("code", table.name), " ", words, why)
    held = base64.b64encode(text.encode()).decode()
    safe_name = "".join(c if c.isalnum() or c in "-_." else "-" for c in table.name)
    link = tag(
        "a",
        tag("code", table.name),
        href=f"data:text/csv;charset=utf-8;base64,{held}",
        download=f"{safe_name}.csv",
    )
    return tag("li", link, " ", words, tag("small", inline(table.caption)) if table.caption else "")


def _cell_of(value: Any) -> Any:
    return quoted(value) if isinstance(value, str) else value


def _numeric(values: list[Any]) -> bool:
    return all(v is None or (_is_number(v) and not isinstance(v, bool)) for v in values)


def _is_number(value: Any) -> bool:
    # a table writes what is not finite as a word
    return isinstance(value, (int, float)) or value in ("nan", "inf", "-inf")


def _nested(table: Table, column: str) -> bool:
    return any(isinstance(v, (list, dict)) for v in table[column])
