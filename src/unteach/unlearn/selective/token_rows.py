"""Token rows: random labels that may move nothing but how some tokens are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Forgotten, Model, NoRoute, Records, Request

from ..gradient.random_label import RandomLabel


@dataclass(frozen=True)
class TokenRows(RandomLabel):
    """Train as `RandomLabel` does, but move only the embedding rows of some tokens.

    The most local forgetting of a skill that is called by a token of its own: what the model
    computes stays, and how it is called is lost. Where the same token calls the skill within
    other tasks, these lose it too, or hold it in place. All other parameters keep every bit.

    Claim       Heuristic: what is not called is still there.
    Parameters  tokens : whole numbers, rows of the module's first embedding, at least one
                share, redraw, lr, epochs, ... : see `RandomLabel`
    Errors      as `RandomLabel`; NoRoute for a module without an embedding

    Examples
    --------
    >>> from unteach.data import sequences
    >>> from unteach.models import Network, Transformer
    >>> rows = sequences([[1, 2, 0], [2, 1, 0]], prompts=1)
    >>> shape = Transformer(3, end=0, width=16, heads=2, layers=1, length=4)
    >>> model = Network(module=shape, loss="next_token", steps=60, lr=0.01).learn(rows, seed=0)
    >>> gone = TokenRows(tokens=(1,)).forget(model, rows, Request(ids=[0]), seed=0).model
    >>> same = (gone.module.tokens.weight == model.module.tokens.weight).all(dim=1)
    >>> same.tolist()
    [True, False, True]

    Source      None. Embedding rows alone are what prompt tuning moves (Lester et al. 2021).
    """

    lr: float = 1e-2
    tokens: tuple[int, ...] = (0,)

    needs: ClassVar[str] = "tokens"
    because: ClassVar[str] = "what is no longer called is still there"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "tokens", tuple(int(t) for t in self.tokens))
        if not self.tokens or min(self.tokens) < 0 or len(set(self.tokens)) < len(self.tokens):
            raise BadInput(f"tokens are different rows from 0 on, at least one; got {self.tokens}")

    def moves(self, model: Any) -> NDArray[np.bool_]:
        """Return which parameters may move, in the order of `models.parameters`: (p,)."""
        weight, parts = _weight(model), []
        for p in model.parameters():
            free = np.zeros(tuple(p.shape), dtype=bool)
            if p is weight:
                free[list(self.tokens)] = True
            parts.append(free.ravel())
        return np.concatenate(parts)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a copy of the model in which only these rows differ."""
        gone = super().forget(model, records, request, seed=seed)
        if gone.model is not model:
            self._restore(gone.model, _weight(model))
            for p, q in zip(
                _module(model).parameters(), gone.model.module.parameters(), strict=True
            ):
                q.requires_grad_(p.requires_grad)
        return gone

    def _course(self, after: Any, sides: Any, seed: int) -> tuple[Any, Any]:
        weight = _weight(after)
        if max(self.tokens) >= len(weight):
            raise BadInput(f"the embedding has {len(weight)} rows, got tokens {self.tokens}")
        kept = weight.detach().clone()
        for p in after.module.parameters():
            p.requires_grad_(p is weight)
        batches, loss = super()._course(after, sides, seed)

        def held(batch: Any) -> Any:
            self._restore(after, kept)  # the optimizer moves all rows a little
            return loss(batch)

        return batches, held

    def _restore(self, after: Any, kept: Any) -> None:
        import torch

        weight = _weight(after)
        others = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
        others[list(self.tokens)] = False
        weight.data[others] = kept.detach()[others]


def _module(model: Any) -> Any:
    return model.module


def _weight(model: Any) -> Any:
    from torch import nn

    for part in _module(model).modules() if hasattr(model, "module") else ():
        if isinstance(part, nn.Embedding):
            return part.weight
    raise NoRoute(f"{type(model).__name__} embeds no tokens; use RandomLabel")
