"""`unteach memorize`: its table, its page, and what it says of nobody."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from unteach.audit.latex import PaperTable
from unteach.cli.app import app
from unteach.core import Table, quoted, unquoted, visible
from unteach.memorize import Memories
from unteach.memorize.table_files import write
from unteach.report.page.tables import as_csv


def unteach(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with open("people.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["who", "age", "dose", "ill"])
        for k in range(80):
            ill = int(k % 2) if k else 1
            out.writerow(
                [f"someone{k:02d}@example.org", rng.normal(5 * (k % 2)), rng.normal(), ill]
            )
    return tmp_path


FILE = ("people.csv", "--ids-column", "who", "--target", "ill", "--model", "knn", "--models", 40)


def test_the_planted_wrong_label_is_the_most_memorized(folder):
    done = unteach("memorize", *FILE, "--table", "m.csv", "--jobs", 1, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    with open("m.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 80
    top = max(rows, key=lambda r: float(r["hard"]))
    assert top["id"] == "someone00@example.org"
    assert float(top["low"]) <= float(top["hard"]) <= float(top["high"])
    table = next(t for t in said["tables"] if t["name"] == "records")
    assert table["columns"]["record"][0] == "row 1"


def test_reports_name_nobody(folder):
    done = unteach("memorize", *FILE, "--page", "shown", "--jobs", 1)
    assert done.exit_code == 0, done.output
    page = (folder / "shown" / "index.html").read_text()
    assert "row 1" in page
    for text in (page, (folder / "shown" / "memorize.json").read_text(), done.output):
        assert "example.org" not in text
    for path in (folder / ".unteach").rglob("*"):
        assert path.is_dir() or b"example.org" not in path.read_bytes()


def test_more_models_add_to_those_that_are_there(folder):
    for models in (20, 40):
        done = unteach("memorize", *FILE[:-1], models, "--jobs", 1, "--json")
        assert json.loads(done.stdout)["provenance"]["models"] == models
    other = unteach("memorize", *FILE, "--jobs", 1, "--json", "--store", "fresh")
    mine, theirs = json.loads(done.stdout), json.loads(other.stdout)
    assert mine["tables"] == theirs["tables"]
    assert theirs["command"] == f"{mine['command']} --store fresh"


def test_the_command_to_repeat_trains_as_many_models_as_were_read(folder):
    """Where forty models are there, asking for twenty reads forty, and the command says so."""
    for models in (40, 20):
        done = unteach("memorize", *FILE[:-1], models, "--jobs", 1, "--json")
        assert "--models 40 " in json.loads(done.stdout)["command"]


def test_models_that_do_not_fit_are_refused_or_flagged(folder):
    words = (
        "memorize",
        "wine",
        "--model",
        "mlp",
        "--param",
        "epochs=1",
        "--param",
        "lr=0.001",
        "--models",
        4,
        "--jobs",
        1,
    )
    done = unteach(*words)
    assert done.exit_code != 0
    said = " ".join(done.output.split())
    assert "--even-unconverged" in said and "trains nothing anew" in said
    assert "unconverged=" not in said  # which is how Python says it
    flagged = unteach(*words, "--even-unconverged", "--json")
    assert flagged.exit_code == 0, flagged.output
    assert "too small" in json.loads(flagged.stdout)["answer"][0]["text"]


def test_bad_options_are_refused_before_any_training(folder):
    for words, said in (
        (("wine", "--table", "m.txt"), ".csv or .parquet"),
        (("wine", "--model", "nobody"), "nobody"),
        (("wine", "--fraction", 1.5, "--models", 4), "between 0 and 1"),
        (("wine", "--threshold", 2), "threshold lies in [0, 1)"),
        (("nothing",), "no data"),
    ):
        done = unteach("memorize", *words)
        assert done.exit_code == 2
        assert said in " ".join(done.output.split())
    assert not (folder / ".unteach").exists() or not any((folder / ".unteach").rglob("*.shard"))


def test_more_neighbours_are_taken_at_their_word(folder):
    """Of fifteen neighbours a record is one: hardly any is known by heart, unlike with one."""
    found = {}
    for k in (1, 15):
        more = ("--param", f"n_neighbors={k}", "--even-unconverged")
        done = unteach("memorize", *FILE, *more, "--jobs", 1, "--json")
        readings = json.loads(done.stdout)["readings"]
        found[k] = next(r["value"] for r in readings if r["name"] == "mean memorization")
    assert found[15] < found[1] / 2


# --- what a table does to whoever opens it --------------------------------------------------------

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-1+2",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "＝1+1",
    "a;=1+1",
    "a\n=1+1",
    "a\x1b[31mb",
    "\x9b31m",
    "a\u202eb",
    "\u2066a",
    "\ufeffa",
    "a\x00b",
    "\ud800",
)
HARMLESS = ("ann", "-0.5", "+1", "1e-05", "-inf", "a-b", "a=b", "C:\\x1b", '"x"', "é 中 🙂")


@given(st.text())
@example("'=1")
@example("''")
@example("\\x1b\x1b")
@example("'\\\\x1b")
def test_a_quoted_cell_gives_its_text_back(text):
    assert unquoted(quoted(text)) == text
    assert quoted(text).isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_id_neither_runs_nor_steers(text):
    assert quoted(text)[0] == "'"
    assert not re.search(r"(^|[;\t\n\r])\s*[=+\-@＝]", quoted(text))
    assert visible(text).isprintable()


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_id_stays_as_it_is(text):
    assert quoted(text) == text


def test_every_table_file_holds_ids_that_can_be_told_again(tmp_path):
    ids = [*HOSTILE, *HARMLESS]
    table = Table("t", {"id": ids, "=v": [-0.5] * len(ids)})
    written = write(table, tmp_path / "t.csv").read_bytes().decode()
    for text in (written, as_csv(table)):
        head, *found = csv.reader(text.splitlines())
        assert head == ["id", "'=v"]
        assert [unquoted(row[0]) for row in found] == ids
        assert {row[1] for row in found} == {"-0.5"}
        assert all(line.isprintable() for line in text.splitlines())


def test_a_paper_table_runs_nothing():
    table = PaperTable("t", {"method": ["\\input{x}", "a^^5cb", "~\x1b"], "n": [1, 2, 3]})
    lines = table.to_latex().splitlines()
    assert lines[4] == r"\textbackslash{}input\{x\} & 1 \\"
    assert lines[5] == r"a\textasciicircum{}\textasciicircum{}5cb & 2 \\"
    assert lines[6] == r"\textasciitilde{}\textbackslash{}x1b & 3 \\"


def test_ids_are_safe_in_notebooks_and_terminals_too():
    x = np.arange(24.0).reshape(12, 2)
    ids = [f"{k}[red]\x1b[31m\u202e<b>" for k in range(12)]
    study = Memories(x, np.arange(12) % 2, learner="knn", ids=ids, seed=0)
    study.run(models=20, jobs=1)
    found = study.memorization(unconverged="flag")
    screen = Console(file=io.StringIO(), width=120)
    screen.print(found)
    for text in (screen.file.getvalue(), found._repr_html_()):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[red]" in text
        assert "<b>0" not in text


def test_a_table_from_the_command_line_is_inert(folder):
    with open("people.csv", newline="") as file:
        rows = list(csv.reader(file))
    for row, text in zip(rows[1:], ("=1+1", "a\x1b[31mb", "a\u202eb"), strict=False):
        row[0] = text
    with open("people.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    done = unteach("memorize", *FILE, "--table", "m.csv", "--jobs", 1)
    assert done.exit_code == 0, done.output
    with open("m.csv", newline="") as file:
        cells = [row["id"] for row in csv.DictReader(file)]
    assert cells[:3] == ["'=1+1", r"'a\x1b[31mb", r"'a\u202eb"]
    assert [unquoted(cell) for cell in cells[:3]] == ["=1+1", "a\x1b[31mb", "a\u202eb"]
