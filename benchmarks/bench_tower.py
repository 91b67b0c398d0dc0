"""What a model of the tower study costs, and what it knows: CPU seconds and accuracy by seed.

Measured 2026-11 on x86_64, 2 cores shared with six to twelve other processes, one thread, Python
3.11, torch 2.13 (a step of explicit-rope took 77 ms at a load of 2, 85 to 97 here); p = 7, nine
skills:

    format          seed  steps  CPU s  worst skill, whole tasks
    explicit-rope      0   1300    117  1.000
    explicit-rope      1   1250    106   .990
    explicit-rope      2   1450    125  1.000
    explicit-rope      3   2300    214   .995  (a second course)
    explicit-rope      4   2000    175  1.000  (a second course)
    explicit-rope      5   3000    287   .830  MM (two courses were not enough)
    explicit           0   1350     97  1.000
    explicit           1   1400     98  1.000
    explicit           2   1050     75   .995
    explicit           3    900      -   .995
    explicit           4   1100      -   .965  MM
    implicit           0   2700     98   .995  (a second course)
    implicit           1   2650    106  1.000  (a second course)
    implicit           2   3000    153   .910  MM (two courses were not enough)
    implicit           4   3000    171   .885  MM (two courses were not enough)
    direct             0   3500    183   .970  MM (a second course)
    direct             1   3950   ~220  1.000  (a second course)
    direct             2   1750     63   .995
    direct             3   3300    208  1.000  (a second course)

A forgetting takes 2 to 28 CPU s, a change 2 to 13, all reading included; the quick form about 112
in all, 18 to 25 for each of its two models (54 s of wall with two jobs on two free cores).
Explicit-rope, seeds 1 to 5, the settings found on seeds 0 and 100 (the model of seed 5 never knew
the matrix product to .97):

    sum forgotten, all else held: front door .18 [.13, .22], chance .14; within .10 in 5 of 5;
        matrix product then .97 or more in the 4 models that knew it (.978 .978 .990 .998);
        best back door 1.00 in 5 of 5
    product forgotten likewise: front door .26 [.23, .29], chance .27, within .10 in 5 of 5;
        matrix product .98 to .99 in the same 4; best back door 1.00 in 5 of 5
    sum changed, all held but its results, new sums in the matrix product:
        layers behind the last attention moved: .69 [.42, .96] (.78 .92 .45 .46 .84)
        all layers moved: .61 [.43, .80] (.63 .58 .51 .48 .85)
    product changed likewise, behind the last attention: .70 [.50, .89]
    sum changed, all held, all layers moved: .004 [0, .014], n = 4: two definitions side by side
    trace, the called step lost at least 3 times what any other part did: with atoms held, sum 4 of
        5, product 1 of 5; with all held but the skill's results, sum 4 of 4 (one resisted),
        product 5 of 5
    direct, seeds 0 and 1: sum forgotten to .16 and .18, matrix product .975 and .996; changed
        sum in the matrix product .06 and .09 (last layers), .07 and .04 (all layers)

Searched on seeds 0 and 100 for the change: learning rates 2e-4 to 2e-3, 100 to 500 steps, all
layers (.55 to .92), the feed-forwards alone (.63), the first of them alone (.52), the last 3 layers
(.51 and .54), the last 4 (.90 and .95), which were kept; for forgetting: learning rates 5e-4 to
2e-3, weights .5 and .8. Muon in place of AdamW learned later or not at all (one seed each).

    python benchmarks/bench_tower.py --formats direct explicit-rope --seeds 0 1 2 3 4
    python benchmarks/bench_tower.py --arms      the arms that the answer is judged by, as well
    python benchmarks/bench_tower.py --quick     the models of the quick form

Teaching is the study's own: nine skills modulo 7 (the quick form four modulo 5), until every skill
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
        print("format          seed  steps  starts  CPU s  worst skill, whole tasks")
        for format in asked.formats:
            for seed in asked.seeds:
                plan = TOWER.plan(full=not asked.quick, format=format, seed=seed, seeds=1)
                one(plan, format, folder, asked.arms)


def one(plan: dict[str, Any], format: str, folder: Path, arms: bool) -> None:
    """Teach one model and print what it knows; run the arms that the answer is judged by."""
    first, then = TOWER.tasks(plan)
    found, took = timed(first[f"teach/{format}/0/all"], folder)
    name, worst = min(((n, s["whole"]) for n, s in found["skills"].items()), key=lambda x: x[1])
    print(f"{format:15} {plan['seed']:4} {found['steps']:6} {found['starts']:7} {took:6.1f}  "
          f"{worst:.3f} {name}")  # fmt: skip
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
