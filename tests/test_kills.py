"""What is killed at random moments and run again ends with the bytes of an unkilled run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from unteach.core import Saved
from unteach.data import load
from unteach.memorize import Memories
from unteach.store import Store

MEMORIZE = (
    "memorize",
    "wine",
    "--model",
    "knn",
    "--models",
    "512",
    "--table",
    "out/t.csv",
    "--jobs",
    "2",
)
AUDIT = (
    "audit",
    "wine",
    "--methods",
    "retrain,do-nothing",
    "--model",
    "logistic",
    "--forget",
    "8",
    "--tier",
    "quick",
    "--page",
    "out",
    "--jobs",
    "1",
)
STUDY = ("study", "margin", "--out", "out", "--jobs", "2")


def start(words, folder):
    """Start a command in a folder, with its workers in a group of its own."""
    (folder / "out").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "unteach", *words, "--seed", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finish(words, folder):
    """Run a command to its end; return how long it took."""
    began = time.monotonic()
    process = start(words, folder)
    said, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, said.decode()
    return time.monotonic() - began


def killed(words, folder, seconds):
    """Kill a command and its workers after so long; say whether it was still at work."""
    process = start(words, folder)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def kept(folder):
    """Return all that a command leaves, without what was measured on a clock."""
    found = {}
    with Store.open(folder / ".unteach", create=False) as store:
        assert store.verify() == ()
        assert list((store.path / "temporary").iterdir()) == []
        for summary in store.runs():
            run = store.run(summary.id)
            assert summary.status == "finished"
            evidence = json.loads(run.evidence())
            # how much of it this process trained, and how much it found trained already
            evidence["tables"] = [t for t in evidence["tables"] if t["name"] != "audit cost"]
            found[summary.name] = json.dumps(evidence).encode()
            results = run.results()
            if summary.name == "memories":
                results.pop("records")  # the name of a blob that holds rows is random
                found["results"] = json.dumps(results).encode()
        for path in sorted(store.shards.rglob("*")):
            if path.is_file() and not path.name.startswith("."):  # a write that was killed
                raw, name = path.read_bytes(), str(path.relative_to(store.shards))
                if path.suffix == ".shard":
                    found[name] = raw
                else:  # an arm, whose cost was measured
                    arrays = Saved.from_bytes(raw).arrays
                    found[name] = {k: np.asarray(v).tobytes() for k, v in arrays.items()}
    for path in sorted((folder / "out").glob("*.csv")):
        found[path.name] = path.read_bytes()
    return found


def tidied(folder):
    """Remove what killed writes left in `temporary/`, as the next purge would."""
    for path in (folder / ".unteach" / "temporary").iterdir():
        path.unlink()


def survive(words, tmp_path, kills, *, seed=0):
    """Kill a command several times, each time later on, and compare its end with another's."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    with Store.open(whole / ".unteach") as store:
        store.key()  # names in both are made with it
    shutil.copytree(whole, broken)
    took, rng = finish(words, whole), random.Random(seed)
    at_work = sum(killed(words, broken, took * rng.uniform(0.1, 0.7)) for _ in range(kills))
    finish(words, broken)
    tidied(broken)
    want, got = kept(whole), kept(broken)
    assert got.keys() == want.keys()
    assert [name for name in want if got[name] != want[name]] == []
    assert want
    return at_work


def memorize(folder):
    data = load("wine")
    study = Memories(data.x, data.y, learner="knn", store=folder / ".unteach", seed=0)
    study.run(models=1024, jobs=1)


def test_a_killed_study_of_memories_resumes_to_the_same_bytes(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with Store.open(whole / ".unteach") as store:
        store.key()
    shutil.copytree(whole, broken)
    began = time.monotonic()
    memorize(whole)
    took, rng = time.monotonic() - began, random.Random(0)
    for _ in range(3):
        with warnings.catch_warnings():  # Python warns of forking beside threads
            warnings.simplefilter("ignore")
            child = os.fork()
        if child == 0:
            try:
                memorize(broken)
            finally:
                os._exit(0)
        time.sleep(took * rng.uniform(0.1, 0.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    memorize(broken)
    tidied(broken)
    assert kept(broken) == kept(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "kills"), [(MEMORIZE, 8), (AUDIT, 8), (STUDY, 4)], ids=["memorize", "audit", "study"]
)
def test_commands_killed_again_and_again_resume_to_the_same_bytes(tmp_path, words, kills):
    assert survive(words, tmp_path, kills, seed=1)
