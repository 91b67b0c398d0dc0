"""Methods that make a model forget, one a file; each says what it claims.

Three of them are poles that stand in every comparison: `Retrain`, the truth, `DoNothing`, the
fraud, and `OverForget`, the vandal. Methods that change a network (all that derive from
`OnACopy`, and `RUM`) list without torch, and need the extra `torch` when they run. `tune` chooses
hyper-parameters without the audited forget set.
"""

from .amnesiac import Amnesiac
from .bad_teacher import BadTeacher
from .boundary_shrink import BoundaryShrink
from .by_function import ByFunction, method
from .descent import Descent
from .do_nothing import DoNothing
from .ekfac import EKFAC
from .finetune import FineTune
from .fisher_noise import FisherNoise
from .forgetting import METHODS, forget, method_named, route
from .gradient_ascent import GradientAscent
from .influence import Influence
from .l1_sparse import L1Sparse
from .langevin import Langevin
from .last_layers import CFk, EUk
from .ledger import Entry, Ledger
from .native import Native
from .neggrad import NegGradPlus
from .newton import Newton
from .noisy_descent import NoisyDescent
from .noisy_logistic import NoisyLogistic, NoisyLogisticLearner
from .noisy_path import NoisyPathLearner, NoisyPathModel
from .on_a_copy import OnACopy
from .over_forget import OverForget
from .random_label import RandomLabel
from .retrain import Retrain
from .rewind import Rewind, Rewinding
from .rum import RUM
from .salun import SalUn
from .scrub import SCRUB
from .search_space import Between
from .sisa import Constant, ShardedLearner, ShardedModel, Sisa
from .ssd import SSD, LabelFreeSSD
from .task_vector import TaskVector
from .token_rows import TokenRows
from .tuning import Tuned, tune
from .unsir import UNSIR
from .updates import Remembering, Updates

__all__ = [
    "Amnesiac",
    "BadTeacher",
    "Between",
    "BoundaryShrink",
    "ByFunction",
    "CFk",
    "Constant",
    "Descent",
    "DoNothing",
    "EKFAC",
    "EUk",
    "Entry",
    "FineTune",
    "FisherNoise",
    "GradientAscent",
    "Influence",
    "L1Sparse",
    "LabelFreeSSD",
    "Langevin",
    "Ledger",
    "METHODS",
    "Native",
    "NegGradPlus",
    "Newton",
    "NoisyDescent",
    "NoisyLogistic",
    "NoisyLogisticLearner",
    "NoisyPathLearner",
    "NoisyPathModel",
    "OnACopy",
    "OverForget",
    "RUM",
    "RandomLabel",
    "Remembering",
    "Retrain",
    "Rewind",
    "Rewinding",
    "SCRUB",
    "SSD",
    "SalUn",
    "ShardedLearner",
    "ShardedModel",
    "Sisa",
    "TaskVector",
    "TokenRows",
    "Tuned",
    "UNSIR",
    "Updates",
    "forget",
    "method",
    "method_named",
    "route",
    "tune",
]
