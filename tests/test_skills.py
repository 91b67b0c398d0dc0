"""Towers: programs, chains of reductions, tasks, and what is read from a model's answers."""

from __future__ import annotations

import doctest
import hashlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from unteach.core import BadInput, RepeatedRecord, Stream, Table, UnknownRecord
from unteach.report import Hierarchy, Matrix, Page, write_page
from unteach.report.graphs.graph_layout import Routes, places
from unteach.skills import (
    FORMATS,
    PROTECTIONS,
    Entanglement,
    Skill,
    SkillGraph,
    Tasks,
    TaskStream,
    back_doors,
    changed,
    coherence,
    dissociation,
    entanglement_plan,
    fallen,
    front_door,
    load_tower,
    positions,
    protect,
    ripple,
    score,
    teaching,
    tower,
    trace_damage,
)
from unteach.skills.graph.integer_formula import expression
from unteach.skills.graph.skill import identify, ranked, unranked

DOC = Path(__file__).parents[1] / "docs" / "tower.md"
P = 5


@pytest.fixture(scope="module")
def algebra():
    return tower("linear-algebra", p=P)


@pytest.fixture(scope="module")
def lists():
    return tower("lists", letters=3)


def plain(name, x, p=P):
    """Return the answer of linear algebra as a textbook has it, on one plain tuple."""

    def mm(a, b):
        return [[sum(a[i][k] * b[k][j] for k in range(2)) % p for j in range(2)] for i in range(2)]

    if name in ("ADD", "SUB", "MUL", "MAX"):
        a, b = x
        return ({"ADD": (a + b) % p, "SUB": (a - b) % p, "MUL": a * b % p, "MAX": max(x)}[name],)
    if name == "REV":
        return x[::-1]
    if name == "INV":
        return (next(k for k in range(p) if k * x[0] % p == 1),)
    if name == "AFF":
        return ((x[0] * x[1] + x[2]) % p,)
    if name == "DOT":
        return ((x[0] * x[2] + x[1] * x[3]) % p,)
    if name == "MV":
        return tuple((x[i] * x[4] + x[i + 1] * x[5]) % p for i in (0, 2))
    if name in ("MM", "POW"):
        a = [list(x[:2]), list(x[2:4])]
        b = a if name == "POW" else [list(x[4:6]), list(x[6:])]
        return tuple(itertools.chain(*mm(a, b)))
    found = [  # SOLVE: try everything
        (u, v)
        for u in range(p)
        for v in range(p)
        if (x[0] * u + x[1] * v - x[4]) % p == 0 and (x[2] * u + x[3] * v - x[5]) % p == 0
    ]
    assert len(found) == 1
    return found[0]


def slowly(graph, name, x):
    """Return an answer by the calls alone, one plain number at a time."""
    skill = graph[name]
    if skill.is_atom:
        return tuple(int(v) for v in skill.truth(np.array([x]))[0])
    program = graph.calls(name).program
    held = dict(zip(program.inputs, x, strict=True))

    def look(v):
        return held[v] if isinstance(v, str) else v

    for step in program.steps:
        held.update(
            zip(step.out, slowly(graph, step.skill, tuple(map(look, step.args))), strict=True)
        )
    return tuple(look(v) for v in program.returns)


# ---- graphs --------------------------------------------------------------------------------------


def test_linear_algebra_is_what_a_textbook_says(algebra):
    for name in algebra.names:
        x = Tasks(algebra, "direct").inputs(name, 60, seed=3)
        assert [tuple(r) for r in algebra.truth(name, x).tolist()] == [
            plain(name, tuple(r)) for r in x.tolist()
        ]


def test_calls_give_the_truth_fast_flat_and_slowly(algebra, lists):
    for graph in (algebra, lists):
        for name in graph.names:
            x = Tasks(graph, "direct").inputs(name, 40, seed=1)
            truth = graph.truth(name, x).tolist()
            assert [list(slowly(graph, name, tuple(r))) for r in x.tolist()] == truth
            assert graph.flat(name).run(x, graph.truth).tolist() == truth


