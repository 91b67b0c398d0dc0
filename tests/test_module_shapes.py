"""Every method on every shape of module: it works, or is refused with a reason."""

from __future__ import annotations

import copy
import dataclasses
import random
import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from unteach.audit import audit, audit_model, run
from unteach.core import BadInput, Diverged, NoRoute, Request, Rows, stream
from unteach.data import sequences
from unteach.models import Layers, Network, Transformer, learn, margins, parameters, save, scores
from unteach.models.networks.forward import tensor_in
from unteach.models.networks.loader import Loader
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
    OverForget,
    RandomLabel,
    Retrain,
    Rewind,
    SalUn,
    Sisa,
    TaskVector,
    method,
    tune,
)

# ---- the shapes


class Output(OrderedDict):
    """As the outputs of transformers: what it holds are attributes too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclasses.dataclass
class Said:
    loss: object
    logits: torch.Tensor
    inner: torch.Tensor


Pair = namedtuple("Pair", "logits inner")


class Wrapped(nn.Module):
    """Hands back its logits in some form."""

    def __init__(self, form, outputs=3):
        super().__init__()
        self.a, self.b, self.form = nn.Linear(4, 6), nn.Linear(6, outputs), form

    def forward(self, x):
        inner = torch.tanh(self.a(x))
        return self.form(self.b(inner), inner)


def plain():
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def changed(change, *places):
    """Return a factory of plain modules some layers of which are changed."""

    def make():
        module = plain()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the older forms are deprecated, and in use
            for place in places:
                change(module[place])
        return module

    return make


def pruned(layer):
    prune.l1_unstructured(layer, "weight", amount=0.5)


def frozen(layer):
    layer.requires_grad_(False)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.c(torch.tanh(self.b(torch.tanh(self.a(x)))))


class TiedEnds(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(4, 3, bias=False)
        self.c.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))) + self.c(x)


class Image(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.c, self.n, self.l = nn.Conv2d(1, 4, 2), norm, nn.Linear(4, 3)

    def forward(self, x):
        return self.l(torch.relu(self.n(self.c(x.reshape(-1, 1, 2, 2)))).flatten(1))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.r, self.l = kind(2, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.l(self.r(x.reshape(len(x), 2, 2))[0][:, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
        self.l = nn.Linear(4, 3)

    def forward(self, x):
        return self.l(self.e(x[:, :, None].expand(-1, -1, 4)).mean(dim=1))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.l = nn.Linear(2, 12), nn.Linear(4, 3)

    def forward(self, x):
        q, k, v = self.q(x.reshape(-1, 2, 2)).view(-1, 2, 3, 1, 4).permute(2, 0, 3, 1, 4)
        return self.l(functional.scaled_dot_product_attention(q, k, v).mean(dim=(1, 2)))


class Embedding(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.e, self.l = kind(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        inner = self.e(x)
        return self.l(inner.mean(dim=1) if inner.ndim == 3 else inner)


class Habit(nn.Module):
    """A plain network with a habit of its own."""

    def __init__(self, habit):
        super().__init__()
        self.l, self.habit = plain(), habit

    def forward(self, x):
        return self.habit(self, x)


def mutates(self, x):
    x -= 0.5
    return self.l(x.mul_(2))


def squeezes(self, x):
    return self.l(x).squeeze()


def refuses_one(self, x):
    if len(x) < 2:
        raise ValueError("a batch holds two records or more")
    return self.l(x)


def keeps(self, x):
    self.seen = {"first": [self.l[0](x)]}
    self.last = self.l(x)
    return self.last


def halves(self, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return self.l(x)


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3, dtype=torch.complex64))
        self.b = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return (x.to(self.w.dtype) @ self.w).abs() + self.b


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.b = nn.Parameter(torch.randn(4, 3) / 10), nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return x @ self.w + self.b


class Spare(nn.Module):
    def __init__(self):
        super().__init__()
        self.l, self.unused = plain(), nn.Linear(4, 2)

    def forward(self, x):
        return self.l(x)


def bound():
    module = plain()
    module.forward = lambda x: module[2](torch.relu(module[0](x)))
    return module


def hooked():
    module = plain()
    module[0].register_forward_hook(lambda m, given, said: said * 2)
    module[2].weight.register_hook(lambda slope: slope / 2)
    return module


def scripted(make):
    def factory():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.script(make())

    return factory


def normed(**how):
    return lambda: nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6, **how), nn.ReLU(), nn.Linear(6, 3)
    )


UTILS = torch.nn.utils
SHAPES = {
    "plain": plain,
    "dict": lambda: Wrapped(lambda z, h: {"logits": z, "inner": h}),
    "dict of one": lambda: Wrapped(lambda z, h: {"scores": z}),
    "tuple of one": lambda: Wrapped(lambda z, h: (z, None)),
    "model output": lambda: Wrapped(lambda z, h: Output(loss=None, logits=z, inner=h)),
    "dataclass": lambda: Wrapped(lambda z, h: Said(None, z, h)),
    "named tuple": lambda: Wrapped(Pair),
    "pruned": changed(pruned, 0, 2),
    "pruned first": changed(pruned, 0),
    "weight norm": changed(parametrizations.weight_norm, 0, 2),
    "spectral norm": changed(parametrizations.spectral_norm, 0),
    "old weight norm": changed(lambda layer: UTILS.weight_norm(layer), 0),
    "old spectral norm": changed(lambda layer: UTILS.spectral_norm(layer), 0),
    "tied": Tied,
    "tied ends": TiedEnds,
    "frozen first": changed(frozen, 0),
    "frozen last": changed(frozen, 2),
    "lazy": lambda: nn.Sequential(
        nn.LazyLinear(6), nn.ReLU(), nn.LazyBatchNorm1d(), nn.LazyLinear(3)
    ),
    "batch norm": normed(),
    "batch norm, no statistics": normed(track_running_stats=False),
    "dropout, in place": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.Dropout(0.3), nn.ReLU(inplace=True), nn.Linear(6, 3)
    ),
    "layer norm": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3)
    ),
    "convolution, batch norm": lambda: Image(nn.BatchNorm2d(4)),
    "convolution, group norm": lambda: Image(nn.GroupNorm(2, 4)),
    "GRU": lambda: Recurrent(nn.GRU),
    "LSTM": lambda: Recurrent(nn.LSTM),
    "encoder": Encoder,
    "attention": Attending,
    "embedding": lambda: Embedding(nn.Embedding),
    "embedding bag": lambda: Embedding(nn.EmbeddingBag),
    "mutates": lambda: Habit(mutates),
    "squeezes": lambda: Habit(squeezes),
    "refuses one": lambda: Habit(refuses_one),
    "keeps": lambda: Habit(keeps),
    "half precision": lambda: Habit(halves),
    "complex": Complex,
    "bare parameters": Bare,
    "spare layer": Spare,
    "scripted": scripted(plain),
    "scripted batch norm": scripted(normed()),
    "compiled": lambda: torch.compile(plain(), backend="eager"),
    "hooked": hooked,
    "bound": bound,
    "parallel": lambda: nn.DataParallel(plain()),
}


def rows_for(shape, n=33):
    rng, y = np.random.default_rng(0), np.arange(n) % 3
    x = (rng.normal(size=(n, 4)) + 2 * np.eye(3, 4)[y]).astype(np.float32)
    if shape.startswith("embedding"):
        x = rng.integers(0, 5, size=(n, 4))
    return Rows(np.arange(100, 100 + n), {"x": x, "y": y})


# ---- the methods


@method
def stepping(module, forget_loader, retain_loader, *, seed):
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for loader in (retain_loader, forget_loader):
        for x, y in loader:
            optimizer.zero_grad()
            functional.cross_entropy(tensor_in(module(x)), y).backward()
            optimizer.step()


METHODS = [
    Retrain(),
    DoNothing(),
    OverForget(),
    Sisa(shards=2, aggregate="mean"),
    FineTune(epochs=1),
    GradientAscent(epochs=1, ceiling=None),
    NegGradPlus(epochs=1),
    RandomLabel(epochs=1),
    SCRUB(epochs=2, push_epochs=1),
    SalUn(epochs=1),
    SSD(),
    LabelFreeSSD(),
    RUM(methods=(DoNothing(), FineTune(epochs=1), SalUn(epochs=1))),
    L1Sparse(epochs=1),
    BadTeacher(epochs=1),
    FisherNoise(),
    CFk(epochs=1),
    EUk(epochs=1),
    BoundaryShrink(epochs=1),
    UNSIR(epochs=2, noise_steps=2),
    Influence(iterations=2),
    EKFAC(),
    Amnesiac(repair=1),
    TaskVector(epochs=1),
    Rewind(),
    NoisyDescent(steps=2),
    Langevin(steps=2),
    stepping,
]

EVERY = {type(m).__name__ for m in METHODS} - {"Retrain", "DoNothing", "OverForget", "Sisa"}
COMPUTED, DRAWN = {"BadTeacher", "EUk"}, {"BadTeacher"}
INPUTS = {"BoundaryShrink", "UNSIR"}
REFUSED = {
    "pruned": COMPUTED | {"EKFAC"},
    "pruned first": DRAWN,
    "weight norm": COMPUTED | {"EKFAC"},
    "spectral norm": DRAWN,
    "old weight norm": DRAWN,
    "old spectral norm": DRAWN,
    "tied": {"EKFAC"},
    "tied ends": {"EKFAC", "CFk", "EUk"},
    "frozen last": {"CFk", "EUk"},
    "encoder": {"EKFAC"},
    "attention": {"EKFAC"},
    "embedding": INPUTS,
    "embedding bag": INPUTS | {"Influence"},
    "keeps": {"EKFAC"},
    "complex": EVERY,
    "bare parameters": {"BadTeacher", "CFk", "EUk", "EKFAC"},
    "spare layer": {"CFk", "EUk", "EKFAC"},
    "scripted": COMPUTED | {"EKFAC"},
    "scripted batch norm": COMPUTED | {"EKFAC"},
    "compiled": {"EKFAC"},
    "bound": EVERY,
}


def bytes_of(model):
    module = getattr(model, "module", None)
    if module is None:
        return [bytes_of(m) for shard in model.checkpoints for m in shard if hasattr(m, "module")]
    return [t.detach().numpy().tobytes() for t in module.state_dict().values()]


def held(one, shape):
    """Hold a method to the law of this file on one shape; return whether it was refused."""
    rows, net = rows_for(shape), Network(module=SHAPES[shape], epochs=1, batch_size=16, lr=0.02)
    learner = one.prepare(net) if hasattr(one, "prepare") else net
    model = learner.learn(rows, seed=0)
    before, said = bytes_of(model), scores(model, rows.x)
    # code of the user's own that is handed a single record meets what its module says to that
    for ids in ([100, 101],) if one is stepping else ([100, 101], [100]):
        why, twice = "", []
        try:
            twice = [one.forget(model, rows, Request(ids=ids), seed=1).model for _ in range(2)]
        except NoRoute as refusal:
            why = str(refusal)
        if not twice:
            assert len(why) > 30 and bytes_of(model) == before
            return True
        assert bytes_of(model) == before and np.array_equal(scores(model, rows.x), said)
        assert bytes_of(twice[0]) == bytes_of(twice[1])
        now = [scores(after, rows.x) for after in twice]
        assert now[0].shape == said.shape and np.isfinite(now[0]).all()
        assert np.array_equal(now[0], now[1])
        assert one.__class__ is DoNothing or not np.array_equal(now[0], said)
    return False


# what torch's compiler says of inputs whose gradient is asked for
COMPILER = "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"


def cells(part):
    """Return (shape, method): of one cell in twelve, with all methods and most shapes, or others.

    What is compiled stands with the others: the compiler takes seconds to load.
    """
    return [
        pytest.param(shape, one, id=f"{shape}-{type(one).__name__}")
        for i, shape in enumerate(SHAPES)
        for j, one in enumerate(METHODS)
        if ((i + j) % 12 == 0 and shape != "compiled") == part
    ]


@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize(("shape", "one"), cells(True))
def test_a_method_works_on_a_shape_or_says_why_not(shape, one):
    assert held(one, shape) == (type(one).__name__ in REFUSED.get(shape, ()))


@pytest.mark.slow
@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize(("shape", "one"), cells(False))
def test_the_rest_of_the_table(shape, one):
    assert held(one, shape) == (type(one).__name__ in REFUSED.get(shape, ()))


# ---- what forward returns, and what it does to its input


def test_whatever_the_outputs_come_in_the_numbers_are_the_same():
    forms = ["dict", "dict of one", "tuple of one", "model output", "dataclass", "named tuple"]
    models = [Network(SHAPES[f], epochs=2).learn(rows_for(f), seed=0) for f in forms]
    assert len({b"".join(bytes_of(m)) for m in models}) == 1


def test_outputs_that_cannot_be_told_are_refused_by_what_they_are():
    rows = rows_for("plain")
    for form, words in (
        (lambda z, h: (z, h), "tuple of 2 tensors"),
        (lambda z, h: {"a": z, "b": h}, r"dict of 2 tensors with the keys \['a', 'b'\]"),
        (lambda z, h: None, "NoneType of 0 tensors"),
        (lambda z, h: z.argmax(dim=1), "int64"),
        (lambda z, h: z.to(torch.complex64), "complex64"),
        (lambda z, h: z.T, r"shape \(3, 33\) for 33 records"),
    ):
        with pytest.raises(BadInput, match=words):
            Network(lambda form=form: Wrapped(form), epochs=1).learn(rows, seed=0)
    deaf = Network(lambda: Habit(lambda self, x: torch.ones(len(x), 3)), epochs=1)
    with pytest.raises(BadInput, match="no parameter that may move has a gradient"):
        deaf.learn(rows, seed=0)


def test_a_module_that_changes_its_input_changes_nobody_elses():
    rows, same = rows_for("mutates"), lambda self, x: self.l((x - 0.5) * 2)
    nets = [Network(lambda h=h: Habit(h), epochs=1, batch_size=16) for h in (mutates, same)]
    for one in (SCRUB(epochs=2, push_epochs=1), RUM(), BoundaryShrink()):
        after = [
            one.forget(n.learn(rows, seed=0), rows, Request(ids=[100, 101]), seed=0).model
            for n in nets
        ]
        assert bytes_of(after[0]) == bytes_of(after[1])


def test_one_record_is_answered_as_among_others():
    for shape in ("squeezes", "refuses one", "plain"):
        model = Network(SHAPES[shape], epochs=1).learn(rows_for(shape), seed=0)
        x = rows_for(shape).x
        assert np.allclose(model.predict_proba(x[:1]), model.predict_proba(x)[:1], atol=1e-6)


def test_a_layers_own_outputs_are_those_before_what_follows_changes_them():
    rows, after = rows_for("plain"), []
    for inplace in (False, True):
        net = Network(
            lambda inplace=inplace: nn.Sequential(
                nn.Linear(4, 6), nn.ReLU(inplace=inplace), nn.Linear(6, 3)
            ),
            epochs=2,
        )
        model = net.learn(rows, seed=0)
        assert float(model.hidden(model.batch(rows), "0").detach().min()) < 0
        after.append(EKFAC().forget(model, rows, Request(ids=[100]), seed=0).model)
    assert bytes_of(after[0]) == bytes_of(after[1])


def test_fractions_are_not_cut_for_modules_that_embed():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.l = nn.Embedding(3, 4), nn.Linear(5, 3)

        def forward(self, x):
            return self.l(torch.cat([self.e(x[:, 0].long()), x[:, 1:]], dim=1))

    x = np.stack([np.arange(30) % 3, np.linspace(0, 0.9, 30)], axis=1)
    rows = Rows(np.arange(30), {"x": x, "y": np.arange(30) % 3})
    model = Network(Mixed, epochs=1).learn(rows, seed=0)
    assert len(np.unique(model.decision_function(x), axis=0)) == 30


# ---- copies, files, and many at once


@pytest.mark.parametrize("shape", SHAPES)
def test_a_model_of_any_shape_is_copied_saved_and_written_in_numbers(shape, tmp_path):
    rows, net = rows_for(shape), Network(SHAPES[shape], epochs=1, batch_size=16)
    model = net.learn(rows, seed=0)
    said = model.decision_function(rows.x)
    assert bytes_of(model) == bytes_of(net.learn(rows, seed=0))
    again = net.load(save(model, tmp_path / "model"))
    for other in (copy.deepcopy(model), again, Network.of(model.module, classes=range(3))):
        assert np.array_equal(other.decision_function(rows.x), said)
    assert np.isfinite(parameters(model)).all() and "parameters" in repr(model)


@pytest.mark.parametrize("shape", ["GRU", "batch norm", "embedding", "complex", "scripted"])
def test_networks_that_make_no_stack_are_memorized_one_by_one(shape):
    rows, net = rows_for(shape), Network(SHAPES[shape], epochs=1, batch_size=16, optimizer="sgd")
    members = stream(0, "members").random((2, 33)) < 0.7
    found = net.subset_outputs(rows.x, rows.y, members, np.array([3, 4]), rows.x[:5])
    for k in range(2):
        one = net.learn(rows.take(members[k]), seed=3 + k)
        assert np.allclose(one.decision_function(rows.x[:5]), found[k], atol=1e-5)


# ---- code of the user's own


def seen_by(batch_size, n):
    rows = rows_for("plain", n)
    model = Network(Layers((4, 3)), classes=range(3), batch_size=batch_size).fresh(rows, seed=0)
    loader = Loader(model, rows, seed=0)
    sizes = [len(x) for x, _ in loader]
    assert len(loader) == len(sizes) and sum(sizes) == loader.given == n
    return sizes


def test_no_batch_of_one_is_handed_out():
    assert seen_by(16, 18) == [16, 2] and seen_by(16, 17) == [17] and seen_by(16, 33) == [16, 17]
    assert seen_by(2, 3) == [3] and seen_by(1, 3) == [1, 1, 1] and seen_by(16, 16) == [16]


def own(module, loader, *, seed):
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for x, y in loader:
        optimizer.zero_grad()
        functional.cross_entropy(module(x), y).backward()
        optimizer.step()


def test_what_learns_in_code_of_ones_own_forgets_too():
    rows = rows_for("batch norm", 18)
    model = Network(SHAPES["batch norm"], train=own, batch_size=16).learn(rows, seed=0)
    for ids in ([105], list(range(101, 118))[:-2]):  # 17 and 3 are left
        assert Retrain().forget(model, rows, Request(ids=ids), seed=0).model.how.batch_size == 16
    gone = stepping.forget(model, rows, Request(ids=[105]), seed=0).model  # a loader of one
    assert np.isfinite(scores(gone, rows.x)).all()
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert model.module[1].training is False


def test_what_is_drawn_in_code_of_ones_own_is_seeded_where_it_can_be():
    def shaken(module, loader, *, seed):
        with torch.no_grad():
            module[0].weight.add_(torch.randn(6, 4) * random.random() * np.random.rand())  # noqa: NPY002

    rows, net = rows_for("plain"), Network(plain, train=shaken)
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    wanted = np.random.rand(), random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    models = [net.learn(rows, seed=s) for s in (0, 0, 1)]
    assert (np.random.rand(), random.random()) == wanted  # noqa: NPY002
    assert bytes_of(models[0]) == bytes_of(models[1]) != bytes_of(models[2])


@pytest.mark.parametrize("learning", [lambda net, rows: net.learn(rows, seed=5), learn])
def test_exactness_of_a_training_of_ones_own_is_shown_and_not_assumed(learning):
    def chance(module, loader, *, seed):
        with torch.no_grad():
            drawn = np.random.default_rng().normal(size=(6, 4))
            module[0].weight.add_(torch.as_tensor(drawn, dtype=torch.float32))

    rows, claims = rows_for("plain"), []
    for train in (own, chance):
        model = learning(Network(plain, train=train), rows)
        for seed in (0, 5):
            claims.append(Retrain().forget(model, rows, Request(ids=[100]), seed=seed).claim)
    assert [c.kind for c in claims] == ["exact", "exact", "heuristic", "heuristic"]
    assert "verified by reproduction" in str(claims[0])
    shards = Sisa(shards=2).prepare(Network(plain, train=chance)).learn(rows, seed=0)
    assert "distribution" in str(Sisa(shards=2).promise(shards, rows, Request(ids=[100])))


def test_what_code_of_ones_own_returns_is_taken_over_or_refused():
    rows = rows_for("plain")

    def returning(what):
        return Network(plain, train=lambda module, loader, *, seed: what()).learn(rows, seed=0)

    other = returning(lambda: plain().double().train())
    assert not other.module.training and other.predict(rows.x).shape == (33,)
    with pytest.raises(BadInput, match="5 outputs for 3 classes"):
        returning(lambda: nn.Linear(4, 5))
    with pytest.raises(BadInput, match="train= returned list"):
        returning(list)
    with pytest.raises(Diverged, match="train= left"):
        returning(lambda: changed(lambda layer: layer.weight.data.fill_(np.nan), 0)())

    def broken():
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        returning(broken)

    @method
    def spoils(module, forget_loader, *, seed):
        module[0].weight.data.fill_(np.inf)

    model = Network(plain, epochs=1).learn(rows, seed=0)
    with pytest.raises(Diverged, match="spoils left"):
        spoils.forget(model, rows, Request(ids=[100]), seed=0)


def test_what_are_no_records_is_refused_by_name_on_every_way_in():
    from torch.utils.data import DataLoader, IterableDataset, TensorDataset

    class Endless(IterableDataset):
        def __iter__(self):
            yield torch.zeros(4), 0

    rows, net = rows_for("plain"), Network(plain, epochs=1)
    model, data = net.learn(rows, seed=0), TensorDataset(torch.zeros(3, 4), torch.arange(3))
    for strange in (Endless(), data, DataLoader(data), (rows.x, rows.y), rows.x, None):
        for way in (
            lambda what=strange: net.learn(what, seed=0),
            lambda what=strange: Network(plain, train=own).learn(what, seed=0),
            lambda what=strange: FineTune().forget(model, what, Request(ids=[100]), seed=0),
            lambda what=strange: stepping.forget(model, what, Request(ids=[100]), seed=0),
        ):
            with pytest.raises(BadInput, match="records are rows with ids, got"):
                way()


# ---- classes that vanish, other targets, sequences


@pytest.mark.parametrize("labels", [np.array(["a", "b", "c"]), np.array([1, 2, 3])])
def test_a_class_keeps_its_output_when_its_last_record_goes(labels):
    rows, net = rows_for("plain"), Network(plain, epochs=1, batch_size=16)
    rows = Rows(rows.ids, {"x": rows.x, "y": labels[rows.y]})
    last = Request(ids=rows.ids[rows.y == labels[2]])
    model = net.learn(rows, seed=0)
    for one in (Retrain(), OverForget(), FineTune(epochs=1), RandomLabel(epochs=1)):
        assert np.array_equal(one.forget(model, rows, last, seed=0).model.classes_, labels)
    for how in ("vote", "mean"):
        shards = Sisa(shards=2, aggregate=how).prepare(net).learn(rows, seed=0)
        gone = Sisa(shards=2, aggregate=how).forget(shards, rows, last, seed=0).model
        assert np.array_equal(gone.classes_, labels[:2])
        assert set(gone.predict(rows.x)) <= set(labels[:2].tolist())
    assert run(FineTune(epochs=1), net, rows, forget=last, tier="screen").tier == "screen"
    assert len(audit(FineTune(epochs=1), net, rows, last, seeds=[0]).readings) > 2
    assert len(tune(FineTune(epochs=1), net, rows, last, seed=0, trials=1).trials) == 1


def test_targets_and_outputs_of_other_widths_are_refused():
    x = rows_for("plain").x
    two = Rows(np.arange(33), {"x": x, "y": x[:, :2].astype(float)})
    with pytest.raises(BadInput, match="3 numbers for targets of 2"):
        Network(plain, loss="squared").learn(two, seed=0)
    with pytest.raises(BadInput, match="one label a record"):
        Network(plain).learn(Rows(np.arange(33), {"x": x, "y": (x[:, :2] > 0) * 1}), seed=0)


@pytest.fixture(scope="module")
def tokens():
    rng = np.random.default_rng(0)
    rows = sequences([[*rng.integers(1, 6, size=3 + k % 3), 0] for k in range(18)], prompts=1)
    shape = Transformer(6, end=0, width=8, heads=2, layers=1, length=8)
    return rows, Network(shape, loss="next_token", steps=15, lr=0.02, batch_size=8)


def test_sequences_are_audited_by_how_likely_their_tokens_are(tokens):
    rows, net = tokens
    model, used, fresh = net.learn(rows, seed=0), rows.take(range(14)), rows.take(range(14, 18))
    losses = model.losses(model.batch(rows)).detach().numpy()
    assert np.allclose(margins(model, rows.x, rows.y), -losses, atol=1e-6)
    assert scores(model, rows.x).shape == (18, 1)
    request = Request(ids=[0, 1])
    found = audit(FineTune(epochs=1), net, used, request, holdout=fresh, seeds=[0, 1])
    names = {r.name for r in found.readings} | set(found.refusals)
    assert {"prediction gap", "residual fraction", "holdout utility", "membership"} <= names
    assert found.reading("holdout utility").unit == "token accuracy"
    model = learn(net, used)
    denied = OverForget(strength=5).forget(model, used, request, seed=0)
    one = used.select([0, 1])
    assert margins(denied.model, one.x, one.y).mean() < margins(model, one.x, one.y).mean()
    whole = audit_model(model, denied, used, request, holdout=fresh, twins=2)
    assert len(whole.readings) > 2


def test_what_an_audit_cannot_compare_is_refused_before_anything_is_learned(tokens):
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multioutput import MultiOutputClassifier

    x = rows_for("plain").x
    numbers = Rows(np.arange(33), {"x": x, "y": x[:, 0].astype(float)})
    labels = Rows(np.arange(33), {"x": x, "y": (x[:, :2] > 0) * 1})
    counted = []

    def counting(*_):
        counted.append(1)

    network = Network(lambda: nn.Linear(4, 1), loss="squared")
    for learner, rows in ((tokens[1], tokens[0]), (network, numbers), (Ridge(), numbers)):
        with pytest.raises(BadInput, match="arms compare classifiers"):
            run(Retrain(), learner, rows, forget=[0], tier="screen", progress=counting)
    several = MultiOutputClassifier(LogisticRegression())
    with pytest.raises(BadInput, match="one label a record"):
        audit(Retrain(), several, labels, Request(ids=[0]), progress=counting)
    with pytest.raises(NoRoute, match="tune compares losses, and Ridge states none"):
        tune(FineTune(), Ridge(), numbers, Request(ids=[0]), seed=0)
    assert not counted


def test_sequence_modules_may_return_dicts_too(tokens):
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.r = nn.Embedding(6, 4), nn.GRU(4, 5, batch_first=True)
            self.l = nn.Linear(5, 6)

        def forward(self, tokens):
            return {"logits": self.l(self.r(self.e(tokens))[0])}

    rows, net = tokens[0], Network(Reader, loss="next_token", steps=4, batch_size=8)
    model = net.learn(rows, seed=0)
    for one in (NegGradPlus(epochs=1), Influence(iterations=2), SSD()):
        assert len(margins(one.forget(model, rows, Request(ids=[0]), seed=0).model, rows.x, rows.y))
    assert model.decision_function(rows.x[:2, :2]).shape == (2, 6)
    assert model.recalled(rows).shape == rows.y.shape
