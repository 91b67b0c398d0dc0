"""Exact sums: sums of floats that do not round, so that taking a row out leaves no trace of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Contents, Corrupt

Floats = NDArray[np.float64]

_BITS = 32
_LOWEST = 1126  # a float64 is m * 2**p with whole |m| < 2**53 and p >= -1126
_DIGITS = 70  # (1126 + 1024 + carries) / 32, rounded up
_MASK = (1 << _BITS) - 1
_LARGEST, _LARGEST_WEIGHT = 1e140, 1e10
_SPLIT = 134217729.0  # 2**27 + 1, Dekker's constant


class ExactSums:
    """Many sums of float64 values side by side, each exact, whatever is added or taken out.

    A sum is a whole number of 70 digits to the base 2**32, in units of 2**-1126, the smallest
    that a float64 needs; adding a value adds its bits to two or three digits. Digits are never
    rounded or carried, so that they are the same whatever the order and the history: after a
    value was taken out, no digit knows of it. At most 2**30 values can be added to one sum.

    Parameters
    ----------
    size : number of sums

    Examples
    --------
    >>> sums = ExactSums(1)
    >>> sums.add(np.array([[1e300], [1.0], [1e-300]]))
    >>> sums.take(np.array([[1e300]]))
    >>> float(sums.values()[0])
    1.0

    Source: the long accumulator of Kulisch (2013), kept carry-free in int64.
    """

    def __init__(self, size: int) -> None:
        self.digits = np.zeros((size, _DIGITS), dtype=np.int64)  # (size, 70)

    def add(self, values: Floats) -> None:
        """Add values (n, size), row by row, to the sums."""
        self._shift(values, 1)

    def take(self, values: Floats) -> None:
        """Take out values (n, size) that had been added."""
        self._shift(values, -1)

    def _shift(self, values: Floats, sign: int) -> None:
        step = max(1, 2**18 // max(1, self.digits.shape[0]))
        for start in range(0, len(values), step):
            self._shift_some(values[start : start + step], sign)

    def _shift_some(self, values: Floats, sign: int) -> None:
        fraction, power = np.frexp(values)  # (n, size)
        whole = (fraction * 2.0**53).astype(np.int64)
        at = power.astype(np.int64) - 53 + _LOWEST
        digit, shift = at // _BITS, at % _BITS
        sign_of = np.where(whole < 0, -sign, sign).astype(np.int64)
        whole = np.abs(whole)
        low = (whole & _MASK) << shift
        high = (whole >> _BITS) << shift
        flat = self.digits.reshape(-1)
        here = np.arange(values.shape[1], dtype=np.int64) * _DIGITS + digit
        np.add.at(flat, here.ravel(), (sign_of * (low & _MASK)).ravel())
        middle = sign_of * ((low >> _BITS) + (high & _MASK))
        np.add.at(flat, (here + 1).ravel(), middle.ravel())
        np.add.at(flat, (here + 2).ravel(), (sign_of * (high >> _BITS)).ravel())

    def whole(self) -> list[int]:
        """Return the sums as whole numbers of 2**-1126."""
        used = np.flatnonzero(self.digits.any(axis=0))
        rows = self.digits[:, used].tolist()
        shifts = [_BITS * int(u) for u in used]
        return [sum(d << s for d, s in zip(row, shifts, strict=True) if d) for row in rows]

    def values(self) -> list[Fraction]:
        """Return the sums as fractions."""
        return [Fraction(w, 1 << _LOWEST) for w in self.whole()]


class Moments:
    """Weight, mean and variance of the columns of some rows, from exact sums.

    Rows can be added and taken out in any order; mean and variance are rounded once, from the
    exact sums, so that the same rows give the same bits whatever happened before. With weights
    the products of a weight and a square are taken to twice the usual precision.

    Examples
    --------
    >>> m = Moments(1)
    >>> m.add(np.array([[1e6], [1.0], [3.0]]), np.ones(3))
    >>> m.take(np.array([[1e6]]), np.ones(1))
    >>> m.mean(), m.variance()
    (array([2.]), array([1.]))
    """

    def __init__(self, features: int) -> None:
        self.weights = ExactSums(1)
        self.sums = ExactSums(features)
        self.squares = ExactSums(features)

    def add(self, x: Floats, weight: Floats) -> None:
        """Add rows x (n, d) with weights (n,)."""
        for sums, values in self._terms(x, weight):
            sums.add(values)

    def take(self, x: Floats, weight: Floats) -> None:
        """Take out rows that had been added with these weights."""
        for sums, values in self._terms(x, weight):
            sums.take(values)

    def _terms(self, x: Floats, weight: Floats) -> list[tuple[ExactSums, Floats]]:
        largest = float(np.max(np.abs(x), initial=0.0))
        if largest > _LARGEST or np.max(weight, initial=0.0) > _LARGEST_WEIGHT:
            raise BadInput(
                f"values up to {largest:g} with weights up to {np.max(weight):g} are too large "
                f"for their squares to be summed exactly (limits {_LARGEST:g} and "
                f"{_LARGEST_WEIGHT:g}); scale the features"
            )
        scale = weight[:, None]  # (n, 1)
        with np.errstate(under="ignore"):
            square, rest = _product(x, x)
            if np.all(weight == 1):  # the same terms, fewer of them
                squares = [square, rest]
                sums = [x]
            else:
                squares = [*_product(scale, square), scale * rest]
                sums = [*_product(scale, x)]
        return [
            (self.weights, scale),
            *((self.sums, values) for values in sums),
            *((self.squares, values) for values in squares),
        ]

    def whole(self) -> tuple[int, list[int], list[int]]:
        """Return weight, sums and squares as whole numbers of 2**-1126."""
        return self.weights.whole()[0], self.sums.whole(), self.squares.whole()

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Return the digits, to be saved."""
        return {name: getattr(self, name).digits for name in ("weights", "sums", "squares")}

    @classmethod
    def of(cls, held: Contents) -> Moments:
        """Return the moments whose `arrays` a file holds."""
        digits = {name: held.array(name, f"int64 (d, {_DIGITS})") for name in ("sums", "squares")}
        digits["weights"] = held.array("weights", f"int64 (1, {_DIGITS})")
        self = cls(held.sizes["d"])
        for name, values in digits.items():
            getattr(self, name).digits = values
        if self.weights.whole()[0] <= 0:
            raise Corrupt("the weights in the file do not add up to more than zero")
        return self

    def weight(self) -> float:
        """Return the sum of the weights."""
        return _ratio(self.weights.whole()[0], 1 << _LOWEST)

    def mean(self) -> Floats:
        """Return the mean of each column: (d,)."""
        weight, sums, _ = self.whole()
        return np.array([_ratio(s, weight) for s in sums], dtype=np.float64)

    def variance(self) -> Floats:
        """Return the variance of each column, over n rather than n - 1: (d,)."""
        return variance(*self.whole())


def variance(weight: int, sums: list[int], squares: list[int]) -> Floats:
    """Return the variances that belong to whole numbers from `Moments.whole`: (d,)."""
    spread = [max(0, q * weight - s * s) for s, q in zip(sums, squares, strict=True)]
    return np.array([_ratio(v, weight * weight) for v in spread], dtype=np.float64)


def _ratio(above: int, below: int) -> float:
    return above / below  # of two whole numbers: rounded once, correctly


def _product(a: Any, b: Any) -> tuple[Floats, Floats]:
    """Return the rounded product and what rounding lost (Dekker 1971)."""
    product = a * b
    a_high = _SPLIT * a - (_SPLIT * a - a)
    b_high = _SPLIT * b - (_SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, rest
