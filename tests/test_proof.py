"""The proof study: statements as tokens, the auditor, plans carried out on a model, the page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unteach.core import BadInput
from unteach.knowledge import (
    KnowledgeBase,
    Reasoned,
    Statements,
    interrogate,
    lineages,
    plan,
    relearn_curve,
    steps_until,
)
from unteach.report import page_json
from unteach.store import Store
from unteach.studies import PROOF
from unteach.studies.proof import study as proof_study
from unteach.studies.proof.answer import answer
from unteach.studies.proof.readings import held
from unteach.studies.proof.symbolic import map_task, price_task
from unteach.studies.proof.world import FORMS, world

pytest.importorskip("torch")
pytest.importorskip("pysat")
pytest.importorskip("clingo")

FATHERS = KnowledgeBase(
    [("father", "ann", "bob"), ("father", "bob", "carl"), ("child", "bob", "ann")],
    ["pgf(X, Z) :- father(X, Y), father(Y, Z)", "father(X, Y) :- child(Y, X)"],
)
GONE = ("father", "ann", "bob")


def test_in_a_lineage_every_question_has_one_answer_and_every_rule_is_sound():
    kb = lineages(3, seed=4)
    answers: dict[tuple[str, str], str] = {}
    for predicate, subject, name in kb.closure():
        assert answers.setdefault((subject, predicate), name) == name
    stated = set(kb.facts)
    assert {f for f in kb.closure() if f[0] in ("father", "mother", "wife", "husband")} == stated
    assert lineages(3, seed=4).facts == kb.facts
    with pytest.raises(BadInput, match="generations"):
        lineages(2, generations=2)


def test_statements_are_read_back_as_they_were_written():
    say = Statements(FATHERS)
    pgf = ("pgf", "ann", "carl")
    rows = say.reasoned([FATHERS.proofs(pgf)[0]])
    steps, last = say.printed(rows.x[0][3:])
    assert (steps, last) == ((GONE, ("father", "bob", "carl")), "carl")
    assert say.printed([]) == ((), None)
    assert say.printed([say.end]) == ((), None)
    assert say.printed([0, 0, 0, say.end]) == ((), None)  # names where a predicate belongs
    only = say.reasoned([FATHERS.proofs(pgf)[0]], objects_only=True)
    assert say.words(only.y[0]) == ["bob", "carl", "carl"]
    assert say.direct([GONE]).y[0].tolist() == [-1, -1, -1, say.object_of(GONE), say.end]
    with pytest.raises(BadInput, match="cannot be said"):
        say.direct([("father", "ann", "zoe")])
    with pytest.raises(BadInput, match="arguments"):
        Statements(KnowledgeBase([("male", "bob")]))


def test_the_auditor_reads_any_callable():
    def denies(facts):
        return [0.01 if f == GONE else 0.9 for f in facts]

    found = interrogate(FATHERS, denies, [GONE], [("pgf", "ann", "carl")])
    assert not found.recalled(GONE)
    assert found.deducible(GONE)
    assert found.strength == 0.9
    silent = interrogate(FATHERS, lambda facts: [0.0] * len(facts), [GONE])
    assert silent.strength == 0.0
    assert not silent.deducible(GONE)

    def recites(facts):
        return [Reasoned(f, (GONE,)) for f in facts]

    said = interrogate(
        FATHERS,
        lambda facts: [0.0] * len(facts),
        [GONE],
        [("pgf", "ann", "carl")],
        reasons=recites,
    )
    assert said.printed(GONE)
    assert said.deducible(GONE)
    assert said.recites() == (("pgf", "ann", "carl"),)
    assert len(said.table()) == 2


@pytest.mark.parametrize(
    "answers, why",
    [
        (lambda facts: [0.5], "came back"),
        (lambda facts: [2.0] * len(facts), r"\[0, 1\]"),
        (lambda facts: [float("nan")] * len(facts), r"\[0, 1\]"),
        (lambda facts: 0.5, "one probability a statement.*got float"),
        (lambda facts: dict.fromkeys(facts, 0.5), "one probability a statement.*got dict"),
        (lambda facts: "yes", "one probability a statement.*got str"),
        (lambda facts: ["no"] * len(facts), "a probability is in .*got 'no'"),
    ],
)
def test_broken_answers_are_refused(answers, why):
    with pytest.raises(BadInput, match=why):
        interrogate(FATHERS, answers, [GONE])


def test_the_auditor_refuses_what_never_held():
    with pytest.raises(BadInput, match="does not hold"):
        interrogate(FATHERS, lambda f: [0.0] * len(f), [("father", "carl", "ann")])
    with pytest.raises(BadInput, match="at least one"):
        interrogate(FATHERS, lambda f: [0.0] * len(f), [])


def test_relearning_is_read_lesson_by_lesson():
    def lessons(taught):
        for step in (0, 5, 10):
            yield step, lambda facts, s=step: [s / 10 if f in taught else 0.0 for f in facts]

    curve = relearn_curve(lessons, [("p", "a", "b")], [("p", "c", "d")])
    assert curve["taught_probability"] == [0.0, 0.5, 1.0]
    assert steps_until(curve, 1.0) == 5
    assert steps_until(curve, 1.0, "held") is None
    with pytest.raises(BadInput, match="hold back"):
        relearn_curve(lessons, [("p", "a", "b")], [("p", "a", "b")])


def test_a_world_asks_for_what_is_possible():
    for seed in range(6):
        here = world(2, 0.3, seed)
        assert here.plan.feasible
        left = set(here.kb.facts) - set(here.plan.remove)
        after = KnowledgeBase(sorted(left | set(here.preserve)), here.kb.rules).closure()
        assert not after & set(here.forget)
        assert set(here.preserve) <= after


def test_the_map_agrees_with_the_theorem():
    payload = {"facts": 60, "seed": 0, "draw": 0}
    found = map_task(payload)
    for example in found["examples"]:
        assert (example["verdict"] == "impossible") == bool(example["ways"])
    for row in found["rows"]:
        assert (row["removed"] is None) == (row["verdict"] == "impossible")
        assert row["removed"] is None or row["removed"] >= row["alone"]
    rows = price_task({**payload, "sizes": [1, 4], "repeats": 3})
    assert len(rows) == 6
    assert all(r["promotion"] or not r["base-only"] for r in rows)


def test_the_study_says_which_extra_it_needs(monkeypatch):
    monkeypatch.setattr(proof_study, "find_spec", lambda name: None if name == "torch" else 1)
    with pytest.raises(BadInput, match=r'pip install "unteach\[torch\]"'):
        PROOF.warm_up()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    small = {
        **PROOF.plan(),
        "families": 2,
        "facts": 50,
        "models": 1,
        "clans": 1,
        "sizes": [1, 3],
        "repeats": 2,
    }
    with Store.open(tmp_path_factory.mktemp("proof") / "store") as store:
        run = store.begin(small, name="proof")

        def stops(done, total, key):
            if done == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            PROOF.run(run, jobs=1, progress=stops)
        kept = dict(run.results())
        assert len(kept) == 3
        PROOF.run(run, jobs=1)
        results = run.results()
        assert all(results[key] == value for key, value in kept.items())
        page = PROOF.conclude(run)
        return page, results, run.plan, run.readings(), run.tables()


def test_the_page_is_made_of_what_was_measured(finished):
    page, results, _, readings, tables = finished
    json.dumps(page_json(page))
    by_name = {r.name: r for r in readings}
    rows = [r for k in range(2) for r in results[f"map/{k}"]["rows"]]
    assert sum(tables["map"].where(relation="all")["impossible"]) == sum(
        r["verdict"] == "impossible" for r in rows
    )
    assert by_name["can outlive its premises"].n == 2
    for form in FORMS:
        one = results[f"model/{form}/0"]
        name = {"statements": "stored", "traces": "reasoned"}[form]
        assert by_name[f"plan holds ({name} conclusions)"].value == float(held(one))
    assert PROOF.figure(page) is not None


def test_a_model_does_what_the_study_says(finished):
    _, results, *_ = finished
    for form in FORMS:
        one = results[f"model/{form}/0"]
        assert one["arms"]["before"]["recalled"] == 1.0
        assert one["arms"]["protected"]["recalled"] == 0.0
        assert one["arms"]["protected"]["deducible"] == 1.0
        assert held(one)
    assert results["model/traces/0"]["arms"]["protected"]["recites"] == 1.0


def test_the_sentences_follow_the_numbers(finished):
    from dataclasses import replace

    _, _, the_plan, readings, tables = finished
    flipped = [
        replace(r, value=1.0 - r.value, low=0.0, high=1.0)
        if r.name.startswith(("plan holds", "protected leaks"))
        else r
        for r in readings
    ]
    many = [[replace(r, n=5) for r in found] for found in (readings, flipped)]
    first, second = (answer(found, tables, the_plan) for found in many)
    assert [f.verdict for f in first][1:3] == ["holds", "fails"]
    assert [f.verdict for f in second][1:3] == ["fails", "holds"]
    first, second = (answer(found, tables, the_plan) for found in (readings, flipped))
    assert [f.verdict for f in first][1:3] == ["unknown", "fails"]  # an example is enough
    assert [f.verdict for f in second][1:3] == ["fails", "unknown"]
    assert "1 seed is too few to judge by." in first[1].text
    assert "1 seed is too few to judge by." in first[-1].text
    assert "too few" not in first[2].text
    none = [
        replace(r, value=0.0, low=0.0) if r.name == "can outlive its premises" else r
        for r in readings
    ]
    assert answer(none, tables, the_plan)[0].verdict == "fails"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", FORMS)
def test_the_plan_holds_in_every_seed(form, seed):
    from unteach.studies.proof.neural import neural_task

    one = neural_task({"form": form, "seed": 0, "draw": seed, "clans": 3, "share": 0.3})
    assert held(one)
    assert one["arms"]["protected"]["deducible"] == 1.0
    assert np.isfinite(one["arms"]["planned"]["strength"])


def test_promotion_is_needed_where_a_trace_would_tell():
    kb = lineages(2, seed=1)
    pgf = next(c for c in kb.conclusions() if c[0] == "pgf")
    father = next(f for f in kb.facts if f[:2] == ("father", pgf[1]))
    found = plan(kb, [father], [pgf])
    assert found.feasible
    assert pgf in found.promote
    assert not plan(kb, [father], [pgf], promote=False).feasible
