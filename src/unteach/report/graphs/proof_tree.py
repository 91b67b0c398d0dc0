"""Proof trees: a conclusion, and beneath it what it follows from, to the stated facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unteach.core import BadInput

from .._drawing.figure import figure, text_width
from ..page.markup import Html, clean, join, spoken, tag
from ..page.page import Drawing, Page
from ..page.page_html import asset

# what a node is, in a word beside it; neither colour nor mark stands alone
KINDS = {
    "step": "",
    "stated": "stated",
    "known": "everybody knows",
    "kept": "kept",
    "gone": "removed",
    "leak": "forgotten, and follows",
    "safe": "forgotten, follows no more",
}
_MARKS = {
    "leak": "M4 4l8 8m0-8l-8 8",
    "kept": "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3.5 13.5h9",
    "safe": "M3.5 8.5l3 3 6-7",
    "gone": "M4 8h8",
}
_INDENT, _ROW, _CARD, _NOTE, _PAD = 34.0, 46.0, 32.0, 19.0, 12.0
_LONGEST = 88  # characters of a line; the whole of it is its title


@dataclass(frozen=True)
class Branch:
    """A node of a tree.

    Parameters
    ----------
    text : what it says
    kind : "step" (it follows from the nodes beneath it), "stated", "known" (background), "kept",
        "gone" (removed), "leak" (forgotten, and it follows) or "safe" (and no longer does)
    note : one line beneath it, such as the rule that makes it
    parts : what it follows from
    """

    text: str
    kind: str = "step"
    note: str = ""
    parts: tuple[Branch, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"a node is one of {tuple(KINDS)}, got {self.kind!r}")
        object.__setattr__(self, "parts", tuple(self.parts))

    def walk(self) -> Iterator[tuple[int, Branch, int]]:
        """Yield (depth, node, row of the node above it, or -1), each node before its parts."""
        row = 0
        agenda: list[tuple[int, Branch, int]] = [(0, self, -1)]
        while agenda:
            depth, node, above = agenda.pop()
            yield depth, node, above
            agenda += [(depth + 1, part, row) for part in reversed(node.parts)]
            row += 1


@dataclass(frozen=True)
class Tree:
    """Trees of conclusions as a figure, a drawing of their own, or text.

    Parameters
    ----------
    roots : one tree each, drawn one beneath the other
    title, caption : as in other figures

    Examples
    --------
    >>> father, grand = Branch("father(ann, bob)", "gone"), Branch("father(bob, carl)", "stated")
    >>> tree = Tree((Branch("grandfather(ann, carl)", "safe", "", (father, grand)),))
    >>> print(tree.text())
    grandfather(ann, carl)  [forgotten, follows no more]
    ├── father(ann, bob)  [removed]
    └── father(bob, carl)  [stated]
    >>> tree.svg()[:4]
    '<svg'
    """

    roots: tuple[Branch, ...]
    title: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "roots", tuple(self.roots))
        if not self.roots:
            raise BadInput("a tree figure shows at least one tree")

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a text cites a reading that the page does not have."""
        for text in (self.title, self.caption):
            page.check_text(text)

    def html(self, drawing: Drawing) -> Html:
        """Return the figure."""
        drawn = (_drawn(root) for root in self.roots)
        body = join(
            tag(
                "div",
                tag(
                    "svg",
                    inner,
                    viewbox=f"0 0 {width:.0f} {height:.0f}",
                    role="img",
                    width=round(width),
                    height=round(height),
                    class_="tree-svg",
                    aria_label=_spoken(root),
                ),
                class_="tree-holder",
                tabindex=0,
            )
            for root, (inner, width, height) in zip(self.roots, drawn, strict=True)
        )
        return figure(drawing, body, title=self.title, caption=self.caption, kind="tree")

    def svg(self) -> str:
        """Return the trees as one SVG file; it follows the reader's light or dark scheme."""
        parts: list[Html] = []
        top, widest = 20.0, 0.0
        for root in self.roots:
            inner, width, height = _drawn(root)
            parts.append(
                tag(
                    "g",
                    inner,
                    transform=f"translate(20 {top:.0f})",
                    role="img",
                    aria_label=_spoken(root),
                )
            )
            top, widest = top + height + 20.0, max(widest, width)
        width = widest + 40.0
        colours = asset("report.css").split("*, *::before")[0]
        style = f"{colours}{asset('tree.css')}.t-paper {{ fill: var(--paper); }}\n"
        named = tag("title", spoken(self.title, str)) if self.title else ""
        return tag(
            "svg",
            named,
            tag("style", Html(style)),
            tag("rect", width="100%", height="100%", class_="t-paper"),
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            viewbox=f"0 0 {width:.0f} {top:.0f}",
            width=round(width),
            height=round(top),
            class_="tree-svg",
        )

    def text(self) -> str:
        """Return the trees as lines of text."""
        return "\n\n".join("\n".join(_lines(root)) for root in self.roots)


