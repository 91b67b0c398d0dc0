"""How much a model holds of each record: leave-one-out, subsampled, screens, influence.

`Memories` trains many models on random subsets and keeps one table of their outcomes; every
score is read from it. `nearest`, `ridge`, `kernel_ridge` and `machine` know the answer exactly,
for learners that allow it. Screens rank from a single training and have no units.
"""

from ._training.learner_adapter import LEARNERS
from ._training.subset_design import Design
from .estimators import LeaveOneOut, Subsampled
from .leave_one_out import kernel_machine as machine
from .leave_one_out import kernel_ridge, nearest, ridge
from .leave_one_out.leave_one_out import LeftOut
from .memories import Memories
from .scores.banzhaf import Banzhaf
from .scores.consistency import Consistency
from .scores.feldman import expected_change as expected_change
from .scores.feldman import good_turing as good_turing
from .scores.feldman import singletons as singletons
from .scores.feldman import tau as tau
from .scores.lira import Membership
from .scores.plain_mlp import PlainMLP
from .scores.removal import Removal
from .scores.screens import EL2N, CumulativeLoss, KernelRidgeScreen, LearningEvent, OffersEpochs
from .scores.subsampled import Memorization
from .scores.subsampled import check_flagging as check_flagging

ESTIMATORS = (Subsampled, LeaveOneOut)
SCREENS = (CumulativeLoss, EL2N, LearningEvent, KernelRidgeScreen)

__all__ = [
    "Banzhaf",
    "Consistency",
    "CumulativeLoss",
    "Design",
    "EL2N",
    "ESTIMATORS",
    "KernelRidgeScreen",
    "LEARNERS",
    "LearningEvent",
    "LeaveOneOut",
    "LeftOut",
    "Membership",
    "Memories",
    "Memorization",
    "OffersEpochs",
    "PlainMLP",
    "Removal",
    "SCREENS",
    "Subsampled",
    "kernel_ridge",
    "machine",
    "nearest",
    "ridge",
]
