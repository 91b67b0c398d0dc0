"""Decision regions in two dimensions, stepped through frame by frame as points are forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unteach.core import BadInput

from .._drawing.figure import figure, key
from .._drawing.region_panel import WIDTH, Plot
from ..page.markup import Html, join, tag
from ..page.number_format import number, scaled, suffix
from ..page.page import Drawing, Page
from ..page.tables import need

STATES = ("free", "bounded", "zero", "forgotten")
_SURFACE = ("nx", "ny", "x_low", "x_high", "y_low", "y_high", "grid")
_POINTS = ("x1", "x2", "state")


@dataclass(frozen=True)
class Boundary:
    """Filled decision regions, margins, points and support vectors; a slider steps the frames.

    Without a script, and in print, the first, a middle and the last frame are shown. A single
    frame stands still, without a slider.

    Parameters
    ----------
    surface : a table with one row a (row, panel, frame): nx, ny, x_low, x_high, y_low, y_high,
        and `grid`, nx*ny decision values (x fastest, lowest y first), or None where there is no
        model; its column `note`, if it has one, says why
    points : a table with one row a (row, panel, frame, point): x1, x2, `target`, and `state`:
        "free" and "bounded" (support vectors at and inside the margin), "zero", "forgotten"
    panel, frame, row : the columns that tell panels, frames and rows of panels apart
    frame_label : the column of `surface` that names a frame
    target : the column of `points` with the class
    classes : the two classes, first the one where the decision value is negative
    notes : columns of `surface` written beneath each panel
    labels : what panels, rows, classes and notes are called here
    """

    surface: str
    points: str
    title: str = ""
    caption: str = ""
    panel: str = "kernel"
    frame: str = "frame"
    row: str | None = None
    frame_label: str = "label"
    target: str = "label"
    classes: tuple[Any, Any] | None = None
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)

    def check(self, page: Page) -> None:
        """Raise `BadInput` if a table, a column or a known state is missing."""
        for text in (self.title, self.caption):
            page.check_text(text)
        surface, points = page.table(self.surface), page.table(self.points)
        shared = (self.panel, self.frame, self.row, *self.where)
        need(surface, *_SURFACE, self.frame_label, *self.notes, *shared)
        need(points, *_POINTS, self.target, *shared)
        strange = set(points["state"]) - set(STATES)
        if strange:
            raise BadInput(f"a point's state is one of {STATES}, got {sorted(map(str, strange))}")
        if len(surface.where(**self.where)) == 0:
            raise BadInput(f"table {self.surface!r} has no rows where {dict(self.where)}")
        found = set(points.where(**self.where)[self.target])
        if len(found) > 2 if self.classes is None else found - set(self.classes):
            raise BadInput(f"two classes are drawn; {self.points!r} has {sorted(map(str, found))}")

    def html(self, drawing: Drawing) -> Html:
        """Return the figure with all its frames."""
        surface = drawing.page.table(self.surface).where(**self.where)
        points = drawing.page.table(self.points).where(**self.where)
        at = {self._cell(r): r for r in surface.rows()}
        dots: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for point in points.rows():
            dots.setdefault(self._cell(point), []).append(point)
        classes = self.classes or (*sorted(set(points[self.target])), None, None)[:2]
        frames = list(dict.fromkeys(surface[self.frame]))
        panels = list(dict.fromkeys((r, p) for r, p, _ in at))
        rows = list(dict.fromkeys(r for r, _ in panels))
        name = drawing.unique("boundary")
        plots = {
            pair: Plot(
                f"{name}-{k}",
                {f: at[(*pair, f)] for f in frames if (*pair, f) in at},
                {f: dots.get((*pair, f), []) for f in frames},
                classes,
                self.target,
            )
            for k, pair in enumerate(panels)
        }
        key_frames = {0, len(frames) // 2, len(frames) - 1}
        drawn: list[Html] = []
        for k, frame in enumerate(frames):
            label = next(str(r[self.frame_label]) for r in at.values() if r[self.frame] == frame)
            groups: list[Html] = []
            for r in rows:
                heading = tag("p", self.labels.get(str(r), str(r)), class_="row-title")
                cells = [
                    self._panel(p, plots[r, p], frame, surface.units, label)
                    for s, p in panels
                    if s == r
                ]
                row = tag("div", *cells, class_=f"panels maps of-{min(len(cells), 4)}")
                groups.append(join([heading if self.row else "", row]))
            drawn.append(
                tag(
                    "div",
                    tag("p", label, class_="frame-title") if len(frames) > 1 else "",
                    *groups,
                    class_="frame key-frame" if k in key_frames else "frame",
                    data_label=label,
                )
            )
        shared = tag(
            "svg",
            tag("defs", *(p.shared(frames) for p in plots.values())),
            class_="defs",
            width=0,
            height=0,
            aria_hidden="true",
        )
        steps = len(frames) > 1
        body = tag(
            "div",
            _controls(name, len(frames)) if steps else "",
            shared,
            *drawn,
            self._key(classes, steps),
            class_="player" if steps else "still",
            id=name,
        )
        return figure(drawing, body, title=self.title, caption=self.caption, kind="boundary")

    def _cell(self, row: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        return (None if self.row is None else row[self.row], row[self.panel], row[self.frame])

    def _panel(
        self, panel: Any, plot: Plot, frame: Any, units: Mapping[str, str], label: str
    ) -> Html:
        name = self.labels.get(str(panel), str(panel))
        notes = [
            f"{self.labels.get(c, c.replace('_', ' '))} {_said(plot.surface[frame][c], units[c])}"
            for c in self.notes
            if frame in plot.surface and plot.surface[frame][c] is not None
        ]
        picture = tag(
            "svg",
            plot.drawn(frame),
            viewbox=f"0 0 {WIDTH} {plot.height}",
            role="img",
            class_="map",
            aria_label=f"{name}, {label}: " + ", ".join(notes),
        )
        missing = plot.missing(frame)
        return tag(
            "div",
            tag("p", name, class_="panel-title"),
            tag(
                "div",
                picture,
                tag("p", missing, class_="missing") if missing else "",
                class_="map-holder",
            ),
            tag("p", " · ".join(notes), class_="panel-note"),
            class_="panel",
        )

    def _key(self, classes: Sequence[Any], steps: bool) -> Html:
        def dot(c: str, ringed: bool = False) -> Html:
            layers = ("ring", "halo", "dot") if ringed else ("dot",)
            marks = [tag("path", d="M0 0h1", class_=f"{layer} {c}") for layer in layers]
            return tag("g", *marks, transform="scale(.1)")

        def rule(kind: str) -> Html:
            return tag("g", tag("path", d="M-130 0h260", class_=kind), transform="scale(.1)")

        cross = tag(
            "g", tag("path", d="M-30-30l60 60m0-60l-60 60", class_="gone"), transform="scale(.1)"
        )
        entries = [
            (dot(f"c{k}"), self.labels.get(str(c), str(c)))
            for k, c in enumerate(classes)
            if c is not None
        ]
        entries += [
            (dot("c0", ringed=True), "support vector"),
            (cross, "forgotten"),
            (rule("zero-line"), "boundary"),
            (rule("margin"), "margins at −1 and +1"),
        ]
        entries += [(rule("ghost"), "boundary before")] if steps else []
        return key(entries)


def _controls(name: str, frames: int) -> Html:
    play = tag("button", "Play", type="button", class_="play", aria_label="play the frames")
    slider = tag(
        "input",
        type="range",
        min=0,
        max=frames - 1,
        value=0,
        step=1,
        aria_label="frame",
        id=f"{name}-slider",
    )
    shown = tag("output", for_=f"{name}-slider")
    return tag("div", play, slider, shown, class_="controls", hidden=True)


def _said(value: Any, unit: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if not np.isfinite(value):
        return number(value)
    whole = isinstance(value, int) and unit != "share"
    return number(scaled(value, unit), 0 if whole or unit == "share" else 3) + suffix(unit)
