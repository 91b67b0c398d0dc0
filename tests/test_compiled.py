"""The laws of the compiled trainers: right gradients, one seed one result, twins, refusals."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from slow import cnn as slow_cnn
from slow import mlp as slow_mlp
from slow import sgd as slow_sgd
from unteach.checks import check_method
from unteach.core import BadInput, Corrupt, Learner, Model, NotConverged, OneClassLeft, Request
from unteach.core import Rows as CoreRows
from unteach.models import CNN, MLP, TrainedNetwork, learn, learner_of, load, margins, parameters
from unteach.models.compiled import warm_up
from unteach.models.compiled._kernels.instruction_set import Isa, isa_here
from unteach.models.compiled._kernels.matrix_product import product
from unteach.models.compiled.learner import start
from unteach.unlearn import Retrain

torch = pytest.importorskip("torch")

NETWORKS = [
    MLP((33,), epochs=2),
    MLP((24, 20), epochs=2, weight_decay=1e-3, batch_size=50),
    CNN(epochs=2, weight_decay=1e-3),
]
EVERY = pytest.mark.parametrize("learner", NETWORKS, ids=["mlp", "deep", "cnn"])


def digits(n=None, side=8):
    x, y = load_digits(return_X_y=True)
    x = (x / 16 - 0.3).reshape(-1, 8, 8)
    x = np.pad(x, ((0, 0), (0, side - 8), (0, side - 8)), constant_values=-0.3)
    return x.reshape(len(x), -1).astype(np.float32)[:n], y[:n]


def rows(n=120):
    x, y = digits(n)
    return CoreRows(np.arange(n) + 10, {"x": x, "y": y})


def halves(m, n, seed=0):
    return np.random.default_rng(seed).random((m, n)) < 0.5


def twin(learner, shape, seed):
    """Return the plain numpy twin: its starting weights, its gradient, its logits of rows."""
    if isinstance(learner, MLP):
        return slow_mlp.start(seed, shape.sizes), slow_mlp.gradient, slow_mlp.logits
    weights = slow_cnn.start(seed, shape.side, *shape.channels, shape.classes)

    def gradient(weights, x, y):
        return slow_cnn.gradient(weights, x.reshape(-1, shape.side, shape.side), y)

    def logits(weights, x):
        return slow_cnn.logits(weights, x.reshape(-1, shape.side, shape.side))

    return weights, gradient, logits


def joined(weights):
    return np.concatenate([w.ravel() for w in weights])


def off(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def by_torch(shape, flat, x, y):
    """Return torch's gradient in float64, in one row."""
    module = shape.module().double()
    torch.nn.utils.vector_to_parameters(
        torch.tensor(flat, dtype=torch.float64), module.parameters()
    )
    loss = torch.nn.functional.cross_entropy(module(torch.tensor(x).double()), torch.tensor(y))
    loss.backward()
    return joined([p.grad.numpy() for p in module.parameters()])


# the product


@pytest.mark.parametrize("shape", [(1, 8, 1), (5, 16, 3), (13, 40, 9), (8, 24, 64), (3, 8, 100)])
def test_every_width_gives_the_same_bytes_and_the_right_product(shape):
    R, N, K = shape
    rng = np.random.default_rng(R)
    a, b, bias = (rng.normal(size=s).astype(np.float32) for s in ((R, K), (K, N), (N,)))
    found = {}
    for isa in ISAS:
        for name, flat, strides in (("rows", a, (K, 1)), ("turned", a.T, (1, R))):
            c = np.full(R * N + 2, 7, np.float32)
            left = np.ascontiguousarray(flat).ravel()
            PRODUCTS[isa](left, 0, *strides, b.ravel(), 0, bias, 0, 0, c, 1, R, N, K)
            assert c[0] == c[-1] == 7  # nothing outside is touched
            exact = a.astype(np.float64) @ b + bias
            assert np.allclose(c[1:-1].reshape(R, N), exact, rtol=1e-4, atol=1e-5)
            found[isa, name] = c.tobytes()
    fused = {raw for (isa, _), raw in found.items() if isa is not None and isa.fused}
    rounded = {raw for (isa, _), raw in found.items() if isa is None or not isa.fused}
    assert len(fused) <= 1 and len(rounded) == 1


HERE = isa_here()
FUSED = [] if HERE is None or not HERE.fused else [Isa(16, 8, True), Isa(8, 4, True)]
ISAS = [None, Isa(8, 4, False), Isa(4, 4, False), *FUSED]
PRODUCTS = {isa: product(isa) for isa in ISAS}


