"""What happens in a worker process: one task at a time, few threads, and no life of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..core import UnteachError, plain

_PR_SET_PDEATHSIG = 1
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_PROCESS = threading.RLock()  # held by the thread whose tasks have set the limits of all


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a result, or (if `error` is not empty) why there is none.

    refusal : the message of an error that speaks to the user, whose data or settings it names
    """

    result: Any
    error: str
    seconds: float
    refusal: str = ""


class Attempt:
    """Hold whatever a task raises, with its traceback; only a wish to stop passes through.

    >>> with Attempt() as attempt:
    ...     1 / 0
    >>> attempt.error.splitlines()[-1]
    'ZeroDivisionError: division by zero'
    """

    def __enter__(self) -> Attempt:
        self.error = self.refusal = ""
        self._start = time.perf_counter()
        self.seconds = 0.0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.seconds = time.perf_counter() - self._start
        if not isinstance(error, (Exception, SystemExit)):
            return False
        self.error = "".join(traceback.format_exception(error)).strip()
        self.refusal = str(error) if isinstance(error, UnteachError) else ""
        return True


def perform(function: Callable[[Any], Any], payload: Any) -> Outcome:
    """Run one task; a result that is not JSON is a failure of the task.

    >>> perform(abs, -3).result, perform(abs, None).error.splitlines()[-1]
    (3, "TypeError: bad operand type for abs(): 'NoneType'")
    """
    result = None
    with Attempt() as attempt:
        result = plain(function(payload))
    return Outcome(result, attempt.error, attempt.seconds, attempt.refusal)


def few_threads(threads: int) -> dict[str, str]:
    """Return the environment in which numerical libraries start with this many threads."""
    return dict.fromkeys(_THREADS, str(threads))


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Hold the numerical libraries of this process to this many threads.

    Those that are loaded are told; those that a task loads find it in the environment. (What is
    in the environment binds numba for good, so that numba is loaded here and told instead.)
    Both belong to the whole process: the tasks of several threads in it come one by one.
    """
    import numba
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    given = {k: v for k, v in few_threads(threads).items() if k != "NUMBA_NUM_THREADS"}
    with _PROCESS:
        before = {name: os.environ.get(name) for name in given}
        numba_before = numba.get_num_threads()
        os.environ.update(given)
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
        try:
            with threadpool_limits(limits=threads):
                yield
        finally:
            numba.set_num_threads(numba_before)
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def enter(driver: int, threads: int) -> None:
    """Make this process a worker of `driver`: it leaves Ctrl-C to the driver, and dies with it."""
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(limits=threads)
    if sys.platform == "linux":
        # the kernel ends us when the driver dies, in the middle of compiled code too
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(driver,), daemon=True, name="watch").start()


def _watch(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)
