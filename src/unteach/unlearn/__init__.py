"""Methods that make a model forget, one a file; each says what it claims.

Three of them are poles that stand in every comparison: `Retrain`, the truth, `DoNothing`, the
fraud, and `OverForget`, the vandal. Methods that take gradient steps (`FineTune`,
`GradientAscent`, `NegGradPlus`, `RandomLabel`) share `descent`; they list without torch, and need
the extra `torch` when they run.
"""

from .by_function import ByFunction, method
from .descent import Descent
from .do_nothing import DoNothing
from .finetune import FineTune
from .forgetting import METHODS, forget, method_named, route
from .gradient_ascent import GradientAscent
from .ledger import Entry, Ledger
from .native import Native
from .neggrad import NegGradPlus
from .newton import Newton
from .noisy_logistic import NoisyLogistic, NoisyLogisticLearner
from .over_forget import OverForget
from .random_label import RandomLabel
from .retrain import Retrain
from .sisa import Constant, ShardedLearner, ShardedModel, Sisa

__all__ = [
    "METHODS",
    "ByFunction",
    "Constant",
    "Descent",
    "DoNothing",
    "Entry",
    "FineTune",
    "GradientAscent",
    "Ledger",
    "Native",
    "NegGradPlus",
    "Newton",
    "NoisyLogistic",
    "NoisyLogisticLearner",
    "OverForget",
    "RandomLabel",
    "Retrain",
    "ShardedLearner",
    "ShardedModel",
    "Sisa",
    "forget",
    "method",
    "method_named",
    "route",
]
