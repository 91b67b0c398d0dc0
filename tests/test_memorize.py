"""The laws of memorization: exact where it can be, covered where it is sampled, kill-proof."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import warnings
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from broken import memorization as broken
from memory_tasks import DRIVER, Coin, coin_world
from unteach.checks import (
    MEMORIZATION_LAWS,
    MemorizationBench,
    broken_by,
    check_memorization,
)
from unteach.core import (
    BadInput,
    Corrupt,
    Estimator,
    NotConverged,
    OneClassLeft,
    RepeatedRecord,
    Rows,
)
from unteach.core.fingerprint import described
from unteach.data import load, memorable
from unteach.engine import Pace, TasksFailed
from unteach.kernel import SVC
from unteach.memorize import (
    EL2N,
    CumulativeLoss,
    Design,
    KernelRidgeScreen,
    LearningEvent,
    LeaveOneOut,
    Memories,
    PlainMLP,
    Subsampled,
    kernel_ridge,
    machine,
    nearest,
    ridge,
)
from unteach.memorize._training.learner_adapter import margins, outputs, resolve
from unteach.memorize._training.subset_design import as_fraction, pieces
from unteach.memorize.scores.influence import difference
from unteach.memorize.scores.influence import ridge as ridge_influence
from unteach.memorize.scores.intervals import newcombe, wilson
from unteach.models import MLP, EstimatorLearner, Neighbours, as_learner
from unteach.models.subsets.subset_loop import subset_loop
from unteach.models.subsets.subset_nearest import SubsetNearest
from unteach.models.subsets.subset_nearest import nearest as order_of
from unteach.models.subsets.subset_ridge import SubsetRidge
from unteach.stats import difference_of_proportions
from unteach.store import Shard, Store, shard_damage

HALF = Fraction(1, 2)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x / 16.0, y


def small(n=60, classes=3, seed=0, features=3):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = rng.normal(size=(n, features))
    x[:, 0] += 2.0 * y
    return x, y


def masks(m, n, seed=0):
    return Design(n, HALF, seed).members(0, m)


def files(folder):
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def shards(folder):
    """The shards of a folder; names are without the run's, which differs from folder to folder."""
    found = sorted((Path(folder) / "shards").iterdir())
    return {p.name.split("-", 1)[1]: p.read_bytes() for p in found}


# --- the design -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "block"), [(0.5, 2), (0.7, 10), (0.9, 10), (0.25, 4)])
@pytest.mark.parametrize("n", [7, 100, 143])
def test_in_each_block_every_record_is_in_as_many_models(p, block, n):
    design = Design(n, as_fraction(p), seed=1)
    rows = design.members(0, 5 * block)
    assert design.block == block
    each = rows.reshape(5, block, n).sum(axis=1)
    assert (each == p * block).all()
    assert set(np.unique(rows.sum(axis=1))) <= {np.floor(p * n), np.ceil(p * n)}
    assert not np.array_equal(rows[:block], rows[block : 2 * block])


def test_a_subset_and_a_seed_depend_on_the_number_of_the_model_alone():
    design = Design(50, as_fraction(0.7), seed=5)
    whole, seeds = design.members(0, 60), design.seeds(0, 60)
    for first, last in ((0, 7), (7, 20), (33, 60)):
        assert np.array_equal(design.members(first, last), whole[first:last])
        assert np.array_equal(design.seeds(first, last), seeds[first:last])
    assert len(np.unique(seeds)) == 60
    assert not np.array_equal(Design(50, as_fraction(0.7), seed=6).members(0, 60), whole)
    assert not np.array_equal(Design(50, as_fraction(0.9), seed=5).seeds(0, 60), seeds)


@pytest.mark.parametrize("kind", ["balanced", "bernoulli"])
def test_subsets_are_uniform_and_of_independent_blocks(kind):
    rows = Design(12, as_fraction(0.25), 0, kind).members(0, 8000).astype(float)
    assert np.abs(rows.mean(axis=0) - 0.25).max() < 0.025
    together = (rows.T @ rows / len(rows))[~np.eye(12, dtype=bool)]
    expected = 0.25 * (2 / 11 if kind == "balanced" else 0.25)  # 3 of 12 without replacement
    assert np.abs(together - expected).max() < 0.02


@pytest.mark.parametrize("p", [0, 1, -0.1, 0.123456, True, "half"])
def test_a_fraction_that_is_none_is_refused(p):
    with pytest.raises(BadInput, match="fraction"):
        as_fraction(p)


def test_pieces_cover_a_range_once_and_are_of_whole_blocks():
    for first, last, block in ((0, 400, 2), (400, 1000, 10), (0, 2, 2), (0, 63, 1), (0, 2000, 2)):
        found = pieces(first, last, block)
        assert [a for a, _ in found] == [first, *(b for _, b in found[:-1])]
        assert found[-1][1] == last
        assert all((b - a) % block == 0 for a, b in found)
        assert all(b - a <= 256 for a, b in found)
        if last - first >= 64:
            assert all(b - a >= 60 for a, b in found)


# --- fast forms and their plain twins -------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("alpha", [0.1, 3.0])
def test_ridge_on_all_subsets_at_once_equals_scikit_learn_on_each(classes, alpha):
    x, y = small(80, classes)
    x = x * [1.0, 20.0, 0.1] + [5.0, -100.0, 0.0]
    members, seeds = masks(8, 80), np.arange(8, dtype=np.uint64)
    learner = SubsetRidge(alpha)
    fast = learner.subset_outputs(x, y, members, seeds, x)
    plain, kind = subset_loop(learner, x, y, members, seeds, x)
    assert kind == learner.output_kind
    wide = 2.0 if classes == 2 else 1.0  # the loop halves the one value that two classes share
    assert np.abs(fast - wide * plain).max() < 2e-4
    assert (fast.argmax(axis=2) == plain.argmax(axis=2)).all()


def test_ridge_without_room_for_shared_products_gives_the_same(monkeypatch):
    x, y = small()
    given = (x, y, masks(6, 60), np.zeros(6, np.uint64), x)
    shared = SubsetRidge().subset_outputs(*given)
    monkeypatch.setattr("unteach.models.subsets.subset_ridge.ROOM", 0)
    assert np.abs(SubsetRidge().subset_outputs(*given) - shared).max() < 1e-5


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_the_nearest_on_all_subsets_at_once_equals_each(digits, p):
    x, y = digits[0][:300], digits[1][:300]
    members = np.random.default_rng(0).random((6, 300)) < p
    seeds = np.zeros(6, np.uint64)
    fast = SubsetNearest().subset_outputs(x, y, members, seeds, digits[0][:400])
    plain, _ = subset_loop(SubsetNearest(), x, y, members, seeds, digits[0][:400])
    assert (fast.sum(axis=2) == 1).all()
    assert (fast.argmax(axis=2) == plain.argmax(axis=2)).all()


