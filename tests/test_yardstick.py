"""The yardstick study: its models, its definitions, how they are compared, and what it says."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from unteach.audit import modified_entropy
from unteach.core import BadInput, Table
from unteach.report import write_page
from unteach.store import Store
from unteach.studies import YARDSTICK
from unteach.studies.yardstick.agreement import (
    missed,
    rank_correlation,
    resampled,
    same_verdict,
)
from unteach.studies.yardstick.answer import ALL, _agree, _fooled, _pole, _unseen, _use
from unteach.studies.yardstick.arms import World, bench
from unteach.studies.yardstick.cells import published_entropy
from unteach.studies.yardstick.conclude import definition_rows, tail
from unteach.studies.yardstick.definitions import BY_NAME, DEFINITIONS, score
from unteach.studies.yardstick.protocol import controls
from unteach.studies.yardstick.said import Said, turned
from unteach.studies.yardstick.setting import QUICK, drawn, forgotten
from unteach.studies.yardstick.study import yardstick_task

SMALL = replace(QUICK[0], n_train=150, n_test=100, size=16)


FEW = ("DoNothing", "OverForget", "Halved", "FineTune")


def small_plan(methods=FEW, sets=("random", "mislabelled")):
    plan = YARDSTICK.plan(seed=0)
    plan |= {
        "models": 6,
        "draws": 80,
        "parts": 1,
        "permutations": 159,
        "replicates": 2,
        "relearn": 10,
        "probed": 2,
        "methods": list(methods),
        "sets": list(sets),
    }
    plan["sources"] = [SMALL.to_json()]
    return plan


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("yardstick")) as store:
        run = store.begin(small_plan(), name="study yardstick")
        YARDSTICK.run(run, jobs=1)
        page = YARDSTICK.conclude(run)
        yield run, page


def planted(shift, n=16, f=12, seed=0):
    """Return an arm whose margins lie `shift` (a number, or one a record) above retraining's."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=(n, f)) + shift
    near = 1 / (1 + np.exp(-margins))
    right = (margins > 0).mean(axis=1)
    mean = margins.mean(axis=1)
    return Said(
        margins=margins,
        held=rng.normal(size=(n, 20)),
        kept=rng.normal(size=(n, 20)) + 5,
        p=np.stack([near, 1 - near], axis=2),
        accuracies=np.stack([right, np.ones(n), np.full(n, 0.9)], axis=1),
        weights=rng.normal(size=(n, 30)) + np.mean(shift),
        curves=np.clip(right[:, None] + 0.1 * np.arange(12), 0, 1),
        member=mean,
        entropy=mean,
        caught=right,
        ratio=mean,
        ignorance=mean,
        loss=mean,
        probe=np.where(np.arange(n) < 4, right, np.nan),
    )


def test_every_definition_is_small_for_retraining_and_large_for_doing_nothing():
    original, retrained, again = planted(6.0, seed=1), planted(0.0, seed=2), planted(0.0, seed=3)
    for d in DEFINITIONS:
        null, nothing = (
            score(d, again, retrained, original),
            score(d, original, retrained, original),
        )
        assert null is not None
        assert nothing is not None
        assert nothing > null >= -0.5, d.name


def test_what_cancels_fools_the_median_and_the_averages_and_not_the_rest():
    """Half of the records keep most of their mark, half are denied as much."""
    original, retrained = planted(6.0, seed=1), planted(0.0, seed=2)
    half = np.where(np.arange(12) < 6, 4.0, -4.0)
    mixed, again = planted(half, seed=4), planted(0.0, seed=3)

    def of(name, arm):
        return score(BY_NAME[name], arm, retrained, original)

    for fooled in ("median", "member"):
        assert of(fooled, mixed) < 0.2
    for sound in ("ulira", "klom", "epsilon", "residual"):
        assert of(sound, mixed) > of(sound, again) + 0.3


