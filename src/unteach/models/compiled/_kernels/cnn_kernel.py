"""The whole training of one small convolutional network, compiled.

conv3x3 - ReLU - pool2 - conv3x3 - ReLU - pool2 - dense, on grey square images, zero padding 1,
channels multiples of `PAD`. A convolution is a matrix product over patches; pixels come before
channels everywhere, so that a pixel's channels are one run of memory. P holds W1 (9, c1), b1,
W2 (9 c1, c2), b2, W3 (pixels c2, classes padded), b3. The twin in plain numpy is `slow_cnn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .instruction_set import PAD, STAMP
from .loops import copy, zeros
from .matrix_product import apart, gemm, jit
from .random_numbers import shuffle
from .softmax import errors, step

_f4, _i4 = np.float32, np.int32


@jit
def frame(images: Any, out: Any, n: int, side: int) -> None:
    """Copy n images (side, side) into the middle of frames one pixel larger all round."""
    wide = side + 2
    for row in range(n * side):
        b, i = row // side, row % side
        copy(out[(b * wide + i + 1) * wide + 1 :][:side], images[row * side : (row + 1) * side])


@jit
def taps(framed: Any, out: Any, n: int, side: int) -> None:
    """Write the 3 x 3 neighbourhood of each pixel of one channel, tap by tap: (9, n side side)."""
    apart()
    wide, pixels = side + 2, n * side * side
    for tap in range(9):
        at, start = tap * pixels, tap // 3 * wide + tap % 3
        for _ in range(n):
            for _ in range(side):
                to, line = out[at:], framed[start:]
                for j in range(side):
                    to[j] = line[j]
                at += side
                start += wide
            start += 2 * wide


@jit
def patches(framed: Any, out: Any, n: int, side: int, channels: int) -> None:
    """Write the 3 x 3 neighbourhood of each pixel, (n side side, 9 channels)."""
    apart()
    wide, run = side + 2, 3 * channels
    at = 0
    for b in range(n):
        for i in range(side):
            for j in range(side):
                for d in range(3):
                    start = ((b * wide + i + d) * wide + j) * channels
                    copy(out[at : at + run], framed[start : start + run])
                    at += run


@jit
def add_patches(grads: Any, framed: Any, n: int, side: int, channels: int) -> None:
    """Add each neighbourhood's gradient to the pixels it was read from."""
    apart()
    wide, run = side + 2, 3 * channels
    at = 0
    for b in range(n):
        for i in range(side):
            for j in range(side):
                for d in range(3):
                    start = ((b * wide + i + d) * wide + j) * channels
                    out, add = framed[start : start + run], grads[at : at + run]
                    for c in range(run):
                        out[c] += add[c]
                    at += run


@jit
def pool(z: Any, out: Any, won: Any, n: int, side: int, channels: int, edge: int) -> None:
    """Take the largest of each 2 x 2 and zero; remember which of the four it was, or 4 for zero.

    z (n, side, side, channels) · out (n, half + 2 edge, half + 2 edge, channels), its frame of
    `edge` pixels untouched · won (n, half, half, channels). Of equals the first wins.
    """
    apart()
    half = side // 2
    wide, down = half + 2 * edge, side * channels
    for b in range(n):
        for i in range(half):
            for j in range(half):
                q = z[((b * side + 2 * i) * side + 2 * j) * channels :]
                o = out[((b * wide + i + edge) * wide + j + edge) * channels :]
                w = won[((b * half + i) * half + j) * channels :]
                for c in range(0, channels, PAD):
                    upper, lower = q[c:], q[c + down :]
                    right, last = upper[channels:], lower[channels:]
                    to, first = o[c:], w[c:]
                    for k in range(PAD):
                        best, which = _f4(0), _i4(4)
                        which = _i4(0) if upper[k] > best else which
                        best = upper[k] if upper[k] > best else best
                        which = _i4(1) if right[k] > best else which
                        best = right[k] if right[k] > best else best
                        which = _i4(2) if lower[k] > best else which
                        best = lower[k] if lower[k] > best else best
                        which = _i4(3) if last[k] > best else which
                        best = last[k] if last[k] > best else best
                        to[k] = best
                        first[k] = which


