"""What every estimator that owns an exact `forget` shares: ids, copies, saving."""

from __future__ import annotations

import copy
import functools
import inspect
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .canonical_json import plain
from .claims import Claim
from .errors import BadInput, NothingLeft
from .records.records import Ids, as_ids, first_repeated, locate
from .saved import Saved, write_whole

_CHANGES = frozenset(
    {
        "fit",
        "fit_predict",
        "fit_transform",
        "partial_fit",
        "forget",
        "reweight",
        "canonicalize",
        "set_params",
    }
)
_LOCKS: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()
"""The lock of every model in use: beside the models, so that no copy and no file holds one."""


@dataclass(frozen=True)
class Keeps:
    """What a model holds of its training records.

    rows : how many training rows it holds as they were, to be able to forget or to predict
    needed : how many of these its predictions need; `export()` keeps only those
    statistics : names of the quantities that were computed from all rows
    """

    rows: int
    needed: int
    statistics: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"{self.rows} training rows ({self.needed} needed to predict)"
        return what + (f" and {', '.join(self.statistics)}" if self.statistics else "")


class Forgets:
    """Mixin for estimators in the style of scikit-learn that can forget exactly.

    A class that mixes this in has `fit(X, y, sample_ids=None)`, sets `sample_ids_` (n,) and
    `claim_`, and writes three methods: `forget(ids)`, which changes the estimator and returns
    it, atomically: after an error nothing has changed; `_state(serving)`, which returns
    (config, arrays) and, when serving, leaves out every row that predictions do not need; and
    `_restore(config, arrays)`. `keeps()` says what it holds.

    Several threads may share a model. Its public methods and properties run one at a time, in
    the order in which they are called: changes queue, and none is lost. A change is prepared
    aside and takes effect in one step, so that every prediction, copy, file and attribute is of
    one whole state. To predict in several threads at once, give each its own `copy.deepcopy`.
    """

    sample_ids_: Ids
    claim_: Claim

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in dir(cls):
            if name.startswith("_") and name != "__getattr__":
                continue
            found = inspect.getattr_static(cls, name)
            if found is vars(Forgets).get(name):
                continue  # `without` works on a copy, `save` on what `to_saved` returns
            if (taking_turns := _taking_turns(found, name in _CHANGES)) is not found:
                setattr(cls, name, taking_turns)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        with _lock_of(self):
            memo[id(self)] = twin = object.__new__(type(self))
            vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: a copy, because a change may overwrite arrays meanwhile."""
        return vars(copy.deepcopy(self))

    def forget(self, ids: Any) -> Self:
        """Forget these records, exactly; returns self."""
        raise TypeError(f"{type(self).__name__} does not define forget")

    def keeps(self) -> Keeps:
        """Say what this model holds of its training records."""
        raise TypeError(f"{type(self).__name__} does not define keeps")

    def inputs_of(self, ids: Any) -> Any | None:
        """Return the inputs that the model holds of these records, (n, ...); None if it cannot.

        A method asks before it forgets, so that records of other contents under the same ids
        are noticed rather than forgotten in their place.
        """
        return None

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        raise TypeError(f"{type(self).__name__} does not define what it saves")

    def _restore(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        raise TypeError(f"{type(self).__name__} does not define how it is restored")

    def without(self, ids: Any) -> Self:
        """Return a new estimator that never learned these records; this one stays as it is."""
        return copy.deepcopy(self).forget(ids)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a model that can still forget: it holds its training rows."""
        return write_whole(path, self.to_saved().to_bytes(), private=True)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write a model that only serves: no row is in it that its predictions do not need."""
        raw = self.to_saved(serving=True).to_bytes()
        return write_whole(path, raw, private=self.keeps().needed > 0)

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what `save` (or, when serving, `export`) writes."""
        with _lock_of(self):
            config, arrays = self._state(serving)
        room = ".".join(type(self).__module__.split(".")[:2])
        config = {**config, "serving": serving}
        return Saved(f"{room}:{type(self).__qualname__}", config, arrays)

    @classmethod
    def from_saved(cls, saved: Saved) -> Self:
        """Return the estimator that `to_saved` described."""
        self = cls.__new__(cls)
        self._restore(plain(dict(saved.config)), saved.arrays)
        return self

    def _checked_ids(self, sample_ids: Any, n: int) -> Ids:
        """Return ids for n rows: those given, or row numbers."""
        if sample_ids is None:
            return np.arange(n, dtype=np.int64)
        ids = as_ids(sample_ids, what="sample_ids")
        if len(ids) != n:
            raise BadInput(f"sample_ids has {len(ids)} entries for {n} rows")
        twice = first_repeated(ids)
        if twice is not None:
            raise BadInput(f"sample_ids names {twice!r} twice; ids must be unique")
        return ids

    def _positions(self, ids: Any) -> NDArray[np.int64]:
        """Return the rows of these ids, refusing unknown, repeated, and all of them."""
        if not hasattr(self, "sample_ids_"):
            raise BadInput(
                f"this {type(self).__name__} holds no training rows (it is not fitted, or was "
                "exported only to serve) and cannot forget; retrain, or load the saved model"
            )
        rows = locate(self.sample_ids_, as_ids(ids), where="the model")
        if len(rows) and len(rows) == len(self.sample_ids_):
            raise NothingLeft(f"forgetting all {len(rows)} records leaves nothing to learn from")
        return rows


def _lock_of(model: Any) -> threading.RLock:
    return _LOCKS.setdefault(model, threading.RLock())


def _taking_turns(found: Any, changes: bool) -> Any:
    """Return a member of a class as one that runs while no other thread is in the model."""
    if isinstance(found, property) and found.fget is not None:
        fget = _taking_turns(found.fget, changes)
        return (
            found if fget is found.fget else property(fget, found.fset, found.fdel, found.__doc__)
        )
    inner = getattr(found, "fn", None)  # of what scikit-learn's `available_if` made
    if isinstance(inner, FunctionType):
        if (turned := _taking_turns(inner, changes)) is inner:
            return found
        found = copy.copy(found)
        found.fn = turned
        return found
    if not isinstance(found, FunctionType) or hasattr(found, "_takes_turns"):
        return found
    return _alone(found, changes)


def _alone(method: Callable[..., Any], changes: bool) -> Callable[..., Any]:
    lock_of, new = _lock_of, object.__new__

    def alone(self: Any, *args: Any, **kwargs: Any) -> Any:
        with lock_of(self):
            if not changes:
                return method(self, *args, **kwargs)
            aside = new(type(self))
            vars(aside).update(vars(self))
            result = method(aside, *args, **kwargs)
            self.__dict__ = vars(aside)
            return self if result is aside else result

    # with the globals of the method, which tell doctest where it is from
    turned = FunctionType(alone.__code__, method.__globals__, closure=alone.__closure__)
    turned._takes_turns = True  # type: ignore[attr-defined]
    return functools.update_wrapper(turned, method)
