"""One panel of decision regions through all its frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

from ..page.markup import Html, join, tag

# Contours: decision values on a grid as the outlines of regions, in whole tenths of a pixel.

TOLERANCE = 2.5  # tenths of a pixel that an outline may be simplified by


def regions(
    grid: Sequence[float], nx: int, ny: int, levels: Sequence[float], width: int, height: int
) -> list[str]:
    """Return for each level the outline of all that lies above it, as the steps of an SVG path.

    The border of an outline lies outside the picture, so that only the contour is seen.

    Parameters
    ----------
    grid : (ny * nx,) decision values, x fastest, the lowest y first
    levels : the contours
    width, height : size of the picture in tenths of a pixel

    Examples
    --------
    >>> regions([0.0, 1.0, 0.0, 1.0], 2, 2, [0.5], 100, 100)
    ['M50 200h150v-300h-150z']
    """
    import contourpy

    values = np.asarray(grid, dtype=np.float64)
    if values.shape != (nx * ny,) or not np.isfinite(values).all():
        raise BadInput(f"a grid holds nx*ny={nx * ny} finite values, got shape {values.shape}")
    padded = np.pad(values.reshape(ny, nx), 1, mode="edge")  # (ny + 2, nx + 2)
    x = np.linspace(0, width, nx)
    y = np.linspace(height, 0, ny)
    x = np.concatenate([[-width], x, [2 * width]])
    y = np.concatenate([[2 * height], y, [-height]])
    tracer = contourpy.contour_generator(
        x, y, padded, name="serial", fill_type=contourpy.FillType.OuterOffset
    )
    top = max(float(padded.max()), max(levels)) + 1.0
    return [_outline(*tracer.filled(level, top)) for level in levels]


def _outline(points: list[Any], offsets: list[Any]) -> str:
    steps: list[str] = []
    for polygon, starts in zip(points, offsets, strict=True):
        for first, last in pairwise(starts):
            ring = np.rint(_simplified(np.asarray(polygon[first:last], dtype=np.float64)))
            steps.append(relative(ring[:-1].astype(np.int64)) + "z")
    return "".join(steps)


def relative(ring: NDArray[np.int64]) -> str:
    """Return points as a path of relative whole-number steps; points that stand still are left out.

    >>> relative(np.array([[0, 0], [10, 0], [10, 0], [12, -3]]))
    'M0 0h10l2-3'
    """
    words = [f"M{_pair(*ring[0].tolist())}"]
    for dx, dy in np.diff(ring, axis=0).tolist():
        if dy == 0 and dx == 0:
            continue
        words.append(f"h{dx}" if dy == 0 else f"v{dy}" if dx == 0 else f"l{_pair(dx, dy)}")
    return "".join(words)


def _pair(x: int, y: int) -> str:
    return f"{x}{y}" if y < 0 else f"{x} {y}"


def _simplified(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a line without the points that lie within TOLERANCE of it (Douglas and Peucker)."""
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    open_pieces = [(0, len(points) - 1)]
    while open_pieces:
        first, last = open_pieces.pop()
        if last - first < 2:
            continue
        inner = points[first + 1 : last] - points[first]  # (m, 2)
        chord = points[last] - points[first]
        length = float(np.hypot(*chord))
        away = (
            np.abs(inner @ np.array([-chord[1], chord[0]])) / length
            if length
            else np.hypot(inner[:, 0], inner[:, 1])
        )
        farthest = int(np.argmax(away))
        if away[farthest] > TOLERANCE:
            middle = first + 1 + farthest
            keep[middle] = True
            open_pieces += [(first, middle), (middle, last)]
    return points[keep]


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
            (
                round((p["x1"] - v["x_low"]) / across * WIDTH),
                round((v["y_high"] - p["x2"]) / up * self.height),
            )
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
        return join(
            [
                tag("g", *self._layer("dot", first), id=f"{self.name}-still"),
                tag("path", d=ghost, id=f"{self.name}-ghost"),
            ]
        )

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
