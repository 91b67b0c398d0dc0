"""A model while it is taught, and the running mean of its parameters, which is what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DECAY = 0.98
"""Of the mean at each step: it looks back about fifty steps."""


class Averaged:
    """What `fit` trains in a model's place: the same parameters, and a mean that follows them.

    At a constant learning rate the parameters dance around what they have learned; their mean
    stands there already, as if the rate had been lowered. So a training need not know its end in
    advance. The mean is part of the state, and a training that is interrupted goes on with it.

    Source      Polyak and Juditsky 1992, with an exponential mean in place of a plain one.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._live = [p for p in model.parameters() if p.requires_grad]
        self._mean = [p.detach().clone() for p in self._live]

    def parameters(self) -> Iterator[Any]:
        """Return the parameters that are trained."""
        return iter(self._live)

    @property
    def training(self) -> bool:
        """Whether the model is in training mode."""
        return bool(self.model.training)

    def train(self, mode: bool = True) -> None:
        """Tell the model that training begins or ends."""
        self.model.train(mode)

    def state_dict(self) -> dict[str, Any]:
        """Return the model's state and the mean."""
        return {**self.model.state_dict(),
                **{f"mean.{k}": mean for k, mean in enumerate(self._mean)}}  # fmt: skip

    def follow(self, moment: Any) -> None:
        """Move the mean after a step; the first steps count as in a plain mean."""
        import torch

        with torch.no_grad():
            decay = min(DECAY, moment.step / (moment.step + 9))
            torch._foreach_lerp_(self._mean, [p.detach() for p in self._live], 1 - decay)

    @contextmanager
    def settled(self) -> Iterator[Any]:
        """Give the model the mean for as long as the block runs."""
        live = [p.detach().clone() for p in self._live]
        self.settle()
        try:
            yield self.model
        finally:
            self._put(live)

    def settle(self) -> Any:
        """Give the model the mean for good, and return it."""
        self._put(self._mean)
        return self.model

    def _put(self, values: list[Any]) -> None:
        import torch

        with torch.no_grad():
            for parameter, value in zip(self._live, values, strict=True):
                parameter.copy_(value)
