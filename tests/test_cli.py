"""The command line: what it promises a user, a script, and whoever is forgotten."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from unteach import models
from unteach.cli.app import app
from unteach.core import Reading, Table
from unteach.engine import run_tasks
from unteach.report import Page, ReadingsBlock

PERSON = "zebedee.quill@example.org"
PEOPLE = [PERSON, *(f"someone{k:02d}@example.org" for k in range(1, 30))]


def unteach(*words: Any, stdin: str | None = None) -> Any:
    """Run a command in this process; stdout and stderr come apart."""
    return CliRunner().invoke(app, [str(w) for w in words], input=stdin)


def real(*words: Any, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "unteach", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=480,
        **options,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with a table of people: text ids, and a column of e-mails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_people(tmp_path / "people.csv")
    (tmp_path / "who.txt").write_text(f"{PERSON}\n")
    return tmp_path


def write_people(path: Path, *, seed: int = 0, n: int = 150) -> list[str]:
    rng = np.random.Generator(np.random.PCG64(seed))
    ids = []
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["visit", "person", "age", "dose", "marker", "ill"])
        for k in range(n):
            age, dose, marker = rng.normal(50, 12), rng.normal(), rng.normal()
            ill = "yes" if (age - 50) / 12 + dose + 0.7 * rng.normal() > 0 else "no"
            ids.append(f"v{seed}-{k:03d}")
            out.writerow(
                [ids[-1], PEOPLE[k % 30], round(age, 3), round(dose, 4), round(marker, 4), ill]
            )
    return ids


def table(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "people.csv").read_text().splitlines()))


COLUMNS = ("--data", "people.csv", "--ids-column", "visit", "--target", "ill")
WHO = ("--group", "person", "--values-from", "who.txt")


def fitted(*more: Any, model: str = "logistic", out: str = "m.unteach") -> None:
    done = unteach(
        "fit",
        "people.csv",
        *COLUMNS[2:],
        "--group",
        "person",
        "--model",
        model,
        "--out",
        out,
        *more,
    )
    assert done.exit_code == 0, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def settled(folder: Path) -> dict[str, bytes]:
    """Return all but SQLite's journal, which goes when the last connection closes."""
    return {k: v for k, v in contents(folder).items() if not k.endswith(("-wal", "-shm"))}


def one_sentence(done: Any, code: int) -> str:
    """Assert that a command failed in one line on stderr and nothing on stdout."""
    assert done.exit_code == code, (done.exit_code, done.stdout, done.stderr)
    assert done.stdout == ""
    said = done.stderr.strip()
    assert said.startswith("unteach: ")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


# -- the round trip


def test_fit_forget_show_round_trip(folder: Path) -> None:
    fitted()
    before = (folder / "m.unteach").read_bytes()
    write_people(folder / "fresh.csv", seed=1)
    done = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--holdout", "fresh.csv")
    assert done.exit_code == 0, done.stderr
    assert "5 rows of 1 person" in done.stdout
    assert (folder / "m.unteach").read_bytes() == before
    old, new = models.load("m.unteach"), models.load("m.forgotten.unteach")
    assert len(old.sample_ids_) - len(new.sample_ids_) == 5
    listed = json.loads(unteach("runs", "--json").stdout)
    assert [(r["name"], r["status"]) for r in listed] == [("forget", "finished")]
    shown = json.loads(unteach("show", listed[0]["id"][:6], "--json").stdout)
    names = {r["name"] for r in shown["readings"]}
    assert {"prediction gap", "residual fraction", "holdout utility", "residue"} <= names
    said = {row[0]: row[1] for row in _rows(shown, "verdicts", "metric", "verdict")}
    assert said["residual fraction"] == "as retrained"
    assert unteach("show", listed[0]["id"]).exit_code == 0
    report = next((folder / ".unteach" / "reports").iterdir())
    assert report.read_text().startswith("<!doctype html>")
    assert list(folder.glob(".*.unteach*")) == [], "nothing half-written is left"


def _rows(document: dict[str, Any], table: str, *columns: str) -> list[tuple[Any, ...]]:
    found = next(t for t in document["tables"] if t["name"] == table)
    return list(zip(*(found["columns"][c] for c in columns), strict=True))


def test_the_same_order_gives_the_same_bytes_and_one_run(folder: Path) -> None:
    fitted()
    words = ("forget", "m.unteach", *COLUMNS, *WHO)
    assert unteach(*words, "--out", "a.unteach").exit_code == 0
    assert unteach(*words, "--out", "b.unteach").exit_code == 0
    assert (folder / "a.unteach").read_bytes() == (folder / "b.unteach").read_bytes()
    assert len(json.loads(unteach("runs", "--json").stdout)) == 1


def test_one_by_one_equals_all_at_once(folder: Path) -> None:
    fitted(model="bayes")
    both = f"{PEOPLE[3]}\n{PEOPLE[4]}\n"
    group = ("--group", "person", "--values-from", "-")
    assert (
        unteach(
            "forget", "m.unteach", *COLUMNS, *group, "--out", "all.unteach", stdin=both
        ).exit_code
        == 0
    )
    assert (
        unteach(
            "forget", "m.unteach", *COLUMNS, *group, "--out", "one.unteach", stdin=f"{PEOPLE[3]}\n"
        ).exit_code
        == 0
    )
    assert (
        unteach(
            "forget", "one.unteach", *COLUMNS, *group, "--in-place", stdin=f"{PEOPLE[4]}\n"
        ).exit_code
        == 0
    )
    one, together = models.load("one.unteach"), models.load("all.unteach")
    assert np.array_equal(one.theta_, together.theta_)