def test_everything_about_the_full_tower_is_checked_on_all_inputs():
    g = tower("linear-algebra", p=7)
    assert g is tower("linear-algebra")
    assert {str(w) for w in g.ways} == set(g.checked)
    assert all(c.exhaustive for c in g.checked.values())
    assert (
        g.checked[
            "MM = x, y = MV(a, b, c, d, e, g); u, v = MV(a, b, c, d, f, h); return x, u, y, v"
        ].n
        == 7**8
    )
    assert g.chance["ADD"] == pytest.approx(1 / 7)
    assert g.chance["MUL"] == pytest.approx(13 / 49)
    assert {s: g.floors()[s] for s in ("ADD", "DOT", "MV", "MM", "POW")} == {
        "ADD": 0,
        "DOT": 1,
        "MV": 2,
        "MM": 3,
        "POW": 4,
    }
    found = g.recoverable(kept={"DOT", "MUL"})
    assert str(found["ADD"][0][-1]) == "ADD = DOT(a, b, 1, 1)"
    assert not {"DOT", "MUL", "MAX", "REV", "INV"} & set(found)
    assert str(found["POW"][0][-1]).startswith("POW = return MM")


def test_a_sample_is_checked_where_there_are_too_many_inputs_and_it_says_so():
    names = tuple(f"x{k}" for k in range(24))
    odd = Skill("ODD", names, 1, lambda x: x.sum(axis=1, keepdims=True) % 2)
    g = SkillGraph(
        "bits",
        ("0", "1"),
        (odd, Skill("EVEN", names, 1, None, "ODD(x0, " + ", ".join(names[1:]) + ")")),
    )
    checked = g.checked[str(g.ways[0])]
    assert not checked.exhaustive
    assert checked.of == 2**24
    assert checked.n == 2**20


def test_chains_are_what_naive_closure_says_and_they_compute(algebra, lists):
    for graph in (algebra, lists):
        tasks = Tasks(graph, "direct")
        for kept in [{n} for n in graph.names] + [set(graph.names[:3])]:
            closed = set(kept)
            while more := {w.target for w in graph.ways if set(w.sources) <= closed} - closed:
                closed |= more
            found = graph.recoverable(kept)
            assert set(found) == closed - kept
            for name, chains in found.items():
                assert [len(c) for c in chains] == sorted(len(c) for c in chains)
                for chain in chains:
                    x = tasks.inputs(name, 20, seed=0)
                    assert _carried_out(graph, chain, kept, x).tolist() == (
                        graph.truth(name, x).tolist()
                    )


def _carried_out(graph, chain, kept, x):
    programs = {}
    for step in chain:  # only kept skills and earlier steps may be called
        assert set(step.sources) <= kept | set(programs)
        programs[step.target] = step.program

    def ask(skill, inputs):
        if skill in kept:
            return graph.truth(skill, inputs)
        return programs[skill].run(inputs, ask, graph.maps)

    return ask(chain[-1].target, x)


def atom(name, **more):
    return Skill(name, ("a", "b"), 1, lambda x: x.max(axis=1, keepdims=True), **more)


@pytest.mark.parametrize(
    "skills, reductions, message",
    [
        (
            [Skill("A", ("a",), 1, None, "B(a)"), Skill("B", ("a",), 1, None, "A(a)")],
            [],
            "cannot stand on itself: A -> B -> A",
        ),
        ([atom("A", needs=("B",)), atom("B", needs=("A",))], [], "A -> B -> A"),
        ([atom("A"), atom("A")], [], "'A' is there twice"),
        ([Skill("A", ("a",), 1, None, "B(a)")], [], "unknown skill 'B'"),
        ([atom("A")], [("A", "A(a, b)")], "calls A itself"),
        ([atom("A")], [("A", "return a")], "or no skill"),
        ([atom("A"), atom("B")], [("A", "B(a, b)"), ("A", "B(a, b)")], "there twice"),
        ([atom("A"), atom("B")], [("A", "B(a, 0)")], r"A\(0, 1\) is 1, the program gives 0"),
        ([atom("A"), atom("B")], [("A", "B(a)")], "takes 2"),
        ([atom("A"), atom("B")], [("A", "B(a, 9)")], "is no symbol"),
        ([atom("A"), atom("B")], [("A", "B(a, c)")], "has no value yet"),
        ([atom("A"), atom("B")], [("A", "B(a, b)[1]")], "output 1 of 1"),
        ([atom("A"), atom("B")], [("A", "x = B(a, b)")], "returns nothing"),
        ([atom("A"), atom("B")], [("A", "x, y = B(a, b); return x")], "1 values for 2 names"),
        ([atom("A"), atom("B")], [("A", "B(a, b), B(a, b)")], "gives 2 values"),
        ([atom("A"), atom("B")], [("A", "while a: b")], "neither"),
        ([atom("A"), atom("B")], [("A", "B(a,")], "cannot be read"),
        ([Skill("A", ("a",), 1, lambda x: x + 1)], [], r"A\(2\) gives \[3\]"),
        ([Skill("A", ("a",), 2, lambda x: x)], [], "declared with 2 outputs"),
        ([Skill("A", ("a",), 1, lambda x: x / 2)], [], "are whole"),
        (
            [Skill("A", ("a",), 1, lambda x: x, when=lambda x: x[:, 0] > 5)],
            [],
            "defined on no input",
        ),
        (
            [Skill("A", ("a",), 1, lambda x: 0 * x), Skill("B", ("a",), 1, lambda x: x, "A(a)")],
            [],
            r"the call B = A\(a\) is wrong: B\(1\) is 1, the program gives 0",
        ),
    ],
)
def test_what_is_wrong_with_a_tower_is_said(skills, reductions, message):
    with pytest.raises(BadInput, match=message):
        SkillGraph("t", ("0", "1", "2"), tuple(skills), reductions)


