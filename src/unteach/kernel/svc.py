"""The support vector classifier that can forget exactly."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import BadInput, Claim, Keeps

from ._estimator import data_statistics as constants
from ._estimator import saving
from ._estimator import validation as checked
from ._estimator.data_statistics import Constants
from ._estimator.from_sklearn import Imports
from ._estimator.updates import Changes
from ._machine.blas_threads import one_thread
from ._machine.canonical_form import Canonicalizes
from ._machine.decision import Classifies
from ._machine.gram import symmetric
from ._machine.machine import Machine
from ._paths.leave_one_out import margins_left_out
from ._paths.reweighting import Reweights
from ._paths.weight_path import WalksAway
from ._solver.hard_margin import costs
from .certificate import claimed

Array = NDArray[Any]
CACHE_SIZE = 1000.0  # megabytes


class SVC(
    Imports,
    Canonicalizes,
    WalksAway,
    Reweights,
    Changes,
    Classifies,
    ClassifierMixin,
    BaseEstimator,
):
    """C-support vector classification, solved to the last digit, that can forget its rows.

    It agrees with scikit-learn's `SVC` (binary and one-vs-one) up to that one's tolerance. At
    a fixed kernel and C, forgetting a row that is no support vector leaves the decision
    function bitwise as it is, and forgetting a support vector equals a fresh fit on the rest
    within 1e-8. (Where no support vector is free the bias is the middle of an interval, as in
    libsvm, and any row may hold an end of it. Where the kernel is so nearly flat that rounding
    alone leaves room for other functions, the claim says less, and where it is not sure either
    which rows are support vectors, every change is a fresh fit, whatever the row.)

    Parameters
    ----------
    C : cost of a margin violation, above 0; inf is the hard margin, for rows that the kernel
        separates (`NotConverged` for others)
    kernel : "linear", "poly", "rbf", "sigmoid", "precomputed", or function(X, Z) -> (n, m)
        that compares rows pair by pair; X may then be any sequence of objects, which the
        function is handed as an array of them. With "precomputed", X is the Gram matrix, (n, n) to
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
    break_ties : whether `predict` takes the class of the largest decision value instead of the
        first one of a tie of votes; "ovr" alone
    shrinking, probability, verbose, random_state : scikit-learn's, of its solver: they change no
        answer here, and do nothing; probability=True is refused
    cache_size : megabytes that kernel values may take. Where the whole kernel matrix (8 n^2
        bytes) is larger, kernel rows are computed when they are needed; `leave_one_out` and
        `forget_path` need the whole one, and are then refused

    Attributes
    ----------
    support_, support_ids_, support_vectors_, dual_coef_, n_support_, intercept_, classes_,
    class_weight_, n_iter_ : as in scikit-learn
    gamma_ : the number that the kernel uses
    sample_ids_ : (n,) ids of the rows held
    certificate_ : KKT residual, objective, gap and sets, recomputed after every operation
    claim_ : what is promised of the last operation

    A row of weight zero (or less, at a fit) is as removed: it counts for nothing, is held, and
    can be forgotten.
    Any other weight w counts as w rows, also in "scale" and "balanced" (where scikit-learn
    leaves weights out). A kernel that is not positive semidefinite on the rows has no unique
    solution: the fit ends in a stationary point, `forget` fits the rest afresh, and the claim
    is heuristic.

    All rows are held in memory, to be able to forget, and what of their kernel matrix is needed.
    Sparse rows are held dense, up to 4 GB of them (beyond that `BadInput`); as in scikit-learn,
    support_vectors_, dual_coef_ and coef_ are then sparse.

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
        cache_size: float = CACHE_SIZE,
        break_ties: bool = False,
        shrinking: bool = True,
        probability: bool | str = False,
        verbose: bool | int = False,
        random_state: Any = None,
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
        self.cache_size = cache_size
        self.break_ties = break_ties
        self.shrinking = shrinking
        self.probability = probability
        self.verbose = verbose
        self.random_state = random_state

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
            classes, codes = checked.two_classes(labels, weights)
            constants.refuse_strange_labels(params["class_weight"], classes)
            given = symmetric(x) if params["kernel"] == "precomputed" else None
            x = x[:, :0].copy() if given is not None else x
            fixed = constants.compute(params, x, classes, codes, weights)
            machine = self._machine_of(params, fixed, x, codes, weights, given).learned()
            self.__dict__.pop("_next_id", None)
            self._adopt(params, fixed, machine, labels, weights, ids, classes, given=())
        return self

    def __copy__(self) -> Self:
        """Return a deep copy: a copy that shares the Gram matrix would not outlive `forget`."""
        return copy.deepcopy(self)

    @one_thread
    def leave_one_out(self) -> NDArray[np.float64]:
        """Return y f(x) of every row as if it had been left out of the fit: (n,); two classes.

        y is +1 for `classes_[1]` and -1 for `classes_[0]`. Rows that are no support vectors
        keep the value that they have; what they lose is 0. Numbers computed from data stay. No
        claim is made: where `certificate_.error` is large, these may be off by as much.
        A kernel that is not positive semidefinite is refitted for each support vector.

        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = SVC(kernel="linear", C=10.0).fit(X, [0, 0, 1, 1])
        >>> model.leave_one_out().round(6) + 0.0
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
        checked.fitted(self)
        needed = len(self._decision.support)
        rows = len(self.sample_ids_) if hasattr(self, "sample_ids_") else needed
        held = {"gamma": "gamma=", "class weights": "class weights"}
        told = self._constants.from_data
        names = (n for n, start in held.items() if any(t.startswith(start) for t in told))
        return Keeps(rows, needed, tuple(names))

    @property
    def coef_(self) -> Any:
        """Weights of the features, (pairs, d), in scikit-learn's signs; linear kernels only."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        checked.fitted(self)
        return self._decision.slopes(-1.0 if len(self.classes_) == 2 else 1.0, self._input)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.input_tags.sparse = self.kernel != "precomputed"
        return tags

    # how it is done -------------------------------------------------------------------------

    @property
    def _frozen(self) -> bool:
        return bool(self._params["statistics"] == "frozen")

    def _machine_of(
        self,
        params: dict[str, Any],
        fixed: Constants,
        x: Array,
        codes: Array,
        weights: Array,
        given: Array | None,
    ) -> Machine:
        per_class = np.append(fixed.class_weight, 0.0)  # the last one is what code -1 finds
        bounds = costs(params["C"], weights, per_class[codes])
        budget = 1e6 * params.get("cache_size", CACHE_SIZE)
        return Machine(
            fixed.kernel,
            x,
            codes,
            bounds,
            params["tol"],
            params["max_iter"],
            given,
            budget=budget,
        )

    @property
    def promise_(self) -> Claim:
        """What `forget` would claim: exact given the numbers from data that it would keep."""
        checked.fitted(self)
        given = self._constants.from_data if self._frozen else ()
        return claimed(self.certificate_, given)

    def inputs_of(self, ids: Any) -> Any | None:
        """Return the inputs that the machine holds of these rows: (n, d); none of a Gram matrix."""
        machine = getattr(self, "_machine", None)
        if machine is None or machine.kernel.name == "precomputed":
            return None
        return machine.x[self._positions(ids)]

    @one_thread
    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, Array]]:
        checked.fitted(self)
        if hasattr(self, "sample_ids_"):
            self._settle()
        return saving.state(self, serving)

    def _restore(self, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        saving.restore(self, config, arrays)
