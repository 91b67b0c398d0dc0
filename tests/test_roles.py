"""What is called new to a model is compared with all that it has learned from."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import unteach
from unteach import audit, unlearn
from unteach.core import BadInput, Case, Request, Rows, UnteachError, unseen
from unteach.memorize import LeaveOneOut, Memories
from unteach.models import Logistic, NaiveBayes, Neighbours, Pipeline, Ridge, Scaler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 4))
Y = (X[:, 0] + RNG.normal(size=160) > 0).astype(int)
ALL = Rows(np.arange(160), {"x": X, "y": Y})
KNOWN, FRESH = ALL.take(np.arange(100)), ALL.take(np.arange(100, 160))


def numbered(rows, first=0):
    return Rows(np.arange(first, first + len(rows)), dict(rows.columns))


def joined(*parts, first=5000):
    columns = {c: np.concatenate([np.asarray(p.column(c)) for p in parts]) for c in ("x", "y")}
    return Rows(np.arange(first, first + sum(map(len, parts))), columns)


def by_run(holdout):
    return audit.run(
        unlearn.DoNothing(),
        Logistic(C=100.0),
        KNOWN,
        forget=KNOWN.ids[:10],
        holdout=holdout,
        tier="screen",
    )


def by_trials(holdout):
    return audit.audit(
        unlearn.DoNothing(), Logistic(), KNOWN, Request(ids=[1, 2]), seeds=[0], holdout=holdout
    )


def by_draws(holdout):
    draws = [(KNOWN, holdout, Request(ids=[k])) for k in range(2)]
    return audit.audit(unlearn.DoNothing(), Logistic(), KNOWN, draws[0][2], draws=draws)


def by_model(holdout):
    model = unteach.learn(Logistic(), KNOWN)
    gone = unteach.forget(model, KNOWN, ids=[3])
    return audit.audit_model(model, gone, KNOWN, Request(ids=[3]), holdout=holdout)


def by_arms(holdout):
    models = [unteach.learn(Logistic(C=c), KNOWN) for c in (1.0, 2.0, 3.0, 4.0)]
    others = [unteach.learn(Logistic(C=c), KNOWN.without([3])) for c in (1.0, 2.0, 3.0, 4.0)]
    return audit.Arms.load(models, others, records=KNOWN, forget=[3], holdout=holdout)


ROOMS = (by_run, by_trials, by_draws, by_model, by_arms)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize(
    "holdout",
    [
        ALL.take(np.arange(95, 130)),  # training rows among new ones
        ALL.take([3, 120, 121]),  # a forgotten one
        numbered(KNOWN.take(np.arange(40)), 1000),  # training rows under other ids
        numbered(KNOWN.take(np.arange(40)), 30),  # under ids that other rows have
        Rows([f"p{k}" for k in range(40)], dict(KNOWN.take(np.arange(40)).columns)),
        Rows(np.arange(2000, 2040), {"x": X[:40].astype("f4"), "y": Y[:40].astype(float)}),
        Rows(np.arange(2000, 2040), {"x": sp.coo_array(X[:40]), "y": Y[:40]}),
    ],
    ids=["same ids", "forgotten", "new ids", "mixed", "text", "types", "sparse"],
)
def test_held_out_rows_that_were_seen_are_refused(room, holdout):
    with pytest.raises(BadInput, match="nothing has seen"):
        room(holdout)


@pytest.mark.parametrize("room", ROOMS)
def test_rows_numbered_independently_are_not_taken_for_training_rows(room):
    room(numbered(FRESH))


def test_accidental_copies_are_counted_and_left_out():
    mixed = joined(FRESH, KNOWN.take([7]))
    with pytest.warns(UserWarning, match=r"1 of 61 records of holdout= equal .*id 5060.*left out"):
        report = by_run(mixed)
    assert (report.base.part == "holdout").sum() == 60
    assert "1 held-out records were left out" in report.card["reference"][0]
    with pytest.warns(UserWarning, match="left out"):
        found = by_trials(mixed)
    assert found.table("left out")["id"] == [5060]
    assert len(found.case.trials[0].holdout) == 60
    with pytest.warns(UserWarning, match="left out"):
        arms = by_arms(mixed)
    assert (arms.part == "holdout").sum() == 60 and arms.original.shape[1] == 160


def test_data_that_repeat_themselves_are_no_leak():
    grid = np.stack(np.meshgrid(*[np.arange(3.0)] * 4), -1).reshape(-1, 4)
    x = grid[np.random.default_rng(1).integers(0, 81, 300)]
    rows = Rows(np.arange(300), {"x": x, "y": (x.sum(axis=1) > 4).astype(int)})
    with pytest.warns(UserWarning, match="left out"):
        new, gone = unseen(rows.take(np.arange(200, 300)), rows.take(np.arange(200)))
    assert len(new) + len(gone) == 100 and len(gone) > 50
    assert not (new.x[:, None] == x[:200]).all(axis=2).any()  # whatever is kept is new
    with pytest.raises(BadInput, match="give some"):
        unseen(rows.take(np.arange(200, 300)).select(gone), rows.take(np.arange(200)))
    with pytest.warns(UserWarning, match="left out"):  # also where the audit itself holds out
        audit.run(unlearn.DoNothing(), Logistic(), rows, forget=[1, 2], tier="screen")


@pytest.mark.parametrize(
    "column",
    [
        ["a", "b", "c"],
        [[1, 2], [3], [4, 5, 6]],
        np.array([["a", 1.0], ["b", None], ["c", 2]], dtype=object),
        np.array([[np.nan, 0.0], [1.0, -0.0], [2.0, 2.0]]),
        np.arange(24.0).reshape(3, 2, 2, 2),
    ],
    ids=["texts", "ragged", "objects", "nan", "pictures"],
)
def test_contents_of_any_kind_are_compared(column):
    rows = Rows([0, 1, 2], {"x": column, "y": np.array([0, 1, 0])})
    again = numbered(rows.take([2, 1]), 10)
    with pytest.raises(BadInput):
        unseen(again, rows)
    flipped = Rows([10, 11], {"x": again.x, "y": 1 - np.asarray(again.y)})
    assert len(unseen(flipped, rows)[0]) == 2  # another target is another record
    with pytest.raises(BadInput):
        unseen(Rows([2, 1], {"x": again.x, "y": flipped.y}), rows)  # but not under its own id


def test_frames_are_compared_by_their_values():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]}, index=[7, 8, 9])
    rows = Rows([0, 1, 2], {"x": frame, "y": np.array([0, 1, 0])})
    with pytest.raises(BadInput):
        unseen(Rows([5, 6], {"x": frame.to_numpy()[:2], "y": np.array([0, 1])}), rows)


def test_new_contents_of_a_change_are_seen_too():
    told = Rows([3], {"x": FRESH.x[:1], "y": 1 - FRESH.y[:1]})
    request = Request(replace=told)
    for held in (Rows([3], dict(told.columns)), numbered(told, 900)):
        with pytest.raises(BadInput):
            audit.audit(unlearn.Retrain(), Logistic(), KNOWN, request, holdout=held, seeds=[0])
        with pytest.raises(BadInput):
            audit.run(
                unlearn.Retrain(), Logistic(), KNOWN, forget=request, holdout=held, tier="screen"
            )


def test_records_that_a_method_uses_are_no_held_out_ones():
    pytest.importorskip("torch")
    method = unlearn.SCRUB(validation=FRESH)
    nested = unlearn.RUM(methods=(method, unlearn.DoNothing()))
    for one in (method, nested):
        with pytest.raises(BadInput, match="methods use"):
            audit.run(one, Logistic(), KNOWN, forget=[1, 2], holdout=FRESH, tier="screen")
        with pytest.raises(BadInput, match="methods use"):
            audit.audit(one, Logistic(), KNOWN, Request(ids=[1]), holdout=FRESH, seeds=[0])


def test_a_record_has_one_part_in_a_case():
    trial = by_trials(FRESH).case.trials[0]
    for part in (
        {"holdout": trial.retain},
        {"holdout": trial.forget},
        {"retain": KNOWN},
    ):
        with pytest.raises(BadInput, match="one part"):
            Case((trial.__class__(**{**vars(trial), **part}),), "seeds")


def test_a_model_has_one_part_in_arms():
    models = [unteach.learn(Logistic(C=c), KNOWN) for c in (1.0, 2.0, 3.0, 4.0)]
    others = [unteach.learn(Logistic(C=c), KNOWN.without([3])) for c in (1.0, 2.0, 3.0, 4.0)]
    asked = {"records": KNOWN, "forget": [3]}
    with pytest.raises(BadInput, match="given as twin too"):
        audit.Arms.load(models, others, twin=others, **asked)
    with pytest.raises(BadInput, match="given as unlearned too"):
        audit.Arms.load(models, others, unlearned=others, **asked)
    audit.Arms.load(models, others, unlearned=models, **asked)  # the pole that does nothing


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 101.0)])
def test_public_rows_are_not_those_that_are_learned(weight):
    public = Scaler("public").fit(KNOWN.x, sample_weight=weight)
    model = Pipeline([("scale", public), ("model", Logistic())])
    with pytest.raises(BadInput, match="exactly these rows"):
        model.fit(KNOWN.x, KNOWN.y, sample_weight=weight)
    model.fit(FRESH.x, FRESH.y)


def test_a_record_is_not_forgotten_and_preserved():
    model = unteach.learn(Logistic(), KNOWN)
    grouped = Rows(KNOWN.ids, dict(KNOWN.columns), np.repeat(["a", "b"], 50))
    for request in (
        {"ids": [1], "preserve": [1]},
        {"groups": ["a"], "preserve": [1]},
        {"replace": FRESH.take([0]).__class__([1], {"x": X[:1], "y": Y[:1]}), "preserve": [1]},
    ):
        with pytest.raises(BadInput, match="to be forgotten and to be preserved"):
            unteach.forget(model, grouped, **request)


def test_test_points_that_were_learned_from_tell_no_accuracy():
    study = Memories(X[:40], Y[:40], learner="knn", X_test=X[:10], y_test=Y[:10]).run(64, jobs=1)
    for ask in (study.banzhaf, lambda: study.removal_curve(draws=2)):
        with pytest.raises(BadInput, match="X_test"):
            ask()
    assert study.influence().shape == (10, 40)  # what records do to each other


FORMS = (sp.csr_matrix, sp.csc_array, sp.coo_array)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "model",
    [
        Logistic(),
        Ridge(),
        NaiveBayes(),
        Neighbours(),
        Pipeline([("s", Scaler()), ("m", Logistic())]),
    ],
    ids=lambda m: type(m).__name__,
)
def test_sparse_rows_are_learned_and_forgotten_as_dense_ones(form, model):
    rows = Rows(KNOWN.ids, {"x": form(KNOWN.x), "y": KNOWN.y})
    gone = unteach.forget(unteach.learn(model, rows), rows, ids=[1, 5])
    fresh = unteach.learn(model, KNOWN.without([1, 5]))
    assert gone.claim.kind == "exact"
    assert np.allclose(gone.model.predict(form(FRESH.x)), fresh.predict(FRESH.x), atol=1e-9)
    report = audit.audit(unlearn.Native(), model, rows, Request(ids=[1]), seeds=[0], holdout=FRESH)
    assert abs(report.reading("holdout utility").value) < 1e-12 and repr(report)
    if not isinstance(model, Ridge):
        again = audit.run(unlearn.Native(), model, rows, forget=[1, 2], tier="screen")
        assert np.array_equal(again.base.retrained[0], again["Native"].arms.unlearned[0])


@pytest.mark.parametrize("model", [Logistic(), Ridge(), NaiveBayes(), Neighbours(), Scaler()])
def test_sparse_rows_too_large_to_be_dense_are_refused(model):
    with pytest.raises(BadInput, match="1 GiB"):
        model.fit(sp.csr_matrix((10**5, 10**4)), np.arange(10**5) % 2)
    with pytest.raises(BadInput, match="1 GiB"):
        Memories(sp.csr_matrix((10**5, 10**4)), np.arange(10**5) % 2)


def test_memories_of_sparse_rows_are_those_of_dense_ones():
    one, two = (
        Memories(x, Y[:40], learner="knn", X_test=at, y_test=Y[100:120]).run(64, jobs=1)
        for x, at in ((X[:40], X[100:120]), (sp.csc_array(X[:40]), sp.coo_array(X[100:120])))
    )
    assert np.array_equal(one.memorization().value, two.memorization().value)
    assert np.array_equal(one.banzhaf().value, two.banzhaf().value)


@pytest.mark.parametrize("model", [Logistic(), NaiveBayes(), Neighbours()])
def test_several_labels_a_record_are_refused_by_name(model):
    from sklearn.multioutput import MultiOutputClassifier

    rows = Rows(KNOWN.ids, {"x": KNOWN.x, "y": np.column_stack([KNOWN.y, 1 - KNOWN.y])})
    with pytest.raises(BadInput, match="one label a record"):
        unteach.learn(model, rows)
    several = MultiOutputClassifier(model)
    with pytest.raises(BadInput, match="one label a record"):
        audit.run(unlearn.Retrain(), several, rows, forget=[1, 2], tier="screen")
    with pytest.raises(BadInput, match="one label a record"):
        audit.audit(unlearn.Retrain(), several, rows, Request(ids=[1]), seeds=[0])
    with pytest.raises(UnteachError, match="one label"):
        LeaveOneOut().score("knn", rows, seed=0)


def test_several_targets_are_learned_forgotten_and_audited_by_ridge():
    both = np.column_stack([X @ np.arange(4.0), X[:, 1] ** 2])
    rows = Rows(np.arange(100), {"x": X[:100], "y": both[:100]})
    held = Rows(np.arange(60), {"x": X[100:], "y": both[100:]})
    gone = unteach.forget(unteach.learn(Ridge(), rows), rows, ids=[1, 5])
    fresh = unteach.learn(Ridge(), rows.without([1, 5]))
    assert np.abs(gone.model.predict(X) - fresh.predict(X)).max() <= gone.claim.atol
    report = audit.audit(
        unlearn.Retrain(), Ridge(), rows, Request(ids=[1]), seeds=[0, 1], holdout=held
    )
    assert report.reading("holdout utility").unit == "R2"
