"""Everything that the package exports holds its laws, and the suite catches what is broken."""

from __future__ import annotations

import pytest
from sklearn.naive_bayes import GaussianNB

from broken.arm_metrics import BROKEN_ARMS
from broken.certified import BROKEN_METHODS
from broken.gradient import BROKEN_GRADIENT
from broken.metrics import BLIND_METRICS, BROKEN_METRICS, Sound
from unteach.audit import METRICS
from unteach.checks import (
    CERTIFIED_LAWS,
    EXACT_LAWS,
    METHOD_LAWS,
    METRIC_LAWS,
    LawBroken,
    MetricBench,
    broken_by,
    check_estimator,
    check_method,
    check_metric,
    laws_of,
)
from unteach.core import BadInput
from unteach.kernel import SVC
from unteach.models import Logistic, NaiveBayes, Neighbours, Pipeline, Ridge, Scaler
from unteach.unlearn import METHODS, Native, Newton, OverForget, Retrain, Sisa

ESTIMATORS = [
    Ridge(),
    Logistic(),
    NaiveBayes(),
    Neighbours(n_neighbors=3),
    SVC(gamma=0.3),
    SVC(kernel="linear"),
    SVC(kernel="poly", gamma=0.3, coef0=1.0, C=10.0),
    SVC(gamma="scale", class_weight="balanced", statistics="follow"),
    Pipeline([("scale", Scaler()), ("machine", Logistic())]),
]


# exact given constants that all rows helped to compute, or heuristic: compared where it can be
CONSTANT = [
    SVC(),
    SVC(gamma=0.3, class_weight="balanced"),
    Pipeline([("scale", Scaler(statistics="frozen")), ("machine", Logistic())]),
    SVC(kernel="sigmoid", gamma=0.1),
]


def _named(estimator):
    return repr(estimator).replace("\n", "")[:60]


@pytest.mark.parametrize("method", [m() for m in METHODS], ids=lambda m: type(m).__name__)
def test_every_exported_method(method):
    assert check_method(method)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=_named)
def test_native_with_every_estimator(estimator):
    assert check_method(Native(), learner=estimator)


@pytest.mark.parametrize("method", [Retrain(), Sisa(shards=3), OverForget(strength=2)])
def test_methods_with_a_foreign_estimator(method):
    # this estimator keeps no rows, so that not even the vandal leaves one
    assert check_method(method, learner=GaussianNB(), expected={})


def test_methods_with_a_regression():
    for method in (Retrain(), Native(), OverForget(), Sisa(shards=2)):
        assert check_method(method, learner=Ridge())


def test_sisa_with_slices_and_means():
    assert check_method(Sisa(shards=2, slices=3, aggregate="mean"), learner=Logistic())


def test_newton_without_noise_is_heuristic():
    assert check_method(Newton(sigma=0.0))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=_named)
def test_every_estimator(estimator):
    assert check_estimator(estimator)


@pytest.mark.filterwarnings("ignore::unteach.kernel.DataDependentStatistics")
@pytest.mark.parametrize("estimator", CONSTANT, ids=_named)
def test_constants_are_held_where_the_claim_says_so(estimator):
    outcomes = check_estimator(estimator) + check_method(Native(), learner=estimator)
    skipped = [outcome.evidence for outcome in outcomes if outcome.evidence]
    holds = isinstance(estimator, SVC) and estimator.kernel == "rbf"
    assert all("not compared" in evidence for evidence in skipped)
    assert len(skipped) <= 1 if holds else len(skipped) >= 2


class _Foreign:
    """A method that is not one: what it does when asked to forget is up to the test."""

    def __init__(self, forget):
        self.forget = forget


@pytest.mark.parametrize(
    ("forget", "said"),
    [
        (lambda model, records, request, *, seed: None, "forget returned NoneType"),
        (lambda model, records, request, *, seed: model, "forget returned Logistic"),
        (lambda model, records, request: model, "TypeError: .*seed"),
        (lambda model, records, request, *, seed: int("x"), "ValueError: invalid literal"),
    ],
)
def test_foreign_errors_are_evidence(forget, said):
    with pytest.raises(LawBroken, match=said):
        check_method(_Foreign(forget))


def test_what_is_no_subject_is_refused_by_name():
    for method in (Retrain, "retrain", object()):
        with pytest.raises(BadInput, match=r"class|forget"):
            check_method(method)
    with pytest.raises(BadInput, match="is a class"):
        check_metric(Sound)
    for estimator in (Scaler(), GaussianNB(), NaiveBayes):
        with pytest.raises(BadInput, match=r"class|has no"):
            check_estimator(estimator)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_every_exported_metric(metric):
    assert check_metric(metric)


@pytest.mark.parametrize("method", BROKEN_METHODS, ids=lambda m: type(m).__name__)
def test_a_broken_method_is_caught_by_its_law_alone(method):
    bench, laws = laws_of(method)
    assert broken_by(bench, laws) == [method.caught_by], method.wrong


@pytest.mark.parametrize("method", BROKEN_GRADIENT, ids=lambda m: type(m).__name__)
def test_a_broken_gradient_method_is_caught_by_its_law_alone(method):
    bench, laws = laws_of(method, method.learner())
    assert set(broken_by(bench, laws)) == {method.caught_by, *method.also}, method.wrong


def test_the_sound_metric_is_sound():
    assert check_metric(Sound())


@pytest.mark.parametrize("metric", BROKEN_METRICS, ids=lambda m: type(m).__name__)
def test_a_broken_metric_is_caught_by_its_law_alone(metric):
    assert broken_by(MetricBench(metric), METRIC_LAWS) == [metric.caught_by], metric.wrong


@pytest.mark.parametrize("metric", BLIND_METRICS, ids=lambda m: type(m).__name__)
def test_a_blind_metric_is_caught(metric):
    assert metric.caught_by in broken_by(MetricBench(metric), METRIC_LAWS), metric.wrong


def test_every_law_has_a_broken_one_that_only_it_catches():
    methods = {m.caught_by for m in BROKEN_METHODS}
    assert methods == {law.name for law in (*METHOD_LAWS, *EXACT_LAWS, *CERTIFIED_LAWS)}
    metrics = {m.caught_by for m in (*BROKEN_METRICS, *BROKEN_ARMS)}
    assert metrics == {law.name for law in METRIC_LAWS}


def test_an_excuse_must_be_needed():
    with pytest.raises(LawBroken, match="drop the excuse"):
        check_method(Retrain(), expected={"no_residue": "because"})
