"""The classifier that is told a share of margin errors instead of a cost, and can forget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin

from unteach.core import BadInput, Claim, OneClassLeft

from ._estimator import validation as checked
from ._estimator.base import KernelEstimator
from ._estimator.from_sklearn import Imports
from ._machine.canonical_form import Canonicalizes
from ._machine.decision import Classifies
from ._machine.grouped_machine import Part
from ._machine.machine_kinds import Dual, NuMargin
from .certificate import claimed, worst


class NuSVC(
    Imports,
    Canonicalizes,
    Classifies,
    ClassifierMixin,
    KernelEstimator,
):
    """Nu-support vector classification, solved to the last digit, that can forget its rows.

    It agrees with scikit-learn's `NuSVC` (binary and one-vs-one) up to that one's tolerance.
    At most a share nu of the rows (of each pair of classes) lies within the margin, at least
    that share are support vectors. Removing any row changes what that share is of, and so moves
    the solution; forgetting equals a fresh fit on the rest within 1e-8, or what `claim_` says.

    Parameters
    ----------
    nu : above 0, at most 1; at most twice the share of the smaller class of any pair
    kernel, degree, gamma, coef0, statistics, tol, max_iter, break_ties, shrinking, probability,
        cache_size, verbose, random_state : as in `SVR` and `SVC`
    decision_function_shape : "ovr" or "ovo", where there are more than two classes

    Attributes
    ----------
    margin_ : (pairs,) the margin rho that each pair's solution was divided by
    support_, support_ids_, support_vectors_, dual_coef_, n_support_, intercept_, classes_,
    n_iter_, gamma_, sample_ids_, certificate_, claim_ : as in `SVC`; the certificate is of the
        problem before the division

    When rows are forgotten so that nu becomes infeasible, `BadInput` says so and nothing has
    changed. Where the two classes' reduced hulls meet there is no margin: `NotConverged`
    (libsvm returns numbers without a meaning there).

    Source: Schölkopf, Smola, Williamson and Bartlett, "New support vector algorithms", Neural
    Computation 12 (2000).

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = NuSVC(kernel="linear", nu=0.5).fit(X, [0, 0, 1, 1])
    >>> model.predict([[0.5], [2.5]]), model.forget([1]).support_ids_
    (array([0, 1]), array([0, 2]))
    """

    _numbers: ClassVar = {"nu": (0.0, True)}

    def __init__(
        self,
        *,
        nu: float = 0.5,
        kernel: str | Callable[[Any, Any], Any] = "rbf",
        degree: int = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        statistics: str = "frozen",
        decision_function_shape: str = "ovr",
        tol: float = 1e-10,
        max_iter: int = -1,
        break_ties: bool = False,
        shrinking: bool = True,
        probability: bool | str = False,
        cache_size: float = 200.0,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.nu = nu
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.statistics = statistics
        self.decision_function_shape = decision_function_shape
        self.tol = tol
        self.max_iter = max_iter
        self.break_ties = break_ties
        self.shrinking = shrinking
        self.probability = probability
        self.cache_size = cache_size
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X (n, d) and labels y (n,); returns self.

        sample_weight : (n,) at least 0; sample_ids : (n,) unique whole numbers or strings, row
        numbers if None. After an error a former fit is as it was.
        """
        return self._learned_first(X, y, sample_weight, sample_ids)

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_ids: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Insert rows, exactly: as if they had stood behind the others at the fit; returns self.

        A label not seen before becomes a class, unless `classes` is given and does not name it.
        """
        if classes is not None:
            strange = set(np.unique(np.asarray(y)).tolist()) - set(np.asarray(classes).tolist())
            if strange:
                raise BadInput(f"y holds {sorted(strange, key=str)}, which `classes` does not name")
        if not hasattr(self, "classes_"):
            return self.fit(X, y, sample_weight=sample_weight, sample_ids=sample_ids)
        return self._learned_more(X, y, sample_weight, sample_ids)

    def forget(self, ids: Any) -> Self:
        """Forget these rows, exactly; returns self. After an error nothing has changed.

        A class that vanishes takes its problems with it; when fewer than two would be left,
        `OneClassLeft` is raised, and `BadInput` when nu would be infeasible.
        """
        keep = np.delete(np.arange(len(getattr(self, "sample_ids_", ()))), self._positions(ids))
        classes = np.unique(self._labels[keep][self._weights[keep] > 0])
        if len(classes) < 2:
            raise OneClassLeft(
                f"forgetting these rows leaves the classes {classes.tolist()}; a classifier "
                "needs two. Forget fewer, or retire the model"
            )
        return super().forget(ids)

    def _dual(self, params: Mapping[str, Any]) -> Dual:
        return NuMargin(params["nu"])

    def _learnable(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return checked.rows_and_labels(self, X, y, reset=reset)

    def _coded(self, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
        try:
            classes, codes = checked.two_classes(labels, weights)
        except BadInput as error:
            raise BadInput(f"{error}; so the specified nu is infeasible") from error
        return classes, codes, np.zeros(len(labels))

    def _claim(self, pairs: tuple[Part, ...], given: tuple[str, ...]) -> Claim:
        left = max(p.certificate.kkt_residual / min(p.found, 1.0) for p in pairs)
        all_pairs = worst([p.certificate for p in pairs])
        return claimed(replace(all_pairs, kkt_residual=left), given)

    def _shown(self, found: list[float]) -> None:
        self.margin_ = np.array(found)
