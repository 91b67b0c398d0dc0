"""Distances of weights, layers and answers, in units of what retrainings differ by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Table, Trial

from .against import Measured, checked
from .arms import Arms, Array, per_model
from .arms_of import LEAST, stacked, trials_of
from .inside import layers
from .over_arms import Comparison, Four, OverArms, four, of_records

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


def _agree(name: str) -> NeedsReference:
    return NeedsReference(
        f"{name}: retrained models agree to the last bit, so that there is no unit; read the "
        "prediction gap or the parameter gap instead"
    )


@dataclass(frozen=True)
class ActivationGap(OverArms):
    """How far the answers lie from retraining's, where retrainings lie 1 from each other.

    Definition  `activation_distance` of class probabilities on each forgotten record, averaged
                over all pairs of an unlearned and a retrained model, over the same between the
                two arms of retrained models
    Null        of retrained models mixed into two arms, about 1
    Limit       2 (l1) or the root of 2 (l2) over the unit
    Fails       has no side; probabilities near 0 and 1 hide how far the logits are
    Parameters  norm : "l1" (Golatkar, Goel) or "l2" (Chundawat): one name, two numbers
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models, or
                where retrained models agree to the last bit
    Source      Golatkar et al. 2020; Goel et al. 2022; Chundawat et al. 2023; the unit is ours

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = ActivationGap().measure_arms(planted_arms("Retrain")).reading
    >>> r.null[0] < r.value < r.null[1], abs(r.value - 1) < 0.2
    (True, True)
    """

    norm: Norm = "l1"
    name: ClassVar[str] = "activation distance"
    role: ClassVar[Role] = "forgetting"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the distance in units of retraining's own, and that of each record."""

        def probabilities(arm: str) -> Array:
            p: Array = softmax(np.asarray(arms.logits(arm), dtype=np.float64), axis=2)
            return p

        seen = four(arms, probabilities, name=self.name)
        unit = float(_between(seen.twin, seen.retrained, self.norm).mean())
        if not unit > 0:
            raise _agree(self.name)

        def far(u: Array, r: Array) -> Array:
            return _between(u, r, self.norm) / unit

        limit = (2.0 if self.norm == "l1" else 2.0**0.5) / unit
        how = Comparison(self.name, "retrain-to-retrain distance", "lower", limit=limit)
        return of_records(how, arms, seen, far)


def _between(p: Array, q: Array, norm: Norm) -> Array:
    """Return each record's mean distance over all pairs of models: (n,) of (models, n, k)."""
    order = 1 if norm == "l1" else 2
    each = [np.linalg.norm(one - q, ord=order, axis=2).mean(axis=0) for one in p]
    return np.asarray(np.mean(each, axis=0))


@dataclass(frozen=True)
class WeightGap:
    """How far parameters lie from retraining's, where retrainings lie 1 from each other: a screen.

    Definition  `weight_distance`: the mean Euclidean distance of unlearned from retrained
                parameters over that of retrained ones from each other; the note gives the layer
                that lies furthest, the table all (`layer_distances`)
    Null        of retrained models mixed into two arms, about 1
    Limit       none
    Fails       independent seeds permute hidden units, so that 1 is no evidence of forgetting and
                a model that did nothing may lie no further than a retrained one
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models or
                parameters, with different numbers of them, or where retrained models agree
    Source      distances as in Golatkar et al. 2020 and Chundawat et al. 2023; the unit is ours

    Examples
    --------
    >>> WeightGap().name, WeightGap().role
    ('weight distance', 'screen')
    """

    name: ClassVar[str] = "weight distance"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = LEAST
    world: ClassVar[str] = "linear"

    def read(self, case: Case) -> Reading:
        """Return the distance in units of retraining's own."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading, and the distance of each layer."""
        trials = trials_of(case, self.name, least=self.models)
        parts = layers(trials[0].after)
        try:
            found = stacked(trials, self._flat)
        except ValueError as error:
            raise NeedsReference(
                f"{self.name} subtracts parameters one by one and these models have different "
                "numbers of them (a class may have gone)"
            ) from error
        seen, where = Four(**found), np.cumsum([len(p) for p in parts.values()])[:-1]

        def far(u: Array, r: Array) -> Array:
            return np.array([weight_distance(u, r).ratio])

        by_layer = {}
        for name, u, r in zip(
            parts,
            np.split(seen.unlearned, where, 1),
            np.split(seen.retrained, where, 1),
            strict=True,
        ):
            if np.ptp(r, axis=0).any():
                by_layer[name] = weight_distance(u, r).ratio
        if not by_layer:
            raise _agree(self.name)
        unit = "retrain-to-retrain distance"
        table = Table(
            f"{self.name} by layer",
            {"layer": list(by_layer), "distance": list(by_layer.values())},
            {"distance": unit},
            keys=("layer",),
            caption="a layer in which retrained models agree to the last bit has no unit",
        )
        furthest = max(by_layer, key=lambda name: by_layer[name])
        how = Comparison(self.name, unit, "lower", limit=None)
        reading = how.read(
            seen,
            far,
            seeds=[t.seed for t in trials],
            table=table.name,
            note=f"furthest layer {furthest!r}: {by_layer[furthest]:.3g}",
        )
        return Measured(reading, (table,))

    def _flat(self, model: Any, trial: Trial) -> Any:
        return checked(np.concatenate(list(layers(model).values())), self.name)
