"""Statistics: known values, closed forms, other people's implementations, and coverage."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats as scipy_stats

from unteach.core import BadInput, Reading, stream
from unteach.stats import (
    Interval,
    area_interval,
    area_under_curve,
    benjamini_hochberg,
    bootstrap_interval,
    cluster_bootstrap,
    corrected_paired,
    difference_of_proportions,
    equivalence,
    holm,
    mean_interval,
    paired,
    proportion_interval,
    two_way_bootstrap,
)

UNIT = {"unit_of_replication": "data draws"}


# ---------------------------------------------------------------- intervals
def test_an_interval_becomes_a_reading_as_it_is():
    i = mean_interval([1.0, 2.0, 4.0], **UNIT)
    r = Reading("x", i.value, i.low, i.high, i.n, i.unit_of_replication, (0,), "", "higher")
    assert (r.n, r.unit_of_replication) == (3, "data draws")


@pytest.mark.parametrize(
    "ends", [(0.5, 0.6, 0.7), (0.5, 0.1, 0.4), (math.nan, 0, 1), (0.5, math.nan, 1)]
)
def test_an_interval_holds_its_estimate_or_is_refused(ends):
    with pytest.raises(BadInput, match="low <= value <= high"):
        Interval(*ends, n=3, unit_of_replication="seeds")


@pytest.mark.parametrize("bad", [{"n": 0}, {"level": 95}, {"level": 1.0}, {"level": True}])
def test_an_interval_names_what_is_wrong(bad):
    with pytest.raises(BadInput, match=r"replicate|level"):
        Interval(**{"value": 0, "low": 0, "high": 0, "n": 3, "unit_of_replication": "x", **bad})


def test_the_unit_of_replication_must_be_named():
    with pytest.raises(BadInput, match="name the unit"):
        mean_interval([1.0, 2.0], unit_of_replication=" ")


def test_mean_interval_is_scipys_t_interval():
    values = stream(0, "t").normal(3, 2, 17)
    ours = mean_interval(values, level=0.9, **UNIT)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert ours.low == pytest.approx(theirs.low, rel=1e-12)
    assert ours.high == pytest.approx(theirs.high, rel=1e-12)
    assert ours.holds(ours.value) and ours.width == ours.high - ours.low


def test_one_replicate_has_no_interval():
    for refuse in (
        lambda: mean_interval([0.9], unit_of_replication="seeds"),
        lambda: bootstrap_interval([0.9], np.mean, unit_of_replication="seeds", seed=0),
        lambda: paired([0.9], unit_of_replication="seeds"),
        lambda: corrected_paired([0.9], n_train=2, n_test=1, unit_of_replication="seeds"),
        lambda: equivalence([0.9], 1.0, unit_of_replication="seeds"),
    ):
        with pytest.raises(BadInput, match=r"one replicate \(seeds\) gives no interval"):
            refuse()


def test_equal_values_have_an_interval_without_width_exactly():
    i = mean_interval([0.1] * 7, **UNIT)
    assert (i.low, i.value, i.high) == (0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "empty"),
        ([1.0, math.nan], r"values\[1\] is nan"),
        ([1.0, -math.inf], r"values\[1\] is -inf"),
        ([[1.0, 2.0]], "one-dimensional"),
        (["a", "b"], "must be numbers"),
        ([1e308, 1.1e308, 1.5e308], "overflow"),
    ],
)
def test_values_that_cannot_be_averaged_are_refused(values, says):
    with pytest.raises(BadInput, match=says):
        mean_interval(values, **UNIT)


def test_the_t_interval_covers_its_level():
    rng = stream(1, "coverage")
    hit = sum(mean_interval(rng.normal(5, 2, 8), **UNIT).holds(5) for _ in range(2000))
    assert 0.93 <= hit / 2000 <= 0.97


# ---------------------------------------------------------------- bootstrap
def test_bootstrap_of_a_mean_agrees_with_scipy():
    values = stream(2, "skewed").exponential(1.0, 60)
    for method, name in (("percentile", "percentile"), ("bca", "BCa")):
        ours = bootstrap_interval(values, np.mean, seed=0, resamples=8000, method=method, **UNIT)
        theirs = scipy_stats.bootstrap(
            (values,), np.mean, n_resamples=8000, method=name, rng=stream(3)
        ).confidence_interval
        error = values.std() / math.sqrt(60)
        assert abs(ours.low - theirs.low) < 0.08 * error
        assert abs(ours.high - theirs.high) < 0.12 * error


def test_bca_leans_where_the_percentile_does_not():
    values = stream(2, "skewed").exponential(1.0, 60)
    plain = bootstrap_interval(values, np.mean, seed=0, **UNIT)
    bca = bootstrap_interval(values, np.mean, seed=0, method="bca", **UNIT)
    assert bca.low > plain.low and bca.high > plain.high


def test_bootstrap_is_seeded_to_the_byte():
    values = stream(4).normal(size=30)
    one, two, other = (bootstrap_interval(values, np.mean, seed=s, **UNIT) for s in (5, 5, 6))
    assert one == two and one != other


def test_rows_of_a_matrix_are_resampled_whole():
    x = stream(6).normal(size=50)
    pairs = np.column_stack([x, 2 * x])  # correlation 1 only while pairs stay together
    i = bootstrap_interval(pairs, lambda p: np.corrcoef(p.T)[0, 1], seed=0, **UNIT)
    assert (i.low, i.high) == (pytest.approx(1.0), pytest.approx(1.0))


def test_an_estimate_outside_its_percentiles_is_said_to_be():
    i = bootstrap_interval(np.arange(30.0), lambda v: len(np.unique(v)), seed=0, **UNIT)
    assert i.value == i.high == 30 and "widened" in i.method


def test_constant_values_bootstrap_to_no_width():
    for method in ("percentile", "bca"):
        i = bootstrap_interval([2.0] * 5, np.mean, seed=0, method=method, **UNIT)
        assert (i.low, i.high) == (2.0, 2.0)


def test_a_statistic_that_fails_on_a_resample_is_refused():
    def ratio(v):
        return math.nan if v.sum() == 0 else 1 / v.sum()

    with pytest.raises(BadInput, match="one finite number"):
        bootstrap_interval([0.0, 0.0, 1.0], ratio, seed=0, **UNIT)


@pytest.mark.parametrize("bad", [{"resamples": 10}, {"resamples": 1e3 + 0.5}, {"method": "basic"}])
def test_bootstrap_settings_are_checked(bad):
    with pytest.raises(BadInput):
        bootstrap_interval([1.0, 2.0, 3.0], np.mean, seed=0, **UNIT, **bad)


def test_the_cluster_bootstrap_covers_where_the_plain_one_does_not():
    plain = clustered = 0
    runs = 100
    for k in range(runs):
        rng = stream(7, k)
        people = np.repeat(np.arange(25), 8)
        values = rng.normal(size=25)[people] + 0.3 * rng.normal(size=200)
        settings = {"seed": k, "resamples": 300}
        plain += bootstrap_interval(values, np.mean, **UNIT, **settings).holds(0)
        clustered += cluster_bootstrap(
            values, people, np.mean, unit_of_replication="people", **settings
        ).holds(0)
    assert clustered / runs > 0.87
    assert plain / runs < 0.65


def test_the_cluster_bootstrap_needs_clusters():
    with pytest.raises(BadInput, match="one cluster"):
        cluster_bootstrap([1.0, 2.0], ["a", "a"], np.mean, seed=0, **UNIT)
    with pytest.raises(BadInput, match="one cluster each"):
        cluster_bootstrap([1.0, 2.0], ["a"], np.mean, seed=0, **UNIT)


def test_the_cluster_bootstrap_takes_ragged_text_clusters():
    values, clusters = np.array([0.0, 0.0, 0.0, 9.0]), ["a", "a", "a", "b"]
    i = cluster_bootstrap(values, clusters, np.mean, seed=0, **UNIT)
    assert (i.n, i.low, i.high) == (2, 0.0, 9.0)


def test_the_two_way_bootstrap_is_wider_than_either_way_alone():
    rng = stream(8)
    matrix = rng.normal(size=(10, 1)) + rng.normal(size=(1, 40)) + 0.1 * rng.normal(size=(10, 40))
    both = two_way_bootstrap(matrix, np.mean, seed=0)
    rows = bootstrap_interval(matrix, np.mean, seed=0, unit_of_replication="models")
    columns = bootstrap_interval(matrix.T, np.mean, seed=0, unit_of_replication="examples")
    assert both.width > rows.width and both.width > columns.width
    # variances add: the two axes are independent
    assert both.width == pytest.approx(math.hypot(rows.width, columns.width), rel=0.15)


def test_the_two_way_bootstrap_covers():
    hit = 0
    for k in range(150):
        rng = stream(9, k)
        matrix = rng.normal(size=(15, 1)) + rng.normal(size=(1, 15)) + rng.normal(size=(15, 15))
        hit += two_way_bootstrap(matrix, np.mean, seed=k, resamples=300).holds(0)
    assert hit / 150 > 0.88


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (5,)])
def test_the_two_way_bootstrap_needs_two_ways(shape):
    with pytest.raises(BadInput):
        two_way_bootstrap(np.ones(shape), np.mean, seed=0)


# ---------------------------------------------------------------- proportions
@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
@pytest.mark.parametrize("k", [0, 1, 10, 29, 30])
def test_proportions_agree_with_statsmodels(method, theirs, k):
    from statsmodels.stats.proportion import proportion_confint

    i = proportion_interval(k, 30, method=method, level=0.9, **UNIT)
    assert (i.low, i.high) == pytest.approx(proportion_confint(k, 30, 0.1, theirs), abs=1e-9)


def test_clopper_pearson_at_the_edge_is_the_closed_form():
    i = proportion_interval(20, 20, method="clopper-pearson", **UNIT)
    assert (i.low, i.high) == (pytest.approx(0.025 ** (1 / 20)), 1.0)


def test_clopper_pearson_never_covers_less_and_wilson_does_on_average():
    n = 25
    cp = [proportion_interval(k, n, method="clopper-pearson", **UNIT) for k in range(n + 1)]
    wilson = [proportion_interval(k, n, **UNIT) for k in range(n + 1)]
    truths = np.linspace(0.02, 0.98, 97)
    weights = scipy_stats.binom.pmf(np.arange(n + 1)[:, None], n, truths)  # (26, 97) exact
    covers = [
        sum(weights[k] * np.array([i.holds(p) for p in truths]) for k, i in enumerate(intervals))
        for intervals in (cp, wilson)
    ]
    assert covers[0].min() >= 0.95
    assert 0.94 < covers[1].mean() < 0.96


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20)]
)
def test_newcombe_agrees_with_statsmodels(counts):
    from statsmodels.stats.proportion import confint_proportions_2indep

    i = difference_of_proportions(*counts, **UNIT)
    theirs = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (i.low, i.high) == pytest.approx(theirs, abs=1e-9)


def test_newcombe_covers_on_average():
    m, n = 12, 18
    truths = np.linspace(0.05, 0.95, 10)
    held = []
    for p in truths:
        for q in truths:
            weights = np.outer(
                scipy_stats.binom.pmf(np.arange(m + 1), m, p),
                scipy_stats.binom.pmf(np.arange(n + 1), n, q),
            )
            held.append((p - q, weights))
    intervals = [
        [difference_of_proportions(j, m, k, n, **UNIT) for k in range(n + 1)] for j in range(m + 1)
    ]
    low = np.array([[i.low for i in row] for row in intervals])
    high = np.array([[i.high for i in row] for row in intervals])
    covers = [np.sum(w * ((low <= gap) & (gap <= high))) for gap, w in held]
    assert 0.94 < np.mean(covers) < 0.97


@pytest.mark.parametrize("counts", [(3, 2), (-1, 2), (0, 0), (1.5, 2), (True, 2)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(BadInput):
        proportion_interval(*counts, **UNIT)
    with pytest.raises(BadInput):
        difference_of_proportions(1, 2, *counts, **UNIT)


def test_unknown_methods_are_refused():
    with pytest.raises(BadInput, match="clopper-pearson"):
        proportion_interval(1, 2, method="wald", **UNIT)


# ---------------------------------------------------------------- multiplicity
@pytest.mark.parametrize(("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_agree_with_statsmodels(ours, theirs):
    from statsmodels.stats.multitest import multipletests

    for k in range(20):
        p = np.round(stream(10, k).uniform(size=k + 1) ** 3, 2)  # rounded: ties
        np.testing.assert_allclose(ours(p), multipletests(p, method=theirs)[1], atol=1e-15)


def test_holm_keeps_the_family_and_plain_testing_does_not():
    p = stream(11).uniform(size=(2000, 10))
    assert np.mean([np.any(holm(row) <= 0.05) for row in p]) < 0.065
    assert np.mean(np.any(p <= 0.05, axis=1)) > 0.3


@pytest.mark.parametrize("p", [[], [1.2], [-0.1], [math.nan], [[0.1]]])
def test_impossible_p_values_are_refused(p):
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(BadInput, match="p-values"):
            adjust(p)


# ---------------------------------------------------------------- equivalence
def test_the_interval_decides_as_the_two_tests_do():
    from statsmodels.stats.weightstats import DescrStatsW

    for k in range(60):
        values = stream(12, k).normal(0.2, 1, 12)
        found = equivalence(values, 0.8, **UNIT)
        p = DescrStatsW(values).ttost_mean(-0.8, 0.8)[0]
        assert found.p_value == pytest.approx(p, abs=1e-12)
        assert (found.verdict == "equivalent") == (p < 0.05)


def test_three_verdicts():
    near, spread = np.array([-0.01, 0.0, 0.01, 0.005]), np.array([-3.0, 2.0, 4.0, -1.0])
    assert equivalence(near, 0.5, **UNIT).verdict == "equivalent"
    assert equivalence(near + 2, 0.5, **UNIT).verdict == "different"
    assert equivalence(near - 2, 0.5, **UNIT).verdict == "different"
    assert equivalence(spread, 0.5, **UNIT).verdict == "inconclusive"
    small = equivalence(near + 0.1, 0.5, **UNIT)
    assert small.verdict == "equivalent" and small.excludes_zero


def test_the_margin_shown_is_the_edge_of_the_verdict():
    values = stream(13).normal(0.1, 1, 15)
    shown = equivalence(values, 1.0, **UNIT).margin_shown
    assert equivalence(values, shown * 1.0001, **UNIT).verdict == "equivalent"
    assert equivalence(values, shown * 0.9999, **UNIT).verdict != "equivalent"


def test_equivalence_is_claimed_falsely_no_more_than_alpha():
    rng = stream(14)
    found = [equivalence(rng.normal(1.0, 1, 20), 1.0, **UNIT).verdict for _ in range(2000)]
    assert found.count("equivalent") / 2000 < 0.065
    assert found.count("different") / 2000 < 0.065


def test_the_detectable_margin_is_found_with_its_power():
    rng = stream(15)
    n, runs = 20, 2000
    expected = equivalence(scipy_stats.norm.ppf((np.arange(n) + 0.5) / n), 1.0, **UNIT)
    # the spread of that ideal sample is not quite 1; bring the margin to the true one
    margin = expected.margin_detectable / np.std(
        scipy_stats.norm.ppf((np.arange(n) + 0.5) / n), ddof=1
    )
    hits = sum(
        equivalence(rng.normal(0, 1, n), margin, **UNIT).verdict == "equivalent"
        for _ in range(runs)
    )
    assert 0.76 < hits / runs < 0.84


def test_an_interval_of_any_method_can_be_handed_in():
    values = stream(16).normal(0, 0.1, 20)
    test = corrected_paired(values, n_train=300, n_test=100, level=0.9)
    found = equivalence(test.interval, 0.5)
    assert found.verdict == "equivalent" and found.p_value is None
    assert found.interval is test.interval
    with pytest.raises(BadInput, match=r"level 0\.9"):
        equivalence(corrected_paired(values, n_train=3, n_test=1).interval, 0.5)
    with pytest.raises(BadInput, match="do not give another"):
        equivalence(test.interval, 0.5, unit_of_replication="seeds")


def test_values_and_their_interval_give_the_same_margins():
    values = stream(16).normal(0, 0.1, 20)
    one = equivalence(values, 0.5, **UNIT)
    two = equivalence(mean_interval(values, level=0.9, **UNIT), 0.5)
    assert one.margin_detectable == two.margin_detectable
    assert one.margin_shown == two.margin_shown


def test_equal_differences_decide_at_once():
    assert equivalence([0.0] * 3, 0.1, **UNIT).p_value == 0.0
    assert equivalence([0.2] * 3, 0.1, **UNIT).verdict == "different"
    assert equivalence([0.2] * 3, 0.1, **UNIT).p_value == 1.0


@pytest.mark.parametrize(
    "bad",
    [
        {"margin": 0},
        {"margin": -1},
        {"margin": math.inf},
        {"alpha": 0.5},
        {"power": 1},
        {"margin": math.nan},
    ],
)
def test_equivalence_settings_are_checked(bad):
    with pytest.raises(BadInput):
        equivalence([0.0, 1.0], **{"margin": 1.0, **UNIT, **bad})
    with pytest.raises(BadInput, match="unit_of_replication"):
        equivalence([0.0, 1.0], 1.0)


# ---------------------------------------------------------------- paired
def test_paired_is_scipys():
    values = stream(17).normal(0.3, 1, 11)
    ours, theirs = paired(values, level=0.9), scipy_stats.ttest_1samp(values, 0)
    assert (ours.t, ours.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    ci = theirs.confidence_interval(0.9)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((ci.low, ci.high))


def test_the_correction_is_the_published_factor():
    values = stream(18).normal(0.3, 1, 15)
    plain, corrected = paired(values), corrected_paired(values, n_train=90, n_test=10)
    factor = math.sqrt((1 / 15 + 1 / 9) / (1 / 15))
    assert plain.t / corrected.t == pytest.approx(factor)
    assert corrected.interval.width / plain.interval.width == pytest.approx(factor)
    assert corrected.variance_factor == pytest.approx(1 / 15 + 1 / 9)


def test_more_draws_narrow_it_only_to_the_floor():
    values = np.tile([0.0, 1.0], 50_000)
    width = corrected_paired(values, n_train=300, n_test=100).interval.width
    assert width == pytest.approx(2 * 1.96 * 0.5 * math.sqrt(1 / 3), rel=1e-3)


def _errors_on_overlapping_splits(runs: int = 400) -> tuple[float, float]:
    """Type I error of both tests: two learners, equally good in truth, on random splits.

    The learners predict a mean of a Gaussian from two different columns of the training rows.
    """
    plain = corrected = 0
    n, n_train, n_draws = 120, 90, 20
    for k in range(runs):
        rng = stream(19, k)
        data = rng.normal(size=(n, 2))  # (n, 2) the target of each learner, equally hard
        differences = []
        for _ in range(n_draws):
            order = rng.permutation(n)
            train, test = data[order[:n_train]], data[order[n_train:]]
            loss = ((test - train.mean(axis=0)) ** 2).mean(axis=0)  # (2,)
            differences.append(loss[0] - loss[1])
        plain += paired(differences).p_value < 0.05
        corrected += (
            corrected_paired(differences, n_train=n_train, n_test=n - n_train).p_value < 0.05
        )
    return plain / runs, corrected / runs


def test_the_plain_test_errs_on_overlapping_splits_and_the_corrected_one_does_not():
    plain, corrected = _errors_on_overlapping_splits()
    assert plain > 0.25
    assert 0.01 <= corrected <= 0.09


def test_equal_differences_have_no_width_and_a_defined_p():
    assert paired([0.0, 0.0]).p_value == 1.0 and paired([0.0, 0.0]).t == 0
    sure = corrected_paired([-0.1] * 3, n_train=2, n_test=1)
    assert (sure.t, sure.p_value, sure.interval.width) == (-math.inf, 0.0, 0.0)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (1.5, 1), (True, 1)])
def test_split_sizes_are_checked(sizes):
    with pytest.raises(BadInput, match="n_t"):
        corrected_paired([0.1, 0.2], n_train=sizes[0], n_test=sizes[1])


# ---------------------------------------------------------------- ranking
def test_the_area_counts_pairs_and_halves_ties():
    rng = stream(20)
    above, below = rng.integers(0, 6, 30), rng.integers(0, 6, 45)
    gap = above[:, None] - below[None, :]
    by_hand = np.mean((gap > 0) + 0.5 * (gap == 0))
    assert area_under_curve(above, below) == pytest.approx(by_hand, abs=1e-14)
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([1, 0], [30, 45])
    theirs = roc_auc_score(labels, np.concatenate([above, below]))
    assert area_under_curve(above, below) == pytest.approx(theirs, abs=1e-14)


def test_the_area_closed_forms():
    assert area_under_curve([1.0], [1.0]) == 0.5
    assert area_under_curve([2, 3], [0, 1]) == 1.0
    assert area_under_curve([0, 1], [2, 3]) == 0.0
    assert area_under_curve([1, 2], [0, 5]) + area_under_curve([0, 5], [1, 2]) == 1.0


def test_delong_is_its_definition_by_pairs():
    rng = stream(21)
    above, below = rng.normal(0.5, 1, 25).round(1), rng.normal(0, 1, 40).round(1)
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    variance = wins.mean(1).var(ddof=1) / 25 + wins.mean(0).var(ddof=1) / 40
    i = area_interval(above, below)
    half = scipy_stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (i.low, i.high) == pytest.approx((wins.mean() - half, wins.mean() + half))
    assert i.n == 25


def test_delong_covers_and_the_bootstrap_agrees():
    truth = scipy_stats.norm.cdf(1 / math.sqrt(2))
    rng = stream(22)
    hit = sum(
        area_interval(rng.normal(1, 1, 40), rng.normal(0, 1, 60)).holds(truth) for _ in range(800)
    )
    assert 0.92 <= hit / 800 <= 0.97
    above, below = rng.normal(1, 1, 40), rng.normal(0, 1, 60)
    one, two = area_interval(above, below), area_interval(above, below, method="bootstrap", seed=0)
    assert abs(one.low - two.low) < 0.02 and abs(one.high - two.high) < 0.02


def test_a_perfect_ranking_is_not_certainty():
    for method, seed in (("delong", None), ("bootstrap", 0)):
        i = area_interval(np.arange(5, 15), np.arange(5), method=method, seed=seed)
        assert (i.value, i.high) == (1.0, 1.0) and i.low == pytest.approx(0.025 ** (1 / 5))
    assert area_interval(np.arange(5), np.arange(5, 15)).low == 0.0
    assert area_interval(np.arange(5), np.arange(5, 15)).high > 0.4


def test_rankings_of_nothing_are_refused():
    with pytest.raises(BadInput, match="negative scores are empty"):
        area_under_curve([1.0], [])
    with pytest.raises(BadInput, match=r"positive scores\[0\] is nan"):
        area_under_curve([math.nan], [1.0])
    with pytest.raises(BadInput, match="at least 2"):
        area_interval([1.0], [0.0, 1.0])
    with pytest.raises(BadInput, match="seed"):
        area_interval([1.0, 2.0], [0.0, 1.0], method="bootstrap")
    with pytest.raises(BadInput, match="delong"):
        area_interval([1.0, 2.0], [0.0, 1.0], method="hanley")


# ---------------------------------------------------------------- the room
def test_the_room_is_light():
    code = (
        "import sys, unteach.stats; "
        "print([m for m in ('statsmodels', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