def test_the_order_of_neighbours_is_that_of_a_stable_sort():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, size=(200, 3)).astype(float)  # many ties
    at = rng.integers(0, 3, size=(50, 3)).astype(float)
    full = np.argsort(((at[:, None] - x[None]) ** 2).sum(axis=2), axis=1, kind="stable")
    columns = np.ascontiguousarray(x.T)
    for depth in (1, 5, 60, 200):
        found = order_of(columns, at, np.full(50, -1), depth)
        assert np.array_equal(found, full[:, :depth])
    skipped = order_of(columns, at, full[:, 0].copy(), 3)
    assert np.array_equal(skipped, full[:, 1:4])


@pytest.mark.parametrize("learner", [SubsetRidge(), SubsetNearest()])
def test_a_model_depends_on_its_own_subset_alone(learner):
    x, y = small()
    members, seeds = masks(8, 60), np.zeros(8, np.uint64)
    whole = learner.subset_outputs(x, y, members, seeds, x)
    for m in range(8):
        one = learner.subset_outputs(x, y, members[m : m + 1], seeds[:1], x)
        assert np.abs(one[0] - whole[m]).max() < 1e-5


def test_subsets_that_cannot_be_learned_from_are_refused():
    x, y = small()
    empty, poor = np.zeros((1, 60), bool), (y == 0)[None]
    with pytest.raises(BadInput, match="no rows"):
        SubsetNearest().subset_outputs(x, y, empty, np.zeros(1), x)
    with pytest.raises(OneClassLeft, match="fewer than two classes"):
        SubsetRidge().subset_outputs(x, y, poor, np.zeros(1), x)
    with pytest.raises(OneClassLeft, match="a subset of 20 records"):
        subset_loop(as_learner(LogisticRegression()), x, y, poor, np.zeros(1, np.uint64), x)
    with pytest.raises(BadInput, match="alpha"):
        SubsetRidge(0.0)


def test_a_class_that_a_subset_lacks_is_the_least_of_all():
    x, y = small()
    mask = (y != 1)[None]
    for estimator in (GaussianNB(), RidgeClassifier(), Neighbours(1)):
        found, _ = subset_loop(as_learner(estimator), x, y, mask, np.zeros(1, np.uint64), x)
        assert found.shape == (1, 60, 3)
        assert (found[0, :, 1] <= found[0].min(axis=1)).all()


def test_margins_are_log_odds_or_gaps():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(4, 5, 3)), np.array([0, 1, 2, 1, 0])
    p = np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)
    own = np.take_along_axis(p, y[None, :, None], axis=2)[:, :, 0]
    assert np.allclose(margins(z, y, "logits"), np.log(own) - np.log1p(-own))
    others = [[max(np.delete(z[m, q], y[q])) for q in range(5)] for m in range(4)]
    mine = np.take_along_axis(z, y[None, :, None], axis=2)[:, :, 0]
    assert np.allclose(margins(z, y, "scores"), mine - others)
    z[1, 2, 0] = np.nan
    assert np.isnan(margins(z, y, "scores")[1, 2])


def test_names_learners_estimators_and_factories_are_understood():
    torch = pytest.importorskip("torch")
    assert resolve("ridge") == SubsetRidge()
    assert resolve("mlp") == MLP(scale="standard")
    assert resolve(RidgeClassifier(alpha=3.0)) == SubsetRidge(3.0)
    assert resolve(KNeighborsClassifier(1)) == SubsetNearest()
    assert resolve(Neighbours(1)) == SubsetNearest()
    assert isinstance(resolve(RidgeClassifier(class_weight="balanced")), EstimatorLearner)
    assert isinstance(resolve(KNeighborsClassifier(3)), EstimatorLearner)
    network = resolve(lambda: torch.nn.Linear(3, 2))
    assert network.module().out_features == 2
    for strange, why in (("mpl", "there are"), (3, "cannot learn"), (SVC, "is a class")):
        with pytest.raises(BadInput, match=why):
            resolve(strange)
    with pytest.raises(BadInput, match="fresh one"):
        resolve(torch.nn.Linear(3, 2))
    assert described(as_learner(GaussianNB())) != described(as_learner(GaussianNB(priors=[1.0])))
    assert " at 0x" not in described(network)


def test_a_learner_that_answers_in_another_shape_is_refused():
    class Wrong:
        def subset_outputs(self, x, y, members, seeds, at):
            return np.zeros((len(members), len(at)), np.float32)

    x, y = small()
    with pytest.raises(BadInput, match=r"gave shape \(2, 60\), not \(models, queries, classes\)"):
        outputs(Wrong(), x, y, masks(2, 60), np.zeros(2, np.uint64), x)


# --- intervals and exact truths -------------------------------------------------------------------


def test_many_intervals_at_once_equal_one_at_a_time():
    rng = np.random.default_rng(0)
    n1, n0 = rng.integers(1, 60, 50), rng.integers(1, 60, 50)
    x1, x0 = rng.binomial(n1, 0.9), rng.binomial(n0, rng.random(50))
    low, high = newcombe(x1, n1, x0, n0)
    for k in range(50):
        one = difference_of_proportions(
            int(x1[k]), int(n1[k]), int(x0[k]), int(n0[k]), unit_of_replication="models"
        )
        assert (low[k], high[k]) == pytest.approx((one.low, one.high), abs=1e-12)
    with pytest.raises(BadInput, match="level"):
        wilson(x1, n1, 95)


