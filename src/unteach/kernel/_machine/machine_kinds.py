"""What each machine beyond C-SVC asks for: its program, and what is read from the solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NotConverged

from .._solver.grouped_qp import Program, Rows
from .._solver.qp import Vector

Gram = NDArray[np.float64]


class Dual(Protocol):
    """A kind of machine. `copies` is how many variables a row has."""

    @property
    def copies(self) -> int:
        """Variables a row: all first ones come first, then all second ones."""

    def program(self, gram: Gram, target: Vector, bounds: Vector) -> Program:
        """Return the program over these rows; bounds (n,) are C (or 1) times the weights."""

    def read(self, program: Program, b: Vector, levels: Vector) -> tuple[Vector, float, float]:
        """Return the weights of the rows (n,), the bias, and the number found beside them."""

    def start(self, weights: Vector, target: Vector, bounds: Vector) -> Vector:
        """Return the variables (copies * n,) that weights read elsewhere came from."""


def _two_sided(gram: Gram, p: Vector, bounds: Vector, group: Rows, totals: Vector) -> Program:
    n = len(bounds)
    lower = np.append(np.zeros(n), -bounds)
    upper = np.append(bounds, np.zeros(n))
    return Program(gram, np.tile(np.arange(n), 2), group, p, lower, upper, totals)


def _sides(weights: Vector) -> Vector:
    return np.append(np.maximum(weights, 0.0), np.minimum(weights, 0.0))


@dataclass(frozen=True)
class Tube:
    """Regression in a tube: no cost within epsilon of the target, C a unit outside.

    Smola and Schölkopf, "A tutorial on support vector regression" (2004), (10). Each row has
    a variable in [0, C] that pulls up and one in [-C, 0] that pulls down.

    >>> Tube(0.1).program(np.eye(1), np.array([2.0]), np.ones(1)).p
    array([1.9, 2.1])
    """

    epsilon: float
    copies = 2

    def program(self, gram: Gram, target: Vector, bounds: Vector) -> Program:
        """Return the program: one group, sum 0."""
        p = np.append(target - self.epsilon, target + self.epsilon)
        return _two_sided(gram, p, bounds, np.zeros(len(p), np.int64), np.zeros(1))

    def read(self, program: Program, b: Vector, levels: Vector) -> tuple[Vector, float, float]:
        """Return (weights, bias, epsilon)."""
        return program.spread(b), float(levels[0]), self.epsilon

    def start(self, weights: Vector, target: Vector, bounds: Vector) -> Vector:
        """Return the two sides of the weights."""
        return _sides(weights)


@dataclass(frozen=True)
class NuTube:
    """Regression in a tube so wide that a share of at most nu of the rows is outside.

    Schölkopf et al., "New support vector algorithms", Neural Computation 12 (2000), (28)-(32):
    the upward and the downward pulls sum to half of C nu n each; epsilon comes out.
    """

    nu: float
    copies = 2

    def program(self, gram: Gram, target: Vector, bounds: Vector) -> Program:
        """Return the program: upward and downward pulls are two groups."""
        n = len(target)
        half = min(0.5 * self.nu, 0.5) * float(bounds.sum())
        group = np.repeat(np.array([0, 1]), n)
        totals = np.array([half, -half])
        return _two_sided(gram, np.tile(target, 2), bounds, group, totals)

    def read(self, program: Program, b: Vector, levels: Vector) -> tuple[Vector, float, float]:
        """Return (weights, bias, epsilon)."""
        epsilon = 0.5 * float(levels[0] - levels[1])
        return program.spread(b), float(levels.mean()), max(epsilon, 0.0)

    def start(self, weights: Vector, target: Vector, bounds: Vector) -> Vector:
        """Return the two sides of the weights."""
        return _sides(weights)


@dataclass(frozen=True)
class OneClass:
    """The region that holds most rows: a share of at most nu of them is outside.

    Schölkopf et al., "Estimating the support of a high-dimensional distribution", Neural
    Computation 13 (2001), (12), with the weights not divided by nu n, as in libsvm.
    """

    nu: float
    copies = 1

    def program(self, gram: Gram, target: Vector, bounds: Vector) -> Program:
        """Return the program: one group, sum nu n."""
        n = len(bounds)
        total = min(self.nu * float(bounds.sum()), float(bounds.sum()))
        flat = np.zeros(n)
        return Program(
            gram, np.arange(n), np.zeros(n, np.int64), flat, flat, bounds, np.array([total])
        )

    def read(self, program: Program, b: Vector, levels: Vector) -> tuple[Vector, float, float]:
        """Return (weights, bias, the offset that scikit-learn takes from the scores)."""
        return b, float(levels[0]), -float(levels[0])

    def start(self, weights: Vector, target: Vector, bounds: Vector) -> Vector:
        """Return the weights."""
        return weights


@dataclass(frozen=True)
class NuMargin:
    """Two classes with a margin so wide that a share of at most nu of the rows is within.

    Schölkopf et al., "New support vector algorithms" (2000), (20)-(23): each class's weights
    sum to half of nu n. The solution is divided by the margin found, as in libsvm, so that
    the margin's edges are at -1 and +1. target is +1 or -1.
    """

    nu: float
    copies = 1

    def program(self, gram: Gram, target: Vector, bounds: Vector) -> Program:
        """Return the program: the two classes are two groups."""
        n = len(target)
        positive = target > 0
        half = 0.5 * self.nu * float(bounds.sum())
        reach = min(float(bounds[positive].sum()), float(bounds[~positive].sum()))
        if half > reach * (1 + 1e-12):
            raise BadInput(
                f"nu={self.nu:g} is infeasible: for two classes of total weight "
                f"{bounds[positive].sum():g} and {bounds[~positive].sum():g} it may be at most "
                f"{2 * reach / bounds.sum():.4g}; choose a smaller nu"
            )
        half = min(half, reach)
        return Program(
            gram,
            np.arange(n),
            np.where(positive, 0, 1),
            np.zeros(n),
            np.where(positive, 0.0, -bounds),
            np.where(positive, bounds, 0.0),
            np.array([half, -half]),
        )

    def read(self, program: Program, b: Vector, levels: Vector) -> tuple[Vector, float, float]:
        """Return (weights, bias, margin), the first two divided by the margin."""
        margin = 0.5 * float(levels[1] - levels[0])
        if margin <= 1e6 * program.noise(b):  # about 1e-9 of what the kernel values could give
            raise NotConverged(
                f"nu={self.nu:g} leaves no margin (it is {margin:.2g}): the reduced hulls of the "
                "two classes meet. Raise nu, or choose a kernel that tells the classes apart"
            )
        return b / margin, 0.5 * float(levels.sum()) / margin, margin

    def start(self, weights: Vector, target: Vector, bounds: Vector) -> Vector:
        """Return the weights times the margin, which their sum tells."""
        total = float(np.abs(weights).sum())
        return weights * (self.nu * float(bounds.sum()) / total) if total > 0 else weights
