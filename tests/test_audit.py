"""Audits: every metric has a known answer, refuses by name, and cannot be fooled by cancelling."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unteach.audit import (
    METRICS,
    VERDICTS,
    CertificateLedger,
    HoldoutUtility,
    Membership,
    ParameterGap,
    PredictionGap,
    ResidualFraction,
    Residue,
    RetainUtility,
    audit,
    audit_model,
    near_duplicates,
    planted_case,
    separates,
    verdict,
)
from unteach.audit.against import against
from unteach.audit.residual import _margins
from unteach.audit.state import state_of
from unteach.audit.summary import larger_side, sides
from unteach.audit.traces import proven, search, traces_of
from unteach.core import (
    BadInput,
    Case,
    Forgotten,
    Heuristic,
    Metric,
    NeedsReference,
    Reading,
    Request,
    Rows,
    Trial,
    stream,
)
from unteach.data import memorable
from unteach.models import Logistic, NaiveBayes, Neighbours, Ridge, learn

FORGETTING = [m for m in METRICS if m.role == "forgetting"]
COMPARING = [*[m for m in METRICS if m.role in ("forgetting", "utility")], Membership()]


# ---- learners and methods of our own: audits know none of the real ones


@dataclasses.dataclass(frozen=True)
class Linear:
    """A linear classifier; with `noise` above 0 the seed moves its weights."""

    noise: float = 0.0

    def learn(self, records, *, seed):
        model = LogisticRegression(C=100.0, max_iter=2000, tol=1e-8).fit(records.x, records.y)
        size = self.noise * np.linalg.norm(model.coef_) / math.sqrt(model.coef_.size)
        model.coef_ = model.coef_ + size * stream(seed, "noise").standard_normal(model.coef_.shape)
        return model


@dataclasses.dataclass(frozen=True)
class Method:
    """Retrain on the rest, with a share of the forgotten rows kept and a share taught wrong."""

    learner: Linear
    kept: float = 0.0
    denied: float = 0.0

    def forget(self, model, records, request, *, seed):
        targets = request.targets(records)
        kept = targets[: round(self.kept * len(targets))]
        denied = targets[len(targets) - round(self.denied * len(targets)) :]
        rest = records.without(targets)
        keep, deny = records.select(kept), records.select(denied)
        parts = [rest, keep, *[deny] * 5]
        ys = [rest.y, keep.y, *[1 - deny.y] * 5]
        x, y = np.concatenate([p.x for p in parts]), np.concatenate(ys)
        mixed = Rows(np.arange(len(x)), {"x": x, "y": y})
        return Forgotten(self.learner.learn(mixed, seed=seed), Heuristic())


class DoNothing:
    def forget(self, model, records, request, *, seed):
        return Forgotten(model, Heuristic())


def reading(value, low, high, *, better="zero", untouched=1.0, null=(-0.1, 0.1)):
    return Reading(
        "r",
        value,
        low,
        high,
        n=8,
        unit_of_replication="seeds",
        seeds=range(8),
        unit="share",
        better=better,
        untouched=untouched,
        null=null,
        limit=10.0,
    )


def audited(method, learner, **options):
    world = memorable(0)
    request = Request(ids=world.planted_ids)
    return audit(method, learner, world.records, request, holdout=world.holdout, **options)


# ---- what every metric keeps


def test_metrics_have_names_and_roles():
    assert all(isinstance(m, Metric) for m in METRICS)
    assert len({m.name for m in METRICS}) == len(METRICS)
    assert {m.role for m in METRICS} == {"forgetting", "utility", "screen", "ledger"}


@pytest.mark.parametrize("metric", COMPARING, ids=lambda m: m.name)
@pytest.mark.parametrize("missing", ["reference", "twin"])
def test_no_reference_no_reading(metric, missing):
    (trial,) = planted_case(after=[0.0, 1.0], before=[2.0, 2.0]).trials
    case = Case((dataclasses.replace(trial, **{missing: None}),), "examples")
    with pytest.raises(NeedsReference, match=metric.name):
        metric.read(case)


@pytest.mark.parametrize("metric", [Membership(), HoldoutUtility()], ids=lambda m: m.name)
def test_no_holdout_no_reading(metric):
    (trial,) = planted_case(after=[0.0], before=[2.0]).trials
    with pytest.raises(NeedsReference, match=metric.name):
        metric.read(Case((dataclasses.replace(trial, holdout=None),), "examples"))


@pytest.mark.parametrize(
    "metric",
    [PredictionGap(), ResidualFraction(), Membership(), Residue()],
    ids=lambda m: m.name,
)
def test_nothing_forgotten_nothing_read(metric):
    (trial,) = planted_case(after=[0.0], before=[2.0]).trials
    empty = dataclasses.replace(trial, forget=trial.forget.take(np.zeros(0, dtype=np.int64)))
    with pytest.raises(NeedsReference, match=metric.name):
        metric.read(Case((empty,), "examples"))


@pytest.mark.parametrize("metric", METRICS[:-1], ids=lambda m: m.name)
def test_readings_do_not_depend_on_the_order_of_records(metric):
    rng = np.random.default_rng(0)
    case = planted_case(
        after=rng.normal(size=9),
        before=3 + rng.normal(size=9),
        retrained=rng.normal(size=9),
        twin=rng.normal(size=9) / 10,
        holdout_after=rng.normal(size=7),
        hoard=[1, 4],
    )
    metric = (
        dataclasses.replace(metric, errors=0.5) if metric.name == "residual fraction" else metric
    )
    (t,) = case.trials
    shuffled = {
        part: getattr(t, part).take(rng.permutation(len(getattr(t, part))))
        for part in ("forget", "retain", "holdout")
    }
    other = Case((dataclasses.replace(t, **shuffled),), "examples")
    assert metric.read(other) == metric.read(case)
    assert [x.columns for x in metric.measure(other).tables] == [
        x.columns for x in metric.measure(case).tables
    ]


@pytest.mark.parametrize("metric", METRICS[:-1], ids=lambda m: m.name)
def test_readings_carry_what_their_role_owes(metric):
    r, tables = metric.measure(planted_case(after=[1.0, 0.5], before=[2.0, 3.0]))
    numbers = [r.value, r.low, r.high]
    if metric.role == "forgetting" or metric.name == "membership":
        numbers += [r.untouched, *r.null, r.limit]
        assert abs(r.value) <= r.limit and abs(r.untouched) <= r.limit
    if metric.role == "utility":
        assert r.untouched is None and r.null is None and r.limit is None
    assert all(map(math.isfinite, numbers))
    assert r.table in [t.name for t in tables]
    assert Reading.from_json(r.to_json()) == r


# ---- closed forms


def test_sides_do_not_cancel():
    assert sides(np.array([2.0, -2.0])) == (1.0, 1.0)
    assert larger_side(1.0, 1.0) == 1.0 and larger_side(0.0, 0.3) == -0.3


def test_residual_fraction_shows_what_a_mean_and_a_median_hide():
    marks = np.linspace(1, 3, 10)
    rho = np.array([1.0, -1.0] * 5)
    case = planted_case(after=rho * marks, before=marks)
    r, (table, quantiles) = ResidualFraction().measure(case)
    assert r.value == pytest.approx(0.5) and "net 0" in r.note
    assert table["rho"] == pytest.approx(rho.tolist())
    assert (quantiles["after"][0], quantiles["after"][-1]) == pytest.approx((-1, 1))
    assert verdict(r) == "under-forgotten"
    over = ResidualFraction().read(planted_case(after=-0.5 * marks, before=marks))
    assert over.value == pytest.approx(-0.5) and verdict(over) == "over-forgotten"
    exact = ResidualFraction().read(planted_case(after=0 * marks, before=marks))
    assert (exact.value, exact.null) == (0.0, (0.0, 0.0)) and verdict(exact) == "as retrained"


def test_residual_fraction_leaves_out_what_it_cannot_measure_and_refuses_when_that_is_all():
    case = planted_case(
        after=[1.0, 0.2, 0.0, 5.0], before=[4.0, 4.0, 4.0, 0.1], twin=[0.1, -0.1, 0.1, 0.1]
    )
    r, (table, _) = ResidualFraction().measure(case)
    assert table["measurable"] == [True, True, True, False] and table["rho"][3] is None
    assert r.value == pytest.approx(0.1) and "3 of 4 measurable" in r.note
    with pytest.raises(NeedsReference, match=r"residual fraction: none of 2 .* left a mark"):
        ResidualFraction().read(planted_case(after=[0.0, 9.0], before=[0.1, 0.0], twin=[0.1, 0.1]))


def test_residual_fraction_is_cut_so_that_one_record_cannot_carry_it():
    r = ResidualFraction(ceiling=4.0).read(planted_case(after=[-100.0, 0.0], before=[1.0, 1.0]))
    assert r.value == -2.0 and r.limit == 4.0


def test_parameter_gap_shows_the_projection_beside_the_distance():
    r, (table,) = ParameterGap().measure(
        planted_case(after=[-1.0, 1.0], before=[2.0, 0.0], retrained=[0.0, 0.0])
    )
    assert r.value == pytest.approx(math.sqrt(2) / 2)
    assert table["projection"] == [-0.5] and r.note.startswith("projection -0.5")
    with pytest.raises(NeedsReference, match="moves no parameter"):
        ParameterGap().read(planted_case(after=[1.0], before=[2.0], retrained=[2.0]))


def test_parameter_gap_refuses_models_without_parameters():
    case = planted_case(after=[0.0], before=[1.0])
    (t,) = case.trials
    neighbours = KNeighborsClassifier(1).fit(t.forget.x, t.forget.y)
    with pytest.raises(NeedsReference, match="KNeighborsClassifier has none"):
        ParameterGap().read(Case((dataclasses.replace(t, before=neighbours),), "examples"))


def test_membership_is_a_plain_difference_of_areas_when_all_records_lie_on_one_side():
    case = planted_case(after=[2.0, 0.5, 0.0], before=[2.0, 2.0, 2.0], retrained=[0.0, 0.0, 0.0])
    r, (_, areas) = Membership().measure(case)
    assert r.value == pytest.approx(areas["after"][0] - areas["retrained"][0]) == 1 / 3
    # under and over at once: the areas are equal, the reading is not 0
    hidden = planted_case(after=[2.0, 0.0], before=[2.0, 2.0], retrained=[0.0, 2.0])
    r, (_, areas) = Membership().measure(hidden)
    assert areas["after"] == areas["retrained"] and r.value == 0.5


def test_utility_is_paired_and_names_the_worst_class():
    case = planted_case(after=[0.0], before=[0.0], holdout_after=[1.0, -1.0, 1.0, -1.0])
    (t,) = case.trials
    held = Rows(t.holdout.ids, {"x": t.holdout.x, "y": np.array([1, 1, 0, 0])})
    r, (table,) = HoldoutUtility().measure(Case((dataclasses.replace(t, holdout=held),), "seeds"))
    assert r.value == 0.0 and r.low < 0 < r.high and r.unit_of_replication == "examples"
    assert dict(zip(table["class"], table["difference"], strict=True)) == {0: 0.5, 1: -0.5}
    assert "worst class 1: -0.5" in r.note


def test_utility_names_no_person():
    case = planted_case(after=[0.0], before=[0.0])
    (t,) = case.trials
    people = np.array(["ada", "ada", "bob", "cy"])
    held = Rows(t.holdout.ids, dict(t.holdout.columns), people)
    case = Case((dataclasses.replace(t, holdout=held),), "examples")
    (table,) = HoldoutUtility(by="group", key=b"secret").measure(case).tables
    assert len(table) == 3 and all(name.startswith("person-") for name in table["group"])
    with pytest.raises(BadInput, match="have none"):
        RetainUtility(by="group").read(case)


def test_utility_of_regression_is_r2():
    x = np.linspace(0, 1, 20)[:, None]
    rows = Rows(np.arange(20), {"x": x, "y": x[:, 0] * 2})
    constant = SimpleNamespace(predict=lambda x: np.full(len(x), 1.0))
    exact = SimpleNamespace(predict=lambda x: x[:, 0] * 2)
    gone = Forgotten(constant, Heuristic())
    parts = rows.take([0]), rows.take(range(1, 10)), rows.take(range(10, 20))
    case = Case((Trial(exact, gone, exact, exact, *parts, 0),), "examples")
    r = HoldoutUtility().read(case)
    held = parts[2].y
    gap = np.mean((held - 1.0) ** 2) / np.var(held)  # a constant's R2 is 1 less this
    assert r.value == pytest.approx(-gap) and r.unit == "R2"
    flat = Rows(parts[2].ids, {"x": parts[2].x, "y": np.ones(10)})
    with pytest.raises(NeedsReference, match="all targets are equal"):
        HoldoutUtility().read(
            Case((dataclasses.replace(case.trials[0], holdout=flat),), "examples")
        )


def test_ledger_reads_the_share_and_refuses_the_impossible():
    made = {
        "epsilon": 1.0,
        "delta": 1e-4,
        "budget": 2.0,
        "spent": 0.5,
        "residual": 0.1,
        "entries": (),
        "assumptions": (),
    }

    def case(**changed):
        return planted_case(
            after=[0.0], before=[1.0], ledger=SimpleNamespace(**{**made, **changed})
        )

    assert CertificateLedger().read(case()).value == 0.25
    with pytest.raises(BadInput, match="does not hold"):
        CertificateLedger().read(case(residual=0.6))
    with pytest.raises(NeedsReference, match="budget is 0"):
        CertificateLedger().read(case(budget=0.0))
    with pytest.raises(NeedsReference, match="Told keeps none"):
        CertificateLedger().read(planted_case(after=[0.0], before=[1.0]))


def test_outputs_that_are_not_finite_are_refused_by_name():
    with pytest.raises(NeedsReference, match="prediction gap: 1 of 2"):
        PredictionGap().read(planted_case(after=[math.inf, 0.0], before=[1.0, 1.0]))


def test_classes_that_went_are_lined_up_or_refused():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2, 3], 15)
    rows = Rows(np.arange(60), {"x": rng.normal(size=(60, 4)) + y[:, None], "y": y})
    found = audit(DoNothing(), LogisticRegression(), rows, Request(ids=range(45, 60)), seeds=[0, 1])
    assert "over the 3 classes that all models know" in found.reading("prediction gap").note
    assert "different numbers" in found.refusals["parameter gap"]
    three = rows.without(range(45, 60))
    found = audit(DoNothing(), LogisticRegression(), three, Request(ids=range(30, 45)), seeds=[0])
    assert "cannot be lined up" in found.refusals["prediction gap"]


# ---- replication


def test_seeds_that_change_nothing_replicate_nothing():
    found = audited(DoNothing(), Linear(), seeds=[0, 1, 2])
    for name in ("prediction gap", "residual fraction", "membership"):
        r = found.reading(name)
        assert (r.unit_of_replication, r.n) == ("examples", 12)
        assert "null is a point" in r.note and len(set(r.null)) == 1
    assert found.reading("holdout utility").n == 200
    assert found.reading("parameter gap").n == 1


def test_one_model_is_compared_with_all_retrained_ones_and_they_with_each_other():
    rng = np.random.default_rng(1)
    cases = [
        planted_case(after=[1.0, 2.0], before=[3.0, 3.0], retrained=rng.normal(size=2)).trials[0]
        for _ in range(4)
    ]
    trials = tuple(
        dataclasses.replace(
            cases[0], reference=t.reference, twin=cases[(k + 1) % 4].reference, seed=k
        )
        for k, t in enumerate(cases)
    )
    seen = against(Case(trials, "examples"), "x", _margins)
    known = np.array([t.reference.decision_function(t.forget.x) for t in trials])
    assert seen.after[0] == pytest.approx(np.array([1.0, 2.0]) - known.mean(axis=0))
    assert len(seen.null) == 4
    assert seen.null[2] == pytest.approx(known[2] - np.delete(known, 2, axis=0).mean(axis=0))
    gap = PredictionGap().read(Case(trials, "examples"))
    assert gap.value == pytest.approx(np.abs(np.array([1.0, 2.0]) - known).mean())
    other = dataclasses.replace(trials[0], forget=trials[0].forget.take([0]))
    with pytest.raises(BadInput, match="must forget the same records"):
        against(Case((*trials, other), "examples"), "x", _margins)


def test_data_draws_replicate_and_their_utility_is_corrected_for_overlap():
    worlds = [memorable(s, n=60, n_mislabelled=6, n_holdout=40) for s in range(4)]
    draws = [(w.records, w.holdout, Request(ids=w.planted_ids)) for w in worlds]
    found = audit(DoNothing(), Linear(), *draws[0][::2], draws=draws)
    r = found.reading("holdout utility")
    assert (r.n, r.unit_of_replication, r.seeds) == (4, "data draws", (0, 1, 2, 3))
    plain = found.reading("retain utility")
    assert plain.unit_of_replication == "data draws"
    assert found.reading("residual fraction").unit_of_replication == "data draws"
    with pytest.raises(BadInput, match="3 seeds for 4 draws"):
        audit(DoNothing(), Linear(), *draws[0][::2], draws=draws, seeds=[0, 1, 2])


def test_the_same_seeds_give_the_same_audit():
    one, other = (audited(DoNothing(), Linear(0.1), seeds=[3, 4]) for _ in range(2))
    assert one.readings == other.readings and one.tables == other.tables


# ---- the three poles, and the one that cancels


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("metric", FORGETTING, ids=lambda m: m.name)
def test_retraining_ranks_first_beyond_the_null(metric, noise):
    learner = Linear(noise)
    poles = {
        "retrain": Method(learner),
        "nothing": DoNothing(),
        "over": Method(learner, denied=1.0),
        "both": Method(learner, kept=0.5, denied=0.5),
    }
    found = {
        name: audited(m, learner, seeds=range(5), metrics=[metric]).reading(metric.name)
        for name, m in poles.items()
    }
    low, high = found["retrain"].null
    slack = 1e-6 * max(1.0, high)
    retrained = found.pop("retrain")
    assert low - slack <= retrained.high and retrained.low <= high + slack
    for name, r in found.items():
        assert abs(r.value) > abs(retrained.value), name
        assert r.low > high + slack or r.high < low - slack, name
    if metric.name == "residual fraction":
        assert verdict(retrained) == "as retrained"
        assert verdict(found["nothing"]) == "under-forgotten"
        assert verdict(found["over"]) == "over-forgotten"


def test_an_audit_reads_its_poles_on_the_same_trials():
    learner = Linear(0.1)
    found = audited(
        Method(learner), learner, seeds=[0, 1, 2], poles=[DoNothing(), Method(learner, denied=1.0)]
    )
    assert found.validity == "valid" and set(found.poles) == {"DoNothing", "Method"}
    untouched = {r.name: r for r in found.poles["DoNothing"]}
    for r in found.readings:
        if r.untouched is not None and r.name != "residue":
            assert untouched[r.name].value == pytest.approx(r.untouched), r.name
    assert found.verdicts["residual fraction"] in ("as retrained", "cannot tell")
    assert len(found.table("near duplicates")) == 0
    assert (
        found.refusals == {"certificate ledger": found.refusals["certificate ledger"]}
        and "keeps none" in found.refusals["certificate ledger"]
    )
    with pytest.raises(NeedsReference, match="was not read"):
        found.reading("certificate ledger")


def test_an_audit_whose_controls_do_not_separate_gives_no_verdict():
    world = memorable(0)
    easy = world.controls.ids[:3]
    found = audit(
        DoNothing(),
        Linear(2.0),
        world.records,
        Request(ids=easy),
        holdout=world.holdout,
        seeds=range(4),
    )
    assert found.validity.startswith("invalid: controls do not separate")
    assert set(found.verdicts.values()) == {"cannot tell"}
    assert "residual fraction" in {*found.refusals, *found.verdicts}


def test_a_method_that_prepares_gets_its_own_learner():
    class Prepared(DoNothing):
        def prepare(self, learner):
            return Linear()

    found = audited(Prepared(), KNeighborsClassifier(3), seeds=[0], metrics=[PredictionGap()])
    assert isinstance(found.case.trials[0].before, LogisticRegression)


# ---- one model of a user's own


def test_one_model_with_a_deterministic_recipe():
    world = memorable(0)
    request, learner = Request(ids=world.planted_ids), Linear()
    before = learner.learn(world.records, seed=0)
    ticks = []
    for method, expected in [
        (Method(learner), "as retrained"),
        (DoNothing(), "under-forgotten"),
        (Method(learner, denied=1.0), "over-forgotten"),
    ]:
        gone = method.forget(before, world.records, request, seed=0)
        found = audit_model(
            before,
            gone,
            world.records,
            request,
            learner=learner,
            holdout=world.holdout,
            progress=lambda *step: ticks.append(step),
        )
        assert found.validity == "valid"
        assert found.verdicts["residual fraction"] == expected
        assert found.verdicts["prediction gap"] == expected
        assert found.reading("membership").unit_of_replication == "examples"
        assert len(found.case.trials) == 1  # no more retrainings than tell anything
    assert ticks[-1][:2] == (7, 7)


def test_one_model_with_a_random_recipe_has_a_null_with_width():
    world = memorable(0)
    request, learner = Request(ids=world.planted_ids), Linear(0.1)
    before = learner.learn(world.records, seed=0)
    gone = Method(learner).forget(before, world.records, request, seed=1)
    found = audit_model(before, gone, world.records, request, learner=learner, twins=5)
    assert len(found.case.trials) == 6 and found.validity == "valid"
    r = found.reading("residual fraction")
    assert r.null[1] > 0 and "point" not in r.note
    assert verdict(r) in ("as retrained", "cannot tell")
    assert {"membership", "holdout utility"} <= set(found.refusals)
    assert found.reading("parameter gap").null[1] > 0
    bad = audit_model(
        before, Forgotten(before, Heuristic()), world.records, request, learner=learner
    )
    assert bad.verdicts["residual fraction"] == "under-forgotten"


def test_a_change_is_audited_against_the_replaced_records():
    world = memorable(0)
    wrong = world.records.select(world.planted_ids)
    request = Request(replace=Rows(wrong.ids, {**wrong.columns, "y": 1 - wrong.y}))
    learner = Linear()
    before = learner.learn(world.records, seed=0)
    right = learner.learn(request.applied_to(world.records), seed=0)
    found = audit_model(
        before,
        Forgotten(right, Heuristic()),
        world.records,
        request,
        learner=learner,
        holdout=world.holdout,
    )
    assert found.verdicts["residual fraction"] == "as retrained"
    assert len(found.case.trials[0].retain) == len(world.records)
    assert len(found.table("near duplicates")) == 0


# ---- verdicts


@pytest.mark.parametrize(
    "r, signed, said",
    [
        (reading(0.5, 0.4, 0.6), None, "under-forgotten"),
        (reading(-0.5, -0.6, -0.4), None, "over-forgotten"),
        (reading(0.02, 0.0, 0.05), None, "as retrained"),
        (reading(0.105, 0.102, 0.11), None, "as retrained"),  # within the margin: equivalent
        (reading(0.2, 0.05, 0.5), None, "cannot tell"),
        (reading(0.02, 0.0, 0.05, untouched=0.05), None, "cannot tell"),  # could not have spoken
        (reading(0.0, 0.0, 0.1, null=(-0.4, 0.4)), None, "cannot tell"),  # too coarse
        (reading(0.5, 0.4, 0.6, better="lower", null=(0, 0.1)), None, "not as retrained"),
        (
            reading(0.5, 0.4, 0.6, better="lower", null=(0, 0.1)),
            reading(0.5, 0.4, 0.6),
            "under-forgotten",
        ),
        (
            reading(0.5, 0.4, 0.6, better="lower", null=(0, 0.1)),
            reading(0.0, 0.0, 0.0),
            "not as retrained",
        ),
        (reading(1e-12, 0.0, 1e-12, null=(0, 0)), None, "as retrained"),  # rounding
        # nearer than another retraining is: no fault of the model's
        (reading(0.0, 0.0, 0.0, better="lower", null=(0.3, 0.3)), None, "cannot tell"),
        (reading(0.0, 0.0, 0.0, better="lower", null=(0.2, 0.2)), None, "as retrained"),
        (reading(0.5, 0.5, 0.5, better="lower", null=(0.2, 0.2)), None, "not as retrained"),
        (reading(0.0, 0.0, 0.0, better="lower", untouched=0.0, null=(1, 1)), None, "cannot tell"),
    ],
)
def test_verdicts(r, signed, said):
    assert verdict(r, signed=signed) == said and said in VERDICTS


def test_a_verdict_needs_a_null():
    bare = HoldoutUtility().read(planted_case(after=[0.0], before=[0.0]))
    assert not separates(bare)
    with pytest.raises(BadInput, match="carries no null"):
        verdict(bare)
    with pytest.raises(BadInput, match="margin"):
        verdict(reading(0, 0, 0), margin=1.0)


# ---- residue


class Hides:
    """A model that keeps rows in one way or another."""

    def __init__(self, how, x):
        x = np.array(x)
        if how == "view of all":
            self.seen = x[:0]
        elif how == "transposed":
            self.seen = np.array(x.T, order="C")
        elif how == "fortran float32":
            self.seen = np.asfortranarray(x.astype(np.float32))
        elif how == "float16":
            self.seen = x.astype(np.float16)
        elif how == "big endian":
            self.seen = x.astype(">f8")
        elif how == "one number":
            self.seen = {"threshold": np.float64(x[0, 1])}
        elif how == "text":
            self.seen = [str(float(x[0, 1])).encode()]
        elif how == "closure":
            self.seen = lambda: x
        elif how == "slots":
            self.seen = Slotted(x)
        elif how == "objects":
            self.seen = np.array([x[0], None], dtype=object)


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


def trial_of(after, before, reference, forget, retain):
    gone = Forgotten(after, Heuristic())
    return Trial(before, gone, reference, reference, forget, retain, None, 0)


def noise_rows(n=40, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return Rows(np.arange(n), {"x": rng.normal(size=(n, d)), "y": np.arange(n) % 2})


@pytest.mark.parametrize(
    "how",
    [
        "view of all",
        "transposed",
        "fortran float32",
        "float16",
        "big endian",
        "one number",
        "text",
        "closure",
        "slots",
        "objects",
    ],
)
def test_residue_finds_rows_however_they_are_kept(how):
    rows = noise_rows()
    forget, retain = rows.take([3]), rows.without([3])
    trial = trial_of(Hides(how, forget.x), Hides("none", forget.x), None, forget, retain)
    r, (table,) = Residue().measure(Case((trial,), "examples"))
    assert (r.value, r.untouched, r.null) == (1.0, 0.0, None)
    assert table["found after"] == [True] and table["where"][0]
    clean = trial_of(Hides(how, retain.x), None, None, forget, retain)
    if how != "view of all":
        assert Residue().read(Case((clean,), "examples")).value == 0.0


def test_residue_of_integers_is_found_as_rows_and_never_by_a_number_alone():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 17, size=(60, 64)).astype(np.float64)
    x[5, 0] = 1000  # distinctive, but a thousand may stand anywhere
    rows = Rows(np.arange(60), {"x": x, "y": np.arange(60) % 2})
    forget, retain = rows.take([5]), rows.without([5])
    small = SimpleNamespace(x=x[5:6].astype(np.int16))
    other = SimpleNamespace(limit=np.array([1000.0]))
    for model, value in ((small, 1.0), (other, 0.0)):
        case = Case((trial_of(model, model, None, forget, retain),), "examples")
        assert Residue().read(case).value == value


def test_residue_raises_no_false_alarm():
    rng = np.random.default_rng(7)
    rows = noise_rows(200, 20)
    forget, retain = rows.take(np.arange(50)), rows.without(np.arange(50))
    state = SimpleNamespace(
        a=rng.normal(size=100_000).astype(np.float32),
        b=rng.normal(size=50_000),
        c=np.zeros(1000),
        d=rng.bytes(200_000),
        e=retain.x,
        f=retain.x.astype(np.float16),
    )
    case = Case((trial_of(state, state, None, forget, retain),), "examples")
    r = Residue().read(case)
    assert (r.value, r.n) == (0.0, 50) and r.high > 0  # silence is no proof


def test_residue_takes_nothing_for_evidence_that_retraining_holds_too():
    rows = noise_rows()
    forget, retain = rows.take([3]), rows.without([3])
    both = SimpleNamespace(constant=forget.x[0, 0])
    trial = trial_of(both, both, both, forget, retain)
    r = Residue().read(Case((trial,), "examples"))
    assert (r.value, r.untouched, r.null) == (0.0, 0.0, (0.0, 0.0))


def test_residue_refuses_what_bytes_cannot_tell():
    rows = noise_rows()
    twice = Rows(np.array([99]), {"x": rows.x[:1], "y": rows.y[:1]})
    trial = trial_of(SimpleNamespace(), SimpleNamespace(), None, twice, rows)
    with pytest.raises(NeedsReference, match="residue: no forgotten row"):
        Residue().read(Case((trial,), "examples"))
    words, others = (Rows([i], {"x": np.array([["a"]]), "y": np.array([0])}) for i in (99, 98))
    with pytest.raises(NeedsReference, match="numeric"):
        Residue().read(Case((trial_of(None, None, None, words, others),), "examples"))


def test_residue_of_a_pipeline_is_found_as_its_later_steps_see_it():
    world = memorable(0)
    x, y = world.records.x, world.records.y
    forget = world.records.select(world.planted_ids)
    retain = world.records.without(world.planted_ids)

    def learned(rows):
        return make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(rows.x, rows.y)

    before, clean = learned(world.records), learned(retain)
    for after, value in ((before, 1.0), (learned(retain), 0.0)):
        case = Case((trial_of(after, before, clean, forget, retain),), "examples")
        r = Residue().read(case)
        assert (r.value, r.untouched) == (value, 1.0)
    # neither x nor y were touched by looking
    assert np.array_equal(x, world.records.x) and np.array_equal(y, world.records.y)


@pytest.mark.parametrize("learner", [Ridge(), Logistic(), NaiveBayes(), Neighbours()], ids=str)
def test_exact_forgetting_leaves_no_residue(learner):
    world = memorable(0)
    request = Request(ids=world.planted_ids)
    before = learn(learner, world.records)
    gone = Forgotten(before.without(world.planted_ids), before.claim_)
    found = audit_model(before, gone, world.records, request, metrics=[Residue(), PredictionGap()])
    r = found.reading("residue")
    assert (r.value, r.untouched, r.null) == (0.0, 1.0, (0.0, 0.0))
    assert found.verdicts == {"prediction gap": "as retrained"}


def test_zero_weight_hides_no_bytes():
    rows = noise_rows()
    forget, retain = rows.take([3]), rows.without([3])
    hidden = SimpleNamespace(x=rows.x.copy(), weight=np.where(rows.ids == 3, 0.0, 1.0))
    trial = trial_of(hidden, hidden, SimpleNamespace(x=retain.x.copy()), forget, retain)
    assert Residue().read(Case((trial,), "examples")).value == 1.0


def test_single_precision_numbers_count_only_together():
    rows = noise_rows(d=8)
    forget, retain = rows.x[:1], rows.x[1:]
    traces = traces_of(forget, retain)
    few = forget[0, :2].astype(np.float32)
    assert not proven(search(traces, [("memory", few.tobytes())]), traces)
    half = forget[0, [0, 2, 4, 6]].astype(np.float32)
    assert set(proven(search(traces, [("memory", b"!" + half.tobytes())]), traces)) == {0}


def test_the_state_of_a_loop_is_walked_once():
    ring = SimpleNamespace(x=np.arange(3.0), run=lambda: None)
    ring.me = [ring, {"again": ring}]
    assert sum(raw == ring.x.tobytes() for _, raw in state_of(ring)) == 1


# ---- near-duplicates


def test_near_duplicates_are_listed_nearest_first():
    rows = noise_rows(50, 3)
    near = rows.x[10] + 0.01
    x = np.vstack([rows.x, near, rows.x[20]])
    y = np.append(rows.y, [1 - rows.y[10], rows.y[20]])
    all_rows = Rows(np.arange(52), {"x": x, "y": y})
    table = near_duplicates(all_rows.select([10, 20]), all_rows.without([10, 20]), k=3)
    listed = [(r["forgotten"], r["retained"], r["exact"], r["same target"]) for r in table.rows()]
    assert listed[:2] == [(20, 51, True, True), (10, 50, False, False)]
    assert table["distance"][0] == 0.0 and all(d <= 0.5 for d in table["distance"])
    everything = near_duplicates(
        all_rows.select([10, 20]), all_rows.without([10, 20]), k=3, threshold=math.inf
    )
    assert len(everything) == 6 and everything["distance"] == sorted(everything["distance"])


def test_a_model_nearer_than_the_null_is_not_condemned_by_one_parameter_gap():
    case = planted_case(after=[0.0, 0.0], before=[2.0, 0.0], twin=[0.4, 0.0])
    r = ParameterGap().read(case)
    assert r.value == 0 and r.null == pytest.approx((0.2, 0.2))
    assert verdict(r) == "as retrained"


def test_near_duplicates_list_all_within_the_threshold_or_say_how_many_there_are():
    rows = noise_rows(40, 3)
    x = np.vstack([rows.x, np.repeat(rows.x[:1], 20, axis=0)])
    many = Rows(np.arange(60), {"x": x, "y": np.zeros(60)})
    table = near_duplicates(many.select([0]), many.without([0]))
    assert len(table) == 20 and "only" not in table.caption
    cut = near_duplicates(many.select([0, 1]), many.without([0, 1]), k=5)
    assert len(cut) == 5 and "only the 5 nearest are listed, of up to 20" in cut.caption
    every = near_duplicates(many.select([0]), many.without([0]), k=5, threshold=math.inf)
    assert "the 5 nearest of all 59" in every.caption


def test_near_duplicates_in_odd_shapes():
    rows = noise_rows(5, 2)
    assert len(near_duplicates(rows.take(np.zeros(0, dtype=int)), rows)) == 0
    same = Rows(np.arange(4), {"x": np.ones((4, 2)), "y": np.zeros(4)})
    assert near_duplicates(same.take([0]), same.without([0]))["exact"] == [True] * 3
    with pytest.raises(BadInput, match="k is a whole number"):
        near_duplicates(rows.take([0]), rows, k=0)
    with pytest.raises(BadInput, match="threshold"):
        near_duplicates(rows.take([0]), rows, threshold=-1.0)
    words = Rows(np.arange(2), {"x": np.array([["a"], ["b"]]), "y": np.zeros(2)})
    with pytest.raises(BadInput, match="numeric"):
        near_duplicates(words.take([0]), words.take([1]))


@pytest.mark.parametrize("features", [1, 2, 5])
def test_chance_is_no_near_duplicate(features):
    found = 0
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=(240, features))
        rows = Rows(np.arange(240), {"x": x, "y": np.zeros(240)})
        found += len(near_duplicates(rows.select(range(6)), rows.without(range(6))))
    assert found <= 6  # about 1 % of 120 records each have one by chance
