"""Influence by EK-FAC, amnesiac unlearning, SCRUB with rewinding, and methods for tokens."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from unteach.checks import check_method, small_network, small_transformer, small_world
from unteach.core import BadInput, Heuristic, NoRoute, Request, Rows, stream
from unteach.data import load, mislabelled, sequences
from unteach.models import Layers, Logistic, Network, Transformer, parameters
from unteach.unlearn import (
    EKFAC,
    METHODS,
    RUM,
    SCRUB,
    Amnesiac,
    BadTeacher,
    FineTune,
    Influence,
    L1Sparse,
    NegGradPlus,
    Rewind,
    SalUn,
    TaskVector,
    TokenRows,
)
from unteach.unlearn._shared.parameter_importance import mean_gradient
from unteach.unlearn.curvature.ekfac import factors, matrix
from unteach.unlearn.tuning import Yard


def _wine():
    rows = load("wine")
    return Rows(rows.ids, {"x": rows.x / rows.x.max(axis=0), "y": rows.y})


# EK-FAC, against the curvature itself


def _blocks(model, rows):
    """The slow twin: each layer's block of the Gauss-Newton matrix, by a Jacobian a record."""
    module = model.module
    names = [name for name, _ in module.named_parameters()]
    total = [0.0] * (len(names) // 2)
    for x in torch.tensor(rows.x, dtype=torch.float32):

        def said(*values, x=x):
            given = dict(zip(names, values, strict=True))
            return torch.func.functional_call(module, given, (x[None],))[0]

        slopes = torch.autograd.functional.jacobian(said, tuple(module.parameters()))
        k = len(slopes[0])
        if model.loss == "squared":
            curve = torch.eye(k) * 2 / k
        else:
            p = torch.softmax(said(*module.parameters()).detach(), 0)
            curve = torch.diag(p) - torch.outer(p, p)
        for layer in range(len(total)):
            weight, bias = slopes[2 * layer : 2 * layer + 2]
            flat = weight.reshape(*bias.shape, -1)
            each = torch.cat([flat, bias[:, :, None]], dim=2).reshape(k, -1)  # (k, o i)
            total[layer] = total[layer] + each.T @ curve @ each / len(rows)
    return total


def _off(one, other):
    return float((one - other).norm() / one.norm())


def test_ekfac_is_exact_where_the_curvature_is_a_product():
    # one layer and squared losses: the curvature is that of the inputs, the same for all outputs
    rows = _wine()
    rows = Rows(rows.ids, {"x": rows.x[:, :5], "y": rows.x[:, 5:7]})
    model = Network(module=Layers((5, 2)), loss="squared", epochs=5, lr=0.05).learn(rows, seed=0)
    (exact,), (made,) = _blocks(model, rows), factors(model, rows)[0]
    assert _off(exact, made.dense()) < 1e-4
    gone, kept = rows.ids[:6], rows.without(rows.ids[:6])
    (exact,) = _blocks(model, kept)
    damped = exact + 0.3 * exact.diagonal().mean() * torch.eye(len(exact))
    slope = mean_gradient(model, rows.select(gone))
    g = matrix(model.module[0], *slope)
    step = torch.linalg.solve(damped, g.ravel()).reshape(g.shape) * 6 / len(kept)
    after = EKFAC(damping=0.3, scale=1.0).forget(model, rows, Request(ids=gone), seed=0).model
    moved = [p - q for p, q in zip(after.parameters(), model.parameters(), strict=True)]
    assert torch.allclose(matrix(model.module[0], *moved).detach(), step, atol=1e-5)
    # and so does the solver by conjugate gradients, which takes the damping as a number
    size = float(0.3 * exact.diagonal().mean())
    other = Influence(damping=size, scale=1.0, iterations=200)
    twin = other.forget(model, rows, Request(ids=gone), seed=0).model
    assert np.allclose(parameters(twin), parameters(after), atol=1e-4)


def test_ekfac_is_nearer_to_the_curvature_than_the_plain_factors():
    rows = _wine().take(np.arange(0, 178, 3))
    model = Network(module=Layers((13, 5, 3)), epochs=30, lr=0.05).learn(rows, seed=0)
    made, taken = factors(model, rows)
    assert taken == 2 * 3 * len(rows)
    slope = mean_gradient(model, rows)
    for k, exact in enumerate(_blocks(model, rows)):
        one = made[k]
        assert float(one.second.sum()) == pytest.approx(float(exact.trace()), rel=1e-4)
        # George et al. 2018: the plain eigenvalues are products of the factors' own
        basis = torch.kron(one.outward, one.inward)
        true = (basis.T @ exact @ basis).diagonal().reshape(one.second.shape)
        assert torch.allclose(one.second, true, rtol=1e-3, atol=1e-6)
        inward = true.sum(dim=0)
        plain = torch.outer(true.sum(dim=1), inward) / inward.sum()
        kfac = basis @ torch.diag(plain.ravel()) @ basis.T
        assert _off(exact, one.dense()) < _off(exact, kfac)
        g = matrix(one.layer, *slope[2 * k : 2 * k + 2])
        size = 0.1 * exact.diagonal().mean()
        wanted = torch.linalg.solve(exact + size * torch.eye(len(exact)), g.ravel())
        diagonal = g.ravel() / (exact.diagonal() + size)
        assert _off(wanted, one.solved(g, 0.1).ravel()) < 0.8 * _off(wanted, diagonal)


def test_ekfac_on_convolutions_counts_every_place():
    rng = stream(0, "pictures")
    rows = Rows(np.arange(12), {"x": rng.normal(size=(12, 1, 4, 4)), "y": np.arange(12) % 2})

    def module():
        return nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)
        )

    model = Network(module=module, epochs=5, lr=0.05).learn(rows, seed=0)
    made, _ = factors(model, rows)
    for one, exact in zip(made, _blocks(model, rows), strict=True):
        basis = torch.kron(one.outward, one.inward)
        true = (basis.T @ exact @ basis).diagonal().reshape(one.second.shape)
        assert torch.allclose(one.second, true, rtol=1e-3, atol=1e-6)
    assert EKFAC().forget(model, rows, Request(ids=[0]), seed=0).model is not model


