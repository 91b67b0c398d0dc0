"""The contracts: everything that learns, forgets, scores or measures obeys one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .claims import Claim
from .errors import BadInput
from .records.cases import Case
from .records.records import Records
from .records.requests import Request
from .results import Forgotten, Reading, Table

# Plugins: methods, metrics and learners that other packages offer by entry point.

GROUPS = ("unteach.methods", "unteach.metrics", "unteach.learners", "unteach.studies")


def plugins(group: str) -> dict[str, Any]:
    """Return what other installed packages register under a group, by name.

    Nothing is loaded at import time; this is called by the command line and by whoever asks.

    >>> plugins("unteach.metrics")
    {}
    """
    if group not in GROUPS:
        raise BadInput(f"no plugin group {group!r}; there are {GROUPS}")
    return {point.name: point.load() for point in entry_points(group=group)}


Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, what); it may raise KeyboardInterrupt to stop safely."""


@runtime_checkable
class Model(Protocol):
    """What was learned. It may also offer `decision_function` or `predict_proba`."""

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the prediction for each row of x: (n,)."""


@runtime_checkable
class Learner(Protocol):
    """A recipe: the same records and seed give the same model."""

    def learn(self, records: Records, *, seed: int) -> Model:
        """Return a model of these records. Neither the recipe nor the records change."""


@runtime_checkable
class Unlearner(Protocol):
    """A method. It is a frozen value of hyper-parameters, and `forget` is pure.

    Laws (`unteach.checks.check_method` holds every method to them): forgetting nothing changes
    nothing; inputs are untouched; an unknown or repeated id is refused; the same seed gives the
    same result; and what the claim says is so.
    """

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model after, the claim that holds for it, and the cost."""


@runtime_checkable
class Prepares(Protocol):
    """A method that can only forget from models that it had learned its own way."""

    def prepare(self, learner: Any) -> Learner:
        """Return the learner whose models this method can forget from, made from another."""


@runtime_checkable
class Promises(Protocol):
    """A method that can say beforehand what it would claim; used to choose and to dry-run."""

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or raise `NoRoute` saying why it cannot."""


@runtime_checkable
class Trainable(Protocol):
    """All that a gradient method may see of a model, be it classifier or sequence model."""

    reduction: Literal["sum", "mean"]
    """How the losses of a sequence's tokens become the one loss of its record."""

    def batches(self, records: Records, rng: np.random.Generator) -> Iterable[Any]:
        """Yield the records in batches, in an order drawn from rng."""

    def outputs(self, batch: Any) -> Any:
        """Return logits, first axis the records of the batch."""

    def losses(self, batch: Any) -> Any:
        """Return one loss a record: (b,)."""

    def parameters(self) -> Iterator[Any]:
        """Yield the parameters that may move."""


@runtime_checkable
class Estimator(Protocol):
    """Says how much a model holds of each record (memorization, influence)."""

    def score(self, learner: Learner, records: Records, *, seed: int) -> Table:
        """Return a table keyed by id."""


Role = Literal["forgetting", "screen", "utility", "ledger"]


@runtime_checkable
class Metric(Protocol):
    """Measures a case. Its role decides what its reading must carry.

    "forgetting" : ranks retraining best, beyond the null, against doing nothing and against
        over-forgetting; its readings carry `untouched`, `null` and `limit`
    "screen" : may raise an alarm, can carry no verdict
    "utility" : what the forgetting cost elsewhere
    "ledger" : what a certificate has spent
    """

    @property
    def name(self) -> str:
        """What the metric is called in readings and refusals."""

    @property
    def role(self) -> Role:
        """What its reading may be used for."""

    def read(self, case: Case) -> Reading:
        """Return the reading, or raise `NeedsReference` if the case lacks what it compares."""
