"""The engine of one machine: a pool of processes, and a driver that records what comes."""

from __future__ import annotations

import os
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput, Progress, UnteachError

from .worker import Outcome, enter, few_threads, limited, perform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from unteach.store import Run

# Pace: how fast a run goes and how long it will take, as words for a progress bar.


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


RESTARTS = 5  # of a broken pool; after that, every task runs alone
SUSPECT = 2  # how often a task is in a pool that breaks until it must run alone
DEATHS = 2  # of a worker that ran nothing else, until a task is given up


class TasksFailed(UnteachError):
    """Some tasks failed; `failed` holds why, by key. The results of all others are kept.

    refusal : what all of them say to the user, where they refused and said the same; else ""
    """

    def __init__(self, message: str, failed: dict[str, str], refusal: str = "") -> None:
        super().__init__(message, failed, refusal)
        self.failed = failed
        self.refusal = refusal


def run_tasks(
    run: Run,
    function: Callable[[Any], Any],
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    threads: int = 1,
) -> None:
    """Run the pending tasks of a run and record each result as it comes.

    Whatever stops it (an error, Ctrl-C, `kill -9`, a power cut), what was recorded stays, and the
    same call resumes. A worker that dies is replaced; a task whose worker dies again and again is
    run alone, and given up when it dies there too; the others go on.

    Parameters
    ----------
    run : a run that was opened with `Store.begin`
    function : takes a payload, returns a result, both JSON; the same payload must give the same
        result. Defined at the top of a module.
    jobs : processes, at least 1; 1 runs in this process; None takes one a core
    progress : called as progress(done, total, key); it may raise KeyboardInterrupt to stop
    threads : of the numerical libraries in a task, also when it runs in this process

    Raises `TasksFailed` at the end if tasks failed, naming them, with the first traceback.

    >>> from unteach.store import Store
    >>> with Store.temporary() as store:
    ...     run = store.begin({"seed": 0}, name="absolute values")
    ...     run.add_tasks({"a": -1.5, "b": 2})
    ...     run_tasks(run, abs, jobs=1)
    ...     run.results()
    {'a': 1.5, 'b': 2}
    """
    jobs = _count("jobs", _cores() if jobs is None else jobs)
    threads = _count("threads", threads)
    book = _Book(run, progress)
    if jobs == 1:
        for key, payload in list(book.left.items()):
            with limited(threads):
                outcome = perform(function, payload)
            book.enter(key, outcome)
    else:
        _pooled(book, function, jobs, threads)
    book.close()


class _Book:
    """Where the driver notes what came of each task."""

    def __init__(self, run: Run, progress: Progress | None) -> None:
        self._run, self._progress = run, progress
        self._done, self._total = run.progress()
        self.left: dict[str, Any] = dict(run.pending())
        self._failed: dict[str, str] = {}
        self._refusals: set[str] = set()
        self._tell("")

    def enter(self, key: str, outcome: Outcome) -> None:
        if outcome.error:
            self._run.fail(key, outcome.error, seconds=outcome.seconds)
            self._failed[key] = outcome.error
            self._refusals.add(outcome.refusal)
        else:
            self._run.record(key, outcome.result, seconds=outcome.seconds)
            self._done += 1
        del self.left[key]
        self._tell(key)

    def close(self) -> None:
        if not self._failed:
            return
        names = sorted(self._failed)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        first = next(iter(self._failed.values()))
        raise TasksFailed(
            f"{len(names)} of {self._total} tasks failed ({shown}); the results of the others are "
            f"kept, and the same call tries these again. The first failed with:\n{first}",
            self._failed,
            self._refusals.pop() if len(self._refusals) == 1 else "",
        )

    def hush(self) -> None:
        self._progress = None

    def _tell(self, key: str) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total, key)


