"""Recipes on disk: an estimator that is not fitted, by its class and its parameters."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from unteach.core import BadInput, Corrupt, plain

_OURS = re.compile(r"unteach\.[a-z]+:[A-Za-z]\w*")


def recipe_json(estimator: Any) -> dict[str, Any]:
    """Return an estimator of unteach as class and parameters.

    >>> from unteach.models import NaiveBayes
    >>> recipe_json(NaiveBayes())
    {'class': 'unteach.models:NaiveBayes', 'params': {'var_smoothing': 1e-09}}
    """
    written = getattr(estimator, "recipe", None)
    if callable(written):
        found = written()
        if found is None:
            raise BadInput(
                f"this {type(estimator).__name__} makes its modules by code of your own, which "
                "cannot be written; use Layers(...) or Transformer(...)"
            )
        return {"class": "unteach.models:Network", "recipe": plain(found)}
    kind = type(estimator)
    room = ".".join(kind.__module__.split(".")[:2])
    name = f"{room}:{kind.__qualname__}"
    if not _OURS.fullmatch(name) or not hasattr(estimator, "get_params"):
        raise BadInput(f"{kind.__name__} has no recipe that can be written without code")
    return {"class": name, "params": plain(estimator.get_params(deep=False))}


def recipe_from(data: Mapping[str, Any]) -> Any:
    """Return the estimator that `recipe_json` described; nothing but unteach is imported."""
    name = data.get("class", "")
    if not _OURS.fullmatch(name):
        raise Corrupt(f"{name!r} is no estimator of unteach")
    module, _, kind = name.partition(":")
    found = getattr(importlib.import_module(module), kind, None)
    restore = getattr(found, "from_recipe", None)
    if "recipe" in data and callable(restore):
        return restore(data["recipe"])
    if not isinstance(found, type) or not hasattr(found, "get_params"):
        raise Corrupt(f"{name!r} is no estimator of unteach")
    return found(**data["params"])
