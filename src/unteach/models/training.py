"""The one torch loop of the project: whatever is trained or unlearned by gradients goes through it.

It takes anything that has parameters, a source of batches and a loss, and changes the parameters
in place; callers that promise to be pure hand in a copy.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from unteach.core import BadInput, Diverged, Progress, derive, stream

from .checkpoint import Snapshot, read_snapshot, write_snapshot
from .settings import Trace, Training

Batches = Callable[[np.random.Generator], Iterable[Any]]
"""One round of batches in an order drawn from a generator: an epoch, or one draw of a stream."""


@dataclass(frozen=True)
class Watch:
    """A score that is read while a model is trained.

    score : called without arguments, between steps · every : so many steps lie between two ·
    best : whether "highest" or "lowest" is best; the parameters of the best reading are the ones
    that stay, those of the last step with None · enough : ends the training once the score is
    this good · patience : ends it after so many readings that are no better than the best
    """

    score: Callable[[], float]
    every: int = 100
    best: Literal["highest", "lowest"] | None = None
    enough: float | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise BadInput(f"every is a whole number of at least 1, got {self.every!r}")
        if self.best not in (None, "highest", "lowest"):
            raise BadInput(f"best is 'highest', 'lowest' or None, got {self.best!r}")
        if self.best is None and (self.enough is not None or self.patience is not None):
            raise BadInput("enough and patience need best='highest' or best='lowest'")

    def better(self, one: float, other: float) -> bool:
        """Say whether one score is better than another."""
        return one > other if self.best == "highest" else one < other


@dataclass(frozen=True)
class Moment:
    """What a callback is told after a step: steps done, of how many, and the last loss."""

    step: int
    total: int | None
    loss: float


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its state, so that it goes on after a kill: a safetensors file.

    path : the file · every : so many steps lie between two writings · about : what is trained on
    what, in words; a file of another training, seed, or `about` is refused, not overwritten
    """

    path: str | os.PathLike[str]
    every: int = 250
    about: str = ""


