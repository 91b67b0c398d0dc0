"""What a model of the tower study costs, and what it knows: CPU seconds and accuracy by seed.

RESULTS

    python benchmarks/bench_tower.py --formats direct explicit-rope --seeds 0 1 2 3 4
    python benchmarks/bench_tower.py --arms      the arms that the answer is judged by, as well
    python benchmarks/bench_tower.py --quick     the models of the quick form

Teaching is the study's own: nine skills modulo 7 (the quick form five modulo 5), until every skill
stood at .995 of 60 whole tasks in two readings running, fifty steps apart. Accuracy is then read
on 200 other tasks a skill (all 49 of the atoms of two numbers), decoded greedily.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch

from unteach.knowledge import FORMATS
from unteach.studies import TOWER
from unteach.studies.tower.study import tower_task

ARMS = ("forget/{}/{}/{}/labels/everything", "forget/{}/{}/{}/labels/atoms",
        "change/{}/{}/{}/trace/last")  # fmt: skip


def main() -> None:
    """Teach, read, and print a line a model."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    options.add_argument("--seeds", nargs="+", type=int, default=[0])
    options.add_argument("--arms", action="store_true")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--folder", type=Path, help="keeps the models, and goes on from them")
    asked = options.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as fresh:
        folder = asked.folder or Path(fresh)
        print("format          seed  steps  CPU s  worst skill, whole tasks")
        for format in asked.formats:
            for seed in asked.seeds:
                plan = TOWER.plan(full=not asked.quick, format=format, seed=seed, seeds=1)
                one(plan, format, folder, asked.arms)


def one(plan: dict[str, Any], format: str, folder: Path, arms: bool) -> None:
    """Teach one model and print what it knows; run the arms that the answer is judged by."""
    first, then = TOWER.tasks(plan)
    found, took = timed(first[f"teach/{format}/0/all"], folder)
    name, worst = min(((n, s["whole"]) for n, s in found["skills"].items()), key=lambda x: x[1])
    print(f"{format:15} {plan['seed']:4} {found['steps']:6} {took:6.1f}  {worst:.3f} {name}")
    for skill in plan["world"]["forgotten"] if arms else ():
        for key in ARMS:
            found, took = timed(then[key.format(format, 0, skill)], folder)
            top = found["traced"]
            said = (f"new {found['answers'][top]['new']:.2f}" if "answers" in found else
                    f"front {found['doors'][0]['accuracy']:.2f} kept "
                    f"{found['skills'][top]['share']:.2f}")  # fmt: skip
            print(f"    {key.format('', '', skill):40} {took:6.1f} CPU s  {said}")


def timed(payload: dict[str, Any], folder: Path) -> tuple[dict[str, Any], float]:
    """Return a task's result and its CPU seconds."""
    began = time.process_time()
    found = tower_task(payload, str(folder))
    return found, time.process_time() - began


if __name__ == "__main__":
    main()
