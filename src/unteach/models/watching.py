"""Watching: a score that is read while a model is trained, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from unteach.core import BadInput

from .running import evaluating, tensors_of


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
        if watch.enough is not None and len(last) == watch.in_a_row and not any(
            watch.better(watch.enough, score) for score in last
        ):
            return f"the score reached {score:.4g}"
        since = sum(1 for at, _ in self.read if at > self.best_at[0])
        if watch.patience is not None and since >= watch.patience:
            return f"{since} readings were no better than that of step {self.best_at[0]}"
        return ""
