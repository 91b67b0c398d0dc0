"""The models of a forget set: learned, retrained, unlearned, each from a seed of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from unteach import unlearn
from unteach.audit import (
    calibration,
    linear_probe,
    margin,
    modified_entropy,
    rmia,
    taken_for_members,
    zrf,
)
from unteach.core import Cost, NotConverged, Request, derive, stream
from unteach.models import TrainedNetwork, as_compiled, as_trainable, start
from unteach.stats import area_under_curve

from .said import Said
from .setting import HALVED, LEARNER, NOTHING, VANDAL, Drawn, Source, drawn, forgotten, request_of

Array = NDArray[np.float64]
RELEARN = replace(LEARNER, epochs=1, lr=0.03, momentum=0.9, batch_size=16)
REFERENCES = 8  # retrained models that RMIA divides by, of no other use
SLOPE = 0.5  # RMIA's a: what having seen a record adds


@dataclass(frozen=True)
class World:
    """Which models: a source, what is forgotten, how many an arm, how far relearning is watched."""

    source: Source
    kind: str
    seed: int
    models: int
    relearn: int
    probed: int

    @classmethod
    def of(cls, payload: dict[str, Any]) -> World:
        """Return the world that a task's payload names."""
        named = {k: payload[k] for k in ("kind", "seed", "models", "relearn", "probed")}
        return cls(Source.from_json(payload["source"]), **named)


@dataclass(frozen=True)
class Fixed:
    """The learner of the study, with an output for every class, also where none is left."""

    classes: int

    def learn(self, records: Any, *, seed: int) -> TrainedNetwork:
        """Return the network that these records train."""
        x = np.ascontiguousarray(np.asarray(records.x, np.float32))
        shape = LEARNER.architecture(x.shape[1], self.classes)
        own = np.uint64(derive(seed, "learn"))
        packed = shape.packed(start(shape.shapes, own))
        codes = np.asarray(records.y).astype(np.int32)
        shape.train(x, codes, np.arange(len(x)), own, LEARNER, packed)
        if not np.isfinite(packed).all():
            raise NotConverged(f"the weights ran away on {len(x)} rows")
        return TrainedNetwork(
            LEARNER, shape, shape.flat(packed), np.arange(self.classes), np.array(records.ids)
        )


