"""Direct labels: a name beside its line, where it covers nothing; otherwise none at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .figure import text_width

Path = Sequence[Sequence[tuple[float, float]]]
Box = tuple[float, float, float, float]
_SIZE = 12.0
_CLEAR = 5.0


@dataclass(frozen=True)
class Track:
    """A line in pixels, in pieces, and the edges of its interval band."""

    line: Path
    upper: Path
    lower: Path


@dataclass(frozen=True)
class Label:
    """A text whose baseline starts at (x, y)."""

    name: str
    text: str
    x: float
    y: float


def place(wanted: Mapping[str, str], tracks: Mapping[str, Track], *, box: Box) -> list[Label]:
    """Return one label a line, or none if any of them finds no free place close to its line.

    >>> flat = {n: Track(*[[[(0.0, y), (200.0, y)]]] * 3) for n, y in (("a", 20.0), ("b", 90.0))}
    >>> [label.name for label in place({"a": "a", "b": "b"}, flat, box=(0, 0, 200, 100))]
    ['a', 'b']
    """
    taken: list[Box] = []
    found: list[Label] = []
    above = {name: _dense(track.upper) for name, track in tracks.items()}
    below = {name: _dense(track.lower) for name, track in tracks.items()}
    dots = {
        name: np.array(_dense(t.line) + above[name] + below[name]).reshape(-1, 2)
        for name, t in tracks.items()
    }  # (m, 2)
    for name, text in wanted.items():
        best: tuple[float, Box] | None = None
        rest = np.concatenate([np.empty((0, 2)), *(d for n, d in dots.items() if n != name)])
        width = text_width(text, _SIZE)
        anchors = [(x, y - _SIZE - 5.0) for x, y in above[name]]
        anchors += [(x, y + 5.0) for x, y in below[name]]
        for x, top in anchors:
            for left in (x - width / 2, x - width, x):
                space = (left, top, left + width, top + _SIZE)
                if not _within(space, box) or any(_overlap(space, t) for t in taken):
                    continue
                own = _distance(space, dots[name])
                if own < _CLEAR - 1:
                    continue
                other = _distance(space, rest)
                if other < _CLEAR + 3 or other < own:
                    continue
                score = min(other, 48.0) - 1.5 * own + 0.03 * x
                if best is None or score > best[0]:
                    best = (score, space)
        if best is None:
            return []
        left, top, _, _ = best[1]
        taken.append(best[1])
        found.append(Label(name, text, round(left, 1), round(top + _SIZE - 2.5, 1)))
    return found


def _dense(path: Path, step: float = 7.0) -> list[tuple[float, float]]:
    dots: list[tuple[float, float]] = []
    for piece in path:
        dots += piece[:1]
        for (x0, y0), (x1, y1) in pairwise(piece):
            count = max(1, round(max(abs(x1 - x0), abs(y1 - y0)) / step))
            dots += [
                (x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count)
                for k in range(1, count + 1)
            ]
    return dots


def _within(space: Box, box: Box) -> bool:
    return space[0] >= box[0] and space[1] >= box[1] and space[2] <= box[2] and space[3] <= box[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] + 6 and b[0] < a[2] + 6 and a[1] < b[3] + 2 and b[1] < a[3] + 2


def _distance(space: Box, dots: NDArray[np.float64]) -> float:
    outside = np.maximum(np.maximum(space[:2] - dots, dots - space[2:]), 0.0)  # (m, 2)
    return float(np.sqrt((outside**2).sum(axis=1).min(initial=1e6)))
