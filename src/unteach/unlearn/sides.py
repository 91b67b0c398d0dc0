"""The two sides of a request: what is to be forgotten, and what is kept."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from unteach.core import (
    BadInput,
    NoRoute,
    NothingLeft,
    Records,
    Request,
    Rows,
    Stream,
    Trainable,
    as_ids,
    derive,
    stream,
)
from unteach.models import TrainedNetwork
from unteach.models.issued import fingerprint

from .standing import check_standing

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

    def for_curvature(self, most: int, seed: int) -> tuple[Any, int]:
        """Return at most so many retained records at random, and of how many; a stream has most."""
        kept: Any = self.retain
        if isinstance(kept, Stream):
            kept = kept.draw(most, seed=derive(seed, "curvature"))
        if len(kept) <= most:
            return kept, len(kept)
        rows = stream(seed, "curvature").choice(len(kept), size=most, replace=False)
        return kept.take(rows), len(kept)


def forgettable(name: str, model: Any, records: Any, request: Request) -> bool:
    """Refuse what no gradient method can do; say whether there is anything to forget."""
    if not isinstance(model, (Trainable, TrainedNetwork)):
        raise NoRoute(
            f"{name} takes gradient steps, and {type(model).__name__} is not trained by them: it "
            "needs a model that obeys core.Trainable, such as those of unteach.models.Network, or "
            "one of MLP or CNN"
        )
    moving = [] if isinstance(model, TrainedNetwork) else list(model.parameters())
    if not isinstance(model, TrainedNetwork) and not moving:
        raise NoRoute(f"{name} moves parameters, and all of this model's are frozen; retrain")
    if any(p.is_complex() for p in moving if hasattr(p, "is_complex")):
        raise NoRoute(f"{name} steps along real numbers, and parameters are complex; retrain")
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


def copy_to_change(name: str, model: Any, forget: Rows) -> Any:
    """Return a copy of the model whose own parameters decide what it says, or refuse."""
    after = copy.deepcopy(model)
    check_moves(name, after, forget, list(model.parameters()))
    return after


def check_moves(name: str, model: Any, forget: Rows, others: Sequence[Any] = ()) -> None:
    """Refuse a model whose outputs no parameter moves, or the parameters of another model do.

    So it is where a forward is a function that holds the module it was written for, of which a
    copy calls the original; steps would go nowhere, and the method would claim to have forgotten.
    """
    import torch

    from unteach.models.running import differentiating, seeded

    some = model.batches(forget.take(np.arange(min(2, len(forget)))), stream(0, "moves"))
    moving = list(model.parameters())
    device = getattr(getattr(model, "how", None), "device", "cpu")
    with differentiating(model), seeded(0, device):
        loss = model.losses(next(iter(some))).sum()
        every = [*moving, *others]
        found = torch.autograd.grad(loss, every, allow_unused=True) if loss.requires_grad else ()
    if all(g is None for g in found[: len(moving)]) or any(
        g is not None for g in found[len(moving) :]
    ):
        raise NoRoute(
            f"{name} would move parameters that do not decide what the model says: they have no "
            "part in it, or forward is bound to another module; retrain instead"
        )


def _all_of(tasks: Any, group: Any, seed: int) -> Any:
    """Return all records of a group where it is finite, else some that stand for it."""
    if group in getattr(tasks, "every", ()):
        return tasks.enumerate(group)
    return tasks.draw(DRAWN, seed=derive(seed, "forget", group), group=group)


def settle(after: Any, trace: Any, records: Any, request: Request) -> None:
    """Note on the new model what it stands on now, and how it came about."""
    if not isinstance(after, TrainedNetwork):
        from unteach.models.trained import check_finite

        check_finite(after, "the last step left")
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
