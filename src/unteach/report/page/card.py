"""Cards: what may be said of a thing in one word, and under it on what that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput

from .._drawing.figure import text_width
from .._drawing.picture import Picture, grid, pictured, wrapped
from ..figures.intervals import TONES
from .markup import Html, tag
from .page import Drawing, Page
from .tables import need

_LINE, _PAD = 17.0, 16.0


@dataclass(frozen=True)
class Card:
    """A card for each row of a table: its name, a verdict in one word, and lines of facts.

    Parameters
    ----------
    table : one row a card
    name, verdict : columns of the name and of the word
    lines : the columns of the facts, in their order; their names stand before them
    tones : each word of the verdict -> "ink", "holds", "unknown", "fails" or "beyond"
    """

    table: str
    name: str
    verdict: str
    lines: tuple[str, ...]
    tones: Mapping[str, str]
    title: str = ""
    caption: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(self.tones.values()) - set(TONES) or not self.lines:
            raise BadInput(f"a card has lines, and tones of {TONES}; got {dict(self.tones)}")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a column is missing, or a verdict has no tone."""
        for text in (self.title, self.caption):
            page.check_text(text)
        table = page.table(self.table)
        need(table, self.name, self.verdict, *self.lines)
        strange = set(table[self.verdict]) - set(self.tones)
        if strange or len(table) == 0:
            raise BadInput(
                f"table {self.table!r} holds the verdicts {sorted(strange)}, whose "
                f"tones are not told apart: {dict(self.tones)}"
            )

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        return pictured(drawing, self, "cards")

    def picture(self, page: Page, width: float) -> Picture:
        """Return the cards on so many pixels: two beside each other where there is room."""
        rows = list(page.table(self.table).rows())
        columns = 2 if width >= 640 and len(rows) > 1 else 1
        places = grid(len(rows), columns, width, 0.0, gap=18.0)
        wide = places[0][2]
        drawn = [self._card(row, wide) for row in rows]
        parts: list[Html] = []
        top = 1.0
        for first in range(0, len(rows), columns):
            beside = drawn[first : first + columns]
            tall = max(height for height, _ in beside)
            for k, (_, draw) in enumerate(beside):
                left = places[first + k][0]
                parts.append(
                    tag(
                        "rect",
                        x=left + 1,
                        y=top,
                        width=wide - 2,
                        height=tall,
                        rx=8,
                        class_="card-box",
                    )
                )
                parts += [t for line in draw for t in self._placed(line, left, top)]
            top += tall + 18
        spoken = "; ".join(f"{r[self.name]}: {r[self.verdict]}" for r in rows)
        return Picture(width, top - 16, parts, spoken)

    def _card(
        self, row: Mapping[str, Any], wide: float
    ) -> tuple[float, list[tuple[str, float, float, str]]]:
        """Return the height of a card and its texts: what, x, y, class."""
        name = self.labels.get(str(row[self.name]), str(row[self.name]))
        word, tone = str(row[self.verdict]), self.tones[row[self.verdict]]
        texts = [(name, _PAD, 27.0, "card-name")]
        y = 27.0
        if _PAD * 3 + text_width(name, 15) + text_width(word, 15) <= wide:
            texts.append((word, wide - _PAD, y, f"card-word end t-{tone}"))
        else:
            y += 21
            texts.append((word, _PAD, y, f"card-word t-{tone}"))
        heads = [self.labels.get(c, c) for c in self.lines]
        left = _PAD + max(text_width(h) for h in heads) + 14
        y += 28
        for head, column in zip(heads, self.lines, strict=True):
            texts.append((head, _PAD, y, "axis-label"))
            for line in wrapped(str(row[column]), wide - _PAD - left):
                texts.append((line, left, y, "row-name"))
                y += _LINE
            y += 5
        return y + 1, texts

    def _placed(self, text: tuple[str, float, float, str], left: float, top: float) -> list[Html]:
        words, x, y, kind = text
        return [tag("text", words, x=left + x, y=top + y, class_=kind)]