def test_doing_nothing_does_not_pass_for_forgetting(folder: Path) -> None:
    fitted()
    done = unteach(
        "forget",
        "m.unteach",
        *COLUMNS,
        *WHO,
        "--method",
        "do-nothing",
        "--accept",
        "heuristic",
        "--json",
    )
    assert done.exit_code == 0, done.stderr
    said = dict(_rows(json.loads(done.stdout), "verdicts", "metric", "verdict"))
    assert said["residual fraction"] == "under-forgotten"
    assert "fails" in [finding["verdict"] for finding in json.loads(done.stdout)["answer"]]


def test_a_bundled_set_needs_no_columns(folder: Path) -> None:
    done = unteach(
        "fit", "wine", "--model", "svc", "--param", "gamma=0.0001", "--out", "w.unteach", "--json"
    )
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 178
    done = unteach("forget", "w.unteach", "--data", "wine", "--id", 7, "--id", 8, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 2


def test_a_parquet_file_is_read_and_the_new_model_is_as_private_as_the_old(folder: Path) -> None:
    pytest.importorskip("pyarrow")
    from unteach.data import load, write_table

    write_table(load("wine"), folder / "wine.parquet")
    columns = ("--target", "y", "--leave-out", "group")
    done = unteach(
        "fit",
        "wine.parquet",
        "--ids-column",
        "id",
        *columns,
        "--model",
        "bayes",
        "--out",
        "w.unteach",
    )
    assert done.exit_code == 0, done.stderr
    (folder / "w.unteach").chmod(0o600)
    words = ("forget", "w.unteach", "--data", "wine.parquet", "--ids-column", "id", *columns)
    assert unteach(*words, "--id", 5, "--no-audit").exit_code == 0
    assert (folder / "w.forgotten.unteach").stat().st_mode & 0o777 == 0o600


def test_near_duplicates_are_named_by_row(folder: Path) -> None:
    rows = (folder / "people.csv").read_text().splitlines()
    mine = next(row for row in rows if PERSON in row)
    twin = mine.replace(PERSON, PEOPLE[5]).replace(mine.split(",")[0], "twin")
    (folder / "people.csv").write_text("\n".join([*rows, twin]) + "\n")
    fitted()
    dry = json.loads(unteach("forget", "m.unteach", *COLUMNS, *WHO, "--dry-run", "--json").stdout)
    assert {"row": len(rows), "exact": True} in [
        {k: near[k] for k in ("row", "exact")} for near in dry["near_duplicates"]
    ]
    done = unteach("forget", "m.unteach", *COLUMNS, *WHO)
    assert f"{len(rows)}" in next(line for line in done.stdout.splitlines() if "review" in line)


# -- nobody is named


@pytest.mark.parametrize("model", ["logistic", "sklearn.linear_model:RidgeClassifier"])
def test_the_person_occurs_nowhere_but_in_the_users_own_files(folder: Path, model: str) -> None:
    fitted(model=model)
    ids = [r["visit"] for r in table(folder) if r["person"] == PERSON]
    done = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--report", "report.html", "--json")
    assert done.exit_code == 0, done.stderr
    plain = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--out", "again.unteach")
    assert plain.exit_code == 0, plain.stderr
    dry = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    run = json.loads(unteach("runs", "--json").stdout)[-1]["id"]
    said = [d.stdout + d.stderr for d in (done, plain, dry, unteach("show", run, "--json"))]
    own = {"people.csv", "who.txt", "m.unteach"}
    files = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in own}
    assert any(p.name == "store.db" for p in files)
    for value in (PERSON, *ids):
        for text in said:
            assert value not in text
        for path, raw in files.items():
            for kind in ("utf-8", "utf-16-le", "utf-32-le"):
                assert value.encode(kind) not in raw, f"{path} names someone"
    assert "person-" in done.stdout


def test_no_caption_that_is_stored_names_anyone(folder: Path) -> None:
    from unteach.cli.names import Names
    from unteach.core import Rows

    records = Rows(
        np.array(["v1", "v2"]),
        {"x": np.zeros((2, 1)), "y": np.arange(2)},
        groups=np.array(["Ada", "Zoe"]),
    )
    names = Names(b"key")
    for caption, columns, kept in (
        ("distances to v1", {"id": ["v1"]}, ""),
        ("of zoe, and of v12", {"n": [1]}, ""),
        ("1 nothing forgotten", {"n": [1]}, "1 nothing forgotten"),
    ):
        assert names.discreet(Table("t", columns, caption=caption), records).caption == kept


