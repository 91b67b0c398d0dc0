"""The swap test: forget and test records change places, and the same attack is tried on both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Trial
from unteach.models import margins

from .against import checked
from .arms_of import stacked
from .over_arms import Comparison, Four


@dataclass(frozen=True)
class SwapTest:
    """advantage : the best threshold's, in [0, 1]; quality : 1 - advantage; threshold : that one.

    A retrained model has advantage 0 for every attack; `limit` is 1.
    """

    advantage: float
    quality: float
    threshold: float
    limit: float = 1.0


def swap_test(one: tuple[Any, Any], other: tuple[Any, Any]) -> SwapTest:
    """Return the advantage of threshold attacks that must work with the sets either way round.

    (1/2) |sum over both splits of P(score > t | forgotten) - P(score > t | test)|, at the best t.
    What F and T differ in by themselves cancels: a model that never saw either gives F the same
    scores as the forget set of one split and as the test set of the other.

    Null: 0 exactly for retraining if both splits are scored by models of the same law; with few
    models the best of many thresholds is above it, so show retrained models beside it. A screen:
    it lower-bounds the advantage by threshold attacks only, and F and T must be exchangeable.
    Under (epsilon, delta), advantage <= 2 (1 - (2 - 2 delta) / (e^epsilon + 1)).

    Parameters
    ----------
    one : (scores of F, scores of T) by models that unlearned F and never saw T
    other : (scores of T, scores of F) by models that unlearned T and never saw F; in each pair
        the forgotten come first, any shape; larger scores are taken for members

    Source      Tu, Hu & Ma 2024 (arXiv 2404.11577)

    Examples
    --------
    >>> swap_test(([5.0, 6.0], [1.0, 2.0]), ([5.0, 7.0], [0.0, 1.0])).advantage
    1.0
    >>> f, t = [3.0, 4.0], [1.0, 2.0]          # F is easier, and neither was ever seen
    >>> swap_test((f, t), (t, f)).advantage
    0.0
    """
    pairs = [[_flat(s) for s in pair] for pair in (one, other)]
    values = np.unique(np.concatenate([s for pair in pairs for s in pair]))
    cuts = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    total = np.zeros(len(cuts))
    for gone, test in pairs:
        total += np.searchsorted(test, cuts) / len(test) - np.searchsorted(gone, cuts) / len(gone)
    sizes = np.abs(total) / 2
    at = int(np.argmax(sizes))
    return SwapTest(float(sizes[at]), 1 - float(sizes[at]), float(cuts[at]))


def _flat(scores: Any) -> NDArray[np.float64]:
    flat = np.sort(np.asarray(scores, dtype=np.float64).ravel())
    if flat.size == 0 or not np.isfinite(flat).all():
        raise BadInput("scores are finite and at least one for each set")
    return flat


@dataclass(frozen=True)
class SwapAdvantage:
    """The advantage of a threshold attack over a split and its swap: a screen.

    The case holds both splits: trials that forgot F and held out T, and as many that forgot T and
    held out F, over the same retained records. They are paired in the order of their seeds.

    Definition  `swap_test` on the margins of all models: half of the absolute sum over both splits
                of P(margin > t | forgotten) - P(margin > t | never seen), at the best t
    Null        of retrained models mixed into two arms: above 0, since the threshold is the best
                of many; 0 with models without number
    Limit       1
    Fails       F and T must be drawn alike; sees what one threshold sees (models that had not
                unlearned at all scored a quality of 0.59 in the paper); no side
    Errors      NeedsReference for a case that is not two splits with the sets exchanged, fewer
                than 4 pairs of trials, or without retrained models
    Source      Tu, Hu & Ma 2024 (arXiv 2404.11577)

    Examples
    --------
    >>> SwapAdvantage().role, SwapAdvantage().world
    ('screen', 'swapped')
    """

    name: ClassVar[str] = "swap advantage"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = 4
    world: ClassVar[str] = "swapped"

    def read(self, case: Case) -> Reading:
        """Return the advantage over all models."""
        one, other = self._splits(case)
        f, t = len(one[0].forget), len(other[0].forget)
        arms = [stacked(trials, self._said) for trials in (one, other)]
        seen = Four(*(np.hstack([side[arm] for side in arms]) for arm in Four._fields))

        def advantage(u: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
            parts = np.split(u, np.cumsum([f, t, t]), axis=1)  # F, T by one; T, F by the other
            return np.array([swap_test((parts[0], parts[1]), (parts[2], parts[3])).advantage])

        how = Comparison(self.name, "share", "lower", limit=1.0)
        seeds = tuple(sorted(case.seeds))
        reading = how.read(seen, advantage, seeds=seeds, note=f"{len(one)} models of each split")
        return replace(reading, n=len(case.trials))

    def _said(self, model: Any, trial: Trial) -> NDArray[np.float64]:
        rows = [trial.forget, trial.holdout]
        parts = []
        for r in rows:
            if r is None:
                raise NeedsReference(f"{self.name} needs held-out records")
            order = np.argsort(r.ids)
            phi = checked(margins(model, r.take(order).x, np.asarray(r.y)[order]), self.name)
            parts.append(phi)
        return np.concatenate(parts)

    def _splits(self, case: Case) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
        trials = sorted(case.held_out(self.name), key=lambda t: t.seed)
        case.compared(self.name)
        kinds: dict[bytes, list[Trial]] = {}
        for trial in trials:
            kinds.setdefault(np.sort(trial.forget.ids).tobytes(), []).append(trial)
        sides = list(kinds.values())
        sizes = [len(s) for s in sides]
        if len(sides) != 2 or sizes[0] != sizes[1] or sizes[0] < self.models or not _mirror(*sides):
            raise NeedsReference(
                f"{self.name} needs {self.models} trials or more that forgot F and held out T, and "
                f"as many that forgot T and held out F; this case has {sizes} trials of its kinds "
                "of forgotten records"
            )
        return tuple(sides[0]), tuple(sides[1])


def _mirror(one: list[Trial], other: list[Trial]) -> bool:
    """Say whether each side's held-out records are what the other side forgot."""

    def held(trials: list[Trial], gone: Any) -> bool:
        return all(
            t.holdout is not None and np.array_equal(np.sort(t.holdout.ids), gone) for t in trials
        )

    return held(one, np.sort(other[0].forget.ids)) and held(other, np.sort(one[0].forget.ids))