def fit(
    model: Any,
    batches: Batches,
    loss: Callable[[Any], torch.Tensor],
    how: Training,
    *,
    seed: int,
    per_epoch: int | None = None,
    callbacks: Sequence[Callable[[Moment], bool | None]] = (),
    watch: Watch | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trace:
    """Move a model's parameters down the loss, in place, and say what was done.

    Parameters
    ----------
    model : a `torch.nn.Module`, or whatever has `parameters()`; if it has `train(mode)` it is
        told when training begins and ends, if it has `state_dict()` its buffers are kept too
    batches : called once an epoch with a generator of its own; a stream gives one batch a call
    loss : a batch to a scalar tensor
    how : the settings; `steps` of them, or `epochs` rounds of batches
    seed : order, dropout and whatever else is drawn: on a CPU with one thread the same seed
        gives the same bytes, also after a resumption
    per_epoch : number of batches a round, which schedules and progress need to know the end
    callbacks : called after each step; one that returns True ends the training. They may change
        parameters (a mask that restores what is frozen), and may raise to interrupt: between
        steps everything is whole, and the checkpoint is written first
    watch, progress, checkpoint : a score to read, whom to tell, and where to go on from

    Raises `Diverged` when a loss or, at the end, a parameter is no finite number.

    Examples
    --------
    >>> line = torch.nn.Linear(1, 1)
    >>> x = torch.tensor([[0.0], [1.0]])
    >>> done = fit(line, lambda rng: [x], lambda x: ((line(x) - 3 * x) ** 2).mean(),
    ...            Training(epochs=200, lr=0.1), seed=0)
    >>> done.steps, round(line.weight.item(), 1), done.gradients
    (200, 3.0, 400)
    """
    total = how.steps if how.steps is not None else per_epoch and per_epoch * how.epochs
    if total is None and how.schedule != "constant":
        raise BadInput(f"a {how.schedule} schedule needs steps=, or per_epoch= beside epochs")
    moving = [p for p in model.parameters() if p.requires_grad]
    if not moving:
        raise BadInput("no parameter may move: all of them are frozen")
    optimizer, device = _optimizer(moving, how), str(moving[0].device)
    losses: list[float] = []
    watched: list[tuple[int, float]] = []
    best: tuple[int, float, dict[str, torch.Tensor]] | None = None
    gradients, stopped = 0, ""
    mark = {"seed": seed, "how": how.to_json(), "about": checkpoint.about if checkpoint else ""}
    found = read_snapshot(checkpoint.path, mark) if checkpoint else None
    if found is not None:
        losses, watched, gradients = list(found.losses), list(found.watched), found.gradients
        stopped = found.stopped
        _put_back(model, found.model)
        _resume(optimizer, found.optimizer)
        if found.best is not None:
            best = (found.best_at[0], found.best_at[1], found.best)

    def write() -> None:
        if checkpoint is not None:
            write_snapshot(
                checkpoint.path,
                mark,
                Snapshot(
                    tensors_of(model), _flat(optimizer), tuple(losses), tuple(watched), gradients,
                    stopped, best and best[2], (best[0], best[1]) if best else (0, 0.0),
                ),
            )  # fmt: skip

    with _quiet(model, how, moving):
        steps = _steps(batches, how, seed) if not stopped else iter(())
        for step, batch in itertools.islice(steps, len(losses), None):
            _reseed(derive(seed, "step", step), device)
            for group in optimizer.param_groups:
                group["lr"] = how.rate(step, total or 1)
            optimizer.zero_grad(set_to_none=True)
            value = loss(batch)
            number = float(value.detach())
            if not math.isfinite(number):
                raise Diverged(
                    f"the loss became {number} at step {step + 1} (learning rate "
                    f"{how.rate(step, total or 1):.3g}); lower lr, or bound the step by clip="
                )
            value.backward()  # type: ignore[no-untyped-call]
            if how.clip is not None:
                torch.nn.utils.clip_grad_norm_(moving, how.clip)
            optimizer.step()
            losses.append(number)
            gradients += _count(batch)
            try:
                done = [c(Moment(step + 1, total, number)) for c in callbacks]
                if any(d is True for d in done):
                    stopped = "a callback ended it"
                if watch is not None and (step + 1) % watch.every == 0:
                    best, why = _look(model, watch, watched, step + 1, best)
                    stopped = stopped or why
                if progress is not None:
                    progress(step + 1, total or step + 1, f"loss {number:.4g}")
            except KeyboardInterrupt:
                write()
                raise
            if stopped:
                break
            if checkpoint is not None and (step + 1) % checkpoint.every == 0:
                write()
    if not all(bool(torch.isfinite(p).all()) for p in moving):
        raise Diverged("a parameter became NaN or infinite in the last step; lower lr, or set clip")
    if checkpoint is not None and (found is None or len(losses) > len(found.losses)):
        write()
    for p in moving:
        p.grad = None  # what is left of a gradient tells of the last batch
    if best is not None and best[0] != len(losses):
        _put_back(model, best[2])
    kept = None if best is None or best[0] == len(losses) else best[0]
    return Trace(tuple(losses), tuple(watched), gradients, kept, stopped)


def _steps(batches: Batches, how: Training, seed: int) -> Iterator[tuple[int, Any]]:
    """Yield (step, batch) until the training is over."""
    step = 0
    for around in itertools.count():
        if how.steps is None and around == how.epochs:
            return
        before = step
        for batch in batches(stream(seed, "order", around)):
            if step == how.steps:
                return
            yield step, batch
            step += 1
        if step == before:
            raise BadInput("the source of batches gave none; there is nothing to learn from")
        if step == how.steps:
            return


def _look(
    model: Any,
    watch: Watch,
    watched: list[tuple[int, float]],
    step: int,
    best: tuple[int, float, dict[str, torch.Tensor]] | None,
) -> tuple[tuple[int, float, dict[str, torch.Tensor]] | None, str]:
    """Read the score; return the best so far with its parameters, and why to stop, or ""."""
    with evaluating(model), torch.random.fork_rng(devices=[]), torch.no_grad():
        score = float(watch.score())
    watched.append((step, score))
    if watch.best is None:
        return None, ""
    if best is None or watch.better(score, best[1]):
        best = (step, score, {k: v.clone() for k, v in tensors_of(model).items()})
    if watch.enough is not None and not watch.better(watch.enough, score):
        return best, f"the score reached {score:.4g}"
    since = sum(1 for at, _ in watched if at > best[0])
    if watch.patience is not None and since >= watch.patience:
        return best, f"{since} readings were no better than that of step {best[0]}"
    return best, ""


def _optimizer(moving: list[torch.nn.Parameter], how: Training) -> torch.optim.Optimizer:
    if how.optimizer == "sgd":
        return torch.optim.SGD(
            moving, lr=how.lr, momentum=how.momentum, weight_decay=how.weight_decay
        )
    kind = torch.optim.Adam if how.optimizer == "adam" else torch.optim.AdamW
    fused = all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in moving)
    return kind(
        moving, lr=how.lr, betas=how.betas, weight_decay=how.weight_decay, fused=fused
    )  # type: ignore[return-value, unused-ignore]


