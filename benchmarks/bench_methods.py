"""Methods for networks on digits with a tenth of the labels wrong, against retraining.

RESULTS

Run: python benchmarks/bench_methods.py [--quick] [--worlds 8] [--search NAME --trials 40]
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import fields
from typing import NamedTuple

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from unteach import unlearn
from unteach.core import Diverged, Request, Rows, stream
from unteach.data import load, mislabelled
from unteach.models import Layers, Network
from unteach.unlearn.search_space import drawn, space_of
from unteach.unlearn.tuning import Yard

NET = Network(module=Layers((64, 128, 10)), epochs=60, lr=1e-2, batch_size=64)
METHODS = (
    "DoNothing", "Retrain", "OverForget", "Sisa", "FineTune", "GradientAscent", "NegGradPlus",
    "RandomLabel", "SalUn", "SCRUB", "SSD", "LabelFreeSSD", "RUM", "L1Sparse", "BadTeacher",
    "FisherNoise", "CFk", "EUk", "BoundaryShrink", "UNSIR", "Influence", "Rewind", "NoisyDescent",
    "Langevin",
)  # fmt: skip


class World(NamedTuple):
    """A draw: records, what is to be forgotten, wrongly and rightly labelled, and the truth."""

    records: Rows
    wrong: Rows
    right: Rows
    request: Request
    yard: Yard
    model: object
    seconds: float
    seed: int


def world(seed: int, references: int = 3) -> World:
    """Return 1000 digits, 100 of them mislabelled; 25 of these and 25 others are to go."""
    digits = load("digits")
    order = stream(seed, "bench").permutation(len(digits))
    rows = Rows(digits.ids, {"x": digits.x / 16.0, "y": digits.y})
    planted = mislabelled(rows.take(order[:1000]), fraction=0.1, seed=seed)
    records = Rows(planted.records.ids, {k: planted.records.columns[k] for k in ("x", "y")})
    rng = stream(seed, "forget")
    wrong = rng.choice(planted.planted_ids, size=25, replace=False)
    right = rng.choice(np.setdiff1d(records.ids, planted.planted_ids), size=25, replace=False)
    gone = np.concatenate([wrong, right])
    kept = records.without(gone)
    model = NET.learn(records, seed=seed)
    began = time.perf_counter()
    truth = tuple(NET.learn(kept, seed=1000 * (k + 1) + seed) for k in range(references))
    seconds = (time.perf_counter() - began) / references
    yard = Yard(records.select(gone), kept, rows.take(order[1000:]), truth)
    return World(
        records, records.select(wrong), records.select(right), Request(ids=gone.tolist()), yard,
        model, seconds, seed,
    )  # fmt: skip


def run(method: object, one: World) -> dict[str, float]:
    """Return what a method does in one world, accuracies and costs as shares of retraining's."""
    model = one.model
    if hasattr(method, "prepare"):
        model = method.prepare(NET).learn(one.records, seed=one.seed)
    gone = method.forget(model, one.records, one.request, seed=one.seed + 7)

    def right(rows: Rows) -> float:
        return float(np.mean(gone.model.predict(rows.x) == rows.y))

    found = {
        "wrong": right(one.wrong), "right": right(one.right), "kept": right(one.yard.kept),
        "test": right(one.yard.fresh), "time": gone.cost.seconds / one.seconds,
    }  # fmt: skip
    if hasattr(gone.model, "losses"):
        gap = one.yard.gap(gone.model)
        found |= {"gap": gap.total, "forget gap": gap.forget, "signed": gap.signed}
    return found


def table(worlds: list[World], names: tuple[str, ...]) -> None:
    """Print one line a method: means over the worlds, and the gap's standard error."""
    columns = ("wrong", "right", "kept", "test", "forget gap", "signed", "gap", "time")
    print(f"{'method':16}" + "".join(f"{c:>11}" for c in columns) + f"{'se(gap)':>10}")
    for name in names:
        method = getattr(unlearn, name)()
        rows = [run(method, one) for one in worlds]
        cells = []
        for c in columns:
            told = [r[c] for r in rows if c in r]
            middle = np.median(told) if c == "time" and told else np.mean(told or [np.nan])
            cells.append(f"{middle:11.3f}")
        gaps = [r["gap"] for r in rows if "gap" in r]
        error = np.std(gaps, ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
        print(f"{name:16}" + "".join(cells) + f"{error:10.3f}", flush=True)


def search(name: str, worlds: list[World], trials: int) -> None:
    """Print the draws of hyper-parameters that come nearest to retraining, best first."""
    method = getattr(unlearn, name)()
    space, found = space_of(method), []
    for t in range(trials):
        one = method if t == 0 else drawn(method, space, stream(0, "search", name, t))
        try:
            rows = [run(one, w) for w in worlds]
            gaps = [np.mean([r[k] for r in rows]) for k in ("gap", "forget gap", "signed", "test")]
        except Diverged:
            continue
        found.append((gaps, {n: getattr(one, n) for n in space}, t))
    base = np.mean([w.yard.gap(w.model).total for w in worlds])
    print(f"{name}: doing nothing {base:.3f}; {[f.name for f in fields(method)]}")
    for gaps, values, t in sorted(found, key=lambda f: f[0][0])[:5] + [
        f for f in found if f[2] == 0
    ]:
        told = " ".join(f"{k}={v:.3g}" for k, v in values.items())
        print("  " + " ".join(f"{g:.3f}" for g in gaps) + f" trial {t}: {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two worlds")
    parser.add_argument("--worlds", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--search", nargs="*", help="search hyper-parameters of these methods")
    parser.add_argument("--trials", type=int, default=40)
    given = parser.parse_args()
    count = 2 if given.quick else given.worlds
    # defaults are searched on draws of their own, so that the table's are fresh
    first = 100 if given.search else given.first
    worlds = [world(first + k) for k in range(count)]
    for name in given.search or ():
        search(name, worlds, given.trials)
    if not given.search:
        table(worlds, METHODS)


if __name__ == "__main__":
    main()
