"""Defects of published code: each would have been caught here, and an outside auditor agrees."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from broken.arm_metrics import BROKEN_ARMS
from unteach.audit import (
    ARM_METRICS,
    METRICS,
    Arms,
    HoldoutUtility,
    activation_distance,
    audit,
    epsilon_from_counts,
    epsilon_lower_bound,
    epsilon_one_run,
    klom,
    modified_entropy,
    neurips_score,
    planted_arms,
    tow,
    ulira,
    verdict,
    zrf,
)
from unteach.checks import METRIC_LAWS, LawBroken, MetricBench, broken_by, check_method
from unteach.checks.worlds import memorable_world, small_world
from unteach.core import Exact, Forgotten, NeedsReference, NoRoute, Request, stream
from unteach.models import Logistic, NaiveBayes, parameters
from unteach.stats import area_under_curve
from unteach.unlearn import DoNothing, Newton, Sisa

OUTPUTS_ONLY = [
    m
    for m in ARM_METRICS
    if hasattr(m, "measure_arms") and m.name != "epsilon lower bound, credible"
]


@pytest.mark.parametrize("metric", BROKEN_ARMS, ids=lambda m: type(m).__name__)
def test_a_broken_metric_of_arms_is_caught(metric):
    assert metric.caught_by in broken_by(MetricBench(metric), METRIC_LAWS), metric.wrong


def test_bounds_agree_with_jax_privacy():
    """Values of jax-privacy 2.0.0 (auditing.py), recorded; it is no dependency.

    CanaryScoreAuditor(arange(40) / 10 + 1, arange(40) / 10), significance .05, delta 1e-5, both
    sides, explicit thresholds; `_epsilon_one_run` at the same significance.
    """
    inside, outside = np.arange(40) / 10 + 1, np.arange(40) / 10
    for threshold, golden in ((2.45, 0.0), (0.95, 0.36499527249701247)):
        tp, fp = int((inside >= threshold).sum()), int((outside >= threshold).sum())
        assert epsilon_from_counts(tp, 40 - fp, fp, 40 - tp) == pytest.approx(golden, abs=1e-9)
    assert epsilon_from_counts(40, 40, 0, 0) == pytest.approx(2.337080408328907)
    assert area_under_curve(inside, outside) == pytest.approx(0.71875)
    for m, r, v, delta, golden in (
        (100, 100, 100, 0.0, 3.492965346169885),
        (1000, 100, 100, 1e-5, 3.465376229385333),
        (1000, 100, 99, 1e-5, 3.002832256676205),
        (1000, 1000, 600, 1e-5, 0.2972269575896597),
        (5000, 500, 450, 1e-5, 1.9414204321527775),
    ):
        assert epsilon_one_run(m, r, v, delta=delta) == pytest.approx(golden, abs=1e-6)


def _entropy_by_columns(p, y):
    """As published: whole columns are overwritten, and log p stands for log(1 - p)."""
    flipped, logs = p.copy(), -np.log(p)
    flipped[:, y] = 1 - p[:, y]
    logs[:, y] = -np.log(p[:, y])
    return np.sum(flipped * logs, axis=1)


def test_modified_entropy_is_not_the_published_one():
    p = np.array([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4]])
    y = np.array([0, 1, 0])
    found, published = modified_entropy(p, y), _entropy_by_columns(p, y)
    assert not np.any(np.isclose(found, published, atol=0.05))
    # what is published of a record changes with the rest of its batch
    assert _entropy_by_columns(p[:1], y[:1])[0] != pytest.approx(published[0])
    assert modified_entropy(p[:1], y[:1])[0] == found[0]


def test_zrf_is_one_less_jensen_shannon_whatever_the_classes():
    rng = stream(0, "zrf")
    p, q = (rng.dirichlet(np.full(100, 0.05), size=200) for _ in range(2))
    m = (p + q) / 2
    js = [
        (stats.entropy(a, c, base=2) + stats.entropy(b, c, base=2)) / 2
        for a, b, c in zip(p, q, m, strict=True)
    ]
    assert zrf(p, q) == pytest.approx(1 - np.mean(js), abs=1e-9)
    # as published: KL(m || p), averaged over elements
    kl = [m * (np.log(np.maximum(m, 1e-12)) - np.log(np.maximum(v, 1e-12))) for v in (p, q)]
    assert 1 - (kl[0].mean() + kl[1].mean()) / 2 > 0.9  # two unrelated predictors "forgot"
    for k in (2, 10, 100):
        assert zrf(np.eye(k)[:1], np.eye(k)[1:2]) == pytest.approx(0.0)


def test_zrf_is_no_cosine_of_logits():
    logits = np.array([9.0, 1.0]), np.array([1.1, 1.0])  # what a package calls ZRF is .81 here
    p, q = (np.exp(z) / np.exp(z).sum() for z in logits)
    js = stats.entropy(p, (p + q) / 2, base=2) / 2 + stats.entropy(q, (p + q) / 2, base=2) / 2
    assert zrf(p[None], q[None]) == pytest.approx(1 - js)


def test_a_spread_of_zero_gives_no_nan():
    level = np.arange(6.0) * np.ones((8, 6))  # a released U-LiRA divides by this spread
    assert ulira(level, level, permutations=19).area.value == 0.5
    assert ulira(level + 1e-3, level, permutations=19).area.value == 1.0


def test_epsilon_sees_a_difference_in_spread_alone():
    rng = stream(0, "spread")
    one, other = rng.normal(size=(2, 64, 100))
    found = epsilon_lower_bound(5 * one, other)
    assert np.mean(found.low > 0) > 0.9  # by a threshold on margins: two thirds
    assert found.share > 0.9
    null = epsilon_lower_bound(one, other)
    assert np.mean(null.low > 0) <= 0.05 and null.share == 0.0


def test_epsilon_on_the_models_that_chose_the_threshold_is_not_valid():
    one, other = stream(0, "in sample").normal(size=(2, 512, 200))
    n, caught = 512, 0
    counts = np.arange(n + 1)
    upper = np.append(stats.beta.ppf(0.975, counts[:-1] + 1, n - counts[:-1]), 1.0)
    for a, b in zip(np.sort(one.T), np.sort(other.T), strict=True):
        cuts = np.concatenate([a, b])
        under = [np.searchsorted(v, cuts, side="right") for v in (a, b)]
        caught += any(
            bool(np.any(1 - 1e-5 - upper[missed] > upper[false]))
            for missed, false in ((under[0], n - under[1]), (n - under[0], under[1]))
        )
    assert caught / 200 > 0.07  # for at most 5 % it should
    assert np.mean(epsilon_lower_bound(one, other).low > 0) <= 0.02


def test_the_challenge_score_reads_apart_as_apart_at_any_size():
    for models in (16, 64, 200):
        rng = stream(models, "apart")
        one, other = rng.normal(size=(2, models, 20))
        assert neurips_score(one + 60, other).score == 0.0
        assert neurips_score(one, other).score < 0.9  # "a perfect unlearner scores 1"


def test_bounds_agree_with_jax_privacy_where_it_is_installed():
    """The auditor itself, on counts and scores drawn anew; the goldens above hold without it."""
    auditing = pytest.importorskip(
        "jax_privacy.auditing", reason="jax-privacy is an outside auditor and no dependency"
    )
    rng = stream(0, "jax-privacy")
    for n in (24, 60):
        inside, outside = rng.normal(1.5, 1, n), rng.normal(size=n)
        other = auditing.CanaryScoreAuditor(inside, outside)
        # theirs is the area under the hull of the curve: never below the area itself
        assert other.attack_auroc() >= area_under_curve(inside, outside) - 1e-12
        for threshold in (-0.5, 0.5, 1.5):
            tp, fp = int((inside >= threshold).sum()), int((outside >= threshold).sum())
            theirs = other.epsilon_clopper_pearson(
                0.05,
                delta=1e-5,
                one_sided=False,
                threshold_strategy=auditing.Explicit(threshold),
            )
            ours = epsilon_from_counts(tp, n - fp, fp, n - tp)
            assert ours == pytest.approx(theirs, abs=1e-9)
    for m, r, v, delta in ((200, 150, 120, 1e-5), (1000, 300, 290, 0.0), (50, 50, 25, 1e-6)):
        theirs = auditing._epsilon_one_run(0.0, m, r, v, 0.05, delta)
        assert epsilon_one_run(m, r, v, delta=delta) == pytest.approx(theirs, abs=1e-5)


# ---- metrics


@pytest.mark.parametrize("metric", OUTPUTS_ONLY, ids=lambda m: m.name)
def test_logits_are_read_up_to_a_constant(metric):
    """Published losses and divergences were taken of raw logits, which a constant moves."""
    quick = replace(metric, permutations=19) if hasattr(metric, "permutations") else metric
    made = planted_arms("Partly", models=16, records=6)
    shift = stream(0, "shift").normal(size=(*made.original.shape[:2], 1)) * 3
    moved = {a: getattr(made, a) + shift for a in ("original", "retrained", "unlearned", "twin")}
    one, two = (quick.measure_arms(a).reading for a in (made, replace(made, **moved)))
    assert two.value == pytest.approx(one.value, abs=1e-9)
    assert two.null == pytest.approx(one.null or ()) if one.null else two.null is None


def test_a_metric_that_fails_is_not_passed_over():
    """Published evaluators catch every exception and go on without the number."""

    class Fails:
        name, role = "fails", "screen"

        def read(self, case):
            raise ZeroDivisionError("a fault, and no missing reference")

    world = memorable_world()
    how = {"holdout": world.holdout, "seeds": range(2)}
    with pytest.raises(ZeroDivisionError):
        audit(
            DoNothing(),
            Logistic(),
            world.records,
            Request(ids=world.planted),
            metrics=[Fails()],
            **how,
        )
    found = audit(
        DoNothing(),
        Logistic(),
        world.records,
        Request(ids=world.planted),
        metrics=[*METRICS[:1], *ARM_METRICS[:1]],
        **how,
    )
    with pytest.raises(NeedsReference, match="4 models or more"):  # what is refused is named
        found.reading("per-example attack")


def test_every_metric_is_read_once_a_case():
    """A published evaluator says that it skips what it has read, and reads it again."""
    read = []

    class Counts(HoldoutUtility):
        def measure(self, case):
            read.append(case)
            return super().measure(case)

    world = memorable_world()
    audit(
        DoNothing(),
        Logistic(),
        world.records,
        Request(ids=world.planted),
        holdout=world.holdout,
        seeds=range(2),
        metrics=[Counts()],
    )
    assert len(read) == 1


def test_one_name_for_two_numbers_must_be_said_which():
    p, q = [[0.7, 0.3, 0.0]], [[0.4, 0.3, 0.3]]
    with pytest.raises(TypeError, match="norm"):
        activation_distance(p, q)
    assert activation_distance(p, q, norm="l1") > activation_distance(p, q, norm="l2")


def test_percentages_are_no_accuracies():
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        tow([90.0, 100.0, 80.0], [50.0, 100.0, 90.0])


def test_the_challenge_score_reads_every_shape_of_arms():
    """As released it stops at `assert` of an array of thresholds."""
    rng = stream(0, "shapes")
    constant, spread = np.zeros((8, 2)), rng.normal(size=(8, 2))
    ties = np.round(rng.normal(size=(8, 2)))
    for one in (constant, spread, ties):
        for other in (constant, spread, ties):
            assert 0 <= neurips_score(one, other).score <= 1
    assert neurips_score(spread, spread).score <= 1.0


def test_klom_reads_the_largest_margin_and_points_apart():
    top = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert klom(top, top - [[0], [0], [0], [1]])[0] > 2  # the largest is not dropped
    assert klom(np.zeros((4, 1)), np.ones((4, 1)))[0] == pytest.approx(np.log(1e5))


def test_a_gap_that_is_small_and_real_does_not_pass_for_its_p_value():
    """Forget quality is a p-value: the same gap scores .01 at 40 questions, 1e-21 at 400."""
    one = planted_arms("Retrain", models=24, records=4, seed=1)
    gap = one.unlearned.copy()
    gap[:, :4, 1] += 0.6
    made = replace(one, unlearned=gap)
    for metric in ARM_METRICS[:4]:
        reading = metric.measure_arms(made).reading
        assert verdict(reading) in ("cannot tell", "not as retrained", "under-forgotten")


def test_nothing_is_compared_with_a_reference_that_is_not_there():
    """A published table has "TODO" for the oracle, and reports the distance to it."""
    made = planted_arms("Partly")
    bare = Arms(made.original, made.retrained, made.unlearned, None, made.y, made.part)
    for metric in OUTPUTS_ONLY:
        with pytest.raises(NeedsReference, match="twin"):
            metric.measure_arms(bare)


# ---- methods and packages


@dataclass(frozen=True)
class Placeholder(Sisa):
    """A sharded method whose body was never written."""

    def forget(self, model, records, request, *, seed):
        """Return the model unchanged, and call it exact."""
        request.targets(records)
        return Forgotten(model, Exact())


def test_a_placeholder_breaks_a_law():
    with pytest.raises(LawBroken):
        check_method(Placeholder(shards=2))


def test_what_cannot_be_certified_is_refused_and_not_approximated():
    world = small_world("classification")
    model = NaiveBayes().fit(world.records.x, world.records.y)
    with pytest.raises(NoRoute):  # a published package falls back on gradient ascent
        Newton().forget(model, world.records, Request(ids=world.planted), seed=0)


@pytest.mark.parametrize("name", ["SCRUB", "BadTeacher", "NegGradPlus"])
def test_a_number_added_to_all_logits_is_never_moved(name):
    """Losses against a reference were published on raw logits, which are no log-probabilities."""
    pytest.importorskip("torch")
    import torch

    from unteach import unlearn
    from unteach.models import Layers, Network

    class Added(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.all = Layers((4, 16, 2))(), torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return self.inner(x) + self.all

        def reset_parameters(self):
            torch.nn.init.zeros_(self.all)

    world = small_world("classification")
    net = Network(module=Added, epochs=10, lr=0.02, batch_size=16, optimizer="sgd")
    model = net.learn(world.records, seed=0)
    method = getattr(unlearn, name)(optimizer="sgd", lr=0.05)
    gone = method.forget(model, world.records, Request(ids=world.planted), seed=0).model
    moved = np.abs(parameters(gone) - parameters(model)).max()
    assert moved > 1e-3 and abs(float(gone.module.all.detach()[0])) < 1e-3 * moved


def test_all_that_is_named_is_there():
    """A published wheel lacks its trainers and metrics; another calls what it never imports."""
    rooms = ("core", "data", "stats", "kernel", "models", "unlearn", "memorize", "audit", "checks")
    for room in rooms:
        module = importlib.import_module(f"unteach.{room}")
        for name in module.__all__:
            if room == "models":
                pytest.importorskip("torch")
            assert getattr(module, name) is not None, (room, name)
