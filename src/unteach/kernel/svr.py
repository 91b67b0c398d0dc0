"""Support vector regression that can forget its rows exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from ._estimator import validation as checked
from ._estimator.base import KernelEstimator
from ._estimator.from_sklearn import Imports
from ._machine.canonical_form import Canonicalizes
from ._machine.machine_kinds import Dual, NuTube, Tube


class _Regression(Imports, Canonicalizes, RegressorMixin, KernelEstimator):
    def fit(self, X: Any, y: Any, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X (n, d) and targets y (n,); returns self.

        sample_weight : (n,) at least 0; sample_ids : (n,) unique whole numbers or strings, row
        numbers if None. After an error a former fit is as it was.
        """
        return self._learned_first(X, y, sample_weight, sample_ids)

    def partial_fit(
        self, X: Any, y: Any, sample_ids: Any = None, sample_weight: Any = None
    ) -> Self:
        """Insert rows, exactly: as if they had stood behind the others at the fit; returns self.

        Ids default to the numbers after the largest one held. With a precomputed kernel, X is
        (m, n + m): the new rows against the old ones and then against one another.
        """
        if not hasattr(self, "dual_coef_"):
            return self.fit(X, y, sample_weight=sample_weight, sample_ids=sample_ids)
        return self._learned_more(X, y, sample_weight, sample_ids)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted number of each row: (m,)."""
        return self._values(X)[:, 0]

    def _learnable(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return checked.rows_and_numbers(self, X, y, reset=reset)


class SVR(_Regression):
    """Support vector regression (epsilon tube), solved to the last digit, that can forget.

    It agrees with scikit-learn's `SVR` up to that one's tolerance. At a fixed kernel,
    forgetting a row that is no support vector leaves the predictions bitwise as they are (where
    some support vector is free), and forgetting any rows equals a fresh fit on the rest within
    1e-8. (Where the kernel is nearly flat the claim says less, as with `SVC`.)

    Parameters
    ----------
    C : cost of a unit outside the tube, above 0; inf allows none (`NotConverged` where no such
        function exists)
    epsilon : half width of the tube, at least 0, in units of the target
    kernel, degree, gamma, coef0 : as in `SVC`; the kernel must be positive semidefinite
    statistics : what forgetting does with gamma="scale": "frozen" keeps the number of the fit,
        and the claim names it; "follow" computes it from the rows that are left
    tol : largest KKT residual that is accepted
    max_iter : most moves of the solver; -1 for no limit of yours
    shrinking, cache_size, verbose : scikit-learn's, of its solver: they do nothing here

    Attributes
    ----------
    support_, support_ids_, support_vectors_, dual_coef_, n_support_, intercept_, n_iter_ : as
        in scikit-learn
    gamma_, sample_ids_, certificate_, claim_ : as in `SVC`

    Source: Smola and Schölkopf, "A tutorial on support vector regression", Statistics and
    Computing 14 (2004).

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = SVR(kernel="linear", C=10.0, epsilon=0.0).fit(X, [0.0, 1.0, 5.0, 3.0])
    >>> model.forget([2]).predict([[2.0]])
    array([2.])
    >>> print(model.claim_)
    exact (within 1e-08)
    """

    _numbers: ClassVar = {"C": (0.0, True), "epsilon": (0.0, False)}

    def __init__(
        self,
        *,
        kernel: str | Callable[[Any, Any], Any] = "rbf",
        degree: int = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        C: float = 1.0,
        epsilon: float = 0.1,
        statistics: str = "frozen",
        tol: float = 1e-10,
        max_iter: int = -1,
        shrinking: bool = True,
        cache_size: float = 200.0,
        verbose: bool | int = False,
    ) -> None:
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.C = C
        self.epsilon = epsilon
        self.statistics = statistics
        self.tol = tol
        self.max_iter = max_iter
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose

    def _dual(self, params: Mapping[str, Any]) -> Dual:
        return Tube(params["epsilon"])


class NuSVR(_Regression):
    """Support vector regression that finds the width of its tube, and can forget its rows.

    nu is about the share of rows outside the tube: at most that share lies outside, at least
    that share are support vectors. Removing any row changes what that share is of, and so
    moves the solution; that too equals a fresh fit within 1e-8, or what `claim_` says.

    Parameters
    ----------
    nu : above 0, at most 1
    C, kernel, degree, gamma, coef0, statistics, tol, max_iter, shrinking, cache_size, verbose :
        as in `SVR`, but C is finite

    Attributes
    ----------
    epsilon_ : the half width found
    support_, support_ids_, dual_coef_, intercept_, certificate_, claim_, ... : as in `SVR`

    Source: Schölkopf, Smola, Williamson and Bartlett, "New support vector algorithms", Neural
    Computation 12 (2000).

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = NuSVR(kernel="linear", C=10.0, nu=0.6).fit(X, [0.0, 1.0, 5.0, 3.0])
    >>> model.forget([2]).predict([[2.0]]), model.epsilon_
    (array([2.]), 0.0)
    """

    _numbers: ClassVar = {"C": (0.0, True), "nu": (0.0, True)}

    def __init__(
        self,
        *,
        nu: float = 0.5,
        C: float = 1.0,
        kernel: str | Callable[[Any, Any], Any] = "rbf",
        degree: int = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        statistics: str = "frozen",
        tol: float = 1e-10,
        max_iter: int = -1,
        shrinking: bool = True,
        cache_size: float = 200.0,
        verbose: bool | int = False,
    ) -> None:
        self.nu = nu
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.statistics = statistics
        self.tol = tol
        self.max_iter = max_iter
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose

    def _dual(self, params: Mapping[str, Any]) -> Dual:
        return NuTube(params["nu"])

    def _shown(self, found: list[float]) -> None:
        self.epsilon_ = found[0]
