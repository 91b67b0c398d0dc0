"""Tasks: what every definition says of a method, of retraining against itself, and of designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.audit import LEVEL, Ulira, residual_fraction, sides_of_retraining, ulira
from unteach.core import Cost, NeedsReference, derive, stream

from .arms import Bench, World, bench
from .definitions import DEFINITIONS, score
from .said import Said, joined, turned
from .setting import HALVED, LEARNER, NOTHING, RETRAIN, VANDAL

DESIGNS = (
    "each from its own original",
    "all from one original",
    "all from one model that never saw them",
    "each from its own model that never saw them",
)
HALVES = ("most memorized half", "least memorized half")


def cell_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what all definitions say of a method on a forget set.

    payload : the world, {"method", "permutations", "replicates"}
    """
    one, method = bench(World.of(payload)), payload["method"]
    costs: list[Cost] = []
    if method == RETRAIN:
        said = one.control
    else:
        models, costs = one.unlearned(method)
        said = one.original_said if method == NOTHING else one.said(models)
    o, r, u = turned(one.original_said, one.reference, said)
    picks = _resamples(payload, len(u))
    return {
        "scores": {d.name: score(d, u, r, o) for d in DEFINITIONS},
        "replicates": {
            d.name: [score(d, u.take(a), r.take(b), o.take(a)) for a, b in picks]
            for d in DEFINITIONS
        },
        "tests": tests_of(one, u, r, payload["permutations"], derive(payload["seed"], method)),
        "residual": _residual(u, r, o, joined(one.twin), payload["seed"]),
        "sides": _sides(u, r, o),
        "accuracies": u.accuracies.round(6).tolist(),
        "member": u.member.round(6).tolist(),
        "entropy": u.entropy.round(6).tolist(),
        "cost": _cost(method, costs, one),
        "forgotten": len(one.y),
        "wrong": int(one.wrong.sum()),
    }


def null_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what the definitions say of retrained models against retrained models, sorted.

    payload : the world, {"draws": how many mixtures, "part"}
    """
    one = bench(World.of(payload))
    (pool,) = turned(joined(one.reference, one.twin))
    n = payload["models"]
    found: dict[str, list[float | None]] = {d.name: [] for d in DEFINITIONS}
    rng = stream(payload["seed"], "yardstick", "null", payload["kind"], payload["part"])
    for _ in range(payload["draws"]):
        mixed = rng.permutation(len(pool))
        u, r = pool.take(mixed[:n]), pool.take(mixed[n : 2 * n])
        for d in DEFINITIONS:
            found[d.name].append(score(d, u, r, one.original_said))
    return {name: sorted(v for v in values if v is not None) for name, values in found.items()}


def design_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return U-LiRA's area for each design of one method, and what the batch does to an entropy.

    A model that was retrained has nothing left to find; it is handed in as if it were an original.
    """
    one = bench(World.of(payload))
    name, n = payload["method"], payload["models"]
    never = [one.as_original(one.retrained("design", k)) for k in range(n)]
    starts = {
        DESIGNS[0]: one.originals,
        DESIGNS[1]: one.originals[:1] * n,
        DESIGNS[2]: never[:1] * n,
        DESIGNS[3]: never,
    }
    found: dict[str, Any] = {}
    for design, models in starts.items():
        made = one.said(
            [
                one.after(name, m, derive(payload["seed"], design, k))[0]
                for k, m in enumerate(models)
            ]
        )
        found[design] = _told(
            ulira(
                made.margins,
                one.reference.margins,
                permutations=payload["permutations"],
                seed=derive(payload["seed"], design),
            )
        )
    o, r, u = turned(one.original_said, one.reference, made)  # the last: never saw them, own
    unseen = {d.name: score(d, u, r, o) for d in DEFINITIONS}
    return {"designs": found, "unseen": unseen, "entropy": _entropies(one)}


