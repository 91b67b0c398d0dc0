"""Importance of parameters: the diagonal of the Fisher information, or of the outputs' size."""

from __future__ import annotations

from typing import Any, Literal

from unteach.core import Records, Stream, derive, stream

Kind = Literal["loss", "output"]
DRAWN = 1024  # records that stand for a stream


def importances(
    model: Any, records: Records | Stream, *, kind: Kind = "loss", seed: int = 0
) -> tuple[list[Any], int]:
    """Return one tensor a parameter that may move, and how many records it is the mean over.

    "loss" : the mean over records of the squared gradient of the record's own loss (the
    empirical Fisher information's diagonal). "output" : the mean of the absolute gradient of
    the squared length of the record's outputs, which needs no label. Each record's gradient is
    taken by itself: the square of a batch's mean gradient is another, smaller number. The model
    stays in evaluation mode and no buffer moves.

    Examples
    --------
    >>> import numpy as np
    >>> from unteach.core import Rows
    >>> from unteach.models import Layers, Network
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> model = Network(module=Layers((4, 2)), epochs=1).learn(rows, seed=0)
    >>> found, n = importances(model, rows)
    >>> [tuple(one.shape) for one in found], n
    ([(2, 4), (2,)], 4)
    """
    import torch

    from unteach.models import differentiating

    if isinstance(records, Stream):
        records = records.draw(DRAWN, seed=derive(seed, "importances"))
    moving = list(model.parameters())
    total = [torch.zeros_like(p) for p in moving]
    with differentiating(model):
        for batch in model.batches(records, stream(seed, "importances")):
            one_each = _measured(model, batch, kind)  # (b,)
            for k in range(len(one_each)):
                more = k + 1 < len(one_each)
                found = torch.autograd.grad(
                    one_each[k], moving, retain_graph=more, allow_unused=True
                )
                for sum_, g in zip(total, found, strict=True):
                    if g is not None:
                        sum_ += g * g if kind == "loss" else g.abs()
    return [sum_ / len(records) for sum_ in total], len(records)


def _measured(model: Any, batch: Any, kind: Kind) -> Any:
    if kind == "loss":
        return model.losses(batch)
    said = model.outputs(batch)
    return (said**2).reshape(len(said), -1).sum(dim=1)


def mean_gradient(model: Any, records: Records, *, seed: int = 0) -> list[Any]:
    """Return the gradient of the mean loss over the records, one tensor a parameter."""
    import torch

    from unteach.models import differentiating

    moving = list(model.parameters())
    total = [torch.zeros_like(p) for p in moving]
    with differentiating(model):
        for batch in model.batches(records, stream(seed, "gradient")):
            found = torch.autograd.grad(model.losses(batch).sum(), moving, allow_unused=True)
            for sum_, g in zip(total, found, strict=True):
                if g is not None:
                    sum_ += g
    return [sum_ / len(records) for sum_ in total]