@jit
def unpool(g: Any, dz: Any, won: Any, n: int, side: int, channels: int, edge: int) -> None:
    """Hand each gradient to the one of four that won; what no 2 x 2 covers stays as it is."""
    apart()
    half = side // 2
    wide, down = half + 2 * edge, side * channels
    for b in range(n):
        for i in range(half):
            for j in range(half):
                q = dz[((b * side + 2 * i) * side + 2 * j) * channels :]
                o = g[((b * wide + i + edge) * wide + j + edge) * channels :]
                w = won[((b * half + i) * half + j) * channels :]
                for c in range(0, channels, PAD):
                    upper, lower = q[c:], q[c + down :]
                    right, last = upper[channels:], lower[channels:]
                    given, first = o[c:], w[c:]
                    for k in range(PAD):
                        upper[k] = given[k] if first[k] == _i4(0) else _f4(0)
                        right[k] = given[k] if first[k] == _i4(1) else _f4(0)
                        lower[k] = given[k] if first[k] == _i4(2) else _f4(0)
                        last[k] = given[k] if first[k] == _i4(3) else _f4(0)


@jit
def layout(side: int, c1: int, c2: int, classes: int) -> Any:
    """Return the sides of the three maps, the padded classes, and the places in P, then its end."""
    half, quarter = side // 2, side // 2 // 2
    wide = (classes + PAD - 1) // PAD * PAD
    b1 = 9 * c1
    w2 = b1 + c1
    b2 = w2 + 9 * c1 * c2
    w3 = b2 + c2
    b3 = w3 + quarter * quarter * c2 * wide
    return half, quarter, wide, b1, w2, b2, w3, b3, b3 + wide


@jit
def rooms(n: int, side: int, c1: int, c2: int, classes: int) -> Any:
    """Return what n images need on their way up: frames, patches, maps, pooled maps, winners."""
    half, quarter, wide = layout(side, c1, c2, classes)[:3]
    return (
        zeros(n * (side + 2) ** 2),
        zeros(n * side * side * 9),
        zeros(n * side * side * c1),
        zeros(n * (half + 2) ** 2 * c1),
        np.zeros(n * half * half * c1, _i4),
        zeros(n * half * half * 9 * c1),
        zeros(n * half * half * c2),
        zeros(n * quarter * quarter * c2),
        np.zeros(n * quarter * quarter * c2, _i4),
        zeros(n * wide),
    )


@jit
def forward(P: Any, R: Any, n: int, side: int, c1: int, c2: int, classes: int) -> None:
    """Fill the rooms of n images from their frames on; the last are the logits."""
    half, quarter, wide, b1, w2, b2, w3, b3, _ = layout(side, c1, c2, classes)
    x, p1, z1, a1, won1, p2, z2, a2, won2, z3 = R
    features = quarter * quarter * c2
    pixels = n * side * side
    taps(x, p1, n, side)
    gemm(p1, 0, 1, pixels, P, 0, P, b1, 0, z1, 0, pixels, c1, 9)
    pool(z1, a1, won1, n, side, c1, 1)
    patches(a1, p2, n, half, c1)
    gemm(p2, 0, 9 * c1, 1, P, w2, P, b2, 0, z2, 0, n * half * half, c2, 9 * c1)
    pool(z2, a2, won2, n, half, c2, 0)
    gemm(a2, 0, features, 1, P, w3, P, b3, 0, z3, 0, n, wide, features)


@jit
def back_rooms(n: int, side: int, c1: int, c2: int, classes: int) -> Any:
    """Return what the way down needs: errors of every map, turned weights, work for `errors`."""
    half, quarter, wide = layout(side, c1, c2, classes)[:3]
    features = quarter * quarter * c2
    widest = max(features, 9 * c1)
    work = zeros(n * (classes + 2) + widest + 1)
    work[work.shape[0] - 1] = _f4(1)
    return (
        zeros(n * wide),
        zeros(n * features),
        zeros(n * half * half * c2),
        zeros(n * half * half * 9 * c1),
        zeros(n * (half + 2) ** 2 * c1),
        zeros(n * side * side * c1),
        zeros(classes * features),
        zeros(c2 * 9 * c1),
        work,
    )


@jit
def turned(W: Any, out: Any, rows: int, columns: int, wide: int) -> None:
    """Write the transpose of W (rows, wide), of which `columns` count: (columns, rows)."""
    for c in range(columns):
        line = out[c * rows : (c + 1) * rows]
        for r in range(rows):
            line[r] = W[r * wide + c]


