"""The torch loop, networks, sequences, streams and arms."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from unteach.core import (
    BadInput,
    Corrupt,
    Diverged,
    NothingLeft,
    OneClassLeft,
    Request,
    Rows,
    Stream,
    Trainable,
    UnknownRecord,
    Untrusted,
    stream,
)
from unteach.data import Tasks, sequences, together
from unteach.models import (
    Checkpoint,
    Layers,
    Network,
    NetworkModel,
    SequenceModel,
    Training,
    Transformer,
    Watch,
    fit,
    learn,
    learner_of,
    load,
    margins,
    parameters,
    save,
    scores,
    train_arms,
)
from unteach.models.networks.transformer import decode
from unteach.unlearn import RUM, SCRUB, GradientAscent, NegGradPlus


def _blobs(n=80, d=4, k=3, seed=0):
    rng = stream(seed, "blobs")
    y = np.arange(n) % k
    x = rng.normal(size=(n, d)) + 3 * np.eye(k, d)[y]
    return Rows(np.arange(500, 500 + n), {"x": x, "y": y})


NET = Network(module=Layers((4, 8, 3)), epochs=8, lr=0.02, batch_size=16)


def _bytes(model):
    return model.to_saved().to_bytes()


# the loop


def test_torch_stays_out_until_it_is_used():
    code = "import sys, unteach, unteach.models, unteach.unlearn as u; \
print('torch' in sys.modules, [m.__name__ for m in u.METHODS][-1], u.FineTune())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("False Rewind FineTune(lr=0.02")


def test_without_torch_the_error_says_what_to_install():
    code = textwrap.dedent("""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name == "torch":
                    raise ModuleNotFoundError("No module named 'torch'", name="torch")

        sys.meta_path.insert(0, Missing())
        import unteach
        from unteach.unlearn import METHODS, method_named
        method_named("neggrad-plus")
        try:
            from unteach.models import Network
        except unteach.core.BadInput as error:
            print(error)
    """)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "unteach[torch]"' in out.stdout, out.stderr


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    rows = _blobs()
    dropping = Network(
        module=lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 3)), epochs=2
    )
    state = torch.random.get_rng_state()
    for net in (NET, dropping):
        one, two, other = (net.learn(rows, seed=s) for s in (3, 3, 4))
        assert _bytes(one) == _bytes(two)
        assert _bytes(one) != _bytes(other)
    assert torch.equal(state, torch.random.get_rng_state())
    assert np.mean(NET.learn(rows, seed=0).predict(rows.x) == rows.y) > 0.95


@pytest.mark.parametrize(
    "how",
    [
        Training(optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=1e-3, epochs=3),
        Training(optimizer="adamw", lr=0.01, weight_decay=0.1, epochs=3, clip=0.5),
        Training(optimizer="adam", lr=0.01, schedule="cosine", warmup=3, floor=0.1, epochs=3),
    ],
    ids=lambda how: how.optimizer,
)
def test_the_loop_equals_a_plain_one(how):
    rows = _blobs()
    net = Network(module=Layers((4, 8, 3)), how=replace(how, batch_size=16))
    got = net.learn(rows, seed=0)
    twin = net.fresh(rows, seed=0)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    extra = {"momentum": how.momentum} if how.optimizer == "sgd" else {"betas": how.betas}
    optimizer = kinds[how.optimizer](
        twin.module.parameters(), lr=how.lr, weight_decay=how.weight_decay, **extra
    )
    x, y = torch.tensor(rows.x, dtype=torch.float32), torch.tensor(rows.y)
    step = 0
    for epoch in range(3):
        order = stream(0, "order", epoch).permutation(len(rows))
        for at in range(0, len(rows), 16):
            now = order[at : at + 16]
            optimizer.param_groups[0]["lr"] = how.rate(step, 15)
            optimizer.zero_grad()
            nn.functional.cross_entropy(twin.module(x[now]), y[now]).backward()
            if how.clip:
                nn.utils.clip_grad_norm_(twin.module.parameters(), how.clip)
            optimizer.step()
            step += 1
    assert np.abs(parameters(got) - parameters(twin)).max() < 1e-6
    assert got.trace_.steps == 15
    assert got.trace_.gradients == 240


def test_a_training_goes_on_after_an_interruption_to_the_same_bytes(tmp_path):
    rows = _blobs()
    whole = NET.learn(rows, seed=0)

    def stop(done, total, what):
        if done == 17:
            raise KeyboardInterrupt

    place = Checkpoint(tmp_path / "state.safetensors", every=5)
    with pytest.raises(KeyboardInterrupt):
        NET.learn(rows, seed=0, checkpoint=place, progress=stop)
    seen = []
    again = NET.learn(rows, seed=0, checkpoint=place, progress=lambda d, t, w: seen.append(d))
    assert seen == list(range(18, 41))
    assert _bytes(again) == _bytes(whole)
    assert again.trace_ == whole.trace_
    done = NET.learn(rows, seed=0, checkpoint=place, progress=lambda *a: pytest.fail("it trained"))
    assert _bytes(done) == _bytes(whole)
    for other, records in (({"seed": 1}, rows), ({"seed": 0}, rows.take(np.arange(70)))):
        with pytest.raises(BadInput, match="another training"):
            NET.learn(records, **other, checkpoint=place)
    (tmp_path / "state.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(Corrupt):
        NET.learn(rows, seed=0, checkpoint=place)


@pytest.mark.slow
def test_a_killed_training_leaves_a_whole_checkpoint(tmp_path):
    path = tmp_path / "state.safetensors"
    code = textwrap.dedent(f"""
        import numpy as np
        from unteach.core import Rows
        from unteach.models import Checkpoint, Layers, Network
        net = Network(module=Layers((2, 2)), epochs=10**6)
        rows = Rows(np.arange(4), {{"x": np.eye(4, 2), "y": np.array([0, 1, 0, 1])}})
        net.learn(rows, seed=0, checkpoint=Checkpoint({str(path)!r}, every=2))
    """)
    child = subprocess.Popen([sys.executable, "-c", code])
    waited = time.monotonic()
    while not path.exists() and time.monotonic() - waited < 240:
        time.sleep(0.05)
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        assert any(name.startswith("optimizer.") for name in file.keys())  # noqa: SIM118


def test_what_diverges_is_named():
    rows = _blobs()
    with pytest.raises(Diverged, match="lower lr"):
        Network(module=Layers((4, 8, 3)), lr=1e30, optimizer="sgd", epochs=5).learn(rows, seed=0)
    nan = Rows(rows.ids, {"x": np.where(rows.ids[:, None] == 503, np.nan, rows.x), "y": rows.y})
    with pytest.raises(BadInput, match="503"):
        NET.learn(nan, seed=0)


def test_the_best_is_kept_and_enough_is_enough():
    rows = _blobs()
    readings = iter([0.2, 0.9, 0.5, 0.4, 0.3])
    seen = []

    def score(model):
        assert not model.training
        seen.append(_bytes(model))
        return next(readings)

    watch = Watch(lambda: 0.0, every=5, best="highest", patience=2)
    model = NET.learn(rows, seed=0, score=score, watch=watch)
    assert model.trace_.kept == 10 and model.trace_.steps == 20
    assert "no better" in model.trace_.stopped
    assert _bytes(model) == seen[1]
    enough = Watch(lambda: 0.0, every=10, best="lowest", enough=0.5)
    model = NET.learn(rows, seed=0, score=lambda m: 0.4, watch=enough)
    assert model.trace_.steps == 10
    line = nn.Linear(1, 1)
    x = torch.ones(4, 1)
    trace = fit(
        line,
        lambda rng: [x],
        lambda b: line(b).square().mean(),
        Training(epochs=50),
        seed=0,
        callbacks=[lambda moment: moment.step == 7],
    )
    assert trace.steps == 7 and trace.gradients == 28 and line.weight.grad is None


def test_settings_are_checked():
    for wrong in (
        {"lr": 0.0},
        {"epochs": 0},
        {"optimizer": "lion"},
        {"momentum": 1.0},
        {"steps": 0},
        {"clip": -1.0},
        {"schedule": "step"},
        {"batch_size": 2.5},
        {"nonsense": 1},
    ):
        with pytest.raises(BadInput):
            Network(module=Layers((2, 2)), **wrong)
    with pytest.raises(BadInput, match="factory"):
        Network(module=nn.Linear(2, 2))
    with pytest.raises(BadInput, match="gave none"):
        fit(nn.Linear(1, 1), lambda rng: [], lambda b: b, Training(), seed=0)


# the model


def test_a_model_predicts_saves_and_loads(tmp_path):
    rows = _blobs()
    model = learn(NET, rows, seed=0)
    assert isinstance(model, Trainable)
    p = model.predict_proba(rows.x)
    assert np.allclose(p.sum(axis=1), 1) and (p.argmax(axis=1) == model.predict(rows.x)).all()
    assert scores(model, rows.x).shape == (80, 3)
    assert margins(model, rows.x, rows.y).shape == (80,)
    assert parameters(model).shape == (4 * 8 + 8 + 8 * 3 + 3,)
    back = load(save(model, tmp_path / "m.unteach"))
    assert np.array_equal(scores(back, rows.x), scores(model, rows.x))
    assert _bytes(back) == _bytes(model)
    assert np.array_equal(
        scores(learner_of(back).learn(rows, seed=0), rows.x), scores(model, rows.x)
    )
    assert _bytes(pickle.loads(pickle.dumps(model))) == _bytes(model)


def test_a_module_of_the_users_own_is_loaded_by_its_recipe(tmp_path):
    rows = _blobs()
    net = Network(module=lambda: nn.Linear(4, 3), epochs=2)
    path = save(net.learn(rows, seed=0), tmp_path / "own.unteach")
    with pytest.raises(Untrusted, match=r"Network\(module=factory\)\.load"):
        load(path)
    assert np.array_equal(scores(net.load(path), rows.x), scores(net.learn(rows, seed=0), rows.x))
    with pytest.raises(Corrupt, match="not those of this module"):
        Network(module=Layers((4, 2, 3))).load(path)


def test_labels_and_numbers():
    rows = _blobs()
    named = Rows(rows.ids, {"x": rows.x, "y": np.array(["ant", "bee", "cow"])[rows.y]})
    model = NET.learn(named, seed=0)
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    assert model.predict(rows.x[:1]).tolist() == [named.y[0]]
    gone = rows.take(np.asarray(rows.y) != 1)  # a class goes, its output stays
    assert NET.learn(gone, seed=0).classes_.tolist() == [0, 1, 2]
    halves = Rows(gone.ids, {"x": gone.x, "y": np.asarray(gone.y) // 2})
    two = Network(module=Layers((4, 2)), epochs=1).learn(halves, seed=0)
    assert two.decision_function(rows.x).shape == (80,)
    numbers = Rows(rows.ids, {"x": rows.x, "y": rows.x @ np.array([1.0, 2.0, 0.0, 0.0])})
    line = Network(module=Layers((4, 1)), loss="squared", epochs=200, lr=0.05)
    fitted = line.learn(numbers, seed=0)
    assert np.abs(fitted.predict(rows.x) - numbers.y).max() < 0.1
    assert margins(fitted, rows.x, numbers.y).shape == (80,)
    for wrong, error in (
        (Rows(rows.ids, {"x": rows.x, "y": np.zeros(80, int)}), OneClassLeft),
        (Rows(rows.ids, {"x": rows.x, "y": np.arange(80)}), BadInput),
        (numbers, BadInput),
        (rows.take(np.arange(0)), BadInput),
    ):
        with pytest.raises(error):
            NET.learn(wrong, seed=0)


def test_a_trained_module_and_a_data_set_come_in_by_a_few_lines():
    rows = _blobs()
    dataset = torch.utils.data.TensorDataset(
        torch.tensor(rows.x, dtype=torch.float32), torch.tensor(rows.y)
    )
    mine = nn.Linear(4, 3)
    records = Rows.from_torch(dataset)
    model = Network.of(mine, records=records, factory=lambda: nn.Linear(4, 3), epochs=2)
    assert np.array_equal(model.classes_, [0, 1, 2])
    with torch.no_grad():
        mine.weight.add_(1.0)
    assert not np.allclose(model.module.weight.detach(), mine.weight.detach())
    lazily = Network(module=Layers((4, 8, 3)), epochs=2).learn(records, seed=0)
    eagerly = Network(module=Layers((4, 8, 3)), epochs=2).learn(rows, seed=0)
    assert np.allclose(scores(lazily, rows.x), scores(eagerly, rows.x), atol=1e-6)
    assert Network.of(mine, classes=[0, 1, 2]).learner_ is None
    with pytest.raises(BadInput, match="classes="):
        Network.of(mine)


def test_records_of_a_data_set_are_read_when_they_are_used():
    read = []

    class Images:
        def __len__(self):
            return 6

        def __getitem__(self, k):
            read.append(k)
            return np.full((1, 2, 2), float(k)), k % 2

    rows = Rows.from_torch(Images(), groups=list("aabbcc"))
    read.clear()
    left = rows.without(rows.members(["b"])).select([5, 0])
    assert read == [] and left.ids.tolist() == [5, 0]
    assert np.asarray(left.x)[:, 0, 0, 0].tolist() == [5.0, 0.0] and set(read) == {0, 5}
    assert rows.x.shape == (6, 1, 2, 2) and rows.x[1:3].shape == (2, 1, 2, 2)
    for wrong in ([], [1, 2], iter([])):
        with pytest.raises(BadInput):
            Rows.from_torch(wrong)


def test_a_training_of_the_users_own():
    rows, seen = _blobs(), []

    def train(module, loader, *, seed):
        seen.append((len(loader), len(loader.dataset), seed))
        optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
        for _ in range(5):
            for x, y in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(module(x), y).backward()
                optimizer.step()

    net = Network(module=lambda: nn.Linear(4, 3), train=train, batch_size=16)
    one, two = net.learn(rows, seed=0), net.learn(rows, seed=0)
    assert _bytes(one) == _bytes(two) and np.mean(one.predict(rows.x) == rows.y) > 0.95
    assert seen[0] == (5, 80, 0) and not one.training
    x, y = one_item = next(iter(torch.utils.data.DataLoader(_dataset(one, rows), batch_size=3)))
    assert x.shape == (3, 4) and y.tolist() == rows.y[:3].tolist() and len(one_item) == 2
    with pytest.raises(BadInput, match="returned str"):
        Network(module=lambda: nn.Linear(4, 3), train=lambda m, d, *, seed: "x").learn(rows, seed=0)


def _dataset(model, rows):
    from unteach.models.networks.loader import RecordsDataset

    return RecordsDataset(model, rows)


def test_a_single_record_passes_batch_normalization():
    x = np.random.default_rng(0).normal(size=(9, 4))
    rows = Rows(np.arange(9), {"x": x, "y": np.arange(9) % 2})

    def normed():
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))

    model = Network(module=normed, epochs=3, batch_size=4).learn(rows, seed=0)  # 4, 4 and 1
    assert model.trace_.steps == 9
    model.train(True)
    before = model.module[1].running_mean.clone()
    model.outputs(model.batch(rows.take([0])))
    assert model.module[1].training and torch.equal(model.module[1].running_mean, before)
    model.outputs(model.batch(rows.take([0, 1])))
    assert not torch.equal(model.module[1].running_mean, before)
    ways = (SCRUB(epochs=1, push_epochs=1), GradientAscent(epochs=1), NegGradPlus(epochs=1), RUM())
    for way in ways:
        gone = way.forget(model.train(False), rows, Request(ids=[3]), seed=0)
        assert np.isfinite(gone.model.predict_proba(x)).all()


def test_copies_share_nothing_and_hidden_layers_can_be_read():
    rows = _blobs()
    model = NET.learn(rows, seed=0)
    before, other = _bytes(model), copy.deepcopy(model)
    with torch.no_grad():
        next(other.parameters()).zero_()
    assert _bytes(model) == before != _bytes(other)
    batch = model.batch(rows)
    inner = model.hidden(batch, "1")
    assert inner.shape == (80, 8) and bool((inner >= 0).all())
    assert torch.equal(model.module[2](inner), model.outputs(batch))
    with pytest.raises(BadInput, match="no part"):
        model.hidden(batch, "nowhere")


# arms


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.01},
        {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3, "clip": 0.3},
        {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1, "schedule": "cosine", "warmup": 3},
    ],
    ids=lambda s: s.get("optimizer", "adam"),
)
def test_arms_equal_networks_learned_one_by_one(settings):
    rows = _blobs()
    members = stream(1, "members").random((5, 80)) < np.array([[0.2], [0.5], [0.7], [0.9], [1.0]])
    seeds = np.array([3, 1, 4, 1, 5], dtype=np.uint64)
    net = Network(module=Layers((4, 8, 3)), epochs=6, batch_size=16, **settings)
    at = rows.x[:7] + 0.1
    got = net.subset_outputs(rows.x, rows.y, members, seeds, at)
    assert got.shape == (5, 7, 3) and got.dtype == np.float32
    for j in range(5):
        one = net.learn(rows.take(members[j]), seed=int(seeds[j]))
        assert np.abs(one.decision_function(at) - got[j]).max() < 2e-5


def _half_frozen():
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    module[0].requires_grad_(False)
    return module


def test_arms_keep_what_is_frozen_each_its_own():
    rows = _blobs()
    net = Network(module=_half_frozen, epochs=2, lr=0.05, optimizer="adamw", weight_decay=0.5)
    everyone, seeds = np.ones((3, 80), bool), np.arange(3)
    arms = train_arms(net, rows.x, rows.y, everyone, seeds)
    for j in range(3):
        one = net.learn(rows, seed=j)
        assert np.abs(one.decision_function(rows.x) - arms.outputs(rows.x)[j]).max() < 1e-5
        assert torch.equal(one.module[0].weight, net.fresh(rows, seed=j).module[0].weight)


def test_arms_as_models_and_what_they_refuse():
    rows = _blobs()
    arms = train_arms(NET, rows.x, rows.y, np.ones((2, 80), bool), np.array([0, 1]))
    model = arms.model(1, classes=[0, 1, 2])
    assert np.allclose(model.decision_function(rows.x), arms.outputs(rows.x)[1], atol=1e-5)
    everyone, seeds = np.ones((2, 80), bool), np.array([0, 1])
    for net, y, members, seed in (
        (NET, rows.y, everyone & False, seeds),
        (NET, rows.y * 1.5, everyone, seeds),
        (NET, rows.y, everyone, seeds[:1]),
        (Network(module=Layers((4, 1)), loss="squared"), rows.y, everyone, seeds),
    ):
        with pytest.raises(BadInput):
            net.subset_outputs(rows.x, y, members, seed, rows.x)


# sequences


def _doubles(n, rng, p=5):
    a = rng.integers(0, p, n)
    return sequences(np.stack([a, np.full(n, 6), 2 * a % p, np.full(n, 5)], axis=1), prompts=2)


def _copies(n, rng, p=5):
    a, b = rng.integers(0, p, (2, n))
    end = np.full(n, 5)
    return sequences(np.stack([a, b, np.full(n, 7), a, b, end], axis=1), prompts=3)


def _all_doubles(p=5):
    a = np.arange(p)
    return sequences(np.stack([a, np.full(p, 6), 2 * a % p, np.full(p, 5)], axis=1), prompts=2)


TASKS = Tasks({"double": _doubles, "copy": _copies}, {"double": _all_doubles}, {"copy": 2})
SMALL = Transformer(8, end=5, width=16, heads=2, layers=1, length=8)


@pytest.mark.parametrize("positions", ["absolute", "rotary"])
def test_a_transformer_learns_a_stream_and_decodes(positions):
    shape = replace(SMALL, positions=positions)
    net = Network(module=shape, loss="next_token", steps=200, lr=0.01, batch_size=48)
    model = net.learn(TASKS, seed=0)
    assert isinstance(model, SequenceModel) and isinstance(model, Trainable)
    rows = TASKS.draw(40, seed=99)
    wanted = np.asarray(rows.y) >= 0
    recalled = model.recalled(rows)
    assert recalled[wanted].mean() > 0.9 and not recalled[~wanted].any()
    assert model.led(rows)[wanted].mean() >= recalled[wanted].mean()
    said = model.predict(np.array([[3, 6, -1], [3, 4, 7]]))
    assert said.shape == (2, 6) and said[0, :2].tolist() == [1, 5] and set(said[0, 2:]) == {-1}
    # with a cache, without one, and in one batch or alone: the same
    module = model.module
    prompts = torch.tensor(np.asarray(rows.x)[np.asarray(rows.groups) == "copy"][:9, :3])
    with torch.no_grad():
        plain = prompts
        for _ in range(5):
            plain = torch.cat([plain, module(plain)[:, -1].argmax(-1, keepdim=True)], dim=1)
    assert torch.equal(decode(module, prompts, 8), plain[:, 3:])
    assert torch.equal(decode(module, prompts[:1], 8), plain[:1, 3:])
    assert torch.equal(decode(nn.Sequential(module), prompts, 8), plain[:, 3:])


def test_losses_of_sequences_do_not_depend_on_their_company():
    net = Network(module=SMALL, loss="next_token", steps=1)
    rows = TASKS.draw(30, seed=0)
    mixed = rows.take(stream(0).permutation(30))
    model = net.learn(rows, seed=0)
    together_, alone = model.losses(model.batch(mixed)), []
    for k in range(30):
        one = mixed.take([k])
        x = torch.tensor(np.asarray(one.x))
        x = x[:, : int((x >= 0).sum())]
        y = torch.tensor(np.asarray(one.y))[:, 1 : x.shape[1]]
        said = model.module(x[:, :-1])[y >= 0]
        alone.append(nn.functional.cross_entropy(said, y[y >= 0]))
    assert torch.allclose(together_, torch.stack(alone), atol=1e-5)
    counts = torch.tensor((np.asarray(mixed.y) >= 0).sum(axis=1))
    model.reduction = "sum"
    assert torch.allclose(model.losses(model.batch(mixed)), torch.stack(alone) * counts, atol=1e-4)
    assert model.outputs(model.batch(mixed)).shape == (30, 5, 8)
    back = load_bytes(model)
    assert back.reduction == "sum" and np.array_equal(parameters(back), parameters(model))


def load_bytes(model):
    from unteach.core import Saved

    return type(model).from_saved(Saved.from_bytes(_bytes(model)))


def test_a_stream_is_seeded_counted_and_can_forget_a_group():
    assert isinstance(TASKS, Stream) and not isinstance(_blobs(), Stream)
    one, two = TASKS.draw(10, seed=1), TASKS.draw(10, seed=1)
    assert np.array_equal(one.x, two.x) and not np.array_equal(one.x, TASKS.draw(10, seed=2).x)
    groups, counts = np.unique(one.groups, return_counts=True)
    assert dict(zip(groups.tolist(), counts.tolist(), strict=True)) == {"copy": 6, "double": 4}
    assert set(TASKS.without(["copy"]).draw(5, seed=0).groups.tolist()) == {"double"}
    assert len(TASKS.enumerate("double")) == 5
    with pytest.raises(BadInput, match="not known to be finite"):
        TASKS.enumerate("copy")
    with pytest.raises(UnknownRecord):
        TASKS.without(["sum"])
    with pytest.raises(NothingLeft):
        TASKS.without(["copy", "double"])
    with pytest.raises(BadInput, match="no end"):
        Network(module=SMALL, loss="next_token").learn(TASKS, seed=0)
    with pytest.raises(BadInput, match="2 groups"):
        TASKS.draw(1, seed=0)


def test_every_group_of_a_stream_counts_alike():
    net = Network(module=SMALL, loss="next_token", steps=1, batch_size=20)
    model = net.learn(TASKS, seed=0)
    rows = TASKS.draw(20, seed=5)
    batch = model.batch(rows, balanced=True)
    losses = model.losses(batch).detach().numpy()
    want = np.mean([losses[rows.groups == g].mean() for g in ("copy", "double")])
    assert model.mean_loss(batch).item() == pytest.approx(want, rel=1e-5)


def test_bad_sequences_are_refused():
    for wrong in (
        {"tokens": [[1, 2]]},
        {"tokens": [[1, 2]], "prompts": 2},
        {"tokens": [[1, 2]], "prompts": 0},
        {"tokens": [[-5, 2]], "prompts": 1},
        {"tokens": [[0.5, 1.0]], "prompts": 1},
        {"tokens": [[1, 2]], "scored": [[0, 1, 1]]},
        {"tokens": [[1, 2]], "prompts": 1, "roles": [[1]]},
    ):
        with pytest.raises(BadInput):
            sequences(**wrong)
    rows = together(
        [
            sequences([[1, 2]], prompts=1, roles=[[0, 3]]),
            sequences([[1, 2, 3]], scored=[[0, 0, 1]], roles=[[0, 1, 2]]),
        ]
    )
    assert rows.column("roles").tolist() == [[0, 3, -1], [0, 1, 2]]
    with pytest.raises(BadInput, match="no sequences"):
        Network(module=SMALL, loss="next_token", epochs=1).learn(_blobs(), seed=0)
    assert issubclass(SequenceModel, NetworkModel)


def test_small_networks_forget_and_answer_on_their_own_threads_and_large_ones_on_all():
    from unteach.core import Request
    from unteach.unlearn import SSD

    x = np.random.default_rng(0).random((40, 6), dtype=np.float32)
    rows = Rows(np.arange(40), {"x": x, "y": np.arange(40) % 2})
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self, wide):
            super().__init__()
            self.inner = torch.nn.Sequential(torch.nn.Linear(6, wide), torch.nn.Linear(wide, 2))

        def forward(self, x):
            seen.append(torch.get_num_threads())
            return self.inner(x)

    was = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        small = Network(lambda: Watched(4), epochs=1).learn(rows, seed=0)
        small.predict(rows.x)
        SSD().forget(small, rows, Request(ids=[1, 2]), seed=0)
        assert set(seen) == {1} and torch.get_num_threads() == 2
        large = Network(lambda: Watched(130_000), epochs=1).learn(rows, seed=0)
        seen.clear()
        large.predict(rows.x)
        assert set(seen) == {2}
        seen.clear()
        Network(lambda: Watched(4), epochs=1, threads=2).learn(rows, seed=0).predict(rows.x)
        assert set(seen) == {2} and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(was)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
def test_a_device_that_is_not_here_is_named():
    rows = Rows(np.arange(6), {"x": np.eye(6), "y": np.arange(6) % 2})
    for make in (
        lambda: Network(Layers((6, 2)), device="cuda").learn(rows, seed=0),
        lambda: Network.of(Layers((6, 2))(), device="cuda"),
    ):
        with pytest.raises(BadInput, match=r"device='cuda' cannot be used here.*take 'cpu'"):
            make()
