"""The tower study: what it asks of a model, what it makes of the answers, and that it resumes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from unteach.core import BadInput, NoRoute, Request, Table
from unteach.skills import Tasks, protect, tower

pytest.importorskip("torch")

from unteach.cli.study import taken
from unteach.models.networks.training import Seen, Watch
from unteach.report import page_json, write_page
from unteach.store import Store
from unteach.studies import MARGIN, TOWER, study_named
from unteach.studies.tower import taught as averaged
from unteach.studies.tower.answer import _trace, answer
from unteach.studies.tower.conclude import tables_and_readings
from unteach.studies.tower.forgetting import change_task, left_of
from unteach.studies.tower.gauge import Gauge
from unteach.studies.tower.lessons import Course, Lessons
from unteach.studies.tower.rows import front_word
from unteach.studies.tower.setting import columns, graph_of, shifted, tasks_of, ways_to
from unteach.studies.tower.study import tower_task
from unteach.studies.tower.taught import long_counts_more, taught
from unteach.unlearn import RandomLabel, TaskVector, TokenRows

SMALL = {"width": 16, "layers": 1, "batch": 24, "steps": 60, "lr": 0.01, "enough": 0.995}
DNA = """
name = "dna"
symbols = ["A", "C", "G", "T"]
[skills.PAIR]
inputs = ["x"]
table = { A = "T", C = "G", G = "C", T = "A" }
[skills.REV]
inputs = ["x", "y"]
rule = "y, x"
[skills.OTHER]
inputs = ["x", "y"]
calls = '''
a, b = REV(x, y)
return PAIR(a), PAIR(b)
'''
[[reductions]]
skill = "PAIR"
from = "OTHER(x, x)[0]"
"""


@pytest.fixture(scope="module")
def dna(tmp_path_factory):
    file = tmp_path_factory.mktemp("dna") / "dna.toml"
    file.write_text(DNA)
    return file


def small_plan(dna, **changes):
    plan = TOWER.plan(spec=str(dna))
    few = {"steps": 10, "few_steps": 4, "n": 16, "formats": ["explicit-rope"]}
    return {**plan, **few, "shapes": dict.fromkeys(plan["shapes"], SMALL), **changes}


@pytest.fixture(scope="module")
def finished(dna, tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("tower") / "store") as store:
        run = store.begin(small_plan(dna), name="tower")
        TOWER.run(run, jobs=1)
        results = run.results()
        page = TOWER.conclude(run)
        return page, run.plan, results, sorted(p.name for p in run.folder.iterdir())


def test_the_plan_says_everything_and_refuses_what_it_cannot_do(dna):
    plan = TOWER.plan(spec=str(dna))
    json.dumps(plan)
    assert plan["world"]["forgotten"] == ["PAIR"]
    assert "table" in plan["world"]["spec"]["text"]
    assert study_named("tower").plan(format="all", seeds=2)["seeds"] == 2
    for bad in ({"format": "prose"}, {"seeds": 0}, {"skill": "MV"}, {"seed": -1}):
        with pytest.raises(BadInput):
            TOWER.plan(**bad)
    with pytest.raises(BadInput, match="nothing stands on"):
        TOWER.plan(spec=str(dna), skill="OTHER")
    with pytest.raises(BadInput, match="margin takes no --spec"):
        taken(MARGIN, {"spec": "x"})
    assert taken(TOWER, {"spec": "x", "seeds": 2}) == {"spec": "x", "seeds": 2}


def test_the_full_form_measures_everything_in_one_format_and_the_rest_in_all():
    plan = TOWER.plan(full=True)
    first, then = TOWER.tasks(plan)
    assert plan["thorough"] == "explicit-rope" and len(first) == 5 * (3 + 2 + 2 + 2)
    never = {k.split("/")[1] for k in first if k.endswith("/MUL")}
    assert never == {"explicit-rope"}
    for format in plan["formats"]:
        for skill in ("ADD", "MUL"):
            arms = [k for k in then if k.startswith(f"forget/{format}/0/{skill}/labels/")]
            assert len(arms) == 3  # those that the answer is judged by, everywhere
            assert f"change/{format}/4/{skill}/trace/last" in then
            assert f"change/{format}/4/{skill}/everything/all" in then
    assert set(plan["matrix"]["direct"]) < set(plan["matrix"]["explicit-rope"])
    alone = TOWER.plan(full=True, format="direct")
    assert alone["thorough"] == "direct" and "teach/direct/0/MUL" in TOWER.tasks(alone)[0]


def test_a_course_is_the_skill_and_what_is_left(dna):
    tasks = Tasks(tower("linear-algebra", p=3), "explicit", groups=("ADD", "MUL", "AFF"))
    for kept in ("none", "atoms", "trace", "everything"):
        course = Course(tasks, "ADD", left_of(tasks, "ADD", kept))
        assert set(course.left.groups) == set(protect(tasks, "ADD", kept).groups)
        assert course.enumerate("ADD").groups.tolist() == ["ADD"] * 9
    drawn = course.without(["ADD"]).draw(11, seed=1)
    assert set(drawn.groups) == {"MUL", "AFF"}
    assert len(set(drawn.ids.tolist())) == 11
    again = course.without(["ADD"]).draw(11, seed=1)
    assert np.array_equal(drawn.x, again.x)
    with pytest.raises(BadInput, match="about"):
        course.without(["MUL"])


def test_the_change_is_one_further_and_travels_only_where_it_is_told():
    graph = tower("linear-algebra", p=5)
    new = Tasks(graph, "explicit").changed(shifted(graph, "ADD"))
    x = new.inputs("DOT", 50, seed=0)
    a, b, c, d = x.T
    assert np.array_equal(new.truth("DOT", x)[:, 0], (a * c + b * d + 1) % 5)
    taught = ("ADD", "SUB", "MUL", "DOT")
    assert {w.sources for w in ways_to(graph, "ADD", taught)} == {("DOT",), ("SUB",)}


def test_front_door_words():
    assert [front_word(a, 0.2) for a in (1.0, 0.31, 0.3, 0.11, 0.09)] == [
        "resisted",
        "resisted",
        "at chance",
        "at chance",
        "below chance",
    ]


def test_everything_is_measured_and_stands_on_the_page(finished, tmp_path):
    page, plan, results, _ = finished
    assert {k.split("/")[0] for k in results} == {"teach", "forget", "change", "mole", "entangle"}
    stored = page_json(page)
    tables, readings = tables_and_readings(plan, results)
    assert [r.to_json() for r in readings] == stored["readings"]
    named = {t.name: t for t in tables}
    found = results["forget/explicit-rope/0/PAIR/labels/everything"]
    row = named["forgetting"].where(method="labels", kept="everything")
    assert row["front"] == [found["doors"][0]["accuracy"]]
    assert row["best back door"] == [max(d["accuracy"] for d in found["doors"][1:])]
    # both doors stand in every row that speaks of forgetting
    assert {"front", "best back door", "mean back door"} <= set(named["forgetting"].columns)
    ripples = results["change/explicit-rope/0/PAIR/trace/last"]["answers"]["OTHER"]
    assert ripples["new"] + ripples["old"] + ripples["neither"] == pytest.approx(1.0)
    html = write_page(page, tmp_path / "page.html").read_text()
    assert "What cannot be forgotten in principle" in html
    assert "--spec dna.toml" in html
    assert {e["kind"] for e in named["tower edges"].rows()} >= {"call", "reduction"}


def test_models_are_kept_and_the_same_bytes_come_back(finished, dna, tmp_path):
    _, plan, results, files = finished
    starts = results["teach/explicit-rope/0/all"]["starts"]
    assert starts == 3  # a model so small never knows all skills: each start has its file
    assert files == [
        "3-0-PAIR.safetensors",
        "3-0-whole-2.safetensors",
        "3-0-whole-3.safetensors",
        "3-0-whole.safetensors",
    ]
    with Store.open(tmp_path / "store") as store:
        run = store.begin(plan, name="tower")

        def stop(done, total, key):
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            TOWER.run(run, jobs=1, progress=stop)
        kept = {p.name: p.stat().st_mtime_ns for p in run.folder.iterdir()}
        TOWER.run(run, jobs=1)
        assert run.results() == results
        assert kept == {p.name: p.stat().st_mtime_ns for p in run.folder.iterdir()}


def test_the_answer_follows_the_numbers(finished):
    page, plan, _, _ = finished
    tables = {t.name: t for t in page.tables}
    front = next(f for f in page.answer if "front door" in f.text and "Can PAIR" in f.text)
    assert any("back door" in name for name in front.readings)  # never the front door alone
    rows = [dict(r) for r in tables["forgetting"].rows()]
    for r in rows:
        r.update({"front": r["chance"], "top": 1.0, "best back door": 1.0})
    columns = {k: [r[k] for r in rows] for k in rows[0]}
    good = Table("forgetting", columns)
    graph = graph_of(plan["world"])
    for level, seeds, verdict in ((0.5, 3, "unknown"), (1.0, 1, "unknown"), (1.0, 3, "holds")):
        skills = {k: list(tables["skills"].columns[k]) for k in tables["skills"].columns}
        skills["share"] = [level] * len(skills["share"])
        changed = {**tables, "forgetting": good, "skills": Table("skills", skills)}
        said = answer({**plan, "seeds": seeds}, page.readings, changed, graph)
        front = next(f for f in said if "Can PAIR" in f.text)
        assert front.verdict == verdict
    assert "what was closed is the front door, and nothing more" in front.text
    name = "explicit-rope: PAIR asked by name, never taught"
    assert next(f for f in page.answer if "never taught PAIR?" in f.text).readings == (name,)
    for value, taught_by_others in ((0.3, False), (0.9, True)):  # chance is 1/4
        known = [
            replace(r, value=value, low=0.0, high=1.0) if r.name == name else r
            for r in page.readings
        ]
        said = answer(plan, known, tables, graph)
        found = next(f for f in said if "never taught PAIR?" in f.text)
        assert ("lessons of other skills" in found.text) is taught_by_others


def test_token_rows_move_only_their_rows_and_task_vectors_stop_where_told(dna, tmp_path):
    plan = small_plan(dna)
    payload = {"world": plan["world"], "shape": SMALL, "format": "direct", "seed": 0, "n": 16}

    from unteach.studies.tower.taught import taught

    model = taught(payload, tmp_path)
    tasks = tasks_of(plan["world"], "direct")
    course = Course(tasks, "PAIR", Lessons((tasks.only(["REV", "OTHER"]),)))
    row = tasks.vocabulary.number("PAIR")
    request = Request(groups=["PAIR"])
    gone = TokenRows(tokens=(row,), steps=5).forget(model, course, request, seed=0).model
    before, after = model.state_dict(), gone.state_dict()
    moved = [n for n in before if not np.array_equal(before[n], after[n])]
    assert moved == ["tokens.weight"]
    rows = (before["tokens.weight"] != after["tokens.weight"]).any(dim=1).nonzero().ravel()
    assert rows.tolist() == [row]
    grads = [p.requires_grad for p in model.module.parameters()]
    assert [p.requires_grad for p in gone.module.parameters()] == grads
    tried = []
    method = TaskVector(
        steps=3, scales=(1, 2, 4), until=lambda m: tried.append(m) or len(tried) > 1
    )
    away = method.forget(model, course, request, seed=0).model
    whole = TaskVector(steps=3, scales=(2,)).forget(model, course, request, seed=0).model
    assert len(tried) == 2
    for name, value in away.state_dict().items():
        assert np.array_equal(value, whole.state_dict()[name])
    with pytest.raises(BadInput, match="scales"):
        TaskVector(scales=())
    with pytest.raises(BadInput, match="rows"):
        TokenRows(tokens=(99,), steps=1).forget(model, course, request, seed=0)
    with pytest.raises(NoRoute):
        RandomLabel(steps=1).forget(object(), course, request, seed=0)


def test_fast_readings_are_the_slow_ones(dna, tmp_path):
    plan = small_plan(dna, formats=["explicit"])
    payload = {"world": plan["world"], "shape": SMALL, "seed": 1, "format": "explicit"}
    model = taught(payload, tmp_path)
    tasks = tasks_of(plan["world"], "explicit")
    gauge = Gauge(tasks, n=16, seed=0)
    led, ask = gauge.led(model), gauge.oracle(model)
    slow = gauge.skills(tasks.oracle(model.predict))  # decoded to the end, one question at a time
    assert gauge.skills(ask) == slow
    assert led["PAIR"] == slow["PAIR"]  # one token to say: the same
    assert all(led[n]["whole"] <= slow[n]["whole"] for n in tasks.groups)
    assert any(0 < s["share"] < 1 for s in slow.values())  # there was something to tell apart
    prompts = tasks.prompts("OTHER", gauge.inputs["OTHER"])
    whole = model.predict(prompts)
    for most in (1, 4, 1000):
        said = model.predict(prompts, most=most)
        assert np.array_equal(said, whole[:, :most])
    with pytest.raises(BadInput, match="most"):
        model.predict(prompts, most=0)


def test_long_tasks_count_more_and_some_are_drawn_more_often(dna, tmp_path):
    plan = small_plan(dna)
    shared = {"world": plan["world"], "shape": SMALL, "format": "explicit", "seed": 0}
    model = taught(shared, tmp_path)
    tasks = tasks_of(plan["world"], "explicit")
    lessons = Lessons((tasks,), {"OTHER": 3})
    drawn = lessons.draw(21, seed=4)
    assert [int((drawn.groups == n).sum()) for n in ("PAIR", "REV", "OTHER")] == [5, 4, 12]
    assert len(lessons.without(["PAIR"]).draw(8, seed=0).ids) == 8
    batch = next(iter(model.batches(lessons, np.random.default_rng(0))))
    each = model.losses(batch).detach().numpy()  # a mean over the tokens of each task
    said = np.empty(len(each))
    for rows, _, targets in batch.blocks:
        for row, line in zip(rows.tolist(), targets.tolist(), strict=True):
            said[row] = sum(t >= 0 for t in line[1:])
    for power in (0, 0.5, 1):
        slow = (each * said**power).sum() / (said**power).sum()
        fast = float(long_counts_more(model, power)(batch).detach())
        assert fast == pytest.approx(slow, rel=1e-5)
    assert model.reduction == "mean"


def test_the_mean_follows_the_parameters_and_survives_an_interruption(tmp_path):
    import torch

    from unteach.models import Training
    from unteach.models.networks.training import Checkpoint, fit

    def trained(file, stop_at=0):
        torch.manual_seed(0)
        line = torch.nn.Linear(3, 1)
        mean, seen = averaged.Averaged(line), []

        def note(moment):
            seen.append(line.weight.detach().clone())
            if moment.step == stop_at:
                raise KeyboardInterrupt

        def once():
            return fit(
                mean,
                lambda rng: [torch.as_tensor(rng.normal(size=(4, 3))).float()],
                lambda x: ((line(x) - x.sum(1, keepdim=True)) ** 2).mean(),
                Training(steps=120, lr=0.05),
                seed=1,
                per_epoch=1,
                callbacks=(mean.follow, note),
                checkpoint=Checkpoint(file, every=7),
            )

        if stop_at:
            with pytest.raises(KeyboardInterrupt):
                once()
            stop_at = 0
        once()
        live = line.weight.detach().clone()
        with mean.settled() as model:
            inside = model.weight.detach().clone()
        assert torch.equal(line.weight, live)
        assert torch.equal(mean.settle().weight, inside)
        return inside, seen

    inside, seen = trained(tmp_path / "a.safetensors")
    again, _ = trained(tmp_path / "b.safetensors", stop_at=50)
    assert torch.equal(inside, again)
    slow = torch.zeros(1, 3)
    for step, weight in enumerate(seen, start=1):
        decay = min(averaged.DECAY, step / (step + 9))
        if step == 1:
            torch.manual_seed(0)
            slow = torch.nn.Linear(3, 1).weight.detach()
        slow = decay * slow + (1 - decay) * weight
    assert torch.allclose(inside, slow, atol=1e-6)


def test_enough_can_be_asked_for_in_a_row():
    import torch

    scores = iter([1.0, 0.2, 0.9, 1.0, 0.1])
    line = torch.nn.Linear(1, 1)
    watch = Watch(score=lambda: next(scores), every=1, best="highest", enough=0.9, in_a_row=2)
    seen = Seen()
    stopped = [bool(seen.look(line, watch, step)) for step in range(1, 5)]
    assert stopped == [False, False, False, True]
    with pytest.raises(BadInput, match="in_a_row"):
        Watch(score=lambda: 0.0, in_a_row=0)


def test_the_trace_is_judged_model_by_model():
    def rows(seed, add, copy):
        shared = {
            "format": "explicit",
            "seed": seed,
            "skill": "ADD",
            "method": "labels",
            "kept": "atoms",
        }
        return [{**shared, "role": "ADD", "drop": add}, {**shared, "role": "copy", "drop": copy}]

    roles = [*rows(0, 0.6, 0.1), *rows(1, 0.6, 0.3), *rows(2, 0.01, 0.0), *rows(3, 0.9, 0.0)]
    fronts = [0.2, 0.2, 0.2, 0.9]  # the last one's front door never closed
    forgets = [
        {
            **{k: r[k] for k in ("format", "seed", "skill", "method", "kept")},
            "chance": 0.2,
            "front": front,
        }
        for r, front in zip(roles[::2], fronts, strict=True)
    ]
    tables = {
        name: Table(name, columns(found))
        for name, found in (("roles", roles), ("forgetting", forgets))
    }
    finding = _trace({"formats": ["explicit"], "seeds": 4}, tables, "ADD")[0]
    assert "explicit, atoms protected: 1 of 3 (2 of 4 resisted)" in finding.text
    assert finding.verdict == "mixed"


@pytest.mark.slow
def test_a_model_that_knows_its_skills_shows_the_thesis(tmp_path):
    plan = TOWER.plan()
    shared = {
        "world": plan["world"],
        "shape": plan["shapes"]["explicit-rope"],
        "seed": 0,
        "format": "explicit-rope",
        "n": 100,
        "steps": 120,
    }
    taught = tower_task({**shared, "kind": "teach", "without": ""}, str(tmp_path))
    assert min(s["whole"] for s in taught["skills"].values()) >= 0.98
    apart = change_task({**shared, "skill": "ADD", "kept": "everything", "moved": "all"}, tmp_path)[
        "answers"
    ]
    assert apart["DOT"]["old"] > 0.8
    assert apart["ADD"]["new"] > 0.9
    along = change_task({**shared, "skill": "ADD", "kept": "trace", "moved": "last"}, tmp_path)[
        "answers"
    ]
    assert along["DOT"]["new"] > apart["DOT"]["new"] + 0.3
