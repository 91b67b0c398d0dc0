"""The support vector classifier that can forget exactly."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from unteach.core import (
    BadInput,
    Claim,
    Exact,
    Forgets,
    Heuristic,
    Ids,
    Keeps,
    OneClassLeft,
)

from . import checked, constants, saving
from .canonical_form import Canonicalizes
from .constants import Constants, DataDependentStatistics
from .decision import Decision, one_vs_rest, votes
from .gram import bordered, square, symmetric
from .importing import Imports
from .loo import margins_left_out
from .machine import Machine
from .path import WalksAway
from .reweighting import Reweights

Array = NDArray[Any]


class SVC(
    Imports, Canonicalizes, WalksAway, Reweights, Forgets,
    ClassifierMixin, BaseEstimator,  # type: ignore[misc]
):  # fmt: skip
    """C-support vector classification, solved to the last digit, that can forget its rows.

    It agrees with scikit-learn's `SVC` (binary and one-vs-one) up to that one's tolerance. At
    a fixed kernel and C, forgetting a row that is no support vector leaves the decision
    function bitwise as it is, and forgetting a support vector equals a fresh fit on the rest
    within 1e-8. (Where no support vector is free the bias is the middle of an interval, as in
    libsvm, and any row may hold an end of it.)

    Parameters
    ----------
    C : cost of a margin violation, above 0
    kernel : "linear", "poly", "rbf", "sigmoid", "precomputed", or function(X, Z) -> (n, m)
        that compares rows pair by pair. With "precomputed", X is the Gram matrix, (n, n) to
        fit and (m, n) to predict; the columns of forgotten rows are left out from then on.
    degree, gamma, coef0 : of the kernel, with scikit-learn's meaning; gamma is "scale", "auto"
        or a number of at least 0
    class_weight : None, "balanced", or {label: weight}
    statistics : what forgetting does with numbers computed from data (gamma="scale",
        class_weight="balanced"): "frozen" keeps those of the fit, and the claim names them;
        "follow" computes them from the rows that are left, at the price of a new Gram matrix
    decision_function_shape : "ovr" or "ovo", where there are more than two classes
    tol : largest KKT residual that is accepted. A larger one does not make it faster.
    max_iter : most moves of the solver a pair of classes; -1 for no limit of yours

    Attributes
    ----------
    support_, support_ids_, support_vectors_, dual_coef_, n_support_, intercept_, classes_,
    class_weight_, n_iter_ : as in scikit-learn
    gamma_ : the number that the kernel uses
    sample_ids_ : (n,) ids of the rows held
    certificate_ : KKT residual, objective, gap and sets, recomputed after every operation
    claim_ : what is promised of the last operation

    A row of weight zero is as removed: it counts for nothing, is held, and can be forgotten.
    Any other weight w counts as w rows, also in "scale" and "balanced" (where scikit-learn
    leaves weights out). A kernel that is not positive semidefinite on the rows has no unique
    solution: the fit ends in a stationary point, `forget` fits the rest afresh, and the claim
    is heuristic.

    All rows and their Gram matrix (8 n^2 bytes) are held in memory, to be able to forget.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = SVC(kernel="linear", C=10.0).fit(X, [0, 0, 1, 1])
    >>> model.support_ids_, model.forget([1]).decision_function([[1.0]])
    (array([1, 2]), array([0.]))
    >>> print(model.claim_)
    exact (within 1e-08)
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: str | Callable[[Any, Any], Any] = "rbf",
        degree: int = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        statistics: str = "frozen",
        decision_function_shape: str = "ovr",
        tol: float = 1e-10,
        max_iter: int = -1,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.class_weight = class_weight
        self.statistics = statistics
        self.decision_function_shape = decision_function_shape
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X (n, d) and labels y (n,); returns self.

        sample_weight : (n,) at least 0; sample_ids : (n,) unique whole numbers or strings, row
        numbers if None. After an error a former fit is as it was.
        """
        with self._untouched_by_errors():
            params = constants.checked(self.get_params(deep=False))
            x, labels = checked.rows_and_labels(self, X, y, reset=True)
            weights = checked.weights(sample_weight, len(x))
            ids = self._checked_ids(sample_ids, len(x)).copy()
            classes, codes = checked.classes_and_codes(labels, weights > 0)
            if len(classes) < 2:
                raise BadInput(
                    f"all rows (of positive weight) are of one class, {classes.tolist()}; a "
                    "classifier needs at least two"
                )
            constants.refuse_strange_labels(params["class_weight"], classes)
            given = symmetric(x) if params["kernel"] == "precomputed" else None
            x = x[:, :0].copy() if given is not None else x
            fixed = constants.compute(params, x, classes, codes, weights)
            machine = self._machine_of(params, fixed, x, codes, weights, given).learned()
            self.__dict__.pop("_next_id", None)
            self._adopt(params, fixed, machine, labels, weights, ids, classes, given=())
        return self

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
            return self.fit(X, y, sample_weight=sample_weight, sample_ids=sample_ids)
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
            weights = np.append(self._weights, checked.weights(sample_weight, m))
            labels = np.concatenate([self._labels, new_labels])
            ids = checked.joined_ids(
                self.sample_ids_, sample_ids, m, getattr(self, "_next_id", 0)
            )
            held, codes = checked.classes_and_codes(labels, weights > 0)
            x = np.concatenate([old.x, x])
            fixed = self._constants_after(x, held, codes, weights)
            same = fixed.kernel == self._constants.kernel
            given = bordered(old.gram, cross, corner) if same else None
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
            old, params = self._machine, self._params
            keep = np.delete(np.arange(len(self.sample_ids_)), gone)
            labels, weights = _tight(self._labels[keep]), self._weights[keep]
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
                    machine = old.forgotten(keep, renumbered)
                else:
                    gram = square(old.gram, keep)
                    again = self._machine_of(params, fixed, x, codes, weights, gram)
                    machine = again.learned(old.starts(keep, len(keep), renumbered))
            else:
                machine = new.learned(old.starts(keep, len(keep), renumbered))
            given = self._constants.from_data if self._frozen else ()
            if given and not getattr(self, "_warned", False):
                warnings.warn(
                    f"{' and '.join(given)} stayed as computed, forgotten rows included; the "
                    "result is exact given these numbers. Set them yourself, or choose "
                    "statistics='follow' to compute them from the rows that are left",
                    DataDependentStatistics,
                    stacklevel=2,
                )
                self._warned = True
            left = _tight(self.sample_ids_[keep])
            classes = _tight(classes)
            self._adopt(params, fixed, machine, labels, weights, left, classes, given=given)
            if params["kernel"] == "precomputed" and hasattr(self, "feature_names_in_"):
                self.feature_names_in_: Array = self.feature_names_in_[keep]
            machine.erase()  # last of all: nothing can fail after this
        return self

    def _settle(self) -> None:
        """Compute the weights from their sets alone: equal sets are saved as equal bytes."""
        machine = self._machine.canonical()
        if machine is not self._machine:
            claim = self.claim_
            self._adopt(
                self._params, self._constants, machine, self._labels, self._weights,
                self.sample_ids_, self.classes_, given=(),
            )  # fmt: skip
            self.claim_ = claim

    def __copy__(self) -> Self:
        """Return a deep copy: a copy that shares the Gram matrix would not outlive `forget`."""
        return copy.deepcopy(self)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the decision values of rows (m, d), in scikit-learn's shapes and signs.

        (m,) for two classes, positive for `classes_[1]`; else (m, k) for "ovr", or
        (m, k (k - 1) / 2) for "ovo".
        """
        check_is_fitted(self)
        values = self._decision.values(checked.rows(self, X))
        if len(self.classes_) == 2:
            return -values[:, 0]
        if self.decision_function_shape == "ovr":
            return one_vs_rest(values, len(self.classes_))
        return values

    def predict(self, X: Any) -> Array:
        """Return the label of each row: (m,). The first class wins a tie of votes."""
        check_is_fitted(self)
        values = self._decision.values(checked.rows(self, X))
        if len(self.classes_) == 2:
            return np.asarray(self.classes_[(values[:, 0] < 0).astype(np.int64)])
        return np.asarray(self.classes_[votes(values, len(self.classes_)).argmax(axis=1)])

    def leave_one_out(self) -> NDArray[np.float64]:
        """Return y f(x) of every row as if it had been left out of the fit: (n,); two classes.

        y is +1 for `classes_[1]` and -1 for `classes_[0]`. Rows that are no support vectors
        keep the value that they have; what they lose is 0. Numbers computed from data stay.
        A kernel that is not positive semidefinite is refitted for each support vector.

        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = SVC(kernel="linear", C=10.0).fit(X, [0, 0, 1, 1])
        >>> model.leave_one_out().round(6)
        array([3., 0., 0., 3.])
        """
        self._positions([])
        if len(self.classes_) != 2:
            raise BadInput(
                f"leave_one_out needs two classes, this machine has {len(self.classes_)}; take "
                "the pairs of classes one by one"
            )
        return margins_left_out(self._machine, self.classes_)

    def keeps(self) -> Keeps:
        """Say what this model holds of its training rows."""
        check_is_fitted(self)
        needed = len(self._decision.support)
        rows = len(self.sample_ids_) if hasattr(self, "sample_ids_") else needed
        held = {"gamma": "gamma=", "class weights": "class weights"}
        told = self._constants.from_data
        names = (n for n, start in held.items() if any(t.startswith(start) for t in told))
        return Keeps(rows, needed, tuple(names))

    @property
    def coef_(self) -> NDArray[np.float64]:
        """Weights of the features, (pairs, d), in scikit-learn's signs; linear kernels only."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        check_is_fitted(self)
        lines = [w @ self._decision.vectors[c] for _, _, c, w, _ in self._decision.pairs]
        return np.array(lines) * (-1.0 if len(self.classes_) == 2 else 1.0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags

    # how it is done -------------------------------------------------------------------------

    @property
    def _frozen(self) -> bool:
        return bool(self._params["statistics"] == "frozen")

    @contextmanager
    def _untouched_by_errors(self) -> Iterator[None]:
        """Put every attribute back if the block raises. Arrays are never changed in place."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    def _machine_of(
        self, params: dict[str, Any], fixed: Constants, x: Array, codes: Array, weights: Array,
        given: Array | None,
    ) -> Machine:  # fmt: skip
        per_class = np.append(fixed.class_weight, 0.0)  # the last one is what code -1 finds
        bounds = params["C"] * per_class[codes] * weights
        return Machine(fixed.kernel, x, codes, bounds, params["tol"], params["max_iter"], given)

    def _constants_after(
        self, x: Array, classes: Array, codes: Array, weights: Array
    ) -> Constants:
        """Return the constants that hold when these rows are what is learned from."""
        if not (self._frozen and self._constants.from_data):
            return constants.compute(self._params, x, classes, codes, weights)
        among = checked.codes_among(self.classes_, classes)
        return constants.frozen(self._params, self._constants, classes, among)

    def _adopt(
        self, params: dict[str, Any], fixed: Constants, machine: Machine, labels: Array,
        weights: Array, ids: Ids, classes: Array, *, given: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Take on a machine and what scikit-learn shows of it."""
        self._params, self._constants, self._machine = params, fixed, machine
        self._labels, self._weights = labels, weights
        self.sample_ids_ = ids
        if ids.dtype.kind == "i":  # a number that was forgotten is never given to another row
            self._next_id = max(getattr(self, "_next_id", 0), int(ids.max()) + 1)
        self.certificate_ = machine.certificate
        self.claim_ = self._claim(machine, given)
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
        self.support_vectors_ = decision.vectors
        self.n_support_ = np.bincount(decision.codes, minlength=len(classes)).astype(np.int32)
        sign = -1.0 if len(classes) == 2 else 1.0
        self.dual_coef_ = sign * decision.dual(len(classes))
        self.intercept_ = sign * np.array([rho for *_, rho in decision.pairs])

    @property
    def promise_(self) -> Claim:
        """What `forget` would claim: exact given the numbers from data that it would keep."""
        check_is_fitted(self)
        given = self._constants.from_data if self._frozen else ()
        return self._claim(self._machine, given)

    def _claim(self, machine: Machine, given: tuple[str, ...]) -> Claim:
        if not machine.convex:
            return Heuristic("stationary point of an indefinite problem")
        return Exact(max(1e-8, 100 * machine.certificate.kkt_residual), given=given)

    def _refuse_unnamed(self, y: Any, classes: Any) -> None:
        if classes is not None:
            strange = set(np.unique(np.asarray(y)).tolist()) - set(np.asarray(classes).tolist())
            if strange:
                raise BadInput(f"y holds {sorted(strange, key=str)}, which `classes` does not name")

    def inputs_of(self, ids: Any) -> Any | None:
        """Return the inputs that the machine holds of these rows: (n, d); none of a Gram matrix."""
        machine = getattr(self, "_machine", None)
        if machine is None or machine.kernel.name == "precomputed":
            return None
        return machine.x[self._positions(ids)]

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, Array]]:
        check_is_fitted(self)
        if hasattr(self, "sample_ids_"):
            self._settle()
        return saving.state(self, serving)

    def _restore(self, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        saving.restore(self, config, arrays)


def _tight(names: Array) -> Array:
    """Return names in an array no wider than the longest of them."""
    return np.array(names.tolist()) if names.dtype.kind == "U" else names
