"""Saved models: what is read from a file is checked before it is used."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import json
import os
import stat
import time
import warnings
import zipfile
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import skops.io as io_of_skops
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler

from fuzzing import mutants, survey
from unteach.core import (
    BadInput,
    Corrupt,
    Exact,
    Request,
    Rows,
    Saved,
    UnteachError,
    arrays_from,
)
from unteach.data import sequences
from unteach.data.files.tables import write_table as write
from unteach.kernel import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from unteach.models import (
    CNN,
    MLP,
    Layers,
    Logistic,
    NaiveBayes,
    Neighbours,
    Network,
    Pipeline,
    Ridge,
    Scaler,
    Transformer,
    load,
    save,
    saving,
)
from unteach.models.networks.training import Checkpoint
from unteach.models.saving import saved_of
from unteach.unlearn import Langevin, Newton, NoisyDescent, Sisa

# the harness itself


def test_mutants_are_the_same_for_a_seed_and_differ_from_what_they_were():
    seeds = [b"one seed of some length", b"", b"another"]
    once = list(mutants(seeds, 200, seed=1))
    assert once == list(mutants(seeds, 200, seed=1)) != list(mutants(seeds, 200, seed=2))
    assert len(set(once)) > 100


def _use(case: bytes) -> object:
    if case == b"crash":
        return ctypes.string_at(0)
    if case == b"hang":
        time.sleep(60)
    if case == b"eat":
        return bytearray(2**31)
    if case == b"leave":
        os._exit(7)
    if case == b"raw":
        raise KeyError("raw")
    if case == b"refuse":
        raise BadInput("refused")
    return len(case)


def test_a_survey_catches_crashes_hangs_memory_and_raw_errors_and_goes_on():
    cases = [b"fine", b"crash", b"refuse", b"hang", b"eat", b"crash", b"leave", b"raw", b"fine"]
    faults = survey(_use, cases, seconds=1)
    assert [fault.case for fault in faults] == [1, 3, 4, 5, 6, 7]
    said = ["SIGSEGV", "no answer after 1 seconds", "more than 1024 MB", "SIGSEGV", "exit 7"]
    for fault, words in zip(faults, [*said, "KeyError: 'raw'"], strict=True):
        assert words in str(fault), fault
        assert fault.data == cases[fault.case]


@pytest.mark.parametrize("cases", [[], [b"fine"] * 3, [b"crash"]])
def test_a_survey_ends(cases):
    assert len(survey(_use, cases)) == cases.count(b"crash")


# what is read is checked


def _data():
    r = np.random.default_rng(0)
    x = r.normal(size=(24, 3))
    return x, (x[:, 0] + 0.3 * r.normal(size=24) > 0).astype(int)


X, Y = _data()
ROWS = Rows(np.arange(24), {"x": X, "y": Y})
FEW = {"epochs": 2, "batch_size": 8}


def _kernels():
    three, gram = Y + (X[:, 1] > 0.8), X @ X.T
    return {
        "SVC": SVC(C=2.0).fit(X, Y),
        "SVC forgotten": SVC(class_weight="balanced").fit(X, Y).forget([3, 5]),
        "SVC three": SVC(kernel="poly", degree=2).fit(X, three).canonicalize(),
        "SVC gram": SVC(kernel="precomputed").fit(gram, Y),
        "SVC sigmoid": SVC(kernel="sigmoid", gamma=0.5, coef0=-1.0).fit(X, Y),
        "SVC hard": SVC(C=np.inf, gamma=2.0).fit(X, Y),
        "NuSVC": NuSVC(nu=0.4).fit(X, Y),
        "SVR": SVR(epsilon=0.2).fit(X, X[:, 1]),
        "SVR gram": SVR(kernel="precomputed").fit(gram, X[:, 1]),
        "NuSVR": NuSVR(C=3.0).fit(X, X[:, 1]).canonicalize(),
        "OneClassSVM": OneClassSVM(nu=0.3).fit(X),
    }


def _own():
    text = np.array(["no", "yes"])[Y]
    return {
        "Logistic": Logistic().fit(X, text, sample_ids=[f"id{i}" for i in range(24)]),
        "Ridge": Ridge().fit(X, X @ np.ones((3, 2))).forget([1]),
        "NaiveBayes": NaiveBayes().fit(X, Y),
        "Neighbours": Neighbours(3).fit(X, Y),
        "Scaler": Scaler().fit(X),
        "Scaler frozen": Scaler("frozen").fit(X).forget([2]),
        "Scaler public": Scaler("public").fit(X),
        "Pipeline": Pipeline([("s", Scaler()), ("m", Logistic())]).fit(X, Y),
        "Pipeline foreign": Pipeline([("s", MinMaxScaler()), ("m", Ridge())]).fit(X, X[:, 0]),
    }


def _networks():
    cnn, squares = CNN(channels=(8, 8), **FEW), np.tile(X, (1, 6))[:, :16]
    layers = Network(module=Layers((3, 4, 2)), **FEW)
    numbers = Network(module=Layers((3, 1)), loss="squared", **FEW)
    shape = Transformer(5, end=0, width=8, heads=2, layers=1, length=4)
    words = sequences([[1, 2, 0], [2, 1, 0], [3, 4, 0]], prompts=1)
    return {
        "MLP": MLP(hidden=(4,), scale="standard", **FEW).learn(ROWS, seed=0),
        "CNN": cnn.learn(Rows(ROWS.ids, {"x": squares, "y": Y}), seed=0),
        "Network": layers.learn(ROWS, seed=0),
        "Network numbers": numbers.learn(Rows(ROWS.ids, {"x": X, "y": X[:, 0]}), seed=0),
        "Sequences": Network(shape, loss="next_token", steps=2).learn(words, seed=0),
    }


def _methods():
    return {
        "Sisa": Sisa(shards=2, slices=2).prepare(NaiveBayes()).learn(ROWS, seed=0),
        "Sisa foreign": Sisa(shards=2).prepare(GaussianNB()).learn(ROWS, seed=0),
        "Newton": Newton(epsilon=1.0, delta=1e-3).prepare().learn(ROWS, seed=0),
        "NoisyDescent": NoisyDescent(epsilon=1.0, delta=1e-3).prepare().learn(ROWS, seed=0),
        "Langevin": Langevin(epsilon=1.0, delta=1e-3).prepare().learn(ROWS, seed=0),
        "LogisticRegression": LogisticRegression().fit(X, Y),
    }


@cache
def _files():
    """Return every kind of saved model by name: whole, and as it serves."""
    models = {**_kernels(), **_own(), **_networks(), **_methods()}
    whole = {name: saved_of(model).to_bytes() for name, model in models.items()}
    serving = {f"{k} serving": saved_of(v, serving=True).to_bytes() for k, v in models.items()}
    return {**whole, **serving}


VALUES = [
    0,
    1,
    -1,
    2,
    0.5,
    -0.5,
    1.0000001,
    1e300,
    2**31 - 1,
    2**63,
    "inf",
    "-inf",
    "nan",
    "x",
    "",
    None,
    True,
    False,
    [],
    {},
    [0],
    [[1, 2]],
    "0" * 64,
]


def _other(array, rng):
    """Return an array that differs in a value, its order, its shape or its type."""
    flat = array.reshape(-1).copy()
    match rng.integers(8):
        case 0 | 1 | 2 if flat.size:
            at = rng.integers(flat.size)
            some = [0, 1, -1, 7, 1e-9, 0.3, 1e300, np.nan, np.inf, 2**31 - 1, -(2**31)]
            near = [] if flat.dtype.kind in "UbS" else [flat[at] * 1.001, -flat[at]]
            value = [*some, *near][rng.integers(len(some) + len(near))]
            with np.errstate(all="ignore"):
                flat[at] = np.array(value).astype(flat.dtype)
            return flat.reshape(array.shape)
        case 3 if flat.size:
            return rng.permutation(flat).reshape(array.shape)
        case 4:
            shapes = [(-1,), (1, -1), (-1, 1), (*array.shape, 1), array.shape[::-1]]
            return flat.reshape(shapes[rng.integers(len(shapes))])
        case 5:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if flat.dtype.kind in "US":
                    return array.astype("S8")
                kinds = ["<f4", ">f8", "<i4", "i8", "u1", "bool", "c16"]
                return array.astype(kinds[rng.integers(len(kinds))])
        case 6 if array.ndim and len(array):
            return array[1:]
        case 7 if array.ndim:
            return np.concatenate([array, array])
    return flat[:0]


def _altered(value, rng):
    """Return settings of which one differs."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = list(value)[rng.integers(len(value))]
        if rng.random() < 0.05:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _altered(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.integers(len(value))
        if rng.random() < 0.1:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _altered(value[at], rng), *value[at + 1 :]]
    if isinstance(value, float) and rng.random() < 0.5:
        return value * [1.1, -1.0, 1e-8][rng.integers(3)]
    return VALUES[rng.integers(len(VALUES))]


