"""How long a forgetting will take: timed on a part, and said how."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import Request, Rows, Stopwatch, Unlearner, UnteachError
from unteach.models import learner_of

from .screen import counted, seconds

WHOLE = 8
"""Requests of up to so many rows are run in memory, and measured rather than estimated."""


@dataclass(frozen=True)
class Expected:
    """Seconds of the forgetting and of one retraining (None if it was not asked for), and how
    these were found; `given` is what the forgetting that was timed claimed to hold fixed.
    """

    seconds: float
    retraining: float | None
    how: str
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{seconds(self.seconds)} ({self.how})"


def expected(
    model: Any, records: Rows, request: Request, method: Unlearner, *, seed: int, audits: bool
) -> Expected:
    """Return what to expect; the model and the files stay as they are.

    Retraining is timed on an eighth and a quarter of the records and extrapolated along the
    power that joins the two (1 to 3). Other routes are run in memory: whole for up to 8
    rows, else on 1 and on 8 of them, and extrapolated along a line.
    """
    targets = request.targets(records)
    retrains = type(method).__name__ == "Retrain"
    again, said = None, ""
    if retrains or audits:
        again, said = _retraining(model, records, len(records) - len(targets), seed)
    if retrains and again is not None:
        return Expected(again, again, said)
    if len(targets) <= WHOLE:
        once, given = _timed(method, model, records, targets, seed)
        return Expected(once, again, "measured: run in memory and thrown away", given)
    one, _ = _timed(method, model, records, targets[:1], seed)
    eight, given = _timed(method, model, records, targets[:WHOLE], seed)
    slope = max(0.0, (eight - one) / (WHOLE - 1))
    total = one + slope * (len(targets) - 1)
    return Expected(total, again, f"estimated: timed on 1 and on {WHOLE} rows, along a line", given)


def _timed(
    method: Unlearner, model: Any, records: Rows, targets: Any, seed: int
) -> tuple[float, tuple[str, ...]]:
    """Return the seconds, and what the claim holds fixed."""
    with Stopwatch() as watch:
        gone = method.forget(model, records, Request(ids=targets), seed=seed)
    return watch.seconds, tuple(getattr(gone.claim, "given", ()))


def _retraining(model: Any, records: Rows, n: int, seed: int) -> tuple[float, str]:
    learner = learner_of(model)
    timed: list[tuple[int, float]] = []
    for share in (8, 4):
        part = records.take(np.arange(0, len(records), share))
        try:
            with Stopwatch() as watch:
                learner.learn(part, seed=seed)
        except UnteachError:  # a part may hold one class only; the whole is then what can be timed
            continue
        timed.append((len(part), watch.seconds))
    if len(timed) < 2:
        with Stopwatch() as watch:
            learner.learn(records, seed=seed)
        return watch.seconds, f"measured: learned from {counted(len(records), 'row')}"
    (n1, t1), (n2, t2) = timed
    power = math.log(max(t2, 1e-6) / max(t1, 1e-6)) / math.log(max(n2, 2) / max(n1, 1))
    power = min(3.0, max(1.0, power))
    return t2 * (n / n2) ** power, (
        f"estimated: timed on an eighth and a quarter of the rows, growing as n^{power:.1f}"
    )