def test_what_cannot_be_read_is_none():
    one = planted(0.0)
    blind = replace(one, probe=np.full(len(one), np.nan))
    assert score(BY_NAME["probe"], blind, one, one) is None
    assert score(BY_NAME["residual"], one, planted(0.0, seed=5), planted(0.0, seed=6)) is None


def test_weights_in_their_own_coordinates_keep_their_distances():
    one, other = planted(0.0, seed=1), planted(2.0, seed=2)
    short, far = turned(one, other)

    def apart(a, b):
        return np.linalg.norm(a.weights[:, None] - b.weights[None], axis=2)

    assert apart(short, far) == pytest.approx(apart(one, other))
    assert short.weights.shape[1] <= 32


def test_rank_correlation_is_kendalls_where_nothing_is_missing():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, size=(3, 9, 4)).astype(float)  # with ties
    found = rank_correlation(scores)
    for i in range(4):
        for j in range(4):
            wanted = np.mean([kendalltau(w[:, i], w[:, j]).statistic for w in scores])
            assert found[i, j] == pytest.approx(wanted)
    scores[1, :, 2] = np.nan  # on one forget set a definition cannot be read
    part = rank_correlation(scores)
    wanted = np.mean([kendalltau(w[:, 0], w[:, 2]).statistic for w in scores[[0, 2]]])
    assert part[0, 2] == pytest.approx(wanted)
    assert np.isnan(rank_correlation(np.full((2, 4, 2), np.nan))).all()


def test_planted_agreement_is_found_and_its_interval_holds_it():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(4, 12, 1))
    scores = np.concatenate([truth, np.exp(truth), -truth, rng.normal(size=(4, 12, 1))], axis=2)
    again = scores[None] + rng.normal(scale=1e-6, size=(5, *scores.shape))
    found = resampled(rank_correlation, scores, replicates=again, seed=0, resamples=200)
    assert found.value[0, 1] == pytest.approx(1)
    assert found.value[0, 2] == pytest.approx(-1)
    assert found.low[0, 1] > 0.9
    assert found.low[0, 3] < 0 < found.high[0, 3]
    assert np.array_equal(
        found.draws,
        resampled(rank_correlation, scores, replicates=again, seed=0, resamples=200).draws,
    )


def test_verdicts_and_misses_are_counted_over_what_can_be_read():
    rejected = [[[1, 1, np.nan], [1, 0, 1], [0, 0, 1]]]
    assert same_verdict(rejected)[0].tolist() == pytest.approx([1, 2 / 3, 0.5])
    assert missed(rejected, [[1, 1, 0]]).tolist() == pytest.approx([0, 0.5, 0])
    assert np.isnan(missed(rejected, [[0, 0, 0]])).all()
    assert tail(np.array([0.0, 1.0, 2.0]), 9.0) == 0.25


def test_a_forget_set_is_what_it_is_called():
    data = drawn(SMALL, 0)
    y = np.asarray(data.train.y)
    sets = {
        k: forgotten(SMALL, k, 0, models=20)
        for k in ("random", "mislabelled", "class", "memorized", "subpopulation")
    }
    assert data.wrong.sum() == 15
    assert data.wrong[sets["mislabelled"]].all()
    assert len(np.unique(y[sets["class"]])) == 1
    assert len(sets["class"]) == min(int((y == y[sets["class"][0]]).sum()), 2 * SMALL.size)
    assert len(np.unique(y[sets["subpopulation"]])) == 1
    assert data.wrong[sets["memorized"]].mean() > data.wrong.mean()
    for rows in sets.values():
        assert len(rows) == len(np.unique(rows)) > 0


def test_models_that_lost_a_class_still_have_its_output():
    one = bench(World(SMALL, "class", 0, 4, 3, 0))
    assert one.reference.p.shape == (4, len(one.y), 10)
    assert one.reference.accuracies[:, 0].max() == 0
    after, _ = one.after("OverForget", one.originals[0], 1)
    assert after.classes_.tolist() == list(range(10))
    for f in fields(Said):
        assert len(getattr(one.twin, f.name)) == 8


