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
from .langevin import Langevin
from .ledger import Entry, Ledger
from .native import Native
from .neggrad import NegGradPlus
from .newton import Newton
from .noisy_descent import NoisyDescent
from .noisy_logistic import NoisyLogistic, NoisyLogisticLearner
from .noisy_path import NoisyPathLearner, NoisyPathModel
from .over_forget import OverForget
from .random_label import RandomLabel
from .retrain import Retrain
from .salun import SalUn
from .scrub import SCRUB
from .sisa import Constant, ShardedLearner, ShardedModel, Sisa
from .ssd import SSD, LabelFreeSSD

__all__ = [
    "Langevin",
    "LabelFreeSSD",
    "NoisyDescent",
    "NoisyPathLearner",
    "NoisyPathModel",
    "SCRUB",
    "SSD",
    "SalUn",
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