# against torch and the twin


@pytest.mark.parametrize("n", [1, 5, 64, 200])
@EVERY
def test_gradients_equal_torch_in_float64(learner, n):
    x, y = digits(n)
    shape = learner.architecture(64, 10)
    flat = start(shape.shapes, np.uint64(n))
    mine = shape.flat(shape.gradient(x, y.astype(np.int32), shape.packed(flat)))
    weights, gradient, _ = twin(learner, shape, n)
    truth = by_torch(shape, flat, x, y)
    assert off(mine, truth) < 1e-5
    assert off(joined(gradient(weights, x.astype(np.float64), y)), truth) < 1e-12
    at = 0
    for size in map(np.prod, shape.shapes):  # every layer, not only the largest
        assert off(mine[at : at + size], truth[at : at + size]) < 1e-5
        at += size


@pytest.mark.parametrize(
    ("learner", "side"),
    [
        (MLP((1,)), 8),
        (MLP((7, 130)), 9),
        (MLP((8, 3)), 8),
        (CNN(channels=(16, 8)), 11),
        (CNN(channels=(8, 24)), 8),
        (CNN(), 14),
    ],
    ids=str,
)
@pytest.mark.parametrize("classes", [2, 3, 17])
def test_gradients_hold_for_every_size(learner, side, classes):
    x, y = digits(31, side)
    y = y % classes
    shape = learner.architecture(side * side, classes)
    flat = start(shape.shapes, np.uint64(4))
    packed = shape.packed(flat)
    assert np.array_equal(shape.flat(packed), flat)
    given = shape.gradient(x, y.astype(np.int32), packed)
    assert off(shape.flat(given), by_torch(shape, flat, x, y)) < 1e-5
    assert np.array_equal(shape.packed(shape.flat(given)), given)  # padding stays zero


@EVERY
def test_training_stays_near_the_twin(learner):
    x, y = digits(150)
    shape = learner.architecture(64, 10)
    weights, gradient, logits = twin(learner, shape, 2**63 + 5)
    settings = {k: getattr(learner, k) for k in ("batch_size", "lr", "momentum", "weight_decay")}
    epochs = 30 if isinstance(learner, MLP) else 6
    slow = slow_sgd.train(
        weights, gradient, x.astype(np.float64), y, 2**63 + 5, epochs=epochs, **settings
    )
    at, everyone = digits()[0][150:250], np.ones((1, 150), bool)
    fast = replace(learner, epochs=epochs).subset_outputs(x, y, everyone, [2**63 + 5], at)
    truth = logits(slow, at.astype(np.float64))
    assert off(fast[0], truth) < 2e-5
    assert np.array_equal(fast[0].argmax(1), truth.argmax(1))


def test_a_run_without_epochs_is_the_start_of_the_twin():
    x, y = digits(20)
    said = MLP((9,), epochs=0).subset_outputs(x, y, np.ones((1, 20), bool), [3], x)
    weights = slow_mlp.start(3, (64, 9, 10))
    assert np.allclose(said[0], slow_mlp.logits(weights, x.astype(np.float64)), atol=1e-5)


def torch_right(learner, x, y, members, at, truth):
    """Return which rows a loop in torch gets right, one network a row of members."""
    right = []
    for j, mine in enumerate(members):
        torch.manual_seed(j)
        net = learner.architecture(x.shape[1], 10).module()
        sgd = torch.optim.SGD(net.parameters(), learner.lr, momentum=learner.momentum)
        inputs, labels = torch.tensor(x[mine]), torch.tensor(y[mine])
        for _ in range(learner.epochs):
            for batch in torch.randperm(len(inputs)).split(learner.batch_size):
                sgd.zero_grad()
                torch.nn.functional.cross_entropy(net(inputs[batch]), labels[batch]).backward()
                sgd.step()
        with torch.no_grad():
            right.append(net(torch.tensor(at)).numpy().argmax(1) == truth)
    return np.array(right)


def agree(learner, m, n, most):
    """Compare how often each point is right, by z's over the points that are not constant."""
    x, y = digits()
    train, at, truth = x[:n], x[n:], y[n:]
    labels = np.where(np.arange(n) % 10 == 0, (y[:n] + 1) % 10, y[:n])  # noise: points that vary
    mine = learner.subset_outputs(train, labels, halves(m, n), np.arange(m), at, classes=10)
    a = (mine.argmax(2) == truth).mean(0)
    b = torch_right(learner, train, labels, halves(m, n, 1), at, truth).mean(0)
    p = (a + b) / 2
    some = (p > 0.05) & (p < 0.95)
    z = (a - b)[some] / np.sqrt(2 * p * (1 - p) / m)[some]
    assert some.sum() > 100
    assert abs(a.mean() - b.mean()) < most
    # points share their networks, so that the z's of one comparison move together: two runs of
    # torch differ by means up to .22 and deviations of .85 to 1.27, and by .018 in accuracy
    assert abs(z.mean()) < 0.35 and 0.7 < z.std() < 1.4 and np.abs(z).max() < 5


