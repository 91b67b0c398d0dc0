"""A hierarchy as a drawn graph: floors of skills with values, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Table

from .._drawing.figure import figure, key, text_width
from .._drawing.picture import player
from ..page.markup import Html, tag
from ..page.number_format import number
from ..page.page import Drawing, Page
from ..page.tables import need
from .graph_layout import Routes, places

KINDS = ("call", "prerequisite", "measured", "reduction")
_ORDER = {"measured": 0, "prerequisite": 1, "call": 2, "reduction": 3}  # the last on top
_SHIFTS = {"prerequisite": -12.0, "reduction": 20.0}  # so that edges do not lie on each other
_WIDTH, _LEFT, _FLOOR, _CARD, _HIGH, _THICK = 1080.0, 74.0, 136.0, 128.0, 66.0, 10.0


@dataclass(frozen=True)
class Hierarchy:
    """Skills on floors, coloured by a value, with declared and measured edges; in frames.

    Each skill is a card with its name, its value, and a meter on which chance is marked. Calls
    are lines, other prerequisites dashed; a measured edge is as wide as it is strong, in another
    colour where no declared edges lead the same way; a reduction (a back door) is dotted, from
    the skill that opens it. Widths and meters are drawn from 0 to 1.

    Parameters
    ----------
    nodes : a table with one row a (skill, frame): `skill`, `floor`, and the value; optional `low`,
        `high`, `chance`, and `note`, a word or two beneath the name
    edges : a table with `source`, `target`, `kind` ("call", "prerequisite", "measured" or
        "reduction") and `strength` (0 to 1, or None for the declared); by frame, if it has the
        frame's column; a row without a frame stands in all of them
    value : the column of `nodes` that colours a skill
    frame : the column that tells frames apart, its values their labels; None for one frame
    labels : what values, skills and chance are called here

    Examples
    --------
    >>> nodes = Table("n", {"skill": ["ADD", "DOT"], "floor": [0, 1], "accuracy": [0.1, 1.0]})
    >>> edges = Table("e", {"source": ["ADD"], "target": ["DOT"], "kind": ["call"],
    ...                     "strength": [None]})
    >>> page = Page("Tower", "?", (), (Hierarchy("n", "e"),), "", "", {}, (), (nodes, edges))
    >>> print(page.blocks[0].text(page))
    floor 1  DOT 1
    atoms    ADD 0.10
    """

    nodes: str
    edges: str
    title: str = ""
    caption: str = ""
    value: str = "accuracy"
    frame: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a table, a column, a skill or a kind of edge is missing."""
        for text in (self.title, self.caption):
            page.check_text(text)
        nodes, edges = page.table(self.nodes), page.table(self.edges)
        need(nodes, "skill", "floor", self.value, self.frame, *self.where)
        need(edges, "source", "target", "kind", "strength")
        strange = {str(k) for k in set(edges["kind"]) - set(KINDS)}
        strange |= {str(s) for s in {*edges["source"], *edges["target"]} - set(nodes["skill"])}
        if strange:
            raise BadInput(f"edges have a kind of {KINDS} and known skills; got {sorted(strange)}")
        if not len(nodes.where(**self.where)):
            raise BadInput(f"table {self.nodes!r} has no rows where {dict(self.where)}")
        for label, rows in self._frames(nodes).items():
            if len({r["skill"] for r in rows}) < len(rows):
                raise BadInput(f"table {self.nodes!r} has a skill twice in the frame {label!r}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure with all its frames."""
        table = drawing.page.table(self.edges)
        edges = list(table.rows())
        frames = self._frames(drawing.page.table(self.nodes))
        floors = {r["skill"]: int(r["floor"]) for rows in frames.values() for r in rows}
        solid = [(e["source"], e["target"]) for e in edges if e["kind"] in ("call", "prerequisite")]
        links = list(dict.fromkeys(solid))
        stands = _closed(links)
        at = places(floors, links, width=_WIDTH - _LEFT, gap=_gap(floors))
        drawn = [
            (label, self._drawn(rows, self._of(label, edges), floors, at, stands, label))
            for label, rows in frames.items()
        ]
        body = player(drawing, drawn, self._key(edges))
        return figure(drawing, body, title=self.title, caption=self.caption, kind="hierarchy")

    def text(self, page: Page) -> str:
        """Return the floors as lines of text, the highest first, frame by frame."""
        lines: list[str] = []
        frames = self._frames(page.table(self.nodes))
        for label, rows in frames.items():
            lines += [label] if len(frames) > 1 else []
            for floor in sorted({r["floor"] for r in rows}, reverse=True):
                here = [f"{r['skill']} {_said(r[self.value])}" for r in rows if r["floor"] == floor]
                lines.append(f"{_named(floor):<8} " + "  ".join(here))
        return "\n".join(lines)

    def _frames(self, nodes: Table) -> dict[str, list[dict[str, Any]]]:
        frames: dict[str, list[dict[str, Any]]] = {}
        for row in nodes.where(**self.where).rows():
            frames.setdefault("" if self.frame is None else str(row[self.frame]), []).append(row)
        return frames

    def _of(self, label: str, edges: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.frame is None:
            return edges
        return [e for e in edges if e.get(self.frame) is None or str(e[self.frame]) == label]

    def _drawn(
        self,
        rows: list[dict[str, Any]],
        edges: list[dict[str, Any]],
        floors: Mapping[str, int],
        at: Mapping[str, float],
        declared: set[tuple[str, str]],
        label: str,
    ) -> Html:
        top = max(floors.values())
        height = _FLOOR * (top + 1)
        wide = min(_CARD, _gap(floors) - 14)

        def middle(skill: str) -> tuple[float, float]:
            return _LEFT + at[skill], height - _FLOOR * (floors[skill] + 0.5)

        ground = [
            tag(
                "g",
                tag("line", x1=0, x2=_WIDTH, y1=y, y2=y, class_="h-ground"),
                tag("text", _named(f), x=0, y=y - 9, class_="h-floor"),
            )
            for f in range(top + 1)
            for y in (height - _FLOOR * f - 6,)
        ]
        cards_at = {skill: middle(skill) for skill in floors}
        routes = Routes(cards_at, wide=wide, high=_HIGH, floor=_FLOOR)
        lines = [_edge(e, routes, declared) for e in sorted(edges, key=lambda e: _ORDER[e["kind"]])]
        cards = [self._card(r, *middle(r["skill"]), wide) for r in rows]
        said = ", ".join(f"{r['skill']} {_said(r[self.value])}" for r in rows)
        picture = tag(
            "svg",
            *ground,
            *lines,
            *cards,
            viewbox=f"0 0 {_WIDTH:.0f} {height:.0f}",
            role="img",
            class_="h-svg",
            aria_label=f"{label} {said}".strip(),
        )
        return tag("div", picture, class_="h-holder", tabindex=0)

    def _card(self, row: Mapping[str, Any], x: float, y: float, wide: float) -> Html:
        value, chance = row[self.value], row.get("chance")
        left, top = x - wide / 2, y - _HIGH / 2
        name = self.labels.get(row["skill"], row["skill"])
        parts: list[Html] = [
            tag("title", self._spoken(row)),
            tag("rect", x=left, y=top, width=wide, height=_HIGH, rx=9, class_="h-card"),
        ]
        if value is not None:
            floor = chance or 0.0
            kept = min(1.0, max(0.0, (value - floor) / (1 - floor))) if floor < 1 else 1.0
            for kind, much in (("h-kept", kept), ("h-fallen", 1 - kept)):
                if much > 0.005:
                    parts.append(
                        tag(
                            "rect",
                            x=left,
                            y=top,
                            width=wide,
                            height=_HIGH,
                            rx=9,
                            class_=kind,
                            fill_opacity=round(0.30 * much, 3),
                        )
                    )
        size = 17.0 if text_width(name, 17.0) < wide - 62 else 13.5
        parts.append(tag("text", name, x=left + 12, y=top + 26, class_="h-name", font_size=size))
        parts.append(tag("text", _said(value), x=left + wide - 12, y=top + 26, class_="h-value"))
        if row.get("note"):
            parts.append(tag("text", row["note"], x=left + 12, y=top + 44, class_="h-note"))
        room, base = wide - 24, top + _HIGH - 12
        parts.append(
            tag("rect", x=left + 12, y=base, width=room, height=5, rx=2.5, class_="h-track")
        )
        if value is not None and value > 0:
            parts.append(
                tag(
                    "rect",
                    x=left + 12,
                    y=base,
                    width=max(5.0, room * min(1.0, value)),
                    height=5,
                    rx=2.5,
                    class_="h-meter",
                )
            )
        if chance is not None:
            tick = left + 12 + room * chance
            parts.append(tag("line", x1=tick, x2=tick, y1=base - 4, y2=base + 9, class_="h-chance"))
        return tag("g", *parts)

    def _spoken(self, row: Mapping[str, Any]) -> str:
        words = f"{row['skill']}: {self.labels.get(self.value, self.value)} "
        words += _said(row[self.value])
        if row.get("low") is not None and row.get("high") is not None:
            words += f" [{_said(row['low'])}, {_said(row['high'])}]"
        if row.get("chance") is not None:
            words += f"; {self.labels.get('chance', 'chance')} {_said(row['chance'])}"
        return words

    def _key(self, edges: list[dict[str, Any]]) -> Html:
        kinds = {e["kind"] for e in edges}
        name = self.labels.get(self.value, self.value)

        def card(kind: str) -> Html:
            return tag(
                "g",
                tag("rect", x=-12, y=-7, width=24, height=14, rx=4, class_="h-card"),
                tag("rect", x=-12, y=-7, width=24, height=14, rx=4, class_=kind, fill_opacity=0.30),
            )

        def line(kind: str, width: float | None = None) -> Html:
            return tag("path", d="M-13 0h26", class_=f"h-edge {kind}", stroke_width=width)

        entries = [(card("h-kept"), f"{name} 1"), (card("h-fallen"), f"{name} at chance")]
        entries.append((tag("line", x1=0, x2=0, y1=-7, y2=7, class_="h-chance"), "chance"))
        words = {
            "call": "calls",
            "prerequisite": "stands on, without a call",
            "reduction": "back door: computes the skill it points to",
        }
        entries += [(line(f"h-{k}"), words[k]) for k in words if k in kinds]
        if "measured" in kinds:
            entries += [
                (line("h-measured", 7.0), "measured: falls with it, as wide as strong"),
                (line("h-measured h-astray", 7.0), "measured, where nothing was declared"),
            ]
        return key(entries)


def _edge(edge: Mapping[str, Any], routes: Routes, declared: set[tuple[str, str]]) -> Html:
    kind, width = edge["kind"], None
    style = f"h-edge h-{kind}"
    if kind == "measured":
        width = round(_THICK * min(1.0, max(0.0, edge["strength"] or 0.0)), 2)
        style += "" if (edge["source"], edge["target"]) in declared else " h-astray"
        if width < 0.3:
            return Html("")
    words = f"{edge['source']} to {edge['target']}: {kind}"
    if edge["strength"] is not None:
        words += f" {_said(edge['strength'])}"
    ends = (edge["source"], edge["target"], _SHIFTS.get(kind, 0.0))
    line = tag("path", tag("title", words), d=routes.path(*ends), class_=style, stroke_width=width)
    head = tag("path", d=routes.head(*ends), class_="h-head") if kind == "reduction" else ""
    return tag("g", line, head)


def _closed(links: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return all pairs that links lead from and to, over any number of steps."""
    found = set(links)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def _gap(floors: Mapping[str, int]) -> float:
    most = max(list(floors.values()).count(f) for f in floors.values())
    return min(_CARD + 44, (_WIDTH - _LEFT) / most)


def _named(floor: int) -> str:
    return "atoms" if floor == 0 else f"floor {floor}"


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return number(value, 0 if value in (0, 1) else 2)
