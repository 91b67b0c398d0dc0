"""Lower bounds on epsilon as metrics: they can show a difference, and never that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Role
from unteach.stats import benjamini_hochberg

from .against import Measured
from .arms import Arms, Array
from .epsilon import (
    EpsilonBounds,
    epsilon_from_counts,
    epsilon_interval,
    epsilon_lower_bound,
    split_counts,
)
from .over_arms import Comparison, OverArms, four, of_records

DRAWS = 100_000  # of a posterior, for each pair of counts that occurs


@dataclass(frozen=True)
class EpsilonBound(OverArms):
    """The mean over forgotten records of a lower bound on epsilon: split Clopper-Pearson.

    Definition  half of the models fit and choose a threshold for each record, the other half
                counts errors, whose Clopper-Pearson limits give the bound
                (`epsilon_lower_bound`); the note gives the share of records flagged
                (Benjamini-Hochberg, 5 %), whether any is (Holm), and the largest bound
    Null        of retrained models mixed into two arms; each bound is above 0 with a chance of
                at most 5 %
    Limit       what so many models can show: 0.54 with 16 an arm, 2.10 with 64, 2.83 with 128;
                a bound at the limit says "at least"
    Fails       a lower bound, never equivalence: 0 is no evidence that epsilon is 0; little power
                under 64 models; one threshold on one score, so that a better attack may show more
    Errors      NeedsReference for data draws, fewer than 16 trials, or without retrained models
    Source      Jagielski et al. 2020, Nasr et al. 2021; split as Steinke et al. 2023

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = EpsilonBound().measure_arms(planted_arms("DoNothing", models=64)).reading
    >>> r.value > 1 > r.null[1], round(r.limit, 2)
    (True, 2.1)
    """

    delta: float = 1e-5
    name: ClassVar[str] = "epsilon lower bound"
    role: ClassVar[Role] = "forgetting"
    models: ClassVar[int] = 16

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean bound in nats, and each record's."""
        seen = four(arms, arms.margins, name=self.name, least=self.models)
        found = epsilon_lower_bound(seen.unlearned, seen.retrained, delta=self.delta)
        how = Comparison(self.name, "nats", "lower", limit=self._limit(*seen[1:3]), block=2)
        note = (
            f"lower bound, never equivalence; {found.share:.0%} of records flagged "
            f"(Benjamini-Hochberg), {'some' if found.any else 'none'} for certain (Holm)"
        )
        return of_records(how, arms, seen, self._bounds, note)

    def _bounds(self, u: Array, r: Array) -> Array:
        hits, falses, (m, k) = split_counts(u, r, delta=self.delta)
        pairs = zip(hits.tolist(), falses.tolist(), strict=True)
        return np.array([self._bound(h, k - f, f, m - h) for h, f in pairs])

    def _limit(self, u: Array, r: Array) -> float:
        m, k = len(u[::2]), len(r[::2])
        return self._bound(m, k, 0, 0)

    def _bound(self, tp: int, tn: int, fp: int, fn: int) -> float:
        return _clopper_pearson(tp, tn, fp, fn, self.delta)


@dataclass(frozen=True)
class EpsilonCredible(EpsilonBound):
    """The mean over forgotten records of the lower end of a credible interval of epsilon.

    Definition  the counts of `EpsilonBound`, and the 5 % quantile of epsilon under the joint beta
                posterior of both error rates (`epsilon_interval` at alpha 0.1)
    Null        of retrained models mixed into two arms: above 0, as the posterior reads the attack
                either way round
    Limit       that of so many models without error: 2.26 with 16 an arm
    Fails       Bayesian: it does not bound how often it errs, hence the null; a lower bound,
                never equivalence
    Errors      NeedsReference as `EpsilonBound`
    Source      Zanella-Beguelin et al. 2023; by Monte Carlo, 100,000 draws for each pair of counts

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = EpsilonCredible().measure_arms(planted_arms("DoNothing")).reading
    >>> r.value > 1 > r.null[1] > r.null[0] >= 0
    True
    """

    name: ClassVar[str] = "epsilon lower bound, credible"

    def _bound(self, tp: int, tn: int, fp: int, fn: int) -> float:
        return _credible(tp, tn, fp, fn, self.delta)


@lru_cache(maxsize=20_000)
def _clopper_pearson(tp: int, tn: int, fp: int, fn: int, delta: float) -> float:
    return epsilon_from_counts(tp, tn, fp, fn, delta=delta)


@lru_cache(maxsize=20_000)
def _credible(tp: int, tn: int, fp: int, fn: int, delta: float) -> float:
    return epsilon_interval(tp, tn, fp, fn, delta=delta, alpha=0.1, draws=DRAWS)[0]


def flagged(found: Mapping[str, EpsilonBounds], *, q: float = 0.05) -> dict[str, NDArray[np.bool_]]:
    """Return which records of which methods differ from retraining, over all of them together.

    Benjamini-Hochberg over records and methods at once: of all that is flagged, a share of at
    most q is expected to be wrong. Correcting each method by itself would keep to q for each of
    them, and not for the list that is read across methods.

    Parameters
    ----------
    found : method -> its bounds on the same or on other records · q : in (0, 1)

    Source      Benjamini & Hochberg 1995

    Examples
    --------
    >>> none = EpsilonBounds(np.zeros(3), np.array([0.04, 0.5, 0.9]), 2.1)
    >>> some = EpsilonBounds(np.ones(2), np.array([0.001, 0.002]), 2.1)
    >>> flagged({"none": none, "some": some})
    {'none': array([False, False, False]), 'some': array([ True,  True])}
    """
    if not found or not 0 < q < 1:
        raise BadInput(f"flags need at least one method and q in (0, 1), got {list(found)}, {q!r}")
    adjusted = benjamini_hochberg(np.concatenate([b.p_values for b in found.values()]))
    parts = np.split(adjusted <= q, np.cumsum([len(b.p_values) for b in found.values()])[:-1])
    return dict(zip(found, parts, strict=True))
