"""Files of knowledge from strangers: what is distinct stays so, what is broken is named."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fuzzing import mutants, survey
from unteach.cli.app import app
from unteach.core import BadInput, UnteachError
from unteach.knowledge import (
    KnowledgeBase,
    dead_rules,
    parse_fact,
    parse_rule,
    plan,
    read_answers,
    read_knowledge,
    written,
)
from unteach.knowledge.base.facts import CONTROL
from unteach.skills import load_tower
from unteach.skills.graph.integer_formula import expression

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:">'
TERMS = (
    '<urn:a> <urn:home> "urn:b" .\n<urn:a> <urn:home> <urn:b> .\n'
    '<urn:a> <urn:n> "gift"@en .\n<urn:a> <urn:n> "gift"@de .\n<urn:a> <urn:n> "gift"@EN .\n'
    f'<urn:a> <urn:n> "7" .\n<urn:a> <urn:n> "7"^^<{XSD}integer> .\n'
    f'<urn:a> <urn:n> "7"^^<{XSD}string> .\n<urn:a> <urn:n> "07"^^<{XSD}integer> .\n'
    '<urn:a> <urn:n> "7"^^<urn:t> .\n'
)


def read(tmp_path, name, text):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_knowledge(tmp_path / name)


def refused(tmp_path, name, text, said):
    with pytest.raises(UnteachError, match=said):
        read(tmp_path, name, text)


# -- RDF


@pytest.mark.parametrize("name", ["a.nt", "a.ttl", "a.n3"])
def test_distinct_terms_are_distinct_facts(tmp_path, name):
    pytest.importorskip("rdflib")
    assert read(tmp_path, name, TERMS)[0] == [
        ("urn:home", "urn:a", '"urn:b"'),
        ("urn:home", "urn:a", "urn:b"),
        ("urn:n", "urn:a", '"07"^^xsd:integer'),
        ("urn:n", "urn:a", '"7"'),
        ("urn:n", "urn:a", '"7"^^<urn:t>'),
        ("urn:n", "urn:a", '"7"^^xsd:integer'),
        ("urn:n", "urn:a", '"gift"@de'),
        ("urn:n", "urn:a", '"gift"@en'),
    ]


def test_numbers_of_turtle_and_json_keep_what_tells_them_apart(tmp_path):
    pytest.importorskip("rdflib")
    numbers = "<urn:a> <urn:n> 1, 01, +1, 1.0, 1.00, -0.0, 1e0, true, 'x\\ny' ."
    assert [fact[2] for fact in read(tmp_path, "a.ttl", numbers)[0]] == sorted(
        [
            '"1"^^xsd:integer',
            '"01"^^xsd:integer',
            '"+1"^^xsd:integer',
            '"1.0"^^xsd:decimal',
            '"1.00"^^xsd:decimal',
            '"-0.0"^^xsd:decimal',
            '"1e0"^^xsd:double',
            '"true"^^xsd:boolean',
            '"x\\ny"',
        ]
    )
    values = [7, "7", {"@value": "gift", "@language": "en"}, {"@id": "urn:b"}, "urn:b"]
    told = {"@context": {"n": "urn:n"}, "@id": "urn:a", "n": values}
    assert {f[2] for f in read(tmp_path, "a.jsonld", json.dumps(told))[0]} == {
        '"7"^^xsd:integer',
        '"7"',
        '"gift"@en',
        "urn:b",
        '"urn:b"',
    }


def test_a_plan_over_terms_is_written_back_in_a_request(tmp_path, monkeypatch):
    pytest.importorskip("rdflib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.nt").write_text(TERMS + "_:x <urn:n> _:y .\n")
    (tmp_path / "rules.dl").write_text(
        "english(X) :-\n  'urn:n'(X, \"gift\"@en).\nseven(X) :- 'urn:n'(X, '\"7\"').\n"
    )
    kb = KnowledgeBase.load("kb.nt", rules="rules.dl")
    assert {("english", "urn:a"), ("seven", "urn:a")} <= kb.closure()
    for fact in kb.facts:
        assert parse_fact(written(fact)) == fact
        words = ["plan", "kb.nt", "--rules", "rules.dl", "--forget", written(fact), "--json"]
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0, told.stderr
        assert json.loads(told.stdout)["remove"] == [list(fact)]
    assert '"gift"@en' in str(plan(kb, [("english", "urn:a")]))


BLANK = {
    "a.ttl": "_:x <urn:p> [ <urn:q> (1 2) ], _:y . [] <urn:p> _:x .",
    "a.nt": "_:x <urn:p> _:y .\n_:z <urn:p> _:x .\n_:y <urn:p> _:z .\n",
    "a.jsonld": '{"@context": {"p": "urn:p"}, "p": [{"p": "x"}, {"p": {"p": 1}}, {"@list": [1]}]}',
    "a.rdf": f'{RDF}<rdf:Description><e:p rdf:nodeID="k"/><e:q><e:T/></e:q></rdf:Description>'
    "</rdf:RDF>",
}


def test_blank_nodes_have_the_same_names_at_every_reading(tmp_path):
    pytest.importorskip("rdflib")
    for name, text in BLANK.items():
        (tmp_path / name).write_text(text)
    told = (
        "import sys; from unteach.knowledge import read_knowledge\n"
        "for p in sys.argv[1:]: print(read_knowledge(p))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", told, *(str(tmp_path / name) for name in BLANK)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert elsewhere.splitlines() == [str(read_knowledge(tmp_path / name)) for name in BLANK]
    other = read(tmp_path, "b.nt", BLANK["a.nt"] + "_:y <urn:p> _:x .\n")[0]
    nodes = [
        {n for f in facts for n in f if n.startswith("_:")}
        for facts in (read_knowledge(tmp_path / "a.nt")[0], other)
    ]
    assert len(nodes[0]) == len(nodes[1]) == 3 and nodes[0].isdisjoint(nodes[1])


def test_relative_names_are_those_of_the_file_wherever_it_lies(tmp_path, monkeypatch):
    pytest.importorskip("rdflib")
    text = "<a> <p> <>, <#me> , </top>. @base <http://x/y/> . <a> <../p> <http://x/b>."
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        assert read(tmp_path / folder, "a.ttl", text)[0] == [
            ("http://x/p", "http://x/y/a", "http://x/b"),
            ("p", "a", "#me"),
            ("p", "a", "/top"),
            ("p", "a", "<>"),
        ]
    refused(tmp_path, "a.ttl", "<../a> <p> <b> .", "climbs out of its folder")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.n3", "{ <urn:a> <urn:b> <urn:c> } => { <urn:d> <urn:e> <urn:f> } .", "formula"),
        ("a.n3", "?x <urn:p> 1 .", "Variable 'x'"),
        ("a.n3", "? <urn:p> 1 .", "empty string as name"),
        ("a.ttl", "<urn:a> <urn:b> <\\U00110000> .", "Invalid unicode"),
        ("a.ttl", "<urn:a> <urn:b> <urn:c> .\nx:a <urn:b> 1 .", "line 2: Prefix"),
        ("a.ttl", "[" * 3000, "nested too deeply"),
        ("a.ttl", "<urn:a> <urn:b> <_:c> .", "blank node"),
        ("a.nt", '<urn:a> <urn:b> "x" .\n\n# no\n<urn:a> <urn:b> x .\n', "line 4"),
        ("a.nt", '<urn:a> <urn:b> "\\uD800" .', "."),
        ("a.nt", b"<urn:a\xff>", "UTF-8"),
        (
            "a.jsonld",
            '{"@context": {"p": "urn:p"}, "@graph": [{"p": 1}], "@id": "urn:g", "p": 2}',
            "named graph",
        ),
        ("a.jsonld", '{"@context": {"p": "urn:p"}, "p": 1, "p": 2}', "'p' stands twice"),
        ("a.jsonld", '{"@context": {"p": "urn:p"}, "p": NaN}', "NaN"),
        ("a.jsonld", '{"@context": {"p": "urn:p"}, "p": 1e999}', "1e999"),
        ("a.jsonld", "5", "cannot access|no statement"),
        ("a.jsonld", '{"p": 1}', "no statement"),
        ("a.jsonld", "[" * 9000, "deep"),
        ("a.json", "[" * 9000, "deep"),
        ("a.json", "[" + "9" * 5000, "digits|line 1"),
        ("a.rdf", RDF + "<e:T></rdf:RDF>", "line 1: mismatched tag"),
        ("a.rdf", "<?xml version='1.0' encoding='no'?><a/>", "line 1: unknown encoding"),
        ("a.rdf", RDF + "\n<rdf:li/></rdf:RDF>", "line 2: Invalid node element"),
    ],
)
def test_broken_rdf_is_refused_by_name(tmp_path, name, text, said):
    pytest.importorskip("rdflib")
    refused(tmp_path, name, text, said)


def test_entities_are_refused_before_they_grow(tmp_path):
    pytest.importorskip("rdflib")
    grow = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 9))
    refused(tmp_path, "a.rdf", f'<!DOCTYPE a [<!ENTITY e0 "x">{grow}]><a>&e8;</a>', "DOCTYPE")
    wide = f"\n<!DOCTYPE a [<!ENTITY a 'b'>]>{RDF}</rdf:RDF>".encode("utf-16")
    refused(tmp_path, "a.xml", wide, "line 2: a <!DOCTYPE>")


@contextlib.contextmanager
def listener():
    """Yield an address, and what asked there."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def serve():
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    caller, _ = server.accept()
                    asked.append(caller.getpeername())
                    caller.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b'{"@context": {"p": "urn:p"}}')
                    caller.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/ctx", asked
        over.set()
        thread.join()


