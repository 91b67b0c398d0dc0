"""Audits: what is left of forgotten records, measured against retraining, and what it cost.

One metric a file; the protocol runs them on trials, with controls, and gives verdicts.
"""

from .audited import Audit
from .controls import validity
from .duplicates import near_duplicates
from .gap import PredictionGap
from .ledger import CertificateLedger
from .membership import Membership
from .parameters import ParameterGap
from .planted import planted_case
from .protocol import METRICS, audit, audit_model
from .residual import ResidualFraction
from .residue import Residue
from .utility import HoldoutUtility, RetainUtility
from .verdict import VERDICTS, Verdict, separates, verdict

__all__ = [
    "METRICS",
    "VERDICTS",
    "Audit",
    "CertificateLedger",
    "HoldoutUtility",
    "Membership",
    "ParameterGap",
    "PredictionGap",
    "ResidualFraction",
    "Residue",
    "RetainUtility",
    "Verdict",
    "audit",
    "audit_model",
    "near_duplicates",
    "planted_case",
    "separates",
    "validity",
    "verdict",
]
