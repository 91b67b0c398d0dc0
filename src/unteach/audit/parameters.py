"""The gap to retraining in parameters, in units of the way that forgetting should have gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import Case, NeedsReference, Reading, Role, Table
from unteach.models import parameters
from unteach.stats import Interval, mean_interval

from .against import Array, Measured, checked
from .summary import LEVEL, prediction_ends


@dataclass(frozen=True)
class ParameterGap:
    """How far the parameters are from a retrained model's, as a share of the way from before.

    |theta after - theta retrained| / |theta before - theta retrained|: 0 as retrained, 1 what
    doing nothing scores. The table shows the signed projection beside it,
    <after - retrained, before - retrained> / |before - retrained|^2: 1 nothing forgotten, 0 as
    retrained, below 0 overshoot, and what the gap has beyond it is movement to the side. Where
    retraining from another seed moves the parameters as far as forgetting should have (networks,
    whose units may change places), the null covers what doing nothing scores, and the gap can
    tell nothing; the null says so. The limit is the sum of the
    largest norms, beyond which parameters of these sizes cannot be apart.

    Null        one retrained model against another
    Limit       the sum of the largest norms over the way
    Fails       networks: where units may change places, retrainings lie as far apart as doing
                nothing does, the null says so, and the gap can tell nothing
    Source      ours; distances of weights to retraining: Golatkar et al. 2020
    Errors      NeedsReference without retrained models, for models without parameters or with
                different numbers of them, and where forgetting should move no parameter at all

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> case = planted_case(after=[1.0, 0.0], before=[2.0, 0.0], retrained=[0.0, 0.0])
    >>> r = ParameterGap().read(case)
    >>> r.value, r.untouched, r.note[:14]
    (0.5, 1.0, 'projection 0.5')
    """

    name: ClassVar[str] = "parameter gap"
    role: ClassVar[Role] = "forgetting"

    def read(self, case: Case) -> Reading:
        """Return the distance from retraining, relative to that of the model before."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a trial."""
        trials = case.compared(self.name)
        after = self._read([t.after for t in trials])
        before = self._read([t.before for t in trials])
        reference = self._read([t.reference for t in trials])
        twin = self._read([t.twin for t in trials])
        if len({v.shape for v in [*after, *before, *reference, *twin]}) > 1:
            raise NeedsReference(
                f"{self.name} subtracts parameters one by one and these models have different "
                "numbers of them (a class may have gone); read the prediction gap instead"
            )
        ways = [b - r for b, r in zip(before, reference, strict=True)]
        way = float(np.mean([np.linalg.norm(w) for w in ways]))
        size = float(np.mean([np.linalg.norm(r) for r in reference]))
        if way <= 1e-12 * size or way == 0:
            raise NeedsReference(
                f"{self.name}: retraining without the records moves no parameter, so there is no "
                "way to measure against; nothing of them was in the parameters"
            )
        gaps = _far(after, reference) / way  # (trials,)
        far = _far(before, reference) / way
        null = _far(twin, reference) / way
        along = [
            float((a - r) @ w / (w @ w)) if w.any() else 0.0
            for a, r, w in zip(after, reference, ways, strict=True)
        ]
        interval = self._interval(gaps, case.unit_of_replication)
        low, high = prediction_ends(null, case.unit_of_replication)
        table = Table(
            f"{self.name} by trial",
            {
                "seed": list(case.seeds),
                "gap": gaps.tolist(),
                "projection": along,
                "before": far.tolist(),
                "null": null.tolist(),
            },
            dict.fromkeys(("gap", "projection", "before", "null"), "share of the way"),
            keys=("seed",),
            caption="projection: 1 nothing forgotten, 0 as retrained, below 0 overshoot",
        )
        reach = max(float(np.linalg.norm(v)) for v in (*after, *before))
        reach += max(float(np.linalg.norm(r)) for r in reference)
        reading = Reading(
            self.name,
            interval.value,
            max(interval.low, 0.0),
            interval.high,
            n=interval.n,
            unit_of_replication=interval.unit_of_replication,
            seeds=case.seeds,
            unit="share of the way",
            better="lower",
            untouched=float(np.mean(far)),
            null=(max(low, 0.0), high),
            limit=max(reach / way, interval.value),
            table=table.name,
            level=LEVEL,
            note=f"projection {np.mean(along):.4g}"
            + ("" if null.any() else "; retrainings agree to the last bit: the null is a point"),
        )
        return Measured(reading, (table,))

    def _read(self, models: list[Any]) -> list[Array]:
        found = [parameters(m) for m in models]
        for model, vector in zip(models, found, strict=True):
            if vector is None:
                raise NeedsReference(
                    f"{self.name} compares parameters and {type(model).__name__} has none"
                )
        return [checked(v, self.name) for v in found]

    def _interval(self, gaps: Array, unit: str) -> Interval:
        if len(gaps) == 1 or not np.ptp(gaps):
            one = float(gaps[0])
            return Interval(one, one, one, 1, "none", LEVEL, "one comparison")
        # one model beside several retrained ones: what varies is the seed of retraining
        return mean_interval(
            gaps, unit_of_replication="seeds" if unit == "examples" else unit, level=LEVEL
        )


def _far(one: list[Array], other: list[Array]) -> Array:
    return np.array([np.linalg.norm(a - b) for a, b in zip(one, other, strict=True)])
