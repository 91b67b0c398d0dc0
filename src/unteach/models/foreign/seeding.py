"""Seeds for all that draws at random in an estimator, however deep it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from unteach.core import derive


def seed_all(estimator: Any, seed: int, *, keep: bool = False) -> None:
    """Set every `random_state` in an estimator to a seed of its own, derived from the given one.

    Reached are its parameters, those of nested estimators, estimators in lists, and what has a
    `random_state` and is no estimator: splitters that shuffle, frozen distributions. With `keep`
    a whole number stays as it is; None and generators, which draw differently each time, do not.

    >>> from sklearn.model_selection import GridSearchCV, KFold
    >>> from sklearn.linear_model import Ridge
    >>> search = GridSearchCV(Ridge(random_state=7), {}, cv=KFold(shuffle=True))
    >>> seed_all(search, 0, keep=True)
    >>> search.estimator.random_state, search.cv.random_state is None
    (7, False)
    """
    _seed(estimator, seed, "", keep, set())


def random_states(estimator: Any) -> list[tuple[str, Any]]:
    """Return (name, value) of every `random_state` in an estimator; see `seed_all`."""
    own = [
        (name, value)
        for name, value in estimator.get_params(deep=True).items()
        if _names_a_seed(name)
    ]
    for path, part in _beside(estimator, "", set()):
        own += (
            [(f"{path}__{name}", value) for name, value in random_states(part)]
            if hasattr(part, "get_params")
            else [(f"{path}__random_state", part.random_state)]
        )
    return own


def is_whole(value: Any) -> bool:
    """Say whether a random_state is a whole number, which draws the same each time."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def frozen_parts(estimator: Any) -> list[str]:
    """Return what kinds of fitted models stand frozen in an estimator; no fit changes them.

    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> frozen_parts(make_pipeline(FrozenEstimator(Ridge())))
    ['Ridge']
    """
    parts = [estimator, *estimator.get_params(deep=True).values()]
    parts += [part for _, part in _beside(estimator, "", set())]
    found = [type(p.estimator).__name__ for p in parts if isinstance(p, FrozenEstimator)]
    return list(dict.fromkeys(found))


def _seed(estimator: Any, seed: int, path: str, keep: bool, seen: set[int]) -> None:
    seeds = {
        name: derive(seed, f"{path}{name}")
        for name, value in sorted(estimator.get_params(deep=True).items())
        if _names_a_seed(name) and not (keep and is_whole(value))
    }
    if seeds:
        estimator.set_params(**seeds)
    for where, part in _beside(estimator, path, seen):
        if hasattr(part, "get_params"):
            _seed(part, seed, f"{where}__", keep, seen)
        elif not (keep and is_whole(part.random_state)):
            part.random_state = derive(seed, f"{where}__random_state")


def _beside(estimator: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield what draws at random in an estimator and is not reached by its parameters' names."""
    named = estimator.get_params(deep=True)
    seen |= {id(estimator), *(id(v) for v in named.values() if _is_estimator(v))}

    def walk(where: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for k, part in enumerate(value):
                yield from walk(f"{where}__{k}", part)
        elif isinstance(value, type) or id(value) in seen:
            return
        elif _is_estimator(value) or (
            "random_state" in getattr(value, "__dict__", {}) and getattr(value, "shuffle", True)
        ):
            seen.add(id(value))
            yield where, value

    for name, value in sorted(named.items()):
        if not _is_estimator(value):
            yield from walk(f"{path}{name}", value)


def _is_estimator(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _names_a_seed(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")
