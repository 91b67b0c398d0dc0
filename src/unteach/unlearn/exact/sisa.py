"""SISA: shards and slices, so that forgetting retrains little."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from unteach.core import (
    BadInput,
    Claim,
    Contents,
    Corrupt,
    Cost,
    Exact,
    Forgotten,
    Model,
    NoRoute,
    NothingLeft,
    OneClassLeft,
    Records,
    Request,
    Saved,
    Stopwatch,
    derive,
)
from unteach.models import EstimatorLearner, as_learner, classifies, keeping_classes, saved_of

from .._shared.forget_retain_split import check_standing, fingerprint
from .._shared.saved_recipes import recipe_from, recipe_json

MOST = 2**20
"""Models that a saved sharded model may have."""


def _place(seed: int, identifier: Any, what: str, n: int) -> int:
    """Return 0..n-1 from seed and id alone, so that no other record can move it."""
    raw = hashlib.sha256(f"{seed}\x1f{what}\x1f{identifier!r}".encode()).digest()
    return int.from_bytes(raw[:8], "little") % n


@dataclass(frozen=True)
class Constant:
    """What a shard knows that saw one class only: that class. It predicts nothing else."""

    label: Any

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what is written: the label."""
        return Saved("unteach.unlearn:Constant", {"label": self.label})

    @classmethod
    def from_saved(cls, saved: Saved) -> Constant:
        """Return what `to_saved` described."""
        label = saved.config["label"]
        if not isinstance(label, (str, int, float)):
            raise Corrupt(f"{label!r} is no label")
        return cls(label)

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the one label for each row."""
        return np.full(np.asarray(x).shape[0], self.label)


@dataclass(frozen=True)
class ShardedLearner:
    """The recipe of SISA: the base learner once a shard, slice after slice."""

    base: Any
    shards: int
    slices: int
    aggregate: Literal["vote", "mean"]

    def learn(self, records: Records, *, seed: int) -> ShardedModel:
        """Return one model a shard, with a checkpoint before each slice."""
        classes = _classes_of(self.base, records)
        if classes is not None and len(classes) < 2:
            raise OneClassLeft(f"one class is left ({classes[0]!r}); a classifier needs two")
        recipe = replace(self, base=keeping_classes(self.base, records, records, always=True))
        empty = ShardedModel(recipe, seed, classes, tuple(() for _ in range(self.shards)))
        return empty.relearned(records, dict.fromkeys(range(self.shards), 0), classes)


@dataclass(frozen=True)
class ShardedModel:
    """The shards' models; their votes (or mean scores) are the prediction.

    `checkpoints[s][r]` is the model of shard s after slices 0 to r; None for a shard that has
    seen no record yet, which abstains.
    """

    learner_: ShardedLearner
    seed_: int
    classes: NDArray[Any] | None
    checkpoints: tuple[tuple[Any, ...], ...] = field(repr=False)
    ids_digest_: str = ""

    def __getattr__(self, name: str) -> Any:
        if name == "classes_" and self.classes is not None:
            return self.classes
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def relearned(
        self, records: Records, first_slice: Mapping[int, int], classes: NDArray[Any] | None
    ) -> ShardedModel:
        """Return the model with the named shards learned again from the named slice on."""
        recipe = self.learner_
        shard = np.array(
            [_place(self.seed_, i, "shard", recipe.shards) for i in records.ids.tolist()]
        )
        slice_ = np.array(
            [_place(self.seed_, i, "slice", recipe.slices) for i in records.ids.tolist()]
        )
        new = list(self.checkpoints)
        for s, start in first_slice.items():
            kept = list(self.checkpoints[s][:start])
            for r in range(start, recipe.slices):
                mine = (shard == s) & (slice_ == r)
                seen = (shard == s) & (slice_ <= r)
                kept.append(
                    self._next(kept[-1] if kept else None, records, mine, seen, s, r, classes)
                )
            new[s] = tuple(kept)
        if all(shards[-1] is None for shards in new):
            raise NothingLeft("no shard has a record left to learn from")
        return ShardedModel(recipe, self.seed_, classes, tuple(new), fingerprint(records.ids))

    def _next(
        self, last: Any, records: Records, mine: Any, seen: Any, s: int, r: int, classes: Any
    ) -> Any:
        if not seen.any():
            return None
        if not mine.any():
            return last
        if classes is not None:
            labels = np.unique(np.asarray(records.y)[seen])
            if len(labels) == 1:
                return Constant(labels.tolist()[0])
        learner = as_learner(self.learner_.base)
        if last is None or isinstance(last, Constant):
            return learner.learn(records.take(seen), seed=derive(self.seed_, "shard", s))
        if not hasattr(last, "partial_fit"):
            raise BadInput(
                f"{type(last).__name__} cannot go on learning (no partial_fit), which slices "
                "need; use slices=1"
            )
        part: Any = records.take(mine)
        known = getattr(last, "classes_", np.asarray(part.y))
        if not hasattr(last, "sample_ids_") and len(np.setdiff1d(np.asarray(part.y), known)):
            # a foreign estimator cannot meet a class later than in its first fit
            return learner.learn(records.take(seen), seed=derive(self.seed_, "shard", s))
        grown = copy.deepcopy(last)
        extra = {"sample_ids": part.ids} if hasattr(last, "sample_ids_") else {}
        return grown.partial_fit(part.x, np.asarray(part.y), **extra)

    def _answers(self, x: Any) -> NDArray[np.float64]:
        models = [shard[-1] for shard in self.checkpoints if shard[-1] is not None]
        if self.classes is None:
            said = [np.asarray(m.predict(x), dtype=np.float64) for m in models]
            return np.asarray(np.mean(said, axis=0))
        total: NDArray[np.float64] = np.zeros((np.asarray(x).shape[0], len(self.classes)))  # (n, k)
        for model in models:
            known = np.isin(getattr(model, "classes_", self.classes), self.classes)
            if self.learner_.aggregate == "mean" and not isinstance(model, Constant):
                at = np.searchsorted(self.classes, model.classes_[known])
                total[:, at] += model.predict_proba(x)[:, known]
                continue
            said = (
                model.predict(x)
                if known.all()
                # a network keeps a lost class's output
                else (model.classes_[known][model.predict_proba(x)[:, known].argmax(axis=1)])
            )
            total[np.arange(len(total)), np.searchsorted(self.classes, said)] += 1
        shares: NDArray[np.float64] = total / len(models)
        return shares

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the class with most votes (a tie goes to the first class), or the mean."""
        answers = self._answers(x)
        return answers if self.classes is None else self.classes[np.argmax(answers, axis=1)]

    @available_if(lambda self: self.classes is not None)  # type: ignore[untyped-decorator]
    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Return the share of votes (or the mean probability) of each class: (n, k)."""
        return self._answers(x)

    def to_saved(self, *, serving: bool = False, allow_pickle: bool = False) -> Saved:
        """Return what is written; when serving, only each shard's last model."""
        blobs = {}
        for s, models in enumerate(self.checkpoints):
            for r, model in enumerate(models):
                if model is not None and not (serving and r < len(models) - 1):
                    nested = saved_of(model, serving=serving, allow_pickle=allow_pickle)
                    blobs[f"shard-{s}-slice-{r}"] = nested.to_bytes()
        recipe = self.learner_
        config: dict[str, Any] = {
            "shards": recipe.shards,
            "slices": recipe.slices,
            "aggregate": recipe.aggregate,
            "seed": self.seed_,
            "ids": self.ids_digest_,
            "serving": serving,
        }
        if type(recipe.base).__module__.startswith("unteach."):
            config["base"] = recipe_json(recipe.base)
        else:
            blobs["base"] = saved_of(recipe.base, allow_pickle=allow_pickle).to_bytes()
        arrays = {} if self.classes is None else {"classes": self.classes}
        return Saved("unteach.unlearn:ShardedModel", config, arrays, blobs)

    @classmethod
    def from_nested(cls, saved: Saved, restore: Any) -> ShardedModel:
        """Return the model that `to_saved` described; `restore` loads the models inside."""
        config, blobs, held = saved.config, saved.blobs, Contents.of(saved)
        base = recipe_from(config["base"]) if "base" in config else restore(blobs["base"], "base")
        shards, slices = (held.whole(name, least=1, most=MOST) for name in ("shards", "slices"))
        if shards * slices > MOST:
            raise Corrupt(f"{shards} shards of {slices} slices are more than {MOST} models")
        aggregate: Any = held.text("aggregate", "vote", "mean")
        recipe = ShardedLearner(base, shards, slices, aggregate)
        checkpoints: list[tuple[Any, ...]] = []
        for s in range(recipe.shards):
            names = [f"shard-{s}-slice-{r}" for r in range(recipe.slices)]
            loaded = (restore(blobs[n], n) if n in blobs else None for n in names)
            checkpoints.append(tuple(loaded))
        classes = held.array("classes", "classes (k)") if "classes" in held else None
        last = [models[-1] for models in checkpoints if models[-1] is not None]
        known = [
            getattr(m, "classes_", [m.label] if isinstance(m, Constant) else None) for m in last
        ]
        if not last or (
            classes is not None
            and not all(k is not None and np.isin(k, classes).all() for k in known)
        ):
            raise Corrupt("the shards do not answer for the classes of the saved model")
        if len({getattr(m, "n_features_in_", None) for m in last} - {None}) > 1:
            raise Corrupt("the shards of the saved model take rows of different lengths")
        return cls(recipe, held.whole("seed"), classes, tuple(checkpoints), held.text("ids"))

    @classmethod
    def from_saved(cls, saved: Saved) -> ShardedModel:
        """Refuse: the models inside need to be loaded by `unteach.models.load`."""
        raise BadInput("load a sharded model with unteach.models.load")


