"""Methods for networks: their laws, the defects of published code, and what was published."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from broken.gradient import normed_network
from unteach import unlearn
from unteach.audit import run as run_audit
from unteach.checks import check_method, small_network, small_world
from unteach.core import (
    BadInput,
    BudgetSpent,
    Heuristic,
    NoRoute,
    OneClassLeft,
    Request,
    Rows,
    stream,
)
from unteach.data import Tasks, load, mislabelled, sequences
from unteach.models import MLP, Layers, Logistic, Network, Transformer, parameters, save
from unteach.models import load as load_model
from unteach.unlearn import (
    EKFAC,
    RUM,
    SCRUB,
    SSD,
    UNSIR,
    Amnesiac,
    BadTeacher,
    BoundaryShrink,
    CFk,
    DoNothing,
    EUk,
    FineTune,
    FisherNoise,
    GradientAscent,
    Influence,
    L1Sparse,
    LabelFreeSSD,
    Langevin,
    NegGradPlus,
    NoisyDescent,
    RandomLabel,
    Rewind,
    SalUn,
    Sisa,
    tune,
)
from unteach.unlearn._noise.noisy_path import Constants
from unteach.unlearn._shared.answer_agreement import divergence
from unteach.unlearn._shared.parameter_importance import importances, mean_gradient
from unteach.unlearn.tuning import Between, Yard, likelihoods, space_of

NETWORK = [
    SCRUB,
    SalUn,
    SSD,
    LabelFreeSSD,
    RUM,
    L1Sparse,
    BadTeacher,
    FisherNoise,
    CFk,
    EUk,
    BoundaryShrink,
    UNSIR,
    Influence,
]


# the laws, beyond the defaults that the conformance tests try


@pytest.mark.parametrize(
    "method",
    [
        SSD(select=1.5),
        SCRUB(ceiling=None, temperature=4.0, optimizer="sgd", momentum=0.9),
        SalUn(optimizer="adamw", weight_decay=0.1, moved=0.1),
        SalUn(optimizer="sgd", momentum=0.9, weight_decay=0.1, moved=0.1, redraw=False),
        RUM(methods=(FineTune(epochs=1), NegGradPlus(epochs=1))),
    ],
    ids=lambda m: repr(m)[:40],
)
def test_other_settings_hold_the_laws_too(method):
    assert check_method(method, learner=small_network(epochs=20))


@pytest.mark.parametrize("method", [NoisyDescent(), Langevin(), Sisa(shards=3)])
def test_they_hold_the_laws_on_networks(method):
    assert check_method(method, learner=small_network(epochs=4))


@pytest.mark.parametrize("method", [SSD(), CFk(k=2), EUk(k=1), BoundaryShrink(), SCRUB()])
def test_running_statistics_stay_the_callers(method):
    assert check_method(method, learner=normed_network())


# a memorized world


def _accuracy(model, rows):
    return float(np.mean(model.predict(rows.x) == rows.y))


class _World:
    """Digits, a tenth mislabelled; 20 of these and 20 others are to go."""

    def __init__(self, seed=0):
        digits = load("digits")
        order = stream(seed, "some").permutation(len(digits))
        rows = Rows(digits.ids, {"x": digits.x / 16.0, "y": digits.y})
        made = mislabelled(rows.take(order[:400]), fraction=0.1, seed=seed)
        self.records = Rows(made.records.ids, {k: made.records.columns[k] for k in ("x", "y")})
        self.fresh = rows.take(order[400:])
        rng = stream(seed, "forget")
        self.wrong = rng.choice(made.planted_ids, 20, replace=False)
        clean = np.setdiff1d(self.records.ids, made.planted_ids)
        self.right = rng.choice(clean, 20, replace=False)
        self.request = Request(ids=np.concatenate([self.wrong, self.right]).tolist())
        self.net = Network(module=Layers((64, 64, 10)), epochs=60, lr=1e-2, batch_size=64)
        self.model = self.net.learn(self.records, seed=seed)
        self.kept = self.records.without(list(self.request.ids))
        self.gone = self.records.select(list(self.request.ids))

    def forget(self, method, seed=0):
        return method.forget(self.model, self.records, self.request, seed=seed).model

    def yard(self):
        truth = tuple(self.net.learn(self.kept, seed=s) for s in (101, 102))
        return Yard(self.gone, self.kept, self.fresh, truth)


@pytest.fixture(scope="module")
def world():
    return _World()


# what methods are made of, against closed forms and plain twins


def _linear():
    rows = load("wine")
    rows = Rows(rows.ids, {"x": rows.x / rows.x.max(axis=0), "y": rows.y})
    return rows, Network(module=Layers((13, 3)), epochs=20, lr=0.05).learn(rows, seed=0)


def test_importances_are_the_squares_of_each_records_own_gradient():
    rows, model = _linear()
    off = model.predict_proba(rows.x) - np.eye(3)[rows.y]  # (n, 3), the loss's slope in the logits
    wanted = np.mean((off[:, :, None] * rows.x[:, None, :]) ** 2, axis=0)  # (3, 13)
    found, n = importances(model, rows)
    assert n == len(rows) and np.allclose(found[0].numpy(), wanted, rtol=1e-4, atol=1e-9)
    assert np.allclose(found[1].numpy(), (off**2).mean(axis=0), rtol=1e-4, atol=1e-9)
    # the square of a batch's mean gradient, as published code takes it, is far smaller
    slope = mean_gradient(model, rows)[0].numpy()
    assert np.allclose(slope, np.mean(off[:, :, None] * rows.x[:, None, :], axis=0), atol=1e-6)
    assert (slope**2).sum() < wanted.sum() / 10
    logits = model.decision_function(rows.x)
    label_free, _ = importances(model, rows, kind="output")
    plain = np.mean(np.abs(2 * logits[:, :, None] * rows.x[:, None, :]), axis=0)
    assert np.allclose(label_free[0].numpy(), plain, rtol=1e-4)


@pytest.mark.parametrize("method", [SSD(), FisherNoise(), Influence(), EKFAC()])
def test_curvature_is_measured_with_the_threads_that_the_model_states(method):
    seen = []

    class Watched(nn.Sequential):
        def forward(self, x):
            seen.append(torch.get_num_threads())
            return super().forward(x)

    rows = Rows(np.arange(12), {"x": np.eye(12), "y": np.arange(12) % 2})
    model = Network(module=lambda: Watched(nn.Linear(12, 2)), epochs=1).learn(rows, seed=0)
    was = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen.clear()
        method.forget(model, rows, Request(ids=[3]), seed=0)
        assert set(seen) == {model.how.threads} == {1} and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(was)


def test_influence_is_the_newton_step_of_a_plain_solver():
    rows, model = _linear()
    gone = rows.ids[:5]
    after = (
        Influence(damping=0.05, scale=1.0, iterations=200)
        .forget(model, rows, Request(ids=gone), seed=0)
        .model
    )
    kept = rows.without(gone)
    weights = torch.tensor(parameters(model), requires_grad=True)
    x, y = torch.tensor(kept.x), torch.tensor(kept.y)

    def loss(w):
        return nn.functional.cross_entropy(x @ w[:39].reshape(3, 13).T + w[39:], y)

    curve = torch.autograd.functional.hessian(loss, weights).numpy() + 0.05 * np.eye(42)
    g = torch.cat([p.ravel() for p in mean_gradient(model, rows.select(gone))]).numpy()
    step = np.linalg.solve(curve, g) * len(gone) / len(kept)
    assert np.allclose(parameters(after) - parameters(model), step, atol=1e-5)


def test_divergence_counts_the_tokens_that_count():
    rows = sequences([[1, 2, 0], [2, 1, 1, 0]], prompts=1)
    shape = Transformer(3, end=0, width=8, heads=2, layers=1, length=5)
    net = Network(module=shape, loss="next_token", steps=3)
    one, two = (net.learn(rows, seed=s) for s in (0, 1))
    batch = one.batch(rows)
    found = divergence(two, one, batch).detach().numpy()
    p, q = (torch.log_softmax(m.outputs(batch), -1).detach().numpy() for m in (one, two))
    each = (np.exp(p) * (p - q)).sum(-1)  # (2, 3)
    assert np.allclose(found, [each[0, :2].mean(), each[1, :3].mean()], atol=1e-6)


# defects of published code, each with the test that would have caught it


def test_scrubs_student_moves_and_its_teacher_does_not(world):
    before = parameters(world.model)
    moved = parameters(world.forget(SCRUB()))
    assert np.abs(moved - before).max() > 1e-3  # a published copy: exactly 0
    assert np.array_equal(parameters(world.model), before)


def test_weight_decay_moves_nothing_that_saluns_mask_freezes(world):
    method = SalUn(moved=0.3, optimizer="adamw", weight_decay=0.5)
    moves = method.moves(world.model, world.records, world.request)
    changed = parameters(world.forget(method)) != parameters(world.model)
    assert not changed[~moves].any() and changed[moves].mean() > 0.99
    assert moves.mean() == pytest.approx(0.3, abs=1e-3)  # the published sparsity is what is asked
    slope = np.concatenate([g.abs().ravel() for g in mean_gradient(world.model, world.gone)])
    assert slope[moves].min() >= slope[~moves].max()


def test_the_first_layers_keep_every_bit_and_buffer():
    world = small_world("classification")
    model = normed_network().learn(world.records, seed=0)
    request = Request(ids=world.planted)
    for method, same in ((CFk(k=1), False), (EUk(k=1), True)):
        after = method.forget(model, world.records, request, seed=0).model
        one, two = model.state_dict(), after.state_dict()
        kept = [k for k in one if not k.startswith("3.")]
        assert "1.running_mean" in kept
        assert all(torch.equal(one[k], two[k]) for k in kept)
        assert not torch.equal(one["3.weight"], two["3.weight"])
        assert all(p.requires_grad for p in after.module.parameters())
        assert method.anew is same
    moved = FineTune(epochs=1).forget(model, world.records, request, seed=0).model.state_dict()
    assert not torch.equal(moved["1.running_mean"], model.state_dict()["1.running_mean"])
    with pytest.raises(NoRoute, match="freeze none"):
        CFk(k=3).forget(model, world.records, request, seed=0)


def test_a_fixed_threshold_selects_nothing_once_a_tenth_is_to_be_forgotten(world):
    ids = world.records.ids[: len(world.records) // 8]
    fixed = SSD(select=10.0).forget(world.model, world.records, Request(ids=ids), seed=0)
    assert fixed.cost.route == "0 parameters dampened"
    assert np.array_equal(parameters(fixed.model), parameters(world.model))
    share = SSD(share=0.02).forget(world.model, world.records, Request(ids=ids), seed=0)
    shrunk = np.abs(parameters(share.model)) < np.abs(parameters(world.model))
    assert 0 < shrunk.mean() <= 0.021


def test_shards_of_networks_really_learn_again():
    world = small_world("classification")
    method, net = Sisa(shards=4), small_network(epochs=10)
    prepared = method.prepare(net)
    model = prepared.learn(world.records, seed=0)
    one = world.planted[:1]
    gone = method.forget(model, world.records, Request(ids=one), seed=0)
    same = [a is b for a, b in zip(model.checkpoints, gone.model.checkpoints, strict=True)]
    assert sorted(same) == [False, True, True, True]  # a published one returns what it was given
    again = prepared.learn(world.records.without(one), seed=0)
    for a, b in zip(gone.model.checkpoints, again.checkpoints, strict=True):
        assert np.array_equal(parameters(a[-1]), parameters(b[-1]))
    with pytest.raises(BadInput, match="slices=1"):
        Sisa(shards=2, slices=2).prepare(net).learn(world.records, seed=0)


# certificates


@pytest.mark.parametrize("method", [NoisyDescent(), Langevin()])
def test_the_bounds_of_the_paths_hold_where_they_can_be_measured(method):
    rows, still = load("breast_cancer"), replace(method, sigma=0.0)
    recipe, ids = still.prepare(), rows.ids[np.argsort(rows.x[:, 0])][-20:]
    c, left = recipe.constants, rows.without(ids)
    long = replace(recipe, steps=2000)
    one, two = long.learn(rows, seed=0), long.learn(left, seed=0)
    # the minimizers lie inside the ball, and no farther apart than the bound
    assert np.linalg.norm(one.path_) < c.ball
    shift = np.linalg.norm(one.path_ - two.path_)
    assert 0 < shift <= c.shift(20, len(left))
    # so many steps shrink the distance as promised; with the same noise on both paths too
    for sigma in (0.0, 0.05):
        noisy = replace(recipe, sigma=sigma, every_step=True)
        near, far = (
            noisy.walk(start, left, one.classes_, 20, 3, "same")
            for start in (two.path_, two.path_ + 5.0)
        )
        apart = np.linalg.norm(near - far)
        assert apart <= c.contraction**20 * np.linalg.norm(np.full_like(near, 5.0))
    gone = still.forget(recipe.learn(rows, seed=0), rows, Request(ids=ids), seed=0)
    assert isinstance(gone.claim, Heuristic)
    off = np.linalg.norm(gone.model.path_ - two.path_)
    steps, trained = method.steps, method.train_steps
    assert off <= c.contraction**steps * c.shift(20, len(left)) + c.contraction**trained * c.ball


def test_more_steps_cost_exponentially_less_of_the_budget():
    # the published result of both: the privacy loss falls exponentially in the steps taken
    rows = load("breast_cancer")
    for kind in (NoisyDescent, Langevin):
        spent = []
        for steps in (10, 15, 20):
            method = kind(steps=steps, epsilon=50.0)
            model = method.prepare().learn(rows, seed=0)
            gone = method.forget(model, rows, Request(ids=[3]), seed=0).model
            spent.append(gone.ledger_.spent - model.ledger_.spent)
        ratio = Constants.of(kind().penalty, 1.0).contraction ** 5
        assert np.allclose(np.array(spent[1:]) / np.array(spent[:-1]), ratio, rtol=1e-3)


def test_certificates_are_kept_with_the_model_and_refuse_what_they_do_not_cover(tmp_path):
    rows, ids = load("breast_cancer"), load("breast_cancer").ids
    method = NoisyDescent()
    model = method.prepare(Logistic()).learn(rows, seed=0)
    save(model, tmp_path / "m")
    again = load_model(tmp_path / "m")
    one, two = (method.forget(m, rows, Request(ids=[ids[0]]), seed=5).model for m in (model, again))
    assert np.array_equal(one.coef_, two.coef_)
    said = (*one.ledger_.assumptions, "the file's own word")
    assert two.ledger_ == replace(one.ledger_, assumptions=said)
    assert not np.array_equal(one.coef_, one.path_) and _accuracy(one, rows) > 0.6
    served = type(model).from_saved(model.to_saved(serving=True))
    with pytest.raises(NoRoute, match="serve"):
        method.forget(served, rows, Request(ids=[ids[0]]), seed=0)
    with pytest.raises(NoRoute, match="other of"):
        Langevin().forget(model, rows, Request(ids=[ids[0]]), seed=0)
    with pytest.raises(BudgetSpent):
        method.forget(model, rows, Request(ids=ids[:400]), seed=0)
    with pytest.raises(BudgetSpent):
        method.promise(model, rows, Request(ids=ids[:400]))
    with pytest.raises(OneClassLeft):
        method.forget(model, rows, Request(ids=ids[rows.y == 0]), seed=0)
    with pytest.raises(NoRoute, match="neither"):
        method.prepare(object())
    three = load("wine")
    many = method.prepare().learn(three, seed=0)
    assert method.forget(many, three, Request(ids=[0]), seed=0).model.coef_.shape == (3, 14)
    for wrong in ({"penalty": 0.0}, {"delta": 0.0}, {"steps": 400}, {"sigma": -1.0}):
        with pytest.raises(BadInput):
            NoisyDescent(**wrong)


def test_conditions_are_computed_and_what_fails_is_said():
    world = small_world("classification")
    request = Request(ids=world.planted)
    deep = small_network(epochs=2).learn(world.records, seed=0)
    flat = Network(module=Layers((4, 2)), epochs=2, weight_decay=0.1).learn(world.records, seed=0)
    for method in (NoisyDescent(), Langevin()):
        claim = method.promise(deep, world.records, request)
        assert "not convex (2 layers)" in str(claim) and "no penalty" in str(claim)
        claim = method.forget(flat, world.records, request, seed=0).claim
        assert isinstance(claim, Heuristic) and "convex (" not in str(claim)
        assert "not trained by projected noisy descent" in str(claim)
        with pytest.raises(NoRoute, match="no network"):
            method.forget(Logistic(), world.records, request, seed=0)


# composites and refusals


def test_rum_cuts_by_the_scores_that_are_handed_in(world):
    ids = list(world.request.ids)
    scores = {i: 0.9 if i in set(world.wrong.tolist()) else 0.1 for i in ids}
    method = RUM(methods=(DoNothing(), NegGradPlus()), scores=scores, cuts=(0.5,))
    low, high = method.parts(world.model, world.records, world.request)
    assert set(high.tolist()) == set(world.wrong.tolist()) and len(low) == 20
    gone = method.forget(world.model, world.records, world.request, seed=0)
    assert gone.cost.route == "20 by DoNothing, 20 by NegGradPlus"
    assert _accuracy(gone.model, world.records.select(world.wrong)) < 0.9
    again = FineTune(epochs=1).forget(
        gone.model, world.kept, Request(ids=world.kept.ids[:1]), seed=0
    )
    assert again.model is not gone.model  # it stands on what is left, and on nothing else
    with pytest.raises(BadInput, match="no memorization score"):
        RUM(scores={}).forget(world.model, world.records, world.request, seed=0)
    for wrong in (
        {"methods": ()},
        {"cuts": (0.5, 0.7)},
        {"scores": {}, "cuts": (0.7, 0.5)},
        {"scores": {}, "cuts": (0.5,)},
    ):
        with pytest.raises(BadInput):
            RUM(**wrong)


def test_rewinding_goes_back_and_needs_a_point_to_go_back_to(world):
    method = Rewind(back=0.5)
    learner = method.prepare(replace_epochs(world.net, 4))
    model = learner.learn(world.records, seed=0)
    plain = replace_epochs(world.net, 4).learn(world.records, seed=0)
    assert np.array_equal(parameters(model), parameters(plain))
    at, end, kept = model.rewind_
    half = replace_epochs(world.net, 2).learn(world.records, seed=0)  # the training's own past
    assert all(torch.equal(kept[k], v) for k, v in half.state_dict().items())
    gone = method.forget(model, world.records, world.request, seed=0)
    assert (at, end) == (14, 28) and gone.cost.route == "back to step 14 of 28, and 14 steps on"
    with pytest.raises(NoRoute, match="no earlier point"):
        method.forget(gone.model, world.kept, Request(ids=world.kept.ids[:1]), seed=0)
    with pytest.raises(NoRoute, match="schedule"):
        method.prepare(Network(module=Layers((4, 2)), schedule="cosine"))
    with pytest.raises(NoRoute, match="Network"):
        method.prepare(Logistic())


def replace_epochs(net, epochs):
    return Network(module=net.module, epochs=epochs, lr=net.how.lr, batch_size=net.how.batch_size)


def test_what_a_method_cannot_do_is_refused_by_name(world):
    numbers = Rows(world.records.ids, {"x": world.records.x, "y": world.records.x[:, 5]})
    fitted = Network(module=Layers((64, 8, 1)), loss="squared", epochs=1).learn(numbers, seed=0)
    for method in (SCRUB(), BadTeacher(), BoundaryShrink(), UNSIR(), SalUn()):
        with pytest.raises(NoRoute):
            method.forget(fitted, numbers, world.request, seed=0)
    for method in (SSD(), LabelFreeSSD(), L1Sparse(), FisherNoise(), CFk(), EUk(), Influence()):
        assert method.forget(fitted, numbers, world.request, seed=0).model is not fitted
    new = Rows(world.gone.ids, {**world.gone.columns, "y": (world.gone.y + 1) % 10})
    for kind in (*NETWORK, NoisyDescent, Langevin):
        with pytest.raises(NoRoute):
            kind().forget(world.model, world.records, Request(replace=new), seed=0)
    for kind, wrong in (
        (SSD, {"share": 0.0}),
        (SSD, {"select": 0.0}),
        (SSD, {"dampen": -1.0}),
        (SCRUB, {"push_epochs": 99}),
        (SCRUB, {"task_weight": 0.0, "match_weight": 0.0}),
        (SCRUB, {"temperature": 0.0}),
        (SCRUB, {"ceiling": 0.0}),
        (SalUn, {"moved": 0.0}),
        (L1Sparse, {"penalty": 0.0}),
        (CFk, {"k": 0}),
        (BadTeacher, {"share": 1.0}),
        (FisherNoise, {"most": 0.0}),
        (BoundaryShrink, {"reach": 0.0}),
        (UNSIR, {"noise": 0.0}),
        (UNSIR, {"impair_epochs": 99}),
        (Influence, {"damping": 0.0}),
        (Rewind, {"back": 1.0}),
        (Influence, {"iterations": 0}),
    ):
        with pytest.raises(BadInput):
            kind(**wrong)


def test_skills_of_a_stream_are_forgotten_too():
    def op(token, f):
        def make(n, rng):
            a, b = rng.integers(0, 4, (2, n))
            rows = [np.full(n, token), a, b, f(a, b), np.full(n, 7)]
            return sequences(np.stack(rows, axis=1), prompts=3)

        return make

    tasks = Tasks({"least": op(5, np.minimum), "most": op(6, np.maximum)})
    shape = Transformer(8, end=7, width=16, heads=2, layers=1, length=6)
    model = Network(module=shape, loss="next_token", steps=30, batch_size=20).learn(tasks, seed=0)
    request = Request(groups=["least"])
    for method in (SCRUB(steps=6), SSD(), LabelFreeSSD(), BadTeacher(steps=3), SalUn(steps=3)):
        gone = method.forget(model, tasks, request, seed=0).model
        assert not np.array_equal(parameters(gone), parameters(model))


# tuning


def test_tuning_reads_nothing_of_what_is_to_be_forgotten():
    rows = load("digits").take(range(240))
    rows = Rows(rows.ids, {"x": rows.x / 16.0, "y": rows.y})
    net = Network(module=Layers((64, 16, 10)), epochs=8, lr=0.01)
    request = Request(ids=rows.ids[:20])
    spoiled = np.where(np.arange(240)[:, None] < 20, np.nan, rows.x)
    poisoned = Rows(rows.ids, {"x": spoiled, "y": rows.y})
    told = []
    one = tune(
        FineTune(),
        net,
        rows,
        request,
        seed=0,
        trials=4,
        progress=lambda done, of, what: told.append((done, of)),
    )
    two = tune(FineTune(), net, poisoned, request, seed=0, trials=4)
    assert one.method == two.method and one.trials == two.trials
    assert told[-1] == (7, 7)
    # the cost of choosing is on the bill: three trainings, four trials
    gone = one.forget(net.learn(rows, seed=0), rows, request, seed=0)
    alone = one.method.forget(net.learn(rows, seed=0), rows, request, seed=0)
    trainings = sum(8 * n for n in (176, 156, 156))
    assert gone.cost.gradients == alone.cost.gradients + one.cost.gradients
    assert one.cost.gradients > trainings and gone.claim == alone.claim
    assert one.cost.seconds > 0 and one.helps in (True, False)


def test_what_was_tuned_on_a_compiled_network_is_audited_on_it():
    rows = load("digits").take(range(160))
    rows = Rows(rows.ids, {"x": np.asarray(rows.x / 16.0, np.float32), "y": rows.y})
    net, ids = MLP(hidden=(16,), epochs=4), rows.ids[:20]
    tuned = tune(GradientAscent(epochs=1), net, rows, Request(ids=ids), seed=0, trials=2)
    assert tuned.needs == "trainable" and not hasattr(tuned, "prepare")
    assert tuned.cost.gradients > 4 * 3 * 90  # three trainings are on the bill
    report = run_audit(tuned, net, rows, forget=ids, tier="screen")
    assert report["Tuned"].costs[0][0].gradients == 20  # of the forgetting alone
    layers = Network(module=Layers((64, 8, 10)), epochs=2, lr=0.01)
    own = tune(Amnesiac(repair=1), layers, rows, Request(ids=ids), seed=0, trials=1)
    gone = own.forget(own.prepare(layers).learn(rows, seed=0), rows, Request(ids=ids), seed=0)
    assert "steps taken back" in gone.cost.route


def test_tuning_guards_against_over_forgetting(world):
    ranges = {"lr": Between(1e-5, 1e-2, log=True)}
    wild = GradientAscent(epochs=10, ceiling=None, lr=0.1)
    learner = replace_epochs(world.net, 40)
    tuned = tune(wild, learner, world.records, world.request, seed=1, trials=8, space=ranges)
    over, signed, gap = (tuned.trials[c] for c in ("over", "signed", "gap"))
    assert over[0] and signed[0] < -tuned.slack  # as it stood, it denied what it should not know
    assert not over[tuned.chosen] and not all(over)
    fine = [g for g, o in zip(gap, over, strict=True) if not o]
    assert gap[tuned.chosen] == min(fine) and tuned.method.lr < 0.1


def test_tuning_asks_for_what_it_needs(world):
    given = (FineTune(), world.net, world.records, world.request)
    for wrong in (
        {"trials": 0},
        {"references": 1},
        {"holdout": 0.0},
        {"surrogate": list(world.request.ids)},
        {"surrogate": []},
        {"space": {"alpha": Between(0.1, 0.2)}},
    ):
        with pytest.raises(BadInput):
            tune(*given, seed=0, **wrong)
    assert "penalty" in space_of(L1Sparse()) and "ceiling" not in space_of(L1Sparse())
    with pytest.raises(BadInput):
        Between(2, 1)


# what was published, and whether it holds here


@pytest.fixture(scope="module")
def worlds(world):
    return [world, _World(1), _World(2)]


@pytest.mark.slow
def test_scrub_keeps_more_than_ascent_that_forgets_as_much(worlds):
    # Kurmanji et al. 2023: NegGrad pays for forgetting with what is kept, SCRUB does not
    for w in worlds:
        student = w.forget(SCRUB())
        goal = _accuracy(student, w.gone)
        climb = GradientAscent(
            lr=1e-3,
            epochs=200,
            ceiling=None,
            until=lambda m, w=w, g=goal: _accuracy(m, w.gone) <= g,
        )
        climbed = w.forget(climb)
        assert _accuracy(climbed, w.gone) <= goal < 0.6 and goal < _accuracy(w.model, w.gone) - 0.15
        assert _accuracy(student, w.kept) > _accuracy(climbed, w.kept) + 0.03


@pytest.mark.slow
def test_forgetting_a_class_hits_the_class_more_than_the_rest(worlds):
    # Foster et al. 2024 (SSD), Tarun et al. 2023 (UNSIR), Chen et al. 2023, Chundawat et al. 2023
    methods = {
        SSD(share=0.05, dampen=0.1): (0.4, 0.08),
        LabelFreeSSD(share=0.1, dampen=0.1): (0.3, 0.15),
        UNSIR(): (0.05, 0.06),
        BoundaryShrink(epochs=10): (0.15, 0.16),
        BadTeacher(lr=1.2e-2, epochs=5, share=0.3): (0.2, 0.08),
    }
    for method, (left, lost) in methods.items():
        held, fallen = [], []
        for w in worlds:
            for label in (3, 7):
                ids = w.records.ids[w.records.y == label]
                gone = method.forget(w.model, w.records, Request(ids=ids), seed=0).model
                held.append(_accuracy(gone, w.records.select(ids)))
                kept = w.records.without(ids)
                fallen.append(_accuracy(w.model, kept) - _accuracy(gone, kept))
        assert np.mean(held) < left and np.mean(fallen) < lost, (method, held, fallen)


@pytest.mark.slow
def test_layers_drawn_anew_hold_less_than_layers_tuned(worlds):
    # Goel et al. 2022: EU-k forgets more than CF-k
    for w in worlds:
        anew, tuned = (w.forget(m(lr=1.4e-2, epochs=11)) for m in (EUk, CFk))
        wrong = w.records.select(w.wrong)
        assert _accuracy(anew, wrong) < _accuracy(tuned, wrong)


@pytest.mark.slow
def test_the_further_back_the_nearer_to_retraining(worlds):
    # Mu and Klabjan 2024: what is left of the records shrinks with the steps that are taken back
    for w in worlds:
        yard, gaps = w.yard(), []
        for method in (Rewind(back=0.2), Rewind(back=0.8)):
            model = method.prepare(w.net).learn(w.records, seed=0)
            gaps.append(yard.gap(method.forget(model, w.records, w.request, seed=0).model).forget)
        assert gaps[1] < gaps[0]


@pytest.mark.slow
def test_influence_helps_where_the_loss_is_convex_and_fragile_where_it_is_not(worlds):
    # Basu et al. 2021: influence functions in deep networks are fragile
    rows = load("breast_cancer")
    x = (rows.x - rows.x.mean(axis=0)) / rows.x.std(axis=0)
    rows, ids = Rows(rows.ids, {"x": x, "y": rows.y}), rows.ids[:30]
    flat = Network(module=Layers((30, 2)), epochs=400, lr=0.05, batch_size=569, weight_decay=1e-2)
    model, left = flat.learn(rows, seed=0), rows.without(ids)
    truth = flat.learn(left, seed=0)
    step = Influence(damping=1e-2, scale=1.0, iterations=100)
    gone = step.forget(model, rows, Request(ids=ids), seed=0).model
    before, after = (np.linalg.norm(parameters(m) - parameters(truth)) for m in (model, gone))
    assert after < 0.6 * before  # what is left is the penalty's share, which g leaves out
    for w in worlds:  # the same formula, undamped as there, on networks
        gone = w.forget(replace(step, damping=1e-3))
        assert w.yard().gap(gone).total > w.yard().gap(w.forget(FineTune())).total


@pytest.mark.slow
def test_memory_split_and_masks_gain_little_here(worlds):
    # Zhao et al. 2024 (RUM beats its parts), Fan et al. 2024 (SalUn beats random labels), Jia et
    # al. 2023 (sparse beats plain fine-tuning): where half of the forgotten are wrong and with
    # the defaults, none is far from its plain form (random forget sets: bench_published.py)
    for w in worlds:
        wrong = set(w.wrong.tolist())
        scores = {i: 0.9 if i in wrong else 0.1 for i in w.request.ids}
        split = RUM(methods=(FineTune(), NegGradPlus()), scores=scores, cuts=(0.5,))
        yard = w.yard()
        gap = {
            name: yard.gap(w.forget(m)).total
            for name, m in (
                ("rum", split),
                ("fine", FineTune()),
                ("neg", NegGradPlus()),
                ("mask", SalUn()),
                ("labels", RandomLabel(lr=2e-2, epochs=5, share=0.035)),
                ("sparse", L1Sparse()),
                ("nothing", DoNothing()),
            )
        }
        assert gap["neg"] - 0.02 < gap["rum"] < gap["fine"], gap
        assert abs(gap["mask"] - gap["labels"]) < 0.15, gap
        assert abs(gap["sparse"] - gap["fine"]) < 0.06, gap
        assert max(gap["rum"], gap["sparse"], gap["mask"]) < gap["nothing"], gap


@pytest.mark.slow
def test_what_tuning_finds_is_nearer_than_what_it_was_given():
    # for records like those it drew: at random, an eighth of them mislabelled or memorized
    better = []
    for seed in (10, 11, 12):
        w = _World(seed)
        weak = NegGradPlus(lr=1e-4, epochs=1)
        tuned = tune(
            weak,
            w.net,
            w.records,
            w.request,
            seed=seed,
            trials=12,
            surrogate=np.setdiff1d(w.kept.ids, w.wrong)[:40],
        )
        yard = w.yard()
        better.append(yard.gap(w.forget(weak)).total - yard.gap(w.forget(tuned.method)).total)
    assert np.mean(better) > 0.1 and min(better) > 0, better


def test_everything_is_found_by_its_name():
    for name in (
        "scrub",
        "salun",
        "ssd",
        "label-free-ssd",
        "rum",
        "l1-sparse",
        "bad-teacher",
        "fisher-noise",
        "cfk",
        "euk",
        "boundary-shrink",
        "unsir",
        "influence",
        "rewind",
        "noisy-descent",
        "langevin",
    ):
        assert unlearn.method_named(name) == copy.deepcopy(unlearn.method_named(name))


def test_likelihoods_are_the_probabilities_of_the_labels(world):
    rows = world.fresh
    p = world.model.predict_proba(rows.x)[np.arange(len(rows)), rows.y]
    assert np.allclose(likelihoods(world.model, rows), p, atol=1e-6)