def test_no_reader_opens_the_network_or_another_file(tmp_path):
    pytest.importorskip("rdflib")
    canary = tmp_path / "context.jsonld"
    canary.write_text('{"@context": {"p": "urn:canary"}}')
    with listener() as (address, asked):
        for where in (address, canary.as_uri(), str(canary), "context.jsonld"):
            contexts = [
                where,
                [where],
                [[{}, where]],
                {"@import": where},
                {"q": {"@id": "urn:q", "@context": where}},
            ]
            for context in contexts:
                told = [{"@context": context, "@id": "urn:a", "p": "x", "q": {"p": "y"}}]
                refused(tmp_path, "a.jsonld", json.dumps(told), "nothing but the file is opened")
                inner = {"@context": {"r": "urn:r"}, "r": {"@context": context, "p": "x"}}
                refused(tmp_path, "a.jsonld", json.dumps(inner), "nothing but the file is opened")
            for dtd in (
                f'<!DOCTYPE a SYSTEM "{where}">',
                f'<!DOCTYPE a PUBLIC "a" "{where}">',
                f'<!DOCTYPE a [<!ENTITY b SYSTEM "{where}">]>',
                f'<!DOCTYPE a [<!ENTITY % b SYSTEM "{where}"> %b;]>',
            ):
                refused(tmp_path, "a.rdf", f"{dtd}{RDF}<e:T>&b;</e:T></rdf:RDF>", "DOCTYPE")
            include = f'<e:T><e:p><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" \
href="{where}" parse="text"/></e:p></e:T>'
            style = f'<?xml-stylesheet href="{where}"?>'
            owl = f"<urn:a> <http://www.w3.org/2002/07/owl#imports> <{where}> ."
            base = f"@base <{where}> . @prefix : <{where}#> . {owl} :a :b <>."
            for name, text in (
                ("a.rdf", f"{style}{RDF}{include}</rdf:RDF>"),
                ("a.nt", owl),
                ("a.ttl", base),
                ("a.n3", owl),
                ("b.tsv", where),
            ):
                with contextlib.suppress(BadInput):
                    assert "urn:canary" not in str(read(tmp_path, name, text))
            with contextlib.suppress(UnteachError):
                read_knowledge(where)
        assert asked == []
        socket.create_connection(("127.0.0.1", int(address.split(":")[2].split("/")[0]))).close()
    assert len(asked) == 1  # it would have heard


