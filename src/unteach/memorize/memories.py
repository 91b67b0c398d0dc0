"""Memories: what many models memorize of each record, read from one table of their outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import numpy as np

from unteach.core import BadInput, Progress

from ._training.outcomes import Outcomes
from .scores.banzhaf import Banzhaf, banzhaf
from .scores.consistency import Consistency, consistency
from .scores.influence import difference, ridge
from .scores.intervals import z_of
from .scores.lira import Membership, membership
from .scores.removal import Removal, removal_curve
from .scores.subsampled import THRESHOLD, Memorization, check_flagging, estimate, gate
from .scores.subsampled import extrapolate as extrapolate_line


class Memories(Outcomes):
    """What models memorize of each record, measured by training many on random subsets.

    `run` trains models on random subsets and keeps, for each, which records it was trained on
    and for which records (and test points) its answer was right, and by what margin. Everything
    else is read from that table.

    Parameters
    ----------
    X, y : (n, d) inputs, dense or scipy sparse (made dense), and (n,) labels of at least two
        classes
    learner : "mlp", "cnn" (both scale features by what each model learns from), "ridge", "knn"
        (the nearest neighbour), "svc", "logistic"; a learner, a scikit-learn classifier, or a
        function without arguments that makes a torch module
    store : None keeps the outcomes in a temporary folder; a path is a project folder, in which
        the same study resumes and grows; or an open `Store`
    seed : names the study; the subset, initialization and order of each model follow from it and
        from the model's number
    X_test, y_test : (t, d) and (t,) test points whose outcomes are kept too. What asks how good
        models are (`banzhaf`, `removal_curve`) refuses those that models were trained on
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
        threshold, fdr : a record is flagged where memorization above the threshold, of [0, 1), is
            found, at this false discovery rate (Benjamini-Hochberg over all records)
        level : of the intervals
        unconverged : models that are right on less than .99 of what they were trained on are
            refused (`NotConverged`), or the values are flagged as such
        """
        options = {"threshold": threshold, "fdr": fdr, "level": level}
        z_of(level)
        check_flagging(threshold, fdr)
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
        new = self._new(self._project.at, self._project.answers)
        return banzhaf(self._project.shards(p), self.ids, level, new)

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
        fractions : of the training records, each in (0, 1); one or several
        against : "random", and "class_matched" (random, with as many of each class)
        draws : at least 2
        exclude_near_duplicates : leave out test points that lie closer to a training record
            than half (or this share) of the typical distance between training records
        X_test, y_test : those of the study if left out
        """
        at, answers = self._tests(X_test, y_test, "removal_curve")
        scores = self._scores(by, unconverged)
        new = self._new(at, answers)
        return removal_curve(
            self._project,
            scores,
            (at[new], answers[new]),
            np.ravel(fractions).tolist(),
            np.ravel(against).tolist(),
            draws,
            exclude_near_duplicates,
            by if isinstance(by, str) else "given scores",
            progress,
        )

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

    def _repr_html_(self) -> str:
        found = self._project.trained()
        if len(found) != 1:
            return f"<div>{escape(repr(self))}</div>"
        shown = self.memorization(unconverged="flag")._repr_html_()
        return f"<div>{escape(repr(self))}</div>{shown}"

    def __rich__(self) -> Any:
        found = self._project.trained()
        return self.memorization(unconverged="flag") if len(found) == 1 else repr(self)