def test_ekfac_says_what_it_cannot_factor():
    rows = sequences([[1, 2, 0], [2, 1, 0]], prompts=1)
    shape = Transformer(3, end=0, width=8, heads=2, layers=1, length=4)
    model = Network(module=shape, loss="next_token", steps=2).learn(rows, seed=0)
    with pytest.raises(NoRoute, match="conjugate gradients"):
        EKFAC().forget(model, rows, Request(ids=[0]), seed=0)

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.head = nn.Linear(13, 13), nn.Linear(13, 3)

        def forward(self, x):
            return self.head(self.one(self.one(x)))

    rows = _wine()
    model = Network(module=Twice, epochs=1).learn(rows, seed=0)
    with pytest.raises(NoRoute, match="not once"):
        EKFAC().forget(model, rows, Request(ids=[0]), seed=0)
    normed = Network(
        module=lambda: nn.Sequential(nn.Linear(13, 4), nn.LayerNorm(4), nn.Linear(4, 3)), epochs=1
    ).learn(rows, seed=0)
    moves = EKFAC().moves(normed)
    gone = EKFAC().forget(normed, rows, Request(ids=[0]), seed=0).model
    changed = parameters(gone) != parameters(normed)
    assert moves.sum() == len(moves) - 8 and not changed[~moves].any() and changed[moves].any()
    for wrong in ({"damping": 0.0}, {"scale": -1.0}, {"sample": 0}):
        with pytest.raises(BadInput):
            EKFAC(**wrong)


# amnesiac unlearning


def test_amnesiac_without_repair_holds_the_laws_too():
    assert check_method(Amnesiac(repair=0), learner=small_network(epochs=8))


