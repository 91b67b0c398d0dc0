"""BLAS in one thread, so that the same rows give the same bytes on any number of cores."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ContextDecorator
from functools import cache
from typing import Any, Self

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _libraries() -> list[Any]:
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set(numbers: Iterable[tuple[Any, int]]) -> None:
    """Set how many threads each library uses, from whichever thread this is.

    threadpoolctl may heed the thread alone that came first, until that is cleared.
    """
    for library, number in numbers:
        clear = getattr(library, "clear_controlling_thread", lambda **_: None)
        clear(force=True)
        library.set_num_threads(number)
        clear(force=True)


class _OneThread(ContextDecorator):
    """Holds BLAS to one thread for as long as any thread is inside; can be nested.

    How a product is split among threads decides the order of its sums, and so its last bits.
    The number of threads is the process's own: the last one to leave puts it back.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> Self:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = [(b, n) for b in _libraries() if (n := b.get_num_threads()) != 1]
                _set((library, 1) for library, _ in self._before)
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _set(self._before)


one_thread = _OneThread()
"""A context, or a decorator."""
