"""--scale: how features are scaled before anything is learned."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Scaling(StrEnum):
    """How features are scaled before anything is learned, by constants of the whole set."""

    standard = "standard"
    unit = "unit"
    none = "none"


def scaled(x: Any, scale: Scaling) -> NDArray[np.float64]:
    """Return features with mean 0, and standard deviation 1 each or over all of them.

    >>> scaled([[0.0, 5.0], [2.0, 5.0]], Scaling.standard).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    import numpy as np

    values = np.asarray(x, dtype=np.float64)
    if scale is Scaling.none:
        return values
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0) if scale is Scaling.standard else np.asarray(centred.std())
    return np.asarray(centred / np.where(spread > 0, spread, 1.0))
