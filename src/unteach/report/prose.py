"""Sections and prose: the words between the figures."""

from __future__ import annotations

from dataclasses import dataclass

from .markup import Html, join, paragraphs, tag
from .page import Drawing, Page


@dataclass(frozen=True)
class Section:
    """A heading, and one or two sentences that lead into what follows."""

    title: str
    lead: str = ""

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the lead cites a reading that the page does not have."""
        page.check_text(self.lead)

    def html(self, drawing: Drawing) -> Html:
        """Return the heading and the lead."""
        name = drawing.unique("section")
        heading = tag("h2", self.title, id=name)
        lead = tag("div", paragraphs(self.lead, drawing.cite), class_="lead") if self.lead else ""
        return join([heading, lead])


@dataclass(frozen=True)
class Prose:
    """Paragraphs, apart by empty lines; **bold**, `code` and {reading} are understood."""

    text: str

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the text cites a reading that the page does not have."""
        page.check_text(self.text)

    def html(self, drawing: Drawing) -> Html:
        """Return the paragraphs."""
        return tag("div", paragraphs(self.text, drawing.cite), class_="prose")
