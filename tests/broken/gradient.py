"""Gradient methods that are broken on purpose, each in the way that one law alone catches.

Each names the `learner` whose models show the fault. Most are defects of published code.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

from broken.methods import Broken
from unteach.checks.worlds import small_network, small_transformer
from unteach.core import Forgotten, Records, Rows
from unteach.unlearn import (
    SCRUB,
    BoundaryShrink,
    CFk,
    EUk,
    GradientAscent,
    RandomLabel,
    SalUn,
    TokenRows,
)


def normed_network() -> Any:
    """Return the learner of small networks with a layer that keeps running statistics."""
    from torch import nn

    from unteach.models import Network

    return Network(
        module=lambda: nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2)
        ),
        epochs=20,
        lr=0.02,
        batch_size=15,
    )


class BrokenGradient(Broken):
    """What broken gradient methods also state: the learner of the models they are tried on.

    `also` names laws that see the same fault, where no method could break one of them alone.
    """

    also: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def learner(cls) -> Any:
        """Return the learner; the small network unless said otherwise."""
        return small_network()


@dataclass(frozen=True)
class DecaysTheFrozen(SalUn, BrokenGradient):
    """Masks the gradients instead of the step, so that weight decay moves what is masked.

    So did the published code of the method for two years.
    """

    optimizer: Any = "adamw"
    weight_decay: float = 0.1
    caught_by: ClassVar[str] = "frozen_stays_and_trained_moves"
    wrong: ClassVar[str] = "parameters outside of the mask shrink at every step"

    def _watched(self, after: Any, sides: Any, seed: int) -> list[Any]:
        for p, free in zip(after.parameters(), self._mask(after, sides.forget), strict=True):
            p.register_hook(lambda slope, free=free: slope * free)
        return []


@dataclass(frozen=True)
class FreezesNothing(EUk, BrokenGradient):
    """Says that it trains the last layers and hands all parameters to the optimizer.

    So does the method of this name in a published framework.
    """

    caught_by: ClassVar[str] = "frozen_stays_and_trained_moves"
    wrong: ClassVar[str] = "the first layers learn too"

    def _change(self, after: Any, sides: Any, seed: int) -> Any:
        return super(CFk, self)._change(after, sides, seed)


@dataclass(frozen=True)
class PeeksAtTheKept(BoundaryShrink, BrokenGradient):
    """Says it is retain-free, and looks through the records for a neighbour's label."""

    caught_by: ClassVar[str] = "retain_free_means_it"
    wrong: ClassVar[str] = "it needs data that the user was told could be gone"

    def forget(self, model: Any, records: Records, request: Any, *, seed: int) -> Forgotten:
        """Read a column of all records, then go on as usual."""
        if isinstance(records, Rows) and len(request.targets(records)):
            records.column("y")
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class MovesTheInputsBuffers(GradientAscent, BrokenGradient):
    """Asks the model that was handed in, in training mode: its running statistics move."""

    caught_by: ClassVar[str] = "inputs_are_untouched"
    wrong: ClassVar[str] = "the original predicts otherwise after it was compared with"

    @classmethod
    def learner(cls) -> Any:
        """Return the learner of networks with running statistics."""
        return normed_network()

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Find the starting outputs before the model is copied."""
        start = copy.deepcopy(model)
        targets = request.targets(records)
        if len(targets):
            model.train(True)
            model.outputs(model.batch(records.select(targets)))
            model.train(False)
        return super().forget(start, records, request, seed=seed)


@dataclass(frozen=True)
class DrawsUnseeded(EUk, BrokenGradient):
    """Draws the last layers anew from a generator that no seed rules.

    Two laws beside its own compare two runs of a heuristic method, and see it too.
    """

    caught_by: ClassVar[str] = "same_seed_same_result"
    wrong: ClassVar[str] = "a run cannot be repeated"
    also: ClassVar[tuple[str, ...]] = ("a_group_is_its_members", "preserve_is_honoured")

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Forget with a seed of its own."""
        import secrets

        return super().forget(model, records, request, seed=secrets.randbelow(2**31))


@dataclass(frozen=True)
class TrainsTheTeacher(SCRUB, BrokenGradient):
    """Hands the teacher's parameters to the optimizer; the student is returned as it was.

    So does a published benchmark's copy: its student never moved.
    """

    caught_by: ClassVar[str] = "something_moves"
    wrong: ClassVar[str] = "it is doing nothing, under another name"

    def _change(self, after: Any, sides: Any, seed: int) -> Any:
        return super()._change(copy.deepcopy(after), sides, seed)


@dataclass(frozen=True)
class MovesEveryRow(TokenRows, BrokenGradient):
    """Says that only some tokens' rows move, and lets the optimizer move the model."""

    caught_by: ClassVar[str] = "frozen_stays_and_trained_moves"
    wrong: ClassVar[str] = "what the model computes goes with how it is called"

    @classmethod
    def learner(cls) -> Any:
        """Return the learner of small transformers."""
        return small_transformer()

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Teach random labels to all parameters."""
        return RandomLabel.forget(self, model, records, request, seed=seed)

    def _course(self, after: Any, sides: Any, seed: int) -> Any:
        return RandomLabel._course(self, after, sides, seed)


BROKEN_GRADIENT: tuple[Any, ...] = (
    DecaysTheFrozen(),
    FreezesNothing(),
    PeeksAtTheKept(),
    MovesTheInputsBuffers(),
    DrawsUnseeded(),
    TrainsTheTeacher(),
    MovesEveryRow(),
)
"""Broken methods for networks; each is caught by the law that it names, on its own learner."""