def _pooled(book: _Book, function: Callable[[Any], Any], jobs: int, threads: int) -> None:
    """Run what is left in pools, one after another for as long as they break."""
    breaks, deaths = Counter[str](), Counter[str]()
    restarts = 0
    while book.left:
        calm = [key for key in book.left if breaks[key] < SUSPECT]
        if calm and restarts < RESTARTS:
            order = sorted(calm, key=breaks.__getitem__)
            lost, why = _drain(book, order, function, jobs, threads)
            restarts += bool(why)
            breaks.update(lost)
            continue
        lost, why = _drain(book, list(book.left), function, 1, threads)
        deaths.update(lost)
        for key in lost:
            if deaths[key] >= DEATHS:
                error = (
                    f"its worker process died {deaths[key]} times while it ran nothing but this "
                    f"task (a crash, or out of memory?): {why}"
                )
                book.enter(key, Outcome(None, error, 0.0))


def _drain(
    book: _Book, order: Sequence[str], function: Callable[[Any], Any], jobs: int, threads: int
) -> tuple[list[str], str]:
    """Run these tasks in one pool; if it breaks, return which were in it, and why it broke."""
    waiting, flying = deque(order), dict[Future[Outcome], str]()
    lost: list[str] = []
    why = ""
    room = 1 if jobs == 1 else 2 * jobs  # enough that no worker waits for the driver
    with _pool(min(jobs, len(order)), threads) as pool:
        try:
            while flying or (waiting and not why):
                while waiting and not why and len(flying) < room:
                    try:
                        future = pool.submit(perform, function, book.left[waiting[0]])
                    except BrokenExecutor as broken:
                        why = _died(broken)
                    else:
                        flying[future] = waiting.popleft()
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    error = future.exception()
                    if isinstance(error, BrokenExecutor):
                        why = _died(error)
                        lost.append(flying.pop(future))
                    elif isinstance(error, PicklingError):
                        raise BadInput(
                            f"{function!r} cannot be sent to a worker process; define it at the "
                            "top of a module"
                        ) from error
                    else:
                        book.enter(flying[future], future.result())
                        del flying[future]
        except KeyboardInterrupt:
            book.hush()
            for future, key in flying.items():
                if key in book.left and future.done() and future.exception() is None:
                    book.enter(key, future.result())
            raise
        finally:
            _await_taken(flying)
    return lost, why


def _await_taken(flying: Iterable[Future[Outcome]]) -> None:
    """Wait until the pool's thread has taken what was handed to it, which takes it a moment.

    Killed before, loky's thread looks for a task that it has thrown away: a KeyError in a thread.
    """
    for _ in range(1000):
        if all(future.running() or future.done() for future in flying):
            return
        time.sleep(0.001)


def _died(error: BrokenExecutor) -> str:
    """Return what the pool says about its end; a task that no worker can load is refused."""
    if str(error).startswith("A task has failed"):  # and says why; no other pool would do better
        raise BadInput(f"a worker process cannot load the tasks: {error.__cause__}") from error
    return str(error)


@contextmanager
def _pool(jobs: int, threads: int) -> Iterator[Any]:
    """Yield a pool of workers that die with us, and are killed if the block is left in a hurry."""
    # loky needs no `if __name__ == "__main__"` in a user's script, and comes with scikit-learn
    from joblib.externals.loky.process_executor import (  # type: ignore[import-untyped]
        ProcessPoolExecutor,
    )

    with warnings.catch_warnings():
        # it kills grandchildren with pgrep or psutil; where neither is there it kills the children
        warnings.filterwarnings("ignore", message="Failed to kill subprocesses")
        pool = ProcessPoolExecutor(
            jobs, initializer=enter, initargs=(os.getpid(), threads), env=few_threads(threads)
        )
        calmly = False
        try:
            yield pool
            calmly = True
        finally:
            pool.shutdown(wait=True, kill_workers=not calmly)


def _cores() -> int:
    from joblib import cpu_count  # type: ignore[import-untyped]

    return int(cpu_count())


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInput(f"{name} is a whole number of at least 1, got {value!r}")
    return value
