"""Painting: the markup of a picture as matplotlib's lines, areas and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from unteach.core import BadInput

from ..page.markup import Html
from ..page.page_html import styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Looks: what the pages' style sheet says of an element, so that paper looks the same.

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PLAIN = re.compile(r"[\w.\- ]+")
_INHERITED = ("fill", "stroke", "stroke-width", "font-size", "font-weight", "text-anchor")

Element = tuple[str, tuple[str, ...]]  # its name and its classes


@dataclass(frozen=True)
class Rule:
    """A selector of names and classes, one within another, and what it declares."""

    path: tuple[tuple[str, tuple[str, ...]], ...]
    said: Mapping[str, str]

    def weight(self) -> tuple[int, int]:
        """Return how specific it is: its classes, its names."""
        return (sum(len(c) for _, c in self.path), sum(bool(n) for n, _ in self.path))

    def meets(self, trail: Sequence[Element]) -> bool:
        """Return whether it speaks of the last element of a trail."""
        if not _fits(self.path[-1], trail[-1]):
            return False
        at = 0
        for element in trail[:-1]:
            if at < len(self.path) - 1 and _fits(self.path[at], element):
                at += 1
        return at == len(self.path) - 1


@cache
def look(trail: tuple[Element, ...]) -> Mapping[str, str]:
    """Return what holds for the last element of a trail, in the light colours.

    >>> look((("svg", ("chart",)), ("line", ("grid",))))["stroke"]
    '#ebe9e3'
    """
    above = look(trail[:-1]) if len(trail) > 1 else {}
    found = {k: v for k, v in above.items() if k in _INHERITED or k.startswith("--")}
    for rule in sorted((r for r in rules() if r.meets(trail)), key=Rule.weight):
        found.update(rule.said)
    return {k: _resolved(v, found) for k, v in found.items()}


@cache
def colours() -> dict[str, str]:
    """Return the light colours of the pages by name, on white paper.

    >>> colours()["--s1"]
    '#0a65a8'
    """
    said: dict[str, str] = {}
    for body in re.findall(r":root \{([^}]*)\}", _outside_media(styles())):
        said |= _declared(body)
    if not said:
        raise BadInput("the style sheet names no colours")
    return {**said, "--paper": "#ffffff"}


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the style sheet that name elements and classes alone, media apart."""
    return tuple(_rules(_outside_media(re.sub(r"/\*.*?\*/", "", styles(), flags=re.DOTALL))))


def _rules(text: str) -> Iterator[Rule]:
    for selectors, body in _RULE.findall(text):
        said = _declared(body)
        for selector in selectors.split(","):
            if _PLAIN.fullmatch(selector.strip()):
                steps = (step.split(".") for step in selector.split())
                yield Rule(tuple((s[0], tuple(s[1:])) for s in steps), said)


def _outside_media(text: str) -> str:
    kept, depth, at = [], 0, 0
    while at < len(text):
        if text[at] == "@":
            at, depth = text.index("{", at) + 1, 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            continue
        kept.append(text[at])
        at += 1
    return "".join(kept)


def _declared(body: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
    return {name.strip(): " ".join(value.split()) for name, value in pairs}


def _fits(wanted: tuple[str, tuple[str, ...]], element: Element) -> bool:
    name, classes = wanted
    return name in ("", element[0]) and set(classes) <= set(element[1])


def _resolved(value: str, own: Mapping[str, str]) -> str:
    for _ in range(4):
        named = re.fullmatch(r"var\((--[\w-]+)\)", value)
        if named is None:
            return value
        given = own.get(named.group(1), "")
        # a name that stands for itself (.s0 says --c: var(--s0)) is one of the page's colours
        value = given if given and given != value else colours().get(named.group(1), "none")
    return value


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

    def _text(
        self, element: ElementTree.Element, said: Mapping[str, str], x: float, y: float
    ) -> None:
        anchor = {"middle": "center", "end": "right"}.get(said.get("text-anchor", ""), "left")
        size = float(said.get("font-size", "12px").removesuffix("px"))
        weight = said.get("font-weight", "400")
        self.axes.text(
            x + _of(element, "x"),
            y + _of(element, "y"),
            "".join(element.itertext()),
            ha=anchor,
            va="baseline",
            family=self.family,
            parse_math=False,
            fontsize=size * self.points * self.size,
            color=said.get("fill", "#1a1f25"),
            weight="bold" if weight.isdigit() and int(weight) >= 600 else "normal",
            zorder=3,
        )

    def _shape(
        self, element: ElementTree.Element, said: Mapping[str, str], x: float, y: float
    ) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        corners, codes = _outline(element)
        if not corners:
            return
        fill = said.get("fill", "#1a1f25")
        fill = "none" if element.tag == "line" else fill
        width = float(said.get("stroke-width", "1")) * self.points
        dashes = [float(v) * self.points / width for v in said.get("stroke-dasharray", "").split()]
        self.axes.add_patch(
            PathPatch(
                Path([(x + a, y + b) for a, b in corners], codes),
                facecolor=fill,
                edgecolor=said.get("stroke", "none"),
                linewidth=width,
                linestyle=(0, tuple(dashes)) if dashes else "solid",
                alpha=float(said.get("opacity", "1")),
                capstyle=_cap(said.get("stroke-linecap", "butt")),
                joinstyle="round",
                zorder=2,
            )
        )


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
            Path.MOVETO,
            *[Path.LINETO] * 3,
            Path.CLOSEPOLY,
        ]
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
    ring = [
        (r, 0),
        (r, k),
        (k, r),
        (0, r),
        (-k, r),
        (-r, k),
        (-r, 0),
        (-r, -k),
        (-k, -r),
        (0, -r),
        (k, -r),
        (r, -k),
        (r, 0),
    ]
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
