"""Random numbers that are counted, not carried: any of them can be had without those before it.

The twin in plain numpy is in `slow_sgd`. Source: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014 (the mixing function of SplitMix64).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .matrix_product import jit

_u8, _f4 = np.uint64, np.float32
GOLDEN = _u8(0x9E3779B97F4A7C15)


@jit
def _mixed(z: Any) -> Any:
    z = (z ^ (z >> _u8(30))) * _u8(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _u8(27))) * _u8(0x94D049BB133111EB)
    return z ^ (z >> _u8(31))


@jit
def bits(seed: Any, stream: Any, count: Any) -> Any:
    """Return the 64 bits with number `count` of a stream of this seed."""
    key = _mixed(seed + GOLDEN * (_u8(stream) + _u8(1)))
    return _mixed(key + GOLDEN * (_u8(count) + _u8(1)))


@jit
def spread(out: Any, first: int, seed: Any, bound: Any) -> None:
    """Fill `out` with uniform numbers in [-bound, bound), those of stream 0 from `first` on."""
    for i in range(out.shape[0]):
        unit = _f4(bits(seed, 0, first + i) >> _u8(40)) * _f4(2.0**-23)  # 0 to 2, exactly
        out[i] = (unit - _f4(1)) * bound


@jit
def shuffle(rows: Any, seed: Any, epoch: int) -> None:
    """Put the rows into the order of an epoch, starting from how they stand (Fisher-Yates)."""
    for i in range(rows.shape[0] - 1, 0, -1):
        j = np.int64(((bits(seed, epoch + 1, i) >> _u8(32)) * _u8(i + 1)) >> _u8(32))
        rows[i], rows[j] = rows[j], rows[i]