def test_a_reduction_that_asks_where_a_skill_is_not_defined_is_refused():
    inv = Skill("INV", ("a",), 1, lambda x: x, when=lambda x: x[:, 0] != 0)
    same = Skill("SAME", ("a",), 1, lambda x: x)
    with pytest.raises(BadInput, match=r"SAME\(0\) is 0, the program gives nothing"):
        SkillGraph("t", ("0", "1", "2"), (inv, same), [("SAME", "INV(a)")])
    SkillGraph("t", ("0", "1", "2"), (inv, same), [("INV", "SAME(a)")])


def test_skills_refuse_what_is_no_skill(algebra):
    for make in (
        lambda: Skill("A B", ("a",), 1, np.sort),
        lambda: Skill("A", (), 1, np.sort),
        lambda: Skill("A", ("a", "a"), 1, np.sort),
        lambda: Skill("A", ("a",), 0, np.sort),
        lambda: Skill("A", ("a",)),
        lambda: tower("nothing"),
        lambda: tower("linear-algebra", p=9),
        lambda: tower("lists", letters=99),
        lambda: tower("lists", p=3),
    ):
        with pytest.raises(BadInput):
            make()
    with pytest.raises(UnknownRecord, match="no skill 'DIV'"):
        algebra.recoverable(kept={"DIV"})


def test_edges_say_where_they_come_from(algebra):
    kinds = {(e.kind, e.target) for e in algebra.edges}
    assert ("prerequisite", "MM") in kinds
    assert ("call", "SOLVE") in kinds
    assert ("reduction", "ADD") in kinds
    assert {e.origin for e in algebra.edges} == {"declared"}
    assert algebra.over("INV") == ("SOLVE",)


def test_rules_are_a_language_of_numbers_and_nothing_else():
    x = np.array(list(itertools.product(range(4), repeat=2)))
    for text in (
        "(a + b) * 3 % 5",
        "max(a, b) - min(a, b)",
        "a if a < b else b",
        "a // (b + 1)",
        "1 if a == b or not a else 0",
        "-a + 7, b",
        "(a > 1) * (b <= 2)",
        "(a != 1 and b >= 1) * 1",
    ):
        slow = [eval(text, {"a": int(a), "b": int(b), "max": max, "min": min}) for a, b in x]
        slow = [r if isinstance(r, tuple) else (r,) for r in slow]
        assert expression(text, ["a", "b"])(x).tolist() == [[int(v) for v in r] for r in slow]
    for text in (
        "a.real",
        "__import__('os')",
        "a[0]",
        "lambda: 1",
        "a ** 99999",
        "1.5",
        "c",
        "",
        "max(a)",
        "a < b < 3",
        "'a'",
        "[a for a in (1,)]",
        "()",
    ):
        with pytest.raises(BadInput):
            expression(text, ["a", "b"])
    with pytest.raises(BadInput, match="divides by zero"):
        expression("a // b", ["a", "b"])(x)


# ---- tasks ---------------------------------------------------------------------------------------


def spelled(graph, name, x, format):
    """Return the words of one task, written out by hand."""
    skill, words = graph[name], graph.symbols
    head = [name, *(words[v] for v in x), "="]
    answers = slowly(graph, name, x)
    trace, results = [], []

    def call(s, given):  # values, each with the place in `results` where it was made
        if graph[s].is_atom:
            args = tuple(v for v, _ in given)
            out = slowly(graph, s, args)
            if format != "implicit":
                trace.extend([s, *(words[a] for a in args), "="])
            trace.extend(words[o] for o in out)
            results.extend(out)
            return [(o, len(results) - len(out) + k) for k, o in enumerate(out)]
        program = graph.calls(s).program
        held = dict(zip(program.inputs, given, strict=True))

        def look(v):
            return held[v] if isinstance(v, str) else (v, None)

        for step in program.steps:
            held.update(zip(step.out, call(step.skill, [look(a) for a in step.args]), strict=True))
        return [look(v) for v in program.returns]

    if format == "direct" or skill.is_atom:
        return [*head, *(words[a] for a in answers), "<end>"]
    made = [k for _, k in call(name, [(v, None) for v in x])]
    in_place = None not in made and made == sorted(set(made))
    tail = [] if in_place else ["=", *(words[a] for a in answers)]
    return [*head, *trace, *tail, "<end>"]


