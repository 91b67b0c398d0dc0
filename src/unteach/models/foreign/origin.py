"""Origins: how a model in memory was learned, kept beside the models, in no copy and no file."""

from __future__ import annotations

import copy
import hashlib
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import Claim, Exact


@dataclass(frozen=True, eq=False)
class Origin:
    """What made a model: a recipe, a seed and records, as far as this process saw it.

    claim : what retraining by this recipe may claim · tested : whether that was found by learning
    again from all records, and not seen · asked : the learner and the fit_params that were handed
    in then · state : see `_state`
    """

    learner: Any
    seed: int
    records: Any
    contents: str | None
    claim: Claim
    tested: bool
    asked: tuple[Any, Any]
    state: Hashable


_ORIGINS: dict[int, tuple[Any, Origin]] = {}


def note(
    model: Any,
    learner: Any,
    seed: int,
    records: Any,
    *,
    contents: bool = False,
    claim: Claim | None = None,
    tested: bool = False,
    asked: tuple[Any, Any] = (None, None),
) -> None:
    """Note how a model was learned; with `contents`, equal records are known again later on."""
    key = id(model)
    try:
        held = weakref.ref(model, lambda _: _ORIGINS.pop(key, None))
        seen = weakref.ref(records)
    except TypeError:  # without a place for weak references
        return
    read = contents_of(records) if contents else None
    origin = Origin(learner, seed, seen, read, claim or Exact(0.0), tested, asked, _state(model))
    _ORIGINS[key] = (held, origin)


def learned(learner: Any, records: Any, *, seed: int) -> Any:
    """Return what a learner learns, its origin noted."""
    model = learner.learn(records, seed=seed)
    if origin_of(model, records) is None:
        note(model, getattr(model, "learner_", None) or learner, seed, records)
    return model


def origin_of(model: Any, records: Any = None) -> Origin | None:
    """Return how a model was learned; None if unknown, or changed since, or from other records."""
    held, origin = _ORIGINS.get(id(model), (None, None))
    if held is None or held() is not model or origin is None or origin.state != _state(model):
        return None
    if records is None or origin.records() is records:
        return origin
    return origin if origin.contents and origin.contents == contents_of(records) else None


def twin(model: Any) -> Any:
    """Return a deep copy of a model of which is known what is known of the model."""
    made, origin = copy.deepcopy(model), origin_of(model)
    if origin is not None:
        key = id(made)
        held = weakref.ref(made, lambda _: _ORIGINS.pop(key, None))
        known = {**vars(origin), "state": _state(made)}
        _ORIGINS[key] = (held, Origin(**known))
    return made


def contents_of(records: Any) -> str | None:
    """Return a digest of ids and columns, in their order; None of what has no end."""
    if not hasattr(records, "ids"):
        return None
    columns = getattr(records, "columns", None) or {"x": records.x, "y": records.y}
    found = hashlib.sha256()
    for value in (records.ids, records.groups, *(columns[name] for name in sorted(columns))):
        _feed(found, value)
    return found.hexdigest()


def _feed(found: Any, value: Any) -> None:
    if hasattr(value, "tocsr"):
        for part in (np.array(value.shape), value.indptr, value.indices, value.data):
            _feed(found, part)
    elif hasattr(value, "iloc"):
        for name in value.columns:
            found.update(repr(name).encode())
            _feed(found, value[name].to_numpy())
    elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
        found.update(f"{value.dtype.str}{value.shape}".encode())
        found.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif hasattr(value, "source"):  # read when it is used: known again by where it is read from
        _feed(found, value.rows)
        found.update(f"{id(value.source)} {value.part}".encode())
    elif isinstance(value, (list, tuple, np.ndarray)):
        found.update(f"{len(value)}[".encode())
        for part in value:
            _feed(found, part)
    else:
        found.update(f"{value!r},".encode())


def _state(model: Any) -> Hashable:
    """Return what tells a model that was fitted or set anew: which objects it holds by name."""
    known = getattr(model, "__dict__", {})
    return frozenset((k, id(v)) for k, v in known.items() if k[:1] != "_" and k != "learner_")
