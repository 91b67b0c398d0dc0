"""Methods that take gradient steps: they hold the laws, and forget what they are asked to."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from unteach import unlearn
from unteach.checks import METHOD_LAWS, broken_by, check_method, laws_of, small_network
from unteach.core import (
    BadInput,
    Diverged,
    Forgotten,
    Heuristic,
    NoRoute,
    NothingLeft,
    Request,
    Rows,
    UnknownRecord,
    stream,
)
from unteach.data import Tasks, mislabelled, sequences
from unteach.models import Layers, NaiveBayes, Network, Transformer, learn, margins, parameters
from unteach.unlearn import (
    DoNothing,
    FineTune,
    GradientAscent,
    NegGradPlus,
    OverForget,
    RandomLabel,
    Retrain,
    Sisa,
    method,
)
from unteach.unlearn.gradient.random_label import relabelled

GRADIENT = [FineTune, GradientAscent, NegGradPlus, RandomLabel]


@method
def plain_ascent(module, forget_loader, *, seed):
    """Five epochs up the loss of the forgotten records, and no other is asked for."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for _ in range(5):
        for x, y in forget_loader:
            optimizer.zero_grad()
            (-nn.functional.cross_entropy(module(x), y)).backward()
            optimizer.step()


@method
def plain_descent(module, forget_loader, retain_loader, *, seed):
    """One epoch over the retained records."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for x, y in retain_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()


OTHERS = [
    RandomLabel(redraw=False),
    GradientAscent(ceiling=None, steps=3, optimizer="sgd"),
    NegGradPlus(until=lambda model: True),
    plain_ascent,
    plain_descent,
]


@pytest.mark.parametrize("one", [*[m() for m in GRADIENT], *OTHERS], ids=lambda m: repr(m)[:24])
def test_every_gradient_method_holds_the_laws(one):
    assert all(outcome.held for outcome in check_method(one))


def test_the_poles_hold_on_networks():
    net = small_network(epochs=2)
    assert check_method(Retrain(), learner=net)
    assert check_method(Sisa(shards=2), learner=net)
    for pole in (DoNothing(), OverForget()):  # a network keeps no row, so neither leaves one
        expected = {"something_moves": "it does nothing"} if isinstance(pole, DoNothing) else {}
        assert check_method(pole, learner=net, expected=expected)


def test_a_module_made_by_a_lambda_can_be_checked_too():
    net = Network(module=lambda: nn.Linear(4, 2), epochs=20, lr=0.05, batch_size=16)
    assert check_method(GradientAscent(), learner=net)


def test_the_laws_catch_a_gradient_method_that_is_broken():
    class NeverSteps(GradientAscent):
        def _course(self, after, sides, seed):
            twin = copy.deepcopy(after)  # the loss reaches the parameters of another
            batches, _ = super()._course(after, sides, seed)
            zero = sum(p.sum() * 0 for p in after.parameters())
            return batches, lambda batch: -twin.losses(batch).mean() + zero

    class StepsOnItsInput(GradientAscent):
        def forget(self, model, records, request, *, seed):
            gone = super().forget(model, records, request, seed=seed)
            for mine, theirs in zip(model.parameters(), gone.model.parameters(), strict=True):
                mine.data.copy_(theirs.data)
            return gone

    class SaysItIsFree(FineTune):
        retain_free = True

        def _course(self, after, sides, seed):
            return (lambda rng: after.batches(self.peeked, rng)), lambda b: after.losses(b).mean()

        def forget(self, model, records, request, *, seed):
            object.__setattr__(self, "peeked", records)
            return super().forget(model, records, request, seed=seed)

    for broken, law in (
        (NeverSteps(), "something_moves"),
        (StepsOnItsInput(), "inputs_are_untouched"),
        (SaysItIsFree(), "retain_free_means_it"),
    ):
        bench, laws = laws_of(broken)
        assert law in broken_by(bench, laws), law
    assert len(METHOD_LAWS) == 14


def _memorized(seed=0):
    """Digits of which a tenth is mislabelled, an overfitted model, and what was mislabelled."""
    from unteach.data import load

    rows = load("digits").take(stream(seed, "some").permutation(1797)[:300])
    world = mislabelled(Rows(rows.ids, {"x": rows.x / 16.0, "y": rows.y}), fraction=0.1, seed=seed)
    net = Network(module=Layers((64, 32, 10)), epochs=60, lr=0.01, batch_size=32)
    return world, net


@pytest.fixture(scope="module")
def memorized():
    world, net = _memorized()
    records, planted = world.records, world.planted_ids
    model = net.learn(records, seed=0)
    return model, records, planted


def _held(model, rows):
    return float(np.median(margins(model, rows.x, rows.y)))


def test_they_forget_what_was_memorized_and_keep_the_rest(memorized):
    model, records, planted = memorized
    gone, kept = records.select(planted), records.without(planted)
    retrained = Retrain().forget(model, records, Request(ids=planted), seed=1).model
    before, truth = _held(model, gone), _held(retrained, gone)
    assert before > 1.0 and truth < 0.0
    after = {
        one.__name__: one(lr=2e-3).forget(model, records, Request(ids=planted), seed=1).model
        for one in GRADIENT
    }
    for name in ("GradientAscent", "NegGradPlus", "RandomLabel"):
        assert _held(after[name], gone) < before / 2, name
    assert _held(after["FineTune"], gone) > truth  # nothing pushes, so most of it stays
    for name in ("FineTune", "NegGradPlus", "RandomLabel"):
        assert np.mean(after[name].predict(kept.x) == kept.y) > 0.93, name


def test_the_ceiling_bounds_ascent_and_its_absence_diverges_or_denies(memorized):
    model, records, planted = memorized
    some, gone = Request(ids=planted), records.select(planted)
    bounded = GradientAscent(lr=0.01, epochs=30, ceiling=2.0).forget(model, records, some, seed=0)
    free = GradientAscent(lr=0.01, epochs=30, ceiling=None).forget(model, records, some, seed=0)

    def loss(m):
        return float(m.losses(m.batch(gone)).detach().mean())

    assert loss(free.model) > 3 * loss(bounded.model)
    with pytest.raises(Diverged):
        GradientAscent(lr=1e20, optimizer="sgd", epochs=50, ceiling=None).forget(
            model, records, some, seed=0
        )


def test_a_ceiling_that_every_squared_loss_has_passed_is_refused():
    rows = Rows(np.arange(6), {"x": np.eye(6), "y": 100.0 * np.arange(1, 7)})
    model = Network(module=Layers((6, 1)), loss="squared", epochs=1).learn(rows, seed=0)
    with pytest.raises(BadInput, match="nothing would move; give a ceiling"):
        GradientAscent().forget(model, rows, Request(ids=[3]), seed=0)
    gone = GradientAscent(ceiling=None).forget(model, rows, Request(ids=[3]), seed=0).model
    assert not np.array_equal(parameters(gone), parameters(model))


def test_cost_counts_gradients_and_says_the_route(memorized):
    model, records, planted = memorized
    request = Request(ids=planted)
    ascent = GradientAscent(epochs=3).forget(model, records, request, seed=0)
    assert ascent.cost.gradients == 3 * len(planted) and ascent.cost.rows_read == len(planted)
    assert ascent.cost.route == "3 gradient steps" and ascent.cost.seconds > 0
    tuned = FineTune(epochs=2).forget(model, records, request, seed=0)
    assert tuned.cost.gradients == 2 * (300 - len(planted))
    own = plain_ascent.forget(model, records, request, seed=0)
    assert own.cost.gradients == 5 * len(planted)
    assert isinstance(tuned.claim, Heuristic) and "bounds nothing" in str(tuned.claim)


def test_nothing_of_a_gradient_is_left_and_what_it_stands_on_is_noted(memorized):
    model, records, planted = memorized
    request = Request(ids=planted)
    for one in (NegGradPlus(), plain_descent):
        gone = one.forget(model, records, request, seed=0).model
        assert all(p.grad is None for p in gone.module.parameters()) and not gone.training
        with pytest.raises(UnknownRecord, match="forgotten already"):
            one.forget(gone, records, Request(ids=[records.without(planted).ids[0]]), seed=0)
        left = records.without(planted)
        assert one.forget(gone, left, Request(ids=left.ids[:1]), seed=0).model is not gone


def test_until_ends_the_forgetting(memorized):
    model, records, planted = memorized
    gone = records.select(planted)
    ends = NegGradPlus(
        lr=3e-3, epochs=50, every=2, until=lambda m: np.mean(m.predict(gone.x) == gone.y) < 0.5
    )
    done = ends.forget(model, records, Request(ids=planted), seed=0).model
    assert done.trace_.steps < 450 and done.trace_.steps % 2 == 0
    assert np.mean(done.predict(gone.x) == gone.y) < 0.5


def test_a_change_is_taught_by_fine_tuning_and_refused_by_the_others(memorized):
    model, records, planted = memorized
    old = records.select(planted)
    new = Rows(old.ids, {**old.columns, "y": (np.asarray(old.y) + 1) % 10})
    taught = FineTune(epochs=60, lr=0.01).forget(model, records, Request(replace=new), seed=0)
    assert np.mean(taught.model.predict(new.x) == new.y) > 0.9
    for one in (GradientAscent(), NegGradPlus(), RandomLabel(), plain_ascent):
        with pytest.raises(NoRoute):
            one.forget(model, records, Request(replace=new), seed=0)


def test_what_cannot_be_done_is_refused_by_name(memorized):
    model, records, planted = memorized
    linear = learn(NaiveBayes(), records)
    for one in (*(m() for m in GRADIENT), plain_ascent):
        with pytest.raises(NoRoute, match="NaiveBayes"):
            one.forget(linear, records, Request(ids=planted), seed=0)
        with pytest.raises(NoRoute, match="NaiveBayes"):
            one.promise(linear, records, Request(ids=planted))
        with pytest.raises(NothingLeft):
            one.forget(model, records, Request(ids=records.ids), seed=0)
        assert isinstance(one.promise(model, records, Request(ids=planted)), Heuristic)
        assert pickle.dumps(one) if one is not plain_ascent else True
    for wrong in (
        lambda: NegGradPlus(alpha=1.0),
        lambda: GradientAscent(ceiling=0.0),
        lambda: RandomLabel(share=0.0),
        lambda: FineTune(lr=-1.0),
        lambda: FineTune(every=0),
        lambda: method(lambda module: None),
        lambda: method(3),
        lambda: method(lambda module, forget, retain: None),
    ):
        with pytest.raises(BadInput):
            wrong()
    numbers = Rows(records.ids, {"x": records.x, "y": np.asarray(records.x)[:, 0]})
    fitted = Network(module=Layers((64, 1)), loss="squared", epochs=1).learn(numbers, seed=0)
    with pytest.raises(NoRoute, match="no labels"):
        RandomLabel().forget(fitted, numbers, Request(ids=planted), seed=0)
    assert NegGradPlus().forget(fitted, numbers, Request(ids=planted), seed=0).model is not fitted


def test_they_are_found_by_name_and_through_the_one_door(memorized):
    model, records, planted = memorized
    for name in ("fine-tune", "gradient_ascent", "NegGradPlus", "random-label"):
        one = unlearn.method_named(name)
        gone = unlearn.forget(model, records, planted, method=one, accept=["heuristic"])
        assert isinstance(gone, Forgotten)
    with pytest.raises(NoRoute):
        unlearn.forget(model, records, planted, method="fine-tune")


# sequences and streams


def _op(token, f, p=5):
    def make(n, rng):
        return table(*rng.integers(0, p, (2, n)))

    def table(a, b):
        n = len(a)
        sep, end = np.full(n, 7), np.full(n, 8)
        return sequences(np.stack([np.full(n, token), a, b, sep, f(a, b), end], axis=1), prompts=4)

    def every():
        return table(np.repeat(np.arange(p), p), np.tile(np.arange(p), p))

    return make, every


def _skills():
    ops = {"least": _op(5, np.minimum), "most": _op(6, np.maximum)}
    tasks = Tasks({k: v[0] for k, v in ops.items()}, {k: v[1] for k, v in ops.items()})
    shape = Transformer(9, end=8, width=32, heads=2, layers=1, length=6)
    net = Network(module=shape, loss="next_token", steps=350, lr=5e-3, batch_size=50)
    return tasks, net.learn(tasks, seed=0)


def _share(model, rows):
    wanted = np.asarray(rows.y) >= 0
    wanted[:, -1] = False  # the end of the sequence is no answer
    return model.recalled(rows)[wanted].mean()


def _odds(model, rows):
    """The mean probability of the right answer after the prompt, which is 4 tokens long."""
    p = model.predict_proba(np.asarray(rows.x)[:, :4])
    return p[np.arange(len(rows)), np.asarray(rows.y)[:, 4]].mean()


def test_a_skill_is_forgotten_from_a_stream_by_the_same_methods():
    tasks, model = _skills()
    least, most = tasks.enumerate("least"), tasks.enumerate("most")
    assert _share(model, least) > 0.95 and _share(model, most) > 0.95
    request = Request(groups=["least"])
    pushed = NegGradPlus(steps=60, lr=2e-3, alpha=0.8, ceiling=3.0)
    gone = pushed.forget(model, tasks, request, seed=0).model
    assert _share(gone, least) < 0.5 and _share(gone, most) > 0.9
    # random labels lead to chance: the right token may stay the likeliest, but hardly so
    gone = RandomLabel(steps=100, lr=3e-3, share=0.8).forget(model, tasks, request, seed=0).model
    assert _odds(model, least) > 0.9 and _odds(gone, least) < 0.35
    assert _odds(gone, most) > 0.9 and _share(gone, most) > 0.9
    with pytest.raises(BadInput, match="steps="):
        NegGradPlus().forget(model, tasks, request, seed=0)
    with pytest.raises(BadInput, match="no lasting ids"):
        NegGradPlus(steps=3).forget(model, tasks, Request(ids=[1]), seed=0)
    with pytest.raises(NoRoute, match="not a stream"):
        plain_descent.forget(model, tasks, request, seed=0)
    # the same from stored records, and by a function of the user's own
    stored = tasks.draw(200, seed=3)
    free = GradientAscent(lr=1e-3, epochs=2).forget(model, stored, request, seed=0).model
    assert _share(free, least) < _share(model, least)
    labels = relabelled(model, least, stream(0))
    answers, ends = np.asarray(labels.y)[:, 4], np.asarray(labels.y)[:, 5]
    assert set(answers.tolist()) <= set(range(5)) and set(ends.tolist()) == {8}
    assert not np.array_equal(parameters(free), parameters(model))
