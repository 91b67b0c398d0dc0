"""Ridge regression that forgets by a Cholesky downdate, polished on the rows that are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack, qr, solve_triangular
from sklearn.base import BaseEstimator, RegressorMixin

from unteach.core import (
    BadInput,
    Claim,
    Contents,
    Corrupt,
    Exact,
    Heuristic,
    Keeps,
    NothingLeft,
)

from .training_rows import Held, HoldsRows, as_fitted
from .validation import Floats, positive, read_queries

_EPS = float(np.finfo(np.float64).eps)
_MOST_DOWNDATES = 64
_WORN = 1e-4  # a second polishing step this large beside the first: the factor is worn out


class Ridge(HoldsRows, RegressorMixin, BaseEstimator):
    """Least squares with an L2 penalty on the coefficients, for one target or many.

    Minimizes sum_i w_i (y_i - x_i'b - b0)^2 + alpha b'b; the intercept is not penalized. What is
    kept beside the rows is the triangular factor R with R'R = Z'WZ + alpha I (Z: rows minus
    their weighted mean). `forget` downdates R by one vector a record, in O(d^2), and polishes
    the coefficients on the kept rows, in O(n d). How far the second polishing step shrinks
    measures how good R still is; where it is worn out, as after an outlier that carried most of
    it, R is computed afresh from the kept rows.

    Claims `Exact(atol)`, with atol computed from the data: it bounds how far rounding lets the
    predictions of two fits differ on rows like the training rows. Where atol passes 1e-6 of the
    largest prediction there, the claim is `Heuristic`.

    Parameters
    ----------
    alpha : penalty, at least 0. With 0, features that depend on each other are refused by name.
    fit_intercept : whether there is an intercept

    Attributes
    ----------
    coef_ : (d,) or (t, d) · intercept_ : float or (t,) · sample_ids_ : (n,) · claim_

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = Ridge(alpha=0.0).fit(x, np.array([1.0, 3.0, 5.0, 100.0]))
    >>> model.forget([3]).predict([[10.0]])
    array([21.])

    Sources: Gill, Golub, Murray and Saunders 1974 (method C1) for the downdate; Björck 1987
    for the polishing (corrected seminormal equations).
    """

    _private = ("_held", "_factor")

    def __init__(self, alpha: float = 1.0, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def predict(self, X: Any) -> Floats:
        """Return predictions (m,) or (m, t)."""
        x = read_queries(self, X)
        answers: Floats = x @ self.coef_.T + self.intercept_
        return answers

    def leave_one_out(self) -> Floats:
        """Return y_i minus the prediction for x_i of a model without record i: (n,) or (n, t).

        From one fit: e_i / (1 - h_ii), with the leverage h_ii. Where a record carries so much
        that 1 - h_ii has lost its digits, the model without it is fitted instead.
        """
        self._positions([])  # refuses a model without rows by name
        with as_fitted(self):
            return self._left_out(self._held)

    def _left_out(self, held: Held) -> Floats:
        if len(held.weighing) < 2:
            raise NothingLeft("one record alone cannot be left out")
        positive_total = held.weight.sum()
        centre, _ = self._centres(held)
        z = held.x - centre  # (n, d)
        whitened = solve_triangular(self._factor, z.T, trans="T")  # (d, n)
        leverage = held.weight * np.einsum("dn,dn->n", whitened, whitened)  # (n,)
        if self.fit_intercept:
            leverage = leverage + held.weight / positive_total
        error = held.y - (held.x @ self.coef_.T + self.intercept_)
        room = np.maximum(1.0 - leverage, np.finfo(np.float64).tiny)
        left_out: Floats = (error.T / room).T
        for row in np.flatnonzero(room < 1e-4):
            without = Ridge(self.alpha, self.fit_intercept)
            kept = held.without(np.array([row]))
            without._learn(kept)
            left_out[row] = held.y[row] - (held.x[row] @ without.coef_.T + without.intercept_)
        return left_out

    def keeps(self) -> Keeps:
        """Say what this model holds: all rows, none of them needed to predict."""
        rows = len(self._held) if hasattr(self, "_held") else 0
        factor = ("triangular factor of the scatter",) if hasattr(self, "_factor") else ()
        return Keeps(rows, 0, ("coefficients", *factor))

    def _learn(self, held: Held) -> Claim:
        positive(self, "alpha", zero=True)
        self._factor = self._factored(held)
        _, residual = self._solve(held)
        return self._claim(held, residual)

    def _remove(self, kept: Held, gone: Held) -> Claim:
        return self._moved(kept, gone, -1, kept)

    def _insert(self, held: Held, new: Held) -> Claim:
        return self._moved(held, new, +1, self._held)

    def _moved(self, held: Held, rows: Held, sign: int, rest: Held) -> Claim:
        """Take `rows` out of (-1) or into (+1) the factor; `rest` are all rows but these."""
        few = len(rows) <= _MOST_DOWNDATES and 4 * len(rows) < len(held)
        factor = _rotated(self._factor, self._vectors(rows, rest), sign) if few else None
        if factor is not None:
            self._factor = factor
            worn, residual = self._solve(held)
            if worn < _WORN:
                return self._claim(held, residual)
        return self._learn(held)

    def _vectors(self, rows: Held, rest: Held) -> Floats:
        """Return the vectors whose outer products are what `rows` add to the scatter: (k, d)."""
        root = np.sqrt(rows.weight)[:, None]
        if not self.fit_intercept:
            plain: Floats = root * rows.x
            return plain
        heavy, rest_weight = rows.weight.sum(), rest.weight.sum()
        if heavy == 0:
            return np.zeros((0, rows.x.shape[1]))
        mean, _ = self._centres(rows)
        rest_mean, _ = self._centres(rest)
        between = np.sqrt(heavy * rest_weight / (heavy + rest_weight)) * (mean - rest_mean)
        within = root * (rows.x - mean) if len(rows) > 1 else rows.x[:0]
        return np.vstack([between, within])

    def _centres(self, held: Held) -> tuple[Floats, Floats]:
        """Return the weighted means of x (d,) and y (t,), or zeros without an intercept."""
        y = held.y.reshape(len(held), -1)  # (n, t)
        if not self.fit_intercept:
            return np.zeros(held.x.shape[1]), np.zeros(y.shape[1])
        means = []
        for values in (held.x, y):
            mean = np.average(values, axis=0, weights=held.weight)
            # once more, from closer by: a common offset then costs no digits
            means.append(mean + np.average(values - mean, axis=0, weights=held.weight))
        return means[0], means[1]

    def _factored(self, held: Held) -> Floats:
        """Return R (d, d) with R'R = Z'WZ + alpha I, by orthogonal factorization of the rows."""
        centre, _ = self._centres(held)
        features = held.x.shape[1]
        z = np.sqrt(held.weight)[:, None] * (held.x - centre)  # (n, d)
        penalty = np.sqrt(float(self.alpha)) * np.eye(features)
        stacked = np.vstack([z, penalty])  # (n + d, d)
        factor: Floats = np.triu(qr(stacked, mode="r", check_finite=False)[0][:features])
        factor *= np.where(np.diag(factor) < 0, -1.0, 1.0)[:, None]
        spread = np.sqrt(np.sum(stacked**2, axis=0))
        pivot = np.abs(np.diag(factor))
        lost = np.flatnonzero(pivot <= 16 * max(stacked.shape) * _EPS * spread)
        if len(lost):
            named = getattr(self, "feature_names_in_", None)
            which = int(lost[0]) if named is None else repr(str(named[lost[0]]))
            raise BadInput(
                f"feature {which} is constant or a combination of those before it ({len(held)} "
                f"records, {features} features), and alpha={self.alpha} does not decide between "
                "them: raise alpha or drop the feature"
            )
        return factor

    def _solve(self, held: Held) -> tuple[float, float]:
        """Set the polished coefficients; return how slowly polishing shrank, and the residual."""
        centre, target = self._centres(held)
        y = held.y.reshape(len(held), -1) - target  # (n, t)
        z = held.x - centre  # (n, d)
        coef = np.zeros((held.x.shape[1], y.shape[1]))  # (d, t)
        residual, lengths, worn = y, [np.inf], 0.0
        for _ in range(8):
            gradient = z.T @ (held.weight[:, None] * residual) - self.alpha * coef
            half = solve_triangular(self._factor, gradient, trans="T", check_finite=False)
            step = solve_triangular(self._factor, half, check_finite=False)
            length = float(np.linalg.norm(half))
            if len(lengths) == 2 and lengths[1] > 0:
                worn = length / lengths[1]
            if length >= 0.5 * lengths[-1]:
                break  # only rounding is left
            coef = coef + step
            residual = y - z @ coef
            lengths.append(length)
            if length <= _EPS * lengths[1]:
                break
        single = held.y.ndim == 1
        self.coef_ = coef[:, 0] if single else np.ascontiguousarray(coef.T)
        intercept = target - centre @ coef
        self.intercept_ = float(intercept[0]) if single else intercept
        return worn, float(np.sqrt(np.sum(held.weight[:, None] * residual**2)))

    def _claim(self, held: Held, residual: float) -> Claim:
        """Return the claim that rounding allows; of many targets the smallest must bear it."""
        said = np.abs(held.x @ self.coef_.T + self.intercept_).reshape(len(held), -1)
        return within(self._open(held, residual), float(said.max(axis=0).min()))

    def _open(self, held: Held, residual: float) -> float:
        """Return how far rounding leaves predictions open (Higham 2002, 20.1, in R's norm)."""
        length = np.sqrt(np.sum(self._factor**2, axis=0))  # (d,)
        reciprocal, info = lapack.dtrcon(np.asfortranarray(self._factor / length))
        condition = 1.0 / max(float(reciprocal), _EPS) if info == 0 else 1.0 / _EPS
        coef = np.abs(self.coef_.reshape(-1, len(length)))  # (t, d)
        reach = length + np.max(np.abs(held.x), axis=0)  # in the fit, and in x @ coef
        size = float(np.max(coef @ reach)) + float(np.max(np.abs(held.y)))
        smallest = np.sqrt(np.min(held.weight[held.weight > 0]))
        return float(64 * _EPS * (size + condition * residual) / min(1.0, smallest))

    def _serves(self) -> dict[str, str]:
        return {
            "coef_": "float64 (d) | float64 (t, d)",
            "intercept_": "float64 () | float64 (t)",
        }

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        config, arrays = super()._state(serving)
        return config, {**arrays, "factor": self._factor} if "ids" in arrays else arrays

    def _restore(self, config: Any, arrays: Any) -> None:
        super()._restore(config, arrays)
        if np.ndim(self.intercept_) != self.coef_.ndim - 1:
            raise Corrupt("there is not one intercept a target")

    def _derived(self, rows: Held, held: Contents) -> Claim:
        if self.coef_.ndim != rows.y.ndim or np.ndim(self.intercept_) != rows.y.ndim - 1:
            raise Corrupt("the coefficients are not for as many targets as the rows have")
        positive(self, "alpha", zero=True)
        read, told = (self.coef_, self.intercept_), self.predict(rows.x)
        self._factor, fresh = held.array("factor", "float64 (d, d)"), self._factored(rows)
        beside = solve_triangular(fresh, self._factor.T, trans="T")  # the identity, if they agree
        if not np.abs(beside - np.eye(len(fresh))).max() <= _WORN:
            self._factor = fresh
        _, residual = self._solve(rows)
        claim, apart = self._claim(rows, residual), np.abs(self.predict(rows.x) - told).max()
        most = rounded_up(self._open(rows, residual))
        self.coef_, self.intercept_ = read
        if not apart <= most:
            raise Corrupt(f"the predictions are {apart:g} from those that the rows in it give")
        return claim

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


LARGEST = 1e-6
"""Share of the largest output beyond which a tolerance is no exactness."""


def within(bound: float, largest: float, least: float = 1e-12) -> Claim:
    """Return what may be claimed of outputs that rounding leaves open by a bound.

    Parameters
    ----------
    bound : at least 0, or not finite
    largest : absolute output on the rows that are held
    least : smallest tolerance that is claimed, where the outputs bear it

    >>> str(within(3e-9, 2.0)), within(2.0, 2.0)
    ('exact (within 1e-08)', Heuristic(because='rounding leaves the outputs open within 2, and the
    largest is 2; scale or centre the features'))
    """
    most = LARGEST * largest
    if not bound <= most:
        return Heuristic(
            f"rounding leaves the outputs open within {bound:.3g}, and the largest is "
            f"{largest:.3g}; scale or centre the features"
        )
    return Exact(atol=min(rounded_up(bound, least), most))


def rounded_up(bound: float, least: float = 1e-12) -> float:
    """Return the power of ten that is at least `bound` and at least `least`.

    >>> rounded_up(3e-9)
    1e-08
    """
    return float(f"1e{int(np.ceil(np.log10(max(bound, least)) - 1e-9))}")


def _rotated(factor: Floats, vectors: Floats, sign: int) -> Floats | None:
    """Return R with R'R + sign * V'V for the rows of V, or None where digits would be lost."""
    for vector in vectors:  # (d,)
        v = solve_triangular(factor, vector, trans="T", check_finite=False)
        after = 1.0 + sign * np.cumsum(v * v)  # (d,)
        if after[-1] < 1e-4:
            return None
        before = np.concatenate([[1.0], after[:-1]])
        below = np.cumsum((v[:, None] * factor)[::-1], axis=0)[::-1]  # rows j and later
        below = np.vstack([below[1:], np.zeros(len(v))])
        diagonal = np.sqrt(after / before)
        off = sign * v / np.sqrt(after * before)
        factor = np.triu(diagonal[:, None] * factor + off[:, None] * below)
    return factor
