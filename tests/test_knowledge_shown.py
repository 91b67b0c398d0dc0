"""Plans and proofs as they are shown: on the command line, as trees, and for Graphviz."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from unteach.cli.app import app
from unteach.core import BadInput
from unteach.knowledge import KnowledgeBase, parse_fact, plan, read_answers
from unteach.knowledge.planning.pictures import branch, dot, picture
from unteach.report import Branch, Page, Tree, write_page

RULES = "grandfather(X, Z) :- father(X, Y), father(Y, Z)\nfather(X, Y) :- child(Y, X)\n"
TRIPLES = "ann\tfather\tbob\nbob\tfather\tcarl\nbob\tchild\tann\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.tsv").write_text(TRIPLES)
    (tmp_path / "rules.txt").write_text(RULES)
    return tmp_path


def unteach(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def planned(*words):
    return unteach("plan", "kb.tsv", "--rules", "rules.txt", *words)


def test_a_plan_on_the_command_line(files):
    asked = ("--forget", "father(ann, bob)", "--preserve", "grandfather(ann, carl)")
    told = planned(*asked)
    assert told.exit_code == 0, told.stderr
    assert "remove 2 facts" in told.stdout and "no cheaper way exists" in told.stdout
    assert told.stdout.count("child(bob, ann)") == 1
    found = json.loads(planned(*asked, "--json").stdout)
    assert found["feasible"] and found["optimal"] and found["cost"] == 2
    assert found["remove"] == [["father", "ann", "bob"], ["child", "bob", "ann"]]
    assert found["promote"] == [["grandfather", "ann", "carl"]]
    (files / "gone.dl").write_text("father(ann, bob)\n")
    (files / "kept.csv").write_text("ann,grandfather,carl\n")
    named = planned("--forget-from", "gone.dl", "--preserve-from", "kept.csv", "--json")
    again = json.loads(named.stdout)
    assert {k: v for k, v in again.items() if k != "seconds"} == {
        k: v for k, v in found.items() if k != "seconds"
    }
    twice = planned(*asked, "--json", "--format", "svg")
    assert twice.exit_code == 2
    assert "two forms; choose one" in twice.stderr


def test_an_impossible_plan_says_why_and_exits_with_three(files):
    asked = (
        "--forget",
        "grandfather(ann, carl)",
        "--preserve",
        "father(ann, bob)",
        "--preserve",
        "father(bob, carl)",
    )
    told = planned(*asked)
    assert told.exit_code == 3
    for words in (
        "impossible",
        "grandfather(ann, carl)  [forgotten, and follows]",
        "give up",
        "or forget",
    ):
        assert words in told.stdout, words
    found = json.loads(planned(*asked, "--json").stdout)
    assert found["witness"]["preserved"] == [["father", "ann", "bob"], ["father", "bob", "carl"]]
    assert [w["cost"] for w in found["ways_out"]] == [1, 1]
    based = planned(
        "--forget", "father(ann, bob)", "--preserve", "grandfather(ann, carl)", "--base-only"
    )
    assert based.exit_code == 3 and "without --base-only" in based.stdout


def test_files_of_facts_have_their_parts_in_the_same_order(files):
    (files / "kb.tsv").write_text("father\tann\tbob\nfather\tbob\tcarl\n")
    (files / "gone.tsv").write_text("father\tann\tbob\n")
    order = ("--columns", "predicate,subject,object")
    told = planned(*order, "--forget-from", "gone.tsv", "--json")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["remove"] == [["father", "ann", "bob"]]
    (files / "a.csv").write_text('fact\n"father(ann, bob)"\n')
    told = unteach("deduce", "kb.tsv", "a.csv", *order, "--about-from", "gone.tsv", "--json")
    assert json.loads(told.stdout)["recalled"] == 1


def test_what_is_wrong_on_the_command_line_is_one_sentence(files):
    for words, code, said in (
        (("--forget", "father(ann, eve)"), 3, "cannot forget father(ann, eve)"),
        (("--forget", "father(ann"), 2, "expected"),
        ((), 3, "names no fact to forget"),
        (("--forget", "father(ann, bob)", "--columns", "a,b"), 2, "columns are"),
    ):
        told = planned(*words)
        assert told.exit_code == code and said in told.stderr
        assert len(told.stderr.splitlines()) == 1
    (files / "rules.txt").write_text("grandfather(X, Z) :- father(X, Y)\n")
    told = planned("--forget", "father(ann, bob)")
    assert told.exit_code == 2 and "line 1: unsafe rule" in told.stderr


def test_a_rule_that_never_fires_is_noted(files):
    (files / "rules.txt").write_text(RULES + "uncle(X, Y) :- fathr(X, Y)\n")
    told = planned("--forget", "father(ann, bob)", "--json")
    assert "can never fire" in told.stderr and json.loads(told.stdout)["feasible"]


def test_what_a_model_still_says_on_the_command_line(files):
    (files / "a.csv").write_text(
        'fact,probability\n"father(bob, carl)",0.9\n"child(bob, ann)",0.8\n"father(ann, bob)",0.1\n'
    )
    told = unteach("deduce", "kb.tsv", "a.csv", "--rules", "rules.txt")
    assert told.exit_code == 0, told.stderr
    assert "2 still said" in told.stdout and "2 not said and still derivable" in told.stdout
    words = ("deduce", "kb.tsv", "a.csv", "--rules", "rules.txt", "--json")
    found = json.loads(unteach(*words).stdout)
    assert (found["facts"], found["recalled"], found["deducible"]) == (4, 2, 4)
    strict = json.loads(unteach(*words, "--at", "0.85").stdout)
    assert (strict["recalled"], strict["deducible"]) == (1, 1)
    one = json.loads(unteach(*words, "--about", "grandfather(ann, carl)").stdout)["rows"]
    assert [(r["fact"], r["strength"], r["steps"]) for r in one] == [
        ("grandfather(ann, carl)", 0.8, 2)
    ]
    assert one[0]["from"] == "father(bob, carl); child(bob, ann)"


def test_a_fact_that_nobody_knows_is_not_taken_for_a_safe_one(files):
    (files / "a.csv").write_text('fact\n"father(bob, carl)"\n"likes(bob, eve)"\n')
    words = ("deduce", "kb.tsv", "a.csv", "--rules", "rules.txt", "--json")
    told = unteach(*words, "--about", "fathr(ann, bob)", "--about", "likes(bob, eve)")
    assert told.exit_code == 0 and json.loads(told.stdout)["recalled"] == 1
    note = " ".join(told.stderr.split())
    assert note.startswith("note: neither KB nor the answers lead to fathr(ann, bob)")
    assert "likes" not in note
    assert unteach(*words, "--about", "father(ann, bob)").stderr == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,p\na,1\n", "the header names"),
        ("fact,probability\np(a,1\n", "line 2"),
        ('fact,probability\n"p(a)",0.5\n"p(b)",high\n', "line 3"),
        ("", "the header names"),
        ("subject,predicate,object\na,p\n", "line 2: 3 cells"),
        ("subject,predicate,object\na,,b\n", "line 2.*empty part"),
        ('fact,prob\n"p(a)",0.1\n', "'prob'.*'probability'"),
        ('fact,probability\n"p(a)",90%\n', "line 2: a probability is in .0, 1., got '90%'"),
        ('fact,probability\n"p(a)",1.5\n', "line 2: a probability is in .0, 1., got '1.5'"),
        ('fact,probability\n"p(a)",nan\n', "line 2: a probability is in .0, 1., got 'nan'"),
    ],
)
def test_broken_answers_are_named_by_their_line(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_answers(tmp_path / "a.csv")


def test_other_columns_of_answers_are_no_matter_beside_a_probability(tmp_path):
    (tmp_path / "a.csv").write_text('id,fact,probability\n7,"p(a)",0.25\n')
    assert read_answers(tmp_path / "a.csv") == {("p", "a"): 0.25}


def test_answers_may_be_triples(tmp_path):
    (tmp_path / "a.csv").write_text("subject,predicate,object\nann,father,bob\n")
    assert read_answers(tmp_path / "a.csv") == {("father", "ann", "bob"): 1.0}


# -- pictures


def knowledge():
    facts = [(p, s, o) for s, p, o in (line.split("\t") for line in TRIPLES.splitlines())]
    return KnowledgeBase(facts, RULES.splitlines())


def test_svg_is_xml_and_names_every_fact_and_nothing_unescaped():
    name = "<b>&'\"x"
    kb = KnowledgeBase([("a", name)], ["b(X) :- a(X)"])
    tree = Tree((branch(kb.proofs(("b", name))[0], kept=[("b", name)]),), "A <title>")
    root = ET.fromstring(tree.svg())
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [parse_fact(t) for t in (texts[0], texts[3])] == [("b", name), ("a", name)]
    assert texts[1:3] == ["kept", "b(X) :- a(X)"] and texts[4] == "stated"
    assert tree.svg() == tree.svg()


def test_a_tree_stands_on_a_page_and_in_a_terminal(tmp_path):
    tree = picture(knowledge(), plan(knowledge(), [("father", "ann", "bob")]))
    assert "[forgotten, follows no more]" in tree.text() and "[removed]" in tree.text()
    page = Page("t", "q", (), (tree,), "", "", {})
    written = write_page(page, tmp_path / "p.html").read_text()
    assert "t-gone" in written and ".t-gone" in written and "Figure 1" in written
    with pytest.raises(BadInput, match="at least one tree"):
        Tree(())
    with pytest.raises(BadInput, match="a node is one of"):
        Branch("a", "strange")
    with pytest.raises(BadInput, match="no reading"):
        Page("t", "q", (), (Tree(tree.roots, caption="{none}"),), "", "", {})


def test_the_picture_of_an_impossible_request_is_its_witness():
    kb = knowledge()
    found = plan(kb, [("grandfather", "ann", "carl")], kb.facts[:2])
    tree = picture(kb, found)
    assert [n.kind for _, n, _ in tree.roots[0].walk()] == ["leak", "kept", "kept"]
    assert tree.title.startswith("Impossible: grandfather(ann, carl) follows from father(ann, bob)")
    based = plan(kb, [("father", "ann", "bob")], [("grandfather", "ann", "carl")], promote=False)
    assert "cannot be had without father(ann, bob)" in picture(kb, based).title


def test_names_with_braces_cite_no_reading():
    kb = KnowledgeBase([("a", "{x}")], ["b(X) :- a(X)"])
    tree = picture(kb, plan(kb, [("b", "{x}")], [("a", "{x}")]))
    Page("t", "q", (), (tree,), "", "", {})
    assert "<title>Impossible: b(&#x27;{x}&#x27;) follows" in tree.svg()


def test_long_proofs_are_cut_and_say_so():
    n = 300
    facts = [("next", str(k), str(k + 1)) for k in range(n)] + [("seen", "0")]
    kb = KnowledgeBase(facts, ["seen(Y) :- seen(X), next(X, Y)"])
    tree = picture(kb, plan(kb, [("seen", str(n))]))
    assert len(list(tree.roots[0].walk())) <= 60
    assert "not shown" in tree.text() and ET.fromstring(tree.svg()) is not None


def test_graphviz_names_every_node_and_edge():
    kb = knowledge()
    found = plan(kb, [("father", "ann", "bob"), ("grandfather", "ann", "carl")])
    tree = picture(kb, found)
    lines = dot(tree).splitlines()
    nodes = sum(len(list(root.walk())) for root in tree.roots)
    assert sum("label=" in line for line in lines) == nodes
    assert sum("->" in line for line in lines) == nodes - len(tree.roots)
    assert lines[0] == "digraph unteach {" and lines[-1] == "}"
