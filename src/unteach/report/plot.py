"""One panel of decision regions through all its frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .contours import regions
from .markup import Html, join, tag

WIDTH = 2520  # tenths of a pixel


@dataclass(frozen=True)
class Plot:
    """One panel through all frames: what stays is drawn once, what changes once a frame."""

    name: str
    surface: Mapping[Any, Mapping[str, Any]]
    dots: Mapping[Any, list[dict[str, Any]]]
    classes: Sequence[Any]
    target: str

    @property
    def view(self) -> Mapping[str, Any]:
        """The first row of the surface: where the panel lies in the plane."""
        return next(iter(self.surface.values()))

    @property
    def height(self) -> int:
        """The height of the panel in tenths of a pixel."""
        v = self.view
        ratio = float((v["y_high"] - v["y_low"]) / (v["x_high"] - v["x_low"]))
        return round(WIDTH * min(max(ratio, 0.6), 1.1) / 10) * 10

    def place(self, points: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]]:
        """Return where points are drawn, in whole tenths of a pixel."""
        v = self.view
        across, up = v["x_high"] - v["x_low"], v["y_high"] - v["y_low"]
        return [
            (round((p["x1"] - v["x_low"]) / across * WIDTH),
             round((v["y_high"] - p["x2"]) / up * self.height))
            for p in points
        ]

    @cached_property
    def still(self) -> set[tuple[float, float, Any]]:
        """The points that are no support vector in any frame and are never forgotten."""
        frames = list(self.dots.values())
        seen = [{self._key(p) for p in f if p["state"] == "zero"} for f in frames]
        moving = {self._key(p) for f in frames for p in f if p["state"] != "zero"}
        return set.intersection(*seen) - moving

    def shared(self, frames: Sequence[Any]) -> Html:
        """Return what all frames refer to: the points that stay, and the boundary before."""
        first = [p for p in self.dots[frames[0]] if self._key(p) in self.still]
        ghost = "" if self.missing(frames[0]) else self._outlines(frames[0], [0.0])[0]
        return join([
            tag("g", *self._layer("dot", first), id=f"{self.name}-still"),
            tag("path", d=ghost, id=f"{self.name}-ghost"),
        ])

    def missing(self, frame: Any) -> str:
        """Return why there is no model in this frame, or nothing if there is one."""
        row = self.surface.get(frame)
        if row is not None and row["grid"] is not None:
            return ""
        return str((row or {}).get("note") or "no model")

    def drawn(self, frame: Any) -> Html:
        """Return one frame: regions, margins, the boundary before, points."""
        parts: list[Html] = []
        if not self.missing(frame):
            below, zero, above = self._outlines(frame, [-1.0, 0.0, 1.0])
            parts += [
                tag("path", d=f"M0 0h{WIDTH}v{self.height}h-{WIDTH}z", class_="side n2"),
                tag("path", d=below, class_="side n1 margin"),
                tag("path", d=zero, class_="side p1 zero-line"),
                tag("path", d=above, class_="side p2 margin"),
            ]
            if frame != next(iter(self.surface)):
                parts.append(tag("use", href=f"#{self.name}-ghost", class_="ghost"))
        parts.append(tag("use", href=f"#{self.name}-still"))
        moving = [p for p in self.dots[frame] if self._key(p) not in self.still]
        gone = [p for p in moving if p["state"] == "forgotten"]
        held = [p for p in moving if p["state"] in ("free", "bounded")]
        parts += self._crosses(gone)
        for layer in ("ring", "halo", "dot"):
            parts += self._layer(layer, held)
        parts += self._layer("dot", [p for p in moving if p["state"] == "zero"])
        return join(parts)

    def _key(self, point: Mapping[str, Any]) -> tuple[float, float, Any]:
        return (point["x1"], point["x2"], point[self.target])

    def _outlines(self, frame: Any, levels: list[float]) -> list[str]:
        row = self.surface[frame]
        return regions(row["grid"], row["nx"], row["ny"], levels, WIDTH, self.height)

    def _layer(self, layer: str, points: Sequence[Mapping[str, Any]]) -> list[Html]:
        found = []
        for k, name in enumerate(self.classes):
            own = self.place(p for p in points if p[self.target] == name)
            if own:
                steps = "".join(f"M{x} {y}h1" for x, y in sorted(own))
                found.append(tag("path", d=steps, class_=f"{layer} c{k}"))
        return found

    def _crosses(self, points: Sequence[Mapping[str, Any]]) -> list[Html]:
        steps = "".join(
            f"M{x - 30} {y - 30}l60 60m0-60l-60 60" for x, y in sorted(self.place(points))
        )
        return [tag("path", d=steps, class_="gone")] if steps else []
