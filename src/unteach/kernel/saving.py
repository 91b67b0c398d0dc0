"""How a classifier is written down and read back: plain values and arrays, nothing pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, claim_from, claim_json

from .certificate import Certificate
from .constants import Constants
from .decision import Decision
from .hard_margin import read
from .kernels import Kernel
from .machine import Machine, Pair

Array = NDArray[Any]


def state(model: Any, serving: bool) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return (config, arrays) of a fitted classifier; only its support vectors when serving."""
    if model._constants.kernel.name == "callable":
        raise BadInput(
            "a kernel that is a function cannot be saved without pickle; use a named kernel, or "
            "fit with kernel='precomputed'"
        )
    if not serving:
        model._positions([])  # one that was exported holds no rows to save
    fixed = model._constants
    config: dict[str, Any] = {
        "params": _plain_params(model.get_params(deep=False)),
        "kernel": {k: v for k, v in vars(fixed.kernel).items() if k != "function"},
        "from_data": fixed.from_data,
        "claim": claim_json(model.claim_),
        "certificate": model.certificate_.to_json(),
        "features": int(model.n_features_in_),
        "input": model._input,
        "names": [str(f) for f in getattr(model, "feature_names_in_", [])],
        "objects": model.classes_.dtype.kind == "O",
    }
    arrays = {"classes": _storable(model.classes_), "class_weight": fixed.class_weight}
    if serving:
        return serving_state(model._decision, config, arrays)
    machine: Machine = model._machine
    config["fitted"] = _plain_params(model._params)
    config["convex"] = machine.convex
    config["warned"] = getattr(model, "_warned", False)
    config["next_id"] = getattr(model, "_next_id", None)
    config["pairs"] = [
        [p.first, p.second, len(p.rows), p.rho, p.moves, p.certificate.to_json()]
        for p in machine.pairs
    ]
    precomputed = machine.kernel.name == "precomputed"
    arrays |= {
        "gram" if precomputed else "x": machine.gram if precomputed else machine.x,
        "labels": _storable(model._labels),
        "weights": model._weights,
        "ids": model.sample_ids_,
        "codes": machine.codes,
        "bounds": machine.bounds,
        "pair_rows": np.concatenate([p.rows for p in machine.pairs]),
        "pair_b": np.concatenate([p.b for p in machine.pairs]),
    }
    return config, arrays


def serving_state(
    decision: Decision, config: dict[str, Any], arrays: dict[str, Array]
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return (config, arrays) of what only serves, added to what is common."""
    config["pairs"] = [[i, j, len(c), rho] for i, j, c, _, rho in decision.pairs]
    arrays |= {
        "vectors": decision.vectors,
        "codes": decision.codes,
        "pair_columns": np.concatenate([c for _, _, c, _, _ in decision.pairs]),
        "pair_weights": np.concatenate([w for _, _, _, w, _ in decision.pairs]),
    }
    if decision.kernel.name == "precomputed":
        arrays["support"] = decision.support
    return config, arrays


def restore(model: Any, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Make a new object the classifier that `state` wrote down."""
    model.__init__(**_params(config["params"]))
    fixed = Constants(
        Kernel(**config["kernel"]), np.array(arrays["class_weight"]), tuple(config["from_data"])
    )
    objects = bool(config["objects"])
    classes = _labels(arrays["classes"], objects)
    model.n_features_in_ = int(config["features"])
    model._input = "sparse" if config.get("input") == "sparse" else "dense"
    if config["names"]:
        model.feature_names_in_ = np.array(config["names"], dtype=object)
    if config["serving"]:
        model._serve(decision_from(fixed.kernel, config, arrays), fixed, classes)
        model.claim_ = claim_from(config["claim"])
        model.certificate_ = Certificate.from_json(config["certificate"])
        return
    n = len(arrays["codes"])
    params = _params(config["fitted"])
    machine = Machine(
        kernel=fixed.kernel,
        x=np.array(arrays["x"]) if "x" in arrays else np.empty((n, 0)),
        codes=np.array(arrays["codes"]),
        bounds=np.array(arrays["bounds"]),
        tol=params["tol"],
        max_iter=params["max_iter"],
        given=np.array(arrays["gram"]) if "gram" in arrays else None,
        convex=bool(config["convex"]),
        pairs=_pairs(config, arrays),
        budget=1e6 * params.get("cache_size", model.cache_size),
    )
    labels = _labels(arrays["labels"], objects)
    weights, ids = np.array(arrays["weights"]), np.array(arrays["ids"])
    model._adopt(params, fixed, machine, labels, weights, ids, classes, given=())
    model.claim_ = claim_from(config["claim"])
    if config.get("next_id") is not None:
        model._next_id = int(config["next_id"])
    if config["warned"]:
        model._warned = True


def _pairs(config: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[Pair, ...]:
    at = 0
    out = []
    for first, second, m, rho, moves, certificate in config["pairs"]:
        rows = np.array(arrays["pair_rows"][at : at + m])
        b = np.array(arrays["pair_b"][at : at + m])
        checked = Certificate.from_json(certificate)
        out.append(Pair(first, second, rows, b, float(rho), moves, checked))
        at += m
    return tuple(out)


def decision_from(
    kernel: Kernel, config: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Decision:
    """Return the decision function that `serving_state` wrote down."""
    at = 0
    pairs = []
    for first, second, m, rho in config["pairs"]:
        columns = np.array(arrays["pair_columns"][at : at + m])
        weights = np.array(arrays["pair_weights"][at : at + m])
        pairs.append((first, second, columns, weights, float(rho)))
        at += m
    vectors = np.array(arrays["vectors"])
    support = np.array(arrays["support"]) if "support" in arrays else np.arange(len(vectors))
    codes = np.array(arrays["codes"])
    return Decision(kernel, support, config["features"], vectors, codes, tuple(pairs))


def _plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as plain values; a dict of class weights becomes a list of pairs."""
    out = {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}
    if isinstance(out["class_weight"], Mapping):
        out["class_weight"] = [
            [k.item() if isinstance(k, np.generic) else k, float(v)]
            for k, v in out["class_weight"].items()
        ]
    return out


def _params(params: Mapping[str, Any]) -> dict[str, Any]:
    weight = params["class_weight"]
    listed = isinstance(weight, (list, tuple))
    return {**read(params), "class_weight": dict(map(tuple, weight)) if listed else weight}


def _storable(labels: Array) -> Array:
    if labels.dtype.kind != "O":
        return labels
    if not all(isinstance(label, str) for label in labels):
        raise BadInput("labels that are Python objects can be saved only if all are strings")
    return labels.astype(str)


def _labels(stored: Array, objects: bool) -> Array:
    return stored.astype(object) if objects else np.array(stored)
