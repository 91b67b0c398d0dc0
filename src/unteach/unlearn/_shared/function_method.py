"""A method in the field's usual form, a function of a module and two loaders, as one of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
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
    derive,
)
from unteach.models import as_trainable

from .compiled_bridge import bridged
from .forget_retain_split import copy_to_change, forgettable, settle, sides_of

_BECAUSE = "a function of the user's own, of which nothing is proved"


@dataclass(frozen=True)
class ByFunction:
    """What `@unlearn.method` makes of a function: a method that is audited like the others.

    The function is given a copy of the module, in training mode, and loaders of (x, y); torch is
    seeded. A function without a `retain_loader` is retain-free: it is given no retained record.

    Claim       Heuristic.
    Errors      NoRoute for a model without a torch module, a change, a stream; whatever the
                function raises

    Examples
    --------
    >>> import torch
    >>> from unteach.data import load
    >>> from unteach.models import Layers, Network
    >>> @method
    ... def mine(module, forget_loader, retain_loader, *, seed):
    ...     optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    ...     for x, y in retain_loader:
    ...         optimizer.zero_grad()
    ...         torch.nn.functional.cross_entropy(module(x), y).backward()
    ...         optimizer.step()
    >>> rows = load("digits").take(range(200))
    >>> model = Network(module=Layers((64, 16, 10)), epochs=5).learn(rows, seed=0)
    >>> mine, mine.forget(model, rows, Request(ids=[3]), seed=0).claim.kind
    (mine, 'heuristic')
    """

    function: Callable[..., Any]

    needs: ClassVar[str] = "trainable"

    def __post_init__(self) -> None:
        if not callable(self.function) or self._sides() not in (1, 2) or not self._seeded():
            raise BadInput(
                "a method is a function (module, forget_loader, retain_loader, *, seed), or "
                "without retain_loader if it is retain-free"
            )

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", "method")

    @property
    def retain_free(self) -> bool:
        """Whether the function takes no retained records."""
        return self._sides() == 1

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        self._refuse(model, records, request)
        return Heuristic(_BECAUSE)

    @bridged
    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a copy of the model after the function was done with it."""
        claim = Heuristic(_BECAUSE)
        if not self._refuse(model, records, request):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        from unteach.models import Loader, Trace, own_code

        with Stopwatch() as watch:
            sides = sides_of(records, request, self.retain_free, seed)
            after = copy_to_change(repr(self), model, sides.forget)
            both: list[Any] = [sides.forget]
            if not self.retain_free:
                both.append(sides.retain)
            loaders = [Loader(after, s, seed=derive(seed, k)) for k, s in enumerate(both)]
            with own_code(after, derive(seed, "method")):
                after.train(True)
                made = self.function(after.module, *loaders, seed=seed)
            after.take_over(made, repr(self), sides.forget)
        settle(after, Trace(()), records, request)
        given = sum(loader.given for loader in loaders)
        return Forgotten(
            after,
            claim,
            watch.cost(rows_read=sides.read, route=f"the function {self!r}", gradients=given),
        )

    def _refuse(self, model: Any, records: Any, request: Request) -> bool:
        if request.replace is not None:
            raise NoRoute(f"{self!r} forgets and is told nothing new; use FineTune, or retrain")
        given = as_trainable(model)
        if not hasattr(given, "module") or not hasattr(given, "how"):
            raise NoRoute(
                f"{self!r} takes a torch module, and {type(model).__name__} has none; learn with "
                "unteach.models.Network, or hand in Network.of(module)"
            )
        if isinstance(records, Stream):
            raise NoRoute(f"{self!r} takes loaders of stored records, not a stream")
        return forgettable(repr(self), model, records, request)

    def _sides(self) -> int:
        """Return how many loaders the function takes."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        found = inspect.signature(self.function).parameters
        return sum(p.kind in kinds and name != "seed" for name, p in found.items()) - 1

    def _seeded(self) -> bool:
        return "seed" in inspect.signature(self.function).parameters


def method(function: Callable[..., Any]) -> ByFunction:
    """Make a method of a function (module, forget_loader, retain_loader, *, seed); a decorator."""
    return ByFunction(function)
