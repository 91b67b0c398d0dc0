"""Three published gains of methods for networks, each tried once more in the authors' favour.

1000 digits, a tenth mislabelled, a random tenth to go. Every side has its hyper-parameters drawn
50 times, from the same ranges, and takes those that are nearest to retraining on 3 worlds (seeds
500 on; the first draw is the default; parts of a split are drawn jointly). Memorization is that of
400 compiled networks on random halves, which no column counts. A split may take as many epochs a
part as another method in all.

Result (AMD EPYC, KVM, 2 cores shared with much other work, 1 process; n = 20 worlds, seeds 0 to 19;
MLP 64-128-10; 9 CPU minutes):

method                gap     forget     signed   accuracy        tow  gradients
nothing             0.314      0.182      0.178      0.062      0.820      0.000
fine-tuning         0.283      0.125      0.092      0.034      0.899   6300.000
l1-sparse           0.220      0.106      0.084      0.039      0.885  12600.000
random label        0.281      0.123      0.055      0.033      0.903  14976.000
salun               0.277      0.135      0.085      0.045      0.868  13312.000
neggrad+            0.251      0.115      0.066      0.026      0.924  16640.000
rum example         0.264      0.118      0.061      0.042      0.877  20481.000
rum neggrad+        0.252      0.115      0.022      0.033      0.905  38111.000
rum mixed           0.238      0.109      0.071      0.027      0.921  36975.000
retraining          0.200      0.071     -0.012      0.014      0.959        nan

pair (first less second)    gap                     accuracy               tow
salun - random label        -0.004 [-0.018,0.011]   0.012 [0.006,0.018]    -0.035 [-0.052,-0.018]
l1-sparse - fine-tuning     -0.063 [-0.081,-0.046]  0.005 [-0.000,0.009]   -0.014 [-0.027,0.000]
rum example - fine-tuning   -0.020 [-0.034,-0.006]  0.008 [0.004,0.011]    -0.022 [-0.032,-0.011]
rum example - salun         -0.013 [-0.023,-0.004]  -0.003 [-0.009,0.003]  0.009 [-0.007,0.025]
rum neggrad+ - neggrad+     0.000 [-0.012,0.012]    0.007 [-0.001,0.014]   -0.019 [-0.040,0.003]
rum mixed - fine-tuning     -0.045 [-0.057,-0.033]  -0.008 [-0.013,-0.003] 0.023 [0.008,0.037]
rum mixed - salun           -0.039 [-0.051,-0.027]  -0.018 [-0.022,-0.014] 0.053 [0.042,0.065]
rum mixed - neggrad+        -0.013 [-0.024,-0.003]  0.001 [-0.003,0.005]   -0.002 [-0.015,0.010]

"gap" sums mean absolute differences of the label's probability from 4 retrained models, over
forgotten, kept and unseen; "accuracy" is the mean absolute difference of the three accuracies (the
measure of the papers on masks and sparsity), "tow" the tug of war (that of the paper on splits).
Brackets: 95 % t-intervals of paired differences over worlds, 24 of them, not adjusted.

SalUn over random labels: not reproduced; no nearer in probabilities, farther in accuracies.
L1-sparse over fine-tuning: reproduced in probabilities, not in accuracies, for twice the epochs.
RUM over its parts: reproduced where the parts differ, in probabilities, for 2 to 6 times the
gradients; in the authors' measure not over NegGrad+, the best part; not for one method thrice.

Run: python benchmarks/bench_published.py [--draws 50] [--tuning 3] [--worlds 20] [--quick]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from scipy import stats

from unteach.core import Diverged, Request, Rows, derive, stream
from unteach.data import load, mislabelled
from unteach.memorize import Subsampled
from unteach.models import MLP, Layers, Network
from unteach.unlearn import RUM, DoNothing, FineTune, L1Sparse, NegGradPlus, RandomLabel, SalUn
from unteach.unlearn.tuning import Yard, drawn, space_of

NET = Network(module=Layers((64, 128, 10)), epochs=60, lr=1e-2, batch_size=64)
MEMORY = Subsampled(models=400, unconverged="flag")
Scores = dict[Any, float]


class World(NamedTuple):
    """A draw: records, what is to be forgotten, how memorized that is, and the truth."""

    records: Rows
    request: Request
    scores: Scores
    yard: Yard
    model: Any
    retrained: Any
    seed: int


def world(seed: int, references: int = 4) -> World:
    """Return 1000 digits, a tenth mislabelled, of which a random tenth is to go."""
    digits = load("digits")
    order = stream(seed, "published").permutation(len(digits))
    rows = Rows(digits.ids, {"x": digits.x / 16.0, "y": digits.y})
    planted = mislabelled(rows.take(order[:1000]), fraction=0.1, seed=seed)
    records = Rows(planted.records.ids, {k: planted.records.columns[k] for k in ("x", "y")})
    gone = stream(seed, "forget").choice(records.ids, size=100, replace=False)
    kept = records.without(gone)
    table = MEMORY.score(MLP(hidden=(128,), epochs=60, lr=0.1), records, seed=derive(seed, "m"))
    scores = dict(zip(table["id"], table["hard"], strict=True))
    truth = tuple(NET.learn(kept, seed=1000 * (k + 1) + seed) for k in range(references))
    return World(
        records,
        Request(ids=gone.tolist()),
        scores,
        Yard(records.select(gone), kept, rows.take(order[1000:]), truth),
        NET.learn(records, seed=seed),
        NET.learn(kept, seed=999 + seed),
        seed,
    )


def of(*methods: Any) -> Callable[[Any, Scores], Any]:
    """Return a draw of one method's hyper-parameters, or of all the parts of a split jointly."""

    def draw(rng: Any, scores: Scores) -> Any:
        parts = []
        for one in methods:
            known = {} if isinstance(one, DoNothing) else space_of(one)
            parts.append(one if rng is None or not known else drawn(one, known, rng))
        return parts[0] if len(parts) == 1 else RUM(methods=tuple(parts), scores=scores)

    return draw


