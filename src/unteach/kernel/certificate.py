"""Certificates: how good a solution is, recomputed from scratch after it was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from unteach.core import Claim, Exact, Heuristic

from ._downdate.conditioning import Matrix, Rows, near, of_values
from ._machine.gram import square
from ._solver.qp import QP, Vector, duality_gap, residual


@dataclass(frozen=True)
class Certificate:
    """What was checked about a solution.

    Parameters
    ----------
    kkt_residual : largest violation of any optimality condition, in units of the decision
        function
    objective : of the dual, 1/2 b'Kb - p'b
    duality_gap : primal minus dual objective, 0 at a solution (up to rounding)
    n_free : support vectors strictly between their bounds
    n_bounded : support vectors at their bound C
    n_zero : rows that are no support vectors
    margin : strict complementarity: the smallest of |h| over bounded rows and of the distance
        of a free one to its bounds (as a share of C). Where it is 0 a set could as well have
        been another, and the weights (never the boundary) may not be unique.
    stationary_only : the kernel is not positive semidefinite, and this is a stationary point
        among possibly many
    pairs : with more than two classes one certificate a pair of classes; the numbers above are
        then the worst (residual, gap, margin) and the sums (objective, counts)
    canonical : SHA-256 of the canonical solution, where `canonicalize` has just been called and
        the solution is unique; "" otherwise
    by_evaluation : rows whose condition was checked by a sum in double precision
    by_bound : rows that a bound on rounding keeps clear of the margin, so that theirs holds
    conditioning : how many times an error in the conditions the error of the decision function
        is, at inputs with k(x, x) no larger than that of the rows that may move (an estimate, see
        `conditioning`); inf where it is not known
    error : estimate of that error: the conditioning times the residual, or times the size of
        rounding where that is larger. Two solutions may be twice as far apart.
    scale : largest absolute value of the decision function at the rows; inf where it is not known
    rounding : how far its own sums may be off, see `sums_off`
    """

    kkt_residual: float
    objective: float
    duality_gap: float
    n_free: int
    n_bounded: int
    n_zero: int
    margin: float
    stationary_only: bool
    pairs: tuple[Certificate, ...] = field(default=(), repr=False)
    canonical: str = ""
    by_evaluation: int = 0
    by_bound: int = 0
    conditioning: float = math.inf
    error: float = math.inf
    scale: float = math.inf
    rounding: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as plain values."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "pairs": [c.to_json() for c in self.pairs]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Certificate:
        """Return the certificate that `to_json` wrote."""
        pairs = tuple(cls.from_json(c) for c in data["pairs"])
        may_be_inf = ("margin", "conditioning", "error", "scale", "rounding")
        numbers = {k: float(data[k]) for k in may_be_inf if k in data}
        return cls(**{**data, "pairs": pairs, **numbers})


def certify(
    qp: QP,
    b: Vector,
    rho: float,
    *,
    stationary_only: bool = False,
    gradient: Vector | None = None,
    evaluated: int | None = None,
    block: Callable[[Rows], Matrix] | None = None,
    noise: float | None = None,
    known: float | None = None,
) -> Certificate:
    """Return the certificate of b and rho, with every sum taken afresh.

    gradient : (n,) Kb - p where it is known already
    evaluated : how many rows it is known of in double precision; all if None. The others are
        clear of the margin by more than its rounding.
    block : gives the kernel values among rows, and noise is the size of rounding, where `qp` has
        no Gram matrix of its own
    known : the conditioning of the free rows, where it is known

    >>> from ._solver.qp import classification
    >>> qp = classification(np.eye(2), np.array([1.0, -1.0]), np.full(2, 5.0))
    >>> c = certify(qp, np.array([1.0, -1.0]), 0.0)
    >>> c.kkt_residual, c.objective, c.n_free, c.margin
    (0.0, -1.0, 2, 0.2)
    """
    gradient = qp.gradient(b) if gradient is None else gradient
    width = qp.upper - qp.lower
    used = width > 0
    free = used & (b > qp.lower) & (b < qp.upper)
    bound = used & ~free
    to_bounds = np.minimum(b - qp.lower, qp.upper - b)[free] / width[free]
    margin = min(
        float(np.abs(gradient + rho)[bound].min(initial=np.inf)),
        float(to_bounds.min(initial=np.inf)),
    )
    left = residual(qp, b, rho, gradient)
    amplified = math.inf
    if not stationary_only:
        moving = near(free, used, gradient + rho)
        if known is None or len(moving) > int(free.sum()):
            values = square(qp.gram, moving) if block is None else block(moving)
            known = of_values(values)
        amplified = known
    noise = qp.noise(b) if noise is None else noise
    return Certificate(
        kkt_residual=left,
        objective=float(0.5 * (b @ (gradient - qp.p))),
        duality_gap=duality_gap(qp, b, rho, gradient),
        n_free=int(free.sum()),
        n_bounded=int((bound & (b != 0)).sum()),
        n_zero=int((used & (b == 0)).sum()),
        margin=margin,
        stationary_only=stationary_only,
        by_evaluation=int(used.sum()) if evaluated is None else evaluated,
        by_bound=0 if evaluated is None else int(used.sum()) - evaluated,
        conditioning=amplified,
        error=amplified * max(left, noise),
        scale=float(np.abs(gradient + qp.p + rho)[used].max(initial=0.0)),
        rounding=sums_off(noise, b, float(b.sum())),
    )


def sums_off(noise: float, b: Vector, imbalance: float) -> float:
    """Return how far sums over weights b may be off, from the size of rounding in them.

    imbalance : what their sum is off by. Weights that are so small beside C that they were taken
        for 0 leave one that is larger than rounding, and the function is off by as much.

    >>> sums_off(1e-15, np.array([1.0, -1.0]), 0.0), round(sums_off(1e-15, np.array([1.0]), 1.0), 2)
    (1e-15, 1.13)
    """
    many = max(1, int(np.count_nonzero(b)))
    unseen = 4 * float(np.finfo(float).eps) * float(np.abs(b).max(initial=0.0)) * math.sqrt(many)
    return float(noise * max(1.0, abs(imbalance) / unseen)) if unseen > 0 else noise


LARGEST = 1e-6
"""Share of the largest decision value beyond which a tolerance is no exactness."""


def claimed(certificate: Certificate, given: tuple[str, ...]) -> Claim:
    """Return what may be claimed of a solution; given are numbers from data that were held.

    Exact to 1e-8, or what rounding leaves open; heuristic where that is above LARGEST times the
    largest decision value.
    """
    c = certificate
    if c.stationary_only:
        return Heuristic("stationary point of an indefinite problem")
    most = LARGEST * c.scale
    open_ = max(min(1e-8, most), 100 * c.kkt_residual, 2 * c.error, 2 * c.rounding)
    if open_ > most:
        return Heuristic(
            f"rounding leaves the decision function open within {open_:.3g}, and its values are "
            f"at most {c.scale:.3g}; scale or centre the features"
        )
    return Exact(open_, given=given)


def worst(certificates: Sequence[Certificate]) -> Certificate:
    """Return the certificate of a whole one-vs-one machine from those of its pairs."""
    if len(certificates) == 1:
        return certificates[0]
    return Certificate(
        kkt_residual=max(c.kkt_residual for c in certificates),
        objective=sum(c.objective for c in certificates),
        duality_gap=max(c.duality_gap for c in certificates),
        n_free=sum(c.n_free for c in certificates),
        n_bounded=sum(c.n_bounded for c in certificates),
        n_zero=sum(c.n_zero for c in certificates),
        margin=min(c.margin for c in certificates),
        stationary_only=any(c.stationary_only for c in certificates),
        pairs=tuple(certificates),
        by_evaluation=sum(c.by_evaluation for c in certificates),
        by_bound=sum(c.by_bound for c in certificates),
        conditioning=max(c.conditioning for c in certificates),
        error=max(c.error for c in certificates),
        scale=min(c.scale for c in certificates),
        rounding=max(c.rounding for c in certificates),
    )
