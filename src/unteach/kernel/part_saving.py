"""How the estimators beyond SVC are written down and read back: nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, claim_from, claim_json

from .certificate import Certificate
from .constants import Constants
from .hard_margin import read
from .kernels import Kernel
from .parts import Part, Parts
from .saving import decision_from, serving_state

Array = NDArray[Any]


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}


def _storable(labels: Array) -> Array:
    if labels.dtype.kind != "O":
        return labels
    if not all(isinstance(label, str) for label in labels):
        raise BadInput("labels that are Python objects can be saved only if all are strings")
    return labels.astype(str)


def state(model: Any, serving: bool) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return (config, arrays) of a fitted machine; only its support vectors when serving."""
    fixed: Constants = model._constants
    if fixed.kernel.name == "callable":
        raise BadInput(
            "a kernel that is a function cannot be saved without pickle; use a named kernel, or "
            "fit with kernel='precomputed'"
        )
    if not serving:
        model._positions([])  # one that was exported holds no rows to save
    classes = getattr(model, "classes_", None)
    config: dict[str, Any] = {
        "params": _plain(model.get_params(deep=False)),
        "kernel": {k: v for k, v in vars(fixed.kernel).items() if k != "function"},
        "from_data": fixed.from_data,
        "claim": claim_json(model.claim_),
        "certificate": model.certificate_.to_json(),
        "features": int(model.n_features_in_),
        "input": model._input,
        "names": [str(f) for f in getattr(model, "feature_names_in_", [])],
        "found": list(model._found),
        "objects": classes is not None and classes.dtype.kind == "O",
    }
    arrays: dict[str, Array] = {} if classes is None else {"classes": _storable(classes)}
    if serving:
        return serving_state(model._decision, config, arrays)
    parts: Parts = model._parts
    config["fitted"] = _plain(model._params)
    config["warned"] = getattr(model, "_warned", False)
    config["next_id"] = getattr(model, "_next_id", None)
    config["parts"] = [
        [p.first, p.second, len(p.rows), p.rho, p.found, p.moves, p.certificate.to_json()]
        for p in parts.pairs
    ]
    precomputed = parts.kernel.name == "precomputed"
    arrays |= {
        "gram" if precomputed else "x": parts.gram if precomputed else parts.x,
        "labels": _storable(model._labels),
        "weights": model._weights,
        "ids": model.sample_ids_,
        "part_rows": np.concatenate([p.rows for p in parts.pairs]),
        "part_b": np.concatenate([p.b for p in parts.pairs]),
        "part_variables": np.concatenate([p.variables for p in parts.pairs]),
        "part_levels": np.concatenate([p.levels for p in parts.pairs]),
    }
    return config, arrays


def restore(model: Any, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Make a new object the machine that `state` wrote down."""
    model.__init__(**read(config["params"]))
    fixed = Constants(Kernel(**config["kernel"]), np.ones(1), tuple(config["from_data"]))
    objects = bool(config["objects"])
    model.n_features_in_ = int(config["features"])
    model._input = "sparse" if config.get("input") == "sparse" else "dense"
    if config["names"]:
        model.feature_names_in_ = np.array(config["names"], dtype=object)
    if config["serving"]:
        classes = _labels(arrays["classes"], objects) if "classes" in arrays else None
        decision = decision_from(fixed.kernel, config, arrays)
        model._serve(decision, fixed, classes, [float(f) for f in config["found"]])
        model.claim_ = claim_from(config["claim"])
        model.certificate_ = Certificate.from_json(config["certificate"])
        return
    params = read(config["fitted"])
    weights, ids = np.array(arrays["weights"]), np.array(arrays["ids"])
    labels = _labels(arrays["labels"], objects)
    x = np.array(arrays["x"]) if "x" in arrays else np.empty((len(ids), 0))
    given = np.array(arrays["gram"]) if "gram" in arrays else None
    bare = model._parts_of(params, fixed, x, labels, weights, given)
    parts = Parts(**{**vars(bare), "pairs": _parts(config, arrays, bare.dual.copies)})
    model._adopt(params, fixed, parts, labels, weights, ids, given=())
    model.claim_ = claim_from(config["claim"])
    model.certificate_ = Certificate.from_json(config["certificate"])
    if config.get("next_id") is not None:
        model._next_id = int(config["next_id"])
    if config["warned"]:
        model._warned = True


def _parts(config: Mapping[str, Any], arrays: Mapping[str, Array], copies: int) -> tuple[Part, ...]:
    at = 0
    out = []
    levels = np.array(arrays["part_levels"]).reshape(len(config["parts"]), -1)
    for line, own in zip(config["parts"], levels, strict=True):
        first, second, m, rho, found, moves, certificate = line
        mine, doubled = slice(at, at + m), slice(copies * at, copies * (at + m))
        out.append(
            Part(
                first,
                second,
                np.array(arrays["part_rows"][mine]),
                np.array(arrays["part_b"][mine]),
                float(rho),
                np.array(arrays["part_variables"][doubled]),
                own.copy(),
                float(found),
                moves,
                Certificate.from_json(certificate),
            )
        )
        at += m
    return tuple(out)


def _labels(stored: Array, objects: bool) -> Array:
    return stored.astype(object) if objects else np.array(stored)
