"""Outcomes: what many models, trained on random subsets, say of every record and test point."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

import numpy as np

from unteach.core import (
    BadInput,
    OneClassLeft,
    Progress,
    RepeatedRecord,
    Rows,
    as_ids,
    densified,
    first_repeated,
    unseen,
)

from ..scores.subsampled import THRESHOLD, estimate
from .counts import Counts, count
from .learner_adapter import resolve
from .stored_run import Project, as_labels, as_queries
from .subset_design import Design, Kind, as_fraction


class Outcomes:
    """The table that every score is read from: it is trained, grown, kept and counted here.

    `Memories` has its parameters and says what is read from it.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        learner: Any = "mlp",
        store: Any = None,
        seed: int = 0,
        X_test: Any = None,
        y_test: Any = None,
        ids: Any = None,
        design: Kind = "balanced",
    ) -> None:
        labels = as_labels(y)
        if labels.dtype.kind == "f" or labels.ndim != 1:
            raise BadInput(
                f"y is one label a record (whole numbers or strings), got {labels.dtype} of shape "
                f"{labels.shape}; classes that came as 0.0 and 1.0 are y.astype(int)"
            )
        self.classes = np.unique(labels)
        if len(self.classes) < 2:
            raise OneClassLeft("y holds fewer than two classes; memorization is of labels")
        X = densified(X)
        width = np.shape(X)[1:]
        x, codes = as_queries(X, labels, self.classes, "X, y", width)
        at, answers = as_queries(X_test, y_test, self.classes, "X_test, y_test", width)
        self.ids = np.arange(len(x)) if ids is None else as_ids(ids)
        if len(self.ids) != len(x):
            raise BadInput(f"{len(self.ids)} ids for {len(x)} records; give one each")
        if (twice := first_repeated(self.ids)) is not None:
            raise RepeatedRecord(f"id {twice!r} names two records; ids must be unique")
        self._given = {"learner": learner, "store": store, "seed": seed, "design": design}
        self._project = Project(resolve(learner), seed, design, x, codes, at, answers, store)
        Design(len(x), Fraction(1, 2), seed, design)  # refuses a seed or a design that is none
        self._counts: dict[tuple[Fraction, int], Counts] = {}

    @property
    def models(self) -> dict[float, int]:
        """How many models have been trained, by fraction."""
        return {float(p): k for p, k in self._project.trained().items()}

    def run(
        self,
        models: int = 400,
        fraction: float = 0.5,
        until: float | None = None,
        *,
        jobs: int | None = None,
        progress: Progress | None = None,
        most: int = 20_000,
    ) -> Self:
        """Train models until there are this many on subsets of this fraction; return self.

        Those that are there count: a larger number adds to them, the same number trains none.
        Stopped at any time (Ctrl-C, a crash), all finished shards stay and can be read, and the
        same call resumes. Models are rounded up to whole blocks of the design.

        Parameters
        ----------
        models : how many in all at this fraction, at least 1
        fraction : p in (0, 1); several live side by side
        until : go on until the half-width of every record's interval is at most this
        jobs : processes; None takes one a core
        progress : called as progress(models, total, "models, 9,000/minute, 12 s left")
        most : with `until`, the largest number of models; it stops there
        """
        p = as_fraction(fraction)
        if isinstance(models, bool) or not isinstance(models, (int, np.integer)) or models < 1:
            raise BadInput(f"models is a whole number of at least 1, got {models!r}")
        if until is not None and not 0 < until < 1:
            raise BadInput(f"until is a half-width between 0 and 1, got {until!r}")
        block = Design(len(self.ids), p, self._project.seed, self._project.design).block
        total = -(-int(models) // block) * block
        while True:
            self._project.train(p, total, jobs=jobs, progress=progress)
            if until is None:
                return self
            have = self._count(p)
            found = estimate(have, self.ids, p, threshold=THRESHOLD, fdr=0.05, level=0.95)
            width = float(np.max(found.high - found.low)) / 2
            if width <= until or have.models >= most:
                return self
            need = have.models * min((width / until) ** 2, 4.0)
            total = min(most, max(int(np.ceil(need)), have.models + 64))
            total = -(-total // block) * block

    def _tests(self, X_test: Any, y_test: Any, what: str) -> tuple[Any, Any]:
        if X_test is None and y_test is None:
            self._must_have_tests(what)
            return self._project.at, self._project.answers
        width = self._project.x.shape[1:]
        return as_queries(X_test, y_test, self.classes, "X_test, y_test", width)

    def _new(self, at: Any, answers: Any) -> Any:
        """Return which test points are new: (t,); those that were learned from are refused."""
        tests = Rows(np.arange(len(answers)), {"x": at, "y": answers})
        mine = self._project
        known = Rows(len(answers) + np.arange(len(mine.y)), {"x": mine.x, "y": mine.y})
        return np.isin(tests.ids, unseen(tests, known, role="X_test, y_test")[0].ids)

    def _must_have_tests(self, what: str) -> None:
        if len(self._project.answers) == 0:
            raise BadInput(f"{what} needs test points: give X_test and y_test")

    def _asked(self, X_test: Any, y_test: Any, p: Fraction, jobs: Any, progress: Any) -> Self:
        """Return this study, or its twin that was asked about other test points."""
        at, answers = self._tests(X_test, y_test, "influence")
        mine = self._project
        if np.array_equal(at, mine.at) and np.array_equal(answers, mine.answers):
            return self
        y, y_test = self.classes[mine.y], self.classes[answers]
        twin = type(self)(mine.x, y, X_test=at, y_test=y_test, ids=self.ids, **self._given)
        return twin.run(mine.trained()[p], float(p), jobs=jobs, progress=progress)

    def _fraction(self, fraction: float | None) -> Fraction:
        known = self._project.trained()
        if not known:
            raise BadInput("no models have been trained yet; call run(models=...) first")
        if fraction is None and len(known) > 1:
            raise BadInput(
                f"models of fractions {[float(p) for p in known]} were run, and values depend on "
                "it: say which with fraction="
            )
        p = next(iter(known)) if fraction is None else as_fraction(fraction)
        if p not in known:
            raise BadInput(
                f"no models of fraction {float(p):g} were run, only of "
                f"{[float(p) for p in known]}; call run(fraction={float(p):g})"
            )
        return p

    def _count(self, p: Fraction) -> Counts:
        models = self._project.trained().get(p, 0)
        if (p, models) not in self._counts:
            kind = self._project.output_kind(p)
            self._counts[p, models] = count(self._project.shards(p), len(self.ids), kind)
        return self._counts[p, models]

    def __repr__(self) -> str:
        trained = ", ".join(f"{k} at p={p:g}" for p, k in self.models.items()) or "none yet"
        return (
            f"Memories of {len(self.ids)} records ({len(self._project.answers)} test points), "
            f"{len(self.classes)} classes; models: {trained}"
        )