def test_what_is_taken_back_is_what_the_steps_added():
    world = small_world("classification")
    rows, ids = world.records, world.planted[:2]
    net = small_network(epochs=5)
    model = Amnesiac().prepare(net).learn(rows, seed=3)
    plain = net.learn(rows, seed=3)
    assert np.array_equal(parameters(model), parameters(plain))  # the training is the same
    # the slow twin: the same training cut after each step, and the differences in between
    ends = [parameters(small_network(epochs=5, steps=k).learn(rows, seed=3)) for k in range(1, 21)]
    start = parameters(net.fresh(rows, seed=3))
    added = np.diff(np.array([start, *ends]), axis=0)  # (20, p)
    hit = []
    for epoch in range(5):
        order = rows.ids[stream(3, "order", epoch).permutation(60)]
        hit += [bool(np.isin(order[k : k + 16], ids).any()) for k in range(0, 60, 16)]
    gone = Amnesiac(repair=0).forget(model, rows, Request(ids=ids), seed=0)
    wanted = ends[-1] - added[np.array(hit)].sum(axis=0)
    assert 5 <= sum(hit) <= 10 and model.stored_.of(ids) == sum(hit)
    assert np.allclose(parameters(gone.model), wanted, atol=1e-5)
    assert gone.cost.route.startswith(f"{sum(hit)} of 20 steps taken back")
    assert model.stored_.nbytes == 20 * len(start) * 4 + 5 * 60 * 8
    assert gone.model.stored_.nbytes < model.stored_.nbytes and not gone.model.stored_.of(ids)


def test_a_second_request_takes_back_what_is_left_and_repairs_count():
    world = small_world("classification")
    rows, (one, two) = world.records, world.planted[:2]
    method = Amnesiac(repair=2)
    model = method.prepare(small_network(epochs=4)).learn(rows, seed=0)
    first = method.forget(model, rows, Request(ids=[one]), seed=0).model
    left = rows.without([one])
    assert first.stored_.of([one]) == 0 and first.stored_.of([two]) >= 2  # the repair's two epochs
    second = Amnesiac(repair=0).forget(first, left, Request(ids=[two]), seed=0).model
    assert second.stored_.of([two]) == 0
    assert first.stored_.steps == 16 + 8


def test_only_the_sensitive_are_kept_and_others_are_refused(tmp_path):
    world = small_world("classification")
    rows, ids = world.records, world.planted
    method = Amnesiac(repair=0, sensitive=ids[:2])
    model = method.prepare(small_network(epochs=4)).learn(rows, seed=0)
    whole = Amnesiac().prepare(small_network(epochs=4)).learn(rows, seed=0)
    assert model.stored_.nbytes < whole.stored_.nbytes
    request = Request(ids=ids[:1])
    one, two = (method.forget(m, rows, request, seed=0).model for m in (model, whole))
    assert np.array_equal(parameters(one), parameters(two))
    with pytest.raises(NoRoute, match="sensitive"):
        Amnesiac(repair=0).forget(model, rows, Request(ids=ids[2:3]), seed=0)
    with pytest.raises(NoRoute, match="stores no updates"):
        method.forget(small_network(epochs=1).learn(rows, seed=0), rows, request, seed=0)
    with pytest.raises(NoRoute, match="Network"):
        method.prepare(Logistic())
    claim = method.promise(model, rows, request)
    assert isinstance(claim, Heuristic) and "stores" in str(claim)
    for wrong in ({"repair": -1}, {"repair": True}, {"lr": 0.0}):
        with pytest.raises(BadInput):
            Amnesiac(**wrong)
    assert copy.deepcopy(model).stored_ is model.stored_  # a value: copies share it


# SCRUB with rewinding


