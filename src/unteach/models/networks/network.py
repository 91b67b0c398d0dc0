"""Network: any torch module as a learner, by the project's loop or by a training of your own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.parameter import is_lazy

from unteach.core import (
    BadInput,
    Progress,
    Records,
    Rows,
    Saved,
    Stream,
    check_records,
    derive,
    read_whole,
)

from ..exact.new_ids import fingerprint
from ..foreign.origin import note
from .classifier import NetworkClassifier
from .contexts import copied, own_code, seeded
from .layers import Factory, factory_from, factory_json
from .loader import Loader
from .sequence_model import SequenceModel
from .trained_network import Loss, NetworkModel
from .training import Checkpoint, Watch, fit
from .training_options import Trace, Training
from .validation import check_numbers, check_trainable, labels_for

Score = Callable[[NetworkModel], float]


@dataclass(frozen=True, init=False, eq=False)
class Network:
    """A recipe for networks: make a module, train it on the records, hand back a model.

    Parameters
    ----------
    module : called without arguments, it returns a fresh `torch.nn.Module`: a function, a class,
        or a value such as `Layers((64, 32, 10))`; parameters are drawn under the seed of `learn`
    train : None for the project's loop, or a training of your own: `train(module, loader, *,
        seed)`, which changes the module or returns another one; the loader yields (x, y) tensors
        in a new order each time it is gone through
    loss : "cross_entropy" (k outputs, labels), "squared" (t outputs, numbers), "next_token"
        (sequences, see `unteach.data.token_sequences`)
    classes : the label of each output; None takes 0 to k - 1 where the labels are such whole
        numbers, else the sorted labels of the records, of which there must be k
    how : settings of the training; single ones can be given by name (`epochs`, `lr`,
        `batch_size`, `optimizer`, `device`, ...; see `Training`)

    Where a batch is a single record, batch normalization uses its running statistics: one record
    has no spread.

    Examples
    --------
    >>> from unteach.core import Rows
    >>> from unteach.data import load
    >>> from unteach.models import Layers
    >>> rows = load("wine")
    >>> x = rows.x / rows.x.max(axis=0)
    >>> rows = Rows(rows.ids, {"x": x, "y": rows.y})
    >>> model = Network(module=Layers((13, 16, 3)), epochs=40, lr=0.02).learn(rows, seed=0)
    >>> bool((model.predict(x) == rows.y).mean() > 0.95)
    True
    """

    module: Factory
    train: Callable[..., Any] | None
    loss: Loss
    classes: NDArray[Any] | None
    how: Training

    def __init__(
        self,
        module: Factory,
        *,
        train: Callable[..., Any] | None = None,
        loss: Loss = "cross_entropy",
        classes: Any = None,
        how: Training | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(module, nn.Module):
            raise BadInput(
                "module is a factory, called for a fresh module at each training; hand in the "
                "function or class that made this one (of a trained module: Network.of(module))"
            )
        if not callable(module):
            raise BadInput(f"module is a function that returns a torch module, got {module!r}")
        if loss not in ("cross_entropy", "squared", "next_token"):
            raise BadInput(f"loss is cross_entropy, squared or next_token, got {loss!r}")
        given = {
            "module": module,
            "train": train,
            "loss": loss,
            "classes": None if classes is None else np.asarray(classes),
            "how": Training.of(how, settings),
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @property
    def task(self) -> str:
        """What its models answer with: "classification", "regression" or "sequences"."""
        kinds = {"cross_entropy": "classification", "squared": "regression"}
        return kinds.get(self.loss, "sequences")

    def learn(
        self,
        records: Records | Stream,
        *,
        seed: int,
        score: Score | None = None,
        watch: Watch | None = None,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> NetworkModel:
        """Return a model of these records (or of what a stream draws, `steps` batches of it).

        With `score`, a function of the model, and `watch`, which says when to read it and what
        is best (its own `score` is replaced), the training can keep the best parameters or end
        when they are good enough. `model.trace_` says what was done.
        """
        model = self.fresh(records, seed=seed)
        if self.train is not None:
            self._own(self.train, model, records, seed)
            note(model, model.learner_, seed, records, contents=True)
            return model
        if watch is not None and score is not None:
            watch = replace(watch, score=lambda: score(model))
        if not isinstance(records, Stream):
            per_epoch = -(-len(records) // self.how.batch_size)
        elif self.how.steps is None:
            raise BadInput("a stream has no end: give steps= (how many batches to draw)")
        else:
            per_epoch = 1
        model.trace_ = fit(
            model,
            lambda rng: model.batches(records, rng),
            model.mean_loss,
            self.how,
            seed=seed,
            per_epoch=per_epoch,
            watch=watch,
            progress=progress,
            checkpoint=_about(checkpoint, model.ids_digest_),
        )
        return model

    def fresh(self, records: Records | Stream, *, seed: int) -> NetworkModel:
        """Return a model of a fresh module, not trained yet, that suits these records."""
        if not isinstance(records, Stream):
            check_records(records)
        with seeded(derive(seed, "module"), self.how.device):
            module = self.module()
        if not isinstance(module, nn.Module):
            raise BadInput(f"module= returned {type(module).__name__}, not a torch.nn.Module")
        return self._wrapped(module, records, seed)

    def knowing(self, labels: Any, some: Records) -> Network:
        """Return the recipe that names these labels, read off the first of some records.

        Its models keep a class's output also where the class's last record was forgotten.
        """
        first, labels = some.take(np.arange(1)).x, np.asarray(labels)
        dense = first.toarray() if hasattr(first, "toarray") else np.asarray(first)
        each = np.repeat(dense, len(labels), axis=0)
        rows = Rows(np.arange(len(labels)), {"x": each, "y": labels})
        known: Network = self.fresh(rows, seed=0).learner_
        return known

    @classmethod
    def of(
        cls,
        module: nn.Module,
        *,
        records: Records | None = None,
        factory: Factory | None = None,
        **settings: Any,
    ) -> NetworkModel:
        """Return a model of a module that is trained already; the module itself stays yours.

        Parameters
        ----------
        module : trained; a copy is taken
        records : what it was trained on, if you have them: says the classes, and lets methods
            notice when other records are handed in
        factory : makes its like; needed to retrain and to load a saved model again
        settings : as for `Network`: loss, classes, and how methods are to train it further

        Examples
        --------
        >>> mine = nn.Linear(4, 3)
        >>> model = Network.of(mine, classes=[0, 1, 2])
        >>> model.predict(np.zeros((2, 4))).shape
        (2,)
        """
        if not isinstance(module, nn.Module):
            raise BadInput(f"of takes a trained torch module, got {type(module).__name__}")
        recipe = cls(factory if factory is not None else _nobody_knows, **settings)
        model = recipe._wrapped(copied(module, module), records, 0)
        if factory is None:
            model.learner_ = None
        return model

    def load(self, path: str | os.PathLike[str]) -> NetworkModel:
        """Return the model that `unteach.save` wrote, its module made by this recipe's factory."""
        saved = Saved.from_bytes(read_whole(path), where=str(path))
        kind = _kind(self.loss)
        if saved.kind != f"unteach.models:{kind.__name__}":
            raise BadInput(f"{path} holds a {saved.kind}, not a {kind.__name__}")
        return kind.from_saved(saved, factory=self.module)

    def recipe(self) -> dict[str, Any] | None:
        """Return the recipe as plain values, or None where it holds code of the user's own."""
        made_by = factory_json(self.module)
        if made_by is None or self.train is not None:
            return None
        labels = None if self.classes is None else self.classes.tolist()
        return {"module": made_by, "loss": self.loss, "classes": labels, "how": self.how.to_json()}

    @classmethod
    def from_recipe(cls, data: Mapping[str, Any]) -> Network:
        """Return the recipe that `recipe` wrote; nothing but unteach is imported."""
        return cls(
            factory_from(data["module"]),
            loss=data["loss"],
            classes=data["classes"],
            how=Training(**data["how"]),
        )

    def subset_outputs(
        self,
        x: NDArray[Any],
        y: NDArray[np.int64],
        members: NDArray[np.bool_],
        seeds: NDArray[np.uint64],
        at: NDArray[Any],
    ) -> NDArray[np.float32]:
        """Return the logits at some points of many models, each trained on its own subset.

        Parameters
        ----------
        x : (n, d) inputs · y : (n,) codes of the classes, 0 to k - 1
        members : (m, n) which records each model learns from
        seeds : (m,) one a model
        at : (q, d) where the models are asked

        Returns (m, q, k) float32: what m calls of `learn` would give, up to rounding; the models
        are trained side by side (see `unteach.models.networks.ensemble`), where they can be.
        """
        from .ensemble import Apart, train_arms

        try:
            return train_arms(self, x, y, members, seeds).outputs(at)
        except Apart:
            recipe, said = Network(self.module, train=self.train, how=self.how), []
        for mask, seed in zip(np.asarray(members), np.asarray(seeds).tolist(), strict=True):
            rows = np.flatnonzero(mask)
            model = recipe.learn(Rows(rows, {"x": x[rows], "y": y[rows]}), seed=seed)
            said.append(model.outputs_at(at).astype(np.float32))
        return np.stack(said)

    def _wrapped(
        self, module: nn.Module, records: Records | Stream | None, seed: int
    ) -> NetworkModel:
        stored = None if isinstance(records, Stream) else records
        if stored is not None:
            check_records(stored)
        model = _kind(self.loss)(
            module,
            classes=None,
            loss=self.loss,
            how=self.how,
            learner=self,
            digest=None if stored is None else fingerprint(stored.ids),
        )
        first = stored
        if isinstance(records, Stream):
            first = records.draw(256, seed=derive(seed, "sizes"))
        if any(is_lazy(p) for p in module.parameters()):
            _complete(model, first, seed)
        if self.loss == "next_token":
            return model
        if first is not None:
            check_trainable(first, self.loss)
        if self.loss == "cross_entropy":
            model.classes_ = labels_for(model, first, self.classes)
            if not np.array_equal(model.classes_, np.arange(len(model.classes_))):
                model.learner_ = Network(
                    self.module, train=self.train, classes=model.classes_, how=self.how
                )
        elif first is not None:
            check_numbers(model, first)
        return model

    def _own(self, train: Callable[..., Any], model: NetworkModel, records: Any, seed: int) -> None:
        """Let the user's function train the module."""
        if isinstance(records, Stream):
            raise BadInput("train= takes records; a stream is trained on by the project's loop")
        loader = Loader(model, records, seed=derive(seed, "loader"))
        with own_code(model, derive(seed, "train")):
            model.train(True)
            made = train(model.module, loader, seed=seed)
        model.take_over(made, "train=", records)
        model.trace_ = Trace(())


def _kind(loss: Loss) -> type[NetworkModel]:
    kinds: dict[str, type[NetworkModel]] = {
        "cross_entropy": NetworkClassifier,
        "squared": NetworkModel,
        "next_token": SequenceModel,
    }
    return kinds[loss]


def _complete(model: NetworkModel, records: Records | None, seed: int) -> None:
    """Let a lazy module draw the parameters whose sizes it reads off its first inputs."""
    if records is None:
        raise BadInput("the module is lazy and has seen no inputs; call it once, or give records=")
    one = records.take(np.arange(1))
    with seeded(derive(seed, "lazy"), model.how.device):
        if isinstance(model, SequenceModel):
            model.led(one)
        else:
            model.width(one.x)


def _nobody_knows() -> nn.Module:
    raise BadInput("nothing says how this module is made; give Network.of(module, factory=...)")


def _about(checkpoint: Checkpoint | None, digest: str | None) -> Checkpoint | None:
    if checkpoint is None or digest is None:
        return checkpoint
    return replace(checkpoint, about=f"{checkpoint.about} {digest}")
