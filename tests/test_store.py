"""The laws of the project folder: nothing computed twice, nothing half-written, nothing left."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import mutants, survey
from unteach.core import BadInput, Corrupt, Reading, Table, UnteachError, pseudonym
from unteach.store import Damage, Purged, Store, schema
from unteach.store.database import APPLICATION, create
from unteach.store.evidence import measures_time
from unteach.store.migrations import NAMES

PLAN = {"data": "digits", "seed": 0}
SECRET = b"4711;Ada Lovelace;10.12.1815"


def reading(value=0.5, *, name="accuracy", unit="accuracy", table=None):
    return Reading(
        name,
        value,
        value - 0.1,
        value + 0.1,
        n=3,
        unit_of_replication="seeds",
        seeds=(0, 1, 2),
        unit=unit,
        better="higher",
        table=table,
    )


def finish(store, plan=PLAN, *, n=3, name="squares"):
    run = store.begin(plan, name=name)
    run.add_tasks([(f"task {k}", {"k": k}) for k in range(n)])
    for key, payload in run.pending():
        run.record(key, payload["k"] ** 2, seconds=0.25)
    table = Table("squares", {"square": list(run.results().values())}, {"square": "count"})
    run.finish([reading(table="squares")], [table])
    return run


def contents(folder):
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def python(*lines, check=True):
    """Run these lines in a process of their own."""
    code = "\n".join(["import os, signal, sys", "from unteach.store import Store", *lines])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=check, timeout=480
    )


def spawn(*lines):
    """Start a process that runs these lines, says so, and waits to be killed."""
    code = ["import sys, time", "from unteach.store import Store", *lines]
    code += ["print('ready', flush=True)", "time.sleep(480)"]
    process = subprocess.Popen(
        [sys.executable, "-c", "\n".join(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / ".unteach") as opened:
        yield opened


# --- the schema -----------------------------------------------------------------------------------


def shape(path):
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {
        name: (
            connection.execute(f"PRAGMA table_info({name})").fetchall(),
            connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
        )
        for (name,) in names
    }
    connection.close()
    return found


def test_the_migrations_make_the_tables_that_the_code_reads(store, tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    schema.metadata.create_all(engine)
    engine.dispose()
    store.close()
    assert shape(store.path / "store.db") == shape(tmp_path / "declared.db")


def test_every_write_is_durable_exclusive_checked_and_wiped(store):
    with store._database.writing() as connection:
        said = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "foreign_keys", "secure_delete", "synchronous")
        }
        other = sqlite3.connect(store.path / "store.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    assert said == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1, "synchronous": 2}


def test_a_project_of_the_oldest_schema_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path):
    with Store.open(tmp_path / "new") as new:
        finish(new)
    folder = tmp_path / "old"
    (folder / "temporary").mkdir(parents=True)
    create(folder / "store.db", folder / "temporary", upto=1)
    connection = sqlite3.connect(folder / "store.db")
    connection.execute(f"ATTACH '{tmp_path}/new/store.db' AS new")
    connection.execute("INSERT INTO runs SELECT * FROM new.runs")
    connection.execute("UPDATE runs SET status = 'open', finished = NULL, evidence = NULL")
    connection.execute("INSERT INTO tasks SELECT * FROM new.tasks")
    connection.commit()
    connection.close()
    with Store.open(folder) as old:
        run = old.begin(PLAN, name="squares")
        assert run.results() == {"task 0": 0, "task 1": 1, "task 2": 4}
        assert not run.pending()
        run.finish([], [])
        with old._database.reading() as seen:
            rows = seen.execute(sqlalchemy.select(schema.migrations)).all()
        assert [tuple(row) for row in rows] == list(enumerate(NAMES, start=1))


def test_processes_that_create_one_project_at_the_same_moment_share_it(tmp_path):
    line = f"s = Store.open({str(tmp_path / 'p')!r}); print(s.begin({{'seed': 0}}, name='x').id)"
    code = f"from unteach.store import Store; {line}"
    several = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=240) for process in several]
    with Store.open(tmp_path / "p") as opened:
        (run,) = opened.runs()
    for (out, err), process in zip(said, several, strict=True):
        assert out.decode().strip() == run.id or b"is being worked on" in err, err
        assert process.returncode == 0 or b"BadInput" in err


# --- what is refused ------------------------------------------------------------------------------


def foreign_database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.execute("INSERT INTO songs VALUES ('x')")
    connection.commit()
    connection.close()


def newer(path):
    connection = sqlite3.connect(path)
    connection.execute(f"INSERT INTO migrations VALUES ({len(NAMES) + 1}, 'm999_of_tomorrow')")
    connection.commit()
    connection.close()


def gap(path):
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM migrations WHERE number = 2")
    connection.commit()
    connection.close()


def flipped(path):
    raw = bytearray(path.read_bytes())
    for page in range(4096, len(raw), 4096):
        raw[page : page + 64] = bytes(64)
    path.write_bytes(raw)


def shortened(path):
    path.write_bytes(path.read_bytes()[:-5000])


def renamed(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 7")
    connection.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (newer, "newer unteach"),
        (gap, "with gaps"),
        (flipped, "damaged"),
        (shortened, "damaged"),
        (renamed, "another program"),
        (lambda p: p.write_bytes(b""), "not a database"),
        (lambda p: p.write_bytes(b"title;year\n" * 100), "not a database"),
        (lambda p: (p.unlink(), foreign_database(p)), "another program"),
    ],
)
def test_a_damaged_foreign_or_newer_database_is_named_and_left_as_it_is(tmp_path, harm, said):
    folder = tmp_path / "project"
    with Store.open(folder) as opened:
        finish(opened)
        opened.put(b"weights", holds_rows=False)
    harm(folder / "store.db")
    before = contents(folder)
    for create_it in (True, False):
        with pytest.raises(Corrupt, match=said) as error:
            Store.open(folder, create=create_it)
        assert "store.db" in str(error.value)
    assert contents(folder) == before


def test_a_damaged_database_with_a_log_of_a_killed_process_is_left_as_it_is(tmp_path):
    folder = tmp_path / "project"
    process = spawn(
        f"store = Store.open({str(folder)!r})",
        "run = store.begin({'seed': 0}, name='x')",
        "run.add_tasks({str(k): k for k in range(2000)})",
        "store._database.shrink()",
        "run.add_tasks({str(-k): k for k in range(2000)})",
    )
    kill(process)
    assert (folder / "store.db-wal").stat().st_size > 0
    flipped(folder / "store.db")
    before = (folder / "store.db").read_bytes(), (folder / "store.db-wal").read_bytes()
    with pytest.raises(Corrupt, match=r"store\.db"):
        Store.open(folder)
    assert ((folder / "store.db").read_bytes(), (folder / "store.db-wal").read_bytes()) == before


@pytest.mark.parametrize("name", ["thesis.tex", "blobs/sha256-00", "store.db-wal", "temporary/cv"])
def test_a_folder_of_someone_else_is_named_and_left_as_it_is(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(Corrupt, match="not a project"):
        Store.open(tmp_path)
    assert [p.read_text() for p in contents(tmp_path)] == ["mine"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_no_project_and_a_missing_project_is_not_made_unasked(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Corrupt, match="is a file"):
        Store.open(tmp_path / "file")
    with pytest.raises(BadInput, match="no project at"):
        Store.open(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()


def test_what_a_killed_creation_left_is_no_obstacle(tmp_path):
    for name in ("locks/create.lock", "temporary/unteach-x.db", ".gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with Store.open(tmp_path) as opened:
        assert opened.runs() == []


def test_a_place_that_cannot_be_written_is_bad_input():
    drop = ["import os", "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)"]
    with tempfile.TemporaryDirectory(dir="/tmp") as outer:
        folder = Path(outer)
        with Store.open(folder / "p") as opened:
            finish(opened)
        folder.chmod(0o555)
        said = python(*drop, f"Store.open({str(folder / 'new')!r})", check=False).stderr
        assert "BadInput: cannot write" in said, said
        assert not (folder / "new").exists()
        for path in (*folder.rglob("*"), folder):  # a project to be looked at only
            path.chmod(0o555 if path.is_dir() else 0o444)
        said = python(*drop, f"Store.open({str(folder / 'p')!r})", check=False).stderr
        assert "BadInput: cannot write" in said, said
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)


def without_privileges(*lines):
    """Run these lines as a user whom file modes bind, also where the tests are run by root."""
    drop = [
        "import ctypes",
        "if sys.platform == 'linux' and os.getuid() == 0:",
        "    header, none = (ctypes.c_uint32 * 2)(0x20080522), (ctypes.c_uint32 * 6)()",
        "    assert ctypes.CDLL(None).capset(header, none) == 0",
    ]
    return python(*drop, *lines, check=False)


@contextmanager
def unwritable(folder):
    """Let nobody write a folder for a while."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