@pytest.mark.parametrize("format", FORMATS)
def test_tasks_are_written_as_by_hand(algebra, lists, format):
    for graph in (algebra, lists):
        tasks = Tasks(graph, format)
        for name in graph.names:
            sheet = tasks.draw(12, seed=2, group=name)
            x = tasks.inputs(name, 12, seed=2)
            how = "explicit" if format == "explicit-rope" else format
            for row, inputs in zip(sheet.tokens, x.tolist(), strict=True):
                assert tasks.vocabulary.spell(row) == " ".join(
                    spelled(graph, name, tuple(inputs), how)
                )
            answers = sheet.tokens[sheet.answers].reshape(12, -1)
            assert answers.tolist() == graph.truth(name, x).tolist()
            prompt = len(graph[name].inputs) + 2
            assert (sheet.scored == (np.arange(sheet.tokens.shape[1]) >= prompt)).all()
            assert tasks.read(name, sheet.tokens[:, prompt:]).tolist() == answers.tolist()


def test_formats_differ_in_positions_only_where_they_say_so(algebra):
    assert [positions(f) for f in FORMATS] == ["absolute"] * 3 + ["rotary"]
    one, two = (Tasks(algebra, f).draw(30, seed=1) for f in FORMATS[2:])
    assert (one.tokens == two.tokens).all()
    with pytest.raises(BadInput, match="format is one of"):
        Tasks(algebra, "verbose")


def test_roles_of_an_explicit_trace(algebra):
    sheet = Tasks(algebra, "explicit").of("DOT", np.array([[1, 2, 3, 4]]))
    assert [sheet.names[r] for r in sheet.roles[0]] == [
        *["prompt"] * 6,
        *(["control", "copy", "copy", "control", "MUL"] * 2),
        "control",
        "copy",
        "copy",
        "control",
        "ADD",
        "control",
    ]
    assert sheet.role("ADD").sum() == 1
    assert (sheet.made_by("ADD") == sheet.role("ADD")).all()
    direct = Tasks(algebra, "direct").of("DOT", np.array([[1, 2, 3, 4]]))
    assert direct.role("answer").sum() == 1
    assert (direct.made_by("ADD") == direct.role("answer")).all()  # an ADD made it, unwritten
    with pytest.raises(BadInput):
        sheet.role("nothing")


def test_a_tasks_id_is_a_function_of_skill_and_inputs(algebra):
    seen = {}
    for format in ("direct", "explicit"):
        for change in (None, changed(algebra, "ADD", "a + b + 1")):
            tasks = Tasks(algebra, format, change)
            for name in ("ADD", "MUL", "POW"):
                x = tasks.inputs(name, 40, seed=len(format))
                for i, row in zip(tasks.of(name, x).ids.tolist(), x.tolist(), strict=True):
                    assert seen.setdefault(i, (name, row)) == (name, row)
    assert len(seen) == len({(n, tuple(r)) for n, r in seen.values()})
    code = int(hashlib.sha256(b"ADD").hexdigest()[:8], 16) >> 10
    assert identify(algebra["ADD"], np.array([[2, 3]]), P).tolist() == [(code << 40) + 2 * P + 3]


def test_ranks_and_inputs_are_inverse():
    ranks = np.arange(3**4)
    assert (ranked(unranked(ranks, 4, 3), 3) == ranks).all()
    assert unranked(ranks, 4, 3).tolist() == [
        list(t) for t in itertools.product(range(3), repeat=4)
    ]


