"""Relearning: how soon a model is back to what it knew, against a retrained model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    Case,
    NeedsReference,
    Reading,
    Records,
    Role,
    Table,
    Trial,
    stream,
)
from unteach.stats import Interval

from .against import Measured
from .arms import per_model
from .arms_of import LEAST, stacked, trials_of
from .inside import learned_again
from .over_arms import Comparison, Four


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
    unlearned: Any,
    retrained: Any,
    *,
    original_accuracy: float,
    alpha: float = 0.05,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> Anamnesis:
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
    index = Interval(
        value,
        min(float(low), value),
        max(float(high), value),
        min(len(u), len(r)),
        "models",
        level,
        "percentile bootstrap",
    )
    return Anamnesis(index, u, r, (never[0], never[1]))


@dataclass(frozen=True)
class Relearning:
    """How soon unlearned models learn the records again, in units of retrained models: a screen.

    Definition  the anamnesis index: mean steps until accuracy on the forgotten records reaches
                (1 - alpha) of the original's, over the same of retrained models
                (`anamnesis_index`); 1 is as retrained, well below 1 a memory that comes back, well
                above 1 over-forgetting; the table gives the curves
    Null        of retrained models mixed into two arms, about 1
    Limit       the number of steps plus 1 over retraining's time
    Fails       nearly clears random labelling, which the per-example attack rejects: it is
                evidence of another kind; curves that never get there count with their length
    Parameters  steps, lr : of full-batch descent · alpha : in [0, 1)
                apart : learn every other record again and ask the rest, so that only what comes
                back by itself counts
                again : called as again(model, learned, asked), both `Records`, returns accuracy
                after 0, 1, ... steps; None teaches networks of `MLP` and `CNN`
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models, for
                models that cannot be taught further, and where retrained models know the records
    Source      Chundawat et al. 2023 (AIN)

    Examples
    --------
    >>> Relearning().name, Relearning().world
    ('relearning', 'network')
    """

    steps: int = 40
    lr: float = 0.1
    alpha: float = 0.05
    apart: bool = False
    again: Callable[[Any, Records, Records], Any] | None = None
    name: ClassVar[str] = "relearning"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = LEAST
    world: ClassVar[str] = "network"

    def read(self, case: Case) -> Reading:
        """Return the anamnesis index."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the index, and the mean curves of the arms."""
        trials = trials_of(case, self.name, least=self.models)
        seen = Four(**stacked(trials, self._curve))
        target = (1 - self.alpha) * float(seen.original[:, 0].mean())
        longest = seen.original.shape[1]

        def time(curves: Any) -> float:
            steps = relearn_steps(curves, target)
            return float(np.mean(np.where(np.isinf(steps), longest, steps)))

        known = time(seen.retrained)
        if not (target > 0 and known > 0 and time(seen.twin) > 0):
            raise NeedsReference(
                f"{self.name}: retrained models are right on {target:.0%} of the forgotten records "
                "before any step, so that there is no time to compare with"
            )

        def index(u: Any, r: Any) -> NDArray[np.float64]:
            return np.array([time(u) / max(time(r), 1 / len(r))])

        means = {arm: getattr(seen, arm).mean(axis=0).tolist() for arm in Four._fields}
        table = Table(
            f"{self.name} curves",
            {"step": list(range(longest)), **means},
            dict.fromkeys(means, "accuracy"),
            keys=("step",),
            caption=f"mean accuracy on the forgotten records; the target is {target:.3g}",
        )
        never = [int(np.isinf(relearn_steps(c, target)).sum()) for c in seen[1:3]]
        how = Comparison(self.name, "retrained models' time", "none", limit=longest / known)
        reading = how.read(
            seen,
            index,
            seeds=[t.seed for t in trials],
            table=table.name,
            note=f"retrained {known:.3g} steps; never there: {never[0]} unlearned, {never[1]} "
            "retrained",
        )
        return Measured(reading, (table,))

    def _curve(self, model: Any, trial: Trial) -> Any:
        rows = trial.forget.take(np.argsort(trial.forget.ids))
        learned = rows.take(np.arange(0, len(rows), 2)) if self.apart else rows
        asked = rows.take(np.arange(1, len(rows), 2)) if self.apart else rows
        if self.again is not None:
            return np.asarray(self.again(model, learned, asked), dtype=np.float64)
        y, truth = np.asarray(learned.y), np.asarray(asked.y)
        return learned_again(model, learned.x, y, asked.x, truth, steps=self.steps, lr=self.lr)
