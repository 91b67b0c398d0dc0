"""Fitted scikit-learn machines taken over: checked first, then solved to the last digit."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import svm
from sklearn.utils.validation import check_is_fitted

from unteach.core import BadInput

from .._machine.blas_threads import one_thread
from .._machine.gram import symmetric
from .._solver.qp import Vector
from ..kernels import Kernel
from . import data_statistics as constants
from . import validation as checked
from .data_statistics import Constants

Array = NDArray[Any]
_LOOSE = 1e-6  # libsvm predicts in float64; what is further off was fitted on other rows


class Imports:
    """Adds `from_sklearn` to a kernel machine of the same name as scikit-learn's."""

    @classmethod
    @one_thread
    def from_sklearn(
        cls, fitted: Any, X: Any, y: Any = None, sample_weight: Any = None, sample_ids: Any = None
    ) -> Self:
        """Return this machine from a fitted scikit-learn one and the rows it was fitted on.

        First its decision function is computed anew from its weights and compared with its
        own: rows, labels or a kernel that are not those of its fit are refused with
        `BadInput`. Then its solution (good to its tol, 1e-3 by default) is the start of an
        exact solve. Kernel width and class weights are the numbers that it has, and frozen.

        Parameters
        ----------
        fitted : `sklearn.svm` SVC, NuSVC, SVR, NuSVR or OneClassSVM, as this class is called
        X, y, sample_weight : what it was fitted on, in the same order
        sample_ids : (n,) ids for the rows, row numbers if None

        Examples
        --------
        >>> from unteach.kernel import SVR
        >>> X, y = np.arange(6.0).reshape(-1, 1), np.array([0.0, 1.0, 2.0, 2.0, 4.0, 5.0])
        >>> theirs = svm.SVR(C=10.0).fit(X, y)
        >>> ours = SVR.from_sklearn(theirs, X, y)
        >>> bool(abs(ours.predict(X) - theirs.predict(X)).max() < 1e-2)
        True
        """
        name = cls.__name__
        if not isinstance(fitted, getattr(svm, name)):
            raise BadInput(f"{name}.from_sklearn takes a sklearn.svm.{name}, got {fitted!r}")
        check_is_fitted(fitted)
        model: Any = cls(**_settings(cls, fitted))
        params = _params(model)
        x, labels = _rows(model, X, y)
        weights = checked.weights(sample_weight, len(x))
        ids = model._checked_ids(sample_ids, len(x)).copy()
        given = symmetric(x) if params["kernel"] == "precomputed" else None
        kernel, told = _kernel(fitted, params)
        support = np.asarray(fitted.support_, dtype=np.int64)
        _compare(fitted, kernel, x, labels, support, X)
        class_weight = np.array(getattr(fitted, "class_weight_", np.ones(1)), dtype=np.float64)
        balanced = isinstance(params.get("class_weight"), str)
        shown = ", ".join(f"{w:.4g}" for w in class_weight)
        told += [f"class weights {shown} from all fitted rows"] if balanced else []
        fixed = Constants(kernel, class_weight, tuple(told))
        x = x[:, :0].copy() if given is not None else x
        starts = _starts(fitted, labels, support)
        if hasattr(model, "_machine_of"):
            classes, codes = checked.classes_and_codes(labels, weights > 0)
            machine = model._machine_of(params, fixed, x, codes, weights, given).learned(starts)
            model._adopt(params, fixed, machine, labels, weights, ids, classes, given=())
            return model  # type: ignore[no-any-return]
        made = model._parts_of(params, fixed, x, labels, weights, given)
        begin = {}
        for first, second, rows in made.tasks():
            target = np.where(made.codes[rows] == first, 1.0, -1.0)
            part = made.dual.start(starts[first, second][rows], target, made.bounds[rows])
            variables = np.zeros((made.dual.copies, len(ids)))
            variables[:, rows] = part.reshape(made.dual.copies, -1)
            begin[first, second] = variables, None
        model._adopt(params, fixed, made.learned(begin), labels, weights, ids, given=())
        return model  # type: ignore[no-any-return]


def _settings(cls: Any, fitted: Any) -> dict[str, Any]:
    """Return the parameters of ours that theirs has; the solver's own are left as ours are."""
    ours, theirs = cls().get_params(deep=False), fitted.get_params(deep=False)
    own = ("tol", "max_iter", "cache_size", "probability", "random_state", "verbose")
    return {k: v for k, v in theirs.items() if k in ours and k not in own}


