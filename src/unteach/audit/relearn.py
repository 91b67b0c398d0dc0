"""Relearning: how soon a model is back to what it knew, against a retrained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, stream
from unteach.stats import Interval

from .arms import per_model


@dataclass(frozen=True)
class Anamnesis:
    """index : mean steps of the unlearned over mean steps of the retrained, with its interval.

    1 is as retrained, well below 1 a memory that comes back, well above 1 over-forgetting.
    `never` counts the (unlearned, retrained) curves that did not get there in time; they count
    with the length of the curve, and the index is then a bound on one side only.
    """

    index: Interval
    steps: NDArray[np.float64]
    retrained: NDArray[np.float64]
    never: tuple[int, int]


def relearn_steps(curves: Any, target: float) -> NDArray[np.float64]:
    """Return after how many steps each curve first reaches a target: (N,), inf if it never does.

    Parameters
    ----------
    curves : (N, steps + 1) accuracy on forgotten records that are not relearned from, after 0,
        1, ... steps of one learning rate and batch size for all

    Examples
    --------
    >>> relearn_steps([[0.1, 0.5, 0.9], [0.1, 0.2, 0.3]], 0.5)
    array([ 1., inf])
    """
    rows = per_model(curves, "curves", least=1)
    reached = rows >= target
    return np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf).astype(np.float64)


def relearn_curve(curves: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of relearning curves and its standard error over models: (steps + 1,) each.

    >>> relearn_curve([[0.0, 1.0], [0.0, 0.5]])
    (array([0.  , 0.75]), array([0.  , 0.25]))
    """
    rows = per_model(curves, "curves")
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(len(rows))


def anamnesis_index(
    unlearned: Any, retrained: Any, *, original_accuracy: float, alpha: float = 0.05,
    seed: int = 0, resamples: int = 2000, level: float = 0.95,
) -> Anamnesis:  # fmt: skip
    """Return how soon unlearned models relearn, in units of retrained models' time.

    The time is until accuracy reaches (1 - alpha) of the original model's. Retrained models
    relearn too; without them a time means nothing.

    Null: 1, with the interval of the ratio, which resamples models of both arms. Failure mode:
    orthogonal to membership, it nearly clears random labelling, which the per-example attack
    rejects; never a verdict alone. Limit: the longest curve over the retrained time.

    Parameters
    ----------
    unlearned, retrained : (N, s), (M, s) relearning curves, two models each at least
    original_accuracy : in (0, 1] · alpha : in [0, 1)

    Source      Chundawat et al. 2023

    Examples
    --------
    >>> slow, fast = [[0.0, 0.0, 0.5, 1.0]] * 3, [[0.0, 1.0, 1.0, 1.0]] * 3
    >>> anamnesis_index(fast, slow, original_accuracy=1.0).index.value
    0.3333
    """
    if not (0 < original_accuracy <= 1 and 0 <= alpha < 1):
        raise BadInput("original_accuracy lies in (0, 1] and alpha in [0, 1)")
    target = (1 - alpha) * original_accuracy
    times, never = [], []
    for curves in (unlearned, retrained):
        steps = relearn_steps(per_model(curves, "curves"), target)
        longest = float(np.asarray(curves).shape[1])
        never.append(int(np.isinf(steps).sum()))
        times.append(np.where(np.isinf(steps), longest, steps))
    u, r = times
    if not r.mean() > 0:
        raise BadInput(
            "retrained models reach the target before any step; there is no time to ratio"
        )
    rng, draws = stream(seed, "anamnesis"), []
    for _ in range(resamples):
        below = rng.choice(r, len(r)).mean()
        if below > 0:
            draws.append(rng.choice(u, len(u)).mean() / below)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    value = float(u.mean() / r.mean())
    index = Interval(value, min(float(low), value), max(float(high), value),
                     min(len(u), len(r)), "models", level, "percentile bootstrap")  # fmt: skip
    return Anamnesis(index, u, r, (never[0], never[1]))
