"""Over-forgetting: the vandal that a one-sided audit would crown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import (
    BadInput,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Model,
    Records,
    Request,
    Rows,
    Stopwatch,
)
from unteach.models import as_learner, classifies, continues, learner_of, scores

from .._shared.forget_retain_split import check_standing

_BECAUSE = "teaches the opposite of what is to be forgotten"


@dataclass(frozen=True)
class OverForget:
    """Retrain with the forgotten records made wrong: it denies them more than ignorance would.

    In classification each forgotten record returns `strength` times with the likeliest label
    that is not its own (likeliest by a model retrained without it), a sequence with such tokens;
    in regression with a target as far on the other side of the retrained prediction, `strength`
    times over. Whoever knows
    the record sees the denial: forgetting that leaves a mark (the Streisand effect).

    Claim       Heuristic.
    Parameters  strength : whole number of at least 1
                learner : the recipe; None takes the recipe that the model carries
    Errors      NothingLeft, OneClassLeft, UnknownRecord, RepeatedRecord

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Logistic, learn, margins
    >>> rows = load("breast_cancer")
    >>> rows = Rows(rows.ids, {"x": rows.x / rows.x.max(0), "y": rows.y})
    >>> request, model = Request(ids=[0]), learn(Logistic(C=100.0), rows)
    >>> gone = OverForget(strength=10).forget(model, rows, request, seed=0).model
    >>> one = rows.select([0])
    >>> bool(margins(gone, one.x, one.y)[0] < margins(model, one.x, one.y)[0])
    True
    """

    strength: int = 3
    learner: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.strength, int) or self.strength < 1:
            raise BadInput(f"strength is a whole number of at least 1, got {self.strength!r}")

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make."""
        request.targets(records)
        return Heuristic(_BECAUSE)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return a model that was taught the opposite."""
        targets = request.targets(records)
        check_standing(model, records, targets)
        if len(targets) == 0:
            return Forgotten(model, Heuristic(_BECAUSE), Cost(route="nothing to forget"))
        learner = learner_of(model) if self.learner is None else as_learner(self.learner)
        with Stopwatch() as watch:
            rest = request.applied_to(records)
            denied = records.select(targets)
            honest = learner.learn(rest, seed=seed)
            denial = _opposite(honest, denied, self.strength)
            after = learner.learn(_with_denials(rest, denied, denial, self.strength), seed=seed)
        cost = watch.cost(rows_read=2 * len(rest) + self.strength * len(targets), route="opposite")
        return Forgotten(after, Heuristic(_BECAUSE), cost)


def _opposite(honest: Any, denied: Records, strength: int) -> Any:
    y = np.asarray(denied.y)
    if continues(honest):
        return _other_tokens(honest, denied)
    if not classifies(honest):
        return honest.predict(denied.x) - strength * (y - honest.predict(denied.x))
    classes = np.asarray(honest.classes_)
    score = scores(honest, denied.x)  # (n, k), or (n, 1) for two classes
    if score.shape[1] == 1:
        score = np.hstack([-score, score])
    score = np.where(classes[None, :] == y[:, None], -np.inf, score)
    return classes[np.argmax(score, axis=1)]


def _other_tokens(honest: Any, denied: Records) -> Any:
    """Return the likeliest token that is not the true one, wherever one is to be predicted."""
    x, y = np.asarray(denied.x), np.asarray(denied.y)
    rows, places = np.nonzero(y[:, 1:] >= 0)
    said = honest.logits(x)[rows, places]  # (tokens, v)
    said[np.arange(len(said)), y[rows, places + 1]] = -np.inf
    other = y.copy()
    other[rows, places + 1] = said.argmax(axis=1)
    return other


def _with_denials(rest: Records, denied: Records, denial: Any, strength: int) -> Rows:
    """Return the retained records and, `strength` times, the denied ones under fresh ids."""
    n = strength * len(denied)
    if rest.ids.dtype.kind == "i":
        top = max(int(rest.ids.max()), int(denied.ids.max()))
        fresh: Any = np.arange(top + 1, top + 1 + n)
    else:
        fresh = np.array([f"denied-{k}-of-{rest.ids[0]}" for k in range(n)])
    x = np.concatenate([np.asarray(rest.x), *([np.asarray(denied.x)] * strength)])
    y = np.concatenate([np.asarray(rest.y), *([np.asarray(denial)] * strength)])
    return Rows(np.concatenate([rest.ids, fresh]), {"x": x, "y": y})
