"""The same page in a terminal: title, question, answer, and the main readings as bars."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from unteach.core import BadInput, Reading

from .._drawing.scale import Scale
from ..figures.bars import scales
from .markup import clean, styled
from .number_format import interval, replicated, shown
from .page import VERDICTS, Page

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MARKS = {
    "holds": ("✓", "green"),
    "fails": ("✗", "red"),
    "mixed": ("~", "yellow"),
    "fact": ("·", "blue"),
    "unknown": ("?", "bright_black"),
    "done": ("→", "cyan"),
}


def print_page(
    page: Page,
    console: Console,
    *,
    path: str | os.PathLike[str] | None = None,
    limit: int = 12,
) -> None:
    """Print a page on a rich console: the answer, the main readings, and where the report lies.

    The main readings are those that the findings and the page's forests name.

    Parameters
    ----------
    page : what to print
    console : where; 60 columns and more are laid out well
    path : the report's file, printed last
    limit : how many readings are shown, at least 1

    Raises
    ------
    BadInput : a limit below 1

    Examples
    --------
    >>> from rich.console import Console
    >>> page = Page("Margin", "What falls?", (), (), "unteach study margin", "", {})
    >>> print_page(page, Console(width=40, color_system=None))
    <BLANKLINE>
      Margin
      What falls?
    <BLANKLINE>
      repeat  unteach study margin
    <BLANKLINE>
    """
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    if limit < 1:
        raise BadInput(f"limit is at least 1, got {limit}")
    width = min(console.width, 110)

    def put(what: object) -> None:
        console.print(Padding(what, (0, 2)), width=width)  # type: ignore[arg-type]

    console.print()
    if page.kicker:
        put(Text(clean(page.kicker), style="dim"))
    put(Text(clean(page.title), style="bold"))
    put(Text(clean(page.question), style="italic"))
    console.print()
    if page.answer:
        findings = Grid.grid(padding=(0, 1))
        findings.add_column(no_wrap=True)
        findings.add_column(no_wrap=True)
        findings.add_column(ratio=1)
        for finding in page.answer:
            mark, colour = MARKS[finding.verdict]
            findings.add_row(
                Text(mark, style=f"bold {colour}"),
                Text(VERDICTS[finding.verdict].lower(), style=colour),
                styled(finding.text, page.say_reading),
            )
        put(findings)
        console.print()
    names = list(dict.fromkeys(_main(page)))
    readings = [page.reading(n) for n in names[:limit]]
    if readings:
        for line in _lines(readings, width - 4):
            put(line)
        if len(page.readings) > len(readings):
            more = len(page.readings) - len(readings)
            put(Text(f"and {more} more reading{'s' * (more > 1)} in the report", style="dim"))
        put(Text(_legend(readings), style="dim"))
        console.print()
    foot = Grid.grid(padding=(0, 2))
    for name, value in (("repeat", page.command), ("report", path)):
        if value is not None and str(value).strip():
            foot.add_row(Text(name, style="dim"), Text(clean(value), overflow="fold"))
    put(foot)
    console.print()


def _main(page: Page) -> Iterable[str]:
    for finding in page.answer:
        yield from finding.readings
    for block in page.blocks:
        yield from getattr(block, "names", ())


def _legend(readings: list[Reading]) -> str:
    words = "━●━ value and interval"
    if any(r.null is not None for r in readings):
        words += "  ░ null"
    if any(r.untouched is not None for r in readings):
        words += "  ◇ untouched"
    scale = scales(readings)
    if any(scale[r.unit].holds(0.0) for r in readings):
        words += "  ┼ zero"
    return words


def _lines(readings: list[Reading], width: int) -> Iterable[Text]:
    """Yield the readings as lines, the names above the bars where there is no room beside them."""
    from rich.text import Text

    scale = scales(readings)
    cells = [(shown(r, r.value), interval(r), clean(replicated(r))) for r in readings]
    wide = [max(len(c[k]) for c in cells) for k in range(3)]
    numbers = sum(wide) + 5
    names = [" ".join(clean(r.name).split()) for r in readings]
    beside = width - numbers - 22 >= max(map(len, names))
    room = max(8, min(30, width - numbers - (max(map(len, names)) + 2 if beside else 2)))
    for reading, name, (value, ends, over) in zip(readings, names, cells, strict=True):
        line = _bar(reading, scale[reading.unit], room)
        line.append(f" {value:>{wide[0]}} ", style="bold")
        line.append(f"{ends:<{wide[1]}}  ")
        line.append(over, style="dim")
        if beside:
            yield Text(f"{name:<{max(map(len, names))}}  ").append_text(line)
        else:
            yield Text(name)
            line.no_wrap, line.overflow = True, "crop"
            yield Text("  ").append_text(line) if width > numbers + room + 1 else line


def _bar(reading: Reading, scale: Scale, room: int) -> Text:
    """Return a reading as a line of characters."""
    from rich.text import Text

    def at(value: float) -> int:
        share = scale.inside(value) / 100.0
        return min(room - 1, max(0, round(share * (room - 1))))

    cells = [("─", "bright_black")] * room
    if scale.holds(0.0):
        cells[at(0.0)] = ("┼", "dim")
    if reading.null is not None:
        for k in range(at(reading.null[0]), at(reading.null[1]) + 1):
            cells[k] = ("░", "dim")
    for k in range(at(reading.low), at(reading.high) + 1):
        cells[k] = ("━", "blue")
    if scale.holds(0.0) and cells[at(0.0)][0] == "━":
        cells[at(0.0)] = ("┿", "blue")
    if reading.untouched is not None:
        cells[at(reading.untouched)] = ("◇", "yellow")
    cells[at(reading.value)] = ("●", "bold blue")
    line = Text()
    for character, style in cells:
        line.append(character, style=style)
    return line
