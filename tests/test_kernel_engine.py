"""The fast ways of the kernel machine against the plain ones, on friendly and on nasty data."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.datasets import make_classification

from unteach.core import BadInput
from unteach.kernel import SVC, Kernel, classification, remove, residual, solve
from unteach.kernel._downdate import slots as slots_room
from unteach.kernel._downdate.kernel_values import Values
from unteach.kernel._downdate.row_cache import RowCache
from unteach.kernel._downdate.tableau import Tableau
from unteach.kernel._downdate.working_set import Anchor
from unteach.kernel._machine import machine as machine_room
from unteach.kernel._machine.low_memory import lean
from unteach.kernel._paths.leave_one_out import leave_each_out

KERNELS = {
    "linear": Kernel("linear"),
    "poly": Kernel("poly", gamma=0.3, coef0=1.0, degree=2),
    "rbf": Kernel("rbf", gamma=0.5),
    "wide rbf": Kernel("rbf", gamma=1e-4),
}


def draw(seed: int, n: int, d: int, kind: str):
    """Return rows and labels: normal, an integer grid, duplicates, or duplicates that disagree."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    if kind == "grid":
        x = rng.integers(0, 3, size=(n, d)).astype(float)
    if kind in ("duplicates", "contradictions"):
        x = x[rng.integers(0, max(2, n // 3), size=n)]
    y = np.where(x[:, 0] + 0.5 * rng.normal(size=n) > np.median(x[:, 0]), 1.0, -1.0)
    if kind == "duplicates":
        _, first, same = np.unique(x, axis=0, return_index=True, return_inverse=True)
        y = y[first][same.ravel()]
    y[:2] = 1.0, -1.0
    return x, y, rng.normal(size=(20, d))


def moderate(n: int = 400, cost: float = 1.0):
    x, y = make_classification(n, 20, n_informative=10, flip_y=0.05, random_state=0)
    gram = Kernel("rbf", gamma=1 / (20 * x.var())).gram(x)
    return classification(gram, np.where(y == 1, 1.0, -1.0), np.full(n, cost))


# leave-one-out from one factorization


@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["normal", "grid", "duplicates", "contradictions"])
@pytest.mark.parametrize("name", list(KERNELS))
def test_leaving_each_out_at_once_equals_leaving_out_one(name, kind, cost):
    x, y, _ = draw(7, 48, 2, kind)
    gram = KERNELS[name].gram(x)
    qp = classification(gram, y, np.full(len(y), cost))
    found = solve(qp)
    whole, left, ways = leave_each_out(qp, found)
    scale = max(1.0, 1e3 * qp.noise(found.b) / 1e-8)
    np.testing.assert_allclose(whole, gram @ found.b + found.rho, atol=1e-11 * scale)
    for c in np.flatnonzero(found.b):
        one = remove(qp, found, np.array([c]))
        assert abs(gram[c] @ one.b + one.rho - left[c]) < 1e-8 * scale
    assert ways.untouched == (found.b == 0).sum()
    assert sum(vars(ways).values()) == len(y)


@pytest.mark.parametrize("cost", [0.3, 10.0])
def test_nothing_falls_back_where_the_data_are_in_general_position(cost, monkeypatch):
    qp = moderate(cost=cost)
    found = solve(qp)
    _, left, ways = leave_each_out(qp, found)
    assert ways.by_path == 0
    assert ways.by_bound + ways.by_evaluation == np.count_nonzero(found.b)
    # few rows near at first: the far ones must be found, taken in, and change nothing
    monkeypatch.setattr("unteach.kernel._paths.leave_one_out.NEAR", 1e-3)
    _, other, again = leave_each_out(qp, found)
    assert again.by_evaluation > ways.by_evaluation
    np.testing.assert_allclose(other, left, atol=1e-10)
    # without the tableau everything goes by the path
    monkeypatch.setattr(Tableau, "of", classmethod(lambda cls, *_: None))
    _, plain, slow = leave_each_out(qp, found)
    assert slow.by_path == np.count_nonzero(found.b)
    np.testing.assert_allclose(plain, left, atol=1e-10)


def test_a_tableau_knows_its_own_fault():
    qp = moderate()
    found = solve(qp)
    h = qp.gradient(found.b) + found.rho
    near = np.flatnonzero((found.b == qp.lower) | (found.b == qp.upper))
    good = Tableau.of(qp, found.b, h, near)
    assert good.fault.max() < 1e-11
    free = good.free
    bordered = np.ones((len(free) + 1, len(free) + 1))
    bordered[:-1, :-1], bordered[-1, -1] = qp.gram[np.ix_(free, free)], 0.0
    inverse = np.linalg.inv(bordered)
    np.testing.assert_allclose(good.r, inverse[:-1, :-1], atol=1e-9)
    np.testing.assert_allclose(good.rb, inverse[-1, :-1], atol=1e-9)
    assert np.abs(good.size).tolist() == sorted(np.abs(good.size))


# forgetting from an anchor


@pytest.fixture
def anchored(monkeypatch):
    """Keep an anchor for every pair, however small."""
    monkeypatch.setattr(slots_room, "LARGE", 0)


@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["normal", "grid", "duplicates", "contradictions"])
@pytest.mark.parametrize("name", list(KERNELS))
def test_an_anchor_is_right_or_declines(name, kind, cost):
    x, y, _ = draw(11, 60, 2, kind)
    gram = KERNELS[name].gram(x)
    qp = classification(gram, y, np.full(len(y), cost))
    found = solve(qp)
    at = np.arange(len(y))

    def anchored_at_solution(values):
        return Anchor.at_solution(values, at, qp.p, qp.lower, qp.upper, found.b, found.rho)

    scale = max(1.0, 1e3 * qp.noise(found.b) / 1e-8)
    for values in (Values(KERNELS[name], x, gram), Values(KERNELS[name], x, None)):
        for out in (*np.flatnonzero(found.b)[:, None], np.flatnonzero(found.b)[:5]):
            left = anchored_at_solution(values)
            if left is None or not left.without(out):
                continue
            rest = np.delete(at, out)
            bounds = np.full(len(rest), cost)
            fresh_qp = classification(gram[np.ix_(rest, rest)].copy(), y[rest], bounds)
            assert not left.b[out].any()
            assert residual(fresh_qp, left.b[rest], left.rho) < 1e-10 * scale
            fresh = solve(fresh_qp)
            difference = gram[:, rest] @ (left.b[rest] - fresh.b) + left.rho - fresh.rho
            assert np.abs(difference).max() < 1e-8 * scale


def test_a_long_history_from_one_anchor_neither_declines_nor_drifts():
    qp = moderate(500)
    found = solve(qp)
    at = np.arange(500)
    values = Values(Kernel("precomputed"), np.empty((500, 0)), qp.gram)
    anchor = Anchor.at_solution(values, at, qp.p, qp.lower, qp.upper, found.b, found.rho)
    rng = np.random.default_rng(0)
    for step in range(60):
        held = np.flatnonzero(anchor.b)
        out = np.sort(rng.choice(held, 1 + step % 3, replace=False))
        assert anchor.without(out)
        assert anchor.certificate().kkt_residual < 1e-10
    rest = np.flatnonzero(anchor.lower < anchor.upper)
    assert len(rest) == 500 - 119 - 1
    fresh_qp = classification(qp.gram[np.ix_(rest, rest)].copy(), qp.p[rest], np.ones(len(rest)))
    assert residual(fresh_qp, anchor.b[rest], anchor.rho) < 1e-11
    np.testing.assert_allclose(anchor.b[rest], solve(fresh_qp).b, atol=1e-9)
    objective = fresh_qp.objective(anchor.b[rest])
    assert anchor.certificate().objective == pytest.approx(objective, rel=1e-10)
    h = fresh_qp.gradient(anchor.b[rest]) + anchor.rho
    assert np.abs(anchor.h[rest] - h).max() <= anchor.fuzz  # the bound on rounding is one
    factor = anchor.factor
    kss = qp.gram[np.ix_(anchor.free, anchor.free)] + factor.sigma
    np.testing.assert_array_equal(factor.kss, kss)
    assert np.abs(factor.inverse @ kss - np.eye(len(kss))).max() < 1e-9
    np.testing.assert_allclose(factor.w, factor.inverse.sum(axis=1), atol=1e-8)


def test_histories_are_the_same_bits_once_canonical(anchored):
    x, y = make_classification(300, 6, flip_y=0.1, random_state=1)
    fit = SVC(gamma=0.1, C=2.0).fit(x, y)
    gone = fit.support_ids_[[0, 3, 5, 9, 20, 21]]
    rest = np.delete(np.arange(300), gone)
    fresh = SVC(gamma=0.1, C=2.0).fit(x[rest], y[rest], sample_ids=rest)
    one_by_one = fit.without(gone[:1]).forget(gone[1:2]).forget(gone[:1:-1])
    for other in (fit.without(gone), fit.without(gone[::-1]), one_by_one):
        assert other._slots.pairs[0].anchored is not None
        assert other.certificate_.kkt_residual < 1e-10
        a, b = other.decision_function(x), fresh.decision_function(x)
        np.testing.assert_allclose(a, b, atol=1e-10)
        one, two = other.to_saved(), fresh.to_saved()  # saving settles the weights by their sets
        assert one.arrays["pair_b"].tobytes() == two.arrays["pair_b"].tobytes()
        assert other.decision_function(x).tobytes() == b.tobytes()
        claim = other.claim_
        other.canonicalize()
        assert other.claim_ == claim
        canonical = copy.deepcopy(fresh).canonicalize()
        assert other.certificate_.canonical == canonical.certificate_.canonical != ""
        assert other.decision_function(x).tobytes() == canonical.decision_function(x).tobytes()
        one, two = other.to_saved(), canonical.to_saved()
        assert one.arrays["pair_b"].tobytes() == two.arrays["pair_b"].tobytes()


def test_slots_are_erased_and_the_matrix_shrinks(anchored):
    x, y = make_classification(200, 6, flip_y=0.1, random_state=2)
    gram = Kernel("rbf", gamma=0.2).gram(x)
    model = SVC(gamma=0.2).fit(x, y)
    held = np.arange(200)
    sizes = set()
    rng = np.random.default_rng(0)
    for _ in range(12):
        gone = rng.choice(held, 9, replace=False)
        model.forget(gone)
        held = np.setdiff1d(held, gone)
        slots = model._slots
        sizes.add(len(slots.values.gram))
        forgotten = np.setdiff1d(gram[gone], gram[np.ix_(held, held)])
        held_by = [slots.values, *slots.pairs]
        for anchor in [p.anchor for p in slots.pairs if p.anchor is not None]:
            held_by += [anchor, anchor.factor, anchor.cache]
        arrays = [a for one in held_by for a in vars(one).values()]
        for array in arrays:
            if isinstance(array, np.ndarray):
                assert not np.isin(array, forgotten[forgotten != 1.0]).any()
                kept = gram[np.ix_(held, held)].astype(np.float32)
                single = np.setdiff1d(gram[gone].astype(np.float32), kept)
                assert array.dtype != np.float32 or not np.isin(array, single).any()
        machine = model._machine
        np.testing.assert_array_equal(machine.gram, gram[np.ix_(held, held)])
        fresh = SVC(gamma=0.2).fit(x[held], y[held])
        np.testing.assert_allclose(
            model.decision_function(x), fresh.decision_function(x), atol=1e-10
        )
    assert len(sizes) > 1
    np.testing.assert_allclose(model.leave_one_out(), fresh.leave_one_out(), atol=1e-9)
    model.partial_fit(x[gone], y[gone], sample_ids=gone)
    assert model.certificate_.kkt_residual < 1e-10


# without the Gram matrix


def plain_of(y, cost):
    return classification(np.empty((0, 0)), y, np.full(len(y), cost))


@pytest.mark.parametrize("cost", [0.3, 1.0, 30.0])
@pytest.mark.parametrize("kind", ["normal", "grid", "duplicates", "contradictions"])
@pytest.mark.parametrize("name", list(KERNELS))
def test_learning_without_the_matrix_equals_learning_with_it(name, kind, cost):
    x, y, _ = draw(5, 150, 3, kind)
    kernel = KERNELS[name]
    qp = classification(kernel.gram(x), y, np.full(150, cost))
    whole = solve(qp)
    for budget in (np.inf, 4.0 * 150 * 30):  # all rows fit, or thirty
        found = lean(Values(kernel, x, None), np.arange(150), plain_of(y, cost), budget=budget)
        if found is None:
            assert not ((whole.b > qp.lower) & (whole.b < qp.upper)).any()
            continue
        scale = max(1.0, 1e3 * qp.noise(found.b) / 1e-8)
        assert residual(qp, found.b, found.rho) < 1e-10 * scale
        difference = qp.gram @ (found.b - whole.b) + found.rho - whole.rho
        assert np.abs(difference).max() < 1e-8 * scale
        again = lean(
            Values(kernel, x, None), np.arange(150), plain_of(y, cost), start=found.b * 0.9
        )
        if again is None:  # of many solutions it came to one without a free row
            assert kind != "normal"
            continue
        difference = qp.gram @ (again.b - whole.b) + again.rho - whole.rho
        assert np.abs(difference).max() < 1e-8 * scale


def test_rows_that_make_room_for_others_come_back_the_same():
    x, _, _ = draw(0, 40, 3, "normal")
    kernel = KERNELS["rbf"]
    gram = kernel.gram(x)
    cache = RowCache(Values(kernel, x, None), np.arange(40), 4 * 40 * 7)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=40)
    for _ in range(30):
        rows = rng.choice(40, 5, replace=False)
        out = np.zeros(40)
        cache.ask(rows)
        cache.sweep(rows, weights[rows], out)
        exact = weights[rows] @ gram[rows]
        bound = cache.sums(rows, weights[rows], 1.0)[1]
        assert 0 < np.abs(out - exact).max() <= bound < 1e-5
    whole = cache.field(np.arange(40), weights)
    np.testing.assert_allclose(whole, gram @ weights, atol=1e-5)
    cache.erase(np.array([3, 9]))
    assert not np.isin(cache.data, gram[[3, 9]].astype(np.float32)[:, 10:]).any()


