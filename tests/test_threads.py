"""Threads that share a model: no change is lost, and whoever reads sees one whole state."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading
import time
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import KBinsDiscretizer

import unteach
from unteach.core import Forgets, Request, UnknownRecord
from unteach.data import rows
from unteach.engine.worker import limited
from unteach.kernel import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from unteach.models import (
    MLP,
    Logistic,
    NaiveBayes,
    Neighbours,
    Pipeline,
    Ridge,
    Scaler,
    as_learner,
    load,
    scores,
)
from unteach.unlearn import Native, Newton, Retrain, Sisa

N, GONE = 90, 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
SCORE = X[:, 0] + 0.5 * RNG.normal(size=N)
TWO, THREE = (SCORE > 0).astype(int), np.digitize(SCORE, [-0.5, 0.5])
MODELS = {
    "SVC": (SVC(gamma=0.3), TWO),
    "SVC of three classes": (SVC(gamma=0.3), THREE),
    "linear SVC": (SVC(kernel="linear"), TWO),
    "SVC on kernel rows": (SVC(gamma=0.3, cache_size=0.02), TWO),
    "NuSVC": (NuSVC(nu=0.3, gamma=0.3), TWO),
    "SVR": (SVR(gamma=0.3, C=0.5), SCORE),
    "NuSVR": (NuSVR(gamma=0.3, C=0.5), SCORE),
    "OneClassSVM": (OneClassSVM(gamma=0.3, nu=0.3), None),
    "Logistic": (Logistic(), THREE),
    "Ridge": (Ridge(), SCORE),
    "NaiveBayes": (NaiveBayes(), THREE),
    "Neighbours": (Neighbours(n_neighbors=3), THREE),
    "Scaler": (Scaler(), None),
    "Pipeline": (Pipeline([("scale", Scaler()), ("model", Logistic())]), TWO),
    "Pipeline with a machine": (
        Pipeline([("scale", Scaler(statistics="frozen")), ("model", SVC(gamma=0.3))]),
        TWO,
    ),
    "Pipeline with an encoder": (
        Pipeline(
            [
                ("bins", KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform")),
                ("model", Ridge()),
            ]
        ),
        SCORE,
    ),
}


@pytest.fixture(autouse=True)
def restless():
    """Let Python change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
    sys.setswitchinterval(before)


def learned(name, ids=None):
    """Return the model of this name, on all rows or on these."""
    model, y = MODELS[name]
    ids = np.arange(N) if ids is None else np.sort(ids)
    return clone(model).fit(X[ids], None if y is None else y[ids], sample_ids=ids)


def answers(model):
    return model.transform(X) if isinstance(model, Scaler) else scores(model, X)


def together(*works):
    """Run these at the same moment, each in a thread of its own; return what they returned."""
    gate, out, errors = threading.Barrier(len(works)), [None] * len(works), []

    def go(k, work):
        gate.wait()
        try:
            out[k] = work()
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=go, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)
    return out


def whole(model, name):
    """Hold a model to its own ids: it answers as one that learned these rows alone."""
    want = learned(name, model.sample_ids_)
    if getattr(model.claim_, "given", ()):  # of constants of the first fit: only ids are compared
        return
    atol = 1e-7 + model.claim_.atol + want.claim_.atol
    np.testing.assert_allclose(answers(model), answers(want), rtol=0, atol=atol)


def lose_nothing(name, trials):
    for _ in range(trials):
        model = learned(name)
        together(*(partial(model.forget, [i]) for i in range(GONE)))
        assert sorted(model.sample_ids_) == list(range(GONE, N))
        whole(model, name)