def _params(model: Any) -> dict[str, Any]:
    if hasattr(model, "_checked_params"):
        return dict(model._checked_params())
    return constants.checked(model.get_params(deep=False))


def _rows(model: Any, X: Any, y: Any) -> tuple[Array, Array]:
    if hasattr(model, "_learnable"):
        x, labels = model._learnable(X, y, reset=True)
        return x, labels
    return checked.rows_and_labels(model, X, y, reset=True)


def _kernel(fitted: Any, params: dict[str, Any]) -> tuple[Kernel, list[str]]:
    """Return the kernel with the number that the fit used, and what of it came from data."""
    if callable(params["kernel"]):
        return Kernel("callable", function=params["kernel"]), []
    gamma = float(fitted._gamma)
    kernel = Kernel(params["kernel"], gamma, int(params["degree"]), float(params["coef0"]))
    if not kernel.uses_gamma:
        return Kernel(kernel.name, 1.0, kernel.degree, kernel.coef0), []
    scaled = params["gamma"] == "scale"
    return kernel, [f"gamma={gamma:.4g} from all fitted rows"] if scaled else []


def _dense(fitted: Any) -> tuple[Array, Array, Array]:
    """Return dual coefficients and intercepts in libsvm's signs, and the support vectors."""
    parts = [
        part.toarray() if hasattr(part, "toarray") else part
        for part in (fitted.dual_coef_, fitted.intercept_, fitted.support_vectors_)
    ]
    sign = -1.0 if len(getattr(fitted, "classes_", ())) == 2 else 1.0
    return sign * parts[0], sign * parts[1], parts[2]


def _starts(fitted: Any, labels: Array, support: Array) -> dict[tuple[int, int], Vector]:
    """Return for each pair of classes (or the only part) the weight of each row: (n,)."""
    dual, _, _ = _dense(fitted)
    n = len(labels)
    if not hasattr(fitted, "classes_"):
        only = np.zeros(n)
        only[support] = dual[0]
        return {(0, 1): only}
    codes = checked.codes_among(np.asarray(fitted.classes_), labels)[support]
    out = {}
    k = len(fitted.classes_)
    for i in range(k):
        for j in range(i + 1, k):
            whole = np.zeros(n)
            whole[support[codes == i]] = dual[j - 1, codes == i]
            whole[support[codes == j]] = dual[i, codes == j]
            out[i, j] = whole
    return out


def _compare(fitted: Any, kernel: Kernel, x: Array, labels: Array, support: Array, X: Any) -> None:
    """Refuse rows, labels or a kernel with which the weights do not say what the machine says."""
    _, intercept, vectors = _dense(fitted)
    precomputed = kernel.name == "precomputed"
    if len(support) and support.max() >= len(x):
        raise BadInput(f"support_ names row {support.max()}, and X has {len(x)} rows")
    if not precomputed and not np.array_equal(x[support], vectors):
        raise BadInput("the support vectors are not the rows support_ of X; give the X of the fit")
    classes = getattr(fitted, "classes_", None)
    if classes is not None and (checked.codes_among(np.asarray(classes), labels) < 0).any():
        raise BadInput("y holds a label that the machine does not know; give the y of the fit")
    values = x[:, support] if precomputed else kernel.between(x, x[support])
    starts = _starts(fitted, labels, support)
    ours = np.column_stack([values @ w[support] for w in starts.values()]) + intercept
    if classes is None:
        says = fitted.decision_function if hasattr(fitted, "decision_function") else fitted.predict
        theirs = np.asarray(says(X)).reshape(len(x), -1)
    else:
        raw = copy.copy(fitted).set_params(decision_function_shape="ovo")
        theirs = np.asarray(raw.decision_function(X)).reshape(len(x), -1)
        theirs = -theirs if len(classes) == 2 else theirs
    off = float(np.abs(ours - theirs).max())
    if off > _LOOSE * max(1.0, float(np.abs(theirs).max())):
        raise BadInput(
            f"the decision function computed from the imported weights is {off:.2g} away from the "
            "machine's own; X, y and the parameters must be those of its fit"
        )
