"""Sums in a fixed order of eight lanes: as fast as reordered ones, and always the same bits.

A compiler that may reorder a sum does so differently from one place to the next, so that the same
function gives other last bits where it was compiled into another. Here the order is written down,
in vector instructions without fused steps: four rows of eight partial sums, added pairwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.core.cgutils
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

cgutils: Any = numba.core.cgutils
_LANES, _ROWS = 8, 4
_REAL, _WORD = ir.DoubleType(), ir.IntType(64)
_VECTOR = ir.VectorType(_REAL, _LANES)

Step = Callable[[Any, Any, Any], Any]


def _sum(builder: Any, n: Any, data: list[Any], step: Step) -> Any:
    """Build the sum of step(values at i) for i < n over arrays of doubles."""
    zero, rows = (
        ir.Constant(_VECTOR, None),
        [cgutils.alloca_once(builder, _VECTOR) for _ in range(_ROWS)],
    )
    for row in rows:
        builder.store(zero, row)
    wide, block = _LANES * _ROWS, ir.Constant(_WORD, _LANES)
    most = builder.and_(n, ir.Constant(_WORD, -wide))
    eights = builder.and_(n, ir.Constant(_WORD, -_LANES))

    def add(at: Any, row: Any, kind: Any) -> None:
        values = []
        for start in data:
            place = builder.bitcast(builder.gep(start, [at]), kind.as_pointer())
            found = builder.load(place)
            found.align = 8
            values.append(found)
        builder.store(builder.fadd(builder.load(row), step(builder, values[0], values[-1])), row)

    lanes = cgutils.alloca_once_value(builder, ir.Constant(_REAL, 0.0))
    with builder.if_then(builder.icmp_unsigned("!=", eights, ir.Constant(_WORD, 0))):
        with cgutils.for_range_slice(
            builder, ir.Constant(_WORD, 0), most, ir.Constant(_WORD, wide), _WORD
        ) as (at, _):
            for k, row in enumerate(rows):
                add(builder.add(at, ir.Constant(_WORD, k * _LANES)), row, _VECTOR)
        with cgutils.for_range_slice(builder, most, eights, block, _WORD) as (at, _):
            add(at, rows[0], _VECTOR)
        builder.store(_pairwise(builder, rows), lanes)
    rest = cgutils.alloca_once_value(builder, ir.Constant(_REAL, 0.0))
    with cgutils.for_range_slice(builder, eights, n, ir.Constant(_WORD, 1), _WORD) as (at, _):
        add(at, rest, _REAL)
    return builder.fadd(builder.load(lanes), builder.load(rest))


def _pairwise(builder: Any, rows: list[Any]) -> Any:
    a, b, c, d = (builder.load(row) for row in rows)
    both = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
    parts = [builder.extract_element(both, ir.Constant(ir.IntType(32), k)) for k in range(_LANES)]
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [builder.fadd(parts[k], parts[k + half]) for k in range(half)]
    return parts[0]


def _doubles(*arrays: Any) -> bool:
    return all(
        isinstance(a, types.Array) and a.ndim == 1 and a.layout == "C" and a.dtype == types.float64
        for a in arrays
    )


def _over(context: Any, builder: Any, signature: Any, args: Any, step: Step) -> Any:
    arrays = [
        context.make_array(kind)(context, builder, value=value)
        for kind, value in zip(signature.args, args, strict=True)
    ]
    n = cgutils.unpack_tuple(builder, arrays[0].shape)[0]
    return _sum(builder, n, [a.data for a in arrays], step)


def _product(builder: Any, x: Any, z: Any) -> Any:
    return builder.fmul(x, z)


def _gap(builder: Any, x: Any, z: Any) -> Any:
    gap = builder.fsub(x, z)
    return builder.fmul(gap, gap)


def _itself(_: Any, x: Any, __: Any) -> Any:
    return x


@intrinsic
def _dot(typing: Any, x: Any, z: Any) -> Any:
    if not _doubles(x, z):
        return None
    return types.float64(x, z), lambda c, b, s, a: _over(c, b, s, a, _product)


@intrinsic
def _squared_distance(typing: Any, x: Any, z: Any) -> Any:
    if not _doubles(x, z):
        return None
    return types.float64(x, z), lambda c, b, s, a: _over(c, b, s, a, _gap)


@intrinsic
def _summed(typing: Any, x: Any) -> Any:
    if not _doubles(x):
        return None
    return types.float64(x), lambda c, b, s, a: _over(c, b, s, a, _itself)


@njit(cache=True, forceinline=True)
def dot(x: Any, z: Any) -> float:
    """Return x'z of two contiguous vectors of doubles; z is at least as long as x.

    >>> import numpy as np
    >>> dot(np.arange(3.0), np.ones(3))
    3.0
    """
    return _dot(x, z)  # type: ignore[call-arg]


@njit(cache=True, forceinline=True)
def squared_distance(x: Any, z: Any) -> float:
    """Return |x - z|^2 of two contiguous vectors of doubles; z is at least as long as x.

    >>> import numpy as np
    >>> squared_distance(np.arange(3.0), np.ones(3))
    2.0
    """
    return _squared_distance(x, z)  # type: ignore[call-arg]


@njit(cache=True, forceinline=True)
def summed(x: Any) -> float:
    """Return the sum of a contiguous vector of doubles.

    >>> import numpy as np
    >>> summed(np.arange(3.0))
    3.0
    """
    return _summed(x)  # type: ignore[call-arg]