def test_the_published_entropy_depends_on_the_batch_and_ours_does_not():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(4), 6), rng.integers(0, 4, 6)
    ours = modified_entropy(p, y)
    alone = np.array([modified_entropy(p[k : k + 1], y[k : k + 1])[0] for k in range(6)])
    assert ours == pytest.approx(alone)
    theirs = np.array([published_entropy(p[k : k + 1], y[k : k + 1])[0] for k in range(6)])
    assert np.abs(published_entropy(p, y) - theirs).max() > 0.1


def test_the_study_concludes_and_its_page_can_be_written(small, tmp_path):
    run, page = small
    assert run.finished
    written = write_page(page, tmp_path / "index.html", also_json=tmp_path / "y.json")
    assert written.read_text().count("<figure") >= 6
    tables = run.tables()
    assert set(tables) == {
        "panel",
        "definitions",
        "order",
        "verdicts",
        "judged",
        "front",
        "bill",
        "aim",
        "traps",
    }
    assert len(tables["panel"]) == len(DEFINITIONS) * 2 * 5
    assert len(tables["order"]) == len(DEFINITIONS) ** 2
    assert YARDSTICK.figure(page) is not None
    for row in tables["panel"].rows():
        if row["p"] is not None:
            assert 0 < row["p"] <= 1
            assert row["low"] <= row["score"] <= row["high"]
    nothing = tables["front"].where(method="nothing")
    assert set(nothing["cost"]) == {0.0}
    assert min(nothing["x"]) > 0.8  # the attack tells doing nothing from retraining


def test_tasks_are_functions_of_their_payloads(small):
    run, _ = small
    tasks = YARDSTICK.tasks(run.plan)
    for key in ("cell/digits/mislabelled/OverForget", "null/digits/random/0"):
        assert json.loads(json.dumps(yardstick_task(tasks[key]))) == run.results()[key]


def test_too_few_draws_to_show_anything_are_refused():
    plan = {**small_plan(), "draws": 20}
    with pytest.raises(BadInput, match="cannot show a p-value of 5 %"):
        YARDSTICK.tasks(plan)
    with pytest.raises(BadInput, match="seed"):
        YARDSTICK.plan(seed=-1)


def test_a_definition_that_is_fooled_is_called_fooled(small):
    names = [d.name for d in DEFINITIONS]
    told = {("s", m): m != "retrain" for m in ("nothing", "vandal", "finetune", "retrain")}

    def rows(blind):
        panel = [
            {
                "set": "s",
                "definition": n,
                "method": m,
                "beyond": m != "retrain" and (n, m) not in blind,
            }
            for n in names
            for m in ("nothing", "vandal", "finetune", "retrain")
        ]
        beyond = [
            [[float((n, m) not in blind) for n in names] for m in ("nothing", "vandal", "finetune")]
        ]
        miss = resampled(missed, beyond, np.ones((1, 3)), seed=0, resamples=20)
        order = resampled(rank_correlation, beyond, seed=0, resamples=20)
        unseen = {n: [n in ("ulira", "klom")] for n in names}
        return definition_rows(panel, told, {"s": True}, order, miss, unseen)

    honest, fooled = rows(set()), rows({("tow", "nothing"), ("median", "finetune")})
    assert _pole("nothing", "doing nothing", honest).verdict == "holds"
    said = _pole("nothing", "doing nothing", fooled)
    assert said.verdict == "mixed"
    assert "tug of war (ToW) on 1 of 1 sets" in said.text
    by = {r["definition"]: r for r in fooled}
    assert by["median"]["by"] == "finetune"
    assert by["median"]["missed"] == pytest.approx(1 / 3)
    assert _fooled(honest).verdict == "holds"
    assert "finetune" in _fooled(fooled).text
    assert "tug of war" not in _use(fooled).text
    assert "U-LiRA" in _use(fooled).text
    procedure = [{"trap": "procedure", "says": "area", "where": "s", "against": 0.9}]
    (said,) = _unseen(fooled, procedure)
    assert said.verdict == "mixed"
    assert "2 of 18 definitions reject them (in 2 of 18 readings, 0.9 expected" in said.text
    everyone = rows({(n, "nothing") for n in names})
    assert _pole("nothing", "doing nothing", everyone).verdict == "fails"
    assert _use(everyone).verdict == "fails"
    assert small[1].answer


