"""Law 3 for the kernel machine: forgetting equals retraining, on friendly and on nasty data."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from slow.kernel_solver import slow_solve
from unteach.core import BadInput, NotConverged, OneClassLeft
from unteach.kernel import SVC, Kernel, certify, classification, remove, residual, solve
from unteach.kernel._machine.blas_threads import one_thread
from unteach.kernel._paths.leave_one_out import leave_each_out
from unteach.kernel._solver.qp import bias_interval
from unteach.kernel._solver.solver import accepted

KERNELS = {
    "linear": Kernel("linear"),
    "poly": Kernel("poly", gamma=0.3, coef0=1.0, degree=2),
    "rbf": Kernel("rbf", gamma=0.5),
    "wide rbf": Kernel("rbf", gamma=1e-4),
}


def draw(seed: int, n: int, d: int, kind: str, noise: float = 0.5):
    """Return rows and labels: normal, an integer grid, or exact duplicates."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    if kind == "grid":
        x = rng.integers(0, 3, size=(n, d)).astype(float)
    if kind == "duplicates":
        x = x[rng.integers(0, max(2, n // 3), size=n)]
    y = np.where(x[:, 0] + noise * rng.normal(size=n) > np.median(x[:, 0]), 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return x, y, rng.normal(size=(20, d))


def scale_of(qp, b) -> float:
    """Return how much larger than 1e-8 a difference may be: rounding of huge kernel values."""
    return max(1.0, 1e3 * qp.noise(b) / 1e-8)


@pytest.mark.parametrize("kind", ["normal", "grid", "duplicates"])
@pytest.mark.parametrize("name", list(KERNELS))
@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e3])
def test_fast_equals_slow(kind, name, cost):
    for seed in range(3):
        x, y, probe = draw(seed, 40, 3, kind)
        gram = KERNELS[name].gram(x)
        qp = classification(gram, y, np.full(len(y), cost))
        fast = solve(qp)
        assert fast.kkt_residual <= accepted(1e-10, qp.noise(fast.b))
        assert residual(qp, fast.b, fast.rho) == fast.kkt_residual
        b, rho = slow_solve(gram, qp.p, qp.lower, qp.upper)
        between = KERNELS[name].between(probe, x)
        difference = np.abs(between @ (b - fast.b) + rho - fast.rho).max()
        # the slow one stops at a violation of 1e-12 times the size of the problem
        assert difference < 1e-8 * max(1.0, cost)


def test_a_certificate_shows_what_is_wrong():
    x, y, _ = draw(0, 30, 2, "normal")
    qp = classification(KERNELS["rbf"].gram(x), y, np.ones(30))
    good = solve(qp)
    right = certify(qp, good.b, good.rho)
    assert right.kkt_residual < 1e-12
    assert abs(right.duality_gap) < 1e-12
    assert right.n_free + right.n_bounded == np.count_nonzero(good.b)
    wrong = certify(qp, good.b * 0.9, good.rho)
    assert wrong.kkt_residual > 1e-3
    assert wrong.duality_gap > 1e-3
    shifted = certify(qp, good.b, good.rho + 0.01)
    assert shifted.kkt_residual == pytest.approx(0.01, rel=1e-6)


def test_without_a_free_support_vector_the_bias_is_the_middle():
    x = np.array([[0.0], [0.1], [1.0], [1.1]])
    y = np.array([-1.0, -1.0, 1.0, 1.0])
    qp = classification(Kernel("linear").gram(x), y, np.full(4, 0.01))
    found = solve(qp)
    assert certify(qp, found.b, found.rho).n_free == 0
    low, high = bias_interval(qp, found.b, qp.gradient(found.b))
    assert low < high
    assert found.rho == pytest.approx(0.5 * (low + high), abs=1e-15)


def test_a_solver_that_may_not_move_says_so():
    x, y, _ = draw(0, 60, 3, "normal")
    with pytest.raises(NotConverged, match="KKT residual"):
        solve(classification(KERNELS["rbf"].gram(x), y, np.ones(60)), max_iter=2)


def history(seed, n, d, kind, name, cost, weighted, steps):
    """Forget at random and compare with a fresh solve after each step."""
    kernel = KERNELS[name]
    x, y, probe = draw(seed, n, d, kind)
    rng = np.random.default_rng([seed, 1])
    bounds = cost * rng.integers(1, 4, size=n) if weighted else np.full(n, cost)
    gram, between = kernel.gram(x), kernel.between(probe, x)
    qp = classification(gram, y, bounds)
    now = solve(qp)
    alive = np.arange(n)
    for many in steps:
        pool = alive[now.b[alive] != 0] if rng.random() < 0.8 else alive
        out = rng.choice(pool, min(many, len(pool)), replace=False)
        rest = np.setdiff1d(alive, out)
        if len(set(y[rest])) < 2:
            return
        now = remove(qp, now, out)
        qp = qp.closed(out)
        alive = rest
        fresh_qp = classification(gram[np.ix_(rest, rest)].copy(), y[rest], bounds[rest])
        fresh = solve(fresh_qp)
        scale = scale_of(qp, now.b)
        assert residual(qp, now.b, now.rho) < 1e-10 * scale
        assert not now.b[out].any()
        a = between[:, rest] @ fresh.b + fresh.rho
        assert np.abs(a - between @ now.b - now.rho).max() < 1e-8 * scale


histories = given(
    seed=st.integers(0, 10_000),
    n=st.integers(6, 70),
    d=st.integers(1, 5),
    kind=st.sampled_from(["normal", "grid", "duplicates"]),
    name=st.sampled_from(list(KERNELS)),
    cost=st.sampled_from([1e-3, 1e-1, 1.0, 10.0, 1e3]),
    weighted=st.booleans(),
    steps=st.lists(st.sampled_from([1, 1, 2, 5]), min_size=1, max_size=6),
)
calm = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@histories
@settings(max_examples=60, derandomize=True, **calm)
def test_any_history_equals_a_fresh_solve(**drawn):
    history(**drawn)


@pytest.mark.slow
@histories
@settings(max_examples=3000, **calm)
def test_any_history_equals_a_fresh_solve_many_times(**drawn):
    history(**drawn)


def estimator_history(seed, kind, kernel, cost, labels, statistics, moves):
    """Delete and insert at random; the estimator must equal a fresh fit on what it holds."""
    rng = np.random.default_rng(seed)
    x, _, probe = draw(seed, 60, 3, kind)
    y = rng.integers(0, labels, size=60)
    gamma = "scale" if statistics == "follow" else 0.3
    make = {"C": cost, "kernel": kernel, "gamma": gamma, "coef0": 1.0, "degree": 2}
    if statistics == "follow":
        make["class_weight"] = "balanced"
    held = list(range(40))
    spare = list(range(40, 60))
    model = SVC(**make, statistics=statistics).fit(x[held], y[held], sample_ids=held)
    for insert, many in moves:
        if insert and spare:
            new, spare = spare[:many], spare[many:]
            model.partial_fit(x[new], y[new], sample_ids=new)
            held = held + new
        else:
            gone = rng.choice(held, min(many, len(held) - 1), replace=False)
            rest = [i for i in held if i not in set(gone.tolist())]
            if len(set(y[rest])) < 2:
                with pytest.raises(OneClassLeft):
                    model.forget(gone)
                continue
            model.forget(gone)
            held = rest
        fresh = SVC(**make, statistics=statistics).fit(x[held], y[held], sample_ids=held)
        assert model.sample_ids_.tolist() == held
        assert model.classes_.tolist() == fresh.classes_.tolist()
        # rounding grows with C: a sum of coefficients of size C cannot be told below C eps
        assert model.certificate_.kkt_residual < 1e-10 * max(1.0, cost)
        a, b = model.decision_function(probe), fresh.decision_function(probe)
        assert a.shape == b.shape
        raw = np.abs(model._decision.values(probe) - fresh._decision.values(probe)).max()
        assert raw < 1e-8
        assert model.claim_.kind == "exact"
        assert model.claim_.given == ()


estimator_histories = given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["normal", "grid", "duplicates"]),
    kernel=st.sampled_from(["linear", "poly", "rbf"]),
    cost=st.sampled_from([1e-3, 1.0, 100.0]),
    labels=st.integers(2, 4),
    statistics=st.sampled_from(["frozen", "follow"]),
    moves=st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 7])), min_size=1, max_size=5),
)


