"""What every estimator that owns an exact `forget` shares: ids, copies, saving."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .claims import Claim
from .errors import BadInput, NothingLeft
from .records import Ids, as_ids, first_repeated, locate
from .saved import Saved, write_whole


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
    """

    sample_ids_: Ids
    claim_: Claim

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
        return write_whole(path, self.to_saved().to_bytes())

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write a model that only serves: no row is in it that its predictions do not need."""
        return write_whole(path, self.to_saved(serving=True).to_bytes())

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what `save` (or, when serving, `export`) writes."""
        config, arrays = self._state(serving)
        room = type(self).__module__.rsplit(".", 1)[0]
        config = {**config, "serving": serving}
        return Saved(f"{room}:{type(self).__qualname__}", config, arrays)

    @classmethod
    def from_saved(cls, saved: Saved) -> Self:
        """Return the estimator that `to_saved` described."""
        self = cls.__new__(cls)
        self._restore(saved.config, saved.arrays)
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
