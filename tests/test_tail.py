"""The tail study: its constants, its planted worlds, its tasks and what it concludes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unteach.core import BadInput
from unteach.data import frequencies, long_tail
from unteach.memorize.scores.feldman import expected_change, good_turing, singletons, tau
from unteach.report import write_page
from unteach.store import Store
from unteach.studies import TAIL
from unteach.studies.tail.measure import chosen, held
from unteach.studies.tail.setting import ARMS, DIGITS, NOISY, draw
from unteach.studies.tail.study import tail_task


def test_feldmans_constants_are_those_of_the_paper():
    found = singletons(lambda rng: frequencies(50_000, 1.0, rng), 50_000, draws=30, seed=1)
    assert abs(found.n_tau_1 - 0.47) < 0.02
    assert abs(found.share - 0.17) < 0.01
    assert abs(found.cost - 0.07) < 0.005
    assert abs(found.optimal - 0.15) < 0.01
    assert abs(found.cost - found.cost_closed) < 5 * found.cost_se
    assert abs(found.good_turing - found.n_tau_1) < 0.02
    short = singletons(lambda rng: frequencies(500, 0.0, rng), 20_000, draws=5)
    assert short.share < 1e-3
    assert short.cost < 1e-3


def test_tau_is_the_posterior_mean_of_a_frequency():
    rng = np.random.default_rng(0)
    values = np.array([0.7, 0.2, 0.1])
    n = 6
    for count, known in enumerate(tau(lambda _: values, n, n, draws=1)):
        weight = values**count * (1 - values) ** (n - count)
        assert known == pytest.approx((values * weight).sum() / weight.sum())
    seen = rng.multinomial(200, np.full(200, 1 / 200), size=400)
    found = np.mean([good_turing(s[s > 0]) for s in seen])
    assert found == pytest.approx(1 / 200, rel=0.05)
    assert np.isnan(good_turing(np.array([2, 2])))
    with pytest.raises(BadInput, match="at least 1"):
        tau(lambda _: values, 0)


def test_the_expected_change_is_that_of_a_learner_that_knows_what_it_has_seen():
    """Simulated: a table of subpopulations, asked about fresh records of the same mixture."""
    rng = np.random.default_rng(3)
    classes, n, wanted, found = 5, 300, [], []
    for _ in range(300):
        frequency = frequencies(200, 1.0, rng)
        cloud = rng.choice(200, n, p=frequency)
        clean = rng.random(n) > 0.2
        kept = rng.random(n) > 0.3
        counts = [
            np.bincount(cloud[k], minlength=200)
            for k in (np.ones(n, bool), clean, kept, kept & clean)
        ]

        def accuracy(every, right, frequency=frequency):
            share = np.where(every > 0, right / np.maximum(every, 1), 1 / classes)
            return float((frequency * share).sum())

        found.append(accuracy(*counts[2:]) - accuracy(*counts[:2]))
        wanted.append(counts)
    weight = tau(lambda r: frequencies(200, 1.0, r), n, n, draws=400)
    weight = np.where(np.isfinite(weight), weight, np.arange(n + 1) / n)
    said = [expected_change(a, b, c, d, weight[a], classes) for a, b, c, d in wanted]
    error = np.std(np.array(found) - said, ddof=1) / np.sqrt(len(said))
    assert abs(np.mean(found) - np.mean(said)) < 4 * error
    assert np.mean(said) < -5 * error  # there is something to foretell


def test_a_long_tail_is_what_it_says():
    world = long_tail(n=3000, n_holdout=2000, exponent=1.0, noise=0.2, seed=4)
    wrong = world.records.column("mislabelled")
    assert abs(wrong.mean() - 0.2) < 0.03
    assert np.array_equal(wrong, world.records.y != world.records.column("true_y"))
    assert world.frequency.sum() == pytest.approx(1)
    for part, labels in ((world.records, "true_y"), (world.holdout, "y")):
        pairs = {(g, y) for g, y in zip(part.groups, part.column(labels), strict=True)}
        assert len(pairs) == len({g for g, _ in pairs})  # one class a cloud
    assert not np.isin(world.holdout.ids, world.records.ids).any()
    again = long_tail(n=3000, n_holdout=2000, exponent=1.0, noise=0.2, seed=4)
    assert again.records.x.tobytes() == world.records.x.tobytes()
    for bad in ({"noise": 1.0}, {"exponent": -1.0}, {"classes": 1}, {"n": 0}):
        with pytest.raises(BadInput):
            long_tail(**bad)


def test_controls_match_in_number_and_class():
    rng = np.random.default_rng(0)
    y, memory = rng.integers(0, 4, 200), rng.random(200)
    sets = chosen(memory, y, 30, rng)
    assert list(sets) == list(ARMS)
    assert memory[sets["memorized"]].min() >= np.sort(memory)[-30]
    assert all(len(s) == len(set(s.tolist())) == 30 for s in sets.values())
    of = [np.bincount(y[sets[a]], minlength=4).tolist() for a in ("memorized", "class_matched")]
    assert of[0] == of[1]


def test_held_is_right_with_less_right_without():
    members = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], bool)
    right = np.array([[1, 1], [1, 1], [0, 1], [1, 1]], bool)
    assert held(members, right).tolist() == [0.5, 0.0]


def test_only_training_labels_are_made_wrong():
    data, clean = draw(NOISY, 0, 1), draw(DIGITS, 0, 1)
    assert data.wrong.sum() == round(0.1 * NOISY.n_train)
    assert np.array_equal(data.wrong, data.y != clean.y)
    assert np.array_equal(data.y_test, clean.y_test)


def _small():
    plan = TAIL.plan(seed=0)
    plan |= {"draws": 2, "models": 20, "retrained": 2, "fractions": [0.1, 0.2]}
    plan["sources"] = [{**s, "n_train": 300, "n_test": 200} for s in plan["sources"]]
    plan["sources"][1]["learners"] = ["mlp", "knn", "svc"]
    plan["pictures"] = {"models": 20}
    plan["phase"] |= {
        "n": 150,
        "subpopulations": 100,
        "models": 10,
        "retrained": 2,
        "draws": 2,
        "hidden": [8, 32],
        "exponents": [0.0, 2.0],
        "noise": [0.0, 0.2],
    }
    plan["constants"]["draws"] = 4
    plan["constants"]["priors"] = plan["constants"]["priors"][1:]
    return plan


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tail")
    with Store.open(folder) as store:
        run = store.begin(_small(), name="study tail")
        TAIL.run(run, jobs=1)
        page = TAIL.conclude(run)
        yield run, page, folder


def test_the_study_concludes_and_its_page_can_be_written(small, tmp_path):
    run, page, _ = small
    assert run.finished
    written = write_page(page, tmp_path / "index.html", also_json=tmp_path / "tail.json")
    text = written.read_text()
    assert text.count("<figure") >= 6
    assert "data:image/png;base64" in text
    numbers = json.loads((tmp_path / "tail.json").read_text())
    assert {t["name"] for t in numbers["tables"]} == {
        "removal",
        "contrast",
        "learners",
        "phase",
        "pictures",
        "constants",
    }
    assert len(page.answer) >= 6
    exact = [a for a in run.tables()["learners"]["agreed"] if a is not None]
    assert exact == [1.0] * 3  # two nearest neighbours and a machine: as retrained, every answer


def test_the_thesis_is_judged_by_its_numbers(small):
    """The same contrasts with other numbers give other verdicts."""
    from unteach.core import Table
    from unteach.studies.tail.answer import _thesis

    table = small[0].tables()["contrast"]
    titles = {"digits": "digits", "digits_noisy": "noisy digits"}

    def judged(sign, p):
        columns = {c: list(table[c]) for c in table.columns}
        columns["difference"] = [sign * 0.02] * len(table)
        columns["p_holm"] = [p] * len(table)
        return _thesis(Table(table.name, columns, table.units, table.keys), titles).verdict

    assert judged(-1, 0.001) == "holds"
    assert judged(+1, 0.001) == "fails"
    assert judged(-1, 0.5) == "unknown"


def test_a_task_is_a_function_of_its_payload():
    tasks = TAIL.tasks(_small())
    for key in ("removal/digits/mlp/1", "removal/digits_noisy/svc/0", "phase/2.0/0.2/8/1"):
        once, twice = (json.dumps(tail_task(tasks[key])) for _ in range(2))
        assert once == twice
