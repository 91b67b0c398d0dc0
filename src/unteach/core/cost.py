"""Cost: what an operation took, measured and never estimated."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processor, records read, gradients of one record taken.

    Measured times stand outside the promise that the same seed gives the same bytes.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    rows_read: int = 0
    route: str = ""
    gradients: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.rows_read + other.rows_read,
            self.route or other.route,
            self.gradients + other.gradients,
        )


class Stopwatch:
    """Measure a block.

    >>> with Stopwatch() as watch:
    ...     total = sum(range(1000))
    >>> watch.cost(rows_read=3, route="sum").rows_read
    3
    """

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self.seconds = self.cpu_seconds = 0.0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.cpu_seconds = time.process_time() - self._cpu

    def cost(self, *, rows_read: int = 0, route: str = "", gradients: int = 0) -> Cost:
        """Return what the block took."""
        return Cost(self.seconds, self.cpu_seconds, rows_read, route, gradients)
