"""Audits: what is left of forgotten records, measured against retraining, and what it cost.

One metric a file; the protocol runs them on trials, with controls, and gives verdicts.
"""

from .arm_page import page_from as page_from
from .arms import Arms, margin
from .beyond import Sides, sides_of_retraining
from .calibration import Calibration, CalibrationChange, calibration
from .controls import validity
from .costed import certificate_table, relearn_table
from .distances import (
    ActivationGap,
    WeightGap,
    activation_distance,
    layer_distances,
    weight_distance,
)
from .duplicates import near_duplicates
from .epsilon import (
    EpsilonBounds,
    attack_ceiling,
    epsilon_from_counts,
    epsilon_interval,
    epsilon_lower_bound,
    epsilon_one_run,
)
from .epsilon_metric import EpsilonBound, EpsilonCredible, flagged
from .figures import budget_figure, figure_from
from .fraction import ArmResidual, Fractions, residual_fraction
from .gap import PredictionGap
from .inside import hidden, layers, learned_again
from .interclass_confusion import ConfusionLeft, interclass_confusion
from .judged import CONTROL as CONTROL
from .judged import audit_arms
from .judgement import KINDS, Judgement, judge
from .judgement import LEVEL as LEVEL
from .klom import MarginDivergence, klom
from .ledger import CertificateLedger
from .linear_probe import ProbeLeft, linear_probe, probe_gap
from .membership import Membership
from .modified_entropy import modified_entropy
from .neurips_score import ChallengeScore, NeuripsScore, neurips_score
from .parameters import ParameterGap
from .per_example import PerExampleAttack
from .planted import planted_case
from .planted_arms import planted_arms
from .population import PopulationArea, PopulationMembership, population_membership
from .population import difference_of_means as difference_of_means
from .protocol import METRICS, Audit, audit, audit_model
from .registry import ALL_METRICS, ARM_METRICS, metric_named
from .relearn import Anamnesis, Relearning, anamnesis_index, relearn_curve, relearn_steps
from .report import AuditReport, MethodAudit
from .residual import ResidualFraction
from .residue import Residue
from .rmia import OfflineRmia, rmia
from .run import run
from .state import state_of as state_of
from .swap_test import SwapAdvantage, SwapTest, swap_test
from .tiers import TIERS, AuditPlan, smallest_detectable_area
from .tiers import models_of as models_of
from .tow import TugOfWar, TugOfWarMia, tow, tow_mia
from .tow import taken_for_members as taken_for_members
from .ulira import Ulira, ulira
from .utility import HoldoutUtility, RetainUtility
from .verdict import VERDICTS, Verdict, separates, verdict
from .zrf import ZeroRetrainForgetting, jensen_shannon, zrf

__all__ = [
    "ALL_METRICS",
    "metric_named",
    "learned_again",
    "layers",
    "hidden",
    "flagged",
    "ZeroRetrainForgetting",
    "WeightGap",
    "TugOfWarMia",
    "SwapAdvantage",
    "Relearning",
    "ProbeLeft",
    "EpsilonCredible",
    "EpsilonBound",
    "ConfusionLeft",
    "CalibrationChange",
    "ActivationGap",
    "planted_arms",
    "TugOfWar",
    "PopulationArea",
    "OfflineRmia",
    "ArmResidual",
    "ARM_METRICS",
    "KINDS",
    "METRICS",
    "TIERS",
    "VERDICTS",
    "Anamnesis",
    "Arms",
    "Audit",
    "AuditPlan",
    "AuditReport",
    "Calibration",
    "CertificateLedger",
    "ChallengeScore",
    "EpsilonBounds",
    "Fractions",
    "HoldoutUtility",
    "Judgement",
    "MarginDivergence",
    "Membership",
    "MethodAudit",
    "NeuripsScore",
    "ParameterGap",
    "PerExampleAttack",
    "PopulationMembership",
    "PredictionGap",
    "ResidualFraction",
    "Residue",
    "RetainUtility",
    "Sides",
    "SwapTest",
    "Ulira",
    "Verdict",
    "activation_distance",
    "anamnesis_index",
    "attack_ceiling",
    "audit",
    "audit_arms",
    "audit_model",
    "budget_figure",
    "calibration",
    "certificate_table",
    "epsilon_from_counts",
    "epsilon_interval",
    "epsilon_lower_bound",
    "epsilon_one_run",
    "figure_from",
    "interclass_confusion",
    "jensen_shannon",
    "judge",
    "klom",
    "layer_distances",
    "linear_probe",
    "margin",
    "modified_entropy",
    "near_duplicates",
    "neurips_score",
    "planted_case",
    "population_membership",
    "probe_gap",
    "relearn_curve",
    "relearn_steps",
    "relearn_table",
    "residual_fraction",
    "rmia",
    "run",
    "separates",
    "sides_of_retraining",
    "smallest_detectable_area",
    "swap_test",
    "tow",
    "tow_mia",
    "ulira",
    "validity",
    "verdict",
    "weight_distance",
    "zrf",
]
