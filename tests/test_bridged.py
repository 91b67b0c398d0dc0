"""Methods that take gradient steps forget from compiled networks as they do from torch models."""

from __future__ import annotations

import numpy as np
import pytest

from unteach.checks import check_method
from unteach.core import NoRoute, Request, Rows, UnknownRecord
from unteach.data import load
from unteach.models import CNN, MLP, TrainedNetwork, as_trainable
from unteach.models import load as load_model
from unteach.unlearn import (
    EKFAC,
    RUM,
    SCRUB,
    SSD,
    Amnesiac,
    FineTune,
    GradientAscent,
    NoisyDescent,
    RandomLabel,
    TaskVector,
    method,
    tune,
)

torch = pytest.importorskip("torch")


@method
def descent(module, forget_loader, retain_loader, *, seed):
    steps = torch.optim.SGD(module.parameters(), lr=0.01)
    for x, y in retain_loader:
        steps.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()
        steps.step()


WAYS = [
    SCRUB(epochs=2, push_epochs=1),
    RUM(),
    descent,
    NoisyDescent(steps=5),
    SSD(),
    RandomLabel(epochs=1),
    EKFAC(),
    TaskVector(epochs=2),
]
NETWORKS = [MLP(hidden=(16,), epochs=4), CNN(epochs=2)]


def digits(n=200):
    bundled = load("digits")
    return Rows(bundled.ids[:n], {"x": bundled.x[:n] / 8 - 1, "y": bundled.y[:n]})


@pytest.mark.parametrize("learner", NETWORKS, ids=["mlp", "cnn"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_a_compiled_network_forgets_as_its_torch_twin_does(way, learner, tmp_path):
    rows = digits()
    model = learner.learn(rows, seed=3)
    before = model.parameters()
    request = Request(ids=rows.ids[:9])
    assert way.promise(model, rows, request).kind == "heuristic"
    gone = way.forget(model, rows, request, seed=1)
    slow = way.forget(as_trainable(model), rows, request, seed=1)
    assert isinstance(gone.model, TrainedNetwork) and gone.model.learner_ == learner
    assert np.array_equal(model.parameters(), before)  # the one that was given stays
    assert not np.array_equal(gone.model.parameters(), before)
    assert np.array_equal(gone.model.sample_ids_, rows.ids[9:])
    assert np.allclose(
        gone.model.predict_proba(rows.x), slow.model.predict_proba(rows.x), atol=1e-5
    )
    assert gone.claim == slow.claim and gone.cost.gradients == slow.cost.gradients
    gone.model.save(tmp_path / "m.unteach")
    assert np.array_equal(load_model(tmp_path / "m.unteach").parameters(), gone.model.parameters())


def test_a_compiled_network_forgets_twice_and_never_the_same_twice():
    rows = digits()
    once = FineTune(epochs=1).forget(
        NETWORKS[0].learn(rows, seed=0), rows, Request(ids=rows.ids[:3]), seed=0
    )
    rest = rows.select(rows.ids[3:])
    twice = FineTune(epochs=1).forget(once.model, rest, Request(ids=rows.ids[3:5]), seed=0)
    assert np.array_equal(twice.model.sample_ids_, rows.ids[5:])
    with pytest.raises(UnknownRecord):  # these records are not those that it stands on
        FineTune(epochs=1).forget(once.model, rows, Request(ids=rows.ids[:3]), seed=0)


def test_told_something_else_a_compiled_network_keeps_its_records():
    rows = digits()
    changed = rows.take(np.arange(4))
    wrong = Rows(changed.ids, {"x": changed.x, "y": (np.asarray(changed.y) + 1) % 10})
    gone = FineTune(epochs=1).forget(
        NETWORKS[0].learn(rows, seed=0), rows, Request(replace=wrong), seed=0
    )
    assert np.array_equal(gone.model.sample_ids_, rows.ids)


def test_nothing_asked_nothing_changes():
    rows = digits()
    model = NETWORKS[0].learn(rows, seed=0)
    gone = GradientAscent().forget(model, rows, Request(ids=[]), seed=0)
    assert np.array_equal(gone.model.parameters(), model.parameters())
    assert np.array_equal(gone.model.sample_ids_, rows.ids)


def test_what_a_method_stores_a_compiled_network_does_not_hold():
    rows = digits()
    model = NETWORKS[0].learn(rows, seed=0)
    with pytest.raises(NoRoute, match="stores no updates"):
        Amnesiac().forget(model, rows, Request(ids=rows.ids[:3]), seed=0)


def test_the_laws_hold_on_compiled_networks():
    check_method(FineTune(epochs=2), learner=MLP(hidden=(16,), epochs=5))


def test_tuned_methods_forget_from_compiled_networks():
    rows = digits()
    learner = NETWORKS[0]
    request = Request(ids=rows.ids[:9])
    found = tune(FineTune(), learner, rows, request, trials=2, seed=0)
    gone = found.forget(learner.learn(rows, seed=0), rows, request, seed=0)
    assert isinstance(gone.model, TrainedNetwork)
