"""The gap to retraining in predictions, and the share of the old gap that is still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import Case, NeedsReference, Reading, Role, Table, Trial
from unteach.models import classifies, scores

from .against import Against, Array, Measured, against
from .summary import distance_reading


@dataclass(frozen=True)
class PredictionGap:
    """How far the model's scores on the forgotten records lie from a retrained model's.

    Mean over forgotten records (and classes) of |score after - score retrained|, in the model's
    own scores. 0 is as retrained; the distance does not say on which side the model stands, so
    that `ResidualFraction` belongs beside it. The limit is the spread of all scores that the
    models of the case gave: none of them can lie further from another.

    Null        one retrained model against another: what as many new trials would show (t)
    Limit       the spread of all scores that the models of the case gave
    Fails       has no side; in the model's own scores, so that it compares no two kinds of models;
                a method that moves only the scale of its scores is told apart too
    Source      ours; distances of outputs to retraining: Golatkar et al. 2020
    Errors      NeedsReference without a retrained model and a twin, or when the models know
                different classes whose scores cannot be lined up

    Examples
    --------
    >>> from unteach.audit import planted_case
    >>> r = PredictionGap().read(planted_case(after=[1.0, 0.0], before=[2.0, 2.0]))
    >>> r.value, r.untouched, r.null
    (0.5, 2.0, (0.0, 0.0))
    """

    name: ClassVar[str] = "prediction gap"
    role: ClassVar[Role] = "forgetting"

    def read(self, case: Case) -> Reading:
        """Return the mean distance from retraining."""
        return self.measure(case).reading

    def measure(self, case: Case) -> Measured:
        """Return the reading and its table, one row a forgotten record."""
        columns, note = _columns(case, self.name)

        def values(model: Any, trial: Trial) -> Array:
            said = np.asarray(scores(model, trial.forget.x), dtype=np.float64)  # (n, k)
            return said if columns is None else said[:, _where(model, columns)]

        seen = against(case, self.name, values, _distance)
        table = _table(seen, f"{self.name} by record")
        reading = distance_reading(
            self.name,
            seen,
            unit="score",
            limit=seen.highest - seen.lowest,
            table=table.name,
            note=note,
        )
        return Measured(reading, (table,))


def _distance(one: Array, other: Array) -> Array:
    return np.asarray(np.mean(np.abs(one - other), axis=1))  # (n, k) -> (n,)


def _columns(case: Case, name: str) -> tuple[list[Any] | None, str]:
    """Return the classes that all models know (None: all the same), and what to say of it."""
    models = [m for t in case.compared(name) for m in (t.before, t.after, t.reference, t.twin)]
    if not all(classifies(m) for m in models):
        return None, ""
    known = [np.asarray(m.classes_).tolist() for m in models]
    if all(k == known[0] for k in known):
        return None, ""
    common = [c for c in known[0] if all(c in k for k in known)]
    if min(len(k) for k in known) < 3:
        raise NeedsReference(
            f"{name} subtracts scores class by class, and the models know {sorted(map(len, known))}"
            " classes; with two classes there is one score only, and it cannot be lined up with "
            "three; read the residual fraction instead"
        )
    return common, f"over the {len(common)} classes that all models know"


def _where(model: Any, classes: list[Any]) -> list[int]:
    known = np.asarray(model.classes_).tolist()
    return [known.index(c) for c in classes]


def _table(seen: Against, name: str) -> Table:
    """Return one row a record and replicate: how far before and after lie from retraining."""
    sizes = [len(i) for i in seen.ids]
    seeds = seen.seeds if not seen.single else seen.seeds[:1]
    return Table(
        name,
        {
            "seed": np.repeat(seeds, sizes).tolist(),
            "id": np.concatenate(seen.ids).tolist(),
            "before": np.concatenate(seen.before).tolist(),
            "after": np.concatenate(seen.after).tolist(),
        },
        {"before": "score", "after": "score"},
        keys=("seed", "id"),
        caption="mean distance of each forgotten record's scores from those of retraining",
    )
