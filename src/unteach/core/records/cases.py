"""Cases: what an audit looks at, namely a model before, after, and retrained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import BadInput, NeedsReference
from ..results import Forgotten
from .records import Records
from .roles import listed, shared


@dataclass(frozen=True)
class Trial:
    """One replicate of an audit.

    Parameters
    ----------
    before : the model as it was
    forgotten : what the method returned
    reference : a model retrained without the records, with a seed of its own; None if there is
        none, and then every metric that compares refuses
    twin : another retraining, with another seed: reference against twin is the null
    forget, retain : the records forgotten and those kept (with replacements where the request
        was a change)
    holdout : records that no model of this trial has seen; None if there are none
    seed : names the replicate
    """

    before: Any
    forgotten: Forgotten
    reference: Any
    twin: Any
    forget: Records
    retain: Records
    holdout: Records | None
    seed: int

    @property
    def after(self) -> Any:
        """The model after forgetting."""
        return self.forgotten.model


def _must_differ(trial: Trial) -> None:
    """Refuse a trial that gives one record two parts; contents that a change replaced differ."""
    for name, part, other, targets in (
        ("forget", trial.forget, "retain", True),
        ("holdout", trial.holdout, "forget", False),
        ("holdout", trial.holdout, "retain", False),
    ):
        both = None if part is None else shared(part, getattr(trial, other), targets=targets)
        if both is not None and len(both):
            raise BadInput(
                f"trial {trial.seed} has {len(both)} records ({listed(both)}) in {name} and in "
                f"{other}; a record has one part in a trial"
            )


@dataclass(frozen=True)
class Case:
    """The replicates of one audit, and what tells one replicate from the next.

    `unit_of_replication` is "data draws", "seeds", or "examples" when there is one trial only.
    """

    trials: tuple[Trial, ...]
    unit_of_replication: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", tuple(self.trials))
        if not self.trials:
            raise BadInput("a case needs at least one trial")
        for trial in self.trials:
            _must_differ(trial)
        known = ("data draws", "seeds", "examples")
        if self.unit_of_replication not in known:
            raise BadInput(f"unit_of_replication is one of {known}")

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the trials."""
        return tuple(t.seed for t in self.trials)

    def compared(self, metric: str) -> tuple[Trial, ...]:
        """Return the trials, or refuse in the name of `metric` if a reference is missing."""
        for trial in self.trials:
            if trial.reference is None:
                raise NeedsReference(
                    f"{metric} compares with a retrained model and trial {trial.seed} has none; "
                    "run the audit with retraining, or choose a metric that needs no reference"
                )
            if trial.twin is None:
                raise NeedsReference(
                    f"{metric} needs a second retrained model for its null and trial "
                    f"{trial.seed} has none"
                )
        return self.trials

    def held_out(self, metric: str) -> tuple[Trial, ...]:
        """Return the trials, or refuse in the name of `metric` if there are no held-out records."""
        for trial in self.trials:
            if trial.holdout is None or len(trial.holdout) == 0:
                raise NeedsReference(
                    f"{metric} needs held-out records and trial {trial.seed} has none"
                )
        return self.trials
