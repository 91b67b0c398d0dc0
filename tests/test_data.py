"""Data: ids survive everything, planted truths are true, and bad input is named by its place."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from unteach.core import (
    BadInput,
    Corrupt,
    NothingLeft,
    Records,
    RepeatedRecord,
    Request,
    Rows,
    UnknownRecord,
    UnteachError,
    stream,
)
from unteach.data import (
    DATASETS,
    canaries,
    divide,
    draws,
    duplicates,
    load,
    memorable,
    mislabelled,
    pick,
    rare,
    read_table,
    rows,
    split,
    write_table,
)

PLANAR = ["moons", "blobs2", "rings", "xor"]


def same(one: Rows, two: Rows) -> bool:
    """Say whether two records are the same bytes."""
    if set(one.columns) != set(two.columns) or (one.groups is None) != (two.groups is None):
        return False
    pairs = [(one.ids, two.ids)] + [(one.columns[k], two.columns[k]) for k in one.columns]
    if one.groups is not None:
        pairs.append((one.groups, two.groups))
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


# ---------------------------------------------------------------- bundled
@pytest.mark.parametrize("about", [d for d in DATASETS if not d.needs], ids=lambda d: d.name)
def test_every_listed_set_is_what_its_description_says(about):
    records = load(about.name)
    assert isinstance(records, Records)
    assert records.x.shape == (about.n, about.features)
    assert records.x.dtype == np.float64
    assert records.ids.tolist() == list(range(about.n))
    assert records.y.dtype == (np.int64 if about.task == "classes" else np.float64)
    assert (records.groups is None) == (about.task == "regression")
    assert same(records, load(about.name))
    assert "BSD" in about.source
    with pytest.raises(FrozenInstanceError):
        about.name = "other"


def test_real_values_are_the_sources_own():
    x, y = datasets.load_digits(return_X_y=True)
    digits = load("digits")
    assert np.array_equal(digits.x, x) and np.array_equal(digits.y, y)
    assert set(digits.y[digits.positions(digits.members([3]))]) == {3}


@pytest.mark.parametrize("name", PLANAR)
def test_generated_sets_are_balanced_seeded_and_sized(name):
    one = load(name, n=61, noise=0.05, seed=4)
    assert len(one) == 61 and abs(np.sum(one.y == 0) - np.sum(one.y == 1)) == 1
    assert same(one, load(name, n=61, noise=0.05, seed=4))
    assert not np.array_equal(one.x, load(name, n=61, noise=0.05, seed=5).x)
    assert SVC(C=100).fit(one.x, one.y).score(one.x, one.y) > 0.9


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("iris", {}, "choose from digits"),
        ("mnist", {"part": "test"}, "takes no options"),
        ("fashion_mnist", {"n": 5}, "takes part and folder"),
        ("fashion_mnist", {"part": "holdout"}, "part is"),
        ("fashion_mnist", {"folder": "nowhere"}, "apt-get install dataset-fashion-mnist"),
        ("digits", {"n": 5}, "takes no options"),
        ("moons", {"size": 5}, "takes n, noise and seed"),
        ("moons", {"n": 3}, "at least 4"),
        ("moons", {"n": 10.0}, "whole number"),
        ("moons", {"noise": -1}, "noise of at least 0"),
        ("moons", {"noise": float("nan")}, "noise of at least 0"),
        ("moons", {"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_loaded_is_said(name, options, says):
    with pytest.raises(BadInput, match=says):
        load(name, **options)


# ---------------------------------------------------------------- arrays
def test_rows_keep_what_they_are_given():
    r = rows([[1, 2], [3, 4]], ["a", "b"], ids=[7, 9], groups=["x", "y"])
    assert (r.ids.tolist(), r.y.tolist(), r.groups.tolist()) == ([7, 9], ["a", "b"], ["x", "y"])
    assert r.x.dtype == np.float64
    assert rows([[1.0]], [True]).y.dtype == np.int64
    assert rows([[1.0]], [1.5]).y.dtype == np.float64
    assert rows([[1.0]], np.array([1], dtype=np.uint8)).y.dtype == np.int64
    assert rows(np.array([[1, 2.5]], dtype=object), [0]).x.tolist() == [[1.0, 2.5]]


def test_records_do_not_change_with_the_arrays_they_came_from():
    x, y, ids, groups = np.ones((3, 2)), np.arange(3), np.arange(3) + 5, np.arange(3)
    r = rows(x, y, ids, groups)
    x[:], y[:], ids[:], groups[:] = 9, 9, 9, 9
    assert r.x.max() == 1 and r.y.tolist() == [0, 1, 2]
    assert r.ids.tolist() == [5, 6, 7] and r.groups.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        r.x[0, 0] = 5


def test_a_memory_map_is_shared(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2)))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(rows(x, [0, 1, 0]).x, x)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array])
def test_sparse_features_stay_sparse(make):
    x = np.array([[0, 1.0], [2.0, 0], [0, 0]])
    r = rows(make(x), [0, 1, 0])
    assert sparse.issparse(r.x) and np.array_equal(r.x.toarray(), x)
    assert np.array_equal(r.without([1]).x.toarray(), x[[0, 2]])


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[1.0, NAN]], [0]), "nan at row 0, column 1"),
        (([[1.0], [-INF]], [0, 1]), "-inf at row 1, column 0"),
        ((sparse.csr_matrix([[0, 0], [0, INF]]), [0, 1]), "inf at row 1, column 1"),
        ((np.array([[1.0, None]], dtype=object), [0]), "nan at row 0, column 1"),
        ((np.array([[1.0, "a"]], dtype=object), [0]), "str at row 0, column 1"),
        (([["a", "b"]], [0]), "encode"),
        (([[1j]], [0]), "must be numbers"),
        ((np.ma.masked_invalid([[1.0, NAN]]), [0]), "masked"),
        (([1.0, 2.0], [0, 1]), r"reshape\(-1, 1\)"),
        (([[[1.0]]], [0]), "two-dimensional"),
        (([[1.0], [1.0, 2.0]], [0, 1]), "rows of one length"),
        ((np.zeros((0, 2)), []), "at least one row"),
        ((np.zeros((2, 0)), [0, 1]), "at least one row and one feature"),
        (([[1.0], [2.0]], [0]), "X has 2 rows and y has 1"),
        (([[1.0]], None), "y is missing"),
        (([[1.0]], 3), "one value a row"),
        (([[1.0]], [NAN]), "y holds nan at row 0"),
        (([[1.0], [2.0]], [[0], [1]]), r"y.ravel\(\)"),
        (([[1.0], [2.0]], [0, None]), "y hold nothing at row 1"),
        (([[1.0], [2.0]], [0, "a"]), "y mixes strings"),
        (([[1.0]], [b"a"]), "y holds values of type bytes"),
        (([[1.0], [2.0]], [0, 1], [1]), "ids has 1"),
        (([[1.0], [2.0]], [0, 1], [1, "a"]), "ids mixes strings"),
        (([[1.0], [2.0]], [0, 1], [0.5, 1.5]), "ids must be whole numbers or strings"),
        (([[1.0], [2.0]], [0, 1], None, ["a", None]), "groups hold nothing at row 1"),
        (([[1.0], [2.0]], [0, 1], None, [1.0, NAN]), "groups must be strings or finite"),
        (([[1.0], [2.0]], [0, 1], None, ["a"]), "groups has 1"),
    ],
)
def test_bad_arrays_are_named_by_their_place(arguments, says):
    with pytest.raises(BadInput, match=says):
        rows(*arguments)


def test_a_repeated_id_is_named():
    with pytest.raises(RepeatedRecord, match="'ada'"):
        rows(np.eye(3), [0, 1, 0], ids=["ada", "bob", "ada"])


# ---------------------------------------------------------------- splits
@pytest.mark.parametrize("name", ["wine", "diabetes"])
@pytest.mark.parametrize("holdout", [0.25, 0.5, 31])
def test_a_split_loses_nothing_and_keeps_ids(name, holdout):
    records = load(name)
    records = Rows(records.ids * 10 + 3, records.columns, records.groups)  # ids are not positions
    parts = split(records, holdout=holdout, seed=1)
    both = np.concatenate([parts.train.ids, parts.holdout.ids])
    assert sorted(both) == sorted(records.ids)
    size = holdout if isinstance(holdout, int) else round(holdout * len(records))
    assert len(parts.holdout) == size
    for part in (parts.train, parts.holdout):
        assert same(part, records.select(part.ids))  # each record kept its contents
        assert np.all(np.diff(part.ids) > 0)  # and its order
    again = split(records, holdout=holdout, seed=1)
    assert same(parts.train, again.train) and same(parts.holdout, again.holdout)
    assert not np.array_equal(
        parts.holdout.ids, split(records, holdout=holdout, seed=2).holdout.ids
    )


@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_stratified_shares_are_within_one_record(counts, share, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    size = min(max(1, round(share * len(y))), len(y) - 1)
    if size < 1:
        return
    parts = split(rows(np.zeros((len(y), 1)), y), holdout=size, seed=seed)
    held = np.bincount(parts.holdout.y, minlength=len(counts))
    assert held.sum() == size
    assert np.all(np.abs(held - np.array(counts) * size / len(y)) < 1)


def test_draws_do_not_depend_on_how_many_there_are():
    wine = load("wine")
    few = list(draws(wine, n_draws=2, n_train=0.5, n_holdout=40, seed=3))
    many = list(draws(wine, n_draws=5, n_train=0.5, n_holdout=40, seed=3))
    for one, two in zip(few, many, strict=False):
        assert same(one.train, two.train) and same(one.holdout, two.holdout)
    for d in many:
        assert (len(d.train), len(d.holdout)) == (89, 40)
        assert not set(d.train.ids) & set(d.holdout.ids)
        assert same(d.train, wine.select(d.train.ids))
    assert len({d.train.ids.tobytes() for d in many}) == 5


@pytest.mark.parametrize(
    "bad",
    [
        {"n_draws": 0},
        {"n_draws": 1.5},
        {"n_train": 0},
        {"n_train": 1.0},
        {"n_train": 178},
        {"n_train": 100, "n_holdout": 79},
        {"n_train": "many"},
        {"n_train": True},
    ],
)
def test_draws_that_do_not_fit_are_refused_at_once(bad):
    with pytest.raises(BadInput):
        draws(load("wine"), **{"n_draws": 2, "n_train": 100, **bad})


@pytest.mark.parametrize("holdout", [0, 1.0, 0.0, -0.2, 178, 179, 0.001, NAN])
def test_holdouts_that_do_not_fit_are_refused(holdout):
    with pytest.raises(BadInput):
        split(load("wine"), holdout=holdout)


def test_divide_follows_the_request():
    wine = load("wine")
    parts = divide(wine, Request(ids=[5], groups=[2]))
    assert set(parts.forget.ids) == {5, *wine.ids[wine.y == 2].tolist()}
    assert sorted([*parts.forget.ids, *parts.retain.ids]) == wine.ids.tolist()
    nothing = divide(wine, Request(ids=[]))
    assert len(nothing.forget) == 0 and same(nothing.retain, wine)
    with pytest.raises(NothingLeft):
        divide(wine, Request(groups=[0, 1, 2]))
    with pytest.raises(UnknownRecord):
        divide(wine, Request(ids=[999]))


# ---------------------------------------------------------------- picking
def test_random_picks_are_nested_unique_and_seeded():
    digits = load("digits")
    small, large = pick(digits, "random", n=50, seed=0), pick(digits, "random", n=500, seed=0)
    assert np.array_equal(small, large[:50]) and len(set(large.tolist())) == 500
    assert not np.array_equal(small, pick(digits, "random", n=50, seed=1))
    assert len(pick(digits, "random", fraction=0.1)) == 180
    assert len(pick(digits, "random", n=0)) == 0
    assert len(divide(digits, Request(ids=pick(digits, "random", n=0))).forget) == 0


def test_picks_are_ids_not_positions():
    wine = load("wine")
    shifted = Rows(wine.ids + 1000, wine.columns, wine.groups)
    for how, options in (
        ("random", {"n": 5}),
        ("class", {"label": 1}),
        ("group", {"group": 2, "n": 4}),
        ("memorized", {"scores": np.arange(178.0), "n": 3}),
    ):
        assert np.array_equal(pick(shifted, how, **options), pick(wine, how, **options) + 1000)


def test_class_and_group_pick_all_or_some_of_theirs():
    wine = load("wine")
    assert pick(wine, "class", label=1).tolist() == wine.ids[wine.y == 1].tolist()
    some = pick(wine, "group", group=2, n=7, seed=1)
    assert len(some) == 7 and set(wine.select(some).y) == {2}


def test_memorized_ranks_by_score_and_ties_by_id():
    r = rows(np.zeros((4, 1)), [0, 1, 0, 1], ids=[40, 10, 30, 20])
    assert pick(r, "memorized", n=4, scores=[1, 1, 5, 1]).tolist() == [30, 10, 20, 40]
    assert pick(r, "least_memorized", n=2, scores=[1, 1, 5, 1]).tolist() == [10, 20]
    by_id = {40: 9.0, 10: 1.0, 30: 0.0, 20: 2.0}
    assert pick(r, "memorized", fraction=0.5, scores=by_id).tolist() == [40, 20]
    turned = r.take([2, 0, 3, 1])
    assert pick(turned, "memorized", n=4, scores=[5, 1, 1, 1]).tolist() == [30, 10, 20, 40]


def test_mislabelled_takes_the_column_or_the_planted_ids():
    world = mislabelled(load("wine"), n=9, seed=2)
    assert set(pick(world.records, "mislabelled")) == set(world.planted_ids)
    assert set(pick(load("wine"), "mislabelled", planted=world.planted_ids)) == set(
        world.planted_ids
    )
    assert len(pick(world.records, "mislabelled", n=4)) == 4


@pytest.mark.parametrize(
    ("how", "options", "error", "says"),
    [
        ("best", {}, BadInput, "class, group, least_memorized, memorized, mislabelled, random"),
        ("random", {"n": 179}, BadInput, "only 178"),
        ("class", {"label": 0, "n": 60}, BadInput, "only 59"),
        ("random", {}, BadInput, "n= or fraction="),
        ("random", {"n": 1, "fraction": 0.1}, BadInput, "n= or fraction="),
        ("random", {"n": -1}, BadInput, "at least 0"),
        ("random", {"n": 2.0}, BadInput, "whole number"),
        ("random", {"fraction": 1.5}, BadInput, "between 0 and 1"),
        ("random", {"fraction": NAN}, BadInput, "between 0 and 1"),
        ("random", {"n": 3, "label": 1}, BadInput, "label= is not used"),
        ("class", {}, BadInput, "needs label="),
        ("class", {"label": 7}, UnknownRecord, "there are 0, 1, 2"),
        ("group", {}, BadInput, "needs group="),
        ("group", {"group": 9}, UnknownRecord, "no records"),
        ("memorized", {"n": 3}, BadInput, "needs scores="),
        ("memorized", {"scores": np.zeros(178)}, BadInput, "n= or fraction="),
        ("memorized", {"n": 3, "scores": [1.0]}, BadInput, "one score each"),
        ("memorized", {"n": 3, "scores": {0: 1.0}}, BadInput, "177 records have no score"),
        ("memorized", {"n": 3, "scores": np.full(178, NAN)}, BadInput, "id 0 is nan"),
        ("mislabelled", {}, BadInput, "no column 'mislabelled'"),
        ("mislabelled", {"planted": [999]}, UnknownRecord, "999"),
    ],
)
def test_picks_that_cannot_be_made_say_why(how, options, error, says):
    with pytest.raises(error, match=says):
        pick(load("wine"), how, **options)


# ---------------------------------------------------------------- planted worlds
MAKERS = [
    lambda r, seed: mislabelled(r, n=12, seed=seed),
    lambda r, seed: duplicates(r, exact=6, near=5, seed=seed),
    lambda r, seed: rare(r, n=12, seed=seed),
    lambda r, seed: canaries(r, n=12, seed=seed),
]


@pytest.mark.parametrize("make", MAKERS, ids=["mislabelled", "duplicates", "rare", "canaries"])
def test_a_world_is_seeded_marks_what_it_planted_and_touches_nothing_else(make):
    wine = load("wine")
    before = wine.x.tobytes(), wine.y.tobytes(), wine.groups.tobytes()
    one, two, other = make(wine, 0), make(wine, 0), make(wine, 1)
    assert same(one.records, two.records) and same(one.controls, two.controls)
    assert not same(one.records, other.records)
    assert before == (wine.x.tobytes(), wine.y.tobytes(), wine.groups.tobytes())
    marked = one.records.ids[one.records.column("planted")]
    assert set(marked) == set(one.planted_ids)
    rest = one.records.without(one.planted_ids)
    assert np.array_equal(rest.x, wine.select(rest.ids).x)
    assert np.array_equal(rest.y, wine.select(rest.ids).y)
    assert not set(one.controls.ids) & set(one.planted_ids)
    assert set(wine.ids) <= set(one.records.ids)
    with pytest.raises(FrozenInstanceError):
        one.kind = "other"


def test_mislabelled_records_really_are():
    wine = load("wine")
    world = mislabelled(wine, fraction=0.3, seed=1)
    changed = world.records.select(world.planted_ids)
    assert len(changed) == round(0.3 * 178)
    assert np.all(changed.y != wine.select(world.planted_ids).y)
    assert np.array_equal(world.records.column("true_y"), wine.y)
    assert np.array_equal(world.records.x, wine.x) and set(changed.y) == {0, 1, 2}
    text = rows(np.eye(4), ["a", "b", "a", "b"])
    assert np.all(mislabelled(text, n=4).records.y == ["b", "a", "b", "a"])


def test_copies_are_copies_and_near_ones_are_near():
    wine = load("wine")
    world = duplicates(wine, exact=20, near=30, noise=0.05, seed=1)
    copies = world.records.select(world.planted_ids)
    sources = wine.select(copies.column("duplicate_of"))
    assert np.array_equal(copies.x[:20], sources.x[:20])
    moved = (copies.x[20:] - sources.x[20:]) / wine.x.std(axis=0)
    assert np.all(np.any(moved != 0, axis=1))
    assert moved.std() == pytest.approx(0.05, rel=0.15)
    assert np.array_equal(copies.y, sources.y) and np.array_equal(copies.groups, sources.groups)
    rest = world.records.without(world.planted_ids)
    assert np.array_equal(rest.column("duplicate_of"), rest.ids)
    assert not set(world.controls.ids) & set(sources.ids)


def test_only_its_members_teach_the_rule_of_a_rare_group():
    taught, untaught, common = [], [], []
    for seed in range(6):
        parts = split(load("wine"), seed=seed)
        world = rare(parts.train, n=16, seed=seed)
        scaled = parts.train.x.std(axis=0)
        model = KNeighborsClassifier(1).fit(world.records.x / scaled, world.records.y)
        taught.append(model.score(world.holdout.x / scaled, world.holdout.y))
        common.append(model.score(parts.holdout.x / scaled, parts.holdout.y))
        rest = world.records.without(world.planted_ids)
        model.fit(rest.x / scaled, rest.y)
        untaught.append(model.score(world.holdout.x / scaled, world.holdout.y))
        assert set(world.holdout.groups) == {"rare"}
        assert not set(world.holdout.ids) & set(world.records.ids)
        assert len(set(world.records.select(world.planted_ids).y)) == 2
    assert min(taught) > 0.95
    assert max(untaught) <= 0.6
    assert np.mean(common) > 0.9


def test_canaries_have_no_rule_and_their_controls_stay_out():
    wine = load("wine")
    world = canaries(wine, n=150, seed=3)
    inside = world.records.select(world.planted_ids)
    assert not set(world.controls.ids) & set(world.records.ids)
    assert len(world.controls) == len(inside) == 150
    for k in range(wine.x.shape[1]):  # each value is one that the feature has
        assert np.isin(inside.x[:, k], wine.x[:, k]).all()
    scale = wine.x.std(axis=0)
    model = LogisticRegression(max_iter=2000).fit(wine.x / scale, wine.y)
    assert abs(model.score(world.controls.x / scale, world.controls.y) - 1 / 3) < 0.12
    assert np.array_equal(inside.groups, inside.y)  # wine's groups are its classes
    people = Rows(wine.ids, wine.columns, np.repeat(["ada", "bob"], 89))
    assert set(canaries(people, n=3).records.groups) == {"ada", "bob", "canary"}
    numbered = Rows(wine.ids, wine.columns, np.repeat([4, 9], 89))
    assert set(canaries(numbered, n=3).records.groups) == {4, 9, 10}
    assert canaries(load("diabetes"), n=3).records.groups is None


def test_planted_ids_are_new_also_among_strings():
    r = rows(np.eye(4), [0, 1, 0, 1], ids=["a", "canary-1", "b", "c"])
    world = canaries(r, n=2)
    assert len(set(world.records.ids)) == 6 and world.records.ids.dtype.kind == "U"
    negative = rows(np.eye(4), [0, 1, 0, 1], ids=[-9, -8, -7, -6])
    assert canaries(negative, n=2).planted_ids.min() >= 0
    last = rows(np.eye(4), [0, 1, 0, 1], ids=[1, 2, 3, 2**63 - 2])
    with pytest.raises(BadInput, match="use string ids"):
        canaries(last, n=1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda r: mislabelled(r), "either n= or fraction="),
        (lambda r: mislabelled(r, n=1, fraction=0.5), "either n= or fraction="),
        (lambda r: mislabelled(r, n=0), "between 1 and 178"),
        (lambda r: mislabelled(r, n=179), "between 1 and 178"),
        (lambda r: mislabelled(r, fraction=0.0), r"\(0, 1\]"),
        (lambda r: mislabelled(load("diabetes"), n=3), "two classes"),
        (lambda r: rare(load("diabetes"), n=3), "two classes"),
        (lambda r: rare(r, n=1), "between 2"),
        (lambda r: rare(rows(np.ones((4, 2)), [0, 1, 0, 1]), n=2), "nowhere"),
        (lambda r: duplicates(r, exact=0, near=0), "between 1 and 178"),
        (lambda r: duplicates(r, exact=100, near=100), "between 1 and 178"),
        (lambda r: duplicates(r, noise=0), "noise"),
        (lambda r: canaries(r, n=0), "at least 1"),
        (lambda r: canaries(rows(sparse.eye(4).tocsr(), [0, 1, 0, 1]), n=1), "toarray"),
        (lambda r: memorable(0, n_mislabelled=31), "between 2 and 30"),
        (lambda r: memorable(-1), "seed"),
    ],
)
def test_worlds_that_cannot_be_planted_say_why(make, says):
    with pytest.raises(BadInput, match=says):
        make(load("wine"))


# ---------------------------------------------------------------- the memorable world
@pytest.mark.parametrize(
    "model",
    [
        SVC(C=100.0, gamma=1 / 80),
        SVC(kernel="linear", C=10.0),
        LogisticRegression(C=100.0, max_iter=2000),
        KNeighborsClassifier(1),
    ],
    ids=["rbf", "linear", "logistic", "neighbour"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_records_are_memorized_fully_and_unpredictable_from_the_rest(model, seed):
    world = memorable(seed)
    r = world.records
    planted = r.select(world.planted_ids)
    model.fit(r.x, r.y)
    assert model.score(r.x, r.y) == 1.0
    rest = r.without(world.planted_ids)
    model.fit(rest.x, rest.y)
    assert model.score(planted.x, planted.y) <= 0.1  # all but never the wrong target
    assert model.score(world.holdout.x, world.holdout.y) >= 0.8


def test_leave_one_out_memorization_is_one_for_the_planted_and_none_for_their_controls():
    world = memorable(2)
    r = world.records

    def memorization(identifier) -> float:
        one, rest = r.select([identifier]), r.without([identifier])
        with_it = SVC(C=100.0, gamma=1 / 80).fit(r.x, r.y).predict(one.x) == one.y
        without = SVC(C=100.0, gamma=1 / 80).fit(rest.x, rest.y).predict(one.x) == one.y
        return float(with_it[0]) - float(without[0])

    assert [memorization(i) for i in world.planted_ids] == [1.0] * 12
    assert np.mean([memorization(i) for i in world.controls.ids]) <= 0.1
    assert np.array_equal(r.y != r.column("true_y"), r.column("planted"))
    assert set(r.members(["wrong"])) == set(world.planted_ids)
    assert same(r, memorable(2).records) and not same(r, memorable(3).records)


# ---------------------------------------------------------------- tables
def written(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])
@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_tables_round_trip_to_the_byte(tmp_path, name, ending):
    records = load(name)
    path = write_table(records, tmp_path / f"t{ending}")
    groups = None if records.groups is None else "group"
    assert same(read_table(path, ids="id", target="y", groups=groups), records)
    first = path.read_bytes()
    assert write_table(records, path).read_bytes() == first


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8
)


@given(
    ids=st.lists(TEXT, min_size=1, max_size=6, unique=True),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_odd_strings_survive_files(tmp_path_factory, ids, data):
    ids = ["id" + i for i in ids]  # not all whole numbers: CSV knows no types
    n = len(ids)
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    x = data.draw(st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=n, max_size=n))
    groups = ["g" + data.draw(TEXT) for _ in range(n)]
    records = rows(x, ["l" + data.draw(TEXT) for _ in range(n)], ids, groups)
    folder = tmp_path_factory.mktemp("odd")
    for ending in (".csv", ".parquet"):
        path = write_table(records, folder / f"t{ending}")
        assert same(read_table(path, ids="id", target="y", groups="group"), records)


def test_whole_numbers_are_ids_only_as_python_writes_them(tmp_path):
    def ids(*cells):
        body = "".join(f"{c},1.5,0\n" for c in cells)
        return read_table(written(tmp_path, "id,x,y\n" + body), ids="id", target="y").ids.tolist()

    assert ids("7", "-3", str(2**63 - 1)) == [7, -3, 2**63 - 1]
    assert ids("007", "7") == ["007", "7"]
    assert ids("7.0", "8.0") == ["7.0", "8.0"]
    assert ids(str(2**63), "1") == [str(2**63), "1"]
    assert ids("٧", "1") == ["٧", "1"]
    assert ids(str(-(2**63)), "1") == [-(2**63), 1]


def test_targets_are_classes_or_quantities_by_what_is_written(tmp_path):
    def y(*cells):
        body = "".join(f"{k},1.5,{c}\n" for k, c in enumerate(cells))
        return read_table(written(tmp_path, "id,x,y\n" + body), ids="id", target="y").y

    assert y("1", "0").dtype == np.int64
    assert y("1.0", "2").dtype == np.float64
    assert y("yes", "no").tolist() == ["yes", "no"]
    for cells in (("1.5", "NA"), ("1", "null"), ("1.5", "nan"), ("1.5", "inf"), ("1", "")):
        with pytest.raises(BadInput, match="line 3"):
            y(*cells)


def test_a_csv_may_have_a_mark_blank_lines_quotes_and_line_ends_of_windows(tmp_path):
    text = '\ufeffid,"a ""b"", c",y\r\n1," 2.5 ","x, y"\r\n\r\n2,-1e-3,"two\r\nlines"\r\n\r\n'
    r = read_table(written(tmp_path, text), ids="id", target="y")
    assert r.x.tolist() == [[2.5], [-1e-3]] and r.y.tolist() == ["x, y", "two\r\nlines"]


def test_features_are_chosen_in_order_and_groups_may_be_the_target(tmp_path):
    path = written(tmp_path, "id,a,b,city,y\n1,1,2,Bern,u\n2,3,4,Rome,v\n")
    r = read_table(path, ids="id", target="y", groups="y", features=["b", "a"])
    assert r.x.tolist() == [[2, 1], [4, 3]] and r.groups.tolist() == ["u", "v"]
    assert read_table(path, ids="city", target="y").ids.tolist() == ["Bern", "Rome"]


@pytest.mark.parametrize(
    ("text", "options", "error", "says"),
    [
        ("", {}, BadInput, "is empty"),
        ("id,x,y\n", {}, BadInput, "no rows"),
        ("id|x|y\n1|2|0\n", {}, BadInput, r"no column 'id'.*'id\|x\|y'.*separated by commas"),
        ("who,x,y\n1,2,0\n", {}, BadInput, "no column 'id'; it has 'who', 'x', 'y'"),
        ("id,x,z\n1,2,0\n", {}, BadInput, "no column 'y'"),
        ("id,x,y\n1,2,0\n", {"groups": "g"}, BadInput, "no column 'g'"),
        ("id,x,y\n1,2,0\n", {"features": ["q"]}, BadInput, "no column 'q'"),
        ("id,x,y\n1,2,0\n", {"features": "x"}, BadInput, "list of columns"),
        ("id,x,y\n1,2,0\n", {"features": ["x", "y"]}, BadInput, "cannot be a feature"),
        ("id,x,y\n1,2,0\n", {"features": ["x", "x"]}, BadInput, "two columns are named 'x'"),
        ("id,x,y\n1,2,0\n", {"target": "id"}, BadInput, "cannot be the target"),
        ("id,x,x,y\n1,2,3,0\n", {}, BadInput, "two columns are named 'x'"),
        ("id,y\n1,0\n", {}, BadInput, "no feature column"),
        (",id,x,y\n0,1,2,0\n", {}, BadInput, "a column has no name"),
        (
            "id,x,y\n1,2,0\n2,3,0\n1,4,0\n",
            {},
            RepeatedRecord,
            "id 1 stands in line 2 and in line 4",
        ),
        ("id,x,y\n1,2,0\n2,,0\n", {}, BadInput, "line 3: column 'x' is empty"),
        ("id,x,y\n1,2,0\n,3,0\n", {}, BadInput, "line 3: column 'id' is empty"),
        ("id,x,y\n1,2,0\n2,nan,0\n", {}, BadInput, "line 3: column 'x' holds 'nan'"),
        ("id,x,y\n1,2,0\n2,NA,0\n", {}, BadInput, "line 3: column 'x' holds 'NA'"),
        ("id,x,y\n1,2,0\n2,-inf,0\n", {}, BadInput, "line 3: column 'x' holds '-inf'"),
        ("id,x,y\n1,2,0\n2,Bern,0\n", {}, BadInput, "'x' holds the text 'Bern'; encode"),
        ("id,x,y\n1,1_000,0\n", {}, BadInput, "the text '1_000'"),
        ("id,x,y\n1,2,0\n2,3\n", {}, BadInput, "line 3: 2 cells for 3 columns"),
        ("id,x,y\n1,2,0,5\n", {}, BadInput, "line 2: 4 cells for 3 columns"),
        ('id,x,y\n1,2,"0\n', {}, BadInput, "line 2: unexpected end"),
        ('id,x,y\n1,2,"0"z\n', {}, BadInput, "line 2"),
        (b"id,x,y\n1,2,\xff\n", {}, Corrupt, "not UTF-8"),
        (b"id,x,y\n1,2,\x00\n", {}, Corrupt, "zero byte"),
    ],
)
def test_bad_csv_files_are_named_by_their_place(tmp_path, text, options, error, says):
    with pytest.raises(error, match=says):
        read_table(written(tmp_path, text), **{"ids": "id", "target": "y", **options})


def test_files_that_cannot_be_read_or_written_are_said(tmp_path):
    wine = load("wine")
    for path in (tmp_path / "none.csv", tmp_path / "none.parquet"):
        with pytest.raises(BadInput, match="cannot read"):
            read_table(path, ids="id", target="y")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadInput, match="cannot read"):
        read_table(tmp_path / "folder.csv", ids="id", target="y")
    with pytest.raises(BadInput, match=r"end in \.csv, .* or \.parquet, got '\.xlsx'"):
        read_table(tmp_path / "t.xlsx", ids="id", target="y")
    with pytest.raises(BadInput, match="cannot write"):
        write_table(wine, tmp_path / "none" / "t.csv")
    with pytest.raises(BadInput, match="one name each"):
        write_table(wine, tmp_path / "t.csv", features=["a"])
    with pytest.raises(BadInput, match="two columns are named 'x0'"):
        write_table(wine, tmp_path / "t.csv", ids="x0")
    with pytest.raises(BadInput, match="toarray"):
        write_table(rows(sparse.eye(2).tocsr(), [0, 1]), tmp_path / "t.csv")
    for strange, says in (("", "empty string"), ("a\x00b", "zero character"), ("\ud800", "UTF-8")):
        with pytest.raises(BadInput, match=says):
            write_table(rows([[1.0]], ["a"], ids=[strange]), tmp_path / "t.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.csv"]  # nothing half-written


def parquet(path, **columns):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_parquet_types_are_what_they_are(tmp_path):
    import decimal

    import pyarrow

    path = parquet(
        tmp_path / "t.parquet",
        id=["1", "2"],
        half=pyarrow.array([0.5, 1.5], pyarrow.float32()),
        yes=[True, False],
        money=[decimal.Decimal("1.50"), decimal.Decimal("2.25")],
        kind=pyarrow.array(["a", "b"]).dictionary_encode(),
        y=[True, False],
    )
    r = read_table(path, ids="id", target="y", groups="kind")
    assert r.ids.tolist() == ["1", "2"] and r.groups.tolist() == ["a", "b"]
    assert r.x.tolist() == [[0.5, 1, 1.5], [1.5, 0, 2.25]] and r.y.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("columns", "error", "says"),
    [
        ({"id": [1, 2], "x": [1.0, None]}, BadInput, "row 1: column 'x' is empty"),
        ({"id": [1, 2], "x": [1.0, NAN]}, BadInput, "row 1: column 'x' holds nan"),
        ({"id": [1, 2], "x": ["a", "b"]}, BadInput, "column 'x' holds string; encode"),
        ({"id": [1, None], "x": [1.0, 2.0]}, BadInput, "row 1: column 'id' is empty"),
        ({"id": ["a", ""], "x": [1.0, 2.0]}, BadInput, "row 1: column 'id' is empty"),
        ({"id": [1.5, 2.5], "x": [1.0, 2.0]}, BadInput, "make it integer or text"),
        ({"id": [2**63, 1], "x": [1.0, 2.0]}, BadInput, "exceeds int64"),
        ({"id": [4, 4], "x": [1.0, 2.0]}, RepeatedRecord, "row 0 and in row 1"),
        ({"who": [1, 2], "x": [1.0, 2.0]}, BadInput, "no column 'id'; it has 'who', 'x', 'y'"),
    ],
)
def test_bad_parquet_files_are_named_by_their_place(tmp_path, columns, error, says):
    import pyarrow

    if columns.get("id") == [2**63, 1]:
        columns = {**columns, "id": pyarrow.array(columns["id"], pyarrow.uint64())}
    path = parquet(tmp_path / "t.parquet", **columns, y=[0, 1])
    with pytest.raises(error, match=says):
        read_table(path, ids="id", target="y")


def test_damaged_parquet_files_are_refused(tmp_path):
    good = write_table(load("wine"), tmp_path / "t.parquet").read_bytes()
    for damaged in (b"", b"PAR1", good[:100], b"id,x,y\n1,2,0\n", good[:-8] + b"\x00" * 8):
        with pytest.raises(Corrupt, match="damaged or not a Parquet file"):
            read_table(written(tmp_path, damaged, "bad.parquet"), ids="id", target="y")


@given(
    raw=st.binary(max_size=200) | st.text(alphabet='id,xy"\n\r01. ', max_size=60).map(str.encode)
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_a_csv_fail_other_than_by_name(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(b"id,x,y\n" + raw)
    try:
        records = read_table(path, ids="id", target="y")
    except UnteachError as error:
        said = str(error)
    else:
        said = str(path) if np.isfinite(records.x).all() and len(records) else "bad records"
    assert str(path) in said


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for act in (
        lambda: write_table(load("wine"), tmp_path / "t.parquet"),
        lambda: read_table(written(tmp_path, b"PAR1", "t.parquet"), ids="id", target="y"),
    ):
        with pytest.raises(BadInput, match=r"unteach\[parquet\]"):
            act()


def test_written_csv_is_plain_csv(tmp_path):
    path = write_table(rows([[0.1, 2]], ["a,b"], ids=['say "x"']), tmp_path / "t.csv")
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [["id", "x0", "x1", "y"], ['say "x"', "0.1", "2.0", "a,b"]]


# ---------------------------------------------------------------- the room
def test_the_room_is_light():
    code = (
        "import sys, unteach.data; "
        "print([m for m in ('sklearn', 'pyarrow', 'pandas', 'statsmodels') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_streams_of_makers_are_apart():
    # the same seed must not plant the same rows in worlds of different kinds
    wine = load("wine")
    wrong = set(mislabelled(wine, n=30, seed=0).planted_ids)
    sources = set(duplicates(wine, exact=30, near=0, seed=0).records.column("duplicate_of")[178:])
    assert wrong != sources and wrong != set(pick(wine, "random", n=30, seed=0))
    assert stream(0, "data").random() != stream(1, "data").random()