def test_draws_are_seeded_even_and_distinct_where_asked(algebra):
    tasks = Tasks(algebra, "implicit")
    one, two, other = (tasks.draw(60, seed=s) for s in (4, 4, 5))
    assert (one.tokens == two.tokens).all() and (one.ids == two.ids).all()
    assert (one.tokens != other.tokens).any()
    assert [int((one.groups == n).sum()) for n in algebra.names] == [5] * 12
    whole = tasks.draw(25, seed=0, group="ADD", distinct=True)
    assert set(whole.ids.tolist()) == set(tasks.every("ADD").ids.tolist())
    assert len(set(tasks.draw(3000, seed=0, group="MM", distinct=True).ids.tolist())) == 3000
    x = tasks.inputs("SOLVE", 5000, seed=0)
    assert ((x[:, 0] * x[:, 3] - x[:, 1] * x[:, 2]) % P != 0).all()
    share = np.bincount(tasks.inputs("ADD", 20_000, seed=0)[:, 0], minlength=P) / 20_000
    assert np.abs(share - 1 / P).max() < 0.02
    with pytest.raises(BadInput, match="ADD has 25 tasks"):
        tasks.draw(26, seed=0, group="ADD", distinct=True)
    with pytest.raises(BadInput, match="no tasks of 'ADD'"):
        tasks.without(["ADD"]).draw(1, seed=0, group="ADD")
    with pytest.raises(BadInput):
        tasks.draw(0, seed=0)


def test_a_stream_of_tasks_is_a_stream_of_records(algebra):
    stream = TaskStream(Tasks(algebra, "explicit"))
    assert isinstance(stream, Stream)
    rows = stream.draw(36, seed=0)
    assert set(rows.groups) == set(algebra.names)
    assert rows.x.shape == rows.y.shape == rows.column("roles").shape
    assert (rows.y[rows.y >= 0] == rows.x[rows.y >= 0]).all()
    assert "ADD" not in stream.without(["ADD"]).groups
    with pytest.raises(RepeatedRecord):
        Tasks(algebra, "direct").draw(26, seed=0, group="ADD").rows()


@pytest.mark.parametrize("rule", ["a + b + 1", "a * b + 1"])
@pytest.mark.parametrize("format", FORMATS[:3])
def test_a_change_travels_or_does_not(algebra, rule, format):
    def new_add(a, b):
        return eval(rule, {"a": a, "b": b}) % P

    tasks = Tasks(algebra, format)
    follow = tasks.changed(changed(algebra, "ADD", rule))
    stay = tasks.changed(changed(algebra, "ADD", rule, follow=False))
    x = tasks.inputs("DOT", 50, seed=0)
    new = [[new_add(a * c % P, b * d % P)] for a, b, c, d in x.tolist()]
    old = algebra.truth("DOT", x).tolist()
    assert follow.truth("DOT", x).tolist() == new
    assert stay.truth("DOT", x).tolist() == old
    for which, answers in ((follow, new), (stay, old)):
        sheet = which.of("DOT", x)
        assert sheet.tokens[sheet.answers].tolist() == [a[0] for a in answers]
        if format != "direct":
            written = sheet.tokens[sheet.role("ADD")].tolist()
            assert written == [a[0] for a in answers]
        front = which.every("ADD")
        assert front.tokens[front.answers].tolist() == [
            new_add(a, b) for a, b in tasks.domain("ADD").tolist()
        ]
    for name in ("SUB", "REV", "INV"):
        assert (follow.every(name).tokens == tasks.every(name).tokens).all()


@pytest.mark.parametrize("how", PROTECTIONS)
def test_protections(algebra, how):
    tasks = Tasks(algebra, "explicit")
    held = protect(tasks, "ADD", how)
    assert "ADD" not in held.groups
    if how == "none":
        with pytest.raises(BadInput, match="nothing is protected"):
            held.draw(1, seed=0)
        return
    assert ("MM" in held.groups) == (how != "atoms")
    sheet, plain_sheet = held.draw(66, seed=0), tasks.without(["ADD"]).draw(66, seed=0)
    if how != "atoms":
        assert (sheet.tokens == plain_sheet.tokens).all()
        spared = plain_sheet.scored & ~sheet.scored
        assert (spared == (plain_sheet.role("ADD") & (how == "trace"))).all()
    assert sheet.scored[sheet.role("MUL")].all()


def test_protection_in_the_direct_format_spares_the_answers_that_are_sums(algebra):
    tasks = Tasks(algebra, "direct")
    sheet = protect(tasks, "ADD", "trace").draw(66, seed=0)
    spared = sheet.answers & ~sheet.scored
    assert set(sheet.groups[spared.any(axis=1)]) == {"AFF", "DOT", "MV", "MM", "POW"}
    assert len(teaching(tasks, "ADD", 1000, seed=0)) == P * P
    assert len(set(teaching(tasks, "MM", 50, seed=0).ids.tolist())) == 50


