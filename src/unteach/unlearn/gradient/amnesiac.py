"""Amnesiac unlearning: take back every step that saw what is to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Ids, NoRoute, Records, Request, as_ids, derive
from unteach.models import Trace, Training

from .._shared.forget_retain_split import Sides
from .._shared.network_method import OnACopy

# The updates of a training, step by step, with the records that each was computed from.


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
        from unteach.models import fit

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
            model,
            batches,
            model.mean_loss,
            how,
            seed=seed,
            per_epoch=-(-len(records) // how.batch_size),
            callbacks=[note],
        )
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


@dataclass(frozen=True)
class Amnesiac(OnACopy):
    """Subtract what the steps added whose batches held a forgotten record, then repair.

    Models must be learned by `prepare(learner)`, which keeps each step's update and the ids of
    its batch on the model (`stored_`: `nbytes`, and `of(ids)`, how many steps saw them); it is
    lost when a model is saved. Updates that were subtracted are dropped, with all their ids.
    With batches of b of n records, k forgotten ones take back about 1 - (1 - k/n)^b of all
    steps: for more than a few of them, repair is retraining from near the start.

    Claim       Heuristic: later steps were computed from parameters that the forgotten records
                had moved, and what these added stays, in the model and in what it stores.
    Parameters  repair : at least 0; epochs over the retained records, from where subtracting
                    ends, whose steps are kept too; 0 reads no retained record
                lr : of the repair, by the training's optimizer; None is the training's own
                sensitive : ids whose steps are kept, when it is known beforehand that no other
                    will be asked for; None keeps all
                base : the network to learn with; None takes the one handed to `prepare`
    Errors      NoRoute for models that store no updates, records that are not among the
                sensitive ones, networks with a training of their own
    Defaults    found by 50 draws on 3 other worlds of this kind (0.242 there); on 3 worlds of
                1000 digits, a tenth mislabelled (MLP 64-128-10, 960 steps of 64 records, 50
                records to go), the gap to retraining is 0.268 (standard error 0.029); doing
                nothing 0.554, another retraining 0.104. Nearly all steps are taken back there:
                what is left is 14 epochs of retraining, where the training had 60

    Examples
    --------
    >>> from unteach.core import Request
    >>> from unteach.data import load
    >>> from unteach.models import Layers, Network
    >>> rows, method = load("digits").take(range(200)), Amnesiac(repair=0)
    >>> net = Network(module=Layers((64, 16, 10)), epochs=4, batch_size=50)
    >>> model = method.prepare(net).learn(rows, seed=0)
    >>> gone = method.forget(model, rows, Request(ids=[3]), seed=0)
    >>> model.stored_.of([3]), gone.model.stored_.of([3])
    (4, 0)
    >>> gone.cost.route
    '4 of 16 steps taken back, 84 KB of updates were stored'

    Source      Graves, Nagisetty and Ganesh 2021 (AAAI), amnesiac unlearning. We differ: what a
                step added is what its optimizer really added, momentum of other steps included.
    """

    repair: int = 14
    lr: float | None = 0.024
    sensitive: tuple[Any, ...] | None = None
    base: Any = None

    because: ClassVar[str] = (
        "steps after the forgotten records' own were computed from what these had changed, and "
        "stay, in the model and in the updates that it stores"
    )

    def __post_init__(self) -> None:
        if isinstance(self.repair, bool) or not isinstance(self.repair, int) or self.repair < 0:
            raise BadInput(f"repair is a whole number of at least 0, got {self.repair!r}")
        if self.lr is not None and not self.lr > 0:
            raise BadInput(f"lr is above 0, or None, got {self.lr!r}")
        if self.sensitive is not None:
            object.__setattr__(self, "sensitive", tuple(np.asarray(self.sensitive).tolist()))

    @property
    def retain_free(self) -> bool:  # type: ignore[override]
        """Whether no retained record is read: without repair."""
        return self.repair == 0

    def prepare(self, learner: Any = None) -> Remembering:
        """Return the learner whose models this method can forget from."""
        base = learner if learner is not None else self.base
        if not hasattr(base, "fresh") or getattr(base, "train", None) is not None:
            raise NoRoute("Amnesiac takes a unteach.models.Network, trained by the project's loop")
        return Remembering(base, self.sensitive)

    def _refuse(self, model: Any, records: Any, request: Request) -> bool:
        if not super()._refuse(model, records, request):
            return False
        stored = getattr(model, "stored_", None)
        if not isinstance(stored, Updates):
            raise NoRoute(
                "this model stores no updates; learn it with Amnesiac(...).prepare(learner)"
            )
        if stored.sensitive is not None:
            other = np.setdiff1d(request.targets(records), stored.sensitive)
            if len(other):
                raise NoRoute(
                    f"{len(other)} of the records are not among the sensitive ones, such as "
                    f"{other[0].item()!r}, and their steps were not kept; retrain instead"
                )
        return True

    def _change(self, after: Any, sides: Sides, seed: int) -> tuple[Trace, str]:
        import torch

        stored: Updates = after.stored_
        ids = sides.forget.ids
        out = stored.holding(ids)
        with torch.no_grad():
            for update, gone in zip(stored.kept, out, strict=True):
                if gone:
                    for p, added in zip(after.parameters(), update.added, strict=True):
                        p.sub_(added)
        after.stored_ = stored.without(ids)
        said = (
            f"{out.sum()} of {stored.steps} steps taken back, "
            f"{stored.nbytes / 1000:.0f} KB of updates were stored"
        )
        if not self.repair:
            return Trace(()), said
        kept: Any = sides.retain
        ways = {"epochs": self.repair, "steps": None, "schedule": "constant", "warmup": 0}
        how = Training.of(after.how, ways | ({} if self.lr is None else {"lr": self.lr}))
        done, after.stored_ = after.stored_.trained(after, kept, how, seed=derive(seed, "forget"))
        return done, f"{said}, {self.repair} epochs of repair"