@pytest.mark.parametrize("name", MODELS)
def test_no_request_of_many_threads_is_lost(name):
    lose_nothing(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_no_request_of_many_threads_is_ever_lost(name):
    lose_nothing(name, 24)


@pytest.mark.parametrize("name", MODELS)
def test_whoever_reads_during_changes_sees_one_whole_state(name, tmp_path):
    """Answers are those of one of the states that one thread goes through; copies are whole."""
    model = learned(name)
    states, atol = [answers(model)], 0.0
    trial = copy.deepcopy(model)
    for i in range(12):
        states.append(answers(trial.forget([i])))
        atol = max(atol, getattr(trial.claim_, "atol", 0.0))
    states, atol = np.array(states), 1e-9 + 2 * atol
    copies, done = [], threading.Event()

    def change():
        try:
            for i in range(12):
                model.forget([i])
        finally:
            done.set()

    def until_done(read):
        def work():
            while not done.is_set():
                read()
                time.sleep(1e-3)
            read()

        return work

    def answer():
        apart = np.abs(states - answers(model)).reshape(len(states), -1).max(axis=1)
        assert apart.min() <= atol

    def write():
        copies.append(load(model.save(tmp_path / "model")))

    together(
        change,
        until_done(answer),
        until_done(lambda: (model.claim_, model.sample_ids_, model.keeps())),
        until_done(lambda: copies.append(copy.deepcopy(model))),
        until_done(lambda: copies.append(pickle.loads(pickle.dumps(model)))),
        until_done(lambda: copies.append(model.without([50]))),
        *([] if "encoder" in name else [until_done(write)]),  # slow for other people's steps
    )
    assert sorted(model.sample_ids_) == list(range(12, N))
    seen = {len(one.sample_ids_): one for one in copies}
    for one in seen.values():
        whole(one, name)


@pytest.mark.parametrize("name", ["SVC", "NuSVC", "Logistic", "Scaler", "Pipeline"])
def test_a_model_is_fitted_at_every_moment_of_being_fitted_again(name):
    model, done = learned(name), threading.Event()

    def again():
        try:
            for k in range(20):
                ids = np.arange(k, N)
                y = MODELS[name][1]
                model.set_params(**model.get_params(deep=False))
                model.fit(X[ids], None if y is None else y[ids], sample_ids=ids)
        finally:
            done.set()

    def look():
        while not done.is_set():
            assert model.claim_.kind == "exact"
            assert len(model.sample_ids_) > N - 20
            assert len(answers(model)) == N

    together(again, look, look)


def test_parameters_set_meanwhile_are_those_of_the_next_fit():
    """What a change holds for itself (the parameters of the fit) is seen by nobody else."""
    model, done = learned("Logistic").set_params(C=7.0), threading.Event()

    def change():
        try:
            for i in range(GONE):
                model.forget([i])
        finally:
            done.set()

    def look():
        while not done.is_set():
            assert model.C == 7.0
            assert model.get_params()["C"] == 7.0

    together(change, look, look)
    assert model.C == 7.0
    whole(model.set_params(C=1.0), "Logistic")


def test_changes_of_every_kind_queue():
    model = learned("SVC")
    together(
        *(lambda i=i: model.forget([i]) for i in range(8)),
        *(lambda i=i: model.reweight([i], 2.0) for i in range(20, 28)),
        *(
            lambda i=i: model.partial_fit(X[i : i + 1], [i % 2], sample_ids=[100 + i])
            for i in range(8)
        ),
        *(model.canonicalize for _ in range(4)),
    )
    assert sorted(model.sample_ids_) == [*range(8, N), *range(100, 108)]
    y = np.append(TWO[8:], np.arange(8) % 2)
    weight = np.where(np.isin(np.arange(8, N + 8), range(20, 28)), 2.0, 1.0)
    order = np.argsort(model.sample_ids_)
    want = SVC(gamma=0.3).fit(np.vstack([X[8:], X[:8]]), y, sample_weight=weight)
    np.testing.assert_allclose(answers(model), answers(want), rtol=0, atol=1e-7)
    assert len(order) == N


def test_a_refused_change_leaves_the_queue_open():
    model = learned("Ridge")

    def refused():
        with pytest.raises(UnknownRecord):
            model.forget([5000])

    together(*(refused for _ in range(4)), *(lambda i=i: model.forget([i]) for i in range(8)))
    assert sorted(model.sample_ids_) == list(range(8, N))
    whole(model, "Ridge")


RECORDS = rows(X, THREE)
PURE = {
    "retrain": (Retrain(), Logistic()),
    "native": (Native(), SVC(gamma=0.3)),
    "sisa": (Sisa(shards=3), NaiveBayes()),
    "newton": (Newton(epsilon=1.0, delta=1e-5), Logistic()),
    "network": (Retrain(), MLP(hidden=(4,), epochs=2)),
}


@pytest.mark.parametrize("name", PURE)
def test_methods_give_each_thread_what_they_give_alone(name):
    method, estimator = PURE[name]
    base = method.prepare(estimator) if hasattr(method, "prepare") else estimator
    model = as_learner(base).learn(RECORDS, seed=0)
    before = scores(model, X)

    def forgotten(i):
        return scores(method.forget(model, RECORDS, Request(ids=[i]), seed=0).model, X)

    alone = [forgotten(i) for i in range(6)]
    found = together(*(lambda i=i: forgotten(i) for i in range(6)))
    np.testing.assert_array_equal(np.array(found), np.array(alone))
    np.testing.assert_array_equal(scores(model, X), before)


def test_forget_beside_a_change_of_the_same_model_returns_whole_models():
    """`unteach.forget` copies a whole state, or says that the model has forgotten meanwhile."""
    model = learned("SVC")
    records = rows(X, TWO)

    def apart(i):
        try:
            return unteach.forget(model, records, ids=[i]).model
        except UnknownRecord:
            return None

    found = together(
        lambda: [model.forget([i]) for i in range(GONE)],
        *(lambda i=i: apart(i) for i in range(40, 46)),
    )
    assert sorted(model.sample_ids_) == list(range(GONE, N))
    for i, one in zip(range(40, 46), found[1:], strict=True):
        if one is not None:
            assert i not in set(one.sample_ids_)
            whole(one, "SVC")
    assert apart(50) is None


def test_a_model_of_somebody_else_that_mixes_in_forgets_queues_too():
    class Counter(Forgets):
        """Counts slowly: reads, waits, writes."""

        def fit(self, n):
            self.sample_ids_ = np.arange(n)
            return self

        def forget(self, ids):
            kept = self.sample_ids_.tolist()
            for i in ids:
                kept.remove(i)
            self.sample_ids_ = np.array(kept)
            return self

    model = Counter().fit(200)
    together(*(lambda i=i: model.forget([i]) for i in range(100)))
    assert model.sample_ids_.tolist() == list(range(100, 200))


def test_files_written_by_many_threads_are_as_open_as_the_umask_says(tmp_path):
    model, before = learned("Logistic"), os.umask(0o027)
    try:
        together(*(partial(model.export, tmp_path / f"{k % 4}") for k in range(GONE)))
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
    assert len(list(tmp_path.iterdir())) == 4


def test_tasks_of_two_threads_leave_the_environment_as_it_was():
    before = dict(os.environ)

    def work():
        for _ in range(20):
            with limited(1):
                assert os.environ["OPENBLAS_NUM_THREADS"] == "1"

    together(*(work for _ in range(6)))
    assert set(os.environ) == set(before)
