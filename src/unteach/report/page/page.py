"""A page as a value: a question, the answer in sentences, the evidence, and how to repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from unteach.core import BadInput, Reading, Table

from .markup import Html, cited, inline, spoken, tag
from .number_format import with_interval

Verdict = Literal["holds", "fails", "mixed", "fact", "unknown", "done"]
VERDICTS: Mapping[str, str] = {
    "holds": "Holds",
    "fails": "Does not hold",
    "mixed": "Depends",
    "fact": "Measured",
    "unknown": "Cannot tell",
    "done": "Done",
}
Named = TypeVar("Named", Reading, Table)


@dataclass(frozen=True)
class Finding:
    """One sentence of the answer, the readings it rests on, and whether the thesis holds there.

    Parameters
    ----------
    text : the sentence; **bold**, `code`, and {name of a reading} for a number with its interval
    readings : names of the readings shown beneath it
    verdict : "holds", "fails", "mixed" (it depends), "unknown" (it cannot be told from what was
        measured), "fact" (no thesis is judged), or "done" (what was asked for and carried out)
    """

    text: str
    readings: tuple[str, ...] = ()
    verdict: Verdict = "fact"

    def __post_init__(self) -> None:
        object.__setattr__(self, "readings", _names("a finding", self.readings))
        if self.verdict not in VERDICTS:
            raise BadInput(f"a verdict is one of {tuple(VERDICTS)}, got {self.verdict!r}")


class Block(Protocol):
    """Anything that stands on a page between the answer and the appendix."""

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the page lacks what this block shows."""

    def html(self, drawing: Drawing) -> Html:
        """Return the block as markup."""


@dataclass(frozen=True)
class Page:
    """What a run has to say; `write_page` and `print_page` say how it looks.

    Parameters
    ----------
    title, question : one line each
    answer : the findings, most important first
    blocks : sections, prose, tables and figures, in reading order
    command, python : the exact lines that reproduce the page
    provenance : versions, hardware, n, seconds (measured, outside the promise of equal bytes)
    readings, tables : every number and every table of the run; names are unique
    kicker : a short line over the title

    Raises
    ------
    BadInput : a name that is used twice, or a block or finding that names what is not there

    Examples
    --------
    >>> drop = Reading("drop", 0.03, 0.01, 0.05, n=20, unit_of_replication="data draws",
    ...                seeds=(0,), unit="accuracy", better="lower")
    >>> page = Page("Margin", "What falls?", (Finding("Accuracy falls by {drop}.", ("drop",)),),
    ...             (), "unteach study margin", "", {"unteach": "0.1.0"}, (drop,))
    >>> page.say(page.answer[0].text)
    'Accuracy falls by 0.030 [0.010, 0.050].'
    """

    title: str
    question: str
    answer: tuple[Finding, ...]
    blocks: tuple[Block, ...]
    command: str
    python: str
    provenance: Mapping[str, Any]
    readings: tuple[Reading, ...] = ()
    tables: tuple[Table, ...] = ()
    kicker: str = ""
    _reading: Mapping[str, Reading] = field(init=False, repr=False, compare=False)
    _table: Mapping[str, Table] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("answer", "blocks", "readings", "tables"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "_reading", _by_name("reading", self.readings))
        object.__setattr__(self, "_table", _by_name("table", self.tables))
        for finding in self.answer:
            self.check_text(finding.text)
            for name in finding.readings:
                self.reading(name)
        for block in self.blocks:
            block.check(self)

    def reading(self, name: str) -> Reading:
        """Return the reading of this name."""
        if name not in self._reading:
            raise BadInput(f"the page has no reading {name!r}; it has {sorted(self._reading)}")
        return self._reading[name]

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        if name not in self._table:
            raise BadInput(f"the page has no table {name!r}; it has {sorted(self._table)}")
        return self._table[name]

    def check_text(self, text: str) -> None:
        """Raise `BadInput` if the text cites a reading that the page does not have."""
        for name in cited(text):
            self.reading(name)

    def say(self, text: str) -> str:
        """Return a text of this page as plain words."""
        return spoken(text, self.say_reading)

    def say_reading(self, name: str) -> str:
        """Return the number of a reading with its interval, as plain words."""
        return with_interval(self.reading(name))


class Drawing:
    """What a block may know while it is drawn: the page, and names and numbers used once."""

    def __init__(self, page: Page, prefix: str = "") -> None:
        self.page = page
        self.prefix = prefix
        self.figures = 0
        self._count = 0

    def unique(self, what: str) -> str:
        """Return an id that no other element of the file has."""
        self._count += 1
        return f"{self.prefix}{what}-{self._count}"

    def cite(self, name: str) -> Html:
        """Return the number of a reading with its interval, as it stands in a sentence."""
        value, rest = with_interval(self.page.reading(name)).split(" ", 1)
        return tag("span", tag("b", value), " ", tag("span", rest, class_="ci"), class_="num")

    def inline(self, text: str) -> Html:
        """Return one line of text as markup, its readings cited."""
        return inline(text, self.cite)


def _names(what: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise BadInput(f"{what} takes a sequence of names, got the one string {names!r}")
    return tuple(names)


def _by_name(what: str, values: tuple[Named, ...]) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for value in values:
        if value.name in named:
            raise BadInput(f"the page has two {what}s called {value.name!r}; names are unique")
        named[value.name] = value
    return named