def test_a_project_that_cannot_be_written_is_listed_read_and_verified():
    with tempfile.TemporaryDirectory(dir="/tmp") as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer) / "p"
        with Store.open(folder) as opened:
            run = finish(opened)
            opened.key()
            blob = opened.put(b"weights", holds_rows=False)
            half = opened.begin({"seed": 1}, name="half")
            half.add_tasks({"a": 1})
        with unwritable(folder):
            before = contents(folder)
            done = without_privileges(
                "from unteach.core import BadInput",
                f"with Store.open({str(folder)!r}, create=False, write=False) as store:",
                "    print([s.status for s in store.runs()], store.verify(), len(store.key()))",
                f"    run = store.run({run.id!r})",
                "    print(run.results(), run.readings()[0].value, list(run.tables()))",
                f"    print(store.get({blob!r}), store.begin({PLAN!r}, name='squares').finished)",
                "    def refused(what):",
                "        try: what()",
                "        except BadInput as error: print(error)",
                "    refused(lambda: store.put(b'x', holds_rows=False))",
                "    refused(lambda: store.begin({'seed': 1}, name='half'))",
                "    refused(store.purge)",
                "from unteach.cli import app",
                f"app(['runs', '--store', {str(folder)!r}], standalone_mode=False)",
                f"app(['show', {run.id!r}, '--store', {str(folder)!r}], standalone_mode=False)",
            )
            assert done.returncode == 0, done.stderr
            assert contents(folder) == before
        lines = done.stdout.splitlines()
        assert lines[0] == "['finished', 'interrupted'] () 32"
        assert lines[1].startswith("{'task 0': 0, 'task 1': 1, 'task 2': 4} 0.5")
        assert lines[2] == "b'weights' True"
        assert all(line.startswith("cannot write") for line in lines[3:6]), lines[3:6]
        assert run.id in done.stdout.split("cannot write")[-1]
        with Store.open(folder, create=False, write=False) as opened:  # where it can be written
            opened.put(b"x", holds_rows=False)


