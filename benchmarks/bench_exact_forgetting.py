"""Forget one record exactly, against retraining: seconds, and the ratio retrain / forget.

Ratios above 1 are what owning an exact `forget` saves. Each pair is interleaved in one run, so
that a noisy machine slows both; medians are shown. One thread. `--n` and `--repeat` to change.

Measured 2026-11 on x86_64, 2 cores (busy with other work), one thread, Python 3.11, numpy 2.4.6,
scikit-learn 1.9.1; n = 3000, 20 features, medians of 7:

    model        forget one (ms)   own refit / forget   scikit-learn refit / forget
    Ridge               2.16              2.3                   0.8
    Logistic            6.62              1.9                   0.9
    NaiveBayes          1.18             10.6                   1.7
    Neighbours          0.24              2.5                   -
    SVC rbf            67.29              2.2                   1.8

So at this size the gain of Ridge and Logistic is exactness and not speed.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import sklearn.linear_model
import sklearn.naive_bayes
import sklearn.svm
from sklearn.datasets import make_classification

from unteach.kernel import SVC
from unteach.models import Logistic, NaiveBayes, Neighbours, Ridge

warnings.simplefilter("ignore", UserWarning)


def seconds(do: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=7)
    args = parser.parse_args()
    x, y = make_classification(args.n, 20, flip_y=0.05, random_state=0)
    gamma = 1.0 / (20 * x.var())
    peers: list[tuple[str, Any, Any]] = [
        ("Ridge", Ridge(), sklearn.linear_model.Ridge()),
        ("Logistic", Logistic(), sklearn.linear_model.LogisticRegression(tol=1e-8, max_iter=1000)),
        ("NaiveBayes", NaiveBayes(), sklearn.naive_bayes.GaussianNB()),
        ("Neighbours", Neighbours(), None),
        ("SVC rbf", SVC(gamma=gamma), sklearn.svm.SVC(gamma=gamma)),
    ]
    lines = [
        "| model | forget one (ms) | own refit / forget | scikit-learn refit / forget |",
        "|---|---|---|---|",
    ]
    rng = np.random.default_rng(0)
    for name, ours, theirs in peers:
        model = ours.fit(x, y)
        model.without([0])  # compiled, and warm
        pool = model.support_ids_ if hasattr(model, "support_ids_") else np.arange(args.n)
        forget, own, peer = [], [], []
        for _ in range(args.repeat):
            gone = int(rng.choice(pool))
            rest = np.arange(args.n) != gone
            twin = model.without([])
            forget.append(seconds(lambda twin=twin, gone=gone: twin.forget([gone])))
            fresh = type(ours)(**ours.get_params())
            own.append(seconds(lambda fresh=fresh, rest=rest: fresh.fit(x[rest], y[rest])))
            if theirs is not None:
                peer.append(seconds(lambda t=theirs, rest=rest: t.fit(x[rest], y[rest])))
        f = np.median(forget)
        against = f"{np.median(peer) / f:.1f}" if peer else "–"
        lines.append(f"| {name} | {1e3 * f:.2f} | {np.median(own) / f:.1f} | {against} |")
        print(lines[-1], flush=True)


if __name__ == "__main__":
    main()
