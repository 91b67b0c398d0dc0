"""The support vector classifier: scikit-learn's own laws, agreement, claims, residue, bad input."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC as Libsvm
from sklearn.utils.estimator_checks import parametrize_with_checks

from unteach.core import (
    BadInput,
    Exact,
    NotConverged,
    NothingLeft,
    OneClassLeft,
    RepeatedRecord,
    Saved,
    UnknownRecord,
)
from unteach.kernel import SVC, DataDependentStatistics, Kernel
from unteach.kernel._machine.gram import semidefinite

DEFINITE = (
    {"kernel": "linear"},
    {"kernel": "poly", "coef0": 1.0},
    {"kernel": "poly", "degree": 2, "gamma": 0.1},
    {"kernel": "rbf"},
    {"kernel": "rbf", "C": 10.0, "gamma": "auto"},
)


@cache
def data(name: str):
    """Return rows and labels; arrays are shared, so nobody may write to them."""
    if name == "digits":
        x, y = load_digits(return_X_y=True)
        return x[:500] / 16.0, y[:500]
    if name == "duplicates":
        x, y = make_classification(200, 5, flip_y=0.1, random_state=0)
        x = np.round(np.concatenate([x, x[:60]]), 1)
        return x, np.concatenate([y, y[:50], 1 - y[50:60]])
    loader = {"breast_cancer": load_breast_cancer, "wine": load_wine, "iris": load_iris}[name]
    x, y = loader(return_X_y=True)
    return StandardScaler().fit_transform(x), y


@pytest.fixture
def binary():
    x, y = make_classification(120, 4, flip_y=0.1, class_sep=0.8, random_state=3)
    return x, y


# scikit-learn's laws; no failure is expected and none is listed


@parametrize_with_checks([SVC(), SVC(statistics="follow", class_weight="balanced")])
def test_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


def test_works_inside_scikit_learn(binary):
    x, y = binary
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1.0]}, cv=3)
    assert search.fit(x, y).best_score_ > 0.6
    gram = x @ x.T
    tags = SVC(kernel="precomputed").__sklearn_tags__()
    assert tags.input_tags.pairwise
    search = GridSearchCV(SVC(kernel="precomputed"), {"C": [0.1, 1.0]}, cv=3).fit(gram, y)
    same = GridSearchCV(SVC(kernel="linear"), {"C": [0.1, 1.0]}, cv=3).fit(x, y)
    assert search.best_score_ == same.best_score_


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "iris", "duplicates"])
@pytest.mark.parametrize("params", DEFINITE, ids=str)
def test_agrees_with_libsvm(name, params):
    x, y = data(name)
    ours = SVC(**params).fit(x, y)
    theirs = Libsvm(tol=1e-8, **params).fit(x, y)
    assert ours.certificate_.kkt_residual < 1e-10
    difference = np.abs(ours.decision_function(x) - theirs.decision_function(x)).max()
    assert difference < 1e-4  # libsvm's kernel cache is float32
    assert (ours.predict(x) == theirs.predict(x)).mean() > 0.98
    assert ours.dual_coef_.shape[0] == theirs.dual_coef_.shape[0]
    assert ours.n_support_.shape == theirs.n_support_.shape
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=2e-3)
    np.testing.assert_array_equal(ours.support_vectors_, x[ours.support_])


@pytest.mark.parametrize("shape", ["ovr", "ovo"])
def test_layout_is_libsvms(shape):
    x, y = data("wine")
    params = {"gamma": 0.05, "decision_function_shape": shape}
    ours, theirs = SVC(**params).fit(x, y), Libsvm(tol=1e-9, **params).fit(x, y)
    a, b = ours.decision_function(x), theirs.decision_function(x)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, atol=1e-5)
    both = np.intersect1d(ours.support_, theirs.support_)
    other = {s: i for i, s in enumerate(theirs.support_.tolist())}
    place = {s: i for i, s in enumerate(ours.support_.tolist())}
    np.testing.assert_allclose(
        ours.dual_coef_[:, [place[s] for s in both.tolist()]],
        theirs.dual_coef_[:, [other[s] for s in both.tolist()]],
        atol=1e-4,
    )
    linear = {"kernel": "linear", "C": 0.1}
    np.testing.assert_allclose(
        SVC(**linear).fit(x, y).coef_, Libsvm(tol=1e-9, **linear).fit(x, y).coef_, atol=1e-5
    )


def test_weights_are_costs(binary):
    x, y = binary
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.1, 3.0, len(y))
    for extra in ({}, {"class_weight": {0: 2.0, 1: 0.5}}):
        ours = SVC(gamma=0.3, **extra).fit(x, y, sample_weight=weight)
        theirs = Libsvm(gamma=0.3, tol=1e-9, **extra).fit(x, y, sample_weight=weight)
        np.testing.assert_allclose(
            ours.decision_function(x), theirs.decision_function(x), atol=1e-4
        )
    balanced = SVC(gamma=0.3, class_weight="balanced").fit(x[:90], y[:90])
    same = Libsvm(gamma=0.3, class_weight="balanced").fit(x[:90], y[:90])
    np.testing.assert_allclose(balanced.class_weight_, same.class_weight_)


def test_a_row_of_weight_zero_is_as_removed_and_can_be_forgotten(binary):
    x, y = binary
    weight = np.ones(len(y))
    weight[::5] = 0.0
    rest = weight > 0
    for params in ({}, {"class_weight": "balanced"}, {"kernel": "precomputed"}):
        gram = x @ x.T
        whole, part = (gram, gram[rest][:, rest]) if "kernel" in params else (x, x[rest])
        here = SVC(**params).fit(whole, y, sample_weight=weight)
        there = SVC(**params).fit(part, y[rest])
        probe, fewer = (gram, gram[:, rest]) if "kernel" in params else (x, x)
        np.testing.assert_array_equal(here.decision_function(probe), there.decision_function(fewer))
        assert weight[here.support_].all()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataDependentStatistics)
            gone = here.forget(np.arange(0, len(y), 5))
        np.testing.assert_array_equal(gone.decision_function(fewer), there.decision_function(fewer))


@pytest.mark.parametrize("params", DEFINITE, ids=str)
def test_a_row_that_supports_nothing_leaves_no_trace(params):
    for name in ("breast_cancer", "wine"):
        x, y = data(name)
        params = {"gamma": 0.05, **params}
        model = SVC(**params).fit(x, y)
        assert min(c.n_free for c in model.certificate_.pairs or [model.certificate_]) > 0
        before = model.decision_function(x).tobytes()
        others = np.setdiff1d(model.sample_ids_, model.support_ids_)
        assert model.without(others[:1]).decision_function(x).tobytes() == before
        assert model.forget(others).decision_function(x).tobytes() == before
        assert len(model.sample_ids_) == len(model.support_)


@pytest.mark.parametrize("params", DEFINITE[:4], ids=str)
def test_forgetting_equals_a_fresh_fit(params):
    for name in ("breast_cancer", "wine", "duplicates"):
        x, y = data(name)
        params = {"gamma": 0.05, **params}
        model = SVC(**params).fit(x, y)
        support = model.support_ids_
        rng = np.random.default_rng(1)
        batches = [support[:1], support[:7], support[::2], rng.permutation(len(y))[: len(y) // 3]]
        for gone in batches:
            rest = np.setdiff1d(np.arange(len(y)), gone)
            fresh = SVC(**params).fit(x[rest], y[rest], sample_ids=rest)
            left = model.without(gone)
            assert left.certificate_.kkt_residual < 1e-10
            difference = np.abs(left.decision_function(x) - fresh.decision_function(x)).max()
            assert difference < 1e-8
            assert left.sample_ids_.tolist() == rest.tolist()
        assert len(model.sample_ids_) == len(y)


def test_inserting_what_was_forgotten_brings_it_back(binary):
    x, y = binary
    model = SVC(gamma=0.3).fit(x, y)
    before = model.decision_function(x)
    gone = model.support_ids_[:5]
    model.forget(gone).partial_fit(x[gone], y[gone], sample_ids=gone)
    np.testing.assert_allclose(model.decision_function(x), before, atol=1e-10)
    model.partial_fit(x[:2] + 0.1, y[:2])
    assert model.sample_ids_[-2:].tolist() == [120, 121]


def test_a_class_comes_and_goes():
    x, y = data("iris")
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = SVC(gamma=0.2).fit(x, names)
    assert model.decision_function(x).shape == (150, 3)
    model.forget(np.flatnonzero(y == 0))
    assert model.classes_.tolist() == ["versicolor", "virginica"]
    fresh = SVC(gamma=0.2).fit(x[y > 0], names[y > 0])
    np.testing.assert_array_equal(model.decision_function(x), fresh.decision_function(x))
    with pytest.raises(OneClassLeft, match="needs two"):
        model.forget(np.flatnonzero(y == 1))
    model.partial_fit(x[y == 0], names[y == 0])
    whole = SVC(gamma=0.2).fit(x, names)
    np.testing.assert_allclose(model.decision_function(x), whole.decision_function(x), atol=1e-8)
    with pytest.raises(BadInput, match="does not name"):
        model.partial_fit(x[:1], ["lily"], classes=names)


def test_frozen_and_follow(binary):
    x, y = binary
    gone = [0, 1, 2, 40]
    rest = np.setdiff1d(np.arange(len(y)), gone)
    make = {"class_weight": "balanced"}
    fresh = SVC(**make).fit(x[rest], y[rest])
    follow = SVC(**make, statistics="follow").fit(x, y).forget(gone)
    assert follow.gamma_ == fresh.gamma_
    np.testing.assert_allclose(follow.decision_function(x), fresh.decision_function(x), atol=1e-8)
    assert follow.claim_ == Exact(1e-8)
    frozen = SVC(**make).fit(x, y)
    assert frozen.claim_ == Exact(1e-8)
    gamma, weights = frozen.gamma_, frozen.class_weight_
    with pytest.warns(DataDependentStatistics, match="statistics='follow'"):
        frozen.forget(gone)
    assert frozen.gamma_ == gamma != fresh.gamma_
    given = SVC(gamma=gamma, class_weight=dict(enumerate(weights))).fit(x[rest], y[rest])
    np.testing.assert_allclose(frozen.decision_function(x), given.decision_function(x), atol=1e-8)
    assert len(frozen.claim_.given) == 2
    assert frozen.claim_.given[1].startswith("class weights ")
    assert f"gamma={gamma:.4g} from all fitted rows" in frozen.claim_.given
    assert frozen.keeps().statistics == ("gamma", "class weights")
    frozen.forget([3])  # warned once; a second warning would be an error here
    quiet = SVC(gamma=0.1).fit(x, y).forget(gone)
    assert quiet.claim_ == Exact(1e-8)
    assert quiet.keeps().statistics == ()


def test_an_indefinite_kernel_claims_no_more_than_it_can(binary):
    x, y = binary
    rest = np.arange(5, len(y))
    params = {"kernel": "sigmoid", "gamma": 0.5, "coef0": 0.5}
    model = SVC(**params).fit(x, y)
    assert not semidefinite(Kernel("sigmoid", gamma=0.5, coef0=0.5).gram(x))
    assert model.certificate_.stationary_only
    assert model.certificate_.kkt_residual < 1e-3
    assert model.claim_.kind == "heuristic"
    assert "stationary" in str(model.claim_)
    again = SVC(**params).fit(x, y)
    assert again.decision_function(x).tobytes() == model.decision_function(x).tobytes()
    fresh = SVC(**params).fit(x[rest], y[rest])
    model.forget(np.arange(5))
    assert fresh.decision_function(x).tobytes() == model.decision_function(x).tobytes()
    assert model.leave_one_out().shape == (len(y) - 5,)
    tame = SVC(kernel="sigmoid", gamma=1e-9, coef0=0.0).fit(x, y)
    assert tame.certificate_.stationary_only == (
        not semidefinite(Kernel("sigmoid", gamma=1e-9).gram(x))
    )
    rounded = (x @ x.T).astype(np.float32).astype(float)
    assert SVC(kernel="precomputed").fit(rounded, y).claim_.kind == "heuristic"


def test_precomputed_and_callable_are_the_same_machine(binary):
    x, y = binary
    gram = Kernel("rbf", gamma=0.3).gram(x)
    named = SVC(gamma=0.3).fit(x, y)
    given = SVC(kernel="precomputed").fit(gram, y)
    called = SVC(kernel=lambda a, b: Kernel("rbf", gamma=0.3).between(a, b)).fit(x, y)
    gone = named.support_ids_[:3]
    rest = np.setdiff1d(np.arange(len(y)), gone)
    for one, probe in ((named, x), (given, gram), (called, x)):
        np.testing.assert_array_equal(one.decision_function(probe), named.decision_function(x))
    given.forget(gone)
    called.forget(gone)
    named.forget(gone)
    assert given.n_features_in_ == len(rest)
    np.testing.assert_array_equal(
        given.decision_function(gram[:, rest]), named.decision_function(x)
    )
    np.testing.assert_array_equal(called.decision_function(x), named.decision_function(x))
    with pytest.raises(BadInput, match="117 features"):
        given.decision_function(gram)
    order = np.append(rest, gone)
    given.partial_fit(gram[np.ix_(gone, order)], y[gone], sample_ids=gone)
    np.testing.assert_allclose(
        given.decision_function(gram[:, order]),
        SVC(gamma=0.3).fit(x, y).decision_function(x),
        atol=1e-8,
    )


def test_leave_one_out_is_forgetting_one(binary):
    x, y = binary
    model = SVC(gamma=0.3, C=2.0).fit(x, y)
    margins = model.leave_one_out()
    sign = np.where(y == 1, 1.0, -1.0)
    assert margins.shape == (len(y),)
    for i in range(0, len(y), 7):
        left = model.without([i]).decision_function(x[i : i + 1])[0]
        assert margins[i] == pytest.approx(sign[i] * left, abs=1e-8)
    others = np.setdiff1d(np.arange(len(y)), model.support_)
    np.testing.assert_allclose(
        margins[others], (sign * model.decision_function(x))[others], atol=1e-12
    )
    with pytest.raises(BadInput, match="two classes"):
        SVC(gamma=0.1).fit(*data("iris")).leave_one_out()
    with pytest.raises(OneClassLeft, match="single row"):
        SVC(gamma=0.1).fit(x[:3], [0, 1, 1]).leave_one_out()


def arrays_of(thing, seen=None):
    """Yield every array that can be reached from an object, and the bases of views."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
        if thing.base is not None:
            yield from arrays_of(thing.base, seen)
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from arrays_of(value, seen)
    elif isinstance(thing, (list, tuple)):
        for value in thing:
            yield from arrays_of(value, seen)
    elif hasattr(thing, "__dict__"):
        yield from arrays_of(vars(thing), seen)


