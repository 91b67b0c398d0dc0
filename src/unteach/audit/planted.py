"""A planted case: models that say what they are told, so that every metric has a known answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from unteach.core import Case, Forgotten, Heuristic, Rows, Trial


class Told(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier into 0 and 1 that gives each record (named by its first input) a told score."""

    def __init__(self, told: dict[int, float] | None = None, coef: Any = None) -> None:
        self.told, self.coef = told, coef
        self.classes_ = np.array([0, 1])
        self.coef_ = np.atleast_2d(np.asarray([] if coef is None else coef, dtype=np.float64))
        self.intercept_ = np.zeros(1)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the told scores: (n,), above 0 for class 1."""
        told = self.told or {}
        return np.array([told[int(row[0])] for row in X], dtype=np.float64)

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 where the told score is above 0, else 0."""
        return (self.decision_function(X) > 0).astype(np.int64)


def planted_case(
    *,
    after: Sequence[float],
    before: Sequence[float],
    retrained: Sequence[float] | None = None,
    twin: Sequence[float] | None = None,
    retain_after: Sequence[float] = (1.0, 1.0),
    holdout_after: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    ledger: Any = None,
    hoard: Sequence[int] = (),
) -> Case:
    """Return a case of one trial in which everything that models say was written down.

    All targets are 1, so that a score is a margin and above 0 is right. Every model but the one
    after gives retained and held-out records 1.

    Parameters
    ----------
    after, before : scores of the forgotten records, one each
    retrained, twin : the same of the two retrained models; None means 0 each, and the same as
        `retrained`
    retain_after, holdout_after : scores of retained and held-out records by the model after
    ledger : becomes `ledger_` of the model after
    hoard : positions of forgotten rows that the model after still holds

    Examples
    --------
    >>> trial, = planted_case(after=[0.5], before=[2.0]).trials
    >>> trial.after.decision_function(trial.forget.x), trial.reference.predict(trial.holdout.x)
    (array([0.5]), array([1, 1, 1, 1]))
    """
    n = len(before)
    reference = [0.0] * n if retrained is None else list(retrained)
    forget, retain, holdout = (
        _rows(0, n),
        _rows(1000, len(retain_after)),
        _rows(2000, len(holdout_after)),
    )

    def told(scores: Sequence[float], kept: Sequence[float], held: Sequence[float]) -> Told:
        numbers = [*forget, *retain, *holdout]
        return Told(dict(zip(numbers, [*scores, *kept, *held], strict=True)), coef=list(scores))

    plain = [1.0] * len(retain), [1.0] * len(holdout)
    old = told(before, *plain)
    old.rows_ = np.array(forget.x)
    new = told(after, retain_after, holdout_after)
    if ledger is not None:
        new.ledger_ = ledger
    if len(hoard):
        new.rows_ = np.array(forget.x[list(hoard)])
    trial = Trial(
        before=old,
        forgotten=Forgotten(new, Heuristic("planted")),
        reference=told(reference, *plain),
        twin=told(reference if twin is None else twin, *plain),
        forget=forget,
        retain=retain,
        holdout=holdout,
        seed=0,
    )
    return Case((trial,), "examples")


def _rows(first: int, n: int) -> Rows:
    numbers = np.arange(first, first + n)
    x = np.column_stack([numbers, np.sin(numbers + 0.5), np.cos(numbers + 0.5)])  # (n, 3)
    return Rows(numbers, {"x": x, "y": np.ones(n, dtype=np.int64)})
