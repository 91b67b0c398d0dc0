"""KLoM: the divergence of margins, from unlearned to retrained, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Role

from .against import Measured
from .arms import Arms, two_arms
from .over_arms import Comparison, OverArms, four, of_records


def klom(
    unlearned: Any, retrained: Any, *, bins: int = 20, floor: float = 1e-5, clip: float = 100.0
) -> NDArray[np.float64]:
    """Return KL(unlearned || retrained) of the histograms of margins, one a record: (n,) nats.

    Each record's margins, cut to +-clip, are counted in equal bins over the joint range of both
    arms, the largest margin included; bins that no retrained model fell into count as `floor`.

    Null: far from 0. Two arms of one Gaussian score about 0.6 on average with 64 models an arm
    and 0.35 with 100, so that only the value of retraining against retraining says what a
    number means. Largest value: ln(1 / floor), 11.51. Failure modes: with arms that do not vary,
    any difference scores the maximum; the divergence has no side.

    Parameters
    ----------
    unlearned, retrained : (N, n), (M, n) margins
    bins : at least 2; floor : in (0, 1); clip : > 0

    Source      Georgiev et al. 2024 (arXiv 2410.23232) and EasyDUB; the direction is that of
                their code and in the name of the arguments here. The code drops each record's
                largest margin and rates two different constants as equal; this does not.

    Examples
    --------
    >>> klom([[0.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])    # the same, and elsewhere
    array([ 0. , 11.51])
    >>> klom([[0.0], [0.0], [1.0], [1.0]], [[0.0], [1.0], [1.0], [1.0]])    # ln(4/3) / 2
    array([0.1438])
    """
    u, r = two_arms(unlearned, retrained)
    if not (int(bins) == bins and bins >= 2 and 0 < floor < 1 and clip > 0):
        raise BadInput(f"need bins >= 2, floor in (0, 1), clip > 0, got {bins}, {floor}, {clip}")
    u, r = np.clip(u, -clip, clip), np.clip(r, -clip, clip)
    low = np.minimum(u.min(axis=0), r.min(axis=0))
    wide = np.maximum(u.max(axis=0), r.max(axis=0)) - low
    p, q = (_shares(a, low, wide, int(bins)) for a in (u, r))  # (n, bins)
    ratio = np.where(p > 0, p, 1.0) / np.maximum(q, floor)
    found: NDArray[np.float64] = np.maximum(np.sum(p * np.log(ratio), axis=1), 0.0)
    return found + 0.0


def _shares(values: Any, low: Any, wide: Any, bins: int) -> NDArray[np.float64]:
    place = (values - low) / np.where(wide > 0, wide, 1.0) * bins
    at = np.minimum(place.astype(np.int64), bins - 1)  # the maximum stands in the last bin
    return np.stack([np.mean(at == b, axis=0) for b in range(bins)], axis=1)


@dataclass(frozen=True)
class MarginDivergence(OverArms):
    """KLoM: the mean over forgotten records of KL(unlearned || retrained) of their margins.

    Definition  `klom` of each record, averaged; the table gives each, the note the worst
    Null        of retrained models mixed into two arms; far above 0 with few models
    Limit       ln(1e5), 11.51
    Fails       has no side; models without chance score the maximum wherever they differ; a mean
                hides single records
    Errors      NeedsReference for data draws, fewer than 4 trials, or without retrained models
    Source      Georgiev et al. 2024 (arXiv 2410.23232)

    Examples
    --------
    >>> from unteach.audit import planted_arms
    >>> r = MarginDivergence().measure_arms(planted_arms("Retrain")).reading
    >>> 1 < r.null[0] < r.value < r.null[1], round(r.limit, 2)
    (True, 11.51)
    """

    name: ClassVar[str] = "margin divergence"
    role: ClassVar[Role] = "forgetting"

    def measure_arms(self, arms: Arms) -> Measured:
        """Return the mean divergence in nats, and that of each record."""
        how = Comparison(self.name, "nats", "lower", limit=float(np.log(1e5)))
        return of_records(how, arms, four(arms, arms.margins, name=self.name), klom)
