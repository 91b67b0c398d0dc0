"""The matrix product of the trainers: one tile of the result at a time, held in vector registers.

Only the tile is written in LLVM's language; what goes round it is plain loops. Each entry of the
result is summed in one order, k = 0, 1, 2, ..., by fused multiply-adds that the compiler may
not reorder. So its bytes depend on neither the vector width, nor the tile it falls into, nor
whether the code comes fresh from the compiler or from the cache.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped,unused-ignore]
from numba import njit, types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

from .instruction_set import PAD, Isa, isa_here

cgutils: Any = _cgutils
jit = njit(error_model="numpy", nogil=True)
"""No flag that lets the compiler reorder, contract or drop arithmetic."""


def tile(rows: int, lanes: int, vectors: int, fused: bool) -> Any:
    """Return a tile: C[r, :] = I[r, :] + sum_k A[ao + r ar + k ak] B[bo + k ldb + :].

    r goes over `rows` rows, : over `vectors` vectors of `lanes` floats. A row of I starts at
    io + r ldi, of C at co + r ldc. Nothing is checked: the caller pads.
    """
    vector, index = ir.VectorType(ir.FloatType(), lanes), ir.IntType(32)
    splat = ir.Constant(ir.VectorType(index, lanes), [0] * lanes)
    undefined = ir.Constant(vector, ir.Undefined)

    def made(
        context: Any,
        A: Any,
        ao: Any,
        ar: Any,
        ak: Any,
        B: Any,
        bo: Any,
        ldb: Any,
        I: Any,
        io: Any,
        ldi: Any,
        C: Any,
        co: Any,
        ldc: Any,
        K: Any,
    ) -> Any:
        signature = types.void(A, ao, ar, ak, B, bo, ldb, I, io, ldi, C, co, ldc, K)
        return signature, generated

    def generated(context: Any, b: Any, signature: Any, args: Any) -> Any:
        def data(n: int) -> Any:
            return context.make_array(signature.args[n])(context, b, args[n]).data

        pA, pB, pI, pC = data(0), data(4), data(7), data(10)
        ao, ar, ak, bo, ldb, io, ldi, co, ldc, K = (
            args[n] for n in (1, 2, 3, 5, 6, 8, 9, 11, 12, 13)
        )
        fma = cgutils.get_or_insert_function(
            b.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f32"
        )

        def number(value: int) -> Any:
            return ir.Constant(K.type, value)

        def at(pointer: Any, offset: Any, row: Any, stride: Any, v: int) -> Any:
            place = b.add(offset, b.add(b.mul(row, stride), number(v * lanes)))
            return b.bitcast(b.gep(pointer, [place]), vector.as_pointer())

        sums = {}  # on the stack as written; the compiler keeps them in registers
        for r in range(rows):
            for v in range(vectors):
                sums[r, v] = cgutils.alloca_once(b, vector)
                b.store(b.load(at(pI, io, number(r), ldi, v), align=4), sums[r, v])
        with cgutils.for_range(b, K, intp=K.type) as loop:
            k = loop.index
            across = [b.load(at(pB, bo, k, ldb, v), align=4) for v in range(vectors)]
            for r in range(rows):
                place = b.add(ao, b.add(b.mul(number(r), ar), b.mul(k, ak)))
                one = b.load(b.gep(pA, [place]))
                one = b.insert_element(undefined, one, ir.Constant(index, 0))
                one = b.shuffle_vector(one, undefined, splat)
                for v in range(vectors):
                    before = b.load(sums[r, v])
                    after = (
                        b.call(fma, [one, across[v], before])
                        if fused
                        else b.fadd(b.fmul(one, across[v]), before)
                    )
                    b.store(after, sums[r, v])
        for (r, v), where in sums.items():
            b.store(b.load(where), at(pC, co, number(r), ldc, v), align=4)
        return context.get_dummy_value()

    return intrinsic(made)


def _apart(context: Any) -> Any:
    def generated(context: Any, b: Any, signature: Any, args: Any) -> Any:
        b.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generated


apart: Any = intrinsic(_apart)
"""Keep the function that calls this as it was compiled alone, and out of its callers."""


def product(isa: Isa | None) -> Any:
    """Return gemm(A, ao, ar, ak, B, bo, I, io, ldi, C, co, R, N, K) in these instructions.

    C[r, c] = I[r, c] + sum_k A[r, k] B[k, c] for flat float32 arrays: A[r, k] stands at
    ao + r ar + k ak, so that either layout goes in; rows of B and C follow each other from bo
    and co on, N floats each, N a multiple of `PAD`; a row of I starts at io + r ldi (ldi = 0
    for one bias for all, N to add to C itself).
    """
    return _loops if isa is None else _tiled(isa)


def _tiled(isa: Isa) -> Any:
    L, RB, wide = isa.lanes, isa.rows, 2 * isa.lanes
    last = min(L, PAD)  # after the whole vectors of an AVX-512 machine half a vector may be left
    full2, two2, one2 = (tile(rows, L, 2, isa.fused) for rows in (RB, 2, 1))
    full1, one1 = (tile(rows, L, 1, isa.fused) for rows in (RB, 1))
    full0, one0 = (tile(rows, last, 1, isa.fused) for rows in (RB, 1))

    @jit
    def gemm(
        A: Any,
        ao: int,
        ar: int,
        ak: int,
        B: Any,
        bo: int,
        I: Any,
        io: int,
        ldi: int,
        C: Any,
        co: int,
        R: int,
        N: int,
        K: int,
    ) -> None:
        apart()
        full = R // RB * RB
        two = full + (R - full) // 2 * 2
        c = 0
        while c + wide <= N:
            for r in range(0, full, RB):
                full2(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            for r in range(full, two, 2):
                two2(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            for r in range(two, R):
                one2(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            c += wide
        while c + L <= N:
            for r in range(0, full, RB):
                full1(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            for r in range(full, R):
                one1(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            c += L
        while c + last <= N:
            for r in range(0, full, RB):
                full0(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            for r in range(full, R):
                one0(
                    A,
                    ao + r * ar,
                    ar,
                    ak,
                    B,
                    bo + c,
                    N,
                    I,
                    io + r * ldi + c,
                    ldi,
                    C,
                    co + r * N + c,
                    N,
                    K,
                )
            c += last

    return gemm


@jit
def _loops(
    A: Any,
    ao: int,
    ar: int,
    ak: int,
    B: Any,
    bo: int,
    I: Any,
    io: int,
    ldi: int,
    C: Any,
    co: int,
    R: int,
    N: int,
    K: int,
) -> None:
    for r in range(R):
        for c in range(N):
            C[co + r * N + c] = I[io + r * ldi + c]
        for k in range(K):
            a = A[ao + r * ar + k * ak]
            for c in range(N):
                C[co + r * N + c] += a * B[bo + k * N + c]


gemm = product(isa_here())
