"""Heads: clipped rows, labels by head, and how a linear classifier scores them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import WORD, BadInput, Contents, Corrupt, Saved

from .budget_ledger import Ledger

Array = NDArray[np.float64]


def clipped(x: Any, radius: float) -> Array:
    """Return rows scaled down to norm `radius` where they are longer, with a constant 1 added.

    The scale of a row depends on that row alone, so it cannot leak another.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2:
        raise BadInput(f"x must be two-dimensional, got shape {x.shape}")
    if not np.isfinite(x).all():
        raise BadInput("x holds NaN or infinity; remove or fill these entries first")
    x = np.hstack([x, np.ones((len(x), 1))])
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    inside: Array = x * np.minimum(1.0, radius / norm)
    return inside


def signs(y: NDArray[Any], classes: NDArray[Any], head: int) -> Array:
    """Return the labels of one head as -1 and +1: (n,)."""
    target = classes[1] if len(classes) == 2 else classes[head]
    return np.where(y == target, 1.0, -1.0)


def read_heads(saved: Saved, secret: str) -> tuple[NDArray[Any], Array, Array, Ledger]:
    """Return classes, coefficients, a secret of their shape (NaN if left out), and the ledger.

    What a ledger says was spent cannot be derived anew; the claims that rest on it say so.
    """
    held = Contents.of(saved)
    classes, coef = held.array("classes", "classes (k)"), held.array("coef", "float64 (h, d)")
    k, (heads, width) = len(classes), coef.shape
    if k < 2 or heads != (1 if k == 2 else k) or width < 2:
        raise Corrupt(f"there are {heads} x {width} coefficients for {k} classes")
    hidden = np.full_like(coef, np.nan)
    if secret in held:
        hidden = held.array(secret, "float64 (h, d)")
    recipe, account = Contents(saved.config["recipe"], {}), Contents(saved.config["ledger"], {})
    for name in saved.config["recipe"]:
        if name != "every_step":
            recipe.number(name, least=0.0, most=1e7 if name in ("steps", "last") else 1e100)
    recipe.number("radius", least=1e-100)
    for name, most in (("epsilon", math.inf), ("delta", 1.0), ("sigma", math.inf)):
        value = account.number(name, least=0.0, most=most)
        if name != "sigma" and value != recipe.number(name):
            raise Corrupt(f"the ledger's {name} is not the recipe's")
    for entry in account.config["entries"]:
        line = Contents(entry, {})
        line.text("what"), line.whole("records")
        line.number("bound", least=0.0), line.number("residual", least=0.0)
    ledger = Ledger.from_json(dict(account.config))
    if ledger.assumptions != tuple(account.texts("assumptions")) or (
        ledger.sigma > 0 and not ledger.entries
    ):
        raise Corrupt("the ledger lacks the entry of the training")
    if WORD not in ledger.assumptions:
        ledger = replace(ledger, assumptions=(*ledger.assumptions, WORD))
    return classes, coef, hidden, ledger


class Heads:
    """A mixin for models with `learner_.radius`, `classes_` and `coef_` (heads, d + 1)."""

    learner_: Any
    classes_: NDArray[Any]
    coef_: Array

    def decision_function(self, x: Any) -> Array:
        """Return scores: (n,) for two classes, (n, k) for more."""
        rows, width = clipped(x, self.learner_.radius), self.coef_.shape[1]
        if rows.shape[1] != width:
            raise BadInput(f"rows have {rows.shape[1] - 1} features; the model learned {width - 1}")
        f: Array = rows @ self.coef_.T
        return f[:, 0] if len(self.classes_) == 2 else f

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the class with the highest score."""
        f = self.decision_function(x)
        at = (f > 0).astype(int) if f.ndim == 1 else np.argmax(f, axis=1)
        return np.asarray(self.classes_[at])
