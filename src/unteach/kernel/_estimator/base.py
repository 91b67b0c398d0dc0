"""What the estimators beyond SVC share: learning, forgetting, inserting, saving, showing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from unteach.core import BadInput, Claim, Forgets, Ids, Keeps, NothingLeft, tight

from .._machine.blas_threads import one_thread
from .._machine.decision import Decision, of_input
from .._machine.gram import bordered, square, symmetric
from .._machine.grouped_machine import Part, Parts, Starts
from .._machine.machine_kinds import Dual
from .._paths.grouped_leave_one_out import LeavesOut
from .._paths.grouped_path import WalksShares
from .._paths.reweighting import Reweights
from .._solver.hard_margin import costs
from ..certificate import claimed, worst
from . import data_statistics as constants
from . import grouped_saving as part_saving
from . import validation as checked
from .data_statistics import Constants, DataDependentStatistics

Array = NDArray[Any]


class KernelEstimator(LeavesOut, WalksShares, Reweights, Forgets, BaseEstimator):
    """A kernel machine of `Parts`; subclasses say what their targets and their program are.

    A subclass writes `_dual(params)` and `_learnable(X, y, reset)`; where it has attributes of its
    own also `_shown(found)`, and a classifier `_coded(labels, weights)`.
    """

    _numbers: ClassVar[dict[str, tuple[float, bool]]]
    """The least of each numeric parameter of the machine, and whether it must be above it."""

    kernel: str | Callable[[Any, Any], Any]
    _input = "dense"

    def _dual(self, params: Mapping[str, Any]) -> Dual:
        raise TypeError(f"{type(self).__name__} does not define its machine")

    def _learnable(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        raise TypeError(f"{type(self).__name__} does not define its machine")

    def _shown(self, found: list[float]) -> None:
        """Set the attributes that only this machine has, from what was found beside the weights."""

    def _coded(self, labels: Array, weights: Array) -> tuple[Array, Array, Array]:
        """Return classes (k,), the class number of each row, and its target."""
        return np.zeros(0), np.zeros(len(labels), np.int64), labels

    def _learned_first(self, X: Any, y: Any, sample_weight: Any, sample_ids: Any) -> Self:
        with self._untouched_by_errors():
            params = self._checked_params()
            x, labels = self._learnable(X, y, reset=True)
            weights = checked.weights(sample_weight, len(x))
            ids = self._checked_ids(sample_ids, len(x)).copy()
            given = symmetric(x) if params["kernel"] == "precomputed" else None
            x = x[:, :0].copy() if given is not None else x
            fixed = self._constants_of(params, x, weights)
            made = self._parts_of(params, fixed, x, labels, weights, given)
            learned = made.learned()
            self.__dict__.pop("_next_id", None)
            self._adopt(params, fixed, learned, labels, weights, ids, given=())
        return self

    def _learned_more(self, X: Any, y: Any, sample_weight: Any, sample_ids: Any) -> Self:
        self._positions([])  # one that only serves cannot learn either
        with self._untouched_by_errors():
            old, params = self._parts, self._params
            x, cross, corner, new_labels = self._new_rows(X, y)
            n, m = len(self.sample_ids_), len(x)
            if new_labels.dtype.kind != self._labels.dtype.kind:
                raise BadInput(
                    f"labels are {new_labels.dtype} and those held {self._labels.dtype}; give "
                    "labels of the same kind"
                )
            weights = np.append(self._weights, checked.weights(sample_weight, m, some=False))
            labels = np.concatenate([self._labels, new_labels])
            ids = checked.joined_ids(self.sample_ids_, sample_ids, m, getattr(self, "_next_id", 0))
            x = np.concatenate([old.x, x])
            fixed = self._constants_after(x, weights)
            same = fixed.kernel == self._constants.kernel
            given = bordered(old.gram, cross, corner) if same else None
            made = self._parts_of(params, fixed, x, labels, weights, given)
            start = old.starts(np.arange(n), n + m, self._renumbered(labels, weights))
            told = self._constants.from_data if self._frozen else ()
            self._adopt(params, fixed, made.learned(start), labels, weights, ids, given=told)
        return self

    def forget(self, ids: Any) -> Self:
        """Forget these rows, exactly; returns self. After an error nothing has changed.

        Nothing to forget changes nothing. Warns once, with `DataDependentStatistics`, if
        numbers computed from the forgotten rows stay.
        """
        gone = self._positions(ids)
        if len(gone) == 0:
            return self
        with self._untouched_by_errors():
            old, params = self._parts, self._params
            keep = np.delete(np.arange(len(self.sample_ids_)), gone)
            labels, weights = tight(self._labels[keep]), self._weights[keep]
            if not weights.any():
                raise NothingLeft("all rows that would be left have weight zero; forget fewer")
            x = old.x[keep]
            fixed = self._constants_after(x, weights)
            same = fixed.kernel == self._constants.kernel
            gram = square(old.gram, keep) if same else None
            made = self._parts_of(params, fixed, x, labels, weights, gram)
            start = old.starts(keep, len(keep), self._renumbered(labels, weights))
            told = self._constants.from_data if self._frozen else ()
            new = made.learned(start)
            if told and not getattr(self, "_warned", False):
                warnings.warn(
                    f"{' and '.join(told)} stayed as computed, forgotten rows included; the "
                    "result is exact given these numbers. Set them yourself, or choose "
                    "statistics='follow' to compute them from the rows that are left",
                    DataDependentStatistics,
                    stacklevel=3,
                )
                self._warned = True
            left = tight(self.sample_ids_[keep])
            self._adopt(params, fixed, new, labels, weights, left, given=told)
            if params["kernel"] == "precomputed" and hasattr(self, "feature_names_in_"):
                self.feature_names_in_: Array = self.feature_names_in_[keep]
        return self

    def keeps(self) -> Keeps:
        """Say what this model holds of its training rows."""
        checked.fitted(self)
        needed = len(self._decision.support)
        rows = len(self.sample_ids_) if hasattr(self, "sample_ids_") else needed
        return Keeps(rows, needed, ("gamma",) if self._constants.from_data else ())

    @property
    def coef_(self) -> Any:
        """Weights of the features, (pairs, d), in scikit-learn's signs; linear kernels only."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        checked.fitted(self)
        return self._decision.slopes(self._sign, self._input)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.input_tags.sparse = self.kernel != "precomputed"
        return tags

    # how it is done -------------------------------------------------------------------------

    def _values(self, X: Any) -> NDArray[np.float64]:
        checked.fitted(self)
        return self._decision.values(checked.rows(self, X))

    @property
    def _frozen(self) -> bool:
        return bool(self._params["statistics"] == "frozen")

    @property
    def _sign(self) -> float:
        return -1.0 if len(getattr(self, "classes_", ())) == 2 else 1.0

    @contextmanager
    def _untouched_by_errors(self) -> Iterator[None]:
        """Put every attribute back if the block raises. Arrays are never changed in place."""
        before = dict(self.__dict__)
        try:
            with one_thread:
                yield
        except BaseException:
            self.__dict__ = before
            raise

    def _positions(self, ids: Any) -> NDArray[np.int64]:
        checked.rows_held(self)
        return super()._positions(ids)

    def _checked_params(self) -> dict[str, Any]:
        params = constants.common(self.get_params(deep=False))
        for name, (least, above) in self._numbers.items():
            params[name] = constants.real(
                name, params[name], least=least, open_end=above, infinite=name == "C"
            )
        if "nu" in params and np.isinf(params.get("C", 1.0)):
            raise BadInput("NuSVR has no hard margin: its tube needs a finite C")
        if params.get("nu", 0.5) > 1:
            raise BadInput(f"nu is a share and must be at most 1, got {params['nu']!r}")
        return params

    def _constants_of(self, params: Mapping[str, Any], x: Array, weights: Array) -> Constants:
        alike = np.zeros(len(x), np.int64)
        return constants.compute({**params, "class_weight": None}, x, alike[:1], alike, weights)

    def _constants_after(self, x: Array, weights: Array) -> Constants:
        """Return the constants that hold when these rows are what is learned from."""
        if self._frozen and self._constants.from_data:
            return self._constants
        return self._constants_of(self._params, x, weights)

    def _parts_of(
        self,
        params: Mapping[str, Any],
        fixed: Constants,
        x: Array,
        labels: Array,
        weights: Array,
        given: Array | None,
    ) -> Parts:
        classes, codes, target = self._coded(labels, weights)
        return Parts(
            fixed.kernel,
            self._dual(params),
            x,
            codes,
            target,
            costs(params.get("C", 1.0), weights),
            len(classes),
            params["tol"],
            params["max_iter"],
            given,
        )

    def _renumbered(self, labels: Array, weights: Array) -> Array:
        """Return the number that each class of today has among these rows; -1 if it is gone."""
        if not hasattr(self, "classes_"):
            return np.zeros(0, np.int64)
        return checked.codes_among(self._coded(labels, weights)[0], self.classes_)

    def _new_rows(self, X: Any, y: Any) -> tuple[Array, Array, Array, Array]:
        old = self._parts
        if old.kernel.name != "precomputed":
            x, labels = self._learnable(X, y, reset=False)
            return x, old.kernel.between(x, old.x), old.kernel.gram(x), labels
        values, labels = type(self)()._learnable(X, y, reset=True)
        n, m = len(self.sample_ids_), len(values)
        if values.shape[1] != n + m:
            raise BadInput(
                f"{m} new rows of a precomputed kernel need {n} + {m} columns, got "
                f"{values.shape[1]}"
            )
        return np.empty((m, 0)), values[:, :n], symmetric(values[:, n:]), labels

    def _adopt(
        self,
        params: dict[str, Any],
        fixed: Constants,
        parts: Parts,
        labels: Array,
        weights: Array,
        ids: Ids,
        *,
        given: tuple[str, ...],
    ) -> None:
        """Take on a machine and what scikit-learn shows of it."""
        self._params, self._parts = params, parts
        self._labels, self._weights = labels, weights
        self.sample_ids_ = ids
        if ids.dtype.kind == "i":  # a number that was forgotten is never given to another row
            self._next_id = max(getattr(self, "_next_id", 0), int(ids.max()) + 1)
        self.certificate_ = parts.certificate
        self.claim_ = self._claim(parts.pairs, given)
        classes = self._coded(labels, weights)[0]
        found = [p.found for p in parts.pairs]
        self._serve(Decision.of(parts), fixed, classes if parts.classes else None, found)
        self.support_ = self._decision.support
        self.support_ids_ = ids[self.support_]
        moves = np.array([p.moves for p in parts.pairs])
        self.n_iter_ = moves if parts.classes else int(moves[0])
        if params["kernel"] == "precomputed":
            self.n_features_in_ = len(ids)

    def _claim(self, pairs: tuple[Part, ...], given: tuple[str, ...]) -> Claim:
        return claimed(worst([p.certificate for p in pairs]), given)

    def _serve(
        self, decision: Decision, fixed: Constants, classes: Array | None, found: list[float]
    ) -> None:
        """Take on what predictions need."""
        self._decision, self._constants, self._found = decision, fixed, found
        count = 1 if classes is None else len(classes)
        if classes is not None:
            self.classes_ = classes
        self.gamma_ = fixed.kernel.gamma
        self.support_vectors_ = of_input(decision.vectors, self._input)
        self.n_support_ = np.bincount(decision.codes, minlength=count).astype(np.int32)
        self.dual_coef_ = of_input(self._sign * decision.dual(max(count, 2)), self._input)
        self.intercept_ = self._sign * np.array([rho for *_, rho in decision.pairs])
        self._shown(found)

    @one_thread
    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, Array]]:
        checked.fitted(self)
        return part_saving.state(self, serving)

    def _restore(self, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        part_saving.restore(self, config, arrays)

    def _learned_from(
        self,
        params: dict[str, Any],
        fixed: Constants,
        x: Array,
        labels: Array,
        weights: Array,
        ids: Ids,
        given: Array | None,
        starts: Starts,
    ) -> Self:
        """Learn from a start and constants found elsewhere."""
        parts = self._parts_of(params, fixed, x, labels, weights, given).learned(starts)
        self._adopt(params, fixed, parts, labels, weights, ids, given=())
        return self