@estimator_histories
@settings(max_examples=25, derandomize=True, **calm)
def test_any_history_of_an_estimator_equals_a_fresh_fit(**drawn):
    estimator_history(**drawn)


@pytest.mark.slow
@estimator_histories
@settings(max_examples=1000, **calm)
def test_any_history_of_an_estimator_equals_a_fresh_fit_many_times(**drawn):
    estimator_history(**drawn)


@pytest.mark.parametrize("name", list(KERNELS))
@pytest.mark.parametrize("kind", ["normal", "duplicates"])
def test_leave_one_out_equals_leaving_one_out(name, kind):
    x, y, _ = draw(4, 40, 2, kind)
    gram = KERNELS[name].gram(x)
    qp = classification(gram, y, np.full(40, 5.0))
    found = solve(qp)
    whole, left, _ = leave_each_out(qp, found)
    np.testing.assert_allclose(whole, gram @ found.b + found.rho, atol=1e-12)
    for i in range(40):
        rest = np.delete(np.arange(40), i)
        fresh = solve(classification(gram[np.ix_(rest, rest)].copy(), y[rest], np.full(39, 5.0)))
        assert left[i] == pytest.approx(gram[i, rest] @ fresh.b + fresh.rho, abs=1e-8)


def test_histories_that_end_in_the_same_sets_end_in_the_same_bits():
    x, y, probe = draw(2, 120, 5, "normal")
    fit = SVC(gamma=0.2, C=2.0).fit(x, y)
    gone = fit.support_ids_[[0, 3, 5, 9]]
    fresh = SVC(gamma=0.2, C=2.0).fit(
        np.delete(x, gone, 0), np.delete(y, gone), sample_ids=np.delete(np.arange(120), gone)
    )
    one_by_one = fit.without(gone[:1]).forget(gone[1:2]).forget(gone[:1:-1])
    for other in (fit.without(gone), fit.without(gone[::-1]), one_by_one):
        assert fresh.support_ids_.tolist() == other.support_ids_.tolist()
        assert fresh.decision_function(probe).tobytes() == other.decision_function(probe).tobytes()


