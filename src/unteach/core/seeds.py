"""Randomness is an argument: one seed a run, and named streams that grow from it."""

from __future__ import annotations

import hashlib

import numpy as np

from .errors import BadInput


def _words(seed: int, names: tuple[object, ...]) -> list[int]:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise BadInput(f"a seed is a whole number of at least 0, got {seed!r}")
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    raw = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 32, 4)]


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return the random generator that belongs to `seed` and to these names.

    Streams of different names are independent, so that drawing more from one
    never moves another.

    >>> int(stream(0, "split", 3).integers(1000)) == int(stream(0, "split", 3).integers(1000))
    True
    >>> stream(0, "split").random() == stream(0, "noise").random()
    False
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(_words(seed, names))))


def derive(seed: int, *names: object) -> int:
    """Return a seed of its own (0 to 2**31 - 1) for a named part of a run.

    >>> derive(0, "retrain", 1) == derive(0, "retrain", 2)
    False
    """
    return _words(seed, names)[0] & 0x7FFFFFFF
