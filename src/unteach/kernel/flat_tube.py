"""A regression tube of width 0: its rows may be pulled up and down at once.

Then the pulls are not unique, though their sums are: what matters is the sum alone, and the
canonical solution is found for the problem of the sums.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unteach.core import Ids

from .program import Program
from .qp import Vector

_GIVE = 1e-12


def pulled_both_ways(program: Program, b: Vector) -> bool:
    """Say whether a row has weight on both of its sides.

    >>> tube = Program(np.eye(1), np.zeros(2, int), np.zeros(2, int), np.zeros(2),
    ...                np.array([0.0, -1.0]), np.array([1.0, 0.0]), np.zeros(1))
    >>> pulled_both_ways(tube, np.array([0.5, -0.2])), pulled_both_ways(tube, np.array([0.5, 0]))
    (True, False)
    """
    n = len(program.gram)
    return len(b) == 2 * n and bool(((b[:n] != 0) & (b[n:] != 0)).any())


def of_sums(program: Program, b: Vector) -> tuple[Program, Vector]:
    """Return the problem of a tube of width 0, in one group, and b with every row on one side."""
    n = len(program.gram)
    single = replace(program, group=np.zeros(2 * n, np.int64), totals=np.zeros(1))
    net, most = b[:n] + b[n:], program.upper[:n]
    net[np.abs(net) <= _GIVE * most] = 0.0
    close = most - np.abs(net) <= _GIVE * most
    net[close] = np.sign(net[close]) * most[close]
    return single, np.append(np.maximum(net, 0.0), np.minimum(net, 0.0))


def with_sums(program: Program, b: Vector, level: float, ids: Ids) -> tuple[Vector, Vector]:
    """Return (b, levels) of the tube's own program from the solution of the sums.

    Where the pulls of each side have a sum to meet, what is missing is added to both sides of
    the rows, in the order of the ids (n,).
    """
    n = len(program.gram)
    b, levels = b.copy(), np.full(len(program.totals), level)
    missing = float(program.totals[0] - b[:n].sum()) if len(levels) == 2 else 0.0
    for i in np.argsort(ids, kind="stable"):
        if missing <= 0.0:
            break
        more = min(missing, program.upper[i] - b[i], b[n + i] - program.lower[n + i])
        b[i] += more
        b[n + i] -= more
        missing -= more
    return b, levels
