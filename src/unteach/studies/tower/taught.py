"""A taught model: trained once, kept as a checkpoint in the run's folder, read ever after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from unteach.core import canonical, derive
from unteach.skills import FORMATS, positions

from .gauge import Gauge
from .lessons import Lessons
from .setting import Shape, tasks_of

# A model while it is taught, and the running mean of its parameters, which is what is kept.

DECAY = 0.98
"""Of the mean at each step: it looks back about fifty steps."""


class Averaged:
    """What `fit` trains in a model's place: the same parameters, and a mean that follows them.

    At a constant learning rate the parameters dance around what they have learned; their mean
    stands there already, as if the rate had been lowered. So a training need not know its end in
    advance. The mean is part of the state, and a training that is interrupted goes on with it.

    Source      Polyak and Juditsky 1992, with an exponential mean in place of a plain one.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._live = [p for p in model.parameters() if p.requires_grad]
        self._mean = [p.detach().clone() for p in self._live]

    def parameters(self) -> Iterator[Any]:
        """Return the parameters that are trained."""
        return iter(self._live)

    @property
    def training(self) -> bool:
        """Whether the model is in training mode."""
        return bool(self.model.training)

    def train(self, mode: bool = True) -> None:
        """Tell the model that training begins or ends."""
        self.model.train(mode)

    def state_dict(self) -> dict[str, Any]:
        """Return the model's state and the mean."""
        return {
            **self.model.state_dict(),
            **{f"mean.{k}": mean for k, mean in enumerate(self._mean)},
        }

    def follow(self, moment: Any) -> None:
        """Move the mean after a step; the first steps count as in a plain mean."""
        import torch

        with torch.no_grad():
            decay = min(DECAY, moment.step / (moment.step + 9))
            torch._foreach_lerp_(self._mean, [p.detach() for p in self._live], 1 - decay)

    @contextmanager
    def settled(self) -> Iterator[Any]:
        """Give the model the mean for as long as the block runs."""
        live = [p.detach().clone() for p in self._live]
        self.settle()
        try:
            yield self.model
        finally:
            self._put(live)

    def settle(self) -> Any:
        """Give the model the mean for good, and return it."""
        self._put(self._mean)
        return self.model

    def _put(self, values: list[Any]) -> None:
        import torch

        with torch.no_grad():
            for parameter, value in zip(self._live, values, strict=True):
                parameter.copy_(value)


SOME = 60  # tasks a skill by which a training is watched; not those that it is judged by
MANY = 200  # as many more, once those are known
STARTS = 3
"""How often a model is begun anew, from other first parameters, that does not learn all skills in
the steps that it has; how many starts it took is part of the result."""


@dataclass(frozen=True)
class Taught:
    """A taught model. steps : of all starts together · starts : how many it took"""

    model: Any
    steps: int
    starts: int


def taught(payload: Mapping[str, Any], folder: Path, without: str = "") -> Any:
    """Return the model of a format and a seed; it is trained where there is no checkpoint yet."""
    return teaching(payload, folder, without).model


def teaching(payload: Mapping[str, Any], folder: Path, without: str = "") -> Taught:
    """Return the model of a format and a seed, and what it took to teach it.

    A training goes on at a constant rate until the mean of its parameters knows every skill, and
    ends there; see `long_counts_more` for the loss.

    Parameters
    ----------
    payload : with world, shape, format, seed
    folder : of the run; the checkpoint is a safetensors file in it
    without : a skill that is never taught, or ""; such a reference has one start
    """
    key = {k: payload[k] for k in ("world", "shape", "format", "seed")}
    return _taught(canonical(key), str(folder), without)


@lru_cache(maxsize=4)
def _taught(key: str, folder: str, without: str) -> Taught:
    import json

    from unteach.models import Checkpoint

    payload = json.loads(key)
    format, seed = payload["format"], int(payload["seed"])
    Path(folder).mkdir(parents=True, exist_ok=True)
    found: list[tuple[float, Any]] = []
    steps = 0
    for start in range(1 if without else STARTS):
        more = f"-{start + 1}" if start else ""
        name = f"{FORMATS.index(format)}-{seed}-{without or 'whole'}{more}.safetensors"
        checkpoint = Checkpoint(Path(folder) / name, every=150, about=canonical([key, without]))
        model, trace = _started(payload, without, start, checkpoint)
        steps += trace.steps
        found.append((max((score for _, score in trace.watched), default=0.0), model))
        if trace.stopped:
            break
    return Taught(max(found, key=lambda f: f[0])[1], steps, len(found))


def _started(
    payload: Mapping[str, Any], without: str, start: int, checkpoint: Any
) -> tuple[Any, Any]:
    """Return a model from fresh parameters, and the trace of its training."""
    from unteach.models import Network, Transformer, Watch, fit

    shape, format, seed = Shape(**payload["shape"]), payload["format"], int(payload["seed"])
    tasks = tasks_of(payload["world"], format)
    learned = tasks.without([without]) if without else tasks
    words = tasks.vocabulary
    module = Transformer(
        words.size,
        end=words.end,
        width=shape.width,
        layers=shape.layers,
        length=tasks.longest,
        positions=positions(format),
    )
    network = Network(
        module=module,
        loss="next_token",
        steps=shape.steps,
        lr=shape.lr,
        optimizer="adamw",
        betas=(0.9, 0.98),
        weight_decay=0.01,
        warmup=min(100, shape.steps),
        clip=1.0,
        batch_size=shape.batch,
    )
    few, many = (Gauge(learned, n=n, seed=derive(seed, "watch", n)) for n in (SOME, MANY))
    often = {n: shape.composites for n in learned.groups if not tasks.graph[n].is_atom}
    lessons = Lessons((learned,), often)
    own = derive(seed, "model", start) if start else derive(seed, "model")
    model = network.fresh(lessons, seed=own)
    averaged = Averaged(model)

    def score() -> float:
        with averaged.settled():
            least = min(s["whole"] for s in few.led(model).values())
            if least < shape.enough:
                return least
            return min(s["whole"] for s in many.led(model).values())

    watch = Watch(
        score=score,
        every=min(50, max(1, shape.steps // 4)),
        best="highest",
        enough=shape.enough,
        in_a_row=2,
    )
    trace = fit(
        averaged,
        lambda rng: model.batches(lessons, rng),
        long_counts_more(model, shape.power),
        network.how,
        seed=own,
        per_epoch=1,
        callbacks=(averaged.follow,),
        watch=watch,
        checkpoint=checkpoint,
    )
    return averaged.settle(), trace


def long_counts_more(model: Any, power: float) -> Callable[[Any], Any]:
    """Return a loss in which a task counts as a power of how many tokens are to be said.

    Between a mean over tasks (0), in which a token of a long trace counts next to nothing, and
    one over tokens (1), in which the shortest tasks do.
    """
    import copy

    import torch

    summed = copy.copy(model)  # the same parameters
    summed.reduction = "sum"

    def loss(batch: Any) -> Any:
        said = torch.empty(len(batch))
        for rows, _, targets in batch.blocks:
            said[rows] = (targets[:, 1:] >= 0).sum(dim=1).to(said.dtype)
        weight = said**power
        return (summed.losses(batch) / said * weight).sum() / weight.sum()

    return loss


def clear() -> None:
    """Let go of the models that are held in memory."""
    _taught.cache_clear()
