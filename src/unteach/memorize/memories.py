"""Memories: one table of outcomes of many models, from which every score is a read-out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import Any, Literal, Self

import numpy as np

from unteach.core import BadInput, OneClassLeft, Progress, RepeatedRecord, as_ids, first_repeated

from .adapter import resolve
from .banzhaf import Banzhaf, banzhaf
from .consistency import Consistency, consistency
from .counts import Counts, count
from .design import Design, Kind, as_fraction
from .influence import difference, ridge
from .intervals import z_of
from .membership import Membership, membership
from .project import Project, as_queries
from .removal import Removal, removal_curve
from .subsampled import THRESHOLD, Memorization, estimate, extrapolate, gate


class Memories:
    """What models memorize of each record, measured by training many on random subsets.

    `run` trains models on random subsets and keeps, for each, which records it was trained on
    and for which records (and test points) its answer was right, and by what margin. Everything
    else is read from that table.

    Parameters
    ----------
    X, y : (n, d) inputs and (n,) labels of at least two classes
    learner : "mlp", "cnn", "ridge", "knn" (the nearest neighbour), "svc", "logistic"; a learner,
        a scikit-learn classifier, or a function without arguments that makes a torch module
    store : None keeps the outcomes in a temporary folder; a path is a project folder, in which
        the same study resumes and grows; or an open `Store`
    seed : names the study; the subset, initialization and order of each model follow from it and
        from the model's number
    X_test, y_test : (t, d) and (t,) test points whose outcomes are kept too
    ids : (n,) of the records; row numbers if not given. They are never stored.
    design : "balanced" or "bernoulli", see `Design`

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.arange(60) % 2
    >>> X[:, 0] += 6 * y
    >>> y[0] = 1  # planted wrong
    >>> m = Memories(X, y, learner="knn").run(models=64, jobs=1)
    >>> m.memorization().value[:3]
    array([1., 0., 0.])

    Source: Feldman & Zhang, "What neural networks memorize and why", NeurIPS 2020. Where we
    differ: subsets are balanced, intervals and a false discovery rate stand beside every value,
    and values of models that do not fit are refused.
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
        labels = np.asarray(y)
        if labels.dtype.kind == "f" or labels.ndim != 1:
            raise BadInput(
                f"y is one label a record (whole numbers or strings), got {labels.dtype} of shape "
                f"{labels.shape}"
            )
        self.classes = np.unique(labels)
        if len(self.classes) < 2:
            raise OneClassLeft("y holds fewer than two classes; memorization is of labels")
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
        if isinstance(models, bool) or not isinstance(models, int) or models < 1:
            raise BadInput(f"models is a whole number of at least 1, got {models!r}")
        if until is not None and not 0 < until < 1:
            raise BadInput(f"until is a half-width between 0 and 1, got {until!r}")
        block = Design(len(self.ids), p, self._project.seed, self._project.design).block
        total = -(-models // block) * block
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

    def memorization(
        self,
        fraction: float | None = None,
        *,
        extrapolate: bool = False,
        threshold: float = THRESHOLD,
        fdr: float = 0.05,
        level: float = 0.95,
        unconverged: Literal["refuse", "flag"] = "refuse",
    ) -> Memorization:
        """Return the memorization of each record, with `.value .low .high` and `.table()`.

        Parameters
        ----------
        fraction : p of the estimand; may be left out where models of one fraction were run
        extrapolate : to leave-one-out, on the line through the two largest fractions that were
            run (.7 and .9 serve well), instead of one fraction's value
        threshold, fdr : a record is flagged where memorization above the threshold is found, at
            this false discovery rate (Benjamini-Hochberg over all records)
        level : of the intervals
        unconverged : models that are right on less than .99 of what they were trained on are
            refused (`NotConverged`), or the values are flagged as such
        """
        options = {"threshold": threshold, "fdr": fdr, "level": level}
        z_of(level)
        if not extrapolate:
            p = self._fraction(fraction)
            return gate(estimate(self._count(p), self.ids, p, **options), unconverged)
        if fraction is not None:
            raise BadInput("extrapolate uses the two largest fractions; leave `fraction` out")
        known = sorted(self._project.trained(), reverse=True)
        if len(known) < 2:
            raise BadInput(
                "extrapolation needs models of two fractions: run(fraction=.7), run(fraction=.9)"
            )
        near, far = ((p, self._count(p)) for p in known[:2])
        return gate(extrapolate_line(near, far, self.ids, **options), unconverged)

    def influence(
        self,
        X_test: Any = None,
        y_test: Any = None,
        *,
        fraction: float | None = None,
        method: Literal["ridge", "difference"] = "ridge",
        penalty: float | None = None,
        jobs: int | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Return what having each training record does to each test point: (n_test, n_train).

        In units of the margin (see `adapter.margins`): the mean margin with the record less
        that without it ("difference"), or the coefficients of a ridge regression of the margin
        on the memberships ("ridge", a linear datamodel), which share out what records do
        together and vary less. Values of single pairs are noisy at a few thousand models.

        X_test, y_test : those of the study if left out; others have every model trained again,
            from the same seeds, to be asked about them
        penalty : of the ridge; n p (1 - p) if None

        Source: Ilyas et al., "Datamodels", ICML 2022; their lasso is a ridge here.
        """
        if method not in ("ridge", "difference"):
            raise BadInput(f'method is "ridge" or "difference", got {method!r}')
        p = self._fraction(fraction)
        mine = self._asked(X_test, y_test, p, jobs, progress)
        n = len(self.ids)
        shards = mine._project.shards(p)
        return difference(shards, n) if method == "difference" else ridge(shards, n, penalty)

    def consistency(self, *, level: float = 0.95) -> Consistency:
        """Return the C-score: how often models that never saw a record are right on it.

        The mean over the fractions that were run. Source: Jiang et al., "Characterizing
        structural regularities of labeled data in overparameterized models", ICML 2021.
        """
        known = self._project.trained()
        return consistency([self._count(p) for p in known], self.ids, level)

    def banzhaf(self, *, level: float = 0.95) -> Banzhaf:
        """Return the Data-Banzhaf value of each record for test accuracy; needs X_test, p = .5.

        Source: Wang & Jia, "Data Banzhaf", AISTATS 2023 (maximum sample reuse). Where we differ:
        with the balanced design subsets are exact halves, not independent inclusions.
        """
        self._must_have_tests("banzhaf")
        p = self._fraction(0.5)
        return banzhaf(self._project.shards(p), self.ids, level)

    def membership(self, fraction: float | None = None) -> Membership:
        """Return what margins tell of membership: LiRA's two Gaussians for each record."""
        p = self._fraction(fraction)
        return membership(self._count(p), self.ids)

    def removal_curve(
        self,
        by: Any = "memorization",
        fractions: Sequence[float] = (0.05, 0.1, 0.2),
        *,
        against: Sequence[str] = ("random", "class_matched"),
        draws: int = 10,
        exclude_near_duplicates: bool | float = False,
        X_test: Any = None,
        y_test: Any = None,
        unconverged: Literal["refuse", "flag"] = "refuse",
        progress: Progress | None = None,
    ) -> Removal:
        """Return what removing the highest records costs on test points, against other removals.

        Each draw trains one model a set of removed records, all from one seed: the differences
        are paired. They range over seeds and random removals on this one training set; a claim
        about other data replicates data draws (`studies`).

        Parameters
        ----------
        by : "memorization" (of the only fraction that was run), "banzhaf", "inconsistency"
            (1 - C-score), or (n,) numbers: the highest go first
        fractions : of the training records, each in (0, 1)
        against : "random", and "class_matched" (random, with as many of each class)
        draws : at least 2
        exclude_near_duplicates : leave out test points that lie closer to a training record
            than half (or this share) of the typical distance between training records
        X_test, y_test : those of the study if left out
        """
        mine = self._tests(X_test, y_test)
        return removal_curve(
            self._project, self._scores(by, unconverged), mine, list(fractions), list(against),
            draws, exclude_near_duplicates, by if isinstance(by, str) else "given scores", progress,
        )  # fmt: skip

    def _scores(self, by: Any, unconverged: Any) -> Any:
        if isinstance(by, str):
            if by == "memorization":
                return self.memorization(unconverged=unconverged).value
            if by == "inconsistency":
                return 1.0 - self.consistency().value
            if by == "banzhaf":
                return self.banzhaf().value
            raise BadInput(
                f'by is "memorization", "inconsistency", "banzhaf" or numbers, got {by!r}'
            )
        scores = np.asarray(by, dtype=np.float64)
        if scores.shape != (len(self.ids),) or not np.isfinite(scores).all():
            raise BadInput(f"scores are one finite number a record, got shape {scores.shape}")
        return scores

    def _tests(self, X_test: Any, y_test: Any) -> tuple[Any, Any]:
        if X_test is None and y_test is None:
            self._must_have_tests("this")
            return self._project.at, self._project.answers
        width = self._project.x.shape[1:]
        return as_queries(X_test, y_test, self.classes, "X_test, y_test", width)

    def _must_have_tests(self, what: str) -> None:
        if len(self._project.answers) == 0:
            raise BadInput(f"{what} needs test points: give X_test and y_test")

    def _asked(self, X_test: Any, y_test: Any, p: Fraction, jobs: Any, progress: Any) -> Memories:
        """Return this study, or its twin that was asked about other test points."""
        at, answers = self._tests(X_test, y_test)
        mine = self._project
        if np.array_equal(at, mine.at) and np.array_equal(answers, mine.answers):
            return self
        y, y_test = self.classes[mine.y], self.classes[answers]
        twin = Memories(mine.x, y, X_test=at, y_test=y_test, ids=self.ids, **self._given)
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

    def _repr_html_(self) -> str:
        found = self._project.trained()
        if len(found) != 1:
            return f"<div>{escape(repr(self))}</div>"
        shown = self.memorization(unconverged="flag")._repr_html_()
        return f"<div>{escape(repr(self))}</div>{shown}"

    def __rich__(self) -> Any:
        found = self._project.trained()
        return self.memorization(unconverged="flag") if len(found) == 1 else repr(self)


extrapolate_line = extrapolate
