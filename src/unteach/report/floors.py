"""Where the nodes of a layered graph stand: few crossings, no overlaps, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


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