def test_a_log_that_a_killed_process_left_is_read_or_its_place_named():
    """What the log holds is never left out silently."""
    with tempfile.TemporaryDirectory(dir="/tmp") as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer) / "p"
        process = spawn(
            f"store = Store.open({str(folder)!r})",
            "run = store.begin({'seed': 0}, name='x')",
            "run.add_tasks({str(k): k for k in range(20)})",
        )
        kill(process)
        look = (
            f"with Store.open({str(folder)!r}, create=False, write=False) as store:",
            "    print([s.total for s in store.runs()])",
        )
        with unwritable(folder):
            assert without_privileges(*look).stdout == "[20]\n"
        (folder / "store.db-shm").unlink()
        with unwritable(folder):
            done = without_privileges(*look)
            assert "copy the folder to where you may write" in done.stderr


def test_a_path_below_a_file_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot"):
        Store.open(tmp_path / "file" / "project")


def test_a_project_is_readable_by_its_owner_alone(store):
    assert store.path.stat().st_mode & 0o077 == 0
    assert (store.path / ".gitignore").read_text() == "*\n"


def test_a_closed_store_refuses(store):
    store.close()
    store.close()
    for call in (store.runs, store.key, store.verify, store.purge, lambda: store.run("a")):
        with pytest.raises(BadInput, match="was closed"):
            call()


# --- runs -----------------------------------------------------------------------------------------


def test_the_same_plan_is_the_same_run_and_is_not_computed_again(tmp_path):
    with Store.open(tmp_path / "p") as first:
        run = finish(first)
        evidence = run.evidence()
    with Store.open(tmp_path / "p") as second:
        again = second.begin({"seed": 0, "data": "digits"}, name="squares")
        assert (again.id, again.finished, again.pending()) == (run.id, True, [])
        assert again.evidence() == evidence
        assert again.readings() == [reading(table="squares")]
        assert again.tables()["squares"]["square"] == [0, 1, 4]
        again.add_tasks({"task 0": {"k": 0}})
        again.record("task 0", 0)
        for change in (
            lambda: again.add_tasks({"task 9": 1}),
            lambda: again.finish([], []),
            lambda: again.fail("task 0", "no"),
        ):
            with pytest.raises(BadInput, match="finished"):
                change()
        assert again.evidence() == evidence


def test_another_plan_seed_or_name_is_another_run(store):
    ids = {
        store.begin({"seed": 0}, name="a").id,
        store.begin({"seed": 1}, name="a").id,
        store.begin({"seed": 0}, name="b").id,
        store.begin({"seed": np.int64(0)}, name="a").id,
    }
    assert len(ids) == 3
    assert len(store.runs()) == 3


def test_an_interrupted_run_resumes_with_what_is_left(tmp_path):
    tasks = {"b": [1.5], "a": {"x": None}, "c": "ö"}
    with Store.open(tmp_path / "p") as first:
        run = first.begin(PLAN, name="r", command="unteach study r", python="study('r').run()")
        run.add_tasks(tasks)
        run.record("c", "done", seconds=2.0)
        run.fail("a", "ZeroDivisionError")
        with pytest.raises(BadInput, match="2 tasks without a result, such as 'b'"):
            run.finish([], [])
        with pytest.raises(BadInput, match="not finished"):
            run.evidence()
    with Store.open(tmp_path / "p") as second:
        run = second.begin(PLAN, name="r")
        run.add_tasks(tasks)
        assert run.pending() == [("b", [1.5]), ("a", {"x": None})]
        assert run.errors() == {"a": "ZeroDivisionError"}
        assert run.progress() == (1, 3)
        run.record("a", 1)
        run.record("b", 2)
        assert list(run.results().items()) == [("b", 2), ("a", 1), ("c", "done")]
        assert run.attempts() == {"b": 1, "a": 2, "c": 1}
        assert run.seconds() == {"c": 2.0}
        assert run.errors() == {}
        assert (run.command, run.python) == ("unteach study r", "study('r').run()")


