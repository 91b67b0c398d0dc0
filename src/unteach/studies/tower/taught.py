"""A taught model: trained once, kept as a checkpoint in the run's folder, read ever after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from unteach.core import canonical, derive
from unteach.knowledge import FORMATS, positions

from .gauge import Gauge
from .lessons import Lessons
from .setting import Shape, tasks_of

SOME = 60  # tasks a skill by which a training is watched; not those that it is judged by


def taught(payload: Mapping[str, Any], folder: Path, without: str = "") -> Any:
    """Return the model of a format and a seed; it is trained where there is no checkpoint yet.

    A training in all skills that was not good enough at its end is done once more from there,
    with the same settings: the last skill comes suddenly, and to some seeds late.

    Parameters
    ----------
    payload : with world, shape, format, seed
    folder : of the run; the checkpoint is a safetensors file in it
    without : a skill that is never taught, or ""
    """
    key = {k: payload[k] for k in ("world", "shape", "format", "seed")}
    return _taught(canonical(key), str(folder), without)


@lru_cache(maxsize=4)
def _taught(key: str, folder: str, without: str) -> Any:
    import json

    from unteach.models import Network, Transformer
    from unteach.models.training import Checkpoint, fit
    from unteach.models.watching import Watch

    payload = json.loads(key)
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
        betas=(0.9, 0.98), weight_decay=0.01, schedule="cosine", floor=0.05,
        warmup=min(100, shape.steps), clip=1.0, batch_size=shape.batch,
    )  # fmt: skip
    watcher, lessons = Gauge(learned, n=SOME, seed=derive(seed, "watch")), Lessons((learned,))
    about = canonical([key, without])

    def score(model: Any) -> float:
        return min(s["whole"] for s in watcher.led(model).values())

    def kept(word: str) -> Checkpoint:
        name = f"{FORMATS.index(format)}-{seed}-{without or 'whole'}{word}.safetensors"
        Path(folder).mkdir(parents=True, exist_ok=True)
        return Checkpoint(Path(folder) / name, every=150, about=about)

    watch = Watch(score=lambda: 0.0, every=min(50, max(1, shape.steps // 4)), best="highest",
                  enough=shape.enough, in_a_row=2)  # fmt: skip
    model = network.learn(lessons, seed=derive(seed, "model"), score=score, watch=watch,
                          checkpoint=kept(""))  # fmt: skip
    if not model.trace_.stopped and not without:
        first = model.trace_
        second = fit(
            model, lambda rng: model.batches(lessons, rng), model.mean_loss, network.how,
            seed=derive(seed, "model", "again"), per_epoch=1,
            watch=replace(watch, score=lambda: score(model)), checkpoint=kept("-again"),
        )  # fmt: skip
        model.trace_ = replace(second, losses=first.losses + second.losses)
    return model


def clear() -> None:
    """Let go of the models that are held in memory."""
    _taught.cache_clear()
