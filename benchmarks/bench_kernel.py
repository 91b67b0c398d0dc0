"""The kernel machine against scikit-learn's refit, interleaved in one run; medians and ratios.

Result (AMD EPYC, KVM, 2 cores shared with other work, one thread; n = 10,000, d = 20; CPU time):
forgetting one margin / bounded support vector is 72 / 56 times as fast as a refit on synth,
21 / 14 on clean and 19 / 10 on hard (3,172 margin support vectors); 1 % at random 16 / 7.5 /
2.5 times. All leave-one-outs cost 1.8 / 2.1 / 3.9 refits, none of them by the slow path. One of
ten classes (digits, n = 1,797): 9 times. A cold fit costs 2.6 / 3.5 / 2.1 refits (1.9 / 1.8 /
1.3 at n = 2,000). Between runs the ratios differ by up to a quarter.

Run: python benchmarks/bench_kernel.py [--full] (--full adds the rows of n = 10,000).
One BLAS thread on both sides; scikit-learn at its default tol with cache_size=2000; gamma fixed
to 1 / (d var X) beforehand. "forget" is the whole of `SVC.forget`: certificate, claim and the
erasing of what went are inside the timing; the first one after a fit (which sets the anchor up)
is timed apart. CPU seconds, so that other work on the machine counts less.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_classification
from sklearn.svm import SVC as Libsvm
from threadpoolctl import threadpool_limits

from unteach.kernel import SVC
from unteach.kernel.loo import leave_each_out
from unteach.kernel.solver import Solution


def data(name: str, n: int) -> tuple[Any, Any, float]:
    """Return rows, labels and C of a data set of the table."""
    if name == "digits":
        x, y = load_digits(return_X_y=True)
        return x / 16.0, y, 10.0
    if name == "synth":
        x, y = make_classification(n + 2000, 20, n_informative=10, flip_y=0.05, random_state=0)
        return x[:n], y[:n], 1.0
    if name == "clean":
        x, y = make_classification(
            n + 2000, 20, n_informative=10, n_clusters_per_class=4, flip_y=0.0, class_sep=2.0,
            random_state=0,
        )  # fmt: skip
        return x[:n], y[:n], 10.0
    rng, many = np.random.default_rng(0), n + 2000  # hard: sixty overlapping clusters, 10 % noise
    centers = rng.normal(0, 2.0, (60, 10))
    labels, which = rng.integers(0, 2, 60), rng.integers(0, 60, many)
    numbers = centers[which] + rng.normal(0, 1.3, (many, 10))
    chance = 0.2 + 0.5 * (which[:, None] % 10 == np.arange(10))
    x = np.hstack([numbers, (rng.random((many, 10)) < chance).astype(float)])
    x = (x - x.mean(0)) / x.std(0)
    y = np.where(rng.random(many) < 0.1, 1 - labels[which], labels[which])
    return x[:n], y[:n], 10.0


def seconds(action: Callable[[], Any]) -> float:
    """Return the CPU seconds that an action takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


class Bench:
    """One data set: our machine, scikit-learn's, and the rows of the table they make."""

    def __init__(self, name: str, n: int) -> None:
        self.x, self.y, cost = data(name, n)
        self.name, self.n = name, len(self.y)
        gamma = 1 / (self.x.shape[1] * self.x.var())
        self.theirs = Libsvm(C=cost, gamma=gamma, cache_size=2000)
        self.ours = SVC(C=cost, gamma=gamma)
        SVC(C=cost, gamma=gamma).fit(self.x[:300], self.y[:300])  # compiles
        self.refits: list[float] = []

    def refit(self, without: Any = ()) -> None:
        """Time a refit of scikit-learn's machine without some rows."""
        keep = np.delete(np.arange(self.n), without)
        self.refits.append(seconds(lambda: self.theirs.fit(self.x[keep], self.y[keep])))

    def row(self, what: str, times: list[float]) -> None:
        """Print a row of the table."""
        refit, mine = float(np.median(self.refits)), float(np.median(times))
        print(
            f"{self.name:7s} {self.n:6d}  {what:32s} {1e3 * mine:10.2f} ms   refit "
            f"{1e3 * refit:8.1f} ms   {refit / mine:8.1f} x   {mine / refit:7.2f} refits",
            flush=True,
        )

    def fit(self) -> None:
        """Time a cold fit."""
        self.refit()
        mine = [seconds(lambda: self.ours.fit(self.x, self.y))]
        self.refit()
        self.row("cold fit", mine)

    def one_at_a_time(self, times: int) -> None:
        """Time the forgetting of margin and of bounded support vectors."""
        first = self.ours.support_ids_[:1]
        self.row("first forget after a fit", [seconds(lambda: self.ours.forget(first))])
        for what in ("margin", "bounded"):
            mine = []
            for q in range(times):
                chosen = self._kind(what)
                if len(chosen):
                    i = chosen[(37 * q) % len(chosen)]
                    mine.append(seconds(lambda i=i: self.ours.forget([i])))  # type: ignore[misc]
                if q % 5 == 0:
                    self.refit([int(i)] if len(chosen) else ())
            if mine:
                self.row(f"forget one {what} support vector", mine)

    def _kind(self, what: str) -> Any:
        pair = self.ours._machine.pairs[0]
        bounds = self.ours._machine.bounds[pair.rows]
        at_bound = np.abs(pair.b) == bounds
        chosen = (pair.b != 0) & (at_bound if what == "bounded" else ~at_bound)
        return self.ours.sample_ids_[pair.rows[chosen]]

    def batch(self) -> None:
        """Time the forgetting of one row in a hundred, at random."""
        gone = np.random.default_rng(1).choice(self.ours.sample_ids_, self.n // 100, replace=False)
        self.refit(gone)
        self.row("forget 1 % at random", [seconds(lambda: self.ours.forget(gone))])

    def leave_one_out(self) -> None:
        """Time all leave-one-outs."""
        self.refit()
        self.row("all leave-one-outs", [seconds(self.ours.leave_one_out)])
        pair = self.ours._machine.pairs[0]
        qp = self.ours._machine.problem(pair.rows, pair.first)
        print(" " * 16, leave_each_out(qp, Solution(pair.b, pair.rho, 0, 0.0))[2])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    full = parser.parse_args().full
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread each")
    for name, n in [("synth", 2000), ("clean", 2000), ("hard", 2000)] + (
        [("synth", 10_000), ("clean", 10_000), ("hard", 10_000)] if full else []
    ):
        bench = Bench(name, n)
        bench.fit()
        bench.leave_one_out()
        bench.one_at_a_time(15)
        bench.batch()
    bench = Bench("digits", 1797)
    bench.fit()
    rng = np.random.default_rng(0)
    mine = []
    for q in range(60):
        i = int(rng.choice(bench.ours.sample_ids_))
        mine.append(seconds(lambda i=i: bench.ours.forget([i])))  # type: ignore[misc]
        if q % 10 == 0:
            bench.refit([i])
    bench.row("forget one of ten classes", mine)


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
