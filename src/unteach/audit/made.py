"""How the arms of an audit come about: one model at a time, each kept as soon as it has spoken."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    BudgetSpent,
    Cost,
    Records,
    Request,
    derive,
    described,
    stream,
    unseen,
    write_whole,
)
from unteach.models import CNN, MLP, as_trainable, learned, saved_of, together, twin

from .kept import Said, file_of, read_said
from .logits import logits_of
from .spending import spend

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """The records of an audit: what is learned from, and what every model is asked.

    rows : learned from; rest : of these, what is left without the forgotten
    x, y, part, ids, groups : of the examples that models answer; y are codes of `classes`
    copies : held-out records that were left out, as they equal one that is learned from
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
    copies: int = 0


def asked(
    records: Records,
    request: Request,
    holdout: Records | None,
    seed: int,
    *,
    most: int = 1000,
    used: Sequence[Records] = (),
) -> Asked:
    """Return the examples of an audit: the forgotten, as many retained, and held-out ones.

    Without `holdout` a fifth of what is kept is held out, and nothing learns from it; where
    groups are forgotten, whole other groups are. Held-out records that are among the others, or
    among those that methods have `used`, are refused, and accidental copies left out (`unseen`).
    """
    if np.ndim(np.asarray(records.y)) != 1:
        raise BadInput(
            f"y has shape {np.shape(records.y)}; an audit by arms compares classifiers of one "
            "label a record. audit.audit compares regressions and sequences with retraining"
        )
    targets = request.targets(records)
    if not len(targets):
        raise BadInput("the request forgets nothing; there is nothing to audit")
    rng, drawn = stream(seed, "asked"), holdout is None
    if holdout is None:
        away = _held(records, targets, bool(request.groups), rng)
        holdout, records = records.select(away), records.without(away)
    changed = () if request.replace is None else (request.replace,)
    holdout, copies = unseen(holdout, records, *changed, *used, drawn=drawn)
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
        records,
        rest,
        request,
        together([p.x for p in parts]),
        y[: len(labels)].astype(np.int64),
        names,
        np.concatenate([p.ids for p in parts]),
        np.concatenate([np.asarray(p.groups) for p in parts]) if grouped else None,
        classes,
        len(copies),
    )


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

    folder : where answers are kept (no row, no parameter), or None
    said : arm or method -> what each model said and took, those read from the folder among them
    ran : a word for each "training" and "forgetting" that was run, and each "reading"
    """

    asked: Asked
    learner: Any
    seed: int
    folder: Path | None
    jobs: int
    tick: Callable[[str], None]
    said: dict[str, list[Said]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    _about: dict[str, str] = field(default_factory=dict, repr=False)

    def arm(self, name: str, count: int) -> Logits:
        """Return the logits of an arm of learned models: (count, q, k)."""
        self._must_thread()
        models = {k: self._model(name, k) for k in range(count)}
        return self._stacked(name, self._side_by_side(name, models, hold=False))

    def _must_thread(self) -> None:
        if self.jobs > 1 and not isinstance(self.learner, (MLP, CNN)):
            raise BadInput(
                f"jobs={self.jobs} threads share the generator of torch or of numpy; only MLP and "
                "CNN can be learned side by side: leave jobs at 1"
            )

    def _side_by_side(
        self, name: str, models: Mapping[int, _Model], *, hold: bool = True
    ) -> list[Said]:
        """Return what models say, learned by as many threads as there are jobs."""

        def one(k: int) -> Said:
            said = self._kept(name, k, partial(self._learned, name, k, models[k]))
            if not hold:
                models[k].drop()
            self.tick(name)
            return said

        if self.jobs == 1:
            return [one(k) for k in models]
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(one, models))

    def unlearned(
        self, methods: Mapping[str, Any], count: int
    ) -> tuple[Logits, dict[str, Logits], dict[str, str]]:
        """Return what the originals say, what they say after each method, and who refused and why.

        An original is learned once, every method forgets from a copy of it, and then it goes: as
        many are held at a time as there are threads, which learn them side by side.
        """
        self._must_thread()
        said: dict[str, list[Said]] = {name: [] for name in ("original", *methods)}
        refused: dict[str, str] = {}
        for first in range(0, count, self.jobs):
            several = range(first, min(first + self.jobs, count))
            models = {k: self._model("original", k) for k in several}
            said["original"] += self._side_by_side("original", models)
            for k, model in models.items():
                for name, method in methods.items():
                    try:
                        if name not in refused:  # the others are audited all the same
                            said[name].append(self._forgot(name, method, k, model))
                    except BudgetSpent as refusal:
                        refused[name] = str(refusal)
                    self.tick(name)
        stacked = {n: self._stacked(n, one) for n, one in said.items() if n not in refused}
        return stacked.pop("original"), stacked, refused

    def _model(self, name: str, k: int) -> _Model:
        """Return model k of an arm; the originals see all records, the others what is left."""
        rows = self.asked.rows if name == "original" else self.asked.rest

        def learn() -> Any:
            self.ran.append("training")
            return learned(self.learner, rows, seed=derive(self.seed, name, k))

        return _Model(learn)

    def _learned(self, name: str, k: int, model: _Model) -> Said:
        (logits, made), cost, peak = spend(
            lambda: self._answers(name, k, model), alone=self.jobs == 1
        )
        rows = self.asked.rows if name == "original" else self.asked.rest
        state = state_of(made) if name == "original" and k == 0 else None
        return Said(logits, replace(cost, rows_read=len(rows)), peak, state)

    def _answers(self, name: str, k: int, model: _Model) -> tuple[Logits, Any]:
        """Return what a learned model says, and the model; one that lacks a class keeps its place.

        A network with fewer outputs, because the forgotten were a whole class, would be told
        apart from every other by its shape alone; its answers come without a model.
        """
        if name == "original" or not isinstance(self.learner, (MLP, CNN)):
            return self.says(model.held), model.held
        self.ran.append("training")
        rest, classes = self.asked.rest, self.asked.classes
        said = self.learner.subset_outputs(
            rest.x,
            np.searchsorted(classes, np.asarray(rest.y)),
            np.ones((1, len(rest)), bool),
            [derive(self.seed, name, k)],
            self.asked.x,
            classes=len(classes),
        )
        return np.asarray(said[0]), None

    def _forgot(self, label: str, method: Any, k: int, original: _Model) -> Said:
        """Return what model k says after the method, unlearned from a copy of original k."""

        def make() -> Said:
            return self._unlearn(label, method, k, original.copy())

        if label not in self._about:  # once: code may count its own calls
            self._about[label] = f"unlearned {described(method)}"
        return self._kept(self._about[label], k, make)

    def _unlearn(self, label: str, method: Any, k: int, model: Any) -> Said:
        model = as_trainable(model) if getattr(method, "needs", "") == "trainable" else model
        gone, cost, peak = spend(
            lambda: method.forget(
                model,
                self.asked.rows,
                self.asked.request,
                seed=derive(self.seed, "forget", label, k),
            )
        )
        self.ran.append("forgetting")
        tuning = tuning_of(method)
        cost = replace(
            cost,
            rows_read=gone.cost.rows_read - tuning.rows_read,
            gradients=gone.cost.gradients - tuning.gradients,
            route=gone.cost.route,
        )
        return Said(
            self.says(gone.model),
            cost,
            peak,
            state_of(model) if k == 0 else None,
            gone.claim,
            str(gone.model.keeps()) if k == 0 and hasattr(gone.model, "keeps") else "",
        )

    def says(self, model: Any) -> Logits:
        """Return the logits of a model on all that is asked: (q, k)."""
        return logits_of(model, self.asked.x, self.asked.classes)

    def _stacked(self, name: str, parts: list[Said]) -> Logits:
        self.said[name] = parts
        return np.stack([p.logits for p in parts])

    def _kept(self, name: str, k: int, make: Callable[[], Said]) -> Said:
        if self.folder is None:
            return make()
        path = file_of(self.folder, name, k)
        found = read_said(path)
        if found is None:
            found = make()
            write_whole(path, found.to_bytes(), private=True)
        else:
            self.ran.append("reading")
        return found


class _Model:
    """A model that is learned when it is first asked for."""

    def __init__(self, learn: Callable[[], Any]) -> None:
        self._learn = learn

    @cached_property
    def held(self) -> Any:
        return self._learn()

    def drop(self) -> None:
        """Hold it no longer."""
        self.__dict__.pop("held", None)

    def copy(self) -> Any:
        """Return one like it that may be changed; what cannot be copied is learned again."""
        try:
            return twin(self.held)
        except (TypeError, RuntimeError, copy.Error):  # a lock, or a tensor that was computed
            return self._learn()


def tuning_of(method: Any) -> Cost:
    """Return what choosing a method's hyper-parameters took, where it says so."""
    known = getattr(method, "cost", None)
    return known if isinstance(known, Cost) and hasattr(method, "trials") else Cost()


def state_of(model: Any) -> int | None:
    """Return how many bytes a model has on disk, so that it can forget; None if it has no form."""
    try:
        return len(saved_of(model).to_bytes())
    except BadInput:
        return None
