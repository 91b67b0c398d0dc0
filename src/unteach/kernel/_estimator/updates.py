"""How the classifier forgets and inserts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Claim, Forgets, Ids, OneClassLeft, tight

from .._downdate.slots import Slots
from .._machine.blas_threads import one_thread
from .._machine.decision import Decision, of_input
from .._machine.gram import bordered, square
from .._machine.machine import Machine
from ..certificate import Certificate, claimed
from . import data_statistics as constants
from . import validation as checked
from .data_statistics import Constants, DataDependentStatistics

# What a fitted classifier shows: computed after a fit, and after forgetting when first read.

LATER = (
    "_machine",
    "certificate_",
    "claim_",
    "n_iter_",
    "_decision",
    "support_",
    "support_ids_",
    "support_vectors_",
    "n_support_",
    "dual_coef_",
    "intercept_",
)


class Shows:
    """Adds to `SVC` what scikit-learn shows of a machine, and when it is computed."""

    _params: dict[str, Any]
    _constants: Constants
    _machine: Machine
    _slots: Slots | None
    _labels: Array
    _weights: Array
    sample_ids_: Ids
    classes_: Array
    _input = "dense"
    claim_: Claim
    certificate_: Certificate

    @one_thread
    def __getattr__(self, name: str) -> Any:
        """Compute what forgetting left to be computed: `_slots` is then the whole truth."""
        if name in self.__dict__:  # computed by another thread while we waited for our turn
            return self.__dict__[name]
        slots = self.__dict__.get("_slots") if name in LATER else None
        if slots is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name == "certificate_":
            self.certificate_ = slots.certificate
        elif name == "claim_":
            self.claim_ = claimed(self.certificate_, self._given)
        elif name == "_machine":
            self._machine = slots.machine()
        else:
            self.n_iter_ = np.array([p.moves for p in slots.pairs])
            self._serve(Decision.of(self._machine), self._constants, self.classes_)
            self.support_ = self._decision.support
            self.support_ids_ = self.sample_ids_[self.support_]
        return self.__dict__[name]

    def _adopt_slots(self, slots: Slots, *, given: tuple[str, ...]) -> None:
        """Take on what is left after forgetting; what it shows is computed when it is read."""
        for name in LATER:
            self.__dict__.pop(name, None)
        self._slots, self._given = slots, given

    def _adopt(
        self,
        params: dict[str, Any],
        fixed: Constants,
        machine: Machine,
        labels: Array,
        weights: Array,
        ids: Ids,
        classes: Array,
        *,
        given: tuple[str, ...],
    ) -> None:
        """Take on a machine and what scikit-learn shows of it."""
        self._params, self._constants, self._machine = params, fixed, machine
        self._slots = None
        self._labels, self._weights = labels, weights
        self.sample_ids_ = ids
        if ids.dtype.kind == "i":  # a number that was forgotten is never given to another row
            self._next_id = max(getattr(self, "_next_id", 0), int(ids.max()) + 1)
        self.certificate_ = machine.certificate
        self.claim_ = claimed(self.certificate_, given)
        self.n_iter_ = np.array([p.moves for p in machine.pairs])
        self._serve(Decision.of(machine), fixed, classes)
        self.support_ = self._decision.support
        self.support_ids_ = ids[self.support_]
        if params["kernel"] == "precomputed":
            self.n_features_in_ = len(ids)

    def _serve(self, decision: Decision, fixed: Constants, classes: Array) -> None:
        """Take on what predictions need."""
        self._decision, self._constants = decision, fixed
        self.classes_ = classes
        self.class_weight_ = fixed.class_weight
        self.gamma_ = fixed.kernel.gamma
        self.support_vectors_ = of_input(decision.vectors, self._input)
        self.n_support_ = np.bincount(decision.codes, minlength=len(classes)).astype(np.int32)
        sign = -1.0 if len(classes) == 2 else 1.0
        self.dual_coef_ = of_input(sign * decision.dual(len(classes)), self._input)
        self.intercept_ = sign * np.array([rho for *_, rho in decision.pairs])


Array = NDArray[Any]


class Changes(Shows, Forgets):
    """Adds to `SVC` the two exact changes: forgetting rows and inserting rows."""

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_ids: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Insert rows, exactly: as if they had stood behind the others at the fit; returns self.

        Ids default to the numbers after the largest one held. A label not seen before becomes
        a class, unless `classes` is given and does not name it. With a precomputed kernel, X
        is (m, n + m): the new rows against the old ones and then against one another. What
        was computed from data stays or follows as `statistics` says.
        """
        if not hasattr(self, "classes_"):
            self._refuse_unnamed(y, classes)
            self.fit(X, y, sample_weight=sample_weight, sample_ids=sample_ids)
            return self
        self._positions([])  # one that only serves cannot learn either
        self._refuse_unnamed(y, classes)
        with self._untouched_by_errors():
            old, params = self._machine, self._params
            x, cross, corner, new_labels = checked.new_rows(self, old.kernel, old.x, X, y)
            n, m = len(self.sample_ids_), len(x)
            if new_labels.dtype.kind != self._labels.dtype.kind:
                raise BadInput(
                    f"labels are {new_labels.dtype} and those held {self._labels.dtype}; give "
                    "labels of the same kind"
                )
            weights = np.append(self._weights, checked.weights(sample_weight, m, some=False))
            labels = np.concatenate([self._labels, new_labels])
            ids = checked.joined_ids(self.sample_ids_, sample_ids, m, getattr(self, "_next_id", 0))
            held, codes = checked.classes_and_codes(labels, weights > 0)
            x = np.concatenate([old.x, x])
            fixed = self._constants_after(x, held, codes, weights)
            same = fixed.kernel == self._constants.kernel
            resident = same and not old.leanly
            given = bordered(old.gram, cross, corner) if resident else None
            start = old.starts(np.arange(n), n + m, checked.codes_among(held, self.classes_))
            machine = self._machine_of(params, fixed, x, codes, weights, given).learned(start)
            given_numbers = self._constants.from_data if self._frozen else ()
            self._adopt(params, fixed, machine, labels, weights, ids, held, given=given_numbers)
        return self

    def forget(self, ids: Any) -> Self:
        """Forget these rows, exactly; returns self. After an error nothing has changed.

        Nothing to forget changes nothing. A class that vanishes takes its problems with it;
        when fewer than two would be left, `OneClassLeft` is raised. Warns once, with
        `DataDependentStatistics`, if numbers computed from the forgotten rows stay.
        """
        gone = self._positions(ids)
        if len(gone) == 0:
            return self
        with self._untouched_by_errors():
            if self._swiftly(gone):
                return self
            old, params = self._machine, self._params
            keep = np.delete(np.arange(len(self.sample_ids_)), gone)
            labels, weights = tight(self._labels[keep]), self._weights[keep]
            classes, codes = checked.classes_and_codes(labels, weights > 0)
            if len(classes) < 2:
                raise OneClassLeft(
                    f"forgetting these {len(gone)} rows leaves the classes {classes.tolist()}; "
                    "a classifier needs two. Forget fewer, or retire the model"
                )
            x = old.x[keep]
            fixed = self._constants_after(x, classes, codes, weights)
            new = self._machine_of(params, fixed, x, codes, weights, None)
            renumbered = checked.codes_among(classes, self.classes_)
            if fixed.kernel == self._constants.kernel:
                if np.array_equal(new.bounds, old.bounds[keep]):
                    machine = old.without(keep, renumbered)
                else:
                    gram = None if old.leanly else square(old.gram, keep)
                    again = self._machine_of(params, fixed, x, codes, weights, gram)
                    machine = again.learned(old.starts(keep, len(keep), renumbered))
            else:
                machine = new.learned(old.starts(keep, len(keep), renumbered))
            given = self._constants.from_data if self._frozen else ()
            self._warn_of(given, 4)
            left = tight(self.sample_ids_[keep])
            classes = tight(classes)
            self._adopt(params, fixed, machine, labels, weights, left, classes, given=given)
            if params["kernel"] == "precomputed" and hasattr(self, "feature_names_in_"):
                self.feature_names_in_: Array = self.feature_names_in_[keep]
        return self

    def _positions(self, ids: Any) -> NDArray[np.int64]:
        checked.rows_held(self)
        return super()._positions(ids)

    def _swiftly(self, gone: Array) -> bool:
        """Forget by slots; False, with nothing changed, where the plain way must be gone."""
        given = self._constants.from_data
        if given and not self._frozen:
            return False
        slots = self._slots
        if slots is None:
            if not self._machine.convex:
                return False
            slots = Slots.of(self._machine)
        after = slots.without(gone)
        if after is None:
            return False
        self._warn_of(given, 5)
        left = np.delete(self.sample_ids_, gone)
        labels, weights = np.delete(self._labels, gone), np.delete(self._weights, gone)
        smaller = after.shrunk()
        if self._params["kernel"] == "precomputed":
            self.n_features_in_ = len(left)
            if hasattr(self, "feature_names_in_"):
                self.feature_names_in_ = np.delete(self.feature_names_in_, gone)
        self.sample_ids_, self._labels = tight(left), tight(labels)
        self._weights = weights
        self._adopt_slots(smaller, given=given)
        if smaller is after:
            after.erase()  # last of all: nothing can fail after this
        return True

    def _settle(self) -> None:
        """Compute the weights from their sets alone: equal sets are saved as equal bytes."""
        machine = self._machine.canonical()
        if machine is not self._machine:
            claim = self.claim_
            self._adopt(
                self._params,
                self._constants,
                machine,
                self._labels,
                self._weights,
                self.sample_ids_,
                self.classes_,
                given=(),
            )
            self.claim_ = claim

    def _warn_of(self, given: tuple[str, ...], level: int) -> None:
        """Warn, once, that numbers computed from the forgotten rows stay."""
        if given and not getattr(self, "_warned", False):
            warnings.warn(
                f"{' and '.join(given)} stayed as computed, forgotten rows included; the "
                "result is exact given these numbers. Set them yourself, or choose "
                "statistics='follow' to compute them from the rows that are left",
                DataDependentStatistics,
                stacklevel=level,
            )
            self._warned = True

    def _constants_after(self, x: Array, classes: Array, codes: Array, weights: Array) -> Constants:
        """Return the constants that hold when these rows are what is learned from."""
        if not (self._frozen and self._constants.from_data):
            return constants.compute(self._params, x, classes, codes, weights)
        among = checked.codes_among(self.classes_, classes)
        return constants.frozen(self._params, self._constants, classes, among)

    def _refuse_unnamed(self, y: Any, classes: Any) -> None:
        if classes is not None:
            strange = set(np.unique(np.asarray(y)).tolist()) - set(np.asarray(classes).tolist())
            if strange:
                raise BadInput(f"y holds {sorted(strange, key=str)}, which `classes` does not name")

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