# -- triples and answers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "person\trel\tother\nann\tfather\tbob\nbob\tfather\tcarl\n"),
        ("a.csv", "von,beziehung,nach\nann,father,bob\n"),
        ("a.txt", "s\tp\to\nann\tfather\tbob\n"),
        ("a.json", '[["rel", "person", "person"], ["father", "ann", "bob"]]'),
    ],
)
def test_a_first_line_that_may_be_a_header_is_noted(tmp_path, monkeypatch, name, text):
    with pytest.warns(UserWarning, match="(line|entry) 1: .* read as a fact"):
        read(tmp_path, name, text)
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["plan", name, "--forget", "father(ann, bob)"])
    assert told.exit_code == 0 and "if it is a header" in " ".join(told.stderr.split())


def test_headers_of_parts_are_known_and_stand_above(tmp_path):
    assert read(tmp_path, "a.csv", "Subject,Predicate\nbob,male\n")[0] == [("male", "bob")]
    twice = "subject,predicate,object\nsubject,predicate,object\na,b,c\n"
    entry = '[["predicate", "subject", "object"], ["p", "a", "b"]]'
    for name, text in (
        ("a.csv", "ann,father,bob\nsubject,predicate,object\n"),
        ("a.csv", twice),
        ("a.json", entry),
    ):
        refused(tmp_path, name, text, "(line|entry) [12].* is a header")