@pytest.mark.parametrize(
    ("design", "p"),
    [("bernoulli", 0.5), ("bernoulli", 0.25), ("balanced", 0.5), ("balanced", 0.75)],
)
def test_the_closed_form_of_the_nearest_equals_all_subsets_enumerated(design, p):
    """Every subset of eight records, weighted by its chance: no formula is shared."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 5, size=(8, 2)).astype(float), rng.integers(0, 2, 8)
    x += np.arange(8)[:, None] * 1e-3  # no two at the same distance, no two equal
    at, y_at = rng.normal(2, 2, size=(4, 2)), rng.integers(0, 2, 4)
    everything = (np.arange(256)[:, None] >> np.arange(8)) & 1 == 1
    size = everything.sum(axis=1)
    weight = p**size * (1 - p) ** (8 - size) if design == "bernoulli" else (size == 8 * p) * 1.0
    some = size > 0
    right = np.zeros((256, 12), bool)  # an empty subset answers nothing
    points, answers = np.concatenate([x, at]), np.concatenate([y, y_at])
    found = SubsetNearest().subset_outputs(
        x, y, everything[some], np.zeros(some.sum(), np.uint64), points
    )
    right[some] = found.argmax(axis=2) == answers

    def mean(mask):
        return (weight * mask) @ right / (weight * mask).sum()

    inside = np.array([mean(everything[:, i]) for i in range(8)])
    outside = np.array([mean(~everything[:, i]) for i in range(8)])
    expected = np.diag(inside[:, :8]) - np.diag(outside[:, :8])
    given = {"fraction": p, "design": design}
    assert nearest.memorization(x, y, **given) == pytest.approx(expected, abs=1e-12)
    influence = nearest.influence(x, y, at, y_at, **given)
    assert influence == pytest.approx((inside - outside)[:, 8:].T, abs=1e-12)
    if design == "bernoulli":
        memory, among, on = nearest.exact(x, y, at, y_at, fraction=p)
        assert np.allclose(memory, expected)
        assert np.allclose(on, influence)
        assert (np.diag(among) == 0).all()
        for i in range(8):
            rest = np.delete(np.arange(8), i)
            alone = nearest.influence(x[rest], y[rest], x[[i]], y[[i]], fraction=p)
            assert np.allclose(among[i, rest], alone[0])


def test_the_engine_finds_the_closed_form_of_the_nearest(digits):
    """Bias under 1e-3, z-scores as normal as they should be, intervals that cover the truth."""
    x, y = digits[0][:900], digits[1][:900].copy()
    wrong = np.random.default_rng(0).choice(900, 90, replace=False)
    y[wrong] = (y[wrong] + 3) % 10
    study = Memories(x, y, learner="knn", X_test=digits[0][900:930], y_test=digits[1][900:930])
    found = study.run(models=2000, jobs=1).memorization()
    truth = nearest.memorization(x, y, design="balanced")
    assert abs((found.value - truth).mean()) < 1e-3
    error = np.sqrt((1 - truth) * truth / found.n_out)
    told = found.n_out * truth * (1 - truth) > 15
    z = (found.value - truth)[told] / error[told]
    assert told.sum() > 100
    assert kstest(z, "norm").pvalue > 0.01
    covered = (found.low <= truth) & (truth <= found.high)
    assert covered.mean() >= 0.94
    assert covered[(truth > 0.05) & (truth < 0.95)].mean() >= 0.93
    flagged = found.flagged
    assert flagged.sum() > 80
    assert (truth[flagged] <= 0.25).mean() <= 0.05
    exact = nearest.influence(x, y, digits[0][900:930], digits[1][900:930], design="balanced")
    noisy = study.influence(method="difference") / 2  # margins are -1 and 1
    assert abs((noisy - exact).mean()) < 1e-4
    for i, j in zip(*np.where(np.abs(exact) > 0.3), strict=True):
        assert noisy[i, j] == pytest.approx(exact[i, j], abs=0.1)


def test_leave_one_out_of_ridge_and_kernel_ridge_equals_refits():
    x, y = small(40)
    found = ridge.leave_one_out(x, y, alpha=0.7)
    truth = LeaveOneOut().score(
        EstimatorLearner(RidgeClassifier(alpha=0.7)),
        Rows(np.arange(40), {"x": x, "y": y}),
        seed=0,
    )
    assert found.value.tolist() == truth["hard"]
    soft = kernel_ridge.leave_one_out(x, y, alpha=0.2, gamma=0.5)
    for i in (0, 7, 33):
        rest = np.delete(np.arange(40), i)
        one = RidgeClassifier(alpha=0.7).fit(x[rest], y[rest]).decision_function(x[[i]])
        gap = margins(one[None], y[[i]], "scores")[0, 0]
        assert found.margin_without[i] == pytest.approx(gap, abs=1e-5)
        gram = np.exp(-0.5 * ((x[rest, None] - x[None, rest]) ** 2).sum(axis=2))
        dual = np.linalg.solve(gram + 0.2 * np.eye(39), np.where(y[rest, None] == range(3), 1, -1))
        f = np.exp(-0.5 * ((x[i] - x[rest]) ** 2).sum(axis=1)) @ dual
        assert soft.margin_without[i] == pytest.approx(
            margins(f[None, None], y[[i]], "scores")[0, 0], abs=1e-8
        )
    assert set(found.value) <= {-1.0, 0.0, 1.0}


def test_leave_one_out_of_a_kernel_machine_equals_refits():
    x, y = small(40, classes=2, features=2)
    y[3] = 1 - y[3]
    model = SVC(C=10.0, gamma=0.5).fit(x, y)
    found = machine.leave_one_out(model, x, y)
    whole = model.decision_function(x) * np.where(y == 1, 1, -1)
    assert np.allclose(found.margin_with, whole)
    for i in range(40):
        rest = np.delete(np.arange(40), i)
        one = SVC(C=10.0, gamma=0.5).fit(x[rest], y[rest]).decision_function(x[[i]])[0]
        assert found.margin_without[i] == pytest.approx(one if y[i] == 1 else -one, abs=1e-6)
    assert found.value.tolist() == [
        float(a > 0) - float(b > 0)
        for a, b in zip(found.margin_with, found.margin_without, strict=True)
    ]
    assert (found.value == 1).sum() >= 2
    assert "exact" in repr(found)
    assert "<table>" in found._repr_html_()


# --- read-outs ------------------------------------------------------------------------------------


def test_a_read_out_is_what_the_plain_definition_says():
    x, y = small()
    at, y_at = small(20, seed=1)
    study = Memories(x, y, learner=GaussianNB(), X_test=at, y_test=y_at, seed=4)
    study.run(models=60, jobs=1)
    found = study.memorization(unconverged="flag")
    members, right, soft = masks(60, 60, seed=4), np.zeros((60, 80)), np.zeros((60, 80))
    for m in range(60):
        model = GaussianNB().fit(x[members[m]], y[members[m]])
        p = model.predict_proba(np.concatenate([x, at]))
        right[m] = p.argmax(axis=1) == np.concatenate([y, y_at])
        soft[m] = p[np.arange(80), np.concatenate([y, y_at])]
    for i in range(60):
        mine, others = members[:, i], ~members[:, i]
        assert found.value[i] == pytest.approx(right[mine, i].mean() - right[others, i].mean())
        gap = soft[mine, i].mean() - soft[others, i].mean()
        assert found.soft[i] == pytest.approx(gap, abs=2e-3)  # margins are kept as float16
        assert study.consistency().value[i] == pytest.approx(right[others, i].mean())
        utility = right[:, 60:].mean(axis=1)
        assert study.banzhaf().value[i] == pytest.approx(
            utility[mine].mean() - utility[others].mean()
        )
    table = found.table()
    assert (table["n_in"], table["n_out"]) == ([30] * 60, [30] * 60)
    assert table["fit"] == pytest.approx([right[members[:, i], i].mean() for i in range(60)])
    assert table.units["soft"] == "probability"
    log_odds = np.clip(np.log(soft) - np.log1p(-soft), -27.6, 27.6)
    influence = study.influence(method="difference")
    one = members[:, 5]
    assert influence[:, 5] == pytest.approx(
        log_odds[one, 60:].mean(axis=0) - log_odds[~one, 60:].mean(axis=0), abs=0.05
    )


def test_ridge_influence_equals_ridge_regression_whichever_side_is_solved():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    for k, n in ((30, 50), (80, 50)):
        members, margin = rng.random((k, n)) < 0.5, rng.normal(size=(k, n + 4))
        both = [
            Shard(a, members[a:b], margin[a:b] > 0, margin[a:b], np.arange(a, b, dtype=np.uint64))
            for a, b in ((0, 20), (20, k))
        ]
        kept = margin.astype(np.float16).astype(float)[:, n:]
        expected = Ridge(alpha=3.0).fit(members.astype(float), kept).coef_
        assert ridge_influence(both, n, 3.0) == pytest.approx(expected, abs=1e-8)
        with pytest.raises(BadInput, match="penalty"):
            ridge_influence(both, n, -1.0)
    with pytest.raises(BadInput, match="no models"):
        difference([], 50)


def test_influence_on_other_test_points_trains_the_same_models_again(tmp_path):
    x, y = small()
    at, y_at = small(20, seed=1)
    with_tests = Memories(x, y, learner="ridge", X_test=at, y_test=y_at).run(40, jobs=1)
    without = Memories(x, y, learner="ridge", store=tmp_path / "p").run(40, jobs=1)
    assert np.array_equal(without.influence(at, y_at, jobs=1), with_tests.influence())
    with pytest.raises(BadInput, match="needs test points"):
        without.influence()
    with pytest.raises(BadInput, match="method"):
        without.influence(at, y_at, method="lasso")


def test_membership_tells_members_of_what_is_memorized():
    world = memorable(0)
    x, y = world.records.x, world.records.y
    study = Memories(x, y, learner="ridge", seed=1).run(models=200, jobs=1)
    found = study.membership()
    wrong = np.isin(world.records.ids, world.planted_ids)
    assert np.median(found.value[wrong]) > 0.9
    assert found.value[wrong].min() > found.value[~wrong].mean()
    fresh = Design(len(y), HALF, seed=99)
    said = SubsetRidge().subset_outputs(x, y, fresh.members(0, 60), fresh.seeds(0, 60), x)
    scores = found.scores(margins(said, np.asarray(y), "scores"))  # (60, n)
    truth = fresh.members(0, 60)
    for i in np.flatnonzero(wrong):
        inside, outside = scores[truth[:, i], i], scores[~truth[:, i], i]
        area = (inside[:, None] > outside[None]).mean()
        assert area >= found.value[i] - 0.15  # it also uses how far the margins spread
    assert found.table()["id"] == list(range(120))
    with pytest.raises(BadInput, match="one finite number"):
        found.scores(np.zeros(3))


def test_values_of_models_that_do_not_fit_are_refused_or_flagged():
    x, y = coin_world(40)
    study = Memories(x, y, learner=Coin(fit=0.9)).run(models=100, jobs=1)
    with pytest.raises(NotConverged, match=r"right on 0\.8\d+ of.*Train for longer"):
        study.memorization()
    with pytest.raises(NotConverged):
        study.removal_curve(X_test=x, y_test=y)
    flagged = study.memorization(unconverged="flag")
    assert flagged.converged is False
    assert "NOT CONVERGED" in flagged.table().caption
    assert flagged.table()["converged"] == [False] * 40
    assert "not converged" in repr(flagged)
    with pytest.raises(BadInput, match="unconverged"):
        study.memorization(unconverged="ignore")


def test_fractions_live_side_by_side_and_extrapolate_to_leave_one_out(digits):
    x, y = digits[0][:600], digits[1][:600].copy()
    y[::20] = (y[::20] + 1) % 10
    study = Memories(x, y, learner="knn", seed=2).run(2000, 0.7, jobs=1).run(3000, 0.9, jobs=1)
    assert study.models == {0.7: 2000, 0.9: 3000}
    with pytest.raises(BadInput, match="say which"):
        study.memorization()
    near, loo = study.memorization(0.9), study.memorization(extrapolate=True)
    rest = [np.delete(np.arange(600), i) for i in range(600)]
    first = order_of(np.ascontiguousarray(x.T), x, np.arange(600), 1)[:, 0]
    truth = (y[first] != y).astype(float)
    assert len(rest) == 600
    rmse = [np.sqrt(np.mean((f.value - truth) ** 2)) for f in (near, loo)]
    assert rmse[1] <= 0.02 < rmse[0] + 0.02
    assert rmse[1] < rmse[0]
    assert loo.p == "leave-one-out, from 0.7 and 0.9"
    assert (loo.low <= loo.value).all() and (loo.value <= loo.high).all()
    assert np.mean((loo.low <= truth) & (truth <= loo.high)) >= 0.94
    with pytest.raises(BadInput, match="two largest"):
        study.memorization(0.7, extrapolate=True)
    with pytest.raises(BadInput, match="were run"):
        study.memorization(0.5)


def test_removing_what_is_needed_costs_and_removing_what_is_wrong_helps():
    world = memorable(0)
    x, y = world.records.x, world.records.y
    study = Memories(x, y, learner="ridge", X_test=world.holdout.x, y_test=world.holdout.y)
    wrong = np.isin(world.records.ids, world.planted_ids).astype(float)
    told = []
    found = study.removal_curve(
        wrong, [0.05, 0.1], draws=6, progress=lambda *said: told.append(said)
    )
    gain = found.cost(0.1, against="random")
    assert gain.high < 0  # the wrong ones gone, accuracy rises
    assert gain.n == 6 and gain.unit_of_replication == "seeds"
    assert told[-1][:2] == (42, 42)
    table = found.table()
    assert table["arm"] == ["top", "random", "class_matched"] * 2
    assert found.removed == (6, 12)
    assert "Removal of the highest" in repr(found)
    again = study.removal_curve(wrong, [0.05, 0.1], draws=6)
    assert all(np.array_equal(again.accuracy[a], found.accuracy[a]) for a in found.accuracy)


def test_class_matched_removal_takes_as_many_of_each_class_and_duplicates_are_left_out():
    from unteach.memorize.scores.removal import _matched, near_training

    y = np.array([0] * 10 + [1] * 30)
    gone = _matched(y, np.array([0, 1, 2, 20]), np.random.default_rng(0).permutation(40))
    assert np.bincount(y[gone]).tolist() == [3, 1]
    x, _ = small(50)
    at = np.concatenate([x[:3] + 1e-6, x[:1] + 50.0])
    assert near_training(x, at, True).tolist() == [True, True, True, False]
    study = Memories(x, np.arange(50) % 2, learner="knn", X_test=at, y_test=[0, 1, 0, 1])
    one = study.removal_curve(np.arange(50.0), 0.2, against="random", draws=2)
    several = study.removal_curve(np.arange(50.0), [0.2], against=["random"], draws=2)
    assert repr(one) == repr(several)
    found = study.removal_curve(np.arange(50.0), [0.2], draws=2, exclude_near_duplicates=True)
    assert (found.tested, found.excluded) == (1, 3)
    for given, why in (
        ({"by": "loss"}, "by is"),
        ({"by": np.zeros(3)}, "one finite number"),
        ({"by": np.zeros(50), "fractions": [1.5]}, "fractions lie"),
        ({"by": np.zeros(50), "against": ["nobody"]}, "against"),
        ({"by": np.zeros(50), "draws": 1}, "draws"),
    ):
        with pytest.raises(BadInput, match=why):
            study.removal_curve(**given)


def test_what_is_shown_and_written(tmp_path):
    x, y = coin_world(30)
    names = [f"<b>{k}" for k in range(30)]
    study = Memories(x, y, learner=Coin(), ids=names).run(100, jobs=1)
    found = study.memorization()
    html = found._repr_html_()
    assert "&lt;b&gt;1" in html and "<b>1<" not in html
    assert "Memories of 30 records" in study._repr_html_()
    out = io.StringIO()
    rich = pytest.importorskip("rich.console").Console(width=100, file=out)
    rich.print(found)
    rich.print(study)
    assert out.getvalue().count("interval") == 2
    with found.save(tmp_path / "t.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == names
    assert float(rows[3]["hard"]) == found.value[3]
    parquet = pytest.importorskip("pyarrow.parquet").read_table(found.save(tmp_path / "t.parquet"))
    assert parquet["hard"].to_pylist() == found.value.tolist()
    with pytest.raises(BadInput, match=r"\.csv or \.parquet"):
        found.save(tmp_path / "t.xlsx")


@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ({"y": np.zeros(60)}, BadInput, "y is one label"),
        ({"y": np.zeros(60, int)}, OneClassLeft, "two classes"),
        ({"y": np.arange(59) % 2}, BadInput, "60 inputs for 59 labels"),
        ({"y": [None, *["a", "b"] * 29, "a"]}, BadInput, "record at row 0 has no label"),
        ({"y": ["a", "b"] * 29 + ["a", float("nan")]}, BadInput, "row 59 has no label"),
        ({"y": ["a", 1] * 30}, BadInput, "one kind"),
        ({"X": [["a", "b", "c"]] * 60}, BadInput, "encode"),
        ({"X": np.zeros((59, 3))}, BadInput, "59 inputs for 60 labels"),
        ({"ids": [1] * 60}, RepeatedRecord, "names two"),
        ({"ids": [1, 2]}, BadInput, "give one each"),
        ({"X_test": np.zeros((2, 3))}, BadInput, "both"),
        ({"X_test": np.zeros((2, 4)), "y_test": [0, 1]}, BadInput, "shapes"),
        ({"X_test": np.zeros((2, 3)), "y_test": [0, 9]}, BadInput, "label 9"),
        ({"X_test": np.full((2, 3), np.nan), "y_test": [0, 1]}, BadInput, "finite"),
        ({"learner": "nobody"}, BadInput, "no learner is named"),
        ({"design": "random"}, BadInput, "design"),
    ],
)
def test_what_cannot_be_studied_is_refused(given, error, why):
    x, y = small()
    with pytest.raises(error, match=why):
        Memories(**{"X": x, "y": y, "learner": "knn", **given})


def test_what_cannot_be_run_or_read_is_refused():
    x, y = small()
    study = Memories(x, y, learner="knn")
    for read in (study.memorization, study.consistency, study.membership):
        with pytest.raises(BadInput, match="no models have been trained"):
            read()
    for given in ({"models": 0}, {"models": 2.5}, {"until": 2.0}, {"fraction": 1.5}):
        with pytest.raises(BadInput):
            study.run(jobs=1, **given)
    with pytest.raises(BadInput, match="needs test points"):
        study.banzhaf()
    with pytest.raises(BadInput, match="influence needs test points"):
        study.run(4, jobs=1).influence()
    with pytest.raises(BadInput, match="removal_curve needs test points"):
        study.removal_curve(unconverged="flag")
    with pytest.raises(BadInput, match="two fractions"):
        study.run(4, jobs=1).memorization(extrapolate=True)


# --- stored, grown, killed, damaged, purged -------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"threshold": 2},
        {"threshold": -5},
        {"threshold": True},
        {"fdr": 5},
        {"fdr": 0},
    ],
)
def test_a_threshold_or_a_rate_that_flags_all_or_none_is_refused(given):
    x, y = small()
    study = Memories(x, y, learner="knn").run(4, jobs=1)
    with pytest.raises(BadInput, match=f"{next(iter(given))} lies in"):
        study.memorization(**given)


@pytest.mark.parametrize("fraction", [0.333, 0.0001, 0.9999, 0.12345])
def test_the_fraction_that_is_advised_is_taken(fraction):
    with pytest.raises(BadInput, match="take ") as refusal:
        as_fraction(fraction)
    advised = str(refusal.value).rpartition("take ")[2].split()[0]
    assert 0 < as_fraction(float(advised)) < 1


def test_numbers_of_numpy_count_as_numbers():
    x, y = small()
    study = Memories(x, y, learner="knn").run(np.int64(4), np.float32(0.5), jobs=1)
    assert study.models == {0.5: 4}


def test_a_study_grows_and_computes_nothing_twice(tmp_path):
    x, y = coin_world(40)
    told = []
    study = Memories(x, y, learner=Coin(), store=tmp_path / "p", seed=1).run(100, jobs=1)
    before = shards(tmp_path / "p")
    again = Memories(x, y, learner=Coin(), store=tmp_path / "p", seed=1)
    again.run(100, jobs=1, progress=lambda *said: told.append(said))
    assert told == [(100, 100, "models")]
    again.run(301, jobs=1)
    assert again.models == {0.5: 302}
    after = shards(tmp_path / "p")
    assert before.items() <= after.items()
    at_once = Memories(x, y, learner=Coin(), seed=1).run(302, jobs=1).memorization()
    assert np.array_equal(at_once.value, again.memorization().value)
    assert study.memorization().n_in.tolist() == [151.0] * 40  # the same folder, read afresh
    with Store.open(tmp_path / "p") as store:
        assert [s.status for s in store.runs()] == ["finished"]
        assert store.verify() == ()


def test_another_seed_learner_or_data_is_another_study(tmp_path):
    x, y = coin_world(40)
    for given in ({}, {"seed": 1}, {"learner": Coin(fit=0.999)}, {"X": x + 1e-9}):
        study = Memories(**{"X": x, "y": y, "learner": Coin(), "store": tmp_path / "p", **given})
        assert study.models == {}
        study.run(10, jobs=1)
    with Store.open(tmp_path / "p") as store:
        assert len(store.runs()) == 4
        one = Memories(x, y, learner=Coin(), store=store)
        assert one.models == {0.5: 10}
        assert one.run(20, jobs=1).models == {0.5: 20}


def of_width(hidden):
    torch = pytest.importorskip("torch")

    def make():
        return torch.nn.Sequential(torch.nn.Linear(3, hidden), torch.nn.Linear(hidden, 2))

    return make


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: FunctionTransformer(lambda x: x), lambda: FunctionTransformer(lambda x: 0 * x)),
        (lambda: resolve(of_width(4)), lambda: resolve(of_width(64))),
        (lambda: resolve(partial(of_width(4))), lambda: resolve(partial(of_width(8)))),
        (lambda: GaussianNB(priors=np.ones(3000)), lambda: GaussianNB(priors=np.r_[:3000])),
        (
            lambda: make_pipeline(FunctionTransformer(np.sin), GaussianNB()),
            lambda: make_pipeline(FunctionTransformer(np.cos), GaussianNB()),
        ),
    ],
    ids=["lambdas", "closures", "partials", "arrays", "ufuncs"],
)
def test_learners_that_differ_only_in_their_code_or_arrays_are_other_studies(one, other):
    """A study of one network must not be answered with the stored outcomes of another."""
    assert described(one()) == described(one())
    assert described(one()) != described(other())


def test_a_learner_that_counts_its_own_making_stays_one_study(tmp_path):
    torch = pytest.importorskip("torch")
    made = []

    def make():
        made.append(1)
        return torch.nn.Linear(3, 2)

    x, y = small(40, classes=2)
    study = Memories(x, y, learner=make, store=tmp_path / "p").run(4, jobs=1)
    assert study.models == {0.5: 4}


EDITED = """
import sys
from unteach.core.fingerprint import described