def test_errors_name_nobody(folder: Path) -> None:
    fitted()
    rows = (folder / "people.csv").read_text().splitlines()
    (folder / "twice.csv").write_text("\n".join([*rows, rows[1]]))
    (folder / "text.csv").write_text("\n".join(rows))
    (folder / "more.txt").write_text(f"{PERSON}\nnobody.known@example.org\n")
    (folder / "headless.csv").write_text("\n".join(rows[1:]))
    first = rows[1].split(",")[0]
    for words, code in (
        (("fit", "headless.csv", "--ids-column", "row", "--target", "ill", "--out", "x"), 2),
        (("fit", "headless.csv", "--out", "x"), 2),
        (
            (
                "fit",
                "twice.csv",
                "--ids-column",
                "visit",
                "--target",
                "ill",
                "--leave-out",
                "person",
                "--out",
                "x",
            ),
            2,
        ),
        (("fit", "text.csv", "--ids-column", "visit", "--target", "ill", "--out", "x"), 2),
        (("forget", "m.unteach", *COLUMNS, "--group", "person", "--values-from", "more.txt"), 3),
        (("forget", "m.unteach", *COLUMNS, "--leave-out", "person", "--id", "nobody.known"), 3),
    ):
        said = one_sentence(unteach(*words), code)
        assert PERSON not in said
        assert "nobody.known" not in said
        assert first not in said


def test_a_path_that_names_someone_is_not_stored(folder: Path) -> None:
    fitted(out=f"for-{PERSON}.unteach")
    (folder / f"{PERSON}.txt").write_text(f"{PERSON}\n")
    done = unteach(
        "forget",
        f"for-{PERSON}.unteach",
        *COLUMNS,
        "--group",
        "person",
        "--values-from",
        f"{PERSON}.txt",
        "--out",
        "new.unteach",
    )
    assert done.exit_code == 0, done.stderr
    for path, raw in contents(folder / ".unteach").items():
        assert PERSON.encode() not in raw, path


@pytest.mark.parametrize("who", ["Zoe", "Ada Lovelace"])
def test_no_path_is_stored(folder: Path, who: str) -> None:
    name = who.lower().replace(" ", "_")
    text = (folder / "people.csv").read_text().replace(PERSON, who)
    (folder / f"{name}.csv").write_text(text)
    columns = ("--data", f"{name}.csv", *COLUMNS[2:])
    assert (
        unteach(
            "fit",
            f"{name}.csv",
            *COLUMNS[2:],
            "--group",
            "person",
            "--model",
            "bayes",
            "--out",
            f"{name}.unteach",
        ).exit_code
        == 0
    )
    done = unteach(
        "forget",
        f"{name}.unteach",
        *columns,
        "--group",
        "person",
        "--values-from",
        "-",
        "--out",
        f"new-{name}.unteach",
        stdin=who,
    )
    assert done.exit_code == 0, done.stderr
    for path, raw in contents(folder / ".unteach").items():
        assert name.encode() not in raw, path
        assert who.encode() not in raw, path
    run = json.loads(unteach("runs", "--json").stdout)[0]["id"]
    assert "--out OUT" in json.loads(unteach("show", run, "--json").stdout)["command"]


def test_purged_names_can_be_linked_to_nobody(folder: Path) -> None:
    fitted()
    words = ("forget", "m.unteach", *COLUMNS, *WHO, "--json", "--force", "--no-audit")
    name = _rows(json.loads(unteach(*words).stdout), "forgotten", "person")[0]
    assert _rows(json.loads(unteach(*words).stdout), "forgotten", "person")[0] == name
    assert unteach("purge", "--forget-names", "--yes").exit_code == 0
    assert _rows(json.loads(unteach(*words).stdout), "forgotten", "person")[0] != name


# -- a dry run


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    fitted()
    before = contents(folder)
    done = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert contents(folder) == before
    said = json.loads(done.stdout)
    assert (said["rows"], said["groups"], said["method"]) == (5, 1, "Native")
    assert said["claim"]["kind"] == "exact"
    assert said["expected_seconds"] > 0
    assert said["expected_seconds_how"]
    assert isinstance(said["near_duplicates"], list)
    plain = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--dry-run")
    assert "nothing is changed" in plain.stdout
    assert contents(folder) == before


def test_a_dry_run_beside_a_store_changes_no_byte_of_it(folder: Path) -> None:
    fitted(model="sklearn.linear_model:RidgeClassifier")
    assert unteach("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit").exit_code == 0
    before = settled(folder)
    words = ("forget", "m.forgotten.unteach", *COLUMNS, "--group", "person", "--values-from", "-")
    done = unteach(*words, "--dry-run", "--json", stdin=f"{PEOPLE[2]}\n")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["learned_from"] == 145
    assert settled(folder) == before


def test_a_dry_run_claims_and_notes_what_the_real_run_does(folder: Path) -> None:
    fitted(model="svc")  # whose gamma is computed from the data
    words = ("forget", "m.unteach", *COLUMNS, *WHO, "--json")
    dry = json.loads(unteach(*words, "--dry-run").stdout)
    done = json.loads(unteach(*words).stdout)
    assert dry["notes"] == done["notes"]
    assert any("gamma" in note for note in dry["notes"])
    assert any("gamma" in constant for constant in dry["claim"]["given"])
    kind = _rows(done, "forgetting", "claim")[0][0]
    assert all(constant in kind for constant in dry["claim"]["given"])


