"""What gradient methods share: steps on a loss of their own, taken by the project's one loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from unteach.core import BadInput, derive
from unteach.models import Trace, Training

from .forget_retain_split import Sides
from .network_method import OnACopy

Until = Callable[[Any], bool]
"""Asked of the model between steps; True ends the forgetting."""


@dataclass(frozen=True)
class Descent(OnACopy):
    """A method that takes gradient steps on a copy of the model; subclasses say on what loss.

    Batches are of the size that the model was trained with, an epoch is one round over the
    records that lead (stated by each method); a stream has no epochs, and needs `steps`.

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

    because: ClassVar[str] = "gradient steps bound nothing"

    def __post_init__(self) -> None:
        self._how()
        if not isinstance(self.every, int) or self.every < 1:
            raise BadInput(f"every is a whole number of at least 1, got {self.every!r}")

    def _change(self, after: Any, sides: Sides, seed: int) -> tuple[Trace, str]:
        return self._descend(after, sides, seed)

    def _descend(
        self, after: Any, sides: Sides, seed: int, told: Sequence[Any] = ()
    ) -> tuple[Trace, str]:
        """Take the steps; `told` are further callbacks, called after each."""
        from unteach.models import fit

        callbacks = [*self._watched(after, sides, seed), *told]
        batches, loss = self._course(after, sides, seed)
        if self.until is not None:
            callbacks.append(self._stop(after, self.until))
        done = fit(
            after, batches, loss, self._how(), seed=derive(seed, "forget"), callbacks=callbacks
        )
        return done, f"{done.steps} gradient steps"

    @abstractmethod
    def _course(self, after: Any, sides: Sides, seed: int) -> tuple[Any, Any]:
        """Return the source of batches and the loss of one of them, for `training.fit`."""

    def _watched(self, after: Any, sides: Sides, seed: int) -> list[Callable[[Any], bool | None]]:
        """Return what is called after each step, such as a mask that restores what is frozen."""
        return []

    def _how(self) -> Training:
        return Training(
            epochs=self.epochs,
            steps=self.steps,
            lr=self.lr,
            optimizer=self.optimizer,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            clip=self.clip,
        )

    def _endless(self) -> bool:
        return self.steps is not None

    def _stop(self, after: Any, until: Until) -> Callable[[Any], bool]:
        def asked(moment: Any) -> bool:
            if moment.step % self.every:
                return False
            from unteach.models import evaluating

            with evaluating(after):
                return bool(until(after))

        return asked
