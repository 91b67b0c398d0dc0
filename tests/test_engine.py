"""The laws of the engine: every result once, whatever dies; nobody lives on; the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine_tasks import counted, fussy, threads_used, train
from unteach.core import BadInput, Reading, Table, stream
from unteach.engine import TasksFailed, run_tasks
from unteach.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / ".unteach") as opened:
        yield opened


def begin(store, payloads, *, name="tasks"):
    run = store.begin({"seed": 0}, name=name)
    run.add_tasks({f"task {k}": payload for k, payload in enumerate(payloads)})
    return run


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# --- laws -----------------------------------------------------------------------------------------


def test_one_process_and_many_give_the_same_bytes_and_leave_no_times_in_results(tmp_path):
    evidence = []
    for jobs in (1, 2):
        with Store.open(tmp_path / str(jobs)) as store:
            run = begin(store, range(8))
            run_tasks(run, train, jobs=jobs)
            assert run.pending() == []
            assert list(run.results()) == [f"task {k}" for k in range(8)]
            assert all(s > 0 for s in run.seconds().values())
            assert len(run.seconds()) == 8
            table = Table("weights", {"norm": [r["norm"] for r in run.results().values()]})
            run.finish([], [table])
            evidence.append((run.evidence(), str(run.results())))
    assert evidence[0] == evidence[1]


def test_progress_counts_what_was_there_before(store):
    run = begin(store, range(3))
    run.record("task 1", 7)
    said = []
    run_tasks(run, abs, jobs=1, progress=lambda *told: said.append(told))
    assert said == [(1, 3, ""), (2, 3, "task 0"), (3, 3, "task 2")]
    assert run.results()["task 1"] == 7
    run_tasks(run, fussy, jobs=2)  # nothing is pending, nothing is called


@pytest.mark.parametrize("jobs", [1, 2])
def test_failed_tasks_are_named_and_the_others_are_kept_and_the_next_call_tries_again(store, jobs):
    run = begin(store, range(6))
    with pytest.raises(TasksFailed, match=r"4 of 6 tasks failed \(task 1, task 2, .*\)") as e:
        run_tasks(run, fussy, jobs=jobs)
    assert any(error in str(e.value) for error in e.value.failed.values())
    assert "in fussy" in e.value.failed["task 4"]
    assert "cannot write object as JSON" in e.value.failed["task 2"]
    assert e.value.failed["task 5"].endswith("SystemExit: enough")
    assert run.results() == {"task 0": 0, "task 3": 3}
    assert run.errors() == e.value.failed
    run_tasks(run, abs, jobs=jobs)
    assert list(run.results().values()) == [0, 1, 2, 3, 4, 5]
    assert run.attempts() == {f"task {k}": 2 if k in (1, 2, 4, 5) else 1 for k in range(6)}


def test_a_worker_that_dies_is_replaced_and_a_task_that_always_kills_it_is_given_up(
    store, tmp_path
):
    folder = tmp_path / "marks"
    folder.mkdir()
    deaths = {2: 99, 9: 1}
    run = begin(store, [[str(folder), k, deaths.get(k, 0)] for k in range(12)])
    with pytest.raises(TasksFailed, match=r"1 of 12 tasks failed \(task 2\)") as error:
        run_tasks(run, counted, jobs=2)
    assert "its worker process died 2 times" in error.value.failed["task 2"]
    assert list(run.results().values()) == [k for k in range(12) if k != 2]
    assert 2 <= len(list(folder.glob("2-*"))) <= 4
    assert len(list(folder.glob("9-*"))) >= 2


@pytest.mark.parametrize(("jobs", "kept"), [(1, 1), (2, 4)])
def test_a_wish_to_stop_keeps_all_that_has_come(store, jobs, kept):
    run = begin(store, range(20))

    def stop(done, total, what):
        if done >= 1:
            time.sleep(2)  # the other tasks that were handed out come back meanwhile
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tasks(run, abs, jobs=jobs, progress=stop)
    assert run.progress() == (kept, 20)
    assert run.errors() == {}
    run_tasks(run, abs, jobs=1)
    assert list(run.results().values()) == list(range(20))


@pytest.mark.parametrize(("jobs", "threads"), [(1, 1), (1, 2), (2, 1)])
def test_a_task_has_the_threads_it_is_given_wherever_it_runs(store, jobs, threads):
    import numba

    before, environment = numba.get_num_threads(), dict(os.environ)
    run = begin(store, range(2))
    run_tasks(run, threads_used, jobs=jobs, threads=threads)
    for used in run.results().values():
        assert max(used["pools"]) <= threads
        assert used["numba"] == min(threads, numba.config.NUMBA_NUM_THREADS)
        assert (used["pid"] == os.getpid()) == (jobs == 1)
    assert (numba.get_num_threads(), dict(os.environ)) == (before, environment)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True])
def test_a_number_of_jobs_or_threads_that_is_none_is_refused(store, jobs):
    run = begin(store, [1])
    with pytest.raises(BadInput, match="jobs is a whole number"):
        run_tasks(run, abs, jobs=jobs)
    with pytest.raises(BadInput, match="threads is a whole number"):
        run_tasks(run, abs, jobs=1, threads=jobs)
    assert run.attempts() == {"task 0": 0}


def test_what_cannot_be_sent_to_a_worker_is_refused_by_name(store):
    lock = threading.Lock()
    run = begin(store, [1, 2])
    with pytest.raises(BadInput, match="cannot be sent to a worker"):
        run_tasks(run, lambda k: lock.locked(), jobs=2)
    assert run.errors() == {}


def test_a_refusal_does_not_wait_for_luck_in_the_thread_of_a_pool(store, monkeypatch):
    """However late that thread is, it ends without an exception of its own."""
    from joblib.externals.loky import process_executor

    manager, pool = process_executor._ExecutorManagerThread, process_executor.ProcessPoolExecutor
    take, submit = manager.add_call_item_to_queue, pool.submit

    def take_and_sleep(self):
        take(self)
        time.sleep(0.4)

    def submit_late(self, *args):
        time.sleep(0.1)
        return submit(self, *args)

    monkeypatch.setattr(manager, "add_call_item_to_queue", take_and_sleep)
    monkeypatch.setattr(pool, "submit", submit_late)
    lock = threading.Lock()
    with pytest.raises(BadInput, match="cannot be sent to a worker"):
        run_tasks(begin(store, [1, 2]), lambda k: lock.locked(), jobs=2)


def test_what_a_worker_cannot_load_is_refused_by_name(store, tmp_path):
    code = [
        "import sys, types",
        "from unteach.store import Store",
        "from unteach.engine import run_tasks",
        "ghost = types.ModuleType('ghost')",
        "exec('def f(k): return k', ghost.__dict__)",
        "ghost.f.__module__ = 'ghost'",
        "sys.modules['ghost'] = ghost",
        "with Store.temporary() as store:",
        "    run = store.begin({}, name='x')",
        "    run.add_tasks({str(k): k for k in range(50)})",
        "    run_tasks(run, ghost.f, jobs=2)",
    ]
    script = [sys.executable, "-c", "\n".join(code)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=240)
    assert "BadInput: a worker process cannot load the tasks" in done.stderr, done.stderr
    assert "No module named 'ghost'" in done.stderr


# --- the driver is killed -------------------------------------------------------------------------

DRIVER = """
import os, signal, sys, time
import numpy as np
from unteach.core import Reading, Table, stream
from unteach.engine import run_tasks
from unteach.store import Store

