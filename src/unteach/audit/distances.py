"""Distances of weights, layers and answers, in units of what retrainings differ by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NeedsReference

from .arms import per_model

Norm = Literal["l1", "l2"]


def activation_distance(p: Any, q: Any, *, norm: Norm) -> float:
    """Return the mean distance of two models' answers on the same records.

    Two papers use one name for two numbers, so the norm must be named: "l1" (Golatkar, Goel), at
    most 2, or "l2" (Chundawat), at most the root of 2.

    Parameters
    ----------
    p, q : (n, k) probabilities

    Examples
    --------
    >>> p, q = [[1.0, 0.0]], [[0.0, 1.0]]
    >>> activation_distance(p, q, norm="l1"), activation_distance(p, q, norm="l2")
    (2.0, 1.4142)
    """
    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or norm not in ("l1", "l2"):
        raise BadInput(f"need two (n, k) arrays and norm 'l1' or 'l2', got {a.shape}, {b.shape}")
    return float(np.mean(np.linalg.norm(a - b, ord=1 if norm == "l1" else 2, axis=1)))


@dataclass(frozen=True)
class InRetrainUnits:
    """ratio : mean distance to retrained models over their mean distance to one another.

    null : (low, high) of that ratio when each retrained model is left out in turn
    by_model : (N,) the ratio of each unlearned model
    """

    ratio: float
    null: tuple[float, float]
    by_model: NDArray[np.float64]


def weight_distance(unlearned: Any, retrained: Any) -> InRetrainUnits:
    """Return how far parameters lie from retrained ones, where retrainings lie 1 from each other.

    Null: 1. A distance without this unit means nothing, and independent seeds permute hidden
    units, so that a ratio of 1 is no evidence of forgetting and one below 1 only says that the
    models share an origin. A screen. Works on flattened activations as well. Limit: none.

    Parameters
    ----------
    unlearned : (N, p) parameters · retrained : (M, p), M >= 3

    Examples
    --------
    >>> found = weight_distance([[0.0, 6.0]], [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> round(found.ratio, 3), [round(v, 3) for v in found.null]
    (2.442, [0.75, 1.125])
    """
    u, r = per_model(unlearned, "unlearned", least=1), per_model(retrained, "retrained", least=3)
    if u.shape[1] != r.shape[1]:
        raise BadInput(f"models have {u.shape[1]} and {r.shape[1]} parameters")
    among = np.linalg.norm(r[:, None] - r[None], axis=2)  # (M, M)
    own = among.sum(axis=1) / (len(r) - 1)
    unit = float(own.mean())
    if not unit > 0:
        raise NeedsReference(
            "retrained models agree to the last bit, so that there is no unit; compare the "
            "parameters themselves"
        )
    far = np.linalg.norm(u[:, None] - r[None], axis=2).mean(axis=1) / unit
    return InRetrainUnits(
        float(far.mean()), (float(own.min()) / unit, float(own.max()) / unit), far
    )


def layer_distances(unlearned: Any, retrained: Any, shapes: Any) -> dict[str, InRetrainUnits]:
    """Return `weight_distance` layer by layer.

    Parameters
    ----------
    unlearned, retrained : (N, p), (M, p) parameters in one row
    shapes : the shape of each layer, in order; together p numbers

    Examples
    --------
    >>> found = layer_distances([[9.0, 1.0]], [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]], [(1,), (1,)])
    Traceback (most recent call last):
    ...
    unteach.core.errors.NeedsReference: layer 0: retrained models agree to the last bit, ...
    """
    u, r = per_model(unlearned, "unlearned", least=1), per_model(retrained, "retrained", least=3)
    sizes = [math.prod(shape) for shape in shapes]
    if sum(sizes) != r.shape[1]:
        raise BadInput(f"the layers hold {sum(sizes)} numbers, the models {r.shape[1]}")
    found, at = {}, 0
    for k, size in enumerate(sizes):
        try:
            found[f"layer {k}"] = weight_distance(u[:, at : at + size], r[:, at : at + size])
        except NeedsReference as refusal:
            raise NeedsReference(f"layer {k}: {refusal}") from refusal
        at += size
    return found