def _rewritten(raw, rng):
    """Return a file of which something differs, under right checksums and a right digest."""
    if raw[:1] == b"\x93":
        out = io.BytesIO()
        np.save(out, _other(np.load(io.BytesIO(raw)), rng))
        return out.getvalue()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if "schema.json" in parts:
        name = list(parts)[rng.integers(len(parts))]
        if name == "schema.json":
            parts[name] = json.dumps(_altered(json.loads(parts[name]), rng)).encode()
        else:
            parts[name] = _rewritten(parts[name], rng)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        return out.getvalue()
    saved = Saved.from_bytes(raw)
    arrays, blobs = dict(saved.arrays), dict(saved.blobs)
    inside = [name for name, blob in blobs.items() if blob[:2] == b"PK"]
    if inside and rng.random() < 0.7:
        name = inside[rng.integers(len(inside))]
        blobs[name] = _rewritten(blobs[name], rng)
        return Saved(saved.kind, saved.config, arrays, blobs).to_bytes()
    if not arrays or rng.random() < 0.4:
        config = _altered(dict(saved.config), rng)
        config = config if isinstance(config, dict) else {}
        return Saved(saved.kind, config, arrays, blobs).to_bytes()
    name = list(arrays)[rng.integers(len(arrays))]
    if rng.random() < 0.05:
        del arrays[name]
    else:
        arrays[name] = _other(arrays[name], rng)
    return Saved(saved.kind, saved.config, arrays, blobs).to_bytes()


