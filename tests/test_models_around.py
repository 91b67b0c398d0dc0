"""The laws around the models: pipelines, learners, outputs, and models on disk."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    Normalizer,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from unteach.core import (
    BadInput,
    Corrupt,
    Exact,
    NothingLeft,
    OneClassLeft,
    RepeatedRecord,
    Rows,
    Saved,
    UnknownRecord,
    Untrusted,
    said,
)
from unteach.models import (
    EstimatorLearner,
    Logistic,
    NaiveBayes,
    Neighbours,
    Pipeline,
    Ridge,
    Scaler,
    as_learner,
    classifies,
    learn,
    learner_of,
    load,
    margins,
    parameters,
    save,
    scores,
)
from unteach.models.exact.scaler import FROZEN, PUBLIC


def blobs(n=60, d=4, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(classes, d))[y], y


def records(n=60, **how):
    x, y = blobs(n, **how)
    return Rows(np.arange(n) + 100, {"x": x, "y": y})


def apart(one, other, x):
    return float(np.max(np.abs(scores(one, x) - scores(other, x))))


# pipelines

FOLLOWING = [
    [("scale", Scaler()), ("model", Logistic())],
    [("scale", Scaler()), ("model", Neighbours())],
    [("scale", StandardScaler()), ("pca", PCA(2)), ("model", Logistic())],
    [("scale", Scaler()), ("skip", "passthrough"), ("model", LogisticRegression())],
    [("unit", Normalizer()), ("model", NaiveBayes())],
    [("inner", Pipeline([("a", Scaler()), ("b", PolynomialFeatures(2))])), ("model", Logistic())],
    [("frozen", FrozenEstimator(StandardScaler().fit(blobs(seed=9)[0]))), ("model", Logistic())],
    [("model", DecisionTreeClassifier(random_state=0))],
]


@pytest.mark.parametrize("steps", FOLLOWING, ids=str)
def test_a_following_pipeline_forgets_and_inserts_exactly(steps):
    x, y = blobs()
    ids = np.arange(60) + 7
    gone = [8, 30, 41, 66]
    keep = ~np.isin(ids, gone)
    model = Pipeline(steps).fit(x, y, sample_ids=ids)
    fresh = Pipeline(steps).fit(x[keep], y[keep], sample_ids=ids[keep])
    whole = model.without([])
    one_by_one = model.without([41])
    for identifier in (66, 8, 30):
        one_by_one.forget([identifier])
    for forgot in (model.forget(gone), one_by_one):
        assert isinstance(forgot.claim_, Exact) and forgot.claim_.atol <= 1e-8
        assert apart(forgot, fresh, x) <= forgot.claim_.atol
        assert np.array_equal(forgot.sample_ids_, ids[keep])
    back = model.partial_fit(x[~keep], y[~keep], sample_ids=ids[~keep])
    assert apart(back, whole, x) <= 2 * back.claim_.atol + 1e-9
    for planted in x[~keep].ravel():
        assert planted.tobytes() not in pickle.dumps(one_by_one)


def test_a_pipeline_is_scikit_learns_to_look_at():
    x, y = blobs()
    steps = [("scale", Scaler()), ("model", Logistic(C=2.0))]
    model = Pipeline(steps)
    assert model.get_params()["model__C"] == 2.0
    model.set_params(model__C=1.0).fit(x, y)
    assert not hasattr(steps[0][1], "mean_")  # what was given stays as it was
    theirs = SklearnPipeline([("s", StandardScaler()), ("m", LogisticRegression(tol=1e-10))])
    theirs.fit(x, y)
    assert np.allclose(model.predict_proba(x), theirs.predict_proba(x), atol=1e-5)
    assert model.named_steps["scale"].mean_.shape == (4,)
    assert isinstance(model[:1], Pipeline) and model[-1] is model.named_steps["model"]
    assert np.array_equal(model.classes_, [0, 1, 2]) and model.n_features_in_ == 4
    assert np.array_equal(model.forget([0])[:1].transform(x), model["scale"].transform(x))
    unfitted = clone(model)
    assert not hasattr(unfitted, "claim_") and not hasattr(unfitted["scale"], "mean_")


def test_follow_frozen_and_public_are_three_different_promises():
    x, y = blobs()
    x[3] *= 50  # it moves mean and scale
    keep = np.delete(np.arange(60), 3)
    models = {}
    for how in ("follow", "frozen"):
        models[how] = Pipeline([("scale", Scaler(how)), ("model", Logistic())]).fit(x, y)
    public = Scaler("public").fit(x[:20] + 1)
    models["public"] = Pipeline([("scale", public), ("model", Logistic())]).fit(x, y)
    before = {how: model["scale"].mean_.copy() for how, model in models.items()}
    given = {"follow": (), "frozen": (FROZEN,), "public": (PUBLIC,)}
    for how, model in models.items():
        model.forget([3])
        assert model.claim_.given == given[how]
    assert np.array_equal(models["follow"]["scale"].mean_, Scaler().fit(x[keep]).mean_)
    for how in ("frozen", "public"):
        assert np.array_equal(models[how]["scale"].mean_, before[how])
        fixed = Logistic().fit(models[how]["scale"].transform(x[keep]), y[keep])
        z = models[how]["scale"].transform(x)
        assert apart(models[how][-1], fixed, z) <= fixed.claim_.atol
        assert models[how].keeps().rows == 59 and models[how]["scale"].keeps().rows == 0
        assert models[how]._raw is None
    assert np.array_equal(public.mean_, before["public"])
    refit = Pipeline([("scale", Scaler()), ("model", Logistic())]).fit(x[keep], y[keep])
    assert apart(models["follow"], refit, x) <= 1e-8
    assert apart(models["frozen"], refit, x) > 1e-3
    with pytest.raises(BadInput, match="fit it on public rows first"):
        Pipeline([("scale", Scaler("public")), ("model", Logistic())]).fit(x, y)
    with pytest.raises(BadInput, match="never to be deleted"):
        public.forget([3])
    learned = learn(Pipeline([("scale", public), ("model", Logistic())]), records())
    assert np.array_equal(learned["scale"].mean_, public.mean_)


def test_a_frozen_foreign_transformer_is_named_in_the_claim():
    x, y = blobs()
    model = Pipeline([("range", MinMaxScaler()), ("model", NaiveBayes())], statistics="frozen")
    model.fit(x, y)
    low = model["range"].data_min_.copy()
    lowest = int(np.argmin(x[:59, 0]))
    model.forget([lowest])
    assert model.claim_.given == ("step 'range' from all fitted rows",)
    assert np.array_equal(model["range"].data_min_, low)
    model.partial_fit(x[:1], y[:1])
    assert len(model.sample_ids_) == 60 and model.sample_ids_[-1] == 60
    with pytest.raises(BadInput, match="statistics"):
        Pipeline([("model", NaiveBayes())], statistics="public").fit(x, y)


def test_a_step_that_draws_without_a_seed_claims_a_distribution():
    x, y = blobs()
    for seed, sense in ((None, "distribution"), (0, "values")):
        tree = Pipeline([("s", Scaler()), ("m", DecisionTreeClassifier(random_state=seed))])
        assert tree.fit(x, y).claim_.sense == sense


def test_a_pipeline_of_texts_and_sparse_rows_forgets_and_is_saved(tmp_path):
    texts = ["a cat", "a dog", "secretword cat", "dog dog", "cat nap", "dog day"]
    y = np.array([0, 1, 0, 1, 0, 1])
    model = Pipeline([("words", CountVectorizer()), ("model", LogisticRegression())])
    model.fit(texts, y).forget([2])
    assert "secretword" not in model["words"].vocabulary_
    save(model, tmp_path / "m")
    assert b"secretword" not in (tmp_path / "m").read_bytes()
    again = load(tmp_path / "m")
    assert np.array_equal(again.predict_proba(texts), model.predict_proba(texts))
    assert "nap" not in again.forget([4])["words"].vocabulary_
    x, y = blobs()
    sparse = csr_matrix(np.where(x > 0, x, 0))
    for rows in (sparse, sparse.toarray()):
        wide = Pipeline(
            [
                ("range", MinMaxScaler() if rows is not sparse else Normalizer()),
                ("model", LogisticRegression(random_state=0)),
            ]
        ).fit(rows, y)
        save(wide.forget([0, 1]), tmp_path / "wide")
        again = load(tmp_path / "wide")
        assert apart(again.forget([5]), wide.forget([5]), rows) == 0


def test_a_pipeline_that_refuses_has_not_changed():
    x, y = blobs()
    for final in (Logistic(), DecisionTreeClassifier(random_state=0)):
        for how in ("follow", "frozen"):
            model = Pipeline([("scale", Scaler(how)), ("model", final)]).fit(x, y)
            before = pickle.dumps(model)
            for ids, error in [
                ([60], UnknownRecord),
                ([1, 1], RepeatedRecord),
                (range(60), NothingLeft),
                (np.flatnonzero(y > 0), OneClassLeft),
            ]:
                with pytest.raises(error):
                    model.forget(ids)
                assert pickle.dumps(model) == before
            bad = x[:1] * np.nan
            for rows, ids in ((bad, None), (x[:1], [3]), (x[:1, :2], None)):
                with pytest.raises((BadInput, ValueError)):
                    model.partial_fit(rows, y[:1], sample_ids=ids)
                assert pickle.dumps(model) == before
            with pytest.raises(BadInput):
                model.fit(x * np.nan, y)
            assert pickle.dumps(model) == before
            assert pickle.dumps(model.forget([])) == before


def test_weights_go_to_every_step_that_takes_them():
    x, y = blobs()
    weight = (np.arange(60) % 4 > 0).astype(float)
    some = weight > 0
    steps = [("scale", Scaler()), ("model", Logistic())]
    model = Pipeline(steps).fit(x, y, sample_weight=weight).forget([1, 2])
    some[[1, 2]] = False
    assert apart(model, Pipeline(steps).fit(x[some], y[some]), x) <= 1e-9
    with pytest.raises(BadInput, match="no sample_weight"):
        Pipeline([("model", Neighbours())]).fit(x, y, sample_weight=weight)


# learners


def test_the_same_seed_gives_the_same_model_and_the_recipe_stays_as_it_was():
    rows = records()
    nested = BaggingClassifier(DecisionTreeClassifier(max_features=1), n_estimators=3)
    learner = as_learner(nested)
    one, two = learner.learn(rows, seed=1), learner.learn(rows, seed=1)
    assert apart(one, two, rows.x) == 0
    assert apart(one, learner.learn(rows, seed=2), rows.x) > 0
    assert nested.random_state is None and not hasattr(nested, "classes_")
    assert one.get_params()["estimator__random_state"] is not None
    assert learner_of(one) is learner
    assert as_learner(learner) is learner
    with pytest.raises(BadInput, match="seed"):
        learn(Ridge(), rows, seed=-1)


def test_ids_reach_the_model_and_its_learner_makes_its_like():
    rows = records()
    model = learn(Pipeline([("scale", Scaler()), ("model", Logistic())]), rows)
    assert np.array_equal(model.sample_ids_, rows.ids)
    assert np.array_equal(model["model"].sample_ids_, rows.ids)
    model.forget([100])
    again = learner_of(model).learn(rows.without([100]), seed=5)
    assert apart(model, again, rows.x) <= 1e-9
    made = learner_of(Logistic(C=3.0).fit(rows.x, rows.y))
    assert isinstance(made, EstimatorLearner) and made.estimator.C == 3.0
    with pytest.raises(BadInput, match="learner_"):
        learner_of(object())


def test_learn_marks_the_models_of_other_learners():
    class Mean:
        def __init__(self, value=0.0):
            self.value = value

        def learn(self, rows, *, seed):
            return Mean(float(np.mean(rows.y)))

        def predict(self, x):
            return np.full(len(x), self.value)

    recipe = Mean()
    model = learn(recipe, records())
    assert learner_of(model) is recipe


@pytest.mark.parametrize("what", [3, "ridge", None, Logistic, DecisionTreeClassifier])
def test_what_cannot_learn_is_named(what):
    with pytest.raises(BadInput, match=r"cannot learn with|is a class"):
        as_learner(what)


@pytest.mark.parametrize("estimator", [Logistic(), DecisionTreeClassifier(), LogisticRegression()])
def test_records_that_cannot_be_learned_are_named(estimator):
    x, y = blobs()
    bad = x.copy()
    bad[4, 1] = np.inf
    ids = np.arange(60) + 100
    for columns, word in [
        ({"x": bad, "y": y}, "inf for the record with id 104, column 1"),
        ({"x": x, "y": np.where(np.arange(60) == 7, np.nan, y)}, "y holds nan .* id 107"),
        ({"x": x, "y": np.zeros(60)}, "only one class"),
        ({"x": x, "y": x[:, 0]}, "classifier"),
        ({"x": x[:, 0], "y": y}, "one row a record"),
        ({"x": x * 1j, "y": y}, "complex"),
        ({"x": np.array([["a"]] * 60), "y": y}, "cannot learn|could not convert"),
        ({"x": x}, "no column 'y'"),
    ]:
        with pytest.raises(BadInput, match=word):
            learn(estimator, Rows(ids, columns))
    with pytest.raises(BadInput, match="no records"):
        learn(estimator, Rows(ids[:0], {"x": x[:0], "y": y[:0]}))
    with pytest.raises(BadInput, match="give numbers"):
        learn(LinearRegression(), Rows(ids, {"x": x, "y": y.astype(str)}))
    tree = DecisionTreeClassifier()
    learn(tree, Rows(ids, {"x": np.where(bad == np.inf, np.nan, bad), "y": y}))  # takes NaN


# outputs


def test_scores_and_margins_of_every_shape_of_classifier():
    x, y = blobs()
    two = np.array(["no", "yes"])[y % 2]
    for model in (
        Logistic(),
        NaiveBayes(),
        Neighbours(),
        LinearSVC(),
        RandomForestClassifier(5),
        SVC(decision_function_shape="ovo"),
        SVC(),
        SVC(kernel="linear"),
        MLPClassifier(3, max_iter=3000, tol=1e-2),
        Pipeline([("s", Scaler()), ("m", Logistic())]),
    ):
        for labels in (y, two):
            fitted = clone(model).fit(x, labels)
            k = len(np.unique(labels))
            assert classifies(fitted)
            assert scores(fitted, x).dtype == np.float64
            assert scores(fitted, x).shape in {(60, k), (60, 1)}
            each = np.column_stack([margins(fitted, x, np.full(60, c)) for c in fitted.classes_])
            best = np.max(each, axis=1)
            mine = each[np.arange(60), np.searchsorted(fitted.classes_, fitted.predict(x))]
            assert np.allclose(mine, best)  # the answer is what is held strongest
            never = margins(fitted, x, np.full(60, "never" if labels is two else 77))
            assert np.isfinite(never).all()
            assert np.all(never < each.min(axis=1))


def test_margins_in_closed_form():
    model = Logistic().fit([[0.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.array([[2.0]]), np.array([-1.0])
    assert np.allclose(margins(model, [[2.0], [2.0]], [1, 0]), [3, -3])
    assert np.allclose(margins(model, [[2.0]], [9]), [-4])

    class Fixed(ClassifierMixin, BaseEstimator):
        classes_ = np.array(["a", "b", "c"])

        def predict_proba(self, x):
            return np.array([[0.2, 0.8, 0.0]])

        def predict(self, x):
            return np.array(["b"])

    assert np.allclose(margins(Fixed(), [[0]], ["a"]), np.log(0.25))
    assert np.allclose(margins(Fixed(), [[0]], ["c"]), np.log(1e-12))
    assert np.allclose(margins(Fixed(), [[0]], ["z"]), np.log(1e-13))

    class Dumb:
        classes_ = np.array([0, 1])

        def predict(self, x):
            return np.ones(len(x), dtype=int)

    assert margins(Dumb(), [[0]] * 3, [1, 0, 5]).tolist() == [1, -1, -2]
    assert scores(Dumb(), [[0]]).tolist() == [[0.0, 1.0]]
    ridge = Ridge().fit([[0.0], [1.0]], [0.0, 0.0])
    assert margins(ridge, [[0.0], [1.0]], [2.0, -3.0]).tolist() == [-2.0, -3.0]
    many = Ridge().fit([[0.0], [1.0]], np.zeros((2, 2)))
    assert margins(many, [[0.0]], [[3.0, 4.0]]).tolist() == [-5.0]
    assert scores(many, [[0.0]]).shape == (1, 2) and not classifies(many)


def test_parameters_are_one_row_or_none():
    x, y = blobs()
    assert parameters(Logistic().fit(x, y)).shape == (3 * 5,)
    assert parameters(NaiveBayes().fit(x, y)).shape == (3 * 4 * 2 + 3,)
    pipeline = Pipeline([("s", Scaler()), ("m", Ridge())]).fit(x, y)
    assert parameters(pipeline).shape == (8 + 5,)
    assert parameters(
        MLPClassifier(3, max_iter=1, early_stopping=False, tol=1)
        .set_params(n_iter_no_change=1, max_iter=50)
        .fit(x, y)
    ).shape == (4 * 3 + 3 * 3 + 3 + 3,)
    for model in (Neighbours(), DecisionTreeClassifier(), SVC()):
        assert parameters(model.fit(x, y)) is None
        assert parameters(Pipeline([("s", Scaler()), ("m", model)]).fit(x, y)) is None


# models on disk

SAVABLE = [
    Ridge(),
    Logistic(),
    NaiveBayes(),
    Neighbours(3, "distance"),
    Scaler(),
    Scaler("frozen"),
    Scaler("public"),
    Pipeline([("s", Scaler()), ("m", Logistic())]),
    Pipeline([("s", Scaler("frozen")), ("m", Neighbours())]),
    Pipeline([("s", MinMaxScaler()), ("p", "passthrough"), ("m", LogisticRegression())]),
    Pipeline([("i", Pipeline([("s", Scaler())])), ("m", Ridge())]),
]


def answers(model, x):
    return model.transform(x) if hasattr(model, "transform") else scores(model, x)


@pytest.mark.parametrize("model", SAVABLE, ids=repr)
@pytest.mark.parametrize("labels", ["numbers", "strings"])
def test_a_saved_model_is_the_same_model(model, labels, tmp_path):
    x, y = blobs()
    text = labels == "strings" and classifies(model)
    y = np.array(["one", "two", "three"])[y] if text else y
    ids = [f"id{i}" for i in range(60)] if text else np.arange(60)
    fitted = clone(model).fit(x, y, sample_ids=ids)
    public = isinstance(model, Scaler) and model.statistics == "public"
    gone = [] if public else [ids[3], ids[50]]
    fitted.forget(gone)
    again = load(save(fitted, tmp_path / "model"))
    assert load(fitted.save(tmp_path / "same")).get_params().keys() == fitted.get_params().keys()
    foreign = any(isinstance(step, MinMaxScaler) for _, step in getattr(model, "steps", ()))
    claim = said(fitted.claim_) if foreign else fitted.claim_  # nobody can check what others hold
    assert type(again) is type(fitted) and again.claim_ == claim
    assert np.array_equal(answers(again, x), answers(fitted, x))
    assert again.to_saved().to_bytes() == fitted.to_saved().to_bytes()
    if not public:
        fitted.forget([ids[9]])
        assert np.array_equal(answers(again.forget([ids[9]]), x), answers(fitted, x))
    new = {"sample_ids": ["new"]} if text else {}
    again.partial_fit(x[:1], y[:1], **new)
    fitted.partial_fit(x[:1], y[:1], **new)
    assert np.array_equal(answers(again, x), answers(fitted, x))


@pytest.mark.parametrize("model", SAVABLE, ids=repr)
def test_an_exported_model_serves_and_refuses_to_forget(model, tmp_path):
    x, y = blobs()
    x = x + np.pi * 1e-3
    fitted = clone(model).fit(x, y)
    served = load(fitted.export(tmp_path / "served"))
    assert np.array_equal(answers(served, x), answers(fitted, x))
    raw = (tmp_path / "served").read_bytes()
    needed = 60 if "Neighbours" in repr(model) else 0
    assert fitted.keeps().needed == needed
    assert served.keeps().rows == needed
    assert sum(row.tobytes() in raw for row in x) <= needed
    if not (isinstance(model, Scaler) and model.statistics == "public"):
        with pytest.raises(BadInput, match="serve"):
            served.forget([0])
    with pytest.raises(BadInput, match="serve"):
        served.partial_fit(x[:1], y[:1])
    twice = load(served.save(tmp_path / "twice"))
    assert np.array_equal(answers(twice, x), answers(fitted, x))


def test_names_of_features_are_saved(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, y = blobs()
    frame = pandas.DataFrame(x, columns=["a", "b", "c", "d"])
    again = load(Logistic().fit(frame, y).save(tmp_path / "m"))
    assert list(again.feature_names_in_) == ["a", "b", "c", "d"]
    with pytest.raises(BadInput, match="feature names"):
        again.predict(frame[["b", "a", "c", "d"]])


def test_scikit_learn_goes_through_skops_and_only_what_is_trusted_comes_back(tmp_path):
    rows = records()
    forest = learn(RandomForestClassifier(3), rows)
    save(forest, tmp_path / "forest")
    with pytest.raises(Untrusted, match=r"sklearn.tree._tree.Tree"):
        load(tmp_path / "forest")
    again = load(tmp_path / "forest", trusted=["sklearn.tree._tree.Tree"])
    plain = learn(LogisticRegression(), rows)
    assert np.array_equal(load(save(plain, tmp_path / "plain")).coef_, plain.coef_)
    assert np.array_equal(again.predict_proba(rows.x), forest.predict_proba(rows.x))
    assert hasattr(forest, "learner_") and not hasattr(again, "learner_")
    odd = SklearnPipeline([("f", Strange()), ("m", LogisticRegression())]).fit(rows.x, rows.y)
    save(odd, tmp_path / "odd")
    name = f"{Strange.__module__}.Strange"
    with pytest.raises(Untrusted, match=r"Strange.*trusted="):
        load(tmp_path / "odd")
    assert load(tmp_path / "odd", trusted=[name]).predict(rows.x).shape == (60,)
    nested = Pipeline([("f", Strange()), ("m", Logistic())]).fit(rows.x, rows.y)
    nested.save(tmp_path / "nested")
    with pytest.raises(Untrusted, match="Strange"):
        load(tmp_path / "nested")
    assert load(tmp_path / "nested", trusted=[name]).predict(rows.x).shape == (60,)
    with pytest.raises(BadInput, match="list of names"):
        load(tmp_path / "odd", trusted=name)
    import skops.io

    skops.io.dump(plain, tmp_path / "bare.skops")
    with pytest.raises(Untrusted, match="EstimatorLearner"):
        load(tmp_path / "bare.skops")
    del plain.learner_
    skops.io.dump(plain, tmp_path / "bare.skops")
    assert np.array_equal(load(tmp_path / "bare.skops").coef_, plain.coef_)


class Strange(BaseEstimator):
    """A transformer that nobody has heard of."""

    def fit(self, x, y=None):
        self.fitted_ = True
        return self

    def transform(self, x):
        return np.asarray(x)


EXPLODED = []


def explode():
    EXPLODED.append(1)


class Bomb:
    """A pickle of it leaves a trace when it is loaded."""

    def __reduce__(self):
        return explode, ()


class Plain:
    """A model that is no estimator."""

    def predict(self, x):
        return np.zeros(len(x))


def test_pickle_needs_to_be_allowed_twice(tmp_path):
    import hashlib

    with pytest.raises(BadInput, match="--allow-pickle"):
        save(Plain(), tmp_path / "plain")
    assert not (tmp_path / "plain").exists()
    save(Plain(), tmp_path / "plain", allow_pickle=True)
    with pytest.raises(Untrusted, match="--allow-pickle") as refused:
        load(tmp_path / "plain")
    digest = hashlib.sha256((tmp_path / "plain").read_bytes()).hexdigest()
    assert digest in str(refused.value)
    assert isinstance(load(tmp_path / "plain", allow_pickle=True), Plain)
    (tmp_path / "bare").write_bytes(pickle.dumps(Plain()))
    with pytest.raises(Untrusted, match="sha256"):
        load(tmp_path / "bare")
    assert isinstance(load(tmp_path / "bare", allow_pickle=True), Plain)
    (tmp_path / "cut").write_bytes(pickle.dumps(Plain())[:-5])
    with pytest.raises(Corrupt, match="damaged"):
        load(tmp_path / "cut", allow_pickle=True)


def test_loading_runs_nothing_and_imports_nothing_foreign(tmp_path):
    before = set(sys.modules)
    for kind in (
        "os:system",
        "subprocess:Popen",
        "unteach.__main__:main",
        "unteach.models:load",
        "unteach.core:Request",
        "this:Thing",
        "unteach.nothing:Model",
        "unteach.models:Nothing",
        "antigravity:x",
        "unteach..models:Ridge",
        "skopsx",
    ):
        (tmp_path / "m").write_bytes(Saved(kind, {}).to_bytes())
        with pytest.raises(Corrupt, match="no model of unteach"):
            load(tmp_path / "m")
    assert not {"this", "antigravity"} & (set(sys.modules) - before)
    bomb = Saved("pickle", {}, blobs={"model.pickle": pickle.dumps(Bomb())})
    (tmp_path / "m").write_bytes(bomb.to_bytes())
    with pytest.raises(Untrusted):
        load(tmp_path / "m")
    assert not EXPLODED
    load(tmp_path / "m", allow_pickle=True)
    assert EXPLODED


def zipped(**entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "."), text)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"\x93NUMPY",
        b"PK\x03\x04",
        zipped(a="1"),
        zipped(model__json="{}"),
        zipped(model__json='{"format":1}'),
        zipped(model__json='{"format":99,"kind":"x"}'),
        zipped(model__json='{"format":1,"kind":3,"config":[]}'),
        zipped(schema__json="{}"),
        zipped(model__json="not json"),
        Saved("skops", {}).to_bytes(),
        Saved("pickle", {}).to_bytes(),
        Saved("skops", {}, blobs={"estimator.skops": b"no"}).to_bytes(),
        Saved("unteach.models:Ridge", {}).to_bytes(),
        Saved("unteach.models:Pipeline", {"steps": ["a"]}).to_bytes(),
        Saved(
            "unteach.models:Ridge", {"params": {"evil": 1}, "claim": {"kind": "exact"}}
        ).to_bytes(),
    ],
)
def test_foreign_and_damaged_files_are_refused_by_name(raw, tmp_path):
    (tmp_path / "it").write_bytes(raw)
    with pytest.raises(Corrupt, match="it"):
        load(tmp_path / "it")
    assert (tmp_path / "it").read_bytes() == raw


def test_any_damage_is_noticed_or_harmless(tmp_path):
    x, y = blobs(20)
    rng = np.random.default_rng(0)
    for model in (Logistic(), NaiveBayes(), Pipeline([("s", Scaler()), ("m", Ridge())])):
        raw = bytearray(model.fit(x, y).to_saved().to_bytes())
        for _ in range(60):
            hurt = bytearray(raw)
            if rng.random() < 0.3:
                hurt = hurt[: rng.integers(0, len(raw))]
            else:
                hurt[rng.integers(0, len(raw))] ^= int(rng.integers(1, 256))
            (tmp_path / "hurt").write_bytes(bytes(hurt))
            try:
                again = load(tmp_path / "hurt")
            except Corrupt:
                continue
            assert np.array_equal(scores(again, x), scores(model, x))


def test_missing_files_and_directories_are_named(tmp_path):
    with pytest.raises(BadInput, match="cannot read"):
        load(tmp_path / "nothing")
    with pytest.raises(BadInput, match="cannot read"):
        load(tmp_path)
    x, y = blobs()
    with pytest.raises(BadInput, match="cannot write"):
        save(Ridge().fit(x, y), tmp_path / "no" / "m")


def test_a_pipeline_of_mixed_values_says_why_it_cannot_be_saved(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, y = blobs()
    frame = pandas.DataFrame(x, columns=list("abcd"))
    model = Pipeline([("s", StandardScaler()), ("m", LogisticRegression())]).fit(frame, y)
    model.forget([3])
    fresh = Pipeline([("s", StandardScaler()), ("m", LogisticRegression())]).fit(
        frame.drop(index=3), np.delete(y, 3)
    )
    assert apart(model, fresh, frame) <= 1e-10
    worded = frame.assign(e=["w"] * len(frame))
    kept = ColumnTransformer([("numbers", StandardScaler(), list("abcd"))])
    mixed = Pipeline([("s", kept), ("m", LogisticRegression())]).fit(worded, y)
    with pytest.raises(BadInput, match=r"column 'e'.*numeric"):
        save(mixed, tmp_path / "m")
    assert not os.listdir(tmp_path)


def test_a_category_goes_with_its_last_row_and_declared_ones_stay():
    pandas = pytest.importorskip("pandas")
    x, y = blobs()
    names = ["hubert blaine"] * 2 + ["somebody else"] * (len(x) - 2)
    who = pandas.Categorical(names, categories=["never seen", "somebody else", "hubert blaine"])
    frame = pandas.DataFrame(x, columns=list("abcd")).assign(who=who)
    numbers = ("numbers", StandardScaler(), list("abcd"))
    coded = ColumnTransformer([numbers, ("who", OrdinalEncoder(), ["who"])])
    model = Pipeline([("s", coded), ("m", Logistic())]).fit(frame, y)
    assert b"hubert" in pickle.dumps(model)
    model.forget([0])
    assert b"hubert" in pickle.dumps(model)
    model.forget([1])
    assert b"hubert" not in pickle.dumps(model)
    assert model._raw.x.who.cat.categories.tolist() == ["never seen", "somebody else"]
    fresh = Pipeline([("s", coded), ("m", Logistic())]).fit(frame[2:], y[2:])
    assert apart(model, fresh, frame[2:]) <= model.claim_.atol
    model.partial_fit(frame[:1], y[:1])
    assert str(model._raw.x.who.dtype) == "category"
    assert model._raw.x.who.iloc[-1] == "hubert blaine" and len(model.predict(frame)) == len(x)


def test_a_pipeline_fitted_on_a_numeric_frame_is_saved_and_forgets_on(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, y = blobs()
    frame = pandas.DataFrame(x, columns=list("dcba")).assign(count=np.arange(len(x)), odd=y == 1)
    model = Pipeline([("s", Scaler()), ("m", Logistic())]).fit(frame, y)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    pandas.testing.assert_frame_equal(again._raw.x, model._raw.x)
    again.forget([3, 4])
    assert again.feature_names_in_.tolist() == [*"dcba", "count", "odd"]
    fresh = Pipeline([("s", Scaler()), ("m", Logistic())]).fit(
        frame.drop(index=[3, 4]), np.delete(y, [3, 4])
    )
    assert apart(again, fresh, frame) <= again.claim_.atol


def test_a_pipeline_never_gives_a_forgotten_id_again_and_keeps_its_parameters(tmp_path):
    x, y = blobs()
    recipe = Pipeline([("s", StandardScaler()), ("m", Logistic())])
    model = clone(recipe).fit(x, y).forget([len(x) - 1])
    model.save(tmp_path / "m")
    for one in (model, load(tmp_path / "m")):
        assert one.partial_fit(x[:1], y[:1]).sample_ids_[-1] == len(x)
    model = clone(recipe).fit(x, y)
    model.set_params(statistics="frozen", m__C=1e-3, s__with_mean=False)
    fresh = clone(recipe).fit(x[1:], y[1:])
    assert apart(model.forget([0]), fresh, x) <= model.claim_.atol
    assert model.claim_ == fresh.claim_ and model.statistics == "frozen"
    model.partial_fit(x[:1], y[:1], sample_weight=None)
    assert apart(model, clone(recipe).fit(np.r_[x[1:], x[:1]], np.r_[y[1:], y[:1]]), x) <= 1e-9


def test_what_names_no_records_is_refused():
    x, y = blobs()
    model = Pipeline([("s", Scaler()), ("m", Logistic())]).fit(x, y)
    with pytest.raises(BadInput, match="sample_ids_"):
        model.forget(None)
    with pytest.raises(BadInput, match=r"rows\(X, y\)"):
        learn(Logistic(), (x, y))
