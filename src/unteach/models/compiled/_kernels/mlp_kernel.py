"""The whole training of one dense network, compiled: its state never leaves the core's cache.

Parameters lie in one array P: for each layer the weights (inputs, outputs padded to `PAD`) and
then the padded bias. Activations lie in S, (batch, width) a layer after the other, the inputs
first. The twin in plain numpy is `slow_mlp`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .instruction_set import PAD, STAMP
from .loops import copy, mask, relu, zeros
from .matrix_product import gemm, jit
from .random_numbers import shuffle
from .softmax import errors, step

_f4, _i4, _i8 = np.float32, np.int32, np.int64


@jit
def layout(sizes: Any, rows: int) -> Any:
    """Return widths (l + 1,) and the places of weights, biases (l + 1,) and activations (l + 2,).

    The last place of each is where the next would start.
    """
    layers = sizes.shape[0] - 1
    width, acts = np.empty(layers + 1, _i8), np.zeros(layers + 2, _i8)
    weights, biases = np.zeros(layers + 1, _i8), np.zeros(layers + 1, _i8)
    width[0] = sizes[0]
    acts[1] = rows * sizes[0]
    for i in range(layers):
        width[i + 1] = (sizes[i + 1] + PAD - 1) // PAD * PAD
        biases[i] = weights[i] + sizes[i] * width[i + 1]
        weights[i + 1] = biases[i] + width[i + 1]
        acts[i + 2] = acts[i + 1] + rows * width[i + 1]
    return width, weights, biases, acts


@jit
def forward(P: Any, S: Any, n: int, sizes: Any, width: Any, ow: Any, ob: Any, oa: Any) -> None:
    """Fill the activations of n rows whose inputs stand at the start of S; the last are logits."""
    layers = sizes.shape[0] - 1
    for i in range(layers):
        gemm(S, oa[i], width[i], 1, P, ow[i], P, ob[i], 0, S, oa[i + 1], n, width[i + 1], sizes[i])
        if i < layers - 1:
            relu(S[oa[i + 1] : oa[i + 1] + n * width[i + 1]])


@jit
def add_gradient(
    P: Any,
    V: Any,
    S: Any,
    G: Any,
    T: Any,
    t: Any,
    work: Any,
    n: int,
    sizes: Any,
    width: Any,
    ow: Any,
    ob: Any,
    oa: Any,
) -> None:
    """Add the gradient of the mean cross-entropy of the n rows in S to V.

    G : errors, placed as the activations in S · T : the weights transposed, padding zeros
    t (n,) : classes · work : for `errors`, then zeros (as many as the widest layer) and a 1
    """
    layers = sizes.shape[0] - 1
    forward(P, S, n, sizes, width, ow, ob, oa)
    errors(S, oa[layers], G, t, work, n, sizes[layers], width[layers])
    one, none, place = work.shape[0] - 1, work.shape[0] - 1 - width.max(), 0
    for i in range(layers - 1, -1, -1):
        wide = width[i + 1]
        gemm(S, oa[i], 1, width[i], G, oa[i + 1], V, ow[i], wide, V, ow[i], sizes[i], wide, n)
        gemm(work, one, 0, 0, G, oa[i + 1], V, ob[i], 0, V, ob[i], 1, wide, n)
        if i > 0:
            W = P[ow[i] : ob[i]]
            for c in range(sizes[i + 1]):
                turned = T[place + c * width[i] : place + (c + 1) * width[i]]
                for r in range(sizes[i]):
                    turned[r] = W[r * wide + c]
            gemm(
                G, oa[i + 1], wide, 1, T, place, work, none, 0, G, oa[i], n, width[i], sizes[i + 1]
            )
            place += sizes[i + 1] * width[i]
            mask(G[oa[i] : oa[i + 1]], S[oa[i] : oa[i + 1]], n * width[i])


@jit
def _rooms(sizes: Any, width: Any, oa: Any, batch: int) -> Any:
    """Return zeros for S, G, T and work, as `add_gradient` takes them."""
    layers = sizes.shape[0] - 1
    turned = 0
    for i in range(1, layers):
        turned += sizes[i + 1] * width[i]
    S, G, T = zeros(oa[layers + 1]), zeros(oa[layers + 1]), zeros(turned)
    work = zeros(batch * (sizes[layers] + 2) + width.max() + 1)
    work[work.shape[0] - 1] = _f4(1)
    return S, G, T, work


@jit
def _gradient(X: Any, y: Any, sizes: Any, P: Any, V: Any) -> None:
    n, D = X.shape
    width, ow, ob, oa = layout(sizes, n)
    S, G, T, work = _rooms(sizes, width, oa, n)
    S[: n * D] = X.reshape(-1)
    add_gradient(P, V, S, G, T, y, work, n, sizes, width, ow, ob, oa)


@jit
def _train(
    X: Any,
    y: Any,
    rows: Any,
    seed: Any,
    sizes: Any,
    epochs: int,
    batch: int,
    rate: Any,
    momentum: Any,
    decay: Any,
    P: Any,
) -> None:
    m, D = rows.shape[0], X.shape[1]
    most = min(batch, m)
    width, ow, ob, oa = layout(sizes, most)
    S, G, T, work = _rooms(sizes, width, oa, most)
    V, t, order = zeros(P.shape[0]), np.empty(most, _i4), rows.copy()
    for i in range(P.shape[0]):
        V[i] = decay * P[i]
    for epoch in range(epochs):
        shuffle(order, seed, epoch)
        for first in range(0, m, most):
            n = min(most, m - first)
            for b in range(n):
                r = order[first + b]
                t[b] = y[r]
                copy(S[b * D : (b + 1) * D], X[r])
            add_gradient(P, V, S, G, T, t, work, n, sizes, width, ow, ob, oa)
            step(P, V, rate, momentum, decay)


@jit
def _logits(X: Any, sizes: Any, P: Any, out: Any) -> None:
    q, D, layers, block = X.shape[0], X.shape[1], sizes.shape[0] - 1, min(64, X.shape[0])
    width, ow, ob, oa = layout(sizes, block)
    S = zeros(oa[layers + 1])
    for first in range(0, q, block):
        n = min(block, q - first)
        for b in range(n):
            copy(S[b * D : (b + 1) * D], X[first + b])
        forward(P, S, n, sizes, width, ow, ob, oa)
        for b in range(n):
            for k in range(sizes[layers]):
                out[first + b, k] = S[oa[layers] + b * width[layers] + k]


def _cached(stamp: int) -> Any:
    """Return the three functions that are called from outside; the cache knows them by stamp."""

    @njit(cache=True, nogil=True)
    def train_mlp(
        X: Any,
        y: Any,
        rows: Any,
        seed: Any,
        sizes: Any,
        epochs: int,
        batch: int,
        rate: Any,
        momentum: Any,
        decay: Any,
        P: Any,
    ) -> int:
        _train(X, y, rows, seed, sizes, epochs, batch, rate, momentum, decay, P)
        return stamp

    @njit(cache=True, nogil=True)
    def logits_mlp(X: Any, sizes: Any, P: Any, out: Any) -> int:
        _logits(X, sizes, P, out)
        return stamp

    @njit(cache=True, nogil=True)
    def gradient_mlp(X: Any, y: Any, sizes: Any, P: Any, V: Any) -> int:
        _gradient(X, y, sizes, P, V)
        return stamp

    return train_mlp, logits_mlp, gradient_mlp


train_mlp, logits_mlp, gradient_mlp = _cached(STAMP)