def _rewrites(seeds, n, *, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        case = seeds[rng.integers(len(seeds))]
        for _ in range(rng.choice([1, 1, 2])):
            case = _rewritten(case, rng)
        yield case


def _finite(model, x):
    """Assert that all that a model says of rows is finite."""
    for name in ("transform", "predict", "decision_function", "predict_proba"):
        if hasattr(model, name):
            said = np.asarray(getattr(model, name)(x))
            assert said.dtype.kind not in "fc" or np.isfinite(said).all(), f"{name} is not finite"


def _values(model, x):
    """Return the numbers behind a model's answers."""
    for name in ("decision_function", "predict_proba", "predict"):
        if hasattr(model, name):
            return np.asarray(getattr(model, name)(x))
    return model.transform(x)


def _retrained(model):
    """Return a model of the rows that a loaded one holds; None where it does not say how."""
    params = getattr(model, "_params", {})
    if not hasattr(model, "sample_ids_") or getattr(model.claim_, "given", ("?",)):
        return None
    if hasattr(model, "_held") and not isinstance(model, Scaler):
        held = model._held
        weight = {} if isinstance(model, Neighbours) else {"sample_weight": held.weight}
        return type(model)(**params).fit(held.x, held.y, sample_ids=held.ids, **weight)
    machine = getattr(model, "_machine", getattr(model, "_parts", None))
    if machine is None:
        return None
    x = machine.gram if params["kernel"] == "precomputed" else machine.x
    y = () if isinstance(model, OneClassSVM) else (model._labels,)
    return type(model)(**params).fit(x, *y, sample_weight=model._weights)


METHODS = (Sisa(), Newton(epsilon=1.0, delta=1e-3), NoisyDescent(epsilon=1.0, delta=1e-3))


def _use_of(folder):
    """Return what is done with a file: load it, predict, compare with a fit, forget, predict."""
    x = {3: X, 24: X @ X.T, 16: np.tile(X, (1, 6))[:, :16]}

    def use(case):
        path = folder / f"case-{os.getpid()}"
        path.write_bytes(case)
        model = load(path)
        if b'"kind":"skops"' in case:  # scikit-learn may say in its own words what is wrong
            with contextlib.suppress(ValueError, TypeError, IndexError, AttributeError):
                np.asarray(model.predict(X))
            return True
        if type(model).__name__ == "SequenceModel":
            _finite(model, np.array([[1], [2]]))
            return True
        width = getattr(model, "n_features_in_", None) or X.shape[1]
        queries = x.get(width, np.zeros((2, width)) if width < 1000 else X)
        _finite(model, queries)
        again = _retrained(model) if isinstance(getattr(model, "claim_", None), Exact) else None
        if again is not None and isinstance(again.claim_, Exact):
            values = [_values(one, queries) for one in (model, again)]
            most = 10 * (model.claim_.atol + again.claim_.atol)
            apart = np.abs(values[0] - values[1]).max()
            assert apart <= most, f"{model!r} claims {model.claim_} and is {apart} off"
        if hasattr(model, "forget") and hasattr(model, "sample_ids_"):
            model.forget(model.sample_ids_[:1])
            _finite(model, queries)
        for method in METHODS if {"checkpoints", "ledger_"} & set(vars(model)) else ():
            with contextlib.suppress(UnteachError):
                _finite(method.forget(model, ROWS, Request(ids=[5]), seed=0).model, X)

    return use


HEAVY = pytest.mark.slow


@pytest.mark.filterwarnings("ignore::unteach.kernel.DataDependentStatistics")
@pytest.mark.parametrize("n", [250, pytest.param(2500, marks=HEAVY)])
def test_damaged_and_altered_files_are_used_soundly_or_refused(n, tmp_path):
    files = list(_files().values())
    cases = [*mutants(files, n // 5, seed=n), *_rewrites(files, n - n // 5, seed=n)]
    use, accepted = _use_of(tmp_path), tmp_path / "accepted"

    def counted(case):
        use(case)
        with open(accepted, "ab") as out:
            out.write(b".")

    faults = survey(counted, cases)
    assert not faults, "\n".join(map(str, faults[:5]))
    assert n / 100 < len(accepted.read_bytes()) < n / 2  # an unharmful change is let through


@pytest.mark.filterwarnings("ignore::unteach.kernel.DataDependentStatistics")
def test_unharmed_files_of_every_kind_are_used(tmp_path):
    assert not survey(_use_of(tmp_path), _files().values())
    for name, raw in _files().items():
        path = tmp_path / "model"
        path.write_bytes(raw)
        model = load(path)
        if "serving" in name and isinstance(getattr(model, "claim_", None), Exact):
            assert "the file's own word" in str(model.claim_), name
        elif hasattr(model, "claim_") and "foreign" not in name:
            assert "the file's own word" not in str(model.claim_), name


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("SVC", "pair_b"),
        ("SVC", "labels"),
        ("SVC", "x"),
        ("SVC", "weights"),
        ("SVC gram", "gram"),
        ("SVC three", "bounds"),
        ("SVC forgotten", "class_weight"),
        ("SVR", "part_b"),
        ("SVR", "part_variables"),
        ("SVR", "labels"),
        ("NuSVC", "part_levels"),
        ("OneClassSVM", "part_b"),
        ("Logistic", "coef_"),
        ("Logistic", "y"),
        ("Ridge", "coef_"),
        ("Ridge", "x"),
        ("NaiveBayes", "theta_"),
        ("NaiveBayes", "var_"),
        ("Scaler", "mean_"),
        ("Scaler public", "squares"),
        ("Scaler frozen", "scale_"),
    ],
)
def test_numbers_that_the_rows_do_not_give_are_refused(name, array, tmp_path):
    saved = Saved.from_bytes(_files()[name])
    values = saved.arrays[array].copy()
    flat = values.reshape(-1)
    if values.dtype.kind == "U":
        flat[0] = next(v for v in flat.tolist() if v != flat[0])
    elif array == "labels" and name == "SVC":
        flat[0] = 1 - flat[0]
    elif array in ("gram", "labels"):
        values *= 1.01
    else:
        at = int(np.argmax(np.abs(flat)))
        flat[at] = flat[at] * 2 if values.dtype.kind == "i" else flat[at] * 1.01
    altered = replace(saved, arrays={**saved.arrays, array: values})
    (tmp_path / "m").write_bytes(altered.to_bytes())
    with pytest.raises(Corrupt):
        load(tmp_path / "m")


def test_a_claim_that_the_rows_do_not_bear_out_is_not_repeated(tmp_path):
    for name in ("SVC sigmoid", "SVC forgotten", "Logistic"):
        saved = Saved.from_bytes(_files()[name])
        kept = load(_written(tmp_path, saved)).claim_
        config = {**saved.config, "claim": {"kind": "exact", "atol": 0.0, "given": []}}
        assert load(_written(tmp_path, replace(saved, config=config))).claim_ == kept


def _written(folder, saved):
    path = folder / "model"
    path.write_bytes(saved if isinstance(saved, bytes) else saved.to_bytes())
    return path


def test_a_kernel_matrix_of_another_shape_is_refused(tmp_path):
    saved = Saved.from_bytes(_files()["SVC gram"])
    for shape in ((1, -1), (-1, 1), (12, 48)):
        arrays = {**saved.arrays, "gram": saved.arrays["gram"].reshape(shape)}
        with pytest.raises(Corrupt, match="gram"):
            load(_written(tmp_path, replace(saved, arrays=arrays)))
    for name, code in (("codes", 2**31 - 1), ("pair_columns", -1)):
        served = Saved.from_bytes(_files()["SVC gram serving"])
        arrays = {**served.arrays, name: np.full_like(served.arrays[name], code)}
        with pytest.raises(Corrupt, match=name):
            load(_written(tmp_path, replace(served, arrays=arrays)))


def test_a_digest_finds_what_a_checksum_does_not():
    raw = _files()["Ridge"]
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in ("coef_.npy", "model.json"):
        data = parts[name]
        other = (
            data[:-1] + bytes([data[-1] ^ 1])
            if name == "coef_.npy"
            else data.replace(b'"alpha":1.0', b'"alpha":2.0')
        )
        assert other != data
        with pytest.raises(Corrupt, match="not those that were written"):
            Saved.from_bytes(_zipped({**parts, name: other}))
    old = _zipped(
        {**parts, "model.json": parts["model.json"].replace(b'"format":2', b'"format":1')}
    )
    with pytest.raises(Corrupt, match="has format '1'; this version reads format 2"):
        Saved.from_bytes(old)


def _zipped(parts, how=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


# small files that would eat the machine


def _skops(array, *, copies=1):
    """Return a compressed skops file of a model with a large array, named several times."""
    model = LogisticRegression().fit(X, Y)
    model.coef_ = array
    schema, parts = {}, {}
    with zipfile.ZipFile(io.BytesIO(io_of_skops.dumps(model))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["schema.json"])
    held = schema["content"]["content"]
    held["more"] = {
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "__id__": 1,
        "content": [{**held["coef_"], "__id__": k + 2} for k in range(copies - 1)],
    }
    return _zipped({**parts, "schema.json": json.dumps(schema)}, zipfile.ZIP_DEFLATED)


def _overlapping(n=20_000):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model.json", b"{}")
        archive.writestr("part", bytes(4_000_000))
        for k in range(n):
            twin = copy.copy(archive.infolist()[1])
            twin.filename = f"{k}"
            archive.filelist.append(twin)
    return out.getvalue()


def _nested(depth=3000):
    config = {"steps": ["a"], "statistics": "follow", "serving": False}
    raw = b""
    for _ in range(depth):
        raw = Saved("unteach.models:Pipeline", config, {}, {"step-00": raw}).to_bytes()
    return raw


def _later_version():
    raw = bytearray(_zipped({"model.json": b"{}"}))
    raw[raw.index(b"PK\1\2") + 6] = 99
    return bytes(raw)


def _wide_network():
    saved = Saved.from_bytes(_files()["Network"])
    factory = {**saved.config["factory"], "params": {"widths": [3, 10**9, 2], "activation": "relu"}}
    return replace(saved, config={**saved.config, "factory": factory}).to_bytes()


def _many_layers():
    saved = Saved.from_bytes(_files()["Sequences"])
    params = {**saved.config["factory"]["params"], "layers": 10**9}
    factory = {**saved.config["factory"], "params": params}
    return replace(saved, config={**saved.config, "factory": factory}).to_bytes()


def _many_shards():
    saved = Saved.from_bytes(_files()["Sisa"])
    return replace(saved, config={**saved.config, "shards": 10**12}).to_bytes()


LARGE = {
    "zip bomb": lambda: _skops(np.zeros((1, 40_000_000))),
    "one array named often": lambda: _skops(np.zeros((1, 1_000_000)), copies=1000),
    "overlapping entries": _overlapping,
    "files in files": _nested,
    "deep settings": lambda: _zipped({"schema.json": "[" * 100_000}),
    "deep header": lambda: _zipped({"model.json": '{"config":' * 100_000}),
    "a version to come": _later_version,
    "a wide network": _wide_network,
    "a network of many layers": _many_layers,
    "many shards": _many_shards,
}


@pytest.mark.parametrize("name", LARGE)
def test_small_files_do_not_eat_the_machine(name, tmp_path):
    raw = LARGE[name]()
    assert len(raw) < 6e6

    def refused(case):
        with pytest.raises(UnteachError):
            load(_written(tmp_path, case))

    assert not survey(refused, [raw], seconds=10, megabytes=256)


def test_a_limit_is_stated_and_can_be_raised(tmp_path, monkeypatch):
    path = _written(tmp_path, _skops(np.zeros((1, 1_000_000))))
    load(path)
    monkeypatch.setenv("UNTEACH_UNPACKED", "1000000")
    with pytest.raises(BadInput, match=r"would unpack to [\d,]+; at most"):
        load(path)
    load(path, unpacked=10**7)
    monkeypatch.setenv("UNTEACH_UNPACKED", "much")
    with pytest.raises(BadInput, match="number of bytes"):
        load(path)


@pytest.mark.parametrize("npz", [False, True])
def test_an_array_whose_header_promises_too_much_is_refused(npz):
    out = io.BytesIO()
    np.save(out, np.zeros((2, 3)))
    raw = out.getvalue().replace(b"(2, 3), }          ", b"(2000000000, 3), } ")
    assert raw != out.getvalue()
    with pytest.raises(Corrupt, match="bytes hold"):
        arrays_from(_zipped({"a.npy": raw}) if npz else raw, where="it")


# who may read what is written


def test_files_that_hold_rows_are_read_by_their_owner_alone(tmp_path):
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    path, umask = tmp_path / "m", os.umask(0o022)
    try:
        svc, ridge = SVC().fit(X, Y), Ridge().fit(X, X[:, 0])
        for written in (svc.save(path), save(LogisticRegression().fit(X, Y), tmp_path / "s")):
            assert mode(written) == 0o600
        assert mode(svc.export(tmp_path / "vectors")) == 0o600
        assert mode(ridge.export(tmp_path / "open")) == 0o644
        assert mode(ridge.save(tmp_path / "open")) == 0o600  # closed when rows come in,
        assert mode(ridge.export(tmp_path / "open")) == 0o600  # and not opened again
        layers = Network(module=Layers((3, 2)), **FEW)
        layers.learn(ROWS, seed=0, checkpoint=Checkpoint(tmp_path / "c", every=1))
        assert mode(tmp_path / "c") == 0o600
        assert mode(write(ROWS, tmp_path / "rows.csv")) == 0o600
    finally:
        os.umask(umask)


def test_a_version_of_skops_in_which_files_run_code_is_refused(tmp_path, monkeypatch):
    path = save(LogisticRegression().fit(X, Y), tmp_path / "m")
    monkeypatch.setattr(saving, "version", lambda name: "0.13.2")
    with pytest.raises(BadInput, match=r"pip install 'skops>=0\.14'"):
        load(path)


# checkpoints of a training


def test_an_altered_checkpoint_is_refused(tmp_path):
    layers, path = Network(module=Layers((3, 2)), **FEW), tmp_path / "c"
    layers.learn(ROWS, seed=0, checkpoint=Checkpoint(path, every=1))
    raw = path.read_bytes()
    again = layers.learn(ROWS, seed=0, checkpoint=Checkpoint(path, every=1))
    assert np.isfinite(again.predict_proba(X)).all()

    def use(case):
        path.write_bytes(case)
        layers.learn(ROWS, seed=0, checkpoint=Checkpoint(path, every=1))

    at = len(raw) - 3  # in the numbers
    path.write_bytes(raw[:at] + bytes([raw[at] ^ 64]) + raw[at + 1 :])
    with pytest.raises(Corrupt, match="not those that were written"):
        layers.learn(ROWS, seed=0, checkpoint=Checkpoint(path, every=1))
    assert not survey(use, mutants([raw], 40, seed=0))
