"""Planted arms: simulated models whose distributions are known, so that the truth is known."""

from __future__ import annotations

import numpy as np

from unteach.core import BadInput, stream

from .arms import Arms, Array

KEPT: dict[str, float] = {"Retrain": 0.0, "DoNothing": 1.0, "OverForget": -1.5, "Partly": 0.5}


def planted_arms(
    pole: str, *, models: int = 16, records: int = 12, common: float = 0.0, seed: int = 0
) -> Arms:
    """Return simulated arms over two classes, with a pole in the place of the unlearned models.

    The margin of a forgotten record is Gaussian over models with variance 1: around a level of
    its own for retrained models, a mark of 3 to 6 higher for originals, and a share of that mark
    for unlearned ones: 0 for "Retrain", 1 for "DoNothing" (the very same models), -1.5 for
    "OverForget", 0.5 for "Partly"; "Half" keeps the mark of every other record and denies the
    others' by as much. All arms say alike of as many retained and held-out records.

    Parameters
    ----------
    models : an arm, at least 4 · records : forgotten ones, at least 2
    common : share of the variance that the records of one model have in common, in [0, 1)

    Examples
    --------
    >>> arms = planted_arms("DoNothing", models=200)
    >>> marks = arms.margins("original").mean(0) - arms.margins("retrained").mean(0)
    >>> bool(2.5 < marks.min()), arms.margins("twin", "holdout").shape
    (True, (200, 12))
    """
    if pole != "Half" and pole not in KEPT:
        raise BadInput(f"no pole {pole!r}; choose from {[*KEPT, 'Half']}")
    if models < 4 or records < 2 or not 0 <= common < 1:
        raise BadInput(f"need models >= 4, records >= 2, common in [0, 1), got {models, records}")
    rng = stream(seed, "planted arms")
    level, mark = rng.normal(-1.0, 1.0, size=records), rng.uniform(3.0, 6.0, size=records)
    kept = np.resize([1.0, -1.0], records) if pole == "Half" else np.full(records, KEPT[pole])
    centre = np.concatenate([level, rng.normal(4.0, 1.0, records), rng.normal(1.5, 1.5, records)])

    def drawn(share: Array) -> Array:
        own = rng.normal(size=(models, 3 * records)) * np.sqrt(1 - common)
        shared = rng.normal(size=(models, 1)) * np.sqrt(common)
        phi = centre + np.concatenate([share * mark, np.zeros(2 * records)]) + own + shared
        return np.stack([np.zeros_like(phi), phi], axis=2)  # the margin of class 1 is phi

    nothing = np.zeros(records)
    original, retrained, twin, unlearned = (drawn(s) for s in (nothing + 1, nothing, nothing, kept))
    return Arms(
        original,
        retrained,
        original if pole == "DoNothing" else unlearned,
        twin,
        y=np.ones(3 * records, dtype=np.int64),
        part=np.repeat(["forget", "retain", "holdout"], records),
        seeds=tuple(range(models)),
    )
