"""Removal: what taking away the most memorized records costs, against taking away others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Progress, Table, stream
from unteach.models import nearest
from unteach.stats import Interval, mean_interval

from .._training.learner_adapter import outputs
from .._training.subset_design import Design, as_fraction

if TYPE_CHECKING:
    from .._training.stored_run import Project

Floats = NDArray[np.float64]
ARMS = ("random", "class_matched")
TOGETHER = 64  # models trained in one call


@dataclass(frozen=True, eq=False)
class Removal:
    """Test accuracy after removals, paired by draw.

    Attributes
    ----------
    by : what the removed were highest in · fractions : of the records · removed : how many
    whole : (draws,) accuracy with all records
    accuracy : arm to (fractions, draws); "top" is the arm of the highest
    tested, excluded : test points used, and left out as near-duplicates
    """

    by: str
    fractions: tuple[float, ...]
    removed: tuple[int, ...]
    whole: Floats
    accuracy: dict[str, Floats]
    tested: int
    excluded: int

    def cost(self, fraction: float, *, against: str, level: float = 0.95) -> Interval:
        """Return accuracy after the other removal less accuracy after that of the highest.

        Above 0, the highest were needed more than as many others. `against` is an arm, or
        "whole" for nothing removed. The interval ranges over draws: seeds and random removals.
        """
        if fraction not in self.fractions:
            raise BadInput(f"no removal of {fraction!r}; there are {list(self.fractions)}")
        at = self.fractions.index(fraction)
        if against not in (*self.accuracy, "whole") or against == "top":
            raise BadInput(f"no removal {against!r}; there are {[*self.accuracy, 'whole']}")
        other = self.whole if against == "whole" else self.accuracy[against][at]
        gap = other - self.accuracy["top"][at]
        return mean_interval(gap, unit_of_replication="seeds", level=level)

    def table(self) -> Table:
        """Return one row a fraction and arm: accuracy, and what the removal of the top costs."""
        rows: list[dict[str, Any]] = []
        for at, fraction in enumerate(self.fractions):
            for arm, accuracy in self.accuracy.items():
                mean = mean_interval(accuracy[at], unit_of_replication="seeds")
                cost = None if arm == "top" else self.cost(fraction, against=arm)
                rows.append(
                    {
                        "fraction": fraction,
                        "removed": self.removed[at],
                        "arm": arm,
                        "accuracy": mean.value,
                        "low": mean.low,
                        "high": mean.high,
                        "top costs more by": None if cost is None else cost.value,
                        "cost low": None if cost is None else cost.low,
                        "cost high": None if cost is None else cost.high,
                    }
                )
        columns = {k: [row[k] for row in rows] for k in rows[0]}
        units = {k: "accuracy" for k in columns if k not in ("fraction", "removed", "arm")}
        caption = (
            f"highest in {self.by} removed; {self.tested} test points, {self.excluded} left out "
            f"as near-duplicates; {len(self.whole)} draws of seeds on one training set"
        )
        return Table(
            "removal", columns, {**units, "removed": "records"}, ("fraction", "arm"), caption
        )

    def __repr__(self) -> str:
        parts = []
        for fraction in self.fractions:
            arm = next((a for a in self.accuracy if a != "top"), "whole")
            cost = self.cost(fraction, against=arm)
            parts.append(f"{fraction:g}: {cost.value:+.4f} [{cost.low:+.4f}, {cost.high:+.4f}]")
        return f"Removal of the highest in {self.by}, cost against {arm}: {'; '.join(parts)}"


def removal_curve(
    project: Project,
    scores: Floats,
    tests: tuple[Any, Any],
    fractions: Sequence[float],
    against: Sequence[str],
    draws: int,
    exclude: bool | float,
    by: str,
    progress: Progress | None,
) -> Removal:
    """Train without the highest, and without others; return the accuracies."""
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 2:
        raise BadInput(f"draws is a whole number of at least 2, got {draws!r}")
    strange = [arm for arm in against if arm not in ARMS]
    if strange or not fractions:
        raise BadInput(f"against is of {list(ARMS)} and fractions are some, got {strange}")
    x, y, seed = project.x, project.y, project.seed
    counts = [round(f * len(y)) for f in fractions]
    if any(not 0 < f < 1 for f in fractions) or min(counts) < 1:
        raise BadInput(f"fractions lie in (0, 1) and remove at least one record: {fractions}")
    at, answers = tests
    kept = ~near_training(x, at, exclude) if exclude else np.ones(len(at), bool)
    if not kept.any():
        raise BadInput("every test point is a near-duplicate of a training record; none is left")
    top = np.argsort(-scores, kind="stable")
    arms = ("top", *against)
    masks, seeds = [], []
    model_seeds = Design(len(y), as_fraction(0.5), seed).seeds(0, draws)
    for draw in range(draws):
        rng = stream(seed, "removal", draw)
        masks.append(np.ones(len(y), bool))
        shuffled = rng.permutation(len(y))
        for count in counts:
            for arm in arms:
                gone = {"top": top[:count], "random": shuffled[:count]}.get(arm)
                gone = _matched(y, top[:count], shuffled) if gone is None else gone
                mask = np.ones(len(y), bool)
                mask[gone] = False
                masks.append(mask)
        seeds.extend([model_seeds[draw]] * (1 + len(counts) * len(arms)))
    right = _accuracies(
        project.learner, x, y, np.array(masks), np.array(seeds), at[kept], answers[kept], progress
    )
    right = right.reshape(draws, -1)
    each = right[:, 1:].reshape(draws, len(counts), len(arms))
    accuracy = {arm: each[:, :, k].T.copy() for k, arm in enumerate(arms)}
    return Removal(
        by,
        tuple(fractions),
        tuple(counts),
        right[:, 0],
        accuracy,
        int(kept.sum()),
        int((~kept).sum()),
    )


def near_training(x: Any, at: Any, share: bool | float) -> NDArray[np.bool_]:
    """Say which queries lie closer to a training record than `share` of the typical distance.

    Distances are Euclidean after each feature is divided by its standard deviation in training;
    the typical one is the median distance of a training record to its nearest other. True is .5.
    """
    limit = 0.5 if share is True else float(share)
    if not 0 < limit < np.inf:
        raise BadInput(f"the share of the typical distance is above 0, got {share!r}")
    flat, queries = x.reshape(len(x), -1), at.reshape(len(at), -1)
    spread = flat.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    flat, queries = flat / spread, queries / spread
    columns = np.ascontiguousarray(flat.T)

    def gaps(points: Any, skip: Any) -> Any:
        first = nearest(columns, np.ascontiguousarray(points), skip, 1)[:, 0]
        return np.linalg.norm(points - flat[first], axis=1)

    typical = float(np.median(gaps(flat, np.arange(len(flat)))))
    return np.asarray(gaps(queries, np.full(len(queries), -1)) < limit * typical)


def _matched(y: Any, top: Any, shuffled: Any) -> Any:
    """Return random records with as many of each class as `top` has."""
    wanted = np.bincount(y[top], minlength=int(y.max()) + 1)
    return np.concatenate([shuffled[y[shuffled] == c][:k] for c, k in enumerate(wanted)])


def _accuracies(
    learner: Any,
    x: Any,
    y: Any,
    masks: Any,
    seeds: Any,
    at: Any,
    answers: Any,
    progress: Progress | None,
) -> Floats:
    right = np.empty(len(masks))
    for start in range(0, len(masks), TOGETHER):
        some = slice(start, start + TOGETHER)
        found = outputs(learner, x, y, masks[some], seeds[some], at)[0]
        right[some] = (found.argmax(axis=2) == answers).mean(axis=1)
        if progress is not None:
            progress(min(start + TOGETHER, len(masks)), len(masks), "models of the removal curve")
    return right
