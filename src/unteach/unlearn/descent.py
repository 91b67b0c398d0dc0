"""What gradient methods share: copy the model, take steps on the copy, count what it cost."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, ClassVar, Literal

import numpy as np

from unteach.core import (
    BadInput,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Model,
    NoRoute,
    NothingLeft,
    Records,
    Request,
    Rows,
    Stopwatch,
    Stream,
    Trainable,
    as_ids,
    derive,
)
from unteach.models import Training
from unteach.models.issued import fingerprint

from .standing import check_standing

Until = Callable[[Any], bool]
"""Asked of the model between steps; True ends the forgetting."""

DRAWN = 256  # records of a group that has no end, drawn to stand for it


@dataclass(frozen=True)
class Sides:
    """The records to forget and those to keep: two sets, or of a stream a set and a stream."""

    forget: Rows
    retain: Records | Stream | None

    @property
    def read(self) -> int:
        """How many stored records a method that uses both sides reads."""
        kept = 0 if self.retain is None or isinstance(self.retain, Stream) else len(self.retain)
        return len(self.forget) + kept


@dataclass(frozen=True)
class Descent(ABC):
    """A method that takes gradient steps on a copy of the model; subclasses say on what loss.

    It sees a model through `core.Trainable` alone, so that it is the same for classifiers,
    regressions and sequences. Batches are of the size that the model was trained with, an epoch
    is one round over the records that lead (stated by each method); a stream has no epochs, and
    needs `steps`.

    Parameters  epochs, steps, lr, optimizer, momentum, weight_decay, clip : as in `Training`
                until : asked of the model every `every` steps; True ends the forgetting there
                every : at least 1
    """

    lr: float = 1e-3
    epochs: int = 5
    steps: int | None = None
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip: float | None = None
    until: Until | None = None
    every: int = 1

    needs: ClassVar[str] = "trainable"
    retain_free: ClassVar[bool] = False
    because: ClassVar[str] = "gradient steps bound nothing"

    def __post_init__(self) -> None:
        self._how()
        if not isinstance(self.every, int) or self.every < 1:
            raise BadInput(f"every is a whole number of at least 1, got {self.every!r}")

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        self._refuse(model, records, request)
        return Heuristic(self.because)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a copy of the model after the steps; the model that was given stays as it is."""
        claim = Heuristic(self.because)
        if not self._refuse(model, records, request):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        from unteach.models.training import fit

        after: Any = copy.deepcopy(model)
        with Stopwatch() as watch:
            sides = sides_of(records, request, self.retain_free, seed)
            batches, loss = self._course(after, sides, seed)
            stop = [] if self.until is None else [self._stop(after, self.until)]
            done = fit(after, batches, loss, self._how(), seed=derive(seed, "forget"),
                       callbacks=stop)  # fmt: skip
        settle(after, done, records, request)
        cost = watch.cost(
            rows_read=sides.read, route=f"{done.steps} gradient steps", gradients=done.gradients
        )
        return Forgotten(after, claim, cost)

    @abstractmethod
    def _course(self, after: Any, sides: Sides, seed: int) -> tuple[Any, Any]:
        """Return the source of batches and the loss of one of them, for `training.fit`."""

    def _how(self) -> Training:
        return Training(
            epochs=self.epochs, steps=self.steps, lr=self.lr, optimizer=self.optimizer,
            momentum=self.momentum, weight_decay=self.weight_decay, clip=self.clip,
        )  # fmt: skip

    def _refuse(self, model: Any, records: Any, request: Request) -> bool:
        """Refuse what cannot be done; say whether there is anything to forget."""
        if request.replace is not None and not getattr(self, "changes", False):
            raise NoRoute(
                f"{type(self).__name__} forgets and states nothing new; to change what records "
                "say use FineTune, or retrain"
            )
        if isinstance(records, Stream) and self.steps is None:
            raise BadInput(f"a stream has no epochs: give {type(self).__name__}(steps=...)")
        return forgettable(type(self).__name__, model, records, request)

    def _stop(self, after: Any, until: Until) -> Callable[[Any], bool]:
        def asked(moment: Any) -> bool:
            if moment.step % self.every:
                return False
            from unteach.models.running import evaluating

            with evaluating(after):
                return bool(until(after))

        return asked


def forgettable(name: str, model: Any, records: Any, request: Request) -> bool:
    """Refuse what no gradient method can do; say whether there is anything to forget."""
    if not isinstance(model, Trainable):
        raise NoRoute(
            f"{name} takes gradient steps, and {type(model).__name__} is not trained by them: it "
            "needs a model that obeys core.Trainable, such as those of unteach.models.Network"
        )
    if isinstance(records, Stream):
        if request.ids or not request.groups:
            raise BadInput("records of a stream have no lasting ids; name groups=")
        return True
    targets = request.targets(records)
    check_standing(model, records, targets)
    if len(targets) and len(targets) == len(records) and request.replace is None:
        raise NothingLeft(f"forgetting all {len(records)} records leaves nothing to have learned")
    return len(targets) > 0


def sides_of(records: Any, request: Request, retain_free: bool, seed: int) -> Sides:
    """Return what is to be forgotten and what is kept; a retain-free method is given no other."""
    if isinstance(records, Stream):
        groups = list(request.groups)
        kept = records.without(groups)
        parts = [_all_of(records, group, seed) for group in groups]
        if len(parts) > 1:
            from unteach.data import together

            parts = [together(parts)]
        return Sides(parts[0], None if retain_free else kept)
    targets = request.targets(records)
    forget = records.select(targets)
    return Sides(forget, None if retain_free else request.applied_to(records))


def _all_of(tasks: Any, group: Any, seed: int) -> Any:
    """Return all records of a group where it is finite, else some that stand for it."""
    if group in getattr(tasks, "every", ()):
        return tasks.enumerate(group)
    return tasks.draw(DRAWN, seed=derive(seed, "forget", group), group=group)


def settle(after: Any, trace: Any, records: Any, request: Request) -> None:
    """Note on the new model what it stands on now, and how it came about."""
    if getattr(after, "ids_digest_", None) is not None and not isinstance(records, Stream):
        left = records.ids
        if request.replace is None:
            left = left[~np.isin(left, as_ids(request.targets(records)))]
        after.ids_digest_ = fingerprint(left)
    if hasattr(after, "trace_"):
        after.trace_ = trace


def pairs(
    model: Trainable, sides: Sides, rng: np.random.Generator, forget: Any = None
) -> Iterator[tuple[Any, Any]]:
    """Yield (retained batch, forgotten batch): the retained lead, the forgotten go round."""
    lead, follow = rng.spawn(2)
    gone = sides.forget if forget is None else forget
    kept: Any = sides.retain
    # cycle reads no further than it must: of a stream, one batch of each a round
    yield from zip(model.batches(kept, lead), cycle(model.batches(gone, follow)), strict=False)


def mean(model: Any, batch: Any) -> Any:
    """Return the mean loss of a batch, weighted where the batch says so."""
    weighted = getattr(model, "mean_loss", None)
    return model.losses(batch).mean() if weighted is None else weighted(batch)
