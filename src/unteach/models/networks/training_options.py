"""How a network is trained, as a frozen value; what one training did, as another."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

from unteach.core import BadInput, plain


@dataclass(frozen=True)
class Training:
    """The settings of one training.

    Parameters
    ----------
    epochs : how often each record is seen, at least 1; a whole training is `steps` long instead
        where that is given (streams have no epochs)
    steps : number of steps of the optimizer, or None
    lr : learning rate, above 0
    optimizer : "sgd", "adam" or "adamw"
    momentum : of sgd, in [0, 1)
    betas : of adam and adamw
    weight_decay : at least 0; an L2 penalty for sgd and adam, decoupled for adamw
    schedule : "constant", "linear" or "cosine", from lr down to `floor` times lr at the end
    warmup : so many first steps rise linearly to lr
    floor : in [0, 1]
    batch_size : records a step
    clip : largest norm of the gradient, or None
    device : "cpu", "cuda", ...
    dtype : "float32" or "float64"
    threads : of torch while it trains, and while a small network forgets or answers; the same
        bytes are promised for 1, on a CPU

    Examples
    --------
    >>> how = Training(steps=100, lr=0.1, schedule="cosine", warmup=10)
    >>> [round(how.rate(step, 100), 3) for step in (0, 9, 50, 99)]
    [0.01, 0.1, 0.05, 0.0]
    """

    epochs: int = 10
    steps: int | None = None
    lr: float = 1e-3
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    momentum: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: int = 0
    floor: float = 0.0
    batch_size: int = 64
    clip: float | None = None
    device: str = "cpu"
    dtype: Literal["float32", "float64"] = "float32"
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        for name in ("epochs", "batch_size", "threads", *(("steps",) if self.steps else ())):
            _whole(name, getattr(self, name), 1)
        if self.steps is not None:
            _whole("steps", self.steps, 1)
        _whole("warmup", self.warmup, 0)
        for name, low in (("lr", "above 0"), ("weight_decay", "at least 0")):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0 or (value == 0 and low == "above 0"):
                raise BadInput(f"{name} must be a number {low}, got {value!r}")
        if not 0 <= self.floor <= 1 or not 0 <= self.momentum < 1:
            raise BadInput(
                f"floor lies in [0, 1] and momentum in [0, 1), got {self.floor}, {self.momentum}"
            )
        if self.clip is not None and not self.clip > 0:
            raise BadInput(f"clip must be above 0 or None, got {self.clip!r}")
        for name, known in (
            ("optimizer", ("sgd", "adam", "adamw")),
            ("schedule", ("constant", "linear", "cosine")),
            ("dtype", ("float32", "float64")),
        ):
            if getattr(self, name) not in known:
                raise BadInput(f"{name} is one of {known}, got {getattr(self, name)!r}")

    @classmethod
    def of(cls, given: Training | None, settings: dict[str, Any]) -> Training:
        """Return the settings given by name over those of `given` (or over the defaults)."""
        known = [f.name for f in fields(cls)]
        strange = [name for name in settings if name not in known]
        if strange:
            raise BadInput(f"there is no setting {strange[0]!r} of a training; there are {known}")
        base = {} if given is None else {name: getattr(given, name) for name in known}
        return cls(**{**base, **settings})

    def rate(self, step: int, total: int) -> float:
        """Return the learning rate of a step, the first being 0, of so many in total."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        if self.schedule == "constant":
            return self.lr * rise
        share = step / max(total, 1)
        left = 1 - share if self.schedule == "linear" else (1 + math.cos(math.pi * share)) / 2
        return self.lr * rise * (self.floor + (1 - self.floor) * left)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadInput(f"{name} must be a whole number of at least {least}, got {value!r}")


@dataclass(frozen=True)
class Trace:
    """What a training did.

    losses : (steps,) the loss of each step · watched : (step, score) as they were read ·
    gradients : how many records' gradients were taken, a record counting once a step ·
    kept : the step whose parameters were kept, if not the last · stopped : why it ended before
    its time, or ""
    """

    losses: tuple[float, ...]
    watched: tuple[tuple[int, float], ...] = ()
    gradients: int = 0
    kept: int | None = None
    stopped: str = ""

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)
