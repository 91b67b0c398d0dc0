"""Methods that make a model forget, one a file; each says what it claims.

Three of them are poles that stand in every comparison: `Retrain`, the truth, `DoNothing`, the
fraud, and `OverForget`, the vandal.
"""

from .do_nothing import DoNothing
from .forgetting import METHODS, forget, method_named, route
from .ledger import Entry, Ledger
from .native import Native
from .newton import Newton
from .noisy_logistic import NoisyLogistic, NoisyLogisticLearner
from .over_forget import OverForget
from .retrain import Retrain
from .sisa import Constant, ShardedLearner, ShardedModel, Sisa

__all__ = [
    "METHODS",
    "Constant",
    "DoNothing",
    "Entry",
    "Ledger",
    "Native",
    "Newton",
    "NoisyLogistic",
    "NoisyLogisticLearner",
    "OverForget",
    "Retrain",
    "ShardedLearner",
    "ShardedModel",
    "Sisa",
    "forget",
    "method_named",
    "route",
]
