"""Audits under a true null, of do nothing, and of the field's methods; wall time of a standard one.

Digits, 1,000 to learn from, 100 of them mislabelled; 25 mislabelled and 25 clean ones are to go;
MLP 64-128-10 at its defaults. Measured 2026-11 on x86_64, 2 cores at a load of 8 to 14 by others,
Python 3.11, numpy 2.4.6; walls are those of a busy machine, CPU seconds the better guide.

    null      1,200 retrained and 400 original networks; 200 whole audits at 64 + 64 (two strata
              besides all records, Holm, both controls), another 64 retrained in the method's place:
              distinguishable 7 of 200 (18 may be), equivalent 111, inconclusive 80, invalid 2 (of
              the 1 % in which the negative control fails by chance);
              doing nothing told apart on the mislabelled stratum 200 of 200;
              95 % intervals of the area hold 0.5 in 199 of 200; mean area 0.501, s.d. 0.015
    coverage  2,000 draws: 95 % intervals of accuracy changes hold 0 in 95.1 % (forgotten),
              94.8 % (kept), 95.5 % (held out); of 200 draws, the residual fraction lies in its
              null in 197
    standard  one method (NegGradPlus), 192 trainings and 64 forgettings: 357 s wall, 42 CPU s;
              again, from the store: 22 s wall (judging); three more methods on the same arms, 192
              forgettings: 175 s wall, 26 CPU s. Areas: NegGradPlus 0.833, RandomLabel 0.928,
              DoNothing 0.909, Retrain 0.507 (equivalent within 0.05), control 0.502
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from unteach import audit
from unteach.audit.population import difference_of_means
from unteach.audit.report import changes
from unteach.core import Rows, stream
from unteach.data import load
from unteach.models import MLP
from unteach.unlearn import DoNothing, NegGradPlus, RandomLabel, Retrain

MODELS = 64
STRONG = RandomLabel(share=0.5, redraw=False, epochs=5)  # the field's: labels drawn once
CANCELS = NegGradPlus(alpha=0.92, ceiling=5.2)  # too much here, too little there
WRONG, CLEAN = np.arange(25), np.arange(200, 225)


def toy() -> tuple[Rows, Rows]:
    """Return 1,000 digits, the first 100 mislabelled, and 400 more; 25 of each are to go."""
    rows = load("digits")
    x, y = np.asarray(rows.x) / 16, np.asarray(rows.y).copy()
    order = stream(0, "digits").permutation(len(x))
    y[order[:100]] = (y[order[:100]] + 1 + stream(0, "wrong").integers(9, size=100)) % 10
    world = Rows(rows.ids, {"x": x, "y": y})
    return world.take(order[:1000]), world.take(order[1000:1400])


def learned(rows: Rows, held: Rows, learner: MLP, retrained: int, originals: int) -> Any:
    """Return the logits of retrained and original models on forgotten, kept and held-out rows."""
    x, y = np.asarray(rows.x), np.asarray(rows.y)
    gone, kept = np.r_[WRONG, CLEAN], np.arange(300, 350)
    members = np.ones((retrained + originals, len(x)), bool)
    members[:retrained, gone] = False
    at = np.concatenate([x[gone], x[kept], np.asarray(held.x)[:200]])
    said = learner.subset_outputs(x, y, members, np.arange(len(members)), at)
    labels = np.concatenate([y[gone], y[kept], np.asarray(held.y)[:200]])
    part = np.repeat(["forget", "retain", "holdout"], [50, 50, 200])
    return said[:retrained], said[retrained:], labels, part


def null_and_power(
    retrained: int, originals: int, audits: int, permutations: int
) -> dict[str, Any]:
    """Return how often whole audits say what they must not, and what they must.

    Each audit draws 192 of the retrained models: 64 stand for a method that is right, 64 are the
    reference, 64 the control; the originals are the pole that does nothing.
    """
    rows, held = toy()
    start = time.perf_counter()
    never, knows, labels, part = learned(rows, held, MLP(), retrained, originals)
    print(f"{retrained + originals} networks in {time.perf_counter() - start:.0f} s", flush=True)
    count = dict.fromkeys(
        (
            "distinguishable",
            "equivalent",
            "inconclusive",
            "invalid",
            "power",
            "area holds",
            "holdout holds",
            "retain holds",
        ),
        0,
    )
    areas = []
    for k in range(audits):
        rng = stream(k, "audit")
        a, b, c = np.split(rng.permutation(len(never))[: 3 * MODELS], 3)
        base = audit.Arms(
            knows[rng.permutation(len(knows))[:MODELS]],
            never[a],
            twin=never[b],
            y=labels,
            part=part,
        )
        report = audit.audit_arms(
            base,
            {"right": never[c]},
            strata={"mislabelled": range(25)},
            seed=k,
            permutations=permutations,
        )
        found = report["right"]
        kind = found.judgement.kind if found.judgement else ""
        count["distinguishable" if kind == "over-forgotten" else kind] += 1
        count["power"] += report["do nothing"].tests["mislabelled"].p_value <= 0.05
        one = replace(base, unlearned=never[c])
        area = audit.ulira(
            one.margins("unlearned"), one.margins("retrained"), seed=k, permutations=19
        ).area
        count["area holds"] += area.holds(0.5)
        areas.append(area.value)
        for name, gap in changes(found).items():
            count[f"{name} holds"] += gap.holds(0.0)
        if sys.stderr.isatty() or k % 20 == 19:
            print(f"{k + 1} audits: {count}", flush=True)
    return {
        **count,
        "area mean": float(np.mean(areas)),
        "area sd": float(np.std(areas)),
        "audits": audits,
        "seconds": time.perf_counter() - start,
    }


def coverage(retrained: int, originals: int, draws: int) -> dict[str, float]:
    """Return how often the intervals of accuracy changes hold 0, where nothing differs.

    And, of a tenth of the draws, how often the residual fraction lies within its own null.
    """
    rows, held = toy()
    never, knows, labels, part = learned(rows, held, MLP(), retrained, originals)
    right = never.argmax(axis=2) == labels
    holds = dict.fromkeys(("forget", "retain", "holdout", "residual"), 0)
    phi, mark = (audit.margin(z[:, :50], labels[:50]) for z in (never, knows))
    for k in range(draws // 10):
        rng = stream(k, "residual")
        a, b, c = np.split(rng.permutation(len(phi))[: 3 * MODELS], 3)
        o = mark[rng.permutation(len(mark))[:MODELS]]
        found = audit.residual_fraction(phi[a], phi[b], o, twin=phi[c], seed=k)
        low, high = found.null or (0.0, 0.0)
        holds["residual"] += 10 * (low <= found.value.value <= high)
    for k in range(draws):
        one, other = np.split(stream(k, "coverage").permutation(len(never))[: 2 * MODELS], 2)
        for name in ("forget", "retain", "holdout"):
            each = right[:, part == name].mean(axis=1)
            holds[name] += difference_of_means(each[one], each[other]).holds(0.0)
    return {name: n / draws for name, n in holds.items()}


def standard(jobs: int, tier: str) -> None:
    """Time a standard audit of one method; then stop and resume it; then others on its arms."""
    rows, held = toy()
    forget = rows.ids[np.r_[WRONG, CLEAN]]
    how: dict[str, Any] = {
        "forget": forget,
        "holdout": held,
        "tier": tier,
        "jobs": jobs,
        "strata": {"mislabelled": rows.ids[WRONG]},
    }
    with tempfile.TemporaryDirectory() as folder:
        for methods in (
            [NegGradPlus()],
            [NegGradPlus()],
            [STRONG, RandomLabel(), CANCELS, Retrain(), DoNothing()],
        ):
            wall, used = time.perf_counter(), time.process_time()
            report = audit.run(methods, MLP(), rows, store=folder, **how)
            took = time.perf_counter() - wall, time.process_time() - used
            print(f"{tier}, {jobs} threads: {took[0]:.0f} s wall, {took[1]:.0f} CPU s", flush=True)
            print(report)
            for m in report.methods.values():
                f, area = m.fractions, m.tests["all"].area
                print(f"  {m.name}: area {area.value:.3f} [{area.low:.3f}, {area.high:.3f}]")
                if f is not None:
                    print(
                        f"    residual: median {f.median:.3f}, {f.near:.0%} near, larger side "
                        f"{f.value.value:.2f}"
                    )
            for bill in report.bills:
                for row in bill.rows():
                    print(
                        "  ",
                        {
                            k: v if isinstance(v, (str, type(None))) else round(v, 4)
                            for k, v in row.items()
                        },
                    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("null", "coverage", "standard"))
    parser.add_argument("--retrained", type=int, default=1200)
    parser.add_argument("--originals", type=int, default=400)
    parser.add_argument("--audits", type=int, default=200)
    parser.add_argument("--permutations", type=int, default=79)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tier", default="standard")
    args = parser.parse_args()
    if args.part == "standard":
        standard(args.jobs, args.tier)
    elif args.part == "coverage":
        print(coverage(args.retrained, args.originals, 10 * args.audits))
    else:
        print(null_and_power(args.retrained, args.originals, args.audits, args.permutations))


if __name__ == "__main__":
    main()
