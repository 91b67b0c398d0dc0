"""What every figure shares: a number, a title, a caption, and a key for marks."""

from __future__ import annotations

from collections.abc import Sequence

from ..page.markup import Html, tag
from ..page.page import Drawing

COLOURS = 6


def figure(
    drawing: Drawing, body: Html, *, title: str, caption: str, kind: str, wide: bool = True
) -> Html:
    """Return a numbered figure; its title stands above, its caption beneath."""
    drawing.figures += 1
    name = drawing.unique("figure")
    head = tag(
        "p",
        tag("span", f"Figure {drawing.figures}", class_="count"),
        drawing.inline(title),
        class_="figure-title",
        id=f"{name}-title",
    )
    foot = tag("figcaption", drawing.inline(caption)) if caption else ""
    return tag(
        "figure",
        head,
        body,
        foot,
        class_=f"{kind} wide" if wide else kind,
        id=name,
        aria_labelledby=f"{name}-title",
    )


def key(entries: Sequence[tuple[Html, str]], kind: str = "key") -> Html:
    """Return the line that says what each mark means."""
    items = (
        tag("li", tag("svg", mark, viewbox="-14 -8 28 16", aria_hidden="true"), tag("span", text))
        for mark, text in entries
    )
    return tag("ul", *items, class_=kind)


def marker(shape: int, x: float, y: float, size: float = 3.2) -> Html:
    """Return the mark of a series: circle, square, triangle, diamond, and again from the first."""
    a = size
    if shape % 4 == 0:
        return tag("circle", cx=x, cy=y, r=a)
    corners = {
        1: ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
        2: ((0.0, -1.2), (1.1, 0.85), (-1.1, 0.85)),
        3: ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)),
    }[shape % 4]
    steps = " ".join(f"{x + a * dx:.1f} {y + a * dy:.1f}" for dx, dy in corners)
    return tag("path", d=f"M{steps}z")


def text_width(text: str, size: float = 12.0) -> float:
    """Return about how wide a text is in a sans-serif font, on the generous side."""
    narrow, broad = "iljtfr.,:;'|!()[] \u202f", "mwMW%@–—"
    share = sum(
        0.33 if c in narrow else 0.9 if c in broad else 0.7 if c.isupper() else 0.57 for c in text
    )
    return share * size
