"""The end of every network: softmax, its cross-entropy's gradient, and the step of SGD."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped,unused-ignore]
from numba import types
from numba.extending import intrinsic

from .matrix_product import apart, jit

_f4, _i4 = np.float32, np.int32


def _bits_as_float(context: Any, bits: Any) -> Any:
    def generated(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generated


_as_float: Any = intrinsic(_bits_as_float)


@jit
def exp(x: Any) -> Any:
    """Return e to the x for x <= 0 in float32, to about 2e-7; below -87 as at -87.

    It has no branches, so that the loop around it vectorizes.
    """
    x = x if x > _f4(-87) else _f4(-87)
    n = np.floor(x * _f4(1.44269504) + _f4(0.5))
    r = x - n * _f4(0.693359375) + n * _f4(2.12194440e-4)  # ln 2 in two parts
    p = _f4(1 / 120) + r * _f4(1 / 720)
    p = _f4(1 / 6) + r * (_f4(1 / 24) + r * p)
    p = _f4(1) + r * (_f4(1) + r * (_f4(0.5) + r * p))
    return p * _as_float((_i4(n) + _i4(127)) << _i4(23))


@jit
def errors(z: Any, zo: int, dz: Any, t: Any, work: Any, n: int, classes: int, width: int) -> None:
    """Write (softmax(z) - onehot(t)) / n into dz: the gradient of the mean cross-entropy.

    z, dz : n rows of `width` floats from `zo` on, of which `classes` count
    t (n,) : the class of each row · work : at least n (classes + 2) floats
    The work goes over the rows of one class at a time: sums then have one order.
    """
    apart()
    most, total = work[:n], work[n : 2 * n]
    p = work[2 * n : (2 + classes) * n]  # (classes, n)
    for k in range(classes):
        for b in range(n):
            p[k * n + b] = z[zo + b * width + k]
    for b in range(n):
        most[b] = p[b]
        total[b] = _f4(0)
    for k in range(1, classes):
        for b in range(n):
            v = p[k * n + b]
            most[b] = v if v > most[b] else most[b]
    for k in range(classes):
        for b in range(n):
            e = exp(p[k * n + b] - most[b])
            p[k * n + b] = e
            total[b] += e
    share = _f4(1) / _f4(n)
    for b in range(n):
        total[b] = share / total[b]
    for k in range(classes):
        for b in range(n):
            dz[zo + b * width + k] = p[k * n + b] * total[b]
    for b in range(n):
        dz[zo + b * width + t[b]] -= share


@jit
def step(P: Any, V: Any, rate: Any, momentum: Any, decay: Any) -> None:
    """Move the parameters by the velocity, and begin the next step's: V is then added to."""
    apart()
    for i in range(P.shape[0]):
        P[i] -= rate * V[i]
        V[i] = momentum * V[i] + decay * P[i]