def test_cells_are_read_alike_in_facts_and_answers(tmp_path):
    facts, _ = read(tmp_path, "a.csv", 'ann, father, "bob, jr"\r\n')
    assert facts == [("father", "ann", "bob, jr")]
    (tmp_path / "b.csv").write_text(
        'subject, predicate, object, probability\n ann , father, "b", .5 \n'
    )
    assert read_answers(tmp_path / "b.csv") == {("father", "ann", "b"): 0.5}
    (tmp_path / "c.csv").write_text('fact, probability\r"father(ann, bob)", 1e-1\r')
    assert read_answers(tmp_path / "c.csv") == {("father", "ann", "bob"): 0.1}


@pytest.mark.parametrize(
    "number",
    [
        "0_1",
        "\u0661",
        "1e400",
        "nan",
        "inf",
        "0x1",
        "1\u00a0",
        "1.5",
        "-0.1",
        "",
        "1e",
        "+",
        "1,0",
        "True",
        "0.5 0.5",
    ],
)
def test_a_probability_is_a_plain_number(tmp_path, number):
    (tmp_path / "a.csv").write_text(f'fact,probability\n"p(a)",0.5\n"p(b)","{number}"\n')
    with pytest.raises(BadInput, match="line 3: a probability is in"):
        read_answers(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('fact,probability,probability\n"p(a)",0.1,0.9\n', "'probability' twice"),
        ('fact,Fact\n"p(a)","p(b)"\n', "'fact' twice"),
        ("subject,predicate,object,object\na,p,b,c\n", "'object' twice"),
        ('fact,subject,predicate,object\n"p(a, b)",a,p,c\n', "line 2: p.a, b. is the fact and"),
        ('fact,"probability\n', "line 1"),
        ("x" * 200_000, "line 1"),
        ("fact\n'p(a\x00)'\n", "line 2: holds the control character"),
    ],
)
def test_answers_that_contradict_themselves_are_refused(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_answers(tmp_path / "a.csv")


@pytest.mark.parametrize("mark", ["\0", "\x1b", "\x0b", "\x85", "\x7f"])
def test_a_control_character_stands_in_no_name(tmp_path, mark):
    for name, text in (
        ("a.tsv", f"a\tp\tb\na\tp\tb{mark}c"),
        ("a.csv", f"a,p,b\na,p,{mark}b"),
        ("a.dl", f"p(a).\np('b{mark}')"),
        ("a.dl", f"p(a)\n{mark}p()"),
    ):
        refused(tmp_path, name, text, "line 2: holds the control character")
    refused(tmp_path, "a.json", json.dumps([["p", "a"], ["p", f"a{mark}"]]), "entry 2.*control")
    for make in (
        lambda: KnowledgeBase([("p", f"a{mark}b")]),
        lambda: parse_fact(f"p('a{mark}')"),
        lambda: parse_rule(f"p(X) :- q(X, 'a{mark}b')"),
    ):
        with pytest.raises(BadInput, match="control character"):
            make()


# -- rules


def test_clauses_stand_on_several_lines_and_several_on_one(tmp_path):
    text = """% kin
/* of two
   lines */ father(ann, bob). father(bob, carl).  # here too
age(ann, 3.5). age(bob, -3). age(carl, 2024-01-01)
grandfather(X, Z) :-   % the head
    father(X, Y),
    father(
       Y, Z).
kin(X, Y)
  :- father(X, Z)
   , father(Z, Y), X \\= Y
kin(X, Y) :- father(X, Y)
"""
    facts, rules = read(tmp_path, "a.dl", text.replace("\n", "\r\n"))
    assert facts == [
        ("father", "ann", "bob"),
        ("father", "bob", "carl"),
        ("age", "ann", "3.5"),
        ("age", "bob", "-3"),
        ("age", "carl", "2024-01-01"),
    ]
    assert list(map(str, rules)) == [
        "grandfather(X, Z) :- father(X, Y), father(Y, Z)",
        "kin(X, Y) :- father(X, Z), father(Z, Y), X != Y",
        "kin(X, Y) :- father(X, Y)",
    ]
    assert parse_rule("p(X) :-\n  q(X).") == parse_rule("p(X) :- q(X)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p(X) :- \\+ q(X).", "no negation"),
        ("p(X) :- not q(X).", "no negation"),
        ("p(X) :- q(X), !.", "no cut"),
        ("p(X) :- q(X), X = a.", "one name for two that are equal"),
        ("p(X) :- q(X), X >= 3.", "not compared"),
        ("p(X) :- q(X); r(X).", "each alternative"),
        ("p(X) :- q(X) & r(X).", "between commas"),
        ("p(X) <- q(X).", "':-' stands between"),
        ("wet.", "'wet' stands without an argument"),
        ("wet(X) :- rain.", "'rain' stands without"),
        (":- dynamic(p).", "directive"),
        ("?- p(X).", "query"),
        ("p([a]).", "no lists"),
        ("p(f(X)).", "f in .* has arguments of its own"),
        ("/* p(a).", "has no end"),
        ("p('a).", "the quote has no end on its line"),
        ("p('a\\n').", "means nothing"),
        ("p(a, '').", "empty name"),
        (".", "expected a name"),
        ("p(X) :- X is 3.", "expected '\\('"),
    ],
)
def test_what_no_clause_says_is_refused_with_its_line_and_what_to_write(tmp_path, text, said):
    refused(tmp_path, "a.dl", f"q(a).\n\n% c\n{text}\nq(b).\n", f"a.dl, lines? 4.*{said}")


