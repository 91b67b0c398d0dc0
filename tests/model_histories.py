"""Random histories of the models that forget without a kernel, and how each step is judged.

A history is made from its number: a model, rows of some structure, and 20 to 30 operations, among
them some that must be refused. After each the model equals a fresh fit of what it holds, within
both claims; after a refusal it is as it was. What comes out raw is never caught.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from unteach.core import Exact, NotConverged, UnteachError
from unteach.models import (
    Logistic,
    NaiveBayes,
    Neighbours,
    Pipeline,
    Ridge,
    Scaler,
    classifies,
    load,
    scores,
)

STRUCTURES = ("normal", "duplicates", "grid", "tiny class", "constant feature", "large offset")


def model_of(number: int, rng: Any) -> Any:
    """Return the model of a history, not fitted: eight kinds in turn."""
    c, near = float(10.0 ** rng.uniform(-2, 2)), int(rng.integers(1, 6))
    scaler = Scaler(statistics=str(rng.choice(["follow", "frozen"])))
    return (
        Logistic(C=c, fit_intercept=bool(rng.integers(2))),
        Ridge(alpha=c, fit_intercept=bool(rng.integers(2))),
        NaiveBayes(),
        Neighbours(n_neighbors=near, weights=str(rng.choice(["uniform", "distance"]))),
        Pipeline([("scale", scaler), ("model", Logistic(C=c))]),
        Pipeline([("scale", Scaler()), ("model", Neighbours(n_neighbors=near))]),
        Pipeline([("scale", StandardScaler()), ("model", Ridge(alpha=c))]),
        Pipeline([("scale", scaler), ("again", Scaler()), ("model", NaiveBayes())]),
    )[number % 8]


def rows_of(rng: Any, structure: str, n: int, targets: Any) -> tuple[Any, Any]:
    """Return n rows of three features and what is learned of them."""
    x = rng.normal(size=(n, 3))
    if structure == "grid":
        x = rng.integers(0, 3, size=(n, 3)).astype(float)
    if structure == "duplicates":
        x = x[rng.integers(0, max(1, n // 3), size=n)]
    if structure == "constant feature":
        x[:, 1] = 3.0
    if structure == "large offset":
        x = x + 1e4
    score = x[:, 0] - x[:, 0].mean() + 0.5 * rng.normal(size=n)
    if targets == 0:
        return x, score
    if targets == -2:
        return x, np.column_stack([score, x[:, 1]])
    y = np.digitize(score, np.quantile(score, np.arange(1, targets) / targets))
    if structure == "tiny class":
        y = np.where(rng.random(n) < 0.1, y, 0)
    y[: min(n, targets)] = np.arange(targets)[:n]
    return x, y


@dataclass
class Outcome:
    """What came of a history: operations done, refused by name, compared, and what was wrong."""

    number: int
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    wrong: list[str] = field(default_factory=list)


class History:
    """A model, the truth about what it should hold, and one operation after another."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng([2026, number, 7])
        self.out = Outcome(number)
        self.model = model_of(number, self.rng)
        self.structure = STRUCTURES[(number // 8) % len(STRUCTURES)]
        self.words = bool(self.rng.integers(2))  # whether labels are words
        self.named = bool(self.rng.integers(3) == 0)  # whether ids are
        regression = not classifies(self.model)
        self.targets = int(self.rng.choice([0, -2] if regression else [2, 3]))
        final = self.model.steps[-1][1] if hasattr(self.model, "steps") else self.model
        self.weighs = not isinstance(final, Neighbours)
        self.probe = rows_of(self.rng, self.structure, 12, self.targets)[0]
        self.held: dict[Any, tuple[Any, Any, float]] = {}
        self.largest = -1
        self.fitted = clone(self.model)

    def drawn(self, n: int) -> tuple[Any, Any, Any]:
        """Return new rows, their targets, and weights or None."""
        x, y = rows_of(self.rng, self.structure, n, self.targets)
        if self.words and self.targets > 0:
            y = np.array(["ab", "b", "cde"])[y]
        weight = None
        if self.weighs and self.rng.random() < 0.4:
            weight = self.rng.choice([0.0, 0.5, 1.0, 3.0], size=n)
        return x, y, weight

    def fresh_ids(self, n: int) -> Any:
        start = self.largest + 1 + int(self.rng.integers(0, 3))
        return [f"id {start + k}" for k in range(n)] if self.named else np.arange(start, start + n)

    def note(self, ids: Any, x: Any, y: Any, weight: Any) -> None:
        """Note that these rows are held from now on."""
        weight = np.ones(len(x)) if weight is None else weight
        for i, row, target, w in zip(list(ids), x, y, weight, strict=True):
            i = i if isinstance(i, str) else int(i)
            self.held[i] = (row, target, float(w))
            self.largest = max(self.largest, int(i.split()[-1]) if isinstance(i, str) else i)

    def some(self, most: int) -> list[Any]:
        ids = list(self.held)
        n = int(self.rng.integers(1, most + 1))
        return [ids[k] for k in self.rng.permutation(len(ids))[:n]]

    # what is done; each returns what to note if it was not refused ------------------------------

    def fit(self) -> None:
        x, y, weight = self.drawn(int(self.rng.integers(18, 36)))
        ids, fitted = self.fresh_ids(len(x)), clone(self.model)
        self.model.fit(x, y, sample_ids=ids, **self.weights(weight))
        self.held, self.fitted = {}, fitted
        if not self.named:
            self.largest = -1
        self.note(ids, x, y, weight)

    def weights(self, weight: Any) -> dict[str, Any]:
        return {} if weight is None else {"sample_weight": weight}

    def forget(self) -> None:
        ids = self.some(6)
        assert self.model.forget(ids) is self.model
        for i in ids:
            del self.held[i]

    def forget_class(self) -> None:
        """Forget all records of one label."""
        if self.targets <= 0:
            return
        label = self.rng.choice(sorted({t for _, t, _ in self.held.values()}))
        ids = [i for i, (_, t, _) in self.held.items() if t == label]
        self.model.forget(ids)
        for i in ids:
            del self.held[i]

    def insert(self) -> None:
        x, y, weight = self.drawn(int(self.rng.integers(1, 6)))
        given = self.named or self.rng.random() < 0.5
        ids = self.fresh_ids(len(x)) if given else None
        before = len(self.model.sample_ids_)
        self.model.partial_fit(x, y, sample_ids=ids, **self.weights(weight))
        if ids is None:
            ids = np.arange(self.largest + 1, self.largest + 1 + len(x))
            assert self.model.sample_ids_[before:].tolist() == ids.tolist()
        self.note(ids, x, y, weight)

    def save(self) -> None:
        with TemporaryDirectory() as folder:
            self.model = load(self.model.save(Path(folder) / "model"))

    def copies(self) -> None:
        how = (copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)))
        old, before = self.model, self.state()
        self.model = how[int(self.rng.integers(3))](old)
        ids = self.some(1)
        old.forget(ids)  # the copy does not notice
        assert self.state() == before

    def without(self) -> None:
        before, ids = self.state(), self.some(3)
        left = self.model.without(ids)
        assert self.state() == before
        self.model = left
        for i in ids:
            del self.held[i]

    def parameters(self) -> None:
        """Set a parameter: it counts from the next fit on."""
        for name, value in {"C": 0.25, "alpha": 0.25, "n_neighbors": 3}.items():
            if name in self.model.get_params():
                self.model.set_params(**{name: value})

    def refused(self) -> None:
        """Do what must be refused."""
        x, y, _ = self.drawn(3)
        held, model = list(self.held), self.model
        known = held[:3]
        nan, y_nan = x.copy(), y.copy()
        nan[1, 1] = (np.nan, np.inf)[int(self.rng.integers(2))]
        strange = "id none" if self.named else 10**9
        attempts = [
            lambda: model.forget([strange]),
            lambda: model.forget([*known, known[0]]),
            lambda: model.forget(held),
            lambda: model.forget([*known, strange]),
            lambda: model.forget(None),
            lambda: model.forget([[1, 2]]),
            lambda: model.forget([1.5]),
            lambda: model.partial_fit(x, y, sample_ids=known),
            lambda: model.partial_fit(nan, y, sample_ids=self.fresh_ids(3)),
            lambda: model.partial_fit(x[:, :2], y, sample_ids=self.fresh_ids(3)),
            lambda: model.partial_fit(x, y[:2], sample_ids=self.fresh_ids(3)),
            lambda: model.partial_fit(x, y, sample_ids=self.fresh_ids(2)),
            lambda: model.fit(nan, y),
            lambda: model.fit(x[:0], y[:0]),
            lambda: model.fit(x, y[:2]),
        ]
        if self.weighs:
            attempts += [
                lambda: model.partial_fit(
                    x, y, sample_ids=self.fresh_ids(3), sample_weight=[1.0, -1.0, 1.0]
                ),
                lambda: model.fit(x, y_nan, sample_weight=np.zeros(3)),
            ]
        which = int(self.rng.integers(len(attempts)))
        attempts[which]()
        self.out.wrong.append(f"attempt {which} was not refused")

    # how it is judged ----------------------------------------------------------------------------

    def state(self) -> tuple[Any, ...]:
        model = self.model
        return (
            model.sample_ids_.tolist(),
            scores(model, self.probe).tobytes(),
            model.claim_,
            repr(model.get_params(deep=False)),
            repr(model.keeps()),
        )

    def judge(self, what: str) -> None:
        """Compare the model with a fresh fit of what it should hold."""
        model = self.model
        if sorted(map(str, model.sample_ids_.tolist())) != sorted(map(str, self.held)):
            self.out.wrong.append(f"after {what}: it holds other ids")
            return
        if not isinstance(model.claim_, Exact) or model.claim_.given:
            return
        ids = model.sample_ids_.tolist()
        x = np.array([self.held[i][0] for i in ids])
        y = np.array([self.held[i][1] for i in ids])
        weight = np.array([self.held[i][2] for i in ids])
        given = {} if np.all(weight == 1) else {"sample_weight": weight}
        made = clone(self.fitted)
        if isinstance(model, Neighbours):  # how many vote is a matter of predicting
            made.set_params(n_neighbors=model.n_neighbors)
        try:
            fresh = made.fit(x, y, sample_ids=ids, **given)
        except NotConverged:
            return
        a, b = scores(model, self.probe), scores(fresh, self.probe)
        allowed = max(model.claim_.atol, getattr(fresh.claim_, "atol", np.inf))
        self.out.compared += 1
        if a.shape != b.shape or not np.abs(a - b).max() <= allowed:
            apart = np.abs(a - b).max() if a.shape == b.shape else "shapes"
            self.out.wrong.append(f"after {what}: {apart} from a fresh fit, claimed {allowed}")


OPERATIONS = (
    *["forget"] * 4,
    *["insert"] * 3,
    *["refused"] * 4,
    "forget_class",
    "fit",
    "save",
    "copies",
    "without",
    "parameters",
)


def run(number: int) -> Outcome:
    """Live through the history of this number."""
    history = History(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        while not history.held:
            try:
                history.fit()
            except UnteachError as error:
                history.out.refused[type(error).__name__] += 1
        for _ in range(int(history.rng.integers(20, 31))):
            what = str(history.rng.choice(OPERATIONS))
            if len(history.held) < 12:
                what = "fit"
            before = history.state()
            try:
                getattr(history, what)()
                history.out.done[what] += 1
            except UnteachError as error:
                history.out.refused[type(error).__name__] += 1
                if history.state() != before:
                    history.out.wrong.append(f"{what} was refused and changed it: {error}")
            history.judge(what)
    return history.out
