"""The index of a tour: every study's question and answer on one page, with its key figure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unteach.core import BadInput, canonical, plain

from .markup import Html, join, tag
from .page import Block, Drawing, Page
from .page_files import _write, page_json
from .page_html import answer, body, document, masthead
from .page_html import repeat as repeated


@dataclass(frozen=True)
class Entry:
    """One study of a tour.

    Parameters
    ----------
    name : short name; letters, digits, "-" and "_"; also the anchor on the index
    page : the study's page
    link : where its own file lies, relative to the index; None includes the whole page below
    figure : the block that stands beside its answer, or None
    """

    name: str
    page: Page
    link: str | None = None
    figure: Block | None = None

    def __post_init__(self) -> None:
        if not self.name or not all(c.isalnum() or c in "-_" for c in self.name):
            raise BadInput(f"an entry's name has letters, digits, '-' and '_', got {self.name!r}")
        if self.link is not None and (":" in self.link or self.link.startswith(("/", "\\"))):
            raise BadInput(f"a link is a path relative to the index, got {self.link!r}")
        if self.figure is not None:
            self.figure.check(self.page)


def write_index(
    entries: Sequence[Entry],
    path: str | os.PathLike[str],
    *,
    title: str,
    question: str,
    kicker: str = "",
    command: str = "",
    python: str = "",
    provenance: Mapping[str, Any] | None = None,
    also_json: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the index of a tour as one HTML file, and return where it lies.

    A single entry without a link is shown as a page of its own beneath the tour's title; how it
    is repeated and where it comes from then stand once, in the tour's words where it has any.

    Parameters
    ----------
    entries : the studies, in the order in which they are shown; at least one
    path : the HTML file
    title, question, kicker : of the tour
    command, python, provenance : how the whole tour is repeated, and where it comes from
    also_json : a second file with every reading and table of every page, or None

    Raises
    ------
    BadInput : no entries, a name used twice, or a file that cannot be written
    """
    names = [e.name for e in entries]
    if not names or len(set(names)) < len(names):
        raise BadInput(f"an index needs entries with names that differ, got {names}")
    cards = [_card(entry) for entry in entries] if len(entries) > 1 or entries[0].link else []
    whole = [_whole(entry, foot=bool(cards)) for entry in entries if entry.link is None]
    told = (command, python, dict(provenance or {}))
    if not cards:
        only = entries[0].page
        told = (
            command or only.command,
            python or ("" if command else only.python),
            {**only.provenance, **(provenance or {})},
        )
    tour = Page(title, question, (), (), *told, kicker=kicker)
    foot = repeated(Drawing(tour, "tour-")) if any(told) else ""
    main = tag("main", masthead(title, question, kicker), *cards, *whole, foot, class_="page tour")
    written = _write(path, document(title, main))
    if also_json is not None:
        data = {
            "title": title,
            "question": question,
            "command": command,
            "provenance": plain(dict(provenance or {})),
            "studies": {e.name: page_json(e.page) for e in entries},
        }
        _write(also_json, (canonical(data) + "\n").encode())
    return written


def _card(entry: Entry) -> Html:
    page = entry.page
    drawing = Drawing(page, f"card-{entry.name}-")
    target = f"#{entry.name}" if entry.link is None else quote(entry.link)
    parts = [
        tag("p", page.kicker or entry.name, class_="kicker"),
        tag("h2", tag("a", page.title, href=target), id=f"card-{entry.name}"),
        tag("p", page.question, class_="question"),
        answer(drawing, page.answer, level="h3"),
    ]
    if entry.figure is not None:
        parts.append(entry.figure.html(drawing))
    parts.append(tag("p", tag("a", f"Read all of {page.title}", href=target), class_="onward"))
    return tag("article", *parts, class_="card", aria_labelledby=f"card-{entry.name}")


def _whole(entry: Entry, *, foot: bool) -> Html:
    page = entry.page
    head = masthead(page.title, page.question, page.kicker or entry.name, level="h2")
    inner = join([head, body(page, prefix=f"{entry.name}-", head=False, foot=foot)])
    return tag("article", inner, class_="whole", id=entry.name)
