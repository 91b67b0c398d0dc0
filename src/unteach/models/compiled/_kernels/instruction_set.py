"""What the processor offers: how wide its vectors are, and whether its products add unrounded."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

from numba.core.registry import cpu_target

# A number that changes when any file of this room does.
#
# numba's cache looks at the file of the function that it holds and not at those it calls. The
# functions that are cached carry this number, which is part of their key, so that an edit of a
# file below them cannot leave old code running.


def _stamp() -> int:
    seen = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        seen.update(path.name.encode() + path.read_bytes())
    return int.from_bytes(seen.digest()[:6], "little")


STAMP = _stamp()


PAD = 8
"""Rows of weights are padded to a multiple of this many floats; every width divides 2 * PAD."""


@dataclass(frozen=True)
class Isa:
    """The instructions that the matrix products are written in.

    lanes : floats in one vector register: 16 (AVX-512), 8 (AVX2) or 4
    rows : rows of a tile; two vectors a row and the operands then fit into the registers
    fused : whether a product is added without rounding in between
    """

    lanes: int
    rows: int
    fused: bool


def isa_of(machine: str, features: str) -> Isa | None:
    """Return the instructions for a machine with these features, or None for plain loops.

    Machines with fused products give the same bytes as each other whatever their width, and
    those without give the same bytes as the plain loops.

    >>> isa_of("x86_64", "+avx2,+fma,+avx512f")
    Isa(lanes=16, rows=8, fused=True)
    >>> isa_of("x86_64", "+sse2,-avx2,-fma"), isa_of("riscv64", "+v")
    (Isa(lanes=4, rows=4, fused=False), None)
    """
    if machine.lower() not in ("x86_64", "amd64"):
        return None
    has = set(features.split(","))
    fused = "+fma" in has
    if "+avx512f" in has and fused:
        return Isa(16, 8, True)
    if "+avx2" in has and fused:
        return Isa(8, 4, True)
    return Isa(4, 4, fused)


def isa_here() -> Isa | None:
    """Return the instructions that numba compiles for in this process.

    They are read where numba's cache reads them for its key (the variable NUMBA_CPU_FEATURES
    included), so that code for one width is never loaded for another.
    """
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return isa_of(platform.machine(), features)
