"""The compiled trainers against loops in torch, one thread each, interleaved in one run.

Result (AMD EPYC, KVM, Zen 4 with AVX-512, 2 cores shared with other work, one thread; torch
2.13.0 for CPUs; two runs of 21 rounds, CPU seconds; medians):

    network                    compiled       against slices   against DataLoader
    MLP 64-128-10, 30 epochs   10.7-11.0 ms   12.0-14.1 x      19.9-24.7 x
    CNN 8-16, 5 epochs         13.4-13.5 ms    6.1-6.2 x        7.1-7.2 x

That is 5,400 to 5,600 networks of the first kind a minute and core. Mean accuracy on the rows
held out is the same within .004 (MLP) and .008 (CNN). Compiling takes 25 to 33 s of CPU, once.

Run: python benchmarks/bench_trainers.py [--quick]. Every side trains on the same halves of
digits (718 of 1,437 rows, 10 classes, batch 64, SGD with lr .1 and momentum .9, the last short
batch included) and answers the 360 held-out rows. "DataLoader" is what people write: a Subset of
a TensorDataset, shuffled; "slices" indexes tensors by a permutation. Ratios are of CPU seconds a
network, the median over rounds of (torch in the round / compiled in the same round). Compile
time is apart. `--quick` makes fewer rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from unteach.models import CNN, MLP
from unteach.models.compiled import warm_up
from unteach.models.compiled._kernels.instruction_set import isa_here


def data() -> tuple[Any, ...]:
    """Return training rows and labels, and held-out rows and labels, of centred digits."""
    x, y = load_digits(return_X_y=True)
    x, at, y, truth = train_test_split(x / 16, y, test_size=360, stratify=y, random_state=0)
    middle = x.mean(axis=0)
    return (x - middle).astype(np.float32), y, (at - middle).astype(np.float32), truth


def halves(m: int, n: int, seed: int) -> Any:
    """Return m random halves of n rows: (m, n) bool."""
    rng = np.random.default_rng(seed)
    members = np.zeros((m, n), bool)
    for row in members:
        row[rng.permutation(n)[: n // 2]] = True
    return members


def by_slices(learner: Any, x: Any, y: Any, members: Any, seeds: Any, at: Any) -> Any:
    """Train each network in torch, on batches that index the rows by a permutation."""
    said = []
    for mine, seed in zip(members, seeds, strict=True):
        torch.manual_seed(int(seed))
        net = learner.architecture(x.shape[1], 10).module()
        rows, labels = x[torch.from_numpy(mine)], y[torch.from_numpy(mine)]
        sgd = torch.optim.SGD(net.parameters(), learner.lr, momentum=learner.momentum)
        for _ in range(learner.epochs):
            order = torch.randperm(len(rows))
            for first in range(0, len(rows), learner.batch_size):
                batch = order[first : first + learner.batch_size]
                sgd.zero_grad()
                torch.nn.functional.cross_entropy(net(rows[batch]), labels[batch]).backward()
                sgd.step()
        with torch.no_grad():
            said.append(net(at).numpy())
    return np.stack(said)


def by_loader(learner: Any, x: Any, y: Any, members: Any, seeds: Any, at: Any) -> Any:
    """Train each network in torch, with a DataLoader."""
    said = []
    for mine, seed in zip(members, seeds, strict=True):
        torch.manual_seed(int(seed))
        net = learner.architecture(x.shape[1], 10).module()
        rows = torch.utils.data.Subset(
            torch.utils.data.TensorDataset(x, y), np.flatnonzero(mine).tolist()
        )
        batches = torch.utils.data.DataLoader(rows, learner.batch_size, shuffle=True)
        sgd = torch.optim.SGD(net.parameters(), learner.lr, momentum=learner.momentum)
        for _ in range(learner.epochs):
            for inputs, labels in batches:
                sgd.zero_grad()
                torch.nn.functional.cross_entropy(net(inputs), labels).backward()
                sgd.step()
        with torch.no_grad():
            said.append(net(at).numpy())
    return np.stack(said)


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under a minute")
    rounds = 5 if parser.parse_args().quick else 21
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, {isa_here()}, torch {torch.__version__}")
    print("seconds to compile (or to read from the cache):", warm_up())
    x, y, at, truth = data()
    tensors = torch.from_numpy(x), torch.from_numpy(y).long()
    asked = torch.from_numpy(at)
    print(
        f"{'network':26}{'loop':12}{'ms':>8}{'per minute':>12}{'ratio':>8}{'low-high':>14}"
        f"{'accuracy':>10}"
    )
    for label, learner in (
        ("MLP 64-128-10, 30 epochs", MLP()),
        ("CNN 8-16, 5 epochs", CNN(epochs=5)),
    ):
        took: dict[str, list[float]] = {"compiled": [], "slices": [], "DataLoader": []}
        right: dict[str, list[float]] = {name: [] for name in took}
        loops: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("compiled", learner.subset_outputs),
            ("slices", by_slices),
            ("DataLoader", by_loader),
        )
        for i in range(rounds + 1):
            for name, do in loops:
                m = 8 if name == "compiled" else 1
                members, seeds = halves(m, len(x), i), np.arange(m) + 100 * i
                began = time.process_time()
                if name == "compiled":
                    said = do(x, y, members, seeds, at)
                else:
                    said = do(learner, *tensors, members, seeds, asked)
                spent = time.process_time() - began
                if i:  # the first round warms up
                    took[name].append(spent / m)
                    right[name].append(float((said.argmax(axis=2) == truth).mean()))
        ours = np.array(took["compiled"])
        for name, seconds in took.items():
            spent = np.array(seconds)
            ratio = spent / ours
            low, high = np.quantile(ratio, [0.25, 0.75])
            print(
                f"{label:26}{name:12}{1e3 * np.median(spent):8.1f}{60 / np.median(spent):12,.0f}"
                f"{np.median(ratio):8.1f}{low:8.1f}-{high:.1f}"
                f"{np.mean(right[name]):10.3f}"
            )


if __name__ == "__main__":
    main()
