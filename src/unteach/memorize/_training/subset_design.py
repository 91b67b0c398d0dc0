"""The design: which records each model is trained on, and with which seed, by its number alone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, stream

Kind = Literal["balanced", "bernoulli"]
_MOST = 100  # models in a block


@dataclass(frozen=True)
class Design:
    """Random subsets of n records, as a function of (seed, number of the model).

    - "balanced": models come in blocks, and in each block every record is in the same number of
      models: for p = 1/2 in pairs of complementary halves, for p = 7/10 in blocks of ten of which
      seven hold it. Each subset by itself is uniform among those of its size, p n rounded down
      or up.
    - "bernoulli": every record is in every subset with probability p, independently.

    Subsets come from Philox, a counter-based generator: its key is made from the seed, its
    counter is the number of the block, so that any range can be computed anywhere.

    Parameters
    ----------
    n : records, at least 2
    fraction : p as a ratio of whole numbers with a denominator of at most 100, in (0, 1)
    seed : at least 0

    Examples
    --------
    >>> halves = Design(5, Fraction(1, 2), seed=0).members(0, 2)
    >>> halves.sum(axis=0), Design(5, Fraction(1, 2), seed=0).block
    (array([1, 1, 1, 1, 1]), 2)
    """

    n: int
    fraction: Fraction
    seed: int
    kind: Kind = "balanced"

    def __post_init__(self) -> None:
        if self.n < 2:
            raise BadInput(f"subsets need at least 2 records, got {self.n}")
        if self.kind not in ("balanced", "bernoulli"):
            raise BadInput(f'the design is "balanced" or "bernoulli", got {self.kind!r}')

    @property
    def block(self) -> int:
        """How many models belong together: the number of models is a multiple of it."""
        return self.fraction.denominator if self.kind == "balanced" else 1

    def sizes(self) -> dict[int, float]:
        """Return the sizes of the balanced subsets, and how often each occurs."""
        sizes = [self._window(j)[1] - self._window(j)[0] for j in range(self.block)]
        return {size: sizes.count(size) / len(sizes) for size in sorted(set(sizes))}

    def members(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which records models first to last - 1 are trained on: (last - first, n)."""
        rows = np.zeros((last - first, self.n), dtype=np.bool_)
        if self.kind == "bernoulli":
            limit = np.uint64(min(float(self.fraction) * 2.0**64, 2.0**64 - 2048))
            for model in range(first, last):
                rows[model - first] = self._words("members", model) < limit
            return rows
        for block in range(first // self.block, -(-last // self.block)):
            order = np.argsort(self._words("members", block), kind="stable")
            for j in range(self.block):
                model = block * self.block + j
                if first <= model < last:
                    start, end = self._window(j)
                    rows[model - first, order[np.arange(start, end) % self.n]] = True
        return rows

    def seeds(self, first: int, last: int) -> NDArray[np.uint64]:
        """Return the seed of each model: (last - first,) uint64 (splitmix64 of its number)."""
        key = self._key("seeds")[0]
        with np.errstate(over="ignore"):
            z = key + np.arange(first + 1, last + 1, dtype=np.uint64) * np.uint64(
                0x9E3779B97F4A7C15
            )
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
        return mixed

    def _window(self, j: int) -> tuple[int, int]:
        a, b = self.fraction.numerator, self.fraction.denominator
        return j * self.n // b, (j + a) * self.n // b

    def _key(self, what: str) -> NDArray[np.uint64]:
        part = f"{self.kind} {self.fraction}"
        words: Any = stream(self.seed, "memories", what, part).bit_generator
        return np.asarray(words.random_raw(2), dtype=np.uint64)

    def _words(self, what: str, counter: int) -> NDArray[np.uint64]:
        philox = np.random.Philox(key=self._key(what), counter=[0, 0, 0, counter])
        return np.asarray(philox.random_raw(self.n), dtype=np.uint64)


def as_fraction(p: float) -> Fraction:
    """Return the fraction of records in a subset as a ratio of small whole numbers.

    >>> as_fraction(0.7)
    Fraction(7, 10)
    """
    numbers = (int, float, Fraction, np.floating)
    if isinstance(p, bool) or not isinstance(p, numbers) or not 0 < p < 1:
        raise BadInput(f"fraction lies strictly between 0 and 1, got {p!r}")
    near = Fraction(float(p)).limit_denominator(_MOST)
    if abs(float(near) - float(p)) > 1e-9:
        near = min(max(near, Fraction(1, _MOST)), 1 - Fraction(1, _MOST))
        raise BadInput(
            f"fraction {p!r} is no ratio of whole numbers up to {_MOST}; take {float(near)!r} "
            f"({near})"
        )
    return near


def pieces(first: int, last: int, block: int, size: int = 128) -> list[tuple[int, int]]:
    """Cut a range of models into shards of about `size`, each a multiple of `block` long.

    >>> pieces(0, 400, 2)
    [(0, 100), (100, 200), (200, 300), (300, 400)]
    """
    count = max(1, -(-(last - first) // size))
    ends = [first + block * round(k * (last - first) / (count * block)) for k in range(count + 1)]
    ends[-1] = last
    return [(a, b) for a, b in pairwise(ends) if b > a]