# ---- read-outs -----------------------------------------------------------------------------------


def recited(tasks, spoiled=()):
    """Return a model that continues prompts perfectly, but for some skills, where it says `=`."""
    v = tasks.vocabulary

    def go_on(prompts):
        out = np.full((len(prompts), tasks.longest), -1)
        for k, prompt in enumerate(prompts):
            name = v.words[prompt[0]]
            sheet = tasks.of(name, prompt[None, 1:-1])
            rest = sheet.tokens[0, len(prompt) :]
            out[k, : len(rest)] = v.number("=") if name in spoiled else rest
        return out

    return go_on


@pytest.mark.parametrize("format", ["direct", "explicit"])
def test_back_doors_of_a_model_that_lost_its_front_door(lists, format):
    tasks = Tasks(lists, format)
    oracle = tasks.oracle(recited(tasks, spoiled=("LOW",)), batch=7)
    seen = []
    table = back_doors(
        lists, "LOW", tasks.domain("LOW"), oracle, progress=lambda k, n, what: seen.append((k, n))
    )
    assert table["accuracy"] == [0.0] + [1.0] * 5
    assert len(seen) == 5
    # SORT is kept whole; recomposed from the model's own atoms it has no answer
    x = tasks.domain("SORT")
    assert front_door(lists, "SORT", x, oracle).whole == 1.0
    assert coherence(lists, "SORT", x, oracle).whole == 0.0
    assert coherence(lists, "MAP", x, oracle).whole == 1.0
    with pytest.raises(BadInput, match="is an atom"):
        coherence(lists, "LOW", tasks.domain("LOW"), oracle)


def test_a_lost_step_loses_the_doors_that_need_it(algebra):
    tasks = Tasks(algebra, "direct")
    oracle = tasks.oracle(recited(tasks, spoiled=("ADD", "DOT", "SUB")))
    doors = back_doors(algebra, "ADD", tasks.domain("ADD"), oracle)
    for through, accuracy in zip(doors["through"], doors["accuracy"], strict=True):
        assert accuracy == (0.0 if through in ("ADD", "DOT", "SUB") else 1.0), through


def test_scores_and_ripples_have_closed_forms():
    new, old = np.array([[1, 2], [3, 4]]), np.array([[1, 0], [0, 0]])
    r = ripple(np.array([[1, 2], [0, 9]]), new=new, old=old)
    assert (r.new, r.old, r.neither, r.n, r.same) == (1 / 3, 1 / 3, 1 / 3, 3, 1)
    assert score(np.array([[-1]]), np.array([[-1]])).share == 0.0  # no answer is never right
    with pytest.raises(BadInput, match="agree on all"):
        ripple(new, new=new, old=new)
    with pytest.raises(BadInput, match="come as"):
        score(np.zeros((0, 1)), np.zeros((0, 1)))
    with pytest.raises(BadInput, match="come as"):
        score(np.zeros((2, 1)), np.zeros((2, 2)))


def test_a_broken_role_is_found_and_only_that(algebra):
    sheet = Tasks(algebra, "explicit").draw(40, seed=0, group="MM")
    right = np.ones(sheet.tokens.shape, dtype=bool)
    table = trace_damage(right, right & ~sheet.role("ADD"), sheet)
    drop = dict(zip(table["role"], table["drop"], strict=True))
    assert drop == {"control": 0.0, "copy": 0.0, "ADD": 1.0, "MUL": 0.0}
    assert dict(zip(table["role"], table["n"], strict=True)) == {
        "control": 40 * 24,
        "copy": 40 * 24,
        "ADD": 40 * 4,
        "MUL": 40 * 8,
    }
    assert dissociation(table, "ADD").holds()
    assert not dissociation(table, "MUL").holds()
    with pytest.raises(BadInput, match="no written call of SUB"):
        dissociation(table, "SUB")
    with pytest.raises(BadInput, match="token for each"):
        trace_damage(right[:, 1:], right, sheet)


def test_the_plan_of_the_matrix_is_specific(algebra):
    cells = entanglement_plan(algebra.names)
    assert len(cells) == 12 * 11
    assert all(set(c.protect) == set(algebra.names) - {c.forget, *c.watch} for c in cells)
    assert len(entanglement_plan(algebra.names, "unprotected")) == 12
    for names, protocol in (
        (["A"], "all-but-two"),
        (["A", "B"], "some"),
        (["A", "A"], "unprotected"),
    ):
        with pytest.raises(BadInput):
            entanglement_plan(names, protocol)


