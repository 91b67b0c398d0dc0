"""What a saved model holds, checked as it is taken: types, shapes, ranges, finiteness."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .claims import Certified, Claim, Exact, claim_from
from .errors import Corrupt
from .saved import Saved

WORD = "the file's own word"


class Contents:
    """The settings and arrays of a saved model, each checked as it is taken.

    What is missing or not as it must be raises `Corrupt` with its name. The form of an array is
    its type and its shape, "float64 (k, d)": the first array that has a size says what k is, and
    the others must agree. Types are those of numpy, native; "any"; "labels" (truth values,
    numbers or strings); "classes" (sorted labels, each once); and "ids" (whole numbers or strings,
    each once). Numbers are finite. Of several forms, between bars, the one of as many axes counts.

    >>> held = Contents({"alpha": 1.0}, {"coef": np.zeros((2, 3)), "mean": np.zeros(4)})
    >>> held.array("coef", "float64 (k, d)").shape, held.sizes, held.number("alpha", least=0.0)
    ((2, 3), {'k': 2, 'd': 3}, 1.0)
    >>> held.array("mean", "float64 (d)")
    Traceback (most recent call last):
    ...
    unteach.core.errors.Corrupt: array 'mean' is float64 (4), where float64 (d) is needed, d = 3
    """

    def __init__(
        self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], **sizes: int
    ) -> None:
        self.config, self.arrays, self.sizes = config, arrays, sizes

    @classmethod
    def of(cls, saved: Saved, **sizes: int) -> Contents:
        """Return the contents of a saved model."""
        return cls(saved.config, saved.arrays, **sizes)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def array(
        self, name: str, form: str, *, least: float | None = None, below: float | None = None
    ) -> NDArray[Any]:
        """Return an array of this form; `least` and `below` bound its numbers."""
        if name not in self.arrays:
            raise Corrupt(f"array {name!r} is missing")
        array, forms = self.arrays[name], [re.findall(r"\w+", part) for part in form.split("|")]
        kind, *letters = next((f for f in forms if len(f) == array.ndim + 1), forms[0])
        known = {letter: self.sizes.get(letter) for letter in letters}
        fits = array.ndim == len(letters) and _is_of(array, kind)
        for letter, size in zip(letters, array.shape, strict=False):
            fits &= size == (int(letter) if letter.isdigit() else self.sizes.get(letter, size))
        if not fits:
            sizes = ", ".join(f"{k} = {n}" for k, n in known.items() if n is not None)
            got = f"{array.dtype} ({', '.join(map(str, array.shape))})"
            raise Corrupt(f"array {name!r} is {got}, where {form} is needed{sizes and ', '}{sizes}")
        self.sizes |= {
            letter: size
            for letter, size in zip(letters, array.shape, strict=True)
            if not letter.isdigit()
        }
        array = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        fault = _fault(array, kind, least, below)
        if fault:
            raise Corrupt(f"array {name!r} {fault}")
        return array

    def number(
        self, name: str, *, least: float = -math.inf, most: float = math.inf, endless: bool = False
    ) -> float:
        """Return a number in [least, most]; infinities only where it may be `endless`."""
        value = self._value(name)
        if endless and value in ("inf", "-inf"):
            value = float(value)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not least <= value <= most or not (endless or math.isfinite(value)):
            raise Corrupt(
                f"{name} is {_short(value)}, where a number in [{least}, {most}] is needed"
            )
        return float(value)

    def whole(self, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        """Return a whole number in [least, most]."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Corrupt(
                f"{name} is {_short(value)}, where a whole number in [{least}, {most}] is needed"
            )
        return value

    def text(self, name: str, *known: str) -> str:
        """Return a string, one of those known if any are given."""
        value = self._value(name)
        if not isinstance(value, str) or (known and value not in known):
            raise Corrupt(f"{name} is {_short(value)}, where {known or 'a string'} is needed")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise Corrupt(f"{name} is {_short(value)}, where true or false is needed")
        return value

    def texts(self, name: str, n: int | None = None) -> list[str]:
        """Return a list of (n) strings."""
        value = self._value(name)
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise Corrupt(f"{name} is {_short(value)}, where a list of strings is needed")
        if n is not None and len(value) != n:
            raise Corrupt(f"{name} holds {len(value)} strings, where {n} are needed")
        return value

    def next_id(self) -> int | None:
        """Return the number that the next new row would get; None if the file names none."""
        given = self.config.get("next_id")
        return None if given is None else self.whole("next_id", least=-(2**63))

    def claim(self, name: str = "claim") -> Claim:
        """Return a claim as the file has it: a well-formed one, whatever it is worth."""
        try:
            claim = claim_from(dict(self._value(name)))
            return claim_from({"kind": claim.kind, **vars(claim)})
        except (TypeError, ValueError, AttributeError) as error:
            raise Corrupt(f"{name} is no claim: {error}") from error

    def _value(self, name: str) -> Any:
        if name not in self.config:
            raise Corrupt(f"the setting {name!r} is missing")
        return self.config[name]


def said(claim: Claim) -> Claim:
    """Return a claim that was read from a file and not derived anew, marked as such.

    >>> print(said(Exact(1e-8)))
    exact (within 1e-08, given the file's own word)
    """
    if isinstance(claim, Exact) and WORD not in claim.given:
        return Exact(**{**vars(claim), "given": (*claim.given, WORD)})
    if isinstance(claim, Certified) and WORD not in claim.assumptions:
        return Certified(**{**vars(claim), "assumptions": (*claim.assumptions, WORD)})
    return claim


def _is_of(array: NDArray[Any], kind: str) -> bool:
    named = {"any": "biufcmMSUV", "labels": "biufU", "classes": "biufU", "ids": "iU"}
    if kind not in named:
        return bool(array.dtype.newbyteorder("=") == np.dtype(kind))
    return array.dtype.kind in named[kind] and (
        kind != "ids" or array.dtype.kind == "U" or array.dtype.itemsize == 8
    )


def _fault(array: NDArray[Any], kind: str, least: float | None, below: float | None) -> str:
    """Say what is wrong with the values of an array, or nothing."""
    if array.dtype.kind in "fc" and kind != "any" and not np.isfinite(array).all():
        return "holds NaN or an infinity"
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        return "holds what is neither true nor false"
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        letters = array.reshape(-1).view(np.uint32)
        if letters.max() > 0x10FFFF:
            return "holds what is no character"
    if kind == "classes" and not np.array_equal(array, np.unique(array)):
        return "holds classes that are not sorted, or not each once"
    if kind == "ids" and len(np.unique(array)) != len(array):
        return "names an id twice"
    if array.size and least is not None and array.min() < least:
        return f"holds {array.min()}, where at least {least} is needed"
    if array.size and below is not None and array.max() >= below:
        return f"holds {array.max()}, where less than {below} is needed"
    return ""


def _short(value: Any) -> str:
    return repr(value)[:60]
