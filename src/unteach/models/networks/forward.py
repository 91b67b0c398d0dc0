"""What a module's `forward` returns, read as one tensor of numbers, first axis the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unteach.core import BadInput

from .contexts import normed

_REFUSALS = (AssertionError, IndexError, RuntimeError, ValueError, torch.jit.Error)
"""What modules raise of a batch that is too small for them, torch's own among them."""


def tensor_in(found: Any) -> Tensor:
    """Return the outputs in what a forward returned.

    A tensor as it is; `logits` of a dict, a named tuple, a dataclass or any object that has them
    (as the outputs of transformers do); else the only tensor among its values.

    >>> tensor_in({"loss": None, "logits": torch.zeros(2, 3)}).shape, tensor_in((torch.ones(2),))
    (torch.Size([2, 3]), tensor([1., 1.]))
    >>> tensor_in([torch.zeros(1), torch.zeros(1)])
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: forward returned list of 2 tensors; return the outputs alone, or
    name them logits in a dict or an object
    """
    if isinstance(found, Tensor):
        return found
    named = found.get("logits") if isinstance(found, Mapping) else getattr(found, "logits", None)
    if isinstance(named, Tensor):
        return named
    parts: list[Any] = []
    if isinstance(found, Mapping):
        parts = list(found.values())
    elif isinstance(found, (list, tuple)):
        parts = list(found)
    elif is_dataclass(found):
        parts = [getattr(found, f.name) for f in fields(found)]
    tensors = [part for part in parts if isinstance(part, Tensor)]
    if len(tensors) == 1:
        return tensors[0]
    keys = f" with the keys {list(found)}" if isinstance(found, Mapping) else ""
    raise BadInput(
        f"forward returned {type(found).__name__} of {len(tensors)} tensors{keys}; return the "
        "outputs alone, or name them logits in a dict or an object"
    )


def outputs_of(module: nn.Module, x: Tensor) -> Tensor:
    """Return what a module says of inputs, one row each: (n, k).

    >>> outputs_of(nn.Linear(2, 3), torch.zeros(4, 2)).shape
    torch.Size([4, 3])
    """
    with normed(module, len(x)):
        return answered(module, x).reshape(len(x), -1)


def answered(module: nn.Module, x: Tensor) -> Tensor:
    """Return what a module says of inputs, first axis the records: (n, ...).

    The module is given a copy of x, so that one which changes its input changes nobody else's.
    One that refuses a batch of a single record is shown it twice.
    """
    n = len(x)
    try:
        said = tensor_in(module(x.clone()))
    except _REFUSALS as refusal:
        if n != 1 or isinstance(refusal, BadInput):
            raise
        said = tensor_in(module(torch.cat([x, x])))[:1]
    if n == 1 and (said.ndim == 0 or len(said) != 1):
        said = said[None]  # one that squeezes its outputs
    if not said.is_floating_point():
        raise BadInput(f"forward returned {said.dtype}; the outputs must be real numbers, logits")
    if said.ndim == 0 or len(said) != n:
        raise BadInput(
            f"forward returned shape {tuple(said.shape)} for {n} records; the first axis of the "
            "outputs is the records"
        )
    return said


def embeds(module: nn.Module) -> bool:
    """Say whether a module looks its inputs up in a table: they are whole numbers then.

    >>> embeds(nn.Sequential(nn.EmbeddingBag(3, 2))), embeds(nn.Linear(3, 2))
    (True, False)
    """
    kinds = ("Embedding", "EmbeddingBag")
    return any(
        isinstance(part, (nn.Embedding, nn.EmbeddingBag))
        or getattr(part, "original_name", "") in kinds  # compiled by torch.jit
        for part in module.modules()
    )