@jit
def add_gradient(
    P: Any, V: Any, R: Any, B: Any, t: Any, n: int, side: int, c1: int, c2: int, classes: int
) -> None:
    """Add the gradient of the mean cross-entropy of the n framed images in R to V."""
    half, quarter, wide, b1, w2, b2, w3, b3, _ = layout(side, c1, c2, classes)
    _, p1, _, _, won1, p2, _, a2, won2, z3 = R
    dz3, da2, dz2, dp2, da1, dz1, W3, W2, work = B
    features, one = quarter * quarter * c2, work.shape[0] - 1
    none = one - max(features, 9 * c1)
    pixels, halves = n * side * side, n * half * half
    forward(P, R, n, side, c1, c2, classes)
    errors(z3, 0, dz3, t, work, n, classes, wide)
    gemm(a2, 0, 1, features, dz3, 0, V, w3, wide, V, w3, features, wide, n)
    gemm(work, one, 0, 0, dz3, 0, V, b3, 0, V, b3, 1, wide, n)
    turned(P[w3:b3], W3, features, classes, wide)
    gemm(dz3, 0, wide, 1, W3, 0, work, none, 0, da2, 0, n, features, classes)
    unpool(da2, dz2, won2, n, half, c2, 0)
    gemm(p2, 0, 1, 9 * c1, dz2, 0, V, w2, c2, V, w2, 9 * c1, c2, halves)
    gemm(work, one, 0, 0, dz2, 0, V, b2, 0, V, b2, 1, c2, halves)
    turned(P[w2:b2], W2, 9 * c1, c2, c2)
    gemm(dz2, 0, c2, 1, W2, 0, work, none, 0, dp2, 0, halves, 9 * c1, c2)
    da1[:] = _f4(0)
    add_patches(dp2, da1, n, half, c1)
    unpool(da1, dz1, won1, n, side, c1, 1)
    gemm(p1, 0, pixels, 1, dz1, 0, V, 0, c1, V, 0, 9, c1, pixels)
    gemm(work, one, 0, 0, dz1, 0, V, b1, 0, V, b1, 1, c1, pixels)


@jit
def _gradient(X: Any, y: Any, side: int, c1: int, c2: int, classes: int, P: Any, V: Any) -> None:
    n = X.shape[0]
    R, B = rooms(n, side, c1, c2, classes), back_rooms(n, side, c1, c2, classes)
    frame(X.reshape(-1), R[0], n, side)
    add_gradient(P, V, R, B, y, n, side, c1, c2, classes)


@jit
def _train(
    X: Any,
    y: Any,
    rows: Any,
    seed: Any,
    side: int,
    c1: int,
    c2: int,
    classes: int,
    epochs: int,
    batch: int,
    rate: Any,
    momentum: Any,
    decay: Any,
    P: Any,
) -> None:
    m = rows.shape[0]
    most = min(batch, m)
    R, B = rooms(most, side, c1, c2, classes), back_rooms(most, side, c1, c2, classes)
    V, t, order = zeros(P.shape[0]), np.empty(most, _i4), rows.copy()
    framed, size = R[0], (side + 2) ** 2
    for i in range(P.shape[0]):
        V[i] = decay * P[i]
    for epoch in range(epochs):
        shuffle(order, seed, epoch)
        for first in range(0, m, most):
            n = min(most, m - first)
            for b in range(n):
                r = order[first + b]
                t[b] = y[r]
                frame(X[r], framed[b * size : (b + 1) * size], 1, side)
            add_gradient(P, V, R, B, t, n, side, c1, c2, classes)
            step(P, V, rate, momentum, decay)


@jit
def _logits(X: Any, side: int, c1: int, c2: int, classes: int, P: Any, out: Any) -> None:
    q, block = X.shape[0], min(64, X.shape[0])
    R = rooms(block, side, c1, c2, classes)
    z, wide = R[9], (classes + PAD - 1) // PAD * PAD
    for first in range(0, q, block):
        n = min(block, q - first)
        frame(X[first : first + n].reshape(-1), R[0], n, side)
        forward(P, R, n, side, c1, c2, classes)
        for b in range(n):
            copy(out[first + b], z[b * wide :])


def _cached(stamp: int) -> Any:
    """Return the three functions that are called from outside; the cache knows them by stamp."""

    @njit(cache=True, nogil=True)
    def train_cnn(
        X: Any,
        y: Any,
        rows: Any,
        seed: Any,
        side: int,
        c1: int,
        c2: int,
        classes: int,
        epochs: int,
        batch: int,
        rate: Any,
        momentum: Any,
        decay: Any,
        P: Any,
    ) -> int:
        _train(X, y, rows, seed, side, c1, c2, classes, epochs, batch, rate, momentum, decay, P)
        return stamp

    @njit(cache=True, nogil=True)
    def logits_cnn(X: Any, side: int, c1: int, c2: int, classes: int, P: Any, out: Any) -> int:
        _logits(X, side, c1, c2, classes, P, out)
        return stamp

    @njit(cache=True, nogil=True)
    def gradient_cnn(
        X: Any, y: Any, side: int, c1: int, c2: int, classes: int, P: Any, V: Any
    ) -> int:
        _gradient(X, y, side, c1, c2, classes, P, V)
        return stamp

    return train_cnn, logits_cnn, gradient_cnn


train_cnn, logits_cnn, gradient_cnn = _cached(STAMP)
