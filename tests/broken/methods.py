"""Methods that are broken on purpose, each in the way that one law alone catches.

The suite is tested with them: a law that catches none of these is no law. Several are defects
that were found in published unlearning code; their notes say which kind.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from unteach.core import Cost, Exact, Forgotten, Heuristic, Request
from unteach.models import learner_of, parameters
from unteach.unlearn import Native, Retrain


class Broken:
    """What all broken methods state: the law that must catch them, and what is wrong."""

    caught_by: ClassVar[str]
    wrong: ClassVar[str]


@dataclass(frozen=True)
class ForgetsOnNothing(Retrain, Broken):
    """Drops a record even when it is asked to forget none."""

    caught_by = "forgetting_nothing_changes_nothing"
    wrong = "an empty request retrains on one record less"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain; on an empty request, without the first record."""
        if len(request.targets(records)) == 0:
            request = Request(ids=records.ids[:1])
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class SpoilsItsInput(Native, Broken):
    """Calls the model's own forget without copying the model first."""

    caught_by = "inputs_are_untouched"
    wrong = "the model that was handed in has forgotten too, so nothing can be compared"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Forget in place."""
        gone = super().forget(model, records, request, seed=seed)
        model.__dict__.update(copy.deepcopy(gone.model).__dict__)
        return gone


@dataclass(frozen=True)
class SwallowsUnknownIds(Retrain, Broken):
    """Forgets the ids that it knows and keeps silent about the others."""

    caught_by = "unknown_id_is_refused"
    wrong = "a deletion request that hit nothing is reported as done"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain on the known part of the request."""
        if request.ids and not set(request.ids) <= set(records.ids.tolist()):
            request = Request(ids=[i for i in request.ids if records.has(i)])
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class SwallowsRepeatedIds(Retrain, Broken):
    """Takes an id that is named twice as named once."""

    caught_by = "repeated_id_is_refused"
    wrong = "a request that is malformed is not reported"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain without the distinct ids."""
        if request.ids:
            request = replace(request, ids=tuple(dict.fromkeys(request.ids)))
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class RollsItsOwnDice(Retrain, Broken):
    """Draws from a generator that no seed rules."""

    caught_by = "same_seed_same_result"
    wrong = "global randomness: a run cannot be repeated"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain, then shake the intercept by less than the claimed tolerance."""
        gone = super().forget(model, records, request, seed=seed)
        if gone.model is model:
            return gone
        shaken = copy.deepcopy(gone.model)
        shaken.intercept_ = shaken.intercept_ + 1e-10 * np.random.default_rng().random()
        return Forgotten(shaken, Exact(1e-8), gone.cost)


@dataclass(frozen=True)
class NeverSteps(Broken):
    """Runs its loop on a copy and returns a model whose parameters never moved.

    A published benchmark's student was never updated, since its optimizer held the teacher's
    parameters.
    """

    steps: int = 5
    caught_by = "something_moves"
    wrong = "the step never reaches the parameters"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Update a copy of the parameters, and return the model without them."""
        targets = request.targets(records)
        clean = copy.deepcopy(model)
        if len(targets) == 0:
            return Forgotten(model, Heuristic("ascent"), Cost(1e-9))
        theta: Any = parameters(clean)
        for _ in range(self.steps):
            theta = theta * 0.9
        served = learner_of(clean)
        return Forgotten(_Served(clean, served), Heuristic("ascent"), Cost(1e-9))


class _Served:
    """A model's answers without its training rows."""

    def __init__(self, model: Any, learner: Any) -> None:
        self.coef_, self.intercept_ = model.coef_.copy(), np.array(model.intercept_)
        self.classes_, self.learner_ = model.classes_, learner

    def decision_function(self, x: Any) -> Any:
        f = np.asarray(x) @ self.coef_.T + self.intercept_
        return f[:, 0] if f.ndim == 2 and f.shape[1] == 1 else f

    def predict(self, x: Any) -> Any:
        return self.classes_[(self.decision_function(x) > 0).astype(int)]


