"""The one-class machine that can forget its rows exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin

from ._estimator import validation as checked
from ._estimator.base import KernelEstimator
from ._estimator.from_sklearn import Imports
from ._machine.canonical_form import Canonicalizes
from ._machine.machine_kinds import Dual, OneClass


class OneClassSVM(Imports, Canonicalizes, OutlierMixin, KernelEstimator):
    """The region that holds most rows, solved to the last digit; it can forget its rows.

    It agrees with scikit-learn's `OneClassSVM` up to that one's tolerance. At most a share nu
    of the rows lies outside. Removing any row, support vector or not, changes what that share
    is of, and so moves the solution; forgetting equals a fresh fit on the rest within 1e-8, or
    what `claim_` says.

    Parameters
    ----------
    nu : share of rows that may lie outside, above 0, at most 1
    kernel, degree, gamma, coef0, statistics, tol, max_iter, shrinking, cache_size,
        verbose : as in `SVR`

    Attributes
    ----------
    offset_ : what `decision_function` takes from `score_samples`; -intercept_
    support_, support_ids_, support_vectors_, dual_coef_, n_support_, intercept_, n_iter_,
    gamma_, sample_ids_, certificate_, claim_ : as in `SVR`

    Where no support vector is free the offset is the middle of an interval, as in libsvm; with
    nu=1 that interval has one end, which is taken. The free support vectors lie on the boundary
    itself: decision values within 1e-9 of it (times the offset, if that is above 1) are given
    as 0, and count as inside, so that rounding does not decide about them.

    Source: Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, "Estimating the support of a
    high-dimensional distribution", Neural Computation 13 (2001).

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [-0.1], [0.2], [5.0]])
    >>> model = OneClassSVM(gamma=1.0, nu=0.3).fit(X)
    >>> model.forget([1]).predict([[0.0], [9.0]])
    array([ 1, -1])
    """

    _numbers: ClassVar = {"nu": (0.0, True)}

    def __init__(
        self,
        *,
        kernel: str | Callable[[Any, Any], Any] = "rbf",
        degree: int = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        nu: float = 0.5,
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
        self.nu = nu
        self.statistics = statistics
        self.tol = tol
        self.max_iter = max_iter
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X (n, d); y is not used. Returns self."""
        return self._learned_first(X, y, sample_weight, sample_ids)

    def partial_fit(
        self, X: Any, y: Any = None, sample_ids: Any = None, sample_weight: Any = None
    ) -> Self:
        """Insert rows, exactly: as if they had stood behind the others at the fit; returns self."""
        if not hasattr(self, "dual_coef_"):
            return self.fit(X, y, sample_weight=sample_weight, sample_ids=sample_ids)
        return self._learned_more(X, y, sample_weight, sample_ids)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return how far inside each row is: (m,), 0 on the boundary, negative outside."""
        values = self._values(X)[:, 0]
        near = 1e-9 * max(1.0, abs(float(self.offset_[0])))
        inside: NDArray[np.float64] = np.where(np.abs(values) <= near, 0.0, values)
        return inside

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return the decision values without the offset: (m,)."""
        scores: NDArray[np.float64] = self.decision_function(X) + self.offset_
        return scores

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for each row inside or on the boundary, -1 for each outside: (m,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _dual(self, params: Mapping[str, Any]) -> Dual:
        return OneClass(params["nu"])

    def _learnable(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        x = checked.rows_alone(self, X, reset=reset)
        return x, np.zeros(len(x))

    def _shown(self, found: list[float]) -> None:
        self.offset_ = np.array(found)