def _drawn(root: Branch) -> tuple[Html, float, float]:
    """Return a tree as markup, with its width and its height."""
    boughs: list[Html] = []
    cards: list[Html] = []
    feet: list[tuple[float, float]] = []  # of each row: where its boughs start
    top, widest = 1.0, 0.0
    for depth, node, above in root.walk():
        left = depth * _INDENT + 1.0
        if above >= 0:
            x, y = feet[above]
            middle = top + _CARD / 2
            bend = f"M{x:.1f} {y:.1f}V{middle - 9:.1f}q0 9 9 9H{left:.1f}"
            boughs.append(tag("path", d=bend, class_="t-bough"))
        card, width = _card(node, left, top)
        cards.append(card)
        feet.append((left + 15.0, top + _CARD + (_NOTE if node.note else 0.0) + 2.0))
        widest = max(widest, left + width)
        top += _ROW + (_NOTE if node.note else 0.0)
    return join([*boughs, *cards]), widest + 2.0, top - (_ROW - _CARD) + 1.0


def _card(node: Branch, left: float, top: float) -> tuple[Html, float]:
    """Return one node at its place, and how far to the right it reaches."""
    text, note = _short(node.text), _short(node.note)
    wide = text_width(text, 15.5) + 2 * _PAD + 4.0
    word = KINDS[node.kind]
    base = top + _CARD / 2 + 5.0
    parts = [
        tag("title", clean(f"{node.text} {f'[{word}]' if word else ''} {node.note}").strip()),
        tag("rect", x=left, y=top, width=wide, height=_CARD, rx=7, class_="t-card"),
        tag("text", text, x=left + _PAD + 2, y=base, class_="t-text"),
    ]
    if node.kind in ("leak", "kept", "safe"):
        parts.append(
            tag("rect", x=left, y=top + 6, width=3.5, height=_CARD - 12, rx=1.7, class_="t-edge")
        )
    reach = wide
    if word:
        x = left + wide + 10.0
        if node.kind in _MARKS:
            place = f"translate({x:.1f} {top + _CARD / 2 - 8:.1f})"
            parts.append(tag("path", d=_MARKS[node.kind], class_="t-mark", transform=place))
            x += 22.0
        parts.append(tag("text", word, x=x, y=base, class_="t-word"))
        reach = x - left + text_width(word, 14.0)
    if note:
        parts.append(tag("text", note, x=left + 30.0, y=top + _CARD + 15.0, class_="t-rule"))
        reach = max(reach, 30.0 + 7.7 * len(note))
    return tag("g", *parts, class_=f"t-{node.kind}"), reach


def _short(text: str) -> str:
    text = " ".join(clean(text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _lines(root: Branch) -> Iterator[str]:
    """Yield the lines of a tree, with boughs of line characters."""
    agenda: list[tuple[str, str, Branch]] = [("", "", root)]
    while agenda:
        lead, beneath, node = agenda.pop()
        word = KINDS[node.kind]
        yield clean(f"{lead}{node.text}{f'  [{word}]' if word else ''}")
        if node.note:
            yield clean(f"{beneath}{'│' if node.parts else ' '}     {node.note}")
        last = len(node.parts) - 1
        agenda += [
            (
                f"{beneath}{'└' if k == last else '├'}── ",
                f"{beneath}{' ' if k == last else '│'}   ",
                part,
            )
            for k, part in reversed(list(enumerate(node.parts)))
        ]


def _spoken(root: Branch) -> str:
    """Return in words what follows from what."""
    if not root.parts:
        return f"{root.text}: {KINDS[root.kind] or 'stated'}"
    return f"{root.text} follows from {', '.join(part.text for part in root.parts)}"