def train(seed):
    os.write(1, b"worker %d\\n" % os.getpid())  # in one piece: workers share the pipe
    time.sleep(float(sys.argv[3]))
    x = stream(seed, "train").normal(size=(50, 10))
    return {"w": np.linalg.svd(x, compute_uv=False), "last": 1 / (seed + 3)}

def study(folder, jobs):
    print("start", flush=True)
    with Store.open(folder) as store:
        run = store.begin({"study": "small", "seed": 0}, name="small")
        run.add_tasks({f"draw {k}": k for k in range(24)})
        run_tasks(run, train, jobs=jobs)
        if not run.finished:
            last = [r["last"] for r in run.results().values()]
            reading = Reading("mean", float(np.mean(last)), 0, 1, n=24, seeds=(0,), unit="",
                              unit_of_replication="data draws", better="none", table="draws")
            cost = Reading("cost", sum(run.seconds().values()), 0, 1e9, n=24, seeds=(0,),
                           unit_of_replication="data draws", unit="seconds", better="lower")
            columns = {"last": last, "w": [r["w"][0] for r in run.results().values()]}
            run.finish([reading, cost], [Table("draws", columns)])
        assert store.verify() == ()
        return run.evidence()

if __name__ == "__main__":
    if sys.argv[4] == "deaf":
        signal.signal(signal.SIGINT, lambda *_: None)
    evidence = study(sys.argv[1], jobs=int(sys.argv[2]))
    open(sys.argv[1] + "/reports/evidence", "wb").write(evidence)
