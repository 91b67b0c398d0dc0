"""Numbers that are computed from data before the machine is: gamma and class weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from unteach.core import BadInput

from ..kernels import NAMES, Kernel, scale_gamma


class DataDependentStatistics(UserWarning):
    """Numbers computed from all rows, forgotten ones among them, were held fixed."""


@dataclass(frozen=True, eq=False)
class Constants:
    """The kernel with its numbers filled in, and the weight of each class.

    from_data : a phrase for each number that was computed from the rows
    """

    kernel: Kernel
    class_weight: NDArray[np.float64]  # (k,)
    from_data: tuple[str, ...] = ()

    def same_as(self, other: Constants) -> bool:
        """Say whether kernel and class weights are the very same numbers."""
        return self.kernel == other.kernel and np.array_equal(self.class_weight, other.class_weight)


def real(
    name: str, value: Any, *, least: float, open_end: bool = False, infinite: bool = False
) -> float:
    """Return a parameter as a finite float of at least (or above) some number."""
    fine = isinstance(value, (Real, np.number)) and not isinstance(value, bool)
    fine = fine and (math.isfinite(value) or (infinite and value == math.inf))
    fine = fine and (value > least if open_end else value >= least)
    if not fine:
        raise BadInput(
            f"{name} must be a{'' if infinite else ' finite'} number "
            f"{'above' if open_end else 'of at least'} {least:g}, got {value!r}"
        )
    return float(value)


def whole(name: str, value: Any, *, least: int) -> int:
    """Return a parameter as a whole number of at least some number."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise BadInput(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    """Return a parameter that is one of a few words."""
    if not isinstance(value, str) or value not in known:
        raise BadInput(f"{name} must be one of {known}, got {value!r}")
    return value


def compute(
    params: Mapping[str, Any],
    x: NDArray[np.float64],
    classes: NDArray[Any],
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Constants:
    """Return the constants of an estimator's parameters on these rows.

    x (n, d), classes (k,), codes (n,), weights (n,): a row of weight w counts as w rows, both
    in gamma="scale" and in class_weight="balanced".
    """
    kernel, phrase = _kernel(params, x, weights)
    from_data = [phrase] if phrase else []
    given = params["class_weight"]
    class_weight = _class_weight(given, classes, codes, weights)
    if isinstance(given, str):
        shown = ", ".join(f"{w:.4g}" for w in class_weight)
        from_data.append(f"class weights {shown} from all fitted rows")
    return Constants(kernel, class_weight, tuple(from_data))


def frozen(
    params: Mapping[str, Any],
    now: Constants,
    classes: NDArray[Any],
    among: NDArray[np.int64],
) -> Constants:
    """Return today's constants for other classes: what came from data stays.

    among : for each of `classes` its number today, -1 if it is new
    """
    given = params["class_weight"]
    if not isinstance(given, str):
        weight = _class_weight(given, classes, among[:0], np.ones(0))
        return Constants(now.kernel, weight, now.from_data)
    if (among < 0).any():
        raise BadInput(
            f"class {classes[among < 0][0]!r} is new, and the class weights are frozen; fit "
            "again, give weights yourself, or choose statistics='follow'"
        )
    return Constants(now.kernel, now.class_weight[among], now.from_data)


def common(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of any machine, those that data cannot change checked.

    Those of scikit-learn's solver that cannot change the answer are accepted, and do nothing.
    """
    words = {"statistics": ("frozen", "follow"), "decision_function_shape": ("ovr", "ovo")}
    for name, known in words.items():
        if name in params:
            one_of(name, params[name], known)
    for name in ("shrinking", "break_ties"):
        if not isinstance(params.get(name, False), (bool, np.bool_)):
            raise BadInput(f"{name} must be True or False, got {params[name]!r}")
    whole("verbose", int(v) if isinstance(v := params["verbose"], (bool, np.bool_)) else v, least=0)
    if params.get("probability", False) not in (False, "deprecated"):
        raise BadInput(
            "probability is deprecated in scikit-learn and not known here, got "
            f"{params['probability']!r}; use CalibratedClassifierCV(model, ensemble=False)"
        )
    try:
        check_random_state(params.get("random_state"))
    except ValueError as error:
        raise BadInput(f"random_state: {error}") from error
    return {
        **params,
        "tol": real("tol", params["tol"], least=0.0, open_end=True),
        "max_iter": whole("max_iter", params["max_iter"], least=-1),
        "cache_size": real("cache_size", params["cache_size"], least=0.0, open_end=True),
    }


def checked(params: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's parameters, those that data cannot change checked."""
    weight = params["class_weight"]
    return {
        **common(params),
        "C": real("C", params["C"], least=0.0, open_end=True, infinite=True),
        "class_weight": dict(weight) if isinstance(weight, Mapping) else weight,
    }


def _kernel(
    params: Mapping[str, Any], x: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Kernel, str]:
    if callable(params["kernel"]):
        return Kernel("callable", function=params["kernel"]), ""
    name = one_of("kernel", params["kernel"], NAMES)
    degree = whole("degree", params["degree"], least=0)
    coef0 = real("coef0", params["coef0"], least=-np.finfo(float).max)
    phrase = ""
    if isinstance(params["gamma"], str):
        how = one_of("gamma", params["gamma"], ("scale", "auto"))
        uses = Kernel(name).uses_gamma
        if not uses:
            gamma = 1.0
        elif how == "auto":
            gamma = 1.0 / x.shape[1]
        else:
            gamma = scale_gamma(x, weights)
            phrase = f"gamma={gamma:.4g} from all fitted rows"
    else:
        gamma = real("gamma", params["gamma"], least=0.0)
    return Kernel(name, gamma, degree, coef0), phrase


def _class_weight(
    given: Any, classes: NDArray[Any], codes: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    if given is None:
        return np.ones(len(classes))
    if isinstance(given, str):
        one_of("class_weight", given, ("balanced",))
        used = codes >= 0
        count = np.bincount(codes[used], weights=weights[used], minlength=len(classes))
        balanced: NDArray[np.float64] = count.sum() / (len(classes) * count)
        return balanced
    if not isinstance(given, Mapping):
        raise BadInput(f"class_weight must be None, 'balanced' or a dict, got {given!r}")
    return np.array(
        [
            real(f"class_weight[{c!r}]", given.get(c, 1.0), least=0.0, open_end=True)
            for c in classes.tolist()
        ]
    )


def refuse_strange_labels(given: Any, classes: NDArray[Any]) -> None:
    """Refuse a class_weight that names a label no row has while leaving a class unnamed.

    That is a misspelt label (scikit-learn refuses the same); one that merely names more
    classes than are left is none.
    """
    if isinstance(given, Mapping):
        strange = [label for label in given if label not in classes.tolist()]
        unnamed = [label for label in classes.tolist() if label not in given]
        if strange and unnamed:
            raise BadInput(
                f"class_weight names {strange}, which no row has, and not {unnamed}; "
                f"the classes are {classes.tolist()}"
            )
