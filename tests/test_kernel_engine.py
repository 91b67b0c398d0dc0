"""The fast ways of the kernel machine against the plain ones, on friendly and on nasty data."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.datasets import make_classification

from unteach.kernel import SVC, Kernel, classification, remove, residual, solve
from unteach.kernel import machine as machine_room
from unteach.kernel.anchor import Anchor
from unteach.kernel.loo import leave_each_out
from unteach.kernel.tableau import Tableau

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
    monkeypatch.setattr("unteach.kernel.loo.NEAR", 1e-3)
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
    monkeypatch.setattr(machine_room, "LARGE", 0)


@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["normal", "grid", "duplicates", "contradictions"])
@pytest.mark.parametrize("name", list(KERNELS))
def test_an_anchor_is_right_or_declines(name, kind, cost):
    x, y, _ = draw(11, 60, 2, kind)
    gram = KERNELS[name].gram(x)
    qp = classification(gram, y, np.full(len(y), cost))
    found = solve(qp)
    at = np.arange(len(y))
    anchor = Anchor.at_solution(gram, at, qp.p, qp.lower, qp.upper, found.b, found.rho)
    if anchor is None:
        return
    scale = max(1.0, 1e3 * qp.noise(found.b) / 1e-8)
    for out in (*np.flatnonzero(found.b)[:, None], np.flatnonzero(found.b)[:5]):
        left = anchor.without(gram, out)
        if left is None:
            continue
        rest = np.delete(at, out)
        bounds = np.full(len(rest), cost)
        fresh_qp = classification(gram[np.ix_(rest, rest)].copy(), y[rest], bounds)
        assert residual(fresh_qp, left.b, left.rho) < 1e-10 * scale
        fresh = solve(fresh_qp)
        np.testing.assert_array_equal(left.at, rest)
        difference = gram[:, rest] @ (left.b - fresh.b) + left.rho - fresh.rho
        assert np.abs(difference).max() < 1e-8 * scale


def test_a_long_history_from_one_anchor_neither_declines_nor_drifts():
    qp = moderate(500)
    found = solve(qp)
    at = np.arange(500)
    anchor = Anchor.at_solution(qp.gram, at, qp.p, qp.lower, qp.upper, found.b, found.rho)
    rng = np.random.default_rng(0)
    for step in range(60):
        held = np.flatnonzero(anchor.b)
        out = np.sort(rng.choice(held, 1 + step % 3, replace=False))
        anchor = anchor.without(qp.gram, out)
        assert anchor is not None
    rest = anchor.at
    fresh_qp = classification(qp.gram[np.ix_(rest, rest)].copy(), qp.p[rest], np.ones(len(rest)))
    assert residual(fresh_qp, anchor.b, anchor.rho) < 1e-11
    np.testing.assert_allclose(anchor.b, solve(fresh_qp).b, atol=1e-9)
    kss = qp.gram[np.ix_(rest[anchor.free], rest[anchor.free])] + anchor.sigma
    assert np.abs(anchor.inverse @ kss - np.eye(len(kss))).max() < 1e-9


def test_histories_are_the_same_bits_once_canonical(anchored):
    x, y = make_classification(300, 6, flip_y=0.1, random_state=1)
    fit = SVC(gamma=0.1, C=2.0).fit(x, y)
    gone = fit.support_ids_[[0, 3, 5, 9, 20, 21]]
    rest = np.delete(np.arange(300), gone)
    fresh = SVC(gamma=0.1, C=2.0).fit(x[rest], y[rest], sample_ids=rest)
    one_by_one = fit.without(gone[:1]).forget(gone[1:2]).forget(gone[:1:-1])
    for other in (fit.without(gone), fit.without(gone[::-1]), one_by_one):
        assert other._machine.pairs[0].anchor is not None
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
        machine = model._machine
        sizes.add(len(machine.given))
        forgotten = np.setdiff1d(gram[gone], gram[np.ix_(held, held)])
        arrays = [machine.given, machine.x]
        arrays += [a for p in machine.pairs for a in vars(p.anchor).values()]
        for array in arrays:
            if isinstance(array, np.ndarray):
                assert not np.isin(array, forgotten[forgotten != 1.0]).any()
        np.testing.assert_array_equal(machine.gram, gram[np.ix_(held, held)])
        fresh = SVC(gamma=0.2).fit(x[held], y[held])
        np.testing.assert_allclose(
            model.decision_function(x), fresh.decision_function(x), atol=1e-10
        )
    assert len(sizes) > 1
    np.testing.assert_allclose(model.leave_one_out(), fresh.leave_one_out(), atol=1e-9)
    model.partial_fit(x[gone], y[gone], sample_ids=gone)
    assert model.certificate_.kkt_residual < 1e-10
