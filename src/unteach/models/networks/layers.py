"""Layers: the plain network of fully connected layers, as a value that makes modules."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, Literal, cast

from torch import nn

from unteach.core import BadInput, Corrupt, plain

Factory = Callable[[], nn.Module]
"""Called without arguments; makes a fresh module, its parameters drawn from torch's generator."""

_OURS = re.compile(r"unteach\.models:[A-Za-z]\w*")


@dataclass(frozen=True)
class Layers:
    """A factory of fully connected networks.

    Parameters  widths : numbers of units, inputs first, outputs last; at least two
                activation : "relu", "tanh" or "gelu", between layers

    Examples
    --------
    >>> module = Layers((64, 32, 10))()
    >>> sum(p.numel() for p in module.parameters())
    2410
    """

    widths: tuple[int, ...]
    activation: Literal["relu", "tanh", "gelu"] = "relu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise BadInput(f"widths are two numbers of units or more, got {self.widths}")
        if self.activation not in ("relu", "tanh", "gelu"):
            raise BadInput(f"activation is relu, tanh or gelu, got {self.activation!r}")

    def __call__(self) -> nn.Module:
        """Return a fresh module."""
        kind: type[nn.Module] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[self.activation]
        parts: list[nn.Module] = []
        for inputs, outputs in pairwise(self.widths):
            parts += [nn.Linear(inputs, outputs), kind()]
        return nn.Sequential(*parts[:-1])


def factory_json(factory: Any) -> dict[str, Any] | None:
    """Return a factory of unteach as class and parameters; None for a user's own.

    >>> factory_json(Layers((2, 2)))
    {'class': 'unteach.models:Layers', 'params': {'widths': [2, 2], 'activation': 'relu'}}
    """
    kind = type(factory)
    if not is_dataclass(factory) or not kind.__module__.startswith("unteach.models."):
        return None
    params = {f.name: plain(getattr(factory, f.name)) for f in fields(factory)}
    return {"class": f"unteach.models:{kind.__qualname__}", "params": params}


def factory_from(data: Mapping[str, Any]) -> Factory:
    """Return the factory that `factory_json` described; nothing but unteach is imported."""
    name = str(data.get("class", ""))
    found = None
    if _OURS.fullmatch(name):
        found = getattr(importlib.import_module("unteach.models"), name.partition(":")[2], None)
    if not (isinstance(found, type) and is_dataclass(found) and callable(found)):
        raise Corrupt(f"{name!r} is no factory of modules of unteach")
    made: Any = found(**data["params"])
    return cast(Factory, made)
