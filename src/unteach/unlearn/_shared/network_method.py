"""What all methods for networks share: the model is copied, the copy changed, the cost counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from unteach.core import (
    BadInput,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Model,
    NoRoute,
    Records,
    Request,
    Stopwatch,
    Stream,
)
from unteach.models import Trace

from .compiled_bridge import bridged
from .forget_retain_split import Sides, copy_to_change, forgettable, settle, sides_of


@dataclass(frozen=True)
class OnACopy(ABC):
    """A method that changes a copy of the model; subclasses say how.

    It sees a model through `core.Trainable` alone, so that it is the same for classifiers,
    regressions and sequences. A subclass that says `retain_free = True` is handed no retained
    record; one that says `changes = True` can also be asked to change what records say.
    """

    needs: ClassVar[str] = "trainable"
    retain_free: ClassVar[bool] = False
    changes: ClassVar[bool] = False
    because: ClassVar[str] = "nothing is proved of it"

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        self._refuse(model, records, request)
        return Heuristic(self.because)

    @bridged
    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a changed copy of the model; the model that was given stays as it is."""
        claim = Heuristic(self.because)
        if not self._refuse(model, records, request):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        from unteach.models import threaded

        threads = getattr(getattr(model, "how", None), "threads", 1)
        with Stopwatch() as watch, threaded(threads):
            sides = sides_of(records, request, self.retain_free, seed)
            after = copy_to_change(type(self).__name__, model, sides.forget)
            done, route = self._change(after, sides, seed)
        settle(after, done, records, request)
        cost = watch.cost(rows_read=sides.read, route=route, gradients=done.gradients)
        return Forgotten(after, claim, cost)

    @abstractmethod
    def _change(self, after: Any, sides: Sides, seed: int) -> tuple[Trace, str]:
        """Change the copy in place; return what was done, and the same in words."""

    def _endless(self) -> bool:
        """Say whether the method can be used on records that have no end."""
        return True

    def _refuse(self, model: Any, records: Any, request: Request) -> bool:
        """Refuse what cannot be done; say whether there is anything to forget."""
        if request.replace is not None and not self.changes:
            raise NoRoute(
                f"{type(self).__name__} forgets and states nothing new; to change what records "
                "say use FineTune, or retrain"
            )
        if isinstance(records, Stream) and not self._endless():
            raise BadInput(f"a stream has no epochs: give {type(self).__name__}(steps=...)")
        return forgettable(type(self).__name__, model, records, request)