@pytest.fixture(scope="module")
def digits():
    """300 digits, 30 mislabelled ones to go, and 400 that the model never saw."""
    rows = load("digits")
    rows = Rows(rows.ids, {"x": rows.x / 16.0, "y": rows.y})
    order = stream(0, "rewound").permutation(len(rows))
    made = mislabelled(rows.take(order[:300]), n=30, seed=0)
    records = Rows(made.records.ids, {k: made.records.columns[k] for k in ("x", "y")})
    model = Network(module=Layers((64, 32, 10)), epochs=30, lr=0.01).learn(records, seed=0)
    return model, records, rows.take(order[300:700]), Request(ids=made.planted_ids)


def _wrong(model, rows):
    return float(np.mean(model.predict(rows.x) != rows.y))


def test_scrub_rewinds_to_the_round_that_is_nearest_to_the_unseen(digits):
    model, records, fresh, request = digits
    forget = records.select(request.targets(records))
    push = {"ceiling": None, "epochs": 5, "push_epochs": 4}
    far = SCRUB(**push).forget(model, records, request, seed=0).model
    assert _wrong(far, forget) > 0.8
    shares = np.bincount(forget.y, minlength=10) / 30
    wanted = sum(s * _wrong(far, fresh.take(fresh.y == c)) for c, s in enumerate(shares) if s)
    # the slow twin: the same descent, ended after each round
    size, steps = model.how.batch_size, []
    for k in range(5):
        steps.append((steps or [0])[-1] + -(-270 // size) + (k < 4))
    ends = [
        SCRUB(**push, until=lambda m: True, every=step)
        .forget(model, records, request, seed=0)
        .model
        for step in steps
    ]
    off = [abs(_wrong(end, forget) - wanted) for end in ends]
    back = SCRUB(**push, validation=fresh).forget(model, records, request, seed=0)
    nearest = len(off) - 1 - int(np.argmin(off[::-1]))  # the later of two that are as near
    assert nearest < 4 and back.model.trace_.kept == steps[nearest]
    assert np.array_equal(parameters(back.model), parameters(ends[nearest]))
    assert f"{wanted:.3f} wanted" in back.cost.route
    # a set like what is forgotten, mislabelled, is as wrong as the end: nothing to go back for
    other = mislabelled(fresh, fraction=0.999, seed=1).records
    alike = Rows(other.ids, {"x": other.x, "y": other.y})
    stays = SCRUB(**push, validation=alike).forget(model, records, request, seed=0)
    assert _wrong(stays.model, forget) > 0.8
    mild = {"lr": 1e-4, "epochs": 2, "push_epochs": 1}
    end = SCRUB(**mild).forget(model, records, request, seed=0)
    same = SCRUB(**mild, validation=alike).forget(model, records, request, seed=0)
    assert np.array_equal(parameters(end.model), parameters(same.model))
    assert "no way back" in same.cost.route


def test_scrub_refuses_a_validation_set_that_is_none(digits):
    model, records, fresh, request = digits
    for rows, said in ((records, "learned from"), (fresh.take(fresh.y == 3), "no record of class")):
        with pytest.raises(BadInput, match=said):
            SCRUB(validation=rows).forget(model, records, request, seed=0)
    rows = sequences([[1, 2, 0], [2, 1, 0]], prompts=1)
    shape = Transformer(3, end=0, width=8, heads=2, layers=1, length=4)
    spoken = Network(module=shape, loss="next_token", steps=2).learn(rows, seed=0)
    with pytest.raises(NoRoute, match="validation="):
        SCRUB(validation=fresh).forget(spoken, rows, Request(ids=[0]), seed=0)


# methods for tokens, and methods that read no retained record


def test_token_rows_move_what_they_say():
    world = small_world("sequences")
    model = small_transformer(epochs=3).learn(world.records, seed=0)
    method = TokenRows(tokens=(0, 1))
    gone = method.forget(model, world.records, Request(ids=world.planted), seed=0).model
    moves = method.moves(model)
    changed = parameters(gone) != parameters(model)
    assert moves.sum() == 2 * 16 and not changed[~moves].any() and changed[moves].all()
    with pytest.raises(BadInput, match="6 rows"):
        TokenRows(tokens=(9,)).forget(model, world.records, Request(ids=world.planted), seed=0)
    flat = small_network(epochs=1)
    plain = small_world("classification")
    with pytest.raises(NoRoute, match="embeds no tokens"):
        TokenRows().forget(
            flat.learn(plain.records, seed=0), plain.records, Request(ids=plain.planted), seed=0
        )


def test_the_world_of_calls_can_be_learned_and_its_planted_are_wrong():
    world = small_world("sequences")
    model = small_transformer(epochs=60).learn(world.records, seed=0)
    said = model.predict(world.holdout.x[:, :3])[:, 0]
    assert np.mean(said == world.holdout.x[:, 3]) > 0.7
    call, one, other, told = world.records.select(world.planted).x[:, :4].T
    assert (call == 0).all() and (told == np.minimum(one, other)).all() and (one != other).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        FineTune(),
        NegGradPlus(),
        SCRUB(),
        SalUn(),
        BadTeacher(),
        TaskVector(),
        RUM(),
        Rewind(),
        Amnesiac(repair=1),
    ],
    ids=lambda m: type(m).__name__,
)
def test_methods_hold_the_laws_on_sequences_too(method):
    assert check_method(method, learner=small_transformer(epochs=4))


