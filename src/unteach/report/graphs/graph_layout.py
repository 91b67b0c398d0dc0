"""Where the nodes of a layered graph stand: few crossings, no overlaps, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# The ways of edges between cards on floors: past the cards that stand between, not through.

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


def places(
    floors: Mapping[str, int], links: Sequence[tuple[str, str]], *, width: float, gap: float
) -> dict[str, float]:
    """Return the horizontal middle of each node, between 0 and `width`.

    The nodes of the lowest floor are spread evenly, those above stand over the middle of what
    they are linked to; every floor is ordered by the mean place of its neighbours, in sweeps up
    and down (Sugiyama, Tagawa and Toda 1981), and the order with the fewest crossings is kept.

    Parameters
    ----------
    floors : the floor of each node; ties keep this order
    links : pairs of nodes
    gap : the least distance between two middles on a floor

    >>> places({"a": 0, "b": 0, "c": 1}, [("a", "c"), ("b", "c")], width=100, gap=30)
    {'a': 25.0, 'b': 75.0, 'c': 50.0}
    """
    near: dict[str, list[str]] = {name: [] for name in floors}
    for one, other in links:
        near[one].append(other)
        near[other].append(one)
    rows = [[n for n in floors if floors[n] == f] for f in sorted(set(floors.values()))]
    best = (_crossings(rows, links), [list(row) for row in rows])
    for sweep in range(12):
        at = {n: (k + 0.5) / len(row) for row in rows for k, n in enumerate(row)}
        for row in rows if sweep % 2 else rows[::-1]:
            row.sort(key=lambda n: sum(at[m] for m in near[n]) / len(near[n]) if near[n] else 2.0)
            at.update({n: (k + 0.5) / len(row) for k, n in enumerate(row)})
        found = _crossings(rows, links)
        if found < best[0]:
            best = (found, [list(row) for row in rows])
    placed: dict[str, float] = {}
    for row in best[1]:
        even = {n: width * (k + 0.5) / len(row) for k, n in enumerate(row)}
        wanted = []
        for n in row:
            feet = [placed[m] for m in near[n] if m in placed and m not in row]
            wanted.append(sum(feet) / len(feet) if feet else even[n])
        placed.update(zip(row, _apart(wanted, gap, width), strict=True))
    return placed


def _apart(wanted: Sequence[float], gap: float, width: float) -> list[float]:
    """Return places in the given order, at least a gap apart, near where they are wanted."""
    at: list[float] = []
    for x in wanted:
        at.append(max(x, at[-1] + gap) if at else x)
    drift = sum(a - w for a, w in zip(at, wanted, strict=True)) / len(at)
    at = [a - drift for a in at]
    over = max(0.0, gap / 2 - at[0]) - max(0.0, at[-1] - (width - gap / 2))
    return [a + over for a in at]


def _crossings(rows: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> int:
    """Return how many pairs of links cross, each drawn straight between its floors."""
    at = {n: (f, (k + 0.5) / len(row)) for f, row in enumerate(rows) for k, n in enumerate(row)}
    drawn = [sorted((at[a], at[b])) for a, b in links]
    crossed = 0
    for k, ((low, x0), (high, x1)) in enumerate(drawn):
        for (other_low, y0), (other_high, y1) in drawn[:k]:
            if low < other_high and other_low < high and (x0 - y0) * (x1 - y1) < 0:
                crossed += 1
    return crossed
