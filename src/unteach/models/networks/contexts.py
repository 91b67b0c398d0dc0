"""What surrounds a training: seeds, threads, training mode, copies, a model's tensors by name."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from unteach.core import BadInput, NoRoute, derive

from .training_options import Training

_SMALL = 1_000_000
"""Parameters up to which a network is small."""

Holder = TypeVar("Holder")


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


def copied(held: Holder, module: torch.nn.Module, memo: dict[int, Any] | None = None) -> Holder:
    """Return a deep copy of a module, or of what holds it, whose parameters are its own.

    Tensors that a forward left behind (pruned and normalized weights, activations that a module
    keeps) are copied without the graph that they were computed by.

    >>> line = torch.nn.Linear(1, 1)
    >>> line.last = line(torch.ones(1, 1))
    >>> copied(line, line).last.requires_grad
    False
    """
    known: dict[int, Any] = {} if memo is None else memo
    for part in module.modules():
        for value in vars(part).values():
            known.update((id(t), t.detach().clone()) for t in _computed(value))
    with torch.no_grad():
        try:
            made = copy.deepcopy(held, known)
        except (RuntimeError, TypeError) as error:
            raise NoRoute(
                f"the module cannot be copied ({str(error).splitlines()[0]}), and a method changes "
                "a copy; retrain instead"
            ) from error
    fresh: Any = made if isinstance(made, torch.nn.Module) else known[id(module)]
    for old, new in zip(module.parameters(), fresh.parameters(), strict=True):
        if new.requires_grad != old.requires_grad:  # scripted modules lose it
            new.requires_grad_(old.requires_grad)
    return made


def _computed(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in a module's attribute that stand in a graph."""
    if isinstance(value, torch.Tensor):
        if not value.is_leaf:
            yield value
    elif isinstance(value, (dict, list, tuple, set)):
        for part in list(value.values() if isinstance(value, dict) else value):
            yield from _computed(part)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _computed(vars(value) if hasattr(value, "__dict__") else ())


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
def differentiating(model: Any) -> Iterator[None]:
    """As `evaluating`, for gradients: recurrent layers go without cuDNN, which has none then."""
    module = getattr(model, "module", None)
    recurrent = module is not None and any(
        isinstance(part, torch.nn.RNNBase) for part in module.modules()
    )
    plain = torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext()
    with evaluating(model), torch.enable_grad(), plain:
        yield


@contextmanager
def own_threads(model: Any) -> Iterator[None]:
    """Give a small network no more threads than it trains with for as long as the block runs.

    Threads bring nothing where a step takes microseconds, and on a machine that others use each
    waits for the slowest: an audit of small networks took ten times as long. A network of more
    than a million parameters has as many as torch is set to.
    """
    wanted, was = getattr(getattr(model, "how", None), "threads", None), torch.get_num_threads()
    sized = (p for p in model.parameters() if not torch.nn.parameter.is_lazy(p))
    if wanted is None or wanted >= was or sum(p.numel() for p in sized) > _SMALL:
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
        part
        for part in (module.modules() if rows == 1 else ())
        if isinstance(part, kind) and part.training and part.running_mean is not None
    ]
    for part in held:
        part.eval()
    try:
        yield
    finally:
        for part in held:
            part.train()


@contextmanager
def own_code(model: Any, seed: int) -> Iterator[None]:
    """Run code of the user's own on a model's module: seeded, with the model's threads.

    Seeded are torch and the global generators of numpy and Python, which are put back. Batch
    normalization takes a single record, as in `normed`.
    """
    was = random.getstate(), np.random.get_state()  # noqa: NPY002 (what such code draws from)
    random.seed(derive(seed, "python"))
    np.random.seed(derive(seed, "numpy"))  # noqa: NPY002
    try:
        with own_threads(model), seeded(seed, model.how.device), spared(model.module):
            yield
    finally:
        random.setstate(was[0])
        np.random.set_state(was[1])  # noqa: NPY002


@contextmanager
def spared(module: torch.nn.Module) -> Iterator[None]:
    """Let batch normalization take a single record also where code of the user's own runs.

    As `normed`, but only where torch would refuse: one number a channel. The hooks are those of
    all modules, so that copies which the code makes are spared too, and keep nothing of it.
    """
    kind, alone = torch.nn.modules.batchnorm._BatchNorm, []

    def lone(part: Any, given: tuple[Any, ...]) -> None:
        norm = isinstance(part, kind) and part.training and part.running_mean is not None
        if norm and given and given[0].numel() == len(part.running_mean):
            part.eval()
            alone.append(part)

    def back(part: Any, given: Any, said: Any) -> None:
        if any(part is one for one in alone):
            alone.remove(part)
            part.train()

    if not any(isinstance(part, kind) for part in module.modules()):
        yield
        return
    hooks = torch.nn.modules.module
    first = hooks.register_module_forward_pre_hook(lone)
    last = hooks.register_module_forward_hook(back, always_call=True)
    try:
        yield
    finally:
        first.remove()
        last.remove()


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
