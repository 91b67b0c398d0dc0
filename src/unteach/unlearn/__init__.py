"""Methods that make a model forget, one a file; each says what it claims.

Three of them are poles that stand in every comparison: `Retrain`, the truth, `DoNothing`, the
fraud, and `OverForget`, the vandal. Methods that change a network (all that derive from
`OnACopy`, and `RUM`) list without torch, and need the extra `torch` when they run. `tune` chooses
hyper-parameters without the audited forget set.
"""

from ._noise.budget_ledger import Entry, Ledger
from ._noise.budget_ledger import gaussian_delta as gaussian_delta
from ._noise.noisy_logistic import NoisyLogistic, NoisyLogisticLearner
from ._noise.noisy_path import NoisyPathLearner, NoisyPathModel
from ._shared.function_method import ByFunction, method
from ._shared.gradient_method import Descent
from ._shared.network_method import OnACopy
from .certified.langevin import Langevin
from .certified.newton import Newton
from .certified.noisy_descent import NoisyDescent
from .controls.do_nothing import DoNothing
from .controls.over_forget import OverForget
from .curvature.ekfac import EKFAC
from .curvature.influence import Influence
from .exact.native import Native
from .exact.retrain import Retrain
from .exact.sisa import Constant, ShardedLearner, ShardedModel, Sisa
from .gradient.amnesiac import Amnesiac, Remembering, Updates
from .gradient.bad_teacher import BadTeacher
from .gradient.boundary_shrink import BoundaryShrink
from .gradient.finetune import FineTune
from .gradient.gradient_ascent import GradientAscent
from .gradient.l1_sparse import L1Sparse
from .gradient.neggrad import NegGradPlus
from .gradient.random_label import RandomLabel
from .gradient.rewind import Rewind, Rewinding
from .gradient.rum import RUM
from .gradient.scrub import SCRUB
from .gradient.task_vector import TaskVector
from .gradient.unsir import UNSIR
from .method_choice import METHODS, forget, method_named, route
from .method_choice import seed_for as seed_for
from .selective.fisher_noise import FisherNoise
from .selective.last_layers import CFk, EUk
from .selective.salun import SalUn
from .selective.ssd import SSD, LabelFreeSSD
from .selective.token_rows import TokenRows
from .tuning import Between, Tuned, tune

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
