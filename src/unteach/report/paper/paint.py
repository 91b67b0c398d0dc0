"""Painting: the markup of a picture as matplotlib's lines, areas and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from unteach.core import BadInput

from ..markup import Html
from .looks import Element, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEP = re.compile(r"([MmLlHhVvZz])|(-?\d*\.?\d+(?:e-?\d+)?)")
_MOVED = re.compile(r"translate\((-?[\d.]+) (-?[\d.]+)\)")
_KAPPA = 0.5522847498  # reach of the handles of a cubic curve that is a quarter of a circle
FONTS = {"sans": ("DejaVu Sans", 0.9), "serif": ("STIXGeneral", 1.07)}
"""Family, and its size so that letters are as large as those of the pages; matplotlib has both."""

Points = list[tuple[float, float]]


class Painter:
    """Paints markup on axes whose units are pixels, the first at the top.

    points : of the printer, for one pixel · font : a key of `FONTS`
    """

    def __init__(self, axes: Axes, points: float, font: str) -> None:
        self.axes, self.points = axes, points
        self.family, self.size = FONTS[font]

    def paint(self, parts: Html, x: float, y: float) -> None:
        """Paint markup with its origin at (x, y)."""
        root = ElementTree.fromstring(f"<svg>{parts}</svg>")
        self._each(root, (("svg", ("chart",)),), x, y)

    def _each(
        self, parent: ElementTree.Element, trail: tuple[Element, ...], x: float, y: float
    ) -> None:
        for child in parent:
            if child.tag == "title":
                continue
            here = (*trail, (child.tag, tuple(child.get("class", "").split())))
            found = look(here)
            if child.tag == "g":
                moved = _MOVED.fullmatch(child.get("transform", "translate(0 0)"))
                if moved is None:
                    raise BadInput(f"a group is moved, not {child.get('transform')!r}")
                self._each(child, here, x + float(moved[1]), y + float(moved[2]))
            elif child.tag == "text":
                self._text(child, found, x, y)
            else:
                self._shape(child, found, x, y)

    def _text(self, element: ElementTree.Element, said: Mapping[str, str], x: float, y: float
              ) -> None:  # fmt: skip
        anchor = {"middle": "center", "end": "right"}.get(said.get("text-anchor", ""), "left")
        size = float(said.get("font-size", "12px").removesuffix("px"))
        weight = said.get("font-weight", "400")
        self.axes.text(
            x + _of(element, "x"), y + _of(element, "y"), "".join(element.itertext()),
            ha=anchor, va="baseline", family=self.family, parse_math=False,
            fontsize=size * self.points * self.size, color=said.get("fill", "#1a1f25"),
            weight="bold" if weight.isdigit() and int(weight) >= 600 else "normal", zorder=3,
        )  # fmt: skip

    def _shape(self, element: ElementTree.Element, said: Mapping[str, str], x: float, y: float
               ) -> None:  # fmt: skip
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        corners, codes = _outline(element)
        if not corners:
            return
        fill = said.get("fill", "#1a1f25")
        fill = "none" if element.tag == "line" else fill
        width = float(said.get("stroke-width", "1")) * self.points
        dashes = [float(v) * self.points / width for v in said.get("stroke-dasharray", "").split()]
        self.axes.add_patch(PathPatch(
            Path([(x + a, y + b) for a, b in corners], codes),
            facecolor=fill, edgecolor=said.get("stroke", "none"), linewidth=width,
            linestyle=(0, tuple(dashes)) if dashes else "solid",
            alpha=float(said.get("opacity", "1")),
            capstyle=_cap(said.get("stroke-linecap", "butt")), joinstyle="round", zorder=2,
        ))  # fmt: skip


def _cap(name: str) -> Any:
    return {"butt": "butt", "round": "round", "square": "projecting"}[name]


def _outline(element: ElementTree.Element) -> tuple[Points, list[Any]]:
    """Return the corners of a shape and what leads to each."""
    from matplotlib.path import Path

    def of(name: str) -> float:
        return _of(element, name)

    if element.tag == "line":
        return [(of("x1"), of("y1")), (of("x2"), of("y2"))], [Path.MOVETO, Path.LINETO]
    if element.tag == "rect":
        (a, b), (w, h) = (of("x"), of("y")), (of("width"), of("height"))
        return [(a, b), (a + w, b), (a + w, b + h), (a, b + h), (a, b)], [
            Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY
        ]  # fmt: skip
    if element.tag == "circle":
        return _circle(of("cx"), of("cy"), of("r"))
    if element.tag == "path":
        corners, codes = [], []
        for code, point in _steps(element.get("d", "")):
            corners.append(point)
            codes.append({"M": Path.MOVETO, "L": Path.LINETO, "Z": Path.CLOSEPOLY}[code])
        return corners, codes
    raise BadInput(f"a picture for a paper holds no <{element.tag}>")


def _circle(x: float, y: float, r: float) -> tuple[Points, list[Any]]:
    from matplotlib.path import Path

    k = r * _KAPPA
    ring = [(r, 0), (r, k), (k, r), (0, r), (-k, r), (-r, k), (-r, 0), (-r, -k), (-k, -r), (0, -r),
            (k, -r), (r, -k), (r, 0)]  # fmt: skip
    corners = [(x + a, y + b) for a, b in ring]
    return [*corners, corners[0]], [Path.MOVETO, *[Path.CURVE4] * 12, Path.CLOSEPOLY]


def _steps(d: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the corners of a path of straight lines.

    >>> list(_steps("M1 2h3l-1 1z"))
    [('M', (1.0, 2.0)), ('L', (4.0, 2.0)), ('L', (3.0, 3.0)), ('Z', (1.0, 2.0))]
    """
    words = [(a, b) for a, b in _STEP.findall(d)]
    x = y = 0.0
    first, code, at = (0.0, 0.0), "", 0
    while at < len(words):
        if words[at][0]:
            code, at = words[at][0], at + 1
        if code in "Zz":
            x, y = first
            yield "Z", first
            continue
        count = 1 if code in "HhVv" else 2
        numbers = [float(words[at + k][1]) for k in range(count)]
        at += count
        by = code.islower()
        if code in "Hh":
            x = numbers[0] + (x if by else 0.0)
        elif code in "Vv":
            y = numbers[0] + (y if by else 0.0)
        else:
            x, y = numbers[0] + (x if by else 0.0), numbers[1] + (y if by else 0.0)
        if code in "Mm":
            first = (x, y)
            yield "M", first
            code = "l" if by else "L"
        else:
            yield "L", (x, y)


def _of(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name, "0"))
