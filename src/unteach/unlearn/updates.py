"""The updates of a training, step by step, with the records that each was computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, Records, as_ids
from unteach.models import Trace, Training


@dataclass(frozen=True, eq=False)
class Update:
    """One step: the ids of its batch, and what it added to each parameter."""

    ids: Ids
    added: tuple[Any, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Updates:
    """The steps that were kept, oldest first, how many were taken, and whose steps are kept.

    A value: copies of a model share it, and forgetting makes another one.
    """

    kept: tuple[Update, ...] = field(repr=False)
    steps: int
    sensitive: Ids | None = field(default=None, repr=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Updates:
        """Return the same: nothing in it is ever changed."""
        return self

    @property
    def nbytes(self) -> int:
        """How many bytes the updates and the ids of their records take."""
        return sum(u.ids.nbytes + sum(a.nbytes for a in u.added) for u in self.kept)

    def holding(self, ids: Any) -> NDArray[np.bool_]:
        """Return which of the steps that were kept saw one of these records."""
        return np.array([bool(np.isin(u.ids, ids).any()) for u in self.kept], dtype=bool)

    def of(self, ids: Any) -> int:
        """Return how many of the steps that were kept saw one of these records."""
        return int(self.holding(ids).sum())

    def without(self, ids: Any) -> Updates:
        """Return what is left when every step that saw one of these records goes."""
        left = tuple(u for u, out in zip(self.kept, self.holding(ids), strict=True) if not out)
        known = None if self.sensitive is None else np.setdiff1d(self.sensitive, ids)
        return Updates(left, self.steps, known)

    def trained(
        self, model: Any, records: Records, how: Training, *, seed: int
    ) -> tuple[Trace, Updates]:
        """Train a model in place by the project's loop; return its trace, and the steps with it."""
        from unteach.models.training import fit

        now: list[Ids] = []
        kept = list(self.kept)
        before = [p.detach().clone() for p in model.parameters()]

        def batches(rng: np.random.Generator) -> Any:
            order = rng.permutation(len(records))  # as `NetworkModel.batches` draws it
            for start in range(0, len(order), how.batch_size):
                part = records.take(order[start : start + how.batch_size])
                now[:] = [part.ids]
                yield model.batch(part)

        def note(moment: Any) -> None:
            added = []
            for old, p in zip(before, model.parameters(), strict=True):
                added.append(p.detach() - old)
                old.copy_(p.detach())
            if self.sensitive is None or np.isin(now[0], self.sensitive).any():
                kept.append(Update(np.array(now[0]), tuple(added)))

        done = fit(
            model, batches, model.mean_loss, how, seed=seed,
            per_epoch=-(-len(records) // how.batch_size), callbacks=[note],
        )  # fmt: skip
        return done, Updates(tuple(kept), self.steps + done.steps, self.sensitive)


@dataclass(frozen=True)
class Remembering:
    """The recipe: a network's own, which also keeps what each step added.

    The training is the base's, byte for byte; with `sensitive` ids only the steps that see one
    of them are kept.
    """

    base: Any
    sensitive: tuple[Any, ...] | None = None

    @property
    def task(self) -> str:
        """What its models answer with."""
        return str(self.base.task)

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return the model that the recipe makes, with its updates in `stored_`."""
        if not hasattr(records, "ids"):
            raise BadInput("a stream's records have no lasting ids; keep updates of stored ones")
        model = self.base.fresh(records, seed=seed)
        known = None if self.sensitive is None else as_ids(self.sensitive)
        empty = Updates((), 0, known)
        model.trace_, model.stored_ = empty.trained(model, records, model.how, seed=seed)
        return model
