"""What surrounds a training: seeds, threads, training mode, and a model's tensors by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from unteach.core import BadInput, derive

from .settings import Training

_SMALL = 1_000_000
"""Parameters up to which a network is small."""


def tensors_of(model: Any) -> dict[str, torch.Tensor]:
    """Return a model's tensors by name, detached: its state if it has one, else its parameters."""
    if hasattr(model, "state_dict"):
        return {k: v.detach() for k, v in model.state_dict().items()}
    return {str(k): p.detach() for k, p in enumerate(model.parameters())}


def put_back(model: Any, tensors: dict[str, torch.Tensor]) -> None:
    """Give a model the tensors that `tensors_of` returned, in place."""
    now = tensors_of(model)
    if {k: v.shape for k, v in now.items()} != {k: v.shape for k, v in tensors.items()}:
        raise BadInput("the checkpoint is of a module with other parameters; name another file")
    with torch.no_grad():
        for name, value in now.items():
            value.copy_(tensors[name])


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch dropout and the like off for as long as the block runs."""
    was = bool(getattr(model, "training", False))
    if hasattr(model, "train"):
        model.train(False)
    try:
        with own_threads(model):
            yield
    finally:
        if hasattr(model, "train"):
            model.train(was)


@contextmanager
def own_threads(model: Any) -> Iterator[None]:
    """Give a small network no more threads than it trains with for as long as the block runs.

    Threads bring nothing where a step takes microseconds, and on a machine that others use each
    waits for the slowest: an audit of small networks took ten times as long. A network of more
    than a million parameters has as many as torch is set to.
    """
    wanted, was = getattr(getattr(model, "how", None), "threads", None), torch.get_num_threads()
    if wanted is None or wanted >= was or sum(p.numel() for p in model.parameters()) > _SMALL:
        yield
        return
    with threaded(wanted):
        yield


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch for as long as the block runs, and leave its generators as they were."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BadInput(
            f"device={device!r} cannot be used here: torch sees no such device; take 'cpu'"
        )
    cuda = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=cuda):
        reseed(derive(seed, "torch"), device)
        yield


def reseed(seed: int, device: str) -> None:
    """Seed the generators that a device draws from."""
    # torch.manual_seed would, on a machine without an accelerator, keep a stack trace each time
    torch.default_generator.manual_seed(seed)
    if device.startswith("cuda"):
        torch.cuda.manual_seed(seed)


@contextmanager
def normed(module: torch.nn.Module, rows: int) -> Iterator[None]:
    """Let batch normalization use its running statistics where the batch is a single record.

    One record has no spread of its own: torch refuses it in training mode, and a last batch of
    one, or one record to be forgotten, would end in that refusal.
    """
    kind = torch.nn.modules.batchnorm._BatchNorm
    held = [
        part for part in (module.modules() if rows == 1 else ())
        if isinstance(part, kind) and part.training and part.running_mean is not None
    ]  # fmt: skip
    for part in held:
        part.eval()
    try:
        yield
    finally:
        for part in held:
            part.train()


@contextmanager
def threaded(threads: int) -> Iterator[None]:
    """Hold torch to so many threads for as long as the block runs, and put back what was."""
    was = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(was)


@contextmanager
def quiet(model: Any, how: Training, device: str) -> Iterator[None]:
    """Train with the stated threads and in training mode; put back what was."""
    was = bool(getattr(model, "training", False))
    if hasattr(model, "train"):
        model.train(True)
    try:
        with threaded(how.threads), seeded(0, device), torch.enable_grad():
            yield
    finally:
        if hasattr(model, "train"):
            model.train(was)
