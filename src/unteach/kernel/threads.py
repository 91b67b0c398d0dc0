"""BLAS in one thread, so that the same rows give the same bytes on any number of cores."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from functools import cache
from typing import Any, Self

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _libraries() -> list[Any]:
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


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
                for library, _ in self._before:
                    library.set_num_threads(1)
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for library, number in self._before:
                    library.set_num_threads(number)


one_thread = _OneThread()
"""A context, or a decorator."""
