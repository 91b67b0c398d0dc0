"""Pace: how fast a run goes and how long it will take, as words for a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ..core import Progress


class Pace:
    """A progress that counts units of work instead of tasks, and says how fast they come.

    `run_tasks` calls it as progress(done tasks, total tasks, key); it calls `progress` as
    progress(done units, total units, "9,000 models/minute, 12 s left"). The rate is that of this
    process since it began: what was done before counts as done, not as speed.

    Parameters
    ----------
    progress : who is told, or None
    sizes : how many units each open task holds, by key
    done : units that were done before
    unit : what is counted
    clock : seconds, for tests

    Examples
    --------
    >>> ticks = iter([0.0, 30.0])
    >>> pace = Pace(print, {"a": 100, "b": 100}, done=50, clock=lambda: next(ticks))
    >>> pace(1, 3, ""), pace(2, 3, "a")
    50 250 models
    150 250 models, 200/minute, 30 s left
    (None, None)
    """

    def __init__(
        self,
        progress: Progress | None,
        sizes: Mapping[str, int],
        *,
        done: int = 0,
        unit: str = "models",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._sizes, self._unit, self._clock = progress, dict(sizes), unit, clock
        self._done, self._total = done, done + sum(self._sizes.values())
        self._before, self._start = done, clock()

    def __call__(self, done: int, total: int, key: str) -> None:
        """Take note of a task that was done, and tell."""
        self._done += self._sizes.pop(key, 0)
        if self._progress is not None:
            self._progress(self._done, self._total, self._words(key))

    def _words(self, key: str) -> str:
        fresh = self._done - self._before
        if not key or fresh <= 0:
            return self._unit
        took = max(self._clock() - self._start, 1e-9)
        left = (self._total - self._done) * took / fresh
        return f"{self._unit}, {60 * fresh / took:,.0f}/minute, {lasting(left)} left"


def lasting(seconds: float) -> str:
    """Return a duration in words.

    >>> lasting(12.2), lasting(90), lasting(7500)
    ('12 s', '1 min 30 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
