"""`unteach memorize`: its table, its page, and what it says of nobody."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from unteach.cli.app import app


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
            out.writerow([f"someone{k:02d}@example.org", rng.normal(5 * (k % 2)),
                          rng.normal(), ill])  # fmt: skip
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
    words = ("memorize", "wine", "--model", "mlp", "--param", "epochs=1", "--param", "lr=0.001",
             "--models", 4, "--jobs", 1)  # fmt: skip
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
