"""The tableau of a solution over the rows near its margin, and how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import NDArray

from .._machine.gram import square
from .._solver.free_set import inverse, shift
from .._solver.qp import QP, Vector
from .pivots import HIGH, LOW

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]


@njit(cache=True)
def block(gram: Any, rows: Any, columns: Any) -> Any:
    """Return gram[rows][:, columns] in a fresh array."""
    out = np.empty((rows.shape[0], columns.shape[0]))
    for a in range(rows.shape[0]):
        source = gram[rows[a]]
        for c in range(columns.shape[0]):
            out[a, c] = source[columns[c]]
    return out


@njit(cache=True)
def _finish(lower: Any, gram: Any, near: Any, q: Any, sw: float, sigma: float, out: Any) -> None:
    """Fill out (m, m) with K_NN + sigma - W'W + q q' / sw from the lower triangle of W'W.

    In pieces that fit the cache, for one half is written along rows and the other along columns.
    """
    m, piece = near.shape[0], 64
    for start in range(0, m, piece):
        for begin in range(0, start + 1, piece):
            for i in range(start, min(start + piece, m)):
                row = gram[near[i]]
                for j in range(begin, min(begin + piece, i + 1)):
                    value = row[near[j]] + sigma - lower[i, j] + q[i] * q[j] / sw
                    out[i, j] = value
                    out[j, i] = value


@dataclass(frozen=True, eq=False)
class Tableau:
    """What `pivots` works in, around one solution.

    Parameters
    ----------
    free : (s,) rows of S; near : (m,) rows of N, by ascending |h|
    r, rb : (s, s), (s,); v, vt : (s, m), (m, s); vb : (m,); h : (m, m); see `pivots`
    at : (m,) which bound each row of N stands at; size : (m,) its |h|
    fault : (2,) the largest errors of what a unit of z and of d is said to do, by probes
    """

    free: Rows
    near: Rows
    r: Matrix
    rb: Vector
    v: Matrix
    vt: Matrix
    vb: Vector
    h: Matrix
    at: NDArray[np.int8]
    size: Vector
    fault: Vector

    @classmethod
    def of(cls, qp: QP, b: Vector, h: Vector, near: Rows, values: Any = None) -> Tableau | None:
        """Return the tableau around b (n,) with h (n,) = Kb - p + rho; None if S is no basis.

        near : (m,) rows, none of them free; values : where kernel values come from, if not from
        the Gram matrix of qp

        >>> from .._solver.qp import classification
        >>> gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> qp = classification(gram, np.array([1.0, 1.0, -1.0]), np.full(3, 5.0))
        >>> b, rows = np.array([1.0, 0.0, -1.0]), np.array([1])
        >>> tableau = Tableau.of(qp, b, qp.gradient(b), rows)
        >>> tableau.free, tableau.h, bool(tableau.fault.max() < 1e-14)
        (array([0, 2]), array([[0.875]]), True)
        """
        free = np.flatnonzero((b > qp.lower) & (b < qp.upper))
        s = len(free)
        if s == 0:
            return None
        if values is None:
            kss, sigma = square(qp.gram, free), shift(qp, free)
        else:
            kss = values.block(free, free)
            sigma = float(np.abs(kss.diagonal()).mean()) or 1.0
        least = 1e-10 * float((kss.diagonal() + sigma).max())
        m = inverse(kss + sigma, least)
        if m is None:
            return None
        factor = scipy.linalg.lapack.dpotrf(kss + sigma, lower=1)[0]
        near = near[np.argsort(np.abs(h[near]), kind="stable")]
        w = m.sum(axis=1)
        sw = float(w.sum())
        r, rb = m - np.outer(w, w / sw), w / sw
        gram, number = qp.gram, near
        if values is not None:
            gram, number = values.kernel.gram(values.x[near]), np.arange(len(near))
        ksn = block(qp.gram, free, near) if values is None else values.block(free, near)  # (s, m)
        ksn += sigma  # sums of changes are 0, so that the shift of all of K is free
        half = scipy.linalg.blas.dtrsm(1.0, factor, np.asfortranarray(ksn), lower=1)
        q = w @ ksn - 1.0
        triangle = np.empty((0, 0), order="F")
        if len(near) > 0:  # BLAS refuses a matrix without columns
            triangle = scipy.linalg.blas.dsyrk(1.0, half, trans=1, lower=1)
        schur = np.empty((len(near), len(near)))
        _finish(triangle, gram, number, q, sw, sigma, schur)
        back = scipy.linalg.blas.dtrsm(1.0, factor, half, lower=1, trans_a=1, overwrite_b=1)
        vt = np.ascontiguousarray(back.T)
        vt -= (q / sw)[:, None] * w
        off = (vt.sum(axis=1) - 1.0) / sw
        vt -= off[:, None] * w  # so that sums are kept to rounding; K w = 1, so that v takes it up
        v = np.ascontiguousarray(vt.T)
        vb = q / sw + off
        at = np.where(b[near] > qp.lower[near], HIGH, LOW).astype(np.int8)
        fault = _fault(kss + sigma, ksn, gram, number, (r, rb, v, vb, schur), sigma)
        size = np.abs(h[near])
        return cls(free, near, r, rb, v, vt, vb, schur, at, size, fault)


def _fault(kss: Matrix, ksn: Matrix, gram: Matrix, near: Rows, parts: Any, sigma: float) -> Vector:
    """Return the largest defects of the tableau, in z and in d, seen by probes of random signs.

    kss and ksn are shifted by sigma. Each defect is a matrix that should be 0. Its product with a
    vector of signs is, row by row, about sqrt(width) times as large as its entries; four times
    the largest such entry is returned.
    """
    r, rb, v, vb, schur = parts
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(kss) + len(near), 4))
    z, d = signs[: len(kss)], signs[len(kss) :]
    knn_d = np.zeros_like(d)
    for start in range(0, len(near), 512):
        some = near[start : start + 512]
        knn_d[start : start + 512] = (block(gram, some, near) + sigma) @ d
    rz, vd = r @ z, v @ d
    of_z = (kss @ rz + rb @ z - z, rz.sum(axis=0), ksn.T @ rz + rb @ z - v.T @ z)
    of_d = (
        kss @ vd + vb @ d - ksn @ d,
        vd.sum(axis=0) - d.sum(axis=0),
        knn_d - ksn.T @ vd - vb @ d - schur @ d,
    )
    return np.array(
        [
            4.0 * max(float(np.abs(one).max(initial=0.0)) for one in defects) / math.sqrt(width)
            for defects, width in ((of_z, len(z)), (of_d, max(len(d), 1)))
        ]
    )
