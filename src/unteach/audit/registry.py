"""All metrics by name: those of any case, and those of arms."""

from __future__ import annotations

from typing import Any

from unteach.core import BadInput

from .calibration import CalibrationChange
from .distances import ActivationGap, WeightGap
from .epsilon_metric import EpsilonBound, EpsilonCredible
from .fraction import ArmResidual
from .interclass_confusion import ConfusionLeft
from .klom import MarginDivergence
from .linear_probe import ProbeLeft
from .neurips_score import ChallengeScore
from .per_example import PerExampleAttack
from .population import PopulationArea
from .protocol import METRICS
from .relearn import Relearning
from .rmia import OfflineRmia
from .swap_test import SwapAdvantage
from .tow import TugOfWar, TugOfWarMia
from .zrf import ZeroRetrainForgetting

# Metrics of arms: what many models of one request say, each as a reading of a case.

ARM_METRICS: tuple[Any, ...] = (
    PerExampleAttack(),
    MarginDivergence(),
    ArmResidual(),
    OfflineRmia(),
    EpsilonBound(),
    EpsilonCredible(),
    ActivationGap(),
    ChallengeScore(),
    TugOfWar(),
    TugOfWarMia(),
    PopulationArea(),
    ConfusionLeft(),
    SwapAdvantage(),
    ZeroRetrainForgetting(),
    WeightGap(),
    ProbeLeft(),
    Relearning(),
    CalibrationChange(),
)
"""Metrics that read the models of several seeds of one request together: seven of forgetting,
ten screens, a utility."""


ALL_METRICS: tuple[Any, ...] = (*METRICS, *ARM_METRICS)
"""Every metric that the package has; `METRICS` are what `audit` reads when it is not told."""


def metric_named(name: str) -> Any:
    """Return a metric by its name.

    Errors      BadInput, with the names that there are

    Examples
    --------
    >>> metric_named("margin divergence").role
    'forgetting'
    """
    for metric in ALL_METRICS:
        if metric.name == name:
            return metric
    raise BadInput(f"no metric {name!r}; there are {[m.name for m in ALL_METRICS]}")