BYTES = """
import hashlib
import warnings

import numpy as np
from unteach.kernel import SVC, SVR, DataDependentStatistics, NuSVC, NuSVR, OneClassSVM

warnings.simplefilter("ignore", DataDependentStatistics)
rng = np.random.default_rng(0)
x = rng.normal(size=(90, 4))
score = x[:, 0] + 0.5 * rng.normal(size=90)
for machine in (SVC, NuSVC, SVR, NuSVR, OneClassSVM):
    y = (score > 0) * 1 if machine in (SVC, NuSVC) else score
    for kernel in ("rbf", "linear"):
        model = machine(kernel=kernel).fit(x, y)
        told = hashlib.sha256(model.to_saved().to_bytes())
        told.update(model.forget(model.support_ids_[:2]).to_saved().to_bytes())
        model.partial_fit(x[:2] + 0.1, y[:2]).reweight(model.support_ids_[:1], 0.5)
        told.update(model.to_saved().to_bytes())
        told.update(model.leave_one_out() if machine is SVC else b"")
        told.update(model.canonicalize().to_saved().to_bytes())
        print(machine.__name__, kernel, told.hexdigest())
"""


def test_the_bytes_are_those_of_one_thread_whatever_blas_is_set_to():
    told = []
    for n in (1, 2):
        with threadpool_limits(n, user_api="blas"), redirect_stdout(StringIO()) as out:
            exec(BYTES, {})
        told.append(out.getvalue().splitlines())
    assert len(told[0]) == 10
    assert told[0] == told[1]


@pytest.mark.slow
def test_the_bytes_are_those_of_one_thread_in_a_process_of_two():
    told = [
        subprocess.run(
            [sys.executable, "-c", BYTES],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
        ).stdout.splitlines()
        for n in ("1", "2")
    ]
    assert len(told[0]) == 10
    assert told[0] == told[1]


def test_threads_of_blas_are_put_back_when_the_last_one_leaves():
    def numbers():
        return [b["num_threads"] for b in threadpool_info() if b["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        assert 2 in numbers()
        with one_thread:
            assert set(numbers()) == {1}
            with pytest.raises(BadInput), one_thread:
                SVC().fit([[0.0], [1.0]], [0, 0])
            assert set(numbers()) == {1}
        assert 2 in numbers()