def test_correctness_is_distributed_as_in_torch():
    agree(MLP((32,), epochs=6), 40, 200, 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("learner", [MLP(), CNN(epochs=10)], ids=["mlp", "cnn"])
def test_correctness_is_distributed_as_in_torch_at_length(learner):
    agree(learner, 200, 300, 0.01)


# one seed, one result


@EVERY
def test_networks_depend_on_their_own_rows_and_seed_alone(learner):
    x, y = digits(100)
    members, seeds = halves(6, 100), np.array([5, 0, 2**64 - 1, 7, 5, 1], np.uint64)
    at = digits()[0][100:170]
    whole = learner.subset_outputs(x, y, members, seeds, at, classes=10)
    assert whole.dtype == np.float32 and whole.shape == (6, 70, 10)
    for cuts in ([1], [2, 5], [1, 2, 3, 4, 5]):
        parts = [
            learner.subset_outputs(x, y, m, s, at, classes=10)
            for m, s in zip(np.split(members, cuts), np.split(seeds, cuts), strict=True)
        ]
        assert np.concatenate(parts).tobytes() == whole.tobytes()
    turned = learner.subset_outputs(x, y, members[::-1], seeds[::-1], at, classes=10)
    assert turned[::-1].tobytes() == whole.tobytes()
    other = x.copy()
    other[~members[2]] = 9  # rows that a network does not have cannot matter to it
    mine = learner.subset_outputs(other, y, members[2:3], seeds[2:3], at, classes=10)
    assert mine.tobytes() == whole[2:3].tobytes()
    moved = learner.subset_outputs(x, y, members[:1], [6], at, classes=10)
    assert moved.tobytes() != whole[:1].tobytes()


def test_rows_are_answered_alike_alone_and_together():
    x, y = digits(100)
    for learner in NETWORKS:
        model = learn(learner, CoreRows(np.arange(100), {"x": x, "y": y}))
        alone = [model.decision_function(x[i : i + 1]) for i in range(70)]
        assert np.concatenate(alone).tobytes() == model.decision_function(x[:70]).tobytes()


def test_threads_give_the_same_bytes_and_run_side_by_side():
    x, y = digits(400)
    members, learner = halves(8, 400), MLP(epochs=3)

    def job(j):
        return learner.subset_outputs(x, y, members[j : j + 1], [j], x[:50], classes=10)

    with ThreadPoolExecutor(2) as pool:
        shared = np.concatenate(list(pool.map(job, range(8))))
    alone = learner.subset_outputs(x, y, members, np.arange(8), x[:50], classes=10)
    assert shared.tobytes() == alone.tobytes()
    ticks, done = [0], threading.Event()

    def count():
        while not done.is_set():
            ticks[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    try:
        # one long call: other Python code goes on meanwhile, for no lock is held
        before = ticks[0]
        MLP(epochs=150).subset_outputs(x, y, members[:1], [0], x[:1], classes=10)
        assert ticks[0] - before > 1000
    finally:
        done.set()
        counter.join()


HASHING = """
import hashlib, sys, numpy as np
from unteach.models import CNN, MLP
from unteach.models.compiled._kernels.instruction_set import isa_here
x = (np.arange(60 * 64).reshape(60, 64) * 2654435761 % 1009 / 1009).astype(np.float32)
y = np.arange(60) % 4
seen = hashlib.sha256()
for learner in (MLP((40, 12), weight_decay=1e-3), CNN(epochs=3)):
    seen.update(learner.subset_outputs(x, y, np.ones((2, 60), bool), [0, 1], x).tobytes())
print(isa_here().lanes if isa_here() else 0, seen.hexdigest())
"""


def hashed(**environment):
    done = subprocess.run(
        [sys.executable, "-c", HASHING],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    lanes, digest = done.stdout.split()
    return int(lanes), digest


@pytest.mark.slow
@pytest.mark.skipif(HERE is None or not HERE.fused, reason="this processor has no fused products")
def test_bytes_depend_on_neither_process_nor_cache_nor_vector_width(tmp_path):
    known = hashed()
    assert hashed() == known  # from the cache
    assert hashed(NUMBA_CACHE_DIR=str(tmp_path / "fresh")) == known
    narrow = hashed(
        NUMBA_CACHE_DIR=str(tmp_path / "narrow"),
        NUMBA_CPU_NAME="haswell",
        NUMBA_CPU_FEATURES="+avx,+avx2,+fma,+sse4.2,+bmi,+bmi2",
    )
    assert narrow == (8, known[1])
    old, digest = hashed(
        NUMBA_CACHE_DIR=str(tmp_path / "old"), NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="+sse2"
    )
    assert old == 4 and digest != known[1]  # products that round on their own round elsewhere


# the model


@EVERY
def test_a_learner_learns_the_same_model_from_the_same_seed(learner):
    assert isinstance(learner, Learner)
    before = rows().x.copy()
    one, same, other = (learn(learner, rows(), seed=s) for s in (1, 1, 2))
    assert isinstance(one, Model) and isinstance(one, TrainedNetwork)
    assert one.flat.tobytes() == same.flat.tobytes() != other.flat.tobytes()
    assert np.array_equal(rows().x, before)
    assert learner_of(one) == learner and np.array_equal(one.sample_ids_, rows().ids)
    x, y = digits(120)
    assert one.predict(x).shape == (120,) and np.allclose(one.predict_proba(x).sum(1), 1)
    images = x.reshape(-1, 8, 8)
    assert np.array_equal(one.decision_function(images), one.decision_function(x))
    assert np.array_equal(parameters(one), one.parameters().astype(np.float64))
    assert margins(one, x, y).shape == (120,)


@EVERY
def test_inputs_stay_as_they_are(learner):
    x, y = digits(40)
    given = [x.astype(np.float64), y.copy(), halves(2, 40), np.array([1, 2]), x[:5].copy()]
    copies = [a.copy() for a in given]
    for a in given:
        a.flags.writeable = False
    learner.subset_outputs(*given, classes=10)
    assert all(np.array_equal(a, b) for a, b in zip(given, copies, strict=True))


@EVERY
def test_labels_of_any_kind_come_back(learner):
    x, y = digits(60)
    names = np.array(["even", "odd"])[y % 2]
    model = learn(replace(learner, epochs=20), CoreRows(np.arange(60), {"x": x, "y": names}))
    assert model.classes_.tolist() == ["even", "odd"]
    assert (model.predict(x) == names).mean() > 0.9
    assert model.decision_function(x).shape == (60, 2)


@EVERY
def test_torch_and_back(learner):
    model = learn(learner, rows())
    module = model.to_torch()
    x = rows().x
    with torch.no_grad():
        said = module(torch.tensor(x)).numpy()
        assert np.allclose(said, model.decision_function(x), atol=1e-5)
        assert model.from_torch(module).flat.tobytes() == model.flat.tobytes()
        next(module.parameters()).add_(0.5)
    moved = model.from_torch(module, sample_ids=[10, 11])
    assert moved.flat.tobytes() != model.flat.tobytes() and moved.sample_ids_.tolist() == [10, 11]
    with torch.no_grad():
        said = module(torch.tensor(x)).numpy()
    assert np.allclose(said, moved.decision_function(x), atol=1e-4)
    with pytest.raises(BadInput, match="shapes"):
        model.from_torch(torch.nn.Linear(3, 2))
    for wrong in (model.flat[:-1], np.full(model.flat.shape, np.nan)):
        with pytest.raises(BadInput, match="parameters"):
            model.with_parameters(wrong)
    with pytest.raises(BadInput, match="twice"):
        model.with_parameters(model.flat, sample_ids=[1, 1])


@EVERY
def test_models_are_saved_and_come_back(learner, tmp_path):
    model = learn(learner, rows())
    again = load(model.save(tmp_path / "m.unteach"))
    x = rows().x
    assert again.decision_function(x).tobytes() == model.decision_function(x).tobytes()
    assert np.array_equal(again.sample_ids_, model.sample_ids_)
    assert again.to_saved().to_bytes() == model.to_saved().to_bytes()
    assert learner_of(again) == learner
    serving = load(model.export(tmp_path / "s.unteach"))
    assert serving.sample_ids_ is None and np.array_equal(serving.predict(x), model.predict(x))
    saved = model.to_saved()
    saved.arrays["parameters"] = saved.arrays["parameters"][1:]
    (tmp_path / "bad").write_bytes(saved.to_bytes())
    with pytest.raises(Corrupt, match="is needed"):
        load(tmp_path / "bad")


def test_the_house_forgets_from_it_by_retraining():
    data = rows()
    model = learn(MLP((16,), epochs=3), data, seed=0)
    gone = Retrain().forget(model, data, Request(ids=[10, 20]), seed=1)
    assert len(gone.model.sample_ids_) == 118
    alike = learn(MLP((16,), epochs=3), data.without([10, 20]), seed=1)
    assert gone.model.flat.tobytes() == alike.flat.tobytes()
    check_method(Retrain(), learner=MLP((8,), epochs=20))


# refusals


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP(hidden=0),
        lambda: MLP(hidden=(8, -1)),
        lambda: MLP(hidden=()),
        lambda: MLP(hidden=(8, 8, 8)),
        lambda: MLP(hidden=(1.5,)),
        lambda: MLP(epochs=-1),
        lambda: MLP(batch_size=0),
        lambda: MLP(lr=0.0),
        lambda: MLP(lr=float("nan")),
        lambda: MLP(momentum=1.0),
        lambda: MLP(momentum=True),
        lambda: MLP(weight_decay=-1.0),
        lambda: CNN(channels=(8,)),
        lambda: CNN(channels=(4, 16)),
    ],
)
def test_settings_that_make_no_sense_are_refused(make):
    with pytest.raises(BadInput):
        make()


def test_bad_rows_are_refused_by_name():
    x, y = digits(20)
    good = {"x": x, "y": y, "members": np.ones((1, 20), bool), "seeds": [0], "at": x[:2]}
    hole = x.copy()
    hole[3, 4] = np.nan
    empty = np.ones((2, 20), bool)
    empty[1] = False
    cases = [
        ({"x": hole}, "nan in row 3"),
        ({"at": hole}, "at holds nan"),
        ({"x": x.astype(np.float64) * 1e39}, "float32"),
        ({"x": x[0]}, "one row a record"),
        ({"x": x[:, :0]}, "without features"),
        ({"y": y[:5]}, "one class for each"),
        ({"y": y - 1}, "class -1"),
        ({"y": y.astype(float)}, "whole numbers"),
        ({"y": 0 * y}, "only class 0"),
        ({"classes": 5}, "class 9; classes go from 0 to 4"),
        ({"members": np.ones((1, 20))}, "give bool"),
        ({"members": np.ones((1, 19), bool)}, r"shape \(m, 20\)"),
        ({"members": empty, "seeds": [0, 1]}, "row 1 of members is empty"),
        ({"seeds": [0, 1]}, "1 whole numbers"),
        ({"seeds": [-1]}, "at least 0"),
        ({"seeds": [0.5]}, "whole numbers"),
        ({"at": x[:, :5]}, "5 features"),
    ]
    for wrong, match in cases:
        with pytest.raises(BadInput, match=match):
            MLP((8,), epochs=1).subset_outputs(**{**good, **wrong})
    with pytest.raises(BadInput, match="no square grey images"):
        CNN().subset_outputs(**{**good, "x": x[:, :60], "at": x[:2, :60]})
    with pytest.raises(BadInput, match="no square grey images"):
        CNN().subset_outputs(**{**good, "x": x[:, :9], "at": x[:2, :9]})
    assert MLP((8,), epochs=1).subset_outputs(**{**good, "at": x[:0]}).shape == (1, 0, 10)
    model = learn(MLP((8,), epochs=1), rows())
    with pytest.raises(BadInput, match="the network learned 64"):
        model.predict(x[:, :5])
    with pytest.raises(OneClassLeft):
        learn(MLP((8,)), CoreRows(np.arange(3), {"x": x[:3], "y": [1, 1, 1]}))
    with pytest.raises(BadInput, match="id 3"):
        learn(MLP((8,)), CoreRows(np.arange(20), {"x": hole, "y": y}))


def test_weights_that_run_away_are_noticed():
    x, y = digits(100)
    with pytest.raises(NotConverged, match="lower lr"):
        MLP((32,), lr=1e20).subset_outputs(x, y, np.ones((1, 100), bool), [0], x)


def test_it_can_be_interrupted_between_networks():
    x, y = digits(30)
    told = []

    def stop(done, total, what):
        told.append((done, total, what))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MLP((8,), epochs=1).subset_outputs(x, y, np.ones((5, 30), bool), range(5), x, progress=stop)
    assert told == [(1, 5, "networks"), (2, 5, "networks")]


def test_a_second_process_does_not_compile():
    warm_up()
    code = "from unteach.models.compiled import warm_up; print(sum(warm_up().values()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 5  # about 1 s, most of it numba's import; compiling takes 20
