"""The rows that a model holds so that it can forget them, and what all such models share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from unteach.core import (
    BadInput,
    Claim,
    Contents,
    Corrupt,
    Forgets,
    Ids,
    NothingLeft,
    OneClassLeft,
    as_ids,
    claim_json,
    locate,
    said,
    tight,
)

from .new_ids import following_ids, next_id, refuse_known, refuse_none
from .validation import Floats, read_rows


@dataclass(frozen=True, eq=False)
class Held:
    """Rows with their ids, targets and weights.

    ids : (n,) · x : (n, d) float64 · y : (n,) or (n, t) · weight : (n,) float64, at least 0
    """

    ids: Ids
    x: Floats
    y: NDArray[Any]
    weight: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Any) -> Held:
        """Return the rows at these positions, as fresh arrays."""
        return Held(
            tight(self.ids[rows]),
            np.ascontiguousarray(self.x[rows]),
            tight(self.y[rows]),
            self.weight[rows],
        )

    def without(self, rows: NDArray[np.int64]) -> Held:
        """Return what is left when the rows at these positions go, as fresh arrays."""
        keep = np.ones(len(self), dtype=bool)
        keep[rows] = False
        return self.take(keep)

    def joined(self, other: Held) -> Held:
        """Return these rows followed by others."""
        return Held(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.x, other.x]),
            np.concatenate([self.y, other.y]),
            np.concatenate([self.weight, other.weight]),
        )

    @property
    def weighing(self) -> Held:
        """The rows with a weight above 0; the others count as if they were not there."""
        return self if np.all(self.weight > 0) else self.take(self.weight > 0)


@contextmanager
def atomic(model: Any) -> Iterator[None]:
    """Put every attribute back as it was if the block fails, whatever the reason.

    Holds as long as the block binds new arrays and changes none in place.
    """
    before = dict(vars(model))
    try:
        yield
    except BaseException:
        vars(model).clear()
        vars(model).update(before)
        raise


def parameters_of(model: Any) -> dict[str, Any]:
    """Return the parameters that the model has now."""
    now: dict[str, Any] = model.get_params(deep=False)
    return now


@contextmanager
def as_fitted(model: Any) -> Iterator[None]:
    """Give a model the parameters it was fitted with, for as long as the block runs."""
    now = parameters_of(model)
    vars(model).update(getattr(model, "_params", now))
    try:
        yield
    finally:
        vars(model).update(now)


class HoldsRows(Forgets):
    """Mixin for estimators that hold their rows: fit, forget and insert are written once.

    A class that mixes this in writes `_learn(held)`, which sets every fitted attribute from
    rows alone and returns the claim, and may write `_remove(kept, gone)` and
    `_insert(held, new)`, which do the same faster from what is there. None of them changes an
    array in place. `_serves()` names the fitted attributes that predictions need with the form
    that each has in a file (see `Contents`), `_private` those that are neither parameters nor
    public.

    `forget` and `partial_fit` go by the parameters of `fit`: one that was set later counts from
    the next fit on. Ids that the model gives go on after the largest it ever held.
    """

    _held: Held
    _params: dict[str, Any]
    _next_id: int | None
    _private: tuple[str, ...] = ("_held",)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X (n, d) and targets y; ids are row numbers if none are given."""
        with atomic(self):
            own = (*self._private, "_params", "_next_id")
            for name in [n for n in vars(self) if n.endswith("_") or n in own]:
                delattr(self, name)
            self._params = parameters_of(self)
            held = self._read(X, y, sample_weight, sample_ids, first=True)
            self._settle(held, self._learn(held))
        return self

    def forget(self, ids: Any) -> Self:
        """Forget these records; afterwards the model equals one that never saw them.

        Raises `UnknownRecord`, `RepeatedRecord`, `NothingLeft` or `OneClassLeft`, and then
        nothing has changed. An empty list of ids changes nothing.
        """
        check_is_fitted(self)
        refuse_none(ids)
        rows = self._positions(ids)
        if len(rows) == 0:
            return self
        with atomic(self), as_fitted(self):
            kept = self._held.without(rows)
            if not kept.weight.any():
                raise NothingLeft("every record that would be left has weight zero")
            if is_classifier(self) and len(np.unique(kept.weighing.y)) < 2:
                raise OneClassLeft(
                    f"forgetting these {len(rows)} records leaves one class; "
                    "a classifier needs two: forget the model instead"
                )
            self._settle(kept, self._remove(kept, self._held.take(rows)))
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_ids: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Insert rows exactly: the model then equals a fit of all its rows.

        Without `sample_ids` the new rows get the numbers after the largest id that the model
        ever held, also of rows forgotten since. `classes`, if given, lists the labels that may
        occur. On a model that is not fitted this is `fit`.
        """
        if classes is not None:
            strange = [v for v in np.unique(y).tolist() if v not in set(np.unique(classes))]
            if strange:
                raise BadInput(f"y holds {strange[0]!r}, which is not among classes")
        if not hasattr(self, "claim_"):
            return HoldsRows.fit(self, X, y, sample_weight, sample_ids)
        if not hasattr(self, "_held"):
            raise BadInput(
                f"this {type(self).__name__} was exported only to serve; it holds no training "
                "rows and cannot learn more: load the saved model"
            )
        with atomic(self), as_fitted(self):
            new = self._read(X, y, sample_weight, sample_ids, first=False)
            refuse_known(self.sample_ids_, new.ids)
            held = self._held.joined(new)
            self._settle(held, self._insert(held, new))
        return self

    def _read(self, X: Any, y: Any, weight: Any, ids: Any, *, first: bool) -> Held:
        x, y, weight = read_rows(self, X, y, weight, first=first)
        if not first:
            ids = self._following(ids, len(x))
            if y.ndim != self._held.y.ndim or y.shape[1:] != self._held.y.shape[1:]:
                raise BadInput(f"y has shape {y.shape}, the model's {self._held.y.shape}")
            if (y.dtype.kind == "U") != (self._held.y.dtype.kind == "U"):
                raise BadInput("y mixes strings and numbers with what the model has learned")
        return Held(self._checked_ids(ids, len(x)).copy(), x, y, weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags

    def inputs_of(self, ids: Any) -> Any | None:
        """Return the inputs that the model holds of these records: (n, d)."""
        held = getattr(self, "_held", None)
        return None if held is None else held.x[locate(self.sample_ids_, as_ids(ids))]

    def _following(self, ids: Any, n: int) -> Any:
        mark = getattr(self, "_next_id", None)
        return following_ids(next_id(self.sample_ids_, mark), ids, n)

    def _settle(self, held: Held, claim: Claim) -> None:
        self._next_id = next_id(held.ids, getattr(self, "_next_id", None))
        self._held, self.sample_ids_, self.claim_ = held, held.ids, claim

    def _learn(self, held: Held) -> Claim:
        raise TypeError(f"{type(self).__name__} does not define how it learns")

    def _remove(self, kept: Held, gone: Held) -> Claim:
        return self._learn(kept)

    def _insert(self, held: Held, new: Held) -> Claim:
        return self._learn(held)

    def _serves(self) -> dict[str, str]:
        raise TypeError(f"{type(self).__name__} does not define what its predictions need")

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        check_is_fitted(self)
        if not serving and not hasattr(self, "_held"):
            serving = True  # it was exported before: there are no rows to write
        config: dict[str, Any] = {**shape_of(self), "claim": claim_json(self.claim_)}
        fitted = getattr(self, "_params", config["params"])
        if fitted != config["params"]:
            config["fitted"] = fitted
        arrays = {name: np.asarray(getattr(self, name)) for name in self._serves()}
        if not serving:
            held, config["next_id"] = self._held, self._next_id
            arrays |= {"ids": held.ids, "x": held.x, "y": held.y, "weight": held.weight}
        return config, arrays

    def _restore(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        held = restore_shape(self, config, arrays)
        self._params = {**held.config["params"], **held.config.get("fitted", {})}
        for name, form in self._serves().items():
            value = held.array(name, form)
            setattr(self, name, value if value.ndim else value.item())
        if "ids" not in held:
            self.claim_ = said(held.claim())
            return
        ids, x, y = (held.array(name, form) for name, form in self._columns().items())
        rows = Held(ids, x, y, held.array("weight", "float64 (n)", least=0.0))
        if not rows.weight.any():
            raise Corrupt("no row of the file has a weight above zero")
        self._next_id = next_id(ids, held.next_id())
        self._held, self.sample_ids_ = rows, ids
        with as_fitted(self):
            self.claim_ = self._derived(rows, held)

    def _columns(self) -> dict[str, str]:
        """Return the forms of ids, inputs and targets in a file."""
        y = "labels (n)" if is_classifier(self) else "float64 (n) | float64 (n, t)"
        return {"ids": "ids (n)", "x": "float64 (n, d)", "y": y}

    def _derived(self, rows: Held, held: Contents) -> Claim:
        """Return the claim that rows read from a file bear out; else they are not the model's."""
        read = {name: getattr(self, name) for name in self._serves()}
        claim = self._learn(rows)
        for name, value in read.items():
            if not np.array_equal(value, getattr(self, name)):
                raise Corrupt(f"{name} is not what the rows in the file give")
        return claim


def shape_of(model: Any) -> dict[str, Any]:
    """Return parameters and names of the features, to be saved."""
    config: dict[str, Any] = {"params": model.get_params(deep=False)}
    if hasattr(model, "n_features_in_"):
        config["n_features_in_"] = int(model.n_features_in_)
    if hasattr(model, "feature_names_in_"):
        config["feature_names_in_"] = [str(name) for name in model.feature_names_in_]
    return config


def restore_shape(
    model: Any, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Contents:
    """Set what `shape_of` returned, and return the contents of which d is the features."""
    held = Contents(config, arrays)
    defaults = type(model)().get_params(deep=False)
    for params in (config["params"], {**config["params"], **config.get("fitted", {})}):
        if set(params) != set(defaults):
            raise Corrupt(f"the saved parameters are not those of a {type(model).__name__}")
    for name, value in config["params"].items():
        setattr(model, name, value)
    if "n_features_in_" in config:
        model.n_features_in_ = held.sizes["d"] = held.whole("n_features_in_", least=1)
    if "feature_names_in_" in config:
        names = held.texts("feature_names_in_", held.sizes.get("d"))
        model.feature_names_in_ = np.array(names, dtype=object)
    return held
