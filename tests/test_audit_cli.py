"""`unteach audit`: its plan, its page, its project, and what it says of nobody."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from unteach.cli.app import app

NET = ("--model", "mlp", "--param", "hidden=(16,)", "--param", "epochs=20", "--param", "lr=0.1")


def unteach(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """People with three visits each; the first ten are ill where nothing says so."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with open("people.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["visit", "who", "age", "dose", "ill"])
        for k in range(120):
            who, ill = k // 3, int(k // 3 % 2)
            row = rng.normal(3 * ill, 1, 2)
            out.writerow(
                [
                    f"visit{k:03d}",
                    f"someone{who:02d}@example.org",
                    *row,
                    1 - ill if who < 10 else ill,
                ]
            )
    with open("who.txt", "w") as file:
        file.write("\n".join(f"someone{k:02d}@example.org" for k in range(10)))
    return tmp_path


FILE = (
    "people.csv",
    "--ids-column",
    "visit",
    "--target",
    "ill",
    "--group",
    "who",
    "--values-from",
    "who.txt",
    *NET,
    "--tier",
    "quick",
    "--jobs",
    1,
)


def test_doing_nothing_is_found_and_nobody_is_named(folder):
    done = unteach("audit", *FILE, "--methods", "do-nothing,retrain", "--page", "shown", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    tables = {t["name"]: t["columns"] for t in said["tables"]}
    assert tables["judgements"]["audit"] == ["valid", "valid"]
    kinds = dict(zip(tables["judgements"]["method"], tables["judgements"]["kind"], strict=True))
    assert kinds["DoNothing"] == "distinguishable"
    assert kinds["Retrain"] in ("inconclusive", "equivalent")
    assert len(tables["forgotten"]["record"]) == 30
    assert "10 whole groups" in tables["claim card"]["reference"][0]
    assert tables["claim card"]["definition"][1].startswith("exact")
    assert tables["costs"]["method"][0] == "retrain"
    assert tables["costs"]["seconds / retrain"][0] == 1.0
    page = (folder / "shown" / "index.html").read_text()
    for text in ("What is claimed", "What each method costs", "competence, not honesty"):
        assert text in page
    again = unteach("show", said["run"], "--json")
    assert json.loads(again.stdout)["tables"] == said["tables"]
    for text in (page, done.output, (folder / "shown" / "audit.json").read_text()):
        assert "example.org" not in text and "visit0" not in text
    for path in (folder / ".unteach").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"example.org" not in raw and b"visit0" not in raw


def test_the_screen_fits_and_the_arms_are_reused_until_a_purge(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    first = unteach("audit", *FILE, "--methods", "do-nothing")
    assert first.exit_code == 0, first.output
    assert all(len(line) <= 80 for line in first.stdout.splitlines())
    assert "48 trainings and 16 forgettings" in first.stdout
    other = unteach("audit", *FILE, "--methods", "retrain")
    assert "16 trainings and 16 forgettings, 48 read" in other.stdout  # originals, to forget from
    assert any((folder / ".unteach" / "shards").rglob("*.said"))
    gone = unteach("purge", "--yes", "--json")
    assert json.loads(gone.stdout)["shards"] == 80
    assert not any((folder / ".unteach" / "shards").rglob("*"))
    assert not any((folder / ".unteach" / "reports").rglob("*"))
    anew = unteach("audit", *FILE, "--methods", "over-forget", "--json")
    own = next(t for t in json.loads(anew.stdout)["tables"] if t["name"] == "audit cost")
    assert own["columns"]["trainings"] == [48]


def test_dry_says_what_and_changes_nothing(folder):
    done = unteach(
        "audit",
        "wine",
        *NET,
        "--methods",
        "do-nothing,retrain",
        "--forget",
        20,
        "--dry-run",
        "--json",
    )
    said = json.loads(done.stdout)
    assert (said["trainings"], said["forgettings"], said["records"]) == (192, 128, 20)
    assert said["detectable"][0] < said["detectable"][1] and said["seconds"] > 0
    shown = unteach("audit", "wine", *NET, "--methods", "do-nothing", "--forget", 20, "--dry-run")
    assert "nothing is done yet" in shown.stdout and "192 trainings" in shown.stdout
    assert not (folder / ".unteach").exists()


def test_a_screen_gives_no_verdict(folder):
    done = unteach(
        "audit",
        "wine",
        *NET,
        "--methods",
        "neg-grad-plus",
        "--forget",
        10,
        "--tier",
        "screen",
        "--jobs",
        1,
    )
    assert done.exit_code == 0, done.output
    assert "so few models allow no verdict" in " ".join(done.stdout.split())


def test_models_in_folders_of_ones_own(folder):
    rng = np.random.default_rng(1)
    made = {
        "original": (16, 6.0),
        "retrained": (32, 0.0),
        "unlearned/mine": (16, 0.0),
        "unlearned/none": (16, 6.0),
    }
    for arm, (count, shift) in made.items():
        (folder / "models" / arm).mkdir(parents=True)
        for k in range(count):
            z = rng.normal(size=(178, 3))
            z[np.arange(20), np.array([0] * 20)] += shift
            np.save(folder / "models" / arm / f"m{k}.npy", z)
    (folder / "ids.txt").write_text("\n".join(map(str, range(20))))
    done = unteach("audit", "wine", "--arms", "models", "--ids", "ids.txt", "--json")
    assert done.exit_code == 0, done.output
    table = next(t for t in json.loads(done.stdout)["tables"] if t["name"] == "judgements")
    kinds = dict(zip(table["columns"]["method"], table["columns"]["kind"], strict=True))
    assert kinds["none"] == "distinguishable" and kinds["mine"] in ("inconclusive", "equivalent")
    plain = unteach("audit", "wine", "--arms", "models", "--ids", "ids.txt", "--methods", "mine")
    assert plain.exit_code == 0, plain.output
    lost = unteach("audit", "wine", "--arms", "models", "--ids", "ids.txt", "--methods", "other")
    assert lost.exit_code == 2 and "no folder 'other'" in " ".join(lost.output.split())


def test_bad_options_are_refused_before_anything_is_learned(folder):
    for words, said in (
        (("wine", "--methods", "do-nothing"), "in one way"),
        (("wine", "--methods", "do-nothing", "--forget", 3, "--group", "class"), "in one way"),
        (("wine", "--methods", "nobody", "--forget", 3), "no method 'nobody'"),
        (("wine", "--forget", 3), "names no method"),
        (("wine", "--methods", "do-nothing", "--forget", 3, "--tier", "weak"), "no tier"),
        (("wine", "--methods", "do-nothing", "--forget", 500), "leaves nothing"),
        (("wine", "--methods", "do-nothing", "--forget", 3, "--margin", 0.7), "--margin"),
        (("wine", "--methods", "do-nothing", "--forget", 3, "--model", "ridge"), "classifiers"),
        (("nothing", "--methods", "do-nothing", "--forget", 3), "no data"),
        (("wine", "--methods", "do-nothing", "--ids", "no.txt"), "cannot read"),
    ):
        done = unteach("audit", *words)
        assert done.exit_code == 2, (words, done.output)
        assert said in " ".join(done.output.split())
    assert not (folder / ".unteach").exists()


def test_a_killed_audit_goes_on(folder):
    """SIGKILL while it trains; the same command reads what was said, and gives the same tables."""
    words = ["audit", *map(str, FILE), "--methods", "do-nothing", "--json"]
    slow = [w.replace("epochs=20", "epochs=300") for w in words]
    child = subprocess.Popen(
        [sys.executable, "-m", "unteach", *slow],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
        start_new_session=True,
    )
    kept = []
    try:
        for _ in range(4800):
            kept = list((folder / ".unteach" / "shards").rglob("*.said"))
            if len(kept) >= 2 or child.poll() is not None:
                break
            time.sleep(0.05)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert 2 <= len(kept) < 64
    before = {p: p.read_bytes() for p in kept}
    done = unteach(*slow)
    assert done.exit_code == 0, done.output
    assert all(p.read_bytes() == raw for p, raw in before.items())
    own = next(t for t in json.loads(done.stdout)["tables"] if t["name"] == "audit cost")
    assert own["columns"]["read from the store"][0] >= 2
    whole = unteach(*slow, "--store", "fresh")
    for one, two in zip(
        json.loads(done.stdout)["tables"], json.loads(whole.stdout)["tables"], strict=True
    ):
        if one["name"] in ("judgements", "verdicts", "yardsticks"):
            assert one == two
