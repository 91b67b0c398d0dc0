"""The public doors: check a method, a metric or an estimator in one line."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from unteach.core import BadInput
from unteach.models import Logistic

from .certified import CERTIFIED_LAWS
from .estimators import ESTIMATOR_LAWS, EstimatorBench
from .exact import EXACT_LAWS
from .law import Law, Outcome, run_laws
from .memorization import MEMORIZATION_LAWS, MemorizationBench
from .method_bench import MethodBench
from .methods import METHOD_LAWS
from .metric_bench import MetricBench
from .metrics import METRIC_LAWS
from .worlds import small_network, small_transformer

EXPECTED: dict[str, dict[str, str]] = {
    "DoNothing": {
        "something_moves": "it is the pole that does nothing",
        "no_residue": "it is the pole that keeps everything",
    },
    "OverForget": {
        "no_residue": "it is the pole that teaches the opposite, from the forgotten rows",
    },
}
"""What the poles of `unteach.unlearn` are known not to hold, and why."""


def _an_instance(subject: Any, what: str, *offers: str) -> None:
    """Refuse what is no instance, or lacks what it must offer, by name."""
    if isinstance(subject, type):
        raise BadInput(
            f"{subject.__name__} is a class; give an instance of it: {subject.__name__}()"
        )
    missing = [name for name in offers if not callable(getattr(subject, name, None))]
    if missing:
        lacks = " and no ".join(missing)
        raise BadInput(f"{subject!r} is no {what}: a {type(subject).__name__} has no {lacks}")


def laws_of(
    method: Any, learner: Any = None, *, seed: int = 0
) -> tuple[MethodBench, tuple[Law, ...]]:
    """Return the bench of a method and the laws that its claim makes it subject to."""
    _an_instance(method, "method", "forget")
    if learner is None:
        needs = getattr(method, "needs", "")
        made = {"trainable": small_network, "tokens": small_transformer}
        learner = made[needs]() if needs in made else Logistic()
    bench = MethodBench.of(method, learner, seed=seed)
    laws: tuple[Law, ...] = METHOD_LAWS
    if bench.claims("exact"):
        laws += EXACT_LAWS
    if bench.claims("certified"):
        laws += CERTIFIED_LAWS
    return bench, laws


def check_method(
    method: Any,
    *,
    learner: Any = None,
    expected: Mapping[str, str] | None = None,
    seed: int = 0,
) -> tuple[Outcome, ...]:
    """Hold a method to every law that its claim makes it subject to.

    Parameters
    ----------
    method : an object with `forget(model, records, request, *, seed) -> Forgotten`; where its
        models must be learned in a way of its own, also `prepare(learner) -> Learner`
    learner : the learner or estimator whose models it is given; if None logistic regression, or
        a small network for a method that says `needs = "trainable"`, a small transformer for
        one that says `needs = "tokens"`
    expected : laws that are known not to hold, each with its reason; one that then holds
        nevertheless is an error
    seed : names the world

    Returns
    -------
    What became of each law. Raises `LawBroken`, an AssertionError, listing all that do not hold
    with the evidence.

    Examples
    --------
    >>> from unteach.unlearn import Native
    >>> all(outcome.held for outcome in check_method(Native()))
    True
    """
    bench, laws = laws_of(method, learner, seed=seed)
    name = type(method).__name__
    if expected is None and type(method).__module__.startswith("unteach.unlearn."):
        expected = EXPECTED.get(name, {})
    return run_laws(name, bench, laws, expected)


def check_metric(metric: Any, *, expected: Mapping[str, str] | None = None) -> tuple[Outcome, ...]:
    """Hold a metric to the laws of its role.

    Cases are made by the three poles (and by one that keeps half and denies half) on a planted
    set that the model has memorized, over six data draws, with a learner for which two
    retrainings differ. Raises `LawBroken` listing all that do not hold.

    >>> from unteach.audit import PredictionGap
    >>> all(outcome.held for outcome in check_metric(PredictionGap()))
    True
    """
    _an_instance(metric, "metric", "read")
    name = getattr(metric, "name", type(metric).__name__)
    return run_laws(name, MetricBench(metric), METRIC_LAWS, expected)


def check_memorization(
    estimator: Any,
    *,
    learner: Any = None,
    expected: Mapping[str, str] | None = None,
    seed: int = 0,
) -> tuple[Outcome, ...]:
    """Hold an estimator of memorization, or a screen that stands in for one, to its laws.

    It is tried on records of which some are planted wrong, with a learner that memorizes these
    and hardly any other.

    Parameters
    ----------
    estimator : an object with `score(learner, records, *, seed) -> Table`; its `role` is
        "estimate" (a column "hard", in [-1, 1]) or "screen" (a column "score", no units)
    learner : what it is asked about; the nearest neighbour if None, a small network for screens

    >>> from unteach.memorize import KernelRidgeScreen
    >>> all(outcome.held for outcome in check_memorization(KernelRidgeScreen()))
    True
    """
    _an_instance(estimator, "estimator of memorization", "score")
    bench = MemorizationBench.of(estimator, learner, seed=seed)
    return run_laws(type(estimator).__name__, bench, MEMORIZATION_LAWS, expected)


def check_estimator(
    estimator: Any, *, expected: Mapping[str, str] | None = None, seed: int = 0
) -> tuple[Outcome, ...]:
    """Hold an estimator that owns a `forget` to the laws of exact estimators.

    Scikit-learn's own suite (`sklearn.utils.estimator_checks.check_estimator`) is not repeated
    here: run both. An estimator whose claim is exact given constants is compared with a fit that
    holds them (a kernel width, class weights); where they cannot be handed to a fit (a frozen
    scaler's), and where the claim is heuristic, the laws that compare are held as "not compared":
    check such an estimator with fixed constants.

    >>> from unteach.models import NaiveBayes
    >>> all(outcome.held for outcome in check_estimator(NaiveBayes()))
    True
    """
    _an_instance(estimator, "estimator that can forget", "fit", "predict", "forget", "partial_fit")
    if "sample_ids" not in inspect.signature(estimator.fit).parameters:
        raise BadInput(
            f"{type(estimator).__name__}.fit takes no sample_ids; an estimator that can forget "
            "names its records: fit(X, y, sample_ids=None)"
        )
    bench = EstimatorBench.of(estimator, seed=seed)
    return run_laws(type(estimator).__name__, bench, ESTIMATOR_LAWS, expected)