@pytest.fixture
def without_matrix(monkeypatch):
    """Learn without the Gram matrix, however few rows there are; making it is an error."""
    monkeypatch.setattr(machine_room, "LEAN", 0)
    monkeypatch.setattr(slots_room, "LARGE", 0)
    whole = Kernel.gram

    def small(kernel, x):
        assert len(x) < 200
        return whole(kernel, x)

    monkeypatch.setattr(Kernel, "gram", small)


@pytest.mark.parametrize("cache_size", [1000.0, 0.09])  # all rows, or about seventy
def test_a_history_without_the_matrix(cache_size, without_matrix):
    x, y = make_classification(320, 6, flip_y=0.1, random_state=3)
    params = {"gamma": 0.1, "C": 2.0, "cache_size": cache_size}
    fit = SVC(**params).fit(x, y)
    with_it = SVC(**params)
    rng = np.random.default_rng(1)
    model = copy.deepcopy(fit)
    held = np.arange(320)
    for step in range(12):
        gone = rng.choice(model.support_ids_ if step % 3 else held, 1 + step % 4, replace=False)
        model.forget(gone)
        held = np.setdiff1d(held, gone)
        assert model.certificate_.kkt_residual < 1e-10
        total = model.certificate_.by_bound + model.certificate_.by_evaluation
        assert total == len(held)
    fresh = with_it.fit(x[held], y[held], sample_ids=held)
    a, b = model.decision_function(x), fresh.decision_function(x)
    np.testing.assert_allclose(a, b, atol=1e-9)
    back = np.arange(320)[~np.isin(np.arange(320), held)]
    both = copy.deepcopy(model).partial_fit(x[back], y[back], sample_ids=back)
    np.testing.assert_allclose(both.decision_function(x), fit.decision_function(x), atol=1e-9)
    one, two = model.to_saved(), fresh.to_saved()
    assert one.arrays["pair_b"].tobytes() == two.arrays["pair_b"].tobytes()
    model.canonicalize(), fresh.canonicalize()
    assert model.certificate_.canonical == fresh.certificate_.canonical != ""
    assert model.decision_function(x).tobytes() == fresh.decision_function(x).tobytes()


