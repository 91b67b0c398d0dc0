"""Metrics of arms: what many models of one request say, each as a reading of a case."""

from __future__ import annotations

from typing import Any

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
from .relearn import Relearning
from .rmia import OfflineRmia
from .swap_test import SwapAdvantage
from .tow import TugOfWar, TugOfWarMia
from .zrf import ZeroRetrainForgetting

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
