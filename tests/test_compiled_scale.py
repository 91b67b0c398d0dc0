"""Compiled networks that scale their own inputs: by the rows they learn from, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unteach.audit.inside import hidden
from unteach.core import BadInput, Corrupt, NotConverged, Request, Rows
from unteach.data import load
from unteach.models import CNN, MLP, as_trainable
from unteach.models import load as load_model
from unteach.models.compiled.scaled_inputs import Scaled
from unteach.unlearn import FineTune, Retrain

BOTH = pytest.mark.parametrize(
    "learner", [MLP(hidden=(16,), epochs=4), CNN(epochs=2)], ids=["mlp", "cnn"]
)
SCALES = pytest.mark.parametrize("scale", ["standard", "unit"])


def digits(n=200, first=0):
    """Digits as they are, 0 to 16, on an offset; some pixels never change."""
    bundled = load("digits")
    x = np.asarray(bundled.x[first : first + n]) * 3 + 40
    return Rows(bundled.ids[first : first + n], {"x": x, "y": bundled.y[first : first + n]})


@BOTH
@SCALES
def test_it_learns_what_a_network_of_scaled_rows_learns(learner, scale):
    rows = digits()
    model = replace(learner, scale=scale).learn(rows, seed=1)
    x = np.asarray(rows.x, np.float32)
    seen = model.architecture.seen(x)
    assert abs(seen.mean()) < 1e-6
    if scale == "unit":
        assert seen.std() == pytest.approx(1, rel=1e-5)
    else:
        moves = x.std(axis=0) > 0
        assert not moves.all()
        assert np.allclose(seen[:, moves].std(axis=0), 1, atol=1e-5)
        assert not seen[:, ~moves].any()
    plain = learner.learn(Rows(rows.ids, {"x": seen, "y": rows.y}), seed=1)
    assert np.array_equal(plain.parameters(), model.parameters())
    assert np.array_equal(plain.decision_function(seen), model.decision_function(x))


def test_raw_digits_are_learned_with_a_scale_and_not_without():
    rows, held = digits(600), digits(200, first=600)

    def accuracy(learner):
        try:
            return np.mean(learner.learn(rows, seed=0).predict(held.x) == held.y)
        except NotConverged:
            return 0.0

    assert accuracy(MLP()) < 0.5
    assert accuracy(MLP(scale="standard")) > 0.85
    assert accuracy(CNN(scale="unit")) > 0.85


@pytest.mark.parametrize("seed", [2, 3, 7])
def test_no_seed_ends_at_chance_by_default(seed):
    rows, held = digits(1400), digits(397, first=1400)
    model = CNN(scale="unit").learn(rows, seed=seed)
    assert np.mean(model.predict(held.x) == held.y) > 0.88


@BOTH
def test_a_network_of_a_subset_takes_the_constants_of_its_subset(learner):
    rows, learner = digits(), replace(learner, scale="standard")
    members = np.random.default_rng(0).random((3, len(rows))) < 0.5
    said = learner.subset_outputs(rows.x, rows.y, members, [4, 5, 6], rows.x)
    plain = replace(learner, scale=None)
    for mine, seed, logits in zip(members, (4, 5, 6), said, strict=True):
        own = Scaled.of(plain.architecture(64, 10), np.float32(rows.x)[mine], "standard")
        seen = own.seen(rows.x)
        alone = plain.subset_outputs(seen, rows.y, mine[None], [seed], seen)
        assert np.array_equal(alone[0], logits)


def test_what_is_forgotten_leaves_the_constants_too():
    """One row far away moves all constants; retraining without it must not know of it."""
    learner = MLP(hidden=(8,), epochs=2, scale="standard")
    rows = digits(100)
    x = np.array(rows.x)
    x[7] = 1e4
    far = Rows(rows.ids, {"x": x, "y": rows.y})
    model = learner.learn(far, seed=0)
    gone = Retrain(learner).forget(model, far, Request(ids=rows.ids[7:8]), seed=3)
    rest = far.without(rows.ids[7:8])
    own = Scaled.of(learner.architecture(64, 10), np.float32(rest.x), "standard")
    assert np.array_equal(gone.model.architecture.shift, own.shift)
    assert np.array_equal(gone.model.architecture.factor, own.factor)
    assert not np.array_equal(gone.model.architecture.shift, model.architecture.shift)


@BOTH
@SCALES
def test_it_is_saved_and_read_with_its_constants(learner, scale, tmp_path):
    rows = digits()
    model = replace(learner, scale=scale).learn(rows, seed=1)
    model.save(tmp_path / "m.unteach")
    again = load_model(tmp_path / "m.unteach")
    assert again.learner_ == model.learner_
    assert np.array_equal(again.decision_function(rows.x), model.decision_function(rows.x))
    saved = model.to_saved()
    for wrong in (None, saved.arrays["shift"][1:], saved.arrays["shift"] * np.nan):
        arrays = {k: v for k, v in saved.arrays.items() if k != "shift"}
        arrays |= {} if wrong is None else {"shift": wrong}
        with pytest.raises(Corrupt, match="shift"):
            type(model).from_saved(replace(saved, arrays=arrays))


@BOTH
@SCALES
def test_torch_sees_the_same_and_no_step_moves_the_constants(learner, scale):
    torch = pytest.importorskip("torch")
    rows = digits()
    model = replace(learner, scale=scale).learn(rows, seed=1)
    module = model.to_torch()
    with torch.no_grad():
        said = module(torch.tensor(np.float32(rows.x))).numpy()
    assert np.allclose(said, model.decision_function(rows.x), atol=1e-4)
    assert np.array_equal(model.from_torch(module).parameters(), model.parameters())
    assert np.allclose(
        as_trainable(model).predict_proba(rows.x), model.predict_proba(rows.x), atol=1e-5
    )
    gone = FineTune(epochs=1, lr=0.01).forget(model, rows, Request(ids=rows.ids[:5]), seed=0)
    assert not np.array_equal(gone.model.parameters(), model.parameters())
    assert gone.model.architecture is model.architecture


def test_the_hidden_layer_is_that_of_scaled_rows():
    torch = pytest.importorskip("torch")
    rows = digits()
    model = MLP(hidden=(16, 12), epochs=2, scale="standard").learn(rows, seed=1)
    module = model.to_torch()
    with torch.no_grad():
        said = module[:-1](torch.tensor(np.float32(rows.x))).numpy()
    assert np.allclose(hidden(model, rows.x), said, atol=1e-4)


def test_an_unknown_scale_is_refused():
    with pytest.raises(BadInput, match="scale is 'standard'"):
        MLP(scale="minmax")
