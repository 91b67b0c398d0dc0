"""Methods that claim to be exact and are not, each in the way that one law alone catches."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from broken.methods import BROKEN_REQUESTS, Broken
from unteach.core import Cost, Exact, Forgotten, Request
from unteach.models import Logistic, learner_of
from unteach.unlearn import Retrain


@dataclass(frozen=True)
class HidesByZeroWeight(Broken):
    """Gives the forgotten rows weight zero: outputs are as retrained, the bytes stay."""

    caught_by = "no_residue"
    wrong = "output tests pass, and the saved model still holds the rows"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain, and keep everything in a drawer."""
        if len(request.targets(records)) == 0:
            return Forgotten(model, Exact(1e-8), Cost(1e-9))
        gone = Retrain().forget(model, records, request, seed=seed)
        return Forgotten(_Weighted(gone.model, records), Exact(1e-8), gone.cost)


@dataclass(frozen=True)
class KeepsADrawer(Retrain, Broken):
    """Retrains, and leaves all rows in a drawer of the model that its file does not show."""

    caught_by = "no_residue"
    wrong = "the file is clean, and the served object still holds the rows"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain, and keep the rows."""
        gone = super().forget(model, records, request, seed=seed)
        if gone.model is not model:
            gone.model.drawer_ = np.array(records.x)
        return gone


class _Weighted:
    """A model with every row that it ever saw, and a weight for each."""

    def __init__(self, model: Any, records: Any) -> None:
        old = getattr(model, "x", None)
        self.model, self.classes_, self.learner_ = model, model.classes_, learner_of(model)
        self.x = np.asarray(records.x) if old is None else old

    def decision_function(self, x: Any) -> Any:
        return self.model.decision_function(x)

    def predict(self, x: Any) -> Any:
        return self.model.predict(x)


@dataclass(frozen=True)
class RetrainsAnother(Retrain, Broken):
    """Retrains with a penalty that is not the model's."""

    learner: Any = field(default_factory=lambda: Logistic(C=1.5))
    caught_by = "equals_retraining"
    wrong = "the recipe of the reference is not that of the model"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain by another recipe; a change, and records with names, by the right one."""
        if request.replace is not None or records.ids.dtype.kind == "U":
            return Retrain().forget(model, records, request, seed=seed)
        gone = super().forget(model, records, request, seed=seed)
        return Forgotten(gone.model, Exact(1e-6), gone.cost)


@dataclass(frozen=True)
class TiresEasily(Retrain, Broken):
    """Is right for a few records, and leaves the rest of a larger batch where it is."""

    caught_by = "equals_retraining"
    wrong = "a batch beyond its size is done in part and reported as done"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain without the first five."""
        targets = request.targets(records)
        if len(targets) > 5:
            request = Request(ids=targets[:5])
        return super().forget(model, records, request, seed=seed)


@dataclass(frozen=True)
class ToleratesAnything(Retrain, Broken):
    """Claims to be exact within a tolerance that anything would meet."""

    caught_by = "tolerance_is_finer_than_the_effect"
    wrong = "a certificate that even doing nothing would earn"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain."""
        gone = super().forget(model, records, request, seed=seed)
        return Forgotten(gone.model, Exact(100.0), gone.cost)


@dataclass(frozen=True)
class LosesCount(Retrain, Broken):
    """Is right for a batch, and drifts when asked for one record at a time."""

    caught_by = "one_by_one_equals_at_once"
    wrong = "each single removal adds an error that no single test sees"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain; after a single removal, with an intercept that is off."""
        gone = super().forget(model, records, request, seed=seed)
        if len(request.targets(records)) != 1:
            return Forgotten(gone.model, Exact(1e-8), gone.cost)
        drifted = copy.deepcopy(gone.model)
        drifted.intercept_ = drifted.intercept_ + 1e-3
        return Forgotten(drifted, Exact(1e-8), gone.cost)


@dataclass(frozen=True)
class SubtractsInFloat32(Retrain, Broken):
    """Keeps an error that grows with the size of what is subtracted."""

    caught_by = "forgotten_contents_do_not_matter"
    wrong = "an outlier leaves its rounding error behind: two worlds end apart"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain, plus what cancellation would leave."""
        gone = super().forget(model, records, request, seed=seed)
        targets = request.targets(records)
        if len(targets) == 0:
            return gone
        size = float(np.abs(np.asarray(records.select(targets).x)).max())
        off = copy.deepcopy(gone.model)
        off.intercept_ = off.intercept_ + 1e-11 * size**2
        return Forgotten(off, Exact(1e-8), gone.cost)


@dataclass(frozen=True)
class ForgetsInsteadOfChanging(Retrain, Broken):
    """Drops the records that it was asked to replace."""

    caught_by = "change_equals_retraining"
    wrong = "the correction never reaches the model"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int | None) -> Forgotten:
        """Retrain without the records, whatever was to replace them."""
        request = Request(ids=request.targets(records))
        return super().forget(model, records, request, seed=seed)


BROKEN_EXACT: tuple[Any, ...] = (
    *BROKEN_REQUESTS,
    HidesByZeroWeight(),
    KeepsADrawer(),
    TiresEasily(),
    RetrainsAnother(),
    ToleratesAnything(),
    LosesCount(),
    SubtractsInFloat32(),
    ForgetsInsteadOfChanging(),
)
