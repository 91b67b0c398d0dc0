"""The ways of edges between cards on floors: past the cards that stand between, not through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PAST = 13.0  # pixels between a card and an edge that passes it


@dataclass(frozen=True)
class Routes:
    """Where the cards stand, and how an edge gets from one to another.

    Parameters
    ----------
    at : the middle of each card
    wide, high : of a card
    floor : the distance of two floors

    Examples
    --------
    >>> routes = Routes({"a": (50.0, 200.0), "b": (50.0, 100.0)}, wide=40, high=20, floor=100)
    >>> routes.path("a", "b")
    'M50.0 190.0C50.0 154.0 50.0 146.0 50.0 110.0'
    """

    at: Mapping[str, tuple[float, float]]
    wide: float
    high: float
    floor: float

    def path(self, source: str, target: str, shift: float = 0.0) -> str:
        """Return the path of an edge from card to card, moved sideways by so much."""
        (x0, y0), (x1, y1) = self.at[source], self.at[target]
        half = self.high / 2
        if abs(y0 - y1) < 1:  # on one floor: an arc over the cards
            lift = y0 - half - min(40.0, 16 + abs(x1 - x0) * 0.08)
            return _curve(x0 + shift, y0 - half, lift, x1 + shift, y1 - half, lift)
        up = -1.0 if y1 < y0 else 1.0
        x, y = x0 + shift, y0 + up * half
        steps = [f"M{x:.1f} {y:.1f}"]
        floors = round(abs(y1 - y0) / self.floor)
        for k in range(1, floors):
            level = y0 + up * self.floor * k
            straight = x0 + shift + (x1 - x0) * k / floors
            free = self._past(straight, level)
            if free != straight:  # straight up beside the card that stands there
                entry, leave = level - up * half, level + up * half
                steps += [_bend(x, y, free, entry), f"V{leave:.1f}"]
                x, y = free, leave
        steps.append(_bend(x, y, x1 + shift, y1 - up * half))
        return "".join(steps)

    def head(self, source: str, target: str, shift: float = 0.0) -> str:
        """Return the arrow head at the end of that path."""
        (_, y0), (x1, y1) = self.at[source], self.at[target]
        up = -1.0 if y1 < y0 - 1 else 1.0
        x, tip = x1 + shift, y1 - up * (self.high / 2 + 1)
        tail = tip - up * 7
        return f"M{x - 4.5:.1f} {tail:.1f}L{x:.1f} {tip:.1f}L{x + 4.5:.1f} {tail:.1f}"

    def _past(self, x: float, y: float) -> float:
        """Return the place nearest to x where nothing stands on this level."""
        room = self.wide / 2 + _PAST
        cards = sorted(cx for cx, cy in self.at.values() if abs(cy - y) < 1)
        if all(abs(x - c) >= room for c in cards):
            return x
        free = [c + side for c in cards for side in (-room, room)]
        free = [f for f in free if all(abs(f - c) >= room - 0.5 for c in cards)] or free
        return min(free, key=lambda f: abs(f - x))


def _bend(x0: float, y0: float, x1: float, y1: float) -> str:
    third = (y1 - y0) * 0.45
    return f"C{x0:.1f} {y0 + third:.1f} {x1:.1f} {y1 - third:.1f} {x1:.1f} {y1:.1f}"


def _curve(x0: float, y0: float, c0: float, x1: float, y1: float, c1: float) -> str:
    return f"M{x0:.1f} {y0:.1f}C{x0:.1f} {c0:.1f} {x1:.1f} {c1:.1f} {x1:.1f} {y1:.1f}"
