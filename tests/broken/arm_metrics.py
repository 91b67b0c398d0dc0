"""Metrics of arms that are broken on purpose, most of them as published code is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from broken.methods import Broken
from unteach.audit import HoldoutUtility, MarginDivergence
from unteach.audit.against import Measured
from unteach.audit.arms import Arms
from unteach.audit.arms_of import trials_of
from unteach.audit.over_arms import Comparison, four, of_records
from unteach.audit.ulira import density_ratio
from unteach.core import Better, Case, NeedsReference, Reading, Role
from unteach.models import margins
from unteach.stats import area_under_curve

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DropsTheLargest(MarginDivergence, Broken):
    """Loses each record's largest margin to a last bin open above, as released code does."""

    caught_by = "models_that_agree_are_read_too"
    wrong = "two arms at two different points read 0: learners without chance score perfect"

    def measure_arms(self, arms: Arms) -> Measured:
        """Count with `np.digitize` on bins that end before the maximum."""
        how = Comparison(self.name, "nats", "lower", limit=12.0)
        return of_records(how, arms, four(arms, arms.margins, name=self.name), _open_above)


def _open_above(one: Array, other: Array) -> Array:
    return np.array([_divergence(u, r) for u, r in zip(one.T, other.T, strict=True)])


def _divergence(u: Array, r: Array) -> float:
    both = np.concatenate([u, r])
    edges = np.linspace(both.min(), both.max(), 21)
    counts = [np.bincount(np.digitize(v, edges), minlength=22)[1:21] for v in (u, r)]
    if not (counts[0].sum() and counts[1].sum()):
        return 0.0
    p, q = (c / c.sum() + 1e-5 for c in counts)
    return float(max(np.sum(p * np.log(p / q)), 0.0))


@dataclass(frozen=True)
class PromisesZero(MarginDivergence, Broken):
    """Says that a perfect unlearner scores 0."""

    caught_by = "null_is_what_a_twin_scores"
    wrong = "the divergence of two finite samples of one distribution is not 0"

    def read(self, case: Case) -> Reading:
        """State a null of 0."""
        return replace(super().read(case), null=(0.0, 0.0))


@dataclass(frozen=True)
class CountsPairs(MarginDivergence, Broken):
    """Takes each pair of model and record for an independent replicate."""

    caught_by = "interval_ranges_over_replicates"
    wrong = 'its "95 %" intervals cover 37 to 70 %'

    def read(self, case: Case) -> Reading:
        """State the number of pairs as n."""
        whole = super().read(case)
        return replace(whole, n=whole.n * len(case.trials[0].forget))


@dataclass(frozen=True)
class MeanFraction(MarginDivergence, Broken):
    """Reads the mean gap as a share of the mean mark, which half kept and half denied make 0."""

    name: ClassVar[str] = "mean fraction"
    caught_by = "under_and_over_do_not_cancel"
    wrong = "a median of .05 was published for fractions from -.95 to 1.43"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the size of the mean."""
        seen = four(arms, arms.margins, name=self.name)

        def middle(one: Array, other: Array) -> Array:
            gap, mark = (arm.mean() - other.mean() for arm in (one, seen.original))
            return np.array([abs(gap / mark)])

        how = Comparison(self.name, "share", "lower", limit=10.0)
        return Measured(how.read(seen, middle, seeds=arms.seeds), ())


@dataclass(frozen=True)
class _OneAModel(Broken, ABC):
    """One number a model, read as a forgetting metric."""

    role: ClassVar[Role] = "forgetting"
    replicates: ClassVar[str] = "seeds"
    name: ClassVar[str] = "one a model"
    better: ClassVar[Better] = "higher"
    caught_by = "retraining_ranks_best"

    @abstractmethod
    def score(self, of: Callable[[str, str], list[Array]], arm: str) -> Array:
        """Return one number a model; `of(arm, part)` gives its margins on a part."""

    def read(self, case: Case) -> Reading:
        """Return the mean over models, with the spread of retrained models as its null."""
        trials_of(case, self.name)  # refuses what is not arms
        trials = sorted(case.held_out(self.name), key=lambda t: t.seed)

        def of(arm: str, part: str) -> list[Array]:
            rows = [getattr(t, part) for t in trials]
            if any(r is None for r in rows):
                raise NeedsReference(f"{self.name} needs {part} records")
            models = [getattr(t, arm) for t in trials]
            return [margins(m, r.x, r.y) for m, r in zip(models, rows, strict=True)]

        after, before, twin = (self.score(of, a) for a in ("after", "before", "twin"))
        value, room = float(after.mean()), float(np.std(after) + 1e-3)
        return Reading(
            self.name,
            value,
            value - room,
            value + room,
            n=len(trials),
            unit_of_replication="seeds",
            seeds=tuple(t.seed for t in trials),
            unit="share",
            better=self.better,
            untouched=float(before.mean()),
            null=(float(twin.min()), float(twin.max())),
            limit=1.0,
        )


@dataclass(frozen=True)
class HarmonicMeanOfAccuracies(_OneAModel):
    """The harmonic mean of accuracy on forgotten and retained records: a benchmark's aggregate."""

    name: ClassVar[str] = "harmonic mean"
    wrong = "a model that forgot nothing scores .95, one that forgot all 0"

    def score(self, of: Callable[[str, str], list[Array]], arm: str) -> Array:
        """Reward accuracy on what was to be forgotten."""
        one, two = (np.array([np.mean(v > 0) for v in of(arm, p)]) for p in ("forget", "retain"))
        return np.asarray(2 * one * two / np.maximum(one + two, 1e-9))


