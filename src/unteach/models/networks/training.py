"""The one torch loop of the project: whatever is trained or unlearned by gradients goes through it.

It takes anything that has parameters, a source of batches and a loss, and changes the parameters
in place; callers that promise to be pure hand in a copy.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from unteach.core import BadInput, Diverged, Progress, derive, stream

from .checkpoint import Snapshot, read_snapshot, write_snapshot
from .contexts import evaluating, put_back, quiet, reseed, tensors_of
from .training_options import Trace, Training

# Watching: a score that is read while a model is trained, and what follows from it.


@dataclass(frozen=True)
class Watch:
    """A score that is read while a model is trained.

    score : called without arguments, between steps · every : so many steps lie between two ·
    best : whether "highest" or "lowest" is best; the parameters of the best reading are the ones
    that stay, those of the last step with None · enough : ends the training once the score is
    this good · in_a_row : in so many readings one after another, so that a lucky one does not end
    it · patience : ends it after so many readings that are no better than the best
    """

    score: Callable[[], float]
    every: int = 100
    best: Literal["highest", "lowest"] | None = None
    enough: float | None = None
    in_a_row: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise BadInput(f"every is a whole number of at least 1, got {self.every!r}")
        if self.in_a_row < 1:
            raise BadInput(f"in_a_row is a whole number of at least 1, got {self.in_a_row!r}")
        if self.best not in (None, "highest", "lowest"):
            raise BadInput(f"best is 'highest', 'lowest' or None, got {self.best!r}")
        if self.best is None and (self.enough is not None or self.patience is not None):
            raise BadInput("enough and patience need best='highest' or best='lowest'")

    def better(self, one: float, other: float) -> bool:
        """Say whether one score is better than another."""
        return one > other if self.best == "highest" else one < other


@dataclass
class Seen:
    """What was read so far: (step, score), and the parameters of the best of them.

    best : the tensors, or None · best_at : their step and score
    """

    read: list[tuple[int, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] | None = None
    best_at: tuple[int, float] = (0, 0.0)

    def look(self, model: Any, watch: Watch, step: int) -> str:
        """Read the score, keep the best parameters, and return why to stop, or ""."""
        with evaluating(model), torch.random.fork_rng(devices=[]), torch.no_grad():
            score = float(watch.score())
        self.read.append((step, score))
        if watch.best is None:
            return ""
        if self.best is None or watch.better(score, self.best_at[1]):
            self.best = {k: v.clone() for k, v in tensors_of(model).items()}
            self.best_at = (step, score)
        last = [score for _, score in self.read[-watch.in_a_row :]]
        if (
            watch.enough is not None
            and len(last) == watch.in_a_row
            and not any(watch.better(watch.enough, score) for score in last)
        ):
            return f"the score reached {score:.4g}"
        since = sum(1 for at, _ in self.read if at > self.best_at[0])
        if watch.patience is not None and since >= watch.patience:
            return f"{since} readings were no better than that of step {self.best_at[0]}"
        return ""


Batches = Callable[[np.random.Generator], Iterable[Any]]
"""One round of batches in an order drawn from a generator: an epoch, or one draw of a stream."""


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
    run = _Run(model, _optimizer(moving, how), checkpoint, {"seed": seed, "how": how.to_json()})
    device, start = str(moving[0].device), len(run.losses)
    over = bool(run.stopped) or start == total
    with quiet(model, how, device):
        source = iter(()) if over else _steps(batches, how, seed)
        for step, batch in itertools.islice(source, start, None):
            reseed(derive(seed, "step", step), device)
            rate = how.rate(step, total or 1)
            run.step(loss, batch, rate, how.clip, moving)
            number = run.losses[-1]
            try:
                ended = [bool(call(Moment(step + 1, total, number))) for call in callbacks]
                if any(ended):
                    run.stopped = "a callback ended it"
                if watch is not None and (step + 1) % watch.every == 0:
                    run.stopped = run.stopped or run.seen.look(model, watch, step + 1)
                if progress is not None:
                    progress(step + 1, total or step + 1, f"loss {number:.4g}")
            except KeyboardInterrupt:
                run.write()
                raise
            if run.stopped:
                break
            if checkpoint is not None and (step + 1) % checkpoint.every == 0:
                run.write()
    if not all(bool(torch.isfinite(p).all()) for p in moving):
        raise Diverged("a parameter became NaN or infinite in the last step; lower lr, or set clip")
    if len(run.losses) > start:
        run.write()
    for p in moving:
        p.grad = None  # what is left of a gradient tells of the last batch
    return run.finish()


class _Run:
    """A training under way: what has been done, and the file from which it can go on."""

    def __init__(
        self,
        model: Any,
        optimizer: torch.optim.Optimizer,
        checkpoint: Checkpoint | None,
        mark: dict[str, Any],
    ) -> None:
        self.model, self.optimizer, self.checkpoint = model, optimizer, checkpoint
        self.mark = {**mark, "about": checkpoint.about if checkpoint else ""}
        self.losses: list[float] = []
        self.gradients, self.stopped, self.seen = 0, "", Seen()
        found = read_snapshot(checkpoint.path, self.mark) if checkpoint else None
        if found is not None:
            self.losses, self.gradients = list(found.losses), found.gradients
            self.stopped = found.stopped
            self.seen = Seen(list(found.watched), found.best, found.best_at)
            put_back(model, found.model)
            _resume(optimizer, found.optimizer)

    def step(
        self,
        loss: Callable[[Any], torch.Tensor],
        batch: Any,
        rate: float,
        clip: float | None,
        moving: list[torch.nn.Parameter],
    ) -> None:
        """Take one step on one batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        value = loss(batch)
        number = float(value.detach())
        if not math.isfinite(number):
            raise Diverged(
                f"the loss became {number} at step {len(self.losses) + 1} (learning rate "
                f"{rate:.3g}); lower lr, or bound the step by clip="
            )
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        if not self.losses and all(p.grad is None for p in moving):
            raise BadInput(
                "no parameter that may move has a gradient of the loss; is forward bound to "
                "another module, or run without gradients?"
            )
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(moving, clip)
        self.optimizer.step()
        self.losses.append(number)
        self.gradients += sum(map(len, batch)) if isinstance(batch, tuple) else len(batch)

    def write(self) -> None:
        """Write the checkpoint, if there is to be one."""
        if self.checkpoint is not None:
            now = Snapshot(
                tensors_of(self.model),
                _flat(self.optimizer),
                tuple(self.losses),
                tuple(self.seen.read),
                self.gradients,
                self.stopped,
                self.seen.best,
                self.seen.best_at,
            )
            write_snapshot(self.checkpoint.path, self.mark, now)

    def finish(self) -> Trace:
        """Give the model its best parameters, if any were kept, and say what was done."""
        kept = None
        if self.seen.best is not None and self.seen.best_at[0] != len(self.losses):
            kept = self.seen.best_at[0]
            put_back(self.model, self.seen.best)
        read = tuple(self.seen.read)
        return Trace(tuple(self.losses), read, self.gradients, kept, self.stopped)


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


def _optimizer(moving: list[torch.nn.Parameter], how: Training) -> torch.optim.Optimizer:
    if how.optimizer == "sgd":
        return torch.optim.SGD(
            moving, lr=how.lr, momentum=how.momentum, weight_decay=how.weight_decay
        )
    kind = torch.optim.Adam if how.optimizer == "adam" else torch.optim.AdamW
    fused = all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in moving)
    return kind(moving, lr=how.lr, betas=how.betas, weight_decay=how.weight_decay, fused=fused)  # type: ignore[return-value, unused-ignore]


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
    moving = [p for group in optimizer.param_groups for p in group["params"]]
    for key, value in flat.items():
        k, _, name = key.partition(".")
        if (
            not k.isdecimal()
            or int(k) >= len(moving)
            or value.shape not in (moving[int(k)].shape, torch.Size(()))
        ):
            raise BadInput("the checkpoint is of another optimizer; name another file")
        state.setdefault(int(k), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})