def test_an_error_within_a_clause_of_several_lines_is_named_by_them(tmp_path):
    refused(tmp_path, "a.dl", "p(a).\nq(X) :-\n  p(X),\n  r(X) s(X).\np(b).", "lines 2 to 4: ")
    refused(tmp_path, "a.dl", "p(X) :-\n  q(Y).\n", "lines 1 to 2: unsafe rule")


def test_rules_that_never_fire_are_counted_in_one_line():
    book = [f"kin(X, Y) :- {name}(X, Y)" for name in ("mother", "wife", "son", "aunt", "niece")]
    book += ["sibling(X, Y) :- mother(Z, X), mother(Z, Y)", "kin(X, Y) :- brother(X, Y)"]
    with pytest.warns(UserWarning, match="never fire") as told:
        KnowledgeBase([("brother", "a", "b")], book)
    (note,) = [str(one.message) for one in told]
    assert note.startswith("6 of 7 rules can never fire") and "did you mean" not in note
    assert "'aunt', 'mother', 'niece' or 'son' (and 1 more names)" in note


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("fathr", "father", "father"),
        ("fahter", "father", "father"),
        ("fathers", "father", "father"),
        ("Father", "father", "father"),
        ("mother", "brother", None),
        ("son", "sun", None),
        ("grandmother", "grandfather", None),
        ("uncle", "aunt", None),
    ],
)
def test_a_typo_is_guessed_where_the_name_is_close(name, known, meant):
    rule = parse_rule(f"kin(X, Y) :- {name}(X, Y)")
    assert [d.meant for d in dead_rules([rule], [known])] == [meant]
    again = [rule, parse_rule(f"more(X, Y) :- {name}(Y, X)")]
    assert [d.meant for d in dead_rules(again, [known])] == [None, None]


# -- towers


