"""Screens: scores from a single training, or from none. They rank; they have no units.

On digits with one label in ten planted wrong, the cumulative loss of one training ranks records
more like their memorization than 50 retrainings do. But no threshold on it means anything: where
a value is needed, train on subsets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Records, Table, densified, derive

from .._training.learner_adapter import resolve
from .._training.stored_run import class_codes
from ..leave_one_out.kernel_ridge import leave_one_out
from ..table_files import by_record
from .plain_mlp import PlainMLP, softmax

Floats = NDArray[np.float64]


@runtime_checkable
class OffersEpochs(Protocol):
    """What a screen of the training's course asks of a learner."""

    def epoch_outputs(self, x: Any, y: Any, seed: int, at: Any) -> Any:
        """Return the logits at `at` (q, d) after each epoch of one training: (epochs, q, k)."""


class _Course(ABC):
    """A screen of the course of training: the mean over `runs` trainings."""

    role: ClassVar[str] = "screen"
    runs: int

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return one score a record, by id; the higher, the more memorized it seems.

        learner : offers `epoch_outputs`; None trains a `PlainMLP`, on features of mean 0 and
            standard deviation 1
        """
        if self.runs < 1:
            raise BadInput(f"runs is a whole number of at least 1, got {self.runs!r}")
        x = densified(records.x)
        x = x if learner is not None else _standard(x)
        learner = PlainMLP() if learner is None else resolve(learner)
        if not isinstance(learner, OffersEpochs):
            raise BadInput(
                f"{type(learner).__name__} has no epoch_outputs(x, y, seed, at), which a screen of "
                "the training's course needs; give a PlainMLP() or None"
            )
        y = class_codes(records.y)
        found = np.zeros(len(records))
        for run in range(self.runs):
            part = derive(seed, "screen", run)
            logits = np.asarray(learner.epoch_outputs(x, y, part, x), np.float64)
            if logits.ndim != 3 or logits.shape[1] != len(y):
                raise BadInput(f"epoch_outputs gave shape {logits.shape}, not (epochs, n, k)")
            if not np.ptp(logits[-1], axis=0).max() > 0:
                raise BadInput(
                    f"after training {type(learner).__name__} says the same of every record: there "
                    "is nothing to rank; scale the features to about 1, take smaller steps, or "
                    "give None"
                )
            found += self._of(logits, y)
        return _table(records, found / self.runs, type(self).__name__)

    @abstractmethod
    def _of(self, logits: Floats, y: NDArray[np.int64]) -> Floats:
        """Return a number a record of the (epochs, n, k) logits of a training."""


@dataclass(frozen=True)
class CumulativeLoss(_Course):
    """The cross-entropy of a record, summed over the epochs of a training.

    Source: Ravikumar et al., "Towards memorization estimation: fast, formal and free", ICML 2025.

    >>> from unteach.core import Rows
    >>> x = np.array([[0.0], [0.2], [0.1], [3.0], [3.1], [3.2]])
    >>> records = Rows(np.arange(6), {"x": x, "y": np.array([0, 0, 1, 1, 1, 1])})
    >>> table = CumulativeLoss().score(PlainMLP(epochs=40), records, seed=0)
    >>> int(np.argmax(table["score"]))
    2
    """

    runs: int = 1

    def _of(self, logits: Floats, y: NDArray[np.int64]) -> Floats:
        p = softmax(logits)[:, np.arange(len(y)), y]  # (epochs, n)
        return np.asarray(-np.log(np.maximum(p, 1e-30)).sum(axis=0))


@dataclass(frozen=True)
class EL2N(_Course):
    """The length of (probabilities less the one-hot label) after a few epochs.

    Source: Paul, Ganguli & Dziugaite, "Deep learning on a data diet", NeurIPS 2021.
    """

    runs: int = 1
    epoch: int = 5

    def _of(self, logits: Floats, y: NDArray[np.int64]) -> Floats:
        if not 1 <= self.epoch <= len(logits):
            raise BadInput(f"epoch is 1 to {len(logits)}, got {self.epoch!r}")
        p = softmax(logits[self.epoch - 1])
        p[np.arange(len(y)), y] -= 1.0
        return np.asarray(np.linalg.norm(p, axis=1))


@dataclass(frozen=True)
class LearningEvent(_Course):
    """The last epoch after which a record was answered wrongly; 0 if there was none.

    Source: Toneva et al., "An empirical study of example forgetting", ICLR 2019, and Zhao et
    al., "What makes unlearning hard", NeurIPS 2024, which uses it to stand for memorization.
    """

    runs: int = 1

    def _of(self, logits: Floats, y: NDArray[np.int64]) -> Floats:
        wrong = logits.argmax(axis=2) != y  # (epochs, n)
        epochs = np.arange(1, len(wrong) + 1)[:, None]
        return np.asarray((wrong * epochs).max(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class KernelRidgeScreen:
    """Minus the margin of each record under kernel ridge regression without it; trains nothing.

    >>> from unteach.core import Rows
    >>> x = np.array([[0.0], [0.2], [0.1], [3.0], [3.1], [3.2]])
    >>> records = Rows(np.arange(6), {"x": x, "y": np.array([0, 0, 1, 1, 1, 1])})
    >>> int(np.argmax(KernelRidgeScreen().score(None, records, seed=0)["score"]))
    2
    """

    alpha: float = 0.1
    gamma: float | None = None
    role: ClassVar[str] = "screen"

    def score(self, learner: Any, records: Records, *, seed: int) -> Table:
        """Return one score a record, by id. The learner is not asked, the seed not needed."""
        found = leave_one_out(records.x, records.y, alpha=self.alpha, gamma=self.gamma)
        return _table(records, -found.margin_without, "KernelRidgeScreen")


def _standard(x: Any) -> Floats:
    """Return features of mean 0 and standard deviation 1; a constant one is 0."""
    values = np.asarray(x, dtype=np.float64)
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _table(records: Records, score: Floats, name: str) -> Table:
    caption = f"{name}, a screen: it ranks records and has no units"
    return by_record("screen", {"id": records.ids, "score": score}, {}, caption)
