"""How a classifier is written down and read back: plain values and arrays, nothing pickled."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Contents, Corrupt, Exact, claim_json, said

from .._machine.canonical_form import fingerprint_of, of_all
from .._machine.decision import Decision
from .._machine.low_memory import certified
from .._machine.machine import Machine, Pair
from .._solver.hard_margin import read
from .._solver.qp import rounding
from .._solver.solver import accepted
from ..certificate import Certificate
from ..kernels import Kernel
from . import data_statistics as constants
from . import validation as checked
from .data_statistics import Constants

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
    arrays = {"classes": storable(model.classes_), "class_weight": fixed.class_weight}
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
        "labels": storable(model._labels),
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
    held, kernel = begun(model, config, arrays, config["params"])
    classes = held.array("classes", "classes (k)")
    if len(classes) < 2:
        raise Corrupt(f"a classifier has two classes or more, not {len(classes)}")
    classes = labels_from(classes, held.flag("objects"))
    fixed = Constants(
        kernel, held.array("class_weight", "float64 (k)"), tuple(held.texts("from_data"))
    )
    constants.checked(model.get_params(deep=False))
    if held.flag("serving"):
        model._serve(decision_from(kernel, held), fixed, classes)
        serve(model, held)
        return
    params = constants.checked(_params(config["fitted"]))
    ids, x, given = rows_from(held, kernel)
    labels = labels_from(held.array("labels", "labels (n)"), held.flag("objects"))
    weights = held.array("weights", "float64 (n)", least=0.0)
    again, codes = checked.two_classes(labels, weights)
    bare = model._machine_of(params, fixed, x, codes, weights, given)
    bounds = held.array("bounds", "float64 (n)", least=0.0)
    hard = np.isinf(bare.bounds)  # of which the cost was found that is large enough
    if not (
        np.array_equal(again, classes)
        and np.array_equal(codes, held.array("codes", "int64 (n)"))
        and np.array_equal(bounds[~hard], bare.bounds[~hard])
        and len(np.unique(bounds[hard])) <= 1
        and bounds[hard].all()
    ):
        raise Corrupt("classes and bounds are not those of the rows in the file")
    told = given_from(held, params, fixed, constants.compute(params, x, classes, codes, weights))
    bare = replace(bare, bounds=bounds, convex=held.flag("convex"))
    if kernel.definite == "always" and not bare.convex:
        raise Corrupt(f"a {kernel.name} kernel is positive semidefinite, and is said not to be")
    pairs = _pairs(held, bare)
    n, most = len(ids), max((np.count_nonzero(pair.b) for pair in pairs), default=0)
    cheap = bool(n * most * max(x.shape[1], 1) <= COSTLY and most <= MANY)
    if cheap and kernel.definite != "always":
        cheap = n <= MANY
        convex = cheap and bare.convex and bare.still_convex()
        bare = replace(bare, convex=convex if cheap else bare.convex)
    if cheap:
        pairs = tuple(_proven(bare, pair, ids, classes) for pair in pairs)
    machine = replace(bare, pairs=pairs)
    model._adopt(params, fixed, machine, labels, weights, ids, classes, given=told)
    settled(model, held, cheap)


COSTLY, MANY = 2e9, 2000
"""Kernel values times features, and rows at the margin, up to which a solution is proven again."""


def begun(
    model: Any, config: Mapping[str, Any], arrays: Mapping[str, Array], params: Mapping[str, Any]
) -> tuple[Contents, Kernel]:
    """Return the contents of a file, d the features, and its kernel; set what all machines have."""
    held = Contents(config, arrays)
    if set(params) != set(type(model)().get_params(deep=False)):
        raise Corrupt(f"the saved parameters are not those of a {type(model).__name__}")
    numbers = Contents(config["kernel"], {})
    kernel = Kernel(
        numbers.text("name"),
        numbers.number("gamma", least=0.0),
        numbers.whole("degree"),
        numbers.number("coef0"),
    )
    if kernel.name != params["kernel"] or kernel.degree > 1000:
        raise Corrupt(f"the kernel is {kernel}, the parameter {params['kernel']!r}")
    model.n_features_in_ = held.whole("features", least=1)
    model._input = held.text("input", "dense", "sparse")
    held.sizes["d"] = 0 if kernel.name == "precomputed" else model.n_features_in_
    names = held.texts("names")
    if names:
        model.feature_names_in_ = np.array(held.texts("names", model.n_features_in_), dtype=object)
    return held, kernel


def serve(model: Any, held: Contents) -> None:
    """Take on the claim and the certificate of a machine that only serves."""
    model.claim_ = said(held.claim())
    model.certificate_ = certificate_from(held.config["certificate"])


def rows_from(held: Contents, kernel: Kernel) -> tuple[Array, Array, Array | None]:
    """Return ids (n,), rows (n, d), and the Gram matrix (n, n) where it is precomputed."""
    ids = held.array("ids", "ids (n)")
    if kernel.name != "precomputed":
        return ids, held.array("x", "float64 (n, d)"), None
    gram = held.array("gram", "float64 (n, n)")
    if not np.array_equal(gram, gram.T) or len(ids) != held.whole("features"):
        raise Corrupt("the kernel matrix is not symmetric, or not of as many rows as features")
    return ids, np.empty((len(ids), 0)), gram


def given_from(
    held: Contents, params: Mapping[str, Any], fixed: Constants, now: Constants
) -> tuple[str, ...]:
    """Return the numbers from data that a claim must name; `now` are those of the rows held.

    What is in the file must be `now`, or be frozen from rows that have gone since.
    """
    same = all(
        math.isclose(a, b, rel_tol=1e-9)
        for a, b in zip(
            (fixed.kernel.gamma, *fixed.class_weight),
            (now.kernel.gamma, *now.class_weight),
            strict=True,
        )
    )
    kernels = [(c.kernel.name, c.kernel.degree, c.kernel.coef0) for c in (fixed, now)]
    frozen = bool(now.from_data) and params["statistics"] == "frozen"
    if kernels[0] != kernels[1] or not (same or frozen):
        raise Corrupt("kernel or class weights are not those of the parameters and the rows")
    if len(fixed.from_data) != len(now.from_data):
        raise Corrupt("what was computed from data is not what the parameters say")
    claim = held.claim()
    named = isinstance(claim, Exact) and set(fixed.from_data) <= set(claim.given)
    return fixed.from_data if frozen and (named or not same) else ()


def settled(model: Any, held: Contents, proven: bool) -> None:
    """Keep the claim of the file where the rows bear it out; set what else a machine holds."""
    pairs = (model._machine if hasattr(model, "_machine") else model._parts).pairs
    model.certificate_ = of_all([pair.certificate for pair in pairs])
    derived, claim = model.claim_, held.claim()
    if not proven:
        model.claim_ = said(claim)
    elif not isinstance(claim, Exact) or (
        isinstance(derived, Exact)
        and claim.atol >= derived.atol / 2
        and set(claim.given) >= set(derived.given)
    ):
        model.claim_ = claim
    mark = held.next_id()
    if mark is not None:
        model._next_id = max(mark, getattr(model, "_next_id", mark))
    if held.flag("warned"):
        model._warned = True


def certificate_from(data: Any) -> Certificate:
    """Return a certificate read from a file: numbers where there must be numbers."""
    parts = list(data["pairs"])
    held = Contents(data, {})
    whole = ("n_free", "n_bounded", "n_zero", "by_evaluation", "by_bound")
    for name in whole:
        held.whole(name)
    numbers = {
        f.name: held.number(f.name, endless=True)
        for f in fields(Certificate)
        if f.name not in (*whole, "stationary_only", "pairs", "canonical")
    }
    if not re.fullmatch("([0-9a-f]{64})?", held.text("canonical")) or any(
        part["pairs"] for part in parts
    ):
        raise Corrupt("the certificate is none")
    held.flag("stationary_only")
    pairs = tuple(certificate_from(part) for part in parts)
    return Certificate(**{**data, **numbers, "pairs": pairs})


def confirmed(read_: Certificate, fresh: Certificate, most: float, fingerprint: str) -> Certificate:
    """Return the certificate of the file where the one taken afresh agrees, else the fresh one.

    most : residual that a solution may have; one that has a larger one is none
    """
    if not fresh.kkt_residual <= max(most, 2 * read_.kkt_residual):
        raise Corrupt(
            "the weights do not solve the problem of the rows in the file (the conditions are off "
            f"by {fresh.kkt_residual:.3g})"
        )
    counts = ("n_free", "n_bounded", "n_zero", "stationary_only")
    alike = all(getattr(read_, name) == getattr(fresh, name) for name in counts)
    for name in ("objective", "margin", "scale", "error", "conditioning", "rounding"):
        a, b = getattr(read_, name), getattr(fresh, name)
        alike &= a == b or math.isclose(a, b, rel_tol=0.5, abs_tol=1e-9)
    alike &= read_.canonical in ("", fingerprint) and not read_.pairs
    alike &= 2 * read_.kkt_residual + most >= fresh.kkt_residual
    return read_ if alike else fresh


def _proven(machine: Machine, pair: Pair, ids: Array, classes: Array) -> Pair:
    """Return a pair whose weights solve its problem, with a certificate that says so."""
    plain = machine.plain(pair.rows, pair.first)
    known = None if machine.convex else math.inf
    fresh = certified(machine.values, pair.rows, plain, pair.b, pair.rho, known)
    if not machine.convex:
        fresh = replace(fresh, stationary_only=True, conditioning=math.inf, error=math.inf)
    largest = np.full(len(pair.b), np.abs(machine.values.diagonal(pair.rows)).max(initial=0.0))
    noise = rounding(largest, plain.p, pair.b, plain.lower < plain.upper)
    named = classes[[pair.first, pair.second]]
    mark = fingerprint_of(machine.kernel, named, ids[pair.rows], pair.b, pair.rho)
    most = max(noise, 4 * accepted(machine.tol, noise))
    return replace(pair, certificate=confirmed(pair.certificate, fresh, most, mark))


def _pairs(held: Contents, machine: Machine) -> tuple[Pair, ...]:
    rows = held.array("pair_rows", "int64 (p)", least=0, below=held.sizes["n"])
    b = held.array("pair_b", "float64 (p)")
    out = []
    for (first, second), line, mine in sliced(held, "pairs", len(b), held.sizes["k"]):
        rho, moves, certificate = line
        if not np.array_equal(rows[mine], machine._rows_of(first, second)):
            raise Corrupt(f"the rows of classes {first} and {second} are not all that there are")
        numbers = Contents({"rho": rho, "moves": moves}, {})
        out.append(
            Pair(
                first,
                second,
                rows[mine],
                b[mine],
                numbers.number("rho"),
                numbers.whole("moves"),
                certificate_from(certificate),
            )
        )
    return tuple(out)


def sliced(
    held: Contents, name: str, total: int, k: int
) -> list[tuple[tuple[int, int], list[Any], slice]]:
    """Return for each pair of k classes its two numbers, the rest of its line, and its part."""
    wanted = [(i, j) for i in range(k) for j in range(i + 1, k)]
    lines, out, at = held.config[name], [], 0
    if [tuple(line[:2]) for line in lines] != wanted:
        raise Corrupt(f"{name} are not those of {k} classes")
    for first, second, m, *rest in lines:
        m = Contents({"rows": m}, {}).whole("rows", most=total - at)
        out.append(((first, second), rest, slice(at, at + m)))
        at += m
    if at != total:
        raise Corrupt(f"{name} have {at} rows, and there are {total}")
    return out


def decision_from(kernel: Kernel, held: Contents) -> Decision:
    """Return the decision function that `serving_state` wrote down."""
    vectors = held.array("vectors", "float64 (s, d)")
    n, k = len(vectors), held.sizes.get("k", 2)
    codes = held.array("codes", "int64 (s)", least=0, below=k)
    columns = held.array("pair_columns", "int64 (p)", least=0, below=n)
    weights = held.array("pair_weights", "float64 (p)")
    support = np.arange(n)
    if kernel.name == "precomputed":
        support = held.array("support", "int64 (s)", least=0, below=held.whole("features"))
    pairs = [
        (first, second, columns[mine], weights[mine], Contents({"rho": rho}, {}).number("rho"))
        for (first, second), (rho,), mine in sliced(held, "pairs", len(columns), k)
    ]
    return Decision(kernel, support, held.whole("features"), vectors, codes, tuple(pairs))


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


def storable(labels: Array) -> Array:
    """Return labels as an array that can be saved; objects must be strings."""
    if labels.dtype.kind != "O":
        return labels
    if not all(isinstance(label, str) for label in labels):
        raise BadInput("labels that are Python objects can be saved only if all are strings")
    return labels.astype(str)


def labels_from(stored: Array, objects: bool) -> Array:
    """Return labels as they were before they were saved."""
    if objects and stored.dtype.kind != "U":
        raise Corrupt("labels that are Python objects are strings")
    return stored.astype(object) if objects else np.array(stored)