TOWER = """name = "logic"
symbols = ["0", "1"]
[constants]
two = 2
[maps]
swap = { 0 = "1", 1 = "0" }
[skills.NOT]
inputs = ["a"]
table = { 0 = "1", 1 = "0" }
[skills.AND]
inputs = ["a", "b"]
rule = "min(a, b) % two"
outputs = 1
about = "both"
[skills.OR]
inputs = ["a", "b"]
calls = "NOT(AND(NOT(a), NOT(b)))"
needs = ["NOT"]
[[reductions]]
skill = "AND"
from = "NOT(OR(NOT(a), NOT(b)))"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('needs = ["NOT"]', "needs = 5", "needs of OR must be a list"),
        ('needs = ["NOT"]', 'needs = "NOT"', "needs of OR must be a list"),
        ('needs = ["NOT"]', "needs = [[1]]", "must be text"),
        ("outputs = 1", 'outputs = "many"', "outputs of AND must be a whole number"),
        ("outputs = 1", "outputs = [1]", "outputs of AND must be a whole number"),
        ("outputs = 1", "outputs = 1.5", "outputs of AND must be a whole number"),
        ("two = 2", f"two = {10**23}", "the constant two holds a whole number above"),
        ("two = 2", "two = 2.0", "the constant two must be a whole number"),
        ("two = 2", "two = true", "the constant two must be a whole number"),
        ("two = 2", "two = " + "9" * 5000, "digits"),
        ("two = 2", "two = " + "[" * 5000, "deep"),
        ("% two", f"% {10**23}", "whole number above"),
        ("min(a, b)", "-" * 20_000 + "a", "deep|read"),
        ("min(a, b)", "(" * 3000 + "a" + ")" * 3000, "read"),
        ("min(a, b)", "a" + "+1" * 300, "deep"),
        ("min(a, b)", "a" + "+1" * 5000, "deep|depth"),
        ("min(a, b)", "4000000000", "above"),
        ("min(a, b) % two", "*".join(["2000000000"] * 3), "64 bits"),
        ("min(a, b)", "a * 2000000000 * 2000000000 * 2000000000 // 3", "64 bits"),
        ("NOT(AND(", "\\u0000NOT(AND(", "null"),
        ("NOT(AND(", "NOT(" * 2000 + "AND(", "read"),
        ('swap = { 0 = "1", 1 = "0" }', 'swap = { 0 = 1, 1 = "0" }', "from text to text"),
        ('["0", "1"]', '["0", "1 2"]', "without spaces"),
        ('["0", "1"]', "[0, 1.5]", "must be text"),
        ('name = "logic"', "name = 5", "name must be text"),
        ('"both"', "5", "about.*must be text"),
        ('rule = "min(a, b) % two"', "rule = 5", "rule.*must be text"),
        ('from = "NOT(OR(NOT(a), NOT(b)))"', "from = [1]", "must be text"),
        (
            'inputs = ["a"]\ntable',
            f"inputs = {list('abcdefghijklmnopqrstuvwxyz')}\ntable",
            "at most",
        ),
    ],
)
def test_a_tower_that_is_no_tower_is_refused_by_name(tmp_path, old, new, said):
    assert old in TOWER
    (tmp_path / "t.toml").write_text(TOWER)
    assert load_tower(tmp_path / "t.toml").names == ("NOT", "AND", "OR")
    (tmp_path / "t.toml").write_text(TOWER.replace(old, new, 1))
    with pytest.raises(BadInput, match=said):
        load_tower(tmp_path / "t.toml")


def test_a_tower_of_many_floors_is_refused_or_read(tmp_path):
    floors = "".join(
        f'[skills.F{k}]\ninputs = ["a"]\ncalls = "F{k - 1}(a)"\n' for k in range(1100, 0, -1)
    )
    (tmp_path / "t.toml").write_text(
        f'name = "t"\nsymbols = ["0", "1"]\n{floors}[skills.F0]\ninputs = ["a"]\nrule = "a"\n'
    )
    with pytest.raises(BadInput, match="too deeply"):
        load_tower(tmp_path / "t.toml")


def test_a_rule_of_common_depth_is_read():
    assert expression("+".join(["a"] * 100), ["a"])(np.array([[1]])).tolist() == [[100]]
    power = "a"
    for _ in range(40):
        power = f"{power} * a % 7"
    assert expression(power, ["a"])(np.array([[3]])).tolist() == [[3**41 % 7]]


# -- damaged files


SEEDS = {
    "a.tsv": [
        "ann\tfather\tbob\nbob\tfather\tcarl\n\nmale\tbob\n",
        "head\trelation\ttail\na\tp\tb\n",
    ],
    "a.csv": ['subject,predicate,object\nann,father,"bob, jr"\nbob,father,carl\n', "male,bob\n"],
    "a.json": ['[["father", "ann", "bob"], ["male", "b\\u00e9b", 1]]', '[["p", "a"], ["p", "b"]]'],
    "a.dl": [
        "% c\nfather(ann, 'Bob \\'x'). male(bob).\ngf(X, Z) :-\n father(X, Y), /* c */\n "
        'father(Y, Z), X != Z.\nn(a, "gift"@en, "7"^^xsd:integer, -3.5)\nage(X:male, Y) :- '
        "n(X, _, Y, _)\n"
    ],
    "answers.csv": [
        'fact,probability\n"father(ann, bob)",0.9\n"male(bob)", 1e-3\n',
        "subject,predicate,object,probability\nann,father,bob,.5\nbob,father,carl,1\n",
    ],
    "a.nt": [TERMS, BLANK["a.nt"] + '# c\n<urn:a> <urn:b> "\\u00e9\\n\\"" .\n'],
    "a.ttl": [
        "@prefix : <http://x/> .\n@base <http://y/> .\n:a a :B ; :n 1, 01, 1.5e3, true, "
        '"""a\n"b" """@en-GB, [ :p (1 "x") ], _:k .\n_:k <q#> "7"^^:t .\n',
        BLANK["a.ttl"],
    ],
    "a.n3": ["@prefix : <http://x/> .\n{ :a :b ?x } => { ?x :c :d } .\n:a = :b . :a :c 1 .\n"],
    "a.rdf": [
        f'<?xml version="1.0" encoding="utf-8"?>\n{RDF}<rdf:Description rdf:about="a" '
        'xml:lang="en"><e:p rdf:parseType="Collection"><e:T rdf:ID="k"/></e:p><e:q '
        'rdf:parseType="Literal"><b>x</b></e:q><e:r rdf:datatype="urn:t">1</e:r><rdf:li>x'
        "</rdf:li></rdf:Description></rdf:RDF>",
        f'<!DOCTYPE a [<!ENTITY b "c">]>{RDF}<e:T>&b;</e:T></rdf:RDF>',
    ],
    "a.jsonld": [
        json.dumps(
            {
                "@context": {
                    "@base": "http://x/",
                    "@vocab": "http://y/",
                    "p": {"@id": "urn:p", "@container": "@list"},
                    "q": {"@type": "@id", "@reverse": "urn:q"},
                },
                "@id": "a",
                "@type": "T",
                "p": [1, 1.5, True, {"@value": "x"}],
                "q": "b",
                "n": {"@value": "g", "@language": "en"},
                "@graph": [],
            }
        ),
        BLANK["a.jsonld"],
        '{"@context": "http://127.0.0.1:9/x", "p": 1}',
    ],
    "t.toml": [TOWER],
}


def used(folder: Path, name: str):
    """Return what reads one kind of file as its users do, and looks at what came of it."""
    path = folder / name

    def use(raw: bytes) -> None:
        path.write_bytes(raw)
        if name == "t.toml":
            str(load_tower(path))
            return
        if name == "answers.csv":
            answers = read_answers(path)
            assert all(0 <= p <= 1 for p in answers.values())
            facts = list(answers)
        else:
            facts, rules = read_knowledge(path)
            assert all(parse_rule(str(rule)) == rule for rule in rules)
            if facts:
                KnowledgeBase(facts, rules)
        for fact in facts:
            assert len(fact) > 1 and all(fact) and not CONTROL.search("".join(fact))
            assert parse_fact(written(fact)) == fact

    return use


def damaged(folder, n_cases, seed=0):
    """Return the faults of all readers over so many damaged files, spread over the kinds."""
    faults = []
    for k, (name, seeds) in enumerate(SEEDS.items()):
        cases = mutants([text.encode() for text in seeds], -(-n_cases // len(SEEDS)), seed=seed + k)
        faults += [f"{name} {one}: {one.data!r}" for one in survey(used(folder, name), cases)]
    return faults


def test_damaged_files_are_refused_in_a_sentence(tmp_path):
    pytest.importorskip("rdflib")
    assert damaged(tmp_path, 550) == []


@pytest.mark.slow
def test_many_damaged_files_are_refused_in_a_sentence(tmp_path):
    pytest.importorskip("rdflib")
    assert damaged(tmp_path, 5500) == []


def test_the_seeds_of_damage_are_read_as_they_are(tmp_path):
    pytest.importorskip("rdflib")
    whole = {}
    for name, seeds in SEEDS.items():
        whole[name] = 0
        for text in seeds:
            with contextlib.suppress(UnteachError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                used(tmp_path, name)(text.encode())
                whole[name] += 1
    assert all(whole[name] for name in SEEDS if name != "a.n3"), whole