@pytest.mark.parametrize("statistics", ["frozen", "follow"])
@pytest.mark.parametrize("kernel", ["rbf", "sigmoid", "precomputed"])
def test_no_byte_of_a_forgotten_row_stays(binary, tmp_path, statistics, kernel):
    x, y = binary
    x = x.copy()
    x[7] = [0.123456789, -1.98765432, 0.31415926, 0.27182818]  # the needle
    values = Kernel("rbf", gamma=0.3).gram(x) if kernel == "precomputed" else x
    ids = np.array([f"person-{i:03d}" for i in range(len(y))])
    needle = values[7].copy()
    needle = needle[needle != 1.0]  # what a kernel says of a row and itself tells nothing
    model = SVC(kernel=kernel, gamma=0.3, statistics=statistics).fit(values, y, sample_ids=ids)
    assert any(np.isin(needle, a).all() for a in arrays_of(model) if a.dtype == float)
    gone = ["person-007", "person-011"]
    model.forget(gone)
    gc.collect()
    for array in arrays_of(model):
        if array.dtype == float:
            assert not np.isin(needle, array).any()
        if array.dtype.kind == "U":
            assert not np.isin(gone, array).any()
    for path in (model.save(tmp_path / "model"), model.export(tmp_path / "served")):
        raw = path.read_bytes()
        assert all(value.tobytes() not in raw for value in needle)
        for identifier in gone:
            assert identifier.encode() not in raw
            assert identifier.encode("utf-32-le") not in raw
    assert model.sample_ids_[7].encode("utf-32-le") in (tmp_path / "model").read_bytes()


