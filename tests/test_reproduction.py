"""Of a model that unteach did not learn, exactness is shown: its recipe gives it again."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import unteach
from unteach import audit, models, unlearn
from unteach.core import BadInput, Exact, Heuristic, NoRoute, Request, Rows, claim_from, claim_json
from unteach.data import rows
from unteach.models.foreign.reproduction import apart
from unteach.unlearn import Retrain

N = 80
R = np.random.default_rng(0)
X = R.normal(size=(N, 4))
Y = (X[:, 0] + R.normal(0, 0.7, N) > 0).astype(int)
W = np.where(Y == 1, 20.0, 1.0)
GONE = [3, 41]
KEEP = ~np.isin(np.arange(N), GONE)
RECORDS = rows(X, Y)


def forest(**how):
    return RandomForestClassifier(8, **how)


def shuffled(**how):
    return KFold(3, shuffle=True, **how)


REPRODUCED = {
    "logistic": lambda: LogisticRegression(C=3.0),
    "forest": lambda: forest(random_state=42),
    "knn": lambda: KNeighborsClassifier(3),
    "no probabilities": lambda: LinearSVC(random_state=1),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "early stopping": lambda: MLPClassifier((4,), early_stopping=True, random_state=3),
    "voting": lambda: VotingClassifier(
        [("a", forest(random_state=1)), ("b", GaussianNB())], voting="soft"
    ),
    "stacking": lambda: StackingClassifier(
        [("a", forest(random_state=1)), ("b", GaussianNB())],
        LogisticRegression(),
        cv=shuffled(random_state=5),
    ),
    "search": lambda: GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 4]},
        cv=shuffled(random_state=2),
    ),
    "pipeline": lambda: make_pipeline(StandardScaler(), SVC()),
    "warm start": lambda: LogisticRegression(warm_start=True),
    "class weights": lambda: LogisticRegression(class_weight="balanced"),
    "clusters": lambda: KMeans(3, random_state=0, n_init=1),
    "outliers": lambda: IsolationForest(n_estimators=8, random_state=0),
    "targets": lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
}


@pytest.mark.parametrize("kind", REPRODUCED)
def test_a_reproduced_model_forgets_exactly_and_keeps_its_own_seeds(kind):
    model = REPRODUCED[kind]().fit(X, Y)
    gone = unteach.forget(model, RECORDS, ids=GONE)
    assert gone.claim == Exact(gone.claim.atol, basis="reproduction")
    want = REPRODUCED[kind]().fit(X[KEEP], Y[KEEP])
    assert apart(want, gone.model, X).by <= gone.claim.atol == 0


NOT_REPRODUCED = {
    "weights": lambda: LogisticRegression().fit(X, Y, sample_weight=W),
    "own model, weights": lambda: models.Logistic().fit(X, Y, sample_weight=W),
    "tree, weights": lambda: DecisionTreeClassifier(random_state=0).fit(X, Y, sample_weight=W),
    "unseeded forest": lambda: forest().fit(X, Y),
    "unseeded tree": lambda: DecisionTreeClassifier(max_features=1).fit(X, Y),
    "generator": lambda: forest(random_state=np.random.RandomState(0)).fit(X, Y),
    "unseeded splits": lambda: CalibratedClassifierCV(GaussianNB(), cv=shuffled()).fit(X, Y),
    "columns in another order": lambda: LogisticRegression().fit(X[:, ::-1], Y),
    "swapped classes": lambda: LogisticRegression().fit(X, 1 - Y),
    "fewer rows": lambda: LogisticRegression().fit(X[:60], Y[:60]),
    "batch by batch": lambda: (
        SGDClassifier(random_state=0)
        .partial_fit(X[:40], Y[:40], classes=[0, 1])
        .partial_fit(X[40:], Y[40:])
    ),
    "unseeded network": lambda: MLPClassifier((4,), max_iter=300, tol=0.1).fit(X, Y),
    "unseeded stack": lambda: StackingClassifier(
        [("a", forest())], LogisticRegression(), cv=shuffled()
    ).fit(X, Y),
    "changed by hand": lambda: changed(LinearSVC(random_state=0).fit(X, Y)),
    "other labels": lambda: Ridge().fit(X, Y + 1e-3 * X[:, 1]),
}


def changed(model):
    model.coef_ = model.coef_ * 1.01
    return model


@pytest.mark.parametrize("kind", NOT_REPRODUCED)
def test_what_is_not_reproduced_is_never_called_exact(kind):
    model = NOT_REPRODUCED[kind]()
    with pytest.raises(NoRoute, match="does not reproduce this"):
        unteach.forget(
            model, RECORDS, ids=GONE, method="retrain" if hasattr(model, "forget") else "auto"
        )
    gone = unteach.forget(model, RECORDS, ids=GONE, method="retrain", accept="heuristic")
    assert isinstance(gone.claim, Heuristic)
    word = Retrain(verify=False).forget(model, RECORDS, Request(ids=GONE), seed=None).claim
    assert word.basis == "word" and "user's word" in str(word)


WEIGHED = {
    "logistic": (lambda: LogisticRegression(), "sample_weight"),
    "pipeline": (
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        "logisticregression__sample_weight",
    ),
    "search": (lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}), "sample_weight"),
    "forest": (lambda: forest(random_state=4), "sample_weight"),
}


@pytest.mark.parametrize("kind", WEIGHED)
def test_what_fit_was_given_is_cut_along_with_the_records(kind):
    make, name = WEIGHED[kind]
    model = make().fit(X, Y, **{name: W})
    how = {"fit_params": {name: W}}
    gone = unteach.forget(model, RECORDS, ids=GONE, **how)
    want = make().fit(X[KEEP], Y[KEEP], **{name: W[KEEP]})
    assert apart(want, gone.model, X).by == 0 and gone.claim.basis == "reproduction"
    assert len(gone.model.learner_.fit_params[name]) == N - 2  # nothing of who is forgotten
    left = RECORDS.without(GONE)
    further = unteach.forget(gone.model, left, ids=[7])
    also = KEEP & (np.arange(N) != 7)
    assert apart(make().fit(X[also], Y[also], **{name: W[also]}), further.model, X).by == 0
    assert further.claim.basis == "reproduction"
    with pytest.raises(NoRoute, match="reproduce"):
        unteach.forget(model, RECORDS, ids=GONE)
    assert unteach.forget(model, RECORDS, ids=GONE, verify=False).claim.basis == "word"
    with pytest.raises(NoRoute, match="cannot be learned again"):
        unteach.forget(model, RECORDS, ids=GONE, fit_params={"no_such": 1})


def test_a_number_replaces_the_seed_of_the_user_and_the_claim_says_so():
    model = forest(random_state=42).fit(X, Y)
    gone = unteach.forget(model, RECORDS, ids=GONE, seed=7)
    assert gone.claim.sense == "distribution" and "seed 7 in the place" in str(gone.claim)
    assert gone.model.random_state != 42
    assert unteach.forget(model, RECORDS, ids=GONE).model.random_state == 42


def test_what_unteach_learned_forgets_with_the_seed_that_it_was_learned_with():
    model = unteach.learn(forest(), RECORDS, seed=5)
    gone = unteach.forget(model, rows(X, Y), ids=GONE)
    assert gone.claim == Exact(0.0)
    want = unteach.learn(forest(), RECORDS.without(GONE), seed=5)
    assert apart(want, gone.model, X).by == 0
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        again = unteach.forget(other, RECORDS, ids=GONE)
        assert again.claim == Exact(0.0, basis="reproduction")
        assert apart(want, again.model, X).by == 0


def test_a_learned_model_that_was_fitted_again_is_not_taken_for_the_learned_one():
    model = unteach.learn(LogisticRegression(), RECORDS)
    model.fit(X, Y, sample_weight=W)
    with pytest.raises(NoRoute, match="reproduce"):
        unteach.forget(model, RECORDS, ids=GONE)
    model = unteach.learn(LogisticRegression(), RECORDS)
    with pytest.raises(NoRoute, match="reproduce"):
        unteach.forget(model, rows(X * 3, Y), ids=GONE)  # the same ids, other contents
    with pytest.raises(NoRoute, match="reproduce"):
        unteach.forget(model, RECORDS, ids=GONE, method=Retrain(LogisticRegression(C=0.01)))


def test_what_draws_at_random_anywhere_in_a_recipe_is_seeded():
    recipe = models.as_learner(
        GridSearchCV(forest(), {"max_depth": [1, 2, 3, 4]}, cv=KFold(3, shuffle=True))
    )
    one, two = (recipe.learn(RECORDS, seed=1) for _ in range(2))
    assert apart(one, two, X).by == 0 and one.cv.random_state == two.cv.random_state is not None
    assert recipe.estimator.cv.random_state is None


@pytest.mark.parametrize(
    "model, records, said",
    [
        (LogisticRegression().fit(X[:, :3], Y), RECORDS, "3 features"),
        (LogisticRegression().fit(X, Y + 4), RECORDS, "4, 5.* 0, 1"),
        (KNeighborsClassifier().fit(X[:60], Y[:60]), RECORDS, "60 rows, and 80"),
        (SVC().fit(X[:60], Y[:60]), RECORDS, "60 rows, and 80"),
        (
            DecisionTreeClassifier().fit(X, Y),
            RECORDS.take(np.arange(60)),
            "80 rows, and 60",
        ),
        (
            GaussianNB().fit(pd.DataFrame(X, columns=list("abcd")), Y),
            Rows(np.arange(N), {"x": pd.DataFrame(X[:, ::-1], columns=list("dcba")), "y": Y}),
            "another order: column 0 was 'a'",
        ),
        (LogisticRegression(), RECORDS, "not fitted"),
    ],
)
def test_records_that_a_model_was_not_fitted_to_are_refused_by_name(model, records, said):
    with pytest.raises(BadInput, match=said):
        unteach.forget(model, records, ids=GONE)


def test_sparse_rows_frames_and_frozen_parts():
    x = sparse.csr_matrix(np.abs(X) * (np.abs(X) > 0.5))
    gone = unteach.forget(MultinomialNB().fit(x, Y), rows(x, Y), ids=GONE)
    assert gone.claim.basis == "reproduction"
    frame = pd.DataFrame(X, columns=list("abcd"))
    framed = Rows(np.arange(N), {"x": frame, "y": Y})
    assert unteach.forget(GaussianNB().fit(frame, Y), framed, ids=GONE).claim.kind == "exact"
    base = FrozenEstimator(GaussianNB().fit(X, Y))
    gone = unteach.forget(CalibratedClassifierCV(base).fit(X, Y), RECORDS, ids=GONE)
    assert gone.claim.given == ("the frozen GaussianNB as it is",)


def test_a_model_whose_attributes_are_of_another_version_is_refused_in_words():
    model = LogisticRegression().fit(X, Y)
    del model.intercept_
    with pytest.raises((NoRoute, BadInput), match=r"version|not fitted"):
        unteach.forget(model, RECORDS, ids=GONE)


def test_splits_by_row_numbers_cannot_be_learned_from_fewer_rows():
    model = GridSearchCV(GaussianNB(), {}, cv=PredefinedSplit(np.arange(N) % 3)).fit(X, Y)
    with pytest.raises(NoRoute, match="cv of this GridSearchCV holds row numbers"):
        unteach.forget(model, RECORDS, ids=GONE)
    with pytest.raises(BadInput, match="cannot learn from these records"):
        unteach.forget(model, RECORDS, ids=GONE, method="retrain", accept="heuristic")


def test_the_basis_of_a_claim_is_written_and_read():
    claim = Exact(1e-9, basis="reproduction")
    assert claim_from(claim_json(claim)) == claim
    assert "basis" not in claim_json(Exact())
    with pytest.raises(BadInput, match="basis"):
        Exact(basis="hearsay")


def test_the_command_line_compares_the_names_of_features_and_their_order(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from unteach.cli import app

    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(X, columns=list("abcd"))
    models.save(LogisticRegression().fit(frame[list("dcba")], Y), "m.unteach")
    frame.assign(y=Y, id=np.arange(N)).to_csv("d.csv", index=False)
    words = [
        "forget",
        "m.unteach",
        "--data",
        "d.csv",
        "--ids-column",
        "id",
        "--target",
        "y",
        "--id",
        "3",
        "--all-of-data",
    ]
    done = CliRunner().invoke(app, words)
    said = f"{done.exception} {done.stderr}"
    assert done.exit_code and "another order: feature 1 was 'd'" in said


def test_only_retraining_takes_what_fit_was_given():
    model = unteach.learn(models.Logistic(), RECORDS)
    with pytest.raises(BadInput, match="for retraining"):
        unteach.forget(model, RECORDS, ids=GONE, method="native", verify=False)


def test_the_recipe_that_was_shown_serves_an_audit():
    model = LogisticRegression().fit(X, Y, sample_weight=W)
    gone = unteach.forget(model, RECORDS, ids=GONE, fit_params={"sample_weight": W})
    found = audit.audit_model(model, gone, RECORDS, Request(ids=GONE))
    assert found.verdicts["prediction gap"] in ("as retrained", "cannot tell")
    plain = Retrain(verify=False).forget(model, RECORDS, Request(ids=GONE), seed=None)
    other = LogisticRegression().fit(X, Y, sample_weight=W)
    with pytest.warns(UserWarning, match="does not reproduce this"):
        audit.audit_model(other, plain, RECORDS, Request(ids=GONE))
    assert unlearn.Retrain().promise(LinearRegression().fit(X, Y), RECORDS, Request(ids=GONE)) == (
        Exact(0.0, basis="reproduction")
    )
