"""What comes in: sparse rows, rows that are no numbers, parameters, a hard margin."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import svm
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError

from unteach.core import BadInput, NotConverged, Request, Rows, UnteachError
from unteach.kernel import SVC, SVR, DataDependentStatistics, NuSVC, NuSVR, OneClassSVM
from unteach.kernel._estimator import validation as checked
from unteach.models import learn, load
from unteach.unlearn import Native

ALL = (SVC, NuSVC, SVR, NuSVR, OneClassSVM)
CLASSIFIERS = (SVC, NuSVC)


@pytest.fixture(autouse=True)
def _no_frozen_statistics():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataDependentStatistics)
        yield


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5)) * (rng.random((60, 5)) < 0.4)
    return x, np.digitize(x[:, 0] + x[:, 1] + 0.1 * rng.normal(size=60), [-0.3, 0.3])


def says(model, x):
    return np.asarray(getattr(model, "decision_function", model.predict)(x))


def plain(values):
    return values.toarray() if sparse.issparse(values) else np.asarray(values)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("machine", ALL)
def test_sparse_rows_are_as_dense_ones(machine, kernel, make, table, tmp_path):
    x, y = table
    params = {"kernel": kernel} | ({"nu": 0.2} if machine is NuSVC else {})
    dense, thin = machine(**params).fit(x, y), machine(**params).fit(make(x), y)
    for _ in range(2):
        for name in ("support_vectors_", "dual_coef_", *(["coef_"] if kernel == "linear" else [])):
            assert sparse.issparse(getattr(thin, name))
            np.testing.assert_array_equal(plain(getattr(thin, name)), getattr(dense, name))
        for asked in (x, make(x)):
            np.testing.assert_array_equal(says(thin, asked), says(dense, x))
        gone = dense.support_ids_[:3]
        new = gone % 60
        dense.forget(gone).partial_fit(x[new], y[new])
        thin.forget(gone).partial_fit(make(x[new]), y[new])
    with pytest.raises(BadInput, match=f"sparse input in '{machine.__name__}' trained on dense"):
        dense.predict(make(x))
    thin.save(tmp_path / "thin")
    back = load(tmp_path / "thin")
    assert sparse.issparse(back.support_vectors_)
    np.testing.assert_array_equal(says(back, make(x)), says(thin, x))
    assert not sparse.issparse(thin.fit(x, y).support_vectors_)


def test_sparse_rows_with_indices_in_no_order_or_twice(table):
    x, y = table
    given = sparse.csr_matrix(x)
    for i in range(len(x)):
        here = slice(given.indptr[i], given.indptr[i + 1])
        given.indices[here] = given.indices[here][::-1]
        given.data[here] = given.data[here][::-1]
    given.has_sorted_indices = False
    halves = sparse.coo_matrix(
        (np.tile(sparse.coo_matrix(x).data / 2, 2), np.tile(sparse.coo_matrix(x).coords, 2)),
        shape=x.shape,
    )
    want = SVC(gamma=0.5).fit(x, y)
    for rows in (given, halves):
        np.testing.assert_array_equal(
            plain(SVC(gamma=0.5).fit(rows, y).dual_coef_), want.dual_coef_
        )


def test_sparse_rows_that_do_not_fit_or_hold_nothing_finite_are_refused(table, monkeypatch):
    x, y = table
    hole = sparse.csr_matrix(x)
    hole.data[3] = np.nan
    with pytest.raises(BadInput, match="NaN in row"):
        SVC().fit(hole, y)
    bad = sparse.csr_matrix(x)
    bad.indices[0] = 99
    with pytest.raises(BadInput):
        SVC().fit(bad, y)
    with pytest.raises(TypeError, match="Sparse precomputed") as refused:
        SVC(kernel="precomputed").fit(sparse.csr_matrix(x @ x.T), y)
    assert isinstance(refused.value, BadInput)
    wide = sparse.csr_matrix((60, 2_000_000_000))
    for machine in ALL:
        with pytest.raises(BadInput, match=r"960\.0 GB.*TruncatedSVD"):
            machine().fit(wide, y)


def test_records_that_are_sparse_are_learned_and_forgotten(table):
    x, y = table
    records = Rows(np.arange(60), {"x": sparse.csr_matrix(x), "y": y})
    model = learn(SVC(gamma=0.5), records)
    gone = Native().forget(model, records, Request(ids=[7, 9]), seed=0)
    keep = np.delete(np.arange(60), [7, 9])
    fresh = SVC(gamma=0.5).fit(x[keep], y[keep])
    np.testing.assert_allclose(says(gone.model, x), says(fresh, x), atol=1e-8)


def counts(a, b):
    """Compare strings, row by row, by how often they hold A and B."""
    one, two = (np.array([[s.count("A"), s.count("B")] for s in rows]) for rows in (a, b))
    return one @ two.T


@pytest.mark.parametrize("machine", ALL)
def test_a_kernel_function_takes_rows_of_any_kind(machine):
    words = ["A A", "A", "B", "B B", "A B", "A A B", "B A B", "A A A", "B B B", "A B A"]
    x = np.array([[w.count("A"), w.count("B")] for w in words], dtype=float)
    y = (x[:, 0] > x[:, 1]).astype(float)
    ours = machine(kernel=counts).fit(words, y)
    same = machine(kernel="linear").fit(x, y)
    for _ in range(2):
        np.testing.assert_allclose(says(ours, words), says(same, x), atol=1e-7)
        assert ours.support_ids_.tolist() == same.support_ids_.tolist()
        gone = ours.support_ids_[:1]
        ours.forget(gone).partial_fit([words[i] for i in gone], y[gone])
        same.forget(gone).partial_fit(x[gone], y[gone])
    ours.reweight([ours.sample_ids_[0]], 0.5)
    with pytest.raises(BadInput, match="kind that the model was fitted on"):
        ours.predict(x)
    with pytest.raises(BadInput, match="sequence of at least one row"):
        machine(kernel=counts).fit("A B", y)
    if machine is not OneClassSVM:
        with pytest.raises(BadInput, match="inconsistent numbers"):
            machine(kernel=counts).fit(words, y[:-1])


def test_a_kernel_function_takes_lists_of_unequal_length_and_images():
    ragged = [[1, 2], [3], [4, 5, 6], [1], [2, 2], [7]]
    y = [0, 0, 1, 0, 0, 1]

    def sums(a, b):
        return np.outer([sum(r) for r in a], [sum(r) for r in b])

    model = SVC(kernel=sums).fit(ragged, y)
    want = SVC(kernel="linear").fit([[sum(r)] for r in ragged], y)
    np.testing.assert_allclose(says(model, ragged), says(want, [[sum(r)] for r in ragged]))
    images = np.random.default_rng(0).normal(size=(20, 3, 3))

    def flat(a, b):
        return np.array([[float((p * q).sum()) for q in b] for p in a])

    labels = (images[:, 0, 0] > 0).astype(int)
    seen = SVC(kernel=flat).fit(images, labels).forget([3])
    rest = np.delete(np.arange(20), 3)
    want = SVC(kernel="linear").fit(images.reshape(20, 9)[rest], labels[rest])
    np.testing.assert_allclose(says(seen, images), says(want, images.reshape(20, 9)), atol=1e-8)
    with pytest.raises(BadInput, match="no numbers"):
        SVC(kernel=lambda a, b: [["x"] * len(b)] * len(a)).fit(images, labels)


@pytest.mark.parametrize("machine", ALL)
def test_what_cannot_change_the_answer_is_accepted(machine, table):
    x, y = table
    own = {"nu": 0.2} if machine is NuSVC else {}
    theirs = set(getattr(svm, machine.__name__)().get_params()) - {"class_weight"}
    assert theirs <= set(machine().get_params()) | {"probability"}
    more = {"shrinking": False, "verbose": 1, "cache_size": 7.0}
    if machine in CLASSIFIERS:
        more |= {"random_state": 3, "probability": False, "break_ties": True}
    np.testing.assert_array_equal(
        says(machine(**own, **more).fit(x, y), x), says(machine(**own).fit(x, y), x)
    )
    for name, value in [("shrinking", "no"), ("verbose", -1), ("cache_size", 0.0)]:
        with pytest.raises(BadInput, match=name):
            machine(**own, **{name: value}).fit(x, y)
    if machine in CLASSIFIERS:
        for name, value in [("random_state", "x"), ("break_ties", 2), ("probability", True)]:
            with pytest.raises(BadInput, match=name):
                machine(**own, **{name: value}).fit(x, y)
        with pytest.raises(BadInput, match="CalibratedClassifierCV"):
            machine(probability=True).fit(x, y)


@pytest.mark.parametrize("machine", CLASSIFIERS)
def test_ties_are_broken_as_asked(machine):
    x, y = make_blobs(n_samples=20, random_state=42)
    at = np.random.default_rng(0).uniform(x.min(), x.max(), size=(200, 2))
    model = machine(gamma=1e6).fit(x, y)
    first = model.predict(at)
    best = model.decision_function(at).argmax(axis=1)
    assert (first != best).any()
    np.testing.assert_array_equal(model.set_params(break_ties=True).predict(at), best)
    np.testing.assert_array_equal(machine(gamma=1e6, break_ties=True).fit(x, y).predict(at), best)
    with pytest.raises(BadInput, match="break_ties must be False"):
        model.set_params(decision_function_shape="ovo").predict(at)


@pytest.mark.parametrize("machine", ALL)
def test_not_fitted_is_an_error_of_both(machine):
    uses = (machine().predict, lambda x: machine().export("nowhere"), machine().forget)
    for use in uses:
        with pytest.raises(NotFittedError) as one:
            use([[0.0]])
        assert isinstance(one.value, UnteachError)
        assert isinstance(one.value, checked.NotFitted)


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf"])
@pytest.mark.parametrize("size", [0.01, 1.0, 1e3])
def test_the_hard_margin_is_that_of_every_large_cost(kernel, size, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(int)
    x[:, 0] += np.where(y, 0.3, -0.3)
    x *= size
    params = {"kernel": kernel, "coef0": 1.0, "degree": 2, "gamma": 0.5 / size**2}
    model = SVC(C=np.inf, **params).fit(x, y)
    signed = np.where(y, 1.0, -1.0)
    assert (signed * model.decision_function(x)).min() > 1 - 1e-9
    weights = np.abs(model.dual_coef_).sum()
    soft = SVC(C=10 * weights, **params).fit(x, y)
    np.testing.assert_allclose(says(model, x), says(soft, x), atol=1e-8)
    model.save(tmp_path / "m")
    model = load(tmp_path / "m")
    assert np.inf == model.C
    gone = model.support_ids_[:2]
    keep = np.setdiff1d(np.arange(60), gone)
    fresh = SVC(C=np.inf, **params).fit(x[keep], y[keep])
    np.testing.assert_allclose(says(model.forget(gone), x), says(fresh, x), atol=1e-8)
    model.partial_fit(x[gone], y[gone], sample_weight=[0.01, 3.0])  # any weight is infinite
    np.testing.assert_allclose(says(model, x), says(soft, x), atol=1e-8)
    assert (model.leave_one_out() <= signed[model.sample_ids_ % 60] ** 2 * 1e9).all()
    before = says(model, x)
    with pytest.raises(NotConverged, match="not separable"):
        model.partial_fit(np.concatenate([x[:3], x[:3]]), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(says(model, x), before)
    with pytest.raises(BadInput, match="no path"):
        model.forget_path(model.sample_ids_[0])


def test_the_hard_tube_and_what_has_none():
    x = np.linspace(-1, 1, 20)[:, None]
    y = 2 * x[:, 0] + 0.05 * (-1.0) ** np.arange(20)
    model = SVR(kernel="linear", C=np.inf, epsilon=0.1).fit(x, y)
    assert np.abs(model.predict(x) - y).max() <= 0.1 + 1e-9
    fresh = SVR(kernel="linear", C=np.inf, epsilon=0.1).fit(x[1:], y[1:])
    np.testing.assert_allclose(model.forget([0]).predict(x), fresh.predict(x), atol=1e-8)
    with pytest.raises(NotConverged, match="do not fit into the tube"):
        SVR(kernel="linear", C=np.inf, epsilon=0.01).fit(x, y)
    with pytest.raises(BadInput, match="finite C"):
        NuSVR(C=np.inf).fit(x, y)
    for C in (0.0, -1.0, np.nan, "1", -np.inf):
        with pytest.raises(BadInput, match="C must be a number above 0"):
            SVR(C=C).fit(x, y)


def test_weights_below_zero_are_zero_and_rows_of_weight_zero_can_be_inserted(table):
    x, y = table
    weight = np.where(np.arange(60) % 7, 1.0, -2.0)
    one = SVC(gamma=0.5).fit(x, y, sample_weight=weight)
    two = SVC(gamma=0.5).fit(x, y, sample_weight=np.maximum(weight, 0))
    np.testing.assert_array_equal(says(one, x), says(two, x))
    one.partial_fit(x[:2] + 1, y[:2], sample_weight=[0.0, 0.0])
    np.testing.assert_allclose(says(one, x), says(two, x), atol=1e-8)
    with pytest.raises(BadInput, match="zero or negative"):
        SVC().partial_fit(x[:2], y[:2], sample_weight=[0.0, 0.0])
    with pytest.raises(ValueError):
        SVC(kernel="linear").fit(x, y).coef_[0, 0] = 1.0