def _classes_of(base: Any, records: Records) -> NDArray[Any] | None:
    """Return the classes of a classification; of a learner that does not say, by its targets."""
    y = np.asarray(records.y)
    tagged = hasattr(base, "__sklearn_tags__")
    classes = classifies(base) if tagged else y.dtype.kind in "iubUO"
    return np.unique(y) if classes else None


@dataclass(frozen=True)
class Sisa:
    """Sharded, isolated, sliced and aggregated training over any learner.

    Each record belongs to one shard and one slice, by a hash of its id and the seed, so that
    no other record's coming or going moves it. Forgetting goes back to the checkpoint before
    the first slice that held a forgotten record, and learns on from there, in the shards
    concerned only. Nothing else of the model has ever seen the record.

    Claim       Exact(atol): the same model as learning sharded, with the same seed, without the
                records; atol is that of the base's own insertion (0 with one slice).
    Parameters  learner : the base; None takes the one handed to `prepare`
                shards : at least 1; slices : at least 1; more than one slice needs a base that
                can go on learning (`partial_fit`)
                aggregate : "vote", or "mean" of the shards' class probabilities
    Errors      NoRoute for a model that was not learned in shards; NothingLeft, OneClassLeft

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import NaiveBayes
    >>> rows, method = load("wine"), Sisa(shards=4)
    >>> model = method.prepare(NaiveBayes()).learn(rows, seed=0)
    >>> gone = method.forget(model, rows, Request(ids=[5]), seed=0)
    >>> sum(a is b for a, b in zip(model.checkpoints, gone.model.checkpoints))
    3

    Source      Bourtoule et al. 2021 (IEEE S&P). We differ: shards are assigned by a hash of the
                id instead of at random by position, which makes the result a function of the
                set of records; a shard that saw one class votes for it; an empty one abstains.
    """

    learner: Any = None
    shards: int = 5
    slices: int = 1
    aggregate: Literal["vote", "mean"] = "vote"

    def __post_init__(self) -> None:
        if self.shards < 1 or self.slices < 1:
            raise BadInput(f"need at least 1 shard and 1 slice, got {self.shards}, {self.slices}")
        if self.aggregate not in ("vote", "mean"):
            raise BadInput(f"aggregate is 'vote' or 'mean', got {self.aggregate!r}")

    def prepare(self, learner: Any = None) -> ShardedLearner:
        """Return the learner whose models this method can forget from."""
        base = learner if learner is not None else self.learner
        if base is None:
            raise BadInput("Sisa needs a base learner: Sisa(learner=...) or prepare(learner)")
        if isinstance(base, EstimatorLearner):
            base = base.estimator
        if self.aggregate == "mean" and classifies(base) and not hasattr(base, "predict_proba"):
            raise BadInput(
                f"aggregate='mean' averages probabilities and {type(base).__name__} has none; "
                "use aggregate='vote'"
            )
        return ShardedLearner(base, self.shards, self.slices, self.aggregate)

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        targets = request.targets(records)
        if not isinstance(model, ShardedModel):
            raise NoRoute(
                f"{type(model).__name__} was not learned in shards; learn it with "
                "Sisa(...).prepare(learner), or retrain"
            )
        check_standing(model, records, targets)
        atol = 0.0 if model.learner_.slices == 1 else 1e-8
        # a training of the user's own may draw what no seed decides
        drawn = getattr(model.learner_.base, "train", None) is not None
        return Exact(atol, "distribution" if drawn else "values")

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model with the shards concerned learned again. The model's own seed rules."""
        claim = self.promise(model, records, request)
        targets = request.targets(records)
        if len(targets) == 0 or not isinstance(model, ShardedModel):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        recipe = model.learner_
        first: dict[int, int] = {}
        for i in targets.tolist():
            s = _place(model.seed_, i, "shard", recipe.shards)
            r = _place(model.seed_, i, "slice", recipe.slices)
            first[s] = min(r, first.get(s, r))
        with Stopwatch() as watch:
            rest = request.applied_to(records)
            classes = _classes_of(recipe.base, rest)
            if classes is not None and len(classes) < 2:
                raise OneClassLeft(f"one class is left ({classes[0]!r}); a classifier needs two")
            after = model.relearned(rest, first, classes)
        read = sum(
            _place(model.seed_, i, "shard", recipe.shards) in first for i in rest.ids.tolist()
        )
        route = f"{len(first)} of {recipe.shards} shards"
        return Forgotten(after, claim, watch.cost(rows_read=read, route=route))
