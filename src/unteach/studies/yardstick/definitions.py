"""The definitions of "forgotten": each a number that is 0 as retrained and grows with distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unteach.audit import (
    activation_distance,
    anamnesis_index,
    epsilon_lower_bound,
    klom,
    neurips_score,
    residual_fraction,
    tow,
    tow_mia,
    ulira,
    weight_distance,
)
from unteach.core import BadInput, NeedsReference

from .said import Said

Family = Literal["average", "one threshold", "answers", "inside", "per record"]
Read = Callable[[Said, Said, Said], float]


@dataclass(frozen=True)
class Definition:
    """A way to quantify forgetting.

    name : the key · label : what it is called · short : in a column · family : what it looks at
    read : (unlearned, retrained, original) -> distance from retraining; originals are those that
        the unlearned came from
    means : when a model counts as having forgotten, in the words of those who use it
    """

    name: str
    label: str
    short: str
    family: Family
    read: Read
    means: str


def score(definition: Definition, u: Said, r: Said, o: Said) -> float | None:
    """Return the distance, or None where the definition cannot be read on these records."""
    try:
        found = float(definition.read(u, r, o))
    except (NeedsReference, BadInput):
        return None
    return found if np.isfinite(found) else None


def _gap(field: str) -> Read:
    def read(u: Said, r: Said, o: Said) -> float:
        return abs(float(np.nanmean(getattr(u, field)) - np.nanmean(getattr(r, field))))

    return read


def _probe(u: Said, r: Said, o: Said) -> float:
    one, other = (a.probe[np.isfinite(a.probe)] for a in (u, r))
    if not len(one) or not len(other):
        raise NeedsReference("no labels to probe for")
    return abs(float(one.mean() - other.mean()))


def _accuracy(u: Said, r: Said, o: Said) -> float:
    return abs(float(u.accuracies[:, 0].mean() - r.accuracies[:, 0].mean()))


def _tow(u: Said, r: Said, o: Said) -> float:
    return 1 - float(tow(u.accuracies, r.accuracies).mean())


def _tow_mia(u: Said, r: Said, o: Said) -> float:
    found = tow_mia(u.accuracies, r.accuracies, membership=u.caught, retrained_membership=r.caught)
    return 1 - float(found.mean())


def _answers(u: Said, r: Said, o: Said) -> float:
    return float(
        np.mean([activation_distance(a, b, norm="l2") for a, b in zip(u.p, r.p, strict=True)])
    )


def _weights(u: Said, r: Said, o: Said) -> float:
    return abs(weight_distance(u.weights, r.weights).ratio - 1)


def _relearn(u: Said, r: Said, o: Said) -> float:
    found = anamnesis_index(
        u.curves, r.curves, original_accuracy=float(o.accuracies[:, 0].mean()), resamples=1
    )
    return abs(float(np.log(max(found.index.value, 1e-3))))


def _ulira(u: Said, r: Said, o: Said) -> float:
    return ulira(u.margins, r.margins, permutations=19).area.value - 0.5


def _klom(u: Said, r: Said, o: Said) -> float:
    return float(np.median(klom(u.margins, r.margins)))


def _neurips(u: Said, r: Said, o: Said) -> float:
    kept, test = (
        (float(u.accuracies[:, k].mean()), float(r.accuracies[:, k].mean())) for k in (1, 2)
    )
    return 1 - neurips_score(u.margins, r.margins, retain=kept, test=test).score


def _epsilon(u: Said, r: Said, o: Said) -> float:
    return float(epsilon_lower_bound(u.margins, r.margins).low.mean())


def _residual(u: Said, r: Said, o: Said) -> float:
    return abs(residual_fraction(u.margins, r.margins, o.margins, resamples=1).value.value)


def _median(u: Said, r: Said, o: Said) -> float:
    return abs(residual_fraction(u.margins, r.margins, o.margins, resamples=1).median)


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "accuracy",
        "forget accuracy",
        "accuracy",
        "average",
        _accuracy,
        "accuracy on the forgotten is that of retraining",
    ),
    Definition(
        "tow",
        "tug of war (ToW)",
        "ToW",
        "average",
        _tow,
        "three accuracies, multiplied, are those of retraining",
    ),
    Definition(
        "tow_mia",
        "ToW with membership",
        "ToW-MIA",
        "average",
        _tow_mia,
        "the same, with a membership score for the first",
    ),
    Definition(
        "member",
        "population membership",
        "popul.",
        "one threshold",
        _gap("member"),
        "one threshold tells forgotten from held-out as well as after retraining",
    ),
    Definition(
        "entropy",
        "modified entropy",
        "entropy",
        "one threshold",
        _gap("entropy"),
        "the same by modified entropy",
    ),
    Definition(
        "zrf",
        "ZRF",
        "ZRF",
        "answers",
        _gap("ignorance"),
        "answers are as near to ignorance as those of retraining",
    ),
    Definition(
        "loss",
        "log loss",
        "log loss",
        "answers",
        _gap("loss"),
        "the log loss on the forgotten is that of retraining",
    ),
    Definition(
        "answers",
        "answers apart",
        "answers",
        "answers",
        _answers,
        "probabilities lie no further from retraining's than these from each other",
    ),
    Definition(
        "weights",
        "weights apart",
        "weights",
        "inside",
        _weights,
        "weights lie no further from retraining's than these from each other",
    ),
    Definition(
        "relearn",
        "relearn time",
        "relearn",
        "inside",
        _relearn,
        "the forgotten are relearned no sooner and no later than by retraining",
    ),
    Definition(
        "probe",
        "linear probe",
        "probe",
        "inside",
        _probe,
        "the labels are no easier to read off the hidden layer",
    ),
    Definition(
        "ulira",
        "U-LiRA",
        "U-LiRA",
        "per record",
        _ulira,
        "an attack that fits each record cannot tell the models from retrained ones",
    ),
    Definition(
        "rmia",
        "RMIA",
        "RMIA",
        "per record",
        _gap("ratio"),
        "likelihood ratios of each record are those of retraining",
    ),
    Definition(
        "klom",
        "KLoM (median)",
        "KLoM",
        "per record",
        _klom,
        "each record's margins are distributed as after retraining",
    ),
    Definition(
        "neurips",
        "challenge score",
        "score",
        "per record",
        _neurips,
        "the score of the 2023 challenge is that of retraining",
    ),
    Definition(
        "epsilon",
        "epsilon bound",
        "epsilon",
        "per record",
        _epsilon,
        "no attack shows an epsilon above zero, on average over the records",
    ),
    Definition(
        "residual",
        "residual (larger side)",
        "residual",
        "per record",
        _residual,
        "neither what is left of each record's mark nor the overshoot is beyond noise",
    ),
    Definition(
        "median",
        "residual (median)",
        "median",
        "per record",
        _median,
        "of the median record's mark nothing is left",
    ),
)
BY_NAME: Mapping[str, Definition] = {d.name: d for d in DEFINITIONS}
SHORT = {d.name: d.short for d in DEFINITIONS}
LABELS = {d.name: d.label for d in DEFINITIONS}
