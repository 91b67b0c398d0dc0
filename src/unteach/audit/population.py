"""Population membership: one threshold for all records. A screen, which can carry no verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from unteach.core import Role
from unteach.stats import Interval, area_under_curve

from .against import Measured
from .arms import Arms, Array, per_model
from .over_arms import Comparison, OverArms, four


@dataclass(frozen=True)
class PopulationMembership:
    """area, retrained : (N,), (M,) one a model; difference : of their means, with an interval.

    `role` is "screen": whatever the difference, nothing follows about single records.
    """

    area: NDArray[np.float64]
    retrained: NDArray[np.float64]
    difference: Interval
    role: ClassVar[Role] = "screen"


def population_membership(
    forget: Any,
    holdout: Any,
    retrained_forget: Any,
    retrained_holdout: Any,
    *,
    level: float = 0.95,
) -> PopulationMembership:
    """Return how well forgotten records are told from held-out ones, less the same of retraining.

    Null: what retrained models score, which is not 0.5 where the forgotten records differ from
    held-out ones by themselves (mislabelled records: 0.26 on digits). Failure mode, and the
    reason that it is a screen: doing nothing can lie within 0.03 of retraining while an attack
    that fits each record tells the two apart always. Limit: 1 - the retrained area.

    Parameters
    ----------
    forget, holdout : (N, n), (N, t) margins by the models to judge
    retrained_forget, retrained_holdout : (M, n), (M, t) by retrained models

    Source      Yeom et al. 2018; Welch's interval over models

    Examples
    --------
    >>> found = population_membership([[2.0, 3], [2, 3]], [[1.0, 0], [1, 0]],
    ...                               [[1.0, 0], [1, 0]], [[1.0, 0], [1, 0]])
    >>> found.area, found.difference.value, found.role
    (array([1., 1.]), 0.5, 'screen')
    """
    area, retrained = (
        np.array(
            [
                area_under_curve(a, b)
                for a, b in zip(
                    per_model(inside, "forget"), per_model(outside, "holdout"), strict=True
                )
            ]
        )
        for inside, outside in ((forget, holdout), (retrained_forget, retrained_holdout))
    )
    return PopulationMembership(area, retrained, difference_of_means(area, retrained, level=level))


def difference_of_means(
    one: Any, other: Any, *, level: float = 0.95, unit: str = "models"
) -> Interval:
    """Return mean(one) - mean(other) of independent models, with Welch's t-interval.

    >>> print(difference_of_means([1.0, 3.0], [0.0, 2.0]))
    1 [-5.085, 7.085], n=2 models, 95 % Welch t
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    parts = [float(np.var(v, ddof=1)) / len(v) for v in (a, b)]
    gap, error = float(a.mean() - b.mean()), float(np.sqrt(sum(parts)))
    half = 0.0
    if error > 0:
        degrees = sum(parts) ** 2 / sum(
            p**2 / (len(v) - 1) for p, v in zip(parts, (a, b), strict=True)
        )
        half = float(distributions.t.ppf((1 + level) / 2, degrees)) * error
    return Interval(gap, gap - half, gap + half, min(len(a), len(b)), unit, level, "Welch t")


@dataclass(frozen=True)
class PopulationArea(OverArms):
    """How far forgotten records stand out among held-out ones by one threshold: a screen.

    Definition  the area under the curve of margins, forgotten against held-out records, of each
                model; the mean of unlearned models' less that of retrained ones'
                (`population_membership`)
    Null        of retrained models mixed into two arms
    Limit       the larger of retraining's mean area and 1 less it
    Fails       passes a model that did nothing where few records are memorized; records up and
                records down cancel; where retraining holds the records most weakly of all (wrong
                labels) over-forgetting goes unseen
    Errors      NeedsReference for data draws, fewer than 4 trials, without retrained models or
                held-out records
    Source      Yeom et al. 2018

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = PopulationArea().measure_arms(planted_arms("DoNothing")).reading
    >>> r.value > 0.3 > r.null[1], PopulationArea().role
    (True, 'screen')
    """

    name: ClassVar[str] = "population membership"
    role: ClassVar[Role] = "screen"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the difference of mean areas."""

        def areas(arm: str) -> Array:
            pairs = zip(arms.margins(arm), arms.margins(arm, "holdout"), strict=True)
            return np.array([area_under_curve(f, h) for f, h in pairs])

        def apart(u: Array, r: Array) -> Array:
            return np.array([u.mean() - r.mean()])

        seen = four(arms, areas, name=self.name)
        middle = float(seen.retrained.mean())
        unit, limit = "area under the curve", max(middle, 1 - middle)
        how = Comparison(self.name, unit, "zero", limit=limit, signed=True)
        said = f"area {seen.unlearned.mean():.3g}, retrained {middle:.3g}"
        return Measured(how.read(seen, apart, seeds=arms.seeds, note=said), ())
