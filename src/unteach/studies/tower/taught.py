"""A taught model: trained once, kept as a checkpoint in the run's folder, read ever after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from unteach.core import canonical, derive
from unteach.knowledge import FORMATS, positions

from .averaged import Averaged
from .gauge import Gauge
from .lessons import Lessons
from .setting import Shape, tasks_of

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

    from unteach.models.training import Checkpoint

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
    from unteach.models import Network, Transformer
    from unteach.models.training import fit
    from unteach.models.watching import Watch

    shape, format, seed = Shape(**payload["shape"]), payload["format"], int(payload["seed"])
    tasks = tasks_of(payload["world"], format)
    learned = tasks.without([without]) if without else tasks
    words = tasks.vocabulary
    module = Transformer(
        words.size, end=words.end, width=shape.width, layers=shape.layers, length=tasks.longest,
        positions=positions(format),
    )  # fmt: skip
    network = Network(
        module=module, loss="next_token", steps=shape.steps, lr=shape.lr, optimizer="adamw",
        betas=(0.9, 0.98), weight_decay=0.01, warmup=min(100, shape.steps), clip=1.0,
        batch_size=shape.batch,
    )  # fmt: skip
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

    watch = Watch(score=score, every=min(50, max(1, shape.steps // 4)), best="highest",
                  enough=shape.enough, in_a_row=2)  # fmt: skip
    trace = fit(
        averaged, lambda rng: model.batches(lessons, rng), long_counts_more(model, shape.power),
        network.how,
        seed=own, per_epoch=1, callbacks=(averaged.follow,), watch=watch, checkpoint=checkpoint,
    )  # fmt: skip
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
