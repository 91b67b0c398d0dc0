"""What comes into the compiled trainers is checked here, for the kernels check nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput


def inputs(x: Any, name: str = "x") -> NDArray[np.float32]:
    """Return rows as (n, d) float32 of their own; anything after the first axis is flattened."""
    if hasattr(x, "tocsr"):
        raise BadInput(f"{name} is sparse; networks take dense rows: {name}.toarray()")
    values = np.asarray(x)
    if values.dtype.kind not in "fiub" or values.ndim < 2:
        raise BadInput(
            f"{name} must be numbers, one row a record, got {values.dtype} of shape {values.shape}"
        )
    if values.dtype.kind == "f" and not (np.abs(values) <= np.finfo(np.float32).max).all():
        bad = np.argwhere(~(np.abs(values) <= np.finfo(np.float32).max))[0]
        raise BadInput(
            f"{name} holds {values[tuple(bad)]} in row {bad[0]}; networks take finite float32"
        )
    if 0 in values.shape[1:]:
        raise BadInput(f"{name} has rows without features, shape {values.shape}")
    return np.array(values, np.float32, order="C").reshape(
        len(values), int(np.prod(values.shape[1:]))
    )


def codes(y: Any, n: int, classes: int | None) -> tuple[NDArray[np.int32], int]:
    """Return classes 0 to k - 1 as int32 (n,), and k."""
    values = np.asarray(y)
    if values.shape != (n,):
        raise BadInput(f"y has shape {values.shape}; give one class for each of {n} rows")
    if values.dtype.kind not in "iu":
        raise BadInput(
            f"y holds {values.dtype}; give whole numbers from 0: "
            "np.unique(y, return_inverse=True)[1]"
        )
    if n == 0:
        raise BadInput("there are no rows to learn from")
    k = int(values.max()) + 1 if classes is None else counted("classes", classes)
    if values.min() < 0 or values.max() >= k:
        wrong = values.min() if values.min() < 0 else values.max()
        raise BadInput(f"y holds class {wrong}; classes go from 0 to {k - 1}")
    if k < 2:
        raise BadInput("y holds only class 0; a classifier needs two: give classes=2 if so meant")
    return values.astype(np.int32), k


def memberships(members: Any, n: int) -> NDArray[np.bool_]:
    """Return which rows each network trains on: (m, n) bool, at least one each."""
    values = np.asarray(members)
    if values.dtype != bool or values.ndim != 2 or values.shape[1] != n:
        raise BadInput(
            f"members is {values.dtype} of shape {values.shape}; give bool of shape (m, {n})"
        )
    empty = np.flatnonzero(~values.any(axis=1))
    if len(empty):
        raise BadInput(f"row {empty[0]} of members is empty; each network needs a row to learn")
    return values


def seeds_of(seeds: Any, m: int) -> NDArray[np.uint64]:
    """Return one seed a network: (m,) uint64."""
    values = np.asarray(seeds)
    if values.shape != (m,) or (m and values.dtype.kind not in "iu"):
        raise BadInput(
            f"seeds is {values.dtype} of shape {values.shape}; give {m} whole numbers, one a "
            "network"
        )
    if values.dtype.kind == "i" and (values < 0).any():
        raise BadInput(f"seeds are at least 0, got {values.min()}")
    return values.astype(np.uint64)


def counted(name: str, value: Any, *, least: int = 1) -> int:
    """Return a whole number of at least `least`."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise BadInput(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def number(
    name: str, value: Any, *, above: float | None = None, below: float | None = None
) -> float:
    """Return a finite number of at least 0, or above and below what is given."""
    given = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    low = 0.0 if above is None else above
    inside = given and np.isfinite(value) and value >= low and (above is None or value > above)
    if not inside or (below is not None and value >= below):
        bounds = f"{'at least' if above is None else 'above'} {low:g}"
        bounds += "" if below is None else f" and below {below:g}"
        raise BadInput(f"{name} must be a number {bounds}, got {value!r}")
    return float(value)
