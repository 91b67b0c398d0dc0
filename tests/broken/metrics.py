"""Metrics that are broken on purpose, each in the way that one law alone catches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from broken.methods import Broken
from unteach.audit import PredictionGap
from unteach.core import Case, NeedsReference, Reading, Role
from unteach.models import margins


@dataclass(frozen=True)
class Sound:
    """A plain forgetting metric that holds every law; the broken ones each spoil one thing.

    Mean over draws of the mean |margin - margin of retraining| of the forgotten records.
    """

    name: ClassVar[str] = "plain margin gap"
    role: ClassVar[Role] = "forgetting"

    def distance(self, one: Any, other: Any, rows: Any) -> float:
        """Return how far two models are apart on these records."""
        gap = margins(one, rows.x, np.asarray(rows.y)) - margins(other, rows.x, np.asarray(rows.y))
        return float(np.mean(np.sort(np.abs(gap))))

    def read(self, case: Case) -> Reading:
        """Return the reading."""
        trials = case.compared(self.name)
        after = [self.distance(t.after, t.reference, t.forget) for t in trials]
        before = [self.distance(t.before, t.reference, t.forget) for t in trials]
        null = [self.distance(t.twin, t.reference, t.forget) for t in trials]
        return self.reading(case, float(np.mean(after)), float(np.mean(before)), null)

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """Return a whole reading around a value."""
        return Reading(
            self.name,
            value,
            value - 0.1,
            value + 0.1,
            len(case.trials),
            case.unit_of_replication,
            case.seeds,
            "margin",
            "lower",
            untouched=before,
            null=(min(null), max(null)),
            limit=100.0,
        )


@dataclass(frozen=True)
class Nameless(Sound, Broken):
    """States a role that does not exist."""

    role: ClassVar[Any] = "verdict"
    caught_by = "name_and_role_are_stated"
    wrong = "nobody knows what its reading may be used for"


@dataclass(frozen=True)
class WithoutNull(Sound, Broken):
    """Gives a number without what retraining would score."""

    caught_by = "reading_is_whole"
    wrong = "a perfect unlearner would not score 0, and nobody is told what it would score"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """Leave the limit out."""
        whole = super().reading(case, value, before, null)
        return Reading(**{**vars(whole), "limit": None})


@dataclass(frozen=True)
class CountsExamples(Sound, Broken):
    """Takes each pair of model and example for an independent replicate.

    The interval of 16 models by 50 examples then has a coverage of 37 to 70 % instead of 95.
    """

    caught_by = "interval_ranges_over_replicates"
    wrong = "n is the number of examples, and the interval far too narrow"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """State the number of examples as n."""
        whole = super().reading(case, value, before, null)
        return Reading(**{**vars(whole), "n": sum(len(t.forget) for t in case.trials)})


@dataclass(frozen=True)
class SwallowsMissingReference(Sound, Broken):
    """Falls back to a default when there is no retrained model.

    Published code logs a warning and goes on with None, or with a default.
    """

    caught_by = "no_reference_no_reading"
    wrong = "no evidence is reported as perfect forgetting"

    def read(self, case: Case) -> Reading:
        """Read 0 when there is nothing to compare with."""
        try:
            return super().read(case)
        except NeedsReference:
            return self.reading(case, 0.0, 1.0, [0.0])


@dataclass(frozen=True)
class DependsOnOrder(Sound, Broken):
    """Weighs the records by their position.

    Published code wrote whole columns through an index, so that a score changed with what else
    was in the batch.
    """

    caught_by = "order_of_records_does_not_matter"
    wrong = "shuffling the forget set changes the score"

    def distance(self, one: Any, other: Any, rows: Any) -> float:
        """Return a mean with weights that fall along the rows."""
        gap = margins(one, rows.x, np.asarray(rows.y)) - margins(other, rows.x, np.asarray(rows.y))
        return float(np.average(np.abs(gap), weights=np.linspace(1.0, 0.5, len(gap))))


@dataclass(frozen=True)
class RollsDice(Sound, Broken):
    """Resamples with a generator that no seed rules."""

    caught_by = "reading_twice_reads_the_same"
    wrong = "its interval changes from one call to the next"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """Give an interval that is drawn anew each time."""
        whole = super().reading(case, value, before, null)
        wide = 0.1 + 0.1 * np.random.default_rng().random()
        return Reading(**{**vars(whole), "low": value - wide, "high": value + wide})


@dataclass(frozen=True)
class CrownsTheVandal(Sound, Broken):
    """Takes a lower margin on the forgotten records for better forgetting, without end."""

    caught_by = "retraining_ranks_best"
    wrong = "over-forgetting scores best"

    def distance(self, one: Any, other: Any, rows: Any) -> float:
        """Return the part of the distance that is above retraining, and a little of the rest."""
        gap = margins(one, rows.x, np.asarray(rows.y)) - margins(other, rows.x, np.asarray(rows.y))
        return float(np.mean(np.sort(np.abs(gap) if gap.max() > 5 else np.maximum(gap, 0))))


@dataclass(frozen=True)
class AveragesSigns(Sound, Broken):
    """Averages signed gaps, so that half kept and half denied reads as retrained.

    A published method with a median residual of 0.05 ranged from -0.95 to 1.43.
    """

    caught_by = "under_and_over_do_not_cancel"
    wrong = "under- and over-forgetting cancel"

    def distance(self, one: Any, other: Any, rows: Any) -> float:
        """Return the size of the mean signed gap."""
        gap = margins(one, rows.x, np.asarray(rows.y)) - margins(other, rows.x, np.asarray(rows.y))
        return float(abs(np.mean(np.sort(gap))))


@dataclass(frozen=True)
class NullFromTheMethod(Sound, Broken):
    """Takes the null from the method that is judged."""

    caught_by = "null_is_of_retrainings"
    wrong = "the worse the method, the wider what counts as noise"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """Widen the null by what the method scores."""
        return super().reading(case, value, before, [min(null), max(null) + 0.01 * value])


@dataclass(frozen=True)
class InventsUntouched(Sound, Broken):
    """States a fixed number for what doing nothing scores."""

    caught_by = "untouched_is_doing_nothing"
    wrong = "the scale on which the reading is to be seen is made up"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """State 1."""
        return super().reading(case, value, 1.0, null)


@dataclass(frozen=True)
class LooksAway(PredictionGap, Broken):
    """Reads the retained records only, where every method looks alike."""

    caught_by = "retraining_ranks_best"
    wrong = "it is blind to what was to be forgotten"

    def read(self, case: Case) -> Reading:
        """Read the case as if a copy of the reference had been returned."""
        trials = tuple(
            replace(t, forgotten=replace(t.forgotten, model=t.reference)) for t in case.trials
        )
        return super().read(replace(case, trials=trials))


@dataclass(frozen=True)
class LimitsNothing(Sound, Broken):
    """States a limit below what it shows."""

    caught_by = "reading_is_whole"
    wrong = "the largest value that it can show is smaller than the one it shows"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """State -1."""
        whole = super().reading(case, value, before, null)
        return Reading(**{**vars(whole), "limit": -1.0})


@dataclass(frozen=True)
class NeverInDoubt(Sound, Broken):
    """Gives an interval of no width, however far the draws are apart."""

    caught_by = "interval_ranges_over_replicates"
    wrong = "a mean of six draws is sold as certain"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """Close the interval."""
        whole = super().reading(case, value, before, null)
        return Reading(**{**vars(whole), "low": value, "high": value})


@dataclass(frozen=True)
class DoesWithoutTwin(Sound, Broken):
    """Falls back to a default null when there is no second retrained model."""

    caught_by = "no_reference_no_reading"
    wrong = "a null that nobody measured"

    def read(self, case: Case) -> Reading:
        """Take the reference for its own twin."""
        if any(t.twin is None and t.reference is not None for t in case.trials):
            case = replace(case, trials=tuple(replace(t, twin=t.reference) for t in case.trials))
        return super().read(case)


@dataclass(frozen=True)
class InventsNull(Sound, Broken):
    """States a null that no retraining scores."""

    caught_by = "null_is_what_a_twin_scores"
    wrong = "the truth itself is called imperfect"

    def reading(self, case: Case, value: float, before: float, null: list[float]) -> Reading:
        """State next to nothing."""
        return super().reading(case, value, before, [0.0, 1e-6])


@dataclass(frozen=True)
class BelievesTheLabel(Sound, Broken):
    """Reads a little less where the claim says exact."""

    caught_by = "the_claim_is_not_the_evidence"
    wrong = "the method grades itself"

    def read(self, case: Case) -> Reading:
        """Shorten the reading by a thousandth for each exact claim."""
        whole = super().read(case)
        exact = all(t.forgotten.claim.kind == "exact" for t in case.trials)
        return Reading(**{**vars(whole), "value": whole.value * (0.999 if exact else 1.0)})


@dataclass(frozen=True)
class ReadsTheFirstTrial(Sound, Broken):
    """Reads one trial and puts the seeds of all beside it."""

    caught_by = "every_trial_counts"
    wrong = "one draw is sold as six"

    def read(self, case: Case) -> Reading:
        """Read the first trial."""
        case.compared(self.name)
        first = super().read(replace(case, trials=case.trials[:1]))
        null = super().read(case).null
        whole = {"n": len(case.trials), "seeds": case.seeds, "null": null}
        return Reading(**{**vars(first), **whole})


@dataclass(frozen=True)
class ReadsOneRecord(Sound, Broken):
    """Reads the record with the smallest id, whatever the order."""

    caught_by = "every_forgotten_record_counts"
    wrong = "one record speaks for all that were to be forgotten"

    def distance(self, one: Any, other: Any, rows: Any) -> float:
        """Return the distance on the first two records by id."""
        return super().distance(one, other, rows.select(np.sort(rows.ids)[:2]))


@dataclass(frozen=True)
class ReadsTheRetained(Sound, Broken):
    """Reads how far the models are apart on the records that stay."""

    caught_by = "every_forgotten_record_counts"
    wrong = "it never looks at what was to be forgotten"

    def read(self, case: Case) -> Reading:
        """Read the retained records in the place of the forgotten."""
        trials = tuple(replace(t, forget=t.retain, retain=t.forget) for t in case.trials)
        return super().read(replace(case, trials=trials))


BROKEN_METRICS: tuple[Any, ...] = (
    Nameless(),
    WithoutNull(),
    CountsExamples(),
    SwallowsMissingReference(),
    DependsOnOrder(),
    RollsDice(),
    CrownsTheVandal(),
    AveragesSigns(),
    NullFromTheMethod(),
    InventsUntouched(),
    LimitsNothing(),
    NeverInDoubt(),
    DoesWithoutTwin(),
    InventsNull(),
    BelievesTheLabel(),
    ReadsTheFirstTrial(),
    ReadsOneRecord(),
    ReadsTheRetained(),
)
"""Each is caught by one law alone."""

BLIND_METRICS: tuple[Any, ...] = (LooksAway(),)
"""Caught by several laws at once, since a blind metric cannot know its null either."""
