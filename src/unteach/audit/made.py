"""How the arms of an audit come about: one model at a time, each kept as soon as it has spoken."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Records, Request, derive, digest, stream, write_whole
from unteach.models import CNN, MLP, as_trainable

from .logits import logits_of

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """The records of an audit: what is learned from, and what every model is asked.

    rows : learned from; rest : of these, what is left without the forgotten
    x, y, part, ids, groups : of the examples that models answer; y are codes of `classes`
    """

    rows: Records
    rest: Records
    request: Request
    x: Any
    y: NDArray[np.int64]
    part: NDArray[np.str_]
    ids: NDArray[Any]
    groups: NDArray[Any] | None
    classes: NDArray[Any]


def asked(
    records: Records, request: Request, holdout: Records | None, seed: int, *, most: int = 1000
) -> Asked:
    """Return the examples of an audit: the forgotten, as many retained, and held-out ones.

    Without `holdout` a fifth of what is kept is held out, and nothing learns from it; where
    groups are forgotten, whole other groups are.
    """
    targets = request.targets(records)
    if not len(targets):
        raise BadInput("the request forgets nothing; there is nothing to audit")
    rng = stream(seed, "asked")
    if holdout is None:
        away = _held(records, targets, bool(request.groups), rng)
        holdout, records = records.select(away), records.without(away)
    forget, rest = records.select(targets), request.applied_to(records)
    kept = records.without(targets)
    sizes = (min(len(kept), max(len(forget), 100)), min(len(holdout), most))
    retain, held = (
        part.take(np.sort(rng.choice(len(part), size=size, replace=False)))
        for part, size in zip((kept, holdout), sizes, strict=True)
    )
    parts = (forget, retain, held)
    labels = np.concatenate([np.asarray(p.y) for p in parts])
    classes, y = np.unique(np.concatenate([labels, np.asarray(records.y)]), return_inverse=True)
    names = np.repeat(["forget", "retain", "holdout"], [len(p) for p in parts])
    grouped = all(p.groups is not None for p in parts)
    return Asked(
        records, rest, request,
        np.concatenate([np.asarray(p.x) for p in parts]),
        y[: len(labels)].astype(np.int64), names, np.concatenate([p.ids for p in parts]),
        np.concatenate([np.asarray(p.groups) for p in parts]) if grouped else None, classes,
    )  # fmt: skip


def _held(records: Records, targets: Any, by_group: bool, rng: np.random.Generator) -> Any:
    kept = ~np.isin(records.ids, targets)
    if not by_group:
        free = np.flatnonzero(kept)
        return records.ids[np.sort(rng.choice(free, size=max(1, len(free) // 5), replace=False))]
    groups = np.asarray(records.groups)
    gone = set(groups[~kept].tolist())
    others = [g for g in np.unique(groups).tolist() if g not in gone]
    if len(others) < 2:
        raise BadInput("whole groups are forgotten and no two others are left to hold one out")
    held = [others[k] for k in rng.permutation(len(others))[: max(1, len(others) // 5)]]
    return records.ids[kept & np.isin(groups, held)]


@dataclass
class Maker:
    """Makes models, asks them, and keeps what they said, so that a run that ended goes on.

    folder : where the logits are kept (no row, no parameter), or None
    """

    asked: Asked
    learner: Any
    seed: int
    folder: Path | None
    jobs: int
    tick: Callable[[str], None]
    costs: dict[str, list[Any]] = field(default_factory=dict)

    def arm(self, name: str, count: int) -> Logits:
        """Return the logits of an arm of learned models: (count, q, k)."""
        if self.jobs > 1 and not isinstance(self.learner, (MLP, CNN)):
            raise BadInput(
                f"jobs={self.jobs} threads share the generator of torch or of numpy; only MLP and "
                "CNN can be learned side by side: leave jobs at 1"
            )

        def one(k: int) -> Logits:
            return self._kept(name, k, lambda: self._answers(name, k))

        return self._stacked(name, one, count)

    def _answers(self, name: str, k: int) -> Logits:
        """Return what a learned model says; one that lacks a class keeps its place among outputs.

        A network with fewer outputs, because the forgotten were a whole class, would be told
        apart from every other by its shape alone.
        """
        if name == "original" or not isinstance(self.learner, (MLP, CNN)):
            return self.says(self.learned(name, k))
        rest, classes = self.asked.rest, self.asked.classes
        said = self.learner.subset_outputs(
            rest.x, np.searchsorted(classes, np.asarray(rest.y)), np.ones((1, len(rest)), bool),
            [derive(self.seed, name, k)], self.asked.x, classes=len(classes),
        )  # fmt: skip
        return np.asarray(said[0])

    def learned(self, name: str, k: int) -> Any:
        """Return model k of an arm; the originals see all records, the others what is left."""
        rows = self.asked.rows if name == "original" else self.asked.rest
        return self.learner.learn(rows, seed=derive(self.seed, name, k))

    def forgot(self, label: str, method: Any, count: int) -> Logits:
        """Return what the models say after the method, each unlearned from its own original."""
        needs = getattr(method, "needs", "") == "trainable"
        costs = self.costs.setdefault(label, [])

        def one(k: int) -> Logits:
            def made() -> Logits:
                model = self.learned("original", k)
                model = as_trainable(model) if needs else model
                gone = method.forget(
                    model, self.asked.rows, self.asked.request,
                    seed=derive(self.seed, "forget", label, k),
                )  # fmt: skip
                costs.append((gone.cost, gone.claim))
                return self.says(gone.model)

            # a function's name does not say what it does, an address not even which it is
            named = not hasattr(method, "function") and " at 0x" not in repr(method)
            return self._kept(f"unlearned {method!r}", k, made) if named else made()

        return self._stacked(label, one, count, jobs=1)

    def says(self, model: Any) -> Logits:
        """Return the logits of a model on all that is asked: (q, k)."""
        return logits_of(model, self.asked.x, self.asked.classes)

    def _stacked(
        self, name: str, one: Callable[[int], Logits], count: int, jobs: int | None = None
    ) -> Logits:
        parts: list[Logits] = []
        jobs = self.jobs if jobs is None else jobs
        if jobs == 1:
            results: Iterable[Logits] = map(one, range(count))
            for part in results:
                parts.append(part)
                self.tick(name)
            return np.stack(parts)
        with ThreadPoolExecutor(jobs) as pool:
            for part in pool.map(one, range(count)):
                parts.append(part)
                self.tick(name)
        return np.stack(parts)

    def _kept(self, name: str, k: int, make: Callable[[], Logits]) -> Logits:
        if self.folder is None:
            return make()
        path = self.folder / f"{digest(name)[:16]}-{k}.npy"
        if path.exists():
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
        said = make()
        raw = io.BytesIO()
        np.save(raw, said, allow_pickle=False)
        write_whole(path, raw.getvalue())
        return said


def folder_for(store: str | os.PathLike[str] | None, asked: Asked, learner: Any, seed: int
               ) -> Path | None:  # fmt: skip
    """Return the folder in which the arms of exactly this audit are kept, or None."""
    if store is None:
        return None
    about = repr(learner)
    if re.search(r" at 0x[0-9a-f]+", about):
        raise BadInput(
            f"{type(learner).__name__} cannot be named in the store (its repr is an address), so "
            "that its models would be taken for another's; give it a repr, or store=None"
        )
    x, y = np.asarray(asked.rows.x), np.asarray(asked.rows.y)
    key = digest({
        "learner": about, "seed": seed, "ids": asked.ids, "rows": digest(x.tobytes()),
        "labels": y, "left": asked.rest.ids, "left labels": np.asarray(asked.rest.y),
    })  # fmt: skip
    folder = Path(store) / "arms" / key[:24]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
