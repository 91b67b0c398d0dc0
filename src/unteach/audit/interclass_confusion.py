"""Interclass confusion: are two classes, whose labels were swapped, still mixed up?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Trial

from .arms import Array
from .arms_of import LEAST, stacked, trials_of
from .over_arms import Comparison, Four


def interclass_confusion(predicted: Any, y: Any, a: Any, b: Any) -> float:
    """Return the share of the records of two classes that are taken for the other class.

    (C[a, b] + C[b, a]) / number of records of a and b. The test: labels of a and b are swapped
    in the forget set, the model learns, and forgetting should undo the confusion. The swap is a
    mark that retraining visibly lacks, which makes it a good positive control.

    Null: the confusion of retrained models on the same records. Limit: 1. Failure mode: a model
    that answers neither class scores 0; show the accuracy beside it.

    Parameters
    ----------
    predicted : (n,) labels · y : (n,) the true labels, before any swap
    a, b : two different labels

    Errors      NeedsReference without a record of the two classes

    Source      Goel et al. 2022 (arXiv 2201.06640)

    Examples
    --------
    >>> interclass_confusion([1, 0, 1, 2], [0, 0, 1, 1], 0, 1)
    0.25
    """
    said, true = np.asarray(predicted), np.asarray(y)
    if said.shape != true.shape or said.ndim != 1 or a == b:
        raise BadInput(f"need predictions and labels (n,) and two different classes, got {a}, {b}")
    either = (true == a) | (true == b)
    if not either.any():
        raise NeedsReference(f"interclass confusion: no record is of the class {a!r} or {b!r}")
    mixed = ((true == a) & (said == b)) | ((true == b) & (said == a))
    return float(mixed.sum() / either.sum())


@dataclass(frozen=True)
class ConfusionLeft:
    """How many forgotten records whose label was swapped still get the swapped label: a screen.

    The forgotten records are of two classes and were taught each other's label; what is stated in
    the case is the wrong label, the other of the two is the truth.

    Definition  `interclass_confusion` of each unlearned model on the forgotten records, averaged;
                the note gives the same on held-out records of the two classes
    Null        of retrained models: not 0, as they mix the classes up too
    Limit       1
    Fails       where retraining mixes up nothing, over-forgetting scores best; 0 also for a model
                that answers neither class
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models, or
                where the forgotten records are not of two classes
    Source      Goel et al. 2022 (arXiv 2201.06640)

    Examples
    --------
    >>> ConfusionLeft().name, ConfusionLeft().role
    ('interclass confusion', 'screen')
    """

    name: ClassVar[str] = "interclass confusion"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = LEAST
    world: ClassVar[str] = "linear"

    def read(self, case: Case) -> Reading:
        """Return the mean share of forgotten records that are still mixed up."""
        trials = trials_of(case, self.name, least=self.models)
        stated = np.asarray(trials[0].forget.y)
        kinds = np.unique(stated)
        if len(kinds) != 2:
            raise NeedsReference(
                f"{self.name} reads forgotten records of two classes whose labels were swapped; "
                f"these are of {len(kinds)} classes"
            )
        a, b = kinds.tolist()

        def left(model: Any, trial: Trial) -> Any:
            wrong = np.asarray(trial.forget.y)
            truth = np.where(wrong == a, b, a)
            return interclass_confusion(model.predict(trial.forget.x), truth, a, b)

        def elsewhere(model: Any, trial: Trial) -> Any:
            held = trial.holdout
            if held is None or not np.isin(held.y, kinds).any():
                return np.nan
            return interclass_confusion(model.predict(held.x), held.y, a, b)

        seen, held = (Four(**stacked(trials, of)) for of in (left, elsewhere))

        def itself(u: Array, _: Array) -> Array:
            return u

        how = Comparison(self.name, "share", "lower", limit=1.0)
        note = f"of classes {a!r} and {b!r}"
        if np.isfinite(held.unlearned).all():
            note += f"; held out {held.unlearned.mean():.3g}, retrained {held.retrained.mean():.3g}"
        return how.read(seen, itself, seeds=[t.seed for t in trials], note=note)
