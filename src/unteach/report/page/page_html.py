"""The parts of a page as markup: head, answer, blocks, readings, tables, and how to repeat it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from unteach.core import Reading

from ..figures.bars import bar, bar_key, scales
from .markup import Html, join, paragraphs, tag
from .number_format import interval, number, replicated, shown
from .page import VERDICTS, Drawing, Finding, Page
from .readings import readings_table
from .tables import download

# Sections and prose: the words between the figures.


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


_MARKS = {
    "holds": "M3.5 8.5l3 3 6-7",
    "fails": "M4 4l8 8m0-8l-8 8",
    "mixed": "M3 10c2-5 4-5 5-2s3 3 5-2",
    "fact": "M8 3.5v.2M8 7v5.5",
    "unknown": "M5 5.6c0-3.6 6-3.6 6-.2 0 2.3-3 2.4-3 4.6M8 13v.2",
    "done": "M2.5 8h10.5M9 4l4 4-4 4",
}


@cache
def asset(name: str) -> str:
    """Return the text of a file of this room."""
    return files("unteach.report").joinpath(name).read_text(encoding="utf-8")


@cache
def styles() -> str:
    """Return the style sheet of all pages."""
    return "".join(map(asset, ("report.css", "tree.css", "hierarchy.css", "figures.css")))


def document(title: str, body: Html) -> bytes:
    """Return a whole file that needs nothing else, and may not load anything else."""
    style = styles()
    script = asset("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="unteach"),
        tag("title", title),
        tag("style", Html(style)),
    )
    whole = tag("html", head, tag("body", body, tag("script", Html(script))), lang="en")
    return f"<!doctype html>\n{whole}\n".encode()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def masthead(title: str, question: str, kicker: str, *, level: str = "h1") -> Html:
    """Return the title, the question beneath it, and the short line above."""
    return tag(
        "header",
        tag("p", kicker, class_="kicker") if kicker else "",
        tag(level, title),
        tag("p", question, class_="question"),
        class_="masthead",
    )


def badge(verdict: str) -> Html:
    """Return a verdict as a mark and a word; neither colour nor mark stands alone."""
    mark = tag("svg", tag("path", d=_MARKS[verdict]), viewbox="0 0 16 16", aria_hidden="true")
    return tag("span", mark, VERDICTS[verdict], class_=f"badge {verdict}")


def answer(drawing: Drawing, findings: tuple[Finding, ...], *, level: str = "h2") -> Html:
    """Return the answer: a sentence a finding, with its readings drawn beneath it."""
    named = [drawing.page.reading(n) for f in findings for n in f.readings]
    scale = scales(named)
    items = []
    for finding in findings:
        evidence = [
            tag(
                "tr",
                tag("th", r.name, scope="row"),
                tag("td", bar(r, scale[r.unit]), class_="bars"),
                tag(
                    "td",
                    tag("b", shown(r, r.value)),
                    " ",
                    tag("span", interval(r), class_="ci"),
                    class_="num",
                ),
                tag("td", replicated(r), class_="n"),
            )
            for r in map(drawing.page.reading, finding.readings)
        ]
        held = tag("table", tag("tbody", *evidence), class_="evidence") if evidence else ""
        items.append(
            tag(
                "li",
                badge(finding.verdict),
                tag("div", tag("p", drawing.inline(finding.text)), held, class_="finding"),
            )
        )
    name = drawing.unique("answer")
    title = tag(level, "The answer", id=name)
    legend = bar_key(named) if named else ""
    return tag("section", title, tag("ol", *items), legend, class_="answer", aria_labelledby=name)


def contents(drawing: Drawing, blocks: list[tuple[Section, Html]]) -> Html | str:
    """Return links to the sections, where there are enough of them to need it."""
    if len(blocks) < 3:
        return ""
    links = (tag("li", tag("a", section.title, href=f"#{_name(html)}")) for section, html in blocks)
    return tag("nav", tag("ul", *links), class_="contents", aria_label="sections of this page")


def _name(heading: Html) -> str:
    return heading.split('id="', 1)[1].split('"', 1)[0]


def body(page: Page, *, prefix: str = "", head: bool = True, foot: bool = True) -> Html:
    """Return all of a page that stands between <body> and the script.

    Without its foot, how the page is repeated and where it comes from are left to the caller.
    """
    drawing = Drawing(page, prefix)
    parts: list[object] = [masthead(page.title, page.question, page.kicker)] if head else []
    parts.append(answer(drawing, page.answer))
    drawn = [(block, block.html(drawing)) for block in page.blocks]
    sections = [(block, html) for block, html in drawn if isinstance(block, Section)]
    parts.append(contents(drawing, sections))
    parts += [html for _, html in drawn]
    parts.append(appendix(drawing))
    if foot:
        parts.append(repeat(drawing))
    return join(parts)


def appendix(drawing: Drawing) -> Html:
    """Return every reading with all that it carries, and every table."""
    page = drawing.page
    parts: list[Html] = []
    if page.readings:
        lead = tag(
            "p",
            "Every number of this page with its interval, what the interval ranges "
            "over, and the seeds it rests on.",
        )
        parts += [
            tag("h2", "All readings", id=drawing.unique("readings")),
            tag("div", lead, class_="lead"),
        ]
        audits = [r for r in page.readings if _audits(r)]
        others = [r for r in page.readings if not _audits(r)]
        parts += [readings_table(group, full=True) for group in (others, audits) if group]
    if page.tables:
        lead = tag(
            "p",
            "The figures are drawn from these tables and compute nothing themselves. "
            "Each link saves a CSV file that this page carries with it.",
        )
        parts += [
            tag("h2", "Tables", id=drawing.unique("tables")),
            tag("div", lead, class_="lead"),
            tag("ul", *(download(t) for t in page.tables), class_="downloads"),
        ]
    return tag("section", *parts, class_="appendix")


def _audits(reading: Reading) -> bool:
    return reading.null is not None or reading.untouched is not None or reading.limit is not None


def repeat(drawing: Drawing) -> Html:
    """Return the lines that reproduce the page, and where it came from."""
    page = drawing.page
    shells = [("In a terminal", page.command), ("In Python", page.python)]
    blocks = [_copyable(title, text) for title, text in shells if text.strip()]
    parts = [tag("h2", "Repeat it", id=drawing.unique("repeat")), *blocks]
    if page.provenance:
        parts += [
            tag("h2", "Where this page comes from", id=drawing.unique("provenance")),
            _listed(page.provenance),
        ]
    return tag("section", *parts, class_="repeat")


def _copyable(title: str, text: str) -> Html:
    button = tag("button", "Copy", type="button", hidden=True, aria_label=f"copy: {title}")
    head = tag("p", tag("span", title), button, class_="copy-head")
    code = tag("pre", tag("code", text.strip("\n")), tabindex=0)
    return tag("div", head, code, class_="copyable")


def _listed(values: Mapping[str, Any]) -> Html:
    entries: list[Html] = []
    for name, value in values.items():
        shown_value: object = _value(value)
        if isinstance(value, Mapping):
            inner = (
                tag("span", tag("span", str(k), class_="ci"), " ", _value(v))
                for k, v in value.items()
            )
            shown_value = join(inner, " · ")
        entries.append(tag("div", tag("dt", name), tag("dd", shown_value)))
    return tag("dl", *entries, class_="provenance")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