def test_lines_fit_eighty_columns(folder: Path) -> None:
    fitted(model="svc")
    for more in (("--dry-run",), ()):
        done = unteach("forget", "m.unteach", *COLUMNS, *WHO, *more)
        own = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if "unteach forget" not in line and "/" not in line
        ]
        assert max(map(len, own)) <= 80, max(own, key=len)


def test_finding_no_bytes_is_no_proof_where_a_model_keeps_no_rows(folder: Path) -> None:
    fitted(model="sklearn.naive_bayes:GaussianNB")
    done = unteach("forget", "m.unteach", *COLUMNS, *WHO, "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)["answer"]
    found = [f for f in answer if "residue" in str(f)]
    assert [f["verdict"] for f in found] == ["unknown"], found
    why = dict(_rows(json.loads(done.stdout), "verdicts", "metric", "why"))
    assert not any("trial" in text for text in why.values()), why
    assert "--holdout" in why["holdout utility"]


# -- what is found, and what is not


def test_values_come_from_stdin(folder: Path) -> None:
    fitted()
    group = ("--group", "person", "--values-from", "-")
    done = unteach(
        "forget",
        "m.unteach",
        *COLUMNS,
        *group,
        "--no-audit",
        "--json",
        stdin=f"\n  {PERSON}  \n{PERSON}\n\n",
    )
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 5
    ids = unteach(
        "forget",
        "m.unteach",
        *COLUMNS,
        "--leave-out",
        "person",
        "--ids",
        "-",
        "--no-audit",
        "--json",
        "--force",
        stdin="v0-003\nv0-004\n",
    )
    assert json.loads(ids.stdout)["rows"] == 2


def test_nothing_found_is_an_error(folder: Path) -> None:
    fitted()
    before = contents(folder)
    group = ("forget", "m.unteach", *COLUMNS, "--group", "person", "--values-from", "-")
    assert "nothing was found" in one_sentence(unteach(*group, stdin="who@ever.org\n"), 3)
    assert "empty" in one_sentence(unteach(*group, stdin="\n\n"), 3)
    mixed = f"{PERSON}\nwho@ever.org\n"
    assert "line 2 of stdin" in one_sentence(unteach(*group, stdin=mixed), 3)
    assert contents(folder) == before
    done = unteach(*group, "--skip-missing", "--no-audit", stdin=mixed)
    assert done.exit_code == 0, done.stderr


def test_forgetting_twice_finds_nothing_the_second_time(folder: Path) -> None:
    for model in ("logistic", "sklearn.linear_model:RidgeClassifier"):
        fitted("--force", model=model)
        words = ("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit", "--in-place")
        assert unteach(*words).exit_code == 0
        assert "nothing was found" in one_sentence(unteach(*words), 3)


def test_only_people_whose_rows_the_model_holds_are_counted(folder: Path) -> None:
    fitted()
    assert unteach("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit", "--in-place").exit_code == 0
    who = ("--group", "person", "--values-from", "-")
    words = ("forget", "m.unteach", *COLUMNS, *who, "--dry-run")
    done = unteach(*words, stdin=f"{PERSON}\n{PEOPLE[2]}\n")
    assert done.exit_code == 0, done.stderr
    assert "5 rows of 1 person" in done.stdout and "of 2 people" not in done.stdout


def test_rows_deleted_from_the_data_before_the_model_forgot_have_a_way_out(folder: Path) -> None:
    fitted("--force")
    whole = (folder / "people.csv").read_text().splitlines()
    kept = [line for line in whole if PERSON not in line]
    gone = [line.split(",")[0] for line in whole if PERSON in line]
    (folder / "people.csv").write_text("\n".join(kept) + "\n")
    who = ("--group", "person", "--values-from", "-")
    words = ("forget", "m.unteach", *COLUMNS, *who, "--dry-run")
    said = one_sentence(unteach(*words, stdin=f"{PEOPLE[2]}\n"), 2)
    assert "models.load(MODEL).forget(ids).save(OUT)" in said
    models.load("m.unteach").forget(gone).save("m.unteach")
    assert unteach(*words, stdin=f"{PEOPLE[2]}\n").exit_code == 0


def test_after_doing_nothing_the_rows_can_still_be_found(folder: Path) -> None:
    fitted(model="sklearn.linear_model:RidgeClassifier")
    words = ("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit", "--in-place")
    assert unteach(*words, "--method", "do-nothing", "--accept", "heuristic").exit_code == 0
    assert unteach(*words).exit_code == 0


def test_whoever_was_forgotten_is_not_learned_again_by_a_model_that_keeps_no_ids(
    folder: Path,
) -> None:
    fitted(model="sklearn.naive_bayes:GaussianNB")
    learned = json.loads(unteach("runs", "--json").stdout)[0]["id"]
    assert "150 rows" in unteach("show", learned).stdout
    assert unteach("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit").exit_code == 0
    group = ("--group", "person", "--values-from", "-", "--no-audit", "--out", "next.unteach")
    words = ("forget", "m.forgotten.unteach", *COLUMNS, *group)
    said = one_sentence(unteach(*words, "--store", "other", stdin=f"{PEOPLE[2]}\n"), 3)
    assert "--all-of-data" in said
    assert unteach(*words, "--json", stdin=f"{PEOPLE[2]}\n").exit_code == 0
    assert models.load("next.unteach").class_count_.sum() == 140
    rows = (folder / "people.csv").read_text().splitlines()
    (folder / "people.csv").write_text("\n".join(rows[:-1]))  # no more the rows that were learned
    again = (*words, "--force")
    assert "--all-of-data" in one_sentence(unteach(*again, stdin=f"{PEOPLE[2]}\n"), 3)
    (folder / "people.csv").write_text("\n".join(rows))
    assert unteach("purge", "--forget-names", "--yes").exit_code == 0
    before = settled(folder)
    for more in ((), ("--dry-run",)):
        assert "--all-of-data" in one_sentence(unteach(*again, *more, stdin=f"{PEOPLE[2]}\n"), 3)
        assert settled(folder) == before, "nothing was done, and no key was made"
    word = (*again, "--all-of-data", "--json", "--report", "r.html")
    assert "does not reproduce" in one_sentence(unteach(*word, stdin=f"{PEOPLE[2]}\n"), 3)
    done = unteach(*word, "--no-verify", stdin=f"{PEOPLE[2]}\n")
    assert done.exit_code == 0, done.stderr
    assert any("--all-of-data" in note for note in json.loads(done.stdout)["notes"])
    assert "--all-of-data" in (folder / "r.html").read_text()


def test_forgetting_everything_or_a_class_is_refused(folder: Path) -> None:
    fitted()
    everyone = "\n".join(PEOPLE)
    done = unteach(
        "forget", "m.unteach", *COLUMNS, "--group", "person", "--values-from", "-", stdin=everyone
    )
    assert "leaves nothing" in one_sentence(done, 3)
    ill = [r["visit"] for r in table(folder) if r["ill"] == "yes"]
    done = unteach(
        "forget", "m.unteach", *COLUMNS, "--leave-out", "person", "--ids", "-", stdin="\n".join(ill)
    )
    one_sentence(done, 3)
    assert not (folder / "m.forgotten.unteach").exists()


# -- bad input


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("fit", "people.csv", "--out", "x"), 2, "'visit', 'person', 'age'"),
        (
            ("fit", "people.csv", "--ids-column", "nope", "--target", "ill", "--out", "x"),
            2,
            "'nope'",
        ),
        (
            ("fit", "nowhere.csv", "--ids-column", "a", "--target", "b", "--out", "x"),
            2,
            "nowhere.csv",
        ),
        (("fit", "irises", "--out", "x"), 2, "breast_cancer"),
        (("fit", "wine", "--model", "forest", "--out", "x"), 2, "logistic"),
        (("fit", "wine", "--param", "depth=3", "--out", "x"), 2, "'depth'"),
        (("fit", "wine", "--param", "depth", "--out", "x"), 2, "KEY=VALUE"),
        (("fit", "wine", "--model", "no.such:Thing", "--out", "x"), 2, "no.such"),
        (
            ("fit", "wine", "--model", "sklearn.preprocessing:StandardScaler", "--out", "x"),
            2,
            "classifier",
        ),
        (("fit", "wine", "--model", "sklearn.cluster:KMeans", "--out", "x"), 2, "classifier"),
        (("fit", "people.csv", *COLUMNS[2:], "--leave-out", "age,dose", "--out", "x"), 2, "again"),
        (("compare", "wine", "--methods", ","), 2, "--methods"),
        (("compare", "wine", "--methods", "magic"), 2, "over-forget"),
        (("fit", "wine", "--out", "no/such/../../who.txt/x"), 2, "cannot write"),
        (("fit", "diabetes", "--model", "logistic", "--out", "x"), 2, "classifier"),
        (("fit", "wine"), 2, "--out"),
        (("forget", "m.unteach", *COLUMNS), 2, "--group COLUMN"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--id", "1"), 2, "one way"),
        (("forget", "m.unteach", *COLUMNS, "--group", "person"), 2, "--values-from"),
        (
            ("forget", "m.unteach", *COLUMNS, "--group", "city", "--values-from", "who.txt"),
            2,
            "'city'",
        ),
        (("forget", "m.unteach", *COLUMNS, "--id", "v0-001"), 2, "--leave-out"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--accept", "sworn"), 2, "sworn"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--method", "magic"), 2, "magic"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--method", "do-nothing"), 3, "heuristic"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--accept", "certified"), 3, "Newton"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--out", "m.unteach"), 2, "--in-place"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--out", "who.txt"), 2, "--force"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--holdout", "people.csv"), 2, "new to it"),
        (("forget", "m.unteach", "--data", "wine", "--id", "1"), 2, "13"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--out", "people.csv", "--force"), 2, "people"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--out", "./who.txt", "--force"), 2, "who.txt"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--report", "m.unteach", "--force"), 2, "replace"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--report", "people.csv"), 2, "replace"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--report", "who.txt", "--force"), 2, "replace"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--report", "z", "--out", "z"), 2, "replace"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--report", "old.html"), 2, "--force"),
        (("forget", ".", *COLUMNS, *WHO), 2, "folder"),
        (("forget", "", *COLUMNS, *WHO), 2, "folder"),
        (("forget", "people.csv", *COLUMNS, *WHO), 4, "people.csv"),
        (("forget", "m.unteach", *COLUMNS, *WHO, "--store", "people.csv"), 4, "people.csv"),
        (("show", "abc"), 2, "no project"),
        (("runs", "--store", "nowhere"), 2, "no project"),
        (("purge", "--yes"), 2, "no project"),
        (("study", "margins"), 2, "margin"),
        (("list", "wishes"), 2, "wishes"),
        (("frobnicate",), 2, "frobnicate"),
        (("--frobnicate",), 2, "--frobnicate"),
        (("fit", "wine", "--out", "x", "--seed", "-1"), 2, "seed"),
        (("compare", "wine", "--forget", "10000", "--trials", "2"), 2, "10000"),
    ],
)
def test_every_error_is_one_sentence_and_a_code(
    folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    fitted(model="bayes")
    (folder / "old.html").write_text("kept")
    before = contents(folder)
    assert says in one_sentence(unteach(*words), code)
    assert contents(folder) == before


def test_a_damaged_model_is_named_and_left(folder: Path) -> None:
    fitted()
    raw = (folder / "m.unteach").read_bytes()
    (folder / "m.unteach").write_bytes(raw[: len(raw) // 2])
    said = one_sentence(unteach("forget", "m.unteach", *COLUMNS, *WHO), 4)
    assert "m.unteach" in said
    assert (folder / "m.unteach").read_bytes() == raw[: len(raw) // 2]


def test_a_pickle_is_refused_then_allowed(folder: Path) -> None:
    import pickle

    from sklearn.linear_model import LogisticRegression

    from unteach.data import load, rows, write_table

    wine = load("wine")
    x, y = wine.x[:, :3], wine.y
    (folder / "m.pkl").write_bytes(pickle.dumps(LogisticRegression(max_iter=5000).fit(x, y)))
    write_table(rows(x, y), folder / "wine.csv")
    words = (
        "forget",
        "m.pkl",
        "--data",
        "wine.csv",
        "--ids-column",
        "id",
        "--target",
        "y",
        "--id",
        "3",
        "--no-audit",
    )
    assert "--allow-pickle" in one_sentence(unteach(*words), 3)
    assert "--all-of-data" in one_sentence(unteach(*words, "--allow-pickle"), 3)
    done = unteach(*words, "--allow-pickle", "--all-of-data")
    assert done.exit_code == 0, done.stderr
    assert (folder / "m.forgotten.pkl").exists()


def test_an_untrusted_type_is_refused_then_trusted(folder: Path) -> None:
    fitted(model="sklearn.tree:DecisionTreeClassifier")
    words = ("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit")
    assert "--trusted sklearn.tree._tree.Tree" in one_sentence(unteach(*words), 3)
    done = unteach(*words, "--trusted", "sklearn.tree._tree.Tree")
    assert done.exit_code == 0, done.stderr


def test_a_bug_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("unteach.data.load", broken)
    done = unteach("fit", "wine", "--out", "x")
    assert isinstance(done.exception, ZeroDivisionError)
    shown = unteach("--debug", "fit", "irises", "--out", "x")
    assert type(shown.exception).__name__ == "BadInput"


# -- screens and scripts


def test_bare_unteach_shows_three_doors() -> None:
    done = unteach()
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.strip().startswith("▌ ") and line.strip()[2:3] in "123" for line in lines) == 3
    commands = [line.split("$ ")[1].strip() for line in lines if "$ " in line]
    for command in commands:
        words = command.split()
        assert words[0] == "unteach"
        helped = unteach(words[1], "--help")
        for option in (w for w in words if w.startswith("--")):
            assert option in helped.stdout


def test_every_command_has_help_within_eighty_columns() -> None:
    top = unteach("--help")
    for name in ("fit", "forget", "compare", "list", "tour", "study", "runs", "show", "purge"):
        assert name in top.stdout
        helped = unteach(name, "--help")
        assert helped.exit_code == 0
        assert max(len(line) for line in helped.stdout.splitlines()) <= 80
    assert unteach("--version").stdout.startswith("unteach 0.")


@pytest.mark.parametrize("what", ["methods", "metrics", "models", "data", "studies"])
def test_lists_are_for_people_and_for_scripts(what: str) -> None:
    rows = json.loads(unteach("list", what, "--json").stdout)
    assert len(rows) >= 1
    assert all(row["name"] and all(row.values()) for row in rows)
    plain = unteach("list", what)
    assert plain.exit_code == 0
    assert max(len(line) for line in plain.stdout.splitlines()) <= 80


def test_a_method_is_listed_as_the_field_writes_it_and_taken_so() -> None:
    from unteach.cli.learners import method_called
    from unteach.unlearn import METHODS

    names = [row["name"] for row in json.loads(unteach("list", "methods", "--json").stdout)]
    assert {"scrub", "ssd", "label-free-ssd", "rum", "sal-un", "cfk", "ekfac"} <= set(names)
    assert [type(method_called(name)) for name in names[: len(METHODS)]] == list(METHODS)


def test_a_wrong_use_is_said_in_one_line() -> None:
    said = unteach("list").stderr
    assert said.count("\n") == 1 and "choose from: methods, metrics" in said.lower()


def test_a_command_to_copy_fits_the_screen_and_is_the_same_command() -> None:
    import shlex

    from unteach.cli.screen import folded

    command = "unteach forget 'a model.unteach' --data x.csv --values-from - --group 'who is it'"
    shown = folded(command, 12, 50)
    assert max(len(line) for line in shown.splitlines()) <= 50
    assert shlex.split(shown.replace("\\\n", "")) == shlex.split(command)


def test_every_metric_is_listed() -> None:
    from unteach.audit import ALL_METRICS

    names = {row["name"] for row in json.loads(unteach("list", "metrics", "--json").stdout)}
    assert names >= {metric.name for metric in ALL_METRICS}


def test_a_compiled_network_scales_itself_forgets_by_steps_and_is_compared(folder: Path) -> None:
    pytest.importorskip("torch")
    short = ["--model", "mlp", "--param", "epochs=8"]
    done = unteach("fit", "digits", *short, "--out", "m.unteach", "--json")
    said = json.loads(done.stdout)
    assert said["scale"] == "standard" and said["measured"]["value"] > 0.85
    raw = unteach("fit", "digits", *short, "--param", "scale=None", "--out", "r.unteach", "--json")
    assert json.loads(raw.stdout)["scale"] is None
    (folder / "ids.txt").write_text("3\n5\n")
    words = ["--data", "digits", "--ids", "ids.txt", "--method", "fine-tune"]
    done = unteach(
        "forget",
        "m.unteach",
        *words,
        "--out",
        "after.unteach",
        "--accept",
        "exact,certified,heuristic",
        "--json",
    )
    assert done.exit_code == 0, done.output
    after = models.load(folder / "after.unteach")
    assert type(after).__name__ == "TrainedNetwork" and after.learner_.scale == "standard"
    assert not {3, 5} & set(after.sample_ids_.tolist())
    done = unteach(
        "compare", "digits", *short, "--methods", "retrain,fine-tune", "--trials", 2, "--json"
    )
    assert done.exit_code == 0, done.output
    assert [m["claim"] for m in json.loads(done.stdout)["methods"]] == ["exact", "heuristic"]
    done = unteach("compare", "digits", *short, "--trials", 2, "--json")
    assert done.exit_code == 0, done.output  # native is in the default, and networks have none
    said = json.loads(done.stdout)
    assert [m["method"] for m in said["methods"]] == ["Retrain", "DoNothing", "OverForget"]
    assert len(said["left_out"]) == 1 and said["left_out"][0].startswith("Native")
    assert unteach("compare", "digits", *short, "--trials", 2, "--methods", "native").exit_code == 3


def test_a_model_that_is_worse_than_the_one_that_was_measured_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = unteach("fit", "wine", "--model", "bayes", "--out", "m.unteach", "--json")
    said = json.loads(done.stdout)
    assert said["of_its_own"]["value"] > said["measured"]["low"]
    done = unteach("fit", "wine", "--model", "bayes", "--out", "m.unteach", "--force")
    assert "its own" in done.stdout and "failed" not in done.stdout
    monkeypatch.setattr("unteach.cli.fit._own", lambda *_: 0.3)
    done = unteach("fit", "wine", "--model", "bayes", "--out", "m.unteach", "--force")
    assert "0.300" in done.stdout and "another --seed" in " ".join(done.stdout.split())


def test_compare_tells_the_poles_apart() -> None:
    done = unteach(
        "compare",
        "wine",
        "--model",
        "neighbours",
        "--param",
        "n_neighbors=1",
        "--trials",
        3,
        "--forget",
        5,
        "--json",
    )
    assert done.exit_code == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)["methods"]}
    assert set(rows) == {"Retrain", "Native", "DoNothing", "OverForget"}
    assert rows["Native"]["claim"] == "exact"
    assert rows["Native"]["readings"]["prediction gap"]["value"] == 0
    assert rows["DoNothing"]["readings"]["prediction gap"]["value"] > 0
    assert unteach("compare", "wine", "--model", "bayes", "--trials", 2).exit_code == 0


def test_purge_asks_first(folder: Path) -> None:
    fitted()
    assert unteach("forget", "m.unteach", *COLUMNS, *WHO, "--no-audit").exit_code == 0
    reports = folder / ".unteach" / "reports"
    assert unteach("purge", stdin="no\n").exit_code == 3
    assert unteach("purge", stdin="").exit_code == 2
    assert len(list(reports.iterdir())) == 1
    done = unteach("purge", "--json", stdin="purge\n")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["reports"] == 1
    assert list(reports.iterdir()) == []
    run = json.loads(unteach("runs", "--json").stdout)[0]["id"]
    assert unteach("purge", "--yes", "--run", run, "--whole").exit_code == 0
    assert json.loads(unteach("runs", "--json").stdout) == []


def test_help_does_not_import_what_it_does_not_need(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from unteach.cli import app
        print([m for m in ("sklearn", "scipy", "numba", "sqlalchemy") if m in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_real_process_fails_in_one_sentence(folder: Path) -> None:
    done = real("forget", "nothing.unteach", *COLUMNS, *WHO, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert real(cwd=folder).returncode == 0


# -- studies


@dataclass(frozen=True)
class Tiny:
    """A study of a few absolute values."""

    name: str = "tiny"
    question: str = "How large is a number?"

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        return {"study": self.name, "n": 12 if full else 6, "seed": seed}

    def warm_up(self) -> None:
        SEEN.append("warm up")

    def run(self, run: Any, *, jobs: int | None = None, progress: Any = None) -> None:
        if run.finished:
            return
        run.add_tasks({f"task {k}": -k for k in range(run.plan["n"])})

        def ticked(done: int, total: int, what: str) -> None:
            progress(done, total, what)
            if done in STOPS:
                STOPS.remove(done)
                raise KeyboardInterrupt

        run_tasks(run, abs, jobs=1, progress=ticked)

    def conclude(self, run: Any) -> Page:
        if not run.finished:
            values = list(run.results().values())
            mean = sum(values) / len(values)
            reading = Reading(
                "size",
                mean,
                mean,
                mean,
                n=len(values),
                seeds=(0,),
                unit="size",
                unit_of_replication="examples",
                better="none",
                table="sizes",
            )
            run.finish([reading], [Table("sizes", {"size": values})])
        return Page(
            "Tiny",
            self.question,
            (),
            (ReadingsBlock(("size",)),),
            run.command,
            "",
            {},
            run.readings(),
            tuple(run.tables().values()),
        )

    def figure(self, page: Page) -> Any:
        return None


STOPS: list[int] = []
SEEN: list[str] = []


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Put a tiny study in the place of the real ones."""
    study = Tiny()
    monkeypatch.setattr("unteach.studies.STUDIES", (study,))
    STOPS.clear()
    SEEN.clear()
    return study


def test_a_study_writes_its_page_and_its_numbers(folder: Path, tiny: Tiny) -> None:
    done = unteach("study", "tiny", "--full", "--out", "there", "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["readings"][0]["n"] == 12
    assert (folder / "there" / "index.html").exists()
    assert json.loads((folder / "there" / "tiny.json").read_text())["readings"] == said["readings"]
    assert SEEN == ["warm up"]
    again = unteach("study", "tiny", "--full", "--out", "there", "--json")
    assert json.loads(again.stdout)["readings"] == said["readings"]
    assert SEEN == ["warm up"], "a finished study is only read"
    assert json.loads(unteach("show", said["run"], "--json").stdout)["title"] == "Tiny"
    assert "known from before" in again.stderr


def test_the_tour_stops_and_resumes(folder: Path, tiny: Tiny) -> None:
    STOPS.append(4)
    done = unteach("tour", "--out", "t", "--jobs", 1)
    said = one_line_of(done.stderr)
    assert done.exit_code == 130
    assert "4 of 6 tasks of tiny are kept" in said
    assert "unteach tour --out t --seed 0" in said
    assert not (folder / "t" / "index.html").exists()
    resumed = unteach("tour", "--out", "t", "--jobs", 1)
    assert resumed.exit_code == 0, resumed.stderr
    assert resumed.stdout.rstrip().endswith("t/index.html")
    assert "compiled in" in resumed.stderr
    straight = unteach("tour", "--out", "u", "--jobs", 1)
    assert straight.exit_code == 0, straight.stderr
    one, other = (json.loads((folder / k / "tour.json").read_text()) for k in "tu")
    assert one["studies"]["tiny"]["readings"] == other["studies"]["tiny"]["readings"]
    assert one["studies"]["tiny"]["tables"] == other["studies"]["tiny"]["tables"]


def one_line_of(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith("unteach: ")]
    assert len(lines) == 1
    return lines[0]


def test_a_tour_of_several_studies_links_their_pages(
    folder: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unteach.studies.STUDIES", (tiny, Tiny("other", "And another?")))
    done = unteach("tour", "--out", "t", "--json")
    assert done.exit_code == 0, done.stderr
    assert set(json.loads(done.stdout)["studies"]) == {"tiny", "other"}
    assert {p.name for p in (folder / "t").iterdir()} == {
        ".unteach",
        "index.html",
        "tour.json",
        "tiny.html",
        "other.html",
    }


def test_a_folder_that_cannot_be_written_is_said_before_the_work(folder: Path, tiny: Tiny) -> None:
    (folder / "file").write_text("x")
    for words in (
        ("tour", "--out", "file"),
        ("study", "tiny", "--out", "file/there"),
        ("tour", "--out", "/proc/nowhere"),
    ):
        assert "cannot write" in one_sentence(unteach(*words), 2)
    assert SEEN == []


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_in_a_real_process_stops_safely(folder: Path) -> None:
    fitted("--force", "--param", "C=100.0")
    os.mkfifo(folder / "people")
    words = [
        sys.executable,
        "-m",
        "unteach",
        "forget",
        "m.unteach",
        *COLUMNS,
        "--group",
        "person",
        "--values-from",
        "people",
    ]
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with (folder / "people").open("w"):  # which waits until the process reads there
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=240)
    assert process.returncode == 130
    assert said.startswith("unteach: ")
    assert said.count("\n") == 1
    assert not (folder / "m.forgotten.unteach").exists()
