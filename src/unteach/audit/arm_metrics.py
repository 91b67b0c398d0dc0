"""Metrics of arms: what many models of one request say, as readings of a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import stats as distributions

from unteach.core import Better, Case, NeedsReference, Reading, Role, derive, stream
from unteach.models import margins

from .against import checked
from .arms import Array
from .klom import klom
from .neurips_score import neurips_score
from .ulira import ulira

LEAST = 4  # models an arm
SPLITS = 60  # mixtures of retrained models that make a null


@dataclass(frozen=True)
class _Seen:
    """(trials, n) margins of four arms, in the order of seeds and ids."""

    before: Array
    after: Array
    reference: Array
    twin: Array
    seeds: tuple[int, ...]


def _seen(case: Case, name: str) -> _Seen:
    """Return the margins of a case's models, or refuse in the metric's name."""
    trials = sorted(case.compared(name), key=lambda t: t.seed)
    first = np.sort(trials[0].forget.ids)
    alike = all(np.array_equal(np.sort(t.forget.ids), first) for t in trials)
    if case.unit_of_replication != "seeds" or len(trials) < LEAST or not alike or not len(first):
        raise NeedsReference(
            f"{name} compares {LEAST} models or more on the same forgotten records; this case has "
            f"{len(trials)} {case.unit_of_replication}; give seeds of one request, or use audit.run"
        )

    def arm(which: str) -> Array:
        rows = [
            checked(margins(getattr(t, which), t.forget.x, t.forget.y), name)[
                np.argsort(t.forget.ids)
            ]
            for t in trials
        ]
        return np.stack(rows)

    seeds = tuple(t.seed for t in trials)
    return _Seen(arm("before"), arm("after"), arm("reference"), arm("twin"), seeds)


@dataclass(frozen=True)
class PerExampleAttack:
    """How well models that unlearned are told from retrained ones, record by record: U-LiRA.

    The area of `unteach.audit.ulira` on a case whose trials are seeds of one request. 0.5 is as
    retrained; it has no side, so that `ResidualFraction` belongs beside it.

    Errors      NeedsReference for data draws, fewer than 4 trials, or without retrained models

    Examples
    --------
    >>> PerExampleAttack().role, PerExampleAttack().replicates
    ('forgetting', 'seeds')
    """

    permutations: int = 99
    name: ClassVar[str] = "per-example attack"
    role: ClassVar[Role] = "forgetting"
    replicates: ClassVar[str] = "seeds"

    def read(self, case: Case) -> Reading:
        """Return the area under the curve of telling both arms apart."""
        seen = _seen(case, self.name)
        seed = derive(seen.seeds[0], self.name)

        def attack(arm: Array) -> Any:
            return ulira(arm, seen.reference, seed=seed, permutations=self.permutations)

        found, null = attack(seen.after), attack(seen.twin).null
        return Reading(
            self.name, found.area.value, found.area.low, found.area.high, n=len(seen.seeds),
            unit_of_replication="seeds", seeds=seen.seeds, unit="area under the curve",
            better="lower", untouched=attack(seen.before).area.value, null=null, limit=1.0,
            note=f"p {found.p_value:.3g}, detectable {found.detectable:.3g}",
        )  # fmt: skip


@dataclass(frozen=True)
class MarginDivergence:
    """KLoM: the mean over forgotten records of KL(unlearned || retrained) of their margins.

    The number of `unteach.audit.klom` on a case whose trials are seeds of one request. The null,
    of retrained models mixed into two arms, is far above 0 with few models. No side.

    Errors      NeedsReference as for `PerExampleAttack`

    Examples
    --------
    >>> MarginDivergence().name
    'margin divergence'
    """

    name: ClassVar[str] = "margin divergence"
    role: ClassVar[Role] = "forgetting"
    replicates: ClassVar[str] = "seeds"

    def read(self, case: Case) -> Reading:
        """Return the mean divergence in nats."""
        return _jackknifed(
            _seen(case, self.name), self.name, lambda u, r: float(klom(u, r).mean()),
            unit="nats", better="lower", limit=float(np.log(1e5)),
        )  # fmt: skip


@dataclass(frozen=True)
class ChallengeScore:
    """The forgetting score of the 2023 challenge, beside what retraining scores in it.

    `unteach.audit.neurips_score`. A screen: the best of many decision rules is biased, so that
    the score of a perfect method is far below 1 (the null of the reading says how far).

    Errors      NeedsReference as for `PerExampleAttack`

    Examples
    --------
    >>> ChallengeScore().role
    'screen'
    """

    name: ClassVar[str] = "challenge score"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"

    def read(self, case: Case) -> Reading:
        """Return the score, at most 1."""
        return _jackknifed(
            _seen(case, self.name), self.name, lambda u, r: neurips_score(u, r).score,
            unit="score", better="higher", limit=1.0,
        )  # fmt: skip


ARM_METRICS: tuple[Any, ...] = (PerExampleAttack(), MarginDivergence(), ChallengeScore())
"""Metrics that read the models of several seeds of one request together."""


def _jackknifed(
    seen: _Seen, name: str, value: Any, *, unit: str, better: Better, limit: float
) -> Reading:
    """Return a statistic of two arms with the jackknife's interval over trials.

    A bootstrap repeats models, which such statistics take for agreement.
    """
    n, centre = len(seen.seeds), value(seen.after, seen.reference)
    left = np.array([
        value(np.delete(seen.after, k, 0), np.delete(seen.reference, k, 0)) for k in range(n)
    ])  # fmt: skip
    error = float(np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2)))
    half = float(distributions.t.ppf(0.975, n - 1)) * error
    both, rng = np.vstack([seen.reference, seen.twin]), stream(seen.seeds[0], name)
    draws = []
    for _ in range(SPLITS):
        mixed = both[rng.permutation(2 * n)]
        draws.append(value(mixed[:n], mixed[n:]))
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    return Reading(
        name, centre, max(centre - half, 0.0), min(centre + half, limit), n=n,
        unit_of_replication="seeds", seeds=seen.seeds, unit=unit, better=better,
        untouched=value(seen.before, seen.reference), null=(low, high), limit=limit,
    )  # fmt: skip