def _areas(of: Callable[[str, str], list[Array]], arm: str) -> Array:
    pairs = zip(of(arm, "forget"), of(arm, "holdout"), strict=True)
    return np.array([area_under_curve(f, h) for f, h in pairs])


@dataclass(frozen=True)
class AimsAtOneHalf(_OneAModel):
    """1 - |area - .5| / .5 of a membership attack: indiscernibility with the wrong target."""

    name: ClassVar[str] = "indiscernibility"
    wrong = "retraining's own area is far from .5 where the forgotten records are no fair draw"

    def score(self, of: Callable[[str, str], list[Array]], arm: str) -> Array:
        """Compare the area with one half, and not with retraining's."""
        return np.asarray(1 - np.abs(_areas(of, arm) - 0.5) / 0.5)


@dataclass(frozen=True)
class LeaksWithoutBound(_OneAModel):
    """(area - retraining's) / retraining's x 100, without bound where the latter is small."""

    name: ClassVar[str] = "leakage"
    better: ClassVar[Better] = "zero"
    caught_by = "reading_is_whole"
    wrong = "with a reference of .02 it ranges from -100 to 4900; 5215 was reported"

    def score(self, of: Callable[[str, str], list[Array]], arm: str) -> Array:
        """Divide by retraining's area."""
        reference = max(float(_areas(of, "reference").mean()), 1e-6)
        return np.asarray(100 * (_areas(of, arm) / reference - 1))


@dataclass(frozen=True)
class FitsWhatItScores(MarginDivergence, Broken):
    """Fits each record's Gaussians on the very models that it scores, and calls 0.5 the null."""

    name: ClassVar[str] = "attack in sample"
    caught_by = "null_is_what_a_twin_scores"
    wrong = "retraining is told from retraining: the attack has seen the models that it is shown"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the in-sample area, with the null that a perfect attack would have."""
        seen = four(arms, arms.margins, name=self.name)

        def area(one: Array, other: Array) -> Array:
            ratio = density_ratio(one, other, True)
            return np.array([area_under_curve(ratio(one).ravel(), ratio(other).ravel())])

        reading = Comparison(self.name, "area", "lower", limit=1.0).read(
            seen, area, seeds=arms.seeds
        )
        return Measured(replace(reading, null=(0.45, 0.55)), ())


@dataclass(frozen=True)
class ReadsTheBit(MarginDivergence, Broken):
    """Reads whether a record is right, and not by how much, as released code of U-LiRA does."""

    name: ClassVar[str] = "attack on the bit"
    caught_by = "models_that_agree_are_read_too"
    wrong = "a record that all models get right has no spread: the statistic is not a number"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean density ratio of Gaussians over the bit."""

        def right(arm: str) -> Array:
            return np.asarray(arms.margins(arm) > 0, dtype=np.float64)

        def apart(one: Array, other: Array) -> Array:
            with np.errstate(invalid="ignore", divide="ignore"):
                gap = np.abs(one.mean(axis=0) - other.mean(axis=0))
                return np.asarray(gap / (gap + one.std(axis=0) * other.std(axis=0)))

        how = Comparison(self.name, "share", "lower", limit=1.0)
        return of_records(how, arms, four(arms, right, name=self.name), apart)


@dataclass(frozen=True)
class PValueForQuality(MarginDivergence, Broken):
    """Takes the p-value of a test for the quality of forgetting: larger is better."""

    name: ClassVar[str] = "p-value"
    caught_by = "every_trial_counts"
    wrong = "one model speaks for the method, and the fewer the records the better the score"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the p-value of a two-sample test of the first model's margins."""
        seen = four(arms, arms.margins, name=self.name)

        def quality(one: Array, other: Array) -> Array:
            return np.array([ks_2samp(one[0, :3], other[0, :3]).pvalue])

        how = Comparison(self.name, "p", "higher", limit=1.0)
        return Measured(how.read(seen, quality, seeds=arms.seeds), ())


@dataclass(frozen=True)
class ReadsTheOldModel(HoldoutUtility, Broken):
    """Measures utility on the model as it was before the removal."""

    name: ClassVar[str] = "utility of the old model"
    caught_by = "the_model_after_is_read"
    wrong = "accuracy after removal is printed from the old weights: it can never show damage"

    def read(self, case: Case) -> Reading:
        """Read the model before in the place of the one after."""
        old = tuple(replace(t, forgotten=replace(t.forgotten, model=t.before)) for t in case.trials)
        return super().read(replace(case, trials=old))


BROKEN_ARMS: tuple[Any, ...] = (
    DropsTheLargest(),
    PromisesZero(),
    CountsPairs(),
    MeanFraction(),
    HarmonicMeanOfAccuracies(),
    AimsAtOneHalf(),
    LeaksWithoutBound(),
    FitsWhatItScores(),
    ReadsTheBit(),
    PValueForQuality(),
    ReadsTheOldModel(),
)
"""Each is caught by the law that it names, and by others where it is wrong in more than one way."""
