"""Linear probes: can the forgotten labels be read off what a model computes inside?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from unteach.core import BadInput, Case, NeedsReference, Reading, Role, Trial
from unteach.stats import Interval

from .arms import Array
from .arms_of import LEAST, stacked, trials_of
from .inside import hidden
from .over_arms import Comparison, Four
from .population import difference_of_means


def linear_probe(features: Any, labels: Any, *, folds: int = 5, seed: int = 0) -> float:
    """Return the cross-validated accuracy of reading labels off hidden features, linearly.

    Scaled features, logistic regression (C = 1), stratified folds; no record is scored by a probe
    that saw it. Output suppression leaves the features as they were, which this finds.

    Null: the probe of retrained models, not chance: their features separate classes too. Limit:
    1. Failure mode: more features than records make every probe noisy.

    Parameters
    ----------
    features : (n, d) of the forgotten records · labels : (n,) of which each occurs `folds` times
    folds : at least 2

    Examples
    --------
    >>> linear_probe([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]], [0, 0, 0, 1, 1, 1], folds=3)
    1.0
    """
    import warnings

    x, y = np.asarray(features, dtype=np.float64), np.asarray(labels)
    if x.ndim != 2 or y.shape != (len(x),) or not np.isfinite(x).all() or folds < 2:
        raise BadInput(f"features (n, d) and labels (n,) are needed, got {x.shape}, {y.shape}")
    kinds, counts = np.unique(y, return_counts=True)
    if len(kinds) < 2 or counts.min() < folds:
        raise NeedsReference(f"a probe needs two labels, each on {folds} records, got {counts}")
    right = 0
    for fit, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
        scale = StandardScaler().fit(x[fit])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a probe cut short is a probe
            probe = LogisticRegression(max_iter=200).fit(scale.transform(x[fit]), y[fit])
        right += int(np.sum(probe.predict(scale.transform(x[test])) == y[test]))
    return right / len(y)


def probe_gap(
    unlearned: Sequence[Any],
    retrained: Sequence[Any],
    labels: Any,
    *,
    folds: int = 5,
    seed: int = 0,
) -> Interval:
    """Return by how much the forgotten labels are easier to read off than in retrained models.

    Parameters
    ----------
    unlearned, retrained : hidden features (n, d) of the same records, one array a model

    Examples
    --------
    >>> knows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> print(probe_gap([knows, knows], [knows, knows], [0, 0, 0, 1, 1, 1], folds=3))
    0 [0, 0], n=2 models, 95 % Welch t
    """
    if len(unlearned) < 2 or len(retrained) < 2:
        raise NeedsReference("a gap between probes needs two models of each kind for its interval")
    one, other = (
        [linear_probe(f, labels, folds=folds, seed=seed) for f in arm]
        for arm in (unlearned, retrained)
    )
    return difference_of_means(one, other)


@dataclass(frozen=True)
class ProbeLeft:
    """How well the forgotten labels can be read off the last hidden layer: a screen.

    Definition  `linear_probe` of each unlearned model's hidden features of the forgotten records,
                averaged over models; finds output that is suppressed and not removed
    Null        of retrained models, which is above chance: a layer that recognizes classes does so
                on records that it has not seen
    Limit       1
    Fails       more features than records make every probe noisy; reads only what is linear;
                labels that were swapped throughout are read off as well as true ones; no side
    Parameters  features : called as features(model, x), returns (n, d); None takes `hidden`
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models or a
                hidden layer, and for labels too rare to probe
    Source      Alain & Bengio 2017

    Examples
    --------
    >>> ProbeLeft().world, ProbeLeft().role
    ('network', 'screen')
    """

    features: Callable[[Any, Any], Any] | None = None
    folds: int = 3
    name: ClassVar[str] = "linear probe"
    role: ClassVar[Role] = "screen"
    replicates: ClassVar[str] = "seeds"
    models: ClassVar[int] = LEAST
    world: ClassVar[str] = "network"

    def read(self, case: Case) -> Reading:
        """Return the mean accuracy of probes."""
        trials = trials_of(case, self.name, least=self.models)
        of = hidden if self.features is None else self.features

        def probed(model: Any, trial: Trial) -> Any:
            order = np.argsort(trial.forget.ids)
            x, y = trial.forget.take(order).x, np.asarray(trial.forget.y)[order]
            return linear_probe(of(model, x), y, folds=self.folds)

        def itself(u: Array, _: Array) -> Array:
            return u

        seen = Four(**stacked(trials, probed))
        how = Comparison(self.name, "accuracy", "lower", limit=1.0)
        return how.read(seen, itself, seeds=[t.seed for t in trials])
