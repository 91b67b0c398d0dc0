"""Tug of war: three accuracies against retraining's, multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Role

from .against import Measured
from .arms import Arms, Array
from .over_arms import Comparison, OverArms, four


def tow(unlearned: Any, retrained: Any) -> NDArray[np.float64]:
    """Return the product over forget, retain and test of 1 - |accuracy - retrained accuracy|.

    1 is as retrained on all three. One value a seed; give several and report their interval
    (`unteach.stats.mean_interval`), which one seed does not have.

    A screen. Null: what another retraining scores. Doing nothing scores high wherever retrained
    models still classify most forgotten records as stated (0.948 on digits with half of them
    mislabelled), so that a number near 1 is no evidence of forgetting. Limit: 1.

    Parameters
    ----------
    unlearned, retrained : (..., 3) accuracies on forget, retain, test, each in [0, 1]

    Source      Zhao et al. 2024 (RUM, arXiv 2406.01257)

    Examples
    --------
    >>> tow([1.0, 1.0, 0.9], [0.5, 1.0, 0.9])
    array(0.5)
    """
    u, r = _threes(unlearned), _threes(retrained)
    return np.asarray(np.prod(1 - np.abs(u - r), axis=-1))


def tow_mia(
    unlearned: Any, retrained: Any, *, membership: Any, retrained_membership: Any
) -> NDArray[np.float64]:
    """Return the tug of war with the forget accuracy replaced by a membership score.

    A screen, as its membership score is: see `population_membership` for the same attack with
    retraining as the target.

    Parameters
    ----------
    unlearned, retrained : (..., 3) accuracies, of which the first is not read
    membership, retrained_membership : (...,) shares in [0, 1] of the forgotten records that an
        attack takes for members

    Examples
    --------
    >>> tow_mia([0.0, 1.0, 0.9], [1.0, 1.0, 0.9], membership=0.3, retrained_membership=0.1)
    array(0.8)
    """
    u, r = _threes(unlearned).copy(), _threes(retrained).copy()
    u[..., 0], r[..., 0] = membership, retrained_membership
    return tow(u, r)


def _threes(values: Any) -> NDArray[np.float64]:
    a = np.asarray(values, dtype=np.float64)
    if a.ndim < 1 or a.shape[-1] != 3 or not ((a >= 0) & (a <= 1)).all():
        raise BadInput(f"accuracies are (..., 3): forget, retain, test, in [0, 1]; got {a.shape}")
    return a


@dataclass(frozen=True)
class TugOfWar(OverArms):
    """ToW of each unlearned model beside a retrained one, averaged over models: a screen.

    Definition  `tow`: the product over forget, retain and test of 1 - |accuracy - retrained's|;
    Null        of retrained models beside others: below 1, as their accuracies differ too
    Limit       1
    Fails       doing nothing scores high where retrained models classify most forgotten records as
                stated; where they get them all wrong (wrong labels), over-forgetting scores best
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models,
                retained or held-out records
    Source      Zhao et al. 2024 (RUM, arXiv 2406.01257)

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = TugOfWar().measure_arms(planted_arms("DoNothing")).reading
    >>> r.value < r.null[0] < r.null[1] <= r.limit
    True
    """

    name: ClassVar[str] = "ToW"
    role: ClassVar[Role] = "screen"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean over pairs of an unlearned and a retrained model."""

        def three(arm: str) -> Array:
            phi = [arms.margins(arm, p) for p in ("forget", "retain", "holdout")]
            kept = (np.mean(v > 0, axis=1) for v in phi[1:])
            return np.column_stack([self._of_forgotten(*phi), *kept])

        def pairs(u: Array, r: Array) -> Array:
            k = min(len(u), len(r))
            return tow(u[:k], r[:k])

        how = Comparison(self.name, "share", "higher", limit=1.0)
        seen = four(arms, three, name=self.name)
        said = f"accuracies {np.round(seen.unlearned.mean(axis=0), 3).tolist()}"
        return Measured(how.read(seen, pairs, seeds=arms.seeds, note=said), ())

    def _of_forgotten(self, forget: Array, retain: Array, holdout: Array) -> Array:
        return np.asarray(np.mean(forget > 0, axis=1))


@dataclass(frozen=True)
class TugOfWarMia(TugOfWar):
    """ToW with a membership attack in the place of the forget accuracy: a screen.

    Definition  `tow_mia`; the attack is the share of forgotten records that one threshold, the
                best on retained against held-out records of the same model, takes for members
    Null        of retrained models beside others, below 1
    Limit       1
    Fails       as `TugOfWar`; the attack has one threshold for all records, and where retraining
                holds all of them below it, over-forgetting scores 1
    Errors      NeedsReference as `TugOfWar`
    Source      Zhao et al. 2024 (RUM, arXiv 2406.01257); their attack is an SVC, ours a threshold

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> over = TugOfWarMia().measure_arms(planted_arms("OverForget")).reading
    >>> over.value >= over.null[0]                       # what a screen may miss
    True
    """

    name: ClassVar[str] = "ToW-MIA"

    def _of_forgotten(self, forget: Array, retain: Array, holdout: Array) -> Array:
        return taken_for_members(forget, retain, holdout)


def taken_for_members(forget: Array, retain: Array, holdout: Array) -> Array:
    """Return the share of forgotten records that one threshold takes for members: (models,)."""
    found = []
    for f, kept, never in zip(forget, retain, holdout, strict=True):
        cuts = np.unique(np.concatenate([kept, never]))
        inside = np.searchsorted(np.sort(kept), cuts) / len(kept)
        outside = np.searchsorted(np.sort(never), cuts) / len(never)
        found.append(float(np.mean(f >= cuts[int(np.argmax(outside - inside))])))
    return np.array(found)
