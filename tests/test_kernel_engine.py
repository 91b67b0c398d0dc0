"""The fast ways of the kernel machine against the plain ones, on friendly and on nasty data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_classification

from unteach.kernel import Kernel, classification, remove, solve
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
