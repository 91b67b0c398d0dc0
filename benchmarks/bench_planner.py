"""The exact planner against the published greedy for deep unlearning, and how far it scales.

Measured 2026-11 on x86_64, 2 cores (busy with other work), one thread, Python 3.11, python-sat
1.9.dev17, clingo 5.8.3; EDU-RELAT, 55 targets, 100 seeds; then one request of each kind:

    exact                      6.98        3.1 ms a fact   every one proved optimal
    greedy, best of seeds      6.98   optimal in 55/55
    greedy, average seed       9.23        8.7 ms a seed
    greedy, distinct sets     11.34        (a mean over the different sets that the seeds found)
    greedy, worst seed        13.85

        facts  instances  closure s   one fact s    1 % / 1 %, promoted s        base-only s    MB
          400      2,264       0.03        0.002                     0.00               0.02    50
        1,000      5,325       0.04        0.006                     0.01               0.01    53
       10,000     48,330       0.17        0.092                     0.19               0.27    87
      100,000    482,742       2.76        2.120                     3.28              12.43   385

Base-only was impossible at 10,000, and both were at 100,000, with a witness. On a busier machine
the times were up to five times these.

`--scale` adds 100,000 facts. The greedy is that of Wu et al. 2024 (arXiv 2410.15153), written
anew: grow a set until every rule instance that makes a member is broken, choosing at random, then
drop at random what is not needed. Its time here is not that of the published code, which looks
every atom up by a search. With EDU-RELAT in shared/data beside the project (or where
UNTEACH_SHARED_DATA says), its 55 published targets are used; else 55 facts of invented families.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from unteach.core import stream
from unteach.knowledge import KnowledgeBase, families, plan

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("UNTEACH_SHARED_DATA", ROOT.parent / "shared" / "data"))


def greedy(kb: KnowledgeBase, goal: int, rng: np.random.Generator) -> set[int]:
    """Return a minimal deep-unlearning set as the published heuristic finds it."""
    graph = kb.graph
    fixed = {a for a, kind in kb.start.items() if kind == "background"}
    base = {a for a, kind in kb.start.items() if kind == "fact"}
    gone, agenda = {goal}, [goal]
    while agenda:
        agenda.sort()
        for k in graph.makes[agenda.pop(int(rng.integers(len(agenda))))]:
            body = [b for b in graph.bodies[k] if b not in fixed]
            if not gone & set(body):
                chosen = body[int(rng.integers(len(body)))]
                gone.add(chosen)
                agenda.append(chosen)
    gone &= base
    while True:
        before = len(gone)
        for k in rng.permutation(sorted(gone)).tolist():
            if goal not in graph.closure(fixed | (base - gone) | {k}):
                gone.discard(k)
        if len(gone) == before:
            return gone


def published() -> tuple[KnowledgeBase, list[int]] | None:
    """Return EDU-RELAT and its targets, or None where it is not at hand."""
    folder = SHARED / "edu-relat"
    if not folder.is_dir():
        return None
    sys.path.insert(0, str(ROOT / "tests"))
    from edu_relat import edu_relat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two of its rules can never fire
        kb = edu_relat(folder)
    return kb, json.loads((folder / "target_subsample.json").read_text())


def against_greedy(seeds: int) -> None:
    """Print the planner beside the greedy, on the same facts."""
    found = published()
    kb, targets = found or (families(400), list(range(0, 385, 7)))
    print("EDU-RELAT" if found else "invented families", f"{len(targets)} targets, {seeds} seeds")
    print(
        "closure",
        len(kb.closure()) - len(kb.background),
        "from",
        len(kb.facts),
        "facts,",
        len(kb.graph.bodies),
        "rule instances",
    )
    exact, best, mean, distinct, worst, took, slow = [], [], [], [], [], [], []
    for k in targets:
        goal = kb.number(kb.facts[k])
        began = time.process_time()
        exact.append(plan(kb, [kb.facts[k]]).cost)
        took.append(time.process_time() - began)
        began = time.process_time()
        sets = [greedy(kb, goal, stream(s, "greedy", k)) for s in range(seeds)]
        sizes = [len(s) for s in sets]
        slow.append((time.process_time() - began) / seeds)
        best.append(min(sizes))
        mean.append(np.mean(sizes))
        distinct.append(np.mean([len(s) for s in {frozenset(s) for s in sets}]))
        worst.append(max(sizes))
    print("                      mean size   of one seed")
    fact, seed = 1000 * np.median(took), 1000 * np.median(slow)
    print(f"exact                    {np.mean(exact):6.2f}   {fact:8.1f} ms a fact")
    print(
        f"greedy, best of seeds    {np.mean(best):6.2f}   optimal in "
        f"{sum(b == e for b, e in zip(best, exact, strict=True))}/{len(targets)}"
    )
    print(f"greedy, average seed     {np.mean(mean):6.2f}   {seed:8.1f} ms a seed")
    print(f"greedy, distinct sets    {np.mean(distinct):6.2f}")
    print(f"greedy, worst seed       {np.mean(worst):6.2f}")


def scaling(sizes: list[int]) -> None:
    """Print how long it takes to close and to plan."""
    print(
        "    facts  instances  closure s   one fact s"
        "    1 % / 1 %, promoted s        base-only s    MB"
    )
    for n in sizes:
        kb = families(n, stated=0.45)
        began = time.process_time()
        held = sorted(f for f in kb.closure() if len(f) == 3)
        closing = time.process_time() - began
        plan(kb, [kb.facts[0]])
        ones = [plan(kb, [kb.facts[k]]).seconds for k in (1, n // 3, n // 2)]
        order = stream(0, "request", n).permutation(len(held))
        m = max(1, n // 100)
        forget, preserve = ([held[k] for k in part] for part in (order[:m], order[m : 2 * m]))
        both = [plan(kb, forget, preserve, promote=p) for p in (True, False)]
        words = [f"{p.seconds:7.2f} ({'possible' if p.feasible else 'impossible'})" for p in both]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{n:9,} {len(kb.graph.bodies):10,} {closing:10.2f} {np.median(ones):12.3f}"
            f"   {words[0]:>20} {words[1]:>20} {memory:5}"
        )


def main() -> None:
    """Run and print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--scale", action="store_true", help="100,000 facts too")
    args = parser.parse_args()
    against_greedy(args.seeds)
    scaling([400, 1000, 10_000, *([100_000] if args.scale else [])])


if __name__ == "__main__":
    main()
