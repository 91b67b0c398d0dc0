"""How the estimators beyond SVC are written down and read back: nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Contents, Corrupt, claim_json

from .._machine.canonical_form import fingerprint_of
from .._machine.gram import semidefinite, square
from .._machine.grouped_machine import Part, Parts, part_of
from .._machine.machine_kinds import NuMargin, NuTube
from .._solver.grouped_solver import Solved
from .._solver.hard_margin import read
from .._solver.solver import accepted
from .data_statistics import Constants
from .saving import (
    COSTLY,
    MANY,
    begun,
    certificate_from,
    confirmed,
    decision_from,
    given_from,
    labels_from,
    rows_from,
    serve,
    serving_state,
    settled,
    sliced,
    storable,
)

Array = NDArray[Any]


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}


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
    arrays: dict[str, Array] = {} if classes is None else {"classes": storable(classes)}
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
        "labels": storable(model._labels),
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
    held, kernel = begun(model, config, arrays, config["params"])
    fixed = Constants(kernel, np.ones(1), tuple(held.texts("from_data")))
    classes = None
    if hasattr(model, "decision_function_shape"):
        classes = labels_from(held.array("classes", "classes (k)"), held.flag("objects"))
    model._checked_params()
    if held.flag("serving"):
        found = [Contents({"found": f}, {}).number("found") for f in config["found"]]
        decision = decision_from(kernel, held)
        if len(found) != len(decision.pairs):
            raise Corrupt(f"there are {len(found)} numbers for {len(decision.pairs)} functions")
        model._serve(decision, fixed, classes, found)
        serve(model, held)
        return
    params = type(model)(**read(config["fitted"]))._checked_params()
    ids, x, given = rows_from(held, kernel)
    form = "float64 (n)" if classes is None else "labels (n)"
    labels = labels_from(held.array("labels", form), held.flag("objects"))
    weights = held.array("weights", "float64 (n)", least=0.0)
    if not weights.any():
        raise Corrupt("no row of the file has a weight above zero")
    model._params = params
    told = given_from(held, params, fixed, model._constants_of(params, x, weights))
    bare = model._parts_of(params, fixed, x, labels, weights, given)
    if classes is not None and not np.array_equal(model._coded(labels, weights)[0], classes):
        raise Corrupt("the classes are not those of the rows in the file")
    parts = Parts(**{**vars(bare), "pairs": _parts(held, bare)})
    n = len(ids)
    proven = n <= MANY and n * n * max(x.shape[1], 1) <= COSTLY
    if proven:
        parts = _proven(parts, ids, np.zeros(0) if classes is None else classes)
    model._adopt(params, fixed, parts, labels, weights, ids, given=told)
    settled(model, held, proven)


def _proven(parts: Parts, ids: Array, classes: Array) -> Parts:
    """Return a machine whose variables solve its programs, with certificates that say so."""
    whole = replace(parts, given=parts.gram)
    used = square(whole.gram, np.flatnonzero(whole.bounds > 0))
    if whole.kernel.definite != "always" and not semidefinite(used):
        raise Corrupt("the kernel matrix of the rows in the file is not semidefinite")
    hard = np.isinf(whole.bounds)
    if hard.any():  # no weight reaches such a bound
        most = max(float(np.abs(part.variables).max(initial=0.0)) for part in parts.pairs)
        whole = replace(whole, bounds=np.where(hard, 2 * most + 1.0, whole.bounds))
    out = []
    for part in parts.pairs:
        program = whole.program(part.first, part.rows)
        solved = Solved(part.variables, part.levels, part.moves, 0.0)
        again = part_of(whole.dual, part.first, part.second, part.rows, program, solved)
        for told, found in ((part.b, again.b), (part.rho, again.rho), (part.found, again.found)):
            if not np.allclose(told, found, rtol=1e-9, atol=1e-12 * (1 + np.abs(found).max())):
                raise Corrupt("the weights are not those of the variables in the file")
        named: Any = classes[[part.first, part.second]] if whole.classes else []
        mark = fingerprint_of(whole.kernel, named, ids[part.rows], part.b, part.rho)
        noise = program.noise(part.variables)
        most = max(noise, 4 * accepted(whole.tol, noise))
        out.append(
            replace(part, certificate=confirmed(part.certificate, again.certificate, most, mark))
        )
    return replace(parts, pairs=tuple(out))


def _parts(held: Contents, bare: Parts) -> tuple[Part, ...]:
    copies, tasks = bare.dual.copies, bare.tasks()
    rows = held.array("part_rows", "int64 (p)", least=0, below=held.sizes["n"])
    b = held.array("part_b", "float64 (p)")
    held.sizes["v"] = copies * len(b)
    variables = held.array("part_variables", "float64 (v)")
    levels = held.array("part_levels", "float64 (l)")
    groups = 2 if isinstance(bare.dual, (NuTube, NuMargin)) else 1
    if len(levels) != groups * len(tasks):
        raise Corrupt(f"there are {len(levels)} levels for {len(tasks)} programs")
    out = []
    lines = sliced(held, "parts", len(b), bare.classes or 2)
    each = levels.reshape(len(tasks), -1)
    for ((first, second), line, mine), own, task in zip(lines, each, tasks, strict=True):
        if not np.array_equal(rows[mine], task[2]):
            raise Corrupt(f"the rows of classes {first} and {second} are not all that there are")
        rho, found, moves, certificate = line
        numbers = Contents({"rho": rho, "found": found, "moves": moves}, {})
        doubled = slice(copies * mine.start, copies * mine.stop)
        out.append(
            Part(
                first,
                second,
                rows[mine],
                b[mine],
                numbers.number("rho"),
                variables[doubled],
                own.copy(),
                numbers.number("found"),
                numbers.whole("moves"),
                certificate_from(certificate),
            )
        )
    return tuple(out)
