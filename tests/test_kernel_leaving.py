"""Leave-one-out, the path of one row, and reweighting, for the machines beyond C-SVC."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from unteach.core import BadInput, NotConverged, NothingLeft, OneClassLeft, UnknownRecord
from unteach.kernel import SVC, SVR, DataDependentStatistics, NuSVC, NuSVR, OneClassSVM

KERNELS = {
    "linear": {"kernel": "linear"},
    "poly": {"kernel": "poly", "gamma": 0.3, "coef0": 1.0, "degree": 2},
    "rbf": {"kernel": "rbf", "gamma": 0.5},
}
MACHINES = {
    "NuSVC": (NuSVC, {"nu": 0.45}),
    "SVR": (SVR, {"C": 2.0, "epsilon": 0.2}),
    "SVR of width 0": (SVR, {"C": 0.7, "epsilon": 0.0}),
    "NuSVR": (NuSVR, {"C": 2.0, "nu": 0.4}),
    "NuSVR, wide": (NuSVR, {"C": 5.0, "nu": 0.9}),
    "OneClassSVM": (OneClassSVM, {"nu": 0.23}),
    "OneClassSVM, whole": (OneClassSVM, {"nu": 0.2}),  # nu n is whole: nobody need be free
}


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def draw(seed, n, kind, machine):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    if kind == "grid":
        x = rng.integers(0, 3, size=(n, 2)).astype(float)
    if kind == "duplicates":
        x = x[rng.integers(0, n // 2, size=n)]
    score = x[:, 0] + 0.4 * rng.normal(size=n)
    y = (score > np.median(score)).astype(int) if machine is NuSVC else score
    return x, y, rng.normal(size=(15, 2))


def refuse_others(machine, error):
    """Only the hulls of two classes may meet, so that there is no margin."""
    if machine is not NuSVC or "margin" not in str(error):
        raise error


def fresh(model, x, y, weight=None):
    return type(model)(**model.get_params()).fit(x, y, sample_weight=weight)


@pytest.mark.parametrize(
    "kind", ["normal", "duplicates", pytest.param("grid", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("which", MACHINES)
def test_leave_one_out_equals_leaving_one_out(which, name, kind):
    machine, params = MACHINES[which]
    n = 20
    x, y, _ = draw(3, n, kind, machine)
    try:
        model = machine(**KERNELS[name], **params).fit(x, y)
        left = model.leave_one_out()
    except NotConverged as error:  # hulls that meet
        refuse_others(machine, error)
        return
    signs = np.where(y == 1, 1.0, -1.0) if machine is NuSVC else np.ones(n)
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        again = fresh(model, x[rest], y[rest])
        want = signs[i] * model._sign * again._values(x[[i]])[0, 0]
        unique = again.certificate_.n_free > 1 or machine is OneClassSVM
        assert left[i] == pytest.approx(want, abs=1e-8 if unique else 1e-6)


@pytest.mark.parametrize(
    "kind", ["normal", "duplicates", pytest.param("grid", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("which", MACHINES)
def test_the_path_is_a_weighted_machine_at_every_point(which, name, kind):
    machine, params = MACHINES[which]
    x, y, probe = draw(5, 40, kind, machine)
    try:
        model = machine(**KERNELS[name], **params).fit(x, y)
    except NotConverged as error:
        refuse_others(machine, error)
        return
    tried = refused = bent = 0
    others = np.setdiff1d(model.sample_ids_, model.support_ids_)
    for row in [*model.support_ids_[1::9], *others[:1]]:
        try:
            path = model.forget_path(row)
        except NotConverged:
            refused += 1
            continue
        assert path.shares[0] == 1
        assert path.shares[-1] == 0
        assert (np.diff(path.shares) <= 0).all()
        assert path.knots[-1].event in ("gone", "settles")
        bent += len(path.knots) > 3
        middle = 0.5 * (path.shares[1:] + path.shares[:-1])[:2]
        for share in sorted({1.0, 0.4, *middle, 0.0}):
            weight = np.ones(40)
            weight[row] = share
            try:
                exact = fresh(model, x, y, weight)
            except NotConverged as error:
                refuse_others(machine, error)
                continue
            values = path.decision_function(probe, share)
            part = exact._parts.pairs[0]
            free = exact._parts.program(0, part.rows).free(part.variables)
            group = exact._parts.program(0, part.rows).group
            off = np.abs(exact._sign * exact._values(probe)[:, 0] - values)
            if len(np.unique(group[free])) < len(np.unique(group)):  # the bias is an interval
                off = np.abs(off - off.mean())
            tried += 1
            assert off.max() < 1e-7
    assert tried > 3 or refused
    assert refused <= (2 if kind == "normal" else 6)
    assert bent or kind != "normal" or name == "linear"


def test_leaving_refuses_by_name():
    x, y, _ = draw(5, 40, "normal", NuSVC)
    model = NuSVC(gamma=0.5, nu=0.45).fit(x, y)
    with pytest.raises(UnknownRecord):
        model.forget_path(99)
    few = NuSVC(gamma=0.5, nu=0.3).fit(x[:5], [0, 1, 1, 1, 1])
    with pytest.raises(OneClassLeft):
        few.leave_one_out()
    with pytest.raises(OneClassLeft):
        few.forget_path(0)
    three = NuSVC(gamma=0.5, nu=0.3).fit(x, np.arange(40) % 3)
    for ask in (three.leave_one_out, lambda: three.forget_path(0)):
        with pytest.raises(BadInput, match="two classes"):
            ask()
    tight = NuSVC(gamma=0.5, nu=0.4).fit(x[:5], [0, 1, 1, 1, 1])
    with pytest.raises((BadInput, OneClassLeft)):
        tight.leave_one_out()
    seen = []
    SVR(gamma=0.5).fit(x, y).leave_one_out(progress=lambda *a: seen.append(a))
    assert seen[-1] == (40, 40, "leave one out")


@pytest.mark.parametrize("machine", [SVC, NuSVC, SVR, NuSVR, OneClassSVM])
def test_reweighting_equals_a_fit_with_those_weights(machine):
    x, y, probe = draw(8, 40, "normal", NuSVC if machine is SVC else machine)
    model = machine(gamma=0.5, **({"nu": 0.3} if machine not in (SVC, SVR) else {})).fit(x, y)
    before = model.decision_function if hasattr(model, "decision_function") else model.predict
    before(probe)
    weight = np.ones(40)
    for ids, given in (([3, 1, 7], [2.0, 0.0, 0.5]), ([1], 1.5), (np.arange(40), 2.0)):
        weight[ids] = given
        model.reweight(ids, given)
        again = fresh(model, x, y, weight)
        a, b = model._decision.values(probe), again._decision.values(probe)
        assert np.abs(a - b).max() < 1e-9
        assert model.sample_ids_.tolist() == list(range(40))
    held = model.certificate_
    for ids, given, error in (
        ([99], 1.0, UnknownRecord),
        ([1, 2], [1.0], BadInput),
        ([1], -1.0, BadInput),
        ([1], "a", BadInput),
        (np.arange(40), 0.0, BadInput),
    ):
        with pytest.raises(error):
            model.reweight(ids, given)
    assert model.certificate_ is held
    if machine in (SVC, NuSVC):
        with pytest.raises(OneClassLeft):
            model.reweight(np.flatnonzero(y == 1), 0.0)


@pytest.mark.parametrize("statistics", ["frozen", "follow"])
@pytest.mark.parametrize("machine", [SVC, NuSVC, SVR, NuSVR, OneClassSVM])
def test_rows_of_weight_zero_alone_are_nothing_to_learn_from(machine, statistics):
    x = np.arange(8.0)[:, None]
    classifies = machine in (SVC, NuSVC)
    error = OneClassLeft if classifies else NothingLeft
    others = [0, 1, 3, 4, 5, 6, 7]

    def state(model):
        return model.sample_ids_, model._weights, model.dual_coef_, model.intercept_

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataDependentStatistics)
        model = machine(statistics=statistics).fit(x, (x[:, 0] > 3).astype(float))
        model.reweight([2], [0.0])
        before = [np.array(part) for part in state(model)]
        for leave in (model.forget, model.without):
            with pytest.raises(error, match=r"weight zero|classes \[\]"):
                leave(others)
        with pytest.raises(NothingLeft):
            model.forget([*others, 2])
        with pytest.raises(BadInput, match="zero"):
            model.reweight(others, 0.0)
        with pytest.raises(UnknownRecord):
            model.forget([2, 99])
        if classifies:
            with pytest.raises(OneClassLeft):
                model.reweight([0, 1, 3], 0.0)
            with pytest.raises(OneClassLeft):
                model.forget([0, 1, 3])
        for was, now in zip(before, state(model), strict=True):
            np.testing.assert_array_equal(was, now)
        model.partial_fit([[9.0]], [1.0], sample_weight=[0.0])
        with pytest.raises(error):
            model.forget(others)
        model.forget([8]).forget([2])
        assert model.sample_ids_.tolist() == others


def test_a_path_ends_where_only_rows_of_weight_zero_stand_beside():
    x = np.arange(4.0)[:, None]
    model = SVC(gamma=0.5).fit(x, [0, 0, 1, 1]).reweight([2], [0.0])
    with pytest.raises(OneClassLeft):
        model.forget_path(3)
    left = SVC(gamma=0.5).fit(x, [0, 0, 1, 1]).reweight([0], [0.0]).forget([3])
    with pytest.raises(OneClassLeft):
        left.leave_one_out()