@pytest.mark.parametrize(
    ("ends", "verdict"), [((0.6, 0.8), "holds"), ((0.1, 0.3), "fails"), ((0.3, 0.7), "mixed")]
)
def test_the_verdict_on_agreement_follows_the_numbers(small, ends, verdict):
    run, page = small
    named = {r.name: r for r in page.readings}
    named[ALL] = replace(named[ALL], low=ends[0], high=ends[1], value=sum(ends) / 2)
    said = _agree(named, run.tables()["order"])
    assert said.verdict == verdict
    assert "expected by chance" in said.text and "for certain" not in said.text


def test_controls_that_misbehave_make_a_set_invalid():
    def cells(fresh, nothing):
        def tests(p):
            return {"tests": {"all": {"p": p}, "most memorized half": {"p": p}}}

        return {"Retrain": tests(fresh), "DoNothing": tests(nothing)}

    assert controls(cells(0.4, 0.01)) == "valid"
    assert "retraining is told" in controls(cells(0.004, 0.01))
    assert "doing nothing is not told" in controls(cells(0.4, 0.2))


def test_no_verdict_rests_on_an_invalid_set(small):
    from unteach.studies.yardstick.answer import _methods, _validity

    table = small[0].tables()["judged"]
    columns = {c: list(table[c]) for c in table.columns}
    columns["kind"] = ["invalid"] * len(table)
    columns["control"] = ["invalid: retraining is told from retraining (p 0.002)"] * len(table)
    rows = list(Table(table.name, columns, table.units, table.keys).rows())
    assert _methods(rows).verdict == "unknown"
    assert _validity(rows).verdict == "fails"
    assert "of all forget sets as they stand" in _validity(rows).text  # none was left out
    columns["control"][0] = "valid"
    some = list(Table(table.name, columns, table.units, table.keys).rows())
    assert "leaves those out" in _validity(some).text


DRIVER = """
import json, sys
from unteach.store import Store
from unteach.studies import YARDSTICK
if __name__ == "__main__":
    with Store.open(sys.argv[1]) as store:
        run = store.begin(json.loads(sys.argv[2]), name="yardstick")
        YARDSTICK.run(run, jobs=1)
        YARDSTICK.conclude(run)
        sys.stdout.buffer.write(run.evidence())
"""


def test_killed_and_resumed_it_ends_in_the_same_bytes(tmp_path):
    plan = small_plan(methods=("DoNothing", "OverForget", "Halved"), sets=("mislabelled",))
    plan |= {"draws": 60, "permutations": 119}
    with Store.open(tmp_path / "whole") as store:
        run = store.begin(plan, name="yardstick")
        YARDSTICK.run(run, jobs=1)
        YARDSTICK.conclude(run)
        evidence = run.evidence()
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, str(script), str(tmp_path / "store"), json.dumps(plan)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait = time.monotonic() + 480
    done = 0
    while not done and time.monotonic() < wait and process.poll() is None:
        time.sleep(0.02)
        done = _done(tmp_path / "store")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < _done(tmp_path / "store") < len(YARDSTICK.tasks(plan))
    again = subprocess.run(command, capture_output=True, check=True, timeout=900)
    assert again.stdout == evidence


def _done(folder):
    try:
        with closing(sqlite3.connect(f"file:{folder / 'store.db'}?mode=ro", uri=True)) as base:
            return base.execute("select count(*) from tasks where status = 'done'").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet
        return 0
