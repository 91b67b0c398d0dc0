"""Memorization: fast subset forms against scikit-learn, the exact 1-NN, and a study end to end.

Peers are interleaved in one run; medians of `--repeat`. CPU seconds where two are compared, wall
seconds end to end. One thread a process; compile times are paid before and told apart.

Measured 2026-11 on x86_64, 2 cores, Python 3.11, numpy 2.4.6, scikit-learn 1.9.1, with one other
process at work; digits, 256 halves of 1437 rows asked at 1797, medians of 5:

    ridge            0.22 ms a model    scikit-learn 3.1 ms    ratio 15 (20 to 21 on a busy machine)
    1-NN             0.22 ms a model    scikit-learn 8.1 ms    ratio 37
    1-NN in closed form, memorization of 1437 and influence 1797 x 1437: 0.050 CPU s
    2,000 networks, stored, 2 processes: 16.6 s wall (32.4 CPU s with the start of the workers)

15 s were wanted for the last: a network takes 11 to 14 ms of a core here, the start of the workers
2 s of each.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from unteach.memorize import Design, Memories, nearest
from unteach.memorize._training.subset_design import as_fraction
from unteach.models.subsets.subset_nearest import SubsetNearest
from unteach.models.subsets.subset_ridge import SubsetRidge


def cpu(do: Callable[..., Any], *given: Any) -> float:
    start = time.process_time()
    do(*given)
    return time.process_time() - start


def each(plain: Callable[[Any], Any], members: Any) -> None:
    for mask in members:
        plain(mask)


def spent() -> float:
    """Return the CPU seconds of this process and of all its workers that have ended."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, both))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    data, labels = load_digits(return_X_y=True)
    x, y, at, y_at = data[:1437] / 16, labels[:1437], data / 16, labels
    design = Design(len(y), as_fraction(0.5), 0)
    members, seeds = design.members(0, 256), design.seeds(0, 256)
    few = members[:20]
    pairs: list[tuple[str, Any, Callable[[Any], Any]]] = [
        ("ridge", SubsetRidge(), lambda m: RidgeClassifier(1.0).fit(x[m], y[m]).predict(at)),
        ("1-NN", SubsetNearest(), lambda m: KNeighborsClassifier(1).fit(x[m], y[m]).predict(at)),
    ]
    for title, learner, plain in pairs:
        start = time.perf_counter()
        learner.subset_outputs(x, y, members[:1], seeds[:1], at)
        loaded = time.perf_counter() - start
        print(f"{title}: first call, with compiling or loading, {loaded:.2f} s")
        fast, slow = [], []
        for _ in range(args.repeat):
            fast.append(cpu(learner.subset_outputs, x, y, members, seeds, at) / 256)
            slow.append(cpu(each, plain, few) / len(few))
        ratio = statistics.median(s / f for s, f in zip(slow, fast, strict=True))
        mine, other = statistics.median(fast), statistics.median(slow)
        print(
            f"{title}: {1e3 * mine:.3f} ms a model, scikit-learn {1e3 * other:.2f} ms, "
            f"ratio {ratio:.1f} (median of {args.repeat}; 256 halves of 1437, 1797 queries)"
        )
    nearest.exact(x, y, at[1437:], y_at[1437:])
    took = [cpu(nearest.exact, x, y, at[1437:], y_at[1437:]) for _ in range(args.repeat)]
    print(
        f"1-NN exact: memorization of 1437 and influence 1797 x 1437, "
        f"{statistics.median(took):.3f} CPU s (median of {args.repeat})"
    )
    Memories(x, y, learner="mlp").run(2, jobs=1)
    start, used = time.perf_counter(), spent()
    study = Memories(x, y, learner="mlp", X_test=at[1437:], y_test=y_at[1437:])
    study.run(args.models, jobs=args.jobs)
    found = study.memorization(unconverged="flag")
    wall, mine = time.perf_counter() - start, spent() - used
    print(
        f"{args.models} networks 64-128-10 on digits, stored, {args.jobs} processes: "
        f"{wall:.1f} s wall ({mine:.1f} CPU s, workers and their start included), "
        f"fit {found.accuracy:.4f}"
    )


if __name__ == "__main__":
    main()
