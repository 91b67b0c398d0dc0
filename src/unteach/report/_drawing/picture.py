"""Pictures: one drawing of a figure that stands on a page and goes into a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..page.markup import Html, join, tag
from ..page.page import Drawing, Page
from .figure import figure, key, text_width

# A figure in frames: a slider steps them; without a script, and in print, the ends are shown.


def player(drawing: Drawing, frames: Sequence[tuple[str, Html]], key: Html) -> Html:
    """Return frames (label, drawing) behind a slider, and the key beneath them.

    One frame stands alone. The first and the last are shown where there is no script.
    """
    if len(frames) == 1:
        return tag("div", frames[0][1], key)
    name = drawing.unique("player")
    slider = tag(
        "input",
        type="range",
        min=0,
        max=len(frames) - 1,
        value=0,
        step=1,
        aria_label="frame",
        id=f"{name}-slider",
    )
    controls = tag(
        "div",
        tag("button", "Play", type="button", class_="play", aria_label="play the frames"),
        slider,
        tag("output", for_=f"{name}-slider"),
        class_="controls",
        hidden=True,
    )
    drawn = [
        tag(
            "div",
            tag("p", label, class_="frame-title"),
            body,
            data_label=label,
            class_="frame key-frame" if k in (0, len(frames) - 1) else "frame",
        )
        for k, (label, body) in enumerate(frames)
    ]
    return tag("div", controls, *drawn, key, class_="player", id=name)


WIDE, NARROW = 860.0, 384.0  # pixels that a picture is drawn on: a window, a telephone


@dataclass(frozen=True)
class Picture:
    """What a figure draws on so many pixels, its key apart.

    parts : markup of lines, paths, circles, rectangles and texts, whose looks are classes
    spoken : the same in words · key : what each mark means
    """

    width: float
    height: float
    parts: Sequence[Html]
    spoken: str
    key: Sequence[tuple[Html, str]] = ()

    def svg(self, kind: str = "chart") -> Html:
        """Return the picture as SVG.

        >>> Picture(2.0, 1.0, (tag("line", x1=0, x2=2, class_="axis"),), "a line").svg()[:44]
        '<svg viewBox="0 0 2 1" role="img" class="cha'
        """
        return tag(
            "svg",
            *self.parts,
            viewbox=f"0 0 {self.width:.0f} {self.height:.0f}",
            role="img",
            class_=kind,
            aria_label=self.spoken,
        )


class Pictured(Protocol):
    """A block that is one picture at every width, so that a paper can have it too."""

    @property
    def title(self) -> str:
        """The line above the figure."""

    @property
    def caption(self) -> str:
        """The lines beneath it."""

    def check(self, page: Page) -> None:
        """Raise `BadInput` if the page lacks what this figure shows."""

    def html(self, drawing: Drawing) -> Html:
        """Return the figure as it stands on a page."""

    def picture(self, page: Page, width: float) -> Picture:
        """Return the figure as it is drawn on so many pixels."""


def pictured(drawing: Drawing, block: Pictured, kind: str) -> Html:
    """Return a figure whose picture is drawn twice, for a window and for a telephone."""
    wide, narrow = (block.picture(drawing.page, width) for width in (WIDE, NARROW))
    words = key(list(wide.key)) if wide.key else ""
    body = join([words, wide.svg("chart drawn large"), narrow.svg("chart drawn small")])
    return figure(drawing, body, title=block.title, caption=block.caption, kind=kind)


def grid(
    count: int, columns: int, width: float, height: float, gap: float = 22.0
) -> list[tuple[float, float, float]]:
    """Return (left, top, width) of panels of one height that stand in rows.

    >>> grid(3, 2, 100.0, 50.0, gap=10.0)
    [(0.0, 0.0, 45.0), (55.0, 0.0, 45.0), (0.0, 50.0, 45.0)]
    """
    across = (width - gap * (columns - 1)) / columns
    return [((k % columns) * (across + gap), (k // columns) * height, across) for k in range(count)]


def wrapped(text: str, width: float, size: float = 12.0) -> list[str]:
    """Return the text in lines that are no wider than so many pixels, if a word is not.

    >>> wrapped("one two three", 60.0)
    ['one two', 'three']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