def test_a_matrix_recovers_the_graph_that_made_it_and_noise_does_not(algebra):
    names = algebra.names
    stands = np.array([[float(s in algebra.under(t)) for t in names] for s in names])
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(6, 12, 12))
    good = Entanglement(names, stands + 0.3 * noise).recovers(algebra)
    assert good.value > 0.95 and good.unit_of_replication == "seeds" and good.n == 6
    bad = Entanglement(names, noise).recovers(algebra)
    assert bad.low < 0.5 < bad.high
    both = Entanglement(names, np.stack([stands + stands.T] * 2))
    assert both.recovers(algebra, "reversed").value == 0.5  # symmetric: knows no direction
    assert np.nanmax(np.abs(both.asymmetry())) == 0
    one = Entanglement(names, stands[None]).recovers(algebra)
    assert one.value == 1.0 and one.low < 0.9 and one.unit_of_replication == "cells"
    assert len(Entanglement(names, stands[None]).edges(0.5)) == int(stands.sum())
    assert len(good_table := Entanglement(names, noise).table()) == 6 * 132
    assert "fall" in good_table.columns
    holed = stands[None].copy()
    holed[0, 0, 1] = np.nan
    with pytest.raises(BadInput, match="is missing"):
        Entanglement(names, holed)
    with pytest.raises(BadInput, match="seeds"):
        Entanglement(names, stands)
    with pytest.raises(BadInput, match="not above chance"):
        fallen(0.2, 0.1, 0.2)


# ---- towers of one's own, and the page -----------------------------------------------------------


