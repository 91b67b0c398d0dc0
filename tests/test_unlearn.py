"""The methods: routes, refusals, and the certificate's arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import unteach
from unteach.checks import memorable_world, small_world
from unteach.core import (
    BadInput,
    BudgetSpent,
    Certified,
    Heuristic,
    NoRoute,
    NothingLeft,
    OneClassLeft,
    Request,
    Rows,
    UnknownRecord,
)
from unteach.data import load, pick
from unteach.kernel import SVC
from unteach.models import MLP, Logistic, NaiveBayes, Neighbours, Ridge, as_learner, learn, margins
from unteach.unlearn import (
    DoNothing,
    Ledger,
    Native,
    Newton,
    OverForget,
    Retrain,
    Sisa,
    method_named,
    route,
)
from unteach.unlearn._noise.budget_ledger import gaussian_delta
from unteach.unlearn._noise.linear_heads import clipped, signs
from unteach.unlearn._noise.noisy_logistic import (
    CURVATURE,
    gradient,
    minimize,
    spectral_bound,
)
from unteach.unlearn.certified.newton import _step


def test_budget_has_the_published_values():
    assert Ledger(1.0, 1e-4, 10.0).budget == pytest.approx(2.2803, abs=5e-5)
    assert Ledger(1.0, 1e-4, 1.0).budget == pytest.approx(0.2280, abs=5e-5)


def test_curvature_is_the_tight_constant():
    z = np.linspace(-8, 8, 200_001)
    p = 1 / (1 + np.exp(-z))
    third = np.abs(p * (1 - p) * (1 - 2 * p))
    assert third.max() <= CURVATURE
    assert third.max() == pytest.approx(CURVATURE, rel=1e-8)
    assert CURVATURE < 1 / 4 / 2.59


@pytest.mark.parametrize("seed", range(5))
def test_the_spectral_norm_is_bounded_from_above(seed):
    x = np.random.default_rng(seed).normal(size=(80, 7)) * 10.0**seed
    true = np.linalg.svd(x, compute_uv=False)[0]
    assert true <= spectral_bound(x) <= true * (1 + 1e-8)


def test_the_ledger_holds_the_exact_residual_through_a_long_history():
    rows, method = load("breast_cancer"), Newton(sigma=5.0)
    model = method.prepare().learn(rows, seed=1)
    left = rows
    for identifier in rows.ids[:25].tolist():
        model = method.forget(model, left, Request(ids=[identifier]), seed=0).model
        left = left.without([identifier])
        x = clipped(left.x, 1.0)
        s = signs(np.asarray(left.y), model.classes_, 0)
        exact = gradient(model.coef_[0], x, s, model.noise_[0], 1e-2 * len(x))
        assert np.linalg.norm(exact) == pytest.approx(model.ledger_.residual, rel=1e-6, abs=1e-12)
        assert np.linalg.norm(exact) <= model.ledger_.spent
    assert len(model.ledger_.entries) == 26


def test_a_batch_costs_one_step():
    rows, method = load("breast_cancer"), Newton(sigma=5.0)
    model = method.prepare().learn(rows, seed=1)
    batch = method.forget(model, rows, Request(ids=rows.ids[:10]), seed=0).model
    assert len(batch.ledger_.entries) == 2


def test_newton_with_many_classes_stays_near_retraining():
    rows = load("digits")
    rows = Rows(rows.ids, {"x": rows.x / 16.0, "y": rows.y})
    method = Newton(sigma=2.0, penalty=0.05)
    model = method.prepare(Logistic()).learn(rows, seed=0)
    assert model.coef_.shape == (10, 65)
    gone = method.forget(model, rows, Request(ids=rows.ids[:20]), seed=0)
    assert gone.claim == Certified(1.0, 1e-4, gone.claim.assumptions)
    # the minimizer on what is left, under the noise that the model has: one step comes near it
    rest = rows.without(rows.ids[:20])
    x = clipped(rest.x, 1.0)
    for k in (0, 7):
        s = signs(np.asarray(rest.y), model.classes_, k)
        best, _ = minimize(x, s, model.noise_[k], 0.05 * len(x))
        assert np.abs(best - gone.model.coef_[k]).max() < 1e-4


def test_newton_refuses_what_its_proof_does_not_cover():
    world = small_world("classification")
    with pytest.raises(NoRoute, match="logistic"):
        Newton().prepare(SVC())
    with pytest.raises(NoRoute, match="noisy objective"):
        Newton().promise(learn(Logistic(), world.records), world.records, Request(ids=[100]))
    with pytest.raises(NoRoute, match="noisy objective"):
        Newton().forget(learn(Logistic(), world.records), world.records, Request(ids=[100]), seed=0)
    for wrong in (
        {"penalty": 0.0},
        {"sigma": -1.0},
        {"radius": 0.0},
        {"epsilon": 0.0},
        {"delta": 1.0},
    ):
        with pytest.raises(BadInput):
            Newton(**wrong)


def test_a_class_cannot_leave_by_a_step():
    rows, method = load("wine"), Newton(sigma=100.0)
    model = method.prepare().learn(rows, seed=0)
    with pytest.raises(NoRoute, match="classes would change"):
        method.forget(model, rows, Request(groups=[2]), seed=0)


def test_a_spent_budget_leads_to_retraining():
    rows, method = load("breast_cancer"), Newton(sigma=0.02)
    model = method.prepare().learn(rows, seed=0)
    with pytest.raises(BudgetSpent, match="retrain"):
        method.forget(model, rows, Request(ids=rows.ids[:200]), seed=0)
    gone = unteach.forget(model, rows, ids=rows.ids[:200], seed=3)
    assert gone.claim.kind == "exact"
    assert len(gone.model.ledger_.entries) == 1
    with pytest.raises(NoRoute, match="budget"):
        unteach.forget(model, rows, ids=rows.ids[:200], accept="certified")


def test_routes_in_order_of_cheapness():
    rows = load("wine")
    request = Request(ids=[0])
    found = {}
    for learner in (
        Newton(sigma=10.0).prepare(),
        Sisa(shards=3).prepare(NaiveBayes()),
        NaiveBayes(),
        LogisticRegression(max_iter=5000),
    ):
        method, claim = route(learn(learner, rows), rows, request)
        found[type(method).__name__] = claim.kind
    assert found == {"Newton": "certified", "Sisa": "exact", "Native": "exact", "Retrain": "exact"}


def test_only_what_is_accepted_is_done():
    rows = load("wine")
    model = learn(NaiveBayes(), rows)
    with pytest.raises(NoRoute, match="certified"):
        unteach.forget(model, rows, ids=[0], accept=("certified",))
    with pytest.raises(NoRoute, match="nothing was done"):
        unteach.forget(model, rows, ids=[0], method="do_nothing")
    assert (
        unteach.forget(model, rows, ids=[0], method="do-nothing", accept="heuristic").model is model
    )
    with pytest.raises(BadInput, match="some of"):
        unteach.forget(model, rows, ids=[0], accept=("sure",))
    with pytest.raises(BadInput, match="no method"):
        method_named("magic")
    with pytest.raises(BadInput, match="object with forget"):
        unteach.forget(model, rows, ids=[0], method=3)


def test_the_example_of_the_contract():
    records = load("breast_cancer")
    ids = pick(records, "random", n=50, seed=0)
    model = unteach.learn(Logistic(), records, seed=0)
    gone = unteach.forget(model, records, ids=ids, method="auto", accept=("exact", "certified"))
    assert gone.claim.kind == "exact"
    want = Logistic().fit(records.without(ids).x, records.without(ids).y)
    f = np.abs(want.decision_function(records.x) - gone.model.decision_function(records.x))
    assert f.max() < 1e-6
    assert gone.cost.seconds > 0
    svc = SVC(kernel="rbf", C=1.0, gamma=0.02).fit(records.x[:100], records.y[:100])
    assert svc.forget([3, 17]) is svc
    assert 3 not in svc.sample_ids_


def test_any_scikit_learn_estimator_can_be_retrained():
    rows = load("wine")
    model = DecisionTreeClassifier(random_state=3).fit(rows.x, rows.y)
    gone = unteach.forget(model, rows, groups=[1])
    assert set(gone.model.predict(rows.x)) == {0, 2}
    assert gone.model.random_state == 3


@pytest.mark.parametrize("method", [Retrain(), OverForget(), Native(), Sisa(shards=2), DoNothing()])
def test_leaving_one_class_or_nothing_is_refused(method):
    world = small_world("classification")
    records = world.records
    learner = method.prepare(Logistic()) if hasattr(method, "prepare") else Logistic()
    model = learn(learner, records)
    if isinstance(method, DoNothing):
        return
    one_class = records.ids[np.asarray(records.y) == 1]
    with pytest.raises(OneClassLeft):
        method.forget(model, records, Request(ids=one_class), seed=0)
    with pytest.raises(NothingLeft):
        method.forget(model, records, Request(ids=records.ids), seed=0)


def test_over_forgetting_denies_what_retraining_forgets():
    world = memorable_world()
    model = learn(Logistic(C=10.0), world.records)
    request = Request(ids=world.planted)
    forget = world.records.select(world.planted)
    y = np.asarray(forget.y)
    before = margins(model, forget.x, y).mean()
    honest = margins(Retrain().forget(model, world.records, request, seed=0).model, forget.x, y)
    denied = margins(OverForget().forget(model, world.records, request, seed=0).model, forget.x, y)
    assert before > honest.mean() > denied.mean()
    with pytest.raises(BadInput, match="strength"):
        OverForget(strength=0)


def test_sisa_touches_only_the_shards_concerned_and_votes():
    rows = load("wine")
    method = Sisa(shards=6)
    model = method.prepare(NaiveBayes()).learn(rows, seed=0)
    gone = method.forget(model, rows, Request(ids=[5]), seed=9)
    same = [a is b for a, b in zip(model.checkpoints, gone.model.checkpoints, strict=True)]
    assert sorted(same) == [False] + [True] * 5
    assert gone.cost.rows_read < len(rows) / 2
    assert np.mean(gone.model.predict(rows.x) == rows.y) > 0.9
    assert np.allclose(gone.model.predict_proba(rows.x).sum(axis=1), 1)


def test_sisa_refuses_slices_where_learning_cannot_go_on():
    world = small_world("classification")
    with pytest.raises(BadInput, match="slices=1"):
        Sisa(shards=2, slices=3).prepare(LogisticRegression()).learn(world.records, seed=0)
    with pytest.raises(BadInput):
        Sisa(shards=0)
    with pytest.raises(BadInput, match="base learner"):
        Sisa().prepare()
    with pytest.raises(NoRoute, match="shards"):
        Sisa().forget(learn(Logistic(), world.records), world.records, Request(ids=[100]), seed=0)


def test_regression_learners_shard_by_the_mean():
    rows = load("diabetes")
    model = Sisa(shards=4).prepare(Ridge()).learn(rows, seed=0)
    parts = [shard[-1].predict(rows.x) for shard in model.checkpoints]
    assert np.allclose(model.predict(rows.x), np.mean(parts, axis=0))


def test_neighbours_keep_no_row_after_any_route():
    rows = load("wine")
    model = learn(Neighbours(), rows)
    gone = unteach.forget(model, rows, ids=[7])
    needle = np.asarray(rows.x[7]).tobytes()
    assert needle in model.to_saved().to_bytes()
    assert needle not in gone.model.to_saved().to_bytes()


def test_a_claim_without_noise_is_heuristic():
    assert isinstance(Newton(sigma=0.0).claim, Heuristic)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 8.0, 20.0, 100.0])
@pytest.mark.parametrize("delta", [1e-2, 1e-4, 1e-8])
def test_the_whole_budget_is_covered_by_the_exact_condition(epsilon, delta):
    budget = Ledger(epsilon, delta, 1.0).budget
    assert 0 < gaussian_delta(epsilon, budget) <= delta * (1 + 1e-6)
    rng = np.random.default_rng(0)  # the density ratio itself, where it can be sampled
    if epsilon == 1.0 and delta == 1e-2:
        z = rng.normal(size=2_000_000) + budget
        loss = budget * z - budget**2 / 2
        assert np.mean(np.maximum(0, 1 - np.exp(epsilon - loss))) <= delta * 1.05


@pytest.mark.parametrize("radius", [0.5, 1.0, 10.0, 100.0])
def test_the_bound_holds_for_rows_of_any_norm(radius):
    rows = load("breast_cancer")
    penalty = 1.0 if radius > 2 else 1e-2
    model = Newton(sigma=1.0, radius=radius, penalty=penalty).prepare().learn(rows, seed=0)
    for count in (1, 30, 100):
        request = Request(ids=rows.ids[:count])
        step = _step(model, rows, request)
        rest = request.applied_to(rows)
        x, s = clipped(rest.x, radius), signs(np.asarray(rest.y), model.classes_, 0)
        exact = gradient(step.coef[0], x, s, model.noise_[0], penalty * len(x))
        assert np.linalg.norm(exact) <= step.bound * (1 + 1e-9)
        move = step.coef[0] - model.coef_[0]
        bound = CURVATURE / 2 * np.linalg.norm(x, 2) * np.linalg.norm((x @ move) ** 2)
        assert np.linalg.norm(exact) <= bound * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize(
    "learner", [NaiveBayes(), Newton(sigma=50.0).prepare(), Sisa(shards=2).prepare(NaiveBayes())]
)
@pytest.mark.parametrize("method", ["auto", "retrain"])
def test_records_that_were_forgotten_cannot_come_back(learner, method):
    rows = load("wine")
    model = learn(learner, rows)
    gone = unteach.forget(model, rows, ids=[0], method=method).model
    with pytest.raises(UnknownRecord, match=r"forgotten|not those"):
        unteach.forget(gone, rows, ids=[1], method=method)
    again = unteach.forget(gone, rows.without([0]), ids=[1], method=method)
    assert again.claim.kind in ("exact", "certified")


def test_rows_under_other_numbers_are_not_forgotten_in_their_place():
    rows = load("wine").take(np.arange(177, -1, -1))
    model = NaiveBayes().fit(rows.x, rows.y)  # numbers its rows from 0
    with pytest.raises(BadInput, match="other contents"):
        unteach.forget(model, rows, ids=[177])
    assert unteach.forget(learn(NaiveBayes(), rows), rows, ids=[177]).claim.kind == "exact"
    with pytest.raises(BadInput, match="stands on"):
        unteach.forget(model, rows.take(np.arange(50, 178)), ids=[0])


def test_retraining_draws_fresh_noise():
    rows = load("breast_cancer")
    model = learn(Newton(sigma=1.0).prepare(), rows)
    gone = unteach.forget(model, rows, ids=[0], method="retrain").model
    assert not np.array_equal(model.noise_, gone.noise_)


def test_a_whole_class_can_be_relabelled():
    rows = load("breast_cancer")
    ones = rows.take(np.asarray(rows.y) == 1)
    new = Rows(ones.ids, {"x": ones.x, "y": np.full(len(ones), 2)})
    gone = unteach.forget(learn(NaiveBayes(), rows), rows, replace=new)
    assert gone.model.classes_.tolist() == [0, 2]


class _Plain:
    def learn(self, records, *, seed):
        return LogisticRegression(max_iter=5000).fit(records.x / 100, records.y)


def test_sisa_over_a_learner_of_ones_own_votes():
    rows = load("wine")
    model = Sisa(shards=2).prepare(_Plain()).learn(rows, seed=0)
    assert set(model.predict(rows.x / 100)) <= {0, 1, 2}


def test_records_of_a_data_frame_forget_as_those_of_an_array():
    pd = pytest.importorskip("pandas")
    plain = load("wine")
    order = np.random.default_rng(0).permutation(len(plain))
    frame = pd.DataFrame(plain.x, index=order)
    framed = Rows(plain.ids, {"x": frame, "y": pd.Series(plain.y, index=order)})
    for learner in (Logistic(), DecisionTreeClassifier()):
        ways = [unteach.learn(learner, r, seed=0) for r in (plain, framed)]
        gone = [
            unteach.forget(m, r, ids=[3, 77], seed=0).model
            for m, r in zip(ways, (plain, framed), strict=True)
        ]
        assert np.allclose(gone[0].predict_proba(plain.x), gone[1].predict_proba(frame))
    other = Rows(plain.ids, {"x": frame[::-1], "y": plain.y})
    with pytest.raises(BadInput, match="other contents"):
        unteach.forget(unteach.learn(Logistic(), framed, seed=0), other, ids=[3])


@pytest.mark.parametrize("learner", [Logistic(), DecisionTreeClassifier(), MLP(epochs=1)])
def test_one_class_of_labels_that_are_objects_is_refused_by_name(learner):
    y = np.array(["ill", "ill", "ill", "well"], dtype=object)
    records = Rows(np.arange(4), {"x": np.eye(4), "y": y})
    model = unteach.learn(learner, records, seed=0)
    with pytest.raises(OneClassLeft):
        unteach.forget(model, records, ids=[3])
    with pytest.raises(OneClassLeft, match="'ill'"):
        unteach.learn(learner, records.without([3]), seed=0)


def test_shards_with_one_class_of_labels_that_are_objects_predict_it():
    y = np.array(["ill", "well"] * 5, dtype=object)
    records = Rows(np.arange(10), {"x": np.eye(10), "y": y})
    model = Sisa(Logistic(), shards=8).prepare().learn(records, seed=0)
    assert set(model.predict(records.x).tolist()) <= {"ill", "well"}


def test_a_method_is_no_learner_and_says_what_is():
    with pytest.raises(BadInput, match=r"Sisa is a method; learn with Sisa\(...\)\.prepare"):
        as_learner(Sisa())