FREE = [m() for m in METHODS if getattr(m(), "retain_free", False)] + [Amnesiac(repair=0)]


@pytest.mark.parametrize("method", FREE, ids=lambda m: type(m).__name__)
def test_retain_free_methods_end_alike_whatever_is_retained(method):
    tokens = getattr(method, "needs", "") == "tokens"
    world = small_world("sequences" if tokens else "classification")
    net = small_transformer(epochs=2) if tokens else small_network(epochs=5)
    net = method.prepare(net) if hasattr(method, "prepare") else net
    rows, request = world.records, Request(ids=world.planted)
    model = net.learn(rows, seed=0)
    spoiled = np.where(np.isin(rows.ids, world.planted)[:, None], rows.x, np.nan)
    ends = [
        method.forget(model, records, request, seed=0).model
        for records in (rows, Rows(rows.ids, {"x": spoiled, "y": rows.y}))
    ]
    assert np.array_equal(*map(parameters, ends)) and np.isfinite(parameters(ends[0])).all()


def test_there_are_retain_free_methods():
    names = {type(m).__name__ for m in FREE}
    assert {"GradientAscent", "BoundaryShrink", "TaskVector", "Amnesiac"} <= names


@pytest.mark.slow
def test_sparse_is_nearer_than_plain_fine_tuning_on_random_forget_sets():
    # Jia et al. 2023; settings and worlds of benchmarks/bench_published.py, where n is 20
    digits, ends = load("digits"), []
    net = Network(module=Layers((64, 128, 10)), epochs=60, lr=1e-2, batch_size=64)
    for seed in range(4):
        order = stream(seed, "published").permutation(len(digits))
        rows = Rows(digits.ids, {"x": digits.x / 16.0, "y": digits.y})
        made = mislabelled(rows.take(order[:1000]), fraction=0.1, seed=seed).records
        records = Rows(made.ids, {k: made.columns[k] for k in ("x", "y")})
        gone = stream(seed, "forget").choice(records.ids, size=100, replace=False)
        kept = records.without(gone)
        truth = tuple(net.learn(kept, seed=1000 * (k + 1) + seed) for k in range(2))
        yard = Yard(records.select(gone), kept, rows.take(order[1000:]), truth)
        model, request = net.learn(records, seed=seed), Request(ids=gone)
        sparse = L1Sparse(lr=0.0033, epochs=14, penalty=0.0017)
        both = [
            m.forget(model, records, request, seed=seed + 7).model
            for m in (sparse, FineTune(lr=0.019, epochs=7))
        ]
        ends.append([yard.gap(m).total for m in both])
    assert np.mean([a - b for a, b in ends]) < -0.03, ends