def test_the_worked_example_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = DOC.read_text()
    Path("dna.toml").write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])
    story = "\n".join(re.findall(r"```pycon\n(.*?)```", text, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(story, {}, "tower.md", str(DOC), 0)
    done = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert done.attempted > 10 and done.failed == 0
    Path("pairs.py").write_text(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])
    assert load_tower("pairs.py").recoverable({"SORT"}).keys() == {"LOW", "HIGH"}


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("[skills.PAIR]", "[skills.PAIR]\ncolour = 'red'", "unknown entries .'colour'"),
        ('symbols = ["A", "C", "G", "T"]', "", r"lacks .'symbols'"),
        ('A = "T", ', "", "not all numbers"),
        ('A = "T", ', 'A = "X", ', "'X', which is no symbol"),
        ('rule = "z, y, x"', 'rule = "z, y, q"', "names 'q'"),
        ('rule = "(x + 2) % 4"', 'rule = "(x + 2) % 5"', r"TRANSIT\(G\) gives .4."),
        ('rule = "(x + 2) % 4"', 'rule = "x"\ntable = {A = "A"}', "a rule and a table"),
        ('rule = "(x + 2) % 4"', "", "needs a rule, a table or calls"),
        ('inputs = ["x"]', 'inputs = "x"', "must be a list"),
        ('skill = "PAIR"', 'skill = "PEAR"', "no skill 'PEAR'"),
        ("return PAIR(a), PAIR(b), PAIR(c)", "return PAIR(a), PAIR(b)", "it has|2 values|takes"),
        ('name = "dna"', "name = ", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, old, new, message):
    text = re.findall(r"```toml\n(.*?)```", DOC.read_text(), re.DOTALL)[0]
    assert old in text
    path = tmp_path / "dna.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises((BadInput, UnknownRecord), match=message):
        load_tower(path)


def test_files_that_are_no_towers(tmp_path):
    (tmp_path / "t.py").write_text("tower = 3")
    for name in ("t.py", "none.py", "none.toml", "t.json"):
        with pytest.raises(BadInput):
            load_tower(tmp_path / name)


def tower_page(graph, frames=("before", "after")):
    floors = graph.floors()
    rows = [
        (n, floors[n], 1.0 if f == "before" else 0.3, graph.chance[n], f)
        for f in frames
        for n in graph.names
    ]
    nodes = Table(
        "nodes",
        dict(
            zip(
                ("skill", "floor", "accuracy", "chance", "frame"),
                map(list, zip(*rows, strict=True)),
                strict=True,
            )
        ),
    )
    links = [(s, e.target, e.kind, None, None) for e in graph.edges for s in e.sources]
    links += [(graph.names[0], graph.names[-1], "measured", 0.5, "after")]
    edges = Table(
        "edges",
        dict(
            zip(
                ("source", "target", "kind", "strength", "frame"),
                map(list, zip(*links, strict=True)),
                strict=True,
            )
        ),
    )
    rng = np.random.default_rng(0)
    k = len(graph.names)
    e = Entanglement(graph.names, rng.normal(size=(1, k, k)))
    blocks = (
        Hierarchy("nodes", "edges", title="The tower", frame="frame"),
        Matrix("entanglement", "forgotten", "watched", "fall", title="What falls"),
    )
    return Page("Tower", "?", (), blocks, "", "", {}, (), (nodes, edges, e.table()))


def test_the_tower_is_drawn(lists, algebra, tmp_path):
    for graph in (lists, algebra):
        page = tower_page(graph)
        text = write_page(page, tmp_path / "a.html").read_text()
        assert text == write_page(page, tmp_path / "b.html").read_text()
        drawn = text.split("<main", 1)[1]
        assert all(drawn.count(f">{name}</text>") >= 3 for name in graph.names)
        assert drawn.count("h-measured") == 3  # once in its frame, twice in the key
        assert 'data-label="before"' in drawn and 'data-label="after"' in drawn
        assert " style=" not in drawn and "nan" not in drawn
        said = page.blocks[0].text(page).splitlines()
        assert (
            said[0] == "before" and f"{graph.names[0]} 1" in said[max(graph.floors().values()) + 1]
        )
        assert len(page.blocks[1].text(page).splitlines()) == len(graph.names) + 1


def test_figures_refuse_what_they_cannot_draw(lists):
    page = tower_page(lists)
    nodes, edges, cells = page.tables

    def shown(block, *tables):
        return Page("T", "?", (), (block,), "", "", {}, (), tables)

    with pytest.raises(BadInput, match="skill twice"):
        shown(Hierarchy("nodes", "edges"), nodes, edges)
    strange = Table(
        "edges", {"source": ["X"], "target": ["LOW"], "kind": ["call"], "strength": [None]}
    )
    with pytest.raises(BadInput, match=r"\['X'\]"):
        shown(Hierarchy("nodes", "edges", frame="frame"), nodes, strange)
    with pytest.raises(BadInput, match="two values"):
        shown(Matrix("entanglement", "seed", "watched", "fall"), cells)
    with pytest.raises(BadInput, match="full is above 0"):
        shown(Matrix("entanglement", "forgotten", "watched", "fall", full=0.0), cells)
    with pytest.raises(BadInput, match="no rows"):
        shown(Matrix("entanglement", "forgotten", "watched", "fall", where={"seed": 9}), cells)


def test_cards_do_not_overlap_and_edges_pass_beside_them(lists, algebra):
    for graph in (lists, algebra):
        floors = graph.floors()
        links = [(s, e.target) for e in graph.edges if e.kind != "reduction" for s in e.sources]
        at = places(floors, links, width=1000.0, gap=160.0)
        assert at == places(floors, links, width=1000.0, gap=160.0)
        for one, other in itertools.combinations(graph.names, 2):
            if floors[one] == floors[other]:
                assert abs(at[one] - at[other]) >= 159.9
        middles = {n: (at[n], 1000.0 - 130 * floors[n]) for n in graph.names}
        routes = Routes(middles, wide=120.0, high=60.0, floor=130.0)
        for source, target in links:
            for piece in re.findall(r"([\d.]+) ([\d.]+)V([\d.]+)", routes.path(source, target)):
                x, level = float(piece[0]), (float(piece[1]) + float(piece[2])) / 2
                assert all(abs(x - cx) >= 60 for cx, cy in middles.values() if abs(cy - level) < 1)


@pytest.mark.slow
def test_a_trained_transformer_comes_in_by_its_answers():
    pytest.importorskip("torch")
    from unteach.models import Network, Transformer
    from unteach.skills.tasks.token_sheet import stacked

    g = tower("lists", letters=2)
    tasks = Tasks(g, "explicit").only(["NEXT", "MAP"])
    v = tasks.vocabulary
    shape = Transformer(v.size, end=v.end, width=32, heads=4, layers=1, length=tasks.longest)
    rows = stacked([tasks.every(n) for n in tasks.groups]).rows()
    how = Network(module=shape, loss="next_token", steps=400, lr=0.005)
    model = how.learn(rows, seed=0)
    oracle = tasks.oracle(model.predict)
    doors = back_doors(g, "NEXT", tasks.domain("NEXT"), oracle)
    assert doors["accuracy"] == [1.0, 1.0]
    assert coherence(g, "MAP", tasks.domain("MAP"), oracle).whole == 1.0
    sheet = tasks.every("MAP")
    led = model.led(sheet.rows())
    assert set(trace_damage(led, led, sheet)["before"]) == {1.0}