SIDES = {
    "nothing": of(DoNothing()),
    "fine-tuning": of(FineTune()),
    "l1-sparse": of(L1Sparse()),
    "random label": of(RandomLabel()),
    "salun": of(SalUn()),
    "neggrad+": of(NegGradPlus()),
    "rum example": of(DoNothing(), FineTune(), SalUn()),
    "rum neggrad+": of(NegGradPlus(), NegGradPlus(), NegGradPlus()),
    "rum mixed": of(FineTune(), SalUn(), NegGradPlus()),
}
PAIRS = (
    ("salun", "random label"),
    ("l1-sparse", "fine-tuning"),
    ("rum example", "fine-tuning"),
    ("rum example", "salun"),
    ("rum neggrad+", "neggrad+"),
    ("rum mixed", "fine-tuning"),
    ("rum mixed", "salun"),
    ("rum mixed", "neggrad+"),
)


def scored(model: Any, one: World) -> dict[str, float]:
    """Return the gap to retraining in probabilities, in accuracies, and the tug of war."""

    def right(who: Any, rows: Any) -> float:
        return float(np.mean(who.predict(rows.x) == np.asarray(rows.y)))

    off = []
    for rows in (one.yard.forget, one.yard.kept, one.yard.fresh):
        truth = np.mean([right(r, rows) for r in one.yard.references])
        off.append(abs(right(model, rows) - float(truth)))
    found = one.yard.gap(model)
    return {
        "gap": found.total,
        "forget": found.forget,
        "signed": found.signed,
        "accuracy": float(np.mean(off)),
        "tow": float(np.prod([1 - o for o in off])),
    }


def run(method: Any, one: World) -> dict[str, float]:
    """Return how far from retraining a method ends in one world."""
    gone = method.forget(one.model, one.records, one.request, seed=one.seed + 7)
    return scored(gone.model, one) | {"gradients": float(gone.cost.gradients)}


def tuned(name: str, worlds: list[World], draws: int) -> int:
    """Return the draw that comes nearest to retraining on the tuning worlds; 0 is the default."""
    best, chosen = np.inf, 0
    for t in range(draws if name != "nothing" else 1):
        gaps = []
        try:
            for one in worlds:
                rng = stream(0, "published", name, t) if t else None
                gaps.append(run(SIDES[name](rng, one.scores), one)["gap"])
        except Diverged:
            continue
        if np.mean(gaps) < best:
            best, chosen = float(np.mean(gaps)), t
    return chosen


def interval(values: Any) -> str:
    """Return a mean with its 95 % t-interval over the worlds."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{np.mean(values):+.3f} [{np.mean(values) - half:+.3f}, {np.mean(values) + half:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="2 draws on 1 world, then 3 worlds")
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--tuning", type=int, default=3)
    parser.add_argument("--worlds", type=int, default=20)
    given = parser.parse_args()
    if given.quick:
        given.draws, given.tuning, given.worlds = 2, 1, 3
    began = time.perf_counter()
    practice = [world(500 + k) for k in range(given.tuning)]
    chosen = {}
    for name in SIDES:
        chosen[name] = tuned(name, practice, given.draws)
        rng = stream(0, "published", name, chosen[name]) if chosen[name] else None
        print(name, chosen[name], SIDES[name](rng, {}), flush=True)
    print(f"tuned after {time.perf_counter() - began:.0f} s", flush=True)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*SIDES, "retraining")}
    for k in range(given.worlds):
        one = world(k)
        found["retraining"].append(scored(one.retrained, one))
        for name, draw in SIDES.items():
            rng = stream(0, "published", name, chosen[name]) if chosen[name] else None
            try:
                found[name].append(run(draw(rng, one.scores), one))
            except Diverged:
                found[name].append(dict.fromkeys(("gap", "accuracy", "tow"), float("nan")))
    columns = ("gap", "forget", "signed", "accuracy", "tow", "gradients")
    print(f"{'method':14}" + "".join(f"{c:>11}" for c in columns))
    for name, rows in found.items():
        cells = [np.mean([r.get(c, np.nan) for r in rows]) for c in columns]
        print(f"{name:14}" + "".join(f"{v:11.3f}" for v in cells))
    for one_, other in PAIRS:
        told = []
        for c in ("gap", "accuracy", "tow"):
            off = np.array([a[c] - b[c] for a, b in zip(found[one_], found[other], strict=True)])
            told.append(f"{c} {interval(off)}")
        print(f"{one_} less {other}: " + ", ".join(told))
    print(f"n = {given.worlds} worlds, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