def test_saved_and_loaded_it_goes_on_forgetting(tmp_path):
    x, y = data("wine")
    names = np.array(["a", "b", "c"], dtype=object)[y]
    model = SVC(class_weight={"a": 2.0}, statistics="follow").fit(x, names)
    raw = model.save(tmp_path / "model").read_bytes()
    assert model.to_saved().to_bytes() == raw
    assert b"pickle" not in raw
    read = SVC.from_saved(Saved.from_bytes(raw))
    assert read.get_params() == model.get_params()
    assert read.certificate_ == model.certificate_
    assert read.claim_ == model.claim_
    assert read.to_saved().to_bytes() == raw
    for one in ("classes_", "support_", "support_ids_", "dual_coef_", "intercept_", "n_support_"):
        np.testing.assert_array_equal(getattr(read, one), getattr(model, one))
    assert read.predict(x).tolist() == model.predict(x).tolist()
    gone = model.support_ids_[:4]
    np.testing.assert_array_equal(
        read.forget(gone).decision_function(x), model.forget(gone).decision_function(x)
    )
    assert read.to_saved().to_bytes() == model.to_saved().to_bytes()
    served = SVC.from_saved(Saved.from_bytes(model.export(tmp_path / "s").read_bytes()))
    np.testing.assert_array_equal(served.decision_function(x), model.decision_function(x))
    assert served.keeps().rows == len(model.support_)
    others = np.setdiff1d(np.arange(len(model.sample_ids_)), model.support_)
    exported = (tmp_path / "s").read_bytes()
    rows = np.delete(x, gone, 0)
    assert not any(rows[i].tobytes() in exported for i in others)
    with pytest.raises(BadInput, match="cannot forget"):
        served.forget([5])
    with pytest.raises(BadInput, match="cannot forget"):
        served.partial_fit(x[:1], ["a"])
    with pytest.raises(BadInput, match="function cannot be saved"):
        SVC(kernel=lambda a, b: a @ b.T).fit(x, y).save(tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_copies_are_free_of_one_another(binary):
    x, y = binary
    model = SVC(gamma=0.3).fit(x, y)
    raw = model.to_saved().to_bytes()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.forget(other.support_ids_[:3])
        assert model.to_saved().to_bytes() == raw
    model.fit(x + 1, y)
    xx = x.copy()
    model.fit(xx, y)
    before = model.decision_function(x)
    xx[:] = 0
    np.testing.assert_array_equal(model.decision_function(x), before)
    assert model.forget([]) is model


REFUSED = (
    ({"C": 0.0}, "C must be"),
    ({"C": "1"}, "C must be"),
    ({"kernel": "cosine"}, "kernel must be one of"),
    ({"gamma": -1.0}, "gamma must be"),
    ({"gamma": "wide"}, "gamma must be one of"),
    ({"degree": 1.5}, "degree must be"),
    ({"coef0": np.nan}, "coef0 must be"),
    ({"statistics": "thaw"}, "statistics must be one of"),
    ({"decision_function_shape": "all"}, "decision_function_shape must be one of"),
    ({"class_weight": {0: -1.0}}, "class_weight"),
    ({"class_weight": {0: 1.0, 7: 2.0}}, "names \\[7\\]"),
    ({"class_weight": "even"}, "class_weight must be one of"),
    ({"tol": 0.0}, "tol must be"),
    ({"max_iter": -2}, "max_iter must be"),
    ({"kernel": "precomputed"}, "must be square"),
    ({"kernel": "poly", "degree": 400}, "overflows"),
    ({"kernel": lambda a, b: np.ones(3)}, "returned shape"),
    ({"max_iter": 1}, "ran out of moves"),
)


@pytest.mark.parametrize(
    ("params", "what"), REFUSED, ids=lambda p: re.sub(" at 0x.*", "", str(p))[:40]
)
def test_bad_parameters_are_refused_and_a_former_fit_stays(binary, params, what):
    x, y = binary
    model = SVC(gamma=0.3).fit(x, y)
    raw = model.to_saved().to_bytes()
    good = model.get_params()
    with pytest.raises((BadInput, NotConverged), match=what):
        model.set_params(**params).fit(100 * x, y)
    model.set_params(**good)
    assert model.to_saved().to_bytes() == raw


def test_bad_rows_are_refused_by_name(binary):
    x, y = binary
    hole = x.copy()
    hole[3, 2] = np.nan
    with pytest.raises(BadInput, match="NaN in row 3, column 2"):
        SVC().fit(hole, y)
    hole[3, 2] = np.inf
    with pytest.raises(BadInput, match=r"infinity \(inf\) in row 3, column 2"):
        SVC().fit(x, y).predict(hole)
    with pytest.raises(BadInput, match="one class"):
        SVC().fit(x, np.ones(len(y)))
    for ids, error in (([1, 1], "names 1 twice"), ([1, 2, 3], "3 entries for 2 rows")):
        with pytest.raises(BadInput, match=error):
            SVC().fit(x[:2], [0, 1], sample_ids=ids)
    with pytest.raises(BadInput, match="inconsistent numbers of samples"):
        SVC().fit(x, y[:-1])
    with pytest.raises(BadInput, match="zero or negative weights"):
        SVC().fit(x, y, sample_weight=-np.ones(len(y)))
    with pytest.raises(BadInput, match="at least 0"):
        SVC().fit(x, y).reweight([3], -1.0)
    with pytest.raises(BadInput, match="symmetric"):
        SVC(kernel="precomputed").fit(np.triu(np.ones((4, 4))), [0, 1, 0, 1])
    with pytest.raises(NotFittedError):
        SVC().predict(x)
    with pytest.raises(BadInput, match="not fitted"):
        SVC().forget([1])


def test_forgetting_is_all_or_nothing(binary):
    x, y = binary
    model = SVC(gamma=0.3).fit(x, y)
    raw = model.to_saved().to_bytes()
    for ids, error in (
        ([1, 999], UnknownRecord),
        (["a"], UnknownRecord),
        ([1, 1], RepeatedRecord),
        (np.arange(120), NothingLeft),
        (np.flatnonzero(y == 1), OneClassLeft),
        ([0.5], BadInput),
    ):
        with pytest.raises(error):
            model.forget(ids)
        assert model.to_saved().to_bytes() == raw
    model._machine = copy.copy(model._machine)
    object.__setattr__(model._machine, "max_iter", 0)
    object.__setattr__(model._machine, "tol", 1e-300)
    before = dict(vars(model))
    with pytest.raises(NotConverged):
        model.forget(model.support_ids_[:3])
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[k] is before[k] for k in before)
    strings = SVC(gamma=0.3).fit(x, y, sample_ids=[f"p{i}" for i in range(120)])
    raw = strings.to_saved().to_bytes()
    for rows, labels, ids, error in (
        (x[:1], y[:1], None, "give sample_ids"),
        (x[:1], y[:1], ["p3"], "held already"),
        (x[:1], y[:1], [3], "give one kind"),
        (x[:1], ["a"], ["q"], "same kind"),
        (x[:1, :2], y[:1], ["q"], "2 features"),
        (x[:1], y[:1], ["q", "r"], "2 entries"),
    ):
        with pytest.raises(BadInput, match=error):
            strings.partial_fit(rows, labels, sample_ids=ids)
        assert strings.to_saved().to_bytes() == raw


def test_a_warning_that_is_an_error_changes_nothing(binary):
    x, y = binary
    model = SVC().fit(x, y)
    raw = model.to_saved().to_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataDependentStatistics):
            model.forget([1])
    assert model.to_saved().to_bytes() == raw
    frozen = SVC(class_weight="balanced").fit(x, y)
    with pytest.raises(BadInput, match="is new"):
        frozen.partial_fit(x[:1], [2])