HIDDEN = {hidden}

class Mine:
    def __init__(self, power=2):
        self.power = power
    def fit(self, x, y):
        return self
    def predict(self, x):
        return inner(x) + HIDDEN
    def get_params(self, deep=True):
        return dict(power=self.power)

def inner(x):
    return x if x in {{"a", "b", "c"}} else {inner}

if __name__ == "__main__":
    print(described(Mine()))
"""


def test_an_edited_class_is_another_study_and_the_same_one_is_the_same_in_every_process(tmp_path):
    def said(hash_seed="0", **edit):
        script = tmp_path / "mine.py"
        script.write_text(EDITED.format(**{"hidden": 3, "inner": 5, **edit}))
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [sys.executable, script], env=env, capture_output=True, text=True, check=True
        ).stdout

    assert said() == said(hash_seed="1")
    assert len({said(), said(hidden=4), said(inner=6)}) == 3


def test_until_a_width_trains_more_models_and_no_more_than_needed():
    x, y = coin_world(30)
    study = Memories(x, y, learner=Coin()).run(64, until=0.1, jobs=1)
    found = study.memorization()
    assert (found.high - found.low).max() / 2 <= 0.1
    assert 100 <= study.models[0.5] <= 500
    capped = Memories(x, y, learner=Coin()).run(64, until=0.01, most=200, jobs=1)
    assert capped.models == {0.5: 200}


def test_stopped_at_any_time_what_is_there_can_be_read():
    x, y = coin_world(40)
    study = Memories(x, y, learner=Coin())

    def stop(done, total, what):
        if done >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(1000, jobs=1, progress=stop)
    there = study.models[0.5]
    assert 300 <= there < 1000
    assert study.memorization().n_in[0] == there / 2
    assert study.run(1000, jobs=1).models == {0.5: 1000}


def test_one_process_and_two_write_the_same_bytes(tmp_path):
    x, y = coin_world(40)
    for jobs in (1, 2):
        Memories(x, y, learner="knn", store=tmp_path / str(jobs), seed=1).run(256, jobs=jobs)
    one, two = (shards(tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two
    assert len(one) == 2


def test_a_damaged_or_missing_shard_is_named_and_computed_again(tmp_path):
    x, y = coin_world(40)
    study = Memories(x, y, learner=Coin(), store=tmp_path / "p").run(512, jobs=1)
    whole, value = shards(tmp_path / "p"), study.memorization().value
    names = sorted(whole)
    assert len(names) == 4
    first, second = sorted((tmp_path / "p" / "shards").iterdir())[:2]
    raw = bytearray(first.read_bytes())
    raw[len(raw) // 2] ^= 1
    first.write_bytes(bytes(raw))
    second.unlink()
    fresh = Memories(x, y, learner=Coin(), store=tmp_path / "p")
    with pytest.raises(Corrupt, match=rf"{first.name} is damaged.*run the same models again"):
        fresh.memorization()
    with Store.open(tmp_path / "p") as store:
        found = [(d.file, d.what.split(" (")[0]) for d in store.verify()]
    assert found == [(first, "is damaged"), (second, "is missing")]
    with pytest.warns(UserWarning, match="it is computed again") as said:
        fresh.run(512, jobs=1)
    assert [names[0] in str(said[0].message), names[1] in str(said[1].message)] == [True, True]
    assert shards(tmp_path / "p") == whole
    assert np.array_equal(fresh.memorization().value, value)


def test_a_shard_is_read_only_if_it_is_as_it_was_written(tmp_path):
    margin = np.linspace(-1e6, 1e6, 36).reshape(3, 12)
    inside, seeds = np.eye(3, 9, dtype=bool), np.arange(3, dtype=np.uint64)
    shard = Shard(0, inside, np.ones((3, 12), bool), margin, seeds)
    back = Shard.from_bytes(shard.to_bytes())
    assert (back.members == shard.members).all() and back.correct.all()
    assert np.abs(back.margins).max() == 65504
    assert len(shard.to_bytes()) < 3 * (2 + 2 + 24 + 8) + 1500
    with pytest.raises(Corrupt):
        Shard.from_bytes(shard.to_bytes()[:-40])
    with pytest.raises(BadInput, match="not numbers"):
        Shard(0, shard.members, shard.correct, np.full((3, 12), np.nan), shard.seeds)
    with pytest.raises(BadInput, match="shapes"):
        Shard(0, shard.members, shard.correct, np.zeros((3, 11)), shard.seeds)
    assert shard_damage(tmp_path, "nothing", "") == "is missing"


def test_a_learner_that_is_no_function_of_its_seed_is_found_out(tmp_path):
    class Fickle(Coin):
        def subset_outputs(self, x, y, members, seeds, at):
            moody = np.random.default_rng().integers(0, 2**32, len(seeds)).astype(np.uint64)
            return super().subset_outputs(x, y, members, moody, at)

    x, y = coin_world(40)
    study = Memories(x, y, learner=Fickle(), store=tmp_path / "p").run(64, jobs=1)
    next((tmp_path / "p" / "shards").iterdir()).unlink()
    with (
        pytest.warns(UserWarning, match="computed again"),
        pytest.raises(Corrupt, match="not a function of its seed"),
    ):
        study.run(64, jobs=1)


def test_after_a_purge_no_byte_of_a_record_or_of_its_outcomes_is_left(tmp_path):
    """Rows, ids, labels' outcomes: a planted value, a name, and every shard's own bytes."""
    x, y = coin_world(40)
    x[:, 0] = 0.123456789
    names = [f"Ada-Lovelace-{k}" for k in range(40)]
    folder = tmp_path / "p"
    study = Memories(x, y, learner=Coin(), store=folder, ids=names).run(128, jobs=1)
    needles = [np.float64(0.123456789).tobytes(), b"Ada-Lovelace"]
    held = b"".join(files(folder).values())
    assert needles[0] in held  # the blob of the records, until it is purged
    assert needles[1] not in held  # ids are never stored
    (shard,) = (folder / "shards").iterdir()
    read = Shard.from_bytes(shard.read_bytes())
    needles += [read.seeds.tobytes(), read.margins.tobytes(), shard.name.encode()]
    left = folder / "temporary" / "unteach-killed"
    left.write_bytes(shard.read_bytes())  # what a kill in the middle of a write leaves behind
    with Store.open(folder) as store:
        gone = store.purge()
    assert (gone.shards, gone.blobs) == (1, 1)
    held = b"".join(files(folder).values())
    assert not any(needle in held for needle in needles)
    assert study.models == {}
    assert study.run(128, jobs=1).models == {0.5: 128}
    assert (folder / "shards" / shard.name).exists()


def drive(tmp_path, folder, jobs, slow):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), str(jobs), str(slow)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )


def killed_and_resumed(tmp_path, moments, jobs):
    """Kill the driver after so many shards, each time; say what was there, and the last bytes."""
    folder, seen = tmp_path / "killed", []
    for lines in moments:
        driver = drive(tmp_path, folder, jobs, 0.05)
        for _ in range(lines):
            driver.stdout.readline()
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        driver.stdout.close()
        assert driver.returncode == -signal.SIGKILL
        x, y = coin_world(40)
        study = Memories(x, y, learner=Coin(slow=0.05), store=folder, seed=3)
        written = len(list((folder / "shards").iterdir())) if folder.exists() else 0
        recorded = study.models.get(0.5, 0) // 125
        assert 0 <= written - recorded <= jobs  # lost: at most the shards that were being made
        seen.append(recorded)
    driver = drive(tmp_path, folder, jobs, 0.05)
    driver.communicate(timeout=480)
    assert driver.returncode == 0
    return seen, shards(folder)


def test_killed_with_sigkill_a_study_resumes_to_the_same_bytes(tmp_path):
    x, y = coin_world(40)
    straight = Memories(x, y, learner=Coin(slow=0.05), store=tmp_path / "straight", seed=3)
    straight.run(1000, jobs=1)
    seen, found = killed_and_resumed(tmp_path, (4,), jobs=1)
    assert found == shards(tmp_path / "straight")
    assert len(found) == 8
    assert 1 <= seen[0] < 8


@pytest.mark.slow
def test_killed_workers_and_drivers_of_two_processes_lose_at_most_a_shard_each(tmp_path):
    x, y = coin_world(40)
    straight = Memories(x, y, learner=Coin(slow=0.05), store=tmp_path / "straight", seed=3)
    straight.run(1000, jobs=1)
    _, found = killed_and_resumed(tmp_path, (3, 4, 5), jobs=2)
    assert found == shards(tmp_path / "straight")
    driver = drive(tmp_path, tmp_path / "worker", 2, 0.3)
    for _ in range(3):
        driver.stdout.readline()
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(driver.pid)], capture_output=True, text=True, check=True
    )
    for pid in children.stdout.split()[:1]:
        os.kill(int(pid), signal.SIGKILL)
    driver.communicate(timeout=480)
    assert driver.returncode == 0
    assert shards(tmp_path / "worker") == found


def test_pace_tells_models_and_time():
    said, clock = [], iter([0.0, 10.0, 30.0])
    pace = Pace(lambda *told: said.append(told), {"a": 10, "b": 20}, clock=lambda: next(clock))
    for told in ((0, 2, ""), (1, 2, "a"), (2, 2, "b")):
        pace(*told)
    assert said == [
        (0, 30, "models"),
        (10, 30, "models, 60/minute, 20 s left"),
        (30, 30, "models, 60/minute, 0 s left"),
    ]


# --- statistics -----------------------------------------------------------------------------------


def test_intervals_cover_and_false_discoveries_are_few():
    """Many studies of records whose memorization is known: the promises, counted."""
    chances = np.repeat([1.0, 0.97, 0.9, 0.8, 0.75, 0.7, 0.5, 0.2], 50)
    x, y = coin_world(400, chances=chances)
    truth = 1.0 - chances
    covered, false, found = [], [], []
    for seed in range(8):
        m = Memories(x, y, learner=Coin(), seed=seed).run(200, jobs=1).memorization()
        covered.append((m.low <= truth) & (truth <= m.high))
        false.append(int((m.flagged & (truth <= 0.25)).sum()))
        found.append(int(m.flagged.sum()))
    each = np.mean(covered, axis=0).reshape(8, 50).mean(axis=1)
    assert np.mean(covered) >= 0.94
    assert each.min() >= 0.93, each
    assert sum(false) <= 0.05 * sum(found)
    assert sum(found) > 8 * 80  # it finds the clear ones


@pytest.mark.slow
def test_a_networks_intervals_cover_an_independent_reference_of_five_thousand(digits):
    x, y = digits[0][:400], digits[1][:400].copy()
    wrong = np.random.default_rng(0).choice(400, 40, replace=False)
    y[wrong] = (y[wrong] + 3) % 10
    learner = MLP(hidden=(32,), epochs=120, batch_size=32)
    reference = Memories(x, y, learner=learner, seed=100).run(5000, jobs=2)
    truth = reference.memorization(unconverged="flag").value
    covered, flagged, false = [], 0, 0
    for seed in range(4):
        m = Memories(x, y, learner=learner, seed=seed).run(200, jobs=2)
        found = m.memorization(unconverged="flag")
        covered.append((found.low <= truth) & (truth <= found.high))
        flagged += int(found.flagged.sum())
        false += int((found.flagged & (truth <= 0.25)).sum())
    assert np.mean(covered) >= 0.94
    unclear = (truth > 0.05) & (truth < 0.95)
    assert np.mean(np.array(covered)[:, unclear]) >= 0.93
    assert flagged > 4 * 30
    assert false <= 0.05 * flagged


@pytest.mark.slow
def test_a_networks_extrapolation_comes_to_leave_one_out(digits):
    x, y = digits[0][:200], digits[1][:200].copy()
    y[::20] = (y[::20] + 1) % 10
    learner = MLP(hidden=(32,), epochs=120, batch_size=32)
    study = Memories(x, y, learner=learner, seed=1).run(1500, 0.7, jobs=2).run(4000, 0.9, jobs=2)
    found = study.memorization(extrapolate=True, unconverged="flag")
    points = np.sort(np.random.default_rng(0).choice(200, 40, replace=False))
    seeds, every = np.arange(150, dtype=np.uint64), np.ones((150, 200), bool)
    whole = learner.subset_outputs(x, y, every, seeds, x[points]).argmax(axis=2) == y[points]
    truth, noise = np.empty(len(points)), np.empty(len(points))
    for k, i in enumerate(points):
        left = every.copy()
        left[:, i] = False
        out = learner.subset_outputs(x, y, left, seeds, x[[i]]).argmax(axis=2)[:, 0] == y[i]
        truth[k] = whole[:, k].mean() - out.mean()
        noise[k] = (out.var() + whole[:, k].var()) / 150
    error = np.mean((found.value[points] - truth) ** 2)
    half = (found.high - found.low)[points] / 2 / 1.96
    assert error <= 0.02**2 + np.mean(noise) + np.mean(half**2)


def test_a_network_memorizes_what_is_planted_wrong(digits):
    x, y = digits[0][:200], digits[1][:200].copy()
    y[:20] = (y[:20] + 3) % 10
    learner = MLP(hidden=(32,), epochs=120, batch_size=32)
    found = Memories(x, y, learner=learner).run(100, jobs=1).memorization()
    assert found.converged
    assert found.soft_unit == "probability"
    assert found.value[:20].min() > 0.6
    assert found.value[20:].mean() < 0.3
    assert np.corrcoef(found.value, found.soft)[0, 1] > 0.95


# --- the laws for others' estimators, and that they catch what is broken --------------------------


@pytest.mark.parametrize(
    "estimator",
    [Subsampled(models=64), LeaveOneOut(), CumulativeLoss(), KernelRidgeScreen()],
    ids=lambda e: type(e).__name__,
)
def test_estimators_hold_to_the_laws(estimator):
    assert all(outcome.held for outcome in check_memorization(estimator))


BROKEN = {
    broken.ByPosition(): "every_record_has_one_finite_value_under_its_id",
    broken.Unseeded(): "the_same_seed_gives_the_same_table",
    broken.Whitened(): "records_and_learner_stay_as_they_were",
    broken.WithoutOnly(): "an_estimate_is_a_difference_of_probabilities",
    broken.Misplaced(): "an_interval_holds_its_value",
    broken.Pretentious(): "a_screen_claims_no_units",
}


@pytest.mark.parametrize("estimator", BROKEN, ids=lambda e: type(e).__name__)
def test_each_fault_is_caught_by_its_law_alone(estimator):
    bench = MemorizationBench.of(estimator)
    assert broken_by(bench, MEMORIZATION_LAWS) == [BROKEN[estimator]]


def test_scores_that_stick_to_positions_are_caught():
    bench = MemorizationBench.of(None)
    stuck = broken.Remembered(tuple(bench.wrong.astype(float)))
    found = broken_by(MemorizationBench.of(stuck), MEMORIZATION_LAWS)
    assert found == ["what_is_planted_wrong_ranks_first_wherever_it_stands"]


def test_what_scores_nothing_is_refused_by_name():
    with pytest.raises(BadInput, match="no estimator of memorization"):
        check_memorization(3)


# --- screens and estimators -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def planted(digits):
    x, y = digits[0][:300], digits[1][:300].copy()
    y[:30] = (y[:30] + 3) % 10
    return Rows(np.arange(300) + 1000, {"x": x, "y": y})


@pytest.mark.parametrize("screen", [CumulativeLoss(), EL2N(), LearningEvent(), KernelRidgeScreen()])
def test_screens_rank_what_is_planted_wrong_first_and_have_no_units(planted, screen):
    learner = PlainMLP(epochs=25)
    table = screen.score(learner, planted, seed=0)
    assert isinstance(screen, Estimator)
    assert screen.role == "screen"
    assert list(table.columns) == ["id", "score"]
    assert table.units["score"] == ""
    assert "no units" in table.caption
    assert table["id"] == list(range(1000, 1300))
    score = np.array(table["score"])
    assert (score[:30, None] > score[None, 30:]).mean() > 0.9
    assert table == screen.score(learner, planted, seed=0)


def test_screens_say_what_they_need(planted):
    with pytest.raises(BadInput, match="epoch_outputs"):
        CumulativeLoss().score("knn", planted, seed=0)
    with pytest.raises(BadInput, match="runs"):
        CumulativeLoss(runs=0).score(None, planted, seed=0)
    with pytest.raises(BadInput, match="epoch is 1 to 3"):
        EL2N().score(PlainMLP(epochs=3), planted, seed=0)
    with pytest.raises(BadInput):
        PlainMLP(momentum=1.0)


def test_the_slopes_of_the_plain_network_are_those_of_torch():
    torch = pytest.importorskip("torch")
    from unteach.memorize.scores.plain_mlp import _slopes

    rng = np.random.default_rng(0)
    w = [rng.normal(size=s) for s in ((4, 6), (6,), (6, 3), (3,))]
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    parts = [torch.tensor(part, requires_grad=True) for part in w]
    z = torch.relu(torch.tensor(x) @ parts[0] + parts[1]) @ parts[2] + parts[3]
    torch.nn.functional.cross_entropy(z, torch.tensor(y)).backward()
    for mine, part in zip(_slopes(w, x, y), parts, strict=True):
        assert np.allclose(mine, part.grad.numpy(), atol=1e-12)


def test_estimators_agree_with_each_other_and_keep_the_ids():
    world = memorable(0, n=60, n_mislabelled=8)
    sampled = Subsampled(models=400).score("knn", world.records, seed=0)
    left = LeaveOneOut().score("knn", world.records, seed=0)
    assert isinstance(Subsampled(), Estimator)
    assert sampled["id"] == left["id"] == world.records.ids.tolist()
    assert spearmanr(sampled["hard"], left["hard"])[0] > 0.5
    assert sampled == Subsampled(models=400).score("knn", world.records, seed=0)


def test_a_torch_module_and_any_estimator_can_be_studied():
    torch = pytest.importorskip("torch")
    x, y = small(40, classes=2)
    module = lambda: torch.nn.Linear(3, 2)  # noqa: E731
    for learner in (module, PlainMLP(), SVC(C=1.0), LogisticRegression(), "logistic"):
        found = Memories(x, y, learner=learner).run(4, jobs=1).memorization(unconverged="flag")
        assert found.accuracy > 0.5
        assert found.n_in.tolist() == [2.0] * 40


def test_what_every_model_warns_of_is_said_once():
    x, y = small(60)
    study = Memories(x, y, learner=LogisticRegression(max_iter=1))
    with pytest.warns(ConvergenceWarning) as said:
        study.run(20, jobs=1)
    assert len({str(w.message) for w in said}) == len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TasksFailed, match="lbfgs failed"):  # filters stay the user's
            study.run(40, jobs=1)


@pytest.mark.parametrize("screen", [CumulativeLoss(), EL2N(), LearningEvent()])
def test_screens_rank_features_of_any_size(screen):
    """Wine as it comes, up to 1,680: a network that it kills ranks nothing, and that is refused."""
    wine = load("wine")
    scores = np.array(screen.score(None, wine, seed=0)["score"])
    assert max(len(np.unique(scores[wine.y == k].round(6))) for k in range(3)) > 1
    with pytest.raises(BadInput, match="the same of every record"):
        screen.score(PlainMLP(), wine, seed=0)


def test_networks_by_name_learn_from_features_of_any_size():
    """Digits as they come, 0 to 16: by name a network fits them, and a bare one says what to do."""
    x, y = load_digits(return_X_y=True)
    x, y = x[:300], y[:300]
    found = Memories(x, y, learner="mlp", seed=0).run(models=40, fraction=0.5).memorization()
    assert found.converged
    with pytest.raises(NotConverged, match="unit scale"):
        Memories(x, y, learner=MLP(), seed=0).run(models=40, fraction=0.5).memorization()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_learner_that_refuses_the_records_says_so_itself(jobs):
    """Not as the traceback of a task in another process: it is the user's data that it names."""
    x = np.random.default_rng(0).random((40, 13))
    with pytest.raises(BadInput, match="no square grey images") as caught:
        Memories(x, np.arange(40) % 2, learner="cnn").run(models=20, jobs=jobs)
    assert "Traceback" not in str(caught.value)