def test_a_task_keeps_its_payload_and_its_result(store):
    run = store.begin(PLAN, name="r")
    run.add_tasks({"a": 1})
    with pytest.raises(BadInput, match="another payload"):
        run.add_tasks({"b": 1, "a": 2})
    assert [key for key, _ in run.pending()] == ["a"]
    run.record("a", 1.0)
    run.record("a", 1.0)
    with pytest.raises(BadInput, match="another result"):
        run.record("a", 1.0000000000000002)
    with pytest.raises(BadInput, match="it cannot fail now"):
        run.fail("a", "no")
    assert run.results() == {"a": 1.0}
    assert run.attempts() == {"a": 1}


@pytest.mark.parametrize("tasks", [[("a", 1), ("a", 1)], {"": 1}, [(3, 1)]])
def test_task_keys_are_strings_and_name_one_task(store, tasks):
    with pytest.raises(BadInput, match="task keys"):
        store.begin(PLAN, name="r").add_tasks(tasks)


def test_what_cannot_be_written_is_refused_before_anything_is(store):
    run = store.begin(PLAN, name="r")
    run.add_tasks({"a": 1})
    for value in (object(), {1, 2}, "\ud800"):
        with pytest.raises(BadInput, match="cannot"):
            run.record("a", value)
    with pytest.raises(BadInput, match="no task 'z'"):
        run.record("z", 1)
    assert run.attempts() == {"a": 0}


def test_a_finish_that_does_not_fit_together_is_refused_and_writes_nothing(store):
    run = store.begin(PLAN, name="r")
    table = Table("t", {"a": [1]})
    with pytest.raises(BadInput, match="two tables"):
        run.finish([], [table, table])
    with pytest.raises(BadInput, match="no table is named 'curve'"):
        run.finish([reading(table="curve")], [table])
    with pytest.raises(BadInput, match="no table is named 'u'"):
        run.finish([], [table], holding_rows=["u"])
    assert (run.status, run.readings(), run.tables()) == ("open", [], {})


def test_a_run_that_is_only_read_cannot_be_changed(store):
    run = store.begin(PLAN, name="r")
    run.add_tasks({"a": 1})
    seen = store.run(run.id[:5])
    for change in (
        lambda: seen.add_tasks({"b": 1}),
        lambda: seen.record("a", 1),
        lambda: seen.fail("a", ""),
        lambda: seen.finish([], []),
    ):
        with pytest.raises(BadInput, match="opened to be read"):
            change()
    assert seen.pending() == [("a", 1)]


def test_a_run_is_found_by_the_beginning_of_its_id_and_no_other_way(store):
    ids = [store.begin({"seed": seed}, name="r").id for seed in range(17)]
    shared = next(i[0] for i in ids if sum(j.startswith(i[0]) for j in ids) > 1)
    with pytest.raises(BadInput, match=r"fits \d+ runs"):
        store.run(shared)
    for name in ("", "zzz", "%"):
        with pytest.raises(BadInput, match="fits none"):
            store.run(name)
    assert store.run(ids[3]).plan == {"seed": 3}


def test_summaries_tell_running_from_interrupted_from_finished(store):
    finish(store)
    run = store.begin({"seed": 1}, name="half")
    run.add_tasks({"a": 1, "b": 2, "c": 3})
    run.record("a", 1)
    run.fail("b", "no")
    done, half = store.runs()
    assert (done.status, done.done, done.total) == ("finished", 3, 3)
    assert done.created <= done.finished
    assert (half.status, half.done, half.failed, half.total) == ("running", 1, 1, 3)
    assert half.finished is None
    run.close()
    assert store.runs()[1].status == "interrupted"


