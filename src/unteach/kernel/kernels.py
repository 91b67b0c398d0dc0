"""Kernels: how alike two rows are, in float64, each pair evaluated by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unteach.core import BadInput

from ._machine.gram import symmetric
from ._solver.ordered_sums import dot, squared_distance

NAMES = ("linear", "poly", "rbf", "sigmoid", "precomputed")
_LINEAR, _POLY, _RBF, _SIGMOID = range(4)
_CODES = {"linear": _LINEAR, "poly": _POLY, "rbf": _RBF, "sigmoid": _SIGMOID}


@njit(cache=True)
def _fill(
    x: Any, z: Any, out: Any, code: int, gamma: float, coef0: float, degree: int, same: bool
) -> None:
    for i in range(x.shape[0]):
        for j in range(i + 1 if same else z.shape[0]):
            if code == _RBF:
                value = math.exp(-gamma * squared_distance(x[i], z[j]))
            else:
                value = dot(x[i], z[j])
                if code == _POLY:
                    base = gamma * value + coef0
                    value = 1.0
                    for _ in range(degree):
                        value *= base
                elif code == _SIGMOID:
                    value = math.tanh(gamma * value + coef0)
            out[i, j] = value
            if same:
                out[j, i] = value


@dataclass(frozen=True)
class Kernel:
    """A kernel with its numbers filled in.

    An entry depends on its two rows alone, to the last bit: neither the other rows nor their
    number changes it, and k(x, z) is k(z, x). (A callable is responsible for itself.)

    Parameters
    ----------
    name : "linear" x'z, "poly" (gamma x'z + coef0)^degree, "rbf" exp(-gamma |x-z|^2),
        "sigmoid" tanh(gamma x'z + coef0), "precomputed", or "callable"
    gamma : at least 0
    degree : whole number, at least 0
    coef0 : finite
    function : for "callable": function(X, Z) -> (n, m), like scikit-learn's

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> Kernel("rbf", gamma=0.5).gram(x)
    array([[1.        , 0.36787944],
           [0.36787944, 1.        ]])
    """

    name: str = "rbf"
    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0
    function: Callable[[Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        if self.name not in (*NAMES, "callable"):
            raise BadInput(f"no kernel {self.name!r}; there are {NAMES}, or give a function")
        if (self.name == "callable") != (self.function is not None):
            raise BadInput("a function goes with the kernel 'callable', and only with it")
        if not (math.isfinite(self.gamma) and self.gamma >= 0):
            raise BadInput(f"gamma must be finite and at least 0, got {self.gamma!r}")
        if not math.isfinite(self.coef0):
            raise BadInput(f"coef0 must be finite, got {self.coef0!r}")
        if isinstance(self.degree, bool) or int(self.degree) != self.degree or self.degree < 0:
            raise BadInput(f"degree must be a whole number of at least 0, got {self.degree!r}")

    @property
    def definite(self) -> Literal["always", "unknown"]:
        """Whether every Gram matrix of this kernel is positive semidefinite by theory."""
        known = self.name in ("linear", "rbf") or (self.name == "poly" and self.coef0 >= 0)
        return "always" if known else "unknown"

    @property
    def uses_gamma(self) -> bool:
        """Whether gamma enters this kernel."""
        return self.name in ("poly", "rbf", "sigmoid")

    def gram(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return k of every pair of rows of x: (n, d) -> (n, n), exactly symmetric."""
        value = self._evaluate(x, x, same=True)
        return value if self.function is None else symmetric(value)

    def between(self, x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return k of every row of x with every row of z: (n, d), (m, d) -> (n, m)."""
        return self._evaluate(x, z, same=False)

    def _evaluate(self, x: Any, z: Any, *, same: bool) -> NDArray[np.float64]:
        if self.name == "precomputed":
            raise BadInput("a precomputed kernel has no rows to compare; hand in its values")
        shape = (x.shape[0], z.shape[0])
        if self.function is not None:
            value = self.function(x, z)
            value = value.toarray() if hasattr(value, "toarray") else value
            try:
                value = np.array(value, dtype=np.float64, order="C")
            except (ValueError, TypeError) as error:
                raise BadInput(f"the kernel function returned no numbers: {error}") from error
            if value.shape != shape:
                raise BadInput(f"the kernel function returned shape {value.shape}, not {shape}")
            if not np.isfinite(value).all():
                raise BadInput("the kernel function returned NaN or infinity")
            return value
        out = np.empty(shape)  # (n, m)
        _fill(x, z, out, _CODES[self.name], self.gamma, self.coef0, int(self.degree), same)
        if not np.isfinite(out).all():
            raise BadInput(
                "The dual coefficients or intercepts are not finite: the "
                f"{self.name} kernel overflows on this data; scale the features, or make gamma "
                "or degree smaller"
            )
        return out


def scale_gamma(x: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return gamma="scale": 1 / (d * variance of all entries of x), 1 where nothing varies.

    A row of weight w counts as w rows, so that weights and repetitions agree (scikit-learn
    leaves weights out here). With equal weights it is scikit-learn's number to the last bit.

    >>> scale_gamma(np.array([[0.0], [2.0]]), np.ones(2))
    1.0
    """
    used = weights > 0
    if not used.all():
        x, weights = x[used], weights[used]
    if (weights == weights[0]).all():
        variance = float(x.var())
    else:
        share = weights / weights.sum()
        mean = float((share @ x).mean())
        variance = float((share @ (x - mean) ** 2).mean())
    return 1.0 / (x.shape[1] * variance) if variance != 0 else 1.0