class Bench:
    """The models of one world: made once a process, each from a seed of its own.

    original saw all records; reference, twin (twice as many) and control never saw the forgotten.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        data = drawn(world.source, world.seed)
        rows = forgotten(world.source, world.kind, world.seed)
        self.learner = Fixed(data.classes)
        self.train, self.request = data.train, request_of(data.train, rows)
        self.rest = self.request.applied_to(data.train)
        self.wrong = data.wrong[rows]
        self._ask(data, rows)
        self.ignorant = softmax(self._fresh(data).decision_function(self.x).astype(float), axis=1)
        n = world.models
        ratios = [self._answers("references", k)[1:] for k in range(REFERENCES)]
        self._references = [np.stack(part) for part in zip(*ratios, strict=True)]
        self.originals = [self.original(k) for k in range(n)]
        self.original_said = self.said(self.originals)
        self.reference, self.twin, self.control = (
            self.said([self.retrained(name, k) for k in range(count)])
            for name, count in (("reference", n), ("twin", 2 * n), ("control", n))
        )

    def _ask(self, data: Drawn, rows: NDArray[np.int64]) -> None:
        rng = stream(self.world.seed, "yardstick", "asked", self.world.kind)
        kept = np.setdiff1d(np.arange(len(data.train)), rows)
        kept = np.sort(rng.choice(kept, min(len(kept), 200), replace=False))
        x, y = np.asarray(data.train.x), np.asarray(data.train.y)
        self.x, self.y = x[rows], y[rows]
        self.parts = (
            (self.x, self.y),
            (x[kept], y[kept]),
            (np.asarray(data.holdout.x), np.asarray(data.holdout.y)),
        )

    def _fresh(self, data: Drawn) -> TrainedNetwork:
        shape = LEARNER.architecture(self.x.shape[1], data.classes)
        seed = np.uint64(derive(self.world.seed, "yardstick", "ignorant"))
        return TrainedNetwork(LEARNER, shape, start(shape.shapes, seed), np.arange(data.classes))

    def _seed(self, name: str, k: int) -> int:
        world = self.world
        return derive(world.seed, "yardstick", world.source.name, world.kind, name, k)

    def original(self, k: int) -> TrainedNetwork:
        """Return original k, which saw every record."""
        return self.learner.learn(self.train, seed=self._seed("original", k))

    def retrained(self, name: str, k: int) -> TrainedNetwork:
        """Return model k of an arm that never saw the forgotten records."""
        return self.learner.learn(self.rest, seed=self._seed(name, k))

    def as_original(self, model: TrainedNetwork) -> TrainedNetwork:
        """Return the same network as one that says it saw every record."""
        return model.with_parameters(model.parameters(), sample_ids=self.train.ids)

    def unlearned(self, method: str) -> tuple[list[TrainedNetwork], list[Cost]]:
        """Return what a method makes of every original, and what each took."""
        pairs = [
            self.after(method, model, self._seed(method, k))
            for k, model in enumerate(self.originals)
        ]
        return [p[0] for p in pairs], [p[1] for p in pairs]

    def after(self, name: str, model: TrainedNetwork, seed: int) -> tuple[TrainedNetwork, Cost]:
        """Return what a method makes of one model, and its cost."""
        if name in (VANDAL, HALVED):  # denied are all of the forgotten, or every second one
            ids = self.request.targets(self.train)
            denied = Request(ids=ids if name == VANDAL else ids[1::2])
            gone = unlearn.OverForget(learner=self.learner).forget(
                model, self.train, denied, seed=seed
            )
            return gone.model, gone.cost
        method = unlearn.method_named(name)
        moved = model if name == NOTHING else as_trainable(model)
        gone = method.forget(moved, self.train, self.request, seed=seed)
        return (gone.model if name == NOTHING else as_compiled(gone.model, model)), gone.cost

    def said(self, models: list[TrainedNetwork]) -> Said:
        """Return what models say of everything that is asked."""
        each = [self._one(model, k < self.world.probed) for k, model in enumerate(models)]
        return Said(*(np.stack([np.asarray(e[f.name]) for e in each]) for f in fields(Said)))

    def _logits(self, model: TrainedNetwork) -> list[Array]:
        return [model.decision_function(x).astype(np.float64) for x, _ in self.parts]

    def _answers(self, name: str, k: int) -> tuple[Any, Array, Array]:
        model = self.retrained(name, k)
        z = self._logits(model)
        return model, _held(z[0], self.y), _held(z[2], self.parts[2][1])

    def _one(self, model: TrainedNetwork, probed: bool) -> dict[str, Any]:
        z = self._logits(model)
        inside, kept, held = (margin(a, y) for a, (_, y) in zip(z, self.parts, strict=True))
        p, p_held = softmax(z[0], axis=1), softmax(z[2], axis=1)
        y_held = self.parts[2][1]
        return {
            "margins": inside,
            "held": held,
            "kept": kept,
            "p": p,
            "accuracies": [
                float((a.argmax(axis=1) == y).mean())
                for a, (_, y) in zip(z, self.parts, strict=True)
            ],
            "weights": model.parameters(),
            "curves": self._relearned(model),
            "member": area_under_curve(inside, held),
            "entropy": area_under_curve(
                -modified_entropy(p, self.y), -modified_entropy(p_held, y_held)
            ),
            "caught": float(taken_for_members(inside[None], kept[None], held[None])[0]),
            "ratio": float(
                np.mean(
                    rmia(
                        _held(z[0], self.y),
                        self._references[0],
                        _held(z[2], y_held),
                        self._references[1],
                        a=SLOPE,
                    )
                )
            ),
            "ignorance": zrf(p, self.ignorant),
            "loss": calibration(z[0], self.y).log_loss,
            "probe": self._probe(model) if probed else np.nan,
        }

    def _relearned(self, model: TrainedNetwork) -> list[float]:
        shape, packed = model.architecture, model.architecture.packed(model.parameters())
        x, y = np.ascontiguousarray(self.x, np.float32), self.y.astype(np.int32)
        curve = [float((shape.logits(x, packed).argmax(axis=1) == self.y).mean())]
        for step in range(self.world.relearn):
            seed = np.uint64(derive(self.world.seed, "yardstick", "relearn", step))
            shape.train(x, y, np.arange(len(x)), seed, RELEARN, packed)
            curve.append(float((shape.logits(x, packed).argmax(axis=1) == self.y).mean()))
        return curve

    def _probe(self, model: TrainedNetwork) -> float:
        """Return the probe's accuracy, on labels that three records or more have; else NaN."""
        counts = np.bincount(self.y)
        at = counts[self.y] >= 3
        if len(np.unique(self.y[at])) < 2:
            return float("nan")
        weight, bias = model.parameters(), model.architecture.shapes[0]
        wide = bias[0] * bias[1]
        w, b = weight[:wide].reshape(bias), weight[wide : wide + bias[0]]
        hidden = np.maximum(self.x[at] @ w.T + b, 0.0)
        return linear_probe(hidden, self.y[at], folds=3)


def _held(z: Array, y: NDArray[np.int64]) -> Array:
    return np.asarray(softmax(z, axis=1)[np.arange(len(y)), y])


@lru_cache(maxsize=1)
def bench(world: World) -> Bench:
    """Return the models of a world; a process keeps those of the last one."""
    return Bench(world)