"""


def drive(tmp_path, folder, jobs, seconds="0.01", ear=""):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    with (tmp_path / "stderr").open("a") as errors:
        return subprocess.Popen(
            [sys.executable, str(script), str(folder), jobs, seconds, ear],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


def test_killed_at_ten_random_moments_a_study_ends_with_the_same_bytes(tmp_path):
    """The promise of the project: what is written is evidence, whatever happened on the way."""
    rng = stream(0, "moments of death")
    kills, projects, steps = 0, 0, set()

    def undisturbed(folder):
        driver = drive(tmp_path, folder, "1")
        driver.communicate()
        assert driver.returncode == 0
        return (folder / "reports" / "evidence").read_bytes()

    def disturbed(folder):
        """Kill after some tasks and some milliseconds; say whether it was still alive."""
        driver = drive(tmp_path, folder, "2" if kills % 4 == 3 else "1")
        for _ in range(1 + rng.integers(0, 9)):
            driver.stdout.readline()
        try:
            driver.wait(timeout=float(rng.uniform(0, 0.05)))
        except subprocess.TimeoutExpired:
            driver.kill()
        driver.wait()
        driver.stdout.close()
        return driver.returncode == -signal.SIGKILL

    expected = undisturbed(tmp_path / "undisturbed")
    assert b'"mean"' in expected
    assert b'"cost"' not in expected
    while kills < 10:
        projects += 1
        folder = tmp_path / f"project {projects}"
        while kills < 10 and disturbed(folder):
            kills += 1
            with Store.open(folder) as store:
                steps |= {(s.status, s.done) for s in store.runs()}
        assert undisturbed(folder) == expected
    assert len(steps) >= 4, f"the moments of death were not random: {steps}"


def test_no_worker_outlives_a_driver_that_is_killed(tmp_path):
    driver = drive(tmp_path, tmp_path / "p", "2", "60")
    lines = [driver.stdout.readline().split() for _ in range(3)]
    workers = [int(words[1]) for words in lines if words[0] == "worker"]
    assert len(workers) == 2
    assert all(alive(pid) for pid in workers)
    driver.kill()
    driver.wait()
    driver.stdout.close()
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in workers)


def test_ctrl_c_stops_a_driver_and_its_workers_and_keeps_what_is_done(tmp_path):
    driver = drive(tmp_path, tmp_path / "p", "2", "0.1")
    workers = {driver.stdout.readline().split()[-1] for _ in range(8)} - {"start"}
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: to the workers too
    driver.communicate(timeout=240)
    said = (tmp_path / "stderr").read_text()
    assert said.count("Traceback") == said.count("KeyboardInterrupt") == 1, said
    assert driver.returncode == -signal.SIGINT or driver.returncode == 1
    assert not any(alive(int(pid)) for pid in workers)
    with Store.open(tmp_path / "p") as store:
        (run,) = store.runs()
    assert run.status == "interrupted"
    assert run.failed == 0
    assert 4 <= run.done < 24


def test_what_ctrl_c_means_is_for_the_driver_to_say(tmp_path):
    driver = drive(tmp_path, tmp_path / "p", "2", "0.1", "deaf")
    for _ in range(4):
        driver.stdout.readline()
    os.killpg(driver.pid, signal.SIGINT)
    driver.communicate(timeout=240)
    assert driver.returncode == 0
    assert (tmp_path / "p" / "reports" / "evidence").exists()


def test_a_reading_of_a_killed_study_is_never_half_there(tmp_path):
    with Store.open(tmp_path / "p") as store:
        run = begin(store, [1])
        run_tasks(run, abs, jobs=1)

        def broken():
            yield Reading(
                "a", 0.5, 0, 1, n=1, unit_of_replication="none", seeds=(0,), unit="", better="none"
            )
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError):
            run.finish(broken(), [])
        assert (run.status, run.readings()) == ("open", [])
