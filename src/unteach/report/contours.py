"""Contours: decision values on a grid as the outlines of regions, in whole tenths of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

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
    try:
        import contourpy
    except ImportError as error:
        raise BadInput(
            'decision regions need contourpy: pip install "unteach[plot]"'
        ) from error
    values = np.asarray(grid, dtype=np.float64)
    if values.shape != (nx * ny,) or not np.isfinite(values).all():
        raise BadInput(
            f"a grid holds nx*ny={nx * ny} finite values, got shape {values.shape}"
        )
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
        away = np.abs(inner @ np.array([-chord[1], chord[0]])) / length if length else np.hypot(
            inner[:, 0], inner[:, 1]
        )
        farthest = int(np.argmax(away))
        if away[farthest] > TOLERANCE:
            middle = first + 1 + farthest
            keep[middle] = True
            open_pieces += [(first, middle), (middle, last)]
    return points[keep]