def tests_of(
    one: Bench, u: Said, r: Said, permutations: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return the per-record attack on all forgotten records, and on the two halves of them."""
    before, twin = one.original_said.margins, one.twin.margins
    spread = np.sqrt(before.var(axis=0) + twin.var(axis=0)) + 1e-12
    order = np.argsort(-(before.mean(axis=0) - twin.mean(axis=0)) / spread, kind="stable")
    half = len(order) // 2
    places = {"all": np.arange(len(order)), HALVES[0]: order[:half], HALVES[1]: order[half:]}
    return {
        name: _told(
            ulira(
                u.margins[:, np.sort(at)],
                r.margins[:, np.sort(at)],
                level=LEVEL,
                seed=derive(seed, name),
                permutations=permutations if name != HALVES[1] else 19,  # its area alone is shown
            )
        )
        for name, at in places.items()
    }


def published_entropy(p: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return modified entropy as widely copied code has it: whole columns change, ln p for ln(1-p).

    Kept to show the fault; `unteach.audit.modified_entropy` is the definition.

    >>> p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    >>> bool(published_entropy(p, np.array([0, 1]))[0] == published_entropy(p[:1], [0])[0])
    False
    """
    log_p = -np.log(np.maximum(p, 1e-30))
    reverse = 1 - p
    changed, log_changed = p.copy(), log_p.copy()
    changed[:, y] = reverse[:, y]
    log_changed[:, y] = -np.log(np.maximum(reverse[:, y], 1e-30))
    return np.asarray(np.sum(changed * log_changed, axis=1))


def _entropies(one: Bench) -> dict[str, Any]:
    """Return, for each retrained model, how many records' published value the batch decides."""
    moved = []
    for p in one.reference.p:
        whole = published_entropy(p, one.y)
        alone = np.array(
            [published_entropy(p[k : k + 1], one.y[k : k + 1])[0] for k in range(len(p))]
        )
        moved.append(float(np.mean(np.abs(whole - alone) > 1e-6 * (1 + np.abs(alone)))))
    return {"moved": moved}


def _told(found: Ulira) -> dict[str, Any]:
    area = found.area
    return {
        "area": area.value,
        "low": area.low,
        "high": area.high,
        "n": area.n,
        "level": area.level,
        "p": found.p_value,
        "null": list(found.null),
        "detectable": found.detectable,
    }


def _resamples(payload: Mapping[str, Any], n: int) -> list[tuple[Any, Any]]:
    """Return resampled models; halves that fit and halves that score stay apart."""
    rng = stream(payload["seed"], "yardstick", "replicates", payload["kind"])
    halves = (np.arange(0, n, 2), np.arange(1, n, 2))

    def once() -> NDArray[np.int64]:
        at = np.empty(n, np.int64)
        for half in halves:
            at[half] = rng.choice(half, len(half))
        return at

    return [(once(), once()) for _ in range(payload["replicates"])]


def _residual(u: Said, r: Said, o: Said, twin: Said, seed: int) -> dict[str, Any] | None:
    try:
        found = residual_fraction(
            u.margins,
            r.margins,
            o.margins,
            twin=twin.margins,
            seed=derive(seed, "residual"),
            resamples=200,
        )
    except NeedsReference:
        return None
    rho = found.rho[np.isfinite(found.rho)]
    low, high = np.quantile(rho, [0.1, 0.9])
    return {
        "value": found.value.value,
        "low": found.value.low,
        "high": found.value.high,
        "null": list(found.null or (0.0, 0.0)),
        "median": found.median,
        "near": found.near,
        "measurable": found.measurable,
        "tenth": float(low),
        "ninetieth": float(high),
    }


def _sides(u: Said, r: Said, o: Said) -> dict[str, list[bool]]:
    found = sides_of_retraining(u.margins, r.margins, o.margins)
    return {"short": found.short.tolist(), "beyond": found.beyond.tolist()}


def _cost(method: str, costs: list[Cost], one: Bench) -> float:
    """Return gradients of one record, in units of retraining's."""
    if method in (RETRAIN, NOTHING):
        return float(method == RETRAIN)
    whole = LEARNER.epochs * len(one.rest)
    if method in (VANDAL, HALVED):
        return float(np.mean([LEARNER.epochs * c.rows_read for c in costs]) / whole)
    return float(np.mean([c.gradients for c in costs]) / whole)
