"""What a training or a forgetting takes: wall and processor seconds, and peak memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from unteach.core import Cost

Made = TypeVar("Made")


def spend(make: Callable[[], Made], *, alone: bool = True) -> tuple[Made, Cost, int | None]:
    """Return what was made, its cost, and the bytes of memory it needed beyond those held before.

    alone : whether no other thread works; else processor seconds are of this thread, and memory
        cannot be told

    >>> made, cost, peak = spend(lambda: sum(range(1000)))
    >>> made, cost.seconds > 0
    (499500, True)
    """
    clock = time.process_time if alone else time.thread_time
    before = _reset() if alone else None
    wall, used = time.perf_counter(), clock()
    made = make()
    cost = Cost(time.perf_counter() - wall, clock() - used)
    most = None if before is None else _field("VmHWM")
    peak = None if before is None or most is None else max(0, most - before)
    return made, cost, peak


def _reset() -> int | None:
    """Set the peak of this process to what it holds now (Linux), and return that; else None."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _field("VmRSS")


def _field(name: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith(f"{name}:")]
    return int(found[0][1]) * 1024 if found else None
