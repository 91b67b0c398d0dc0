"""From the trials of a case to arms: models of one request, asked the same questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unteach.core import Case, NeedsReference, Trial

from .arms import PARTS, Arms
from .logits import logits_of

LEAST = 4  # models an arm
WHICH = {"original": "before", "unlearned": "after", "retrained": "reference", "twin": "twin"}
"""Arm -> what a trial calls its model."""


def trials_of(case: Case, metric: str, *, least: int = LEAST) -> tuple[Trial, ...]:
    """Return a case's trials by seed, or refuse in the metric's name what makes no arms.

    The trials must be seeds of one request: the same forgotten records, `least` models or more,
    each with a reference and a twin.
    """
    trials = sorted(case.compared(metric), key=lambda t: t.seed)
    first = np.sort(trials[0].forget.ids)
    alike = all(np.array_equal(np.sort(t.forget.ids), first) for t in trials)
    if case.unit_of_replication != "seeds" or len(trials) < least or not alike or not len(first):
        raise NeedsReference(
            f"{metric} compares {least} models or more on the same forgotten records; this case "
            f"has {len(trials)} {case.unit_of_replication}; give seeds of one request, or use "
            "audit.run"
        )
    return tuple(trials)


def arms_of(case: Case, metric: str, *, least: int = LEAST) -> Arms:
    """Return what the models of a case say of its records, arm by arm.

    Examples are asked in the order of their ids, so that the order of the records changes
    nothing, to the bit.

    Errors      NeedsReference for data draws, few trials, missing references, models that are no
                classifiers, and outputs that are not finite
    """
    trials = trials_of(case, metric, least=least)
    one = trials[0]
    rows = [r for r in (one.forget, one.retain, one.holdout) if r is not None and len(r)]
    names = [
        n
        for n, r in zip(PARTS, (one.forget, one.retain, one.holdout), strict=True)
        if r is not None and len(r)
    ]
    orders = [np.argsort(r.ids, kind="stable") for r in rows]
    x = [r.take(o).x for r, o in zip(rows, orders, strict=True)]
    y = np.concatenate([np.asarray(r.y)[o] for r, o in zip(rows, orders, strict=True)])
    models = {arm: [getattr(t, name) for t in trials] for arm, name in WHICH.items()}
    for model in (m for arm in models.values() for m in arm):
        if not hasattr(model, "classes_"):
            raise NeedsReference(
                f"{metric} compares classifiers; {type(model).__name__} has no classes_"
            )
    everyone = {id(m): m for arm in models.values() for m in arm}
    known = [np.asarray(m.classes_) for m in everyone.values()]
    classes = np.unique(np.concatenate([y, *known]))
    said = {
        key: np.concatenate([logits_of(m, part, classes) for part in x])
        for key, m in everyone.items()
    }
    for key, values in said.items():
        if not np.isfinite(values).all():
            raise NeedsReference(
                f"{metric}: {int((~np.isfinite(values)).sum())} of {values.size} outputs of a "
                f"{type(everyone[key]).__name__} are not finite; nothing can be compared with them"
            )
    return Arms(
        **{arm: np.stack([said[id(m)] for m in listed]) for arm, listed in models.items()},
        y=np.searchsorted(classes, y),
        part=np.repeat(names, [len(r) for r in rows]),
        ids=np.concatenate([r.ids[o] for r, o in zip(rows, orders, strict=True)]),
        seeds=tuple(t.seed for t in trials),
    )


def stacked(trials: tuple[Trial, ...], of: Callable[[Any, Trial], Any]) -> dict[str, Any]:
    """Return what `of(model, trial)` gives, arm -> (models, ...); each model is asked once."""
    known: dict[int, Any] = {}

    def asked(model: Any, trial: Trial) -> Any:
        if id(model) not in known:
            known[id(model)] = of(model, trial)
        return known[id(model)]

    return {
        arm: np.stack([asked(getattr(t, name), t) for t in trials]) for arm, name in WHICH.items()
    }