def test_without_the_matrix_all_is_as_with_it(monkeypatch):
    x, y = make_classification(300, 6, flip_y=0.1, random_state=4)
    whole = SVC(gamma=0.1, C=2.0).fit(x, y)
    margins = whole.leave_one_out()
    monkeypatch.setattr(machine_room, "LEAN", 0)
    lean_one = SVC(gamma=0.1, C=2.0).fit(x, y)
    assert lean_one._machine.given is None
    np.testing.assert_allclose(lean_one.leave_one_out(), margins, atol=1e-9)
    one, two = whole.to_saved(), lean_one.to_saved()
    assert one.arrays["pair_b"].tobytes() == two.arrays["pair_b"].tobytes()
    small = SVC(gamma=0.1, C=2.0, cache_size=0.5).fit(x, y)
    with pytest.raises(BadInput, match="cache_size"):
        small.leave_one_out()


def test_an_error_between_leaves_everything_as_it_was(anchored, monkeypatch):
    x, y = make_classification(300, 6, flip_y=0.1, random_state=5)
    model = SVC(gamma=0.1, C=2.0).fit(x, y).forget([7])
    plain = copy.deepcopy(model)
    before = model.decision_function(x).tobytes()
    gone = model.support_ids_[:3]
    with monkeypatch.context() as patch:
        patch.setattr(slots_room.Slots, "shrunk", None)  # after the anchor has changed
        with pytest.raises(TypeError):
            model.forget(gone)
    assert model.decision_function(x).tobytes() == before
    assert len(model.sample_ids_) == 299
    after, expected = model.forget(gone), plain.forget(gone)
    np.testing.assert_allclose(
        after.decision_function(x), expected.decision_function(x), atol=1e-11
    )
    assert after.certificate_.kkt_residual < 1e-10