def _count(batch: Any) -> int:
    return sum(map(len, batch)) if isinstance(batch, tuple) else len(batch)


def tensors_of(model: Any) -> dict[str, torch.Tensor]:
    """Return a model's tensors by name, detached: its state if it has one, else its parameters."""
    if hasattr(model, "state_dict"):
        return {k: v.detach() for k, v in model.state_dict().items()}
    return {str(k): p.detach() for k, p in enumerate(model.parameters())}


def _put_back(model: Any, tensors: dict[str, torch.Tensor]) -> None:
    now = tensors_of(model)
    if set(now) != set(tensors):
        raise BadInput("the checkpoint is of a module with other parameters; name another file")
    with torch.no_grad():
        for name, value in now.items():
            value.copy_(tensors[name])


def _flat(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{k}.{name}": value
        for k, parts in state.items()
        for name, value in parts.items()
        if isinstance(value, torch.Tensor)
    }


def _resume(optimizer: torch.optim.Optimizer, flat: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in flat.items():
        k, _, name = key.partition(".")
        state.setdefault(int(k), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch dropout and the like off for as long as the block runs."""
    was = bool(getattr(model, "training", False))
    if hasattr(model, "train"):
        model.train(False)
    try:
        yield
    finally:
        if hasattr(model, "train"):
            model.train(was)


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch for as long as the block runs, and leave its generators as they were."""
    cuda = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=cuda):
        _reseed(derive(seed, "torch"), device)
        yield


def _reseed(seed: int, device: str) -> None:
    # torch.manual_seed would, on a machine without an accelerator, keep a stack trace each time
    torch.default_generator.manual_seed(seed)
    if device.startswith("cuda"):
        torch.cuda.manual_seed(seed)


@contextmanager
def _quiet(model: Any, how: Training, moving: list[torch.nn.Parameter]) -> Iterator[None]:
    """Train with the stated threads and in training mode; put back what was."""
    threads, was = torch.get_num_threads(), bool(getattr(model, "training", False))
    torch.set_num_threads(how.threads)
    if hasattr(model, "train"):
        model.train(True)
    try:
        with seeded(0, str(moving[0].device)), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        if hasattr(model, "train"):
            model.train(was)


def remove(checkpoint: Checkpoint) -> None:
    """Delete a checkpoint's file if it is there; it holds parameters that may have to go."""
    Path(checkpoint.path).unlink(missing_ok=True)