def test_evidence_holds_readings_and_tables_and_no_measured_time(store):
    def evidence(name, seconds):
        run = store.begin(PLAN, name="r")
        run.close()
        with Store.open(store.path.parent / name) as other:
            run = other.begin(PLAN, name="r")
            run.add_tasks({"a": 1})
            run.record("a", 0.1, seconds=seconds)
            table = Table(
                "cost",
                {"n": [1], "took": [seconds], "rate": [1 / seconds]},
                {"took": "seconds", "rate": "records per second"},
                keys=("n",),
            )
            time_read = reading(seconds, name="time", unit="seconds")
            run.finish([reading(), time_read], [table])
            assert run.readings()[1] == time_read
            assert run.tables()["cost"]["took"] == [seconds]
            return run.evidence()

    one, two = evidence("one", 1.0), evidence("two", 2.0)
    assert one == two
    value = json.loads(one)
    assert [r["name"] for r in value["readings"]] == ["accuracy"]
    assert value["tables"][0]["columns"] == {"n": [1]}
    assert not measures_time("classes")


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans()
values = st.recursive(
    st.none() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_payloads_and_results_come_back_exactly():
    with Store.temporary() as store:

        @settings(max_examples=40, deadline=None)
        @given(values, st.floats(allow_nan=False, allow_infinity=False))
        def holds(value, number):
            run = store.begin({"value": value, "number": number}, name="exact")
            run.add_tasks({"a": value, "b": number})
            for key, payload in run.pending():
                run.record(key, payload)
            seen = store.run(run.id)
            run.close()
            assert seen.results()["a"] == value
            assert np.float64(seen.results()["b"]).tobytes() == np.float64(number).tobytes()
            assert seen.plan == {"value": value, "number": number}

        holds()


def test_infinities_and_nan_are_written_as_words(store):
    run = store.begin(PLAN, name="r")
    run.add_tasks({"a": float("inf")})
    run.record("a", [float("-inf"), float("nan"), np.float32(0.1)])
    assert run.results() == {"a": ["-inf", "nan", float(np.float32(0.1))]}
    endless = Reading(
        "ratio",
        1.0,
        0.0,
        float("inf"),
        n=1,
        unit_of_replication="none",
        seeds=(),
        unit="",
        better="none",
        null=(0.0, float("inf")),
    )
    run.finish([endless], [])
    assert run.readings() == [endless]


# --- two at once, and the dead --------------------------------------------------------------------


def test_a_run_has_one_worker_and_a_dead_one_holds_nothing(tmp_path):
    process = spawn(
        f"store = Store.open({str(tmp_path / 'p')!r})",
        "run = store.begin({'seed': 0}, name='x')",
        "run.add_tasks({'a': 1, 'b': 2})",
        "run.record('a', 1)",
    )
    with Store.open(tmp_path / "p") as store:
        with pytest.raises(BadInput, match=f"being worked on by process {process.pid}"):
            store.begin({"seed": 0}, name="x")
        assert store.runs()[0].status == "running"
        assert store.begin({"seed": 1}, name="x").working
        with pytest.raises(BadInput, match=r"finish or close it|another process"):
            store.purge()
        kill(process)
        assert store.runs()[0].status == "interrupted"
        run = store.begin({"seed": 0}, name="x")
        assert (run.results(), run.pending()) == ({"a": 1}, [("b", 2)])
        assert store.begin({"seed": 0}, name="x") is run


def test_a_second_store_of_the_same_process_is_a_stranger_too(store):
    run = store.begin(PLAN, name="r")
    with Store.open(store.path) as other:
        with pytest.raises(BadInput, match=f"process {os.getpid()}"):
            other.begin(PLAN, name="r")
        run.close()
        assert other.begin(PLAN, name="r").working


KILLED_EVERYWHERE = """
import os, signal, sys
import sqlalchemy
from unteach.core import Reading, Table
from unteach.store import Store, blobs, database

def study(folder):
    with Store.open(folder) as store:
        run = store.begin({"seed": 0}, name="squares")
        run.add_tasks({str(k): k for k in range(3)})
        for key, payload in run.pending():
            store.put(b"weights of " + key.encode(), holds_rows=False, run=run)
            run.record(key, payload / 3)
        if not run.finished:
            reading = Reading("sum", sum(run.results().values()), 0, 9, n=3, seeds=(0,), unit="",
                              unit_of_replication="seeds", better="none", table="thirds")
            run.finish([reading], [Table("thirds", {"third": list(run.results().values())})])
        assert store.verify() == ()
        return run.evidence()

folder = sys.argv[1]
expected = study(folder + "/undisturbed")
moments = 0

def moment(*_):
    global moments
    moments -= 1
    if moments == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def wrapped(*args, **kwargs):
        moment()
        result = function(*args, **kwargs)
        moment()
        return result
    return wrapped

sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", moment)
sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", moment)
os.replace, os.fsync = after(os.replace), after(os.fsync)
deaths, alive, k, stride = 0, False, 0, int(sys.argv[2])
while not alive:
    k += stride
    where = f"{folder}/killed-{k}"
    child = os.fork()
    if child == 0:
        moments = k
        study(where)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    alive = os.WIFEXITED(status)
    assert alive or os.WTERMSIG(status) == signal.SIGKILL, status
    deaths += not alive
    assert study(where) == expected, f"killed at moment {k}"
print(deaths)
"""


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_statement_a_run_resumes_to_the_same_bytes(tmp_path, stride):
    script = [sys.executable, "-c", KILLED_EVERYWHERE, str(tmp_path), str(stride)]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 100 // stride, done.stdout


# --- blobs ----------------------------------------------------------------------------------------


def test_a_blob_without_rows_is_named_by_content_and_one_with_rows_at_random(store):
    name = store.put(b"weights", holds_rows=False)
    assert store.put(b"weights", holds_rows=False) == name
    one, two = (store.put(SECRET, holds_rows=True) for _ in range(2))
    assert one != two
    assert name.startswith("sha256-")
    assert one.startswith("rows-")
    assert store.get(name) == b"weights"
    assert store.get(one) == store.get(two) == SECRET
    with pytest.raises(BadInput, match="no blob"):
        store.get("../store.db")


def test_a_damaged_or_missing_blob_is_named_and_not_deleted_or_overwritten(store):
    name = store.put(b"weights", holds_rows=False)
    path = store.path / "blobs" / name
    path.write_bytes(b"weighty")
    for call in (lambda: store.get(name), lambda: store.put(b"weights", holds_rows=False)):
        with pytest.raises(Corrupt, match=name):
            call()
    assert path.read_bytes() == b"weighty"
    assert store.verify() == (Damage(path, "is damaged (its checksum is another)"),)
    path.unlink()
    with pytest.raises(Corrupt, match="is missing"):
        store.get(name)
    assert store.put(b"weights", holds_rows=False) == name
    assert store.verify() == ()


@pytest.mark.parametrize("moment", ["os.replace", "os.fsync", "os.fdopen"])
def test_a_blob_whose_writer_is_killed_is_not_there(tmp_path, moment):
    done = python(
        f"store = Store.open({str(tmp_path / 'p')!r})",
        f"{moment} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)",
        f"store.put({SECRET!r}, holds_rows=True)",
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    with Store.open(tmp_path / "p") as store:
        assert list((store.path / "blobs").iterdir()) == []
        assert store.verify() == ()
        assert len(list((store.path / "temporary").iterdir())) == 1
        assert store.purge().temporaries == 1
        assert list((store.path / "temporary").iterdir()) == []


def test_a_disk_that_is_full_leaves_no_half_blob(store, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        store.put(b"weights", holds_rows=False)
    monkeypatch.undo()
    assert [p for d in ("blobs", "temporary") for p in (store.path / d).iterdir()] == []


# --- purge ----------------------------------------------------------------------------------------


def plant(store):
    """Put the secret everywhere where rows may lie."""
    run = store.begin(PLAN, name="planted")
    run.add_tasks({"plain": 1})
    run.add_tasks({"rows": SECRET.decode()}, holds_rows=True)
    run.record("plain", 1)
    run.fail("rows", f"ValueError: {SECRET.decode()}")
    run.record("rows", SECRET.decode())
    points = Table("points", {"x": [SECRET.decode()] * 500})
    run.finish(
        [reading(table="dose")], [points, Table("dose", {"d": [1]})], holding_rows=["points"]
    )
    other = store.begin({"seed": 1}, name="failing")
    other.add_tasks({"bad": 1})
    other.fail("bad", f"ValueError: {SECRET.decode()}")
    other.close()
    rows = store.put(SECRET * 100, holds_rows=True, run=run)
    free = store.put(b"weights", holds_rows=False, run=run)
    store.put(SECRET * 50, holds_rows=True)
    for path in (
        store.shards / run.id / "0.npz",
        store.reports / f"{run.id}.html",
        store.reports / f".{run.id}.html.x1y2",
        store.path / "temporary" / "unteach-left",
        store.path / "blobs" / "rows-without-an-entry",
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SECRET)
    return run, rows, free


def found(folder):
    return [p.name for p, raw in contents(folder).items() if SECRET in raw]


def test_after_a_purge_no_byte_of_a_row_is_in_any_file(store):
    run, rows, free = plant(store)
    log = (store.path / "store.db-wal").read_bytes()
    assert SECRET in log
    assert len(found(store.path)) == 8
    gone = store.purge()
    assert found(store.path) == []
    assert gone == Purged(
        blobs=2, shards=1, reports=2, temporaries=2, tasks=1, tables=1, runs=0, size=gone.size
    )
    assert gone.size == len(SECRET) * 155
    assert "2 blobs" in str(gone)
    assert store.get(free) == b"weights"
    with pytest.raises(BadInput, match="purged"):
        store.get(rows)
    assert store.verify() == ()
    left = store.run(run.id)
    assert (left.status, list(left.tables()), left.readings()) == (
        "purged",
        ["dose"],
        [reading(table="dose")],
    )
    assert store.purge() == Purged()


def test_a_purged_run_is_computed_again_by_the_same_plan(store):
    run, _, _ = plant(store)
    evidence = run.evidence()
    store.purge()
    again = store.begin(PLAN, name="planted")
    assert again.id == run.id
    again.add_tasks({"plain": 1, "rows": SECRET.decode()}, holds_rows=True)
    assert again.pending() == [("rows", SECRET.decode())]
    again.record("rows", SECRET.decode())
    points = Table("points", {"x": [SECRET.decode()] * 500})
    again.finish([reading(table="dose")], [points, Table("dose", {"d": [1]})])
    assert again.evidence() == evidence


def test_a_purge_of_one_run_leaves_the_others(store):
    run, _, free = plant(store)
    kept = finish(store)
    mine = store.put(b"only mine", holds_rows=False, run=kept)
    assert store.put(b"weights", holds_rows=False, run=kept) == free
    gone = store.purge(run=run.id[:8], rows_only=False)
    assert (gone.runs, gone.blobs, gone.tables, gone.tasks) == (1, 1, 2, 2)
    assert (store.get(free), store.get(mine)) == (b"weights", b"only mine")
    assert store.run(kept.id).evidence() == kept.evidence()
    with pytest.raises(BadInput, match="purged"):
        run.readings()
    with pytest.raises(BadInput, match="purged"):
        run.tables()
    # what belongs to no run or to another one is still there: it was not asked for
    assert len(found(store.path)) == 2
    assert store.purge(rows_only=False).runs == 2
    assert found(store.path) == []
    assert store.runs() == []


def test_a_purge_waits_for_nobody_and_says_who_is_there(store):
    process = spawn(f"store = Store.open({str(store.path)!r})")
    with pytest.raises(BadInput, match="open in another process"):
        store.purge()
    kill(process)
    assert store.purge() == Purged()
    run = store.begin(PLAN, name="r")
    with pytest.raises(BadInput, match=f"run {run.id} is being worked on"):
        store.purge()


def test_a_purge_that_cannot_empty_the_log_says_so(store):
    plant(store)
    other = sqlite3.connect(store.path / "store.db", isolation_level=None)
    other.execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN")
    other.execute("SELECT * FROM runs").fetchall()
    start = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        from unteach.store import database

        quick = tuple(p for p in database._PRAGMAS if not p.startswith("busy"))
        patch.setattr(database, "_PRAGMAS", (*quick, "busy_timeout = 100"))
        with pytest.raises(BadInput, match="in use by another program"):
            store.purge()
    assert time.monotonic() - start < 10
    other.close()
    store.purge()
    assert found(store.path) == []


def test_a_killed_purge_is_completed_by_the_next(tmp_path):
    with Store.open(tmp_path / "p") as store:
        plant(store)
    done = python(
        f"store = Store.open({str(tmp_path / 'p')!r})",
        "os.unlink = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)",
        "store.purge()",
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert found(tmp_path / "p")
    with Store.open(tmp_path / "p") as store:
        store.purge()
        assert found(store.path) == []


def test_a_link_in_a_purged_folder_is_removed_and_not_followed(store, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data.csv").write_text("mine")
    (store.shards / "link").symlink_to(tmp_path / "mine")
    assert store.purge().shards == 1
    assert (tmp_path / "mine" / "data.csv").read_text() == "mine"


FOLDERS = ("blobs", "shards", "reports", "temporary", "locks")


@pytest.mark.parametrize("name", ["", *FOLDERS])
def test_a_project_whose_folder_is_a_link_is_refused_and_what_it_leads_to_stays(tmp_path, name):
    with Store.open(tmp_path / "p") as opened:
        plant(opened)
    inside, outside = tmp_path / "p" / name, tmp_path / "mine"
    inside.rename(outside)
    (outside / "thesis.tex").write_text("mine")
    inside.symlink_to(outside)
    before = contents(tmp_path)
    for write in (True, False):
        with pytest.raises(Corrupt, match=f"{inside} is a link to {outside}"):
            Store.open(tmp_path / "p", write=write)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", FOLDERS[:4])
def test_a_folder_that_becomes_a_link_while_the_project_is_open_is_not_followed(tmp_path, name):
    """What was looked at may be another thing a moment later; handles notice that."""
    with Store.open(tmp_path / "p") as opened:
        run, _, _ = plant(opened)
        inside, outside = opened.path / name, tmp_path / "mine"
        inside.rename(outside)
        (outside / f"{run.id}.tex").write_text("mine")
        inside.symlink_to(outside)
        before = contents(outside)
        with pytest.raises(BadInput, match="the purge is not complete"):
            opened.purge()
        if name in ("blobs", "temporary"):
            with pytest.raises(BadInput, match="cannot"):
                opened.put(b"weights", holds_rows=True)
    assert contents(outside) == before


PLACES = ("store.db", "store.db-wal", "locks/folder.lock", "locks/RUN.lock", "shards/RUN")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in PLACES for kind in ("link", "second name", "pipe")]
    + [("blobs/BLOB", "link"), ("blobs/BLOB", "pipe")],  # of other names the purge takes this one
)
def test_a_file_that_leads_elsewhere_is_neither_read_nor_written(tmp_path, name, kind):
    with Store.open(tmp_path / "p") as opened:
        blob = opened.put(b"weights", holds_rows=False)
        run = opened.begin(PLAN, name="r")
        run.add_tasks({"a": 1})
    name = name.replace("BLOB", blob).replace("RUN", run.id)
    inside, outside = tmp_path / "p" / name, tmp_path / "mine"
    if inside.exists():
        inside.rename(outside)
    else:
        outside.write_bytes(b"mine")
    if kind == "second name":
        inside.hardlink_to(outside)
    elif kind == "link":
        inside.symlink_to(outside)
    else:
        os.mkfifo(inside)
    before = outside.read_bytes()

    def use():
        with Store.open(tmp_path / "p") as opened:
            opened.get(blob)
            opened.put(b"weights", holds_rows=False)
            opened.begin(PLAN, name="r").record("a", 1)

    start = time.monotonic()
    with pytest.raises((Corrupt, BadInput), match=r"link|not a file|is a file"):
        use()
    assert time.monotonic() - start < 10
    assert outside.read_bytes() == before


def test_what_is_no_file_is_named_by_verify_and_not_read(store):
    name = store.put(b"weights", holds_rows=False)
    path = store.path / "blobs" / name
    path.unlink()
    os.mkfifo(path)
    assert store.verify() == (Damage(path, "is not a file"),)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert store.verify() == (Damage(path, "is not a file"),)


def test_a_purge_leaves_other_names_of_what_it_removes(store, tmp_path):
    (tmp_path / "mine").write_text("mine")
    (store.reports / "page.html").hardlink_to(tmp_path / "mine")
    (store.shards / "folder" / "deeper").mkdir(parents=True)
    (store.shards / "folder" / "deeper" / "link").symlink_to(tmp_path)
    os.mkfifo(store.path / "temporary" / "pipe")
    gone = store.purge()
    assert (gone.reports, gone.shards, gone.temporaries) == (1, 1, 1)
    assert (tmp_path / "mine").read_text() == "mine"


def test_what_keeps_a_new_project_out_of_git_overwrites_nothing(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "p" / ".gitignore").symlink_to(tmp_path / "mine")
    with Store.open(tmp_path / "p"):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_the_key_names_people_until_it_is_purged(store):
    key = store.key()
    assert len(key) == 32
    assert store.key() == key
    name = pseudonym("ada@example.org", key)
    assert store.purge().key is False
    assert store.key() == key
    assert store.purge(key=True).key is True
    assert all(key not in raw for raw in contents(store.path).values())
    assert pseudonym("ada@example.org", store.key()) != name


# --- verify ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE tasks SET result = '5' WHERE key = 'task 2'", "the result of task 'task 2'"),
        ("UPDATE readings SET body = replace(body, '0.5', '0.6')", "the readings or tables"),
        ("UPDATE tables SET body = replace(body, '4', '5')", "the readings or tables"),
        ("UPDATE tables SET body = 'no JSON'", "the readings or tables"),
        ("DELETE FROM runs", "belongs to nothing"),
    ],
)
def test_a_changed_byte_in_a_result_is_found(store, change, said):
    run = finish(store)
    assert store.verify() == ()
    connection = sqlite3.connect(store.path / "store.db")
    connection.execute(change)
    connection.commit()
    connection.close()
    damage = store.verify()
    assert damage
    assert all(said in d.what and d.file == store.path / "store.db" for d in damage)
    if "tasks" in change:
        with pytest.raises(Corrupt, match="damaged result"):
            run.results()
    elif "tables" in change or "readings" in change:
        for read in (run.readings, run.tables):
            with pytest.raises(Corrupt, match="damaged readings or tables"):
                read()


def read_all(store):
    """Do all that reads a project, and a little that writes it; return what every run said."""
    said = {}

    def tried(what):
        try:
            return what()
        except UnteachError:
            return None

    runs = tried(store.runs) or []
    tried(store.verify)
    tried(store.key)
    for name in sorted(os.listdir(store.path / "blobs")):
        tried(lambda name=name: store.get(name))
    for summary in runs:
        run = tried(lambda i=summary.id: store.run(i))
        if run is None:
            continue
        reads = (
            run.pending,
            run.progress,
            run.errors,
            run.attempts,
            run.seconds,
            run.tables,
            lambda run=run: run.status,
            lambda run=run: repr(run),
        )
        for read in reads:
            tried(read)
        said[run.id] = (tried(run.results), tried(run.evidence), tried(run.readings))
    run = tried(lambda: store.begin({"z": 1}, name="open"))
    if run is not None:
        tried(lambda: run.record("b", 4))
        tried(lambda: run.finish([], []))
        run.close()
    tried(lambda: store.put(b"new", holds_rows=False))
    tried(store.purge)
    tried(lambda: store.purge(rows_only=False, key=True))
    return said


def survive(tmp_path, n):
    """Flip bits of a project's database: what is read is what was written, or is refused."""
    folder = tmp_path / "p"
    with Store.open(folder) as opened:
        plant(opened)
        finish(opened)
        opened.key()
        run = opened.begin({"z": 1}, name="open")
        run.add_tasks({"a": 1, "b": 2})
        run.fail("a", "because")
        run.close()
    raw = (folder / "store.db").read_bytes()
    shutil.copytree(folder, tmp_path / "whole")
    with Store.open(tmp_path / "whole") as opened:
        want = read_all(opened)
    rng = random.Random(0)
    used = [at for at, byte in enumerate(raw) if byte]

    def flipped_bits():
        for _ in range(n):
            case = bytearray(raw)
            for _ in range(rng.choice([1, 1, 2, 8])):
                at = rng.choice(used) if rng.random() < 0.7 else rng.randrange(len(raw))
                case[at] ^= 1 << rng.randrange(8)
            yield bytes(case)

    def use(data):
        for path in folder.glob("store.db-*"):
            path.unlink()
        (folder / "store.db").write_bytes(data)
        with Store.open(folder, create=False) as opened:
            for run, said in read_all(opened).items():
                for one, right in zip(said, want.get(run, said), strict=True):
                    assert one in (None, right), "another value was believed"

    return survey(use, [*flipped_bits(), *mutants([raw], n // 4, seed=0)])


def test_a_database_with_flipped_bits_is_refused_or_read_as_it_was_written(tmp_path):
    assert not survive(tmp_path, 24)


@pytest.mark.slow
def test_two_thousand_databases_with_flipped_bits_are_refused_or_read_as_written(tmp_path):
    assert not survive(tmp_path, 1600)


def test_the_mark_of_our_files_is_where_file_looks_for_it(store):
    store.close()
    header = (store.path / "store.db").read_bytes()[:100]
    assert header[68:72] == APPLICATION.to_bytes(4, "big") == b"untc"