def _stepped(model: Any, records: Any, request: Any, rate: float) -> Any:
    """Return the model after ascent on the forgotten records' logistic loss."""
    served = _Served(model, learner_of(model))
    gone = records.select(request.targets(records))
    s = np.where(np.asarray(gone.y) == model.classes_[1], 1.0, -1.0)
    pull = s / (1 + np.exp(s * served.decision_function(gone.x)))
    served.coef_ = served.coef_ - rate * (pull @ np.asarray(gone.x))[None, :]
    served.intercept_ = served.intercept_ - rate * pull.sum()
    return served


@dataclass(frozen=True)
class DecaysTheFrozen(Broken):
    """Says that it moves the first half of the weights, and lets weight decay move the rest.

    Published saliency-mask code did this for two years: the mask was on the gradient, the decay
    was not.
    """

    rate: float = 0.1
    decay: float = 1e-3
    caught_by = "frozen_stays_and_trained_moves"
    wrong = "weight decay moves what the mask says is frozen"

    def moves(self, model: Any) -> Any:
        """Return the mask: the first half of the parameters."""
        size = np.size(np.asarray(parameters(model)))
        return np.arange(size) < size // 2

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Step with the mask, decay without it."""
        if len(request.targets(records)) == 0:
            return Forgotten(model, Heuristic("masked ascent"), Cost(1e-9))
        served = _stepped(model, records, request, self.rate)
        mask = self.moves(model)[: served.coef_.size].reshape(served.coef_.shape)
        served.coef_ = np.where(mask, served.coef_, model.coef_ * (1 - self.decay))
        served.intercept_ = np.array(model.intercept_) * 1.0
        return Forgotten(served, Heuristic("masked ascent"), Cost(1e-9))


@dataclass(frozen=True)
class PeeksAtRetained(Broken):
    """Says that it needs no retained data, and rescales by their mean."""

    retain_free: ClassVar[bool] = True
    caught_by = "retain_free_means_it"
    wrong = "it is sold for when the training data are gone, and reads them"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Ascend, with a rate that comes from all records."""
        if len(request.targets(records)) == 0:
            return Forgotten(model, Heuristic("ascent"), Cost(1e-9))
        rate = 0.1 / (1e-9 + float(np.abs(np.asarray(records.x)).mean()))
        return Forgotten(_stepped(model, records, request, rate), Heuristic("ascent"), Cost(1e-9))


@dataclass(frozen=True)
class RetrainsInSecret(Retrain, Broken):
    """Says that it needs no retained data, and retrains on them."""

    retain_free: ClassVar[bool] = True
    caught_by = "retain_free_means_it"
    wrong = "the retained rows are fetched as what is left without the forgotten"


@dataclass(frozen=True)
class IgnoresGroups(Retrain, Broken):
    """Forgets ids, and takes a group for an empty request."""

    caught_by = "a_group_is_its_members"
    wrong = "a person asks to be forgotten, and nothing happens"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain without the ids."""
        request = replace(request, ids=request.ids or (), groups=None)
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class CountsOnNumbers(Retrain, Broken):
    """Takes ids for whole numbers."""

    caught_by = "string_ids_work_alike"
    wrong = "a table keyed by names cannot be forgotten from"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain without the whole numbers."""
        if request.ids:
            request = replace(request, ids=tuple(int(i) for i in request.ids))
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class IgnoresPreserve(Retrain, Broken):
    """Does not look at what must stay."""

    caught_by = "preserve_is_honoured"
    wrong = "a record that must stay goes without a word"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain, whatever was to be preserved."""
        request = replace(request, preserve=None)
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class ClaimsInProse(Retrain, Broken):
    """Returns a sentence where a claim is due."""

    caught_by = "claim_and_cost_are_stated"
    wrong = "a claim that no program can check"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain."""
        gone = super().forget(model, records, request, seed=seed)
        return Forgotten(gone.model, "100 % forgotten", gone.cost)  # type: ignore[arg-type]


BROKEN_REQUESTS: tuple[Any, ...] = (
    ForgetsOnNothing(),
    SpoilsItsInput(),
    SwallowsUnknownIds(),
    SwallowsRepeatedIds(),
    RollsItsOwnDice(),
    NeverSteps(),
    DecaysTheFrozen(),
    PeeksAtRetained(),
    RetrainsInSecret(),
    IgnoresGroups(),
    CountsOnNumbers(),
    IgnoresPreserve(),
    ClaimsInProse(),
)
"""Each is caught by one law alone."""
