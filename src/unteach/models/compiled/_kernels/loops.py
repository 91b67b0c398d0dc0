"""Loops over whole arrays: from 0 on and without branches, so that the compiler vectorizes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .matrix_product import jit

_f4 = np.float32


@jit
def zeros(n: int) -> Any:
    """Return n zeros in float32 that start on a cache line."""
    whole = np.zeros(n + 16, _f4)
    first = (-whole.ctypes.data // 4) % 16
    return whole[first : first + n]


@jit
def copy(out: Any, values: Any) -> None:
    """Copy as many values as `out` has room for."""
    for i in range(out.shape[0]):
        out[i] = values[i]


@jit
def relu(h: Any) -> None:
    """Set what is below zero to zero."""
    for i in range(h.shape[0]):
        h[i] = h[i] if h[i] > _f4(0) else _f4(0)


@jit
def mask(g: Any, h: Any, n: int) -> None:
    """Set g to zero where h is not above zero, in the first n places."""
    for i in range(n):
        g[i] = g[i] if h[i] > _f4(0) else _f4(0)
