"""Defects of published metrics: each would have been caught here, and an outside auditor agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unteach.audit import (
    epsilon_from_counts,
    epsilon_lower_bound,
    epsilon_one_run,
    modified_entropy,
    neurips_score,
    ulira,
    zrf,
)
from unteach.checks import METRIC_LAWS, MetricBench, broken_by
from unteach.checks.broken_arms import BROKEN_ARMS
from unteach.core import stream
from unteach.stats import area_under_curve


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
